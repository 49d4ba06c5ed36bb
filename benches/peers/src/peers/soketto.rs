//! soketto, behind the buffers that its examples put around a socket: it reads headers by two bytes.

use std::hint::black_box;

use futures::io::{BufReader, BufWriter};
use soketto::{
    Receiver, Sender,
    connection::{Builder, Mode},
    handshake::{Server, server::Response},
};

use crate::{
    accept::Accept,
    peer::{Decode, Decoder, Do, Doer, Peer},
    transport::{Transport, Written, now},
    wire::{Sink, Wire},
};

pub struct Soketto;

type Socket = BufReader<BufWriter<Transport>>;

/// As much as a frame's header takes.
const HEADER: usize = 14;

fn socket(transport: Transport, read: usize, write: usize) -> Socket {
    BufReader::with_capacity(read, BufWriter::with_capacity(write, transport))
}

fn decoder(mode: Mode, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let (transport, written) = Transport::reading(wire);
    let (_, receiver) = Builder::new(socket(transport, wire.read, 1024), mode).finish();
    Some(Box::new(Decoding { wire, receiver, message: Vec::new(), written }))
}

fn encoder(mode: Mode, payload: &'static [u8], buffer: usize) -> Option<Box<dyn Doer>> {
    let (transport, written) = Transport::writing();
    let (sender, _) = Builder::new(socket(transport, 1, buffer), mode).finish();
    let own = if mode.is_client() { payload.to_vec() } else { Vec::new() };
    Some(Box::new(Encode { sender, payload, own, written }))
}

impl Peer for Soketto {
    fn name(&self) -> &'static str {
        "soketto"
    }

    fn checks(&self) -> &'static str {
        "RSV, opcodes, order of fragments, control frames, frame and message limits; not the mask bit, \
         not UTF-8, not minimal lengths; handshake: method, version, Host, Upgrade, Connection, key"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Mode::Server, wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Mode::Client, wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Mode::Server, payload, payload.len() + HEADER)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Mode::Client, payload, payload.len() + HEADER)
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Mode::Server, payload, HEADER)
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept { request, accept: answered }))
    }
}

struct Decoding {
    wire: &'static Wire,
    receiver: Receiver<Socket>,
    message: Vec<u8>,
    written: Written,
}

impl Decode for Decoding {
    fn pass(&mut self, sink: &mut Sink) {
        self.written.clear();
        for _ in 0..self.wire.seen.messages {
            self.message.clear();
            let data = now(self.receiver.receive_data(&mut self.message)).unwrap();
            sink.message(data.is_text(), &self.message);
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.written.bytes()
    }
}

struct Encode {
    sender: Sender<Socket>,
    payload: &'static [u8],
    /// A client's payload, which is masked where it lies.
    own: Vec<u8>,
    written: Written,
}

impl Do for Encode {
    fn once(&mut self) {
        now(async {
            if self.own.is_empty() {
                self.sender.send_binary(black_box(self.payload)).await.unwrap();
            } else {
                self.sender.send_binary_mut(black_box(&mut self.own)).await.unwrap();
            }
            self.sender.flush().await.unwrap();
        });
    }

    fn output(&mut self) -> Vec<u8> {
        self.written.keep();
        self.once();
        self.written.bytes()
    }
}

fn answered(transport: Transport) {
    let mut server = Server::new(transport);
    now(async {
        let key = server.receive_request().await.unwrap().key();
        server.send_response(&Response::Accept { key, protocol: None }).await.unwrap();
    });
    black_box(server.into_builder().finish());
}
