//! permessage-deflate (RFC 7692) as a stage on messages, beside the frames: what it costs and when to leave it off is in
//! `docs/compression.md`.

#[cfg(feature = "zlib")]
pub(crate) mod compress;
pub(crate) mod engine;
#[cfg(feature = "alloc")]
pub(crate) mod heap;
pub(crate) mod inflate;
pub(crate) mod window;
#[cfg(feature = "zlib")]
mod zlib;
