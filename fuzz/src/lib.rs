//! What the targets in `fuzz_targets` do: one function each, so that an input can be replayed without a fuzzer.
//!
//! Every function takes its structure off the front of the input, byte by byte, and what is missing reads as zeros:
//! inputs are easily written by hand, and a mutation changes little.

#![forbid(unsafe_code)]

mod common;
mod rfc1951;
mod support;
mod verify;
mod words;

pub mod assemble;
pub mod chunking;
pub mod decode;
pub mod deflate;
pub mod deflate_terms;
pub mod differential;
pub mod extensions;
pub mod forward;
pub mod frame;
pub mod heads;
pub mod inflate;
pub mod inflate_differential;
pub mod keepalive;
pub mod opening;
pub mod origin;
pub mod outputs;
pub mod pair;
pub mod restore;
pub mod round_trip;
pub mod uri;
