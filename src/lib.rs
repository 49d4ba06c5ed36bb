//! The WebSocket protocol (RFC 6455) as a state machine: bytes and time go in, events and bytes come out.
//!
//! No sockets, no clock, no random numbers, no allocation in the core. The crate is `no_std`, has no `unsafe` but for the
//! vector instructions of masking, and is driven in the same way by firmware, event loops, async runtimes and proxies.
//!
//! # Overview
//!
//! - [`Session`] is a connection from its first byte: the opening handshake of either role, then the frames.
//! - [`Connection`] is the same without the handshake, for a bootstrap of your own, and splits into a [`Reader`] and a
//!   [`Writer`].
//! - [`Input`] is what was read. `receive` takes events out of it; an [`Event`] borrows the buffer and not the
//!   connection, so you answer inside the loop.
//! - [`Output`] is where all bytes go: whole frames, or nothing. [`SliceOutput`] is bounded memory of yours.
//! - [`Assembler`] makes whole messages of the pieces, where you want them.
//! - [`DeflatePolicy`] negotiates compression; `Inflate` and `Deflate` do it, as stages beside the connection.
//! - [`Keepalive`] does what depends on time: deadlines, pings, rates.
//! - [`mod@server`] and [`mod@client`] are the opening handshakes, to be used alone if need be.
//!
//! # The loop
//!
//! There is one, from the first byte to the last; sockets differ, the loop does not.
//!
//! ```
//! use websocket_proto::{Config, Event, Input, MIN_OUTPUT, OriginPolicy, SendError, Server, Session, SliceOutput};
//!
//! type Driver = (Session<Server, [u8; 2048]>, SliceOutput<[u8; 4096]>);
//!
//! /// Echoes what was read. What is to be written is in the output.
//! fn turn((session, out): &mut Driver, read: &mut [u8]) -> Result<(), Box<dyn core::error::Error>> {
//!     let mut input = Input::new(read);
//!     while let Some(event) = session.receive(&mut input, out) {
//!         match event {
//!             Event::Requested => {
//!                 let request = session.request().expect("it was requested");
//!                 request.accept(OriginPolicy::SameHost).write(out)?;
//!             }
//!             Event::Data(data) => match session.send(data.echo(), out) {
//!                 Ok(()) | Err(SendError::Closed) => {}
//!                 Err(error) => return Err(error.into()),
//!             },
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let mut driver = (Session::server([0; 2048], Config::default()), SliceOutput::new([0; 4096]));
//! // An echo of n bytes needs at most 3 * n + 2 * MIN_OUTPUT of room: whoever reads no more never meets `NoRoom`.
//! let most = (4096 - 2 * MIN_OUTPUT) / 3;
//!
//! let mut head = *b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
//! assert!(head.len() <= most);
//! turn(&mut driver, &mut head)?;
//! assert_eq!(driver.1.pending(), b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
//!     Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
//! driver.1.advance(usize::MAX); // all of it was written
//!
//! // A ping, then "Hello", both masked (RFC 6455 §5.7): the pong and the echo leave together.
//! let mut frames = *b"\x89\x80\x01\x02\x03\x04\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! turn(&mut driver, &mut frames)?;
//! assert_eq!(driver.1.pending(), b"\x8a\x00\x81\x05Hello");
//! driver.1.advance(usize::MAX);
//!
//! // A frame without a mask: the event tells the rule and the byte, and the Close 1002 is in the output.
//! turn(&mut driver, &mut *b"\x81\x02hi".to_vec())?;
//! assert_eq!(driver.1.pending(), b"\x88\x02\x03\xea");
//! assert_eq!(driver.0.failure().unwrap().rule.name(), "UnmaskedFrame");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Five rules
//!
//! 1. A peer's mistake is an event, the caller's mistake is an `Err`. [`Event::Failed`] comes once, with the answer to
//!    the peer under way; `?` cannot skip it.
//! 2. Reading never waits for writing. A reply without room waits in one slot: the latest pong, or a Close.
//! 3. Output is whole frames, all or nothing. A payload written elsewhere is owed and paid in order.
//! 4. Time and entropy are inputs.
//! 5. State is plain data: no pointers, no `Drop`; it can be [saved](Connection::save) and restored.
//!
//! # Features
//!
//! - `alloc`: `Vec<u8>` as an output and as an assembler's memory, `QueueOutput`, `Prepared::text`.
//! - `fast`: whole messages, masking and text in three to six times fewer instructions, and 17 KB more code in a server
//!   built for size. The events are the same.
//! - `std` (default, with `alloc` and `fast`): conversions of the errors into `std::io::Error`; masking and UTF-8 by the widest
//!   vectors of the CPU that it runs on, instead of those that every CPU of the target has.
//! - `deflate`: inflating permessage-deflate messages (RFC 7692), by `miniz_oxide`, in given or allocated memory.
//! - `zlib`: compressing them, and inflating faster, by `zlib-rs`; needs `std`.
//! - `defmt`: `defmt::Format` for errors, events, and what they contain: names and lengths, no payload, key or user
//!   info.
#![no_std]
#![deny(unsafe_code)]
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
#[cfg(feature = "deflate")]
mod deflate;
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
        endpoint::{Fails, Sends},
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
        deflate::{DeflateAnswer, DeflateOffer, DeflatePolicy, DeflateSide, DeflateTerms},
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

#[cfg(feature = "zlib")]
pub use crate::deflate::compress::{Deflate, DeflateOptions, DeflateStrategy, Deflating};
#[cfg(all(feature = "deflate", feature = "alloc"))]
pub use crate::deflate::heap::Heap;
#[cfg(feature = "deflate")]
pub use crate::deflate::{
    engine::Engine,
    inflate::{Inflate, Inflating},
    window::{InflateState, Window},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../docs/design.md")]
mod design {}

#[cfg(doctest)]
#[doc = include_str!("../docs/security.md")]
mod security {}

#[cfg(all(doctest, feature = "zlib"))]
#[doc = include_str!("../docs/compression.md")]
mod compression {}
