//! DEFLATE (RFC 1951) written by hand: blocks with the literals and distances that a test chooses.

/// A stream of bits, the lowest of a byte first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are written; 0 is all.
    used: u32,
}

/// Base length and extra bits of the codes 257 to 285 (RFC 1951 §3.2.5).
const LENGTHS: [(u16, u32); 29] = {
    let mut lengths = [(0, 0); 29];
    let (mut at, mut base) = (0, 3);
    while at < 28 {
        let extra = if at < 8 { 0 } else { at as u32 / 4 - 1 };
        lengths[at] = (base, extra);
        base += 1 << extra;
        at += 1;
    }
    lengths[28] = (258, 0);
    lengths
};

/// Base distance and extra bits of the 30 codes.
const DISTANCES: [(u32, u32); 30] = {
    let mut distances = [(0, 0); 30];
    let (mut at, mut base) = (0, 1);
    while at < 30 {
        let extra = if at < 4 { 0 } else { at as u32 / 2 - 1 };
        distances[at] = (base, extra);
        base += 1 << extra;
        at += 1;
    }
    distances
};

impl Bits {
    /// `count` bits of a number.
    pub(crate) fn number(mut self, value: u32, count: u32) -> Self {
        for at in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= (((value >> at) & 1) as u8) << self.used;
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// A code, its highest bit first.
    fn code(self, value: u32, count: u32) -> Self {
        self.number(value.reverse_bits() >> (32 - count), count)
    }

    fn pad(mut self) -> Self {
        self.used = 0;
        self
    }

    /// Begins a block with the fixed codes.
    pub(crate) fn fixed(self, last: bool) -> Self {
        self.number(u32::from(last), 1).number(1, 2)
    }

    /// A literal, the end (256) or a length's code of the fixed codes, also those that must not occur.
    pub(crate) fn symbol(self, symbol: u32) -> Self {
        match symbol {
            0..=143 => self.code(0x30 + symbol, 8),
            144..=255 => self.code(0x190 + symbol - 144, 9),
            256..=279 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    pub(crate) fn literals(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |bits, &byte| bits.symbol(byte.into()))
    }

    /// `len` bytes from `distance` bytes ago.
    pub(crate) fn copy(self, len: u16, distance: u32) -> Self {
        let at = LENGTHS.iter().rposition(|&(base, _)| base <= len).unwrap();
        let (base, extra) = LENGTHS[at];
        let bits = self.symbol(257 + at as u32).number((len - base).into(), extra);
        let at = DISTANCES.iter().rposition(|&(base, _)| base <= distance).unwrap();
        let (base, extra) = DISTANCES[at];
        bits.distance_code(at as u32).number(distance - base, extra)
    }

    pub(crate) fn distance_code(self, code: u32) -> Self {
        self.code(code, 5)
    }

    pub(crate) fn end(self) -> Self {
        self.symbol(256)
    }

    /// A stored block.
    pub(crate) fn stored(self, last: bool, bytes: &[u8]) -> Self {
        let len = u16::try_from(bytes.len()).unwrap();
        let mut bits = self.number(u32::from(last), 3).pad();
        bits.bytes.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
        bits.bytes.extend(bytes);
        bits
    }

    /// Stored blocks, as many as it takes.
    pub(crate) fn all_stored(self, bytes: &[u8]) -> Self {
        bytes.chunks(0xffff).fold(self, |bits, chunk| bits.stored(false, chunk))
    }

    /// A fixed block of literals.
    pub(crate) fn block(self, last: bool, bytes: &[u8]) -> Self {
        self.fixed(last).literals(bytes).end()
    }

    /// The message: an empty stored block without its four bytes, the tail (RFC 7692 §7.2.1).
    pub(crate) fn message(self) -> Vec<u8> {
        self.number(0, 3).pad().bytes
    }

    /// The bytes as they are.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

pub(crate) fn bits() -> Bits {
    Bits::default()
}

/// "Hello" in a final block and in another one, the latter as a message.
#[test]
fn the_specification_s_bytes() {
    assert_eq!(bits().block(false, b"Hello").message(), [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    assert_eq!(bits().block(true, b"Hello").bytes(), [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    // §7.2.3.2 and 3.
    assert_eq!(bits().fixed(false).symbol(72).copy(4, 5).end().message(), [0xf2, 0x00, 0x11, 0x00, 0x00]);
    assert_eq!(bits().stored(false, b"Hello").message(), b"\x00\x05\x00\xfa\xffHello\x00");
}
