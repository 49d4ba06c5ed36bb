//! What a client sends: exact bytes, all or nothing, and nothing of the caller's unchecked.
#![cfg(feature = "alloc")]

use proptest::prelude::*;
use websocket_proto::{
    Config, DeflatePolicy, HandshakeError, Input, OriginPolicy, Rsv, SliceOutput, Uri, UriOptions,
    client::{self, Handshake, Request},
    server,
};

const ALL: UriOptions = UriOptions { http: true, user_info: true };

fn uri(text: &str) -> Uri<'_> {
    Uri::parse_with(text, ALL).unwrap()
}

fn start(
    request: &Request<'_>,
    memory: usize,
    room: usize,
) -> (Result<Handshake<Vec<u8>>, HandshakeError>, String) {
    let mut out = SliceOutput::new(vec![0xAA; room]);
    let result = Handshake::new(vec![0; memory], Config::default().head, request, &mut out);
    (result, String::from_utf8(out.pending().to_vec()).unwrap())
}

/// The bytes of a request, which a byte less room refuses.
fn bytes(request: &Request<'_>) -> String {
    let (result, bytes) = start(request, 1024, 4096);
    result.unwrap();
    let needed = bytes.len();
    for room in [0, needed / 2, needed - 1] {
        let (result, out) = start(request, 1024, room);
        assert_eq!((result.err(), out.as_str()), (Some(HandshakeError::NoRoom { needed }), ""));
    }
    let (result, exact) = start(request, 1024, needed);
    assert!(result.is_ok() && exact == bytes);
    bytes
}

fn error(request: &Request<'_>) -> HandshakeError {
    let (result, out) = start(request, 1024, 4096);
    assert_eq!(out, "");
    result.unwrap_err()
}

fn head(target: &str, host: &str, more: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

#[test]
fn uris() {
    // W166: the URI, target, Host, what else.
    #[rustfmt::skip]
    let rows = [
        ("ws://server.example.com/chat", "/chat", "server.example.com", ""),
        ("WS://H", "/", "H", ""),
        ("ws://h?a=b", "/?a=b", "h", ""),
        ("ws://h/?", "/?", "h", ""),
        ("ws://h/a%20b/%7e?c=%2F", "/a%20b/%7e?c=%2F", "h", ""),
        ("ws://h:80/", "/", "h", ""),
        ("ws://h:443/", "/", "h:443", ""),
        ("wss://h:443/", "/", "h", ""),
        ("wss://h:80/", "/", "h:80", ""),
        ("http://h:80/", "/", "h", ""),
        ("https://h/", "/", "h", ""),
        ("ws://h:65535", "/", "h:65535", ""),
        ("ws://h:", "/", "h", ""),
        ("ws://h:0/", "/", "h:0", ""),
        ("ws://[::1]", "/", "[::1]", ""),
        ("ws://[::1]:8080/a", "/a", "[::1]:8080", ""),
        ("ws://127.0.0.1:81", "/", "127.0.0.1:81", ""),
        // User info is never part of Host or target (RFC 7617 §2: the colon is always there).
        ("ws://Aladdin:open%20sesame@h/a", "/a", "h", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
        ("ws://bob@h", "/", "h", "Authorization: Basic Ym9iOg==\r\n"),
        ("ws://@h", "/", "h", "Authorization: Basic Og==\r\n"),
        ("ws://:@h", "/", "h", "Authorization: Basic Og==\r\n"),
        ("ws://a:b@h:81", "/", "h:81", "Authorization: Basic YTpi\r\n"),
        ("ws://a:b:c@h", "/", "h", "Authorization: Basic YTpiOmM=\r\n"),
        ("ws://a:%C3%A9%25@h", "/", "h", "Authorization: Basic YTrDqSU=\r\n"),
        ("ws://a:%2541@h", "/", "h", "Authorization: Basic YTolNDE=\r\n"), // decoded once
    ];
    for (text, target, host, more) in rows {
        let request = Request::new(uri(text), *b"the sample nonce");
        assert_eq!(bytes(&request), head(target, host, more), "{text:?}");
    }
}

#[test]
fn nonces() {
    // W111: the sixteen bytes, in base64, and nothing else of the request depends on them.
    let key = |nonce: [u8; 16]| {
        let bytes = bytes(&Request::new(uri("ws://h"), nonce));
        bytes.split_once("Key: ").unwrap().1.split_once("\r\n").unwrap().0.to_owned()
    };
    for (nonce, expected) in [
        (*b"the sample nonce", "dGhlIHNhbXBsZSBub25jZQ=="), // RFC 6455 §1.3
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], "AQIDBAUGBwgJCgsMDQ4PEA=="), // §4.1
        ([0; 16], "AAAAAAAAAAAAAAAAAAAAAA=="),
        ([0xFF; 16], "/////////////////////w=="),
    ] {
        assert_eq!(key(nonce), expected);
    }
    // It is a secret until it is sent.
    let request =
        Request::new(uri("ws://ann:secret@h"), *b"the sample nonce").headers(&[("Cookie", "hidden")]);
    let debug = format!("{request:?}");
    assert!(!debug.contains("secret") && !debug.contains("nonce") && !debug.contains("hidden"), "{debug}");
}

