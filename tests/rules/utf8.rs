//! UTF-8 (RFC 6455 §8.1) in text and in close reasons: W46 to W55.

use websocket_proto::{
    Agreed, Config, Connection, Event, Input, Kind, Outgoing, Prepared, Role, Rsv, Rule, SendError, Server,
};

use super::runner::{
    At, Case, FixedClient, Seen, Side, body, client, close, frame, head_end, incoming, outgoing, ping, pong,
    run,
};

fn reader() -> Connection<FixedClient> {
    Connection::new(client(), &Config::default(), Agreed::default())
}

/// What `core::str` says: the number of bytes up to and with the first impossible one, if there is one.
fn fault(bytes: &[u8]) -> Option<usize> {
    (1..=bytes.len())
        .find(|&n| matches!(core::str::from_utf8(&bytes[..n]), Err(e) if e.error_len().is_some()))
}

#[test]
fn w46_split_over_frames_and_reads() {
    let text = "κόσμε €\u{7ff}\u{800}\u{ffff}\u{10000}𐍈\u{10ffff}\0\u{d7ff}\u{e000}";
    let bytes = text.as_bytes();
    run((0..=bytes.len()).map(|at| Case {
        input: vec![frame(0x01, &bytes[..at]), frame(0x00, ""), ping([0xff]), frame(0x80, &bytes[at..])],
        events: vec![
            Seen::first(Kind::Text, &bytes[..at]),
            Seen::next(Kind::Text, ""),
            Seen::Ping(vec![0xff]),
            Seen::last(Kind::Text, &bytes[at..]),
        ],
        output: vec![pong([0xff])],
        ..Case::new(format!("W46 frames cut at {at}"))
    }));
    run([Case {
        input: vec![frame(0x81, bytes), frame(0x81, bytes)],
        events: vec![Seen::whole(Kind::Text, bytes), Seen::whole(Kind::Text, bytes)],
        ..Case::new("W46 reads cut everywhere")
    }]);
}

/// Sequences that are not UTF-8, and which of their bytes shows it.
const IMPOSSIBLE: &[(&[u8], usize)] = &[
    (b"\x80", 0),
    (b"\xbf", 0),
    (b"\xc0", 0),
    (b"\xc1\xbf", 0),
    (b"\xf5\x80\x80\x80", 0),
    (b"\xfe", 0),
    (b"\xff", 0),
    (b"\xc2\x7f", 1),
    (b"\xc2\xc0", 1),
    (b"\xdf\xff", 1),
    (b"\xe0\x80\x80", 1),
    (b"\xe0\x9f\xbf", 1),
    (b"\xed\xa0\x80", 1),
    (b"\xed\xbf\xbf", 1),
    (b"\xef\x41", 1),
    (b"\xf0\x80\x80\x80", 1),
    (b"\xf0\x8f\xbf\xbf", 1),
    (b"\xf4\x90\x80\x80", 1),
    (b"\xf4\xbf", 1),
    (b"\xe2\x82\x41", 2),
    (b"\xe0\xa0\xc0", 2),
    (b"\xed\x9f\x20", 2),
    (b"\xf0\x90\x28\xbc", 2),
    (b"\xf4\x8f\xff", 2),
    (b"\xf0\x90\x80\x28", 3),
    (b"\xf4\x8f\xbf\xc0", 3),
];

#[test]
fn w47_w49_the_first_impossible_byte() {
    for &(bytes, bad) in IMPOSSIBLE {
        assert_eq!(fault(bytes), Some(bad + 1), "the table is wrong: {bytes:x?}");
        let name = format!("W47 W49 {bytes:x?}");
        for before in ["", "Hello-", "0123456789abcde", "Hello-µ@ßöäüàá-UTF-8!!"] {
            let text = [before.as_bytes(), bytes, b" and more"].concat();
            let (sound, at) = (&text[..before.len() + bad], before.len() + bad);
            let told = |seen: Seen| if sound.is_empty() { vec![] } else { vec![seen.cut(text.len() as u64)] };
            run([
                Case {
                    input: vec![frame(0x81, &text)],
                    events: told(Seen::whole(Kind::Text, sound)),
                    ..Case::fault(&name, Rule::InvalidUtf8, 1007, body(0, at))
                },
                // In the middle of a message, whose end is not waited for.
                Case {
                    input: vec![frame(0x01, "a"), frame(0x00, &text)],
                    events: [vec![Seen::first(Kind::Text, "a")], told(Seen::next(Kind::Text, sound))]
                        .concat(),
                    ..Case::fault(&name, Rule::InvalidUtf8, 1007, body(1, at))
                },
            ]);
        }
        // The character is cut by frames before the byte that is wrong.
        if bad > 0 {
            run([Case {
                input: vec![frame(0x01, &bytes[..bad]), frame(0x00, ""), frame(0x80, &bytes[bad..])],
                events: vec![Seen::first(Kind::Text, &bytes[..bad]), Seen::next(Kind::Text, "")],
                ..Case::fault(&name, Rule::InvalidUtf8, 1007, body(2, 0))
            }]);
        }
    }
}

