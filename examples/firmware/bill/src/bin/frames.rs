//! The frame machine alone, a server's: frames in whatever pieces to the payloads of messages, with every check of
//! headers, lengths, masks, fragments and UTF-8, and payloads to frames. No replies, no close, no handshake.

#![no_std]
#![no_main]

use bill::board::{self, Place};
use cortex_m_rt::entry;
use websocket_proto::{
    Agreed, Config, Connection, Event, Input, MIN_OUTPUT, Reader, Server, ServerSide, SliceOutput, Writer,
};

const OUT: usize = 3 * 256 + 2 * MIN_OUTPUT;

static READ: Place<[u8; 256]> = Place::new();
static READER: Place<Reader<ServerSide>> = Place::new();
static WRITER: Place<Writer<Server>> = Place::new();
static OUTPUT: Place<SliceOutput<[u8; OUT]>> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    let (reader, writer) = Connection::new(Server, &Config::default(), Agreed::default()).into_halves();
    // SAFETY: called once.
    let (buf, reader, writer, out) = unsafe {
        (READ.put([0; 256]), READER.put(reader), WRITER.put(writer), OUTPUT.put(SliceOutput::new([0; OUT])))
    };
    loop {
        let mut input = Input::new(board::read(buf));
        while let Some(event) = reader.receive(&mut input) {
            match event {
                Event::Data(data) => {
                    // There is room for the echo.
                    let _sent = writer.send(data.echo(), out);
                }
                Event::Ping(payload) | Event::Pong(payload) => board::take(&payload),
                Event::Failed(error) => board::take(error.rule.name().as_bytes()),
                _ => {}
            }
        }
        board::write_all(out);
    }
}
