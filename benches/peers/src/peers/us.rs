//! This repository's crate, driven as a program drives it: by one loop, so that as much of it is inlined there.

use std::hint::black_box;

use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Event, Input, Kind, MIN_OUTPUT, OriginPolicy, Outgoing,
    Role, Server, SliceOutput, mask,
    server::{Handshake, Progress},
};

use crate::{
    peer::{Decode, Decoder, Do, Doer, Peer, Unmasker},
    wire::{Sink, Wire},
};

pub struct Us;

/// A generator of its own for each connection.
fn client() -> Client<impl FnMut() -> [u8; 4]> {
    let mut random = fastrand::Rng::new();
    Client(move || random.u32(..).to_le_bytes())
}

fn decoder<R: Role + 'static>(role: R, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
    let conn = Connection::new(role, &Config::default(), Agreed::default());
    let out = SliceOutput::new([0; 4 * MIN_OUTPUT]);
    let buf = vec![0; wire.read];
    Some(Box::new(Messages { wire, conn, out, buf, whole: Assembler::new(Vec::new()) }))
}

fn encoder<R: Role + 'static>(role: R, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
    let conn = Connection::new(role, &Config::default(), Agreed::default());
    Some(Box::new(Encode { conn, payload, out: Vec::new() }))
}

impl Peer for Us {
    fn name(&self) -> &'static str {
        "websocket-proto"
    }

    fn checks(&self) -> &'static str {
        "mask bit, RSV, opcodes, minimal lengths, order of fragments, UTF-8, control frames, frame, \
         message and fragment limits; handshake: the whole head, Host, Upgrade, Connection, key, version, \
         Origin"
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(Server, wire)
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        decoder(client(), wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(Server, payload)
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        encoder(client(), payload)
    }

    fn server_encode_by_reference(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        let conn = Connection::new(Server, &Config::default(), Agreed::default());
        Some(Box::new(EncodeByReference { conn, payload, out: Vec::new() }))
    }

    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        Some(Box::new(|payload: &mut [u8], key| {
            mask(key, payload);
        }))
    }

    fn handshake(&self, request: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Open { request, buf: vec![0; request.len()], out: Vec::new() }))
    }
}

fn is_text(kind: Kind) -> bool {
    kind == Kind::Text
}

/// Messages whole: what came in one piece is not copied.
struct Messages<R: Role> {
    wire: &'static Wire,
    conn: Connection<R>,
    out: SliceOutput<[u8; 4 * MIN_OUTPUT]>,
    buf: Vec<u8>,
    whole: Assembler<Vec<u8>>,
}

impl<R: Role> Decode for Messages<R> {
    fn pass(&mut self, sink: &mut Sink) {
        self.out.advance(usize::MAX);
        for read in self.wire.reads() {
            let buf = &mut self.buf[..read.len()];
            buf.copy_from_slice(read);
            let mut input = Input::new(buf);
            while let Some(event) = self.conn.receive(&mut input, &mut self.out) {
                if let Event::Data(data) = event
                    && let Some(message) = self.whole.push(data).unwrap()
                {
                    sink.message(is_text(message.kind()), message.payload());
                }
            }
        }
    }

    fn replies(&self) -> Vec<u8> {
        self.out.pending().to_vec()
    }
}

struct Encode<R: Role> {
    conn: Connection<R>,
    payload: &'static [u8],
    out: Vec<u8>,
}

impl<R: Role> Do for Encode<R> {
    fn once(&mut self) {
        self.out.clear();
        self.conn.send(Outgoing::binary(black_box(self.payload)), &mut self.out).unwrap();
        black_box(&self.out);
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        self.out.clone()
    }
}

struct EncodeByReference {
    conn: Connection<Server>,
    payload: &'static [u8],
    out: Vec<u8>,
}

impl Do for EncodeByReference {
    fn once(&mut self) {
        self.out.clear();
        let payload = black_box(self.payload);
        self.conn.send_header(Outgoing::binary(&[]), payload.len() as u64, &mut self.out).unwrap();
        self.conn.pay_by_reference(payload).unwrap();
        black_box((&self.out, payload));
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        [&self.out, self.payload].concat()
    }
}

struct Open {
    request: &'static [u8],
    buf: Vec<u8>,
    out: Vec<u8>,
}

impl Do for Open {
    fn once(&mut self) {
        self.out.clear();
        self.buf.copy_from_slice(black_box(self.request));
        let config = Config::default();
        let mut handshake = Handshake::new([0; 2048], config.head);
        if let Progress::Request { request, .. } = handshake.receive(Input::new(&mut self.buf), &mut self.out)
        {
            request.accept(OriginPolicy::SameHost).write(&mut self.out).unwrap();
        }
        black_box((Connection::new(Server, &config, handshake.agreed().unwrap()), &self.out));
    }

    fn output(&mut self) -> Vec<u8> {
        self.once();
        self.out.clone()
    }
}
