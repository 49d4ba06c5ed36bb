//! Compressed messages to their bytes (RFC 7692 §7.2.2).

use core::borrow::BorrowMut;

use super::{
    engine::Engine,
    window::{InflateState, Window},
};
use crate::{
    bytes::{self, Output},
    connection::endpoint::Fails,
    event::{Data, Event, Part},
    frame::header::Rsv,
    message::Open,
    negotiate::deflate::DeflateSide,
    rule::Rule,
};

/// Inflates what the peer compressed, message by message, in the order in which they came.
///
/// It belongs to one connection, since a peer's distances reach back into earlier messages. Text is checked, and a
/// message is bounded before it is made: the limit is in bytes as they are inflated, beside
/// [`Config::message_limit`](crate::Config) for what is on the wire (W154).
///
/// Whole messages are made by [`Assembler::inflate`](crate::Assembler::inflate). Pieces, through a place of any size:
///
/// ```
/// use websocket_proto::{Agreed, Client, Config, Connection, DeflateTerms, Event, Inflate, Input};
///
/// let terms = DeflateTerms::default();
/// let agreed = Agreed::default().with_deflate(terms);
/// let mut conn = Connection::new(Client(|| [1, 2, 3, 4]), &Config::default(), agreed);
/// // A client inflates what the server compresses: here in the caller's memory, for messages of at most 1 MiB.
/// let mut inflate = Inflate::in_memory(terms.server, 1 << 20, vec![0; 1 << 15]).unwrap();
///
/// let mut place = [0; 3];
/// let mut out = Vec::new();
/// let mut text = Vec::new();
/// // RFC 7692 §7.2.3.1: "Hello" in one block.
/// let mut read = *b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
/// let mut input = Input::new(&mut read);
/// while let Some(event) = conn.receive(&mut input, &mut out) {
///     if let Event::Data(data) = event {
///         let mut piece = inflate.begin(data);
///         while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
///             match event {
///                 Event::Data(data) => text.extend_from_slice(data.payload()),
///                 Event::Failed(error) => panic!("{error}"),
///                 _ => {}
///             }
///         }
///     }
/// }
/// assert_eq!(text, b"Hello");
/// ```
#[derive(Clone, Debug)]
pub struct Inflate<E> {
    engine: E,
    takeover: bool,
    limit: u64,
    /// Bytes made of the message under way.
    len: u64,
    /// Its text so far; `None` between messages.
    open: Open,
    stage: Stage,
    /// A piece of the message was delivered.
    delivered: bool,
    /// The stream is at the end of a final block: the next byte begins another one.
    ended: bool,
    /// Something of the last piece is still to be inflated.
    pending: bool,
}

/// How far the message under way has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Between,
    /// It began, and has no byte yet: "zero bytes in all" read as empty (W130).
    Empty,
    Open,
    /// A fault was found, or bytes were lost between `begin` and the last `next`.
    Failed,
}

/// A piece of a compressed message on its way through [`Inflate::next`]: call that until it gives `None`.
#[derive(Debug)]
#[must_use = "bytes that are not inflated are lost, and every later message with them"]
pub struct Inflating<'b> {
    rest: &'b [u8],
    part: Part,
    /// What is told next: what came before it was delivered.
    fault: Option<Rule>,
    /// Nothing more comes of it.
    done: bool,
}

#[cfg(feature = "alloc")]
impl Inflate<super::heap::Heap> {
    /// For what `side` compresses: a server inflates what the client sent, and a client the server's. `limit`: the
    /// longest message, in bytes as they are inflated.
    ///
    /// Nothing is allocated before the first compressed message. With the feature `zlib` and the whole window it is
    /// `zlib-rs` that inflates, `miniz_oxide` otherwise, and from the first final block on that something follows.
    pub fn new(side: DeflateSide, limit: u64) -> Self {
        Self::with(super::heap::Heap::new(side), side, limit)
    }

    /// The most memory that a connection takes for inflating what `side` compresses, in bytes: readable before anything
    /// is agreed on. Without takeover it is only needed inside of messages, where [`release`](Self::release) is called.
    pub const fn memory(side: DeflateSide) -> usize {
        super::heap::Heap::memory(side)
    }

    /// Gives memory back that can be made anew when the next message comes: worth it where connections idle. What is
    /// kept is what distances may reach: nothing without takeover, and up to 32 KiB with it. Does nothing inside a
    /// message.
    pub fn release(&mut self) {
        if self.stage != Stage::Between {
            return;
        }
        if self.takeover {
            self.engine.release();
        } else {
            self.engine.clear();
        }
    }
}

