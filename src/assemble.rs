//! Whole messages, in memory of the caller's. A message that comes in one piece passes through without a copy.

#[cfg(feature = "deflate")]
use crate::deflate::{engine::Engine, inflate::Inflate};
use crate::{
    bytes::{Input, Output, copy_at},
    connection::Connection,
    error::ProtocolError,
    event::{Data, Event, Outgoing, Part},
    opcode::Kind,
    role::Role,
    rule::Rule,
};

/// Puts pieces together to whole messages.
///
/// `B` is where they are put: `[u8; N]`, `&mut [u8]`, `Box<[u8]>` and `heapless::Vec<u8, N>` bound the message by
/// their size; `Vec<u8>` grows with what has come, never by a declared length, and is bounded by
/// [`Config::message_limit`](crate::Config).
///
/// ```
/// use websocket_proto::{Agreed, Assembler, Client, Config, Connection, Event, Input, Kind};
///
/// let mut conn = Connection::new(Client(|| [1, 2, 3, 4]), &Config::default(), Agreed::default());
/// let mut whole = Assembler::new([0; 1024]);
/// let mut out = Vec::new();
///
/// // RFC 6455 §5.7: a fragmented unmasked text message.
/// let mut read = *b"\x01\x03Hel\x80\x02lo";
/// let mut input = Input::new(&mut read);
/// while let Some(event) = conn.receive(&mut input, &mut out) {
///     if let Event::Data(data) = event {
///         match whole.push(data) {
///             Ok(Some(message)) => assert_eq!(message.text(), Some("Hello")),
///             Ok(None) => {}
///             Err(rule) => { conn.fail(rule, &mut out); }
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Assembler<B> {
    buffer: B,
    len: usize,
}

/// A whole message.
#[derive(Debug)]
pub struct Message<'m> {
    kind: Kind,
    compressed: bool,
    payload: &'m mut [u8],
}

