//! A request that was read: what it asks, and whether it may (RFC 6455 §4.2.1).

use core::fmt;

use super::stage::Stage;
use crate::{
    http::{
        accept,
        authority::Authority,
        fields::Field,
        head::{Head, Headers},
        list::{cut, is_token},
    },
    negotiate::{
        extension::{self, Extension, Extensions},
        origin::Origin,
        protocol,
    },
    rule::Rule,
};

/// A request that keeps to the rules and awaits its answer.
///
/// What it gives out lives as long as the head, so that an answer can use it.
pub struct Request<'h> {
    head: Head<'h>,
    upgrade: bool,
    /// The offset of the head's last byte.
    position: u64,
    stage: &'h mut Stage,
}

impl<'h> Request<'h> {
    pub(super) const fn new(head: Head<'h>, upgrade: bool, position: u64, stage: &'h mut Stage) -> Self {
        Self { head, upgrade, position, stage }
    }

    /// Whether this asks for a WebSocket. If not it is a plain GET, to be answered with [`respond`](Self::respond).
    pub const fn is_upgrade(&self) -> bool {
        self.upgrade
    }

    /// The target as it was written: a path with its query, or an absolute http or https URI.
    pub fn target(&self) -> &'h str {
        text(self.head.target())
    }

    /// The target's path, as it was written: percent-encoding is not touched.
    pub fn path(&self) -> &'h str {
        let (_, resource) = split_target(self.head.target());
        let (path, _) = cut(resource, b'?');
        if path.is_empty() { "/" } else { text(path) }
    }

    /// What stands behind the path's question mark.
    pub fn query(&self) -> Option<&'h str> {
        let (_, resource) = split_target(self.head.target());
        cut(resource, b'?').1.map(text)
    }

    /// The host and port asked for: the authority of an absolute target, or else Host (RFC 9112 §3.2.2).
    pub fn host(&self) -> &'h str {
        text(self.asked_host())
    }

    pub(super) fn asked_host(&self) -> &'h [u8] {
        match split_target(self.head.target()).0 {
            Some(authority) => authority,
            None => self.head.first(Field::Host).unwrap_or_default(),
        }
    }

    /// Who asks, as a browser says (RFC 6455 §10.2).
    pub fn origin(&self) -> Origin<'h> {
        Origin::new(self.head.first(Field::Origin))
    }

    /// The first field of this name, compared without case.
    pub fn header(&self, name: &str) -> Option<&'h [u8]> {
        self.head.named(name)
    }

    /// All fields.
    pub fn headers(&self) -> Headers<'h> {
        self.head.headers()
    }

    /// The subprotocols offered, the client's favourite first.
    pub fn protocols(&self) -> impl Iterator<Item = &'h str> + Clone + use<'h> {
        protocol::offered(self.head.all(Field::Protocol)).map(text)
    }

    /// Whether a subprotocol is one of those offered.
    pub(super) fn offers(&self, protocol: &str) -> bool {
        // The only one, as a rule, or else one of several.
        is_token(protocol.as_bytes()) && self.head.first(Field::Protocol) == Some(protocol.as_bytes())
            || protocol::offered(self.head.all(Field::Protocol)).any(|offered| offered == protocol.as_bytes())
    }

    /// The extensions offered, the client's favourite first.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'h>> + Clone + use<'h> {
        self.head.all(Field::Extensions).filter_map(|line| Extensions::parse(line).ok()).flatten()
    }

    /// The key, which was checked.
    pub(super) fn key(&self) -> [u8; 24] {
        self.head.first(Field::Key).and_then(|key| key.first_chunk()).copied().unwrap_or_default()
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn stage(&mut self) -> &mut Stage {
        self.stage
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("target", &self.target())
            .field("host", &self.host())
            .field("upgrade", &self.upgrade)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Request<'_> {
    /// Without the fields.
    fn format(&self, f: defmt::Formatter<'_>) {
        let (target, host, upgrade) = (self.target(), self.host(), self.upgrade);
        defmt::write!(
            f,
            "Request {{ target: {=str}, host: {=str}, upgrade: {=bool} }}",
            target,
            host,
            upgrade
        );
    }
}

/// Checks a head of sound grammar; true: it asks for a WebSocket (RFC 6455 §4.2.1).
pub(super) fn check(head: Head<'_>) -> Result<bool, Rule> {
    if !head.is_get() {
        return Err(Rule::MethodNotAllowed); // W90
    }
    check_host(head)?;
    check_no_body(head)?;

    let upgrades = head.lists(Field::Upgrade, "websocket");
    if !upgrades && !head.has(Field::Key) && !head.has(Field::Version) {
        return Ok(false);
    }
    // Whoever sends the fields of a handshake without Upgrade is told what is missing rather than shown a page.
    if !upgrades {
        return Err(Rule::UpgradeWithoutWebsocket); // W98
    }
    if !head.lists(Field::Connection, "upgrade") {
        return Err(Rule::ConnectionWithoutUpgrade); // W97
    }
    // W93
    check_version(head.one(Field::Version, Rule::VersionMissing, Rule::VersionInvalid)?)?;
    let key = head.one(Field::Key, Rule::KeyMissing, Rule::KeyRepeated)?; // W96
    if !accept::is_key(key) {
        return Err(Rule::KeyInvalid); // W95
    }
    check_offers(head)?;
    Ok(true)
}

fn check_offers(head: Head<'_>) -> Result<(), Rule> {
    match head.first(Field::Protocol) {
        None => {}
        // One name alone, as most requests have it, cannot be repeated.
        Some(value) if !head.repeats(Field::Protocol) && is_token(value) => {}
        Some(_) => protocol::check_offer(head.all(Field::Protocol))?,
    }
    match head.first(Field::Extensions) {
        None => Ok(()),
        Some(value) if !head.repeats(Field::Extensions) => extension::check_offer([value].into_iter()),
        Some(_) => extension::check_offer(head.all(Field::Extensions)),
    }
}

/// "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host
/// header field and to any request message that contains more than one Host header field line or a Host header field
/// with an invalid field value" (RFC 9112 §3.2, W157).
fn check_host(head: Head<'_>) -> Result<(), Rule> {
    let host = head.one(Field::Host, Rule::HostMissing, Rule::HostRepeated)?;
    Authority::parse(host).ok_or(Rule::HostInvalid)?;
    // The form that every client uses but through a proxy: "origin-form" (RFC 9112 §3.2.1).
    if head.is_get_of_path() {
        return Ok(());
    }
    match split_target(head.target()) {
        (Some(authority), _) => Authority::parse(authority).map(|_| ()).ok_or(Rule::TargetForm),
        _ => Err(Rule::TargetForm), // W158
    }
}

/// "content received in a GET request has no generally defined semantics" (RFC 9110 §9.3.1): here it would be read as
/// frames (W101).
fn check_no_body(head: Head<'_>) -> Result<(), Rule> {
    let is_zero = |value: &[u8]| !value.is_empty() && value.iter().all(|&byte| byte == b'0');
    if head.has(Field::TransferEncoding)
        || head.has(Field::ContentLength) && !head.all(Field::ContentLength).all(is_zero)
    {
        return Err(Rule::BodyAnnounced);
    }
    Ok(())
}

/// "version = DIGIT | (NZDIGIT DIGIT) | ("1" DIGIT DIGIT) | ("2" DIGIT DIGIT)", limited to 0-255 (RFC 6455 §4.3, W92).
fn check_version(value: &[u8]) -> Result<(), Rule> {
    if value == b"13" {
        return Ok(());
    }
    let plain = matches!(value, [b'0'] | [b'1'..=b'9', ..]) && value.iter().all(u8::is_ascii_digit);
    let small = value.len() < 3 || value.len() == 3 && value <= b"255";
    Err(if plain && small { Rule::VersionUnsupported } else { Rule::VersionInvalid }) // W91
}

/// The authority of an absolute target, and the path behind it (RFC 9112 §3.2.2).
fn split_target(target: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let absolute = [&b"http://"[..], b"https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    match absolute {
        None => (None, target),
        Some(rest) => {
            let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            (Some(authority), path)
        }
    }
}

/// What the scanner let pass in these places is ASCII.
fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