#[test]
fn offers_and_fields() {
    // W103, W104, in the order of the caller; every field once.
    let request = Request::new(uri("ws://a:b@h"), *b"the sample nonce")
        .protocols(&["chat", "superchat"])
        .extensions(&[("permessage-deflate; client_max_window_bits", Rsv::RSV1), ("x; y=\"z\"", Rsv::NONE)])
        .headers(&[("Origin", "http://example.com"), ("Cookie", "a=b; c=d"), ("X", ""), ("X", "\t\u{e9}")]);
    let expected = head(
        "/",
        "h",
        "Sec-WebSocket-Protocol: chat, superchat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; y=\"z\"\r\n\
         Authorization: Basic YTpi\r\n\
         Origin: http://example.com\r\nCookie: a=b; c=d\r\nX: \r\nX: \t\u{e9}\r\n",
    );
    assert_eq!(bytes(&request), expected);
    let one = Request::new(uri("ws://h"), *b"the sample nonce").protocols(&["a"]);
    assert_eq!(bytes(&one), head("/", "h", "Sec-WebSocket-Protocol: a\r\n"));
}

#[test]
fn callers_faults() {
    let request = || Request::new(uri("ws://h"), [0; 16]);
    // W103: tokens, none of them twice.
    #[rustfmt::skip]
    let rows: [&[&str]; 10] = [
        &[""], &["a", ""], &["a b"], &["a,b"], &["a", "b", "a"], &["a\r\nX: y"], &["a\0"], &["\u{e9}"], &[" a"], &["\"a\""],
    ];
    for protocols in rows {
        assert_eq!(error(&request().protocols(protocols)), HandshakeError::Protocol, "{protocols:?}");
    }
    assert!(bytes(&request().protocols(&["a", "A"])).contains("Protocol: a, A\r\n"));
    // W104: by the grammar, one at least.
    for extensions in
        ["", ",", " ", "a;", "a b", "a; b=", "a; b=\"c d\"", "a\r\nX: y", "a\0", "\u{e9}", "a\n"]
    {
        let offers = [("a", Rsv::NONE), (extensions, Rsv::NONE)];
        assert_eq!(error(&request().extensions(&offers)), HandshakeError::Extension, "{extensions:?}");
    }
    // permessage-deflate is offered by its policy or by the caller, not by both.
    let policy = DeflatePolicy::default();
    for (offer, sound) in
        [("permessage-deflate; a", false), ("x, permessage-deflate", false), ("deflate", true)]
    {
        let offers = [(offer, Rsv::NONE)];
        let both = request().extensions(&offers).deflate(&policy);
        if sound {
            assert!(bytes(&both).contains(offer));
        } else {
            assert_eq!(error(&both), HandshakeError::Extension, "{offer:?}");
        }
        assert!(bytes(&request().extensions(&offers)).contains(offer));
    }
    // The handshake's own fields, and those that frame a body.
    for name in [
        "Host",
        "upgrade",
        "CONNECTION",
        "Sec-WebSocket-Key",
        "sec-websocket-version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Anything",
        "content-length",
        "Transfer-Encoding",
    ] {
        let headers = &[("X", "y"), (name, "z")];
        assert_eq!(error(&request().headers(headers)), HandshakeError::FieldName, "{name:?}");
    }
    // W166: Authorization is the user info's, if there is any.
    let headers = &[("authorization", "Bearer x")];
    assert!(bytes(&request().headers(headers)).ends_with("\r\nauthorization: Bearer x\r\n\r\n"));
    let both = Request::new(uri("ws://a:b@h"), [0; 16]).headers(headers);
    assert_eq!(error(&both), HandshakeError::FieldName);
    // W109: every character.
    for character in (0..=0x100_u32).filter_map(char::from_u32) {
        let text = format!("a{character}z");
        let is_token = character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        let is_value = character == '\t' || !character.is_ascii_control();
        let name = [(text.as_str(), "v")];
        let value = [("X", text.as_str())];
        let protocol = [text.as_str()];
        let extension = [(text.as_str(), Rsv::NONE)];
        for (request, legal, fault) in [
            (request().headers(&name), is_token, HandshakeError::FieldName),
            (request().headers(&value), is_value, HandshakeError::FieldValue),
            (request().protocols(&protocol), is_token, HandshakeError::Protocol),
            (
                request().extensions(&extension),
                is_token || ",;".contains(character),
                HandshakeError::Extension,
            ),
        ] {
            if legal {
                assert!(bytes(&request).contains(&text));
            } else {
                assert_eq!(error(&request), fault, "{text:?}");
            }
        }
    }
}

