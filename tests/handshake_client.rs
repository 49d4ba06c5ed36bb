//! What a client makes of a server's answer: each rule of the opening handshake's 101, what it lets pass and what it
//! fails on, at which byte, the same for every cut of the stream.
#![cfg(feature = "alloc")]

mod handshake;

use handshake::client::{ACCEPT, Answer, CONNECTION, Client, STATUS, UPGRADE, instead, with};
use proptest::prelude::*;
use websocket_proto::{HeadLimits, Rsv, Rule};

fn opened(protocol: Option<&str>, extensions: &[&str], rest: &[u8]) -> Answer {
    Answer::Opened {
        protocol: protocol.map(str::to_owned),
        extensions: extensions.iter().map(|&name| name.to_owned()).collect(),
        // Of what was answered, and of nothing else (W12).
        reserved: extensions
            .iter()
            .fold(Rsv::NONE, |sum, &name| sum.with(if name == "x" { Rsv::RSV2 } else { Rsv::RSV3 })),
        rest: rest.to_vec(),
    }
}

#[test]
fn the_specification_s_example() {
    // RFC 6455 §1.3, with frames behind it (W122).
    let stream = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n\x81\x00\x88\x00";
    assert_eq!(Client::offers().reads(stream), opened(Some("chat"), &[], b"\x81\x00\x88\x00"));
}

