//! How connections end (RFC 6455 §7.1): W67 to W72, W79, W80, W151, W152, W155, W156.

use websocket_proto::{
    Agreed, Body, Cause, CloseCode, Closer, Closure, Config, Connection, Event, Input, Kind, MIN_OUTPUT,
    Outgoing, Output, Role, Rule, Server, SliceOutput, Transport,
};

use super::runner::{
    Act, CLOSED, Case, OPEN, Probe, Seen, Side, announce, client, close, exactly, frame, head, incoming,
    on_both_sides, outgoing, ping, pong, raw, receive, run,
};

const NORMAL: Option<CloseCode> = Some(CloseCode::NORMAL);
const NO_STATUS: Option<CloseCode> = Some(CloseCode::NO_STATUS);

/// An output without room.
fn full() -> SliceOutput<[u8; MIN_OUTPUT]> {
    let mut out = SliceOutput::new([0; MIN_OUTPUT]);
    assert!(out.put(&[0x89; MIN_OUTPUT], Body::plain(&[])));
    out
}

fn of<T: Copy>(side: Side, both: [T; 2]) -> T {
    both[usize::from(side == Side::Client)]
}

/// W69, W71, W72, W79, W80: what the end of the stream makes of every state.
#[test]
fn w69_w71_w72_w79_w80_the_end_of_the_stream() {
    let dropped = |case: Case| Case { eof: true, transport: [Transport::Drop; 2], ..case };
    let cut = |rules: &str, cause| Case {
        closure: Closure { cause: Some(cause), ..OPEN },
        ..dropped(Case::new(rules))
    };
    let ours = Closure { sent: NORMAL, first: Some(Closer::Local), ..OPEN };
    let header = raw(&announce(0x82, 300).bytes(None), "");
    run([
        cut("W72 right behind the handshake", Cause::EndWithoutClose),
        Case {
            input: vec![frame(0x81, "a")],
            events: vec![Seen::whole(Kind::Text, "a")],
            ..cut("W71 without a Close", Cause::EndWithoutClose)
        },
        Case { input: vec![exactly(&[0x81])], ..cut("W71 inside a header", Cause::EndInFrame) },
        Case { input: vec![header], ..cut("W71 behind a header", Cause::EndInFrame) },
        Case {
            input: vec![raw(&[0x81, 5], "Hel")],
            events: vec![Seen::whole(Kind::Text, "Hel").cut(5)],
            ..cut("W71 inside a payload", Cause::EndInFrame)
        },
        Case { input: vec![raw(&[0x89, 5], "Hel")], ..cut("W71 inside a ping", Cause::EndInFrame) },
        Case { input: vec![raw(&[0x88, 5], [3, 232])], ..cut("W71 inside a Close", Cause::EndInFrame) },
        Case {
            input: vec![frame(0x01, "Hel"), ping("")],
            events: vec![Seen::first(Kind::Text, "Hel"), Seen::Ping(vec![])],
            output: vec![pong("")],
            ..cut("W71 W44 between fragments", Cause::EndInMessage)
        },
        Case {
            input: vec![frame(0x02, "")],
            events: vec![Seen::first(Kind::Binary, "")],
            ..cut("W71 W37 behind an empty fragment", Cause::EndInMessage)
        },
        Case {
            input: vec![frame(0x02, ""), exactly(&[0x80])],
            events: vec![Seen::first(Kind::Binary, "")],
            ..cut("W71 inside a message's second header", Cause::EndInFrame)
        },
        Case {
            before: vec![Act::Close(1000, "")],
            output: vec![close(1000, "")],
            closure: Closure { cause: Some(Cause::EndWithoutClose), ..ours },
            ..dropped(Case::new("W71 behind our Close alone"))
        },
        Case {
            input: vec![close(1000, "")],
            events: vec![Seen::close(1000, "")],
            closure: Closure {
                sent: NORMAL,
                received: NORMAL,
                first: Some(Closer::Peer),
                clean: true,
                cause: None,
            },
            ..dropped(Case::closed("W71 W79 behind both Closes, theirs first", 1000))
        },
        Case {
            before: vec![Act::Close(1000, "")],
            input: vec![close(1000, "")],
            events: vec![Seen::close(1000, "")],
            output: vec![close(1000, "")],
            closure: Closure { received: NORMAL, clean: true, ..ours },
            ..dropped(Case::new("W71 W79 behind both Closes, ours first"))
        },
        Case {
            input: vec![frame(0x88, "")],
            events: vec![Seen::Close(None)],
            output: vec![frame(0x88, "")],
            closure: Closure {
                sent: NO_STATUS,
                received: NO_STATUS,
                first: Some(Closer::Peer),
                clean: true,
                cause: None,
            },
            ..dropped(Case::new("W58 W71 behind two Closes without a code"))
        },
        Case {
            input: vec![frame(0x83, "")],
            ..dropped(Case::fault("W80 behind a failure", Rule::ReservedOpcode, 1002, head(0, 0)))
        },
    ]);
}