#[test]
fn w48_cut_off_by_the_end_of_the_message() {
    for prefix in [&b"\xc3"[..], b"\xe2", b"\xe2\x82", b"\xf0", b"\xf0\x90", b"\xf0\x90\x8d"] {
        let name = format!("W48 {prefix:x?}");
        let n = prefix.len();
        let sound =
            if n > 1 { vec![Seen::whole(Kind::Text, &prefix[..n - 1]).cut(n as u64)] } else { vec![] };
        let text = [b"ab", prefix].concat();
        run([
            Case {
                input: vec![frame(0x81, prefix)],
                events: sound,
                ..Case::fault(&name, Rule::TruncatedUtf8, 1007, body(0, n - 1))
            },
            Case {
                input: vec![frame(0x81, &text)],
                events: vec![Seen::whole(Kind::Text, &text[..n + 1]).cut(n as u64 + 2)],
                ..Case::fault(&name, Rule::TruncatedUtf8, 1007, body(0, n + 1))
            },
            // By the end of a frame it is not cut off, by an empty last fragment it is.
            Case {
                input: vec![frame(0x01, &text), frame(0x00, ""), frame(0x80, "")],
                events: vec![Seen::first(Kind::Text, &text), Seen::next(Kind::Text, "")],
                ..Case::fault(&name, Rule::TruncatedUtf8, 1007, head_end(2))
            },
        ]);
    }
}

/// W46, W49: every character there is, as a message of its own and all in one, in reads of several sizes.
#[test]
fn w46_w49_every_character() {
    let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
    assert_eq!(all.chars().count(), 0x11_0000 - 0x800);
    let wire = incoming(Side::Client, &[frame(0x81, &all)]);
    for size in [1, 5, 4096, wire.len()] {
        let (mut conn, mut memory, mut out) = (reader(), wire.clone(), Vec::new());
        let (mut told, mut last) = (0, false);
        for read in memory.chunks_mut(size) {
            let mut input = Input::new(read);
            while let Some(event) = conn.receive(&mut input, &mut out) {
                let Event::Data(data) = event else { panic!("W46 reads of {size}: {event:?}") };
                told += data.payload().len();
                last = data.part().last;
            }
        }
        assert!(told == all.len() && last, "W46 reads of {size}");
    }

    let mut conn = reader();
    let mut utf8 = [0; 4];
    for char in all.chars() {
        let bytes = char.encode_utf8(&mut utf8).as_bytes();
        let mut wire = [0x81, bytes.len() as u8, 0, 0, 0, 0];
        wire[2..][..bytes.len()].copy_from_slice(bytes);
        let mut input = Input::new(&mut wire[..2 + bytes.len()]);
        match conn.receive(&mut input, &mut Vec::new()) {
            Some(Event::Data(data)) => assert!(data.payload() == bytes && data.part().last, "W49 {char:?}"),
            event => panic!("W49 {char:?}: {event:?}"),
        }
    }
}

