//! A naive reading of compressed messages (RFC 7692 §7.2.2, RFC 1951): a whole message at once, bit by bit, without a
//! look at the crate or at zlib. And blocks written by hand, which no compressor would make.

use arbitrary::Unstructured;

use crate::support::{byte, piece, short};

const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Why a message is none (W132).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is cut off: with the tail behind it, it does not end in an empty stored block whose length is the tail.
    CutOff,
    Corrupt,
    /// A code that is not complete, which RFC 1951 does not forbid: zlib and whoever follows it do, some of them when a
    /// symbol is missing.
    Incomplete,
}

/// A message, read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// What was made before the fault, or up to a byte beyond the limit.
    pub(crate) made: Vec<u8>,
    pub(crate) fault: Option<Fault>,
}

/// Reads a message. `history`: what earlier messages made; `window`: how far distances reach back; no more is made than
/// one byte beyond `limit`.
pub(crate) fn read(history: &[u8], window: usize, payload: &[u8], limit: usize) -> Reading {
    let bytes = [payload, &TAIL].concat();
    let made = Vec::new();
    let mut reader = Reader { bytes: &bytes, at: 0, end: payload.len(), history, window, limit, made };
    let fault = loop {
        // "bytes in all: zero" read as an empty message (W130).
        if payload.is_empty() {
            break None;
        }
        match reader.block() {
            Ok(Next::Block) => {}
            Ok(Next::Final) => {
                reader.at = reader.at.next_multiple_of(8);
                if reader.at == 8 * payload.len() {
                    break None;
                }
            }
            Ok(Next::Tail) => break None,
            Err(Stop::Limit) => break None,
            // What is wrong with the tail's bits only tells that the message ended too early.
            Err(Stop::Fault(_)) if reader.at > 8 * payload.len() => break Some(Fault::CutOff),
            Err(Stop::Fault(fault)) => break Some(fault),
        }
    };
    Reading { made: reader.made, fault }
}

enum Next {
    Block,
    Final,
    /// The empty stored block that the tail completes.
    Tail,
}

enum Stop {
    Fault(Fault),
    Limit,
}

const CORRUPT: Stop = Stop::Fault(Fault::Corrupt);

struct Reader<'m> {
    bytes: &'m [u8],
    /// In bits.
    at: usize,
    /// Where the tail begins, in bytes.
    end: usize,
    history: &'m [u8],
    window: usize,
    limit: usize,
    made: Vec<u8>,
}

/// The codes of an alphabet: symbols with their lengths and codes (RFC 1951 §3.2.2).
struct Codes(Vec<(u8, u16, u16)>);

impl Codes {
    fn new(lengths: &[u8]) -> Result<Self, Stop> {
        let mut codes = Vec::new();
        let mut code = 0_u32;
        for len in 1..=15 {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, of)| **of == len) {
                if code >= 1 << len {
                    return Err(CORRUPT);
                }
                codes.push((len, code as u16, symbol as u16));
                code += 1;
            }
            code <<= 1;
        }
        // "If only one distance code is used, it is encoded using one bit, not zero bits".
        let complete = code == 1 << 16 || codes.is_empty() || (codes.len() == 1 && codes[0].0 == 1);
        if complete { Ok(Self(codes)) } else { Err(Stop::Fault(Fault::Incomplete)) }
    }
}

