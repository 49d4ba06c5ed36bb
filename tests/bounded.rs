//! The classes of fault that other implementations shipped, each a test by its name: what a peer can announce, flood,
//! drip, leave out or smuggle in, and what this crate makes of it. What memory it takes is in `tests/bounded_memory.rs`,
//! what work in `tests/bounded/instructions`, and every state of the life cycle in `tests/explore.rs`.

#![cfg(feature = "alloc")]

mod common;
#[path = "bounded/workloads.rs"]
mod workloads;

use std::time::Duration;

use common::{
    keys::{Keys, key},
    oracle::{self, frame},
    pair::{Act, Manner, Pair, Planned, Side},
    run,
};
use websocket_proto::{
    Agreed, Assembler, Cause, Client, CloseCode, Config, Connection, Due, Event, HandshakeError, HeadLimits,
    Input, Keepalive, Kind, Lenient, MIN_OUTPUT, OriginPolicy, Outgoing, Output, Prepared, Role, Rule, SAVED,
    SendError, Server, Session, SliceOutput, Timeout, Timing, Transport, Uri, client, server,
};
use workloads::head;

fn unlimited() -> Config {
    Config { frame_limit: u64::MAX, message_limit: u64::MAX, fragment_limit: u32::MAX, ..Config::default() }
}

/// Lengths that a sum, a sign or a narrower integer would take for something else.
const LENGTHS: [u64; 16] = [
    0,
    125,
    126,
    65_535,
    65_536,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    1 << 53,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX,
];

/// CVE-2020-27813, CVE-2020-13935, CVE-2026-1528, CVE-2026-27889: every length in every form that can say it, for both
/// roles, all frames, at, above and far from each limit, alone and behind a fragment.
#[test]
fn length_arithmetic() {
    fn check<R: Role>(role: impl Fn() -> R, server: bool) -> usize {
        let mut headers = 0;
        for len in LENGTHS {
            let limits =
                [u64::MAX, 0, len, len.saturating_sub(1), len.saturating_add(1), len.saturating_add(5)];
            for (form, first) in
                [7, 16, 64].into_iter().flat_map(|form| [0x82, 0x80, 0x89].map(|first| (form, first)))
            {
                if len > [125, 65_535, u64::MAX][[7, 16, 64].iter().position(|&bits| bits == form).unwrap()] {
                    continue;
                }
                for (frame_limit, message_limit) in limits.into_iter().flat_map(|a| limits.map(|b| (a, b))) {
                    for non_minimal_length in [false, true] {
                        let lenient = Lenient { non_minimal_length, ..Lenient::default() };
                        let config = Config { frame_limit, message_limit, lenient, ..unlimited() };
                        // A fragment of 5 bytes before a continuation, where it is let through.
                        let before = if first == 0x80 { 5 } else { 0 };
                        if before > frame_limit.min(message_limit) {
                            continue;
                        }
                        let mut conn = Connection::new(role(), &config, Agreed::default());
                        if first == 0x80 {
                            run::feed(
                                &mut conn,
                                &frame(0x02, b"12345", server.then_some([7; 4])),
                                &mut Vec::new(),
                                &mut Vec::new(),
                            );
                        }
                        let mut bytes = vec![first];
                        match form {
                            7 => bytes.push(len as u8),
                            16 => bytes.extend([&[126], &(len as u16).to_be_bytes()[..]].concat()),
                            _ => bytes.extend([&[127], &len.to_be_bytes()[..]].concat()),
                        }
                        if server {
                            bytes[1] |= 0x80;
                            bytes.extend([0; 4]);
                        }
                        let control = first == 0x89;
                        let expected = match form {
                            16 | 64 if control => Some(Rule::ControlTooLong),
                            64 if len >= 1 << 63 => Some(Rule::LengthTopBit),
                            16 if len < 126 && !non_minimal_length => Some(Rule::NonMinimalLength16),
                            64 if len < 65_536 && !non_minimal_length => Some(Rule::NonMinimalLength64),
                            _ if control => None,
                            _ if len > frame_limit => Some(Rule::FrameTooLong),
                            _ if u128::from(len) + before as u128 > u128::from(message_limit) => {
                                Some(Rule::MessageTooLong)
                            }
                            _ => None,
                        };
                        run::feed(&mut conn, &bytes, &mut Vec::new(), &mut Vec::new());
                        let what = format!("{first:#x} of {len:#x} in {form} bits, {config:?}");
                        assert_eq!(conn.failure().map(|error| error.rule), expected, "{what}");
                        assert_eq!(
                            conn.frame_remaining(),
                            if expected.is_some() { 0 } else { len },
                            "{what}"
                        );
                        let mut rest = [b'.'; 3];
                        let mut input = Input::new(&mut rest);
                        if expected.is_none() && len > 3 {
                            while conn.receive(&mut input, &mut Vec::new()).is_some() {}
                            assert_eq!(conn.frame_remaining(), len - 3, "{what}");
                        }
                        headers += 1;
                    }
                }
            }
        }
        headers
    }
    assert_eq!(check(|| Server, true), check(|| Client(Keys::default()), false));
}

