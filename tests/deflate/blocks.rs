//! Blocks, fragments and the ends of messages.

use super::{
    bits::bits,
    runner::{BINARY, FIN, Read, TEXT, binary, frame, reads, sides, text},
};
use websocket_proto::Rule;

const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

fn all(texts: &[&str]) -> Read {
    Ok(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}

/// For every window, and with and without takeover where it makes no difference.
#[track_caller]
fn is(stream: &[u8], expected: &Read) {
    for side in sides(true).into_iter().chain(sides(false)) {
        assert_eq!(reads(side, 1000, stream), *expected, "{side:?} {stream:02x?}");
    }
}

#[test]
fn examples_of_the_specification() {
    // RFC 7692 §7.2.3.1: W129.
    is(&text(HELLO), &all(&["Hello"]));
    let fragments = [0x41, 0x03, 0xf2, 0x48, 0xcd, 0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00];
    is(&fragments, &all(&["Hello"]));
    // §7.2.3.2: the window.
    let twice = [text(HELLO), text(&[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    // §7.2.3.4: a final block, and a message behind it (W131).
    let last =
        [text(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), text(&[0xf2, 0x00, 0x11, 0x00, 0x00])]
            .concat();
    for side in sides(true) {
        assert_eq!(reads(side, 1000, &twice), all(&["Hello", "Hello"]));
        assert_eq!(reads(side, 1000, &last), all(&["Hello", "Hello"]));
    }
    // W135: without takeover there is none of it.
    for side in sides(false) {
        assert_eq!(reads(side, 1000, &twice), Err(Rule::CorruptCompression));
        assert_eq!(reads(side, 1000, &last), Err(Rule::CorruptCompression));
    }
    // §7.2.3.3: W133.
    is(b"\xc1\x0b\x00\x05\x00\xfa\xffHello\x00", &all(&["Hello"]));
    // §7.2.3.5: two blocks.
    let two = [0xc1, 0x0d, 0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    is(&two, &all(&["Hello"]));
    // §7.2.3.6: W130.
    is(&[0xc1, 0x01, 0x00], &all(&[""]));
}

#[test]
fn empty_messages() {
    let empty = |frames: &[&[u8]]| [&frames.concat()[..], &text(HELLO)].concat();
    // W130: no byte at all, in one frame and in many; a first fragment without a byte marks the message.
    is(&empty(&[b"\xc1\x00"]), &all(&["", "Hello"]));
    is(&empty(&[b"\xc2\x00\xc1\x00\xc1\x00"]), &all(&["", "", "", "Hello"]));
    is(&empty(&[b"\x41\x00\x80\x00"]), &all(&["", "Hello"]));
    is(&empty(&[b"\x41\x00\x00\x00\x80\x00"]), &all(&["", "Hello"]));
    is(&empty(&[b"\x41\x00", &frame(FIN, HELLO)]), &all(&["Hello", "Hello"]));
    is(&empty(&[b"\x41\x00\x00\x00", &frame(0, HELLO), b"\x00\x00\x80\x00"]), &all(&["Hello", "Hello"]));
    is(&empty(&[b"\x41\x00\x80\x01\x00"]), &all(&["", "Hello"]));
    // Blocks without a byte in them.
    is(&empty(&[&text(&bits().stored(false, b"").stored(false, b"").message())]), &all(&["", "Hello"]));
    is(&empty(&[&text(&bits().block(false, b"").message())]), &all(&["", "Hello"]));
    is(&empty(&[&text(&bits().block(true, b"").bytes())]), &all(&["", "Hello"]));
    // The block that the tail ends is final: §7.2.1 forbids that nowhere.
    is(&empty(&[&text(&[0x01])]), &all(&["", "Hello"]));
}

#[test]
fn final_blocks() {
    let b = bits;
    let one = || b().block(true, b"Hel");
    let rows: Vec<(Vec<u8>, &str)> = vec![
        // W131: at the end, with and without the empty block behind it.
        (one().bytes(), "Hel"),
        ([one().bytes(), vec![0]].concat(), "Hel"),
        ([one().bytes(), vec![1]].concat(), "Hel"),
        (b().stored(true, b"Hel").bytes(), "Hel"),
        (b().block(false, b"He").block(true, b"l").bytes(), "Hel"),
        (b().block(false, b"Hel").number(1, 3).bytes(), "Hel"),
        // W132: in the middle; what is behind it begins in the next byte.
        ([one().bytes(), b().block(false, b"lo").message()].concat(), "Hello"),
        ([one().bytes(), b().block(true, b"lo").bytes()].concat(), "Hello"),
        ([one().bytes(), b().stored(false, b"lo").message()].concat(), "Hello"),
        ([one().bytes(), b().stored(true, b"lo").bytes(), b().block(true, b"!").bytes()].concat(), "Hello!"),
        // It reaches back behind the final block.
        ([one().bytes(), b().fixed(false).copy(3, 3).end().message()].concat(), "HelHel"),
        ([one().bytes(), one().bytes(), b().fixed(true).copy(6, 6).end().bytes()].concat(), "HelHelHelHel"),
        (
            [
                one().bytes(),
                b().stored(true, b"").bytes().repeat(9),
                b().fixed(true).copy(3, 3).end().bytes(),
            ]
            .concat(),
            "HelHel",
        ),
    ];
    for (payload, inflated) in &rows {
        // Alone; with messages behind it; in two fragments, wherever they are cut.
        is(&text(payload), &all(&[inflated]));
        is(&[text(payload), text(HELLO), text(payload)].concat(), &all(&[inflated, "Hello", inflated]));
        let back = text(&b().fixed(false).copy(3, inflated.len() as u32).end().message());
        for side in sides(true) {
            for between in [&b""[..], b"\xc1\x00", b"\xc1\x01\x00", b"\x81\x01x", b"\x89\x00"] {
                let stream = [&text(payload)[..], between, &back].concat();
                let read = reads(side, 1000, &stream).unwrap();
                assert_eq!(read.first().unwrap(), inflated.as_bytes());
                assert_eq!(read.last().unwrap(), b"Hel", "W131 {payload:02x?}");
            }
        }
        for side in sides(false) {
            let stream = [&text(payload)[..], &back].concat();
            assert_eq!(reads(side, 1000, &stream), Err(Rule::CorruptCompression), "W131 {payload:02x?}");
        }
        for at in 0..=payload.len() {
            let stream = [frame(TEXT, &payload[..at]), frame(FIN, &payload[at..])].concat();
            assert_eq!(reads(sides(true)[2], 1000, &stream), all(&[inflated]), "{at} {payload:02x?}");
        }
    }
}

#[test]
fn what_does_not_inflate() {
    let b = bits;
    let rows: Vec<Vec<u8>> = vec![
        // W132: no type of a block, at the beginning and behind others.
        b().number(0b110, 3).message(),
        b().number(0b111, 3).bytes(),
        b().block(false, b"Hello").number(0b110, 3).message(),
        [b().block(true, b"Hello").bytes(), vec![0b110]].concat(),
        // A stored block whose lengths disagree.
        vec![0x00, 0x05, 0x00, 0xfa, 0xfe, b'H', b'e', b'l', b'l', b'o', 0x00],
        // Symbols that must not occur.
        b().fixed(false).symbol(286).distance_code(0).end().message(),
        b().fixed(false).symbol(287).distance_code(0).end().message(),
        b().fixed(false).literals(b"Hello").symbol(257).distance_code(30).end().message(),
        b().fixed(false).literals(b"Hello").symbol(257).distance_code(31).end().message(),
        // Dynamic codes: too many, and with no end of the block.
        b().number(0b100, 3).number(31, 5).number(31, 5).number(15, 4).message(),
        b().number(0b100, 3).number(0, 5).number(0, 5).number(0, 4).number(0, 12).number(0, 32).message(),
        // The end is not a block's border: inside a block, a symbol, a stored block, its lengths.
        b().fixed(false).literals(b"Hello").bytes(),
        b().fixed(true).literals(b"Hello").bytes(),
        b"\x00\x05\x00\xfa\xffHell".to_vec(),
        b"\x00\x05\x00\xfa\xff".to_vec(),
        b"\x01\x09\x00\xf6\xffHello".to_vec(),
        // The tail was not cut off, or only half.
        [HELLO, &[0x00, 0x00, 0xff, 0xff]].concat(),
        [HELLO, &[0x00, 0x00]].concat(),
        [HELLO, &[0x00]].concat(),
        // Noise behind a final block.
        [&b().block(true, b"Hello").bytes()[..], b"\xff\xff\xff"].concat(),
    ];
    // What no further byte can mend is told before the message ends.
    for payload in &rows[..10] {
        is(&frame(BINARY, payload), &Err(Rule::CorruptCompression));
    }
    for payload in rows {
        is(&text(&payload), &Err(Rule::CorruptCompression));
        is(&[text(HELLO), binary(&payload), text(HELLO)].concat(), &Err(Rule::CorruptCompression));
    }
}

/// W132: cut off at every byte.
#[test]
fn cut_off() {
    let whole = bits().block(false, b"abcabc").stored(false, b"xyz").fixed(false).copy(9, 3).end().message();
    is(&text(&whole), &all(&["abcabcxyzxyzxyzxyz"]));
    // The stored block's header begins in the byte that ends the first block, and might as well be the empty block's.
    let border = bits().block(false, b"abcabc").message().len();
    for len in 1..whole.len() {
        let expected = if len == border { all(&["abcabc"]) } else { Err(Rule::CorruptCompression) };
        is(&text(&whole[..len]), &expected);
    }
}

#[test]
fn fragments() {
    let payload = bits()
        .block(false, b"Hel")
        .stored(false, b"lo, ")
        .fixed(false)
        .literals(b"w")
        .copy(4, 5)
        .end()
        .message();
    let expected = all(&["Hello, wlo, ", "Hello"]);
    // W133, W137: a cut at every byte, a control frame in it; then every byte for itself.
    for between in [&b""[..], b"\x89\x02hi", b"\x8a\x00", b"\x89\x00\x8a\x01x"] {
        for at in 0..=payload.len() {
            let stream =
                [&frame(TEXT, &payload[..at])[..], between, &frame(FIN, &payload[at..]), &text(HELLO)]
                    .concat();
            assert_eq!(reads(sides(true)[2], 1000, &stream), expected, "{at}");
        }
        let mut stream = frame(BINARY, b"");
        for byte in &payload {
            stream.extend(between);
            stream.extend(frame(0, &[*byte]));
        }
        stream.extend([between, &frame(FIN, b"")].concat());
        stream.extend(text(HELLO));
        is(&stream, &expected);
    }
}

#[test]
fn plain_messages_between() {
    // W136: the window is as it was; neither message changes the other's state.
    let back = text(&bits().fixed(false).copy(5, 5).end().message());
    let plain = [
        &b"\x81\x03abc"[..],
        b"\x81\x00",
        b"\x01\x01a\x89\x00\x80\x02bc",
        b"\x82\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
    ];
    for plain in plain {
        for side in sides(true) {
            let stream = [&text(HELLO)[..], plain, &back, plain, &back].concat();
            let read = reads(side, 1000, &stream).unwrap();
            assert_eq!(read.len(), 5);
            assert!([0, 2, 4].iter().all(|&at| read[at] == b"Hello"), "{read:02x?}");
            assert_eq!(read[1], read[3]);
        }
        for side in sides(false) {
            let stream = [&text(HELLO)[..], plain, &text(HELLO), plain, &back].concat();
            assert_eq!(reads(side, 1000, &stream), Err(Rule::CorruptCompression));
        }
    }
}
