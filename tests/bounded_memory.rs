//! Proves what memory a peer can make this side take: nothing for what it announces, a constant for what it floods.
//! The allocator of this binary counts the bytes that are held, and the most that ever were.
#![cfg(feature = "alloc")]
#![allow(unsafe_code, reason = "a global allocator cannot be written without it")]

#[path = "bounded/counting.rs"]
#[allow(dead_code, reason = "a part is used")]
mod counting;

use counting::{held, peak};
use websocket_proto::{
    Agreed, Assembler, Body, Buffer, Client, Config, Connection, Event, HeadLimits, Input, Lenient,
    MIN_OUTPUT, MaskKey, Outgoing, Output, QueueOutput, Role, Rule, Server, Uri, client, server,
};

fn unlimited() -> Config {
    Config { frame_limit: u64::MAX, message_limit: u64::MAX, fragment_limit: u32::MAX, ..Config::default() }
}

/// A frame's header that announces so much, and the first bytes of its payload.
fn announce(first: u8, len: u64, server: bool) -> Vec<u8> {
    let mut bytes = vec![first, if server { 0xff } else { 0x7f }];
    bytes.extend(len.to_be_bytes());
    if server {
        bytes.extend([0; 4]);
    }
    bytes.extend(b"...");
    bytes
}

const HUGE: u64 = 1 << 40;
const KEYS: fn() -> MaskKey = || [0; 4];
/// Memory for what came, not for what was announced: a step of `Assembler::place`, twice while it grows.
const CONSTANT: usize = 256 * 1024;

#[test]
fn the_counter_counts() {
    assert_eq!(peak(|| drop(std::hint::black_box(vec![1_u8; 1000]))), 1000);
    assert_eq!(peak(|| drop(std::hint::black_box(vec![0_u8; 1000]))), 1000);
    let grown = peak(|| {
        let mut bytes = Vec::<u8>::with_capacity(1000);
        bytes.reserve_exact(2000);
        std::hint::black_box(bytes);
    });
    assert_eq!(grown, 3000, "both while it moves");
    assert_eq!(peak(|| {}), 0);
}

/// CVE-2022-35922, CVE-2021-21419, CVE-2026-33219: 2^40 bytes are announced, in one frame or behind a fragment, and
/// three come; or they are read to where they stay, a byte at a time.
#[test]
fn reserving_by_a_declared_length() {
    fn check<R: Role, B: Buffer>(conn: impl Fn() -> Connection<R>, server: bool, memory: impl Fn() -> B) {
        for placed in [false, true] {
            let fragments = [announce(0x02, 3, server), announce(0x80, HUGE, server)].concat();
            for mut bytes in [announce(0x82, HUGE, server), fragments] {
                let mut conn = conn();
                let mut whole = Assembler::new(memory());
                let held = peak(|| {
                    let mut out = QueueOutput::with_limit(usize::MAX);
                    let mut input = Input::new(&mut bytes);
                    while let Some(event) = conn.receive(&mut input, &mut out) {
                        let Event::Data(data) = event else { panic!("{event:?}") };
                        assert!(whole.push(data).unwrap().is_none());
                    }
                    assert_eq!(conn.frame_remaining(), HUGE - 3);
                    for _ in 0..if placed { 1000 } else { 0 } {
                        let Some(byte) = whole.place(&conn).first_mut() else { break };
                        *byte = b'.';
                        assert!(whole.placed(1, &mut conn, &mut out).unwrap().is_none());
                    }
                });
                assert!(held <= if placed { CONSTANT } else { 100 }, "{held} bytes, placed: {placed}");
            }
        }
    }
    let lenient = Lenient { non_minimal_length: true, ..Lenient::default() };
    let config = Config { lenient, ..unlimited() };
    let server = || Connection::new(Server, &config, Agreed::default());
    let client = || Connection::new(Client(KEYS), &config, Agreed::default());
    check(server, true, Vec::new);
    check(client, false, Vec::new);
    check(server, true, || [0; 100]);
    check(client, false, || vec![0; 100].into_boxed_slice());
    check(server, true, heapless::Vec::<u8, 100>::new);

    // With the limits that are set unless told otherwise it is refused at its header.
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut bytes = announce(0x82, HUGE, true);
    let mut out = QueueOutput::with_limit(usize::MAX);
    let mut input = Input::new(&mut bytes);
    assert!(peak(|| while conn.receive(&mut input, &mut out).is_some() {}) <= 100);
    assert_eq!(conn.failure().map(|error| error.rule), Some(Rule::FrameTooLong));
    // What is announced on the way out is not there yet either.
    let mut conn = server();
    assert!(peak(|| conn.send_header(Outgoing::binary(&[]), HUGE, &mut out).unwrap()) <= 100);
}

