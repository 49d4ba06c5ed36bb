//! The frame header (RFC 6455 §5.2), to and from bytes.
//!
//! ```text
//!  byte 1           byte 2           0, 2 or 8 bytes    0 or 4 bytes
//! +-+-+-+-+-------+-+-------------+ - - - - - - - - - +- - - - - - - -+
//! |F|R|R|R| opcode|M| Payload len |  Extended length  |  Masking key  |
//! |I|S|S|S|  (4)  |A|     (7)     |  (len 126 or 127) |  (if MASK=1)  |
//! |N|V|V|V|       |S|             |                   |               |
//! | |1|2|3|       |K|             |                   |               |
//! +-+-+-+-+-------+-+-------------+ - - - - - - - - - +- - - - - - - -+
//! ```

use core::fmt;

use crate::{mask::MaskKey, opcode::Opcode, rule::Rule};

/// The three reserved bits of a frame, or the set of those that the negotiated extensions define (RFC 6455 §9).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Rsv(u8);

impl Rsv {
    /// No bit.
    pub const NONE: Self = Self(0);
    /// RSV1, which permessage-deflate defines as "Per-Message Compressed" (RFC 7692 §6).
    pub const RSV1: Self = Self(0x40);
    /// RSV2.
    pub const RSV2: Self = Self(0x20);
    /// RSV3.
    pub const RSV3: Self = Self(0x10);

    /// Both sets together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits, or none.
    pub(crate) const fn only_if(self, on: bool) -> Self {
        if on { self } else { Self::NONE }
    }

    /// The bits where they stand in a frame's first byte.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// The reserved bits of a frame's first byte.
    pub(crate) const fn from_bits(first: u8) -> Self {
        Self(first & 0x70)
    }

    /// Whether these bits are legal on a frame where the extensions define `negotiated` (W12).
    ///
    /// "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values" (§5.2).
    #[inline]
    pub(crate) const fn check(self, opcode: Opcode, negotiated: Self) -> Result<(), Rule> {
        if self.0 == 0 {
            return Ok(());
        }
        if !negotiated.contains(Self(self.0 & !Self::RSV1.0)) {
            return Err(Rule::ReservedBit); // W8
        }
        if !self.contains(Self::RSV1) {
            return Ok(());
        }
        // "An endpoint MUST NOT set the 'Per-Message Compressed' bit of control frames and non-first fragments of a
        // data message" (RFC 7692 §6.1).
        match opcode {
            _ if !negotiated.contains(Self::RSV1) => Err(Rule::CompressionNotNegotiated), // W9
            Opcode::Continuation => Err(Rule::CompressedContinuation),                    // W11
            Opcode::Text | Opcode::Binary => Ok(()),
            Opcode::Close | Opcode::Ping | Opcode::Pong => Err(Rule::CompressedControl), // W10
        }
    }
}

impl fmt::Debug for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rsv({:03b})", self.0 >> 4)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Rsv {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Rsv({=u8:03b})", self.0 >> 4);
    }
}

/// A frame's header.
///
/// ```
/// use websocket_proto::{FrameHeader, Opcode, Rsv};
///
/// // RFC 6455 §5.7: a single-frame unmasked text message of 5 bytes.
/// let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode: Opcode::Text, mask: None, len: 5 };
/// assert_eq!(&*header.encode().unwrap(), &[0x81, 0x05]);
/// assert_eq!(FrameHeader::decode(&[0x81, 0x05, b'H']), Ok(Some((header, 2))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether this is the message's last frame.
    pub fin: bool,
    /// The reserved bits that are set.
    pub rsv: Rsv,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key; `None` if the payload is not masked.
    pub mask: Option<MaskKey>,
    /// The payload's length in bytes, at most 2^63 - 1.
    pub len: u64,
}

#[cfg(feature = "defmt")]
impl defmt::Format for FrameHeader {
    /// Without the key.
    fn format(&self, f: defmt::Formatter<'_>) {
        let (opcode, fin, rsv, masked, len) =
            (self.opcode, self.fin, self.rsv, self.mask.is_some(), self.len);
        defmt::write!(
            f,
            "FrameHeader {{ opcode: {}, fin: {=bool}, rsv: {}, masked: {=bool}, len: {=u64} }}",
            opcode,
            fin,
            rsv,
            masked,
            len
        );
    }
}

/// A header as it goes on the wire, 2 to 14 bytes.
pub type EncodedHeader = heapless::Vec<u8, { FrameHeader::MAX }, u8>;

impl FrameHeader {
    /// The longest header, in bytes.
    pub const MAX: usize = 14;

