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

mod assemble;
mod bytes;
mod close;
mod config;
mod connection;
mod error;
mod event;
mod frame;
mod handshake;
mod http;
mod keepalive;
mod mask;
mod message;
mod negotiate;
mod opcode;
mod reconnect;
mod role;
mod rule;
mod session;
mod state;
mod utf8;

pub use crate::{
    assemble::{Assembler, Buffer, Message},
    bytes::{Body, Input, MIN_OUTPUT, Output, SliceOutput},
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
    handshake::{client, server},
    http::{
        head::Headers,
        uri::{Uri, UriOptions, UriPart},
        uri_error::{UriError, UriFault},
    },
    keepalive::{Due, Keepalive, Rate, Timeout, Timing},
    mask::{MaskKey, mask},
    negotiate::{
        agreed::Agreed,
        extension::{Extension, Extensions, Param, Params, Value},
        extension_grammar::ExtensionError,
        origin::{Origin, OriginPolicy},
    },
    opcode::{Control, Kind, Opcode},
    reconnect::reconnect_delay,
    role::{Client, ClientSide, MaskSource, Role, Server, ServerSide, Side},
    rule::Rule,
    session::{Opens, Session},
    state::{Cause, Closer, Closure, Transport},
};

#[cfg(feature = "alloc")]
pub use crate::bytes::QueueOutput;
