//! A complete client and a complete server in one image.

#![no_std]
#![no_main]

use bill::board;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    board::start();
    loop {
        // SAFETY: each is called again when it has returned.
        unsafe {
            bill::call();
            bill::serve();
        }
    }
}
