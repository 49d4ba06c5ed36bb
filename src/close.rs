//! Close codes and the body of a Close frame (RFC 6455 §5.5.1, §7.4).

use core::fmt;

use crate::{opcode::Control, rule::Rule, utf8::Utf8};

/// A close code (RFC 6455 §7.4), any of the 65,536: no value is folded into another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server goes down, a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data that this side does not accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: a Close came without a code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: no Close came. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that is not consistent with its type, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a policy is violated.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message is too big.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the server did not negotiate an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: this side cannot go on.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts (IANA registry).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later (IANA registry).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway received an invalid response (IANA registry).
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The code with this number, legal or not.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The code's number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether the code may stand in a Close frame that arrives, and be echoed by the one that answers it.
    ///
    /// "1010 is used by clients" and 1011 by servers, but §7.4.1 forbids neither side to receive them.
    pub const fn may_be_received(self) -> bool {
        self.receive_fault().is_none()
    }

    /// Whether an endpoint may begin a closing handshake with this code: what may be received, but for 1010, which
    /// is a client's ("this status code is not used by the server", RFC 6455 §7.4.1, W63).
    pub const fn may_be_sent(self, by_server: bool) -> bool {
        self.may_be_received() && !(by_server && self.0 == Self::MANDATORY_EXTENSION.0)
    }

    const fn receive_fault(self) -> Option<Rule> {
        match self.0 {
            // "1005 is a reserved value and MUST NOT be set as a status code in a Close control frame by an
            // endpoint"; so are 1006 and 1015, and 1004 is "Reserved" (§7.4.1).
            1004..=1006 | 1015 => Some(Rule::ReservedCloseCode), // W59
            // "Status codes in the range 0-999 are not used" and 1016 to 2999 are not assigned (§7.4.2; 1012 to
            // 1014 are, by the IANA registry).
            1000..=1014 | 3000..=4999 => None,    // W61, W62
            _ => Some(Rule::UnassignedCloseCode), // W60
        }
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for CloseCode {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u16}", self.0);
    }
}

impl Rule {
    /// The code of the Close frame that answers a violation after the opening handshake (RFC 6455 §7.4.1).
    pub const fn close_code(self) -> Option<CloseCode> {
        match self.close_number() {
            Some(code) => Some(CloseCode(code)),
            None => None,
        }
    }
}

/// A Close frame that carries a code: the code and the reason, which may be empty.
#[derive(Clone, PartialEq, Eq)]
pub struct CloseFrame {
    body: Control,
    code: CloseCode,
}

impl CloseFrame {
    /// The longest reason, in bytes: a control payload less the code (W75).
    pub const MAX_REASON: usize = Control::MAX - 2;

    /// A frame of these; `None` if the reason is longer than [`MAX_REASON`](Self::MAX_REASON).
    pub fn new(code: CloseCode, reason: &str) -> Option<Self> {
        let mut body = Control::new(&code.0.to_be_bytes())?;
        (body.append(reason.as_bytes()) == reason.len()).then_some(Self { body, code })
    }

    /// Why the peer closes.
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// The peer's words, for logs and not for people ("this data is not guaranteed to be human readable", §5.5.1).
    /// NUL and a byte order mark in it are data (W76).
    pub fn reason(&self) -> &str {
        // The reason was checked on the way in: it is UTF-8.
        self.body.get(2..).and_then(|reason| core::str::from_utf8(reason).ok()).unwrap_or_default()
    }

    /// The longest part of `reason` that fits in a Close frame and ends between two characters.
    pub fn shorten(reason: &str) -> &str {
        let mut end = reason.len().min(Self::MAX_REASON);
        while !reason.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        reason.get(..end).unwrap_or_default()
    }

    /// The frame's body as it goes on the wire.
    pub(crate) fn into_body(self) -> Control {
        self.body
    }

    /// The frame in a complete body; `None` if it has no code (W58).
    pub(crate) fn from_body(body: &Control) -> Option<Self> {
        let code = CloseCode(u16::from_be_bytes(*body.first_chunk()?));
        Some(Self { body: body.clone(), code })
    }

    /// Checks a Close body's length: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned
    /// integer" (§5.5.1, W57).
    pub(crate) const fn check_len(len: u64) -> Result<(), Rule> {
        if len == 1 { Err(Rule::CloseBodyTooShort) } else { Ok(()) }
    }

    /// Checks as much of a Close body as has come. `Err((rule, i))`: `body[i]` is the first byte that proves it.
    ///
    /// `complete`: these are all bytes of the frame, so that a character cut off is cut off for good.
    pub(crate) fn check(body: &[u8], complete: bool) -> Result<(), (Rule, usize)> {
        let Some((code, reason)) = body.split_first_chunk() else { return Ok(()) };
        if let Some(rule) = CloseCode(u16::from_be_bytes(*code)).receive_fault() {
            return Err((rule, 1));
        }
        let mut utf8 = Utf8::default();
        match utf8.push(reason) {
            Err(at) => Err((Rule::InvalidReason, at.saturating_add(2))), // W54
            Ok(()) if complete && !utf8.is_boundary() => {
                Err((Rule::InvalidReason, body.len().saturating_sub(1)))
            }
            Ok(()) => Ok(()),
        }
    }
}

impl fmt::Debug for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseFrame").field("code", &self.code).field("reason", &self.reason()).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for CloseFrame {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "CloseFrame {{ code: {}, reason: {=str} }}", self.code, self.reason());
    }
}
