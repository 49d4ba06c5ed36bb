//! The opening handshake (RFC 6455 §4) over HTTP/1.1, a machine for each role.

pub mod client;
pub mod server;
