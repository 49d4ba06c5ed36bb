//! Senders of every sort, and messages that are given up, displaced, interrupted or cut short.

use super::wire::{ALL, FULL, agreed, frames, joined, prose, received, send, server, side};
use websocket_proto::{
    Agreed, Client, CloseCode, Config, Connection, Deflate, DeflateOptions, DeflatePolicy, DeflateTerms,
    Event, Inflate, Input, Kind, OriginPolicy, Outgoing, SendError, Server, Session, SliceOutput, Uri,
    client,
};

fn key() -> [u8; 4] {
    [9, 8, 7, 6]
}

/// A message that was begun and is not sent: what is sent next does not reach back into it.
#[test]
fn given_up() {
    let payload = prose(3000);
    for takeover in [true, false] {
        let side = side(15, takeover);
        let (mut conn, mut deflate) = (server(side), Deflate::new(side, ALL));
        let mut sent = send(&mut deflate, &mut conn, Kind::Text, &payload, 1 << 17).unwrap();
        // Begun alone; compressed, with an output that takes nothing of it.
        drop(deflate.begin(Kind::Text, b"never sent, never seen"));
        sent.extend(send(&mut deflate, &mut conn, Kind::Text, b"never sent, is it?", 500).unwrap());
        for room in [0, 14, 50, 77] {
            let given_up = [&b"something else entirely: "[..], &prose(2000)].concat();
            let mut message = deflate.begin(Kind::Text, &given_up).unwrap();
            let mut out = SliceOutput::new(vec![0; room]);
            assert_eq!(deflate.write(&mut message, &mut conn, &mut out), Ok(true));
            assert!(out.is_empty());
            sent.extend(send(&mut deflate, &mut conn, Kind::Text, b"something else entirely", 500).unwrap());
        }
        let mut expected = vec![payload.clone(), b"never sent, is it?".to_vec()];
        expected.extend(vec![b"something else entirely".to_vec(); 4]);
        assert_eq!(received(side, &sent).unwrap(), expected);
    }
}

/// W145: a message that another one displaced cannot go on: the stream is not about it any more.
#[test]
fn displaced() {
    let (long, short) = (super::runner::noise(3000), prose(100));
    for sent_before in [false, true] {
        for by in ["begin", "message", "prepare"] {
            let mut deflate = Deflate::new(side(15, false), ALL);
            let (mut first, mut second) = (server(side(15, false)), server(side(15, false)));
            let mut message = deflate.begin(Kind::Binary, &long).unwrap();
            let mut out = SliceOutput::new([0; 200]);
            if sent_before {
                assert_eq!(deflate.write(&mut message, &mut first, &mut out), Ok(true));
                assert!(!out.is_empty());
                out.advance(usize::MAX);
            }
            match by {
                "begin" => drop(deflate.begin(Kind::Text, &short)),
                "prepare" => drop(deflate.prepare(Kind::Text, &short)),
                _ => {
                    let sent = send(&mut deflate, &mut second, Kind::Text, &short, 500).unwrap();
                    assert_eq!(received(side(15, false), &sent).unwrap(), [&short[..]]);
                }
            }
            let result = deflate.write(&mut message, &mut first, &mut out);
            assert_eq!(result, Err(SendError::Compressor), "{by} {sent_before}");
            assert_eq!(out.pending(), b"\x88\x02\x03\xf3");
            assert_eq!(first.closure().sent, Some(CloseCode::INTERNAL_ERROR));
            // The other connection lives.
            assert!(send(&mut deflate, &mut second, Kind::Text, &short, 500).is_ok());
        }
    }
    // One that goes out as it is does not need the stream.
    let mut deflate = Deflate::new(side(15, false), DeflateOptions { threshold: 5000, ..ALL });
    let mut conn = server(side(15, false));
    let mut plain = deflate.begin(Kind::Binary, &long).unwrap();
    let mut out = SliceOutput::new([0; 200]);
    let mut sent = Vec::new();
    while deflate.write(&mut plain, &mut conn, &mut out).unwrap() {
        drop(deflate.begin(Kind::Binary, &long));
        sent.extend_from_slice(out.pending());
        out.advance(usize::MAX);
    }
    sent.extend_from_slice(out.pending());
    assert!(joined(&sent, Kind::Binary, false) == long);
}

