//! How bytes come in and go out: a cursor over what was read, and a sink that takes whole frames or nothing.

use core::cell::Cell;

#[cfg(feature = "alloc")]
use crate::mask::append;
use crate::mask::{MaskKey, mask, mask_copy};

#[cfg(feature = "alloc")]
pub use self::queue::QueueOutput;

/// The bytes of one read, on their way through the machine.
///
/// A machine takes what it has dealt with off the front; payloads are unmasked where they lie, and events borrow
/// them. Whoever stops before it is empty keeps [`into_rest`](Self::into_rest) and feeds that again.
///
/// ```
/// use websocket_proto::Input;
///
/// let mut buf = [0; 512];
/// let n = 3; // socket.read(&mut buf)?
/// let input = Input::new(&mut buf[..n]);
/// assert_eq!(input.len(), 3);
/// ```
#[derive(Debug, Default)]
#[must_use = "bytes that are not received are lost: keep `into_rest()` and feed it again"]
pub struct Input<'b> {
    rest: &'b mut [u8],
}

impl<'b> Input<'b> {
    /// A cursor at the front of `read`.
    pub const fn new(read: &'b mut [u8]) -> Self {
        Self { rest: read }
    }

    /// How many bytes are still to be received.
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether every byte was received.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes still to be received, as they came.
    pub const fn as_slice(&self) -> &[u8] {
        self.rest
    }

    /// The bytes still to be received, for a later `Input`.
    pub const fn into_rest(self) -> &'b mut [u8] {
        self.rest
    }

    /// Takes the next `n` bytes, which are there.
    #[inline]
    pub(crate) fn split(&mut self, n: usize) -> Option<&'b mut [u8]> {
        let (head, tail) = core::mem::take(&mut self.rest).split_at_mut_checked(n)?;
        self.rest = tail;
        Some(head)
    }

    pub(crate) const fn as_mut_slice(&mut self) -> &mut [u8] {
        self.rest
    }

    /// Takes the next `n` bytes, or all that are left.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> &'b mut [u8] {
        self.split(n.min(self.rest.len())).unwrap_or_default()
    }

    pub(crate) fn take_all(&mut self) -> &'b mut [u8] {
        core::mem::take(&mut self.rest)
    }
}

impl<'b> From<&'b mut [u8]> for Input<'b> {
    fn from(read: &'b mut [u8]) -> Self {
        Self::new(read)
    }
}

/// Copies `from` to `to`, which is as long. Optimised for size, the standard library's copy keeps a look at the lengths
/// that ends in a panic.
#[inline(always)]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Copies `bytes` to `memory[at..]`. False, and nothing is copied, if they do not fit.
pub(crate) fn copy_at(memory: &mut [u8], at: usize, bytes: &[u8]) -> bool {
    match memory.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
        Some(place) => {
            copy(place, bytes);
            true
        }
        None => false,
    }
}

/// The smallest output that a connection can work with, in bytes: a client's longest control frame (2 + 4 + 125).
///
/// A smaller one could hold a reply back for ever.
pub const MIN_OUTPUT: usize = 131;

/// A payload on its way out. The mask is applied while it is copied (W86), so whoever implements [`Output`] cannot
/// forget it.
#[derive(Clone, Copy, Debug)]
pub struct Body<'p> {
    payload: &'p [u8],
    key: Option<MaskKey>,
}

impl<'p> Body<'p> {
    /// A payload that goes out as it is.
    pub const fn plain(payload: &'p [u8]) -> Self {
        Self { payload, key: None }
    }

    /// A payload that goes out masked; its first byte meets the first byte of `key`.
    pub const fn masked(payload: &'p [u8], key: MaskKey) -> Self {
        Self { payload, key: Some(key) }
    }

    /// The payload's length in bytes.
    pub const fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether there is no payload.
    pub const fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// Writes the payload to the front of `place`, masked if it is to be, and returns the rest of `place`. `None`,
    /// and nothing is written, if it does not fit.
    #[inline(always)]
    pub fn copy_to<'o>(&self, place: &'o mut [u8]) -> Option<&'o mut [u8]> {
        let (place, rest) = place.split_at_mut_checked(self.payload.len())?;
        match self.key {
            None => copy(place, self.payload),
            Some(key) => {
                mask_copy(key, self.payload, place);
            }
        }
        Some(rest)
    }

    /// Appends the payload to `bytes`, masked if it is to be, without filling the place with zeros first.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub fn append_to(&self, bytes: &mut alloc::vec::Vec<u8>) {
        append(&[], self.key, self.payload, bytes);
    }
}

/// Where a machine puts its bytes: a queue towards the transport.
///
/// Everything that is put lies in one ordered stream. `put` is all or nothing, so what an output holds are always
/// whole frames, and no byte that was not put (W77).
pub trait Output {
    /// How many bytes [`put`](Self::put) would take now.
    fn room(&self) -> usize;

    /// Takes `head` and then `body`, or nothing at all if they do not fit together (then false).
    #[must_use]
    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool;
}

impl<O: Output + ?Sized> Output for &mut O {
    fn room(&self) -> usize {
        (**self).room()
    }

    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
        (**self).put(head, body)
    }
}

