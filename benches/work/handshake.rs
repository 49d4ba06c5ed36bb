//! The opening handshake, from the first byte to the last of either side.

use std::hint::black_box;

use websocket_proto::{
    Config, Input, OriginPolicy, Uri,
    client::{self, Request},
    server,
};

use crate::work::Work;

/// As a browser writes it: 529 bytes, 14 header lines.
const REQUEST: &str = "GET /ws HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: https://example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-US,en;q=0.9\r\n\
    Cookie: id=k3J9xQ2m\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

/// What [`RESPONSE`] answers.
const NONCE: [u8; 16] = *b"the sample nonce";

pub(crate) fn works() -> Vec<Work> {
    assert_eq!((REQUEST.len(), REQUEST.lines().count()), (529, 14 + 2));
    let work = |name: &str, bytes, round| Work {
        group: "handshake",
        name: name.to_owned(),
        messages: 1,
        bytes,
        round,
    };
    vec![
        work("server, a browser's request to the 101", REQUEST.len(), accept()),
        work("client, the request and its 101", RESPONSE.len(), connect()),
    ]
}

fn accept() -> Box<dyn FnMut()> {
    let (mut read, mut memory, mut out) = (REQUEST.as_bytes().to_vec(), vec![0; 2048], Vec::new());
    Box::new(move || {
        out.clear();
        let mut handshake = server::Handshake::new(&mut memory[..], Config::default().head);
        match handshake.receive(Input::new(black_box(&mut read)), &mut out) {
            server::Progress::Request { request, .. } => {
                let policy = OriginPolicy::List(&["https://example.com"]);
                request.accept(policy).protocol("chat").write(&mut out).expect("there is room");
            }
            other => panic!("{other:?}"),
        }
        black_box((handshake.agreed().expect("it is accepted"), &out));
    })
}

fn connect() -> Box<dyn FnMut()> {
    let (mut read, mut memory, mut out) = (RESPONSE.as_bytes().to_vec(), vec![0; 1024], Vec::new());
    Box::new(move || {
        out.clear();
        let uri = Uri::parse(black_box("ws://example.com/ws")).expect("it is a URI");
        let request = Request::new(uri, black_box(NONCE)).protocols(&["chat"]);
        let head = Config::default().head;
        let mut handshake =
            client::Handshake::new(&mut memory[..], head, &request, &mut out).expect("there is room");
        match handshake.receive(Input::new(black_box(&mut read))) {
            client::Progress::Opened { agreed, .. } => black_box((agreed, &out)),
            other => panic!("{other:?}"),
        };
    })
}
