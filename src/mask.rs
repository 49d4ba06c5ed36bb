//! Masking (RFC 6455 §5.3): `transformed[i] = original[i] XOR key[i MOD 4]`, its own inverse.

mod kernel;
mod key;
mod simd;
mod small;

pub use self::key::MaskKey;
pub(crate) use self::key::advance;
use self::{
    kernel::{SHORT, Words},
    simd::Base,
};

/// Masks or unmasks `payload` in place. Its first byte meets the first byte of `key`.
///
/// Returns the key for the byte that follows, so that a payload in pieces keeps its phase (RFC 6455 §5.3: the index
/// runs over the payload, not over the piece; W16). Never panics.
///
/// ```
/// // The RFC's own example, §5.7: a masked "Hello".
/// let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let (head, tail) = payload.split_at_mut(3);
/// let key = websocket_proto::mask([0x37, 0xfa, 0x21, 0x3d], head);
/// websocket_proto::mask(key, tail);
/// assert_eq!(&payload, b"Hello");
/// ```
#[inline]
pub fn mask(key: MaskKey, payload: &mut [u8]) -> MaskKey {
    if !cfg!(feature = "fast") {
        small::mask(key, payload);
    } else if payload.len() > SHORT {
        mask_long(key, payload);
    } else {
        mask_short(key, payload, false);
    }
    advance(key, payload.len())
}

/// Masks or unmasks `payload` in place. True: what came of it is ASCII, so that text needs no second look.
pub(crate) fn mask_ascii(key: MaskKey, payload: &mut [u8]) -> bool {
    if !cfg!(feature = "fast") {
        return small::mask(key, payload);
    }
    if payload.len() > SHORT {
        return mask_long(key, payload);
    }
    let ascii = mask_short(key, payload, true);
    if !ascii {
        mask_short(key, payload, false);
    }
    ascii
}

/// Masks `from` while copying it to `to`, which is as long. Returns the key for the byte that follows.
#[inline]
pub(crate) fn mask_copy(key: MaskKey, from: &[u8], to: &mut [u8]) -> MaskKey {
    if cfg!(feature = "fast") {
        simd::mask_copy(key, from, to)
    } else {
        small::mask_copy(key, from, to)
    }
    advance(key, from.len())
}

/// Appends `head` to `to`, and `from` behind it, masked while it is copied if there is a key.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn append(head: &[u8], key: Option<MaskKey>, from: &[u8], to: &mut alloc::vec::Vec<u8>) {
    if cfg!(feature = "fast") {
        simd::append(head, key, from, to);
    } else {
        small::append(head, key, from, to);
    }
}

/// [`mask_ascii`] of more than [`SHORT`] bytes.
#[inline(never)]
pub(crate) fn mask_long(key: MaskKey, payload: &mut [u8]) -> bool {
    simd::mask(key, payload)
}

/// Masks or unmasks at most [`SHORT`] bytes in place, or with `ascii` only if ASCII comes of them. False: nothing was
/// changed.
#[inline(always)]
pub(crate) fn mask_short(key: MaskKey, payload: &mut [u8], ascii: bool) -> bool {
    match payload.len() {
        65.. => kernel::overlapped::<16, 4, _>(Base, key, payload, ascii),
        33.. => kernel::overlapped::<16, 2, _>(Base, key, payload, ascii),
        16.. => kernel::overlapped::<16, 1, _>(Base, key, payload, ascii),
        8.. => kernel::overlapped::<8, 1, _>(Words, key, payload, ascii),
        4.. => kernel::overlapped::<4, 1, _>(Words, key, payload, ascii),
        _ => kernel::few(key, payload, ascii),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    const KEY: MaskKey = [0x37, 0xfa, 0x21, 0x3d];

    /// A loop over single bytes.
    fn naive(payload: &[u8]) -> Vec<u8> {
        payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    }

    /// Every kernel that this CPU has, at lengths around each of its steps, wherever the payload lies: the bytes, the
    /// verdict, and nothing beside the payload touched.
    #[test]
    fn kernels_do_what_a_loop_over_bytes_does() {
        let mut kernels: Vec<simd::Kernel> = Vec::new();
        simd::kernels(&mut |kernel| kernels.push(kernel));
        let chosen: simd::Kernel = ("chosen", mask_ascii, |key, from, to| {
            mask_copy(key, from, to);
        });
        for len in (0..300).chain([511, 512, 513, 575, 576, 577, 1000, 1023, 1024, 1087, 1151]) {
            for offset in (0..64).step_by(if len < 300 { 7 } else { 1 }) {
                let ascii = std::vec![b'a'; len];
                let spoilt = [0, 1, len / 2, len.saturating_sub(17), len.saturating_sub(1)];
                for spoilt in spoilt.into_iter().map(Some).chain([None]) {
                    let mut payload = ascii.clone();
                    let mut is_ascii = true;
                    if let Some(byte) = spoilt.and_then(|at| payload.get_mut(at)) {
                        *byte = 0x80;
                        is_ascii = false;
                    }
                    let masked = naive(&payload);
                    let memory = |middle: &[u8]| [&std::vec![0xee; offset][..], middle, &[0xee; 80]].concat();
                    let long = if len > SHORT { &kernels[..] } else { &[] };
                    for (name, in_place, copy) in long.iter().chain([&chosen]) {
                        let what = (name, len, offset, spoilt);
                        let mut actual = memory(&masked);
                        let verdict = in_place(KEY, actual.get_mut(offset..offset + len).unwrap_or_default());
                        assert_eq!(verdict, is_ascii, "{what:?}");
                        assert_eq!(actual, memory(&payload), "{what:?}");
                        // A byte that is not written shows: the place is filled with what it does not become.
                        let filled: Vec<u8> = masked.iter().map(|byte| !byte).collect();
                        let mut actual = memory(&filled);
                        copy(KEY, &payload, actual.get_mut(offset..offset + len).unwrap_or_default());
                        assert_eq!(actual, memory(&masked), "{what:?}");
                    }
                }
            }
        }
    }
}
