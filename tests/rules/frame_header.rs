//! The frame header (RFC 6455 §5.2): W1 to W20.

use websocket_proto::{
    Agreed, Config, Connection, Event, FrameHeader, Input, Kind, Lenient, Opcode, Role, Rsv, Rule, Server,
};

use super::runner::{
    BOTH, Case, PEER_KEY, Probe, Seen, Side, announce, client, frame, head, incoming, naive_mask, ping, raw,
    run,
};

/// No limit but the protocol's own.
fn unlimited() -> Config {
    Config { frame_limit: u64::MAX, message_limit: u64::MAX, fragment_limit: u32::MAX, ..Config::default() }
}

fn extended16(len: u16) -> Vec<u8> {
    [&[0x82, 126][..], &len.to_be_bytes()].concat()
}

fn extended64(len: u64) -> Vec<u8> {
    [&[0x82, 127][..], &len.to_be_bytes()].concat()
}

const RESERVED: [u8; 10] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

#[test]
fn w1_top_bit() {
    run([1 << 63, (1 << 63) + 5, u64::MAX - 1, u64::MAX].map(|len| Case {
        config: unlimited(),
        input: vec![raw(&extended64(len), "never read")],
        ..Case::fault(format!("W1 length {len:#x}"), Rule::LengthTopBit, 1002, head(0, 9))
    }));
}

#[test]
fn w2_w3_shortest_form() {
    let short = |rule, id: &str, bytes: Vec<u8>| Case {
        input: vec![raw(&bytes, "never read")],
        ..Case::fault(format!("{id} {bytes:?}"), rule, 1002, head(0, bytes.len() - 1))
    };
    run([0, 1, 5, 124, 125].map(|len| short(Rule::NonMinimalLength16, "W2", extended16(len))));
    let lengths = [0, 5, 125, 126, 255, 65534, 65535];
    run(lengths.map(|len| short(Rule::NonMinimalLength64, "W3", extended64(len))));
}

#[test]
fn w2_w3_lenient() {
    let lenient = Lenient { non_minimal_length: true, ..Lenient::default() };
    let case = |bytes: Vec<u8>, payload: &str| Case {
        config: Config { lenient, ..Config::default() },
        input: vec![raw(&bytes, payload), frame(0x81, "next")],
        events: vec![Seen::whole(Kind::Binary, payload), Seen::whole(Kind::Text, "next")],
        ..Case::new(format!("W2 W3 forgiven {bytes:?}"))
    };
    run([
        case(extended16(0), ""),
        case(extended16(5), "Hello"),
        case(extended64(0), ""),
        case(extended64(5), "Hello"),
    ]);
    run([Case {
        config: Config { lenient, ..unlimited() },
        input: vec![raw(&extended64(1 << 63), "")],
        ..Case::fault("W1 not forgiven with W3", Rule::LengthTopBit, 1002, head(0, 9))
    }]);
}

#[test]
fn w2_w3_boundaries() {
    run([0_usize, 1, 125, 126, 127, 255, 256, 65535, 65536].map(|len| {
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        Case {
            input: vec![frame(0x82, &payload), frame(0x81, "next")],
            events: vec![Seen::whole(Kind::Binary, payload), Seen::whole(Kind::Text, "next")],
            ..Case::new(format!("W2 W3 length {len}"))
        }
    }));
}

/// Lengths that a narrower or a signed integer would take for something else.
const HUGE: [u64; 12] = [
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    (1 << 32) + 5,
    1 << 53,
    1 << 62,
    (1 << 63) - 2,
    (1 << 63) - 1,
    0x7fff_ffff_8000_0001,
];

#[test]
fn w4_lengths_are_64_bits() {
    run(HUGE.map(|len| Case {
        config: unlimited(),
        input: vec![announce(0x82, len), raw(&[], "")],
        ..Case::new(format!("W4 length {len:#x} is legal"))
    }));
    run(HUGE.map(|len| Case {
        input: vec![announce(0x82, len)],
        ..Case::fault(format!("W4 length {len:#x} is above the limit"), Rule::FrameTooLong, 1009, head(0, 9))
    }));
    run(HUGE.map(|len| Case {
        config: Config { frame_limit: len, message_limit: len - 1, ..unlimited() },
        input: vec![announce(0x82, len)],
        ..Case::fault(
            format!("W4 length {len:#x} is one above the limit"),
            Rule::MessageTooLong,
            1009,
            head(0, 9),
        )
    }));
}

