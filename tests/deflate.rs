//! permessage-deflate as a stage: the RFC's examples byte for byte, and what one side compresses the other inflates.
#![cfg(feature = "zlib")]

use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Deflate, DeflateOptions, DeflateSide, DeflateTerms, Event,
    Inflate, Input, Kind, Rule, Server,
};

fn client() -> Client<impl FnMut() -> [u8; 4] + Clone> {
    Client(|| [1, 2, 3, 4])
}

/// What a client makes of frames that a server sent; `window_bits` of the server's side.
fn inflate(frames: &[u8], side: DeflateSide, limit: u64) -> Result<Vec<Vec<u8>>, Rule> {
    let terms = DeflateTerms { server: side, ..DeflateTerms::default() };
    let agreed = Agreed::default().with_deflate(terms);
    let mut conn = Connection::new(client(), &Config::default(), agreed);
    let mut inflate = Inflate::new(side, limit);
    let mut whole = Assembler::new(Vec::new());
    let mut all = Vec::new();
    let mut read = frames.to_vec();
    let mut input = Input::new(&mut read);
    while let Some(event) = conn.receive(&mut input, &mut Vec::new()) {
        match event {
            Event::Data(data) => {
                if let Some(message) = whole.inflate(data, &mut inflate)? {
                    all.push(message.payload().to_vec());
                }
            }
            Event::Failed(error) => return Err(error.rule),
            _ => {}
        }
    }
    Ok(all)
}

const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// RFC 7692 §7.2.3.1 to 6.
#[test]
fn examples_of_the_rfc() {
    let full = DeflateSide::FULL;
    for bits in [15, 10, 8] {
        let side = DeflateSide { window_bits: bits, takeover: true };
        let rows: [(&[u8], &[&str]); 7] = [
            // One block, and fragmented.
            (&[&[0xc1, 0x07], HELLO].concat(), &["Hello"]),
            (&[0x41, 0x03, 0xf2, 0x48, 0xcd, 0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00], &["Hello"]),
            // Sharing the window.
            (
                &[&[0xc1, 0x07], HELLO, &[0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00]].concat(),
                &["Hello", "Hello"],
            ),
            // No compression.
            (&[0xc1, 0x0b, 0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], &["Hello"]),
            // A final block, and another message behind it that uses its window.
            (
                &[
                    &[0xc1, 0x08, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00][..],
                    &[0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00],
                ]
                .concat(),
                &["Hello", "Hello"],
            ),
            // Two blocks.
            (
                &[0xc1, 0x0d, 0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
                &["Hello"],
            ),
            // Empty.
            (&[0xc1, 0x01, 0x00], &[""]),
        ];
        for (frames, expected) in rows {
            let expected: Vec<Vec<u8>> = expected.iter().map(|text| text.as_bytes().to_vec()).collect();
            assert_eq!(inflate(frames, side, 100), Ok(expected), "{frames:02x?}");
        }
    }
    // W130: no byte at all, and the next message is whole.
    assert_eq!(
        inflate(&[&[0xc1, 0x00, 0xc1, 0x07], HELLO].concat(), full, 100),
        Ok(vec![vec![], b"Hello".to_vec()])
    );
    // W141.
    assert_eq!(inflate(&[&[0xc1, 0x07], HELLO].concat(), full, 5), Ok(vec![b"Hello".to_vec()]));
    assert_eq!(inflate(&[&[0xc1, 0x07], HELLO].concat(), full, 4), Err(Rule::MessageTooLong));
    // W132: cut off.
    for bits in [15, 9] {
        let side = DeflateSide { window_bits: bits, takeover: true };
        for n in 1..HELLO.len() {
            let frames = [&[0xc1, n as u8], &HELLO[..n]].concat();
            assert_eq!(inflate(&frames, side, 100), Err(Rule::CorruptCompression), "{bits} {n}");
        }
    }
}

#[test]
fn what_is_compressed_is_inflated() {
    let mut random = 1_u32;
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 8
    };
    for bits in 8..=15 {
        for takeover in [false, true] {
            let side = DeflateSide { window_bits: bits, takeover };
            let terms = DeflateTerms { server: side, client: DeflateSide::FULL };
            let agreed = Agreed::default().with_deflate(terms);
            let mut conn = Connection::new(Server, &Config::default(), agreed);
            let mut deflate =
                Deflate::new(side, DeflateOptions { threshold: 0, ..DeflateOptions::default() });
            let mut sent = Vec::new();
            let mut frames = Vec::new();
            for size in [0, 1, 5, 300, 4000, 40_000, 100_000, 0, 20_000] {
                let payload: Vec<u8> =
                    (0..size).map(|i| if i % 7 < 4 { b'a' } else { next() as u8 }).collect();
                let mut message = deflate.begin(Kind::Binary, &payload).unwrap();
                let mut out = websocket_proto::SliceOutput::new(vec![0; 131 + size / 3]);
                while deflate.write(&mut message, &mut conn, &mut out).unwrap() {
                    assert!(!out.is_empty());
                    frames.extend_from_slice(out.pending());
                    out.advance(usize::MAX);
                }
                frames.extend_from_slice(out.pending());
                sent.push(payload);
            }
            let received = inflate(&frames, side, 100_000);
            assert!(received == Ok(sent), "{bits} {takeover} {:?}", received.map(|all| all.len()));
        }
    }
}
