//! Control frames (RFC 6455 §5.5): W21 to W32.

use std::cell::Cell;

use websocket_proto::{
    Agreed, Client, CloseCode, Closer, Closure, Config, Connection, FrameHeader, Input, Kind, MIN_OUTPUT,
    Opcode, Outgoing, Role, Rule, SendError, Server, SliceOutput, Transport,
};

use super::runner::{
    Act, CLOSED, Case, OPEN, Probe, Seen, Side, client, close, frame, head, incoming, naive_mask,
    on_both_sides, outgoing, ping, pong, raw, receive, run,
};

#[test]
fn w21_at_most_125_bytes() {
    for opcode in [8, 9, 10] {
        run([126, 127].map(|len| Case {
            input: vec![raw(&[0x80 | opcode, len, 0, 126], "")],
            ..Case::fault(
                format!("W21 opcode {opcode}, length {len}"),
                Rule::ControlTooLong,
                1002,
                head(0, 1),
            )
        }));
    }
    let longest = "x".repeat(125);
    run([
        Case {
            input: vec![ping(&longest), pong(&longest)],
            events: vec![Seen::Ping(longest.clone().into()), Seen::Pong(longest.clone().into())],
            output: vec![pong(&longest)],
            ..Case::new("W21 125 bytes")
        },
        Case {
            input: vec![close(1000, &longest[2..])],
            events: vec![Seen::close(1000, &longest[2..])],
            ..Case::closed("W21 W75 125 bytes of Close", 1000)
        },
    ]);
}

#[test]
fn w22_not_fragmented() {
    for opcode in [8, 9, 10] {
        run([
            Case {
                input: vec![frame(opcode, "")],
                ..Case::fault(format!("W22 opcode {opcode}"), Rule::FragmentedControl, 1002, head(0, 0))
            },
            Case {
                input: vec![frame(0x01, "a"), frame(opcode, "b")],
                events: vec![Seen::first(Kind::Text, "a")],
                ..Case::fault(
                    format!("W22 opcode {opcode}, inside a message"),
                    Rule::FragmentedControl,
                    1002,
                    head(1, 0),
                )
            },
        ]);
    }
}

#[test]
fn w23_between_fragments() {
    run([
        Case {
            input: vec![
                frame(0x01, "Hel"),
                ping("1"),
                frame(0x00, ""),
                pong("2"),
                ping(""),
                frame(0x80, "lo"),
            ],
            events: vec![
                Seen::first(Kind::Text, "Hel"),
                Seen::Ping(b"1".to_vec()),
                Seen::next(Kind::Text, ""),
                Seen::Pong(b"2".to_vec()),
                Seen::Ping(vec![]),
                Seen::last(Kind::Text, "lo"),
            ],
            output: vec![pong("1"), pong("")],
            ..Case::new("W23 control frames inside a message")
        },
        Case {
            input: vec![frame(0x01, [0xe2, 0x82]), ping([0xff]), frame(0x80, [0xac])],
            events: vec![
                Seen::first(Kind::Text, [0xe2, 0x82]),
                Seen::Ping(vec![0xff]),
                Seen::last(Kind::Text, [0xac]),
            ],
            output: vec![pong([0xff])],
            ..Case::new("W23 W46 a ping inside a character")
        },
        Case {
            config: Config { frame_limit: 0, message_limit: 0, fragment_limit: 1, ..Config::default() },
            input: vec![frame(0x01, ""), ping("1"), pong("2")],
            events: vec![Seen::first(Kind::Text, ""), Seen::Ping(b"1".to_vec()), Seen::Pong(b"2".to_vec())],
            output: vec![pong("1")],
            ..Case::new("W23 control frames do not count as fragments, nor their bytes")
        },
        Case {
            input: vec![ping("1"), frame(0x80, "lo")],
            events: vec![Seen::Ping(b"1".to_vec())],
            output: vec![pong("1"), close(1002, "")],
            ..Case::fault("W23 W34 a ping opens no message", Rule::UnexpectedContinuation, 1002, head(1, 0))
        },
        Case {
            input: vec![ping("\u{1}\u{3}abc"), ping([0x81, 3, b'a', b'b', b'c']), pong([0x82, 1, 0])],
            events: vec![
                Seen::Ping(b"\x01\x03abc".to_vec()),
                Seen::Ping(b"\x81\x03abc".to_vec()),
                Seen::Pong(b"\x82\x01\x00".to_vec()),
            ],
            output: vec![pong("\u{1}\u{3}abc"), pong([0x81, 3, b'a', b'b', b'c'])],
            ..Case::new("W23 a payload that looks like a message is none")
        },
    ]);
}

