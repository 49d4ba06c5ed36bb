//! What errors, codes and values say of themselves, and what becomes of an error in `std::io`.
#![cfg(feature = "alloc")]

use websocket_proto::{
    Cause, Client, CloseCode, CloseFrame, Config, Control, Extensions, HandshakeError, Input, ProtocolError,
    RestoreError, Rsv, Rule, SendError, Session, SliceOutput, Uri, client, server,
};

#[test]
fn errors_say_what_is_required_and_where_that_stands() {
    let violation = ProtocolError { rule: Rule::ReservedOpcode, offset: 7 };
    let rows: [(String, &str); 24] = [
        (
            violation.to_string(),
            "W13 ReservedOpcode: opcodes 3 to 7 and 11 to 15 are reserved (RFC 6455 §5.2), at byte 7",
        ),
        (Cause::Violation(violation).to_string(), &violation.to_string()),
        (Cause::EndInFrame.to_string(), "W71: the stream ended inside a frame"),
        (SendError::NoRoom { needed: 9 }.to_string(), "the output has no room for 9 bytes"),
        (SendError::Owed { bytes: 8 }.to_string(), "8 bytes of an announced payload are owed first"),
        (SendError::NotOpen.to_string(), "the opening handshake is not done (RFC 6455 §4.1)"),
        (
            SendError::Closed.to_string(),
            "the connection is closing or closed: no more data goes out (RFC 6455 §5.5.1)",
        ),
        (SendError::Fragment.to_string(), "fragments are out of order: first, next.., last (RFC 6455 §5.4)"),
        (SendError::NoKey.to_string(), "the mask source has no key (RFC 6455 §5.3)"),
        (SendError::Compressor.to_string(), "the compressor failed (RFC 6455 §7.4.1, code 1011)"),
        (HandshakeError::NoRoom { needed: 5 }.to_string(), "the output has no room for 5 bytes"),
        (HandshakeError::NoMemory { needed: 6 }.to_string(), "the head's memory has no room for 6 bytes"),
        (HandshakeError::Answered.to_string(), "the request has its answer"),
        (RestoreError::Role.to_string(), "the state is of the other role"),
        (format!("{:?}", CloseCode::NORMAL), "1000"),
        (CloseCode::NORMAL.to_string(), "1000"),
        (
            format!("{:?}", CloseFrame::new(CloseCode::GOING_AWAY, "bye")),
            "Some(CloseFrame { code: 1001, reason: \"bye\" })",
        ),
        (format!("{:?}", Control::new(b"a\0")), "Some(\"a\\x00\")"),
        (format!("{:?}", Rsv::RSV1), "Rsv(100)"),
        (
            Extensions::parse(b"a; =").unwrap_err().to_string(),
            "W104: extensions are listed by the grammar (RFC 6455 §9.1), at byte 3",
        ),
        (format!("{:?}", Client(|| [0; 4])), "Client"),
        (format!("{:?}", Rsv::RSV1.with(Rsv::RSV3).with(Rsv::RSV1)), "Rsv(101)"),
        (
            format!("{:?}", Session::server([0; 64], Config::default())),
            "Session { open: false, transport: Keep, closure: Closure { sent: None, received: None, \
             first: None, clean: false, cause: None }, .. }",
        ),
        (Rule::Policy.to_string(), "W171 Policy: a message keeps to this side's policy (RFC 6455 §7.4.1)"),
    ];
    for (text, expected) in rows {
        assert_eq!(text, expected);
    }
}

#[test]
fn heads_show_no_secrets() {
    let request = b"GET /x HTTP/1.1\r\nHost: h\r\nCookie: secret\r\n\r\n";
    let mut server = server::Handshake::new([0; 256], Config::default().head);
    let mut out = SliceOutput::new([0; 0]);
    let _ = server.receive(Input::new(&mut request.to_vec()), &mut out);
    let shown = format!("{:?}", server.request().unwrap());
    assert_eq!(shown, "Request { target: \"/x\", host: \"h\", upgrade: false, .. }");

    let own = [("Cookie", "secret")];
    let request =
        client::Request::new(Uri::parse("ws://h/x").unwrap(), [0; 16]).protocols(&["p"]).headers(&own);
    let shown = format!("{request:?}");
    assert!(shown.starts_with("Request { uri: Uri { ") && shown.contains("protocols: [\"p\"]"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");

    let mut out = SliceOutput::new([0; 512]);
    let mut client = client::Handshake::new([0; 256], Config::default().head, &request, &mut out).unwrap();
    let mut answer = b"HTTP/1.1 404 Not here\r\nSet-Cookie: secret\r\nContent-Length: 0\r\n\r\n".to_vec();
    let _ = client.receive(Input::new(&mut answer));
    let shown = format!("{:?}", client.response().unwrap());
    assert!(shown.starts_with("Response { status: 404, reason: \"Not here\", "), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[cfg(feature = "zlib")]
#[test]
fn compression_shows_no_payloads() {
    use websocket_proto::{Deflate, DeflateOptions, DeflateSide, Inflate, InflateState};

    let narrow = DeflateSide { window_bits: 9, takeover: true };
    let inflate = format!("{:?}", Inflate::in_memory(narrow, 7, [0; 512]).unwrap());
    assert!(inflate.starts_with("Inflate { engine: Window { size: 512, full: false, .. }, "), "{inflate}");
    assert_eq!(format!("{:?}", InflateState::new()), "InflateState { .. }");
    let deflate = format!("{:?}", Deflate::new(narrow, DeflateOptions::default()));
    let start = "Deflate { side: DeflateSide { window_bits: 9, takeover: true }, options: DeflateOptions { ";
    assert!(deflate.starts_with(start) && deflate.ends_with(", ready: 0, .. }"), "{deflate}");
}

#[test]
fn a_control_payload_equals_one_with_the_same_bytes() {
    let payload = |bytes: &[u8]| Control::new(bytes).unwrap();
    assert_eq!(payload(b"ab"), payload(b"ab"));
    assert_ne!(payload(b"ab"), payload(b"ac"));
    assert_ne!(payload(b"ab"), payload(b"ab\0"));
    assert_eq!((payload(b"ab").as_ref(), Control::new(&[0; 126]).is_none()), (&b"ab"[..], true));
}

#[test]
fn a_reason_is_shortened_at_a_character() {
    // W75: 123 bytes at most.
    assert_eq!(CloseFrame::shorten(""), "");
    assert_eq!(CloseFrame::shorten(&"a".repeat(123)), "a".repeat(123));
    assert_eq!(CloseFrame::shorten(&"a".repeat(124)), "a".repeat(123));
    assert_eq!(CloseFrame::shorten(&"é".repeat(62)), "é".repeat(61)); // 123 is inside of one
    assert_eq!(CloseFrame::shorten(&format!("{}🎈", "a".repeat(120))), "a".repeat(120));
}

#[cfg(feature = "std")]
#[test]
fn errors_become_those_of_std_io() {
    use std::io::{Error, ErrorKind};

    let violation = ProtocolError { rule: Rule::ReservedOpcode, offset: 7 };
    let rows: [(Error, ErrorKind, String); 4] = [
        (violation.into(), ErrorKind::InvalidData, violation.to_string()),
        (SendError::Closed.into(), ErrorKind::NotConnected, SendError::Closed.to_string()),
        (SendError::Fragment.into(), ErrorKind::InvalidInput, SendError::Fragment.to_string()),
        (HandshakeError::Status.into(), ErrorKind::InvalidInput, HandshakeError::Status.to_string()),
    ];
    for (error, kind, text) in rows {
        assert_eq!((error.kind(), error.to_string()), (kind, text));
    }
}
