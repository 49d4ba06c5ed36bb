//! A stream in every cut: what the tests of the opening handshake and of sessions share.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod client;
pub(crate) mod server;

use std::fmt::Debug;

/// What `run` gives for `bytes` in one piece, which must be what it gives for single bytes, for the two pieces of
/// every cut, and with an empty read behind each byte (W151).
pub(crate) fn every_cut<T: PartialEq + Debug>(bytes: &[u8], run: impl Fn(&[&[u8]]) -> T) -> T {
    let whole = run(&[bytes]);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(&single), whole, "one byte at a time: {}", bytes.escape_ascii());
    let with_empty: Vec<&[u8]> = bytes.chunks(1).flat_map(|byte| [byte, &[]]).collect();
    assert_eq!(run(&with_empty), whole, "with empty reads: {}", bytes.escape_ascii());
    for at in 0..=bytes.len() {
        let (one, two) = bytes.split_at(at);
        assert_eq!(run(&[one, two]), whole, "cut at {at}: {}", bytes.escape_ascii());
    }
    whole
}
