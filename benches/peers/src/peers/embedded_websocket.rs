//! embedded-websocket, which unmasks out of the read buffer into another one. A header cut by a read's end is put
//! before the next read by the caller, and so are pongs written.

use std::hint::black_box;

use embedded_websocket::{
    Client, EmptyRng, Error, Server, WebSocket, WebSocketClient, WebSocketReceiveMessageType as Received,
    WebSocketSendMessageType as Send, WebSocketServer, WebSocketState, WebSocketType, read_http_header,
};
use rand_core::RngCore;

use crate::{
    peer::{Decode, Decoder, Do, Doer, Peer},
    wire::{Sink, Wire},
};

pub struct EmbeddedWebsocket;

/// The longest header.
const HEADER: usize = 14;

/// Its client wants a generator of this trait.
struct Keys(fastrand::Rng);

impl RngCore for Keys {
    fn next_u32(&mut self) -> u32 {
        self.0.u32(..)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.u64(..)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

fn server() -> WebSocket<EmptyRng, Server> {
    let mut socket = WebSocketServer::new_server();
    socket.state = WebSocketState::Open;
    socket
}

fn client() -> WebSocket<Keys, Client> {
    let mut socket = WebSocketClient::new_client(Keys(fastrand::Rng::new()));
    socket.state = WebSocketState::Open;
    socket
}

fn decoder<R: RngCore + 'static, T: WebSocketType + 'static>(
    socket: WebSocket<R, T>,
    wire: &'static Wire,
) -> Option<Box<dyn Decoder>> {
    let (buf, to) = (vec![0; wire.read + HEADER], vec![0; 64 << 10]);
    Some(Box::new(Decoding { wire, socket, buf, to, out: [0; 1024], written: 0 }))
}

fn encoder<R: RngCore + 'static, T: WebSocketType + 'static>(
    socket: WebSocket<R, T>,
    payload: &'static [u8],
) -> Option<Box<dyn Doer>> {
    Some(Box::new(Encode { socket, payload, out: vec![0; payload.len() + HEADER], len: 0 }))
}

impl Peer for EmbeddedWebsocket {
    fn name(&self) -> &'static str {
        "embedded-websocket"
    }

    fn checks(&self) -> &'static str {
        "opcodes; not the mask bit, RSV, minimal lengths, UTF-8, control frames or limits; handshake: \
         Upgrade"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(server(), wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(client(), wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(server(), payload)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(client(), payload)
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Handshake { request, buf: vec![0; request.len()], out: vec![0; 1024], len: 0 }))
    }
}

struct Decoding<R: RngCore, T: WebSocketType> {
    wire: &'static Wire,
    socket: WebSocket<R, T>,
    /// A header that was cut, and what was read behind it.
    buf: Vec<u8>,
    /// The message under way.
    to: Vec<u8>,
    out: [u8; 1024],
    written: usize,
}

impl<R: RngCore, T: WebSocketType> Decode for Decoding<R, T> {
    fn pass(&mut self, sink: &mut Sink) {
        self.written = 0;
        let (mut kept, mut len) = (0, 0);
        for read in self.wire.reads() {
            let end = kept + read.len();
            self.buf[kept..end].copy_from_slice(read);
            let mut at = 0;
            while at < end {
                let result = match self.socket.read(&self.buf[at..end], &mut self.to[len..]) {
                    Err(Error::ReadFrameIncomplete) => break,
                    result => result.unwrap(),
                };
                at += result.len_from;
                match result.message_type {
                    Received::Text | Received::Binary => {
                        len += result.len_to;
                        if result.end_of_message {
                            sink.message(result.message_type == Received::Text, &self.to[..len]);
                            len = 0;
                        }
                    }
                    Received::Ping => {
                        let payload = &self.to[len..len + result.len_to];
                        let place = &mut self.out[self.written..];
                        self.written += self.socket.write(Send::Pong, true, payload, place).unwrap();
                    }
                    _ => {}
                }
            }
            self.buf.copy_within(at..end, 0);
            kept = end - at;
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.out[..self.written].to_vec()
    }
}

struct Encode<R: RngCore, T: WebSocketType> {
    socket: WebSocket<R, T>,
    payload: &'static [u8],
    out: Vec<u8>,
    len: usize,
}

impl<R: RngCore, T: WebSocketType> Do for Encode<R, T> {
    fn once(&mut self) {
        self.len = self.socket.write(Send::Binary, true, black_box(self.payload), &mut self.out).unwrap();
        black_box(&self.out);
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        self.out[..self.len].to_vec()
    }
}

struct Handshake {
    request: &'static [u8],
    buf: Vec<u8>,
    out: Vec<u8>,
    len: usize,
}

impl Do for Handshake {
    fn once(&mut self) {
        self.buf.copy_from_slice(black_box(self.request));
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        assert!(request.parse(&self.buf).unwrap().is_complete());
        let headers = request.headers.iter().map(|header| (header.name, header.value));
        let context = read_http_header(headers).unwrap().unwrap();
        let mut socket = WebSocketServer::new_server();
        self.len = socket.server_accept(&context.sec_websocket_key, None, &mut self.out).unwrap();
        black_box((&socket.state, &self.out));
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        self.out[..self.len].to_vec()
    }
}
