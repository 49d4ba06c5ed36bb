//! Inflating by `zlib-rs`, in the whole window of 32 KiB.

use alloc::vec::Vec;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::engine::{Inflated, TAIL_AND_MORE};
use crate::rule::Rule;

/// The stream, and what it made last.
///
/// zlib-rs keeps its window to itself and loses it with a final block, so the last bytes are kept a second time (W131):
/// another implementation goes on with them. With them the stream itself can be given back between messages, too.
#[derive(Default)]
pub(super) struct Zlib {
    stream: Option<Inflate>,
    /// Up to 32 KiB; once it is full, the oldest byte is at `oldest`.
    history: Vec<u8>,
    oldest: usize,
}

const WINDOW: usize = 1 << 15;

/// The most that one takes: the stream with its window and tables, and the history.
pub(super) const MEMORY: usize = 48 * 1024 + WINDOW;

impl Zlib {
    pub(super) fn release(&mut self) {
        self.stream = None;
    }

    fn stream(&mut self) -> Result<&mut Inflate, Rule> {
        if self.stream.is_none() {
            let mut stream = Inflate::new(false, 15);
            let (newer, older) = self.history.split_at_checked(self.oldest).unwrap_or_default();
            for part in [older, newer] {
                // Only a stream with a header can refuse a dictionary.
                stream.set_dictionary(part).map_err(|_| Rule::InternalError)?;
            }
            self.stream = Some(stream);
        }
        self.stream.as_mut().ok_or(Rule::InternalError)
    }

    fn step(&mut self, input: &[u8], place: &mut [u8], flush: InflateFlush) -> Result<Inflated, Rule> {
        let stream = self.stream()?;
        let before = (stream.total_in(), stream.total_out());
        let status = stream.decompress(input, place, flush);
        // Neither is more than a slice is long.
        let taken = stream.total_in().wrapping_sub(before.0) as usize;
        let made = stream.total_out().wrapping_sub(before.1) as usize;
        Ok(Inflated { taken, made, ended: status == Ok(Status::StreamEnd), corrupt: status.is_err() })
    }

    pub(super) fn inflate(&mut self, input: &[u8], place: &mut [u8]) -> Result<Inflated, Rule> {
        self.step(input, place, InflateFlush::NoFlush)
    }

    pub(super) fn end(&mut self) -> Result<bool, Rule> {
        match self.step(&TAIL_AND_MORE, &mut [0], InflateFlush::Block)? {
            Inflated { taken: 4, made: 0, ended, corrupt: false } => Ok(ended),
            _ => Err(Rule::CorruptCompression),
        }
    }

    pub(super) fn remember(&mut self, made: &[u8]) {
        let made = made.get(made.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let missing = WINDOW.saturating_sub(self.history.len());
        let (first, mut rest) = made.split_at_checked(missing).unwrap_or((made, &[]));
        let len = self.history.len().saturating_add(first.len());
        if len > self.history.capacity() {
            // As a `Vec` grows, but not beyond the window.
            let most = len.max(self.history.capacity().saturating_mul(2)).min(WINDOW);
            self.history.reserve_exact(most.saturating_sub(self.history.len()));
        }
        self.history.extend_from_slice(first);
        while !rest.is_empty() {
            let place = self.history.get_mut(self.oldest..).unwrap_or_default();
            let n = place.len().min(rest.len());
            if n == 0 {
                break;
            }
            let (now, later) = rest.split_at_checked(n).unwrap_or_default();
            if let Some(place) = place.get_mut(..n) {
                place.copy_from_slice(now);
            }
            rest = later;
            self.oldest = self.oldest.saturating_add(n);
            if self.oldest >= WINDOW {
                self.oldest = 0;
            }
        }
    }

    /// The window, in memory for the whole of it, and where the next byte goes; whether it is full.
    pub(super) fn into_history(mut self) -> (Vec<u8>, usize, bool) {
        let full = self.history.len() == WINDOW;
        let at = if full { self.oldest } else { self.history.len() };
        self.history.reserve_exact(WINDOW.saturating_sub(self.history.len()));
        self.history.resize(WINDOW, 0);
        (self.history, at, full)
    }

    pub(super) fn forget(&mut self) {
        self.history.clear();
        self.oldest = 0;
        if let Some(stream) = &mut self.stream {
            stream.reset(false);
        }
    }
}

impl core::fmt::Debug for Zlib {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Zlib").field("history", &self.history.len()).finish_non_exhaustive()
    }
}