#[test]
fn w4_w18_w20_a_huge_frame_begins() {
    fn on<R: Role>(side: Side, role: R, len: u64) {
        let what = format!("W18 W20 {side:?} {len:#x}");
        let mut probe = Probe::open(role, &unlimited(), Agreed::default(), &what);
        probe.feed(&incoming(side, &[announce(0x82, len)]));
        assert!(probe.seen.is_empty() && probe.out.is_empty(), "{what}");
        assert_eq!(probe.conn.frame_remaining(), len, "{what}");
        for (i, piece) in [&b"abc"[..], b"defgh"].into_iter().enumerate() {
            let key = if side == Side::Server { PEER_KEY } else { [0; 4] };
            probe.feed(&naive_mask(key, 3 * i, piece));
        }
        assert_eq!(probe.seen, [Seen::whole(Kind::Binary, "abcdefgh").cut(len)], "{what}");
        assert_eq!(probe.conn.frame_remaining(), len - 8, "{what}");
        // Nothing was reserved for what was announced: an output takes memory when it is written to, and this
        // one was not.
        assert_eq!(probe.out.capacity(), 0, "{what}");
    }
    for len in HUGE {
        on(Side::Server, Server, len);
        on(Side::Client, client(), len);
    }
}

#[test]
fn w5_w7_sums_do_not_wrap() {
    let most = (1 << 63) - 1;
    let begun = || vec![Seen::first(Kind::Binary, "12345")];
    run([
        Case {
            config: unlimited(),
            input: vec![frame(0x02, "12345"), announce(0x80, most)],
            events: begun(),
            ..Case::new("W5 no limit: 5 and 2^63-1 bytes are a message")
        },
        Case {
            config: Config { message_limit: most, ..unlimited() },
            input: vec![frame(0x02, "12345"), announce(0x80, most)],
            events: begun(),
            ..Case::fault(
                "W5 W7 5 and 2^63-1 bytes are more than 2^63-1",
                Rule::MessageTooLong,
                1009,
                head(1, 9),
            )
        },
        Case {
            config: Config { message_limit: 8, ..unlimited() },
            input: vec![frame(0x02, "12345"), announce(0x80, most)],
            events: begun(),
            ..Case::fault("W7 5 and 2^63-1 bytes are more than 8", Rule::MessageTooLong, 1009, head(1, 9))
        },
        Case {
            config: Config { message_limit: 8, ..unlimited() },
            input: vec![frame(0x02, "12345"), frame(0x80, "6789")],
            events: begun(),
            ..Case::fault("W7 one byte too many", Rule::MessageTooLong, 1009, head(1, 1))
        },
        Case {
            config: Config { message_limit: 8, ..unlimited() },
            input: vec![frame(0x02, "12345"), frame(0x80, "678")],
            events: vec![Seen::first(Kind::Binary, "12345"), Seen::last(Kind::Binary, "678")],
            ..Case::new("W7 the limit itself")
        },
    ]);
}

#[test]
fn w6_length_bytes_have_no_sign() {
    let header = |len| FrameHeader { fin: true, rsv: Rsv::NONE, opcode: Opcode::Binary, mask: None, len };
    for place in 0..8 {
        for byte in [0x01, 0x7f, 0x80, 0xff_u64] {
            // A bit below keeps the form the shortest one.
            let len = (byte << (8 * place)) | 0x0001_0000;
            if len >> 63 != 0 {
                assert_eq!(header(len).encode(), None, "W1 {len:#x} is not written");
                continue;
            }
            let bytes = extended64(len);
            assert_eq!(FrameHeader::decode(&bytes), Ok(Some((header(len), 10))), "W6 {len:#x}");
            assert_eq!(header(len).encode().unwrap()[..], bytes, "W6 {len:#x}");
        }
    }
    for len in 126..=u16::MAX {
        let bytes = extended16(len);
        assert_eq!(FrameHeader::decode(&bytes), Ok(Some((header(len.into()), 4))), "W6 {len:#x}");
        assert_eq!(header(len.into()).encode().unwrap()[..], bytes, "W6 {len:#x}");
    }
}