/// Nobody sends 2^64 bytes to see a sum wrap, but a saved state may say that they came: what is left of the limit is
/// what counts, and no message gets around it.
#[test]
fn length_arithmetic_of_a_sum_that_would_wrap() {
    for (message_limit, len, legal) in
        [(u64::MAX, 3, true), (u64::MAX, 4, false), (u64::MAX, 10, false), (1 << 63, 4, false)]
    {
        let config = Config { message_limit, ..unlimited() };
        let mut conn = Connection::new(Server, &config, Agreed::default());
        run::feed(&mut conn, &frame(0x02, b"12345", Some([7; 4])), &mut Vec::new(), &mut Vec::new());
        let mut saved = [0; SAVED];
        let size = conn.save(&mut saved);
        // The five bytes so far: the last place where that number stands.
        let at = (0..size - 8).rfind(|&at| saved[at..at + 8] == 5_u64.to_be_bytes()).unwrap();
        saved[at..at + 8].copy_from_slice(&(u64::MAX - 3).to_be_bytes());
        let mut conn = Connection::restore(Server, &saved[..size]).unwrap();
        run::feed(&mut conn, &frame(0x00, &vec![b'x'; len], Some([7; 4])), &mut Vec::new(), &mut Vec::new());
        let expected = (!legal).then_some(Rule::MessageTooLong);
        assert_eq!(conn.failure().map(|error| error.rule), expected, "{len} more of {message_limit:#x}");
        if legal {
            // The sum stays where it is, and there is no room for one more.
            run::feed(&mut conn, &frame(0x80, b"x", Some([7; 4])), &mut Vec::new(), &mut Vec::new());
            assert_eq!(conn.failure().map(|error| error.rule), Some(Rule::MessageTooLong));
        }
    }
}

/// The same lengths on the way out, and where a frame of such a length is to be placed.
#[test]
fn length_arithmetic_of_what_is_sent_and_placed() {
    fn send<R: Role>(role: R, server: bool, len: u64) {
        let mut conn = Connection::new(role, &unlimited(), Agreed::default());
        let mut out = Vec::new();
        let sent = conn.send_header(Outgoing::binary(&[]), len, &mut out);
        if len >= 1 << 63 {
            assert_eq!((sent, out.len(), conn.owed()), (Err(SendError::Length), 0, 0));
            return;
        }
        assert_eq!((sent, conn.owed()), (Ok(()), len));
        let mut header = match len {
            0..=125 => vec![0x82, len as u8],
            126..=65_535 => [&[0x82, 126], &(len as u16).to_be_bytes()[..]].concat(),
            _ => [&[0x82, 127], &len.to_be_bytes()[..]].concat(),
        };
        if !server {
            header[1] |= 0x80;
            header.extend(key(0));
        }
        assert_eq!(out, header);
        if len > 0 {
            assert_eq!(conn.pay(b"abc", &mut out), Ok(3));
            assert_eq!(conn.owed(), len - 3);
            assert_eq!(conn.send(Outgoing::ping(b""), &mut out), Err(SendError::Owed { bytes: len - 3 }));
        }
    }
    for len in LENGTHS {
        send(Server, true, len);
        send(Client(Keys::default()), false, len);
        if len >= 1 << 63 {
            continue;
        }
        let mut conn = Connection::new(
            Server,
            &Config { lenient: Lenient { non_minimal_length: true, ..Lenient::default() }, ..unlimited() },
            Agreed::default(),
        );
        let header = [&[0x82, 0xff], &len.to_be_bytes()[..], &[0; 4]].concat();
        run::feed(&mut conn, &header, &mut Vec::new(), &mut Vec::new());
        let fits = usize::try_from(len).unwrap_or(usize::MAX);
        let fixed = if fits <= 1000 { fits } else { 0 };
        assert_eq!(Assembler::new([0; 1000]).place(&conn).len(), fixed);
        assert_eq!(Assembler::new(heapless::Vec::<u8, 1000>::new()).place(&conn).len(), fixed);
        assert_eq!(Assembler::new(vec![0; 1000].into_boxed_slice()).place(&conn).len(), fixed);
        assert_eq!(Assembler::new(Vec::new()).place(&conn).len(), fits.min(65_536));
    }
}

/// CVE-2014-0193, CVE-2026-48779: a million fragments of one message, empty or of a byte.
#[test]
fn a_million_fragments() {
    const READ: usize = 1000;
    fn check<R: Role>(
        role: R,
        config: &Config,
        server: bool,
        payload: &[u8],
    ) -> (usize, Option<(Rule, u64)>, u64) {
        let mut conn = Connection::new(role, config, Agreed::default());
        let mut out = Vec::new();
        let mut told = 0;
        let fragment = frame(0x00, payload, server.then_some([9, 8, 7, 6]));
        let mut wire = frame(0x02, payload, server.then_some([9, 8, 7, 6]));
        wire.extend(fragment.repeat(READ - 1));
        for _ in 0..1_000_000 / READ {
            let mut read = wire.clone();
            let mut input = Input::new(&mut read);
            while let Some(event) = conn.receive(&mut input, &mut out) {
                told += usize::from(matches!(event, Event::Data(_)));
            }
            wire = fragment.repeat(READ);
        }
        assert!(out.len() <= 8);
        (told, conn.failure().map(|error| (error.rule, error.offset)), conn.bytes_received())
    }
    for payload in [&b""[..], b"x"] {
        let limit = Config::default().fragment_limit as usize;
        for server in [true, false] {
            let size = (payload.len() + if server { 6 } else { 2 }) as u64;
            let run = |config: &Config| match server {
                true => check(Server, config, true, payload),
                false => check(Client(Keys::default()), config, false, payload),
            };
            let fault = limit as u64 * size;
            assert_eq!(run(&Config::default()), (limit, Some((Rule::TooManyFragments, fault)), fault));
            assert_eq!(run(&unlimited()), (1_000_000, None, 1_000_000 * size));
            // The bytes are bounded too: at the header of the fragment that is one byte too many.
            let few = Config { message_limit: 1000, ..unlimited() };
            if payload.len() == 1 {
                let at = 1000 * size + 1;
                assert_eq!(run(&few), (1000, Some((Rule::MessageTooLong, at)), at));
            }
        }
    }
}

