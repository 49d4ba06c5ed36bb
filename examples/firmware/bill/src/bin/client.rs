//! A complete client.

#![no_std]
#![no_main]

use bill::board;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once, or again when it has returned.
    unsafe { bill::call() };
    #[cfg(feature = "reconnect")]
    for attempt in 0.. {
        let start = board::now();
        let delay = websocket_proto::reconnect_delay(attempt, u32::from_le_bytes(board::random()));
        while board::now().saturating_sub(start) < delay {}
        // SAFETY: as above.
        unsafe { bill::call() };
    }
    board::stop()
}