impl<W: AsRef<[u8]> + AsMut<[u8]>> Inflate<Window<W>> {
    /// The same in memory of the caller's: `memory` is the window, of 2^`window_bits` bytes at least, and the rest, about
    /// 11 KiB, is in this value. `None`: it is too small.
    ///
    /// Where that is too much to be moved over the stack, see [`with_state`](Self::with_state).
    pub fn in_memory(side: DeflateSide, limit: u64, memory: W) -> Option<Self> {
        Self::with_state(side, limit, InflateState::new(), memory)
    }
}

impl<W: AsRef<[u8]> + AsMut<[u8]>, S: BorrowMut<InflateState>> Inflate<Window<W, S>> {
    /// [`in_memory`](Inflate::in_memory) with a state that lies elsewhere, so that this value is small: `&mut InflateState`,
    /// or a box. Whatever connection the state has served before, nothing of that is left.
    ///
    /// ```
    /// use websocket_proto::{DeflateSide, Inflate, InflateState};
    ///
    /// let mut state = InflateState::new(); // on a chip in a static, made at the start, where the stack is empty
    /// let side = DeflateSide { window_bits: 9, takeover: true };
    /// for _connection in 0..2 {
    ///     let inflate = Inflate::with_state(side, 1 << 20, &mut state, [0; 512]).expect("that is 2^9 bytes");
    ///     assert!(size_of_val(&inflate) < 700);
    /// }
    /// ```
    pub fn with_state(side: DeflateSide, limit: u64, state: S, memory: W) -> Option<Self> {
        Window::new(side.bits(), state, memory).map(|window| Self::with(window, side, limit))
    }
}

impl<E: Engine> Inflate<E> {
    fn with(engine: E, side: DeflateSide, limit: u64) -> Self {
        Self {
            engine,
            takeover: side.takeover,
            limit,
            len: 0,
            open: Open::None,
            stage: Stage::Between,
            delivered: false,
            ended: false,
            pending: false,
        }
    }