const LINES: usize = 100_000;

/// CVE-2021-32640, CVE-2024-37890: a hundred thousand header lines, at once and one byte a read. No more is taken or
/// kept than the limits allow, and the first byte beyond them ends it.
#[test]
fn handshake_parsing_of_too_many_lines() {
    let request = head(&"X: y\r\n".repeat(LINES));
    let before = head("").len() - 2;
    let most = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };
    let beyond = before as u64 + 6 * (u64::from(u16::MAX) - 5);
    let default = before as u64 + 6 * (128 - 5);
    for (limits, rule, at) in [
        (HeadLimits::default(), Rule::TooManyLines, default),
        (most, Rule::TooManyLines, beyond),
        (HeadLimits { lines: u16::MAX, ..HeadLimits::default() }, Rule::HeadTooLong, 16 << 10),
    ] {
        for read in [usize::MAX, 1] {
            let mut handshake = server::Handshake::new(vec![0; request.len()], limits);
            let mut out = SliceOutput::new([0; 512]);
            let mut failed = None;
            for piece in request.clone().chunks_mut(read) {
                if let server::Progress::Failed(error) = handshake.receive(Input::new(piece), &mut out) {
                    assert_eq!(failed.replace(error), None, "told once");
                }
            }
            let error = failed.expect("it is refused");
            assert_eq!((error.rule, error.offset), (rule, at), "{limits:?}, reads of {read}");
            assert_eq!(handshake.head().len() as u64, at);
            assert!(out.pending().starts_with(b"HTTP/1.1 431 "));
        }
    }

    // A client whose server does the same.
    let sample = client::Request::new(Uri::parse("ws://h/").unwrap(), *b"the sample nonce");
    let mut handshake =
        client::Handshake::new(vec![0; 1 << 20], HeadLimits::default(), &sample, &mut Vec::new()).unwrap();
    let mut response = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    response.extend(b"X: y\r\n".repeat(LINES));
    assert!(
        matches!(handshake.receive(Input::new(&mut response)), client::Progress::Failed(error) if error.rule == Rule::TooManyLines)
    );
}

/// CVE-2020-7662, CVE-2023-43669, CVE-2026-54465: as much as the limits allow, one byte a read, reads the same as at
/// once. (That the work is linear is counted by `tests/bounded/instructions`.)
#[test]
fn handshake_parsing_one_byte_a_read() {
    let limits = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };
    let lines = usize::from(u16::MAX) - 7;
    let list = format!("Sec-WebSocket-Extensions: {}\r\n", "a; b=c, ".repeat(10_000));
    let protocols = format!("Sec-WebSocket-Protocol: {}\r\n", ", ,\t".repeat(10_000) + "chat");
    let mut request = head(&("X: y\r\n".repeat(lines) + &list + &protocols));
    let mut handshake = server::Handshake::new(vec![0; request.len()], limits);
    let mut out = Vec::new();
    for byte in request.chunks_mut(1) {
        assert!(handshake.request().is_none());
        let _progress = handshake.receive(Input::new(byte), &mut out);
    }
    let asked = handshake.request().expect("it is within the limits");
    assert_eq!((asked.headers().count(), asked.extensions().count()), (65_535, 10_000));
    assert!(asked.protocols().eq(["chat"]));
    asked.accept(OriginPolicy::SameHost).protocol("chat").write(&mut out).unwrap();
    assert!(out.starts_with(b"HTTP/1.1 101 "));
}

