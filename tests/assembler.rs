//! Whole messages in every kind of memory: without a copy where they come in one piece, bounded, and the same whether
//! the pieces are pushed or read in place.
#![cfg(feature = "alloc")]

use proptest::prelude::*;
use websocket_proto::{
    Agreed, Assembler, Buffer, Client, Config, Connection, Event, Input, Kind, Outgoing, ProtocolError, Role,
    Rsv, Rule, SendError, Server,
};

/// A client's frame under a key.
fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [1, 2, 3, 4];
    let mut frame = vec![if fin { 0x80 | opcode } else { opcode }];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            frame.push(0xFE);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0xFF);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

fn server() -> Connection<Server> {
    Connection::new(Server, &Config::default(), Agreed::default())
}

type Messages = Vec<(Kind, Vec<u8>)>;

/// Every message of a stream whose reads are `pieces`, pushed; the rule, if one does not fit.
fn pushed<'p>(
    mut whole: Assembler<impl Buffer>,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (Messages, Result<(), Rule>) {
    let (mut conn, mut out, mut messages) = (server(), Vec::new(), Messages::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            let Event::Data(data) = event else { continue };
            match whole.push(data) {
                Ok(Some(message)) => messages.push((message.kind(), message.payload().to_vec())),
                Ok(None) => {}
                Err(rule) => return (messages, Err(rule)),
            }
        }
    }
    (messages, Ok(()))
}

/// Calls a function with an assembler of each kind that has room for `$n` bytes; a `Vec` has room for all.
macro_rules! each_memory {
    ($n:literal, |$whole:ident, $bounded:ident| $body:block) => {{
        let mut slice = [0xAA; $n];
        {
            let ($whole, $bounded) = (Assembler::new([0xAA; $n]), true);
            $body
        }
        {
            let ($whole, $bounded) = (Assembler::new(&mut slice[..]), true);
            $body
        }
        {
            let ($whole, $bounded) = (Assembler::new(vec![0xAA; $n].into_boxed_slice()), true);
            $body
        }
        {
            let ($whole, $bounded) = (Assembler::new(heapless::Vec::<u8, $n>::new()), true);
            $body
        }
        {
            let ($whole, $bounded) = (Assembler::new(Vec::new()), false);
            $body
        }
    }};
}

#[test]
fn fragments_in_every_memory() {
    // A fragmented text with empty fragments and control frames between (W23, W36, W37), then more of both kinds; what
    // one message left behind is not in the next.
    let stream = [
        frame(false, 1, b""),
        frame(true, 9, b"ping"),
        frame(false, 0, "h\u{e9}".as_bytes()),
        frame(true, 10, b"pong"),
        frame(false, 0, b""),
        frame(true, 0, b"llo"),
        frame(true, 2, b"whole"),
        frame(false, 2, b"12"),
        frame(true, 0, b""),
        frame(true, 1, b""),
        frame(false, 2, b""),
        frame(true, 0, b""),
    ]
    .concat();
    let expected: Messages = vec![
        (Kind::Text, "h\u{e9}llo".into()),
        (Kind::Binary, b"whole".into()),
        (Kind::Binary, b"12".into()),
        (Kind::Text, vec![]),
        (Kind::Binary, vec![]),
    ];
    each_memory!(6, |whole, _bounded| {
        assert_eq!(pushed(whole, [&stream[..]]), (expected.clone(), Ok(())));
    });
    each_memory!(6, |whole, _bounded| {
        assert_eq!(pushed(whole, stream.chunks(1)), (expected.clone(), Ok(())));
    });
    for at in 0..stream.len() {
        each_memory!(6, |whole, _bounded| {
            assert_eq!(pushed(whole, [&stream[..at], &stream[at..]]), (expected.clone(), Ok(())));
        });
    }
}