/// A body announced by a response, and heads: what is kept is the caller's memory, and there is no other.
#[test]
fn reserving_by_a_declared_length_in_a_handshake() {
    let asked = client::Request::new(Uri::parse("ws://h/").unwrap(), *b"the sample nonce");
    for framing in
        ["Content-Length: 1099511627776\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n"]
    {
        let mut memory = [0; 256];
        let mut bytes = format!("HTTP/1.1 404 Not Found\r\n{framing}...").into_bytes();
        let mut sent = Vec::with_capacity(512);
        let held = peak(|| {
            let mut handshake =
                client::Handshake::new(&mut memory[..], HeadLimits::default(), &asked, &mut sent).unwrap();
            let _progress = handshake.receive(Input::new(&mut bytes));
            assert_eq!(handshake.response().unwrap().body(), b"...");
        });
        assert_eq!(held, 0);
    }
    let mut memory = [0; 2048];
    let mut first = *b"GET / HTTP/1.1\r\n";
    let mut line = *b"X: y\r\n";
    let mut out = Vec::with_capacity(512);
    let held = peak(|| {
        let mut handshake = server::Handshake::new(&mut memory[..], HeadLimits::default());
        let _progress = handshake.receive(Input::new(&mut first), &mut out);
        for _ in 0..100_000 {
            let _progress = handshake.receive(Input::new(&mut line), &mut out);
        }
        assert!(handshake.failure().is_some());
    });
    assert_eq!(held, 0);
}

/// A million pings that are never read, a million fragments: not a byte.
#[test]
fn floods_take_no_memory() {
    let mut pings = [0x89, 0x84, 0, 0, 0, 0, b'p', b'i', b'n', b'g'].repeat(1000);
    let mut fragments = [0x00, 0x81, 0, 0, 0, 0, b'x'].repeat(1000);
    let mut first = [0x01, 0x80, 0, 0, 0, 0];
    let mut out = QueueOutput::with_limit(MIN_OUTPUT);
    let held = peak(|| {
        let mut conn = Connection::new(Server, &unlimited(), Agreed::default());
        let mut input = Input::new(&mut first);
        while conn.receive(&mut input, &mut out).is_some() {}
        for _ in 0..1000 {
            for read in [&mut pings, &mut fragments] {
                let mut input = Input::new(read);
                while conn.receive(&mut input, &mut out).is_some() {}
            }
        }
        assert!(conn.is_reply_waiting() && conn.failure().is_none());
    });
    // The output's memory is a constant of the caller's choice, which is at most held twice while it grows.
    assert!(held <= 4 * MIN_OUTPUT, "{held} bytes");
}

#[test]
fn what_is_empty_gives_its_memory_back() {
    let before = held();
    let mut out = QueueOutput::with_limit(1000);
    assert!(out.put(&[0; 10], Body::plain(&[0; 990])));
    out.release();
    assert_eq!(out.pending().len(), 1000);
    out.advance(1000);
    out.release();
    assert_eq!(held(), before);

    let mut conn = Connection::new(Client(KEYS), &Config::default(), Agreed::default());
    let mut whole = Assembler::new(Vec::new());
    for (mut read, kept) in [(*b"\x02\x01a", true), (*b"\x80\x01b", false)] {
        let mut input = Input::new(&mut read);
        while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
            if let Some(message) = whole.push(data).unwrap() {
                assert_eq!(message.payload(), b"ab"); // nothing of it was given back between its pieces
            }
        }
        whole.release();
        assert_eq!(held() > before, kept);
    }
}

#[test]
fn a_queue_that_is_never_empty_does_not_grow() {
    let before = held();
    let mut out = QueueOutput::with_limit(1000);
    assert!(out.put(b"abc", Body::plain(b"")));
    for _ in 0..10_000 {
        assert!(out.put(b"", Body::plain(b"defghij")));
        out.advance(7);
        assert_eq!(out.pending().len(), 3);
    }
    assert!(held() - before < 256, "{}", held() - before);
}
