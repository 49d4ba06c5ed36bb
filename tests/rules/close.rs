//! Close frames (RFC 6455 §5.5.1, §7.4) and what may follow them: W57 to W66, W68, W74 to W78, W81, W155.

use websocket_proto::{
    Agreed, CloseCode, CloseFrame, Closer, Closure, Config, Connection, Kind, Outgoing, Output, Prepared,
    QueueOutput, Role, Rule, SendError, Server, SliceOutput,
};

use super::runner::{
    Act, CLOSED, Case, Frame, OPEN, Seen, Side, body, close, exactly, frame, head, on_both_sides, outgoing,
    ping, receive, run,
};

const NORMAL: Option<CloseCode> = Some(CloseCode::NORMAL);
const NO_STATUS: Option<CloseCode> = Some(CloseCode::NO_STATUS);

fn reserved(code: u16) -> bool {
    matches!(code, 1004 | 1005 | 1006 | 1015)
}

fn assigned(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[test]
fn w57_w58_bodies_without_a_code() {
    let ours = Closure { sent: NO_STATUS, first: Some(Closer::Local), ..OPEN };
    run([
        Case {
            input: vec![frame(0x88, [3])],
            ..Case::fault("W57 one byte", Rule::CloseBodyTooShort, 1002, head(0, 1))
        },
        Case {
            before: vec![Act::Close(1000, "")],
            input: vec![frame(0x88, [3])],
            closure: Closure { sent: NORMAL, ..ours },
            output: vec![close(1000, "")],
            ..Case::fault("W57 one byte as the answer", Rule::CloseBodyTooShort, 1002, head(0, 1))
        },
        Case {
            input: vec![frame(0x88, "")],
            events: vec![Seen::Close(None)],
            output: vec![frame(0x88, "")],
            ..Case::closed("W58 an empty body reads as 1005 and is answered by an empty body", 1005)
        },
        Case {
            before: vec![Act::CloseWithoutCode],
            output: vec![frame(0x88, "")],
            closure: ours,
            ..Case::new("W58 an empty body written")
        },
        Case {
            before: vec![Act::CloseWithoutCode],
            input: vec![close(4000, "x")],
            events: vec![Seen::close(4000, "x")],
            output: vec![frame(0x88, "")],
            transport: CLOSED,
            closure: Closure { received: Some(CloseCode::new(4000)), ..ours },
            ..Case::new("W58 an empty body written and a code read")
        },
    ]);
}

/// W59 to W64, W81: the codes at every border, through the runner.
#[test]
fn w59_w60_w61_w62_w63_codes_read() {
    let fail = |code, id: &str, rule| Case {
        input: vec![close(code, "reason")],
        ..Case::fault(format!("{id} code {code}"), rule, 1002, body(0, 1))
    };
    run([1004, 1005, 1006, 1015].map(|code| fail(code, "W59", Rule::ReservedCloseCode)));
    run([0, 1, 100, 999, 1016, 1100, 2000, 2999, 5000, 5001, 9999, 0x7fff, 0x8000, 65535]
        .map(|code| fail(code, "W60", Rule::UnassignedCloseCode)));
    let pass = |code, id: &str| Case {
        input: vec![close(code, "reason")],
        events: vec![Seen::close(code, "reason")],
        ..Case::closed(format!("{id} W64 W81 code {code}"), code)
    };
    run([1000, 1001, 1002, 1003, 1007, 1008, 1009].map(|code| pass(code, "W60")));
    run([1012, 1013, 1014].map(|code| pass(code, "W61")));
    run([3000, 3999, 4000, 4999].map(|code| pass(code, "W62")));
    run([1010, 1011].map(|code| pass(code, "W63")));
}

/// W59 to W63: all of the 65,536 codes, read and written, on both sides.
#[test]
fn w59_w60_w61_w62_w63_every_code() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let mut out = Vec::new();
        for code in 0..=u16::MAX {
            let (mut conn, what) = (fresh(), format!("W59 to W63 {side:?} {code}"));
            out.clear();
            let seen = receive(&mut conn, side, &mut out, &[close(code, "")]);
            if assigned(code) {
                assert_eq!(seen, [Seen::close(code, "")], "{what}");
                assert_eq!(out, outgoing(side, &[close(code, "")]), "{what} is echoed");
            } else {
                let rule = if reserved(code) { Rule::ReservedCloseCode } else { Rule::UnassignedCloseCode };
                assert!(matches!(seen[..], [Seen::Failed(error)] if error.rule == rule), "{what}: {seen:?}");
                assert_eq!(out, outgoing(side, &[close(1002, "")]), "{what} is answered by 1002");
            }
            assert_eq!(CloseCode::new(code).may_be_received(), assigned(code), "{what}");

            let (mut conn, to_send) = (fresh(), assigned(code) && (code != 1010 || side == Side::Client));
            out.clear();
            let sent = conn.close(CloseCode::new(code), "", &mut out);
            assert_eq!(sent, if to_send { Ok(()) } else { Err(SendError::CloseCode) }, "{what} written");
            let expected = if to_send { outgoing(side, &[close(code, "")]) } else { vec![] };
            assert_eq!(out, expected, "{what} written");
            assert_eq!(conn.closure().sent, to_send.then(|| CloseCode::new(code)), "{what} written");
            assert_eq!(CloseCode::new(code).may_be_sent(side == Side::Server), to_send, "{what}");
            assert_eq!(
                (CloseCode::from(code).get(), CloseCode::new(code).to_string()),
                (code, code.to_string())
            );
        }
    }
    on_both_sides!(test);
}

