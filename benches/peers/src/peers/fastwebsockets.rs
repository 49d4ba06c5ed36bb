//! fastwebsockets, with its collector of fragments, and its handshake on hyper.

use std::hint::black_box;

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket, unmask, upgrade::upgrade};

use crate::{
    accept::{Accept, by_hyper},
    peer::{Decode, Decoder, Do, Doer, Peer, Unmasker},
    transport::{Transport, Written, now},
    wire::{Sink, Wire},
};

pub struct FastWebsockets;

fn decoder(role: Role, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let (transport, written) = Transport::reading(wire);
    let socket = WebSocket::after_handshake(transport, role);
    Some(Box::new(Decoding { wire, socket: FragmentCollector::new(socket), written }))
}

fn encoder(role: Role, payload: &'static [u8], vectored: bool) -> Option<Box<dyn Doer>> {
    let (transport, written) = Transport::writing();
    let mut socket = WebSocket::after_handshake(transport, role);
    socket.set_writev(vectored);
    socket.set_writev_threshold(0);
    let payload = if role == Role::Client { Given::Own(payload.to_vec()) } else { Given::Shared(payload) };
    Some(Box::new(Encode { socket, payload, written }))
}

impl Peer for FastWebsockets {
    fn name(&self) -> &'static str {
        "fastwebsockets"
    }

    fn checks(&self) -> &'static str {
        "RSV, opcodes, order of fragments (partly), UTF-8, control frames (partly), frame limit; not the \
         mask bit, not minimal lengths; handshake: key, version, and HTTP by hyper"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Role::Server, wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Role::Client, wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Role::Server, payload, false)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Role::Client, payload, false)
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Role::Server, payload, true)
    }

    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        Some(Box::new(unmask))
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Decoding {
    wire: &'static Wire,
    socket: FragmentCollector<Transport>,
    written: Written,
}

impl Decode for Decoding {
    fn pass(&mut self, sink: &mut Sink) {
        self.written.clear();
        for _ in 0..self.wire.seen.messages {
            let frame = now(self.socket.read_frame()).unwrap();
            sink.message(frame.opcode == OpCode::Text, &frame.payload);
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.written.bytes()
    }
}

/// A client masks what it is given in place, if it may: so it is given memory of its own.
enum Given {
    Shared(&'static [u8]),
    Own(Vec<u8>),
}

struct Encode {
    socket: WebSocket<Transport>,
    payload: Given,
    written: Written,
}

impl Do for Encode {
    fn once(&mut self) {
        match &mut self.payload {
            Given::Shared(payload) => {
                let frame = Frame::binary(Payload::Borrowed(black_box(payload)));
                now(self.socket.write_frame(frame)).unwrap();
            }
            Given::Own(payload) => {
                let frame = Frame::binary(Payload::BorrowedMut(black_box(payload)));
                now(self.socket.write_frame(frame)).unwrap();
            }
        }
    }

    fn output(&mut self) -> Vec<u8> {
        self.written.keep();
        self.once();
        self.written.bytes()
    }
}

fn answered(transport: Transport) {
    black_box(by_hyper(transport, |request| upgrade(request).unwrap()).ok().unwrap());
}