/// W71, W79: their Close came and ours found no room: the end of the stream is not clean, and their code
/// stands.
#[test]
fn w71_w79_theirs_alone_is_not_clean() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let (mut conn, mut out) = (fresh(), full());
        receive(&mut conn, side, &mut out, &[close(1001, "")]);
        let closure = conn.receive_eof();
        assert_eq!(closure.code(), CloseCode::GOING_AWAY, "W71 {side:?}");
        assert!(!closure.clean, "W71 W79 {side:?}: our Close is not in the output");
        assert_eq!(conn.transport(), Transport::Keep, "W70 {side:?}");
        out.advance(MIN_OUTPUT);
        assert!(conn.poll_transmit(&mut out));
        assert_eq!(out.pending(), outgoing(side, &[close(1001, "")]));
        assert_eq!(conn.transport(), Transport::Drop, "W71 {side:?}");
        assert!(conn.closure().clean, "W71 W79 {side:?}: and now it is");
    }
    on_both_sides!(test);
}

#[test]
fn w71_w80_the_code_of_the_specification() {
    let with = |received| Closure { received, sent: Some(CloseCode::POLICY), ..OPEN };
    assert_eq!(with(None).code(), CloseCode::ABNORMAL, "W71");
    assert_eq!(with(NO_STATUS).code(), CloseCode::NO_STATUS, "W58");
    assert_eq!(with(Some(CloseCode::new(4321))).code().get(), 4321, "W71");

    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let (mut conn, mut out) = (fresh(), Vec::new());
        receive(&mut conn, side, &mut out, &[frame(0x81, [0xff])]);
        for closure in [conn.closure(), conn.receive_eof()] {
            assert_eq!(closure.sent, Some(CloseCode::INVALID_PAYLOAD), "W80 {side:?}");
            assert_eq!(closure.code(), CloseCode::ABNORMAL, "W80 {side:?}");
            assert!(!closure.clean, "W79 {side:?}");
        }
    }
    on_both_sides!(test);
}