/// W65 to W68, W76, W81, W155, W156 in the runner, which feeds more behind every Close and every failure.
#[test]
fn w64_w65_w66_w68_w76_what_follows() {
    let ours = Closure { sent: Some(CloseCode::GOING_AWAY), first: Some(Closer::Local), ..OPEN };
    run([
        Case {
            input: vec![close(1000, "first"), close(1001, "second")],
            events: vec![Seen::close(1000, "first")],
            ..Case::closed("W64 W65 only the first Close counts", 1000)
        },
        Case {
            input: vec![close(1000, ""), frame(0x81, "late"), exactly(&[0xff; 40])],
            events: vec![Seen::close(1000, "")],
            ..Case::closed("W66 what follows is not parsed", 1000)
        },
        Case {
            input: vec![frame(0x83, ""), close(1000, "")],
            ..Case::fault(
                "W68 W152 no Close is read behind a failure",
                Rule::ReservedOpcode,
                1002,
                head(0, 0),
            )
        },
        Case {
            input: vec![close(999, "reason"), close(1000, "")],
            ..Case::fault("W68 W60 a Close that is a fault", Rule::UnassignedCloseCode, 1002, body(0, 1))
        },
        Case {
            input: vec![close(1000, "\0a\0\u{feff}")],
            events: vec![Seen::close(1000, "\0a\0\u{feff}")],
            ..Case::closed("W76 NUL and BOM are data", 1000)
        },
        Case {
            before: vec![Act::Close(1001, "\0\u{feff}")],
            input: vec![close(1001, "")],
            events: vec![Seen::close(1001, "")],
            output: vec![close(1001, "\0\u{feff}")],
            transport: CLOSED,
            closure: Closure { received: Some(CloseCode::GOING_AWAY), ..ours },
            ..Case::new("W76 NUL and BOM are written")
        },
        Case {
            before: vec![Act::Send(Outgoing::text("a")), Act::Close(1001, "bye"), Act::Close(1000, "again")],
            input: vec![frame(0x81, "b"), close(4999, "so")],
            events: vec![Seen::whole(Kind::Text, "b"), Seen::close(4999, "so")],
            output: vec![frame(0x81, "a"), close(1001, "bye")],
            transport: CLOSED,
            closure: Closure { received: Some(CloseCode::new(4999)), ..ours },
            ..Case::new("W67 W78 W155 their Close is the answer to ours, whatever its code")
        },
        Case {
            before: vec![Act::Close(1001, "")],
            input: vec![frame(0x81, [0xff]), close(1001, "")],
            output: vec![close(1001, "")],
            closure: ours,
            ..Case::fault(
                "W155 W156 a fault behind our Close sends no second one",
                Rule::InvalidUtf8,
                1007,
                body(0, 0),
            )
        },
        Case {
            before: vec![Act::Close(1001, "")],
            input: vec![close(1006, "")],
            output: vec![close(1001, "")],
            closure: ours,
            ..Case::fault("W155 W59 a faulty answer", Rule::ReservedCloseCode, 1002, body(0, 1))
        },
    ]);
}

/// W74, W78: after a Close, in either direction, and after a failure nothing is sent, and nothing panics.
#[test]
fn w74_w78_after_the_close() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let ends: [(&str, &[Frame]); 4] = [
            ("ours", &[]),
            ("theirs", &[close(1000, "")]),
            ("a failure", &[frame(0x83, "")]),
            ("both", &[close(1001, "")]),
        ];
        for (what, frames) in ends {
            for open in [false, true] {
                let (mut conn, mut out) = (fresh(), Vec::new());
                if open {
                    conn.send(Outgoing::first(Kind::Text, b"Hel"), &mut out).unwrap();
                }
                if matches!(what, "ours" | "both") {
                    conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
                }
                receive(&mut conn, side, &mut out, frames);
                let (before, closure) = (out.clone(), conn.closure());
                let frames = [
                    Outgoing::text("a"),
                    Outgoing::binary(b""),
                    Outgoing::next(b"l"),
                    Outgoing::last(b"o"),
                    Outgoing::ping(b""),
                    Outgoing::pong(b""),
                ];
                for frame in frames {
                    assert_eq!(
                        conn.send(frame, &mut out),
                        Err(SendError::Closed),
                        "W74 {side:?} {what} {frame:?}"
                    );
                }
                for frame in &frames[..4] {
                    assert_eq!(
                        conn.send_header(*frame, 1, &mut out),
                        Err(SendError::Closed),
                        "W74 {side:?} {what}"
                    );
                }
                assert_eq!(
                    conn.pay(b"a", &mut out),
                    Err(SendError::Owed { bytes: 0 }),
                    "W74 {side:?} {what}"
                );
                // W78: another close does nothing.
                conn.close(CloseCode::GOING_AWAY, "again", &mut out).unwrap();
                conn.close_without_code(&mut out);
                assert_eq!(out, before, "W78 {side:?} {what}");
                assert_eq!(conn.closure(), closure, "W78 {side:?} {what}");
            }
        }
    }
    on_both_sides!(test);
    let mut server = Connection::new(Server, &Config::default(), Agreed::default());
    let mut out = Vec::new();
    server.close_without_code(&mut out);
    assert_eq!(server.send_prepared(&Prepared::text("a"), &mut out), Err(SendError::Closed), "W74");
}

