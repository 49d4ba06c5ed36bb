//! A complete server.

#![no_std]
#![no_main]

use bill::board;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    unsafe { bill::serve() };
    board::stop()
}
