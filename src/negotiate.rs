//! What both sides agree on, as header lists in and out: the same code under every bootstrap.

pub(crate) mod agreed;
pub(crate) mod deflate;
pub(crate) mod extension;
pub(crate) mod extension_grammar;
pub(crate) mod origin;
pub(crate) mod protocol;
