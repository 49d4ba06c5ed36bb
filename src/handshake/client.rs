//! The client's opening handshake (RFC 6455 §4.1): a request out, and its answer in.
//!
//! ```text
//!  Request ── Handshake::new ─▶ bytes out        ┌─▶ Opened: the connection
//!                               bytes in ──▶ ────┼─▶ Refused: another status, with headers and a bounded body
//!                                                └─▶ Failed: a rule is broken
//! ```
//!
//! A [`Session`](crate::Session) drives this and the connection behind it in one loop; use [`Handshake`] where the
//! two are to be apart.
//!
//! ```
//! use websocket_proto::{Config, Input, Uri, client::{Handshake, Progress, Request}};
//!
//! let uri = Uri::parse("ws://server.example.com/chat")?;
//! let nonce = *b"the sample nonce"; // 16 fresh random bytes (RFC 6455 §4.1)
//! let request = Request::new(uri, nonce).protocols(&["chat", "superchat"]);
//! let mut out = Vec::new();
//! let mut handshake = Handshake::new([0; 1024], Config::default().head, &request, &mut out)?;
//! assert!(out.starts_with(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"));
//!
//! // RFC 6455 §1.3's answer, and a frame right behind it in the same read.
//! let mut read = *b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n\x81\0";
//! match handshake.receive(Input::new(&mut read)) {
//!     Progress::Opened { response, agreed, rest } => {
//!         assert_eq!(response.protocol(), Some("chat"));
//!         assert_eq!(rest.len(), 2); // goes on into the connection
//!     }
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod request;
mod response;

pub use self::{request::Request, response::Response};

use crate::{
    bytes::{Input, Output},
    config::HeadLimits,
    error::{HandshakeError, ProtocolError},
    event::Event,
    http::{
        accept,
        body::Framing,
        scan::{Scanner, Sort},
    },
    negotiate::{agreed::Agreed, deflate::DeflatePolicy},
    rule::Rule,
};

/// How far a handshake has come.
#[derive(Debug)]
#[must_use]
pub enum Progress<'h, 'b> {
    /// All bytes were taken, and the answer is not complete. Or the handshake is over.
    More,
    /// The server accepted. Behind the head in the same read came `rest`, which belongs to the connection.
    Opened {
        /// The 101.
        response: Response<'h>,
        /// For [`Connection::new`](crate::Connection::new).
        agreed: Agreed,
        /// The bytes behind the head (W122).
        rest: Input<'b>,
    },
    /// The server gave another answer: a redirect, a demand for credentials, an error. What follows is up to the
    /// caller; credentials are not carried to another origin.
    Refused(Response<'h>),
    /// The server broke a rule: drop the transport.
    Failed(ProtocolError),
}

/// A client's opening handshake, with the memory for the answer's head: `[u8; N]`, `Box<[u8]>`, `Vec<u8>`, `&mut [u8]`.
#[derive(Clone, Debug)]
pub struct Handshake<S> {
    /// What was offered, then the head, then the body.
    memory: S,
    scanner: Scanner,
    limits: HeadLimits,
    expected: [u8; 28],
    /// Bytes of the offered subprotocols and of the offered extensions.
    offered: [usize; 2],
    require_protocol: bool,
    deflate: Option<DeflatePolicy>,
    interims: u8,
    body: usize,
    stage: Stage,
}

/// What became of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    Reading,
    Body(Framing),
    Opened(Agreed),
    Refused,
    Failed(ProtocolError),
}

/// As many interim responses are skipped (RFC 9110 §15.2, W123).
const MAX_INTERIMS: u8 = 8;

impl<S: AsRef<[u8]> + AsMut<[u8]>> Handshake<S> {
    /// Puts the request out, whole or not at all, and keeps in `memory` what its answer is checked against; the
    /// answer's head, and as much as fits of the body of a refusal, are kept behind it.
    ///
    /// # Errors
    /// [`HandshakeError`], with nothing put out.
    pub fn new(
        mut memory: S,
        limits: HeadLimits,
        request: &Request<'_>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Self, HandshakeError> {
        let offered = request.keep(memory.as_mut())?;
        let key = request.key();
        request.write(&key, out)?;
        Ok(Self {
            memory,
            scanner: Scanner::new(Sort::Response),
            limits,
            expected: accept::accept(&key),
            offered,
            require_protocol: request.require_protocol,
            deflate: request.deflate,
            interims: 0,
            body: 0,
            stage: Stage::Reading,
        })
    }

