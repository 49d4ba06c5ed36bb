//! The answer to a client's request: its parts, and whether a 101 keeps to the rules (RFC 6455 §4.1).

use core::fmt;

use crate::{
    frame::header::Rsv,
    http::{
        fields::Field,
        head::{Head, Headers},
        list::elements,
        words::is_word,
    },
    negotiate::{
        agreed::Agreed,
        deflate::{self, DeflatePolicy},
        extension::{self, Extension, Extensions},
        protocol,
    },
    rule::Rule,
};

/// An answer that was read.
#[derive(Clone, Copy)]
pub struct Response<'h> {
    head: Head<'h>,
    body: &'h [u8],
}

impl<'h> Response<'h> {
    pub(super) const fn new(head: Head<'h>, body: &'h [u8]) -> Self {
        Self { head, body }
    }

    /// The status: 101, or what else the server says.
    pub fn status(&self) -> u16 {
        status(self.head)
    }

    /// The reason phrase, which may be empty and need not be UTF-8.
    pub fn reason(&self) -> &'h [u8] {
        let [_, _, reason] = self.head.first_line();
        reason
    }

    /// The first field of this name, compared without case.
    pub fn header(&self, name: &str) -> Option<&'h [u8]> {
        self.head.named(name)
    }

    /// All fields.
    pub fn headers(&self) -> Headers<'h> {
        self.head.headers()
    }

    /// The subprotocol that a 101 chose.
    pub fn protocol(&self) -> Option<&'h str> {
        self.head.first(Field::Protocol).and_then(|value| core::str::from_utf8(value).ok())
    }

    /// The extensions that a 101 answered.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'h>> + Clone + use<'h> {
        self.head.all(Field::Extensions).filter_map(|line| Extensions::parse(line).ok()).flatten()
    }

    /// The body of another answer than 101, as much of it as the memory holds.
    pub const fn body(&self) -> &'h [u8] {
        self.body
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("reason", &format_args!("\"{}\"", self.reason().escape_ascii()))
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Response<'_> {
    /// Without the fields and the body.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Response {{ status: {=u16}, body: {=usize} bytes }}",
            self.status(),
            self.body.len()
        );
    }
}

/// The status: three digits, as the scanner saw to.
pub(super) fn status(head: Head<'_>) -> u16 {
    let [hundreds, tens, ones] = head.status().map(|digit| u16::from(digit & 0x0f));
    hundreds.wrapping_mul(100).wrapping_add(tens.wrapping_mul(10)).wrapping_add(ones)
}

/// Upgrade, Connection and Accept of a 101.
pub(super) fn check(head: Head<'_>, expected: &[u8; 28]) -> Result<(), Rule> {
    // "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an
    // ASCII case-insensitive match for the value "websocket"" (W114).
    let upgrade = head.one(Field::Upgrade, Rule::UpgradeAnswer, Rule::UpgradeAnswer)?;
    if !is_word(upgrade, b"websocket") {
        return Err(Rule::UpgradeAnswer);
    }
    if !head.lists(Field::Connection, "upgrade") {
        return Err(Rule::ConnectionAnswer);
    }
    let accept = head.one(Field::Accept, Rule::AcceptMissing, Rule::AcceptRepeated)?; // W116
    if accept != expected {
        return Err(Rule::AcceptMismatch); // W115
    }
    Ok(())
}

/// The subprotocol of a 101, against those offered (W117, W118).
pub(super) fn check_protocol(head: Head<'_>, offered: &[u8], required: bool) -> Result<(), Rule> {
    match head.at_most_one(Field::Protocol, Rule::ProtocolRepeated)? {
        Some(value) => protocol::check_answer(value, elements(offered)),
        None if required => Err(Rule::ProtocolNotChosen),
        None => Ok(()),
    }
}

/// The extensions of a 101, against those offered as [`Request::keep`](super::Request) wrote them (W119): the reserved
/// bits of those answered, and the terms of permessage-deflate if `policy` offered it.
pub(super) fn check_extensions(
    head: Head<'_>,
    kept: &[u8],
    policy: Option<&DeflatePolicy>,
) -> Result<Agreed, Rule> {
    if !head.has(Field::Extensions) {
        return Ok(Agreed::default());
    }
    let lines = head.all(Field::Extensions);
    let is_offered =
        |name: &[u8]| offered_bits(kept, name).is_some() || policy.is_some() && name == deflate::NAME;
    extension::check_answer(lines.clone(), is_offered)?;
    let (mut reserved, mut terms) = (Rsv::NONE, None);
    for answer in extension::each(lines) {
        reserved = reserved.with(offered_bits(kept, answer.name_bytes()).unwrap_or_default());
        if let Some(policy) = policy {
            terms = terms.or(policy.check(answer)?);
        }
    }
    let agreed = Agreed::with_reserved(reserved);
    Ok(terms.map_or(agreed, |terms| agreed.with_deflate(terms)))
}

/// The reserved bits that an offered extension defines.
fn offered_bits(kept: &[u8], name: &[u8]) -> Option<Rsv> {
    kept.split(|&byte| byte == b'\n').find_map(|offer| {
        let (bits, offer) = offer.split_first()?;
        let mut extensions = extension::each(core::iter::once(offer));
        extensions.any(|extension| extension.name_bytes() == name).then_some(Rsv::from_bits(*bits))
    })
}