/// W24: a message goes out in fragments, and control frames between them, never inside one.
#[test]
fn w24_nothing_inside_a_frame() {
    fn on<R: Role>(side: Side, role: R) {
        let mut probe = Probe::open(role, &Config::default(), Agreed::default(), "W24");
        let Probe { conn, out, .. } = &mut probe;
        conn.send(Outgoing::first(Kind::Text, b"Hel"), out).unwrap();
        conn.send(Outgoing::ping(b"1"), out).unwrap();
        conn.send_header(Outgoing::next(&[]), 6, out).unwrap();
        assert_eq!(conn.owed(), 6);
        assert_eq!(conn.pay(b"lo, ", out), Ok(4));
        let before = out.clone();
        assert_eq!(conn.send(Outgoing::ping(b"2"), out), Err(SendError::Owed { bytes: 2 }));
        assert_eq!(conn.send(Outgoing::pong(b"2"), out), Err(SendError::Owed { bytes: 2 }));
        assert_eq!(conn.send(Outgoing::last(b"!"), out), Err(SendError::Owed { bytes: 2 }));
        assert_eq!(conn.send_header(Outgoing::last(&[]), 1, out), Err(SendError::Owed { bytes: 2 }));
        assert_eq!(*out, before, "W24 {side:?}: a refusal wrote something");
        assert_eq!(conn.pay(b"wo", out), Ok(2));
        conn.send(Outgoing::pong(b"2"), out).unwrap();
        conn.send(Outgoing::last(b"rld"), out).unwrap();
        let sent = [frame(0x01, "Hel"), ping("1"), frame(0x00, "lo, wo"), pong("2"), frame(0x80, "rld")];
        assert_eq!(*out, outgoing(side, &sent), "W24 {side:?}");
    }
    on(Side::Server, Server);
    on(Side::Client, client());
}

#[test]
fn w25_w28_a_pong_repeats_the_ping() {
    let payload: Vec<u8> = (0..125).map(|i| i * 2 + 1).collect();
    run((0..=125).map(|len| Case {
        input: vec![ping(&payload[..len])],
        events: vec![Seen::Ping(payload[..len].to_vec())],
        output: vec![pong(&payload[..len])],
        ..Case::new(format!("W25 W28 {len} bytes"))
    }));
    run([Case {
        input: vec![ping(""), pong(""), ping("")],
        events: vec![Seen::Ping(vec![]), Seen::Pong(vec![]), Seen::Ping(vec![])],
        output: vec![pong(""), pong("")],
        ..Case::new("W28 empty ping and pong")
    }]);
}

/// W25, W84: every pong of a client has a key of its own.
#[test]
fn w25_a_fresh_mask_for_every_pong() {
    let drawn = Cell::new(0_u32);
    let role = Client(|| {
        drawn.set(drawn.get() + 1);
        (drawn.get() * 0x0103_0507).to_be_bytes()
    });
    let mut probe = Probe::open(role, &Config::default(), Agreed::default(), "W25");
    (0..50_u8).for_each(|i| probe.feed(&incoming(Side::Client, &[ping([i; 9])])));
    let mut rest = &probe.out[..];
    for i in 0..50 {
        let (header, size) = FrameHeader::decode(rest).unwrap().unwrap();
        let key = ((u32::from(i) + 1) * 0x0103_0507).to_be_bytes();
        assert_eq!((header.opcode, header.mask, header.len), (Opcode::Pong, Some(key), 9));
        assert_eq!(naive_mask(key, 0, &rest[size..size + 9]), [i; 9]);
        rest = &rest[size + 9..];
    }
    assert!(rest.is_empty());
    assert_eq!(drawn.get(), 50);
}

#[test]
fn w29_unsolicited_pong() {
    run([Case {
        input: vec![pong("unasked"), frame(0x81, "a"), pong([0xff, 0])],
        events: vec![
            Seen::Pong(b"unasked".to_vec()),
            Seen::whole(Kind::Text, "a"),
            Seen::Pong(vec![0xff, 0]),
        ],
        ..Case::new("W29 a pong without a ping")
    }]);
}

