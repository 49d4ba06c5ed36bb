//! Masking in little code: a word at a time, in a hundred bytes.

use super::key::MaskKey;

/// Masks a payload in place. True: it is ASCII now.
pub(super) fn mask(key: MaskKey, payload: &mut [u8]) -> bool {
    let (words, few) = payload.as_chunks_mut();
    let mut seen = 0;
    for word in words {
        let masked = u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key);
        seen |= masked;
        *word = masked.to_ne_bytes();
    }
    for (byte, key) in few.iter_mut().zip(key) {
        *byte ^= key;
        seen |= u32::from(*byte);
    }
    seen & 0x8080_8080 == 0
}

/// Masks `from` while copying it to `to`, which is as long.
pub(super) fn mask_copy(key: MaskKey, from: &[u8], to: &mut [u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    mask(key, to);
}

/// Appends `head` to `to`, and `from` behind it, masked if there is a key.
#[cfg(feature = "alloc")]
pub(super) fn append(head: &[u8], key: Option<MaskKey>, from: &[u8], to: &mut alloc::vec::Vec<u8>) {
    to.reserve(head.len().saturating_add(from.len()));
    to.extend_from_slice(head);
    let len = to.len();
    to.extend_from_slice(from);
    if let Some(key) = key {
        mask(key, to.get_mut(len..).unwrap_or_default());
    }
}
