//! Limits, places of any size, text, and what happens to whoever does not read on.

use super::{
    bits::{Bits, bits},
    runner::{BINARY, FIN, Read, TEXT, binary, connection, frame, in_memory, reads, run, sides, text},
};
use websocket_proto::{Assembler, Buffer, DeflateSide, Event, Inflate, Input, Kind, Rule, SliceOutput};

/// The rule, whatever was read before it.
#[track_caller]
fn fails(limit: u64, stream: &[u8], rule: Rule) {
    for side in sides(true).into_iter().chain(sides(false)) {
        assert_eq!(reads(side, limit, stream), Err(rule), "{side:?}, limit {limit}: {stream:02x?}");
    }
}

#[track_caller]
fn passes(limit: u64, stream: &[u8], expected: &[&[u8]]) {
    let expected: Read = Ok(expected.iter().map(|message| message.to_vec()).collect());
    for side in sides(true).into_iter().chain(sides(false)) {
        assert_eq!(reads(side, limit, stream), expected, "{side:?}, limit {limit}: {stream:02x?}");
    }
}

#[test]
fn limits() {
    let a = |n: usize| vec![b'a'; n];
    let run = |bits: Bits, len: u16| bits.fixed(false).literals(b"a").copy(len - 1, 1).end();
    // W141: exactly at the limit, and one above: literals, stored, a copy that is cut by it, many blocks, many frames.
    let payloads: Vec<(usize, Vec<u8>)> = vec![
        (1, bits().block(false, b"a").message()),
        (5, bits().block(false, &a(5)).message()),
        (5, bits().stored(false, &a(5)).message()),
        (259, run(bits(), 259).message()),
        (300, bits().block(false, &a(40)).fixed(false).copy(258, 1).literals(b"aa").end().message()),
        (12, bits().block(false, &a(6)).stored(false, &a(5)).stored(false, b"").block(false, b"a").message()),
        // Behind final blocks.
        (6, [bits().block(true, &a(3)).bytes(), bits().block(true, &a(3)).bytes()].concat()),
        (4, [bits().block(true, &a(3)).bytes(), bits().stored(true, b"a").bytes()].concat()),
        (3, [bits().block(true, &a(3)).bytes(), bits().stored(true, b"").bytes()].concat()),
    ];
    for (len, payload) in payloads {
        let half = payload.len() / 2;
        let fragments = [frame(TEXT, &payload[..half]), frame(0, b""), frame(FIN, &payload[half..])].concat();
        for stream in [text(&payload), fragments] {
            for limit in [len as u64, len as u64 + 1, u64::MAX] {
                passes(limit, &stream, &[&a(len)]);
            }
            for limit in [0, len as u64 / 2, len as u64 - 1] {
                fails(limit, &stream, Rule::MessageTooLong);
            }
            // Each message counts for itself, and a plain one not at all.
            let twice =
                [&stream[..], b"\x81\x03abc", &text(&bits().block(false, &a(len)).message())].concat();
            passes(len as u64, &twice, &[&a(len), b"abc", &a(len)]);
        }
    }
    // Nothing is below every limit.
    passes(0, b"\xc1\x00\xc1\x01\x00\x41\x00\x80\x00\xc1\x02\x03\x00", &[b"", b"", b"", b""]);
}

/// W142: all input is taken, and the message is still longer than the limit: nothing of it is forgotten.
#[test]
fn output_that_was_held_back() {
    for (len, copies) in [(259, 1), (517, 2), (775, 3)] {
        let message = (0..copies).fold(bits().fixed(false).literals(b"a"), |bits, _| bits.copy(258, 1));
        let stream = binary(&message.end().message());
        passes(len, &stream, &[&vec![b'a'; len as usize]]);
        for less in [1, 2, 100, 258] {
            fails(len - less, &stream, Rule::MessageTooLong);
        }
    }
}