#[test]
fn w30_w31_around_a_close() {
    let ours = Closure { sent: Some(CloseCode::NORMAL), first: Some(Closer::Local), ..OPEN };
    let both = Closure { received: Some(CloseCode::NORMAL), ..ours };
    run([
        Case {
            input: vec![ping("1"), close(1000, ""), ping("2")],
            events: vec![Seen::Ping(b"1".to_vec()), Seen::close(1000, "")],
            output: vec![pong("1"), close(1000, "")],
            ..Case::closed("W30 no pong behind their Close", 1000)
        },
        Case {
            before: vec![Act::Close(1000, "")],
            input: vec![ping("1"), frame(0x01, "a"), ping("2"), frame(0x80, "b")],
            events: vec![
                Seen::Ping(b"1".to_vec()),
                Seen::first(Kind::Text, "a"),
                Seen::Ping(b"2".to_vec()),
                Seen::last(Kind::Text, "b"),
            ],
            output: vec![close(1000, ""), pong("1"), pong("2")],
            closure: ours,
            ..Case::new("W30 W31 behind our Close pings are answered and data delivered")
        },
        Case {
            before: vec![Act::Close(1000, "")],
            input: vec![frame(0x82, "a"), close(1000, ""), ping("2")],
            events: vec![Seen::whole(Kind::Binary, "a"), Seen::close(1000, "")],
            output: vec![close(1000, "")],
            transport: CLOSED,
            closure: both,
            ..Case::new("W30 W31 behind both Closes nothing")
        },
        Case {
            before: vec![Act::Close(1000, "")],
            input: vec![frame(0x83, ""), ping("2")],
            output: vec![close(1000, "")],
            closure: ours,
            ..Case::fault(
                "W31 W155 faults are found behind our Close",
                Rule::ReservedOpcode,
                1002,
                head(0, 0),
            )
        },
        Case {
            input: vec![frame(0x83, ""), ping("1")],
            ..Case::fault("W30 no pong behind a failure", Rule::ReservedOpcode, 1002, head(0, 0))
        },
    ]);
}

/// An output of so many bytes.
fn bounded(len: usize) -> SliceOutput<Vec<u8>> {
    SliceOutput::new(vec![0xee; len])
}

/// What is pending, all of it taken by the transport.
fn written(out: &mut SliceOutput<Vec<u8>>) -> Vec<u8> {
    let bytes = out.pending().to_vec();
    out.advance(bytes.len());
    bytes
}

#[test]
fn w26_pongs_in_order_then_the_latest() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let mut conn = fresh();
        let body = |n: u8| [n; 50];
        let mut out = bounded(MIN_OUTPUT);
        for n in 1..=6 {
            assert_eq!(receive(&mut conn, side, &mut out, &[ping(body(n))]), [Seen::Ping(body(n).to_vec())]);
            assert_eq!(conn.is_reply_waiting(), n > 2, "W26 {side:?}");
        }
        assert_eq!(conn.transport(), Transport::Keep);
        assert!(!conn.poll_transmit(&mut out), "W26 {side:?}: there is no room");
        assert_eq!(written(&mut out), outgoing(side, &[pong(body(1)), pong(body(2))]), "W26 {side:?}");
        assert!(conn.poll_transmit(&mut out), "W26 {side:?}: there is room");
        assert!(!conn.poll_transmit(&mut out), "W26 {side:?}: and nothing more to send");
        assert!(!conn.is_reply_waiting());
        assert_eq!(written(&mut out), outgoing(side, &[pong(body(6))]), "W26 {side:?}");
        // In order again, without being asked: the next call that has an output sees to it.
        receive(&mut conn, side, &mut out, &[ping(body(7)), ping(body(8)), ping(body(9))]);
        assert_eq!(written(&mut out), outgoing(side, &[pong(body(7)), pong(body(8))]), "W26 {side:?}");
        receive(&mut conn, side, &mut out, &[ping(body(10))]);
        assert_eq!(written(&mut out), outgoing(side, &[pong(body(9)), pong(body(10))]), "W26 {side:?}");
        receive(&mut conn, side, &mut out, &[ping(body(1)), ping(body(2)), ping(body(3))]);
        written(&mut out);
        assert!(receive(&mut conn, side, &mut out, &[]).is_empty());
        assert_eq!(
            written(&mut out),
            outgoing(side, &[pong(body(3))]),
            "W26 {side:?}: an empty read is a call too"
        );
    }
    on_both_sides!(test);
}