/// W47, W49: behind every beginning of a character, every byte. What `core::str` refuses fails at that byte,
/// what it takes passes, and what it takes for cut off passes unless the message ends there (W48).
#[test]
fn w47_w48_w49_every_prefix() {
    const FRAME: u64 = 1000;

    /// `conn` has read `prefix`, the beginning of a character, inside a frame. `ended` has too, but the next
    /// byte is its message's last.
    fn extend(conn: &Connection<FixedClient>, ended: &Connection<FixedClient>, prefix: &[u8]) -> usize {
        let mut refused = 0;
        let mut bytes = prefix.to_vec();
        bytes.push(0);
        let n = prefix.len();
        for byte in 0..=u8::MAX {
            bytes[n] = byte;
            let judged = core::str::from_utf8(&bytes);
            let mut conn = conn.clone();
            let mut memory = [byte];
            let offset = conn.bytes_received();
            match (conn.receive(&mut Input::new(&mut memory), &mut Vec::new()), judged) {
                (Some(Event::Data(_)), Ok(_)) => {}
                (Some(Event::Data(_)), Err(e)) if e.error_len().is_none() => {
                    let mut longer = conn_for_end(n + 2);
                    feed(&mut longer, &bytes);
                    refused += extend(&conn, &longer, &bytes);
                }
                (Some(Event::Failed(e)), Err(judged)) if judged.error_len().is_some() => {
                    assert_eq!((e.rule, e.offset), (Rule::InvalidUtf8, offset), "{bytes:x?}");
                    refused += 1;
                }
                (event, _) => panic!("W47 W49 {bytes:x?}: {event:?}, but core::str: {judged:?}"),
            }
            // Only one byte of each sort is worth the time with the message's end behind it.
            if matches!(byte, 0 | 0x7f | 0x80 | 0x8f | 0x90 | 0x9f | 0xa0 | 0xbf | 0xc2 | 0xe2 | 0xf1 | 0xff)
            {
                let mut conn = ended.clone();
                let mut memory = [byte];
                let event = conn.receive(&mut Input::new(&mut memory), &mut Vec::new());
                let failed = match event {
                    Some(Event::Failed(e)) => Some(e.rule),
                    _ => None,
                };
                let due = judged.err().map(|e| match e.error_len() {
                    Some(_) => Rule::InvalidUtf8,
                    None => Rule::TruncatedUtf8,
                });
                assert_eq!(failed, due, "W48 {bytes:x?} and the end");
            }
        }
        refused
    }

    fn feed(conn: &mut Connection<FixedClient>, bytes: &[u8]) {
        let mut memory = bytes.to_vec();
        let mut input = Input::new(&mut memory);
        while conn.receive(&mut input, &mut Vec::new()).is_some() {}
    }

    fn conn_for_end(len: usize) -> Connection<FixedClient> {
        let mut conn = reader();
        feed(&mut conn, &[0x81, len as u8]);
        conn
    }

    let mut open = reader();
    feed(&mut open, &[0x81, 126, (FRAME >> 8) as u8, FRAME as u8]);
    let refused = extend(&open, &conn_for_end(1), &[]);
    // 51 leading bytes begin a character and 77 can stand nowhere in front; behind the leading bytes stand
    // 192 (or, for e0, ed, f0 and f4, more) impossible ones, and so on: counted by hand from RFC 3629 §4.
    let second = 47 * 192 + (256 - 32) + (256 - 32) + (256 - 48) + (256 - 16);
    let two_of_three = 14 * 64 + 32 + 32;
    let two_of_four = 3 * 64 + 48 + 16;
    let expected = 77 + second + (two_of_three + two_of_four) * 192 + two_of_four * 64 * 192;
    assert_eq!(refused, expected, "W49: so many sequences are impossible");
}

#[test]
fn w50_a_byte_order_mark_is_data() {
    run([
        Case {
            input: vec![frame(0x81, "\u{feff}a\u{feff}"), frame(0x01, "\u{feff}"), frame(0x80, "\u{feff}")],
            events: vec![
                Seen::whole(Kind::Text, b"\xef\xbb\xbfa\xef\xbb\xbf"),
                Seen::first(Kind::Text, b"\xef\xbb\xbf"),
                Seen::last(Kind::Text, b"\xef\xbb\xbf"),
            ],
            ..Case::new("W50 in text")
        },
        Case {
            input: vec![close(1000, "\u{feff}bye")],
            events: vec![Seen::close(1000, "\u{feff}bye")],
            ..Case::closed("W50 W76 in a reason", 1000)
        },
    ]);
}

#[test]
fn w51_compressed_text_is_not_checked() {
    run([Case {
        agreed: Agreed::with_reserved(Rsv::RSV1),
        input: vec![
            frame(0xc1, [0xff, 0xc3]),
            frame(0x41, [0xe2]),
            frame(0x80, [0xff]),
            frame(0x81, [b'a', 0xff]),
        ],
        events: vec![
            Seen::whole(Kind::Text, [0xff, 0xc3]).compressed(),
            Seen::first(Kind::Text, [0xe2]).compressed(),
            Seen::last(Kind::Text, [0xff]).compressed(),
            Seen::whole(Kind::Text, "a").cut(2),
        ],
        ..Case::fault("W51, and the next message is checked again", Rule::InvalidUtf8, 1007, body(3, 1))
    }]);
}

#[test]
fn w53_never_checked() {
    for &(bytes, _) in IMPOSSIBLE {
        run([Case {
            input: vec![frame(0x82, bytes), frame(0x02, bytes), ping(bytes), pong(bytes), frame(0x80, bytes)],
            events: vec![
                Seen::whole(Kind::Binary, bytes),
                Seen::first(Kind::Binary, bytes),
                Seen::Ping(bytes.to_vec()),
                Seen::Pong(bytes.to_vec()),
                Seen::last(Kind::Binary, bytes),
            ],
            output: vec![pong(bytes)],
            ..Case::new(format!("W53 {bytes:x?}"))
        }]);
    }
}

