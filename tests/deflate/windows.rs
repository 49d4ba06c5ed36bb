//! How far distances reach: the window agreed on, and not a byte further.

use super::{
    bits::{Bits, bits},
    runner::{FIN, TEXT, binary, frame, in_memory, noise, reads, reads_long, run},
};
use websocket_proto::{DeflateSide, DeflateTerms, Inflate, InflateState, Rule};

const BITS: std::ops::RangeInclusive<u8> = 8..=15;

fn side(window_bits: u8, takeover: bool) -> DeflateSide {
    DeflateSide { window_bits, takeover }
}

/// W139, W140: at the window's edge and one beyond it; the edge is the beginning of the stream while that is nearer.
#[test]
fn the_window_s_edge() {
    for bits_ in BITS {
        let size = 1_usize << bits_;
        for before in [1, 2, size / 2, size - 1, size, size + 1, 2 * size + 3] {
            let history = noise(before);
            let reach = before.min(size);
            for (distance, legal) in [(1, true), (reach, true), (reach + 1, false)] {
                let copied: Vec<u8> = (0..20)
                    .map(|at| history[before - distance.min(reach) + at % distance.min(reach)])
                    .collect();
                // In one message; in two; W131: behind a final block, of the same message or another one.
                let copy = |bits: Bits| bits.fixed(false).copy(20, distance as u32).end().message();
                let kept = bits().all_stored(&history);
                let one = binary(&copy(kept.clone()));
                let two = [binary(&kept.clone().message()), binary(&copy(bits()))].concat();
                let ended = kept.stored(true, b"").bytes();
                let same = binary(&[&ended[..], &copy(bits())].concat());
                let other = [binary(&ended), binary(&copy(bits()))].concat();
                for (stream, crossing) in [(one, false), (two, true), (same, false), (other, true)] {
                    if distance > 1 << 15 {
                        continue; // No code says it.
                    }
                    for takeover in [false, true] {
                        let read = if stream.len() < 64 {
                            reads(side(bits_, takeover), 1 << 20, &stream)
                        } else {
                            reads_long(side(bits_, takeover), 1 << 20, &stream)
                        };
                        let what = format!("{bits_} bits, {before} before, distance {distance}, {takeover}");
                        if legal && (takeover || !crossing) {
                            assert_eq!(read.unwrap().concat(), [&history[..], &copied].concat(), "{what}");
                        } else {
                            assert_eq!(read, Err(Rule::CorruptCompression), "W135, W140: {what}");
                        }
                    }
                }
            }
        }
    }
}

/// W140: what lies in the memory that was handed in was not sent on this connection.
#[test]
fn memory_of_others() {
    let secret = vec![b'S'; 1 << 15];
    for bits_ in BITS {
        for distance in [1, 2, 100, 1 << bits_] {
            let stream = binary(&bits().fixed(false).copy(100, distance).end().message());
            let inflate = Inflate::in_memory(side(bits_, true), 1000, secret.clone()).unwrap();
            assert_eq!(run(inflate, side(bits_, true), &[&stream], 4096), Err(Rule::CorruptCompression));
            assert_eq!(reads(side(bits_, true), 1000, &stream), Err(Rule::CorruptCompression));
        }
    }
}

/// W135: each side's flag acts on what that side compresses, and no message of the other direction matters.
#[test]
fn each_direction_by_itself() {
    let twice = [
        binary(&bits().block(false, b"Hello").message()),
        binary(&bits().fixed(false).copy(5, 5).end().message()),
    ]
    .concat();
    for (server, client) in [(true, true), (true, false), (false, true), (false, false)] {
        let terms = DeflateTerms { server: side(9, server), client: side(10, client) };
        let read = run(in_memory(terms.server, 100), terms.server, &[&twice], 100);
        assert_eq!(read.is_ok(), server, "{terms:?}");
    }
}

/// Numbers that no window has are the nearest; memory that is too small is refused.
#[test]
fn sizes_of_memory() {
    for (bits_, size) in
        [(0, 256), (7, 256), (8, 256), (9, 512), (15, 1 << 15), (16, 1 << 15), (255, 1 << 15)]
    {
        for takeover in [false, true] {
            let side = side(bits_, takeover);
            assert!(Inflate::in_memory(side, 1, vec![0; size]).is_some(), "{bits_}");
            assert!(Inflate::in_memory(side, 1, vec![0; size - 1]).is_none(), "{bits_}");
            let mut state = InflateState::default();
            assert!(Inflate::with_state(side, 1, &mut state, vec![0; size]).is_some(), "{bits_}");
            assert!(Inflate::with_state(side, 1, &mut state, vec![0; size - 1]).is_none(), "{bits_}");
        }
    }
    assert!(Inflate::in_memory(side(8, true), 1, [0; 256]).is_some());
    assert!(Inflate::in_memory(side(8, true), 1, &mut [0; 256][..]).is_some());
    assert!(Inflate::in_memory(side(8, true), 1, vec![0; 256].into_boxed_slice()).is_some());
}

