//! A WebSocket over whatever has `embedded-io` or `embedded-io-async`: firmware's driver, with all memory from the
//! caller.
//!
//! [`asynchronous::Socket`] and [`blocking::Socket`] are the same thing twice. What is to be done next (write, flush,
//! end the stream, read, or nothing more) is said by `task.rs`, which waits for nothing; the twins do it and wait. So
//! both read, answer, count time and end alike.
//!
//! - [`Inbox`] is where bytes and messages come in. What [`receive`](asynchronous::Socket::receive) gives lies there
//!   and not in the socket, so that a message can be answered while it is looked at.
//! - [`Parts`] are what a socket is made of: transport, system, memory to write from, limits and times.
//! - `System` is what of the world a socket needs beside its transport: the time, a way to wait for it, and the end of
//!   this side's stream, for which `embedded-io` has no name.
//!
//! Pings are answered and sent, deadlines are kept, and both closing handshakes are done by whatever is called next:
//! somebody has to be in `receive` or `close`, as with every socket.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod asynchronous;
pub mod blocking;
mod error;
mod goals;
mod inbox;
mod link;
mod machine;
mod task;

pub use self::{
    error::Error,
    inbox::{Inbox, Received},
    link::{Out, Parts},
};
