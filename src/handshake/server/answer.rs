//! The answer to a request: a 101, or anything else, each all or nothing.

use core::ops::Range;

use super::{request::Request, stage::Stage};
use crate::{
    bytes::{Output, copy},
    error::{HandshakeError, ProtocolError},
    frame::header::Rsv,
    http::{
        accept::accept,
        compose::{self, Decimal},
    },
    negotiate::{
        agreed::Agreed,
        deflate::{self, DeflateAnswer, DeflatePolicy, DeflateTerms},
        extension::{self, Extension},
        origin::OriginPolicy,
    },
    rule::Rule,
};

impl<'h> Request<'h> {
    /// Accepts: a 101, if the request's Origin is one that `policy` allows, and a 403 otherwise; a 400 if the request is
    /// a plain GET. There is no default
    /// policy: a browser sends its user's cookies from any page to any server (RFC 6455 §10.2).
    pub const fn accept<'p>(self, policy: OriginPolicy<'p>) -> Accept<'h, 'p> {
        Accept::new(self, policy)
    }

    /// The terms of permessage-deflate that [`Accept::deflate`] with this policy will agree on, and so what it will cost;
    /// `None`: it was not offered, or in no way that the policy allows.
    pub fn deflate(&self, policy: &DeflatePolicy) -> Option<DeflateTerms> {
        policy.answer(self.extensions()).map(|answer| answer.terms())
    }

    /// Answers with another status than 101: a refusal, or a page for a plain GET. The connection ends with it.
    pub const fn respond<'p>(self, status: u16) -> Respond<'h, 'p> {
        Respond::new(self, status)
    }
}

/// A 101 to be written: `request.accept(policy)…write(&mut out)`.
#[derive(Debug)]
#[must_use = "nothing is sent before `write`"]
pub struct Accept<'h, 'p> {
    request: Request<'h>,
    policy: OriginPolicy<'p>,
    protocol: Option<&'p str>,
    extensions: Option<&'p str>,
    reserved: Rsv,
    deflate: Option<DeflateAnswer>,
    headers: &'p [(&'p str, &'p str)],
}

impl<'h, 'p> Accept<'h, 'p> {
    pub(super) const fn new(request: Request<'h>, policy: OriginPolicy<'p>) -> Self {
        Self {
            request,
            policy,
            protocol: None,
            extensions: None,
            reserved: Rsv::NONE,
            deflate: None,
            headers: &[],
        }
    }

    /// Chooses a subprotocol, one of [`Request::protocols`], or none.
    pub fn protocol(mut self, protocol: impl Into<Option<&'p str>>) -> Self {
        self.protocol = protocol.into();
        self
    }

    /// Answers extensions, all in one line and in the order of use, each of them one that was offered. `reserved`:
    /// the bits that they define.
    pub const fn extensions(mut self, extensions: &'p str, reserved: Rsv) -> Self {
        self.extensions = Some(extensions);
        self.reserved = reserved;
        self
    }

    /// Agrees to permessage-deflate, if it was offered in a way that `policy` allows: [`Request::deflate`] says on what
    /// terms. It is answered before other extensions.
    pub fn deflate(mut self, policy: &DeflatePolicy) -> Self {
        self.deflate = policy.answer(self.request.extensions());
        self
    }

    /// Adds fields, such as Set-Cookie.
    pub const fn headers(mut self, headers: &'p [(&'p str, &'p str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Puts the answer out: the 101; or a 403 if the policy refuses the request's Origin, or a 400 if it is a plain GET.
    /// These are faults of the peer and told as such, by the next event ([`Rule::OriginRefused`],
    /// [`Rule::UpgradeWithoutWebsocket`]).
    ///
    /// # Errors
    /// [`HandshakeError`], with nothing put out: mend what it says, or make room, and call again.
    pub fn write(&mut self, out: &mut (impl Output + ?Sized)) -> Result<(), HandshakeError> {
        self.check()?;
        if let Some(rule) = self.refusal() {
            let error = ProtocolError { rule, offset: self.request.position() };
            refuse(rule, out)?;
            *self.request.stage() = Stage::Failed { error, refused: true, told: false };
            return Ok(());
        }
        let mut start = *START;
        if let Some(place) = start.get_mut(ACCEPT) {
            copy(place, &accept(&self.request.key()));
        }
        let start =
            start.get(..if self.protocol.is_some() { START.len() } else { ACCEPT.end }).unwrap_or(&start);
        compose::write(out, |put| {
            put(start);
            if let Some(protocol) = self.protocol {
                put(protocol.as_bytes());
            }
            self.put_extensions(put);
            compose::fields(self.headers, put);
            put(b"\r\n\r\n");
        })?;
        *self.request.stage() = Stage::Accepted(self.agreed());
        Ok(())
    }

    fn put_extensions(&self, put: &mut dyn FnMut(&[u8])) {
        if self.deflate.is_none() && self.extensions.is_none() {
            return;
        }
        put(b"\r\nSec-WebSocket-Extensions: ");
        if let Some(deflate) = &self.deflate {
            deflate.put(put);
        }
        if let Some(extensions) = self.extensions {
            put(if self.deflate.is_some() { b", " } else { b"" });
            put(extensions.as_bytes());
        }
    }

    fn agreed(&self) -> Agreed {
        let agreed = Agreed::with_reserved(self.reserved);
        match self.deflate {
            Some(deflate) => agreed.with_deflate(deflate.terms()),
            None => agreed,
        }
    }

    /// Why the peer is refused after all.
    fn refusal(&self) -> Option<Rule> {
        if !self.request.is_upgrade() {
            return Some(Rule::UpgradeWithoutWebsocket);
        }
        let allowed = self.policy.allows_at(self.request.origin(), || self.request.asked_host());
        (!allowed).then_some(Rule::OriginRefused)
    }

    fn check(&mut self) -> Result<(), HandshakeError> {
        check_unanswered(&mut self.request)?;
        compose::check_fields(self.headers, &OWN)?;
        // "if the server doesn't agree to any of the client's requested subprotocols, the only acceptable value is
        // null" (RFC 6455 §4.2.2, W103).
        if self.protocol.is_some_and(|chosen| !self.request.offers(chosen)) {
            return Err(HandshakeError::Protocol);
        }
        let Some(answer) = self.extensions else { return Ok(()) };
        let mut offered = self.request.extensions().map(Extension::name_bytes);
        let line = core::iter::once(answer.as_bytes());
        // What a client fails on (W119): the grammar, an extension not offered, one answered twice.
        let is_offered = |name: &[u8]| offered.clone().any(|offer| offer == name);
        extension::check_answer(line.clone(), is_offered).map_err(|_| HandshakeError::Extension)?;
        let mut answered = extension::each(line);
        if self.deflate.is_some() && deflate::is_among(answered.clone()) {
            return Err(HandshakeError::Extension);
        }
        // "in the order" of the offers (W104): so one pass over them finds all.
        let known = answered.all(|answer| offered.any(|offer| offer == answer.name_bytes()));
        if known { Ok(()) } else { Err(HandshakeError::Extension) }
    }
}

/// Any answer but a 101 to be written: `request.respond(status)…write(&mut out)`.
#[derive(Debug)]
#[must_use = "nothing is sent before `write`"]
pub struct Respond<'h, 'p> {
    request: Request<'h>,
    status: u16,
    headers: &'p [(&'p str, &'p str)],
    body: &'p [u8],
}

impl<'h, 'p> Respond<'h, 'p> {
    pub(super) const fn new(request: Request<'h>, status: u16) -> Self {
        Self { request, status, headers: &[], body: &[] }
    }

