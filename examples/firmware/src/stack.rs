//! How deep the stack has been: `cortex-m-rt` painted all of it before the program began.

use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    static _stack_start: u32;
    static _stack_end: u32;
}

/// The bytes of the stack that were ever written to.
pub fn high_water() -> usize {
    let top = &raw const _stack_start;
    let mut deepest = &raw const _stack_end;
    // SAFETY: what lies between the two is the stack, in words, and was all written when it was painted.
    while deepest < top && unsafe { deepest.read_volatile() } == STACK_PAINT_VALUE {
        deepest = deepest.wrapping_add(1);
    }
    top as usize - deepest as usize
}