    /// Takes the answer off `input`. Interim responses are skipped.
    ///
    /// [`Progress::Refused`] comes once its body is complete, or fills the memory, or the stream has ended.
    pub fn receive<'b>(&mut self, mut input: Input<'b>) -> Progress<'_, 'b> {
        match (self.advance(&mut input), self.response()) {
            (Some(Stage::Opened(agreed)), Some(response)) => {
                Progress::Opened { response, agreed, rest: input }
            }
            (Some(Stage::Refused), Some(response)) => Progress::Refused(response),
            (Some(Stage::Failed(error)), _) => Progress::Failed(error),
            _ => Progress::More,
        }
    }

    /// The stream ended. `true`: the answer is complete with that; `false`: it is cut off.
    pub fn receive_eof(&mut self) -> bool {
        if let Stage::Body(Framing::UntilEnd) = self.stage {
            self.stage = Stage::Refused;
        }
        matches!(self.stage, Stage::Refused | Stage::Opened(_))
    }

    /// The answer, once its head is complete.
    pub fn response(&self) -> Option<Response<'_>> {
        match self.stage {
            Stage::Reading | Stage::Failed(_) => None,
            Stage::Body(_) | Stage::Opened(_) | Stage::Refused => {
                let answer = self.answer();
                let rest = answer.get(self.scanner.kept()..)?;
                Some(Response::new(self.scanner.head(answer), rest.get(..self.body).unwrap_or_default()))
            }
        }
    }

    /// The rule that the server broke, if it did.
    pub const fn failure(&self) -> Option<ProtocolError> {
        match self.stage {
            Stage::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// The bytes of the answer's head so far: what is there when the stream ends too early.
    pub fn head(&self) -> &[u8] {
        self.answer().get(..self.scanner.kept()).unwrap_or_default()
    }

    /// What was agreed on, once the server accepted.
    pub const fn agreed(&self) -> Option<Agreed> {
        match self.stage {
            Stage::Opened(agreed) => Some(agreed),
            _ => None,
        }
    }

    /// Whether the server gave another answer than a 101.
    pub const fn is_refused(&self) -> bool {
        matches!(self.stage, Stage::Body(_) | Stage::Refused)
    }

    /// Whether there is nothing more to read of such an answer.
    pub(crate) const fn is_complete_refusal(&self) -> bool {
        matches!(self.stage, Stage::Refused)
    }

    /// The next event: [`Handshake::receive`] for a session, whose `Input` goes on into the connection.
    pub(crate) fn event<'b>(&mut self, input: &mut Input<'b>) -> Option<Event<'b>> {
        match self.advance(input)? {
            Stage::Opened(_) => Some(Event::Opened),
            Stage::Refused => Some(Event::Refused),
            Stage::Failed(error) => Some(Event::Failed(error)),
            Stage::Reading | Stage::Body(_) => None,
        }
    }

    /// Reads on, and says what stage was reached by that, if it is another one. A body that goes on is none.
    fn advance(&mut self, input: &mut Input<'_>) -> Option<Stage> {
        let before = core::mem::discriminant(&self.stage);
        if let Err(error) = self.read(input) {
            self.stage = Stage::Failed(error);
            input.take_all();
        }
        (core::mem::discriminant(&self.stage) != before).then_some(self.stage)
    }

    fn read(&mut self, input: &mut Input<'_>) -> Result<(), ProtocolError> {
        let start = self.start();
        let Some(memory) = self.memory.as_mut().get_mut(start..) else { return Ok(()) };
        while matches!(self.stage, Stage::Reading) && self.scanner.scan(input, memory, &self.limits)? {
            let head = self.scanner.head(memory);
            let status = response::status(head);
            // "If the status code received from the server is not 101, the client handles the response per HTTP
            // [...] procedures" (RFC 6455 §4.1, W112, W113). A 1xx has no body, whatever it announces (W164).
            if status == 101 {
                break;
            }
            if (100..200).contains(&status) {
                if self.interims >= MAX_INTERIMS {
                    return Err(self.scanner.fault(Rule::TooManyInterim));
                }
                self.interims = self.interims.saturating_add(1);
                self.scanner.restart();
            } else {
                self.stage = Stage::Body(Framing::new(status, head));
            }
        }
        match &mut self.stage {
            Stage::Reading if self.scanner.is_done() => {
                let agreed = self.check().map_err(|rule| self.scanner.fault(rule))?;
                self.stage = Stage::Opened(agreed);
            }
            Stage::Body(framing) => {
                framing.take(
                    input,
                    memory.get_mut(self.scanner.kept()..).unwrap_or_default(),
                    &mut self.body,
                );
                if matches!(framing, Framing::Done) {
                    self.stage = Stage::Refused;
                }
            }
            _ => {}
        }
        if let Stage::Refused | Stage::Failed(_) = self.stage {
            input.take_all();
        }
        Ok(())
    }

    /// Checks a 101 (RFC 6455 §4.1, from "Once the client's opening handshake has been sent").
    fn check(&self) -> Result<Agreed, Rule> {
        let memory = self.memory.as_ref();
        let [protocols, extensions] = self.offered;
        let (protocols, rest) = memory.split_at_checked(protocols).unwrap_or_default();
        let extensions = rest.get(..extensions).unwrap_or_default();
        let head = self.scanner.head(self.answer());
        response::check(head, &self.expected)?;
        response::check_protocol(head, protocols, self.require_protocol)?;
        response::check_extensions(head, extensions, self.deflate.as_ref())
    }

    /// The memory behind what was offered.
    fn answer(&self) -> &[u8] {
        self.memory.as_ref().get(self.start()..).unwrap_or_default()
    }

    /// Where what was offered ends.
    fn start(&self) -> usize {
        let [protocols, extensions] = self.offered;
        protocols.saturating_add(extensions)
    }
}
