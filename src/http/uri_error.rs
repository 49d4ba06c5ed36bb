//! What is wrong with a URI, and where.

use core::fmt;

/// Why a text is not a WebSocket URI, and at which byte that shows (W166).
///
/// The `Display` form is a sentence that says what is required, by which rule and where that stands:
///
/// ```
/// use websocket_proto::{Uri, UriFault};
///
/// let error = Uri::parse("ws://example.com/#news").unwrap_err();
/// assert_eq!(error.fault(), UriFault::Fragment);
/// assert_eq!(error.at(), 17);
/// assert_eq!(error.to_string(), "W166: a URI has no fragment (RFC 6455 §3), at byte 17");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UriError {
    fault: UriFault,
    at: usize,
}

impl UriError {
    pub(crate) fn new(fault: UriFault, at: usize) -> Self {
        Self { fault, at }
    }

    /// The same error, in a text that has `offset` more bytes in front.
    pub(crate) fn behind(self, offset: usize) -> Self {
        Self { at: self.at.saturating_add(offset), ..self }
    }

    /// What is wrong.
    pub const fn fault(self) -> UriFault {
        self.fault
    }

    /// Where it shows: an index in bytes, from 0 to the length of the text.
    pub const fn at(self) -> usize {
        self.at
    }

    /// The rule's row in `docs/compliance.md`.
    pub const fn id(self) -> &'static str {
        "W166"
    }

    /// Where the rule stands.
    pub const fn rfc(self) -> &'static str {
        self.fault.row().0
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rfc, text) = self.fault.row();
        write!(f, "{}: {text} ({rfc}), at byte {}", self.id(), self.at)
    }
}

impl core::error::Error for UriError {}

/// What is wrong with a URI: see [`UriError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UriFault {
    /// The scheme is neither `ws` nor `wss`, nor one that [`UriOptions::http`](crate::UriOptions::http) allows.
    Scheme,
    /// No `//` follows the scheme.
    Authority,
    /// There is user info and [`UriOptions::user_info`](crate::UriOptions::user_info) does not allow it; or Basic
    /// credentials cannot carry it: a colon in the user's name, or a control character, percent-encoded.
    UserInfo,
    /// The host is empty.
    Host,
    /// What stands in brackets, or begins with one, is no IPv6 address. A zone is none either.
    Ipv6,
    /// The port has something other than digits, or is above 65535.
    Port,
    /// A character that must not stand there: a space, a control, anything not ASCII, or a delimiter.
    Character,
    /// A `%` without two hexadecimal digits behind it.
    Percent,
    /// A `#`.
    Fragment,
}

impl UriFault {
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Scheme => {
                ("RFC 6455 §3", "a URI's scheme is ws or wss, or http or https where that is asked for")
            }
            Self::Authority => ("RFC 6455 §3", "a URI has // behind its scheme"),
            Self::UserInfo => {
                ("RFC 6455 §3", "a URI has no user info, or such as is asked for and fits RFC 7617")
            }
            Self::Host => ("RFC 6455 §3", "a URI's host is not empty"),
            Self::Ipv6 => ("RFC 3986 §3.2.2", "brackets hold an IPv6 address without zone"),
            Self::Port => ("RFC 3986 §3.2.3", "a port is a number up to 65535 in plain digits"),
            Self::Character => {
                ("RFC 3986 §2", "a URI has only the characters that may stand in each of its parts")
            }
            Self::Percent => ("RFC 3986 §2.1", "two hexadecimal digits follow a percent sign"),
            Self::Fragment => ("RFC 6455 §3", "a URI has no fragment"),
        }
    }
}