impl Reader<'_> {
    fn bit(&mut self) -> Result<u32, Stop> {
        let byte = self.bytes.get(self.at / 8).ok_or(Stop::Fault(Fault::CutOff))?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Ok(bit.into())
    }

    fn bits(&mut self, n: u8) -> Result<u32, Stop> {
        (0..n).try_fold(0, |sum, i| Ok(sum | self.bit()? << i))
    }

    fn symbol(&mut self, codes: &Codes) -> Result<usize, Stop> {
        let mut code = 0;
        for len in 1..=15 {
            code = code << 1 | self.bit()? as u16;
            if let Some(found) = codes.0.iter().find(|(l, c, _)| (*l, *c) == (len, code)) {
                return Ok(found.2.into());
            }
        }
        Err(CORRUPT)
    }

    fn block(&mut self) -> Result<Next, Stop> {
        let is_final = self.bit()? == 1;
        match self.bits(2)? {
            0 => {
                self.at = self.at.next_multiple_of(8);
                let at_tail = self.at == 8 * self.end;
                let len = self.bits(16)?;
                if self.bits(16)? ^ len != 0xffff {
                    // The length may begin in the message and end in the tail.
                    return Err(CORRUPT);
                }
                if at_tail && len == 0 {
                    return Ok(Next::Tail);
                }
                for _ in 0..len {
                    let byte = self.bits(8)? as u8;
                    self.make(byte)?;
                }
            }
            1 => {
                let lengths: Vec<u8> = [(8, 144), (9, 112), (7, 24), (8, 8)]
                    .into_iter()
                    .flat_map(|(len, n)| std::iter::repeat_n(len, n))
                    .collect();
                self.symbols(&Codes::new(&lengths)?, &Codes::new(&[5; 32])?)?;
            }
            2 => {
                let (literals, distances) = self.codes()?;
                self.symbols(&literals, &distances)?;
            }
            _ => return Err(CORRUPT),
        }
        // What the tail completes otherwise was cut off before it.
        if self.at > 8 * self.end {
            return Err(Stop::Fault(Fault::CutOff));
        }
        Ok(if is_final { Next::Final } else { Next::Block })
    }

    fn codes(&mut self) -> Result<(Codes, Codes), Stop> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let literals = 257 + self.bits(5)? as usize;
        let distances = 1 + self.bits(5)? as usize;
        let n = 4 + self.bits(4)? as usize;
        if literals > 286 || distances > 30 {
            return Err(CORRUPT);
        }
        let mut lengths = [0; 19];
        for at in &ORDER[..n] {
            lengths[*at] = self.bits(3)? as u8;
        }
        let codes = Codes::new(&lengths)?;
        if codes.0.len() < 2 {
            return Err(Stop::Fault(Fault::Incomplete));
        }
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (len, times) = match self.symbol(&codes)? {
                16 => (*lengths.last().ok_or(CORRUPT)?, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                len => (len as u8, 1),
            };
            lengths.extend(std::iter::repeat_n(len, times as usize));
        }
        if lengths.len() > literals + distances {
            return Err(CORRUPT);
        }
        if lengths[256] == 0 {
            return Err(Stop::Fault(Fault::Incomplete));
        }
        Ok((Codes::new(&lengths[..literals])?, Codes::new(&lengths[literals..])?))
    }

    fn symbols(&mut self, literals: &Codes, distances: &Codes) -> Result<(), Stop> {
        loop {
            match self.symbol(literals)? {
                literal @ 0..=255 => self.make(literal as u8)?,
                256 => return Ok(()),
                symbol @ 257..=285 => {
                    let (extra, base) = LENGTHS[symbol - 257];
                    let len = base + self.bits(extra)?;
                    let symbol = self.symbol(distances)?;
                    let (extra, base) = distance(symbol).ok_or(CORRUPT)?;
                    let back = base + self.bits(extra)? as usize;
                    if back > self.window || back > self.history.len() + self.made.len() {
                        return Err(CORRUPT); // W140
                    }
                    for _ in 0..len {
                        let byte = match self.made.len().checked_sub(back) {
                            Some(at) => self.made[at],
                            None => self.history[self.history.len() + self.made.len() - back],
                        };
                        self.make(byte)?;
                    }
                }
                _ => return Err(CORRUPT),
            }
        }
    }

    fn make(&mut self, byte: u8) -> Result<(), Stop> {
        // Nothing is made of the tail's bits.
        if self.at > 8 * self.end {
            return Err(Stop::Fault(Fault::CutOff));
        }
        self.made.push(byte);
        if self.made.len() > self.limit { Err(Stop::Limit) } else { Ok(()) }
    }
}

