//! tokio-websockets, on the transport itself. What it sends it leaves where it lies: the transport gathers it where
//! the work demands one piece.

use std::{future::poll_fn, hint::black_box, pin::Pin};

use futures::{Sink as _, Stream as _};
use tokio_websockets::{ClientBuilder, Message, Payload, ServerBuilder, WebSocketStream};

use crate::{
    accept::Accept,
    peer::{Decode, Decoder, Do, Doer, Peer},
    transport::{Transport, Written, now},
    wire::{Sink, Wire},
};

pub struct TokioWebsockets;

type Socket = WebSocketStream<Transport>;

fn server(transport: Transport) -> Socket {
    ServerBuilder::new().serve(transport)
}

fn client(transport: Transport) -> Socket {
    ClientBuilder::new().take_over(transport)
}

fn decoder(role: fn(Transport) -> Socket, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let (transport, written) = Transport::reading(wire);
    Some(Box::new(Decoding { wire, socket: role(transport), written }))
}

fn encoder(role: fn(Transport) -> Socket, payload: &'static [u8], gather: bool) -> Option<Box<dyn Doer>> {
    let (transport, written) = Transport::writing();
    if gather {
        written.keep();
    }
    Some(Box::new(Encode { socket: role(transport), payload: Payload::from(payload), written }))
}

impl Peer for TokioWebsockets {
    fn name(&self) -> &'static str {
        "tokio-websockets"
    }

    fn checks(&self) -> &'static str {
        "mask bit, RSV, opcodes, minimal lengths, order of fragments, UTF-8, control frames, message \
         limit; handshake: Upgrade, Connection, version, a key"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(server, wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(client, wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(server, payload, true)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(client, payload, true)
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(server, payload, false)
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Decoding {
    wire: &'static Wire,
    socket: Socket,
    written: Written,
}

impl Decode for Decoding {
    fn pass(&mut self, sink: &mut Sink) {
        self.written.clear();
        let mut left = self.wire.seen.messages;
        while left > 0 {
            let message = now(poll_fn(|cx| Pin::new(&mut self.socket).poll_next(cx))).unwrap().unwrap();
            if message.is_text() || message.is_binary() {
                sink.message(message.is_text(), message.as_payload());
                left -= 1;
            }
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.written.bytes()
    }
}

struct Encode {
    socket: Socket,
    payload: Payload,
    written: Written,
}

impl Do for Encode {
    fn once(&mut self) {
        self.written.clear();
        let message = Message::binary(black_box(&self.payload).clone());
        let mut socket = Pin::new(&mut self.socket);
        socket.as_mut().start_send(message).unwrap();
        now(poll_fn(|cx| socket.as_mut().poll_flush(cx))).unwrap();
        black_box(&self.written);
    }

    fn output(&mut self) -> Vec<u8> {
        self.written.keep();
        self.once();
        self.written.bytes()
    }
}

fn answered(transport: Transport) {
    black_box(now(ServerBuilder::new().accept(transport)).unwrap());
}
