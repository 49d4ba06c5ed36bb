//! What a server reads: each rule of the opening handshake's request, what it lets pass and what it refuses, at which
//! byte and with which answer, the same for every cut of the stream.
#![cfg(feature = "alloc")]

mod handshake;

use handshake::server::{
    CONNECTION, HOST, KEY, Read, Server, UPGRADE, VERSION, facts, instead, reads, refusal, target, with,
};
use proptest::prelude::*;
use websocket_proto::{
    HeadLimits, Input, Rule,
    server::{Handshake, Progress},
};

fn facts_of(bytes: &[u8]) -> String {
    match reads(bytes) {
        Read::Request { facts, .. } => facts,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

/// A stream whose `^` stands before the byte that proves the fault.
fn marked(text: &[u8]) -> (Vec<u8>, u64) {
    let at = text.iter().position(|&byte| byte == b'^').expect("a mark");
    ([&text[..at], &text[at + 1..]].concat(), at as u64)
}

#[test]
fn the_specification_s_example() {
    // RFC 6455 §1.3, with a frame behind it (W102).
    let stream = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x80\0\0\0\0";
    let facts = "upgrade /chat None host server.example.com origin \"http://example.com\" \
        protocols [\"chat\", \"superchat\"] extensions []";
    assert_eq!(reads(stream), Read::Request { facts: facts.into(), rest: b"\x81\x80\0\0\0\0".to_vec() });
}

#[test]
fn grammar() {
    use Rule::{FieldName, FieldValue, Folding, LineEnding, RequestLine, RequestVersion, TargetForm};
    #[rustfmt::skip]
    let rows: &[(&[u8], Rule)] = &[
        // W90: the request line.
        (b"^ GET / HTTP/1.1\r\n", RequestLine),
        (b"^\nGET / HTTP/1.1\r\n", RequestLine),
        (b"^\x16\x03\x01\x02\x00\x01", RequestLine), // TLS
        (b"^\x81\x85", RequestLine),                 // a frame
        (b"G^\tET / HTTP/1.1\r\n", RequestLine),
        (b"GET^\r\n", RequestLine),
        (b"GET^\n", RequestLine),
        (b"GET^/ HTTP/1.1\r\n", RequestLine),
        (b"GET^(/ HTTP/1.1\r\n", RequestLine),
        (b"GET /^\r\n", RequestLine), // HTTP/0.9
        (b"GET /^\n", RequestLine),
        (b"GET / ^\r\n", RequestLine),
        (b"GET / ^ HTTP/1.1\r\n", RequestLine),
        (b"GET /a ^b HTTP/1.1\r\n", RequestLine),
        (b"GET / ^http/1.1\r\n", RequestLine),
        (b"GET / HTTP^ 1.1\r\n", RequestLine),
        (b"GET / HTTP/1.1^ \r\n", RequestLine),
        (b"GET / HTTP/1.1^\n", RequestLine),
        (b"GET / HTTP/1.1^1\r\n", RequestLine),
        // W90: the version.
        (b"GET / HTTP/1.^0\r\n", RequestVersion),
        (b"GET / HTTP/^0.9\r\n", RequestVersion),
        (b"GET / HTTP/^2\r\n", RequestVersion),
        (b"PRI * HTTP/^2.0\r\n\r\nSM\r\n\r\n", RequestVersion),
        (b"GET / HTTP/^3.1\r\n", RequestVersion),
        (b"GET / HTTP/1^1\r\n", RequestVersion),
        (b"GET / HTTP/1.^x\r\n", RequestVersion),
        // W158: characters that no target has.
        (b"GET /^#a HTTP/1.1\r\n", TargetForm),
        (b"GET /a^\0b HTTP/1.1\r\n", TargetForm),
        (b"GET /^\tb HTTP/1.1\r\n", TargetForm),
        (b"GET /^\x7F HTTP/1.1\r\n", TargetForm),
        (b"GET /^\xC3\xA9 HTTP/1.1\r\n", TargetForm), // W56
        // W160: one empty line, no more.
        (b"\r\n^\r\nGET / HTTP/1.1\r\n", RequestLine),
        (b"\r^GET / HTTP/1.1\r\n", LineEnding),
        // W99: line ends.
        (b"GET / HTTP/1.1\r^Host: h\r\n", LineEnding),
        (b"GET / HTTP/1.1\r^\r\n", LineEnding),
        (b"GET / HTTP/1.1\r\nHost: h^\nA: b\r\n", LineEnding),
        (b"GET / HTTP/1.1\r\nHost: h\r^A: b\r\n", LineEnding),
        (b"GET / HTTP/1.1\r\nHost: h\r^\r\n", LineEnding),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r^x", LineEnding),
        (b"GET / HTTP/1.1\r\nHost: h\r\n^\n", FieldName),
        // W99: white space before the colon and before the first field.
        (b"GET / HTTP/1.1\r\nHost^ : h\r\n", FieldName),
        (b"GET / HTTP/1.1\r\nHost^\t: h\r\n", FieldName),
        (b"GET / HTTP/1.1\r\n^ Host: h\r\n", FieldName),
        (b"GET / HTTP/1.1\r\n^\tHost: h\r\n", FieldName),
        // W159: names are tokens.
        (b"GET / HTTP/1.1\r\n^: h\r\n", FieldName),
        (b"GET / HTTP/1.1\r\nHost^\r\n", FieldName),
        (b"GET / HTTP/1.1\r\nHo^(st: h\r\n", FieldName),
        (b"GET / HTTP/1.1\r\nA^\0: h\r\n", FieldName),
        (b"GET / HTTP/1.1\r\nH^\xC3\xA9: h\r\n", FieldName), // W56
        (b"GET / HTTP/1.1\r\n^\xFF: h\r\n", FieldName),
        // W99: folds.
        (b"GET / HTTP/1.1\r\nHost: h\r\n^ x\r\n", Folding),
        (b"GET / HTTP/1.1\r\nHost: h\r\n^\tx\r\n", Folding),
        (b"GET / HTTP/1.1\r\nHost: h\r\n^ \r\n", Folding),
        // W99: controls in values.
        (b"GET / HTTP/1.1\r\nA: ^\0\r\n", FieldValue),
        (b"GET / HTTP/1.1\r\nA: b^\x01c\r\n", FieldValue),
        (b"GET / HTTP/1.1\r\nA:^\x0B\r\n", FieldValue),
        (b"GET / HTTP/1.1\r\nA: b^\x1F\r\n", FieldValue),
        (b"GET / HTTP/1.1\r\nA: b^\x7F\r\n", FieldValue),
    ];
    for (text, rule) in rows {
        let (mut stream, at) = marked(text);
        assert_eq!(reads(&stream), Read::Failed(*rule, at), "{}", text.escape_ascii());
        assert_eq!(rule.status(), Some(400));
        // What follows changes nothing (W152).
        stream.extend_from_slice(&with(""));
        assert_eq!(Server::new().read(&[&stream]).0, Read::Failed(*rule, at));
    }
}

#[test]
fn every_byte_in_every_place() {
    // W99, W159, W158: all 256 bytes, against the grammar of RFC 9110 §5.6.2, §5.5 and RFC 9112 §3.2.
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    for byte in 0..=255_u8 {
        let sound = with("");
        let stream = &sound[..sound.len() - 2];
        let fields = stream.len() as u64;
        let check = |stream: &[u8], legal: bool, rule: Rule, at: u64| {
            let (read, ..) = Server::new().read(&[stream]);
            if legal {
                assert!(matches!(read, Read::Request { .. }), "{byte:#x} {read:?}");
            } else {
                assert_eq!(read, Read::Failed(rule, at), "{byte:#x}");
            }
        };
        let name = [stream, b"X", &[byte], b"X: y\r\n\r\n"].concat();
        check(&name, tchar(byte) || byte == b':', Rule::FieldName, fields + 1);
        let value = [stream, b"X:y", &[byte], b"y\r\n\r\n"].concat();
        match byte {
            b'\r' => check(&value, false, Rule::LineEnding, fields + 4),
            b'\n' => check(&value, false, Rule::LineEnding, fields + 3),
            _ => check(&value, byte == b'\t' || byte >= 0x20 && byte != 0x7f, Rule::FieldValue, fields + 3),
        }
        let target = [&b"GET /"[..], &[byte], &sound[5..]].concat();
        match byte {
            b' ' => check(&target, false, Rule::RequestLine, 6),
            b'\r' | b'\n' => check(&target, false, Rule::RequestLine, 5),
            _ => check(&target, (0x21..0x7f).contains(&byte) && byte != b'#', Rule::TargetForm, 5),
        }
    }
}

#[test]
fn refused_at_the_end_of_the_head() {
    use Rule::{
        BodyAnnounced, ConnectionWithoutUpgrade, ExtensionOffer, HostInvalid, HostMissing, HostRepeated,
        KeyInvalid, KeyMissing, KeyRepeated, MethodNotAllowed, ProtocolOffer, TargetForm,
        UpgradeWithoutWebsocket, VersionInvalid, VersionMissing, VersionUnsupported,
    };
    let version = |value: &str| instead("Version: 13", &format!("Version: {value}"));
    let key = |value: &str| instead("dGhlIHNhbXBsZSBub25jZQ==", value);
    let host = |value: &str| instead(HOST, &format!("Host: {value}\r\n"));
    #[rustfmt::skip]
    let rows: Vec<(Vec<u8>, Rule, u16)> = vec![
        // W90: the method, by case.
        (instead("GET", "POST"), MethodNotAllowed, 405),
        (instead("GET", "HEAD"), MethodNotAllowed, 405),
        (instead("GET", "CONNECT"), MethodNotAllowed, 405),
        (instead("GET / ", "OPTIONS * "), MethodNotAllowed, 405),
        (instead("GET", "get"), MethodNotAllowed, 405),
        (instead("GET", "GETS"), MethodNotAllowed, 405),
        (instead("GET", "!#$%&'*+-.^_`|~"), MethodNotAllowed, 405),
        // W158: the target's form.
        (target("*"), TargetForm, 400),
        (target("h:80"), TargetForm, 400),
        (target("h"), TargetForm, 400),
        (target("?a"), TargetForm, 400),
        (target(""), TargetForm, 400),
        (target("ws://h/"), TargetForm, 400),
        (target("ftp://h/"), TargetForm, 400),
        (target("http:/h/"), TargetForm, 400),
        (target("http://"), TargetForm, 400),
        (target("http:///a"), TargetForm, 400),
        (target("http://u@h/"), TargetForm, 400),
        (target("http://u:p@h/"), TargetForm, 400),
        (target("http://h:65536/"), TargetForm, 400),
        (target("http://[::1/"), TargetForm, 400),
        (target("http://h\\a"), TargetForm, 400),
        // W157: Host.
        (instead(HOST, ""), HostMissing, 400),
        (instead("/ HTTP/1.1\r\nHost: h\r\n", "http://h/ HTTP/1.1\r\n"), HostMissing, 400),
        (with(HOST), HostRepeated, 400),
        (with("hOST: h\r\n"), HostRepeated, 400),
        (host(""), HostInvalid, 400),
        (host(" \t"), HostInvalid, 400),
        (host(":80"), HostInvalid, 400),
        (host("u@h"), HostInvalid, 400),
        (host("h:65536"), HostInvalid, 400),
        (host("h:x"), HostInvalid, 400),
        (host("::1"), HostInvalid, 400),
        (host("[::1]x"), HostInvalid, 400),
        (host("[::1"), HostInvalid, 400),
        (host("h, h"), HostInvalid, 400),
        (host("h h"), HostInvalid, 400),
        (host("h/a"), HostInvalid, 400),
        (host("http://h"), HostInvalid, 400),
        (host("h\u{e9}"), HostInvalid, 400), // W56
        // W101: a body.
        (with("Content-Length: 1\r\n"), BodyAnnounced, 400),
        (with("content-length: 18446744073709551616\r\n"), BodyAnnounced, 400),
        (with("Content-Length: -0\r\n"), BodyAnnounced, 400),
        (with("Content-Length: +0\r\n"), BodyAnnounced, 400),
        (with("Content-Length: 0x0\r\n"), BodyAnnounced, 400),
        (with("Content-Length:\r\n"), BodyAnnounced, 400),
        (with("Content-Length: 0\r\nContent-Length: 5\r\n"), BodyAnnounced, 400),
        (with("Transfer-Encoding: chunked\r\n"), BodyAnnounced, 400),
        (with("Transfer-Encoding:\r\n"), BodyAnnounced, 400),
        (with("transfer-encoding: identity\r\n"), BodyAnnounced, 400),
        // W98: Upgrade.
        (instead(UPGRADE, ""), UpgradeWithoutWebsocket, 400),
        (instead(UPGRADE, "Upgrade:\r\n"), UpgradeWithoutWebsocket, 400),
        (instead(UPGRADE, "Upgrade: websocket/13\r\n"), UpgradeWithoutWebsocket, 400),
        (instead(UPGRADE, "Upgrade: web socket\r\n"), UpgradeWithoutWebsocket, 400),
        (instead(UPGRADE, "Upgrade: h2c, websockets\r\n"), UpgradeWithoutWebsocket, 400),
        (instead(&[UPGRADE, CONNECTION, KEY].concat(), ""), UpgradeWithoutWebsocket, 400),
        // W97: Connection.
        (instead(CONNECTION, ""), ConnectionWithoutUpgrade, 400),
        (instead(CONNECTION, "Connection:\r\n"), ConnectionWithoutUpgrade, 400),
        (instead(CONNECTION, "Connection: keep-alive\r\n"), ConnectionWithoutUpgrade, 400),
        (instead(CONNECTION, "Connection: Upgraded\r\n"), ConnectionWithoutUpgrade, 400),
        (instead(CONNECTION, "Connection: \"Upgrade\"\r\n"), ConnectionWithoutUpgrade, 400),
        (instead(CONNECTION, "Connection: keep-alive Upgrade\r\n"), ConnectionWithoutUpgrade, 400),
        // W93, W91, W92: the version.
        (instead(VERSION, ""), VersionMissing, 400),
        (instead(&[KEY, VERSION].concat(), ""), VersionMissing, 400),
        (version("12"), VersionUnsupported, 426),
        (version("14"), VersionUnsupported, 426),
        (version("0"), VersionUnsupported, 426),
        (version("8"), VersionUnsupported, 426),
        (version("255"), VersionUnsupported, 426),
        (version("256"), VersionInvalid, 400),
        (version("1300"), VersionInvalid, 400),
        (version(""), VersionInvalid, 400),
        (version("013"), VersionInvalid, 400),
        (version("00"), VersionInvalid, 400),
        (version("+13"), VersionInvalid, 400),
        (version("-13"), VersionInvalid, 400),
        (version("1e1"), VersionInvalid, 400),
        (version("13.0"), VersionInvalid, 400),
        (version("0xD"), VersionInvalid, 400),
        (version("1 3"), VersionInvalid, 400),
        (version("13, 8"), VersionInvalid, 400),
        (version("13,"), VersionInvalid, 400),
        (version("\"13\""), VersionInvalid, 400),
        (version("\u{661}\u{663}"), VersionInvalid, 400),
        (with(VERSION), VersionInvalid, 400),
        // W95, W96: the key.
        (instead(KEY, ""), KeyMissing, 400),
        (with(KEY), KeyRepeated, 400),
        (with("sec-websocket-key: x\r\n"), KeyRepeated, 400),
        (key(""), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jZQ="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jZQ"), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jZQ==="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jZQAA"), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jZ=="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jAZQ=="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jAAZQ=="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25j-_=="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25j ZQ=="), KeyInvalid, 400),
        (key("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="), KeyInvalid, 400),
        // W103: the subprotocols.
        (with("Sec-WebSocket-Protocol:\r\n"), ProtocolOffer, 400),
        (with("Sec-WebSocket-Protocol: , ,\r\n"), ProtocolOffer, 400),
        (with("Sec-WebSocket-Protocol: a b\r\n"), ProtocolOffer, 400),
        (with("Sec-WebSocket-Protocol: a, b, a\r\n"), ProtocolOffer, 400),
        (with("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, a\r\n"), ProtocolOffer, 400),
        (with("Sec-WebSocket-Protocol: a;q=1\r\n"), ProtocolOffer, 400),
        (with("Sec-WebSocket-Protocol: \u{e9}\r\n"), ProtocolOffer, 400), // W56
        // W104: the extensions.
        (with("Sec-WebSocket-Extensions:\r\n"), ExtensionOffer, 400),
        (with("Sec-WebSocket-Extensions: ,\r\n"), ExtensionOffer, 400),
        (with("Sec-WebSocket-Extensions: a;\r\n"), ExtensionOffer, 400),
        (with("Sec-WebSocket-Extensions: a; b=\"c d\"\r\n"), ExtensionOffer, 400),
        (with("Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b;=1\r\n"), ExtensionOffer, 400),
    ];
    for (stream, rule, status) in rows {
        let last = stream.len() as u64 - 1;
        assert_eq!(reads(&stream), Read::Failed(rule, last), "{}", stream.escape_ascii());
        assert_eq!(rule.status(), Some(status));
    }
}

#[test]
fn refused_in_this_order() {
    // A request with several faults: the method before the host, the host before the body, HTTP before WebSocket.
    let rows = [
        ("POST * HTTP/1.1\r\n\r\n", Rule::MethodNotAllowed), // W90
        ("GET * HTTP/1.1\r\nContent-Length: 1\r\n\r\n", Rule::HostMissing), // W157
        ("GET * HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", Rule::TargetForm), // W158
        (
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nSec-WebSocket-Key: x\r\n\r\n",
            Rule::BodyAnnounced,
        ),
        // W91: another version is told before its key is judged.
        (
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 14\r\n\r\n",
            Rule::VersionUnsupported,
        ),
    ];
    for (stream, rule) in rows {
        assert_eq!(reads(stream.as_bytes()), Read::Failed(rule, stream.len() as u64 - 1), "{stream:?}");
    }
}

#[test]
fn legal() {
    const OTHER: &str = "origin missing protocols [] extensions []";
    let asks =
        |path: &str, query: Option<&str>, host: &str| format!("upgrade {path} {query:?} host {host} {OTHER}");
    let host = |value: &str| instead(HOST, &format!("Host:{value}\r\n"));
    let plain = asks("/", None, "h");
    #[rustfmt::skip]
    let rows: Vec<(Vec<u8>, String)> = vec![
        (with(""), plain.clone()),
        // W90: a later HTTP/1.
        (instead("HTTP/1.1", "HTTP/1.2"), plain.clone()),
        (instead("HTTP/1.1", "HTTP/1.9"), plain.clone()),
        // W160.
        ([b"\r\n", &with("")[..]].concat(), plain.clone()),
        // W158: targets, their escapes untouched.
        (target("/chat"), asks("/chat", None, "h")),
        (target("/chat?"), asks("/chat", Some(""), "h")),
        (target("/chat?a=b?c&d"), asks("/chat", Some("a=b?c&d"), "h")),
        (target("/?x"), asks("/", Some("x"), "h")),
        (target("//a/../b"), asks("//a/../b", None, "h")),
        (target("/%2e%2F%zz\"<>\\^`{|}"), asks("/%2e%2F%zz\"<>\\^`{|}", None, "h")),
        (target("http://g"), asks("/", None, "g")),
        (target("http://g:81/"), asks("/", None, "g:81")),
        (target("HTTPS://G/a?b"), asks("/a", Some("b"), "G")),
        (target("http://g?x"), asks("/", Some("x"), "g")),
        (target("http://[::1]:8080/a"), asks("/a", None, "[::1]:8080")),
        // W157: hosts.
        (host("h"), plain.clone()),
        (host(" \t h \t"), plain.clone()),
        (host(" h:8080"), asks("/", None, "h:8080")),
        (host(" h:"), asks("/", None, "h:")),
        (host(" [::1]:80"), asks("/", None, "[::1]:80")),
        (host(" 127.0.0.1"), asks("/", None, "127.0.0.1")),
        // W97: a list, over lines, in any case.
        (instead(CONNECTION, "Connection: keep-alive, Upgrade\r\n"), plain.clone()),
        (instead(CONNECTION, "Connection: ,\tUPGRADE ,,x\r\n"), plain.clone()),
        (instead(CONNECTION, "Connection: keep-alive\r\nCONNECTION: upgrade\r\n"), plain.clone()),
        // W98.
        (instead(UPGRADE, "Upgrade: WebSocket\r\n"), plain.clone()),
        (instead(UPGRADE, "Upgrade: h2c, websocket\r\n"), plain.clone()),
        (instead(UPGRADE, "Upgrade: h2c\r\nupgrade: x/1,WEBSOCKET\r\n"), plain.clone()),
        // W92: white space is no part of it.
        (instead(" 13\r", "\t 13\t \r"), plain.clone()),
        // W95: spare bits may be set (RFC 6455 §4.1).
        (instead("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEC=="), plain.clone()),
        (instead("dGhlIHNhbXBsZSBub25jZQ==", "///////////////////+++=="), plain.clone()),
        // W159: names without case, unknown fields.
        (instead("Sec-WebSocket-Key", "sEC-wEBsOCKET-kEY"), plain.clone()),
        (with("X-Unknown: y\r\n!#$%&'*+-.^_`|~0: z\r\n"), plain.clone()),
        // W99: bytes above 7F, empty values.
        (with("X: \u{e9}\r\nY:\r\nZ: \t \r\n"), plain.clone()),
        // W101: no body.
        (with("Content-Length: 0\r\n"), plain.clone()),
        (with("Content-Length: 00\r\nContent-Length: 0\r\n"), plain.clone()),
        // W103, W104: offers, over lines, with empty elements and what nobody knows.
        (with("Sec-WebSocket-Protocol: a, ,b\r\nsec-websocket-protocol: A,\r\nSec-WebSocket-Protocol:\r\n"),
         plain.replace("protocols []", "protocols [\"a\", \"b\", \"A\"]")),
        (with("Sec-WebSocket-Extensions: x; a=\"1\", ,y\r\nSec-WebSocket-Extensions: x;b\r\n"),
         plain.replace("extensions []", "extensions [\"x\", \"y\", \"x\"]")),
        // W108: the origin, as it was sent.
        (with("Origin: https://example.com\r\n"), plain.replace("missing", "\"https://example.com\"")),
        (with("Origin: null\r\n"), plain.replace("missing", "null")),
        (with("Origin:\r\n"), plain.replace("missing", "\"\"")),
        // W98: whoever asks for no WebSocket is shown a page.
        (b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(), asks("/page", None, "h").replace("upgrade", "plain")),
        (b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n".to_vec(),
         plain.replace("upgrade", "plain")),
    ];
    for (stream, facts) in rows {
        assert_eq!(facts_of(&stream), facts, "{}", stream.escape_ascii());
    }
}

/// Where a field stands, and how long it is, is remembered for the first 32 KiB and for values of 254 bytes: what lies
/// beyond is looked for, and found all the same (W105, W159).
#[test]
fn far_behind_and_long() {
    let limits = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };
    let read = |head: &str, read: usize| {
        let mut handshake = Handshake::new(vec![0; 64 << 10], limits);
        let mut bytes = head.as_bytes().to_vec();
        for piece in bytes.chunks_mut(read) {
            match handshake.receive(Input::new(piece), &mut Vec::new()) {
                Progress::More => {}
                Progress::Request { request, .. } => return Ok(facts(&request)),
                Progress::Failed(error) => return Err(error.rule),
            }
        }
        panic!("the head is not complete");
    };
    for before in (32_400..32_800).step_by(41).chain([0, 40_000]) {
        for long in [253, 254, 255, 300] {
            let (before, long) = ("y".repeat(before), "p".repeat(long));
            let head = |more: &str| {
                format!(
                    "GET / HTTP/1.1\r\nX: {before}\r\nOrigin: \t http://{long} \t\r\n{HOST}{UPGRADE}\
                     Connection: keep-alive\r\n{CONNECTION}{KEY}{VERSION}Sec-WebSocket-Protocol: a, b\r\n\
                     SEC-WEBSOCKET-PROTOCOL:{long}\r\nSec-WebSocket-Extensions: x; y={long}\r\n{more}\r\n"
                )
            };
            let expected = format!(
                "upgrade / None host h origin \"http://{long}\" protocols [\"a\", \"b\", {long:?}] extensions [\"x\"]"
            );
            for len in [usize::MAX, 1460, 1] {
                assert_eq!(read(&head(""), len), Ok(expected.clone()));
                assert_eq!(read(&head("host: h\r\n"), len), Err(Rule::HostRepeated)); // W157
                assert_eq!(read(&head("sec-websocket-protocol: a\r\n"), len), Err(Rule::ProtocolOffer)); // W103
            }
        }
    }
}