#[test]
fn the_memory_is_the_limit() {
    // W41: as long as the memory, and one byte longer.
    let rule = Rule::MessageTooLong;
    let fragments = |last: &[u8]| [frame(false, 2, b"abcd"), frame(true, 0, last)].concat();
    each_memory!(8, |whole, bounded| {
        assert_eq!(
            pushed(whole, [&fragments(b"efgh")[..]]),
            (vec![(Kind::Binary, b"abcdefgh".into())], Ok(()))
        );
        let _ = bounded;
    });
    each_memory!(8, |whole, bounded| {
        let expected = match bounded {
            true => (vec![], Err(rule)),
            false => (vec![(Kind::Binary, b"abcdefghi".into())], Ok(())),
        };
        assert_eq!(pushed(whole, [&fragments(b"efghi")[..]]), expected);
    });
    // A frame in pieces is the same as fragments.
    each_memory!(8, |whole, bounded| {
        let stream = frame(true, 2, b"abcdefghi");
        let (messages, result) = pushed(whole, stream.chunks(1));
        assert_eq!((messages.len(), result), if bounded { (0, Err(rule)) } else { (1, Ok(())) });
    });
    // So is one that passes through: what is too long does not depend on where the stream was cut.
    each_memory!(8, |whole, bounded| {
        let stream = [frame(true, 2, b"abcdefgh"), frame(true, 2, b"abcdefghi")].concat();
        let (messages, result) = pushed(whole, [&stream[..]]);
        assert_eq!((messages.len(), result), if bounded { (1, Err(rule)) } else { (2, Ok(())) });
    });
    // Not even an empty memory refuses empty messages.
    each_memory!(0, |whole, _bounded| {
        let stream = [frame(false, 2, b""), frame(true, 0, b""), frame(true, 1, b"")].concat();
        assert_eq!(
            pushed(whole, [&stream[..]]),
            (vec![(Kind::Binary, vec![]), (Kind::Text, vec![])], Ok(()))
        );
    });
    // The rule closes with 1009.
    let (mut conn, mut out) = (server(), Vec::new());
    assert!(matches!(
        conn.fail(rule, &mut out),
        Event::Failed(ProtocolError { rule: Rule::MessageTooLong, .. })
    ));
    assert_eq!(out, b"\x88\x02\x03\xf1");
}

#[test]
fn a_message_in_one_piece_is_not_copied() {
    let mut whole = Assembler::new([0; 64]);
    let (mut conn, mut out) = (server(), Vec::new());
    let mut stream = [frame(true, 1, b"in place"), frame(false, 2, b"cop"), frame(true, 0, b"ied")].concat();
    let place = stream.as_ptr_range();
    let mut input = Input::new(&mut stream);
    let mut inside = Vec::new();
    while let Some(event) = conn.receive(&mut input, &mut out) {
        let Event::Data(data) = event else { panic!() };
        if let Some(message) = whole.push(data).unwrap() {
            inside.push(place.contains(&message.payload().as_ptr()));
            // And it may be changed there.
            message.into_payload().fill(0);
        }
    }
    assert_eq!(inside, [true, false]);
}

/// What comes, its text, whether it is compressed, and the echo.
type Echoed<'r> = (Vec<u8>, Option<&'r str>, bool, &'r [u8]);