/// Without takeover one serves many, message by message.
#[test]
fn shared() {
    let side = side(15, false);
    let mut deflate = Deflate::new(side, ALL);
    let mut conns = [(server(side), Vec::new()), (server(side), Vec::new())];
    for round in 0..6 {
        let (conn, sent) = &mut conns[round % 2];
        sent.extend(send(&mut deflate, conn, Kind::Text, &prose(500 + round), 300).unwrap());
        if round == 3 {
            deflate.release();
        }
    }
    for (at, (_, sent)) in conns.iter().enumerate() {
        let expected: Vec<_> = [0, 2, 4].iter().map(|round| prose(500 + at + round)).collect();
        assert_eq!(received(side, sent).unwrap(), expected);
    }
}

/// Memory that is given back between messages costs the window, and inside one it is not given back.
#[test]
fn releasing() {
    for takeover in [true, false] {
        let side = side(12, takeover);
        let (mut conn, mut deflate) = (server(side), Deflate::new(side, ALL));
        deflate.release();
        let mut sent = Vec::new();
        let hello =
            |deflate: &mut Deflate, conn: &mut _| send(deflate, conn, Kind::Text, b"Hello", 200).unwrap();
        let first = hello(&mut deflate, &mut conn);
        deflate.release();
        assert_eq!(hello(&mut deflate, &mut conn), first);
        sent.extend([&first[..], &first].concat());
        let payload = super::runner::noise(5000);
        let mut message = deflate.begin(Kind::Binary, &payload).unwrap();
        let mut out = SliceOutput::new([0; 300]);
        while deflate.write(&mut message, &mut conn, &mut out).unwrap() {
            deflate.release();
            sent.extend_from_slice(out.pending());
            out.advance(usize::MAX);
        }
        sent.extend_from_slice(out.pending());
        assert!(received(side, &sent) == Ok(vec![b"Hello".to_vec(), b"Hello".to_vec(), payload]));
    }
}

/// A ping in the middle is answered between two fragments (W137), a Close ends the message.
#[test]
fn interrupted() {
    let payload = prose(40_000);
    for takeover in [true, false] {
        let side = side(15, takeover);
        let (mut conn, mut deflate) = (server(side), Deflate::new(side, ALL));
        let mut message = deflate.begin(Kind::Text, &payload).unwrap();
        let (mut out, mut sent) = (SliceOutput::new([0; 140]), Vec::new());
        let (mut pings, mut turns) = (0, 0);
        while deflate.write(&mut message, &mut conn, &mut out).unwrap() {
            turns += 1;
            if turns % 2 == 0 {
                sent.extend_from_slice(out.pending());
                out.advance(usize::MAX);
                continue;
            }
            // The pong finds no room here, and goes before the next fragment.
            let mut ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'p'; 125]].concat();
            let mut input = Input::new(&mut ping);
            assert!(matches!(conn.receive(&mut input, &mut out), Some(Event::Ping(_))));
            pings += 1;
            sent.extend_from_slice(out.pending());
            out.advance(usize::MAX);
        }
        sent.extend_from_slice(out.pending());
        assert!(pings > 5 && frames(&sent).iter().filter(|(first, _)| *first == 0x8a).count() > 5);
        assert!(received(side, &sent) == Ok(vec![payload.clone()]));

        let mut message = deflate.begin(Kind::Text, &payload).unwrap();
        assert_eq!(deflate.write(&mut message, &mut conn, &mut out), Ok(true));
        out.advance(usize::MAX);
        if takeover {
            conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
        } else {
            let mut close = [0x88, 0x80, 0, 0, 0, 0];
            assert!(matches!(conn.receive(&mut Input::new(&mut close), &mut out), Some(Event::Close(None))));
        }
        assert_eq!(deflate.write(&mut message, &mut conn, &mut out), Err(SendError::Closed));
        assert_eq!(deflate.write(&mut message, &mut conn, &mut out), Err(SendError::Closed));
    }
}

