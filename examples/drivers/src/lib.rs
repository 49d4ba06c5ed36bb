//! `docs/integration.md`, compiled: `cargo test` here builds every driver on that page.
#![doc = include_str!("../../../docs/integration.md")]
