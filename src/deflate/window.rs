//! Inflating in memory of the caller's, by `miniz_oxide`: its state and a window of 2^bits bytes.

use core::borrow::BorrowMut;

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress_with_limit, inflate_flags},
};

use super::engine::{Engine, Inflated, TAIL_AND_MORE, sealed};
use crate::{bytes::copy, rule::Rule};

/// A window in `W`: `[u8; N]`, `Box<[u8]>`, `Vec<u8>`, `&mut [u8]`; and in `S` an [`InflateState`], or one that is
/// borrowed.
#[derive(Clone)]
pub struct Window<W, S = InflateState> {
    state: S,
    memory: W,
    /// How much of the memory is the window: a power of two.
    size: usize,
    /// Where the next byte goes.
    at: usize,
    /// Every byte of the window has been written, so that distances reach all of it.
    full: bool,
}

/// What inflating keeps beside the window: about 10 KiB.
///
/// A part of [`Inflate::in_memory`](super::inflate::Inflate::in_memory), or a place of its own for
/// [`Inflate::with_state`](super::inflate::Inflate::with_state), which may serve one connection behind the other.
#[derive(Clone)]
pub struct InflateState(DecompressorOxide);

impl InflateState {
    /// One of no connection.
    ///
    /// It is made on the stack, once, where the compiler does not make it in its place: by opt-level 3, and not by `z`
    /// and `s`.
    #[inline(always)]
    pub fn new() -> Self {
        Self(DecompressorOxide::new())
    }
}

impl Default for InflateState {
    #[inline(always)]
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for InflateState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("InflateState").finish_non_exhaustive()
    }
}

/// What a boxed one takes beside its memory, in bytes.
#[cfg(feature = "alloc")]
pub(super) const STATE: usize = size_of::<Window<alloc::boxed::Box<[u8]>>>();

impl<W: AsRef<[u8]> + AsMut<[u8]>, S: BorrowMut<InflateState>> Window<W, S> {
    /// `None`: the memory is smaller than the window.
    pub(super) fn new(window_bits: u8, mut state: S, memory: W) -> Option<Self> {
        let size = 1_usize.checked_shl(u32::from(window_bits))?;
        state.borrow_mut().0.init();
        (size <= memory.as_ref().len()).then_some(Self { state, memory, size, at: 0, full: false })
    }

    /// A window that goes on for another implementation, behind what that made: `memory` is the window, and its next byte
    /// goes `at` there.
    #[cfg(feature = "zlib")]
    pub(super) fn behind(state: S, memory: W, at: usize, full: bool) -> Self {
        Self { state, size: memory.as_ref().len(), memory, at, full }
    }

    /// One call of the decompressor, up to the window's end and for at most `most` bytes. Its output begins at `at`.
    fn step(&mut self, input: &[u8], most: usize, flags: u32) -> (TINFLStatus, usize, usize) {
        // Until the window is full a distance may not reach back behind its beginning: what lies there was never sent
        // on this connection (W140). The flag has that checked; a full window may wrap, and is as long as distances are.
        let wrapping = if self.full { 0 } else { inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF };
        let flags = flags | wrapping | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
        let window = self.memory.as_mut().get_mut(..self.size).unwrap_or_default();
        decompress_with_limit(&mut self.state.borrow_mut().0, input, window, self.at, most, flags)
    }
}

impl<W, S> sealed::Sealed for Window<W, S> {}

impl<W: AsRef<[u8]> + AsMut<[u8]>, S: BorrowMut<InflateState>> Engine for Window<W, S> {
    fn inflate(&mut self, input: &[u8], place: &mut [u8]) -> Result<Inflated, Rule> {
        let mut all = Inflated { taken: 0, made: 0, ended: false, corrupt: false };
        loop {
            let rest = place.get_mut(all.made..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(all);
            }
            let from = self.at;
            let (status, taken, made) = self.step(input.get(all.taken..).unwrap_or_default(), rest.len(), 0);
            let window = self.memory.as_ref();
            if let (Some(from), Some(to)) =
                (window.get(from..).and_then(|behind| behind.get(..made)), rest.get_mut(..made))
            {
                copy(to, from);
            }
            self.at = self.at.saturating_add(made);
            if self.at >= self.size {
                self.at = 0;
                self.full = true;
            }
            all.taken = all.taken.saturating_add(taken);
            all.made = all.made.saturating_add(made);
            match status {
                TINFLStatus::Done => return Ok(Inflated { ended: true, ..all }),
                // The window's end, or the place's.
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => return Ok(all),
                _ => return Ok(Inflated { corrupt: true, ..all }),
            }
        }
    }

    fn end(&mut self) -> Result<bool, Rule> {
        match self.step(&TAIL_AND_MORE, 1, inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY) {
            (TINFLStatus::BlockBoundary, 4, 0) => Ok(false),
            (TINFLStatus::Done, 4, 0) => Ok(true),
            _ => Err(Rule::CorruptCompression),
        }
    }

    fn remember(&mut self, _: &[u8]) {}

    fn restart(&mut self) {
        self.state.borrow_mut().0.init();
    }

    fn forget(&mut self) {
        self.restart();
        self.at = 0;
        self.full = false;
    }
}

impl<W, S> core::fmt::Debug for Window<W, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Window").field("size", &self.size).field("full", &self.full).finish_non_exhaustive()
    }
}
