//! What `client` does, as far as embedded-websocket's client and framer do it: no check of the peer's masks, lengths,
//! fragments and codes, and a text checked in memory for all of it.

#![no_std]
#![no_main]

use bill::board::{self, Place};
use bill::peer::{Entropy, Uart};
use core::hint::black_box;
use cortex_m_rt::entry;
use embedded_websocket::{
    WebSocketClient, WebSocketCloseStatusCode, WebSocketOptions, WebSocketSendMessageType,
    framer::{Framer, ReadResult},
};

static READ: Place<[u8; 1024]> = Place::new();
static WRITE: Place<[u8; 1024]> = Place::new();
static FRAME: Place<[u8; 1024]> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    let (read, write, frame) = unsafe { (READ.put([0; 1024]), WRITE.put([0; 1024]), FRAME.put([0; 1024])) };
    let options = WebSocketOptions {
        path: black_box("/chat?room=1"),
        host: black_box("example.com:8080"),
        origin: black_box("http://example.com"),
        sub_protocols: None,
        additional_headers: None,
    };
    let (mut cursor, mut websocket) = (0, WebSocketClient::new_client(Entropy));
    let mut framer = Framer::new(read, &mut cursor, write, &mut websocket);
    if framer.connect(&mut Uart, &options).is_err() {
        board::stop();
    }
    let _written = framer.write(&mut Uart, WebSocketSendMessageType::Text, true, b"hello");
    loop {
        match framer.read(&mut Uart, frame) {
            Ok(ReadResult::Text(text)) => board::take(text.as_bytes()),
            Ok(ReadResult::Binary(bytes)) => board::take(bytes),
            Ok(ReadResult::Pong(_)) => continue,
            Ok(ReadResult::Closed) | Err(_) => board::stop(),
        }
        let _closed = framer.close(&mut Uart, WebSocketCloseStatusCode::NormalClosure, None);
    }
}
