//! Prints what does not show in an image: how large the states are, and how many instructions each work takes, counted by
//! an emulator whose clock advances by a nanosecond an instruction: see `../sizes`.
//!
//! A message is copied to where it is read before each round, as a driver would, since payloads are unmasked in place.

#![no_std]
#![no_main]

use core::{arch::asm, hint::black_box};

use bill::{Keys, board};
use cortex_m::{Peripherals, peripheral::SYST, peripheral::syst::SystClkSource};
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embedded_websocket::{WebSocketServer, WebSocketState};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Event, Input, Keepalive, OriginPolicy, Reader, Role,
    Server, ServerSide, Session, SliceOutput, Uri, Writer, client, server,
};
use websocket_sans_io::{WebsocketFrameDecoder, WebsocketFrameEvent};

/// The timer ticks every 40 ns.
const INSTRUCTIONS_A_TICK: u32 = 40;
const TIMER: u32 = 0xff_ffff;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// A binary message of 20 bytes, a text of 125, and the first as a server sends it.
const SHORT: [u8; 26] = frame(0x82, true);
const LONG: [u8; 131] = frame(0x81, true);
const PLAIN: [u8; 22] = frame(0x82, false);

/// 14 lines, as a browser writes them.
const REQUEST: &[u8] = b"GET /ws HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: https://example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-US,en;q=0.9\r\n\
    Cookie: id=k3J9xQ2m\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// What that answers.
const NONCE: [u8; 16] = *b"the sample nonce";

type Out = SliceOutput<[u8; 1024]>;

#[entry]
fn main() -> ! {
    state::<Connection<Server>>("Connection<Server>");
    state::<Connection<Client<Keys>>>("Connection<Client<_>>");
    state::<Reader<ServerSide>>("Reader<_>");
    state::<Writer<Server>>("Writer<Server>");
    state::<Session<Server, [u8; 512]>>("Session<Server, [u8; 512]>");
    state::<Session<Client<Keys>, [u8; 512]>>("Session<Client<_>, [u8; 512]>");
    state::<SliceOutput<[u8; 512]>>("SliceOutput<[u8; 512]>");
    state::<Assembler<[u8; 512]>>("Assembler<[u8; 512]>");
    state::<Keepalive>("Keepalive");
    #[cfg(feature = "deflate")]
    state::<websocket_proto::Inflate<websocket_proto::Window<[u8; 512]>>>("Inflate<Window<[u8; 512]>>");

    let Some(mut timer) = Peripherals::take().map(|peripherals| peripherals.SYST) else { end(false) };
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(TIMER);
    timer.clear_current();
    timer.enable_counter();

    let mut out = Out::new([0; 1024]);
    let mut buf = [0; 512];
    work("a loop of 100 instructions", 1000, || {
        // SAFETY: it counts a register of its own down.
        unsafe { asm!("movs {n}, #49", "2:", "subs {n}, #1", "bne 2b", "nop", n = out(reg) _) }
    });
    let mut conn = connection(Server);
    work("decode, server: 20 B binary", 1000, || receive(&mut conn, black_box(&SHORT), &mut buf, &mut out));
    work("decode, server: 125 B ASCII", 1000, || receive(&mut conn, black_box(&LONG), &mut buf, &mut out));
    work("echo, server: 20 B binary", 1000, || echo(&mut conn, black_box(&SHORT), &mut buf, &mut out));
    let mut conn = connection(Client(Keys));
    work("decode, client: 20 B binary", 1000, || receive(&mut conn, black_box(&PLAIN), &mut buf, &mut out));
    work("echo, client: 20 B binary", 1000, || echo(&mut conn, black_box(&PLAIN), &mut buf, &mut out));
    work("handshake: server, a browser's request to the 101", 50, || accept(&mut buf, &mut out));
    work("handshake: client, the request and its 101", 50, || connect(&mut buf, &mut out));
    work("decode, websocket-sans-io: 20 B binary", 1000, || sans_io(black_box(&SHORT), &mut buf));
    work("decode, websocket-sans-io: 125 B ASCII", 1000, || sans_io(black_box(&LONG), &mut buf));
    work("decode, embedded-websocket: 20 B binary", 1000, || embedded(black_box(&SHORT), &mut buf));
    work("decode, embedded-websocket: 125 B ASCII", 1000, || embedded(black_box(&LONG), &mut buf));
    end(true)
}

fn state<T>(name: &str) {
    hprintln!("state\t{}\t{}", name, size_of::<T>());
}

/// Prints what a round takes: twice as many rounds less as many, so that the rest does not count.
fn work(name: &str, rounds: u32, mut round: impl FnMut()) {
    let mut ticks = |rounds: u32| {
        let start = SYST::get_current();
        for _ in 0..rounds {
            round();
        }
        start.wrapping_sub(SYST::get_current()) & TIMER
    };
    let once = ticks(rounds);
    let twice = ticks(2 * rounds);
    let tenths = u64::from(twice - once) * u64::from(INSTRUCTIONS_A_TICK) * 10 / u64::from(rounds);
    hprintln!("work\t{}\t{}.{}", name, tenths / 10, tenths % 10);
}

