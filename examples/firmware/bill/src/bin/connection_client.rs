//! A client's connection after the opening handshake: every check, an echo of every message, pings answered, and the closing handshake.

#![no_std]
#![no_main]

use bill::{
    Keys,
    board::{self, Place},
};
use cortex_m_rt::entry;
use websocket_proto::{Agreed, Client, Config, Connection, Event, Input, MIN_OUTPUT, SliceOutput, Transport};

const OUT: usize = 3 * 256 + 2 * MIN_OUTPUT;

static CONNECTION: Place<Connection<Client<Keys>>> = Place::new();
static READ: Place<[u8; 256]> = Place::new();
static OUTPUT: Place<SliceOutput<[u8; OUT]>> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    let (conn, buf, out) = unsafe {
        (
            CONNECTION.put(Connection::new(Client(Keys), &Config::default(), Agreed::default())),
            READ.put([0; 256]),
            OUTPUT.put(SliceOutput::new([0; OUT])),
        )
    };
    loop {
        let read = board::read(buf);
        if read.is_empty() {
            board::write(&[u8::from(conn.receive_eof().clean)]);
            board::stop();
        }
        let mut input = Input::new(read);
        while let Some(event) = conn.receive(&mut input, out) {
            if let Event::Data(data) = event {
                // There is room for the echo; it is refused once we have closed.
                let _sent = conn.send(data.echo(), out);
            }
        }
        board::write_all(out);
        while conn.poll_transmit(out) {
            board::write_all(out);
        }
        match conn.transport() {
            Transport::Keep | Transport::AwaitEnd => {}
            Transport::Shut => board::shut(),
            Transport::Drop => board::stop(),
        }
    }
}
