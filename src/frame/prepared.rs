//! A server's message, encoded once and sent to many.

use super::{
    encode,
    header::{FrameHeader, Rsv},
};
use crate::{bytes::SliceOutput, opcode::Kind};

/// A server's message in one frame, encoded once for many connections: see `send_prepared`.
///
/// A server masks nothing, so the same bytes serve every peer.
#[derive(Clone, Debug)]
pub struct Prepared<B> {
    /// The frame, and the frame with its payload compressed behind it if there is one.
    memory: B,
    len: usize,
    end: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Prepared<B> {
    /// Encodes a message into `memory`, which holds the payload and up to 10 bytes of header. `None` if it does not
    /// fit, or if a text is not UTF-8.
    pub fn in_memory(kind: Kind, payload: &[u8], memory: B) -> Option<Self> {
        if kind == Kind::Text && core::str::from_utf8(payload).is_err() {
            return None;
        }
        let mut out = SliceOutput::new(memory);
        if !encode::frame(header(kind, payload), payload, &mut out) {
            return None;
        }
        let len = out.pending().len();
        Some(Self { memory: out.into_memory(), len, end: len })
    }
}

impl<B: AsRef<[u8]>> Prepared<B> {
    /// The frame's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.memory.as_ref().get(..self.len).unwrap_or_default()
    }

    /// The same for whoever takes it compressed, if there is such a form.
    pub(crate) fn compressed_bytes(&self) -> &[u8] {
        match self.memory.as_ref().get(self.len..self.end) {
            Some(compressed) if !compressed.is_empty() => compressed,
            _ => self.as_bytes(),
        }
    }
}

#[cfg(feature = "alloc")]
impl Prepared<alloc::vec::Vec<u8>> {
    /// Encodes a text message.
    pub fn text(text: &str) -> Self {
        Self::new(Kind::Text, text.as_bytes())
    }

    /// Encodes a binary message.
    pub fn binary(bytes: &[u8]) -> Self {
        Self::new(Kind::Binary, bytes)
    }

    fn new(kind: Kind, payload: &[u8]) -> Self {
        let mut memory = alloc::vec::Vec::with_capacity(payload.len().saturating_add(FrameHeader::MAX));
        // A `Vec` has room for whatever fits in memory.
        let _fits = encode::frame(header(kind, payload), payload, &mut memory);
        let len = memory.len();
        Self { memory, len, end: len }
    }

    /// Both forms of a message. A text was checked.
    #[cfg(feature = "zlib")]
    pub(crate) fn with_compressed(kind: Kind, payload: &[u8], compressed: &[u8]) -> Self {
        let mut both = Self::new(kind, payload);
        let header = FrameHeader { rsv: Rsv::RSV1, ..header(kind, compressed) };
        let _fits = encode::frame(header, compressed, &mut both.memory);
        both.end = both.memory.len();
        both
    }
}

/// A server masks nothing.
fn header(kind: Kind, payload: &[u8]) -> FrameHeader {
    FrameHeader { fin: true, rsv: Rsv::NONE, opcode: kind.opcode(), mask: None, len: payload.len() as u64 }
}
