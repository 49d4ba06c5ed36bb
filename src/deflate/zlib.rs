//! Inflating by `zlib-rs`, in the whole window of 32 KiB.

use alloc::vec::Vec;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::engine::{Engine, Inflated, TAIL_AND_MORE, sealed};
use crate::rule::Rule;

/// The stream, and what it made last.
///
/// zlib-rs keeps its window to itself and loses it with a final block, so the last bytes are kept a second time (W131);
/// with them the stream itself can be given back between messages.
#[derive(Default)]
pub(super) struct Zlib {
    stream: Option<Inflate>,
    /// Up to 32 KiB; once it is full, the oldest byte is at `oldest`.
    history: Vec<u8>,
    oldest: usize,
}

const WINDOW: usize = 1 << 15;

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
}

impl sealed::Sealed for Zlib {}

impl Engine for Zlib {
    fn inflate(&mut self, input: &[u8], place: &mut [u8]) -> Result<Inflated, Rule> {
        self.step(input, place, InflateFlush::NoFlush)
    }

    fn end(&mut self) -> Result<bool, Rule> {
        match self.step(&TAIL_AND_MORE, &mut [0], InflateFlush::Block)? {
            Inflated { taken: 4, made: 0, ended, corrupt: false } => Ok(ended),
            _ => Err(Rule::CorruptCompression),
        }
    }

    fn remember(&mut self, made: &[u8]) {
        let made = made.get(made.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let missing = WINDOW.saturating_sub(self.history.len());
        let (first, mut rest) = made.split_at_checked(missing).unwrap_or((made, &[]));
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

    fn restart(&mut self) {
        self.stream = None;
    }

    fn forget(&mut self) {
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
