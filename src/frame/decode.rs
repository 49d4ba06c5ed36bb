//! A frame decoder that can stop at any byte (W15, W18). It keeps at most a header (14 bytes) or a control payload
//! (125), and knows no rules: those are the gate's.

use super::header::{FrameHeader, Gate, Stop, parse};
use crate::{
    bytes::Input,
    error::ProtocolError,
    mask::{MaskKey, advance, mask_ascii},
    opcode::{Control, Opcode},
};

/// Where the stream of frames stands.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    /// Bytes taken since the connection began. A failure stops it at the byte that proves the fault.
    pub(crate) offset: u64,
    /// The payload that the frame under way still lacks.
    pub(crate) remaining: u64,
    /// The whole payload of the frame under way.
    pub(crate) len: u64,
    /// The key for the next byte of payload; all zero changes nothing (W85).
    pub(crate) key: MaskKey,
    /// The bytes of an unfinished header, or of an unfinished control payload.
    pub(crate) stash: Control,
    pub(crate) place: Place,
    /// Control frames since the last time somebody asked, saturating.
    pub(crate) controls: u16,
    /// Whether data frames came since the last time somebody asked.
    pub(crate) active: bool,
    /// Where the stream ended.
    pub(crate) end: Option<End>,
}

/// Where a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    BetweenFrames,
    InFrame,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header,
    /// `bits`: FIN and the reserved bits, where they stand in the first byte.
    Payload {
        opcode: Opcode,
        bits: u8,
    },
}

impl Decoder {
    pub(crate) const fn new(stash: Control) -> Self {
        Self {
            offset: 0,
            remaining: 0,
            len: 0,
            key: [0; 4],
            stash,
            place: Place::Header,
            controls: 0,
            active: false,
            end: None,
        }
    }

    /// Takes a header off `input`. `Ok(None)`: it is not complete, and all of `input` was taken.
    #[inline(never)]
    pub(crate) fn header<'b>(
        &mut self,
        input: &mut Input<'b>,
        gate: &impl Gate,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let stashed = self.stash.len();
        let mut bytes = input.as_slice();
        if stashed != 0 {
            // A header that an earlier input began is parsed again from its start.
            let lacking = FrameHeader::MAX.saturating_sub(stashed);
            self.stash.append(bytes.get(..lacking).unwrap_or(bytes));
            bytes = &self.stash;
        }
        match parse(bytes, gate) {
            Ok((header, size)) => {
                self.stash.clear();
                self.take(input, size.saturating_sub(stashed));
                let bits = u8::from(header.fin) << 7 | header.rsv.bits();
                self.begin(header.opcode, bits, header.len, header.mask.unwrap_or_default());
                Ok(Some(header))
            }
            Err(Stop::Incomplete) => {
                let piece = self.take(input, FrameHeader::MAX);
                if stashed == 0 {
                    self.stash.append(piece);
                }
                Ok(None)
            }
            Err(Stop::Fault { rule, at }) => {
                let start = self.offset.wrapping_sub(stashed as u64);
                Err(ProtocolError { rule, offset: start.wrapping_add(at as u64) })
            }
        }
    }

    /// Takes the next piece of the payload under way, unmasked where it lies (W17), and says whether unmasking has shown
    /// it to be ASCII.
    #[cfg_attr(feature = "fast", inline(always))]
    pub(crate) fn payload<'b>(&mut self, input: &mut Input<'b>) -> (&'b mut [u8], bool) {
        // A length is a u64 on every target (W4): what does not fit in usize is more than any input holds.
        let piece = self.take(input, usize::try_from(self.remaining).unwrap_or(usize::MAX));
        let mut ascii = false;
        if self.key != [0; 4] {
            ascii = mask_ascii(self.key, piece);
            self.key = advance(self.key, piece.len());
        }
        // No piece is longer than what remains.
        self.remaining = self.remaining.wrapping_sub(piece.len() as u64);
        if self.remaining == 0 {
            self.place = Place::Header;
        }
        (piece, ascii)
    }

    /// Takes what there is of a control frame's payload into the stash. True: it is complete.
    pub(crate) fn control(&mut self, input: &mut Input<'_>) -> bool {
        let (piece, _) = self.payload(input);
        self.stash.append(piece);
        self.remaining == 0
    }

    /// The stream position of the unfinished header or control payload that the stash holds.
    pub(crate) fn stash_offset(&self) -> u64 {
        self.offset.wrapping_sub(self.stash.len() as u64)
    }

    /// The stream ended here. A repeated end changes nothing (W151).
    pub(crate) fn end(&mut self) {
        let within = self.place != Place::Header || !self.stash.is_empty();
        self.end.get_or_insert(if within { End::InFrame } else { End::BetweenFrames });
    }

    /// A frame begins. `bits`: FIN and the reserved bits, where they stand in the first byte.
    #[inline(always)]
    pub(crate) fn begin(&mut self, opcode: Opcode, bits: u8, len: u64, key: MaskKey) {
        self.len = len;
        self.remaining = len;
        self.key = key;
        self.place = Place::Payload { opcode, bits };
    }

    /// Takes up to `n` bytes off `input`.
    #[inline(always)]
    pub(crate) fn take<'b>(&mut self, input: &mut Input<'b>, n: usize) -> &'b mut [u8] {
        let piece = input.take(n);
        self.count(piece.len());
        piece
    }

    /// Notes that `n` bytes were taken.
    #[inline(always)]
    pub(crate) fn count(&mut self, n: usize) {
        // It is below 2^63, and nobody sends so much that it would not stay so.
        self.offset = self.offset.wrapping_add(n as u64);
    }
}