/// A message of somebody else's is under way: nothing is sent, and the next one is whole.
#[test]
fn inside_a_message_of_the_caller_s() {
    let (mut conn, mut deflate) = (server(FULL), Deflate::new(FULL, ALL));
    let mut sent = send(&mut deflate, &mut conn, Kind::Text, b"Hello", 200).unwrap();
    conn.send(Outgoing::first(Kind::Text, b"a"), &mut sent).unwrap();
    assert_eq!(send(&mut deflate, &mut conn, Kind::Text, b"Hello, Hello", 200), Err(SendError::Fragment));
    conn.send(Outgoing::last(b"b"), &mut sent).unwrap();
    sent.extend(send(&mut deflate, &mut conn, Kind::Text, b"Hello, Hello", 200).unwrap());
    assert_eq!(received(FULL, &sent).unwrap(), [&b"Hello"[..], b"ab", b"Hello, Hello"]);
}

/// A writer alone, and a client, whose frames are masked; a source of keys that runs dry.
#[test]
fn senders() {
    let (_, mut writer) = server(FULL).into_halves();
    let mut deflate = Deflate::new(FULL, ALL);
    let payload = prose(20_000);
    let sent = send(&mut deflate, &mut writer, Kind::Text, &payload, 1000).unwrap();
    assert!(received(FULL, &sent) == Ok(vec![payload.clone()]));

    let mut conn = Connection::new(Client(key), &Config::default(), agreed(FULL));
    let mut deflate = Deflate::new(FULL, ALL);
    let masked = send(&mut deflate, &mut conn, Kind::Text, &payload, 1000).unwrap();
    assert!(masked[1] & 0x80 != 0 && received(FULL, &masked) == Ok(vec![payload.clone()]));

    let keys = std::rc::Rc::new(std::cell::Cell::new(2));
    let source = Keys(keys.clone());
    let mut conn = Connection::new(Client(source), &Config::default(), agreed(FULL));
    let mut deflate = Deflate::new(FULL, ALL);
    let mut message = deflate.begin(Kind::Text, &payload).unwrap();
    let (mut out, mut sent) = (SliceOutput::new([0; 200]), Vec::new());
    loop {
        match deflate.write(&mut message, &mut conn, &mut out) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                assert_eq!(error, SendError::NoKey);
                keys.set(3);
            }
        }
        sent.extend_from_slice(out.pending());
        out.advance(usize::MAX);
    }
    sent.extend_from_slice(out.pending());
    assert!(received(FULL, &sent) == Ok(vec![payload]));
}

struct Keys(std::rc::Rc<std::cell::Cell<u32>>);

impl websocket_proto::MaskSource for Keys {
    fn next_key(&mut self) -> Option<[u8; 4]> {
        self.0.set(self.0.get().checked_sub(1)?);
        Some(key())
    }
}

