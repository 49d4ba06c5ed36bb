//! The loops, over vectors of N bytes of whichever kind.
//!
//! None is over single bytes, at any length: the first and the last vector of a payload are loaded before the others are
//! stored, and stored over them (W89).

use core::mem::MaybeUninit;

use super::key::{MaskKey, advance};

/// What a CPU does with N bytes at once. N divides by four, so a key has the same phase in each vector.
///
/// A value of it is the proof that the CPU can.
pub(super) trait Vectors<const N: usize>: Copy {
    type Vector: Copy;

    fn load(self, bytes: &[u8; N]) -> Self::Vector;
    fn store(self, vector: Self::Vector, bytes: &mut [u8; N]);
    /// The same where nothing was yet.
    fn write(self, vector: Self::Vector, bytes: &mut [MaybeUninit<u8>; N]);
    /// The key over and over.
    fn repeat(self, key: MaskKey) -> Self::Vector;
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn or(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Whether no byte has its high bit set.
    fn is_ascii(self, vector: Self::Vector) -> bool;
}

/// Words of the CPU: no vectors.
#[derive(Clone, Copy)]
pub(super) struct Words;

macro_rules! words {
    ($word:ty, $size:literal) => {
        impl Vectors<$size> for Words {
            type Vector = $word;

            #[inline(always)]
            fn load(self, bytes: &[u8; $size]) -> $word {
                <$word>::from_ne_bytes(*bytes)
            }

            #[inline(always)]
            fn store(self, vector: $word, bytes: &mut [u8; $size]) {
                *bytes = vector.to_ne_bytes();
            }

            #[inline(always)]
            fn write(self, vector: $word, bytes: &mut [MaybeUninit<u8>; $size]) {
                *bytes = vector.to_ne_bytes().map(MaybeUninit::new);
            }

            #[inline(always)]
            fn repeat(self, key: MaskKey) -> $word {
                let mut bytes = [0; $size];
                for chunk in bytes.as_chunks_mut::<4>().0 {
                    *chunk = key;
                }
                <$word>::from_ne_bytes(bytes)
            }

            #[inline(always)]
            fn xor(self, a: $word, b: $word) -> $word {
                a ^ b
            }

            #[inline(always)]
            fn or(self, a: $word, b: $word) -> $word {
                a | b
            }

            #[inline(always)]
            fn is_ascii(self, vector: $word) -> bool {
                vector & <$word>::from_ne_bytes([0x80; $size]) == 0
            }
        }
    };
}

words!(u32, 4);
words!(u64, 8);
words!(u128, 16);

/// Up to here, the longest with a length of seven bits, the choice of a wider vector costs more than it gains.
pub(super) const SHORT: usize = 125;

/// From here on it pays that no store lies across two lines of the cache.
const ALIGNED: usize = 512;

/// Masks fewer than four bytes, with `ascii` only if ASCII comes of them. False: nothing was changed.
#[inline(always)]
pub(super) fn few(key: MaskKey, payload: &mut [u8], ascii: bool) -> bool {
    let mut seen = 0;
    for (byte, key) in payload.iter().zip(key) {
        seen |= byte ^ key;
    }
    if ascii && seen >= 0x80 {
        return false;
    }
    for (byte, key) in payload.iter_mut().zip(key) {
        *byte ^= key;
    }
    true
}

/// Masks `N * K..=2 * N * K` bytes, as two groups of vectors that may overlap, with `ascii` only if ASCII comes of
/// them. False: nothing was changed.
#[inline(always)]
pub(super) fn overlapped<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    key: MaskKey,
    payload: &mut [u8],
    ascii: bool,
) -> bool {
    let Some(head) = front::<N, K>(payload) else { return false };
    let head = masked(v, v.repeat(key), head);
    let Some(tail) = back::<N, K>(payload) else { return false };
    let tail = masked(v, v.repeat(advance(key, payload.len())), tail);
    if ascii && !v.is_ascii(v.or(any(v, head), any(v, tail))) {
        return false;
    }
    if let Some(place) = payload.as_chunks_mut().0.first_chunk_mut() {
        store(v, head, place);
    }
    if let Some(place) = back_mut::<_, N, K>(payload) {
        store(v, tail, place);
    }
    true
}

/// Masks `N * K` bytes or more, in groups of K vectors. True: they are ASCII now.
#[inline(always)]
pub(super) fn many<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    key: MaskKey,
    payload: &mut [u8],
) -> bool {
    let Some(tail) = back::<N, K>(payload) else { return true };
    let tail = masked(v, v.repeat(advance(key, payload.len())), tail);
    let keys = v.repeat(key);
    let mut seen = any(v, tail);
    for group in payload.as_chunks_mut::<N>().0.as_chunks_mut::<K>().0 {
        let group_masked = masked(v, keys, group);
        store(v, group_masked, group);
        seen = v.or(seen, any(v, group_masked));
    }
    if let Some(place) = back_mut::<_, N, K>(payload) {
        store(v, tail, place);
    }
    v.is_ascii(seen)
}