    /// Takes a piece as the connection delivered it. One that is not compressed passes through `next` as well, by way
    /// of a copy, and leaves the window as it was (W136), as control frames do, which are no pieces (W137).
    pub fn begin<'b>(&mut self, data: Data<'b>) -> Inflating<'b> {
        let part = data.part();
        let rest = data.into_payload();
        if part.compressed {
            // Distances of what follows would reach for bytes that were never made.
            let lost = self.pending || (part.first && self.stage != Stage::Between);
            if lost {
                self.stage = Stage::Failed;
            } else if part.first {
                self.stage = Stage::Empty;
                self.open = Open::new(part.kind);
                self.len = 0;
                self.delivered = false;
            }
            self.pending = part.last || !rest.is_empty();
        }
        Inflating { rest, part, fault: None, done: false }
    }

    /// The next event of a piece: [`Event::Data`] with bytes at the front of `place`, or [`Event::Failed`], with the
    /// answer to the peer in `out` or waiting, as in [`Connection::receive`](crate::Connection::receive). `None`: read on.
    ///
    /// Every event fills the place, or ends the message or the piece, or comes before a fault. An empty place gives `None` and takes nothing.
    pub fn next<'o>(
        &mut self,
        piece: &mut Inflating<'_>,
        place: &'o mut [u8],
        conn: &mut impl Fails,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'o>> {
        if !piece.part.compressed {
            return self::copy(piece, place).map(Event::Data);
        }
        match self.step(piece, place, u64::MAX) {
            Ok(made) => {
                let Made { len, part } = made?;
                Some(Event::Data(Data::new(place.get_mut(..len)?, part)))
            }
            Err(rule) => Some(conn.fail(rule, out)),
        }
    }

    /// Inflates to the front of `place`. The message may grow by `room` bytes and up to the limit.
    pub(crate) fn step(
        &mut self,
        piece: &mut Inflating<'_>,
        place: &mut [u8],
        room: u64,
    ) -> Result<Option<Made>, Rule> {
        if piece.done || place.is_empty() {
            return Ok(None);
        }
        let made = self.try_step(piece, place, room);
        if made.is_err() {
            self.stage = Stage::Failed;
            piece.done = true;
        }
        made
    }

    fn try_step(
        &mut self,
        piece: &mut Inflating<'_>,
        place: &mut [u8],
        room: u64,
    ) -> Result<Option<Made>, Rule> {
        if let Some(rule) = piece.fault {
            return Err(rule);
        }
        let allowed = self.limit.saturating_sub(self.len).min(room);
        let mut len = 0_usize;
        // What the engine, which may have to go on with it after a final block, remembers of `place`.
        let mut remembered = 0_usize;
        let mut fault = None;
        // Until the place is full or the piece used up, wherever blocks and frames begin and end (W133, W143).
        let drained = loop {
            match self.stage {
                Stage::Between | Stage::Failed => return Err(Rule::InternalError),
                Stage::Empty if piece.rest.is_empty() => break true,
                Stage::Empty | Stage::Open => {}
            }
            if self.ended {
                if piece.rest.is_empty() {
                    break true;
                }
                // "bytes behind a final block" are further blocks (§7.2.3.4, W131, W132).
                self.engine.remember(place.get(remembered..len).unwrap_or_default());
                remembered = len;
                self.engine.restart();
                self.ended = false;
            }
            self.stage = Stage::Open;
            let left = allowed.saturating_sub(len as u64);
            let rest = place.get_mut(len..).unwrap_or_default();
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let full = most == rest.len();
            // At the limit the place is one byte of no one's: what comes there is too much (W141, W142).
            let mut beyond = [0];
            let place = if left == 0 { &mut beyond[..] } else { rest.get_mut(..most).unwrap_or_default() };
            if place.is_empty() {
                break false;
            }
            let inflated = self.engine.inflate(piece.rest, place)?;
            piece.rest = piece.rest.get(inflated.taken..).unwrap_or_default();
            if left == 0 && inflated.made != 0 {
                fault = Some(Rule::MessageTooLong);
                break false;
            }
            let drained = inflated.made < place.len();
            len = len.saturating_add(inflated.made);
            self.ended = inflated.ended;
            if inflated.corrupt {
                fault = Some(Rule::CorruptCompression);
                break false;
            }
            if !self.ended && drained {
                break true;
            }
            if !self.ended && full && left != 0 {
                break false;
            }
        };
        let last = drained && piece.part.last;
        if last && !self.ended && self.stage == Stage::Open {
            // The empty block that the tail belongs to may be a final one: the sender's last octet has its header, and
            // §7.2.1 says nothing of BFINAL there.
            match self.engine.end() {
                Ok(ended) => self.ended = ended,
                Err(rule) => fault = Some(rule),
            }
        }
        let made = place.get(..len).unwrap_or_default();
        // W51
        if let Err((rule, at)) = self.open.push(made, last && fault.is_none()) {
            fault = Some(rule);
            len = at;
        }
        // What comes before a fault is delivered, and the fault that comes first is told: neither depends on where the
        // stream was cut, on the place or on the engine.
        let last = last && fault.is_none();
        if let Some(rule) = fault {
            self.stage = Stage::Failed;
            if len == 0 {
                return Err(rule);
            }
            piece.fault = fault;
        }
        let made = place.get(..len).unwrap_or_default();
        if self.takeover || !last {
            self.engine.remember(made.get(remembered..).unwrap_or_default());
        }
        self.len = self.len.saturating_add(len as u64);
        piece.done = drained && fault.is_none();
        self.pending = !piece.done;
        let first = !self.delivered;
        let part = Part {
            kind: piece.part.kind,
            first,
            last,
            starts_frame: true,
            ends_frame: true,
            fin: last,
            rsv: Rsv::NONE,
            compressed: false,
            frame_len: len as u64,
        };
        if last {
            self.end_message();
        } else if len == 0 {
            return Ok(None);
        }
        self.delivered = !last;
        Ok(Some(Made { len, part }))
    }

    fn end_message(&mut self) {
        self.stage = Stage::Between;
        self.open = Open::None;
        self.len = 0;
        if !self.takeover {
            self.engine.forget(); // W135
            self.ended = false;
        }
    }
}

/// What a step made: `len` bytes at the front of the place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) len: usize,
    pub(crate) part: Part,
}

/// A piece that is not compressed, as much as the place holds.
fn copy<'o>(piece: &mut Inflating<'_>, place: &'o mut [u8]) -> Option<Data<'o>> {
    if piece.done || place.is_empty() {
        return None;
    }
    let n = piece.rest.len().min(place.len());
    let (now, later) = piece.rest.split_at_checked(n)?;
    let to = place.get_mut(..n)?;
    bytes::copy(to, now);
    piece.rest = later;
    piece.done = later.is_empty();
    let part = Part {
        last: piece.part.last && piece.done,
        ends_frame: piece.part.ends_frame && piece.done,
        ..piece.part
    };
    piece.part.first = false;
    piece.part.starts_frame = false;
    Some(Data::new(to, part))
}
