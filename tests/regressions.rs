//! What the fuzz targets have found, one test a finding.

#![cfg(feature = "alloc")]

use websocket_proto::{HeadLimits, Input, client, server};

/// `chunking`: the head of a handshake that failed at a limit held more bytes the smaller the reads had been.
#[test]
fn a_head_beyond_its_limit_is_the_same_wherever_it_is_cut() {
    let limits = HeadLimits { line: 20, ..HeadLimits::default() };
    let request = b"GET / HTTP/1.1\r\nX-Long: 0123456789012345\r\n\r\n";
    let response = b"HTTP/1.1 101 x\r\nX-Long: 0123456789012345\r\n\r\n";
    for step in [1, 2, 7, 100] {
        let mut handshake = server::Handshake::new([0; 128], limits);
        for piece in request.chunks(step) {
            let _ = handshake.receive(Input::new(&mut piece.to_vec()), &mut Vec::new());
        }
        assert_eq!(handshake.failure().unwrap().offset, 36, "{step}");
        assert_eq!(
            handshake.head().escape_ascii().to_string(),
            request[..36].escape_ascii().to_string(),
            "{step}"
        );

        let uri = websocket_proto::Uri::parse("ws://h").unwrap();
        let request = client::Request::new(uri, [0; 16]);
        for (limits, memory, end) in [(limits, 128, 36), (HeadLimits::default(), 30, 30)] {
            let mut handshake =
                client::Handshake::new(vec![0; memory], limits, &request, &mut Vec::new()).unwrap();
            for piece in response.chunks(step) {
                let _ = handshake.receive(Input::new(&mut piece.to_vec()));
            }
            assert_eq!(handshake.failure().unwrap().offset, end as u64, "{step}");
            assert_eq!(handshake.head(), &response[..end], "{step}");
        }
    }
}
