//! What a server answers: exact bytes, all or nothing, and nothing of the caller's unchecked.
#![cfg(feature = "alloc")]

mod handshake;

use handshake::server::{instead, refusal, target, with};
use websocket_proto::{
    Agreed, Config, DeflatePolicy, HandshakeError, Input, OriginPolicy, Output, ProtocolError, Rsv, Rule,
    SliceOutput,
    server::{Accept, Handshake, Progress, Request},
};

const OFFERS: &str = "Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Extensions: a; x, b\r\nSec-WebSocket-Extensions: c, permessage-deflate\r\n";

type Server = Handshake<[u8; 1024]>;

/// A server that has read `stream`.
fn requested(stream: &[u8]) -> Server {
    let mut handshake = Handshake::new([0; 1024], Config::default().head);
    let mut none = SliceOutput::new([0; 0]);
    let mut stream = stream.to_vec();
    assert!(matches!(handshake.receive(Input::new(&mut stream), &mut none), Progress::Request { .. }));
    handshake
}

fn request(handshake: &mut Server) -> Request<'_> {
    handshake.request().expect("it awaits its answer")
}

/// A 101 for the key of RFC 6455 §1.3, with `more` fields.
fn switching(more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{more}\r\n"
    )
}

/// `write` into an output of `room` bytes.
fn into_room(
    room: usize,
    write: impl FnOnce(&mut SliceOutput<Vec<u8>>) -> Result<(), HandshakeError>,
) -> (Result<(), HandshakeError>, String) {
    let mut out = SliceOutput::new(vec![0xAA; room]);
    let result = write(&mut out);
    (result, String::from_utf8(out.pending().to_vec()).unwrap())
}

/// Writes an answer where there is a byte too little room, which is refused, and then where there is just enough.
fn exactly(
    stream: &[u8],
    expected: &str,
    write: impl Fn(Request<'_>, &mut SliceOutput<Vec<u8>>) -> Result<(), HandshakeError>,
) -> Server {
    let needed = expected.len();
    let mut handshake = requested(stream);
    for room in [0, 1, needed / 2, needed - 1] {
        let (result, out) = into_room(room, |out| write(request(&mut handshake), out));
        assert_eq!(result, Err(HandshakeError::NoRoom { needed }), "{room}");
        assert_eq!(out, "");
        assert!(!handshake.is_over() && handshake.agreed().is_none() && handshake.failure().is_none());
    }
    let (result, out) = into_room(needed, |out| write(request(&mut handshake), out));
    assert_eq!((result, out.as_str()), (Ok(()), expected));
    assert!(handshake.request().is_none());
    handshake
}

#[test]
fn accepted() {
    // W110 aside, what a 101 has: RFC 6455 §1.3, and W103, W104.
    let any = OriginPolicy::Any;
    let accepted = |more: &str, build: &dyn for<'h> Fn(Request<'h>) -> Accept<'h, 'static>| {
        let handshake = exactly(&with(OFFERS), &switching(more), |request, out| build(request).write(out));
        assert!(!handshake.is_over());
        handshake.agreed().unwrap()
    };
    assert_eq!(accepted("", &|request| request.accept(any)), Agreed::default());
    accepted("Sec-WebSocket-Protocol: chat\r\n", &|request| request.accept(any).protocol("chat"));
    accepted("Sec-WebSocket-Protocol: superchat\r\n", &|request| request.accept(any).protocol("superchat"));
    let agreed = accepted("Sec-WebSocket-Extensions: permessage-deflate; x=\"1\"\r\n", &|request| {
        request.accept(any).extensions("permessage-deflate; x=\"1\"", Rsv::RSV1)
    });
    assert_eq!(agreed.reserved(), Rsv::RSV1);
    accepted("Sec-WebSocket-Extensions: a, c\r\n", &|request| {
        request.accept(any).extensions("a, c", Rsv::NONE)
    });
    accepted(
        "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: b\r\nSet-Cookie: a=b; c\r\nX: \t\u{e9} \r\n",
        &|request| {
            let accept = request.accept(any).headers(&[("Set-Cookie", "a=b; c"), ("X", "\t\u{e9} ")]);
            accept.extensions("b", Rsv::RSV2).protocol("chat")
        },
    );
    // W95: a key with spare bits is hashed as it stands.
    let spare = instead("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC==");
    let expected = switching("").replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
    exactly(&spare, &expected, |request, out| request.accept(any).write(out));
}