#[test]
fn w26_w30_a_close_takes_the_waiting_pongs_place() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let mut conn = fresh();
        // Room for one pong and no more.
        let mut out = bounded(outgoing(side, &[pong([1; 125])]).len());
        receive(
            &mut conn,
            side,
            &mut out,
            &[ping([1; 125]), ping([2; 125]), close(1001, "bye"), ping([3; 125])],
        );
        assert_eq!(conn.transport(), Transport::Keep, "W70 {side:?}: our Close is not in the output");
        assert_eq!(written(&mut out), outgoing(side, &[pong([1; 125])]));
        assert!(conn.poll_transmit(&mut out));
        assert_eq!(written(&mut out), outgoing(side, &[close(1001, "")]), "W26 W30 {side:?}");
        assert!(!conn.poll_transmit(&mut out));
        assert_eq!(conn.transport(), CLOSED[usize::from(side == Side::Client)]);
    }
    on_both_sides!(test);
}

#[test]
fn w27_a_flood_of_pings() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let mut conn = fresh();
        let mut out = bounded(MIN_OUTPUT);
        let (last, mut wire) = ([0x77; 125], Vec::new());
        for _ in 0..1000 {
            wire.extend(incoming(side, &[ping([0x55; 125])]));
        }
        wire.extend(incoming(side, &[ping(last)]));
        for _ in 0..20 {
            let mut memory = wire.clone();
            let mut input = Input::new(&mut memory);
            while conn.receive(&mut input, &mut out).is_some() {}
        }
        // The connection is a struct without a heap, and the output is the caller's.
        assert_eq!(written(&mut out), outgoing(side, &[pong([0x55; 125])]), "W27 {side:?}");
        assert!(conn.poll_transmit(&mut out));
        assert_eq!(written(&mut out), outgoing(side, &[pong(last)]), "W27 {side:?}");
        assert!(!conn.poll_transmit(&mut out));

        // Whoever counts them may fail the connection for it.
        let mut seen = Vec::new();
        Seen::note(conn.fail(Rule::ControlRate, &mut out), &mut seen);
        assert!(matches!(seen[..], [Seen::Failed(error)] if error.rule == Rule::ControlRate));
        assert_eq!(written(&mut out), outgoing(side, &[close(1008, "")]), "W27 {side:?}");
    }
    on_both_sides!(test);
    assert!(size_of::<Connection<Server>>() <= 352);
}

#[test]
fn w32_ahead_of_what_is_not_sent_yet() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let mut conn = fresh();
        let mut out = bounded(MIN_OUTPUT);
        receive(&mut conn, side, &mut out, &[ping([1; 100]), ping([2; 100])]);
        let all = outgoing(side, &[pong([2; 100]), frame(0x81, "a")]).len();
        let refused = conn.send(Outgoing::text("a"), &mut out);
        assert_eq!(refused, Err(SendError::NoRoom { needed: all }), "W32 {side:?}");
        assert_eq!(written(&mut out), outgoing(side, &[pong([1; 100])]));
        conn.send(Outgoing::text("a"), &mut out).unwrap();
        assert_eq!(written(&mut out), outgoing(side, &[pong([2; 100]), frame(0x81, "a")]), "W32 {side:?}");
    }
    on_both_sides!(test);
}

/// W32: behind the frame under way; a Close behind everything that `send` took.
#[test]
fn w32_behind_the_frame_under_way() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let mut conn = fresh();
        let mut out = bounded(4 * MIN_OUTPUT);
        conn.send(Outgoing::text("a"), &mut out).unwrap();
        conn.send_header(Outgoing::first(Kind::Binary, &[]), 9, &mut out).unwrap();
        assert_eq!(conn.pay(b"123", &mut out), Ok(3));
        receive(&mut conn, side, &mut out, &[ping("1"), ping("2")]);
        assert!(conn.is_reply_waiting());
        assert_eq!(conn.pay(b"456789 and more", &mut out), Ok(6), "no more is paid than is owed");
        assert!(!conn.is_reply_waiting());
        conn.send_header(Outgoing::next(&[]), 4, &mut out).unwrap();
        conn.close(CloseCode::NORMAL, "bye", &mut out).unwrap();
        assert_eq!(conn.transport(), Transport::Keep);
        assert_eq!(conn.pay(b"abcd", &mut out), Ok(4), "W74: what was announced is paid");
        assert_eq!(conn.pay(b"x", &mut out), Err(SendError::Owed { bytes: 0 }));
        assert_eq!(conn.send(Outgoing::last(b"x"), &mut out), Err(SendError::Closed));
        let sent =
            [frame(0x81, "a"), frame(0x02, "123456789"), pong("2"), frame(0x00, "abcd"), close(1000, "bye")];
        assert_eq!(written(&mut out), outgoing(side, &sent), "W32 {side:?}");
    }
    on_both_sides!(test);
}
