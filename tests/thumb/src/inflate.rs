//! Inflates in a window of 9 bits, without an allocator, in memory whose size is a constant; the exit code tells.

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m as _;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, DeflateSide, DeflateTerms, Event, Inflate, Input,
    SliceOutput, Window,
};

const SIDE: DeflateSide = DeflateSide { window_bits: 9, takeover: true };

/// All that inflating needs: the state and the window.
type Stage = Inflate<Window<[u8; 512]>>;
const _: () = assert!(size_of::<Stage>() <= 16 * 1024);

/// RFC 7692 §7.2.3.1 and 7.2.3.2: "Hello", and "Hello" again, out of the window.
const READ: [u8; 16] =
    [0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00];

#[entry]
fn main() -> ! {
    let agreed = Agreed::default().with_deflate(DeflateTerms { server: SIDE, ..DeflateTerms::default() });
    let mut conn = Connection::new(Client(|| [1, 2, 3, 4]), &Config::default(), agreed);
    let mut out = SliceOutput::new([0; 256]);
    let mut whole = Assembler::new([0; 64]);
    let mut stage: Option<Stage> = Inflate::in_memory(SIDE, 64, [0; 512]);
    let mut hellos = 0;
    // A byte a read.
    for byte in READ {
        let mut read = [byte];
        let mut input = Input::new(&mut read);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            if let (Event::Data(data), Some(stage)) = (event, &mut stage)
                && let Ok(Some(message)) = whole.inflate(data, stage)
                && message.text() == Some("Hello")
            {
                hellos += 1;
            }
        }
    }
    hprintln!("inflating with a window of 9 bits: {} bytes, {} of 2 messages", size_of::<Stage>(), hellos);
    end(hellos == 2)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    end(false)
}

fn end(passed: bool) -> ! {
    debug::exit(if passed { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}
