//! Fragmentation (RFC 6455 §5.4): W34 to W37, W42 to W45.

use websocket_proto::{
    Agreed, CloseCode, Closer, Closure, Config, Connection, Event, Input, Kind, Outgoing, Role, Rsv, Rule,
    SendError, Server, Transport,
};

use super::runner::{
    Case, FixedClient, OPEN, Probe, Seen, Side, client, close, frame, head, incoming, outgoing, ping, pong,
    run,
};

fn deflate() -> Agreed {
    Agreed::with_reserved(Rsv::RSV1)
}

#[test]
fn w34_nothing_to_continue() {
    for first in [0x00, 0x80] {
        run([
            Case {
                input: vec![frame(first, "a")],
                ..Case::fault("W34 as the first frame", Rule::UnexpectedContinuation, 1002, head(0, 0))
            },
            Case {
                input: vec![frame(0x81, "a"), frame(first, "b")],
                events: vec![Seen::whole(Kind::Text, "a")],
                ..Case::fault("W34 behind a whole message", Rule::UnexpectedContinuation, 1002, head(1, 0))
            },
            Case {
                input: vec![frame(0x02, ""), frame(0x80, ""), frame(first, "b")],
                events: vec![Seen::first(Kind::Binary, ""), Seen::last(Kind::Binary, "")],
                ..Case::fault("W34 behind the last fragment", Rule::UnexpectedContinuation, 1002, head(2, 0))
            },
        ]);
    }
}

#[test]
fn w35_inside_a_message() {
    for (opener, kind) in [(0x01, Kind::Text), (0x02, Kind::Binary)] {
        for intruder in [0x01, 0x02, 0x81, 0x82] {
            run(["", "a"].map(|payload| Case {
                input: vec![frame(opener, payload), frame(0x00, ""), ping("1"), frame(intruder, "b")],
                events: vec![Seen::first(kind, payload), Seen::next(kind, ""), Seen::Ping(b"1".to_vec())],
                output: vec![pong("1"), close(1002, "")],
                ..Case::fault(
                    format!("W35 {intruder:#x} in {kind:?} {payload:?}"),
                    Rule::InterruptedMessage,
                    1002,
                    head(3, 0),
                )
            }));
        }
    }
}

#[test]
fn w36_w37_kinds_and_empty_fragments() {
    let mut table = Vec::new();
    for (opener, kind) in [(0x01, Kind::Text), (0x02, Kind::Binary)] {
        for pieces in ["", "a"].into_iter().flat_map(|a| ["", "b"].map(|b| [a, b])) {
            for last in ["", "c"] {
                table.push(Case {
                    input: vec![
                        frame(opener, pieces[0]),
                        frame(0x00, pieces[1]),
                        frame(0x80, last),
                        frame(0x81, "t"),
                        frame(0x82, [0xff]),
                    ],
                    events: vec![
                        Seen::first(kind, pieces[0]),
                        Seen::next(kind, pieces[1]),
                        Seen::last(kind, last),
                        Seen::whole(Kind::Text, "t"),
                        Seen::whole(Kind::Binary, [0xff]),
                    ],
                    ..Case::new(format!("W36 W37 {kind:?} {pieces:?} {last:?}"))
                });
            }
        }
        table.push(Case {
            input: vec![frame(opener, ""), frame(0x80, ""), frame(opener | 0x80, "")],
            events: vec![Seen::first(kind, ""), Seen::last(kind, ""), Seen::whole(kind, "")],
            ..Case::new(format!("W37 empty messages, {kind:?}"))
        });
    }
    run(table);
}