/// A window that wrapped in the middle of a copy, in pieces of every size, with control frames between (W137) and
/// messages that pass by (W136).
#[test]
fn wrapping() {
    for bits_ in [8, 9, 15] {
        let size = 1_usize << bits_;
        let mut expected = noise(size - 3);
        let mut message = bits().all_stored(&expected).fixed(false);
        for (len, distance) in [(258, 300), (258, 250), (3, 256), (258, 1), (200, 255)] {
            if distance > size {
                continue;
            }
            message = message.copy(len, distance as u32);
            for _ in 0..len {
                expected.push(expected[expected.len() - distance]);
            }
        }
        let message = message.end().message();
        let mut stream = frame(TEXT + 1, b"");
        for chunk in message.chunks(50) {
            stream.extend([b"\x89\x00", &frame(0, chunk)[..]].concat());
        }
        stream.extend(frame(FIN, b""));
        stream.extend(b"\x81\x01x");
        stream.extend(binary(&bits().fixed(false).copy(10, 256).end().message()));
        let read = reads_long(side(bits_, true), 1 << 20, &stream).unwrap();
        assert!(read[0] == expected, "{bits_}");
        let from = expected.len() - 256;
        assert_eq!(read[2], expected[from..from + 10], "{bits_}");
    }
}

/// `release` gives back what can be made anew, and nothing that a distance may reach.
#[cfg(feature = "alloc")]
#[test]
fn releasing() {
    use super::runner::{connection, text};
    use websocket_proto::{Assembler, Event, Input, SliceOutput};

    let hello = bits().block(false, b"Hello").message();
    let back = text(&bits().fixed(false).copy(5, 5).end().message());
    let ended = text(&bits().block(true, b"Hello").bytes());
    for bits_ in BITS {
        for takeover in [false, true] {
            let side = side(bits_, takeover);
            for first in
                [text(&hello), ended.clone(), [frame(TEXT, &hello[..3]), frame(FIN, &hello[3..])].concat()]
            {
                let (mut conn, mut inflate) = (connection(side), Inflate::new(side, 100));
                let (mut whole, mut out) = (Assembler::new(Vec::new()), SliceOutput::new([0; 200]));
                // Before the first message, inside one (where it does nothing), and between two.
                let streams = [&first, &back, &back, &text(&hello)];
                let mut got = Vec::new();
                let rule = 'read: {
                    for mut byte in streams.into_iter().flatten().copied() {
                        inflate.release();
                        let mut input = Input::new(std::slice::from_mut(&mut byte));
                        while let Some(event) = conn.receive(&mut input, &mut out) {
                            let Event::Data(data) = event else { panic!("{event:?}") };
                            match whole.inflate(data, &mut inflate) {
                                Ok(message) => got.extend(message.map(|message| message.payload().to_vec())),
                                Err(rule) => break 'read Some(rule),
                            }
                        }
                    }
                    None
                };
                assert_eq!(rule, (!takeover).then_some(Rule::CorruptCompression), "{side:?}");
                assert_eq!(got, vec![b"Hello"; if takeover { 4 } else { 1 }], "{side:?}");
            }
        }
    }
}

#[cfg(feature = "zlib")]
#[test]
fn what_it_shows() {
    use super::runner::{connection, text};
    use websocket_proto::{Event, Input, SliceOutput};

    let side = side(15, true);
    let (mut conn, mut inflate) = (connection(side), Inflate::new(side, 100));
    let mut read = text(&bits().block(false, b"Hello").message());
    let mut input = Input::new(&mut read);
    let Some(Event::Data(data)) = conn.receive(&mut input, &mut SliceOutput::new([0; 0])) else { panic!() };
    let (mut piece, mut place) = (inflate.begin(data), [0; 9]);
    assert!(inflate.next(&mut piece, &mut place, &mut conn, &mut SliceOutput::new([0; 0])).is_some());
    assert!(format!("{inflate:?}").contains("Zlib { history: 5, .. }"), "{inflate:?}");
}