#[test]
fn reasons() {
    let named = [
        (200, "OK"),
        (301, "Moved Permanently"),
        (302, "Found"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (414, "URI Too Long"),
        (426, "Upgrade Required"),
        (429, "Too Many Requests"),
        (431, "Request Header Fields Too Large"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ];
    for status in 200..600 {
        let reason = named.iter().find(|(named, _)| *named == status).map_or("", |(_, reason)| reason);
        let mut handshake = requested(&with(""));
        let (result, out) = into_room(200, |out| request(&mut handshake).respond(status).write(out));
        assert_eq!(result, Ok(()));
        assert_eq!(out.lines().next(), Some(format!("HTTP/1.1 {status} {reason}").as_str()));
    }
}

/// Status, fields and body; the head.
type Response<'r> = (u16, &'r [(&'r str, &'r str)], &'r [u8], &'r str);

#[test]
fn responded() {
    let long = [b'x'; 1234];
    #[rustfmt::skip]
    let rows: &[Response<'_>] = &[
        (200, &[("Content-Type", "text/html")], b"<p>", "200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 3\r\n"),
        (200, &[], &long, "200 OK\r\nConnection: close\r\nContent-Length: 1234\r\n"),
        (302, &[("Location", "/b")], b"", "302 Found\r\nLocation: /b\r\nConnection: close\r\nContent-Length: 0\r\n"),
        (401, &[("WWW-Authenticate", "Basic realm=\"a\"")], b"",
         "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nConnection: close\r\nContent-Length: 0\r\n"),
        (503, &[("Retry-After", "1"), ("A", ""), ("A", "b")], b"",
         "503 Service Unavailable\r\nRetry-After: 1\r\nA: \r\nA: b\r\nConnection: close\r\nContent-Length: 0\r\n"),
        (404, &[], b"no", "404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n"),
        (599, &[], b"", "599 \r\nConnection: close\r\nContent-Length: 0\r\n"),
        // RFC 9110 §8.6: these have no content.
        (204, &[], b"", "204 \r\nConnection: close\r\n"),
        (205, &[], b"", "205 \r\nConnection: close\r\nContent-Length: 0\r\n"),
        (304, &[("ETag", "\"x\"")], b"", "304 \r\nETag: \"x\"\r\nConnection: close\r\n"),
    ];
    for (status, headers, body, head) in rows {
        let expected = format!("HTTP/1.1 {head}\r\n{}", String::from_utf8_lossy(body));
        let handshake = exactly(&with(OFFERS), &expected, |request, out| {
            request.respond(*status).headers(headers).body(body).write(out)
        });
        assert!(handshake.is_over() && handshake.agreed().is_none() && handshake.failure().is_none());
        // W110: never in a refusal.
        for name in ["Accept", "Protocol", "Extensions"] {
            assert!(!expected.contains(&format!("Sec-WebSocket-{name}")));
        }
    }
}

#[test]
fn refused_by_the_policy() {
    // W108: a mismatch is a 403 in the output, and a fault of the peer at the head's last byte.
    let with_origin = |origin: &str| with(&format!("Origin: {origin}\r\n"));
    let list = OriginPolicy::List(&["https://example.com", "null"]);
    #[rustfmt::skip]
    let rows: Vec<(Vec<u8>, OriginPolicy<'_>, bool)> = vec![
        (with(""), OriginPolicy::NonBrowser, true),
        (with(""), OriginPolicy::SameHost, true),
        (with_origin("http://h"), OriginPolicy::SameHost, true),
        (with_origin("http://evil"), OriginPolicy::SameHost, false),
        (with_origin("http://h:8080"), OriginPolicy::SameHost, false),
        (with_origin("null"), OriginPolicy::SameHost, false),
        (with_origin(""), OriginPolicy::SameHost, false),
        (with_origin("http://h"), OriginPolicy::NonBrowser, false),
        (with_origin("https://example.com"), list, true),
        (with_origin("null"), list, true),
        (with_origin("https://example.com."), list, false),
        (with_origin("https://u@example.com"), list, false),
        (with_origin("nonsense"), OriginPolicy::Any, true),
        // W158: the authority of an absolute target is the host.
        ([&target("http://g/")[..target("http://g/").len() - 2], b"Origin: http://g\r\n\r\n"].concat(),
         OriginPolicy::SameHost, true),
        ([&target("http://g/")[..target("http://g/").len() - 2], b"Origin: http://h\r\n\r\n"].concat(),
         OriginPolicy::SameHost, false),
    ];
    for (stream, policy, allowed) in rows {
        let accept = |request: Request<'_>, out: &mut SliceOutput<Vec<u8>>| request.accept(policy).write(out);
        if allowed {
            let handshake = exactly(&stream, &switching(""), accept);
            assert!(handshake.agreed().is_some() && handshake.failure().is_none());
        } else {
            let handshake = exactly(&stream, &refusal(Rule::OriginRefused), accept);
            let offset = stream.len() as u64 - 1;
            assert_eq!(handshake.failure(), Some(ProtocolError { rule: Rule::OriginRefused, offset }));
            assert!(handshake.is_over() && handshake.agreed().is_none());
        }
    }
    assert_eq!(Rule::OriginRefused.status(), Some(403));
}

type Write<'w> = &'w dyn Fn(Request<'_>, &mut Vec<u8>) -> Result<(), HandshakeError>;

#[test]
fn callers_faults() {
    // Nothing is put out, and the request awaits its answer as before.
    let any = OriginPolicy::Any;
    let mut handshake = requested(&with(OFFERS));
    let mut refused = |expected: HandshakeError, write: Write<'_>| {
        let mut out = Vec::new();
        assert_eq!(write(request(&mut handshake), &mut out), Err(expected));
        assert!(out.is_empty() && handshake.request().is_some() && !handshake.is_over());
    };
    // W103: what was not offered, by case; several; none.
    for protocol in ["Chat", "", "other", "chat, superchat", "chat ", "chat\r\nX: y", "chat\0"] {
        refused(HandshakeError::Protocol, &|request, out| request.accept(any).protocol(protocol).write(out));
    }
    // W104: what was not offered, out of order, empty, or not by the grammar.
    for answer in [
        "A",
        "d",
        "a, d",
        "b, a",
        "",
        ",",
        "a b",
        "a;",
        "a; x=",
        "a\r\nX: y",
        "a; x=\"y\0\"",
        "\u{e9}",
        "a, a",
    ] {
        refused(HandshakeError::Extension, &|request, out| {
            request.accept(any).extensions(answer, Rsv::NONE).write(out)
        });
    }
    // W119: offers of one name are alternatives, and a client fails on an answer that takes two of them.
    let twice = with("Sec-WebSocket-Extensions: a; x, a; y\r\n");
    let (result, out) = into_room(4096, |out| {
        request(&mut requested(&twice)).accept(any).extensions("a; x, a; y", Rsv::NONE).write(out)
    });
    assert_eq!((result, out.as_str()), (Err(HandshakeError::Extension), ""));
    // permessage-deflate is answered by its policy or by the caller, not by both.
    let offered = with("Sec-WebSocket-Extensions: permessage-deflate, a\r\n");
    for (answer, expected) in [("permessage-deflate", Err(HandshakeError::Extension)), ("a", Ok(()))] {
        let (result, out) = into_room(4096, |out| {
            let mut handshake = requested(&offered);
            let accept = request(&mut handshake).accept(any).deflate(&DeflatePolicy::default());
            accept.extensions(answer, Rsv::NONE).write(out)
        });
        assert_eq!((result, out.is_empty()), (expected, expected.is_err()), "{answer}");
    }
    // Fields of the handshake's own, and those that frame a body; in any case.
    for name in [
        "Upgrade",
        "connection",
        "Sec-WebSocket-Accept",
        "sec-websocket-protocol",
        "SEC-WEBSOCKET-EXTENSIONS",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-",
        "Content-Length",
        "TRANSFER-ENCODING",
    ] {
        let headers = &[("X", "y"), (name, "z")];
        refused(HandshakeError::FieldName, &|request, out| request.accept(any).headers(headers).write(out));
        refused(HandshakeError::FieldName, &|request, out| request.respond(400).headers(headers).write(out));
    }
    for status in [0, 99, 100, 101, 199, 600, u16::MAX] {
        refused(HandshakeError::Status, &|request, out| request.respond(status).write(out));
    }
    for status in [204, 205, 304] {
        refused(HandshakeError::Body, &|request, out| request.respond(status).body(b"x").write(out));
    }
    assert_eq!(
        into_room(4096, |out| request(&mut handshake).accept(any).write(out)),
        (Ok(()), switching(""))
    );
}

#[test]
fn a_plain_get_is_not_accepted() {
    // W98: told as a fault of the peer, as an Origin is; a page may be its answer.
    let page = b"GET / HTTP/1.1\r\nHost: h\r\nOrigin: http://evil\r\n\r\n";
    let rule = Rule::UpgradeWithoutWebsocket;
    let handshake =
        exactly(page, &refusal(rule), |request, out| request.accept(OriginPolicy::NonBrowser).write(out));
    assert_eq!(handshake.failure(), Some(ProtocolError { rule, offset: page.len() as u64 - 1 }));
    assert!(handshake.is_over() && handshake.agreed().is_none());
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    exactly(page, answer, |request, out| request.respond(200).write(out));
}

#[test]
fn every_character_of_the_caller() {
    // W109: in a name, a value, a subprotocol and an extension.
    let any = OriginPolicy::Any;
    let mut handshake = requested(&with(OFFERS));
    for character in (0..=0x100_u32).filter_map(char::from_u32) {
        let text = format!("a{character}z");
        let is_token = character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        let is_value = character == '\t' || !character.is_ascii_control();
        let name = [(text.as_str(), "v")];
        let value = [("X", text.as_str())];
        let expected_name = if is_token { Ok(()) } else { Err(HandshakeError::FieldName) };
        let expected_value = if is_value { Ok(()) } else { Err(HandshakeError::FieldValue) };
        for (fields, expected) in [(name, expected_name), (value, expected_value)] {
            for accept in [true, false] {
                let mut fresh = handshake.clone();
                let mut out = Vec::new();
                let request = request(&mut fresh);
                let result = if accept {
                    request.accept(any).headers(&fields).write(&mut out)
                } else {
                    request.respond(400).headers(&fields).write(&mut out)
                };
                assert_eq!((result, out.is_empty()), (expected, expected.is_err()), "{text:?}");
            }
        }
        let mut out = Vec::new();
        let result = request(&mut handshake).accept(any).protocol(text.as_str()).write(&mut out);
        assert_eq!((result, out.is_empty()), (Err(HandshakeError::Protocol), true), "{text:?}");
        if character == ';' {
            continue; // `z` is a parameter
        }
        let result = request(&mut handshake).accept(any).extensions(&text, Rsv::NONE).write(&mut out);
        assert_eq!((result, out.is_empty()), (Err(HandshakeError::Extension), true), "{text:?}");
    }
}

#[test]
fn answered_once() {
    let any = OriginPolicy::Any;
    // One `Accept` or `Respond` written twice: the second time there is nothing to answer any more.
    let mut handshake = requested(&with(""));
    let mut out = Vec::new();
    let mut accept = request(&mut handshake).accept(any);
    assert_eq!(accept.write(&mut out), Ok(()));
    assert_eq!(accept.write(&mut out), Err(HandshakeError::Answered));
    assert_eq!(out, switching("").as_bytes());
    let mut handshake = requested(&with(""));
    out.clear();
    let mut respond = request(&mut handshake).respond(404);
    assert_eq!(respond.write(&mut out), Ok(()));
    assert_eq!(respond.write(&mut out), Err(HandshakeError::Answered));
    assert!(handshake.request().is_none());
    let mut handshake = requested(&with("Origin: http://evil\r\n"));
    out.clear();
    let mut accept = request(&mut handshake).accept(OriginPolicy::NonBrowser);
    assert_eq!(accept.write(&mut out), Ok(()));
    assert_eq!(accept.write(&mut out), Err(HandshakeError::Answered));
    assert_eq!(out, refusal(Rule::OriginRefused).as_bytes());
    // An answered handshake reads nothing more.
    assert!(matches!(handshake.receive(Input::new(&mut with("")), &mut out), Progress::More));
}

#[test]
fn a_refusal_waits_for_room() {
    // W110, for every status that a reading fault has.
    #[rustfmt::skip]
    let rows = [
        (instead("/ HTTP/1.1\r\nHost: h", "* HTTP/1.1\r\nHost: h"), Rule::TargetForm),
        (instead("GET", "POST"), Rule::MethodNotAllowed),
        (instead(" 13\r", " 8\r"), Rule::VersionUnsupported),
        (target(&"/x".repeat(5000)), Rule::TargetTooLong),
        (with(&"X: yyyyyyyyy\r\n".repeat(100)), Rule::HeadTooLong),
    ];
    for (mut stream, rule) in rows {
        let refusal = refusal(rule);
        let mut out = SliceOutput::new(vec![0; refusal.len() + 1]);
        assert!(out.put(b"12", websocket_proto::Body::plain(&[])));
        let mut handshake = Handshake::new([0; 1024], Config::default().head);
        let Progress::Failed(error) = handshake.receive(Input::new(&mut stream), &mut out) else { panic!() };
        assert_eq!((error.rule, out.pending()), (rule, &b"12"[..]));
        assert!(!handshake.is_over() && !handshake.poll_transmit(&mut out));
        assert!(handshake.request().is_none());
        out.advance(1);
        assert!(handshake.poll_transmit(&mut out) && handshake.is_over());
        out.advance(1);
        assert_eq!(String::from_utf8_lossy(out.pending()), refusal);
        assert!(!handshake.poll_transmit(&mut out), "it goes out once");
        assert_eq!(handshake.failure(), Some(error));
    }
}

#[test]
fn another_parser_agrees() {
    // W110: every refusal is HTTP, with a Content-Length that is true and `Connection: close`.
    for &rule in Rule::ALL.iter().filter(|rule| rule.status().is_some()) {
        let bytes = refusal(rule).into_bytes();
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(head) = response.parse(&bytes).unwrap() else { panic!("{rule}") };
        assert_eq!(response.code, rule.status());
        let field = |name: &str| {
            let found = response.headers.iter().find(|field| field.name == name);
            found.map(|field| std::str::from_utf8(field.value).unwrap())
        };
        assert_eq!(field("Content-Length"), Some((bytes.len() - head).to_string().as_str()));
        assert!(field("Connection").is_some_and(|value| value.ends_with("close")));
        assert!(
            !response.headers.iter().any(
                |field| field.name.starts_with("Sec-WebSocket-") && field.name != "Sec-WebSocket-Version"
            )
        );
        assert_eq!(field("Sec-WebSocket-Version").is_some(), rule.status() == Some(426)); // W91
        assert_eq!(field("Allow").is_some(), rule.status() == Some(405)); // W90
    }
}
