//! The outcome of a negotiation, as the connection needs it.

use crate::frame::header::Rsv;

/// What the opening handshake agreed on, as far as frames are concerned. The default is nothing.
///
/// Every bootstrap ends in one of these and [`Connection::new`](crate::Connection::new).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    reserved: Rsv,
}

impl Agreed {
    /// Extensions that define these reserved bits were negotiated (RFC 6455 §9). RSV1 is per-message compression,
    /// as RFC 7692 §6 defines it: whoever agrees on it inflates [`Part::compressed`](crate::Part) messages itself.
    pub const fn with_reserved(reserved: Rsv) -> Self {
        Self { reserved }
    }

    /// The reserved bits that have a meaning.
    pub const fn reserved(self) -> Rsv {
        self.reserved
    }
}