/// W143: an empty place takes nothing, and the next call goes on.
#[test]
fn places() {
    for side in sides(true) {
        let mut conn = connection(side);
        let mut inflate = in_memory(side, 1000);
        let mut out = SliceOutput::new([0; 200]);
        let mut read = binary(&bits().fixed(false).literals(b"abc").copy(9, 3).end().message());
        let mut input = Input::new(&mut read);
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!() };
        let mut piece = inflate.begin(data);
        let mut text = Vec::new();
        for size in [0, 1, 0, 0, 2, 5, 0, 3, 1, 0] {
            let mut place = vec![0; size];
            match inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
                Some(Event::Data(data)) => {
                    assert_eq!(data.payload().len(), size);
                    text.extend_from_slice(data.payload());
                }
                None => assert_eq!(size, 0),
                other => panic!("{other:?}"),
            }
        }
        // The place was full: whether there was more shows in the next call.
        let mut place = [0; 10];
        let Some(Event::Data(data)) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) else {
            panic!()
        };
        assert!(data.part().last && data.payload().is_empty());
        assert!(inflate.next(&mut piece, &mut place, &mut conn, &mut out).is_none());
        assert_eq!(text, b"abcabcabcabc");
    }
}

/// W141, W143: the limit changes nothing in how a message that keeps to it is told.
#[test]
fn places_at_the_limit() {
    for side in sides(true) {
        let events = |limit: u64, size: usize| {
            let mut conn = connection(side);
            let mut inflate = in_memory(side, limit);
            let mut out = SliceOutput::new([0; 200]);
            let mut read = binary(&bits().fixed(false).literals(b"abc").copy(9, 3).end().message());
            let mut input = Input::new(&mut read);
            let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!() };
            let (mut piece, mut place) = (inflate.begin(data), vec![0; size]);
            let mut events = Vec::new();
            while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
                let Event::Data(data) = event else { panic!("{event:?}") };
                events.push((data.payload().len(), data.part().last));
            }
            events
        };
        for size in 1..14 {
            assert_eq!(events(12, size), events(1000, size), "{side:?}, a place of {size}");
        }
        assert_eq!(events(12, 12), [(12, false), (0, true)]);
    }
}

/// The memory for whole messages is their limit too, of whichever kind it is.
#[test]
fn memory_that_is_just_enough() {
    fn assembled<B: Buffer>(side: DeflateSide, memory: B, len: usize) -> Result<usize, Rule> {
        let (mut conn, mut inflate) = (connection(side), in_memory(side, 5000));
        let (mut whole, mut out) = (Assembler::new(memory), SliceOutput::new([0; 200]));
        let payload = bits().all_stored(&vec![b'x'; len]).message();
        let (first, rest) = payload.split_at(payload.len() / 2);
        let mut read = [frame(BINARY, first), frame(FIN, rest)].concat();
        let mut input = Input::new(&mut read);
        let mut made = None;
        while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
            if let Some(message) = whole.inflate(data, &mut inflate)? {
                assert!(message.payload().iter().all(|&byte| byte == b'x'));
                assert!(made.replace(message.payload().len()).is_none());
            }
        }
        Ok(made.expect("a message or a fault"))
    }
    for side in sides(true) {
        for len in [0, 1, 1023, 1024, 1025, 1999, 2000, 2001, 3000] {
            let expected = if len <= 2000 { Ok(len) } else { Err(Rule::MessageTooLong) };
            assert_eq!(assembled(side, [b'?'; 2000], len), expected);
            assert_eq!(assembled(side, &mut [b'?'; 2000][..], len), expected);
            assert_eq!(assembled(side, heapless::Vec::<u8, 2000>::new(), len), expected);
            #[cfg(feature = "alloc")]
            assert_eq!(assembled(side, vec![b'?'; 2000].into_boxed_slice(), len), expected);
        }
    }
}

