//! How large the errors are where a pointer has four bytes.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use websocket_proto::{
    Cause, ExtensionError, HandshakeError, ProtocolError, RestoreError, Rule, SendError, Timeout, UriError,
    UriFault,
};

macro_rules! sizes {
    ($($error:ident)*) => {
        $(const _: () = assert!(size_of::<$error>() <= 16, stringify!($error));)*
        const SIZES: &[(&str, usize)] = &[$((stringify!($error), size_of::<$error>())),*];
    };
}

sizes!(ProtocolError SendError HandshakeError RestoreError ExtensionError UriError UriFault Rule Timeout);
// No error, but what a driver makes one of: the offset of the violation is aligned to eight bytes.
const _: () = assert!(size_of::<Cause>() <= 16);

#[entry]
fn main() -> ! {
    for (name, size) in SIZES {
        hprintln!("{} bytes: {}", size, name);
    }
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::nop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::nop();
    }
}