/// CR, LF, NUL and other controls in every string of the caller's that goes into a head: refused, with nothing put
/// out.
#[test]
fn handshake_parsing_cr_lf_in_every_callers_string() {
    let bad = ["\r\nEvil: 1", "\r\n\r\n", "\n", "\r", "\0", "\x7f", "\x1b", "\u{b}"];
    let places = |bad: &str| [format!("{bad}a"), format!("a{bad}b"), format!("a{bad}"), bad.to_owned()];
    let requested = || {
        let mut handshake = server::Handshake::new(vec![0; 1024], HeadLimits::default());
        let mut request = head("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Extensions: a\r\n");
        assert!(matches!(
            handshake.receive(Input::new(&mut request), &mut Vec::new()),
            server::Progress::Request { .. }
        ));
        handshake
    };
    let dial = |request: &client::Request<'_>| {
        let mut out = Vec::new();
        let error = client::Handshake::new([0; 1024], HeadLimits::default(), request, &mut out).err();
        assert!(out.is_empty(), "{:?}", String::from_utf8_lossy(&out));
        error.expect("it is refused")
    };
    let uri = Uri::parse("ws://h/").unwrap();
    for text in bad.iter().flat_map(|bad| places(bad)) {
        let what = text.escape_debug().to_string();
        let (name, value) = ([(text.as_str(), "v")], [("N", text.as_str())]);
        let mut out = Vec::new();

        let mut handshake = requested();
        let mut accept = |change: &dyn Fn(server::Accept<'_, '_>) -> Result<(), HandshakeError>| {
            change(handshake.request().unwrap().accept(OriginPolicy::SameHost)).unwrap_err()
        };
        let refused = [
            accept(&|answer| answer.protocol(text.as_str()).write(&mut Vec::new())),
            accept(&|answer| answer.extensions(&text, websocket_proto::Rsv::NONE).write(&mut Vec::new())),
            accept(&|answer| answer.headers(&name).write(&mut Vec::new())),
            accept(&|answer| answer.headers(&value).write(&mut Vec::new())),
        ];
        let faults = [
            HandshakeError::Protocol,
            HandshakeError::Extension,
            HandshakeError::FieldName,
            HandshakeError::FieldValue,
        ];
        assert_eq!(refused, faults, "{what}");

        for (headers, fault) in [(&name, HandshakeError::FieldName), (&value, HandshakeError::FieldValue)] {
            let mut answer = handshake.request().unwrap().respond(403).headers(headers);
            assert_eq!(answer.write(&mut out), Err(fault), "{what}");
        }
        assert!(out.is_empty() && handshake.agreed().is_none() && !handshake.is_over(), "{what}");

        let request = || client::Request::new(uri, [0; 16]);
        assert_eq!(dial(&request().protocols(&[&text])), HandshakeError::Protocol, "{what}");
        assert_eq!(
            dial(&request().extensions(&[(&text, websocket_proto::Rsv::NONE)])),
            HandshakeError::Extension,
            "{what}"
        );
        assert_eq!(dial(&request().headers(&name)), HandshakeError::FieldName, "{what}");
        assert_eq!(dial(&request().headers(&value)), HandshakeError::FieldValue, "{what}");
        for dialled in [
            format!("ws://{text}/"),
            format!("ws://h/{text}"),
            format!("ws://h/?{text}"),
            format!("ws://u{text}@h/"),
            text.clone(),
        ] {
            assert!(Uri::parse(&dialled).is_err(), "{what}");
        }
    }
}

/// CVE-2020-35896, CVE-2025-5399: a million pings from a peer that never reads.
#[test]
fn output_floods_by_a_peer_that_never_reads() {
    fn check<R: Role>(role: R, server: bool, keys: &Keys) {
        let mut conn = Connection::new(role, &Config::default(), Agreed::default());
        let mut out = SliceOutput::new([0; 2 * MIN_OUTPUT]);
        let mut told = 0;
        for start in (0..1_000_000_u32).step_by(1000) {
            let pings = (start..start + 1000).map(|number| {
                let payload = [&number.to_be_bytes()[..], &[0xaa; 121]].concat();
                frame(0x89, &payload, server.then_some([1; 4]))
            });
            let mut read = pings.collect::<Vec<_>>().concat();
            let mut input = Input::new(&mut read);
            while let Some(event) = conn.receive(&mut input, &mut out) {
                assert!(matches!(event, Event::Ping(_)));
                told += 1;
            }
            assert!(input.is_empty(), "reading never waits for writing");
            assert!(conn.save(&mut [0; SAVED]) <= SAVED);
        }
        assert_eq!(told, 1_000_000);
        assert!(conn.is_reply_waiting());
        assert_eq!(out.pending().len(), 2 * if server { 127 } else { 131 }, "two pongs fit");
        assert_eq!(keys.drawn(), if server { 0 } else { 2 }, "no key for what does not go out");
        out.advance(usize::MAX);
        assert!(conn.poll_transmit(&mut out));
        let payload = [&999_999_u32.to_be_bytes()[..], &[0xaa; 121]].concat();
        assert_eq!(
            out.pending(),
            frame(0x8a, &payload, (!server).then(|| key(2))),
            "the most recent is answered"
        );
        assert!(!conn.poll_transmit(&mut out) && !conn.is_reply_waiting());
    }
    check(Server, true, &Keys::default());
    let keys = Keys::default();
    check(Client(keys.clone()), false, &keys);

    // And it is got rid of: as long as nothing moves there is a deadline, and its control frames may be limited.
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut out = SliceOutput::new([0; MIN_OUTPUT]);
    assert!(out.put(&[0; MIN_OUTPUT], websocket_proto::Body::plain(&[])));
    let mut timers = Keepalive::new(Duration::ZERO, Timing::default());
    let mut due = timers.turn(Duration::ZERO, Some(&mut conn), &mut out);
    for _ in 0..3 {
        let Due::Wait(Some(next)) = due else { break };
        due = timers.turn(next, Some(&mut conn), &mut out);
    }
    assert_eq!(due, Due::Drop(Timeout::Stalled));
    let rate = websocket_proto::Rate { count: 1000, per: Duration::from_secs(1) };
    let mut timers = Keepalive::new(Duration::ZERO, Timing { control_rate: Some(rate), ..Timing::default() });
    timers.turn(Duration::ZERO, Some(&mut conn), &mut out);
    run::feed(&mut conn, &frame(0x89, b"", Some([1; 4])).repeat(70_000), &mut out, &mut Vec::new());
    timers.turn(Duration::ZERO, Some(&mut conn), &mut out);
    assert_eq!(conn.failure().map(|error| error.rule), Some(Rule::ControlRate));
}