    /// Adds fields, such as Content-Type, Location or WWW-Authenticate.
    pub const fn headers(mut self, headers: &'p [(&'p str, &'p str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the body.
    pub const fn body(mut self, body: &'p [u8]) -> Self {
        self.body = body;
        self
    }

    /// Puts the answer out, with Content-Length and `Connection: close`.
    ///
    /// # Errors
    /// [`HandshakeError`], with nothing put out: mend what it says, or make room, and call again.
    pub fn write(&mut self, out: &mut (impl Output + ?Sized)) -> Result<(), HandshakeError> {
        check_unanswered(&mut self.request)?;
        if !(200..=599).contains(&self.status) {
            return Err(HandshakeError::Status);
        }
        // These have no content, and 204 not even a Content-Length (RFC 9110 §8.6, §15.3.5, §15.3.6, §15.4.5).
        let bodiless = matches!(self.status, 204 | 205 | 304);
        if bodiless && !self.body.is_empty() {
            return Err(HandshakeError::Body);
        }
        compose::check_fields(self.headers, &OWN)?;
        compose::write(out, |put| {
            begin(self.status, put);
            compose::fields(self.headers, put);
            compose::field("Connection", b"close", put);
            if !matches!(self.status, 204 | 304) {
                compose::field("Content-Length", Decimal::new(self.body.len()).as_bytes(), put);
            }
            put(b"\r\n\r\n");
            put(self.body);
        })?;
        *self.request.stage() = Stage::Responded;
        Ok(())
    }
}

/// Puts out the refusal of a request that broke `rule` (W110). Its body is the rule's name.
pub(super) fn refuse(rule: Rule, out: &mut (impl Output + ?Sized)) -> Result<(), HandshakeError> {
    let body = rule.name().as_bytes();
    // A rule of frames has no status, and is not broken here.
    let status = rule.status().unwrap_or(400);
    compose::write(out, |put| {
        begin(status, put);
        match rule {
            // "the server MUST generate an Allow header field in a 405 response" (RFC 9110 §15.5.6).
            Rule::MethodNotAllowed => put(b"\r\nAllow: GET"),
            // "The server MUST send an Upgrade header field in a 426 response" (RFC 9110 §15.5.22); a sender of
            // Upgrade "MUST also send an "Upgrade" connection option" (§7.8); the version by RFC 6455 §4.4.
            Rule::VersionUnsupported => put(b"\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"),
            _ => {}
        }
        let connection: &[u8] = if rule == Rule::VersionUnsupported { b"Upgrade, close" } else { b"close" };
        compose::field("Connection", connection, put);
        compose::field("Content-Type", b"text/plain", put);
        compose::field("Content-Length", compose::Decimal::new(body.len()).as_bytes(), put);
        put(b"\r\n\r\n");
        put(body);
    })
}

/// Writes a status line without its end.
fn begin(status: u16, put: &mut dyn FnMut(&[u8])) {
    put(b"HTTP/1.1 ");
    put(Decimal::new(usize::from(status)).as_bytes());
    put(b" ");
    put(compose::reason(status).as_bytes());
}

fn check_unanswered(request: &mut Request<'_>) -> Result<(), HandshakeError> {
    match request.stage() {
        Stage::Requested { .. } => Ok(()),
        _ => Err(HandshakeError::Answered),
    }
}

/// What a 101 with a subprotocol begins with, and where in it the accept value belongs: another ends there.
const START: &[u8; 151] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: ............................\r\nSec-WebSocket-Protocol: ";
const ACCEPT: Range<usize> = 97..125;

/// The fields that an answer has of its own, beside those of every handshake.
const OWN: [&str; 2] = ["Upgrade", "Connection"];
