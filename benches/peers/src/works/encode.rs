//! Encoding one message again and again, into one output.

use std::cell::Cell;

use super::{Wanted, Work};
use crate::{
    peer::{Doer, Peer},
    wire::{Numbers, payload_of, placed_at},
};

type Make = fn(&dyn Peer, &'static [u8]) -> Option<Box<dyn Doer>>;

fn work(wanted: &Wanted, group: &'static str, (name, len): (&str, usize), encoder: Make) -> Option<Work> {
    let bytes = Numbers(7).bytes(len);
    // Where both buffers lie alike in their pages, every copy waits for its own stores, memcpy as well: so each round reads
    // from another place.
    let payloads = [0, 576, 1152, 1728, 2304, 2880, 3456].map(|at| placed_at(&bytes, at));
    let payload = payloads[0];
    wanted.work(group, name, 1, |peer| {
        let output = encoder(peer, payload)?.output();
        let written = payload_of(&output, group == "client encode");
        if !peer.is_floor() && written.as_deref() != Ok(payload) {
            return Some(Err(format!("another frame was written: {:?}", written.err())));
        }
        let round = Cell::new(0);
        Some(Ok(Box::new(move || {
            let payload = payloads[round.replace(round.get() + 1) % payloads.len()];
            let mut encoder = encoder(peer, payload).unwrap();
            Box::new(move |times| encoder.run(times))
        })))
    })
}

pub(super) fn works(wanted: &Wanted) -> Vec<Work> {
    const SIZES: [(&str, usize); 4] =
        [("20 B", 20), ("125 B", 125), ("1 KiB", 1 << 10), ("64 KiB", 64 << 10)];
    let server = SIZES
        .map(|size| work(wanted, "server encode", size, |peer, payload| peer.server_encode(payload)))
        .into_iter()
        .chain([work(wanted, "server encode", ("64 KiB by reference", 64 << 10), |peer, payload| {
            peer.server_encode_by_reference(payload)
        })]);
    let client =
        SIZES.map(|size| work(wanted, "client encode", size, |peer, payload| peer.client_encode(payload)));
    server.chain(client).flatten().collect()
}
