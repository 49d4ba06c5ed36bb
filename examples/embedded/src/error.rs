//! What may go wrong, in one type: the transport's errors as they are, and what the protocol says.

use core::{convert::Infallible, fmt};

use websocket_proto::{Cause, Closure, HandshakeError, ProtocolError, SendError, Timeout};

/// Why a call failed. After all but [`Send`](Self::Send) and [`Transport`](Self::Transport) there is nothing left to do
/// with the transport but to drop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<E> {
    /// The transport's own.
    Transport(E),
    /// The transport takes no more bytes.
    WriteZero,
    /// The peer broke a rule. It was told, and the stream was ended.
    Protocol(ProtocolError),
    /// The stream ended, and not as it should.
    Ended(Cause),
    /// A time has run out: see `Timing`.
    Timeout(Timeout),
    /// The frame cannot be sent. The connection is as it was.
    Send(SendError),
    /// The request, or the answer to it, cannot be written.
    Handshake(HandshakeError),
    /// The request was dropped without an answer.
    Unanswered,
    /// There is no memory to read to, or less than [`MIN_OUTPUT`](websocket_proto::MIN_OUTPUT) bytes to write from.
    Memory,
}

/// What the protocol says, where no transport is.
pub(crate) type Fault = Error<Infallible>;

impl Fault {
    pub(crate) fn lift<E>(self) -> Error<E> {
        match self {
            Self::WriteZero => Error::WriteZero,
            Self::Protocol(error) => Error::Protocol(error),
            Self::Ended(cause) => Error::Ended(cause),
            Self::Timeout(timeout) => Error::Timeout(timeout),
            Self::Send(error) => Error::Send(error),
            Self::Handshake(error) => Error::Handshake(error),
            Self::Unanswered => Error::Unanswered,
            Self::Memory => Error::Memory,
        }
    }

    /// What is wrong with the way in which a connection ended, if something is.
    pub(crate) const fn of(closure: Closure) -> Option<Self> {
        match closure.cause {
            None => None,
            Some(Cause::Violation(error)) => Some(Self::Protocol(error)),
            Some(cause) => Some(Self::Ended(cause)),
        }
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => write!(f, "the transport failed: {error:?}"),
            Self::WriteZero => f.write_str("the transport takes no more bytes"),
            Self::Protocol(error) => write!(f, "the peer broke a rule: {error}"),
            Self::Ended(cause) => write!(f, "{cause}"),
            Self::Timeout(timeout) => write!(f, "the peer is too slow: {timeout:?}"),
            Self::Send(error) => write!(f, "{error}"),
            Self::Handshake(error) => write!(f, "{error}"),
            Self::Unanswered => f.write_str("the request was dropped without an answer"),
            Self::Memory => f.write_str("the memory to read to, or to write from, is too small"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}
