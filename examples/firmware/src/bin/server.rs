//! An echo server on a Cortex-M4F with Ethernet: four connections at once, and a fifth that turns others away.

#![no_std]
#![no_main]

use core::pin::pin;

use cortex_m_rt::entry;
use firmware::{
    clock,
    console::{self, hprintln},
    echo::{Place, Service, Stage, serve},
    lan9118::{self, Frames, Lan9118},
    net::Net,
};
use smoltcp::iface::SocketStorage;

const PORT: u16 = 8080;

/// Connections at once, and the one that turns others away.
const ECHOES: usize = 4;
const LINKS: usize = ECHOES + 1;

/// TCP's memory of a connection, in each direction: two segments. Of a single one the receipt comes late.
const TCP: usize = 2 * 1460;

#[entry]
fn main() -> ! {
    static mut FRAMES: Frames = lan9118::FRAMES;
    static mut SOCKETS: [SocketStorage<'static>; LINKS] = [SocketStorage::EMPTY; LINKS];
    static mut BUFFERS: [[[u8; TCP]; 2]; LINKS] = [[[0; TCP]; 2]; LINKS];
    static mut PLACES: [Place; LINKS] = [Place::EMPTY; LINKS];
    static mut STAGES: [Stage; ECHOES] = [Stage::EMPTY; ECHOES];

    STAGES.iter_mut().for_each(Stage::make);
    let Some(mut core) = cortex_m::Peripherals::take() else { console::end(false) };
    clock::start(&mut core.SYST, 25_000_000);
    // SAFETY: it is there on this board, and only here.
    let Some(device) = (unsafe { Lan9118::new(0x4020_0000, FRAMES) }) else { console::end(false) };
    let net = Net::new(device, SOCKETS);
    let mut stages = STAGES.iter_mut();
    let mut links = BUFFERS.iter_mut().zip(PLACES).map(|([received, sent], place)| {
        let Some(link) = net.link(received, sent) else { console::end(false) };
        serve(link, PORT, place, stages.next().map_or(Service::Busy, Service::Echo))
    });
    let mut next = || links.next().unwrap_or_else(|| console::end(false));
    // The last one listens last: smoltcp gives a connection to the first that does.
    let mut tasks = [pin!(next()), pin!(next()), pin!(next()), pin!(next()), pin!(next())];
    hprintln!("listening on {}", PORT);
    net.run(&mut tasks)
}
