//! The table of peers. A new one is a file that implements [`Peer`] and a line here.

mod embedded_websocket;
mod fastwebsockets;
mod floor;
mod parts;
mod sockudo;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod us;
mod websocket_sans_io;
mod wtx;
mod yawc;

use crate::peer::Peer;

/// Everything is compared with the first.
pub const ALL: &[&dyn Peer] = &[
    &us::Us,
    &floor::Floor,
    &parts::Parts,
    &tungstenite::Tungstenite,
    &tokio_websockets::TokioWebsockets,
    &fastwebsockets::FastWebsockets,
    &sockudo::Sockudo,
    &soketto::Soketto,
    &wtx::Wtx,
    &yawc::Yawc,
    &embedded_websocket::EmbeddedWebsocket,
    &websocket_sans_io::WebsocketSansIo,
];
