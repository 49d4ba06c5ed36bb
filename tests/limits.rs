//! The limits of a request's head: each as it is and one beyond, with the first byte that is too many, and work that
//! stays linear where they allow much.
#![cfg(feature = "alloc")]

mod handshake;

use handshake::server::{CONNECTION, HOST, KEY, Read, Server, UPGRADE, VERSION, target, with};
use websocket_proto::{
    Config, HeadLimits, Input, Rule,
    server::{Handshake, Progress},
};

#[test]
fn limits() {
    // W100, W158: each limit as it is, and one beyond; what breaks it is the first byte that is too many.
    let sound = with("");
    let bytes = u32::try_from(sound.len()).unwrap();
    let key_line = u32::try_from(KEY.len() - 2).unwrap();
    let key_at = ["GET / HTTP/1.1\r\n", HOST, UPGRADE, CONNECTION].concat().len() as u64;
    let long = target("/a/path/longer/than/the/key/line/of/the/request");
    let first = long.iter().position(|&byte| byte == b'\r').unwrap();
    let first_line = u32::try_from(first).unwrap();
    let default = HeadLimits::default();
    let server = |memory: usize, limits: HeadLimits| Server { memory, limits };

    // The head's bytes, the blank line included.
    let at = |bytes: u32| server(4096, HeadLimits { bytes, ..default }).reads(&sound);
    assert!(matches!(at(bytes), Read::Request { .. }));
    assert_eq!(at(bytes - 1), Read::Failed(Rule::HeadTooLong, u64::from(bytes) - 1));
    assert_eq!(at(bytes - 2), Read::Failed(Rule::HeadTooLong, u64::from(bytes) - 2));
    assert_eq!(at(30), Read::Failed(Rule::HeadTooLong, 30));
    assert_eq!(at(15), Read::Failed(Rule::HeadTooLong, 15)); // the request line's own LF
    assert_eq!(at(14), Read::Failed(Rule::TargetTooLong, 14));
    assert_eq!(at(0), Read::Failed(Rule::TargetTooLong, 0));
    // The memory says the same.
    let at = |memory: usize| server(memory, default).reads(&sound);
    assert!(matches!(at(sound.len()), Read::Request { .. }));
    assert_eq!(at(sound.len() - 1), Read::Failed(Rule::HeadTooLong, u64::from(bytes) - 1));
    assert_eq!(at(5), Read::Failed(Rule::TargetTooLong, 5));
    assert_eq!(at(0), Read::Failed(Rule::TargetTooLong, 0));
    // An empty first line counts as bytes of the head, but needs no memory (W160).
    let empty = [b"\r\n", &sound[..]].concat();
    assert!(matches!(server(sound.len(), default).reads(&empty), Read::Request { .. }));
    let few = HeadLimits { bytes: bytes + 1, ..default };
    assert_eq!(server(4096, few).reads(&empty), Read::Failed(Rule::HeadTooLong, u64::from(bytes) + 1));
    // Field lines.
    let at = |lines: u16| server(4096, HeadLimits { lines, ..default }).reads(&sound);
    assert!(matches!(at(5), Read::Request { .. }));
    let version_at = sound.len() as u64 - VERSION.len() as u64 - 2;
    assert_eq!(at(4), Read::Failed(Rule::TooManyLines, version_at));
    assert_eq!(at(0), Read::Failed(Rule::TooManyLines, 16));
    // The length of a line, without its CR LF: a field's is 431, the request line's 414.
    let at = |line: u32| server(4096, HeadLimits { line, ..default }).reads(&sound);
    assert!(matches!(at(key_line), Read::Request { .. }));
    assert_eq!(at(key_line - 1), Read::Failed(Rule::LineTooLong, key_at + u64::from(key_line) - 1));
    // Where both limits are at the same byte, the head's is told.
    let line = key_line - 1;
    let key_end = key_at + u64::from(line);
    let both = HeadLimits { bytes: u32::try_from(key_end).unwrap(), line, ..default };
    assert_eq!(server(4096, both).reads(&sound), Read::Failed(Rule::HeadTooLong, key_end));
    let at = |line: u32| server(4096, HeadLimits { line, ..default }).reads(&long);
    assert!(matches!(at(first_line), Read::Request { .. }));
    assert_eq!(at(first_line - 1), Read::Failed(Rule::TargetTooLong, u64::from(first_line) - 1));
    assert_eq!(at(2), Read::Failed(Rule::TargetTooLong, 2));
    // As long as nothing is limited but the memory.
    let all = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };
    assert!(matches!(server(4096, all).reads(&sound), Read::Request { .. }));
}

#[test]
fn default_limits() {
    // W100
    let HeadLimits { bytes, lines, line } = Config::default().head;
    assert_eq!((bytes, lines, line), (16 << 10, 128, 8 << 10));
    let server = Server { memory: 1 << 20, ..Server::new() };
    let read = |stream: &[u8]| server.read(&[stream]).0;
    let long = |extra: usize| with(&format!("X:{}\r\n", "y".repeat((8 << 10) - 2 + extra)));
    assert!(matches!(read(&long(0)), Read::Request { .. }));
    assert!(matches!(read(&long(1)), Read::Failed(Rule::LineTooLong, _)));
    let target = |extra: usize| target(&format!("/{}", "y".repeat((8 << 10) - 14 + extra)));
    assert!(matches!(read(&target(0)), Read::Request { .. }));
    assert!(matches!(read(&target(1)), Read::Failed(Rule::TargetTooLong, 8192)));
    let many = |extra: usize| with(&"X:\r\n".repeat(128 - 5 + extra));
    assert!(matches!(read(&many(0)), Read::Request { .. }));
    assert!(matches!(read(&many(1)), Read::Failed(Rule::TooManyLines, _)));
    let filled = |extra: usize| {
        let rest = (16 << 10) - with("").len() - 8192 - "X:\r\nY:\r\n".len();
        with(&format!("X:{}\r\nY:{}\r\n", "y".repeat(8190), "y".repeat(rest + 2 + extra)))
    };
    assert_eq!(filled(0).len(), 16 << 10);
    assert!(matches!(read(&filled(0)), Read::Request { .. }));
    assert!(matches!(read(&filled(1)), Read::Failed(Rule::HeadTooLong, 16_384)));
}

#[test]
fn work_is_linear() {
    // W105: as many lines as can be allowed, a byte a read; were the head scanned from its start, this would not end.
    let limits = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };
    let stream = with(&"Upgrade:,\r\n".repeat(usize::from(u16::MAX) - 5));
    let mut handshake = Handshake::new(vec![0; stream.len()], limits);
    let mut out = Vec::new();
    let mut requested = false;
    for mut byte in stream.iter().copied() {
        let input = Input::new(std::slice::from_mut(&mut byte));
        requested = matches!(handshake.receive(input, &mut out), Progress::Request { .. });
    }
    assert!(requested);
    let offers = "a,".repeat(100_000);
    let extensions = with(&format!("Sec-WebSocket-Extensions: {offers}\r\n"));
    let mut server = Server { memory: 1 << 20, limits };
    assert!(matches!(server.read(&[&extensions]).0, Read::Request { .. }));
    let names: Vec<String> = (0..65).map(|name| name.to_string()).collect();
    let offered = |count: usize| with(&format!("Sec-WebSocket-Protocol: {}\r\n", names[..count].join(",")));
    server.memory = 4096;
    assert!(matches!(server.read(&[&offered(64)]).0, Read::Request { .. })); // W103
    assert!(matches!(server.read(&[&offered(65)]).0, Read::Failed(Rule::ProtocolOffer, _)));
}