#[test]
fn texts_and_echoes() {
    let agreed = Agreed::with_reserved(Rsv::RSV1);
    let mut conn = Connection::new(Server, &Config::default(), agreed);
    let mut client = Connection::new(Client(|| [0; 4]), &Config::default(), agreed);
    #[rustfmt::skip]
    let rows: [Echoed<'_>; 8] = [
        (frame(true, 1, "h\u{e9}".as_bytes()), Some("h\u{e9}"), false, b"\x81\x03h\xc3\xa9"),
        (frame(true, 1, b""), Some(""), false, b"\x81\x00"),
        (frame(true, 2, b"abc"), None, false, b"\x82\x03abc"),
        (frame(true, 2, b"\xff"), None, false, b"\x82\x01\xff"),
        ([frame(false, 1, b"\xc3"), frame(true, 0, b"\xa9")].concat(), Some("\u{e9}"), false, b"\x81\x02\xc3\xa9"),
        ([frame(false, 2, b"a"), frame(true, 0, b"")].concat(), None, false, b"\x82\x01a"),
        (frame(true, 0x41, b"\xf2\x00"), None, true, b"\xc1\x02\xf2\x00"),
        ([frame(false, 0x42, b"\xf2"), frame(true, 0, b"\x00")].concat(), None, true, b"\xc2\x02\xf2\x00"),
    ];
    for (stream, text, compressed, echo) in rows {
        let mut whole = Assembler::new([0; 64]);
        let (mut out, mut stream) = (Vec::new(), stream);
        let mut input = Input::new(&mut stream);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            let Event::Data(data) = event else { panic!("{event:?}") };
            if let Some(message) = whole.push(data).unwrap() {
                assert_eq!((message.text(), message.is_compressed()), (text, compressed));
                conn.send(message.echo(), &mut out).unwrap();
            }
        }
        assert_eq!(out, echo);
        // The other side reads it as one message.
        let mut input = Input::new(&mut out);
        let Some(Event::Data(data)) = client.receive(&mut input, &mut Vec::new()) else { panic!() };
        assert!(data.part().first && data.part().last);
    }
    // An echo after our Close is refused like anything else.
    conn.close_without_code(&mut Vec::new());
    let mut stream = frame(true, 1, b"late");
    let Some(Event::Data(data)) = conn.receive(&mut Input::new(&mut stream), &mut Vec::new()) else {
        panic!()
    };
    let mut whole = Assembler::new([0; 4]);
    let message = whole.push(data).unwrap().unwrap();
    assert_eq!(conn.send(message.echo(), &mut Vec::new()), Err(SendError::Closed));
}

/// Receives bytes that were read elsewhere.
fn receive<R: Role>(
    conn: &mut Connection<R>,
    whole: &mut Assembler<impl Buffer>,
    bytes: &[u8],
    out: &mut Vec<u8>,
    messages: &mut Messages,
) {
    let mut bytes = bytes.to_vec();
    let mut input = Input::new(&mut bytes);
    while let Some(event) = conn.receive(&mut input, out) {
        if let Event::Data(data) = event
            && let Some(message) = whole.push(data).unwrap()
        {
            messages.push((message.kind(), message.payload().to_vec()));
        }
    }
}

/// The messages of a stream where each read goes to the place, if there is one, and to a buffer of `sizes` if not.
fn placed(mut whole: Assembler<impl Buffer>, mut stream: &[u8], sizes: &[usize]) -> (Messages, usize) {
    let (mut conn, mut out, mut messages) = (server(), Vec::new(), Messages::new());
    let mut sizes = sizes.iter().copied().cycle();
    let mut in_place = 0;
    while !stream.is_empty() {
        let size = sizes.next().unwrap();
        let place = whole.place(&conn);
        let n = if place.is_empty() { size.max(1) } else { size.min(place.len()) }.min(stream.len());
        let (read, rest) = stream.split_at(n);
        stream = rest;
        if place.is_empty() {
            receive(&mut conn, &mut whole, read, &mut out, &mut messages);
        } else {
            place[..n].copy_from_slice(read);
            in_place += n;
            if let Some(message) = whole.placed(n, &mut conn, &mut out).unwrap() {
                messages.push((message.kind(), message.payload().to_vec()));
            }
        }
    }
    (messages, in_place)
}