/// A bounded output in memory of the caller's: `[u8; N]`, `Box<[u8]>`, `&mut [u8]`, `Vec<u8>` (its length is the bound).
///
/// ```
/// use websocket_proto::{Body, MIN_OUTPUT, Output, SliceOutput};
///
/// let mut out = SliceOutput::new([0; MIN_OUTPUT]);
/// assert!(out.put(&[0x89, 0x02], Body::plain(b"hi")));
/// assert_eq!(out.pending(), b"\x89\x02hi");
/// out.advance(4); // what the transport took
/// assert!(out.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct SliceOutput<B> {
    memory: B,
    start: usize,
    end: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> SliceOutput<B> {
    /// An empty output in `memory`, of at least [`MIN_OUTPUT`] bytes.
    pub const fn new(memory: B) -> Self {
        Self { memory, start: 0, end: 0 }
    }

    /// The bytes to write to the transport next.
    pub fn pending(&self) -> &[u8] {
        self.memory.as_ref().get(self.start..self.end).unwrap_or_default()
    }

    /// Drops the first `n` pending bytes: the transport took them.
    pub fn advance(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Whether nothing is pending.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The memory, its contents of no meaning.
    pub fn into_memory(self) -> B {
        self.memory
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Output for SliceOutput<B> {
    fn room(&self) -> usize {
        self.memory.as_ref().len().saturating_sub(self.end.saturating_sub(self.start))
    }

    #[cfg_attr(feature = "fast", inline(always))]
    #[cfg_attr(not(feature = "fast"), inline(never))]
    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
        let len = head.len().saturating_add(body.len());
        let behind = self.memory.as_ref().len().saturating_sub(self.end);
        if behind < len && !self.make_room(len) {
            return false;
        }
        let place = self.memory.as_mut().get_mut(self.end..).and_then(|place| place.get_mut(..len));
        place.and_then(|place| place.split_at_mut_checked(head.len())).is_some_and(|(place, rest)| {
            copy(place, head);
            self.end = self.end.saturating_add(len);
            body.copy_to(rest).is_some()
        })
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> SliceOutput<B> {
    /// Moves what is pending to the front, if `len` bytes fit behind it then.
    #[inline(never)]
    fn make_room(&mut self, len: usize) -> bool {
        let fits = self.room() >= len;
        if fits {
            // Nothing changes by these bounds; the compiler sees by them that no copy can be out of bounds.
            let memory = self.memory.as_mut();
            let end = self.end.min(memory.len());
            let start = self.start.min(end);
            if cfg!(feature = "fast") {
                memory.copy_within(start..end, 0);
            } else {
                // By hand, since a `memmove` is 600 bytes of code where nothing else needs one.
                let cells = Cell::from_mut(memory).as_slice_of_cells();
                for (to, from) in cells.iter().zip(cells.get(start..end).unwrap_or_default()) {
                    to.set(from.get());
                }
            }
            self.end = end.saturating_sub(start);
            self.start = 0;
        }
        fits
    }
}

/// Bounded by its capacity; nothing is pending twice: write it out and `clear` it.
impl<const N: usize> Output for heapless::Vec<u8, N> {
    fn room(&self) -> usize {
        N.saturating_sub(self.len())
    }

    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
        if self.room() < head.len().saturating_add(body.len()) {
            return false;
        }
        let at = self.len().saturating_add(head.len());
        let fits = self.extend_from_slice(head).is_ok() && self.extend_from_slice(body.payload).is_ok();
        if let (Some(key), Some(place)) = (body.key, self.get_mut(at..)) {
            mask(key, place);
        }
        fits
    }
}

/// Unbounded: the caller writes it out and clears it, or a peer that does not read makes it grow.
#[cfg(feature = "alloc")]
impl Output for alloc::vec::Vec<u8> {
    #[inline]
    fn room(&self) -> usize {
        const MOST: usize = isize::MAX as usize;
        MOST.saturating_sub(self.len())
    }

    #[inline(always)]
    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
        append(head, body.key, body.payload, self);
        true
    }
}

#[cfg(feature = "alloc")]
mod queue {
    use alloc::vec::Vec;

    use super::{Body, Output};

    /// A bounded output that allocates what it holds, and nothing while it holds nothing.
    #[derive(Clone, Debug)]
    pub struct QueueOutput {
        bytes: Vec<u8>,
        start: usize,
        limit: usize,
    }

    impl QueueOutput {
        /// An empty output that takes up to `limit` bytes, at least [`MIN_OUTPUT`](crate::MIN_OUTPUT).
        pub const fn with_limit(limit: usize) -> Self {
            Self { bytes: Vec::new(), start: 0, limit }
        }

        /// The bytes to write to the transport next.
        pub fn pending(&self) -> &[u8] {
            self.bytes.get(self.start..).unwrap_or_default()
        }

        /// Drops the first `n` pending bytes: the transport took them.
        pub fn advance(&mut self, n: usize) {
            self.start = self.start.saturating_add(n).min(self.bytes.len());
            if self.start == self.bytes.len() {
                self.bytes.clear();
                self.start = 0;
            }
        }

        /// Whether nothing is pending.
        pub fn is_empty(&self) -> bool {
            self.start == self.bytes.len()
        }

        /// Gives the memory of an empty output back to the allocator: worth it for a connection that idles.
        pub fn release(&mut self) {
            if self.is_empty() {
                self.bytes = Vec::new();
            }
        }
    }

    impl Output for QueueOutput {
        fn room(&self) -> usize {
            self.limit.saturating_sub(self.pending().len())
        }

        fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
            if self.room() < head.len().saturating_add(body.len()) {
                return false;
            }
            // Moving what is pending to the front costs no more than what was written since the last time.
            if self.start > self.bytes.len() / 2 {
                self.bytes.drain(..self.start);
                self.start = 0;
            }
            self.bytes.put(head, body)
        }
    }
}
