//! Frames (RFC 6455 §5): headers to and from bytes, a decoder that stops anywhere, a straight path for short ones, whole
//! frames out.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod header;
pub(crate) mod prepared;
pub(crate) mod straight;
