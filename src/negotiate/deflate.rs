//! What both sides agree on about permessage-deflate (RFC 7692 §7.1): offers and answers, without a codec.

use core::fmt;

use super::extension::{Extension, Value};
use crate::rule::Rule;

/// How one side compresses what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DeflateSide {
    /// Distances reach back by 2^`window_bits` bytes at most: 8 to 15. Other numbers count as the nearest of these.
    pub window_bits: u8,
    /// Whether distances reach back into earlier messages. It makes small messages much smaller, and binds a window of
    /// memory on both sides for as long as the connection lives.
    pub takeover: bool,
}

impl DeflateSide {
    /// The whole window of 32 KiB, kept between messages: what RFC 7692 has where nothing else is said.
    pub const FULL: Self = Self { window_bits: 15, takeover: true };

    /// Whether a message can be compressed without knowing the connection.
    pub(crate) const fn is_independent(self) -> bool {
        !self.takeover && self.bits() == 15
    }

    pub(crate) const fn bits(self) -> u8 {
        match self.window_bits {
            bits @ 8..=15 => bits,
            0..=7 => 8,
            _ => 15,
        }
    }

    /// What fulfils both.
    const fn and(self, other: Self) -> Self {
        let (own, others) = (self.bits(), other.bits());
        Self {
            window_bits: if own < others { own } else { others },
            takeover: self.takeover && other.takeover,
        }
    }

    /// Four bits: takeover, and the window's above 8.
    const fn to_bits(self) -> u8 {
        (self.takeover as u8) << 3 | (self.bits() & 7)
    }

    const fn from_bits(bits: u8) -> Self {
        Self { window_bits: 8 | (bits & 7), takeover: bits & 8 != 0 }
    }
}

impl Default for DeflateSide {
    fn default() -> Self {
        Self::FULL
    }
}

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DeflateTerms {
    /// How the server compresses: `server_max_window_bits`, `server_no_context_takeover`.
    pub server: DeflateSide,
    /// How the client compresses: `client_max_window_bits`, `client_no_context_takeover`.
    pub client: DeflateSide,
}

impl DeflateTerms {
    pub(crate) const fn to_byte(self) -> u8 {
        self.server.to_bits() << 4 | self.client.to_bits()
    }

    pub(crate) const fn from_byte(byte: u8) -> Self {
        Self { server: DeflateSide::from_bits(byte >> 4), client: DeflateSide::from_bits(byte) }
    }
}

/// What this side is ready to agree on. The default is everything: full windows, kept between messages.
///
/// ```
/// use websocket_proto::{DeflatePolicy, DeflateSide, Extensions};
///
/// // A server that keeps nothing between messages, and inflates in windows of 1 KiB.
/// let policy = DeflatePolicy {
///     own: DeflateSide { takeover: false, ..DeflateSide::FULL },
///     peer: DeflateSide { takeover: false, window_bits: 10 },
/// };
/// // What a browser offers.
/// let offers = Extensions::parse(b"permessage-deflate; client_max_window_bits")?;
/// assert_eq!(
///     policy.answer(offers).unwrap().to_string(),
///     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=10",
/// );
/// # Ok::<(), websocket_proto::ExtensionError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflatePolicy {
    /// How this side compresses at most.
    pub own: DeflateSide,
    /// How the peer may compress at most, and so what this side needs for inflating.
    pub peer: DeflateSide,
}

/// The extension's name.
pub(crate) const NAME: &[u8] = b"permessage-deflate";

/// A server's answer to an offer. Its `Display` form is the element of Sec-WebSocket-Extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateAnswer {
    terms: DeflateTerms,
    /// `server_max_window_bits` was offered, so it is answered whatever it is.
    names_server_bits: bool,
}

/// A client's offer. Its `Display` form is the element of Sec-WebSocket-Extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateOffer(DeflatePolicy);

