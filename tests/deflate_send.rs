//! Messages as they are compressed and sent (RFC 7692 §7.2.1): what is on the wire, and that it inflates to the same.
#![cfg(feature = "zlib")]

#[path = "deflate/bits.rs"]
#[allow(dead_code, reason = "a part is used")]
mod bits;
#[path = "deflate/runner.rs"]
#[allow(dead_code, reason = "a part is used")]
mod runner;
#[path = "deflate_send/wire.rs"]
mod wire;

#[path = "deflate_send/lives.rs"]
mod lives;
#[path = "deflate_send/messages.rs"]
mod messages;
#[path = "deflate_send/prepared.rs"]
mod prepared;
