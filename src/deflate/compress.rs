//! Messages to their compressed form (RFC 7692 §7.2.1), by `zlib-rs`.

use alloc::vec::Vec;
use core::ops::Range;

use zlib_rs::{Deflate as Stream, DeflateConfig, DeflateFlush, Strategy};

use super::{engine::TAIL, inflate::Inflate};
use crate::{
    bytes::Output,
    close::CloseCode,
    connection::endpoint::Sends,
    error::SendError,
    event::Outgoing,
    frame::{header::FrameHeader, prepared::Prepared},
    negotiate::deflate::{DeflatePolicy, DeflateSide},
    opcode::Kind,
};

/// How messages are compressed. None of it is visible to the peer but by the sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateOptions {
    /// 0 (stored) to 9 (smallest). Default: 6. Less costs less time.
    pub level: u8,
    /// How much memory finds earlier text: 1 to 9, each twice the one before. Default: 8.
    pub memory_level: u8,
    /// Shorter messages go out as they are, in bytes. Default: 64: what little there is to gain costs a frame of
    /// microseconds, and text of a few words grows.
    pub threshold: usize,
    /// What the data is like. Default: anything.
    pub strategy: DeflateStrategy,
}

impl DeflateOptions {
    const DEFAULT: Self =
        Self { level: 6, memory_level: 8, threshold: 64, strategy: DeflateStrategy::Default };

    const fn memory_level(&self) -> u8 {
        match self.memory_level {
            0 => 1,
            level @ 1..=9 => level,
            _ => 9,
        }
    }
}

/// zlib has no window of 8 bits; in that of 9 distances are at most 250 (W139).
const fn at_least_9(bits: u8) -> u8 {
    if bits == 8 { 9 } else { bits }
}

/// What the data is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeflateStrategy {
    /// Anything.
    #[default]
    Default,
    /// Noisy values: few repetitions, and short ones.
    Filtered,
    /// No repetitions are looked for.
    HuffmanOnly,
    /// Runs of one byte: the fastest that finds repetitions at all.
    Rle,
    /// As the default, with the tables that need not be sent: for short messages.
    Fixed,
}

impl Default for DeflateOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Compresses messages and sends them.
///
/// With takeover it belongs to one connection; without, one serves as many as share a thread. Each message is
/// compressed or not by the threshold, or by the caller, who may send any other message past it at any time.
///
/// ```
/// use websocket_proto::{Agreed, Config, Connection, Deflate, DeflateOptions, DeflateTerms, Kind, Server};
///
/// let terms = DeflateTerms::default();
/// let mut conn = Connection::new(Server, &Config::default(), Agreed::default().with_deflate(terms));
/// // A server compresses by its own side of the terms.
/// let mut deflate = Deflate::new(terms.server, DeflateOptions { threshold: 0, ..Default::default() });
///
/// let mut out = Vec::new();
/// let mut message = deflate.begin(Kind::Text, b"Hello")?;
/// while deflate.write(&mut message, &mut conn, &mut out)? {
///     // `out` is full: write it to the transport.
/// }
/// assert_eq!(out, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"); // RFC 7692 §7.2.3.1
/// # Ok::<(), websocket_proto::SendError>(())
/// ```
pub struct Deflate {
    /// None before the first message that is compressed, and after `release`.
    stream: Option<Stream>,
    side: DeflateSide,
    options: DeflateOptions,
    /// What was compressed and not sent: `scratch[ready]`.
    scratch: Vec<u8>,
    ready: Range<usize>,
    /// A message went into the stream, and its end did not.
    unfinished: bool,
    /// Which message the stream and the scratch are about.
    turn: u32,
}

/// A message on its way through [`Deflate::write`]: call that until it gives `false`.
#[derive(Debug)]
#[must_use = "nothing is sent before `write`"]
pub struct Deflating<'p> {
    kind: Kind,
    rest: &'p [u8],
    compressed: bool,
    turn: u32,
    /// A fragment went out.
    begun: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Compressing,
    /// All of it is in `ready`, its tail cut off.
    Flushed,
    Sent,
}

/// What is compressed at a time. A fragment is no longer.
const CHUNK: usize = 16 * 1024;

/// The least that a chunk is made for: the tail, and something before it.
const LEAST: usize = 64;

impl Deflate {
    /// Compresses as `side` may: a server's side for a server. A window of 8 bits is kept to by zlib's of 9, whose
    /// distances are at most 250 (W139, W168).
    pub const fn new(side: DeflateSide, options: DeflateOptions) -> Self {
        Self { stream: None, side, options, scratch: Vec::new(), ready: 0..0, unfinished: false, turn: 0 }
    }

    /// The most memory that this takes, in bytes: readable before anything is agreed on. Nothing is taken before the
    /// first message that is compressed.
    pub const fn memory(side: DeflateSide, options: &DeflateOptions) -> usize {
        // Of zlib-rs: the window twice and its chains; a buffer of symbols; a table of hashes and the rest.
        let window = 4_usize << at_least_9(side.bits());
        let symbols = 7_usize << options.memory_level().saturating_add(6);
        window.saturating_add(symbols).saturating_add(132 * 1024).saturating_add(CHUNK)
    }

