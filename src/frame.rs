//! Frames (RFC 6455 §5): headers to and from bytes, a decoder that stops anywhere, whole frames out.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod header;
pub(crate) mod prepared;