#[test]
fn w42_one_outgoing_message_at_a_time() {
    fn on<R: Role>(side: Side, role: R) {
        let mut conn = Connection::new(role, &Config::default(), Agreed::default());
        let mut out = Vec::new();
        let orphans = [Outgoing::next(b"x"), Outgoing::last(b"x")];
        let intruders = [
            Outgoing::text("x"),
            Outgoing::binary(b"x"),
            Outgoing::first(Kind::Text, b"x"),
            Outgoing::first(Kind::Binary, b"x"),
        ];
        for _ in 0..2 {
            for orphan in orphans {
                assert_eq!(conn.send(orphan, &mut out), Err(SendError::Fragment), "W42 {side:?} {orphan:?}");
                assert_eq!(conn.send_header(orphan, 1, &mut out), Err(SendError::Fragment));
            }
            conn.send(Outgoing::first(Kind::Binary, b""), &mut out).unwrap();
            for intruder in intruders {
                assert_eq!(
                    conn.send(intruder, &mut out),
                    Err(SendError::Fragment),
                    "W42 {side:?} {intruder:?}"
                );
                assert_eq!(conn.send_header(intruder, 1, &mut out), Err(SendError::Fragment));
            }
            conn.send(Outgoing::next(b"a"), &mut out).unwrap();
            conn.send(Outgoing::ping(b""), &mut out).unwrap();
            conn.send_header(Outgoing::last(&[]), 1, &mut out).unwrap();
            assert_eq!(conn.pay(b"b", &mut out), Ok(1));
        }
        let message = [frame(0x02, ""), frame(0x00, "a"), ping(""), frame(0x80, "b")];
        assert_eq!(out, outgoing(side, &[message.clone(), message].concat()), "W42 {side:?}");
    }
    on(Side::Server, Server);
    on(Side::Client, client());
}

#[test]
fn w42_prepared_messages_too() {
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut out = Vec::new();
    let message = websocket_proto::Prepared::text("hi");
    conn.send(Outgoing::first(Kind::Text, b"a"), &mut out).unwrap();
    assert_eq!(conn.send_prepared(&message, &mut out), Err(SendError::Fragment), "W42");
    conn.send(Outgoing::last(b"b"), &mut out).unwrap();
    assert_eq!(conn.send_prepared(&message, &mut out), Ok(&b"\x81\x02hi"[..]));
}

/// W43: a proxy that knows no extension passes every frame on with the borders that it had.
#[test]
fn w43_a_proxy_keeps_borders() {
    let frames = [
        frame(0x01, "Hel"),
        frame(0x00, ""),
        frame(0x80, "lo, wörld"),
        frame(0x82, vec![0xfe; 300]),
        frame(0x02, ""),
        frame(0x80, ""),
        frame(0xc1, [0xaa, 0x00, 0xff]),
        frame(0x42, "compressed"),
        frame(0x00, ""),
        frame(0x80, "too"),
    ];
    let wire = incoming(Side::Server, &frames);
    for size in [1, 2, 3, 7, 64, wire.len()] {
        let mut front = Connection::new(Server, &Config::default(), deflate());
        let mut back: Connection<FixedClient> = Connection::new(client(), &Config::default(), deflate());
        let (mut out, mut onward) = (Vec::new(), Vec::new());
        for read in wire.chunks(size) {
            let mut memory = read.to_vec();
            let mut input = Input::new(&mut memory);
            while let Some(event) = front.receive(&mut input, &mut out) {
                let Event::Data(data) = event else { panic!("W43: {event:?}") };
                if data.part().starts_frame {
                    back.send_header(data.forward(), data.part().frame_len, &mut onward).unwrap();
                }
                assert_eq!(back.pay(data.payload(), &mut onward), Ok(data.payload().len()), "W43");
            }
        }
        assert_eq!(onward, outgoing(Side::Client, &frames), "W43 reads of {size}");
        assert!(out.is_empty());
    }
}

/// An echo may not keep borders, but it keeps messages: their kinds, their bytes and where they end.
#[test]
fn w36_w37_echo_keeps_messages() {
    let frames =
        [frame(0x01, "Hel"), frame(0x00, ""), frame(0x80, "lo €"), frame(0x82, [0xff; 200]), frame(0x81, "")];
    let wire = incoming(Side::Server, &frames);
    for size in 1..wire.len() {
        let what = format!("W36 W37 echo, reads of {size}");
        let mut server = Connection::new(Server, &Config::default(), Agreed::default());
        let mut out = Vec::new();
        for read in wire.chunks(size) {
            let mut memory = read.to_vec();
            let mut input = Input::new(&mut memory);
            while let Some(event) = server.receive(&mut input, &mut out) {
                let Event::Data(data) = event else { panic!("{what}: {event:?}") };
                server.send(data.echo(), &mut out).unwrap();
            }
        }
        let mut peer = Probe::open(client(), &Config::default(), Agreed::default(), &what);
        peer.feed(&out);
        let mut messages = vec![];
        for seen in peer.seen {
            let Seen::Data { payload, part } = seen else { panic!("{what}: {seen:?}") };
            if part.first {
                messages.push((part.kind, vec![], false));
            }
            let (kind, bytes, ended) = messages.last_mut().unwrap();
            assert_eq!((*kind, *ended), (part.kind, false), "{what}");
            bytes.extend(payload);
            *ended = part.last;
        }
        let expected = [
            (Kind::Text, "Hello €".as_bytes().to_vec(), true),
            (Kind::Binary, vec![0xff; 200], true),
            (Kind::Text, vec![], true),
        ];
        assert_eq!(messages, expected, "{what}");
    }
}