    /// Begins a message: compressed if it is as long as the threshold, as it is otherwise. A message that was begun
    /// before, for this connection or another one, and is not all out is given up with that.
    ///
    /// # Errors
    /// [`SendError::Utf8`] if a text is not UTF-8.
    pub fn begin<'p>(&mut self, kind: Kind, payload: &'p [u8]) -> Result<Deflating<'p>, SendError> {
        check_text(kind, payload)?;
        // What was begun and never sent is in the window, where the peer does not have it; and without takeover nothing
        // may reach back (W135).
        if self.unfinished || !self.side.takeover {
            self.reset();
        }
        Ok(self.next(kind, payload, payload.len() >= self.options.threshold)) // W144
    }

    /// A message that the stream is about from now on.
    fn next<'p>(&mut self, kind: Kind, payload: &'p [u8], compressed: bool) -> Deflating<'p> {
        self.ready = 0..0;
        self.turn = self.turn.wrapping_add(1);
        Deflating {
            kind,
            rest: payload,
            compressed,
            turn: self.turn,
            begun: false,
            stage: Stage::Compressing,
        }
    }

    /// Puts out as much of the message as there is room for, in whole fragments. `true`: there was no room for the
    /// rest: write out what `out` holds, and call again. `false`: all of it is out.
    ///
    /// Between two calls control frames may go out, and no other message.
    ///
    /// # Errors
    /// What [`Connection::send`](crate::Connection::send) gives, but for `NoRoom`; [`SendError::Compressor`] if
    /// compressing fails, or a message that another one displaced goes on: a Close with 1011 is on its way then (W145).
    pub fn write(
        &mut self,
        message: &mut Deflating<'_>,
        conn: &mut impl Sends,
        out: &mut (impl Output + ?Sized),
    ) -> Result<bool, SendError> {
        while message.stage != Stage::Sent {
            let displaced = message.turn != self.turn;
            if message.compressed && (displaced || self.compress(message).is_err()) {
                let _closing = conn.close(CloseCode::INTERNAL_ERROR, "", out);
                return Err(SendError::Compressor);
            }
            let pending = match message.compressed {
                true => self.scratch.get(self.ready.clone()).unwrap_or_default(),
                false => message.rest,
            };
            // As long as the room, but for a reply that may have to go first.
            let room = out.room().saturating_sub(FrameHeader::MAX);
            let fragment = pending.get(..room).unwrap_or(pending);
            let whole = fragment.len() == pending.len();
            if !whole && fragment.len() < LEAST.min(pending.len()) {
                return Ok(true);
            }
            let last = whole && (!message.compressed || message.stage == Stage::Flushed);
            match conn.send(message.frame(fragment, last), out) {
                Ok(()) => {}
                Err(SendError::NoRoom { .. }) => return Ok(true),
                Err(error) => return Err(error),
            }
            let sent = fragment.len();
            message.begun = true;
            if message.compressed {
                self.ready.start = self.ready.start.saturating_add(sent);
            } else {
                message.rest = message.rest.get(sent..).unwrap_or_default();
            }
            if last {
                message.stage = Stage::Sent;
                self.unfinished = false;
            }
        }
        Ok(false)
    }

    /// Compresses a message once for many connections, beside its plain form: `send_prepared` chooses by what each
    /// connection agreed on. Nothing of earlier messages is used, nor is the message used for later ones.
    ///
    /// # Errors
    /// [`SendError::Utf8`] if a text is not UTF-8, and [`SendError::Compressor`].
    pub fn prepare(&mut self, kind: Kind, payload: &[u8]) -> Result<Prepared<Vec<u8>>, SendError> {
        check_text(kind, payload)?;
        self.reset();
        let mut message = self.next(kind, payload, true);
        let mut compressed = Vec::new();
        while message.stage == Stage::Compressing {
            self.compress(&mut message)?;
            compressed.extend_from_slice(self.scratch.get(self.ready.clone()).unwrap_or_default());
            self.ready.start = self.ready.end;
        }
        self.reset();
        Ok(Prepared::with_compressed(kind, payload, &compressed))
    }

    /// Gives the memory back, to be made anew for the next message, which then does not use earlier ones: 390 KiB by
    /// default, 150 at least and 500 at most.
    pub fn release(&mut self) {
        if !self.unfinished {
            self.stream = None;
            self.scratch = Vec::new();
        }
    }

    fn reset(&mut self) {
        self.unfinished = false;
        if let Some(stream) = &mut self.stream {
            stream.reset();
        }
    }

    /// Fills the scratch with more of the message, if it was sent empty. On the last of it the tail is cut off.
    fn compress(&mut self, message: &mut Deflating<'_>) -> Result<(), SendError> {
        if !self.ready.is_empty() || message.stage != Stage::Compressing {
            return Ok(());
        }
        if message.rest.is_empty() && !message.begun && !self.unfinished {
            // "the first octet of an empty block with no compression": 00 alone (§7.2.3.6, W130).
            self.scratch.clear();
            self.scratch.push(0);
            self.ready = 0..1;
            message.stage = Stage::Flushed;
            return Ok(());
        }
        // Of a chunk that was filled the last bytes were held back: the tail may begin with them.
        let held = self.ready.end..self.scratch.len().min(self.ready.end.saturating_add(TAIL.len()));
        let mut end = 0;
        if self.unfinished {
            end = held.len();
            self.scratch.copy_within(held, 0);
        }
        self.unfinished = true;
        let likely = message.rest.len().saturating_add(message.rest.len() / 8).saturating_add(LEAST);
        let size = likely.min(CHUNK).max(self.scratch.len());
        self.scratch.resize(size, 0);

        let stream = self.stream.get_or_insert_with(|| stream(self.side, &self.options));
        let place = self.scratch.get_mut(end..).unwrap_or_default();
        let before = (stream.total_in(), stream.total_out());
        stream.compress(message.rest, place, DeflateFlush::SyncFlush).map_err(|_| SendError::Compressor)?;
        // Neither is more than a slice is long.
        let taken = stream.total_in().wrapping_sub(before.0) as usize;
        let made = stream.total_out().wrapping_sub(before.1) as usize;
        let full = made == place.len();
        message.rest = message.rest.get(taken..).unwrap_or_default();
        end = end.saturating_add(made);
        if !full
            && (!message.rest.is_empty() || !self.scratch.get(..end).unwrap_or_default().ends_with(&TAIL))
        {
            return Err(SendError::Compressor);
        }
        // The flush made the tail: it is not sent (§7.2.1, W129).
        self.ready = 0..end.saturating_sub(TAIL.len());
        if !full {
            message.stage = Stage::Flushed;
        }
        Ok(())
    }
}