/// W51: text is checked once it is inflated, over all pieces of it.
#[test]
fn text_is_checked() {
    let b = bits;
    let good = "aß€😀z".as_bytes();
    for payload in [
        b().block(false, good).message(),
        b().stored(false, good).message(),
        good.iter().fold(b(), |bits, &byte| bits.stored(false, &[byte])).message(),
        good.iter().flat_map(|&byte| b().block(true, &[byte]).bytes()).collect(),
    ] {
        passes(100, &[text(&payload), text(&payload)].concat(), &[good, good]);
        let mut fragments = frame(TEXT, b"");
        for byte in &payload {
            fragments.extend(frame(0, &[*byte]));
        }
        fragments.extend(frame(FIN, b""));
        passes(100, &fragments, &[good]);
    }
    // Cut inside a character, and what is no character.
    for end in [2, 4, 5, 7, 8, 9] {
        let payload = b().block(false, &good[..end]).message();
        fails(100, &text(&payload), Rule::TruncatedUtf8);
        passes(100, &binary(&payload), &[&good[..end]]);
        // The next message begins anew.
        fails(
            100,
            &[text(&payload), text(&b().block(false, &good[end..]).message())].concat(),
            Rule::TruncatedUtf8,
        );
        fails(100, &text(&b().block(false, &[&good[..end], b"a"].concat()).message()), Rule::InvalidUtf8);
        fails(100, &text(&[b().block(true, &good[..end]).bytes(), vec![0]].concat()), Rule::TruncatedUtf8);
    }
    for bad in [&b"a\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"] {
        let payload = b().stored(false, bad).message();
        fails(100, &text(&payload), Rule::InvalidUtf8);
        passes(100, &[frame(BINARY, b""), frame(FIN, &payload)].concat(), &[bad]);
    }
}

/// Compressed bytes are no text, and plain text is checked as ever.
#[test]
fn plain_text_passes_through() {
    passes(0, b"\x81\x03a\xc3\x9f\x82\x02\xff\xff\x81\x00", &[b"a\xc3\x9f", b"\xff\xff", b""]);
    passes(0, b"\x01\x02a\xc3\x80\x01\x9f", &[b"a\xc3\x9f"]);
    fails(0, b"\x81\x02a\xff", Rule::InvalidUtf8);
}

/// Each piece of a plain message that the place cuts in two says where it stands in the message and in its frame.
#[test]
fn plain_pieces_say_where_they_stand() {
    let side = sides(true)[0];
    let mut conn = connection(side);
    let mut inflate = in_memory(side, 1000);
    let mut out = SliceOutput::new([0; 200]);
    let mut read = [frame(0x02, b"abc"), frame(0x80, b"defgh")].concat();
    let (mut place, mut seen) = ([0; 2], Vec::new());
    for read in read.chunks_mut(7) {
        let mut input = Input::new(read);
        while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
            let mut piece = inflate.begin(data);
            while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
                let Event::Data(data) = event else { panic!("{event:?}") };
                let part = data.part();
                let text = String::from_utf8(data.payload().to_vec()).unwrap();
                seen.push((text, [part.first, part.last, part.starts_frame, part.ends_frame]));
            }
        }
    }
    let (yes, no) = (true, false);
    let expected = [
        ("ab", [yes, no, yes, no]),
        ("c", [no, no, no, yes]),
        // "defgh" was read as nothing, and then as the whole.
        ("de", [no, no, yes, no]),
        ("fg", [no, no, no, no]),
        ("h", [no, yes, no, yes]),
    ];
    assert_eq!(seen, expected.map(|(text, part)| (text.to_owned(), part)));
}

