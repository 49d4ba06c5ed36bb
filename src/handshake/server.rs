//! The server's opening handshake (RFC 6455 §4.2): a request in, and one answer out.
//!
//! ```text
//!                         ┌─ accept(policy).write ──▶ 101, the connection
//!  bytes ──▶ Request ─────┤
//!    │                    └─ respond(status).write ─▶ any other answer, the end
//!    └─ a rule is broken ──▶ 400, 403, 405, 414, 426 or 431, the end
//! ```
//!
//! A [`Session`](crate::Session) drives this and the connection behind it in one loop; use [`Handshake`] where the
//! two are to be apart.
//!
//! ```
//! use websocket_proto::{Config, Connection, Input, OriginPolicy, Server, server::{Handshake, Progress}};
//!
//! let config = Config::default();
//! let mut handshake = Handshake::new([0; 2048], config.head);
//! let mut out = Vec::new();
//!
//! // RFC 6455 §1.3, and a frame right behind it in the same read.
//! let mut read = *b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
//!     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//!     Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
//!     Sec-WebSocket-Version: 13\r\n\r\n\x81\x80\0\0\0\0";
//! match handshake.receive(Input::new(&mut read), &mut out) {
//!     Progress::Request { request, rest } => {
//!         assert_eq!(request.path(), "/chat");
//!         let policy = OriginPolicy::List(&["http://example.com"]);
//!         request.accept(policy).protocol("chat").write(&mut out).unwrap();
//!         assert_eq!(rest.len(), 6); // goes on into the connection
//!     }
//!     Progress::More | Progress::Failed(_) => unreachable!(),
//! }
//! let agreed = handshake.agreed().expect("the origin is one of ours");
//! let conn = Connection::new(Server, &config, agreed);
//! assert!(out.ends_with(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
//!     Sec-WebSocket-Protocol: chat\r\n\r\n"));
//! ```

mod answer;
mod request;
mod stage;

use self::stage::Stage;
pub use self::{
    answer::{Accept, Respond},
    request::Request,
};

use crate::{
    bytes::{Input, Output},
    config::HeadLimits,
    error::ProtocolError,
    event::Event,
    http::scan::{Scanner, Sort},
    negotiate::agreed::Agreed,
    rule::Rule,
};

/// How far a handshake has come.
#[derive(Debug)]
#[must_use]
pub enum Progress<'h, 'b> {
    /// All bytes were taken, and the head is not complete. Or the handshake is over, and nothing was taken.
    More,
    /// A request that keeps to the rules: answer it. Behind it in the same read came `rest`, which belongs to the
    /// connection.
    Request {
        /// What was asked.
        request: Request<'h>,
        /// The bytes behind the head (W102).
        rest: Input<'b>,
    },
    /// The client broke a rule. The refusal is in the output, or waits for [`Handshake::poll_transmit`].
    Failed(ProtocolError),
}

/// A server's opening handshake, with the memory for the request's head: `[u8; N]`, `Box<[u8]>`, `Vec<u8>`, `&mut [u8]`.
#[derive(Clone, Debug)]
pub struct Handshake<S> {
    memory: S,
    scanner: Scanner,
    limits: HeadLimits,
    stage: Stage,
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Handshake<S> {
    /// A handshake that keeps the head in `memory`; a longer head is refused. 2 KiB hold what browsers send, as long
    /// as cookies are few.
    pub const fn new(memory: S, limits: HeadLimits) -> Self {
        Self { memory, scanner: Scanner::new(Sort::Request), limits, stage: Stage::Reading }
    }

    /// Takes the head off `input`.
    ///
    /// Whatever keeps to the rules is surfaced, a plain GET too. What breaks one is refused at the byte that proves
    /// it, with the status of its [`Rule::status`].
    pub fn receive<'b>(
        &mut self,
        mut input: Input<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Progress<'_, 'b> {
        if let Err(error) = self.read(&mut input) {
            self.stage = Stage::Failed { error, refused: false, told: true };
            self.poll_transmit(out);
            return Progress::Failed(error);
        }
        match self.request() {
            Some(request) => Progress::Request { request, rest: input },
            None => Progress::More,
        }
    }

    /// The request that awaits its answer.
    pub fn request(&mut self) -> Option<Request<'_>> {
        let Stage::Requested { upgrade, .. } = self.stage else { return None };
        let head = self.scanner.head(self.memory.as_ref());
        let position = self.scanner.fault(Rule::OriginRefused).offset;
        Some(Request::new(head, upgrade, position, &mut self.stage))
    }

    /// What was agreed on, once the request was accepted: for [`Connection::new`](crate::Connection::new).
    pub const fn agreed(&self) -> Option<Agreed> {
        match self.stage {
            Stage::Accepted(agreed) => Some(agreed),
            _ => None,
        }
    }

    /// The rule that the client broke, if it did; an Origin that the policy refused is one.
    pub const fn failure(&self) -> Option<ProtocolError> {
        match self.stage {
            Stage::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Whether the request was answered with something else than a 101: write the output and shut the transport.
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Responded | Stage::Failed { refused: true, .. })
    }

    /// Puts out the refusal that found no room. True: it went out.
    pub fn poll_transmit(&mut self, out: &mut (impl Output + ?Sized)) -> bool {
        let Stage::Failed { error, refused: false, told } = self.stage else { return false };
        let refused = answer::refuse(error.rule, out).is_ok();
        self.stage = Stage::Failed { error, refused, told };
        refused
    }

    /// The bytes of the head so far: what is there when the stream ends too early.
    pub fn head(&self) -> &[u8] {
        self.memory.as_ref().get(..self.scanner.kept()).unwrap_or_default()
    }

    fn read(&mut self, input: &mut Input<'_>) -> Result<(), ProtocolError> {
        if self.stage != Stage::Reading {
            return Ok(());
        }
        if self.scanner.scan(input, self.memory.as_mut(), &self.limits)? {
            let upgrade = request::check(self.scanner.head(self.memory.as_ref()))
                .map_err(|rule| self.scanner.fault(rule))?;
            self.stage = Stage::Requested { upgrade, told: false };
        }
        Ok(())
    }

    /// The next event: [`Handshake::receive`] for a session, whose `Input` goes on into the connection.
    pub(crate) fn event<'b>(
        &mut self,
        input: &mut Input<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        if let Stage::Reading = self.stage
            && let Err(error) = self.read(input)
        {
            self.stage = Stage::Failed { error, refused: false, told: false };
            self.poll_transmit(out);
        } else if let Stage::Requested { told: false, upgrade } = self.stage {
            self.stage = Stage::Requested { told: true, upgrade };
            return Some(Event::Requested);
        }
        match self.stage {
            Stage::Failed { error, refused, told: false } => {
                input.take_all();
                self.stage = Stage::Failed { error, refused, told: true };
                Some(Event::Failed(error))
            }
            Stage::Failed { .. } | Stage::Responded => {
                input.take_all();
                None
            }
            Stage::Reading | Stage::Requested { .. } | Stage::Accepted(_) => None,
        }
    }

    /// Whether an answer is due: the caller's, or a refusal that waits for room.
    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Requested { .. } | Stage::Failed { refused: false, .. })
    }
}
