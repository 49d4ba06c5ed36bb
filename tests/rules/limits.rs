//! The limits of frames and messages (RFC 6455 §10.4): W38 to W41, W154.

use websocket_proto::{Agreed, Config, Connection, Event, Input, Kind, Rsv, Rule, SAVED};

use super::runner::{
    Case, Frame, Seen, Side, announce, client, close, frame, head, incoming, ping, pong, receive, run,
};

fn twice<T: Clone>(items: Vec<T>) -> Vec<T> {
    [items.clone(), items].concat()
}

#[test]
fn w38_w39_fragments_are_counted() {
    let config = |fragment_limit| Config { fragment_limit, ..Config::default() };
    for payload in ["", "x"] {
        let (first, next, last) = (frame(0x02, payload), frame(0x00, payload), frame(0x80, payload));
        let seen = || vec![Seen::first(Kind::Binary, payload), Seen::next(Kind::Binary, payload)];
        run([
            Case {
                config: config(3),
                input: twice(vec![first.clone(), next.clone(), ping("1"), last.clone()]),
                events: {
                    let mut seen = seen();
                    seen.extend([Seen::Ping(b"1".to_vec()), Seen::last(Kind::Binary, payload)]);
                    twice(seen)
                },
                output: vec![pong("1"), pong("1")],
                ..Case::new(format!("W38 W39 the limit itself, twice, {payload:?}"))
            },
            Case {
                config: config(2),
                input: vec![first.clone(), next.clone(), last.clone()],
                events: seen(),
                ..Case::fault(
                    format!("W38 W39 one beyond the limit, {payload:?}"),
                    Rule::TooManyFragments,
                    1008,
                    head(2, 0),
                )
            },
            Case {
                config: config(1),
                input: vec![frame(0x82, payload), frame(0x81, payload)],
                events: vec![Seen::whole(Kind::Binary, payload), Seen::whole(Kind::Text, payload)],
                ..Case::new("W39 a whole message is one fragment")
            },
            Case {
                config: config(0),
                input: vec![ping("1"), frame(0x82, payload)],
                events: vec![Seen::Ping(b"1".to_vec())],
                output: vec![pong("1"), close(1008, "")],
                ..Case::fault("W39 no message at all", Rule::TooManyFragments, 1008, head(1, 0))
            },
            Case {
                config: config(u32::MAX),
                input: vec![first, next, last],
                events: {
                    let mut seen = seen();
                    seen.push(Seen::last(Kind::Binary, payload));
                    seen
                },
                ..Case::new("W39 no limit")
            },
        ]);
    }
}

/// Reads `first`, then `next` again and again, all in large reads, and says how many frames came before a
/// failure.
fn count(config: &Config, frames: usize, payload: &[u8]) -> (usize, Option<Rule>) {
    let mut conn = Connection::new(client(), config, Agreed::default());
    let mut out = Vec::new();
    let mut told = 0;
    let mut wire = incoming(Side::Client, &[frame(0x02, payload)]);
    let next = incoming(Side::Client, &[frame(0x00, payload)]);
    for start in (0..frames).step_by(1024) {
        let more = (frames - start).min(1024);
        wire.extend(next.repeat(if start == 0 { more - 1 } else { more }));
        let mut input = Input::new(&mut wire);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            told += usize::from(matches!(event, Event::Data(_)));
        }
        wire.clear();
    }
    (told, conn.failure().map(|error| error.rule))
}

#[test]
fn w39_the_default_limit() {
    let config = Config::default();
    assert!(config.fragment_limit > 65_536);
    // A message of 4 MiB in fragments of 64 bytes.
    assert_eq!(count(&config, 65_536, &[7; 64]), (65_536, None), "W39");
    let limit = config.fragment_limit as usize;
    assert_eq!(count(&config, limit, &[]), (limit, None), "W39 at the limit");
    assert_eq!(count(&config, limit + 1, &[]), (limit, Some(Rule::TooManyFragments)), "W39 one beyond");
    let unlimited = Config { fragment_limit: u32::MAX, ..config };
    assert_eq!(count(&unlimited, limit + 1000, &[]), (limit + 1000, None), "W39 without a limit");
}

/// W40, W41: at the limit and one beyond, for every form of the length.
#[test]
fn w40_frame_limit() {
    for len in [0_u64, 1, 124, 125, 126, 1000, 65_534, 65_535, 65_536, 70_000] {
        let config = Config { frame_limit: len, ..Config::default() };
        let payload = vec![b'x'; len as usize];
        let place = |len| head(0, announce(0x82, len).bytes(None).len() - 1);
        run([
            Case {
                config,
                input: vec![frame(0x82, &payload), frame(0x01, &payload), frame(0x80, &payload)],
                events: vec![
                    Seen::whole(Kind::Binary, &payload),
                    Seen::first(Kind::Text, &payload),
                    Seen::last(Kind::Text, &payload),
                ],
                ..Case::new(format!("W40 a frame at the limit of {len}"))
            },
            Case {
                config,
                input: vec![announce(0x82, len + 1)],
                ..Case::fault(format!("W40 a frame beyond {len}"), Rule::FrameTooLong, 1009, place(len + 1))
            },
        ]);
    }
}

