//! tungstenite, with a read buffer as long as the longest read: it fills what it has room for with zeros before each.

use std::hint::black_box;

use tungstenite::{
    Bytes, Message, WebSocket, accept,
    protocol::{Role, WebSocketConfig},
};

use crate::{
    accept::Accept,
    peer::{Decode, Decoder, Do, Doer, Peer},
    transport::{Transport, Written},
    wire::{Sink, Wire},
};

pub struct Tungstenite;

impl Peer for Tungstenite {
    fn name(&self) -> &'static str {
        "tungstenite"
    }

    fn checks(&self) -> &'static str {
        "mask bit, RSV, opcodes, order of fragments, UTF-8, control frames, frame and message limits; not \
         minimal lengths; handshake: method, version, Upgrade, Connection, key"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        Some(Box::new(Socket::new(wire, Role::Server)))
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        Some(Box::new(Socket::new(wire, Role::Client)))
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Encode::new(payload, Role::Server)))
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Encode::new(payload, Role::Client)))
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Socket {
    wire: &'static Wire,
    socket: WebSocket<Transport>,
    written: Written,
}

impl Socket {
    fn new(wire: &'static Wire, role: Role) -> Self {
        let (transport, written) = Transport::reading(wire);
        let config = WebSocketConfig::default().read_buffer_size(wire.read);
        Self { wire, socket: WebSocket::from_raw_socket(transport, role, Some(config)), written }
    }
}

impl Decode for Socket {
    fn pass(&mut self, sink: &mut Sink) {
        self.written.clear();
        let mut left = self.wire.seen.messages;
        while left > 0 {
            match self.socket.read().unwrap() {
                Message::Text(text) => sink.message(true, text.as_str().as_bytes()),
                Message::Binary(bytes) => sink.message(false, &bytes),
                _ => continue,
            }
            left -= 1;
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.written.bytes()
    }
}

struct Encode {
    socket: WebSocket<Transport>,
    payload: Bytes,
    written: Written,
}

impl Encode {
    fn new(payload: &'static [u8], role: Role) -> Self {
        let (transport, written) = Transport::writing();
        let config = WebSocketConfig::default().write_buffer_size(0);
        let socket = WebSocket::from_raw_socket(transport, role, Some(config));
        Self { socket, payload: Bytes::from_static(payload), written }
    }
}

impl Do for Encode {
    fn once(&mut self) {
        self.socket.write(Message::Binary(black_box(&self.payload).clone())).unwrap();
    }

    fn output(&mut self) -> Vec<u8> {
        self.written.keep();
        self.once();
        self.written.bytes()
    }
}

fn answered(transport: Transport) {
    black_box(accept(transport).ok().unwrap());
}
