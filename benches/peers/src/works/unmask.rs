//! Unmasking in place, by size and by distance from a line of the cache.

use super::{Wanted, Work};
use crate::wire::Numbers;

const LINE: usize = 64;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const WORKS: [(&str, usize, usize); 7] = [
    ("8/0", 8, 0),
    ("64/0", 64, 0),
    ("125/3", 125, 3),
    ("1 KiB/0", 1 << 10, 0),
    ("16 KiB/0", 16 << 10, 0),
    ("16 KiB/3", 16 << 10, 3),
    ("1 MiB/0", 1 << 20, 0),
];

/// Memory that begins so many bytes behind the beginning of a line.
struct Placed {
    memory: Vec<u8>,
    at: usize,
    len: usize,
}

impl Placed {
    fn new(len: usize, by: usize) -> Self {
        let mut memory = Numbers(3).bytes(len + 2 * LINE);
        let at = memory.as_ptr().align_offset(LINE) + by;
        memory[at..at + len].copy_from_slice(&Numbers(5).bytes(len));
        Self { memory, at, len }
    }

    fn payload(&mut self) -> &mut [u8] {
        &mut self.memory[self.at..self.at + self.len]
    }
}

pub(super) fn works(wanted: &Wanted) -> Vec<Work> {
    let work = |(name, len, by): (&str, usize, usize)| {
        wanted.work("unmask", name, 1, |peer| {
            let unmasker = peer.unmask()?;
            let mut placed = Placed::new(len, by);
            let expected: Vec<u8> =
                placed.payload().iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            unmasker.run(1, placed.payload(), KEY);
            if !peer.is_floor() && placed.payload() != expected {
                return Some(Err("other bytes".to_owned()));
            }
            Some(Ok(Box::new(move || {
                let (unmasker, mut placed) = (peer.unmask().unwrap(), Placed::new(len, by));
                Box::new(move |times| unmasker.run(times, placed.payload(), KEY))
            })))
        })
    };
    WORKS.into_iter().filter_map(work).collect()
}
