//! The frames of RFC 6455 §5.7, byte for byte, read and written.

use websocket_proto::{
    Agreed, Config, Connection, FrameHeader, Kind, MaskKey, Opcode, Outgoing, Rsv, Server,
};

use super::runner::{Case, FixedClient, PEER_KEY, Seen, Side, exactly, run};

const HELLO: &[u8] = &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
const MASKED_HELLO: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const HEL: &[u8] = &[0x01, 0x03, 0x48, 0x65, 0x6c];
const LO: &[u8] = &[0x80, 0x02, 0x6c, 0x6f];
const PING: &[u8] = &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
const MASKED_PONG: &[u8] = &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const HEAD_256: &[u8] = &[0x82, 0x7e, 0x01, 0x00];
const HEAD_64K: &[u8] = &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];

/// A client whose keys are the RFC's.
fn client() -> FixedClient {
    websocket_proto::Client((|| PEER_KEY) as fn() -> MaskKey)
}

#[test]
fn read() {
    let long = |head: &[u8], len| exactly(&[head, &vec![7; len]].concat());
    run([
        Case {
            sides: &[Side::Client],
            input: vec![exactly(HELLO)],
            events: vec![Seen::whole(Kind::Text, "Hello")],
            ..Case::new("a single-frame unmasked text message")
        },
        Case {
            sides: &[Side::Server],
            input: vec![exactly(MASKED_HELLO)],
            events: vec![Seen::whole(Kind::Text, "Hello")],
            ..Case::new("W16 a single-frame masked text message")
        },
        Case {
            sides: &[Side::Client],
            input: vec![exactly(HEL), exactly(LO)],
            events: vec![Seen::first(Kind::Text, "Hel"), Seen::last(Kind::Text, "lo")],
            ..Case::new("a fragmented unmasked text message")
        },
        Case {
            sides: &[Side::Server],
            input: vec![exactly(MASKED_PONG)],
            events: vec![Seen::Pong(b"Hello".to_vec())],
            ..Case::new("W29 the masked answer to a ping, unasked")
        },
        Case {
            sides: &[Side::Client],
            input: vec![long(HEAD_256, 256)],
            events: vec![Seen::whole(Kind::Binary, [7; 256])],
            ..Case::new("256 bytes of binary in a single unmasked frame")
        },
        Case {
            sides: &[Side::Client],
            input: vec![long(HEAD_64K, 65536)],
            events: vec![Seen::whole(Kind::Binary, [7; 65536])],
            ..Case::new("64 KiB of binary in a single unmasked frame")
        },
    ]);
}

#[test]
fn ping_is_answered_as_in_the_example() {
    let mut conn = Connection::new(client(), &Config::default(), Agreed::default());
    let (mut read, mut out) = (PING.to_vec(), Vec::new());
    let mut input = websocket_proto::Input::new(&mut read);
    while conn.receive(&mut input, &mut out).is_some() {}
    assert_eq!(out, MASKED_PONG);
}

#[test]
fn written() {
    let mut server = Connection::new(Server, &Config::default(), Agreed::default());
    let mut sent = |frames: &[Outgoing<'_>]| {
        let mut out = Vec::new();
        for &frame in frames {
            server.send(frame, &mut out).unwrap();
        }
        out
    };
    assert_eq!(sent(&[Outgoing::text("Hello")]), HELLO);
    assert_eq!(sent(&[Outgoing::first(Kind::Text, b"Hel")]), HEL);
    assert_eq!(sent(&[Outgoing::last(b"lo")]), LO);
    assert_eq!(sent(&[Outgoing::ping(b"Hello")]), PING);
    assert_eq!(sent(&[Outgoing::binary(&[7; 256])]), [HEAD_256, &[7; 256]].concat());
    assert_eq!(sent(&[Outgoing::binary(&[7; 65536])]), [HEAD_64K, &[7; 65536]].concat());

    let mut client = Connection::new(client(), &Config::default(), Agreed::default());
    let mut out = Vec::new();
    client.send(Outgoing::text("Hello"), &mut out).unwrap();
    assert_eq!(out, MASKED_HELLO);
    out.clear();
    client.send(Outgoing::pong(b"Hello"), &mut out).unwrap();
    assert_eq!(out, MASKED_PONG);
}

#[test]
fn headers() {
    let plain = |fin, opcode, len| FrameHeader { fin, rsv: Rsv::NONE, opcode, mask: None, len };
    let masked = |opcode| FrameHeader { mask: Some(PEER_KEY), ..plain(true, opcode, 5) };
    for (bytes, header) in [
        (HELLO, plain(true, Opcode::Text, 5)),
        (MASKED_HELLO, masked(Opcode::Text)),
        (HEL, plain(false, Opcode::Text, 3)),
        (LO, plain(true, Opcode::Continuation, 2)),
        (PING, plain(true, Opcode::Ping, 5)),
        (MASKED_PONG, masked(Opcode::Pong)),
        (HEAD_256, plain(true, Opcode::Binary, 256)),
        (HEAD_64K, plain(true, Opcode::Binary, 65536)),
    ] {
        let encoded = header.encode().unwrap();
        assert_eq!(FrameHeader::decode(bytes), Ok(Some((header, encoded.len()))));
        assert_eq!(&*encoded, &bytes[..encoded.len()]);
        for cut in 0..encoded.len() {
            assert_eq!(FrameHeader::decode(&bytes[..cut]), Ok(None), "W15: cut at {cut}");
        }
    }
}