#[test]
fn every_rule_of_the_request() {
    // Whatever a server answers with a status has a refusal, and belongs to W90 to W108, W157 to W159.
    for rule in Rule::ALL.iter().filter(|rule| rule.status().is_some()) {
        let number: u32 = rule.id()[1..].parse().unwrap();
        assert!(matches!(number, 90..=108 | 157..=159), "{rule}");
        assert!(rule.close_code().is_none());
        assert!(refusal(*rule).ends_with(rule.name()));
    }
}

proptest! {
    // W56, W99, W105: any bytes whatever end in the same way for every cut, and nothing panics.
    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..48)) {
        reads(&bytes);
    }

    // W105: a request with one byte changed, in memory that may be too small: read, refused or not complete, and the
    // same for every cut.
    #[test]
    fn almost_a_request(at: proptest::sample::Index, byte: u8, memory in 100_usize..220) {
        let mut stream = with("Sec-WebSocket-Protocol: a, b\r\n");
        let at = at.index(stream.len());
        stream[at] = byte;
        let read = Server { memory, ..Server::new() }.reads(&stream);
        if memory < stream.len() {
            prop_assert!(matches!(read, Read::Failed(..)));
        } else {
            prop_assert!(read != Read::More || !stream.ends_with(b"\r\n\r\n"));
        }
    }
}