impl<'m> Message<'m> {
    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its bytes.
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }

    /// Its bytes, for as long as the assembler and the buffer are borrowed.
    pub const fn into_payload(self) -> &'m mut [u8] {
        self.payload
    }

    /// Its text, if it is one.
    pub const fn text(&self) -> Option<&str> {
        match (self.kind, core::str::from_utf8(self.payload)) {
            (Kind::Text, Ok(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it is compressed (RSV1): its payload is not a message yet.
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The message as a frame to send.
    pub const fn echo(&self) -> Outgoing<'_> {
        Outgoing::received(self.kind, self.compressed, self.payload)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Message<'_> {
    /// Without the payload.
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Message {{ kind: {}, len: {=usize} }}", self.kind, self.payload.len());
    }
}

impl<B: Buffer> Assembler<B> {
    /// An empty assembler.
    pub const fn new(buffer: B) -> Self {
        Self { buffer, len: 0 }
    }

    /// Adds a piece. `Ok(Some(message))`: it was the last one. A message in one piece is not copied, but bounded by the
    /// memory all the same, so that what is too long does not depend on where the stream was cut.
    ///
    /// # Errors
    /// [`Rule::MessageTooLong`] if the message does not fit: hand it to [`Connection::fail`].
    pub fn push<'m>(&'m mut self, data: Data<'m>) -> Result<Option<Message<'m>>, Rule> {
        let part = data.part();
        if part.first {
            self.len = 0;
            if part.last {
                // The memory is the limit wherever the stream was cut.
                return match self.buffer.room(0) < data.payload().len() {
                    true => Err(Rule::MessageTooLong),
                    false => Ok(Some(message(part, data.into_payload()))),
                };
            }
        }
        if !self.buffer.append(self.len, data.payload()) {
            return Err(Rule::MessageTooLong);
        }
        self.len = self.len.saturating_add(data.payload().len());
        Ok(if part.last { Some(self.finish(part)) } else { None })
    }

    /// Adds a piece, which `inflate` inflates if it is compressed: for connections that agreed on permessage-deflate.
    /// The memory bounds the message beside `inflate`'s own limit.
    ///
    /// # Errors
    /// As [`push`](Self::push), and the rule that inflating found broken: hand it to
    /// [`Connection::fail`].
    #[cfg(feature = "deflate")]
    pub fn inflate<'m, E: Engine>(
        &'m mut self,
        data: Data<'m>,
        inflate: &mut Inflate<E>,
    ) -> Result<Option<Message<'m>>, Rule> {
        let part = data.part();
        if !part.compressed {
            return self.push(data);
        }
        if part.first {
            self.len = 0;
        }
        let mut piece = inflate.begin(data);
        loop {
            let room = self.buffer.room(self.len);
            // What is there already, or as much again as was made, so that few steps make a long message.
            let want = self.buffer.ready(self.len).max(self.len).max(LEAST).min(room);
            // Without room one byte of no one's shows whether there is more.
            let mut beyond = [0];
            let place = match want {
                0 => &mut beyond[..],
                _ => self.buffer.place(self.len, want as u64),
            };
            let Some(made) = inflate.step(&mut piece, place, room as u64)? else {
                return Ok(None);
            };
            self.len = self.len.saturating_add(made.len);
            if made.part.last {
                return Ok(Some(self.finish(Part { compressed: false, ..part })));
            }
        }
    }

    /// Where the rest of the data frame under way will stay: read straight to its front, and tell
    /// [`placed`](Self::placed). Empty between frames, inside a control frame, and where the frame does not fit.
    ///
    /// Only what came before was [`push`](Self::push)ed or `placed` is kept.
    pub fn place<R: Role>(&mut self, conn: &Connection<R>) -> &mut [u8] {
        match conn.data_remaining() {
            0 => &mut [],
            remaining => self.buffer.place(self.len, remaining),
        }
    }

    /// `n` bytes were read to the front of [`place`](Self::place): receives them. At most one message comes of it.
    ///
    /// # Errors
    /// The rule that the peer broke; the Close is in `out` or waits, as with [`Event::Failed`].
    pub fn placed<R: Role>(
        &mut self,
        n: usize,
        conn: &mut Connection<R>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Option<Message<'_>>, ProtocolError> {
        let most = usize::try_from(conn.data_remaining()).unwrap_or(usize::MAX);
        let end = self.len.saturating_add(n.min(most));
        let mut input = Input::new(self.buffer.filled(end).get_mut(self.len..).unwrap_or_default());
        let mut last = None;
        while let Some(event) = conn.receive(&mut input, out) {
            match event {
                Event::Data(data) => {
                    self.len = self.len.saturating_add(data.payload().len());
                    last = data.part().last.then(|| data.part());
                }
                Event::Failed(error) => return Err(error),
                _ => {}
            }
        }
        Ok(last.map(|part| self.finish(part)))
    }

    fn finish(&mut self, part: Part) -> Message<'_> {
        let len = core::mem::take(&mut self.len);
        message(part, self.buffer.filled(len))
    }
}

#[cfg(feature = "alloc")]
impl Assembler<alloc::vec::Vec<u8>> {
    /// Gives the memory back, if nothing of a message is in it: worth it for a connection that idles.
    pub fn release(&mut self) {
        if self.len == 0 {
            self.buffer = alloc::vec::Vec::new();
        }
    }
}

fn message(part: Part, payload: &mut [u8]) -> Message<'_> {
    Message { kind: part.kind, compressed: part.compressed, payload }
}

/// Memory for an [`Assembler`].
pub trait Buffer: sealed::Sealed {
    /// How many bytes fit behind the first `len`.
    #[doc(hidden)]
    fn room(&self, len: usize) -> usize;

    /// How many bytes behind the first `len` can be written to without growing.
    #[doc(hidden)]
    fn ready(&self, len: usize) -> usize;

    /// Puts `bytes` behind the first `len`. False, and nothing is put, if they do not fit.
    #[doc(hidden)]
    fn append(&mut self, len: usize, bytes: &[u8]) -> bool;

    /// The place behind the first `len` bytes for up to `remaining` more; empty if that many will not fit.
    #[doc(hidden)]
    fn place(&mut self, len: usize, remaining: u64) -> &mut [u8];

