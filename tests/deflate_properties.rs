//! Any messages on any terms: what is compressed inflates to the same, however it is cut; and whatever a DEFLATE stream
//! is, both implementations make the same of it.
#![cfg(feature = "zlib")]

#[path = "deflate/runner.rs"]
#[allow(dead_code, reason = "a part is used")]
mod runner;

use proptest::prelude::*;
use runner::{Read, assemble, binary, frame, in_memory, run};
use websocket_proto::{
    Agreed, Config, Connection, Deflate, DeflateOptions, DeflateSide, DeflateStrategy, DeflateTerms, Inflate,
    Kind, Rule, Server, SliceOutput,
};
use zlib_rs::{DeflateConfig, DeflateFlush, Strategy as ZlibStrategy};

fn side() -> impl Strategy<Value = DeflateSide> {
    (8..=15_u8, any::<bool>()).prop_map(|(window_bits, takeover)| DeflateSide { window_bits, takeover })
}

fn options() -> impl Strategy<Value = DeflateOptions> {
    let strategies = [
        DeflateStrategy::Default,
        DeflateStrategy::Filtered,
        DeflateStrategy::HuffmanOnly,
        DeflateStrategy::Rle,
        DeflateStrategy::Fixed,
    ];
    (0..=9_u8, 1..=9_u8, prop_oneof![Just(0), 0..200_usize], prop::sample::select(strategies.to_vec()))
        .prop_map(|(level, memory_level, threshold, strategy)| DeflateOptions {
            level,
            memory_level,
            threshold,
            strategy,
        })
}

/// Bytes with repetitions in them: noise, runs, and what stood there before.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let part = (0..3_u8, 1..400_usize, any::<u8>(), any::<u32>());
    prop::collection::vec(part, 0..12).prop_map(|parts| {
        let mut bytes = Vec::new();
        for (sort, len, byte, seed) in parts {
            match sort {
                0 => bytes.extend((0..len).map(|at| (seed.wrapping_mul(at as u32 * 2 + 1) >> 13) as u8)),
                1 => bytes.extend(vec![byte; len]),
                _ => {
                    let from = seed as usize % (bytes.len() + 1);
                    let again = bytes[from..bytes.len().min(from + len)].to_vec();
                    bytes.extend(again);
                }
            }
        }
        bytes
    })
}

