//! Whole frames into an output, or nothing.

use super::header::FrameHeader;
use crate::bytes::{Body, Output};

/// Puts a frame's header and all of its payload out, masked as the header says. False: there is no room.
pub(crate) fn frame(header: FrameHeader, payload: &[u8], out: &mut (impl Output + ?Sized)) -> bool {
    let body = match header.mask {
        None => Body::plain(payload),
        Some(key) => Body::masked(payload, key),
    };
    header.encode().is_some_and(|head| out.put(&head, body))
}

/// Puts a frame's header out; its payload is owed.
pub(crate) fn header_only(header: FrameHeader, out: &mut (impl Output + ?Sized)) -> bool {
    header.encode().is_some_and(|head| out.put(&head, Body::plain(&[])))
}
