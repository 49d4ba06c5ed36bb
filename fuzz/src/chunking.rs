//! However a stream is cut, the events, the output and the error are the same: from the first byte of the opening
//! handshake on, in both roles. And a driver that has the room that the manual asks for never meets `NoRoom`.

use arbitrary::Unstructured;
use websocket_proto::{
    Client, Config, Connection, Event, HeadLimits, MIN_OUTPUT, Opens, OriginPolicy, Output, Role, Rsv,
    SendError, Server, Session, SliceOutput, Transport, Uri, client,
};

use crate::{
    common::{
        keys::Keys,
        oracle::{self, Seen, Setup},
        run,
    },
    support::{byte, cuts, drain, seed, setup},
    verify, words,
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub fn chunking(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mode = byte(&mut u);
    let setup = setup(&mut u, mode & 1 == 0);
    let memory = 64 << (mode >> 5);
    let seed = seed(&mut u);
    let stream = u.take_rest();
    if mode & 2 == 0 {
        let cuts = cuts(&seed, stream.len());
        match setup.server {
            true => frames(|| Server, &setup, stream, &cuts),
            false => frames(|| Client(Keys::default()), &setup, stream, &cuts),
        }
        return;
    }
    let head = match (mode & 4 != 0, setup.server) {
        (false, _) => &[],
        (true, true) => REQUEST,
        (true, false) => RESPONSE,
    };
    let stream = [head, stream].concat();
    let cuts = cuts(&seed, stream.len());
    let config = Config { head: limits(mode), ..setup.config() };
    match setup.server {
        true => sessions(|out| server_life(config, memory, out), &stream, &cuts),
        false => sessions(|out| client_life(config, memory, out), &stream, &cuts),
    }
}

fn limits(mode: u8) -> HeadLimits {
    match mode & 0x18 {
        0x08 => HeadLimits { bytes: 300, ..HeadLimits::default() },
        0x10 => HeadLimits { line: 60, ..HeadLimits::default() },
        0x18 => HeadLimits { lines: 3, ..HeadLimits::default() },
        _ => HeadLimits::default(),
    }
}

/// Frames alone, against the naive decoder, and an echo of every piece.
fn frames<R: Role>(role: impl Fn() -> R, setup: &Setup, stream: &[u8], cuts: &[usize]) {
    let expected = oracle::read(setup, stream);
    let each: Vec<usize> = (1..stream.len()).collect();
    for cuts in [cuts, &each] {
        let mut conn = run::connection(role(), setup);
        let mut out = SliceOutput::new(vec![0xaa; 3 * stream.len() + MIN_OUTPUT]);
        let mut seen = Vec::new();
        for piece in pieces(stream, cuts) {
            let left =
                drain(piece, |input| conn.receive(input, &mut out), |event| run::note(&mut seen, event));
            assert_eq!(left, 0);
        }
        verify::check(&mut conn, setup, &seen, out.pending(), &expected);
    }
    echo(run::connection(role(), setup), stream, cuts);
}

/// Rule 3 of the design: who reads n bytes with `3 * n + 2 * MIN_OUTPUT` of room can echo them.
fn echo<R: Role>(mut conn: Connection<R>, stream: &[u8], cuts: &[usize]) {
    for piece in pieces(stream, cuts) {
        let mut bytes = piece.to_vec();
        let mut input = websocket_proto::Input::new(&mut bytes);
        let mut out = SliceOutput::new(vec![0; 3 * piece.len() + 2 * MIN_OUTPUT]);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            if let Event::Data(data) = event {
                match conn.send(data.echo(), &mut out) {
                    Ok(()) => {}
                    // What a fault cuts off: the echo cannot end the message for the peer.
                    Err(SendError::Closed) => assert!(conn.failure().is_some()),
                    Err(error) => panic!("{error} for {:?}", data.part()),
                }
            }
        }
        conn.poll_transmit(&mut out);
        assert!(!conn.is_reply_waiting());
    }
}

fn pieces<'s>(stream: &'s [u8], cuts: &[usize]) -> impl Iterator<Item = &'s [u8]> {
    let mut start = 0;
    let ends: Vec<usize> = cuts.iter().copied().chain([stream.len()]).collect();
    ends.into_iter().map(move |end| &stream[std::mem::replace(&mut start, end)..end])
}

/// All that is seen of a session.
#[derive(Debug, PartialEq)]
struct Life {
    seen: Vec<Seen>,
    /// What the opening handshake told, and where.
    opening: Vec<String>,
    written: Vec<u8>,
    endings: Vec<(String, Transport)>,
    head: Vec<u8>,
}