/// W69, W70, W156: the verdict for both roles and both orders, step by step.
#[test]
fn w69_w70_w156_transport() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let closed = of(side, CLOSED);
        for ours_first in [false, true] {
            let (mut conn, mut out) = (fresh(), Vec::new());
            assert_eq!(conn.transport(), Transport::Keep);
            if ours_first {
                conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
                assert_eq!(conn.transport(), Transport::Keep, "W69 {side:?}: theirs is awaited");
            }
            receive(&mut conn, side, &mut out, &[close(1000, "")]);
            assert_eq!(conn.transport(), closed, "W69 {side:?}, ours first: {ours_first}");
            let first = if ours_first { Closer::Local } else { Closer::Peer };
            assert_eq!(conn.closure().first, Some(first), "W67 {side:?}");
            assert!(!conn.closure().clean, "W79 {side:?}: TCP is not closed");
            conn.receive_eof();
            assert_eq!(conn.transport(), Transport::Drop, "W69 {side:?}, ours first: {ours_first}");
            assert!(conn.closure().clean, "W79 {side:?}");
        }
        // A failure: the driver shuts its side, and reads and discards (W156).
        let (mut conn, mut out) = (fresh(), Vec::new());
        receive(&mut conn, side, &mut out, &[frame(0x83, "")]);
        assert_eq!(conn.transport(), Transport::Shut, "W156 {side:?}");
        assert_eq!(receive(&mut conn, side, &mut out, &[frame(0x81, [7; 999]), close(1000, "")]), []);
        assert_eq!(conn.transport(), Transport::Shut, "W156 {side:?}");
        conn.receive_eof();
        assert_eq!(conn.transport(), Transport::Drop, "W156 {side:?}");

        // Our Close has found no room: nothing is shut before it is in the output (W70).
        for fault in [false, true] {
            let (mut conn, mut out) = (fresh(), full());
            let theirs = if fault { frame(0x83, "") } else { close(1000, "") };
            receive(&mut conn, side, &mut out, &[theirs]);
            assert_eq!(conn.transport(), Transport::Keep, "W70 {side:?}, fault: {fault}");
            out.advance(MIN_OUTPUT);
            assert!(conn.poll_transmit(&mut out));
            let verdict = if fault { Transport::Shut } else { closed };
            assert_eq!(conn.transport(), verdict, "W70 {side:?}, fault: {fault}");
        }

        // Nor before a debt is paid, the Close behind it.
        let (mut conn, mut out) = (fresh(), Vec::new());
        conn.send_header(Outgoing::binary(&[]), 3, &mut out).unwrap();
        receive(&mut conn, side, &mut out, &[close(1000, "")]);
        assert_eq!(conn.transport(), Transport::Keep, "W70 {side:?}: a debt");
        assert_eq!(conn.pay(b"abc", &mut out), Ok(3));
        assert_eq!(out, outgoing(side, &[frame(0x82, "abc"), close(1000, "")]), "W70 {side:?}");
        assert_eq!(conn.transport(), closed, "W70 {side:?}");
    }
    on_both_sides!(test);
}

/// W67: both close at once, and each takes the other's Close for the answer.
#[test]
fn w67_both_at_once() {
    let mut server = Connection::new(Server, &Config::default(), Agreed::default());
    let mut client = Connection::new(client(), &Config::default(), Agreed::default());
    let (mut down, mut up) = (Vec::new(), Vec::new());
    server.close(CloseCode::GOING_AWAY, "server", &mut down).unwrap();
    client.close(CloseCode::NORMAL, "client", &mut up).unwrap();
    let (mut to_client, mut to_server) = (down.clone(), up.clone());
    let (mut down, mut up) = (Vec::new(), Vec::new());
    let event = server.receive(&mut Input::new(&mut to_server), &mut down);
    assert!(matches!(event, Some(Event::Close(Some(frame))) if frame.code() == CloseCode::NORMAL), "W67");
    let event = client.receive(&mut Input::new(&mut to_client), &mut up);
    assert!(matches!(event, Some(Event::Close(Some(frame))) if frame.reason() == "server"), "W67");
    assert!(down.is_empty() && up.is_empty(), "W67 W155: nothing more is sent");
    let went = Some(CloseCode::GOING_AWAY);
    let first = Some(Closer::Local);
    assert_eq!(server.closure(), Closure { sent: went, received: NORMAL, first, ..OPEN }, "W67");
    assert_eq!(client.closure(), Closure { sent: NORMAL, received: went, first, ..OPEN }, "W67");
    assert_eq!((server.transport(), client.transport()), (Transport::Shut, Transport::AwaitEnd), "W69");
}