#[test]
fn w75_reasons_have_a_limit() {
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let (mut conn, mut out) = (fresh(), Vec::new());
        let reason = "r".repeat(124);
        let refused = conn.close(CloseCode::NORMAL, &reason, &mut out);
        assert_eq!(refused, Err(SendError::ReasonTooLong), "W75 {side:?}");
        assert!(out.is_empty() && conn.closure() == OPEN, "W75 {side:?}");
        conn.close(CloseCode::NORMAL, &reason[..123], &mut out).unwrap();
        assert_eq!(out, outgoing(side, &[close(1000, &reason[..123])]), "W75 {side:?}");
    }
    on_both_sides!(test);
    assert_eq!(CloseFrame::MAX_REASON, 123);
    assert!(CloseFrame::new(CloseCode::NORMAL, &"r".repeat(124)).is_none());
    for char in ["a", "ä", "€", "𐍈"] {
        for pad in 0..4 {
            let long = "x".repeat(pad) + &char.repeat(200);
            let short = CloseFrame::shorten(&long);
            assert!(long.starts_with(short) && short.len() <= 123, "W75 {char} {pad}");
            assert!(short.len() + char.len() > 123, "W75 {char} {pad}: one more character would fit");
            let whole = &long[..short.len() - char.len()];
            assert_eq!(CloseFrame::shorten(whole), whole, "W75");
            assert_eq!(CloseFrame::new(CloseCode::NORMAL, short).unwrap().reason(), short, "W75");
        }
    }
}

/// W77: outputs whose memory holds other bytes at first, and is used again and again, give what an empty
/// `Vec` gives.
#[test]
fn w77_no_byte_is_left_over() {
    /// A step of an exchange; false: there was no room.
    fn step<R: Role>(conn: &mut Connection<R>, side: Side, n: usize, out: &mut impl Output) -> bool {
        let body = vec![n as u8; n % 60];
        match n % 5 {
            0 => conn.send(Outgoing::binary(&body), out).is_ok(),
            1 => conn.send(Outgoing::ping(&body), out).is_ok(),
            2 => conn.send(Outgoing::first(Kind::Text, b"x"), out).is_ok(),
            3 => conn.send(Outgoing::last(b""), out).is_ok(),
            _ => {
                receive(conn, side, out, &[ping(&body)]);
                true
            }
        }
    }
    fn test<R: Role>(side: Side, fresh: impl Fn() -> Connection<R>) {
        let (mut conn, mut expected) = (fresh(), Vec::new());
        for n in 0..500 {
            assert!(step(&mut conn, side, n, &mut expected));
        }
        conn.close(CloseCode::NORMAL, "bye", &mut expected).unwrap();

        macro_rules! through {
            ($out:expr, $drain:expr) => {{
                let (mut conn, mut out, mut all) = (fresh(), $out, Vec::new());
                for n in 0..500 {
                    while !step(&mut conn, side, n, &mut out) || conn.is_reply_waiting() {
                        $drain(&mut out, &mut all, n % 7 + 1);
                        conn.poll_transmit(&mut out);
                        if n % 5 == 4 {
                            break;
                        }
                    }
                    while conn.is_reply_waiting() {
                        $drain(&mut out, &mut all, n % 7 + 1);
                        conn.poll_transmit(&mut out);
                    }
                }
                conn.close(CloseCode::NORMAL, "bye", &mut out).unwrap();
                while conn.is_reply_waiting() || out.room() < 200 {
                    $drain(&mut out, &mut all, 3);
                    conn.poll_transmit(&mut out);
                }
                assert_eq!(all, expected, "W77 {side:?} {}", stringify!($out));
            }};
        }
        for poison in [0xee, 0x11] {
            through!(
                SliceOutput::new([poison; 200]),
                |out: &mut SliceOutput<_>, all: &mut Vec<u8>, n: usize| {
                    let n = n.min(out.pending().len());
                    all.extend_from_slice(&out.pending()[..n]);
                    out.advance(n);
                }
            );
        }
        through!(QueueOutput::with_limit(200), |out: &mut QueueOutput, all: &mut Vec<u8>, n: usize| {
            let n = n.min(out.pending().len());
            all.extend_from_slice(&out.pending()[..n]);
            out.advance(n);
        });
        through!(heapless::Vec::<u8, 200>::new(), |out: &mut heapless::Vec<u8, 200>,
                                                   all: &mut Vec<u8>,
                                                   _| {
            all.extend_from_slice(out);
            out.clear();
        });
    }
    on_both_sides!(test);
}
