//! A request in every cut, what a server makes of it, and the refusal that it must answer.

use super::every_cut;
use websocket_proto::{
    HeadLimits, Input, Origin, ProtocolError, Rule,
    server::{Handshake, Progress, Request},
};

pub(crate) const HOST: &str = "Host: h\r\n";
pub(crate) const UPGRADE: &str = "Upgrade: websocket\r\n";
pub(crate) const CONNECTION: &str = "Connection: Upgrade\r\n";
pub(crate) const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
pub(crate) const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

/// A sound request with `more` fields.
pub(crate) fn with(more: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\n{HOST}{UPGRADE}{CONNECTION}{KEY}{VERSION}{more}\r\n").into_bytes()
}

/// A sound request with `more` in the place of one of its lines.
pub(crate) fn instead(line: &str, more: &str) -> Vec<u8> {
    let sound = String::from_utf8(with("")).unwrap();
    assert!(sound.contains(line));
    sound.replace(line, more).into_bytes()
}

pub(crate) fn target(target: &str) -> Vec<u8> {
    instead("GET / ", &format!("GET {target} "))
}

/// What a request asks, in one line.
pub(crate) fn facts(request: &Request<'_>) -> String {
    let protocols: Vec<_> = request.protocols().collect();
    let extensions: Vec<_> = request.extensions().map(|extension| extension.name().to_owned()).collect();
    let origin = match request.origin() {
        Origin::Missing => "missing".to_owned(),
        Origin::Null => "null".to_owned(),
        Origin::Value(value) => format!("\"{}\"", value.escape_ascii()),
    };
    format!(
        "{} {} {:?} host {} origin {origin} protocols {protocols:?} extensions {extensions:?}",
        if request.is_upgrade() { "upgrade" } else { "plain" },
        request.path(),
        request.query(),
        request.host(),
    )
}

/// What a server makes of a stream.
#[derive(Debug, PartialEq)]
pub(crate) enum Read {
    More,
    Request { facts: String, rest: Vec<u8> },
    Failed(Rule, u64),
}

pub(crate) struct Server {
    pub(crate) memory: usize,
    pub(crate) limits: HeadLimits,
}

impl Server {
    pub(crate) const fn new() -> Self {
        Self { memory: 4096, limits: HeadLimits { bytes: 16 << 10, lines: 128, line: 8 << 10 } }
    }

    /// What is read, what is put out, and the head that was kept.
    pub(crate) fn read(&self, pieces: &[&[u8]]) -> (Read, Vec<u8>, Vec<u8>) {
        let mut handshake = Handshake::new(vec![0xAA; self.memory], self.limits);
        let mut out = Vec::new();
        let mut read = Read::More;
        for (at, piece) in pieces.iter().enumerate() {
            let mut piece = piece.to_vec();
            match handshake.receive(Input::new(&mut piece), &mut out) {
                Progress::More => {}
                Progress::Failed(ProtocolError { rule, offset }) => {
                    read = Read::Failed(rule, offset);
                    break;
                }
                Progress::Request { request, rest } => {
                    let mut rest = rest.as_slice().to_vec();
                    rest.extend(pieces[at + 1..].concat());
                    read = Read::Request { facts: facts(&request), rest };
                    break;
                }
            }
        }
        let failure = handshake.failure().map(|error| Read::Failed(error.rule, error.offset));
        assert_eq!(failure.as_ref(), matches!(read, Read::Failed(..)).then_some(&read));
        if failure.is_some() {
            // W152: told once, and nothing is taken or put out any more.
            let before = out.len();
            assert!(handshake.is_over());
            assert!(matches!(handshake.receive(Input::new(&mut [b'G'; 9]), &mut out), Progress::More));
            assert!(!handshake.poll_transmit(&mut out) && out.len() == before);
        }
        // What a limit cut off was not kept, and how much before it was depends on the cut.
        let head = if failure.is_some() { Vec::new() } else { handshake.head().to_vec() };
        (read, out, head)
    }

    pub(crate) fn reads(&self, bytes: &[u8]) -> Read {
        let (read, out, head) = every_cut(bytes, |pieces| self.read(pieces));
        match &read {
            Read::Failed(rule, offset) => {
                assert_eq!(String::from_utf8(out).unwrap(), refusal(*rule));
                // The earliest byte: with it the fault shows, without it nothing does.
                let offset = usize::try_from(*offset).unwrap();
                assert_eq!(self.read(&[&bytes[..=offset]]).0, read, "{}", bytes.escape_ascii());
                assert_eq!(self.read(&[&bytes[..offset]]).0, Read::More, "{}", bytes.escape_ascii());
            }
            Read::More | Read::Request { .. } => assert!(out.is_empty()),
        }
        if let Read::Request { rest, .. } = &read {
            // W102: what lies behind the blank line is left to the caller.
            let skipped = usize::from(bytes.starts_with(b"\r\n")) * 2;
            assert_eq!([&head, rest.as_slice()].concat(), &bytes[skipped..]);
        }
        read
    }
}

pub(crate) fn reads(bytes: &[u8]) -> Read {
    Server::new().reads(bytes)
}

/// The bytes that refuse a request (W110): what the specification demands, and nothing that only a 101 has.
pub(crate) fn refusal(rule: Rule) -> String {
    let (reason, more, connection) = match rule.status().unwrap() {
        400 => ("Bad Request", "", "close"),
        403 => ("Forbidden", "", "close"),
        405 => ("Method Not Allowed", "Allow: GET\r\n", "close"),
        414 => ("URI Too Long", "", "close"),
        426 => ("Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "Upgrade, close"),
        431 => ("Request Header Fields Too Large", "", "close"),
        other => panic!("{other}"),
    };
    let name = rule.name();
    format!(
        "HTTP/1.1 {} {reason}\r\n{more}Connection: {connection}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{name}",
        rule.status().unwrap(),
        name.len(),
    )
}