/// A peer that reads a byte now and then and pings all the time, and one that sends its handshake a byte at a time.
#[test]
fn output_floods_by_a_peer_that_drips() {
    fn check<R: Role>(
        role: R,
        server: bool,
        out: &mut dyn Output,
        mut pending: impl FnMut(&mut dyn Output) -> Vec<u8>,
    ) {
        let mut conn = Connection::new(role, &Config::default(), Agreed::default());
        let mut written = Vec::new();
        for number in 0..20_000_u32 {
            let ping = frame(0x89, &number.to_be_bytes(), server.then_some([1; 4]));
            run::feed(&mut conn, &ping, out, &mut Vec::new());
            written.extend(pending(out));
        }
        for _ in 0..4 * MIN_OUTPUT {
            written.extend(pending(out));
            conn.poll_transmit(out);
        }
        assert!(!conn.is_reply_waiting());
        let setup = oracle::Setup::strict(!server);
        let pongs = oracle::read(&setup, &written).seen.into_iter().map(|seen| match seen {
            oracle::Seen::Pong(payload) => u32::from_be_bytes(payload.try_into().unwrap()),
            other => panic!("{other:?}"),
        });
        let pongs: Vec<u32> = pongs.collect();
        assert!(pongs.is_sorted_by(|a, b| a < b) && pongs.len() > 1000, "in order, none twice");
        assert_eq!(pongs.last(), Some(&19_999), "the last one is answered");
    }
    // A byte a turn: `dyn Output` has no way to read, so each kind of output is read behind a cell.
    use std::{cell::RefCell, rc::Rc};
    struct Shared<O>(Rc<RefCell<O>>);
    impl<O: Output> Output for Shared<O> {
        fn room(&self) -> usize {
            self.0.borrow().room()
        }
        fn put(&mut self, head: &[u8], body: websocket_proto::Body<'_>) -> bool {
            self.0.borrow_mut().put(head, body)
        }
    }
    for server in [true, false] {
        let slice = Rc::new(RefCell::new(SliceOutput::new([0; 2 * MIN_OUTPUT])));
        let read = |_: &mut dyn Output| {
            let mut out = slice.borrow_mut();
            let bytes = out.pending().first().copied().into_iter().collect();
            out.advance(1);
            bytes
        };
        match server {
            true => check(Server, true, &mut Shared(slice.clone()), read),
            false => check(Client(Keys::default()), false, &mut Shared(slice.clone()), read),
        }
        let queue = Rc::new(RefCell::new(websocket_proto::QueueOutput::with_limit(2 * MIN_OUTPUT)));
        let read = |_: &mut dyn Output| {
            let mut out = queue.borrow_mut();
            assert!(out.pending().len() <= 2 * MIN_OUTPUT);
            let bytes = out.pending().first().copied().into_iter().collect();
            out.advance(1);
            bytes
        };
        match server {
            true => check(Server, true, &mut Shared(queue.clone()), read),
            false => check(Client(Keys::default()), false, &mut Shared(queue.clone()), read),
        }
    }

    // A byte of the head a second: the handshake's deadline stands, however much drips.
    let mut session = Session::server([0; 1024], Config::default());
    let mut timers = Keepalive::new(Duration::ZERO, Timing::default());
    for (second, byte) in (1..).zip(head("")) {
        assert!(session.receive(&mut Input::new(&mut [byte]), &mut Vec::new()).is_none());
        let due = timers.turn(Duration::from_secs(second), session.connection(), &mut Vec::new());
        if second < 10 {
            assert_eq!(due, Due::Wait(Some(Duration::from_secs(10))));
        } else {
            assert_eq!(due, Due::Drop(Timeout::Handshake));
            return;
        }
    }
}

/// A loop that goes on while something is told ends: each event took bytes, but for a failure that is told once, and
/// a call that says that it did something did it.
#[test]
fn output_floods_no_call_without_progress() {
    fn check<R: Role>(mut conn: Connection<R>, stream: &[u8], read: usize, room: usize) {
        let mut out = SliceOutput::new(vec![0; room]);
        let mut free = 0;
        for piece in stream.to_vec().chunks_mut(read) {
            let mut input = Input::new(piece);
            loop {
                let before = input.len();
                let Some(event) = conn.receive(&mut input, &mut out) else { break };
                free += usize::from(input.len() == before);
                assert!(free <= 1, "{event:?} again");
                assert!(input.len() < before || matches!(event, Event::Failed(_)), "{event:?} of nothing");
            }
            assert!(input.is_empty());
            while conn.poll_transmit(&mut out) {
                assert!(!conn.is_reply_waiting(), "at most one reply waits");
            }
        }
        let before = out.pending().to_vec();
        for _ in 0..3 {
            assert!(conn.receive(&mut Input::new(&mut []), &mut out).is_none());
            assert!(!conn.poll_transmit(&mut out));
            assert_eq!(conn.pay(b"", &mut out), Ok(0));
        }
        assert_eq!(out.pending(), before);
    }
    for server in [true, false] {
        let key = server.then_some([9, 8, 7, 6]);
        let ends: [Vec<u8>; 5] = [
            frame(0x88, b"\x03\xe8bye", key),
            frame(0x81, b"ab\xff", key),
            frame(0x81, b"\xff", key),
            frame(0x83, b"", key),
            frame(0x82, b"", key)[..1].to_vec(),
        ];
        for end in ends {
            let mut stream = [
                frame(0x01, b"", key),
                frame(0x89, b"p", key),
                frame(0x00, b"abc", key),
                frame(0x80, b"", key),
            ]
            .concat();
            stream.extend([frame(0x8a, b"", key), frame(0x82, &[1; 300], key), end, vec![0xff; 50]].concat());
            for (read, room) in
                [1, 2, 7, 1000].into_iter().flat_map(|read| [0, MIN_OUTPUT, 4096].map(|room| (read, room)))
            {
                let config = Config::default();
                match server {
                    true => check(Connection::new(Server, &config, Agreed::default()), &stream, read, room),
                    false => check(
                        Connection::new(Client(Keys::default()), &config, Agreed::default()),
                        &stream,
                        read,
                        room,
                    ),
                }
            }
        }
    }
}

