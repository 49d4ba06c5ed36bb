//! Work that must grow as its input grows and not faster: what `tests/bounded/instructions` counts.
//!
//! A workload prepares an input of size `n` and gives the work to be done on it. Preparing is not counted.

use websocket_proto::{
    Agreed, Assembler, Buffer, Client, Config, Connection, Event, HeadLimits, Input, Kind, Lenient,
    MIN_OUTPUT, MaskKey, OriginPolicy, Outgoing, Output, QueueOutput, Role, Server, SliceOutput, Uri, client,
    server,
};

use super::common::oracle::frame;

type Work = Box<dyn FnMut()>;
/// Prepares work on an input of this size.
type Prepare = fn(usize) -> Work;
type Keys = fn() -> MaskKey;

pub(crate) const KEYS: Keys = || [1, 2, 3, 4];

/// What is counted: all that happens in here. The script knows this name.
#[inline(never)]
pub(crate) fn measured(work: &mut dyn FnMut()) {
    std::hint::black_box(work)();
}

/// Every workload by name, with a size that is large enough to drown what does not grow.
pub(crate) const WORKLOADS: &[(&str, usize, Prepare)] = &[
    ("empty fragments", 4000, |n| fragments(n, b"")),
    ("one-byte fragments", 4000, |n| fragments(n, b"x")),
    ("pings, answered", 2000, |n| pings(n, usize::MAX)),
    ("pings, never read", 4000, |n| pings(n, 0)),
    ("pings, answers read by the byte", 2000, |n| pings(n, 1)),
    ("frames, one byte a read", 2000, frames_by_the_byte),
    ("text of one message", 100_000, text),
    ("header lines, server", 4000, |n| request("X: y\r\n".repeat(n), usize::MAX)),
    ("header lines, one byte a read", 2000, |n| request("X: y\r\n".repeat(n), 1)),
    ("header lines, client", 4000, |n| response("X: y\r\n".repeat(n), usize::MAX)),
    ("folded lines, client, one byte a read", 2000, |n| {
        response(format!("X: y\r\n{}", " \r\n".repeat(n)), 1)
    }),
    ("list of protocols", 4000, |n| {
        request(format!("Sec-WebSocket-Protocol: {}a\r\n", ", ".repeat(n)), usize::MAX)
    }),
    ("protocols of growing length", 400, |n| request(protocols(n), usize::MAX)),
    ("lines of protocols", 2000, |n| {
        request(
            format!("{}Sec-WebSocket-Protocol: a\r\n", "Sec-WebSocket-Protocol:\r\n".repeat(n)),
            usize::MAX,
        )
    }),
    ("list of extensions", 2000, |n| {
        request(format!("Sec-WebSocket-Extensions: {}a\r\n", "a; b=\"c\\d\", ".repeat(n)), usize::MAX)
    }),
    ("parameters of an extension", 2000, |n| {
        request(format!("Sec-WebSocket-Extensions: a{}\r\n", "; b=c".repeat(n)), usize::MAX)
    }),
    ("list of Connection", 2000, |n| {
        let list = format!("Connection: {}Upgrade", "a, ".repeat(n));
        answered(
            String::from_utf8(head("")).unwrap().replace("Connection: Upgrade", &list).into_bytes(),
            usize::MAX,
        )
    }),
    ("extension answered", 2000, |n| {
        response(format!("Sec-WebSocket-Extensions: x{}\r\n", "; b=c".repeat(n)), usize::MAX)
    }),
    ("body of a refusal, one byte a read", 2000, refusal),
    ("origins listed", 1000, origins),
    ("URI", 10_000, uri),
    ("assembler, pushed by the byte", 2000, assembler_push),
    ("assembler, placed by the byte: Vec", 4000, |n| assembler_place(n, Vec::new())),
    ("assembler, placed by the byte: heapless", 4000, |n| {
        assembler_place(n, heapless::Vec::<u8, 16_100>::new())
    }),
    ("assembler, placed by the byte: slice", 4000, |n| {
        assembler_place(n, vec![0; 16_100].into_boxed_slice())
    }),
    ("payload paid by the byte", 2000, pay),
    ("payload sent whole", 100_000, send),
];

fn unlimited() -> Config {
    Config { frame_limit: u64::MAX, message_limit: u64::MAX, fragment_limit: u32::MAX, ..Config::default() }
}

