//! yawc, with buffers as long as the longest read and message, and with the UTF-8 check that is off unless asked for.
//! It sends pongs once there is nothing to read, so it is read until then.

use std::{
    future::poll_fn,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::Sink as _;
use yawc::{Frame, OpCode, Options, Role, WebSocket, mask::apply_mask};

use crate::{
    accept::{Accept, by_hyper},
    peer::{Decode, Decoder, Do, Doer, Peer, Unmasker},
    transport::{Transport, Written, now},
    wire::{Sink, Wire},
};

pub struct Yawc;

fn decoder(role: Role, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let (transport, written) = Transport::pausing(wire);
    let options = Options::default().with_utf8().with_read_buffer_capacity(wire.read);
    Some(Box::new(Decoding { socket: WebSocket::from_stream(transport, role, options).unwrap(), written }))
}

fn encoder(role: Role, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
    let (transport, written) = Transport::writing();
    let options = Options::default().with_write_buffer_capacity(payload.len() + 16);
    let socket = WebSocket::from_stream(transport, role, options).unwrap();
    Some(Box::new(Encode { socket, payload: Bytes::from_static(payload), written }))
}

impl Peer for Yawc {
    fn name(&self) -> &'static str {
        "yawc"
    }

    fn checks(&self) -> &'static str {
        "mask bit of clients, RSV, opcodes, order of fragments, UTF-8 if asked for (it is here), control \
         frames (partly), frame and message limits; not minimal lengths; handshake: key, version, and \
         HTTP by hyper"
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

    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        Some(Box::new(apply_mask))
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Decoding {
    socket: WebSocket<Transport>,
    written: Written,
}

impl Decode for Decoding {
    fn pass(&mut self, sink: &mut Sink) {
        self.written.clear();
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(frame) = self.socket.poll_next_frame(&mut context) {
            let frame = frame.unwrap();
            if let opcode @ (OpCode::Text | OpCode::Binary) = frame.opcode() {
                sink.message(opcode == OpCode::Text, frame.payload());
            }
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

impl Do for Encode {
    fn once(&mut self) {
        let frame = Frame::binary(black_box(&self.payload).clone());
        let mut socket = Pin::new(&mut self.socket);
        now(poll_fn(|cx| socket.as_mut().poll_ready(cx))).unwrap();
        socket.as_mut().start_send(frame).unwrap();
        now(poll_fn(|cx| socket.as_mut().poll_flush(cx))).unwrap();
    }

    fn output(&mut self) -> Vec<u8> {
        self.written.keep();
        self.once();
        self.written.bytes()
    }
}

fn answered(transport: Transport) {
    black_box(by_hyper(transport, |request| WebSocket::upgrade(request).unwrap()).ok().unwrap());
}
