//! Which mutant is on: the one whose number is in the environment variable MUTANT, none without it. It allocates
//! nothing, as some tests count allocations. Not part of `weave`, which writes this file into the woven tree.
#![allow(unsafe_code, internal_features)]

extern crate std;

use core::{
    ffi::{CStr, c_char, c_int},
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
};

unsafe extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
    fn atexit(function: extern "C" fn()) -> c_int;
}

const UNREAD: u32 = u32::MAX;
const TRACED: u32 = u32::MAX - 1;
static CHOSEN: AtomicU32 = AtomicU32::new(UNREAD);
static REACHED: [AtomicBool; 1 << 14] = [const { AtomicBool::new(false) }; 1 << 14];

/// Whether a mutant is on: never while a constant is evaluated.
#[inline]
pub(crate) const fn on(number: u32) -> bool {
    core::intrinsics::const_eval_select((number,), never, now)
}

const fn never(_: u32) -> bool {
    false
}

#[inline]
fn now(number: u32) -> bool {
    match CHOSEN.load(Relaxed) {
        chosen @ ..TRACED => chosen == number,
        _ => first(number),
    }
}

#[cold]
#[inline(never)]
fn first(number: u32) -> bool {
    if CHOSEN.load(Relaxed) == UNREAD {
        let traced = variable(c"MUTANT_REACHED").is_some();
        let chosen = variable(c"MUTANT").map_or(0, |text| text.to_str().unwrap().parse().unwrap());
        if traced {
            // SAFETY: the function takes nothing and unwinds from nothing.
            unsafe { atexit(report) };
        }
        CHOSEN.store(if traced { TRACED } else { chosen }, Relaxed);
    }
    match CHOSEN.load(Relaxed) {
        TRACED => {
            REACHED[number as usize].store(true, Relaxed);
            false
        }
        chosen => chosen == number,
    }
}

fn variable(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the name ends with a zero, and nobody changes the environment.
    let value = unsafe { getenv(name.as_ptr()) };
    // SAFETY: what is no null pointer ends with a zero.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
}

/// Writes the numbers of the mutants that were asked for to the file MUTANT_REACHED.
extern "C" fn report() {
    let path = variable(c"MUTANT_REACHED").unwrap().to_str().unwrap();
    let mut text = std::string::String::new();
    for (number, reached) in REACHED.iter().enumerate() {
        if reached.load(Relaxed) {
            text.push_str(&std::format!("{number}\n"));
        }
    }
    let _ = std::fs::write(path, text);
}
