//! A STAND-IN FOR ENTROPY. The emulated board has no random number generator.
//!
//! A product must read its hardware's generator here (`RNG` on most microcontrollers), and must not start without.
//! Masking keys protect other people's infrastructure (RFC 6455 §10.3), the handshake's nonce and TCP's sequence
//! numbers this device; what is below can be guessed by whoever knows when the board was started.

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use critical_section::Mutex;
use websocket_proto::{MaskKey, MaskSource};

use crate::clock;

static STATE: Mutex<Cell<u64>> = Mutex::new(Cell::new(0x9e37_79b9_7f4a_7c15));

/// The next 32 bits: xorshift64*, stirred with the time of the call to the tick.
pub fn random() -> u32 {
    let ticks = (clock::now().as_millis() as u64) << 24 | u64::from(SYST::get_current());
    critical_section::with(|token| {
        let state = STATE.borrow(token);
        let mut x = state.get() ^ ticks;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        // Zero would stay zero.
        state.set(x | 1 << 63);
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    })
}

/// Sixteen bytes, for the nonce of a handshake.
pub fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    for bytes in nonce.chunks_exact_mut(4) {
        bytes.copy_from_slice(&random().to_be_bytes());
    }
    nonce
}

/// Masking keys.
pub struct Keys;

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        Some(random().to_be_bytes())
    }
}
