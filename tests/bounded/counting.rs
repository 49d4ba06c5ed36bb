//! An allocator that counts the bytes that this thread holds, the most that it ever held, and all that it asked for.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, which counts what this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// A thread that ends has no counters any more, and no test either.
fn count(change: impl Fn(usize) -> usize) {
    let _gone = HELD.try_with(|held| {
        held.set(change(held.get()));
        let _gone = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

fn ask(size: usize) {
    count(|held| held.saturating_add(size));
    let _gone = ASKED.try_with(|asked| asked.set(asked.get().saturating_add(size)));
}

// SAFETY: every call goes to `System` with the same arguments, and so keeps `GlobalAlloc`'s contract as `System`
// does; counting neither allocates (the counters are constant-initialised `Cell`s without a destructor) nor unwinds
// (its sums saturate).
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ask(layout.size());
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(|held| held.saturating_sub(layout.size()));
        // SAFETY: `memory` came from `System` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ask(layout.size());
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, which is `System`'s.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may both be there for a moment.
        ask(size);
        count(|held| held.saturating_sub(layout.size()));
        // SAFETY: `memory` came from `System` with this layout, and the caller keeps `realloc`'s contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How much more memory was held at a time while `f` ran than before.
pub(crate) fn peak(f: impl FnOnce()) -> usize {
    let before = HELD.get();
    MOST.set(before);
    f();
    MOST.get() - before
}

/// How much is held.
pub(crate) fn held() -> usize {
    HELD.get()
}

/// How much memory was asked for while `f` ran, given back or not.
pub(crate) fn asked(f: impl FnOnce()) -> usize {
    let before = ASKED.get();
    f();
    ASKED.get() - before
}
