//! What `server` does, as far as embedded-websocket's server and framer do it, with httparse for the request's head: no
//! check of the request but for its key, none of its Origin, and none of the peer's masks, lengths, fragments and codes.

#![no_std]
#![no_main]

use bill::{
    board::{self, Place},
    peer::Uart,
};
use cortex_m_rt::entry;
use embedded_websocket::{
    WebSocketContext, WebSocketSendMessageType, WebSocketServer,
    framer::{Framer, ReadResult},
    read_http_header,
};

static READ: Place<[u8; 1024]> = Place::new();
static WRITE: Place<[u8; 1024]> = Place::new();
static FRAME: Place<[u8; 1024]> = Place::new();

#[entry]
fn main() -> ! {
    board::start();
    // SAFETY: called once.
    let (read, write, frame) = unsafe { (READ.put([0; 1024]), WRITE.put([0; 1024]), FRAME.put([0; 1024])) };
    let Some(context) = request(frame) else { board::stop() };
    let (mut cursor, mut websocket) = (0, WebSocketServer::new_server());
    let mut framer = Framer::new(read, &mut cursor, write, &mut websocket);
    if framer.accept(&mut Uart, &context).is_err() {
        board::stop();
    }
    loop {
        let _written = match framer.read(&mut Uart, frame) {
            Ok(ReadResult::Text(text)) => {
                framer.write(&mut Uart, WebSocketSendMessageType::Text, true, text.as_bytes())
            }
            Ok(ReadResult::Binary(bytes)) => {
                framer.write(&mut Uart, WebSocketSendMessageType::Binary, true, bytes)
            }
            Ok(ReadResult::Pong(_)) => continue,
            Ok(ReadResult::Closed) | Err(_) => board::stop(),
        };
    }
}

/// Reads until the head is complete.
fn request(head: &mut [u8]) -> Option<WebSocketContext> {
    let mut len = 0;
    loop {
        len += match board::read(head.get_mut(len..)?) {
            [] => return None,
            read => read.len(),
        };
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut request = httparse::Request::new(&mut fields);
        if request.parse(head.get(..len)?).ok()?.is_complete() {
            return read_http_header(request.headers.iter().map(|field| (field.name, field.value))).ok()?;
        }
    }
}
