//! Time since the start, by the processor's own timer: the one clock of smoltcp, of `Keepalive` and of the programs.

use core::{cell::Cell, time::Duration};

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;

/// 64 bits: they do not wrap, and the machine wants a time that only grows.
static MILLISECONDS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// Starts the clock. `frequency`: the processor's, in Hz.
pub fn start(timer: &mut SYST, frequency: u32) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload((frequency / 1000).saturating_sub(1));
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// The time since the start.
pub fn now() -> Duration {
    Duration::from_millis(critical_section::with(|token| MILLISECONDS.borrow(token).get()))
}

#[exception]
fn SysTick() {
    critical_section::with(|token| {
        let milliseconds = MILLISECONDS.borrow(token);
        milliseconds.set(milliseconds.get().wrapping_add(1));
    });
}
