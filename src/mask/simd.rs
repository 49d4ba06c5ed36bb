//! The vectors of the CPUs that have some, and the choice between them: at run time with `std`, otherwise by what the
//! target promises. All `unsafe` of the crate is here.
#![allow(unsafe_code)]

use core::mem::MaybeUninit;

use super::{
    kernel::{self, SHORT, Words},
    key::MaskKey,
};

/// The vectors of 16 bytes that every CPU of this target has.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(super) use self::x86::Sse2 as Base;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use self::x86::Widest;

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub(super) use self::arm::Neon as Base;

#[cfg(not(any(
    all(target_arch = "x86_64", target_feature = "sse2"),
    all(target_arch = "aarch64", target_feature = "neon")
)))]
pub(super) use super::kernel::Words as Base;

/// Masks a long payload by the widest vectors that this CPU has. True: it is ASCII now.
#[inline]
pub(super) fn mask(key: MaskKey, payload: &mut [u8]) -> bool {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    match x86::widest() {
        // SAFETY: that there is an `Avx512` proves that the CPU has what the function asks for.
        Widest::Avx512(v) => return unsafe { x86::mask_avx512(v, key, payload) },
        // SAFETY: likewise for an `Avx2`.
        Widest::Avx2(v) => return unsafe { x86::mask_avx2(v, key, payload) },
        Widest::Sse2 => {}
    }
    mask_base(key, payload)
}

#[inline(never)]
fn mask_base(key: MaskKey, payload: &mut [u8]) -> bool {
    kernel::aligned::<16, 4, _>(Base, key, payload)
}

/// Masks `from` while copying it to `to`, which is as long.
#[inline]
pub(super) fn mask_copy(key: MaskKey, from: &[u8], to: &mut [u8]) {
    copy(key, from, place(to));
}

/// The bytes as a place to write to. This file alone gets one, and writes bytes there or nothing.
#[inline(always)]
fn place(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let (start, len) = (bytes.as_mut_ptr(), bytes.len());
    // SAFETY: a `MaybeUninit<u8>` is laid out as a `u8`, the borrow is the same, and no byte becomes uninitialised.
    unsafe { core::slice::from_raw_parts_mut(start.cast(), len) }
}

/// Appends `head` to `to`, and `from` behind it, masked while it is copied if there is a key.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(super) fn append(head: &[u8], key: Option<MaskKey>, from: &[u8], to: &mut alloc::vec::Vec<u8>) {
    let added = head.len().saturating_add(from.len());
    to.reserve(added);
    let len = to.len().saturating_add(added);
    let place = to.spare_capacity_mut().get_mut(..added);
    if let Some((head_place, place)) = place.and_then(|place| place.split_at_mut_checked(head.len())) {
        copy_plain(head, head_place);
        match key {
            None => copy_plain(from, place),
            Some(key) => copy(key, from, place),
        }
        // SAFETY: there is room for as many bytes, or there were no such place, which is as long as both together; and
        // each of its bytes was written.
        unsafe { to.set_len(len) };
    }
}

/// Copies `from` to `to`, which is as long, and writes every byte of it.
#[cfg(feature = "alloc")]
#[inline(always)]
fn copy_plain(from: &[u8], to: &mut [MaybeUninit<u8>]) {
    let len = from.len().min(to.len());
    // SAFETY: both have `len` bytes at least, and what is borrowed alone does not overlap anything.
    unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr().cast(), len) };
}

/// Masks `from` while copying it to `to`, which is as long, and writes every byte of it.
#[inline(never)]
fn copy(key: MaskKey, from: &[u8], to: &mut [MaybeUninit<u8>]) {
    match from.len() {
        LONG.. => copy_long(key, from, to),
        65.. => kernel::copy_overlapped::<16, 4, _>(Base, key, from, to),
        33.. => kernel::copy_overlapped::<16, 2, _>(Base, key, from, to),
        16.. => kernel::copy_overlapped::<16, 1, _>(Base, key, from, to),
        8.. => kernel::copy_overlapped::<8, 1, _>(Words, key, from, to),
        4.. => kernel::copy_overlapped::<4, 1, _>(Words, key, from, to),
        _ => kernel::copy_few(key, from, to),
    }
}

const LONG: usize = SHORT + 1;

/// The same by the widest vectors that this CPU has.
#[inline]
fn copy_long(key: MaskKey, from: &[u8], to: &mut [MaybeUninit<u8>]) {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    match x86::widest() {
        // SAFETY: that there is an `Avx512` proves that the CPU has what the function asks for.
        Widest::Avx512(v) => return unsafe { x86::copy_avx512(v, key, from, to) },
        // SAFETY: likewise for an `Avx2`.
        Widest::Avx2(v) => return unsafe { x86::copy_avx2(v, key, from, to) },
        Widest::Sse2 => {}
    }
    copy_base(key, from, to);
}