/// W8 to W12: every set of reserved bits, under every set of negotiated ones, on every opcode.
#[test]
fn w8_w9_w10_w11_w12_reserved_bits() {
    let sets = |bits: u8| {
        [(4, Rsv::RSV1), (2, Rsv::RSV2), (1, Rsv::RSV3)]
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .fold(Rsv::NONE, |set, (_, bit)| set.with(*bit))
    };
    for negotiated in 0..8 {
        for bits in 0..8_u8 {
            for opcode in [0, 1, 2, 8, 9, 10] {
                let fragment = opcode == 0;
                let mut input = if fragment { vec![frame(0x02, "")] } else { vec![] };
                let mut events = if fragment { vec![Seen::first(Kind::Binary, "")] } else { vec![] };
                let n = input.len();
                input.push(frame(0x80 | bits << 4 | opcode, ""));
                let rules = format!("W12 negotiated {negotiated:03b}, set {bits:03b}, opcode {opcode}");
                let fault = match (bits & !negotiated, opcode) {
                    _ if bits == 0 => None,
                    (unknown, _) if unknown & 3 != 0 => Some(Rule::ReservedBit),
                    (unknown, _) if unknown != 0 => Some(Rule::CompressionNotNegotiated),
                    (_, 0) if bits & 4 != 0 => Some(Rule::CompressedContinuation),
                    (_, 8..) if bits & 4 != 0 => Some(Rule::CompressedControl),
                    _ => None,
                };
                let base = match (fault, opcode) {
                    (Some(rule), _) => Case::fault(rules, rule, 1002, head(n, 0)),
                    (None, 8) => Case { output: vec![frame(0x88, "")], ..Case::closed(rules, 1005) },
                    (None, 9) => Case { output: vec![frame(0x8a, "")], ..Case::new(rules) },
                    (None, _) => Case::new(rules),
                };
                if fault.is_none() {
                    events.push(match opcode {
                        0 => Seen::last(Kind::Binary, "").reserved(sets(bits)),
                        1 => Seen::whole(Kind::Text, "").reserved(sets(bits)),
                        2 => Seen::whole(Kind::Binary, "").reserved(sets(bits)),
                        8 => Seen::Close(None),
                        9 => Seen::Ping(vec![]),
                        _ => Seen::Pong(vec![]),
                    });
                }
                run([Case { agreed: Agreed::with_reserved(sets(negotiated)), input, events, ..base }]);
            }
        }
    }
    assert_eq!(Rule::ReservedBit.id(), "W8");
    assert_eq!(Rule::CompressionNotNegotiated.id(), "W9");
    assert_eq!(Rule::CompressedControl.id(), "W10");
    assert_eq!(Rule::CompressedContinuation.id(), "W11");
}

#[test]
fn w13_reserved_opcodes() {
    for opcode in RESERVED {
        for high in (0..16).map(|bits| bits << 4) {
            run([Case {
                agreed: Agreed::with_reserved(Rsv::RSV1.with(Rsv::RSV2).with(Rsv::RSV3)),
                input: vec![frame(high | opcode, "Hello")],
                ..Case::fault(
                    format!("W13 first byte {:#x}", high | opcode),
                    Rule::ReservedOpcode,
                    1002,
                    head(0, 0),
                )
            }]);
        }
        run([Case {
            input: vec![frame(0x01, "a"), ping("b"), frame(0x80 | opcode, "Hello")],
            events: vec![Seen::first(Kind::Text, "a"), Seen::Ping(b"b".to_vec())],
            output: vec![frame(0x8a, "b"), super::runner::close(1002, "")],
            ..Case::fault(
                format!("W13 opcode {opcode} inside a message"),
                Rule::ReservedOpcode,
                1002,
                head(2, 0),
            )
        }]);
    }
}

/// W14: the runner feeds every fault's bytes up to the one that proves it, and one fewer. Here: a header that
/// breaks several rules fails by the one whose byte comes first, and no payload is waited for.
#[test]
fn w14_the_first_fault_counts() {
    let long_ping = [&[0x09, 127][..], &u64::MAX.to_be_bytes()].concat();
    run([
        Case {
            input: vec![raw(&long_ping, "")],
            ..Case::fault("W14 FIN, then length", Rule::FragmentedControl, 1002, head(0, 0))
        },
        Case {
            input: vec![raw(&[0x89, 127, 0xff], "")],
            ..Case::fault("W14 7 bits of length, then the rest", Rule::ControlTooLong, 1002, head(0, 1))
        },
        Case {
            sides: &[Side::Client],
            input: vec![raw(&[0x82, 0xff, 0xff], "")],
            ..Case::fault("W14 mask bit, then length", Rule::MaskedFrame, 1002, head(0, 1))
        },
        Case {
            input: vec![announce(0x82, 1 << 30)],
            ..Case::fault("W14 a limit before the key", Rule::FrameTooLong, 1009, head(0, 9))
        },
    ]);
}

/// W15: every header form, cut between any two bytes; the runner cuts a short input everywhere.
#[test]
fn w15_headers_in_pieces() {
    run([1_usize, 125, 126, 300].map(|len| Case {
        input: vec![frame(0x01, vec![b'x'; len]), frame(0x80, "y")],
        events: vec![Seen::first(Kind::Text, vec![b'x'; len]), Seen::last(Kind::Text, "y")],
        ..Case::new(format!("W15 length {len}"))
    }));
    // In three pieces: a long length's header cut twice, between extended length and key too.
    let input = incoming(Side::Server, &[frame(0x82, vec![9; 70_000])]);
    for first in 0..16 {
        for second in first..16 {
            let what = format!("W15 cut at {first} and {second}");
            let mut probe = Probe::open(Server, &Config::default(), Agreed::default(), &what);
            for piece in [&input[..first], &input[first..second], &input[second..]] {
                probe.feed(piece);
            }
            assert_eq!(probe.seen, [Seen::whole(Kind::Binary, vec![9; 70_000])], "{what}");
        }
    }
}

