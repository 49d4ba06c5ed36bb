//! `docs/integration.md` and `docs/embedded.md`, compiled: `cargo test` here builds every driver on those pages.
#![doc = include_str!("../../../docs/integration.md")]

#[doc = include_str!("../../../docs/embedded.md")]
pub mod embedded {}
