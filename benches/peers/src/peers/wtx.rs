//! wtx, with a network buffer as long as the longest read. What it sends it leaves where it lies, and a client masks it
//! there: the transport gathers it where the work demands one piece.

use std::{
    hint::black_box,
    io::{Read, Write},
};

use wtx::{
    collection::Vector,
    rng::{Xorshift64, simple_seed},
    stream::{StreamReader, StreamWriter},
    web_socket::{
        Frame, OpCode, WebSocket, WebSocketAcceptor, WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin,
    },
};

use crate::{
    accept::Accept,
    peer::{Decode, Decoder, Do, Doer, Peer},
    transport::{Transport, Written, now},
    wire::{Sink, Wire},
};

pub struct Wtx;

/// The traits of a socket are its own.
struct Stream(Transport);

impl StreamReader for Stream {
    #[inline]
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.0.read(bytes)?)
    }
}

impl StreamWriter for Stream {
    #[inline]
    async fn write_all(&mut self, bytes: &[u8]) -> wtx::Result<()> {
        Ok(self.0.write_all(bytes)?)
    }

    #[inline]
    async fn write_all_vectored(&mut self, slices: &[&[u8]]) -> wtx::Result<()> {
        Ok(slices.iter().try_for_each(|bytes| self.0.write_all(bytes))?)
    }
}

type Socket<const CLIENT: bool> = WebSocketOwned<(), Xorshift64, Stream, CLIENT>;

fn socket<const CLIENT: bool>(transport: Transport, read: usize) -> Socket<CLIENT> {
    let buffer = WebSocketBuffer::with_capacity(read, 0, 0).unwrap();
    WebSocket::new((), false, Xorshift64::from(simple_seed()), Stream(transport), buffer)
}

fn decoder<const CLIENT: bool>(wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let (transport, written) = Transport::reading(wire);
    let socket: Socket<CLIENT> = socket(transport, wire.read);
    Some(Box::new(Decoding { wire, socket, message: Vector::new(), written }))
}

fn encoder<const CLIENT: bool>(payload: &'static [u8], gather: bool) -> Option<Box<dyn Doer>> {
    let (transport, written) = Transport::writing();
    if gather {
        written.keep();
    }
    let socket: Socket<CLIENT> = socket(transport, 0);
    Some(Box::new(Encode { socket, payload: payload.to_vec(), written }))
}

impl Peer for Wtx {
    fn name(&self) -> &'static str {
        "wtx"
    }

    fn checks(&self) -> &'static str {
        "mask bit of clients, RSV2 and RSV3, opcodes, order of fragments, UTF-8, control frames (partly), \
         frame limit; not RSV1, not minimal lengths; handshake: method, key, version"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder::<false>(wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder::<true>(wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder::<false>(payload, true)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder::<true>(payload, true)
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder::<false>(payload, false)
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Decoding<const CLIENT: bool> {
    wire: &'static Wire,
    socket: Socket<CLIENT>,
    message: Vector<u8>,
    written: Written,
}

impl<const CLIENT: bool> Decode for Decoding<CLIENT> {
    fn pass(&mut self, sink: &mut Sink) {
        self.written.clear();
        let mut left = self.wire.seen.messages;
        while left > 0 {
            let origin = WebSocketPayloadOrigin::Adaptive;
            let frame = now(self.socket.read_frame(&mut self.message, origin)).unwrap();
            if let opcode @ (OpCode::Text | OpCode::Binary) = frame.op_code() {
                sink.message(opcode == OpCode::Text, frame.payload());
                left -= 1;
            }
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.written.bytes()
    }
}

struct Encode<const CLIENT: bool> {
    socket: Socket<CLIENT>,
    payload: Vec<u8>,
    written: Written,
}

impl<const CLIENT: bool> Do for Encode<CLIENT> {
    fn once(&mut self) {
        self.written.clear();
        let payload = black_box(self.payload.as_mut_slice());
        now(self.socket.write_frame(&mut Frame::new_fin(OpCode::Binary, payload))).unwrap();
        black_box(&self.written);
    }

    fn output(&mut self) -> Vec<u8> {
        self.written.keep();
        self.once();
        self.written.bytes()
    }
}

fn answered(transport: Transport) {
    let acceptor = WebSocketAcceptor::default().no_masking(false);
    black_box(now(acceptor.accept(Stream(transport))).unwrap());
}