/// CVE-2025-10148: every frame of a client has a key of its own, four fresh bytes of the caller's source, in order.
#[test]
fn mask_entropy() {
    let keys = Keys::default();
    let mut conn = Connection::new(Client(keys.clone()), &Config::default(), Agreed::default());
    let mut out = Vec::new();
    let mut frames = 0_u32;
    for round in 0..1000_u32 {
        conn.send(Outgoing::text("x"), &mut out).unwrap();
        conn.send(Outgoing::first(Kind::Binary, b""), &mut out).unwrap();
        conn.send(Outgoing::next(&[0; 300]), &mut out).unwrap();
        conn.send(Outgoing::ping(&round.to_be_bytes()), &mut out).unwrap();
        conn.send_header(Outgoing::last(b""), 5, &mut out).unwrap();
        assert_eq!(conn.pay(b"abc", &mut out), Ok(3));
        conn.pay_in_place(&mut [0; 2]).unwrap();
        out.extend([0; 2]);
        conn.send(Outgoing::pong(b""), &mut out).unwrap();
        run::hear(&mut conn, 0x89, b"ping", false, &mut out);
        frames += 7;
        // What is refused, or finds no room, costs no key.
        let mut none = SliceOutput::new([0; 0]);
        assert!(conn.send(Outgoing::text("x"), &mut none).is_err());
        assert!(conn.send(Outgoing::last(b"x"), &mut out).is_err());
        assert!(conn.send(Outgoing::ping(&[0; 126]), &mut out).is_err());
        assert_eq!(keys.drawn(), frames);
    }
    conn.close(CloseCode::NORMAL, "bye", &mut out).unwrap();
    frames += 1;
    assert_eq!(keys.drawn(), frames);

    let mut seen = std::collections::HashSet::new();
    let mut rest = &out[..];
    for number in 0..frames {
        let (header, size) = websocket_proto::FrameHeader::decode(rest).unwrap().unwrap();
        let mask = header.mask.expect("a client masks every frame");
        assert_eq!(mask, key(number), "frame {number}");
        assert!(seen.insert(mask), "a key twice");
        rest = &rest[size + header.len as usize..];
    }
    assert!(rest.is_empty());
}

/// CVE-2024-23672, CVE-2022-25762: two ends, their streams cut at every byte. Nothing goes out behind a Close, both get
/// out (which the pair asserts), and so they do if nothing ever comes: by a deadline. `tests/explore.rs` has every state.
#[test]
fn life_cycle() {
    let dialogue = |breaks: [usize; 2]| {
        let planned = |first, fin, payload: &str, manner| Planned {
            kind: Kind::Text,
            first,
            fin,
            payload: payload.into(),
            manner,
        };
        let script = || {
            vec![
                planned(true, false, "aé", Manner::Pay),
                planned(false, true, "", Manner::Whole),
                planned(true, true, "end", Manner::InPlace),
            ]
        };
        let mut pair = Pair::new([MIN_OUTPUT; 2], [script(), script()]);
        pair.break_at(breaks);
        for act in [
            Act::Advance(2),
            Act::Advance(9),
            Act::Ping(vec![7; 20]),
            Act::Write(30),
            Act::Read(9),
            Act::Advance(0),
            Act::Advance(9),
            Act::Advance(9),
            Act::Write(9),
            Act::Close(1000, 2),
        ] {
            for side in [Side::Client, Side::Server] {
                pair.step(side, &act);
            }
        }
        pair
    };
    let mut whole = dialogue([usize::MAX; 2]);
    whole.finish();
    let lens = [whole.client.written.len(), whole.server.written.len()];
    assert!(lens.iter().all(|&len| len > 40), "{lens:?}");
    for (at, one) in (0..=lens[0]).map(|at| (at, 0)).chain((0..=lens[1]).map(|at| (at, 1))) {
        let mut breaks = [usize::MAX; 2];
        breaks[one] = at;
        let mut pair = dialogue(breaks);
        pair.drive();
        assert_deadline(&mut pair.client.conn.clone());
        assert_deadline(&mut pair.server.conn.clone());
        let mut pair = dialogue(breaks);
        pair.finish();
        for closure in [pair.client.end.unwrap(), pair.server.end.unwrap()] {
            assert_eq!(closure.clean, closure.sent.is_some() && closure.received.is_some());
        }
    }

    // The opening handshake, cut at every byte, on either side.
    let request = head("");
    for cut in 0..request.len() {
        let mut session = Session::server([0; 1024], Config::default());
        let mut out = Vec::new();
        assert!(session.receive(&mut Input::new(&mut request[..cut].to_vec()), &mut out).is_none());
        let timing = Timing::default();
        assert_eq!(
            Keepalive::new(Duration::ZERO, timing).turn(Duration::ZERO, session.connection(), &mut out),
            Due::Wait(timing.handshake)
        );
        assert_eq!(session.receive_eof().cause, Some(Cause::EndInHandshake));
        assert_eq!((session.transport(), out.len()), (Transport::Drop, 0));
    }
    let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    for cut in 0..=response.len() {
        let asked = client::Request::new(Uri::parse("ws://h/").unwrap(), *b"the sample nonce");
        let mut session =
            Session::client(Client(Keys::default()), [0; 1024], Config::default(), &asked, &mut Vec::new())
                .unwrap();
        let mut out = Vec::new();
        let opened = session.receive(&mut Input::new(&mut response[..cut].to_vec()), &mut out).is_some();
        let expected = if opened { Cause::EndWithoutClose } else { Cause::EndInHandshake };
        assert_eq!(opened, cut == response.len());
        let closure = session.receive_eof();
        assert_eq!((closure.cause, closure.clean), (Some(expected), false));
        assert_eq!((session.transport(), out.len()), (Transport::Drop, 0));
    }
}

