//! Compressed messages as they are read (RFC 7692 §7.2.2): what inflates, what does not, and what it may cost.
#![cfg(feature = "deflate")]

#[path = "deflate/bits.rs"]
mod bits;
#[path = "deflate/runner.rs"]
mod runner;

#[path = "deflate/blocks.rs"]
mod blocks;
#[path = "deflate/bounds.rs"]
mod bounds;
#[path = "deflate/windows.rs"]
mod windows;