#[test]
fn w54_close_reasons() {
    let case = |reason: &[u8], at: At| Case {
        input: vec![close(1000, reason)],
        ..Case::fault(format!("W54 {reason:x?}"), Rule::InvalidReason, 1007, at)
    };
    for &(bytes, bad) in IMPOSSIBLE {
        for before in ["", "reason ", "grün "] {
            let reason = [before.as_bytes(), bytes, b" and more"].concat();
            run([case(&reason, body(0, 2 + before.len() + bad))]);
        }
    }
    for cut in [&b"\xc3"[..], b"bye \xe2\x82", b"\xf0\x90\x8d"] {
        run([case(cut, body(0, 1 + cut.len()))]);
    }
    run([Case {
        input: vec![close(1000, "κόσμε € 𐍈")],
        events: vec![Seen::close(1000, "κόσμε € 𐍈")],
        ..Case::closed("W54 a reason that is UTF-8", 1000)
    }]);
}

#[test]
fn w55_outgoing_text_is_checked() {
    fn on<R: Role>(side: Side, role: R) {
        let mut conn = Connection::new(role, &Config::default(), Agreed::default());
        let mut out = Vec::new();
        for &(bytes, bad) in IMPOSSIBLE {
            let refused = Err(SendError::Utf8);
            assert_eq!(conn.send(Outgoing::whole(Kind::Text, bytes), &mut out), refused, "W55 {bytes:x?}");
            assert_eq!(conn.send(Outgoing::first(Kind::Text, bytes), &mut out), refused, "W55 {bytes:x?}");
            if bad == 0 {
                continue;
            }
            // A character begun may be continued, but not by that.
            let (head, tail) = bytes.split_at(bad);
            assert_eq!(conn.send(Outgoing::whole(Kind::Text, head), &mut out), refused, "W55 W48 {head:x?}");
            conn.send(Outgoing::first(Kind::Text, head), &mut out).unwrap();
            assert_eq!(conn.send(Outgoing::next(tail), &mut out), refused, "W55 {bytes:x?}");
            assert_eq!(conn.send(Outgoing::last(&[]), &mut out), refused, "W55 W48 {head:x?}");
            assert_eq!(conn.send_header(Outgoing::last(&[]), 0, &mut out), refused, "W55 W48 {head:x?}");
            conn.send_header(Outgoing::next(&[]), tail.len() as u64, &mut out).unwrap();
            assert_eq!(conn.pay(tail, &mut out), Err(SendError::Utf8), "W55 {bytes:x?}");
            let mut own = tail.to_vec();
            assert_eq!(conn.pay_in_place(&mut own), refused, "W55 {bytes:x?}");
            assert_eq!(own, tail, "a refusal changes nothing");
            // The refusals left the message where it was: the character can be completed.
            let debt = tail.len();
            assert_eq!(conn.owed(), debt as u64);
            let mut filler = completion(head);
            filler.resize(filler.len().max(debt), b'.');
            assert_eq!(conn.pay(&filler[..debt], &mut out), Ok(debt), "W55 {bytes:x?}");
            conn.send(Outgoing::last(&[&filler[debt..], b"!"].concat()), &mut out).unwrap();
        }
        assert!(!out.is_empty());
        out.clear();
        let text = "κόσμε 𐍈";
        for at in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            conn.send(Outgoing::first(Kind::Text, head), &mut out).unwrap();
            conn.send(Outgoing::ping(&[0xff]), &mut out).unwrap();
            conn.send(Outgoing::last(tail), &mut out).unwrap();
            assert_eq!(
                out,
                outgoing(side, &[frame(0x01, head), ping([0xff]), frame(0x80, tail)]),
                "W55 at {at}"
            );
            out.clear();
        }
        for &(bytes, _) in IMPOSSIBLE {
            conn.send(Outgoing::binary(bytes), &mut out).unwrap();
        }
    }
    on(Side::Server, Server);
    on(Side::Client, client());
    for &(bytes, _) in IMPOSSIBLE {
        assert!(Prepared::in_memory(Kind::Text, bytes, [0; 64]).is_none(), "W55 {bytes:x?}");
        assert!(Prepared::in_memory(Kind::Binary, bytes, [0; 64]).is_some());
    }
}

/// The bytes that make a character of its beginning.
fn completion(head: &[u8]) -> Vec<u8> {
    // One of these second bytes is legal behind every leading byte.
    for first in [0x80, 0x90, 0xa0] {
        for more in 0..3 {
            let tail = [&[first][..], &[0x80, 0x80][..more]].concat();
            if core::str::from_utf8(&[head, &tail].concat()).is_ok() {
                return tail;
            }
        }
    }
    panic!("{head:x?} begins no character");
}