    /// The first `len` bytes.
    #[doc(hidden)]
    fn filled(&mut self, len: usize) -> &mut [u8];
}

mod sealed {
    pub trait Sealed {}
}

/// Memory of a fixed size.
fn place_in_slice(memory: &mut [u8], len: usize, remaining: u64) -> &mut [u8] {
    let most = usize::try_from(remaining).unwrap_or(usize::MAX);
    memory.get_mut(len..).and_then(|rest| rest.get_mut(..most)).unwrap_or_default()
}

macro_rules! fixed {
    ($([$($parameters:tt)*] $type:ty),*) => { $(
        impl<$($parameters)*> sealed::Sealed for $type {}

        impl<$($parameters)*> Buffer for $type {
            fn room(&self, len: usize) -> usize {
                self.len().saturating_sub(len)
            }

            fn ready(&self, len: usize) -> usize {
                self.room(len)
            }

            fn append(&mut self, len: usize, bytes: &[u8]) -> bool {
                copy_at(self, len, bytes)
            }

            fn place(&mut self, len: usize, remaining: u64) -> &mut [u8] {
                place_in_slice(self, len, remaining)
            }

            fn filled(&mut self, len: usize) -> &mut [u8] {
                self.get_mut(..len).unwrap_or_default()
            }
        }
    )* };
}

fixed!([const N: usize] [u8; N], [] &mut [u8]);
#[cfg(feature = "alloc")]
fixed!([] alloc::boxed::Box<[u8]>);

/// The least that a message is inflated to at a time.
#[cfg(feature = "deflate")]
const LEAST: usize = 1024;

/// A `Vec` hands out a place of no more than this at a time, so that nothing is reserved by a declared length.
#[cfg(feature = "alloc")]
const STEP: usize = 64 * 1024;

#[cfg(feature = "alloc")]
impl sealed::Sealed for alloc::vec::Vec<u8> {}

#[cfg(feature = "alloc")]
impl Buffer for alloc::vec::Vec<u8> {
    fn room(&self, len: usize) -> usize {
        usize::MAX.saturating_sub(len)
    }

    fn ready(&self, len: usize) -> usize {
        self.len().saturating_sub(len)
    }

    fn append(&mut self, len: usize, bytes: &[u8]) -> bool {
        // What is there already is kept for the messages that are inflated or read to their place.
        if !copy_at(self, len, bytes) {
            self.truncate(len);
            self.extend_from_slice(bytes);
        }
        true
    }

    fn place(&mut self, len: usize, remaining: u64) -> &mut [u8] {
        let step = usize::try_from(remaining).unwrap_or(usize::MAX).min(STEP);
        let end = len.saturating_add(step);
        // What is there already is not filled again: a read of one byte must not cost the rest of the frame.
        if self.len() < end {
            self.resize(end, 0);
        }
        self.get_mut(len..end).unwrap_or_default()
    }

    fn filled(&mut self, len: usize) -> &mut [u8] {
        self.get_mut(..len).unwrap_or_default()
    }
}

impl<const N: usize> sealed::Sealed for heapless::Vec<u8, N> {}

impl<const N: usize> Buffer for heapless::Vec<u8, N> {
    fn room(&self, len: usize) -> usize {
        N.saturating_sub(len)
    }

    fn ready(&self, len: usize) -> usize {
        self.len().saturating_sub(len)
    }

    fn append(&mut self, len: usize, bytes: &[u8]) -> bool {
        self.truncate(len);
        self.extend_from_slice(bytes).is_ok()
    }

    fn place(&mut self, len: usize, remaining: u64) -> &mut [u8] {
        let end = usize::try_from(remaining).unwrap_or(usize::MAX).saturating_add(len);
        if self.len() < end && self.resize(end, 0).is_err() {
            return &mut [];
        }
        self.get_mut(len..end).unwrap_or_default()
    }

    fn filled(&mut self, len: usize) -> &mut [u8] {
        self.get_mut(..len).unwrap_or_default()
    }
}