/// Turns that nothing comes between lead to a drop.
fn assert_deadline<R: Role>(conn: &mut Connection<R>) {
    let mut now = Duration::ZERO;
    let mut timers = Keepalive::new(now, Timing::default());
    for _ in 0..4 {
        match timers.turn(now, Some(conn), &mut SliceOutput::new([0; 0])) {
            Due::Drop(_) => return,
            Due::Wait(next) => now = next.expect("a state without a deadline"),
        }
    }
    panic!("the deadline never comes");
}

/// CVE-2026-45736: into memory of one content and another, everything writes the same bytes.
#[test]
fn disclosure() {
    fn talk<R: Role>(role: R, server: bool, poison: u8) -> Vec<u8> {
        let mut conn = Connection::new(role, &Config::default(), Agreed::default());
        let mut out = SliceOutput::new(vec![poison; 4096]);
        let mut queue = heapless::Vec::<u8, 4096>::new();
        queue.resize(4096, poison).unwrap();
        queue.clear();
        for len in [0, 1, 3, 125, 126, 127, 200] {
            conn.send(Outgoing::binary(&vec![7; len]), &mut out).unwrap();
            conn.send(Outgoing::ping(&vec![8; len.min(125)]), &mut queue).unwrap();
            run::hear(&mut conn, 0x89, &vec![9; len.min(125)], server, &mut out);
            conn.send_header(Outgoing::binary(&[]), len as u64, &mut out).unwrap();
            assert_eq!(conn.pay(&vec![3; len], &mut out), Ok(len));
        }
        // One that waits for room, and a shorter one behind it in the same slot.
        run::hear(&mut conn, 0x89, &[5; 125], server, &mut SliceOutput::new([poison; 0]));
        run::hear(&mut conn, 0x89, &[6; 2], server, &mut SliceOutput::new([poison; 0]));
        conn.close(CloseCode::GOING_AWAY, "bye", &mut out).unwrap();
        let mut saved = [poison; SAVED];
        let len = conn.save(&mut saved);
        [out.pending(), &queue, &saved[..len]].concat()
    }
    fn heads(poison: u8) -> Vec<u8> {
        let mut written = Vec::new();
        let mut out = SliceOutput::new(vec![poison; 4096]);
        for (more, accepts) in [
            ("Sec-WebSocket-Protocol: chat\r\n", true),
            ("", false),
            ("Origin: null\r\n", true),
            ("Host: h\r\n", true),
        ] {
            let mut handshake = server::Handshake::new(vec![poison; 1024], HeadLimits::default());
            let _progress = handshake.receive(Input::new(&mut head(more)), &mut out);
            if let Some(request) = handshake.request() {
                let protocol = request.protocols().next();
                match accepts {
                    true => request
                        .accept(OriginPolicy::SameHost)
                        .protocol(protocol)
                        .headers(&[("Set-Cookie", "a")])
                        .write(&mut out)
                        .unwrap(),
                    false => request.respond(404).body(b"not here").write(&mut out).unwrap(),
                }
            }
            written.extend(handshake.head());
        }
        let uri = Uri::parse("ws://h:81/p?q").unwrap();
        let asked = client::Request::new(uri, [4; 16]).protocols(&["a", "b"]).headers(&[("X", "y")]);
        let mut handshake =
            client::Handshake::new(vec![poison; 1024], HeadLimits::default(), &asked, &mut out).unwrap();
        let mut refusal = *b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nbody";
        let _progress = handshake.receive(Input::new(&mut refusal));
        written.extend(handshake.head());
        written.extend(handshake.response().unwrap().body());
        written.extend(out.pending());
        written.extend(Prepared::in_memory(Kind::Text, b"hello", [poison; 64]).unwrap().as_bytes());
        written
    }
    fn assembled(poison: u8) -> Vec<u8> {
        let mut whole = Assembler::new([poison; 64]);
        let mut conn = Connection::new(Client(Keys::default()), &Config::default(), Agreed::default());
        let mut bytes = [
            frame(0x02, b"longer than", None),
            frame(0x80, b" this", None),
            frame(0x02, b"a", None),
            frame(0x80, b"b", None),
        ]
        .concat();
        let mut input = Input::new(&mut bytes);
        let mut messages = Vec::new();
        while let Some(Event::Data(data)) = conn.receive(&mut input, &mut Vec::new()) {
            if let Some(message) = whole.push(data).unwrap() {
                messages.extend(message.payload());
            }
        }
        assert_eq!(messages, b"longer than thisab");
        messages
    }
    for poison in [0x00, 0x55, 0xff] {
        assert_eq!(talk(Server, true, poison), talk(Server, true, 0xaa));
        assert_eq!(talk(Client(Keys::default()), false, poison), talk(Client(Keys::default()), false, 0xaa));
        assert_eq!(heads(poison), heads(0xaa));
        assert_eq!(assembled(poison), assembled(0xaa));
    }
}