/// A frame of `N` bytes, masked or not.
const fn frame<const N: usize>(first: u8, masked: bool) -> [u8; N] {
    let mut bytes = [0; N];
    let header = if masked { 6 } else { 2 };
    bytes[0] = first;
    bytes[1] = (N - header) as u8 | if masked { 0x80 } else { 0 };
    let mut at = 2;
    while at < N {
        bytes[at] = match (masked, at < header) {
            (true, true) => KEY[at - 2],
            (true, false) => b'a' ^ KEY[(at - header) % 4],
            (false, _) => b'a',
        };
        at += 1;
    }
    bytes
}

fn connection<R: Role>(role: R) -> Connection<R> {
    Connection::new(role, &Config::default(), Agreed::default())
}

#[inline(never)]
fn receive<R: Role>(conn: &mut Connection<R>, wire: &[u8], buf: &mut [u8], out: &mut Out) {
    let read = copied(wire, buf);
    let mut input = Input::new(read);
    let mut messages = 0;
    while let Some(event) = conn.receive(&mut input, out) {
        match event {
            Event::Data(data) => board::take(data.payload()),
            _ => end(false),
        }
        messages += 1;
    }
    expect(messages == 1);
}

#[inline(never)]
fn echo<R: Role>(conn: &mut Connection<R>, wire: &[u8], buf: &mut [u8], out: &mut Out) {
    let read = copied(wire, buf);
    let mut input = Input::new(read);
    while let Some(event) = conn.receive(&mut input, out) {
        match event {
            Event::Data(data) => expect(conn.send(data.echo(), out).is_ok()),
            _ => end(false),
        }
    }
    expect(out.pending().len() >= 22);
    out.advance(usize::MAX);
}

#[inline(never)]
fn accept(buf: &mut [u8], out: &mut Out) {
    let mut read = [0; 600];
    let read = copied(REQUEST, &mut read);
    let mut handshake = server::Handshake::new(buf, Config::default().head);
    match handshake.receive(Input::new(read), out) {
        server::Progress::Request { request, .. } => {
            expect(request.accept(OriginPolicy::SameHost).write(out).is_ok());
        }
        _ => end(false),
    }
    expect(handshake.agreed().is_some());
    out.advance(usize::MAX);
}

#[inline(never)]
fn connect(buf: &mut [u8], out: &mut Out) {
    let mut read = [0; 600];
    let read = copied(RESPONSE, &mut read);
    let Ok(uri) = Uri::parse(black_box("ws://example.com/ws")) else { end(false) };
    let request = client::Request::new(uri, black_box(NONCE));
    let Ok(mut handshake) = client::Handshake::new(buf, Config::default().head, &request, out) else {
        end(false)
    };
    match handshake.receive(Input::new(read)) {
        client::Progress::Opened { .. } => out.advance(usize::MAX),
        _ => end(false),
    }
}

#[inline(never)]
fn sans_io(wire: &[u8], buf: &mut [u8]) {
    let mut decoder = WebsocketFrameDecoder::new();
    let mut read = copied(wire, buf);
    let mut frames = 0;
    loop {
        let Ok(taken) = decoder.add_data(read);
        let (piece, rest) = read.split_at_mut_checked(taken.consumed_bytes).unwrap_or_default();
        read = rest;
        match taken.event {
            Some(WebsocketFrameEvent::PayloadChunk { .. }) => board::take(piece),
            Some(WebsocketFrameEvent::End { .. }) => frames += 1,
            Some(WebsocketFrameEvent::Start { .. }) => {}
            None if taken.consumed_bytes == 0 => break,
            None => {}
        }
    }
    expect(frames == 1);
}

#[inline(never)]
fn embedded(wire: &[u8], buf: &mut [u8]) {
    let mut websocket = WebSocketServer::new_server();
    websocket.state = WebSocketState::Open;
    let mut payload = [0; 128];
    let read = copied(wire, buf);
    match websocket.read(read, &mut payload) {
        Ok(result) if result.end_of_message => board::take(payload.get(..result.len_to).unwrap_or_default()),
        _ => end(false),
    }
}

fn copied<'b>(wire: &[u8], buf: &'b mut [u8]) -> &'b mut [u8] {
    let Some(place) = buf.get_mut(..wire.len()) else { end(false) };
    place.copy_from_slice(wire);
    place
}

fn expect(holds: bool) {
    if !holds {
        end(false);
    }
}

fn end(passed: bool) -> ! {
    debug::exit(if passed { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    board::stop()
}