/// The same, with aligned stores if there are many.
#[inline(always)]
pub(super) fn aligned<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    key: MaskKey,
    payload: &mut [u8],
) -> bool {
    let skip = payload.as_ptr().align_offset(N);
    if payload.len() < ALIGNED || skip == 0 {
        return many::<N, K, _>(v, key, payload);
    }
    let Some(head) = front::<N, 1>(payload) else { return true };
    let head = masked(v, v.repeat(key), head);
    let ascii = many::<N, K, _>(v, advance(key, skip), payload.get_mut(skip..).unwrap_or_default());
    if let Some(place) = payload.as_chunks_mut().0.first_chunk_mut() {
        store(v, head, place);
    }
    ascii && v.is_ascii(any(v, head))
}

/// Masks `from` while copying it to `to`, which is as long: `N * K` bytes or more, in groups of K vectors.
#[inline(always)]
pub(super) fn copy<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    key: MaskKey,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
) {
    let (keys, last) = (v.repeat(key), v.repeat(advance(key, from.len())));
    let groups = from.as_chunks::<N>().0.as_chunks::<K>().0;
    for (to, from) in to.as_chunks_mut::<N>().0.as_chunks_mut().0.iter_mut().zip(groups) {
        write(v, masked(v, keys, from), to);
    }
    if let (Some(from), Some(place)) = (back::<N, K>(from), back_mut::<_, N, K>(to)) {
        write(v, masked(v, last, from), place);
    }
}

/// The same for `N * K..=2 * N * K` bytes, as two groups that may overlap.
#[inline(always)]
pub(super) fn copy_overlapped<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    key: MaskKey,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
) {
    if let (Some(from), Some(place)) = (front::<N, K>(from), to.as_chunks_mut().0.first_chunk_mut()) {
        write(v, masked(v, v.repeat(key), from), place);
    }
    let keys = v.repeat(advance(key, from.len()));
    if let (Some(from), Some(place)) = (back::<N, K>(from), back_mut::<_, N, K>(to)) {
        write(v, masked(v, keys, from), place);
    }
}

/// The same for fewer than four bytes.
#[inline(always)]
pub(super) fn copy_few(key: MaskKey, from: &[u8], to: &mut [MaybeUninit<u8>]) {
    for (to, (from, key)) in to.iter_mut().zip(from.iter().zip(key)) {
        to.write(from ^ key);
    }
}

/// The first K vectors.
#[inline(always)]
fn front<const N: usize, const K: usize>(bytes: &[u8]) -> Option<&[[u8; N]; K]> {
    bytes.as_chunks().0.first_chunk()
}

/// The last K vectors.
#[inline(always)]
fn back<const N: usize, const K: usize>(bytes: &[u8]) -> Option<&[[u8; N]; K]> {
    bytes.get(bytes.len().checked_sub(N.saturating_mul(K))?..)?.as_chunks().0.first_chunk()
}

#[inline(always)]
fn back_mut<T, const N: usize, const K: usize>(bytes: &mut [T]) -> Option<&mut [[T; N]; K]> {
    let at = bytes.len().checked_sub(N.saturating_mul(K))?;
    bytes.get_mut(at..)?.as_chunks_mut().0.first_chunk_mut()
}

#[inline(always)]
fn masked<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    keys: V::Vector,
    group: &[[u8; N]; K],
) -> [V::Vector; K] {
    let mut masked = [keys; K];
    for (masked, bytes) in masked.iter_mut().zip(group) {
        *masked = v.xor(v.load(bytes), keys);
    }
    masked
}

#[inline(always)]
fn store<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    group: [V::Vector; K],
    place: &mut [[u8; N]; K],
) {
    for (vector, bytes) in group.iter().zip(place) {
        v.store(*vector, bytes);
    }
}

#[inline(always)]
fn write<const N: usize, const K: usize, V: Vectors<N>>(
    v: V,
    group: [V::Vector; K],
    place: &mut [[MaybeUninit<u8>; N]; K],
) {
    for (vector, bytes) in group.iter().zip(place) {
        v.write(*vector, bytes);
    }
}

/// What has a bit set wherever one of the group has.
#[inline(always)]
fn any<const N: usize, const K: usize, V: Vectors<N>>(v: V, group: [V::Vector; K]) -> V::Vector {
    let mut seen = v.repeat([0; 4]);
    for vector in &group {
        seen = v.or(seen, *vector);
    }
    seen
}
