//! The outcome of a negotiation, as the connection needs it.

use super::deflate::DeflateTerms;
use crate::frame::header::Rsv;

/// What the opening handshake agreed on, as far as frames are concerned. The default is nothing.
///
/// Every bootstrap ends in one of these and [`Connection::new`](crate::Connection::new).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The reserved bits where they stand in a frame, and [`Self::DEFLATE`].
    bits: u8,
    /// [`DeflateTerms::to_byte`].
    deflate: u8,
}

impl Agreed {
    /// The terms of permessage-deflate are there.
    const DEFLATE: u8 = 1;

    /// Extensions that define these reserved bits were negotiated (RFC 6455 §9). RSV1 is per-message compression,
    /// as RFC 7692 §6 defines it: whoever agrees on it inflates [`Part::compressed`](crate::Part) messages itself.
    pub const fn with_reserved(reserved: Rsv) -> Self {
        Self { bits: reserved.bits(), deflate: 0 }
    }

    /// The same, and permessage-deflate on these terms, which defines RSV1.
    #[must_use]
    pub const fn with_deflate(self, terms: DeflateTerms) -> Self {
        Self { bits: self.bits | Rsv::RSV1.bits() | Self::DEFLATE, deflate: terms.to_byte() }
    }

    /// The reserved bits that have a meaning.
    pub const fn reserved(self) -> Rsv {
        Rsv::from_bits(self.bits)
    }

    /// The terms of permessage-deflate, if it was agreed on.
    pub const fn deflate(self) -> Option<DeflateTerms> {
        if self.bits & Self::DEFLATE == 0 { None } else { Some(DeflateTerms::from_byte(self.deflate)) }
    }

    pub(crate) const fn to_bytes(self) -> [u8; 2] {
        [self.bits, self.deflate]
    }

    /// `None`: no negotiation ends in these.
    pub(crate) const fn from_bytes(bytes: [u8; 2]) -> Option<Self> {
        let [bits, deflate] = bytes;
        let without = Self::with_reserved(Rsv::from_bits(bits));
        let agreed = match bits & Self::DEFLATE {
            0 => without,
            _ => without.with_deflate(DeflateTerms::from_byte(deflate)),
        };
        if agreed.bits == bits && agreed.deflate == deflate { Some(agreed) } else { None }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Agreed {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Agreed {{ reserved: {}, deflate: {} }}", self.reserved(), self.deflate());
    }
}
