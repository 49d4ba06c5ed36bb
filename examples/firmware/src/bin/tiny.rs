//! A handshake and an echo on a Cortex-M0 with 16 KiB of memory, over a serial line: the whole of a WebSocket server.
//!
//! It serves one connection and tells how deep its stack has been.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware::{console, decimal::Decimal, stack, uart::Uart};
use websocket_proto::{
    Config, Event, HeadLimits, Input, Lenient, MIN_OUTPUT, OriginPolicy, SendError, Server, Session,
    SliceOutput, Transport,
};

const HEAD: usize = 512;
const PIECE: usize = 64;
const OUT: usize = 512;

// What was read finds room for its answers, even if each of its bytes comes in a frame of its own.
const _: () = assert!(3 * PIECE + 2 * MIN_OUTPUT <= OUT);

const CONFIG: Config = Config {
    frame_limit: u64::MAX,
    message_limit: u64::MAX,
    fragment_limit: u32::MAX,
    lenient: Lenient { non_minimal_length: false, unmasked_frames: false },
    head: HeadLimits { bytes: HEAD as u32, lines: 32, line: HEAD as u32 },
};

#[entry]
fn main() -> ! {
    static mut SESSION: Session<Server, [u8; HEAD]> = Session::server([0; HEAD], CONFIG);
    static mut OUTPUT: SliceOutput<[u8; OUT]> = SliceOutput::new([0; OUT]);
    static mut READ: [u8; PIECE] = [0; PIECE];

    // SAFETY: it is there on this board, and only here.
    let uart = unsafe { Uart::new(0x4000_2000) };
    console::print(b"ready\n");
    // A serial line has no end of its own, and nobody to wait for: it is over when the machine would end its stream.
    while SESSION.transport() == Transport::Keep {
        let mut input = Input::new(uart.read(READ));
        while let Some(event) = SESSION.receive(&mut input, OUTPUT) {
            match event {
                Event::Requested => answer(SESSION, OUTPUT),
                Event::Data(data) => match SESSION.send(data.echo(), OUTPUT) {
                    Ok(()) | Err(SendError::Closed) => {}
                    Err(_) => console::end(false),
                },
                _ => {}
            }
        }
        uart.write_all(OUTPUT.pending());
        OUTPUT.advance(usize::MAX);
    }
    let deepest = stack::high_water();
    tell(b"stack: ", deepest);
    tell(b"closed with ", usize::from(SESSION.closure().code().get()));
    console::end(true)
}

/// In a frame of its own on the stack, which is free again before the first message comes.
#[inline(never)]
fn answer(session: &mut Session<Server, [u8; HEAD]>, out: &mut SliceOutput<[u8; OUT]>) {
    if let Some(request) = session.request() {
        // There is room: nothing else was sent yet.
        let _room = request.accept(OriginPolicy::Any).write(out);
    }
}

fn tell(what: &[u8], number: usize) {
    console::print(what);
    console::print(Decimal::new(number).as_bytes());
    console::print(b"\n");
}