trait Live {
    fn feed(&mut self, piece: &[u8], out: &mut dyn Output, life: &mut Life);
    fn end(&mut self, life: &mut Life);
}

/// A session, and what it does when the opening handshake tells something.
struct Living<R: Opens<Vec<u8>>> {
    session: Session<R, Vec<u8>>,
    answer: fn(&mut Session<R, Vec<u8>>, &mut dyn Output) -> String,
}

fn server_life(config: Config, memory: usize, _: &mut dyn Output) -> Box<dyn Live> {
    fn answer(session: &mut Session<Server, Vec<u8>>, mut out: &mut dyn Output) -> String {
        let request = session.request().expect("it was just requested");
        let told = format!("{request:?} {:?}", request.headers().collect::<Vec<_>>());
        let protocol = request.protocols().next().map(str::to_owned);
        let result = match request.is_upgrade() {
            true => request.accept(OriginPolicy::SameHost).protocol(protocol.as_deref()).write(&mut out),
            false => request.respond(200).body(b"page").write(&mut out),
        };
        assert_eq!(result, Ok(()));
        told
    }
    Box::new(Living { session: Session::server(vec![0; memory], config), answer })
}

fn client_life(config: Config, memory: usize, mut out: &mut dyn Output) -> Box<dyn Live> {
    fn answer(session: &mut Session<Client<Keys>, Vec<u8>>, _: &mut dyn Output) -> String {
        format!(
            "{:?}",
            session.response().map(|r| (r.status(), r.protocol(), r.headers().collect::<Vec<_>>()))
        )
    }
    let request = client::Request::new(Uri::parse("ws://h/").unwrap(), *b"the sample nonce")
        .protocols(&["chat", "superchat"])
        .extensions(&[("permessage-deflate", Rsv::RSV1), ("x; y=1", Rsv::RSV2)]);
    let session = Session::client(Client(Keys::default()), vec![0; memory + 64], config, &request, &mut out);
    Box::new(Living { session: session.unwrap(), answer })
}

impl<R: Opens<Vec<u8>>> Live for Living<R> {
    fn feed(&mut self, piece: &[u8], mut out: &mut dyn Output, life: &mut Life) {
        let mut bytes = piece.to_vec();
        let mut input = websocket_proto::Input::new(&mut bytes);
        loop {
            let before = input.len();
            let Some(event) = self.session.receive(&mut input, &mut out) else { break };
            match event {
                Event::Requested | Event::Opened | Event::Refused => {
                    assert!(event.reply().is_none(), "a handshake owes no frames");
                    let told = (self.answer)(&mut self.session, out);
                    life.opening.push(format!("{event:?} {told}"));
                    continue;
                }
                Event::Failed(error) if self.session.connection().is_none() => {
                    words::protocol_error(error);
                    life.opening.push(format!("{event:?}"));
                    continue;
                }
                Event::Failed(_) => {}
                _ => assert!(input.len() < before, "no progress"),
            }
            run::note(&mut life.seen, &event);
        }
        assert!(input.is_empty(), "`None` means that every byte was taken");
    }

    fn end(&mut self, life: &mut Life) {
        let mut ending = |session: &Session<R, Vec<u8>>| {
            let told = format!("{:?} {:?}", session.failure(), session.closure());
            life.endings.push((told, session.transport()));
        };
        ending(&self.session);
        words::closure(self.session.closure());
        life.head = self.session.head().to_vec();
        let closure = self.session.receive_eof();
        assert_eq!(self.session.receive_eof(), closure);
        assert_eq!(self.session.transport(), Transport::Drop);
        ending(&self.session);
    }
}

fn sessions(new: impl Fn(&mut dyn Output) -> Box<dyn Live>, stream: &[u8], cuts: &[usize]) {
    let each: Vec<usize> = (1..stream.len()).collect();
    let live = |cuts: &[usize]| {
        let mut life = Life {
            seen: Vec::new(),
            opening: Vec::new(),
            written: Vec::new(),
            endings: Vec::new(),
            head: Vec::new(),
        };
        let mut out = SliceOutput::new(vec![0; 4096 + 3 * stream.len()]);
        let mut session = new(&mut out);
        for piece in pieces(stream, cuts) {
            session.feed(piece, &mut out, &mut life);
        }
        session.end(&mut life);
        life.written = out.pending().to_vec();
        life
    };
    let whole = live(&[]);
    assert_eq!(live(cuts), whole, "cut at {cuts:?}");
    assert_eq!(live(&each), whole, "byte by byte");
}
