//! The value of `--deflate`, which `echo` and `wscat` share.
//!
//! ```text
//! OWN/PEER      each: window bits, "no-takeover", both with a comma between, or nothing for the whole window, kept
//! ```
//!
//! `10,no-takeover/12`: what this side sends reaches back by 1 KiB within its message, what the peer sends by 4 KiB and into
//! earlier messages.

use websocket_proto::{DeflatePolicy, DeflateSide};

pub(crate) fn parse(text: &str) -> Option<DeflatePolicy> {
    let (own, peer) = text.split_once('/')?;
    Some(DeflatePolicy { own: side(own)?, peer: side(peer)? })
}

fn side(text: &str) -> Option<DeflateSide> {
    let mut side = DeflateSide::FULL;
    for word in text.split(',').filter(|word| !word.is_empty()) {
        match (word, word.parse()) {
            ("no-takeover", _) => side.takeover = false,
            (_, Ok(bits @ 8..=15)) => side.window_bits = bits,
            _ => return None,
        }
    }
    Some(side)
}