#[test]
fn memory_for_the_offers() {
    // What the answer is checked against must fit: `a, bc`, and `x; y` with its bits and an end.
    let request =
        Request::new(uri("ws://h"), [0; 16]).protocols(&["a", "bc"]).extensions(&[("x; y", Rsv::NONE)]);
    for memory in 0..11 {
        let (result, out) = start(&request, memory, 4096);
        assert_eq!((result.err(), out.as_str()), (Some(HandshakeError::NoMemory { needed: 11 }), ""));
    }
    assert!(start(&request, 11, 4096).0.is_ok());
    assert!(start(&Request::new(uri("ws://h"), [0; 16]), 0, 4096).0.is_ok());
}

#[test]
fn another_parser_agrees() {
    let request =
        Request::new(uri("ws://a:b@[::1]:81/c?d"), [7; 16]).protocols(&["e"]).headers(&[("F", "g")]);
    let bytes = bytes(&request).into_bytes();
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Request::new(&mut fields);
    assert_eq!(parsed.parse(&bytes), Ok(httparse::Status::Complete(bytes.len())));
    assert_eq!((parsed.method, parsed.path, parsed.version), (Some("GET"), Some("/c?d"), Some(1)));
    let names: Vec<&str> = parsed.headers.iter().map(|field| field.name).collect();
    let expected = [
        "Host",
        "Upgrade",
        "Connection",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Authorization",
        "F",
    ];
    assert_eq!(names, expected);
}

proptest! {
    // Whatever a client sends, the server of this crate takes, and the client its 101 (W115).
    #[test]
    fn the_server_agrees(
        nonce: [u8; 16],
        path in "(/[a-z%]{0,9}){0,3}",
        port in proptest::option::of(any::<u16>()),
        protocols in proptest::collection::btree_set("[!-&*+.0-9A-Za-z]{1,9}", 0..5),
        value in "[ -~\u{e9}\t]{0,20}",
    ) {
        let path = path.replace('%', "%41");
        let text = format!("ws://h{}{path}", port.map(|port| format!(":{port}")).unwrap_or_default());
        let protocols: Vec<&str> = protocols.iter().map(String::as_str).filter(|name| !name.contains('"')).collect();
        let headers = [("X", value.as_str())];
        let request = Request::new(uri(&text), nonce).protocols(&protocols).headers(&headers);
        let mut out = Vec::new();
        let mut client = Handshake::new([0; 1024], Config::default().head, &request, &mut out).unwrap();
        let mut server = server::Handshake::new([0; 1024], Config::default().head);
        let mut answer = Vec::new();
        let server::Progress::Request { request, .. } = server.receive(Input::new(&mut out), &mut answer) else {
            panic!("{server:?}");
        };
        prop_assert!(request.is_upgrade());
        prop_assert_eq!(request.path(), if path.is_empty() { "/" } else { &path });
        prop_assert_eq!(request.protocols().collect::<Vec<_>>(), protocols.clone());
        prop_assert_eq!(request.header("x"), Some(value.trim_matches([' ', '\t']).as_bytes()));
        let accept = request.accept(OriginPolicy::NonBrowser);
        accept.protocol(protocols.last().copied()).write(&mut answer).unwrap();
        let client::Progress::Opened { response, .. } = client.receive(Input::new(&mut answer)) else {
            panic!("{client:?}");
        };
        prop_assert_eq!(response.protocol(), protocols.last().copied());
    }
}