#[test]
fn w44_cut_off_by_a_close() {
    let done = Some(CloseCode::GOING_AWAY);
    run([
        Case {
            input: vec![frame(0x01, "Hel"), frame(0x00, "lo"), close(1001, "")],
            events: vec![Seen::first(Kind::Text, "Hel"), Seen::next(Kind::Text, "lo"), Seen::close(1001, "")],
            ..Case::closed("W44 between fragments", 1001)
        },
        Case {
            input: vec![frame(0x01, [0xe2, 0x82]), close(1001, "")],
            events: vec![Seen::first(Kind::Text, [0xe2, 0x82]), Seen::close(1001, "")],
            eof: true,
            transport: [Transport::Drop; 2],
            closure: Closure { sent: done, received: done, first: Some(Closer::Peer), clean: true, ..OPEN },
            ..Case::closed("W44 inside a character: no fault, and no complete message", 1001)
        },
    ]);
}

#[test]
fn w45_compressed_messages_read() {
    let noise = [0xff, 0xfe, 0x80];
    run([
        Case {
            agreed: deflate(),
            input: vec![
                frame(0x41, noise),
                ping("1"),
                frame(0x00, ""),
                frame(0x00, noise),
                frame(0x80, ""),
                frame(0x82, "a"),
                frame(0xc2, "b"),
                frame(0x41, ""),
                frame(0x80, noise),
            ],
            events: vec![
                Seen::first(Kind::Text, noise).compressed(),
                Seen::Ping(b"1".to_vec()),
                Seen::next(Kind::Text, "").compressed(),
                Seen::next(Kind::Text, noise).compressed(),
                Seen::last(Kind::Text, "").compressed(),
                Seen::whole(Kind::Binary, "a"),
                Seen::whole(Kind::Binary, "b").compressed(),
                Seen::first(Kind::Text, "").compressed(),
                Seen::last(Kind::Text, noise).compressed(),
            ],
            output: vec![pong("1")],
            ..Case::new("W45 RSV1 on the first frame, fragments that may be empty")
        },
        Case {
            agreed: deflate(),
            input: vec![frame(0x41, noise), frame(0xc0, noise)],
            events: vec![Seen::first(Kind::Text, noise).compressed()],
            ..Case::fault("W45 W11 RSV1 again", Rule::CompressedContinuation, 1002, head(1, 0))
        },
    ]);
}

#[test]
fn w45_compressed_messages_written() {
    let noise = &[0xff, 0xfe, 0x80];
    let mut plain = Connection::new(Server, &Config::default(), Agreed::default());
    let mut conn = Connection::new(Server, &Config::default(), deflate());
    let mut out = Vec::new();
    let first = Outgoing::first(Kind::Text, noise).compressed();
    assert_eq!(plain.send(first, &mut out), Err(SendError::Reserved), "W9 is kept on sending");
    for control in [Outgoing::ping(b"").compressed(), Outgoing::pong(b"").compressed()] {
        assert_eq!(conn.send(control, &mut out), Err(SendError::Reserved), "W10 is kept on sending");
    }
    conn.send(first, &mut out).unwrap();
    for again in [Outgoing::next(noise).compressed(), Outgoing::last(noise).compressed()] {
        assert_eq!(conn.send(again, &mut out), Err(SendError::Reserved), "W11 W45 is kept on sending");
    }
    conn.send(Outgoing::next(b""), &mut out).unwrap();
    conn.send_header(Outgoing::last(&[]), 3, &mut out).unwrap();
    assert_eq!(conn.pay(noise, &mut out), Ok(3), "W45: compressed bytes are not text");
    assert_eq!(conn.send(Outgoing::whole(Kind::Text, noise), &mut out), Err(SendError::Utf8));
    conn.send(Outgoing::whole(Kind::Text, noise).compressed(), &mut out).unwrap();
    let sent = [frame(0x41, noise), frame(0x00, ""), frame(0x80, noise), frame(0xc1, noise)];
    assert_eq!(out, outgoing(Side::Server, &sent), "W45");
}
