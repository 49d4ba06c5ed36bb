//! The straight path: what is common, there as a whole, and has no fault. Everything else, faults above all, goes the
//! general way, on which the same bytes give the same events.

use super::header::FrameHeader;
use crate::{
    bytes::Input,
    mask::{MaskKey, mask_long, mask_short},
    opcode::{Kind, Opcode},
    utf8,
};

/// Whether `bytes` begin with a message in one frame without reserved bits, and what its length of seven bits is: more
/// than 127 if the mask bit is not as the role has it.
#[inline(always)]
pub(crate) fn message(bytes: &[u8], masked: bool) -> Option<(Kind, u8)> {
    let &[first, second, ..] = bytes else { return None };
    // FIN alone, and the opcode of a message.
    let kind = match first {
        0x81 => Kind::Text,
        0x82 => Kind::Binary,
        _ => return None,
    };
    Some((kind, length_field(second, masked)))
}

/// Takes the frame of a [`message`], binary or ASCII, with a length of seven bits off the front of `input`, its payload
/// unmasked. `None`: nothing was taken, and every byte is as it came.
#[inline(always)]
pub(crate) fn short<'b>(input: &mut Input<'b>, masked: bool, kind: Kind, len: u8) -> Option<&'b mut [u8]> {
    let bytes = input.as_mut_slice();
    let size = FrameHeader::short(masked).saturating_add(usize::from(len));
    let (_, rest) = bytes.get_mut(..size)?.split_at_mut_checked(2)?;
    let sound = if masked {
        let (&mut key, payload) = rest.split_first_chunk_mut()?;
        mask_short(key, payload, kind == Kind::Text)
    } else {
        // A key of zeros changes nothing, and the look at the text is the same.
        kind == Kind::Binary || mask_short([0; 4], rest, true)
    };
    if sound { input.split(size) } else { None }
}

/// The same with a length of 16 bits, at most `most`, and for any text.
#[inline(always)]
pub(crate) fn medium<'b>(input: &mut Input<'b>, masked: bool, kind: Kind, most: u64) -> Option<&'b mut [u8]> {
    let bytes = input.as_mut_slice();
    let &mut [_, _, high, low, ..] = bytes else { return None };
    let len = u16::from_be_bytes([high, low]);
    if len < 126 || u64::from(len) > most {
        return None;
    }
    let size = FrameHeader::short(masked).saturating_add(2).saturating_add(usize::from(len));
    let (_, rest) = bytes.get_mut(..size)?.split_at_mut_checked(4)?;
    if masked {
        let (&mut key, payload) = rest.split_first_chunk_mut()?;
        if !mask_long(key, payload) && kind == Kind::Text && !is_text(key, payload) {
            return None;
        }
    } else if kind == Kind::Text && !utf8::is_valid(rest) {
        return None;
    }
    input.split(size)
}

/// Takes a ping or a pong that is there as a whole and without reserved bits off the front of `input`, its payload
/// unmasked. `None`: nothing was taken, and every byte is as it came.
#[inline(always)]
pub(crate) fn control<'b>(input: &mut Input<'b>, masked: bool) -> Option<(Opcode, &'b mut [u8])> {
    let &[first, second, ..] = input.as_slice() else { return None };
    let opcode = match first {
        0x89 => Opcode::Ping,
        0x8a => Opcode::Pong,
        _ => return None,
    };
    let len = length_field(second, masked);
    let header = FrameHeader::short(masked);
    let size = header.saturating_add(usize::from(len));
    if len > 125 || input.len() < size {
        return None;
    }
    let payload = input.split(size)?.get_mut(2..)?;
    if !masked {
        return Some((opcode, payload));
    }
    let (&mut key, payload) = payload.split_first_chunk_mut()?;
    mask_short(key, payload, false);
    Some((opcode, payload))
}

/// The length of seven bits, more than 127 if the mask bit is not as the role has it.
#[inline(always)]
fn length_field(second: u8, masked: bool) -> u8 {
    if masked { second ^ 0x80 } else { second }
}

/// Whether an unmasked payload is UTF-8. False: it is masked again.
#[inline(never)]
fn is_text(key: MaskKey, payload: &mut [u8]) -> bool {
    let valid = utf8::is_valid(payload);
    if !valid {
        mask_long(key, payload);
    }
    valid
}

/// A data frame's header.
pub(crate) struct DataHeader {
    pub(crate) opcode: Opcode,
    /// FIN where it stands in the first byte.
    pub(crate) fin: u8,
    pub(crate) len: u64,
    pub(crate) key: MaskKey,
    /// How many bytes it takes itself.
    pub(crate) size: usize,
}

/// The header of a data frame without reserved bits at the front of `bytes`, of which more are there than it can have.
/// `None`: it is another.
#[inline(always)]
pub(crate) fn data_header(bytes: &[u8], masked: bool) -> Option<DataHeader> {
    let head: &[u8; FrameHeader::MAX] = bytes.first_chunk()?;
    let &[first, second, long @ ..] = head;
    let opcode = match first & 0x7f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        _ => return None,
    };
    let short = length_field(second, masked);
    let (len, size) = match short {
        ..=125 => (u64::from(short), 2_usize),
        126 => match u64::from(u16::from_be_bytes(*long.first_chunk()?)) {
            len @ 126.. => (len, 4),
            _ => return None,
        },
        127 => match u64::from_be_bytes(*long.first_chunk()?) {
            len @ 0x1_0000..0x8000_0000_0000_0000 => (len, 10),
            _ => return None,
        },
        _ => return None,
    };
    let (key, size) = match masked {
        true => (*head.get(size..)?.first_chunk()?, size.saturating_add(4)),
        false => ([0; 4], size),
    };
    Some(DataHeader { opcode, fin: first & 0x80, len, key, size })
}
