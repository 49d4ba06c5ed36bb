//! Another answer than a 101: its status, fields and bounded body are data, however the body is framed and cut.
#![cfg(feature = "alloc")]

mod handshake;

use handshake::client::{Answer, Client, with};
use proptest::prelude::*;
use websocket_proto::{Config, Input, Rule, Session, Transport, Uri, client};

/// The body of a refusal that is complete with the last byte of `stream`, whatever follows.
fn body(client: Client, stream: &[u8]) -> String {
    let answer = client.reads(stream);
    let behind = [stream, b"HTTP/1.1 200 OK\r\n\r\n\0"].concat();
    assert_eq!(client.reads(&behind), answer, "{}", stream.escape_ascii());
    assert_eq!(client.reads(&stream[..stream.len() - 1]), Answer::More, "{}", stream.escape_ascii());
    match answer {
        Answer::Refused { body, .. } => body.escape_ascii().to_string(),
        other => panic!("{other:?}: {}", stream.escape_ascii()),
    }
}

fn text(answer: &Answer) -> String {
    match answer {
        Answer::Refused { body, .. } => body.escape_ascii().to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_status_but_101_is_data() {
    // W112, W113: redirects and demands for credentials too.
    for status in (200..1000).step_by(7).chain([204, 301, 302, 304, 307, 308, 401, 407, 426, 503, 999]) {
        let more = "Location: /b\r\nWWW-Authenticate: Basic\r\n\u{e9}: x\r\n".replace('\u{e9}', "X");
        let stream = format!("HTTP/1.1 {status} a b\r\n{more}Content-Length: 0\r\n\r\n");
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let fields = vec![
            field("Location", "/b"),
            field("WWW-Authenticate", "Basic"),
            field("X", "x"),
            field("Content-Length", "0"),
        ];
        let expected = Answer::Refused { status, reason: b"a b".to_vec(), fields, body: vec![] };
        assert_eq!(Client::offers().reads(stream.as_bytes()), expected);
    }
    // What a 101 must have is not asked of it, nor forbidden.
    let stream = with("Content-Length: 0\r\n");
    let stream = String::from_utf8(stream).unwrap().replace("101", "200");
    assert_eq!(body(Client::new(), stream.as_bytes()), "");
}

#[test]
fn bodies_that_tell_their_end() {
    // W112: RFC 9112 §6.3.
    #[rustfmt::skip]
    let rows: &[(&str, &str, &str)] = &[
        // A length.
        ("200", "Content-Length: 5\r\n\r\nhello", "hello"),
        ("403", "content-length:\t05 \r\n\r\nhello", "hello"),
        ("403", "Content-Length: 0\r\n\r\n", ""),
        // No content, whatever the fields say.
        ("204", "\r\n", ""),
        ("304", "Content-Length: 5\r\n\r\n", ""),
        // Chunks, and their extensions and trailers.
        ("200", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
        ("200", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("200", "Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n00A\r\nbcdefghijk\r\n000\r\n\r\n", "abcdefghijk"),
        ("200", "Transfer-Encoding: gzip, chunked\r\n\r\n2;a=b;c=\"d e\"\r\n\r\n\r\n0;x\r\n\r\n", "\\r\\n"),
        ("200", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", "a"),
        ("200", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a"),
        // The coding is stronger than a length.
        ("200", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab"),
    ];
    for (status, rest, expected) in rows {
        let stream = format!("HTTP/1.1 {status}\r\n{rest}");
        assert_eq!(body(Client::new(), stream.as_bytes()), *expected, "{stream:?}");
        assert!(Client::new().ends(stream.as_bytes()).1);
    }
}

#[test]
fn malformed_chunks_end_the_body() {
    // W112: what is framed wrongly is cut off at the byte that shows it, with what came before.
    #[rustfmt::skip]
    let rows: &[(&str, &str)] = &[
        ("1\r\nab", "a"),
        ("2\r\nab0", "ab"),
        ("1\r\na\r\nx", "a"),
        ("x", ""),
        ("-", ""),
        ("5x", ""),
        ("fffffffffffffffff", ""),
    ];
    for (chunks, expected) in rows {
        let stream = format!("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(body(Client::new(), stream.as_bytes()), *expected, "{chunks:?}");
    }
}

#[test]
fn bodies_until_the_end_of_the_stream() {
    // W112: without a length, or with one that is none, or with another coding last.
    for more in [
        "",
        "Content-Length: x\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: gzip\r\n",
    ] {
        for content in ["", "hello", "0\r\n\r\n"] {
            let stream = format!("HTTP/1.1 500 \r\n{more}\r\n{content}");
            assert_eq!(Client::new().reads(stream.as_bytes()), Answer::More);
            let (answer, complete, _) = Client::new().ends(stream.as_bytes());
            assert_eq!((text(&answer), complete), (content.escape_default().to_string(), true), "{stream:?}");
        }
    }
}

#[test]
fn bodies_cut_off_by_the_end_of_the_stream() {
    // W165, RFC 9112 §8: not complete, and what came is there.
    #[rustfmt::skip]
    let rows: &[(&str, &str)] = &[
        ("Content-Length: 5\r\n\r\n", ""),
        ("Content-Length: 5\r\n\r\nhell", "hell"),
        ("Transfer-Encoding: chunked\r\n\r\n", ""),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "hel"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n", "hello"),
    ];
    for (rest, expected) in rows {
        let stream = format!("HTTP/1.1 500\r\n{rest}");
        let (answer, complete, _) = Client::new().ends(stream.as_bytes());
        assert_eq!((text(&answer).as_str(), complete), (*expected, false), "{stream:?}");
    }
}

#[test]
fn bodies_that_the_memory_cuts_off() {
    // W112: bounded. The refusal is told with the first byte that finds no room, or when it is complete.
    for framing in ["Content-Length: 20\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\n14\r\n"] {
        let head = format!("HTTP/1.1 500\r\n{framing}");
        let kept = head.find("\r\n\r\n").unwrap() + 4;
        let stream = [head.as_bytes(), b"abcdefghijklmnopqrst"].concat();
        for room in 0..20 {
            let client = Client { memory: kept + room, ..Client::new() };
            let through = &stream[..head.len() + room + 1];
            assert_eq!(body(client, through), "abcdefghijklmnopqrst"[..room]);
            let (answer, ..) = client.ends(&stream);
            assert_eq!(text(&answer), "abcdefghijklmnopqrst"[..room]);
        }
        let client = Client { memory: kept + 20, ..Client::new() };
        let (answer, ..) = client.ends(&stream);
        assert_eq!(text(&answer), "abcdefghijklmnopqrst");
    }
    // The offers have their place in the same memory.
    let offers = Client { memory: 19 + 37 + 2, ..Client::offers() };
    assert_eq!(body(offers, b"HTTP/1.1 500 A\r\nContent-Length: 40\r\n\r\nab"), "a");
}

#[test]
fn a_head_that_is_too_long_is_no_refusal() {
    let stream = b"HTTP/1.1 500\r\nX: y\r\n\r\n";
    let client = Client { memory: stream.len() - 1, ..Client::new() };
    let last = stream.len() as u64 - 1;
    assert_eq!(client.reads(stream), Answer::Failed(Rule::HeadTooLong, last));
}

#[test]
fn in_a_session() {
    // The transport is kept while the body lasts, and dropped with it.
    let mut out = Vec::new();
    let request = client::Request::new(Uri::parse("ws://h").unwrap(), [0; 16]);
    let role = websocket_proto::Client(|| [1, 2, 3, 4]);
    let mut session = Session::client(role, [0; 512], Config::default(), &request, &mut out).unwrap();
    let mut head = *b"HTTP/1.1 401 \r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\na";
    assert!(session.receive(&mut Input::new(&mut head), &mut out).is_none());
    assert_eq!(session.transport(), Transport::Keep);
    assert_eq!(session.response().unwrap().status(), 401);
    let mut last = *b"b";
    assert!(session.receive(&mut Input::new(&mut last), &mut out).is_some());
    assert_eq!(session.transport(), Transport::Drop);
    let response = session.response().unwrap();
    assert_eq!((response.body(), response.header("www-AUTHENTICATE")), (&b"ab"[..], Some(&b"Basic"[..])));
}

proptest! {
    // Chunked and counted, cut anywhere, the body is the same.
    #[test]
    fn framings_agree(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..4)) {
        let content = chunks.concat();
        let counted = [format!("HTTP/1.1 500\r\nContent-Length: {}\r\n\r\n", content.len()).as_bytes(), &content].concat();
        let mut chunked = b"HTTP/1.1 500\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            chunked.extend(format!("{:X}\r\n", chunk.len()).as_bytes());
            chunked.extend(chunk);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        prop_assert_eq!(body(Client::new(), &counted), content.escape_ascii().to_string());
        prop_assert_eq!(body(Client::new(), &chunked), content.escape_ascii().to_string());
    }
}