proptest! {
    // Frames of any size, control frames between them, cut anywhere: the messages are the same, pushed or in place.
    #[test]
    fn in_place_is_the_same(
        messages in proptest::collection::vec(
            (any::<bool>(), proptest::collection::vec((0_usize..400, proptest::option::of(0_usize..125)), 1..5)), 1..5),
        sizes in proptest::collection::vec(0_usize..300, 1..6).prop_filter("progress", |sizes| sizes.iter().any(|n| *n != 0)),
    ) {
        let (mut stream, mut expected) = (Vec::new(), Messages::new());
        for (text, fragments) in &messages {
            let mut whole = Vec::new();
            for (at, (len, ping)) in fragments.iter().enumerate() {
                let payload: Vec<u8> = (0..*len).map(|n| b'a' + ((n + at) % 26) as u8).collect();
                let opcode = match (at, text) { (0, true) => 1, (0, false) => 2, _ => 0 };
                stream.extend(frame(at + 1 == fragments.len(), opcode, &payload));
                whole.extend(payload);
                if let Some(len) = ping {
                    stream.extend(frame(true, 9, &vec![7; *len]));
                }
            }
            expected.push((if *text { Kind::Text } else { Kind::Binary }, whole));
        }
        each_memory!(2048, |whole, _bounded| {
            prop_assert_eq!(&placed(whole, &stream, &sizes).0, &expected);
        });
        prop_assert_eq!(pushed(Assembler::new([0; 2048]), stream.chunks(sizes[0].max(1))), (expected, Ok(())));
    }
}

#[test]
fn places() {
    let (mut conn, mut out, mut messages) = (server(), Vec::new(), Messages::new());
    let mut whole = Assembler::new([0; 100]);
    let mut at = |conn: &mut Connection<Server>, whole: &mut Assembler<[u8; 100]>, bytes: &[u8]| {
        receive(conn, whole, bytes, &mut out, &mut messages);
        let len = whole.place(conn).len();
        assert!(len == 0 || len as u64 == conn.frame_remaining());
        len
    };
    // Between frames and in a header there is none; in a data frame, what is still to come of it.
    let data = frame(false, 2, &[5; 60]);
    assert_eq!(at(&mut conn, &mut whole, b""), 0);
    assert_eq!(at(&mut conn, &mut whole, &data[..3]), 0);
    assert_eq!(at(&mut conn, &mut whole, &data[3..6]), 60);
    assert_eq!(at(&mut conn, &mut whole, &data[6..16]), 50);
    assert_eq!(at(&mut conn, &mut whole, &data[16..]), 0);
    // In every kind of memory, whatever was in it before.
    let mut fixed = Assembler::new(heapless::Vec::<u8, 100>::new());
    let mut grown = Assembler::new(Vec::new());
    for n in [60, 20, 100] {
        let (mut conn, mut data) = (server(), frame(false, 2, &vec![5; n]));
        let mut input = Input::new(&mut data[..6]);
        assert!(conn.receive(&mut input, &mut Vec::new()).is_none());
        assert_eq!((fixed.place(&conn).len(), grown.place(&conn).len()), (n, n));
    }
    // None in a control frame, for all that it has a payload.
    let ping = frame(true, 9, &[6; 50]);
    assert_eq!(at(&mut conn, &mut whole, &ping[..20]), 0);
    assert_eq!(conn.frame_remaining(), 36);
    assert_eq!(at(&mut conn, &mut whole, &ping[20..]), 0);
    // What was read counts: 40 bytes are left, and a frame of 41 has no place.
    let fits = frame(false, 0, &[7; 40]);
    let too_long = frame(false, 0, &[7; 41]);
    let (mut other, mut other_whole) = (conn.clone(), whole.clone());
    assert_eq!(at(&mut conn, &mut whole, &fits[..6]), 40);
    assert_eq!(at(&mut other, &mut other_whole, &too_long[..6]), 0);
    // Where there is no place, the pieces are pushed, and the rule tells.
    let mut rest = too_long[6..].to_vec();
    let Some(Event::Data(data)) = other.receive(&mut Input::new(&mut rest), &mut Vec::new()) else {
        panic!()
    };
    assert_eq!(other_whole.push(data).unwrap_err(), Rule::MessageTooLong);
    // Nothing read is nothing, and more than the place is no more than the place.
    assert!(whole.placed(0, &mut conn, &mut Vec::new()).unwrap().is_none());
    assert_eq!(conn.frame_remaining(), 40);
    assert!(whole.placed(1000, &mut conn, &mut Vec::new()).unwrap().is_none());
    assert_eq!(conn.frame_remaining(), 0);
    assert!(whole.placed(1000, &mut conn, &mut Vec::new()).unwrap().is_none());
    assert_eq!(conn.bytes_received(), (data_len() + ping.len() + fits.len()) as u64);

    fn data_len() -> usize {
        frame(false, 2, &[5; 60]).len()
    }
}