/// CVE-2019-13611, CVE-2014-3429, CVE-2026-55883: the whole way from a request's bytes to the answer's. There is no
/// answer 101 without a policy: `Request::accept` takes one and has no default.
#[test]
fn cross_site_hijacking() {
    const ONE: OriginPolicy<'static> = OriginPolicy::List(&["https://app.example"]);
    const SAME: OriginPolicy<'static> = OriginPolicy::SameHost;
    const NONE: OriginPolicy<'static> = OriginPolicy::NonBrowser;
    const ANY: OriginPolicy<'static> = OriginPolicy::Any;
    #[rustfmt::skip]
    let rows = [
        // Host, Origin line, policy, accepted.
        ("h.example", "Origin: https://h.example\r\n", SAME, true),
        ("h.example", "Origin: https://evil.example\r\n", SAME, false),
        // Ports.
        ("h.example", "Origin: https://h.example:443\r\n", SAME, true),
        ("h.example", "Origin: https://h.example:8443\r\n", SAME, false),
        ("h.example:8443", "Origin: https://h.example\r\n", SAME, false),
        ("h.example:8443", "Origin: https://h.example:8443\r\n", SAME, true),
        ("h.example", "Origin: https://app.example:8443\r\n", ONE, false),
        ("h.example", "Origin: https://app.example:443\r\n", ONE, true),
        ("h.example", "Origin: http://app.example\r\n", ONE, false),
        // `null`: a sandboxed frame, a local file, a redirect.
        ("h.example", "Origin: null\r\n", SAME, false),
        ("null", "Origin: null\r\n", SAME, false),
        ("h.example", "Origin: null\r\n", ONE, false),
        ("h.example", "Origin: null\r\n", NONE, false),
        ("h.example", "Origin: null\r\n", ANY, true),
        // None: no browser.
        ("h.example", "", SAME, true),
        ("h.example", "", ONE, true),
        ("h.example", "", NONE, true),
        ("h.example", "Origin: https://h.example\r\n", NONE, false),
        ("h.example", "Origin:\r\n", SAME, false),
        ("h.example", "Origin:\r\n", ONE, false),
        // Case.
        ("H.Example", "origin: HTTPS://h.EXAMPLE\r\n", SAME, true),
        ("h.example", "ORIGIN: HTTPS://APP.example\r\n", ONE, true),
        // A trailing dot is another host.
        ("h.example", "Origin: https://h.example.\r\n", SAME, false),
        ("h.example", "Origin: https://app.example.\r\n", ONE, false),
        // User info.
        ("h.example", "Origin: https://h.example@evil.example\r\n", SAME, false),
        ("h.example", "Origin: https://evil.example@h.example\r\n", SAME, false),
        ("h.example", "Origin: https://app.example@evil.example\r\n", ONE, false),
        ("h.example", "Origin: https://app.example:443@evil.example\r\n", ONE, false),
        // The beginning or the end of a name, and two in one.
        ("h.example", "Origin: https://h.example.evil.example\r\n", SAME, false),
        ("h.example", "Origin: https://evilh.example\r\n", SAME, false),
        ("h.example", "Origin: https://evil.example https://h.example\r\n", SAME, false),
        ("h.example", "Origin: https://app.example, https://evil.example\r\n", ONE, false),
        ("h.example", "Origin: https://app.example/\r\n", ONE, false),
        ("h.example", "Origin: https://evil.example\r\n", ANY, true),
        // Only Origin counts.
        ("h.example", "Origin: https://evil.example\r\nX-Forwarded-Host: evil.example\r\nReferer: https://h.example/\r\n", SAME, false),
        ("h.example", "Origin: https://evil.example\r\nOrigin: https://h.example\r\n", SAME, false),
    ];
    for (host, line, policy, accepted) in rows {
        let what = format!("{line:?} to {host}, {policy:?}");
        let request =
            String::from_utf8(head(line)).unwrap().replace("Host: h\r\n", &format!("Host: {host}\r\n"));
        let mut session = Session::server([0; 1024], Config::default());
        let mut out = Vec::new();
        let mut bytes = request.into_bytes();
        let mut input = Input::new(&mut bytes);
        assert!(matches!(session.receive(&mut input, &mut out), Some(Event::Requested)), "{what}");
        session.request().unwrap().accept(policy).write(&mut out).unwrap();
        assert_eq!(out.starts_with(b"HTTP/1.1 101 "), accepted, "{what}");
        assert_eq!(out.starts_with(b"HTTP/1.1 403 "), !accepted, "{what}");
        assert_eq!(session.connection().is_some(), accepted, "{what}");
        if !accepted {
            let told = session.receive(&mut input, &mut out);
            assert!(
                matches!(told, Some(Event::Failed(error)) if error.rule == Rule::OriginRefused),
                "{what}"
            );
            assert_eq!(session.send(Outgoing::text("x"), &mut out), Err(SendError::NotOpen));
            assert_eq!(session.transport(), Transport::Shut);
        }
    }
}

/// What `tests/bounded/instructions` runs under a counter of instructions: every workload empty, and then of three
/// sizes, each twice as large as the one before.
#[test]
#[ignore = "counted by tests/bounded/instructions"]
fn workloads() {
    for (name, n, prepare) in workloads::WORKLOADS {
        println!("workload {name}");
        for size in [0, *n, 2 * n, 4 * n] {
            workloads::measured(&mut *prepare(size));
        }
    }
}
