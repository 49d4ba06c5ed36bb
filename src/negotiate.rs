//! What both sides agree on, as header lists in and out: the same code under every bootstrap.

pub(crate) mod agreed;
