//! How far a server's opening handshake has come.

use crate::{error::ProtocolError, negotiate::agreed::Agreed};

/// What became of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Reading,
    /// It awaits its answer. `upgrade`: it asks for a WebSocket. `told`: the event was put out.
    Requested {
        upgrade: bool,
        told: bool,
    },
    Accepted(Agreed),
    Responded,
    /// `refused`: the refusal was put out. `told`: so was the event.
    Failed {
        error: ProtocolError,
        refused: bool,
        told: bool,
    },
}
