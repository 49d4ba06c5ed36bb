//! The debugger on the other side: semihosting, which QEMU answers. A product has a log here, or nothing.

use core::panic::PanicInfo;

use cortex_m as _;
use cortex_m_semihosting::{debug, hio, nr};

use crate::decimal::Decimal;

/// Prints a line of text and numbers.
#[cfg(feature = "net")]
pub use cortex_m_semihosting::hprintln;

/// Prints text as it is, without the formatting that [`hprintln`](cortex_m_semihosting::hprintln) links.
pub fn print(text: &[u8]) {
    if let Ok(mut console) = hio::hstdout() {
        let _unread = console.write_all(text);
    }
}

/// The last word of the command line that the program was started with.
pub fn argument(memory: &mut [u8]) -> Option<&str> {
    let mut line = [memory.as_mut_ptr() as usize, memory.len()];
    // SAFETY: SYS_GET_CMDLINE takes a block of an address and a size, writes a text with a NUL behind it to the one, no
    // longer than the other, and its length in place of the size. The block and the memory are ours alone.
    let failed = unsafe { cortex_m_semihosting::syscall1(nr::GET_CMDLINE, line.as_mut_ptr() as usize) };
    let line = memory.get(..line[1]).filter(|_| failed == 0)?;
    core::str::from_utf8(line).ok()?.split_ascii_whitespace().last()
}

/// Ends the program. QEMU ends with it, and its exit code says whether all was well.
pub fn end(well: bool) -> ! {
    debug::exit(if well { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(b"panicked");
    if let Some(location) = info.location() {
        print(b" at ");
        print(location.file().as_bytes());
        print(b":");
        print(Decimal::new(location.line() as usize).as_bytes());
    }
    print(b"\n");
    end(false)
}