/// W135: two sessions from the first byte; each direction by its own side of the terms.
#[test]
fn sessions() {
    let sides = [side(8, true), side(9, false), side(15, true), side(15, false)];
    for (own, peer) in sides.into_iter().flat_map(|own| sides.map(|peer| (own, peer))) {
        let policy = DeflatePolicy { own, peer };
        let request =
            client::Request::new(Uri::parse("ws://h/").unwrap(), *b"the sample nonce").deflate(&policy);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let mut asking =
            Session::client(Client(key), [0; 1024], Config::default(), &request, &mut up).unwrap();
        let mut answering = Session::server([0; 1024], Config::default());
        let mut deflate = Deflate::new(own, ALL);
        assert_eq!(send(&mut deflate, &mut answering, Kind::Text, b"early", 200), Err(SendError::NotOpen));
        assert!(matches!(answering.receive(&mut Input::new(&mut up), &mut down), Some(Event::Requested)));
        let accept = answering.request().unwrap().accept(OriginPolicy::SameHost);
        accept.deflate(&DeflatePolicy::default()).write(&mut down).unwrap();
        assert!(matches!(asking.receive(&mut Input::new(&mut down), &mut up), Some(Event::Opened)));

        let terms = asking.agreed().and_then(Agreed::deflate).unwrap();
        assert_eq!(
            (terms, answering.agreed().and_then(Agreed::deflate)),
            (DeflateTerms { server: peer, client: own }, Some(terms))
        );
        let (mut to_server, mut to_client) =
            (Deflate::new(terms.client, ALL), Deflate::new(terms.server, ALL));
        let mut at_server = Inflate::new(terms.client, 10_000);
        let mut at_client = Inflate::new(terms.server, 10_000);
        for round in 0..4 {
            let payload = prose(1000 + round);
            let mut up = send(&mut to_server, &mut asking, Kind::Text, &payload, 300).unwrap();
            assert_eq!(read(&mut answering, &mut at_server, &mut up), payload);
            let mut down = send(&mut to_client, &mut answering, Kind::Text, &payload, 300).unwrap();
            assert_eq!(read(&mut asking, &mut at_client, &mut down), payload);
            // Of a second message as the first one little is left, with a window that holds it.
            let [up, down] = [up, down].map(|bytes| bytes.len());
            assert_eq!(up < 100, round > 0 && own == FULL, "{own:?} {up}");
            assert_eq!(down < 100, round > 0 && peer == FULL, "{peer:?} {down}");
        }
    }
}

fn read<R: websocket_proto::Opens<[u8; 1024]>>(
    session: &mut Session<R, [u8; 1024]>,
    inflate: &mut Inflate<websocket_proto::Heap>,
    bytes: &mut [u8],
) -> Vec<u8> {
    let (mut input, mut out) = (Input::new(bytes), Vec::new());
    let mut text = Vec::new();
    while let Some(Event::Data(data)) = session.receive(&mut input, &mut out) {
        let mut piece = inflate.begin(data);
        let mut place = [0; 512];
        while let Some(event) = inflate.next(&mut piece, &mut place, session, &mut out) {
            let Event::Data(data) = event else { panic!("{event:?}") };
            text.extend_from_slice(data.payload());
        }
    }
    text
}

/// A session tells the peer of a stage's fault, as a connection does.
#[test]
fn a_session_fails() {
    let mut session = Session::server([0; 1024], Config::default());
    let mut out = Vec::new();
    let mut head = *b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    assert!(matches!(session.receive(&mut Input::new(&mut head), &mut out), Some(Event::Requested)));
    let accept = session.request().unwrap().accept(OriginPolicy::SameHost);
    accept.deflate(&DeflatePolicy::default()).write(&mut out).unwrap();
    out.clear();
    let mut inflate = Inflate::new(FULL, 100);
    let mut bad = [0xc1, 0x81, 0, 0, 0, 0, 0x06];
    let mut input = Input::new(&mut bad);
    let Some(Event::Data(data)) = session.receive(&mut input, &mut out) else { panic!() };
    let mut piece = inflate.begin(data);
    let mut place = [0; 9];
    let event = inflate.next(&mut piece, &mut place, &mut session, &mut out);
    assert!(matches!(event, Some(Event::Failed(error)) if error.rule.id() == "W132"));
    assert_eq!(out, b"\x88\x02\x03\xef");
}

/// A server's connection restored from bytes goes on in the middle of a compressed message.
#[test]
fn saved_in_the_middle() {
    let (mut conn, mut deflate) = (server(FULL), Deflate::new(FULL, ALL));
    let payload = prose(30_000);
    let mut message = deflate.begin(Kind::Text, &payload).unwrap();
    let (mut out, mut sent) = (SliceOutput::new([0; 200]), Vec::new());
    while deflate.write(&mut message, &mut conn, &mut out).unwrap() {
        let mut saved = [0; websocket_proto::SAVED];
        let len = conn.save(&mut saved);
        conn = Connection::restore(Server, &saved[..len]).unwrap();
        sent.extend_from_slice(out.pending());
        out.advance(usize::MAX);
    }
    sent.extend_from_slice(out.pending());
    assert!(received(FULL, &sent) == Ok(vec![payload]));
}
