//! The board mps2-an386, as far as the programs need it: the UART stands for a stream, a timer for a source of entropy
//! and for a clock. All of it is read by volatile reads, so that the compiler knows no byte of what comes.

use core::{
    cell::UnsafeCell,
    fmt::{Display, Write},
    hint::black_box,
    mem::MaybeUninit,
    panic::PanicInfo,
    time::Duration,
};

use cortex_m as _;
use websocket_proto::{DeflateSide, SliceOutput};

/// What each side may compress with: a window of 512 bytes.
pub const SIDE: DeflateSide = DeflateSide { window_bits: 9, takeover: true };

const DATA: *mut u32 = 0x4000_4000 as *mut u32;
const STATE: *mut u32 = 0x4000_4004 as *mut u32;
const CONTROL: *mut u32 = 0x4000_4008 as *mut u32;
const TIMER: *const u32 = 0x4000_0004 as *const u32;

/// So often is looked for the next byte before a read ends.
const PATIENCE: u32 = 1 << 16;

/// Reads what comes without a long pause to the front of `place`, at least one byte; 0 at the end of the stream, which is
/// a byte that was overrun.
#[inline(never)]
pub fn read(place: &mut [u8]) -> &mut [u8] {
    let mut n = 0;
    for byte in place.iter_mut() {
        // SAFETY: registers of the UART, which reading and writing changes in no other way than is meant.
        unsafe {
            let mut state = STATE.read_volatile();
            let mut patience = PATIENCE;
            while state & 0b1010 == 0 && patience != 0 {
                patience -= u32::from(n != 0);
                state = STATE.read_volatile();
            }
            if state & 0b0010 == 0 {
                break;
            }
            *byte = DATA.read_volatile() as u8;
        }
        n += 1;
    }
    place.get_mut(..n).unwrap_or_default()
}

/// Writes all of `bytes`.
#[inline(never)]
pub fn write(bytes: &[u8]) {
    for &byte in bytes {
        // SAFETY: as above.
        unsafe {
            while STATE.read_volatile() & 1 != 0 {}
            DATA.write_volatile(u32::from(byte));
        }
    }
}

/// Writes all that is pending.
pub fn write_all<B: AsRef<[u8]> + AsMut<[u8]>>(out: &mut SliceOutput<B>) {
    write(out.pending());
    out.advance(usize::MAX);
}

/// Stands for an application that takes what came.
pub fn take(bytes: &[u8]) {
    black_box(bytes);
}

/// Writes a text, as a log would.
pub fn print(text: &dyn Display) {
    struct Log;
    impl Write for Log {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            write(text.as_bytes());
            Ok(())
        }
    }
    // Writing to the log never fails.
    let _written = write!(Log, "{text}");
}

/// Switches the UART on.
pub fn start() {
    // SAFETY: as above.
    unsafe { CONTROL.write_volatile(0b11) }
}

/// Shuts the side that writes.
pub fn shut() {
    // SAFETY: as above.
    unsafe { CONTROL.write_volatile(0b10) }
}

/// Stands for a strong source of entropy.
#[inline(never)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for byte in &mut bytes {
        *byte = timer() as u8;
    }
    bytes
}

/// Stands for a clock.
pub fn now() -> Duration {
    Duration::from_millis(u64::from(timer()))
}

fn timer() -> u32 {
    // SAFETY: a register that reading does not change.
    unsafe { TIMER.read_volatile() }
}

/// Nothing more is done.
pub fn stop() -> ! {
    loop {
        cortex_m::asm::nop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    stop()
}

/// Memory that is there from the start, so that what a state takes is a symbol of the image and not part of a stack.
pub struct Place<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: there is one core, and no interrupt is on.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    #[expect(clippy::new_without_default, reason = "a static needs a constant function")]
    #[must_use]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// Puts a value there.
    ///
    /// # Safety
    /// What an earlier call gave is used no more.
    pub unsafe fn put(&'static self, value: T) -> &'static mut T {
        // SAFETY: nobody else has it.
        unsafe { &mut *self.0.get() }.write(value)
    }

    /// Puts a large value there, and leaves none of it on the stack.
    ///
    /// # Safety
    /// What an earlier call gave is used no more.
    #[cfg(feature = "deflate")]
    #[inline(never)]
    pub unsafe fn make(&'static self, make: impl FnOnce() -> T) -> &'static mut T {
        // SAFETY: as said.
        unsafe { self.put(make()) }
    }
}
