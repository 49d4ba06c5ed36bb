//! Memory for what comes in: the bytes of one read, and the message that they are part of.

use core::ops::Range;

use websocket_proto::{Event, Input, Kind, Outgoing, Part};

use crate::{link::Out, machine::Machine};

/// Where bytes and messages come in, in memory of the caller's. One inbox belongs to one connection: it keeps what was
/// read and not received yet, and the beginning of a message.
pub struct Inbox<'m> {
    pub(crate) reads: Reads<'m>,
    pub(crate) whole: Whole<'m>,
}

impl<'m> Inbox<'m> {
    /// An inbox that reads to `read`, of any size, and puts messages together in `memory`, whose size bounds them:
    /// a longer one is refused with [`Rule::MessageTooLong`](websocket_proto::Rule::MessageTooLong). A message that is
    /// there in one read is not copied.
    ///
    /// During the opening handshake `memory` holds the head, so it has a few hundred bytes at least.
    pub const fn new(read: &'m mut [u8], memory: &'m mut [u8]) -> Self {
        Self { reads: Reads { bytes: read, start: 0, end: 0 }, whole: Whole { memory, len: 0 } }
    }

    /// Forgets everything, for another connection in the same memory.
    pub const fn clear(&mut self) {
        (self.reads.start, self.reads.end, self.whole.len) = (0, 0, 0);
    }

    /// What lies at `place`.
    pub(crate) fn received(&mut self, place: Place) -> Received<'_> {
        let Place { kind, first, last, ref bytes } = place;
        let payload = match bytes {
            Bytes::Read(range) => self.reads.bytes.get_mut(range.clone()),
            Bytes::Whole(len) => self.whole.memory.get_mut(..*len),
        };
        Received { kind, first, last, payload: payload.unwrap_or_default() }
    }
}

/// A message, or a piece of one, in the inbox. Text is UTF-8; in pieces a character may be cut at the end.
#[derive(Debug)]
pub struct Received<'i> {
    kind: Kind,
    first: bool,
    last: bool,
    payload: &'i mut [u8],
}

impl<'i> Received<'i> {
    /// What the message is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the message begins with this.
    pub const fn is_first(&self) -> bool {
        self.first
    }

    /// Whether the message ends with this.
    pub const fn is_last(&self) -> bool {
        self.last
    }

    /// Its bytes.
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }

    /// Its bytes, for as long as the inbox is borrowed.
    pub const fn into_payload(self) -> &'i mut [u8] {
        self.payload
    }

    /// Its text, if it is a whole one.
    pub const fn text(&self) -> Option<&str> {
        match (self.kind, core::str::from_utf8(self.payload)) {
            (Kind::Text, Ok(text)) => Some(text),
            _ => None,
        }
    }

    /// The same to send: a message as a message, a piece as a fragment.
    pub const fn echo(&self) -> Outgoing<'_> {
        match (self.first, self.last) {
            (true, true) => Outgoing::whole(self.kind, self.payload),
            (true, false) => Outgoing::first(self.kind, self.payload),
            (false, false) => Outgoing::next(self.payload),
            (false, true) => Outgoing::last(self.payload),
        }
    }
}

/// Where something received lies, to be borrowed when the loop that waited for it is over.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) first: bool,
    pub(crate) last: bool,
    pub(crate) bytes: Bytes,
}

pub(crate) enum Bytes {
    /// Where it was read to.
    Read(Range<usize>),
    /// At the front of the message's memory.
    Whole(usize),
}

/// What happened, without a borrow of where it happened.
pub(crate) enum Happened {
    Nothing,
    Data(Part, Range<usize>),
    Requested,
    Opened,
    Refused,
    /// What needs no decision: it is answered already.
    Other,
}

/// The bytes of one read.
pub(crate) struct Reads<'m> {
    bytes: &'m mut [u8],
    start: usize,
    end: usize,
}

impl Reads<'_> {
    /// Where to read to, once all that was read before is received.
    pub(crate) const fn place(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// `n` bytes were read.
    pub(crate) fn filled(&mut self, n: usize) {
        (self.start, self.end) = (0, n.min(self.bytes.len()));
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, machine: &mut impl Machine, out: &mut Out<'_>) -> Happened {
        let front = self.bytes.as_ptr().addr();
        let mut input = Input::new(self.bytes.get_mut(self.start..self.end).unwrap_or_default());
        let event = machine.receive(&mut input, out);
        self.start = self.end.saturating_sub(input.len());
        match event {
            None => Happened::Nothing,
            Some(Event::Data(data)) => {
                let at = data.payload().as_ptr().addr().saturating_sub(front);
                Happened::Data(data.part(), at..at.saturating_add(data.payload().len()))
            }
            Some(Event::Requested) => Happened::Requested,
            Some(Event::Opened) => Happened::Opened,
            Some(Event::Refused) => Happened::Refused,
            Some(_) => Happened::Other,
        }
    }
}

/// The message under way.
pub(crate) struct Whole<'m> {
    pub(crate) memory: &'m mut [u8],
    len: usize,
}

impl Whole<'_> {
    /// Adds a piece. `Ok(Some(place))`: it was the last one.
    ///
    /// # Errors
    /// The message does not fit. It is bounded by the memory in one piece, too: what is too long does not depend on
    /// where the stream was cut.
    pub(crate) fn push(
        &mut self,
        part: Part,
        range: Range<usize>,
        reads: &Reads<'_>,
    ) -> Result<Option<Place>, TooLong> {
        if part.first {
            self.len = 0;
        }
        let end = self.len.saturating_add(range.len());
        let place = self.memory.get_mut(self.len..end).ok_or(TooLong)?;
        let bytes = if part.first && part.last {
            Bytes::Read(range)
        } else {
            place.copy_from_slice(reads.bytes.get(range).ok_or(TooLong)?);
            self.len = end;
            Bytes::Whole(end)
        };
        Ok(part.last.then_some(Place { kind: part.kind, first: true, last: true, bytes }))
    }
}

/// A message is longer than its memory.
pub(crate) struct TooLong;