#[test]
fn w152_a_failure_is_final() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let (mut conn, mut out) = (fresh(), Vec::new());
        let seen = receive(&mut conn, side, &mut out, &[frame(0x81, "ab"), frame(0x85, "")]);
        let failure = conn.failure().unwrap();
        assert_eq!(seen, [Seen::whole(Kind::Text, "ab"), Seen::Failed(failure)]);
        let (before, closure) = (out.clone(), conn.closure());
        for rule in [Rule::Policy, Rule::InternalError] {
            conn.fail(rule, &mut out);
            assert_eq!(conn.failure(), Some(failure), "W152 {side:?}: the first one stands");
        }
        conn.poll_transmit(&mut out);
        assert_eq!((out, conn.closure()), (before, closure), "W152 {side:?}");
        assert_eq!(conn.frame_remaining(), 0);
    }
    on_both_sides!(test);
}

/// A rule that the application found broken (W145, W169, W170, W171): the code of the rule goes out, once (W155), and
/// what comes is thrown away (W68).
#[test]
fn w68_w155_the_application_fails_the_connection() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        for (rule, code) in [
            (Rule::Unacceptable, 1003),
            (Rule::InvalidPayload, 1007),
            (Rule::Policy, 1008),
            (Rule::InternalError, 1011),
        ] {
            let (mut conn, mut out) = (fresh(), Vec::new());
            receive(&mut conn, side, &mut out, &[raw(&[0x82, 5], "ab")]);
            assert!(matches!(conn.fail(rule, &mut out), Event::Failed(error) if error.rule == rule));
            assert_eq!(conn.frame_remaining(), 0, "W68 {side:?}: no payload is awaited behind a failure");
            assert_eq!(receive(&mut conn, side, &mut out, &[ping(""), close(1000, "")]), [], "W68 {side:?}");
            conn.fail(rule, &mut out);
            assert_eq!(out, outgoing(side, &[close(code, "")]), "W155 {side:?} {rule:?}");
            assert_eq!(conn.transport(), Transport::Shut, "W156 {side:?}");
        }
    }
    on_both_sides!(test);
}

/// W155: our Close still waits for room when the peer breaks a rule: the failure's goes in its place, and one
/// goes.
#[test]
fn w155_one_close_is_written() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let (mut conn, mut out) = (fresh(), full());
        conn.close(CloseCode::GOING_AWAY, "waits", &mut out).unwrap();
        receive(&mut conn, side, &mut out, &[frame(0x81, [0xff])]);
        assert_eq!(conn.closure().sent, Some(CloseCode::INVALID_PAYLOAD), "W155 {side:?}");
        out.advance(MIN_OUTPUT);
        assert!(conn.poll_transmit(&mut out));
        conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
        conn.fail(Rule::Policy, &mut out);
        assert!(!conn.poll_transmit(&mut out));
        assert_eq!(out.pending(), outgoing(side, &[close(1007, "")]), "W155 {side:?}");

        // The answer to theirs waits, and the application fails the connection: the answer is the one Close.
        let (mut conn, mut out) = (fresh(), full());
        receive(&mut conn, side, &mut out, &[close(1001, "")]);
        conn.fail(Rule::Policy, &mut out);
        out.advance(MIN_OUTPUT);
        assert!(conn.poll_transmit(&mut out));
        assert_eq!(out.pending(), outgoing(side, &[close(1001, "")]), "W155 {side:?}");
    }
    on_both_sides!(test);
}

/// W151 at every place of a stream: an empty read tells nothing, and the end may be told again.
#[test]
fn w151_empty_reads() {
    let frames = [frame(0x01, "Hel"), ping("12"), frame(0x80, "lo"), close(1000, "bye")];
    let wire = incoming(Side::Server, &frames);
    let mut probe = Probe::open(Server, &Config::default(), Agreed::default(), "W151");
    for byte in wire {
        probe.feed(&[byte]);
        let (told, sent, received) = (probe.seen.len(), probe.out.len(), probe.conn.bytes_received());
        (0..3).for_each(|_| probe.feed(&[]));
        assert_eq!((probe.seen.len(), probe.out.len(), probe.conn.bytes_received()), (told, sent, received));
    }
    let closure = probe.conn.receive_eof();
    probe.feed(&[]);
    assert_eq!((probe.conn.receive_eof(), probe.conn.transport()), (closure, Transport::Drop), "W151");
}
