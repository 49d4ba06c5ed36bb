//! The closing handshake (RFC 6455 §7): every transition, in one table, and nowhere else.
//!
//! ```text
//!                     close()                          their Close
//!          ┌────────────────────────▶ Closing ────────────────────────▶ Acknowledged
//!          │                             │
//!   Open ──┤  their Close, answered      │ failure (no second Close)
//!          ├────────────────────────▶ Answered
//!          │                             ▼
//!          └────────────────────────▶ Failed
//!             failure, our Close
//! ```
//!
//! The end of the stream is no transition: it may come in every state, and is told by [`State::transport`].

use core::fmt;

use crate::{close::CloseCode, error::ProtocolError};

/// How far the closing handshake has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    #[default]
    Open,
    /// Our Close went first and theirs is awaited.
    Closing,
    /// Theirs came first and ours is the answer.
    Answered,
    /// Ours went first and theirs is the answer.
    Acknowledged,
    /// The peer broke a rule: _Fail the WebSocket Connection_ (§7.1.7).
    Failed,
}

/// What happens to the closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The caller closes.
    Close,
    /// The peer's Close came.
    PeerClose,
    /// The peer broke a rule.
    Failure,
}

/// What a step asks of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    /// A Close goes out.
    Send,
    /// If our Close still waits for room, this one goes in its place; otherwise nothing (W155).
    Replace,
}

impl State {
    const ALL: [Self; 5] = [Self::Open, Self::Closing, Self::Answered, Self::Acknowledged, Self::Failed];

    /// The table.
    pub(crate) const fn next(self, step: Step) -> (Self, Effect) {
        match (self, step) {
            (Self::Open, Step::Close) => (Self::Closing, Effect::Send),
            // "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST
            // send a Close frame in response" (§5.5.1).
            (Self::Open, Step::PeerClose) => (Self::Answered, Effect::Send),
            (Self::Open, Step::Failure) => (Self::Failed, Effect::Send),
            (Self::Closing, Step::Close) => (Self::Closing, Effect::Nothing), // W78
            // Both at once: each takes the other's for the answer (W67).
            (Self::Closing, Step::PeerClose) => (Self::Acknowledged, Effect::Nothing),
            (Self::Closing, Step::Failure) => (Self::Failed, Effect::Replace), // W155
            // Only the first Close counts (W65), and what follows it is thrown away (W66).
            (Self::Answered | Self::Acknowledged, _) => (self, Effect::Nothing),
            // "An endpoint MUST NOT continue to attempt to process data (including a responding Close frame) from
            // the remote endpoint after being instructed to _Fail the WebSocket Connection_" (§7.1.7, W68, W152).
            (Self::Failed, _) => (Self::Failed, Effect::Nothing),
        }
    }

    /// "The application MUST NOT send any more data frames after sending a Close frame" (§5.5.1, W74).
    #[inline]
    pub(crate) const fn may_send(self) -> bool {
        matches!(self, Self::Open)
    }

    /// A ping is answered "unless it already received a Close frame" (§5.5.2), so after our own Close too (W30).
    pub(crate) const fn may_pong(self) -> bool {
        matches!(self, Self::Open | Self::Closing)
    }

    /// What to do with the transport. `waiting`: our Close, or a debt before it, is not in the output yet.
    pub(crate) const fn transport(self, server: bool, waiting: bool, ended: bool) -> Transport {
        match self {
            Self::Open | Self::Closing if ended => Transport::Drop,
            Self::Open | Self::Closing => Transport::Keep,
            _ if waiting => Transport::Keep, // W70
            _ if ended => Transport::Drop,
            // "the underlying TCP connection, in most normal cases, SHOULD be closed first by the server" (§7.1.1,
            // W69).
            Self::Answered | Self::Acknowledged if server => Transport::Shut,
            Self::Answered | Self::Acknowledged => Transport::AwaitEnd,
            // Whoever fails the connection closes it (§7.1.7), but not with a reset that destroys the Close (W156).
            Self::Failed => Transport::Shut,
        }
    }

    /// Whose Close went first.
    pub(crate) const fn first(self) -> Option<Closer> {
        match self {
            Self::Open => None,
            Self::Answered => Some(Closer::Peer),
            Self::Closing | Self::Acknowledged | Self::Failed => Some(Closer::Local),
        }
    }

    /// Whether both Closes were exchanged.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(self, Self::Answered | Self::Acknowledged)
    }

    /// The state as a number, for a saved state.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The state that a number stands for.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What to do with the transport, once everything in the output was written to it.
///
/// Whatever it says, a [`Keepalive`](crate::Keepalive) names the time after which to drop it (RFC 6455 §7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Transport {
    /// Go on: read and write.
    Keep,
    /// Shut down the write side (TCP: send FIN), then read and throw away until the peer ends the stream, so that
    /// no reset destroys the Close under way (RFC 6455 §7.1.1).
    Shut,
    /// Read until the peer ends the stream: a client leaves it to the server to close first.
    AwaitEnd,
    /// Close it: the peer has ended the stream, or there is nothing to wait for.
    Drop,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Closer {
    /// This one.
    Local,
    /// The other one.
    Peer,
}

/// Why a connection ended as it did, where the Closes do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause {
    /// The peer broke a rule.
    Violation(ProtocolError),
    /// The stream ended inside the opening handshake.
    EndInHandshake,
    /// The opening handshake ended with another answer than a 101, given or received.
    Refused,
    /// The stream ended inside a frame.
    EndInFrame,
    /// The stream ended between two fragments of a message.
    EndInMessage,
    /// The stream ended without a Close from the peer.
    EndWithoutClose,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(error) => fmt::Display::fmt(error, f),
            Self::EndInHandshake => f.write_str("W165: the stream ended inside the opening handshake"),
            Self::Refused => f.write_str("W112: the opening handshake ended with another answer than 101"),
            Self::EndInFrame => f.write_str("W71: the stream ended inside a frame"),
            Self::EndInMessage => f.write_str("W71: the stream ended between the fragments of a message"),
            Self::EndWithoutClose => f.write_str("W71: the stream ended without a Close (RFC 6455 §7.1.5)"),
        }
    }
}

/// How a connection ended, or how far it has come in ending (RFC 6455 §7.1.4 to §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Closure {
    /// The code of our Close, 1005 if it had none; `None` if none was sent. A Close that waits for room counts.
    pub sent: Option<CloseCode>,
    /// The code of the peer's Close, 1005 if it had none; `None` if none came.
    pub received: Option<CloseCode>,
    /// Whose Close went first.
    pub first: Option<Closer>,
    /// Both Closes were exchanged and then the stream ended: _The WebSocket Connection is Closed_ cleanly.
    pub clean: bool,
    /// What went wrong, if something did.
    pub cause: Option<Cause>,
}

impl Closure {
    /// _The WebSocket Connection Close Code_ (RFC 6455 §7.1.5), what a browser's `CloseEvent` shows: the peer's
    /// code, 1005 if its Close had none, 1006 if no Close came. After a failure, too (W80).
    pub fn code(&self) -> CloseCode {
        self.received.unwrap_or(CloseCode::ABNORMAL)
    }
}