fn drain<R: Role>(conn: &mut Connection<R>, bytes: &mut [u8], out: &mut dyn Output) {
    let mut input = Input::new(bytes);
    while conn.receive(&mut input, out).is_some() {}
}

/// A message in `n` fragments, which a server reads at once.
fn fragments(n: usize, payload: &[u8]) -> Work {
    let key = Some([9, 8, 7, 6]);
    let mut bytes = frame(0x01, payload, key);
    bytes.extend(frame(0x00, payload, key).repeat(n));
    bytes.extend(frame(0x80, payload, key));
    let mut conn = Connection::new(Server, &unlimited(), Agreed::default());
    Box::new(move || {
        drain(&mut conn, &mut bytes, &mut Vec::new());
        assert!(conn.failure().is_none());
    })
}

/// `n` pings, between which the peer reads so many bytes.
fn pings(n: usize, reads: usize) -> Work {
    let mut bytes = frame(0x89, b"ping", Some([9, 8, 7, 6])).repeat(n);
    let mut conn = Connection::new(Server, &unlimited(), Agreed::default());
    let mut out = SliceOutput::new([0; 4 * MIN_OUTPUT]);
    Box::new(move || {
        for ping in bytes.chunks_mut(10) {
            drain(&mut conn, ping, &mut out);
            out.advance(reads);
        }
    })
}

fn frames_by_the_byte(n: usize) -> Work {
    let one = [frame(0x81, "hé".as_bytes(), None), frame(0x8a, b"pong", None), frame(0x82, &[7; 130], None)]
        .concat();
    let mut bytes = one.repeat(n / 100);
    let mut conn = Connection::new(Client(KEYS), &unlimited(), Agreed::default());
    Box::new(move || {
        for byte in bytes.chunks_mut(1) {
            drain(&mut conn, byte, &mut Vec::new());
        }
        assert!(conn.failure().is_none());
    })
}

fn text(n: usize) -> Work {
    let mut bytes = frame(0x81, "é€😀x".repeat(n / 10).as_bytes(), Some([9, 8, 7, 6]));
    let mut conn = Connection::new(Server, &unlimited(), Agreed::default());
    Box::new(move || drain(&mut conn, &mut bytes, &mut Vec::new()))
}

const LIMITS: HeadLimits = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };

pub(crate) fn head(more: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
    .into_bytes()
}

/// As many protocols as one may offer, each of them long and alike.
fn protocols(n: usize) -> String {
    let names: Vec<_> = (10..74).map(|number| format!("{}{number}", "p".repeat(n))).collect();
    format!("Sec-WebSocket-Protocol: {}\r\n", names.join(","))
}

/// A request, which a server reads so many bytes at a time and accepts.
fn request(more: String, read: usize) -> Work {
    answered(head(&more), read)
}

fn answered(mut bytes: Vec<u8>, read: usize) -> Work {
    let mut handshake = server::Handshake::new(vec![0; bytes.len()], LIMITS);
    Box::new(move || {
        let mut out = Vec::new();
        for piece in bytes.chunks_mut(read) {
            let progress = handshake.receive(Input::new(piece), &mut out);
            assert!(!matches!(progress, server::Progress::Failed(_)), "{progress:?}");
        }
        let request = handshake.request().unwrap();
        let (first, last) = (request.protocols().next(), request.extensions().last());
        let mut answer = request.accept(OriginPolicy::SameHost).protocol(first);
        if let Some(extension) = last {
            answer = answer.extensions(extension.name(), websocket_proto::Rsv::RSV2);
        }
        answer.write(&mut out).unwrap();
        assert!(out.starts_with(b"HTTP/1.1 101 "));
    })
}

fn handshake(memory: usize) -> client::Handshake<Vec<u8>> {
    let request = client::Request::new(Uri::parse("ws://h/").unwrap(), *b"the sample nonce")
        .extensions(&[("x", websocket_proto::Rsv::RSV1)]);
    client::Handshake::new(vec![0; memory], LIMITS, &request, &mut Vec::new()).unwrap()
}

