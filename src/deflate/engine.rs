//! What [`Inflate`](super::Inflate) asks of an implementation of DEFLATE (RFC 1951).

use crate::rule::Rule;

/// An implementation of inflating: [`Window`](crate::Window) or `Heap`.
pub trait Engine: sealed::Sealed {
    /// Inflates from the front of `input` to the front of `place`, until one of them is used up, a final block ends or a
    /// fault comes. Where `made` is less than the place, nothing before that is held back.
    #[doc(hidden)]
    fn inflate(&mut self, input: &[u8], place: &mut [u8]) -> Result<Inflated, Rule>;

    /// Inflates [`TAIL`], and says whether the block that it ends is a final one. An error if it ends none, or makes
    /// output.
    #[doc(hidden)]
    fn end(&mut self) -> Result<bool, Rule>;

    /// Keeps what was made, if the implementation has no window of its own to continue with after a final block.
    #[doc(hidden)]
    fn remember(&mut self, made: &[u8]);

    /// Begins a new stream with the same window: a final block ended (W131).
    #[doc(hidden)]
    fn restart(&mut self);

    /// Begins a new stream without a window.
    #[doc(hidden)]
    fn forget(&mut self);
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// What one call did.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Inflated {
    /// Bytes of input.
    pub taken: usize,
    /// Bytes of output.
    pub made: usize,
    /// A final block ended.
    pub ended: bool,
    /// What follows is not DEFLATE.
    pub corrupt: bool,
}

/// "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message" (RFC 7692 §7.2.2, W129): the
/// rest of an empty stored block.
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The tail and a byte behind it. Whoever stops at the first border of a block has taken four bytes and made none if
/// the message ended as it should, in the three bits and the padding before the tail: a message cut off elsewhere
/// takes another number, or makes output, or is none (W132): but for one that the tail itself happens to complete, as the
/// rest of a block's tables and an empty block, which nothing is lost by.
pub(super) const TAIL_AND_MORE: [u8; 5] = {
    let [a, b, c, d] = TAIL;
    [a, b, c, d, 0xff]
};