    /// The header at the front of `bytes` and its length in bytes; `None` if it is not complete.
    ///
    /// # Errors
    /// What no extension and no role can make legal: a reserved opcode, a length with its top bit set or not in its
    /// shortest form, a control frame that is fragmented or longer than 125 bytes. The rest depends on the
    /// connection and is [`Reader`](crate::Reader)'s to judge.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Rule> {
        match parse(bytes, &Any) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(Stop::Incomplete) => Ok(None),
            Err(Stop::Fault { rule, .. }) => Err(rule),
        }
    }

    /// The header's bytes, the length in its shortest form; `None` if that is above 2^63 - 1.
    pub fn encode(&self) -> Option<EncodedHeader> {
        if self.len >> 63 != 0 {
            return None;
        }
        let len = self.len.to_be_bytes();
        let (short, extended) = match len {
            [0, 0, 0, 0, 0, 0, 0, short @ ..=125] => (short, &[][..]),
            [0, 0, 0, 0, 0, 0, ref extended @ ..] => (126, extended.as_slice()),
            _ => (127, len.as_slice()),
        };
        let first = u8::from(self.fin) << 7 | self.rsv.bits() | self.opcode as u8;
        let second = u8::from(self.mask.is_some()) << 7 | short;
        let key = self.mask.as_slice().as_flattened();
        let mut bytes = EncodedHeader::new();
        for part in [&[first, second], extended, key] {
            for byte in part {
                bytes.push(*byte).ok()?;
            }
        }
        Some(bytes)
    }

    /// How many bytes a header with a length of seven bits takes on the wire.
    pub(crate) const fn short(masked: bool) -> usize {
        if masked { 6 } else { 2 }
    }

    /// How many bytes a header takes on the wire.
    pub(crate) const fn size(len: u64, masked: bool) -> usize {
        match (len, masked) {
            (0..=125, false) => 2,
            (0..=125, true) => 6,
            (126..=0xffff, false) => 4,
            (126..=0xffff, true) => 8,
            (_, false) => 10,
            (_, true) => 14,
        }
    }
}

/// What a frame's first byte says.
#[derive(Clone, Copy)]
pub(crate) struct First {
    pub(crate) fin: bool,
    pub(crate) rsv: Rsv,
    pub(crate) opcode: Opcode,
}

/// What a connection in its present state demands of the next header, asked as soon as the byte is there.
pub(crate) trait Gate {
    /// Of the first byte: reserved bits and the order of fragments.
    fn first(&self, first: First) -> Result<(), Rule>;
    /// Of the mask bit.
    fn masked(&self, masked: bool) -> Result<(), Rule>;
    /// Whether lengths must have their shortest form.
    fn minimal(&self) -> bool;
    /// Of the length, before anything is reserved.
    fn length(&self, first: First, len: u64) -> Result<(), Rule>;
}

/// Why there is no header.
pub(crate) enum Stop {
    /// The bytes end inside it.
    Incomplete,
    /// `bytes[at]` proves that the rule is broken.
    Fault { rule: Rule, at: usize },
}

/// The header at the front of `bytes` and its length, each demand checked at the earliest byte that can prove its
/// breach (W14), so that a header that came in pieces fails where a whole one does.
#[inline(always)]
pub(crate) fn parse(bytes: &[u8], gate: &impl Gate) -> Result<(FrameHeader, usize), Stop> {
    let fault = |at| move |rule| Stop::Fault { rule, at };

    let (&byte, rest) = bytes.split_first().ok_or(Stop::Incomplete)?;
    // "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_" (§5.2, W13).
    let opcode = Opcode::from_bits(byte).ok_or(Stop::Fault { rule: Rule::ReservedOpcode, at: 0 })?;
    let first = First { fin: byte & 0x80 != 0, rsv: Rsv::from_bits(byte), opcode };
    gate.first(first).map_err(fault(0))?;
    // "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented" (§5.5, W22).
    if opcode.is_control() && !first.fin {
        return Err(fault(0)(Rule::FragmentedControl));
    }

    let (&byte, rest) = rest.split_first().ok_or(Stop::Incomplete)?;
    let masked = byte & 0x80 != 0;
    gate.masked(masked).map_err(fault(1))?;
    let short = byte & 0x7f;
    if opcode.is_control() && short > 125 {
        return Err(fault(1)(Rule::ControlTooLong)); // W21
    }

    // "the minimal number of bytes MUST be used to encode the length" (§5.2, W2, W3).
    let (len, rest, at) = match short {
        126 => {
            let (len, rest) = rest.split_first_chunk().ok_or(Stop::Incomplete)?;
            let len = u64::from(u16::from_be_bytes(*len)); // W6
            if len < 126 && gate.minimal() {
                return Err(fault(3)(Rule::NonMinimalLength16));
            }
            (len, rest, 3)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk().ok_or(Stop::Incomplete)?;
            let len = u64::from_be_bytes(*len);
            // "the most significant bit MUST be 0" (§5.2, W1).
            if len >> 63 != 0 {
                return Err(fault(9)(Rule::LengthTopBit));
            }
            if len < 65_536 && gate.minimal() {
                return Err(fault(9)(Rule::NonMinimalLength64));
            }
            (len, rest, 9)
        }
        _ => (u64::from(short), rest, 1),
    };
    gate.length(first, len).map_err(fault(at))?;

    let (mask, rest) = match masked {
        false => (None, rest),
        true => {
            let (key, rest) = rest.split_first_chunk().ok_or(Stop::Incomplete)?;
            (Some(*key), rest)
        }
    };
    let header = FrameHeader { fin: first.fin, rsv: first.rsv, opcode, mask, len };
    Ok((header, bytes.len().saturating_sub(rest.len())))
}

/// The gate that demands nothing: a header outside any connection.
struct Any;

impl Gate for Any {
    fn first(&self, _: First) -> Result<(), Rule> {
        Ok(())
    }

    fn masked(&self, _: bool) -> Result<(), Rule> {
        Ok(())
    }

    fn minimal(&self) -> bool {
        true
    }

    fn length(&self, _: First, _: u64) -> Result<(), Rule> {
        Ok(())
    }
}