#[inline(never)]
fn copy_base(key: MaskKey, from: &[u8], to: &mut [MaybeUninit<u8>]) {
    kernel::copy::<16, 4, _>(Base, key, from, to);
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod x86 {
    #[cfg(feature = "std")]
    extern crate std;

    use core::{
        arch::x86_64::*,
        mem::MaybeUninit,
        sync::atomic::{AtomicU8, Ordering},
    };

    use crate::mask::{
        kernel::{self, Vectors},
        key::MaskKey,
    };

    /// Part of x86-64.
    #[derive(Clone, Copy)]
    pub(crate) struct Sse2;

    /// Proof that the CPU has AVX2: [`widest`] alone makes one.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    /// Proof that the CPU has AVX-512 F and BW: [`widest`] alone makes one.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(());

    /// The widest vectors that this CPU has.
    #[derive(Clone, Copy)]
    pub(super) enum Widest {
        Avx512(Avx512),
        Avx2(Avx2),
        Sse2,
    }

    /// Whether the CPU has a feature: asked at run time with `std`, answered by the target without.
    #[cfg(feature = "std")]
    macro_rules! has {
        ($feature:tt) => {
            std::arch::is_x86_feature_detected!($feature)
        };
    }
    #[cfg(not(feature = "std"))]
    macro_rules! has {
        ($feature:tt) => {
            cfg!(target_feature = $feature)
        };
    }

    /// The CPU is asked once.
    #[inline]
    pub(super) fn widest() -> Widest {
        let level = match LEVEL.load(Ordering::Relaxed) {
            0 => ask(),
            level => level,
        };
        match level {
            3.. => Widest::Avx512(Avx512(())),
            2 => Widest::Avx2(Avx2(())),
            _ => Widest::Sse2,
        }
    }

    /// 0: not asked yet; 2: AVX2; 3: AVX-512 as well. Nothing but what the CPU answers is written, always the same.
    static LEVEL: AtomicU8 = AtomicU8::new(0);

    #[cold]
    fn ask() -> u8 {
        let (avx2, avx512) = (has!("avx2"), has!("avx512bw")); // BW includes F.
        let level = 1_u8.saturating_add(u8::from(avx2)).saturating_add(u8::from(avx2 && avx512));
        LEVEL.store(level, Ordering::Relaxed);
        level
    }

    macro_rules! vectors {
        ($name:ident, $size:literal, $vector:ty, $load:ident, $store:ident, $set:ident, $xor:ident, $or:ident,
            |$v:ident| $ascii:expr) => {
            impl Vectors<$size> for $name {
                type Vector = $vector;

                #[inline(always)]
                fn load(self, bytes: &[u8; $size]) -> $vector {
                    // SAFETY: the array has as many bytes as are loaded, however it is aligned; `self` proves the
                    // CPU.
                    unsafe { $load(bytes.as_ptr().cast()) }
                }

                #[inline(always)]
                fn store(self, vector: $vector, bytes: &mut [u8; $size]) {
                    // SAFETY: the array has as many bytes as are stored, however it is aligned; `self` proves the
                    // CPU.
                    unsafe { $store(bytes.as_mut_ptr().cast(), vector) }
                }

                #[inline(always)]
                fn write(self, vector: $vector, bytes: &mut [MaybeUninit<u8>; $size]) {
                    // SAFETY: the array has as many bytes as are stored, however it is aligned; `self` proves the
                    // CPU.
                    unsafe { $store(bytes.as_mut_ptr().cast(), vector) }
                }

                #[inline(always)]
                fn repeat(self, key: MaskKey) -> $vector {
                    // SAFETY: registers alone; `self` proves the CPU.
                    unsafe { $set(i32::from_ne_bytes(key)) }
                }

                #[inline(always)]
                fn xor(self, a: $vector, b: $vector) -> $vector {
                    // SAFETY: registers alone; `self` proves the CPU.
                    unsafe { $xor(a, b) }
                }

                #[inline(always)]
                fn or(self, a: $vector, b: $vector) -> $vector {
                    // SAFETY: registers alone; `self` proves the CPU.
                    unsafe { $or(a, b) }
                }

                #[inline(always)]
                fn is_ascii(self, $v: $vector) -> bool {
                    // SAFETY: registers alone; `self` proves the CPU.
                    unsafe { $ascii == 0 }
                }
            }
        };
    }

    vectors!(
        Sse2,
        16,
        __m128i,
        _mm_loadu_si128,
        _mm_storeu_si128,
        _mm_set1_epi32,
        _mm_xor_si128,
        _mm_or_si128,
        |v| _mm_movemask_epi8(v)
    );
    vectors!(
        Avx2,
        32,
        __m256i,
        _mm256_loadu_si256,
        _mm256_storeu_si256,
        _mm256_set1_epi32,
        _mm256_xor_si256,
        _mm256_or_si256,
        |v| _mm256_movemask_epi8(v)
    );
    vectors!(
        Avx512,
        64,
        __m512i,
        _mm512_loadu_si512,
        _mm512_storeu_si512,
        _mm512_set1_epi32,
        _mm512_xor_si512,
        _mm512_or_si512,
        |v| _mm512_movepi8_mask(v)
    );

    #[cfg(test)]
    pub(super) fn kernels(each: &mut dyn FnMut(super::Kernel)) {
        if has!("avx512bw") {
            each((
                "AVX-512",
                // SAFETY: it was just detected.
                |key, payload| unsafe { mask_avx512(Avx512(()), key, payload) },
                // SAFETY: likewise.
                |key, from, to| unsafe { copy_avx512(Avx512(()), key, from, super::place(to)) },
            ));
        }
        if has!("avx2") {
            each((
                "AVX2",
                // SAFETY: it was just detected.
                |key, payload| unsafe { mask_avx2(Avx2(()), key, payload) },
                // SAFETY: likewise.
                |key, from, to| unsafe { copy_avx2(Avx2(()), key, from, super::place(to)) },
            ));
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn mask_avx2(v: Avx2, key: MaskKey, payload: &mut [u8]) -> bool {
        kernel::aligned::<32, 2, _>(v, key, payload)
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn mask_avx512(v: Avx512, key: MaskKey, payload: &mut [u8]) -> bool {
        kernel::aligned::<64, 1, _>(v, key, payload)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn copy_avx2(v: Avx2, key: MaskKey, from: &[u8], to: &mut [MaybeUninit<u8>]) {
        kernel::copy::<32, 2, _>(v, key, from, to);
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn copy_avx512(v: Avx512, key: MaskKey, from: &[u8], to: &mut [MaybeUninit<u8>]) {
        kernel::copy::<64, 1, _>(v, key, from, to);
    }
}

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod arm {
    use core::{arch::aarch64::*, mem::MaybeUninit};

    use crate::mask::{kernel::Vectors, key::MaskKey};

    /// Part of the target.
    #[derive(Clone, Copy)]
    pub(crate) struct Neon;

    impl Vectors<16> for Neon {
        type Vector = uint8x16_t;

        #[inline(always)]
        fn load(self, bytes: &[u8; 16]) -> uint8x16_t {
            // SAFETY: the array has as many bytes as are loaded, however it is aligned; the target has NEON.
            unsafe { vld1q_u8(bytes.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, vector: uint8x16_t, bytes: &mut [u8; 16]) {
            // SAFETY: the array has as many bytes as are stored, however it is aligned; the target has NEON.
            unsafe { vst1q_u8(bytes.as_mut_ptr(), vector) }
        }

        #[inline(always)]
        fn write(self, vector: uint8x16_t, bytes: &mut [MaybeUninit<u8>; 16]) {
            // SAFETY: the array has as many bytes as are stored, however it is aligned; the target has NEON.
            unsafe { vst1q_u8(bytes.as_mut_ptr().cast(), vector) }
        }

        #[inline(always)]
        fn repeat(self, key: MaskKey) -> uint8x16_t {
            // SAFETY: registers alone; the target has NEON.
            unsafe { vreinterpretq_u8_u32(vdupq_n_u32(u32::from_ne_bytes(key))) }
        }

        #[inline(always)]
        fn xor(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
            // SAFETY: registers alone; the target has NEON.
            unsafe { veorq_u8(a, b) }
        }

        #[inline(always)]
        fn or(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
            // SAFETY: registers alone; the target has NEON.
            unsafe { vorrq_u8(a, b) }
        }

        #[inline(always)]
        fn is_ascii(self, vector: uint8x16_t) -> bool {
            // SAFETY: registers alone; the target has NEON.
            unsafe { vmaxvq_u8(vector) < 0x80 }
        }
    }
}

/// Masking in place, and while copying.
#[cfg(test)]
pub(super) type Kernel = (&'static str, fn(MaskKey, &mut [u8]) -> bool, fn(MaskKey, &[u8], &mut [u8]));

/// Each kernel for long payloads that this CPU has.
#[cfg(test)]
pub(super) fn kernels(each: &mut dyn FnMut(Kernel)) {
    each((
        "words",
        |key, payload| kernel::aligned::<16, 4, _>(Words, key, payload),
        |key, from, to| kernel::copy::<16, 4, _>(Words, key, from, place(to)),
    ));
    each(("base", mask_base, |key, from, to| copy_base(key, from, place(to))));
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    x86::kernels(each);
}
