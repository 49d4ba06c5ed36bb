//! What cannot be avoided: one copy out of the socket or into the output, and an XOR with one byte.

use std::hint::black_box;

use crate::{
    peer::{Decode, Decoder, Do, Doer, Peer, Unmasker},
    wire::{Sink, Wire},
};

pub struct Floor;

impl Peer for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn checks(&self) -> &'static str {
        "nothing: one memcpy a read, one of the payload, or `x ^= constant`"
    }

    fn is_floor(&self) -> bool {
        true
    }

    fn server_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        Some(Box::new(Copied { wire, buf: vec![0; wire.read] }))
    }

    fn client_decode(&self, wire: &'static Wire) -> Option<Box<dyn Decoder>> {
        self.server_decode(wire)
    }

    fn server_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        Some(Box::new(Append { payload, out: Vec::new() }))
    }

    fn client_encode(&self, payload: &'static [u8]) -> Option<Box<dyn Doer>> {
        self.server_encode(payload)
    }

    fn unmask(&self) -> Option<Box<dyn Unmasker>> {
        Some(fastest_xor())
    }
}

struct Copied {
    wire: &'static Wire,
    buf: Vec<u8>,
}

impl Decode for Copied {
    fn pass(&mut self, _: &mut Sink) {
        for read in self.wire.reads() {
            let buf = &mut self.buf[..read.len()];
            buf.copy_from_slice(read);
            black_box(buf);
        }
    }

    fn replies(&self) -> Vec<u8> {
        Vec::new()
    }
}

struct Append {
    payload: &'static [u8],
    out: Vec<u8>,
}

impl Do for Append {
    fn once(&mut self) {
        self.out.clear();
        self.out.extend_from_slice(black_box(self.payload));
        black_box(&self.out);
    }

    fn output(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

/// With the widest vectors of this machine, chosen once and not by every call.
fn fastest_xor() -> Box<dyn Unmasker> {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the machine has it.
            return Box::new(|payload: &mut [u8], key: [u8; 4]| unsafe { x86::avx512(payload, key[0]) });
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has it.
            return Box::new(|payload: &mut [u8], key: [u8; 4]| unsafe { x86::avx2(payload, key[0]) });
        }
    }
    Box::new(|payload: &mut [u8], key: [u8; 4]| xor(payload, key[0]))
}

#[inline(always)]
fn xor(payload: &mut [u8], constant: u8) {
    for byte in payload {
        *byte ^= constant;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #[target_feature(enable = "avx512bw,avx512vl")]
    pub(super) fn avx512(payload: &mut [u8], constant: u8) {
        super::xor(payload, constant);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(payload: &mut [u8], constant: u8) {
        super::xor(payload, constant);
    }
}