#[test]
fn w16_mask_phase_runs_over_the_frame() {
    let payload: Vec<u8> = (0..=255).collect();
    for size in 1..=40 {
        let what = format!("W16 reads of {size} bytes");
        let mut probe = Probe::open(Server, &Config::default(), Agreed::default(), &what);
        let input =
            incoming(Side::Server, &[frame(0x02, &payload[..3]), frame(0x80, &payload), ping(&payload[..5])]);
        input.chunks(size).for_each(|piece| probe.feed(piece));
        let expected = [
            Seen::first(Kind::Binary, &payload[..3]),
            Seen::last(Kind::Binary, &payload),
            Seen::Ping(payload[..5].to_vec()),
        ];
        assert_eq!(probe.seen, expected, "{what}");
    }
}

/// W17: the runner looks around every read. Here: inside a read, what is not payload stays as it was.
#[test]
fn w17_only_payload_is_unmasked() {
    let frames = [frame(0x81, "Hello"), frame(0x82, [0; 37]), ping("abc"), frame(0x82, "")];
    let before = incoming(Side::Server, &frames);
    let mut memory = before.clone();
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut input = Input::new(&mut memory);
    while conn.receive(&mut input, &mut Vec::new()).is_some() {}
    let (mut at, mut outside) = (0, Vec::new());
    for (head, body) in [(6, 5), (6, 37), (6, 3), (6, 0)] {
        outside.extend(at..at + head);
        at += head + body;
    }
    assert_eq!(at, before.len());
    for i in outside {
        assert_eq!(memory[i], before[i], "W17: byte {i} is of a header");
    }
}

#[test]
fn w18_a_frame_larger_than_any_buffer() {
    let payload: Vec<u8> = (0..1 << 20).map(|i: u32| (i / 3) as u8).collect();
    for side in BOTH {
        let input = incoming(*side, &[frame(0x82, &payload)]);
        let mut memory = [0; 512];
        let (mut server, mut reader) = (
            Connection::new(Server, &Config::default(), Agreed::default()),
            Connection::new(client(), &Config::default(), Agreed::default()),
        );
        let (mut got, mut pieces) = (Vec::new(), 0);
        for read in input.chunks(512) {
            memory[..read.len()].copy_from_slice(read);
            let mut input = Input::new(&mut memory[..read.len()]);
            let event = match side {
                Side::Server => server.receive(&mut input, &mut Vec::new()),
                Side::Client => reader.receive(&mut input, &mut Vec::new()),
            };
            let Some(Event::Data(data)) = event else { panic!("W18: a read with payload tells nothing") };
            got.extend_from_slice(data.payload());
            pieces += 1;
        }
        assert!(got == payload, "W18 {side:?}");
        assert_eq!(pieces, input.len().div_ceil(512), "W18 {side:?}");
    }
}

#[test]
fn w19_borders_show() {
    let mut conn = Connection::new(client(), &Config::default(), Agreed::default());
    let wire = incoming(Side::Client, &[frame(0x01, "abc"), frame(0x00, ""), frame(0x80, "de")]);
    // first, last, starts_frame, ends_frame, fin, frame_len, remaining behind the piece
    let expected = [
        (true, false, true, false, false, 3, 2),
        (false, false, false, false, false, 3, 1),
        (false, false, false, true, false, 3, 0),
        (false, false, true, true, false, 0, 0),
        (false, false, true, false, true, 2, 1),
        (false, true, false, true, true, 2, 0),
    ];
    let mut seen = Vec::new();
    for byte in wire {
        let mut memory = [byte];
        if let Some(Event::Data(data)) = conn.receive(&mut Input::new(&mut memory), &mut Vec::new()) {
            let part = data.part();
            let border = (part.starts_frame, part.ends_frame, part.fin, part.frame_len);
            let remaining = conn.frame_remaining();
            seen.push((part.first, part.last, border.0, border.1, border.2, border.3, remaining));
        }
    }
    assert_eq!(seen, expected, "W19");
}

/// W20: what a connection owns is the struct and nothing else, however long the frames that are announced.
#[test]
fn w20_nothing_is_reserved_by_a_declared_length() {
    let mut out = heapless::Vec::<u8, { websocket_proto::MIN_OUTPUT }>::new();
    let mut conn = Connection::new(Server, &unlimited(), Agreed::default());
    let mut head = incoming(Side::Server, &[announce(0x82, 1 << 62)]);
    assert!(conn.receive(&mut Input::new(&mut head), &mut out).is_none());
    assert_eq!(conn.frame_remaining(), 1 << 62);
    assert!(out.is_empty());
    assert!(size_of_val(&conn) <= 352);
}
