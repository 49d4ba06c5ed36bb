//! A client's opening handshake.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// The example of RFC 6455: a request, and the accept value of its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Connects and shakes hands, with these offers of extensions; the answer must take one, if there are any.
pub fn open(address: SocketAddr, extensions: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    let offer = match extensions {
        "" => String::new(),
        _ => format!("Sec-WebSocket-Extensions: {extensions}\r\n"),
    };
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offer}\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let (mut head, mut buf) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        let n = socket.read(&mut buf).unwrap();
        assert_ne!(n, 0, "the server ended the stream");
        head.extend_from_slice(&buf[..n]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT), "{head}");
    let taken = head.to_ascii_lowercase().contains("\r\nsec-websocket-extensions:");
    assert_eq!(taken, !extensions.is_empty(), "{head}");
    socket
}
