//! Logs errors and events by `defmt`, and links nothing of `core::fmt` for it: `run` looks.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use cortex_m_semihosting::debug;
use defmt_semihosting as _;
use websocket_proto::{Agreed, Config, Connection, Input, Server, SliceOutput, Uri};

/// A ping, a message, and a frame without a mask.
const READ: [u8; 19] = *b"\x89\x80\0\0\0\0\x81\x85\0\0\0\0Hello\x81\x00";

#[entry]
fn main() -> ! {
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    let mut out = SliceOutput::new([0; 256]);
    let mut read = READ;
    let mut input = Input::new(&mut read);
    while let Some(event) = conn.receive(&mut input, &mut out) {
        defmt::println!("{}", event);
    }
    defmt::println!("{} {}", conn.closure(), conn.failure());
    defmt::println!("{}", Uri::parse("ws://").err());
    end(conn.failure().is_some())
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    end(false)
}

fn end(passed: bool) -> ! {
    debug::exit(if passed { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}