/// A 101, which a client reads so many bytes at a time.
fn response(more: String, read: usize) -> Work {
    let mut bytes = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{more}\r\n"
    )
    .into_bytes();
    let mut handshake = handshake(bytes.len() + 100);
    Box::new(move || {
        for piece in bytes.chunks_mut(read) {
            let progress = handshake.receive(Input::new(piece));
            assert!(!matches!(progress, client::Progress::Failed(_)), "{progress:?}");
        }
        assert!(handshake.agreed().is_some());
    })
}

fn refusal(n: usize) -> Work {
    let mut bytes = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    bytes.extend(b"1\r\nx\r\n".repeat(n));
    let mut handshake = handshake(bytes.len() + 100);
    Box::new(move || {
        for byte in bytes.chunks_mut(1) {
            let _progress = handshake.receive(Input::new(byte));
        }
        assert!(handshake.is_refused());
    })
}

fn origins(n: usize) -> Work {
    let list: Vec<String> = (0..n).map(|number| format!("https://h{number:09}.example")).collect();
    Box::new(move || {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let origin = websocket_proto::Origin::Value(b"https://evil.example");
        assert!(!OriginPolicy::List(&list).allows(origin, b"h"));
    })
}

fn uri(n: usize) -> Work {
    let text = format!("ws://h{}/{}?{}", "h".repeat(n), "p".repeat(n), "q".repeat(n));
    Box::new(move || {
        let uri = Uri::parse(&text).unwrap();
        let request = client::Request::new(uri, [0; 16]);
        client::Handshake::new([0; 100], LIMITS, &request, &mut Vec::new()).unwrap();
    })
}

fn assembler_push(n: usize) -> Work {
    let mut bytes = frame(0x01, b"a", Some([9, 8, 7, 6]));
    bytes.extend(frame(0x00, b"b", Some([9, 8, 7, 6])).repeat(n));
    bytes.extend(frame(0x80, b"c", Some([9, 8, 7, 6])));
    let mut conn = Connection::new(Server, &unlimited(), Agreed::default());
    let mut whole = Assembler::new(Vec::new());
    Box::new(move || {
        let mut input = Input::new(&mut bytes);
        let mut messages = 0;
        while let Some(event) = conn.receive(&mut input, &mut Vec::new()) {
            let Event::Data(data) = event else { panic!("{event:?}") };
            messages += usize::from(whole.push(data).unwrap().is_some());
        }
        assert_eq!(messages, 1);
    })
}

/// A frame of `n` bytes, read to where it stays one byte at a time.
fn assembler_place<B: Buffer + 'static>(n: usize, memory: B) -> Work {
    let mut header = frame(0x02, b"", None);
    header.extend([0x80, 127]);
    header.extend((n as u64 + 1).to_be_bytes());
    header.push(b'.');
    let lenient = Lenient { non_minimal_length: true, ..Lenient::default() };
    let mut conn = Connection::new(Client(KEYS), &Config { lenient, ..unlimited() }, Agreed::default());
    let mut whole = Assembler::new(memory);
    Box::new(move || {
        let mut input = Input::new(&mut header);
        while let Some(event) = conn.receive(&mut input, &mut Vec::new()) {
            let Event::Data(data) = event else { panic!("{event:?}") };
            whole.push(data).unwrap();
        }
        for _ in 0..n {
            whole.place(&conn)[0] = b'.';
            let _message = whole.placed(1, &mut conn, &mut Vec::new()).unwrap();
        }
        assert_eq!(conn.frame_remaining(), 0);
    })
}

fn pay(n: usize) -> Work {
    let mut conn = Connection::new(Client(KEYS), &unlimited(), Agreed::default());
    let mut out = QueueOutput::with_limit(n + 100);
    conn.send_header(Outgoing::whole(Kind::Text, b""), n as u64, &mut out).unwrap();
    Box::new(move || {
        for at in 0..n {
            conn.pay(b"x", &mut out).unwrap();
            if at % 3 == 0 {
                out.advance(2);
            }
        }
        assert_eq!(conn.owed(), 0);
    })
}

fn send(n: usize) -> Work {
    let payload = vec![b'x'; n];
    let mut conn = Connection::new(Client(KEYS), &unlimited(), Agreed::default());
    let mut out = SliceOutput::new(vec![0; n + 14]);
    Box::new(move || conn.send(Outgoing::whole(Kind::Text, &payload), &mut out).unwrap())
}