#[test]
fn nothing_is_reserved_by_a_declared_length() {
    // W20: a frame of 2^40 bytes, of which none has come.
    let config = Config { frame_limit: u64::MAX, message_limit: u64::MAX, ..Config::default() };
    let huge = [&[0x82, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[1, 2, 3, 4]].concat();
    const STEP: usize = 64 * 1024;
    let mut conn = Connection::new(Server, &config, Agreed::default());
    let mut out = Vec::new();
    let mut whole = Assembler::new(Vec::new());
    receive(&mut conn, &mut whole, &huge, &mut out, &mut Vec::new());
    for step in 1..4_u64 {
        assert_eq!(whole.place(&conn).len(), STEP);
        assert!(whole.placed(STEP, &mut conn, &mut out).unwrap().is_none());
        assert_eq!(conn.frame_remaining(), (1 << 40) - step * STEP as u64);
    }
    each_memory!(64, |whole, bounded| {
        let mut whole = whole;
        let mut conn = Connection::new(Server, &config, Agreed::default());
        receive(&mut conn, &mut whole, &huge, &mut out, &mut Vec::new());
        assert_eq!(whole.place(&conn).len(), if bounded { 0 } else { STEP });
    });
}

#[test]
fn faults_in_place() {
    // W14, W47, W48: what proves a fault is found where it lies, and told once.
    let texts: [(&[u8], Rule, u64); 4] = [
        (b"ab\xffcd", Rule::InvalidUtf8, 8),
        (b"\xed\xa0\x80..", Rule::InvalidUtf8, 7),
        (b"abc\xe0\x80", Rule::InvalidUtf8, 10),
        (b"abcd\xc3", Rule::TruncatedUtf8, 10),
    ];
    for (text, rule, offset) in texts {
        for cut in 1..=text.len() {
            let (mut conn, mut out, mut messages) = (server(), Vec::new(), Messages::new());
            let mut whole = Assembler::new([0; 16]);
            let stream = frame(true, 1, text);
            receive(&mut conn, &mut whole, &stream[..6], &mut out, &mut messages);
            let mut result = Ok(());
            for piece in [&stream[6..6 + cut], &stream[6 + cut..]] {
                if result.is_ok() {
                    whole.place(&conn)[..piece.len()].copy_from_slice(piece);
                    result = whole.placed(piece.len(), &mut conn, &mut out).map(|_| ());
                }
            }
            assert_eq!(result, Err(ProtocolError { rule, offset }), "{} {cut}", text.escape_ascii());
            assert_eq!(out, b"\x88\x02\x03\xef");
            assert!(whole.place(&conn).is_empty());
        }
    }
}

#[test]
fn fragments_sent_arrive_whole() {
    // W42: the other direction, a client's assembler.
    let mut conn = server();
    let mut out = Vec::new();
    conn.send(Outgoing::first(Kind::Text, b"Hel"), &mut out).unwrap();
    conn.send(Outgoing::ping(b"?"), &mut out).unwrap();
    conn.send(Outgoing::last(b"lo"), &mut out).unwrap();
    let mut client = Connection::new(Client(|| [9; 4]), &Config::default(), Agreed::default());
    let mut messages = Messages::new();
    receive(&mut client, &mut Assembler::new([0; 5]), &out, &mut Vec::new(), &mut messages);
    assert_eq!(messages, [(Kind::Text, b"Hello".to_vec())]);
}
