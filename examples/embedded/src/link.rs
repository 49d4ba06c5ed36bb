//! What a driver keeps beside the machine: what is to be written, the timers, and how far the stream's ends are.

use core::time::Duration;

use websocket_proto::{Config, Keepalive, MIN_OUTPUT, SliceOutput, Timing};

use crate::error::Fault;

/// Where bytes wait to be written, in memory of the caller's.
pub type Out<'m> = SliceOutput<&'m mut [u8]>;

/// What a socket is made of.
pub struct Parts<'m, T, S> {
    /// What bytes are read from and written to. `&mut T` does if `T` does.
    pub transport: T,
    /// The twin's `System`.
    pub system: S,
    /// Where bytes wait to be written: [`MIN_OUTPUT`] at least, the head of the request or answer, and the longest
    /// frame that is sent in one piece.
    pub out: &'m mut [u8],
    /// Limits.
    pub config: Config,
    /// Times.
    pub timing: Timing,
}

impl<'m, T, S> Parts<'m, T, S> {
    /// These, with default limits and times.
    pub fn new(transport: T, system: S, out: &'m mut [u8]) -> Self {
        Self { transport, system, out, config: Config::default(), timing: Timing::default() }
    }
}

/// What both twins keep.
pub(crate) struct Link<'m> {
    pub(crate) out: Out<'m>,
    pub(crate) timers: Keepalive,
    /// Something was written since the last flush.
    pub(crate) unflushed: bool,
    /// This side of the stream was ended.
    pub(crate) shut: bool,
    /// The peer's side ended.
    pub(crate) ended: bool,
}

impl<'m> Link<'m> {
    pub(crate) fn new(memory: &'m mut [u8], timing: Timing, now: Duration) -> Result<Self, Fault> {
        if memory.len() < MIN_OUTPUT {
            return Err(Fault::Memory);
        }
        let (out, timers) = (Out::new(memory), Keepalive::new(now, timing));
        Ok(Self { out, timers, unflushed: false, shut: false, ended: false })
    }
}
