//! A client on a Cortex-M4F with Ethernet: a sensor that reports to a server.
//!
//! The server's URI, with an address instead of a name, is the last word of the command line, or was `SENSOR_SERVER`
//! when this was built.

#![no_std]
#![no_main]

use core::{net::Ipv4Addr, pin::pin};

use cortex_m_rt::entry;
use firmware::{
    clock,
    console::{self, hprintln},
    lan9118::{self, Frames, Lan9118},
    net::Net,
    sensor::{Place, report},
};
use smoltcp::{iface::SocketStorage, wire::IpEndpoint};
use websocket_proto::Uri;

/// TCP's memory of a connection, in each direction: two segments. Of a single one the receipt comes late.
const TCP: usize = 2 * 1460;

#[entry]
fn main() -> ! {
    static mut FRAMES: Frames = lan9118::FRAMES;
    static mut SOCKETS: [SocketStorage<'static>; 1] = [SocketStorage::EMPTY];
    static mut BUFFERS: [[u8; TCP]; 2] = [[0; TCP]; 2];
    static mut PLACE: Place = Place::EMPTY;
    static mut ARGUMENT: [u8; 256] = [0; 256];

    let text =
        console::argument(ARGUMENT).filter(|word| word.starts_with("ws")).or(option_env!("SENSOR_SERVER"));
    let Some((uri, server)) = text.and_then(server) else {
        hprintln!("usage: client ws://A.B.C.D:PORT/PATH");
        console::end(false)
    };
    let Some(mut core) = cortex_m::Peripherals::take() else { console::end(false) };
    clock::start(&mut core.SYST, 25_000_000);
    // SAFETY: it is there on this board, and only here.
    let Some(device) = (unsafe { Lan9118::new(0x4020_0000, FRAMES) }) else { console::end(false) };
    let net = Net::new(device, SOCKETS);
    let [received, sent] = BUFFERS;
    let Some(link) = net.link(received, sent) else { console::end(false) };
    net.run(&mut [pin!(report(link, uri, server, PLACE))])
}

fn server(text: &str) -> Option<(Uri<'_>, IpEndpoint)> {
    let uri = Uri::parse(text).ok().filter(|uri| !uri.is_secure())?;
    let address: Ipv4Addr = uri.host().parse().ok()?;
    Some((uri, IpEndpoint::new(address.into(), uri.port())))
}
