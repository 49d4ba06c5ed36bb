//! sockudo-ws, by its protocol without a stream: `process_into` a `Vec` that is used again, as it advises.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use sockudo_ws::{
    Message, OpCode, Role, frame::encode_frame_header, handshake::server_handshake, protocol::Protocol,
    simd::apply_mask,
};

use crate::{
    accept::Accept,
    peer::{Decode, Decoder, Do, Doer, Peer, Unmasker},
    transport::{Transport, now},
    wire::{Sink, Wire},
};

pub struct Sockudo;

/// The limits of its default configuration.
fn protocol(role: Role) -> Protocol {
    let config = sockudo_ws::Config::default();
    Protocol::new(role, config.max_frame_size, config.max_message_size)
}

fn decoder(role: Role, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let buf = BytesMut::with_capacity(wire.read);
    Some(Box::new(Decoding {
        wire,
        protocol: protocol(role),
        buf,
        messages: Vec::new(),
        out: BytesMut::new(),
    }))
}

fn encoder(role: Role, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
    let message = Message::Binary(Bytes::from_static(payload));
    Some(Box::new(Encode { protocol: protocol(role), message, out: BytesMut::new() }))
}

impl Peer for Sockudo {
    fn name(&self) -> &'static str {
        "sockudo-ws"
    }

    fn checks(&self) -> &'static str {
        "mask bit, RSV, opcodes, minimal lengths, order of fragments, UTF-8, control frames, frame and \
         message limits; handshake: method, version, target, Host, Upgrade, Connection, key; by reference \
         it writes the header alone"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Role::Server, wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Role::Client, wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Role::Server, payload)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Role::Client, payload)
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(EncodeByReference { payload, out: BytesMut::new() }))
    }

    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        Some(Box::new(|payload: &mut [u8], key| apply_mask(payload, key)))
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Decoding {
    wire: &'static Wire,
    protocol: Protocol,
    buf: BytesMut,
    messages: Vec<Message>,
    out: BytesMut,
}

impl Decode for Decoding {
    fn pass(&mut self, sink: &mut Sink) {
        self.out.clear();
        for read in self.wire.reads() {
            // Messages that are gone leave the buffer to be used again.
            self.messages.clear();
            self.buf.reserve(read.len());
            self.buf.extend_from_slice(read);
            self.protocol.process_into(&mut self.buf, &mut self.messages).unwrap();
            for message in &self.messages {
                match message {
                    Message::Text(text) => sink.message(true, text),
                    Message::Binary(bytes) => sink.message(false, bytes),
                    Message::Ping(payload) => self.protocol.encode_pong(payload, &mut self.out),
                    _ => {}
                }
            }
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.out.to_vec()
    }
}

struct Encode {
    protocol: Protocol,
    message: Message,
    out: BytesMut,
}

impl Do for Encode {
    fn once(&mut self) {
        self.out.clear();
        self.protocol.encode_message(black_box(&self.message), &mut self.out).unwrap();
        black_box(&self.out);
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        self.out.to_vec()
    }
}

struct EncodeByReference {
    payload: &'static [u8],
    out: BytesMut,
}

impl Do for EncodeByReference {
    fn once(&mut self) {
        self.out.clear();
        let payload = black_box(self.payload);
        encode_frame_header(&mut self.out, OpCode::Binary, payload.len(), true, None);
        black_box((&self.out, payload));
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        [&self.out, self.payload].concat()
    }
}

fn answered(mut transport: Transport) {
    black_box(now(server_handshake(&mut transport)).unwrap());
}