#[test]
fn w40_w41_message_limit() {
    for len in [0_u64, 1, 125, 126, 300, 65_535, 65_536] {
        let config = Config { message_limit: len, ..Config::default() };
        let payload = vec![b'x'; len as usize];
        let place = |frame, len| head(frame, announce(0x82, len).bytes(None).len() - 1);
        let half = payload.len() / 2;
        run([
            Case {
                config,
                input: twice(vec![frame(0x01, &payload[..half]), frame(0x80, &payload[half..])]),
                events: twice(vec![
                    Seen::first(Kind::Text, &payload[..half]),
                    Seen::last(Kind::Text, &payload[half..]),
                ]),
                ..Case::new(format!("W41 messages at the limit of {len}"))
            },
            Case {
                config,
                input: vec![announce(0x82, len + 1)],
                ..Case::fault(
                    format!("W41 one frame beyond {len}"),
                    Rule::MessageTooLong,
                    1009,
                    place(0, len + 1),
                )
            },
            Case {
                config,
                input: vec![frame(0x02, &payload), frame(0x00, ""), announce(0x00, 1)],
                events: vec![Seen::first(Kind::Binary, &payload), Seen::next(Kind::Binary, "")],
                ..Case::fault(
                    format!("W40 W41 the last byte beyond {len}"),
                    Rule::MessageTooLong,
                    1009,
                    head(2, 1),
                )
            },
        ]);
    }
    let config = Config::default();
    run([
        Case {
            config: Config { frame_limit: u64::MAX, ..config },
            input: vec![announce(0x82, 64 << 20)],
            ..Case::new("W41 the default limit")
        },
        Case {
            config: Config { frame_limit: u64::MAX, ..config },
            input: vec![announce(0x82, (64 << 20) + 1)],
            ..Case::fault("W41 beyond the default", Rule::MessageTooLong, 1009, head(0, 9))
        },
        Case { input: vec![announce(0x82, 16 << 20)], ..Case::new("W40 the default limit") },
        Case {
            input: vec![announce(0x82, (16 << 20) + 1)],
            ..Case::fault("W40 beyond the default", Rule::FrameTooLong, 1009, head(0, 9))
        },
        Case {
            config: Config { frame_limit: u64::MAX, message_limit: u64::MAX, ..config },
            input: vec![frame(0x02, "abc"), announce(0x80, (1 << 63) - 1)],
            events: vec![Seen::first(Kind::Binary, "abc")],
            ..Case::new("W40 W41 no limits")
        },
    ]);
}

#[test]
fn w154_wire_size_of_compressed_messages() {
    let config = Config { frame_limit: 10, message_limit: 15, fragment_limit: 3, ..Config::default() };
    run([
        Case {
            agreed: Agreed::with_reserved(Rsv::RSV1),
            config,
            input: vec![frame(0x42, [1; 10]), announce(0x80, 6)],
            events: vec![Seen::first(Kind::Binary, [1; 10]).compressed()],
            ..Case::fault("W154 the message's bytes", Rule::MessageTooLong, 1009, head(1, 1))
        },
        Case {
            agreed: Agreed::with_reserved(Rsv::RSV1),
            config,
            input: vec![announce(0xc2, 11)],
            ..Case::fault("W154 the frame's bytes", Rule::FrameTooLong, 1009, head(0, 1))
        },
    ]);
}

/// `u32::MAX` means unlimited, however many fragments come. So many take days: the count is put into a saved
/// state.
#[test]
fn w39_unlimited_is_unlimited() {
    let config = Config { fragment_limit: u32::MAX, ..Config::default() };
    let state = |frames: &[Frame]| {
        let mut conn = Connection::new(client(), &config, Agreed::default());
        receive(&mut conn, Side::Client, &mut Vec::new(), frames);
        let mut saved = [0; SAVED];
        let len = conn.save(&mut saved);
        saved[..len].to_vec()
    };
    // Two states that differ in the number of fragments only show where it stands.
    let one = state(&[frame(0x02, ""), frame(0x80, ""), frame(0x02, "")]);
    let mut three = state(&[frame(0x02, ""), frame(0x00, ""), frame(0x00, "")]);
    let differing: Vec<_> = (0..one.len()).filter(|&i| one[i] != three[i]).collect();
    let [at] = differing[..] else { panic!("{differing:?}") };
    three[at - 3..=at].copy_from_slice(&(u32::MAX - 2).to_be_bytes());
    let mut conn = Connection::restore(client(), &three).unwrap();
    for n in 0..5 {
        let seen = receive(&mut conn, Side::Client, &mut Vec::new(), &[frame(0x00, "")]);
        assert_eq!(seen, [Seen::next(Kind::Binary, "")], "W39: fragment 2^32 - {}", 2 - n);
    }
}