/// RFC 1951 §3.2.5: the extra bits and the least length of codes 257 to 285.
const LENGTHS: [(u8, u32); 29] = [
    (0, 3),
    (0, 4),
    (0, 5),
    (0, 6),
    (0, 7),
    (0, 8),
    (0, 9),
    (0, 10),
    (1, 11),
    (1, 13),
    (1, 15),
    (1, 17),
    (2, 19),
    (2, 23),
    (2, 27),
    (2, 31),
    (3, 35),
    (3, 43),
    (3, 51),
    (3, 59),
    (4, 67),
    (4, 83),
    (4, 99),
    (4, 115),
    (5, 131),
    (5, 163),
    (5, 195),
    (5, 227),
    (0, 258),
];

/// The extra bits and the least distance of a code.
fn distance(symbol: usize) -> Option<(u8, usize)> {
    match symbol {
        0..4 => Some((0, symbol + 1)),
        4..30 => {
            let extra = symbol / 2 - 1;
            Some((extra as u8, ((2 + symbol % 2) << extra) + 1))
        }
        _ => None,
    }
}

/// Blocks written by hand: fixed codes and stored bytes.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// In bits.
    len: usize,
}

impl Bits {
    fn put(&mut self, value: usize, n: u8) {
        for i in 0..n {
            if self.len.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().expect("one was pushed") |= ((value >> i & 1) as u8) << (self.len % 8);
            self.len += 1;
        }
    }

    /// A code goes in with its first bit first.
    fn code(&mut self, code: usize, n: u8) {
        for i in (0..n).rev() {
            self.put(code >> i, 1);
        }
    }

    fn literal(&mut self, symbol: usize) {
        match symbol {
            0..144 => self.code(0x30 + symbol, 8),
            144..256 => self.code(0x190 + symbol - 144, 9),
            256..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    fn copy(&mut self, len: usize, back: usize) {
        let at = LENGTHS.iter().rposition(|(_, base)| *base as usize <= len).unwrap_or(0);
        let (extra, base) = LENGTHS[at];
        self.literal(257 + at);
        self.put(len - base as usize, extra);
        let symbol = (0..30).rfind(|symbol| distance(*symbol).is_some_and(|(_, base)| base <= back));
        let symbol = symbol.unwrap_or(0);
        let (extra, base) = distance(symbol).expect("it is one");
        self.code(symbol, 5);
        self.put(back - base, extra);
    }

    fn pad(&mut self) {
        self.len = self.len.next_multiple_of(8);
    }
}

/// A message of blocks as the input has them: literals, distances near a window's edge, blocks final or not, stored ones,
/// codes that there are not; ended as it should, by a final block, or not at all.
pub(crate) fn written(u: &mut Unstructured<'_>, window: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    let mut open = false;
    let ops = byte(u);
    for _ in 0..ops & 0x3f {
        let op = byte(u);
        if !open && op & 7 != 7 {
            bits.put(usize::from(op >> 7), 1);
            bits.put(1, 2);
            open = true;
        }
        match op & 7 {
            0 | 1 => bits.literal(byte(u).into()),
            2 => piece(u, usize::from(op >> 3)).iter().for_each(|c| bits.literal((*c).into())),
            3 => bits.copy(3 + usize::from(byte(u)), 1 + usize::from(op >> 3)),
            4 => bits.copy(3 + usize::from(byte(u)), 1 + short(u) % (1 << 15)),
            5 => bits.copy(258, (window + usize::from(op >> 3)).clamp(17, (1 << 15) + 16) - 16),
            6 => {
                bits.literal(256);
                if op & 8 != 0 {
                    bits.pad();
                }
                open = false;
            }
            _ => {
                if open {
                    bits.literal(256);
                }
                open = false;
                bits.put(usize::from(op >> 7), 1);
                bits.put(usize::from(op >> 6 & 1) * 3, 2);
                bits.pad();
                let stored = piece(u, usize::from(op >> 3 & 7)).to_vec();
                bits.put(stored.len(), 16);
                bits.put(!stored.len(), 16);
                stored.iter().for_each(|c| bits.put((*c).into(), 8));
            }
        }
    }
    if ops & 0xc0 != 0xc0 {
        if open {
            bits.literal(256);
        }
        if ops & 0xc0 != 0x80 {
            bits.put(usize::from(ops >> 6), 3);
        }
    }
    bits.bytes
}
