//! A client's request, an answer in every cut, and what the client makes of it.

use super::every_cut;
use websocket_proto::{
    HeadLimits, Input, ProtocolError, Rsv, Rule, Uri,
    client::{Handshake, Progress, Request, Response},
};

pub(crate) const STATUS: &str = "HTTP/1.1 101 Switching Protocols\r\n";
pub(crate) const UPGRADE: &str = "Upgrade: websocket\r\n";
pub(crate) const CONNECTION: &str = "Connection: Upgrade\r\n";
/// For the nonce of RFC 6455 §1.3.
pub(crate) const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// A sound 101 with `more` fields.
pub(crate) fn with(more: &str) -> Vec<u8> {
    format!("{STATUS}{UPGRADE}{CONNECTION}{ACCEPT}{more}\r\n").into_bytes()
}

/// A sound 101 with `more` in the place of one of its lines.
pub(crate) fn instead(line: &str, more: &str) -> Vec<u8> {
    let sound = String::from_utf8(with("")).unwrap();
    assert!(sound.contains(line));
    sound.replace(line, more).into_bytes()
}

/// What a client makes of a stream.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    More,
    Opened { protocol: Option<String>, extensions: Vec<String>, reserved: Rsv, rest: Vec<u8> },
    Refused { status: u16, reason: Vec<u8>, fields: Vec<(String, Vec<u8>)>, body: Vec<u8> },
    Failed(Rule, u64),
}

#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) protocols: &'static [&'static str],
    pub(crate) require_protocol: bool,
    /// Each with the bits that it defines.
    pub(crate) extensions: &'static [(&'static str, Rsv)],
    pub(crate) memory: usize,
    pub(crate) limits: HeadLimits,
}

impl Client {
    pub(crate) const fn new() -> Self {
        Self {
            protocols: &[],
            require_protocol: false,
            extensions: &[],
            memory: 4096,
            limits: HeadLimits { bytes: 16 << 10, lines: 128, line: 8 << 10 },
        }
    }

    /// A client that offers something of each; 19 bytes of its memory keep that.
    pub(crate) const fn offers() -> Self {
        let extensions = &[("x; y", Rsv::RSV2), ("z", Rsv::RSV3), ("x", Rsv::RSV2)];
        Self { protocols: &["chat", "b"], extensions, ..Self::new() }
    }

    pub(crate) fn handshake(&self) -> Handshake<Vec<u8>> {
        let uri = Uri::parse("ws://server.example.com/chat").unwrap();
        let mut request = Request::new(uri, *b"the sample nonce").protocols(self.protocols);
        request = request.extensions(self.extensions);
        if self.require_protocol {
            request = request.require_protocol();
        }
        Handshake::new(vec![0xAA; self.memory], self.limits, &request, &mut Vec::new()).unwrap()
    }

    /// What is read, and what the end of the stream then says; the head that was kept.
    fn read(&self, pieces: &[&[u8]], end: bool) -> (Answer, Option<bool>, Vec<u8>) {
        let mut handshake = self.handshake();
        let mut answer = Answer::More;
        for (at, piece) in pieces.iter().enumerate() {
            let mut piece = piece.to_vec();
            match handshake.receive(Input::new(&mut piece)) {
                Progress::More => continue,
                Progress::Failed(ProtocolError { rule, offset }) => answer = Answer::Failed(rule, offset),
                Progress::Refused(response) => answer = refused(&response),
                Progress::Opened { response, agreed, rest } => {
                    let mut rest = rest.as_slice().to_vec();
                    rest.extend(pieces[at + 1..].concat());
                    answer = Answer::Opened {
                        protocol: response.protocol().map(str::to_owned),
                        extensions: response.extensions().map(|found| found.name().to_owned()).collect(),
                        reserved: agreed.reserved(),
                        rest,
                    };
                }
            }
            break;
        }
        let failure = handshake.failure().map(|error| Answer::Failed(error.rule, error.offset));
        assert_eq!(failure.as_ref(), matches!(answer, Answer::Failed(..)).then_some(&answer));
        // W152: told once.
        if answer != Answer::More {
            assert!(matches!(handshake.receive(Input::new(&mut [b'H'; 9])), Progress::More));
        }
        let ended = end.then(|| {
            let complete = handshake.receive_eof();
            assert_eq!(handshake.receive_eof(), complete, "W151");
            if answer == Answer::More
                && let Some(response) = handshake.response()
            {
                answer = refused(&response);
            }
            complete
        });
        let head = if failure.is_some() { Vec::new() } else { handshake.head().to_vec() };
        (answer, ended, head)
    }

    /// What comes of a stream, in every cut.
    pub(crate) fn reads(&self, bytes: &[u8]) -> Answer {
        let answer = every_cut(bytes, |pieces| self.read(pieces, false)).0;
        if let Answer::Failed(_, offset) = answer {
            // The earliest byte: with it the fault shows, without it nothing does.
            let offset = usize::try_from(offset).unwrap();
            assert_eq!(self.read(&[&bytes[..=offset]], false).0, answer, "{}", bytes.escape_ascii());
            assert_eq!(self.read(&[&bytes[..offset]], false).0, Answer::More, "{}", bytes.escape_ascii());
        }
        answer
    }

    /// What comes of a stream that ends: the answer, whether it is complete, and the head.
    pub(crate) fn ends(&self, bytes: &[u8]) -> (Answer, bool, Vec<u8>) {
        let (answer, complete, head) = every_cut(bytes, |pieces| self.read(pieces, true));
        (answer, complete.unwrap(), head)
    }
}

fn refused(response: &Response<'_>) -> Answer {
    Answer::Refused {
        status: response.status(),
        reason: response.reason().to_vec(),
        fields: response.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
        body: response.body().to_vec(),
    }
}
