//! What a browser asks, to the 101 that is written.

use super::{Wanted, Work};

/// As Chromium sends it.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/141.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-GPC: 1\r\n\
    Cookie: session=0123456789abcd\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";

/// Whether it is a 101 with the accept value of RFC 6455 §1.3.
fn check(response: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(response).to_lowercase();
    let accept = "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n";
    if text.starts_with("http/1.1 101 ") && text.contains(accept) && text.ends_with("\r\n\r\n") {
        Ok(())
    } else {
        Err(format!("another response: {text}"))
    }
}

pub(super) fn works(wanted: &Wanted) -> Vec<Work> {
    assert_eq!((REQUEST.len(), REQUEST.matches("\r\n").count()), (529, 14 + 2));
    let work = wanted.work("handshake", "server", 1, |peer| {
        let response = peer.handshake(REQUEST.as_bytes())?.output();
        if let (false, Err(error)) = (peer.is_floor(), check(&response)) {
            return Some(Err(error));
        }
        Some(Ok(Box::new(move || {
            let mut handshake = peer.handshake(REQUEST.as_bytes()).unwrap();
            Box::new(move |times| handshake.run(times))
        })))
    });
    work.into_iter().collect()
}