/// Reads of these lengths, over and over.
fn cut<'b>(mut bytes: &'b [u8], lengths: &[usize]) -> Vec<&'b [u8]> {
    let (mut pieces, mut lengths) = (Vec::new(), lengths.iter().cycle());
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(*lengths.next().unwrap()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// What every way to inflate makes of it, which must be the same.
fn every(side: DeflateSide, limit: u64, reads: &[&[u8]], place: usize) -> Read {
    let first = run(in_memory(side, limit), side, reads, place);
    assert!(run(Inflate::new(side, limit), side, reads, place) == first, "{side:?} {place}");
    assert!(assemble(in_memory(side, limit), side, reads) == first, "{side:?}");
    assert!(assemble(Inflate::new(side, limit), side, reads) == first, "{side:?}");
    first
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// W129 to W144: there and back.
    #[test]
    fn there_and_back(
        side in side(),
        options in options(),
        payloads in prop::collection::vec(payload(), 1..6),
        room in 131..3000_usize,
        lengths in prop::collection::vec(1..2000_usize, 1..5),
        place in 1..5000_usize,
        released in any::<u8>(),
    ) {
        let agreed = Agreed::default().with_deflate(DeflateTerms { server: side, client: side });
        let mut conn = Connection::new(Server, &Config::default(), agreed);
        let mut deflate = Deflate::new(side, options);
        let mut sent = Vec::new();
        let mut out = SliceOutput::new(vec![0; room]);
        for (at, payload) in payloads.iter().enumerate() {
            let mut message = deflate.begin(Kind::Binary, payload).unwrap();
            loop {
                let more = deflate.write(&mut message, &mut conn, &mut out).unwrap();
                prop_assert!(!more || !out.is_empty());
                sent.extend_from_slice(out.pending());
                out.advance(usize::MAX);
                if !more {
                    break;
                }
            }
            if released >> at & 1 != 0 {
                deflate.release();
            }
        }
        let longest = payloads.iter().map(Vec::len).max().unwrap() as u64;
        let reads = cut(&sent, &lengths);
        prop_assert!(every(side, longest, &reads, place) == Ok(payloads.clone()));
        // W141: one byte less, and the longest one is too long, if it was compressed at all.
        if longest >= options.threshold.max(1) as u64 {
            prop_assert_eq!(every(side, longest - 1, &reads, place), Err(Rule::MessageTooLong));
        }
    }

    /// Streams by zlib-rs, flushed in every manner, as a sender with another library makes them: finished ones (W131),
    /// with full flushes, with blocks that end anywhere.
    #[test]
    fn streams_of_others(
        window_bits in 9..=15_u8,
        level in 0..=9,
        strategy in 0..5_usize,
        parts in prop::collection::vec((payload(), 0..5_u8), 1..5),
        lengths in prop::collection::vec(1..500_usize, 1..5),
        place in 1..5000_usize,
        whole_tail in any::<bool>(),
    ) {
        let strategies = [ZlibStrategy::Default, ZlibStrategy::Filtered, ZlibStrategy::HuffmanOnly,
            ZlibStrategy::Rle, ZlibStrategy::Fixed];
        let config = DeflateConfig {
            level,
            window_bits: -i32::from(window_bits),
            strategy: strategies[strategy],
            ..DeflateConfig::default()
        };
        let mut stream = zlib_rs::Deflate::new_with_config(config);
        let (mut payload, mut expected) = (Vec::new(), Vec::new());
        let mut place_for = vec![0; 1 << 16];
        let mut put = |stream: &mut zlib_rs::Deflate, bytes: &[u8], flush, payload: &mut Vec<u8>| {
            let before = stream.total_out();
            stream.compress(bytes, &mut place_for, flush).unwrap();
            payload.extend_from_slice(&place_for[..(stream.total_out() - before) as usize]);
        };
        let mut ended = false;
        for (part, flush) in &parts {
            if ended {
                stream.reset();
            }
            let flush = [DeflateFlush::NoFlush, DeflateFlush::SyncFlush, DeflateFlush::FullFlush,
                DeflateFlush::Block, DeflateFlush::Finish][*flush as usize];
            put(&mut stream, part, flush, &mut payload);
            ended = flush == DeflateFlush::Finish;
            expected.extend_from_slice(part);
        }
        if !ended || whole_tail {
            if ended {
                stream.reset();
            }
            put(&mut stream, b"!", DeflateFlush::SyncFlush, &mut payload);
            expected.push(b'!');
            payload.truncate(payload.len() - 4);
        }
        let side = DeflateSide { window_bits, takeover: true };
        // Twice: the window of the first is there for the second.
        let once = binary(&payload);
        let twice = once.repeat(2);
        let read = every(side, 1 << 20, &cut(&twice, &lengths), place);
        prop_assert!(read == Ok(vec![expected.clone(), expected]));
    }

    /// Noise, and streams with a byte changed: both implementations say the same, and nobody panics.
    #[test]
    fn damaged_streams(
        payload in payload(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        noise in prop::option::of(prop::collection::vec(any::<u8>(), 1..100)),
        takeover in any::<bool>(),
        lengths in prop::collection::vec(1..50_usize, 1..3),
        place in 1..500_usize,
    ) {
        let bytes = noise.unwrap_or_else(|| {
            let mut to = vec![0; payload.len() * 2 + 100];
            let mut stream = zlib_rs::Deflate::new(6, false, 15);
            stream.compress(&payload, &mut to, DeflateFlush::SyncFlush).unwrap();
            to.truncate(stream.total_out() as usize - 4);
            for (at, byte) in damage {
                *at.get_mut(&mut to) = byte;
            }
            to
        });
        let side = DeflateSide { window_bits: 15, takeover };
        let half = bytes.len() / 2;
        let stream = [frame(0x42, &bytes[..half]), frame(0x80, &bytes[half..])].concat();
        // Below every limit: which of two faults is told first is nobody's promise.
        let _same = every(side, u64::MAX, &cut(&stream, &lengths), place);
    }
}
