//! Reading: bytes to data. Each read is copied from the stream first, since payloads are unmasked in place.
//!
//! Unless the name says otherwise, a read holds as many whole messages as fit into 4 KiB, and at least one.

use std::hint::black_box;

use websocket_proto::{
    Agreed, Assembler, Config, Connection, Event, Input, MIN_OUTPUT, Opcode, Role, Server, SliceOutput,
};

use crate::{
    payload::{ASCII, CJK, CLIENT, binary, frame, text},
    work::Work,
};

const READ: usize = 4096;

pub(crate) fn works() -> Vec<Work> {
    let server = || connection(Server);
    let client = || connection(CLIENT);
    let of_server = "decode, server";
    let of_client = "decode, client";
    let masked = |opcode, payload: &[u8]| frame(opcode, true, true, payload);
    let plain = |opcode, payload: &[u8]| frame(opcode, true, false, payload);
    let ascii = masked(Opcode::Text, &text(ASCII, 300));
    vec![
        whole(of_server, "20 B binary", server(), 20, &masked(Opcode::Binary, &binary(20))),
        alone(of_server, "20 B binary, one a read", server(), 20, &masked(Opcode::Binary, &binary(20))),
        whole(of_server, "125 B ASCII", server(), 125, &masked(Opcode::Text, &text(ASCII, 125))),
        whole(of_server, "1 KiB CJK", server(), 1 << 10, &masked(Opcode::Text, &text(CJK, 1 << 10))),
        whole(of_server, "64 KiB binary", server(), 64 << 10, &masked(Opcode::Binary, &binary(64 << 10))),
        cut(of_server, "300 B ASCII, reads of 1460 B", server(), 300, &ascii, 64, 1460),
        #[cfg(feature = "alloc")]
        assembled(of_server, "16 fragments of 512 B, pings, assembled", server()),
        whole(of_client, "20 B binary", client(), 20, &plain(Opcode::Binary, &binary(20))),
        whole(of_client, "64 KiB binary", client(), 64 << 10, &plain(Opcode::Binary, &binary(64 << 10))),
    ]
}

fn connection<R: Role>(role: R) -> Connection<R> {
    Connection::new(role, &Config::default(), Agreed::default())
}

/// A read holds whole messages.
fn whole<R: Role + 'static>(
    group: &'static str,
    name: &str,
    conn: Connection<R>,
    len: usize,
    frame: &[u8],
) -> Work {
    let messages = (READ / frame.len()).max(1);
    cut(group, name, conn, len, frame, messages, messages * frame.len())
}

/// A read holds one message.
fn alone<R: Role + 'static>(
    group: &'static str,
    name: &str,
    conn: Connection<R>,
    len: usize,
    frame: &[u8],
) -> Work {
    cut(group, name, conn, len, frame, READ / frame.len(), frame.len())
}

/// `messages` times `frame`, of `len` bytes of payload, in reads of `read` bytes.
fn cut<R: Role + 'static>(
    group: &'static str,
    name: &str,
    mut conn: Connection<R>,
    len: usize,
    frame: &[u8],
    messages: usize,
    read: usize,
) -> Work {
    let wire = frame.repeat(messages);
    let (mut buf, mut out) = (vec![0; read], Out::new([0; MIN_OUTPUT]));
    let round = move || receive_copies(&mut conn, &wire, &mut buf, None, &mut out);
    Work { group, name: name.to_owned(), messages, bytes: len * messages, round: Box::new(round) }
}

/// A message in fragments, with a ping behind every fourth, in one read.
#[cfg(feature = "alloc")]
fn assembled<R: Role + 'static>(group: &'static str, name: &str, mut conn: Connection<R>) -> Work {
    let payload = binary(512);
    let mut wire = Vec::new();
    for n in 1..=16 {
        let opcode = if n == 1 { Opcode::Binary } else { Opcode::Continuation };
        wire.extend(frame(opcode, n == 16, true, &payload));
        if n % 4 == 0 && n < 16 {
            wire.extend(frame(Opcode::Ping, true, true, b"ping"));
        }
    }
    let (mut buf, mut out) = (vec![0; wire.len()], Out::new([0; MIN_OUTPUT]));
    let mut whole = Assembler::new(Vec::new());
    let round = move || receive_copies(&mut conn, &wire, &mut buf, Some(&mut whole), &mut out);
    Work { group, name: name.to_owned(), messages: 1, bytes: 16 * 512, round: Box::new(round) }
}

#[cfg(feature = "alloc")]
type Whole = Assembler<Vec<u8>>;
#[cfg(not(feature = "alloc"))]
type Whole = Assembler<[u8; 0]>;

pub(crate) type Out = SliceOutput<[u8; MIN_OUTPUT]>;

fn receive_copies<R: Role>(
    conn: &mut Connection<R>,
    wire: &[u8],
    buf: &mut [u8],
    mut whole: Option<&mut Whole>,
    out: &mut Out,
) {
    for piece in wire.chunks(buf.len()) {
        let read = &mut buf[..piece.len()];
        read.copy_from_slice(piece);
        receive(conn, read, whole.as_deref_mut(), out);
    }
}

/// The only loop of its role, as in a program: more of them would change what the compiler makes of each.
#[inline(never)]
pub(crate) fn receive<R: Role>(
    conn: &mut Connection<R>,
    read: &mut [u8],
    mut whole: Option<&mut Whole>,
    out: &mut Out,
) {
    let mut input = Input::new(read);
    while let Some(event) = conn.receive(&mut input, out) {
        match (event, &mut whole) {
            (Event::Data(data), None) => {
                black_box((data.part().last, data.payload()));
            }
            (Event::Data(data), Some(whole)) => {
                if let Some(message) = whole.push(data).expect("it fits") {
                    black_box(message.payload());
                }
            }
            (Event::Ping(_), _) => out.advance(usize::MAX),
            (other, _) => panic!("{other:?}"),
        }
    }
}
