//! The two sorts of error: what the peer did wrong, which arrives as an event, and what the caller did, an `Err`.

use core::{error::Error, fmt};

use crate::rule::Rule;

/// The peer broke a rule: where, and which.
///
/// It arrives as [`Event::Failed`](crate::Event::Failed), once, and the answer to the peer is already under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ProtocolError {
    /// What the peer broke.
    pub rule: Rule,
    /// The first byte that proves it, counted from the start of the handshake's head or of the connection's frames,
    /// whichever it belongs to.
    pub offset: u64,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at byte {}", self.rule, self.offset)
    }
}

impl Error for ProtocolError {}

/// Why nothing was sent. The connection is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// The output has no room for the frame and a reply that goes before it, `needed` bytes together. Write out what
    /// it holds and call again; where `needed` is more than the whole output, the frame will never fit.
    NoRoom {
        /// The room that the call needs, in bytes.
        needed: usize,
    },
    /// A payload is owed (`send_header` announced it): pay these bytes first.
    Owed {
        /// What is still to be paid.
        bytes: u64,
    },
    /// The opening handshake is not done: nothing is sent before the 101 (RFC 6455 §4.1).
    NotOpen,
    /// After a Close, in either direction, or after a failure nothing but replies goes out (RFC 6455 §5.5.1).
    Closed,
    /// A new message inside an unfinished one, or a continuation with none to continue (RFC 6455 §5.4).
    Fragment,
    /// Text that is not UTF-8, or that ends inside a character (RFC 6455 §8.1).
    Utf8,
    /// A control payload of more than 125 bytes (RFC 6455 §5.5).
    ControlTooLong,
    /// A close code that this side may not send (RFC 6455 §7.4).
    CloseCode,
    /// A close reason of more than 123 bytes (RFC 6455 §5.5): see `CloseFrame::shorten`.
    ReasonTooLong,
    /// The length does not fit in 63 bits (RFC 6455 §5.2).
    Length,
    /// RSV1 without an extension that defines it, or on a frame that does not begin a message (RFC 7692 §6.1).
    Reserved,
    /// The mask source has no key now. A reply waits for one; a frame is to be sent again.
    NoKey,
    /// Compressing failed, and a Close with 1011 is on its way (W145).
    Compressor,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom { needed } => write!(f, "the output has no room for {needed} bytes"),
            Self::Owed { bytes } => write!(f, "{bytes} bytes of an announced payload are owed first"),
            Self::NotOpen => f.write_str("the opening handshake is not done (RFC 6455 §4.1)"),
            Self::Closed => {
                f.write_str("the connection is closing or closed: no more data goes out (RFC 6455 §5.5.1)")
            }
            Self::Fragment => f.write_str("fragments are out of order: first, next.., last (RFC 6455 §5.4)"),
            Self::Utf8 => f.write_str("text is not UTF-8 or ends inside a character (RFC 6455 §8.1)"),
            Self::ControlTooLong => f.write_str("a control payload is at most 125 bytes (RFC 6455 §5.5)"),
            Self::CloseCode => f.write_str("this side may not send that close code (RFC 6455 §7.4)"),
            Self::ReasonTooLong => f.write_str("a close reason is at most 123 bytes (RFC 6455 §5.5)"),
            Self::Length => f.write_str("a length is at most 2^63 - 1 (RFC 6455 §5.2)"),
            Self::Reserved => {
                f.write_str("RSV1 is not negotiated, or not on a message's first frame (RFC 7692 §6.1)")
            }
            Self::Compressor => f.write_str("the compressor failed (RFC 6455 §7.4.1, code 1011)"),
            Self::NoKey => f.write_str("the mask source has no key (RFC 6455 §5.3)"),
        }
    }
}

impl Error for SendError {}

/// What a caller handed to the opening handshake cannot be written. Nothing was put out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HandshakeError {
    /// The output has no room for the head (and body), `needed` bytes. Write out what it holds and call again.
    NoRoom {
        /// The room that the call needs, in bytes.
        needed: usize,
    },
    /// The memory handed over cannot keep what was offered, `needed` bytes.
    NoMemory {
        /// The memory that the call needs, in bytes.
        needed: usize,
    },
    /// A field name that is not a token, or one that the handshake writes itself (RFC 9110 §5.1).
    FieldName,
    /// A field value with CR, LF, NUL or another control character (RFC 9110 §5.5).
    FieldValue,
    /// A status outside 200 to 599 (RFC 9110 §15).
    Status,
    /// A body behind a status that has none (204, 205, 304).
    Body,
    /// A subprotocol that is not a token or was not offered, or an offer that names one twice (RFC 6455 §4.2.2).
    Protocol,
    /// An extension that does not fit the grammar or was not offered (RFC 6455 §9.1).
    Extension,
    /// The request has its answer.
    Answered,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom { needed } => write!(f, "the output has no room for {needed} bytes"),
            Self::NoMemory { needed } => write!(f, "the head's memory has no room for {needed} bytes"),
            Self::FieldName => f.write_str(
                "a field name is a token that the handshake does not write itself (RFC 9110 §5.1)",
            ),
            Self::FieldValue => f.write_str("a field value has no control characters (RFC 9110 §5.5)"),
            Self::Status => f.write_str("a status is 200 to 599 (RFC 9110 §15)"),
            Self::Body => f.write_str("this status has no body (RFC 9110 §15)"),
            Self::Protocol => {
                f.write_str("a subprotocol is a token that was offered, once (RFC 6455 §4.2.2)")
            }
            Self::Extension => f.write_str("an extension fits the grammar and was offered (RFC 6455 §9.1)"),
            Self::Answered => f.write_str("the request has its answer"),
        }
    }
}

impl Error for HandshakeError {}

#[cfg(feature = "std")]
mod std_io {
    extern crate std;

    use std::io;

    use super::{HandshakeError, ProtocolError, SendError};

    /// `InvalidData`: so that a driver's `?` carries the rule to whoever logs it.
    impl From<ProtocolError> for io::Error {
        fn from(error: ProtocolError) -> Self {
            Self::new(io::ErrorKind::InvalidData, error)
        }
    }

    /// `NotConnected` after a Close, `InvalidInput` otherwise.
    impl From<SendError> for io::Error {
        fn from(error: SendError) -> Self {
            let kind = match error {
                SendError::Closed => io::ErrorKind::NotConnected,
                _ => io::ErrorKind::InvalidInput,
            };
            Self::new(kind, error)
        }
    }

    /// `InvalidInput`.
    impl From<HandshakeError> for io::Error {
        fn from(error: HandshakeError) -> Self {
            Self::new(io::ErrorKind::InvalidInput, error)
        }
    }
}
