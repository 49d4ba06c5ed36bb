//! Whole frames into an output, or nothing.

use super::header::FrameHeader;
use crate::{
    bytes::{Body, Output},
    mask::MaskKey,
    opcode::Opcode,
};

/// Puts a message out in one frame: [`frame`], with headers whose length the compiler knows.
#[inline(always)]
pub(crate) fn message(
    opcode: Opcode,
    key: Option<MaskKey>,
    payload: &[u8],
    out: &mut (impl Output + ?Sized),
) -> bool {
    let first = 0x80 | opcode as u8;
    let [.., high, low] = payload.len().to_be_bytes();
    match (key, payload.len()) {
        (None, ..126) => out.put(&[first, low], Body::plain(payload)),
        (None, ..=0xffff) => out.put(&[first, 126, high, low], Body::plain(payload)),
        (Some(key @ [a, b, c, d]), ..126) => {
            out.put(&[first, 0x80 | low, a, b, c, d], Body::masked(payload, key))
        }
        (Some(key @ [a, b, c, d]), ..=0xffff) => {
            out.put(&[first, 0xfe, high, low, a, b, c, d], Body::masked(payload, key))
        }
        (key, _) => long_message(first, key, payload, out),
    }
}

#[inline(never)]
fn long_message(first: u8, key: Option<MaskKey>, payload: &[u8], out: &mut (impl Output + ?Sized)) -> bool {
    match key {
        None => long_plain(first, payload.len() as u64, payload, out),
        Some(key @ [i, j, k, l]) => {
            let [a, b, c, d, e, f, g, h] = (payload.len() as u64).to_be_bytes();
            out.put(&[first, 0xff, a, b, c, d, e, f, g, h, i, j, k, l], Body::masked(payload, key))
        }
    }
}

/// Puts a frame's header and all of its payload out, masked as the header says. False: there is no room.
pub(crate) fn frame(header: FrameHeader, payload: &[u8], out: &mut (impl Output + ?Sized)) -> bool {
    let body = match header.mask {
        None => Body::plain(payload),
        Some(key) => Body::masked(payload, key),
    };
    header.encode().is_some_and(|head| out.put(&head, body))
}

/// Puts a header out of a server's message in one frame of more than 65,535 bytes, which are owed: [`header_only`].
#[inline(always)]
pub(crate) fn long_header(opcode: Opcode, len: u64, out: &mut (impl Output + ?Sized)) -> bool {
    long_plain(0x80 | opcode as u8, len, &[], out)
}

/// Puts a server's header of more than 65,535 bytes out, and as much of the payload as is `present`.
#[inline(always)]
fn long_plain(first: u8, len: u64, present: &[u8], out: &mut (impl Output + ?Sized)) -> bool {
    let [a, b, c, d, e, f, g, h] = len.to_be_bytes();
    out.put(&[first, 127, a, b, c, d, e, f, g, h], Body::plain(present))
}

/// Puts a frame's header out; its payload is owed.
pub(crate) fn header_only(header: FrameHeader, out: &mut (impl Output + ?Sized)) -> bool {
    header.encode().is_some_and(|head| out.put(&head, Body::plain(&[])))
}
