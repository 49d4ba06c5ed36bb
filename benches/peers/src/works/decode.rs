//! Decoding: small messages come many at a time in a read of 64 KiB, large ones whole.

use super::{Wanted, Work};
use crate::{
    peer::{Decoder, Peer},
    wire::{Hash, Numbers, Wire, frame, placed},
};

/// What a read gives.
const READ: usize = 64 << 10;
/// What a read gives that brings one segment of Ethernet.
const SEGMENT: usize = 1460;

type Make = fn(&dyn Peer, &'static Wire) -> Option<Box<dyn Decoder>>;
type Payload = fn(&mut Numbers, usize) -> Vec<u8>;

/// A wire under construction.
struct Builder {
    numbers: Numbers,
    masked: bool,
    bytes: Vec<u8>,
    replies: Vec<u8>,
    hash: Hash,
}

impl Builder {
    fn new(masked: bool) -> Self {
        let numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        Self { numbers, masked, bytes: Vec::new(), replies: Vec::new(), hash: Hash::default() }
    }

    fn frame(&mut self, first: u8, payload: &[u8]) {
        let key = (self.numbers.next() as u32).to_le_bytes();
        self.bytes.extend(frame(first, payload, self.masked.then_some(key)));
    }

    fn message(&mut self, text: bool, payload: &[u8]) {
        self.frame(if text { 0x81 } else { 0x82 }, payload);
        self.hash.message(text, payload);
    }

    /// A text in 16 fragments of 512 bytes, which cut characters, with a ping behind every fourth but the last.
    fn fragments(&mut self) {
        let text = self.numbers.cjk(16 * 512);
        for (i, fragment) in text.chunks(512).enumerate() {
            self.frame(u8::from(i == 0) | if i == 15 { 0x80 } else { 0 }, fragment);
            if i % 4 == 3 && i != 15 {
                let payload = self.numbers.bytes(8);
                self.frame(0x89, &payload);
                self.replies.extend(frame(0x8a, &payload, None));
            }
        }
        self.hash.message(true, &text);
    }

    /// Wires live as long as the program: whoever reads them needs no lifetime.
    fn finish(self, read: Option<usize>) -> &'static Wire {
        let Self { bytes, replies, hash, .. } = self;
        let read = read.unwrap_or(bytes.len());
        Box::leak(Box::new(Wire { read, seen: hash.seen(), replies, bytes: placed(&bytes) }))
    }
}

/// Messages of one length: as many as one read holds, at least one.
fn batch(masked: bool, text: bool, len: usize, payload: Payload, read: Option<usize>) -> &'static Wire {
    let mut builder = Builder::new(masked);
    loop {
        let payload = payload(&mut builder.numbers, len);
        builder.message(text, &payload);
        if builder.bytes.len() + len + 14 > READ {
            return builder.finish(read);
        }
    }
}

fn fragmented() -> &'static Wire {
    let mut builder = Builder::new(true);
    builder.fragments();
    let one = builder.bytes.len();
    (1..8).for_each(|_| builder.fragments());
    builder.finish(Some(one))
}

fn work(
    wanted: &Wanted,
    group: &'static str,
    name: &str,
    wire: &'static Wire,
    decoder: Make,
) -> Option<Work> {
    wanted.work(group, name, wire.seen.messages, |peer| {
        let (seen, replies) = decoder(peer, wire)?.check();
        if !peer.is_floor() && seen != wire.seen {
            return Some(Err(format!(
                "{} messages, and not the {} expected",
                seen.messages, wire.seen.messages
            )));
        }
        if !peer.is_floor() && replies != wire.replies {
            return Some(Err(format!("replies of {} bytes, not of {}", replies.len(), wire.replies.len())));
        }
        Some(Ok(Box::new(move || {
            let mut decoder = decoder(peer, wire).unwrap();
            Box::new(move |passes| decoder.run(passes))
        })))
    })
}

pub(super) fn works(wanted: &Wanted) -> Vec<Work> {
    let server =
        |name, wire| work(wanted, "server decode", name, wire, |peer, wire| peer.server_decode(wire));
    let client =
        |name, wire| work(wanted, "client decode", name, wire, |peer, wire| peer.client_decode(wire));
    let works = [
        server("20 B", batch(true, false, 20, Numbers::bytes, None)),
        server("125 B text", batch(true, true, 125, Numbers::ascii, None)),
        server("1 KiB CJK", batch(true, true, 1 << 10, Numbers::cjk, None)),
        server("64 KiB", batch(true, false, 64 << 10, Numbers::bytes, None)),
        server("16 × 512 B fragments", fragmented()),
        server("300 B text in 1460 B reads", batch(true, true, 300, Numbers::ascii, Some(SEGMENT))),
        client("20 B", batch(false, false, 20, Numbers::bytes, None)),
        client("64 KiB", batch(false, false, 64 << 10, Numbers::bytes, None)),
    ];
    works.into_iter().flatten().collect()
}
