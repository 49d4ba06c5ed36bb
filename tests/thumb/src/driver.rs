//! The driver of `examples/embedded` on a microcontroller: a request, a message in two fragments and a Close, a byte a
//! read.
#![no_std]
#![no_main]

use core::{
    convert::Infallible,
    future::{Future, pending},
    panic::PanicInfo,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embedded_io_async::{ErrorType, Read, Write};
use websocket_embedded::{
    Inbox, Parts,
    asynchronous::{Socket, System},
};
use websocket_proto::{OriginPolicy, Server};

const COMES: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
    \x01\x83\0\0\0\0Hel\x80\x82\0\0\0\0lo\x88\x82\0\0\0\0\x03\xe8";
const GOES: &[u8] = b"\x81\x05Hello\x88\x02\x03\xe8";

struct Wire {
    comes: &'static [u8],
    /// The last bytes that went.
    went: [u8; GOES.len()],
    shut: bool,
}

impl ErrorType for Wire {
    type Error = Infallible;
}

impl Read for Wire {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        match (self.comes.split_first(), buf.first_mut()) {
            (Some((byte, rest)), Some(place)) => {
                (*place, self.comes) = (*byte, rest);
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

impl Write for Wire {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        self.went.rotate_left(1);
        if let (Some(place), Some(byte)) = (self.went.last_mut(), buf.first()) {
            *place = *byte;
        }
        Ok(1)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Board;

impl System<&mut Wire> for Board {
    fn now(&mut self) -> Duration {
        Duration::ZERO
    }

    async fn wait_until(&mut self, _: Duration) {
        pending().await
    }

    async fn shut(&mut self, wire: &mut &mut Wire) -> Result<(), Infallible> {
        wire.shut = true;
        Ok(())
    }
}

async fn serve(wire: &mut Wire) -> bool {
    let (mut read, mut memory, mut out) = ([0; 64], [0; 512], [0; 256]);
    let mut inbox = Inbox::new(&mut read, &mut memory);
    let parts = Parts::new(wire, Board, &mut out);
    let answer =
        Socket::accept(parts, &mut inbox, |request, out| request.accept(OriginPolicy::SameHost).write(out));
    let Ok(mut socket) = answer.await else { return false };
    while let Ok(Some(message)) = socket.receive(&mut inbox).await {
        if socket.send(message.echo()).await.is_err() {
            return false;
        }
    }
    socket.connection().closure().clean
}

#[entry]
fn main() -> ! {
    let mut wire = Wire { comes: COMES, went: [0; GOES.len()], shut: false };
    let serving = serve(&mut wire);
    let (socket, whole) = (size_of::<Socket<'_, &mut Wire, Board, Server>>(), size_of_val(&serving));
    // Nothing here is ever pending.
    let clean = pin!(serving).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(true);
    hprintln!("a socket has {} bytes, a server's future {} with 832 bytes of buffers", socket, whole);
    end(clean && wire.shut && wire.went == GOES)
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
