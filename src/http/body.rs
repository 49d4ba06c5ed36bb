//! The body of a response that is no 101 (RFC 9112 §6), as much of it as the caller's memory holds.

use super::{fields::Field, head::Head, list::lists};
use crate::bytes::{Input, copy_at};

/// How the rest of a body is framed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunk),
    /// It lasts until the stream ends.
    UntilEnd,
    /// Nothing more is read: it is complete, cut off by the memory, or framed wrongly.
    Done,
}

/// Where in a chunk the next byte stands (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunk {
    Size(u64),
    /// Behind the digits, up to the line's end.
    Extension(u64),
    Data(u64),
    /// The line's end behind the data.
    DataEnd,
    /// Trailer fields, up to an empty line; `true`: the line has bytes.
    Trailer(bool),
}

impl Framing {
    /// What a head announces (RFC 9112 §6.3).
    pub(crate) fn new(status: u16, head: Head<'_>) -> Self {
        if matches!(status, 204 | 304) {
            return Self::Done;
        }
        if let Some(coding) = head.all(Field::TransferEncoding).last() {
            return if lists(coding, "chunked") { Self::Chunked(Chunk::Size(0)) } else { Self::UntilEnd };
        }
        match head.first(Field::ContentLength).and_then(digits) {
            Some(0) => Self::Done,
            Some(len) => Self::Length(len),
            None => Self::UntilEnd,
        }
    }

    /// Takes what there is of the body off `input` to `memory[*filled..]`.
    pub(crate) fn take(&mut self, input: &mut Input<'_>, memory: &mut [u8], filled: &mut usize) {
        while !input.is_empty() {
            let room = memory.len().saturating_sub(*filled);
            let most = match *self {
                Self::Length(left) | Self::Chunked(Chunk::Data(left)) => {
                    usize::try_from(left).unwrap_or(usize::MAX)
                }
                Self::UntilEnd => usize::MAX,
                Self::Chunked(chunk) => {
                    let byte = input.take(1).first().copied().unwrap_or_default();
                    *self = chunk.next(byte);
                    continue;
                }
                Self::Done => return,
            };
            if room == 0 {
                *self = Self::Done;
                return;
            }
            let piece = input.take(most.min(room));
            copy_at(memory, *filled, piece);
            *filled = filled.saturating_add(piece.len());
            self.advance(piece.len() as u64);
        }
    }

    fn advance(&mut self, n: u64) {
        match self {
            Self::Length(left) => {
                *left = left.saturating_sub(n);
                if *left == 0 {
                    *self = Self::Done;
                }
            }
            Self::Chunked(Chunk::Data(left)) => {
                *left = left.saturating_sub(n);
                if *left == 0 {
                    *self = Self::Chunked(Chunk::DataEnd);
                }
            }
            Self::Chunked(_) | Self::UntilEnd | Self::Done => {}
        }
    }
}

impl Chunk {
    fn next(self, byte: u8) -> Framing {
        let digit = match byte {
            b'0'..=b'9' => Some(byte & 0x0f),
            b'a'..=b'f' | b'A'..=b'F' => Some((byte & 0x0f).saturating_add(9)),
            _ => None,
        };
        Framing::Chunked(match (self, byte, digit) {
            (Self::Size(size), _, Some(digit)) => match size.checked_mul(16) {
                Some(size) => Self::Size(size | u64::from(digit)),
                None => return Framing::Done,
            },
            (Self::Size(0) | Self::Extension(0), b'\n', _) => Self::Trailer(false),
            (Self::Size(size) | Self::Extension(size), b'\n', _) => Self::Data(size),
            (Self::Size(size), b'\r' | b';' | b' ' | b'\t', _) | (Self::Extension(size), _, _) => {
                Self::Extension(size)
            }
            (Self::DataEnd, b'\n', _) => Self::Size(0),
            (Self::DataEnd, b'\r', _) => Self::DataEnd,
            (Self::Trailer(false), b'\n', _) => return Framing::Done,
            (Self::Trailer(true), b'\n', _) => Self::Trailer(false),
            (Self::Trailer(line), b'\r', _) => Self::Trailer(line),
            (Self::Trailer(_), _, _) => Self::Trailer(true),
            (Self::Size(_) | Self::DataEnd | Self::Data(_), _, _) => return Framing::Done,
        })
    }
}

/// A decimal number of digits alone.
fn digits(text: &[u8]) -> Option<u64> {
    let mut number = None;
    for byte in text {
        let digit = byte.is_ascii_digit().then_some(u64::from(byte & 0x0f))?;
        number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit)?);
    }
    number
}
