//! The table of peers. A new one is a file that implements [`Peer`] and a line here.

mod fastwebsockets;
mod floor;
mod sockudo;
mod tokio_websockets;
mod tungstenite;
mod us;

use crate::peer::Peer;

/// Everything is compared with this one, which has to come first.
pub const ALL: &[&dyn Peer] = &[
    &us::Us,
    &floor::Floor,
    &tungstenite::Tungstenite,
    &tokio_websockets::TokioWebsockets,
    &fastwebsockets::FastWebsockets,
    &sockudo::Sockudo,
];
