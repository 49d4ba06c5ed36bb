//! Every rule of `docs/compliance.md` that a peer's bytes or a caller's calls can break, as tables of cases.

// An output in a `Vec` makes the tables short.
#![cfg(feature = "alloc")]

#[path = "rules/runner.rs"]
mod runner;
#[path = "rules/wire.rs"]
mod wire;

#[path = "rules/close.rs"]
mod close;
#[path = "rules/control.rs"]
mod control;
#[path = "rules/endings.rs"]
mod endings;
#[path = "rules/fragments.rs"]
mod fragments;
#[path = "rules/frame_header.rs"]
mod frame_header;
#[path = "rules/limits.rs"]
mod limits;
#[path = "rules/masking.rs"]
mod masking;
#[path = "rules/rfc_examples.rs"]
mod rfc_examples;
#[path = "rules/utf8.rs"]
mod utf8;
