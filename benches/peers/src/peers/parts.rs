//! What no WebSocket can avoid that is built on the same libraries, and nothing else: the copy out of the socket,
//! unmasking, UTF-8 by simdutf8, the copy that joins fragments; SHA-1 by sha1_smol and Base64 by base64ct.
//!
//! Nothing is parsed while it is timed: where the payloads are was found before.

use std::hint::black_box;

use base64ct::{Base64, Encoding};
use websocket_proto::{FrameHeader, MaskKey, Opcode, mask};

use crate::{
    peer::{Decode, Decoder, Do, Doer, Peer},
    wire::{Sink, Wire},
};

pub struct Parts;

impl Peer for Parts {
    fn name(&self) -> &'static str {
        "parts"
    }

    fn checks(&self) -> &'static str {
        "UTF-8 of what is not ASCII, where it lies; nothing is parsed: memcpy, unmasking, simdutf8, sha1_smol, base64ct"
    }

    fn is_floor(&self) -> bool {
        true
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        Some(Box::new(Payloads { wire, buf: vec![0; wire.read], steps: steps(wire), joined: Vec::new() }))
    }

    fn handshake(&self, _: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Accept))
    }
}

/// A piece of a payload in one read.
struct Step {
    from: usize,
    to: usize,
    key: MaskKey,
    /// The whole characters of it, if it is text with others than ASCII.
    text: Option<(usize, usize)>,
    /// Whether it is kept until its message is whole, and whether it is by now.
    kept: Option<bool>,
}

/// The pieces of each read.
fn steps(wire: &Wire) -> Vec<Vec<Step>> {
    let mut steps: Vec<Vec<Step>> = wire.reads().map(|_| Vec::new()).collect();
    let (mut at, mut is_text) = (0, false);
    while at < wire.bytes.len() {
        let (header, size) = FrameHeader::decode(&wire.bytes[at..]).expect("legal").expect("whole");
        let (start, len) = (at + size, header.len as usize);
        at = start + len;
        if header.opcode.is_control() {
            continue;
        }
        is_text = if header.opcode == Opcode::Continuation { is_text } else { header.opcode == Opcode::Text };
        let mut key = header.mask.unwrap_or_default();
        let mut from = start;
        while from < at {
            let read = from / wire.read;
            let to = at.min((read + 1) * wire.read);
            let mut payload = wire.bytes[from..to].to_vec();
            let next = mask(key, &mut payload);
            let text = (is_text && !payload.is_ascii()).then(|| characters(&payload));
            let whole = header.fin && header.opcode != Opcode::Continuation && start == from && to == at;
            let kept = (!whole).then_some(header.fin && to == at);
            let base = read * wire.read;
            steps[read].push(Step { from: from - base, to: to - base, key, text, kept });
            (key, from) = (next, to);
        }
    }
    steps
}

/// From where to where a piece has whole characters.
fn characters(piece: &[u8]) -> (usize, usize) {
    let is_inside = |byte: &u8| (0x80..0xc0).contains(byte);
    let from = piece.iter().take_while(|byte| is_inside(byte)).count();
    let to = (from..=piece.len()).rev().find(|&to| std::str::from_utf8(&piece[from..to]).is_ok());
    (from, to.unwrap_or(from))
}

struct Payloads {
    wire: &'static Wire,
    buf: Vec<u8>,
    steps: Vec<Vec<Step>>,
    joined: Vec<u8>,
}

impl Decode for Payloads {
    fn pass(&mut self, sink: &mut Sink) {
        for (read, steps) in self.wire.reads().zip(&self.steps) {
            let buf = &mut self.buf[..read.len()];
            buf.copy_from_slice(read);
            for step in steps {
                let payload = &mut buf[step.from..step.to];
                mask(step.key, payload);
                if let Some((from, to)) = step.text {
                    assert!(simdutf8::basic::from_utf8(&payload[from..to]).is_ok());
                }
                match step.kept {
                    None => sink.message(true, payload),
                    Some(is_whole) => {
                        self.joined.extend_from_slice(payload);
                        if is_whole {
                            sink.message(true, &self.joined);
                            self.joined.clear();
                        }
                    }
                }
            }
        }
    }

    fn replies(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// The accept value: two blocks of SHA-1, and 28 characters.
struct Accept;

impl Do for Accept {
    fn once(&mut self) {
        let mut hash = sha1_smol::Sha1::new();
        hash.update(black_box(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
        let mut text = [0; 28];
        black_box(Base64::encode(&hash.digest().bytes(), &mut text).expect("it fits"));
    }

    fn output(&mut self) -> Vec<u8> {
        Vec::new()
    }
}
