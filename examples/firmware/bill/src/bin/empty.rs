//! Nothing but the start of the processor, which every program has: the others are counted from here.

#![no_std]
#![no_main]

use bill::board;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    board::stop()
}