impl DeflatePolicy {
    /// A server's answer to the first of `offers` that fits this policy; `None`: none does, and messages go
    /// uncompressed.
    ///
    /// An offer with an unknown or repeated parameter or an impossible value is declined, and the next one considered
    /// (RFC 7692 §5.1, W107). Where the policy wants a smaller window of the client's, an offer without
    /// `client_max_window_bits` cannot be answered so (§7.1.2.2, W161) and is declined.
    pub fn answer<'h>(&self, offers: impl IntoIterator<Item = Extension<'h>>) -> Option<DeflateAnswer> {
        offers.into_iter().find_map(|offer| {
            let offer = Params::parse(offer, Bits::Optional)?;
            let client_bits = match offer.client_bits {
                None if self.peer.bits() < 15 => return None,
                None | Some(None) => 15,
                Some(Some(bits)) => bits,
            };
            let server = DeflateSide {
                window_bits: offer.server_bits.unwrap_or(15),
                takeover: !offer.server_no_context_takeover,
            };
            // "a client informs the peer server of a hint that even if the server doesn't include the
            // "client_no_context_takeover" [...] the client is not going to use context takeover" (§7.1.1.2): taken up.
            let client =
                DeflateSide { window_bits: client_bits, takeover: !offer.client_no_context_takeover };
            Some(DeflateAnswer {
                terms: DeflateTerms { server: self.own.and(server), client: self.peer.and(client) },
                names_server_bits: offer.server_bits.is_some(),
            })
        })
    }

    /// A client's offer.
    pub const fn offer(&self) -> DeflateOffer {
        DeflateOffer(*self)
    }

    /// What a server's answer to [`offer`](Self::offer) means.
    ///
    /// `answer` is any extension; `Ok(None)`: it is not permessage-deflate.
    ///
    /// # Errors
    /// [`Rule::DeflateAnswer`] and [`Rule::DeflateIgnored`]: _Fail the WebSocket Connection_ (RFC 7692 §7.1).
    pub fn check(&self, answer: Extension<'_>) -> Result<Option<DeflateTerms>, Rule> {
        if answer.name_bytes() != NAME {
            return Ok(None);
        }
        let params = Params::parse(answer, Bits::Required).ok_or(Rule::DeflateAnswer)?; // W120
        // What was asked is granted, or the offer is not accepted (§7.1.1.1, §7.1.2.1, W163).
        let server_bits = match params.server_bits {
            None if self.peer.bits() < 15 => return Err(Rule::DeflateIgnored),
            Some(bits) if bits > self.peer.bits() => return Err(Rule::DeflateAnswer),
            None => 15,
            Some(bits) => bits,
        };
        if !self.peer.takeover && !params.server_no_context_takeover {
            return Err(Rule::DeflateIgnored);
        }
        let client_bits = match params.client_bits.flatten() {
            Some(bits) if bits > self.own.bits() => return Err(Rule::DeflateAnswer),
            Some(bits) => bits,
            None => self.own.bits(),
        };
        let client = DeflateSide { window_bits: client_bits, takeover: !params.client_no_context_takeover };
        Ok(Some(DeflateTerms {
            server: DeflateSide { window_bits: server_bits, takeover: !params.server_no_context_takeover },
            client: self.own.and(client),
        }))
    }
}

impl DeflateAnswer {
    /// What is agreed on with it.
    pub const fn terms(&self) -> DeflateTerms {
        self.terms
    }

    pub(crate) fn put(&self, put: &mut dyn FnMut(&[u8])) {
        let DeflateTerms { server, client } = self.terms;
        put(NAME);
        // What was asked is repeated, the window not larger (W162).
        put_flag(SERVER_NO_CONTEXT_TAKEOVER, !server.takeover, put);
        put_flag(CLIENT_NO_CONTEXT_TAKEOVER, !client.takeover, put);
        put_bits(SERVER_MAX_WINDOW_BITS, self.names_server_bits || server.bits() < 15, server.bits(), put);
        // Only where it was offered: otherwise the policy had no smaller window, or the offer was declined.
        put_bits(CLIENT_MAX_WINDOW_BITS, client.bits() < 15, client.bits(), put);
    }
}