/// Who begins a piece and drops it before `None` loses bytes of the stream: told at the next piece, as 1011, and no
/// later message is made of what is left (W145).
#[test]
fn pieces_that_are_dropped() {
    let message = bits().fixed(false).literals(b"abc").copy(9, 3).end().message();
    let half = message.len() / 2;
    let fragments = [frame(BINARY, &message[..half]), frame(0, &message[half..]), frame(FIN, b"")].concat();
    let last = [frame(BINARY, &message[..half]), frame(FIN, &message[half..])].concat();
    // The stream, and how many calls of `next` each of its pieces gets, through a place of 4 bytes.
    for (stream, calls) in [
        (binary(&message), [0, 9, 9]),
        (binary(&message), [1, 9, 9]),
        (binary(&message), [3, 9, 9]),
        (fragments.clone(), [0, 9, 9]),
        (fragments.clone(), [9, 0, 9]),
        (fragments.clone(), [9, 1, 9]),
        (last.clone(), [0, 9, 9]),
        (last.clone(), [9, 0, 9]),
        (last, [9, 1, 9]),
        (fragments, [9, 9, 0]),
    ] {
        for side in sides(true).into_iter().chain(sides(false)) {
            let mut conn = connection(side);
            let mut inflate = in_memory(side, 1000);
            let mut out = SliceOutput::new([0; 200]);
            let mut read = [&stream[..], b"\x89\x00", &binary(&message), &binary(&message)].concat();
            let mut input = Input::new(&mut read);
            let (mut place, mut calls) = ([0; 4], calls.into_iter().chain([9; 9]));
            let mut failed = None;
            while let Some(event) = conn.receive(&mut input, &mut out) {
                let Event::Data(data) = event else { continue };
                let mut piece = inflate.begin(data);
                for _ in 0..calls.next().unwrap() {
                    if let Some(Event::Failed(error)) =
                        inflate.next(&mut piece, &mut place, &mut conn, &mut out)
                    {
                        failed = Some(error.rule);
                    }
                }
            }
            assert_eq!(failed, Some(Rule::InternalError), "{side:?} {stream:02x?}");
            assert_eq!(conn.closure().sent.unwrap().get(), 1011);
        }
    }
    // An empty fragment has nothing to lose.
    let side = sides(true)[0];
    let mut conn = connection(side);
    let mut inflate = in_memory(side, 1000);
    let mut out = SliceOutput::new([0; 200]);
    let mut read = [frame(BINARY, b""), frame(0, b""), frame(FIN, &message)].concat();
    let mut input = Input::new(&mut read);
    while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
        let last = data.part().last;
        let mut piece = inflate.begin(data);
        if last {
            let mut place = [0; 100];
            let event = inflate.next(&mut piece, &mut place, &mut conn, &mut out);
            assert!(matches!(event, Some(Event::Data(data)) if data.payload() == b"abcabcabcabc"));
        }
    }
}

/// W152: after a fault nothing is inflated, whatever is fed.
#[test]
fn a_fault_is_final() {
    for side in sides(true) {
        // The connection of somebody who does not tell it of faults.
        let (mut conn, mut other) = (connection(side), connection(side));
        let mut inflate = in_memory(side, 1000);
        let mut out = SliceOutput::new([0; 200]);
        let good = binary(&bits().block(false, b"abc").message());
        let mut read = [&good[..], &binary(&[0xff]), &good, &good].concat();
        let mut input = Input::new(&mut read);
        let mut got = Vec::new();
        while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
            let mut piece = inflate.begin(data);
            let mut place = [0; 100];
            let event = inflate.next(&mut piece, &mut place, &mut other, &mut out);
            got.push(match event {
                Some(Event::Data(data)) => Ok(data.payload().len()),
                Some(Event::Failed(error)) => Err(error.rule),
                other => panic!("{other:?}"),
            });
        }
        let first = Err(Rule::CorruptCompression);
        // The connection tells what was told to it first.
        assert_eq!(got, [Ok(3), first, first, first]);
    }
}

#[test]
fn kinds() {
    // The kind is the first fragment's.
    let side = sides(true)[0];
    let payload = bits().block(false, b"abc").message();
    let stream = [frame(TEXT, &payload[..2]), frame(FIN, &payload[2..]), binary(&payload)].concat();
    assert_eq!(run(in_memory(side, 9), side, &[&stream], 9).unwrap(), [b"abc", b"abc"]);
    let mut conn = connection(side);
    let mut inflate = Inflate::in_memory(side, 9, [0; 256]).unwrap();
    let mut out = SliceOutput::new([0; 200]);
    let mut read = stream;
    let mut input = Input::new(&mut read);
    let mut kinds = Vec::new();
    while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
        let mut piece = inflate.begin(data);
        let mut place = [0; 9];
        while let Some(Event::Data(data)) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
            kinds.push((data.part().kind, data.part().first, data.part().last, data.part().frame_len));
        }
    }
    let text = kinds[..kinds.len() - 1].iter().all(|&(kind, ..)| kind == Kind::Text);
    assert!(text && kinds.last() == Some(&(Kind::Binary, true, true, 3)), "{kinds:?}");
}
