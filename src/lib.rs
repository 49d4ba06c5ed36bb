//! websocket-proto
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod bytes;
mod close;
mod config;
mod connection;
mod error;
mod event;
mod frame;
mod mask;
mod message;
mod negotiate;
mod opcode;
mod role;
mod rule;
mod state;
mod utf8;

pub use crate::{
    bytes::*,
    close::{CloseCode, CloseFrame},
    config::{Config, HeadLimits, Lenient},
    connection::{
        Connection,
        reader::Reader,
        save::{RestoreError, SAVED},
        writer::Writer,
    },
    error::{HandshakeError, ProtocolError, SendError},
    event::{Data, Event, Outgoing, Part, Reply},
    frame::{
        header::{EncodedHeader, FrameHeader, Rsv},
        prepared::Prepared,
    },
    mask::{MaskKey, mask},
    negotiate::agreed::Agreed,
    opcode::{Control, Kind, Opcode},
    role::{Client, ClientSide, MaskSource, Role, Server, ServerSide, Side},
    rule::Rule,
    state::{Cause, Closer, Closure, Transport},
};