#[test]
fn legal() {
    let client = Client::offers();
    let none = || opened(None, &[], b"");
    #[rustfmt::skip]
    let rows: Vec<(Vec<u8>, Answer)> = vec![
        (with(""), none()),
        // W124: a later HTTP/1; a reason of any words, or none.
        (instead("HTTP/1.1", "HTTP/1.9"), none()),
        (instead("Switching Protocols", ""), none()),
        (instead(" Switching Protocols", ""), none()),
        (instead("Switching Protocols", "a \t b\u{e9}"), none()), // W56
        // W114: Upgrade and Connection, without case.
        (instead(UPGRADE, "UPGRADE:WebSocket \t\r\n"), none()),
        (instead(CONNECTION, "connection: keep-alive, UPGRADE\r\n"), none()),
        (instead(CONNECTION, "Connection: x\r\nConnection: ,upgrade\r\n"), none()),
        // W115: trimmed.
        (instead(ACCEPT, "sec-websocket-accept:\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"), none()),
        // W117, W118: one of those offered, or none.
        (with("Sec-WebSocket-Protocol: b\r\n"), opened(Some("b"), &[], b"")),
        (with("Sec-WebSocket-Protocol:chat\t\r\n"), opened(Some("chat"), &[], b"")),
        // W119, W104: those offered, over lines.
        (with("Sec-WebSocket-Extensions: z\r\n"), opened(None, &["z"], b"")),
        (with("Sec-WebSocket-Extensions: z, ,x; q=1\r\n"), opened(None, &["z", "x"], b"")),
        (with("Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: z\r\n"), opened(None, &["x", "z"], b"")),
        // W164: a 101 ends at its blank line.
        ([with("Content-Length: 2\r\n"), b"\x81\x00".to_vec()].concat(), opened(None, &[], b"\x81\x00")),
        ([with("Transfer-Encoding: chunked\r\n"), b"\x81\x00".to_vec()].concat(), opened(None, &[], b"\x81\x00")),
        // W99: a fold is one space.
        (instead(ACCEPT, "Sec-WebSocket-Accept:\r\n  \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), none()),
        (instead(CONNECTION, "Connection: a,\r\n\tUpgrade\r\n ,b\r\n"), none()),
        (with("X: a\r\n \r\n\t\r\n  b\r\n"), none()),
        // W123: interim answers are skipped.
        ([b"HTTP/1.1 100 \r\n\r\n".to_vec(), with("")].concat(), none()),
        ([b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102\r\nContent-Length: 9\r\n\r\n".to_vec(),
          with("")].concat(), none()),
    ];
    for (stream, expected) in rows {
        assert_eq!(client.reads(&stream), expected, "{}", stream.escape_ascii());
    }
    // W118: no subprotocol chosen is an error where one is required.
    let requires = Client { require_protocol: true, ..client };
    let protocol = with("Sec-WebSocket-Protocol: chat\r\n");
    assert_eq!(requires.reads(&protocol), opened(Some("chat"), &[], b""));
    let last = with("").len() as u64 - 1;
    assert_eq!(requires.reads(&with("")), Answer::Failed(Rule::ProtocolNotChosen, last));
}

#[test]
fn a_fold_is_one_space() {
    // W99: RFC 9112 §5.2.
    let stream = b"HTTP/1.1 404 \r\nA: b\r\n \t c\r\n\td \r\nB:\r\n \r\nC: d\r\nContent-Length: 0\r\n\r\n";
    let Answer::Refused { fields, .. } = Client::new().reads(stream) else { panic!() };
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_str(), value.escape_ascii().to_string())).collect();
    let expected = [("A", "b c d"), ("B", ""), ("C", "d"), ("Content-Length", "0")];
    assert_eq!(fields, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn grammar() {
    use Rule::{FieldName, FieldValue, LineEnding, NotHttp, ResponseVersion, StatusLine};
    // The `^` stands before the byte that proves the fault.
    #[rustfmt::skip]
    let rows: &[(&[u8], Rule)] = &[
        // W124: noise, TLS, an HTTP/2 preface and its SETTINGS, a frame.
        (b"^\r\nHTTP/1.1 101\r\n", NotHttp),
        (b"^SSH-2.0-OpenSSH_9.6\r\n", NotHttp),
        (b"^\x15\x03\x01\x00\x02\x02\x46", NotHttp),
        (b"^PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NotHttp),
        (b"^\0\0\x12\x04\0\0\0\0\0", NotHttp),
        (b"^\x81\x00", NotHttp),
        (b"^http/1.1 101\r\n", NotHttp),
        (b"HT^P/1.1 101\r\n", NotHttp),
        (b"HTTP^ 1.1 101\r\n", NotHttp),
        // W124: the version.
        (b"HTTP/^2 200\r\n", ResponseVersion),
        (b"HTTP/^2.0 200\r\n", ResponseVersion),
        (b"HTTP/1.^0 101 Switching\r\n", ResponseVersion),
        (b"HTTP/^0.9 200\r\n", ResponseVersion),
        (b"HTTP/1^ 101\r\n", ResponseVersion),
        (b"HTTP/1.^x 101\r\n", ResponseVersion),
        // W124: the status line.
        (b"HTTP/1.1^\r\n", StatusLine),
        (b"HTTP/1.1^1 101\r\n", StatusLine),
        (b"HTTP/1.1^\t101\r\n", StatusLine),
        (b"HTTP/1.1 ^ 101\r\n", StatusLine),
        (b"HTTP/1.1 ^0101\r\n", StatusLine),
        (b"HTTP/1.1 ^099\r\n", StatusLine),
        (b"HTTP/1.1 ^+101\r\n", StatusLine),
        (b"HTTP/1.1 10^ \r\n", StatusLine),
        (b"HTTP/1.1 1^x1\r\n", StatusLine),
        (b"HTTP/1.1 10^\r\n", StatusLine),
        (b"HTTP/1.1 101^1\r\n", StatusLine),
        (b"HTTP/1.1 101^\n", StatusLine),
        (b"HTTP/1.1 101 a^\0\r\n", StatusLine),
        (b"HTTP/1.1 101 a^\n", StatusLine),
        (b"HTTP/1.1 101 a^\x7F\r\n", StatusLine),
        // W99, W159: the fields.
        (b"HTTP/1.1 101\r^x", LineEnding),
        (b"HTTP/1.1 101\r\n^ Upgrade: a\r\n", FieldName),
        (b"HTTP/1.1 101\r\n^: a\r\n", FieldName),
        (b"HTTP/1.1 101\r\n^\n", FieldName),
        (b"HTTP/1.1 101\r\nUpgrade^ : a\r\n", FieldName),
        (b"HTTP/1.1 101\r\nUpgrade^\r\n", FieldName),
        (b"HTTP/1.1 101\r\nUp^\xFFgrade: a\r\n", FieldName), // W56
        (b"HTTP/1.1 101\r\nA: b^\n", LineEnding),
        (b"HTTP/1.1 101\r\nA: b\r^C: d\r\n", LineEnding),
        (b"HTTP/1.1 101\r\nA: b\r\n\r^\r", LineEnding),
        (b"HTTP/1.1 101\r\nA: b^\0\r\n", FieldValue),
        (b"HTTP/1.1 101\r\nA: b^\x08\r\n", FieldValue),
        (b"HTTP/1.1 101\r\nA: b\r\n ^\0\r\n", FieldValue),
        (b"HTTP/1.1 101\r\nA: b\r\n ^\n", LineEnding),
        (b"HTTP/1.1 101\r\nA: b\r\n \r^x", LineEnding),
    ];
    for (text, rule) in rows {
        let at = text.iter().position(|&byte| byte == b'^').unwrap();
        let stream = [&text[..at], &text[at + 1..]].concat();
        assert_eq!(Client::new().reads(&stream), Answer::Failed(*rule, at as u64), "{}", text.escape_ascii());
        assert_eq!((rule.close_code(), Client::new().ends(&stream).1), (None, false));
        // W123: behind an interim answer too, counted from the stream's first byte.
        let interim = b"HTTP/1.1 100\r\n\r\n";
        let at = (interim.len() + at) as u64;
        assert_eq!(Client::new().reads(&[interim, &stream[..]].concat()), Answer::Failed(*rule, at));
    }
}

#[test]
fn failed_at_the_end_of_the_head() {
    use Rule::{
        AcceptMismatch, AcceptMissing, AcceptRepeated, ConnectionAnswer, ExtensionAnswer,
        ExtensionNotOffered, ProtocolNotOffered, ProtocolRepeated, UpgradeAnswer,
    };
    #[rustfmt::skip]
    let rows: Vec<(Vec<u8>, Rule)> = vec![
        // W114: one line, equal to websocket; unlike a request's it is no list.
        (instead(UPGRADE, ""), UpgradeAnswer),
        (instead(UPGRADE, "Upgrade:\r\n"), UpgradeAnswer),
        (instead(UPGRADE, "Upgrade: websocket, h2c\r\n"), UpgradeAnswer),
        (instead(UPGRADE, "Upgrade: websocket,\r\n"), UpgradeAnswer),
        (instead(UPGRADE, "Upgrade: websocket/13\r\n"), UpgradeAnswer),
        (instead(UPGRADE, "Upgrade: websocket\r\nupgrade: websocket\r\n"), UpgradeAnswer),
        (instead(UPGRADE, "Upgrade: h2c\r\n"), UpgradeAnswer),
        (instead(CONNECTION, ""), ConnectionAnswer),
        (instead(CONNECTION, "Connection: close\r\n"), ConnectionAnswer),
        (instead(CONNECTION, "Connection: Upgrade d\r\n"), ConnectionAnswer),
        // W115: whole and by case.
        (instead(ACCEPT, ""), AcceptMissing),
        (instead(ACCEPT, "Sec-WebSocket-Accept:\r\n"), AcceptMismatch),
        (instead("s3pPLMB", "S3pPLMB"), AcceptMismatch),
        (instead("xOo=\r", "xOo\r"), AcceptMismatch),
        (instead("xOo=\r", "xOo==\r"), AcceptMismatch),
        (instead("xOo=\r", "xOo=,\r"), AcceptMismatch),
        (instead(" s3pPLMB", " s3pPLMB\r\n "), AcceptMismatch),
        (instead("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "dGhlIHNhbXBsZSBub25jZQ=="), AcceptMismatch),
        // W116: once.
        (with(ACCEPT), AcceptRepeated),
        (with("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"), ProtocolRepeated),
        (with("Sec-WebSocket-Protocol: chat\r\nsec-websocket-protocol:\r\n"), ProtocolRepeated),
        // W117: one of those offered, by case.
        (with("Sec-WebSocket-Protocol:\r\n"), ProtocolNotOffered),
        (with("Sec-WebSocket-Protocol: Chat\r\n"), ProtocolNotOffered),
        (with("Sec-WebSocket-Protocol: other\r\n"), ProtocolNotOffered),
        (with("Sec-WebSocket-Protocol: chat, b\r\n"), ProtocolNotOffered),
        (with("Sec-WebSocket-Protocol: chat,\r\n"), ProtocolNotOffered),
        (with("Sec-WebSocket-Protocol: chatb\r\n"), ProtocolNotOffered),
        (with("Sec-WebSocket-Protocol: \u{e9}\r\n"), ProtocolNotOffered), // W56
        // W104, W119.
        (with("Sec-WebSocket-Extensions:\r\n"), ExtensionAnswer),
        (with("Sec-WebSocket-Extensions: x;\r\n"), ExtensionAnswer),
        (with("Sec-WebSocket-Extensions: x; y=\"\"\r\n"), ExtensionAnswer),
        (with("Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: z z\r\n"), ExtensionAnswer),
        (with("Sec-WebSocket-Extensions: y\r\n"), ExtensionNotOffered),
        (with("Sec-WebSocket-Extensions: X\r\n"), ExtensionNotOffered), // W106
        (with("Sec-WebSocket-Extensions: x, permessage-deflate\r\n"), ExtensionNotOffered),
        (with("Sec-WebSocket-Extensions: x, z, x\r\n"), ExtensionNotOffered),
        (with("Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: x\r\n"), ExtensionNotOffered),
    ];
    for (stream, rule) in rows {
        let last = stream.len() as u64 - 1;
        assert_eq!(Client::offers().reads(&stream), Answer::Failed(rule, last), "{}", stream.escape_ascii());
        assert_eq!((rule.status(), rule.close_code()), (None, None));
    }
    // Where nothing was offered, nothing may be answered.
    for (more, rule) in [
        ("Sec-WebSocket-Protocol: chat\r\n", ProtocolNotOffered),
        ("Sec-WebSocket-Protocol:\r\n", ProtocolNotOffered),
        ("Sec-WebSocket-Extensions: x\r\n", ExtensionNotOffered),
    ] {
        let last = with(more).len() as u64 - 1;
        assert_eq!(Client::new().reads(&with(more)), Answer::Failed(rule, last));
    }
}

#[test]
fn interim_answers_up_to_a_limit() {
    // W123: eight.
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    let eight = interim.repeat(8);
    assert_eq!(Client::new().reads(&[&eight[..], &with("")].concat()), opened(None, &[], b""));
    let nine = interim.repeat(9);
    let last = nine.len() as u64 - 1;
    assert_eq!(
        Client::new().reads(&[&nine[..], &with("")].concat()),
        Answer::Failed(Rule::TooManyInterim, last)
    );
    // Each head has the limits and the memory for itself (W100).
    let len = with("").len();
    let limits = HeadLimits { bytes: u32::try_from(len).unwrap(), lines: 3, line: 60 };
    let tight = Client { memory: len, limits, ..Client::new() };
    assert_eq!(tight.reads(&[&eight[..], &with("")].concat()), opened(None, &[], b""));
}

#[test]
fn limits() {
    // W100: as they are, and one beyond, and the memory behind the offers.
    let stream = with("");
    let len = stream.len();
    let bytes = u32::try_from(len).unwrap();
    let line = u32::try_from(ACCEPT.len() - 2).unwrap();
    let accept_at = (len - 2 - ACCEPT.len()) as u64;
    let default = HeadLimits::default();
    let at = |memory: usize, limits: HeadLimits| Client { memory, limits, ..Client::new() }.reads(&stream);
    let sound = || opened(None, &[], b"");
    assert_eq!(at(len, default), sound());
    assert_eq!(at(len - 1, default), Answer::Failed(Rule::HeadTooLong, len as u64 - 1));
    assert_eq!(at(0, default), Answer::Failed(Rule::HeadTooLong, 0));
    assert_eq!(at(len, HeadLimits { bytes, ..default }), sound());
    assert_eq!(
        at(len, HeadLimits { bytes: bytes - 1, ..default }),
        Answer::Failed(Rule::HeadTooLong, len as u64 - 1)
    );
    assert_eq!(at(len, HeadLimits { lines: 3, ..default }), sound());
    assert_eq!(at(len, HeadLimits { lines: 2, ..default }), Answer::Failed(Rule::TooManyLines, accept_at));
    assert_eq!(at(len, HeadLimits { line, ..default }), sound());
    let one_less = HeadLimits { line: line - 1, ..default };
    assert_eq!(at(len, one_less), Answer::Failed(Rule::LineTooLong, accept_at + u64::from(line) - 1));
    let short = HeadLimits { line: 20, ..default };
    assert_eq!(at(len, short), Answer::Failed(Rule::LineTooLong, 20)); // the status line
    // The offers take some of it.
    let offers = Client { memory: len + 19, ..Client::offers() };
    assert_eq!(offers.reads(&stream), sound());
    let offers = Client { memory: len + 18, ..Client::offers() };
    assert_eq!(offers.reads(&stream), Answer::Failed(Rule::HeadTooLong, len as u64 - 1));
}

#[test]
fn the_stream_ends_at_every_byte() {
    // W165: an end before the head is complete is told apart, with the bytes so far.
    let client = Client::offers();
    let stream = with("Sec-WebSocket-Protocol: chat\r\n");
    for end in 0..stream.len() {
        let (answer, complete, head) = client.ends(&stream[..end]);
        assert_eq!((answer, complete, &head[..]), (Answer::More, false, &stream[..end]));
    }
    assert_eq!(client.ends(&stream), (opened(Some("chat"), &[], b""), true, stream.clone()));
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    for end in 0..interim.len() {
        let (answer, complete, head) = client.ends(&[&interim[..], &interim[..end]].concat());
        assert_eq!((answer, complete, &head[..]), (Answer::More, false, &interim[..end]));
    }
}

proptest! {
    // W56, W105: any bytes whatever end in the same way for every cut, and nothing panics.
    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..32), status in 100_u16..1000) {
        Client::new().reads(&bytes);
        let stream = [format!("HTTP/1.1 {status}\r\n").as_bytes(), &bytes].concat();
        Client::new().reads(&stream);
        Client::new().ends(&stream);
    }

    #[test]
    fn almost_an_answer(at: proptest::sample::Index, byte: u8) {
        let mut stream = with("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: x\r\n");
        let at = at.index(stream.len());
        let sound = stream[at] == byte;
        stream[at] = byte;
        let answer = Client::offers().reads(&stream);
        let opened = matches!(answer, Answer::Opened { .. });
        prop_assert!(opened || !sound);
        // Of `HTTP/1.1 101` only the last digit of the version may be another one.
        prop_assert!(!opened || sound || at >= STATUS.find(" Switching").unwrap() || at == 7, "{answer:?}");
    }
}
