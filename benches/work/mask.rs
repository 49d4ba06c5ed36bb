//! Masking, in place.

use std::hint::black_box;

use websocket_proto::mask;

use crate::{
    payload::{KEY, binary},
    work::{Work, size, times},
};

/// Lengths, and how far from a multiple of 64 the payload lies.
const PLACES: [(usize, usize); 7] =
    [(8, 0), (64, 0), (125, 3), (1 << 10, 0), (16 << 10, 0), (16 << 10, 3), (1 << 20, 0)];

pub(crate) fn works() -> Vec<Work> {
    let mut key = KEY;
    over("", move |bytes| key = mask(black_box(key), bytes))
}

/// What `change` costs at each of the places. `name` stands behind the place.
pub(crate) fn over(name: &str, change: impl FnMut(&mut [u8]) + Clone + 'static) -> Vec<Work> {
    let work = |(len, off)| {
        let mut memory = binary(len + 128);
        let at = memory.as_ptr().align_offset(64) + off;
        let (times, mut change) = (times(len), change.clone());
        let round = move || {
            for _ in 0..times {
                change(black_box(&mut memory[at..at + len]));
            }
        };
        let name = format!("{}, {off} off{name}", size(len));
        Work { group: "mask", name, messages: times, bytes: len * times, round: Box::new(round) }
    };
    PLACES.into_iter().map(work).collect()
}