/// What goes out as text is UTF-8 (W55).
fn check_text(kind: Kind, payload: &[u8]) -> Result<(), SendError> {
    let sound = kind != Kind::Text || core::str::from_utf8(payload).is_ok();
    if sound { Ok(()) } else { Err(SendError::Utf8) }
}

fn stream(side: DeflateSide, options: &DeflateOptions) -> Stream {
    Stream::new_with_config(DeflateConfig {
        level: i32::from(options.level.min(9)),
        // Negative: without a header around the blocks.
        window_bits: 0_i32.saturating_sub(i32::from(at_least_9(side.bits()))),
        mem_level: i32::from(options.memory_level()),
        strategy: match options.strategy {
            DeflateStrategy::Default => Strategy::Default,
            DeflateStrategy::Filtered => Strategy::Filtered,
            DeflateStrategy::HuffmanOnly => Strategy::HuffmanOnly,
            DeflateStrategy::Rle => Strategy::Rle,
            DeflateStrategy::Fixed => Strategy::Fixed,
        },
        ..DeflateConfig::default()
    })
}

impl Deflating<'_> {
    fn frame<'f>(&self, fragment: &'f [u8], last: bool) -> Outgoing<'f> {
        let frame = match (self.begun, last) {
            // Text was checked when the message began.
            (false, true) => Outgoing::received(self.kind, self.compressed, fragment),
            (false, false) => Outgoing::first(self.kind, fragment),
            (true, false) => Outgoing::next(fragment),
            (true, true) => Outgoing::last(fragment),
        };
        if self.compressed && !self.begun { frame.compressed() } else { frame }
    }
}

impl core::fmt::Debug for Deflate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Deflate")
            .field("side", &self.side)
            .field("options", &self.options)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

impl DeflatePolicy {
    /// A server's policy for connections that may take so many bytes each for compression.
    ///
    /// With enough for both directions it is the default. With less, the server keeps no window of its own, so that one
    /// [`Deflate`] serves all connections of a thread, and the client's window is the largest that fits; without room
    /// for the smallest, the client keeps none either, and memory is only taken inside of messages.
    ///
    /// ```
    /// use websocket_proto::{DeflatePolicy, DeflateSide};
    ///
    /// let policy = DeflatePolicy::within(32 * 1024);
    /// assert_eq!(policy.own, DeflateSide { window_bits: 15, takeover: false });
    /// assert_eq!(policy.peer, DeflateSide { window_bits: 14, takeover: true });
    /// ```
    pub const fn within(bytes: usize) -> Self {
        let full = DeflateSide::FULL;
        if Deflate::memory(full, &DeflateOptions::DEFAULT).saturating_add(Inflate::memory(full)) <= bytes {
            return Self { own: full, peer: full };
        }
        let own = DeflateSide { takeover: false, ..full };
        let mut peer = full;
        while Inflate::memory(peer) > bytes {
            if peer.window_bits == 8 {
                peer.takeover = false;
                break;
            }
            peer.window_bits = peer.window_bits.saturating_sub(1);
        }
        Self { own, peer }
    }
}
