//! Every size of message through every size of output, within every window.

use super::{
    runner::noise,
    wire::{ALL, FULL, frames, joined, prose, received, send, server, side},
};
use websocket_proto::{
    Agreed, Config, Connection, Deflate, DeflateOptions, DeflateStrategy, Kind, Outgoing, SendError, Server,
};
use zlib_rs::{DeflateConfig, DeflateFlush, Strategy};

#[test]
fn on_the_wire() {
    let mut conn = server(FULL);
    let mut deflate = Deflate::new(FULL, ALL);
    let mut one = |payload: &[u8]| send(&mut deflate, &mut conn, Kind::Text, payload, 200).unwrap();
    // RFC 7692 §7.2.3.1: W129, the flush's tail is not there. §7.2.3.2, and then one distance that is all of it.
    assert_eq!(one(b"Hello"), b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(one(b"Hello"), b"\xc1\x05\xf2\x00\x11\x00\x00");
    // §7.2.3.6: W130.
    assert_eq!(one(b""), b"\xc1\x01\x00");
    assert_eq!(one(b"Hello"), b"\xc1\x04\x02\x13\x00\x00");
    // W135: without takeover each message is the first one.
    let mut conn = server(side(15, false));
    let mut deflate = Deflate::new(side(15, false), ALL);
    for _ in 0..3 {
        let sent = send(&mut deflate, &mut conn, Kind::Text, b"Hello", 200).unwrap();
        assert_eq!(sent, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
    }
}

/// The options are zlib's: byte for byte what it makes with them.
#[test]
fn options_are_kept_to() {
    let strategies = [
        (DeflateStrategy::Default, Strategy::Default),
        (DeflateStrategy::Filtered, Strategy::Filtered),
        (DeflateStrategy::HuffmanOnly, Strategy::HuffmanOnly),
        (DeflateStrategy::Rle, Strategy::Rle),
        (DeflateStrategy::Fixed, Strategy::Fixed),
    ];
    let payload = [prose(6_000), noise(2_000), vec![7; 1_000]].concat();
    for (strategy, zlib) in strategies {
        for level in 0..=9 {
            for memory_level in 1..=9 {
                let options = DeflateOptions { level, memory_level, threshold: 0, strategy };
                let mut deflate = Deflate::new(FULL, options);
                let sent = send(&mut deflate, &mut server(FULL), Kind::Binary, &payload, 100_000).unwrap();
                let config = DeflateConfig {
                    level: level.into(),
                    window_bits: -15,
                    mem_level: memory_level.into(),
                    strategy: zlib,
                    ..DeflateConfig::default()
                };
                let mut place = vec![0; 20_000];
                let mut stream = zlib_rs::Deflate::new_with_config(config);
                stream.compress(&payload, &mut place, DeflateFlush::SyncFlush).unwrap();
                place.truncate(stream.total_out() as usize - 4);
                assert!(joined(&sent, Kind::Binary, true) == place, "{options:?}");
            }
        }
    }
}

/// Where the output has room, a message that is no longer than a chunk is one frame, however badly it compresses.
#[test]
fn one_frame_where_there_is_room() {
    // Blocks of 127 bytes, each stored with five more.
    let small = DeflateOptions { memory_level: 1, ..ALL };
    for len in [1_000, 10_000, 14_000] {
        let payload = noise(len);
        let mut deflate = Deflate::new(FULL, small);
        let sent = send(&mut deflate, &mut server(FULL), Kind::Binary, &payload, 100_000).unwrap();
        assert!(sent.len() > len + len / 50, "{len} bytes are {}", sent.len());
        assert_eq!(frames(&sent).len(), 1, "{len} bytes");
        assert!(received(FULL, &sent) == Ok(vec![payload]));
    }
}

#[test]
fn sizes_and_outputs() {
    const SIZES: [usize; 12] = [0, 1, 63, 64, 500, 5_000, 16_383, 16_384, 16_500, 20_000, 33_000, 0];
    for side in [side(15, true), side(15, false), side(8, true), side(10, false)] {
        for room in [131, 132, 150, 1_000, 16_398, 100_000] {
            let mut conn = server(side);
            let mut deflate = Deflate::new(side, ALL);
            let (mut sent, mut messages) = (Vec::new(), Vec::new());
            for (at, size) in SIZES.into_iter().enumerate() {
                let payload = if at % 2 == 0 { prose(size) } else { noise(size) };
                let bytes = send(&mut deflate, &mut conn, Kind::Binary, &payload, room).unwrap();
                joined(&bytes, Kind::Binary, true);
                assert!(frames(&bytes).iter().all(|(_, payload)| payload.len() + 2 <= room));
                // No more frames than outputs and chunks make.
                assert!(
                    frames(&bytes).len() <= 2 + bytes.len() / (room - 14).min(10_000) + bytes.len() / 8_000
                );
                sent.extend(bytes);
                messages.push(payload);
            }
            assert!(received(side, &sent) == Ok(messages), "{side:?} {room}");
        }
    }
}

/// W129: what ends in `00 00 ff ff` by itself keeps it, and where a chunk ends inside the tail it is cut off all the same.
#[test]
fn tails() {
    let stored = DeflateOptions { level: 0, ..ALL };
    let mut sizes: Vec<usize> = (16_384 - 90..16_384 + 20).collect();
    sizes.extend([4, 5, 8, 1000]);
    let mut conn = server(FULL);
    let mut deflate = Deflate::new(FULL, stored);
    for size in sizes {
        let mut payload = noise(size);
        payload[size - 4..].copy_from_slice(b"\x00\x00\xff\xff");
        let sent = send(&mut deflate, &mut conn, Kind::Binary, &payload, 1 << 17).unwrap();
        let wire = joined(&sent, Kind::Binary, true);
        // RFC 7692 §7.2.1: the last octet has the header of the empty block.
        assert!(wire.ends_with(b"\x00\x00\xff\xff\x00"), "{size}");
        assert!(received(FULL, &sent) == Ok(vec![payload]), "{size}");
    }
}

/// W144: by the threshold, and by the caller, who sends past it; W136: that leaves the window as it was.
#[test]
fn thresholds() {
    for (threshold, len, compressed) in [
        (0, 0, true),
        (0, 1, true),
        (1, 0, false),
        (64, 63, false),
        (64, 64, true),
        (1000, 999, false),
        (1000, 1000, true),
        (usize::MAX, 100_000, false),
    ] {
        let options = DeflateOptions { threshold, ..ALL };
        let (mut conn, mut deflate) = (server(FULL), Deflate::new(FULL, options));
        let payload = prose(len);
        let mut sent = Vec::new();
        for room in [131, 200_000] {
            let bytes = send(&mut deflate, &mut conn, Kind::Text, &payload, room).unwrap();
            let joined = joined(&bytes, Kind::Text, compressed);
            assert!(compressed || joined == payload, "{threshold} {len}");
            conn.send(Outgoing::text("past it"), &mut sent).unwrap();
            sent.extend(bytes);
        }
        let plain = b"past it".to_vec();
        let read = received(FULL, &sent).unwrap();
        assert!(read == [plain.clone(), payload.clone(), plain, payload], "{threshold} {len}");
    }
    // Nobody agreed on it: a plain message goes, a compressed one does not.
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut deflate = Deflate::new(FULL, DeflateOptions { threshold: 10, ..ALL });
    assert_eq!(send(&mut deflate, &mut conn, Kind::Text, b"plain", 200).unwrap(), b"\x81\x05plain");
    let refused = send(&mut deflate, &mut conn, Kind::Text, b"not plain any more", 200);
    assert_eq!(refused, Err(SendError::Reserved));
    assert_eq!(send(&mut deflate, &mut conn, Kind::Text, b"plain", 200).unwrap(), b"\x81\x05plain");
}

/// W139, W140, W168: whatever the level and the strategy, no distance is beyond the window, at its edge or not.
#[test]
fn distances_stay_in_the_window() {
    use DeflateStrategy::{Default, Filtered, Fixed, HuffmanOnly, Rle};
    for bits in 8..=15_u8 {
        let window = 1_usize << bits;
        // What repeats itself from just so far.
        let mut payload = noise(40);
        for distance in [
            window.saturating_sub(263),
            window.saturating_sub(262),
            window - 6,
            window - 1,
            window,
            window + 1,
        ]
        .into_iter()
        .chain([250, 251, 255, 256, 257, 400])
        {
            let unit = noise(distance.max(40));
            payload.extend([&unit[..], &unit[..40]].concat());
        }
        let levels = (0..=9).map(|level| DeflateOptions { level, ..ALL });
        let strategies = [Filtered, Fixed, HuffmanOnly, Rle, Default]
            .into_iter()
            .flat_map(|strategy| [1, 9].map(|memory_level| DeflateOptions { strategy, memory_level, ..ALL }));
        for options in levels.chain(strategies) {
            let side = side(bits, true);
            let (mut conn, mut deflate) = (server(side), Deflate::new(side, options));
            let mut sent = send(&mut deflate, &mut conn, Kind::Binary, &payload, 1 << 20).unwrap();
            sent.extend(send(&mut deflate, &mut conn, Kind::Binary, &payload[..400], 1 << 20).unwrap());
            let expected = vec![payload.clone(), payload[..400].to_vec()];
            assert!(received(side, &sent) == Ok(expected), "{bits} {options:?}");
        }
    }
    // Options beyond what there is are the nearest.
    let odd = DeflateOptions { level: 255, memory_level: 0, ..ALL };
    let even = DeflateOptions { level: 9, memory_level: 1, ..ALL };
    let [odd, even] = [odd, even].map(|options| {
        send(&mut Deflate::new(side(99, true), options), &mut server(FULL), Kind::Text, &prose(9000), 9000)
    });
    assert_eq!(odd, even);
}

#[test]
fn text_is_checked() {
    let mut deflate = Deflate::new(FULL, ALL);
    for bad in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80"] {
        assert_eq!(deflate.begin(Kind::Text, bad).err(), Some(SendError::Utf8)); // W55
        assert_eq!(deflate.prepare(Kind::Text, bad).err(), Some(SendError::Utf8));
        assert!(deflate.begin(Kind::Binary, bad).is_ok());
    }
}