impl DeflateOffer {
    pub(crate) fn put(&self, put: &mut dyn FnMut(&[u8])) {
        let DeflatePolicy { own, peer } = self.0;
        put(NAME);
        put_flag(SERVER_NO_CONTEXT_TAKEOVER, !peer.takeover, put);
        put_flag(CLIENT_NO_CONTEXT_TAKEOVER, !own.takeover, put);
        put_bits(SERVER_MAX_WINDOW_BITS, peer.bits() < 15, peer.bits(), put);
        // "By including this parameter, a client informs the peer server that the client supports the
        // "client_max_window_bits" extension parameter in an extension negotiation response" (§7.1.2.2).
        put_flag(CLIENT_MAX_WINDOW_BITS, own.bits() == 15, put);
        put_bits(CLIENT_MAX_WINDOW_BITS, own.bits() < 15, own.bits(), put);
    }
}

/// Whether an extension among these is permessage-deflate.
pub(crate) fn is_among<'h>(mut extensions: impl Iterator<Item = Extension<'h>>) -> bool {
    extensions.any(|extension| extension.name_bytes() == NAME)
}

const SERVER_NO_CONTEXT_TAKEOVER: &[u8] = b"server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &[u8] = b"client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &[u8] = b"server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &[u8] = b"client_max_window_bits";

/// The values that window bits may have, "without leading zeros" (RFC 7692 §7.1.2, W121), from 8 up.
const WINDOW_BITS: [&str; 8] = ["8", "9", "10", "11", "12", "13", "14", "15"];

fn put_flag(name: &[u8], on: bool, put: &mut dyn FnMut(&[u8])) {
    if on {
        put(b"; ");
        put(name);
    }
}

fn put_bits(name: &[u8], on: bool, bits: u8, put: &mut dyn FnMut(&[u8])) {
    if on {
        put_flag(name, true, put);
        put(b"=");
        put(WINDOW_BITS.get(usize::from(bits & 7)).unwrap_or(&"15").as_bytes());
    }
}

fn display(write: impl FnOnce(&mut dyn FnMut(&[u8])), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut result = Ok(());
    write(&mut |piece| {
        result = result.and_then(|()| f.write_str(core::str::from_utf8(piece).unwrap_or_default()));
    });
    result
}

impl fmt::Display for DeflateAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(|put| self.put(put), f)
    }
}

impl fmt::Display for DeflateOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(|put| self.put(put), f)
    }
}

/// Whether `client_max_window_bits` needs a value: in an offer it may go without (§7.1.2.2, W161).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bits {
    Optional,
    Required,
}

/// The four parameters (RFC 7692 §7.1), each at most once.
#[derive(Default)]
struct Params {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_bits: Option<u8>,
    client_bits: Option<Option<u8>>,
}

impl Params {
    /// `None`: it is another extension, or a parameter is unknown, repeated, or has an impossible value or none where
    /// it needs one, or one where it has none (W106, W107, W120).
    fn parse(extension: Extension<'_>, client_bits: Bits) -> Option<Self> {
        if extension.name_bytes() != NAME {
            return None;
        }
        let mut all = Self::default();
        for param in extension.params() {
            let (name, value) = (param.name_bytes(), param.value());
            // Not a `match`, which compares byte by byte in as much code.
            if name == SERVER_NO_CONTEXT_TAKEOVER {
                set(&mut all.server_no_context_takeover, value)?;
            } else if name == CLIENT_NO_CONTEXT_TAKEOVER {
                set(&mut all.client_no_context_takeover, value)?;
            } else if name == SERVER_MAX_WINDOW_BITS && all.server_bits.is_none() {
                all.server_bits = Some(window_bits(value?)?);
            } else if name == CLIENT_MAX_WINDOW_BITS && all.client_bits.is_none() {
                all.client_bits = Some(match value {
                    None if client_bits == Bits::Optional => None,
                    value => Some(window_bits(value?)?),
                });
            } else {
                return None;
            }
        }
        Some(all)
    }
}

/// A parameter without a value, once.
fn set(flag: &mut bool, value: Option<Value<'_>>) -> Option<()> {
    let fits = !*flag && value.is_none();
    *flag = true;
    fits.then_some(())
}

fn window_bits(value: Value<'_>) -> Option<u8> {
    let mut digits = value.bytes();
    match (digits.next()?, digits.next(), digits.next()) {
        (digit @ b'8'..=b'9', None, _) => Some(digit & 0x0f),
        (b'1', Some(digit @ b'0'..=b'5'), None) => Some((digit & 7).saturating_add(10)),
        _ => None,
    }
}
