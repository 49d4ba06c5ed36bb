//! What must be seen of a connection that has read a stream, by the naive decoder.

use websocket_proto::{Cause, Closer, Closure, Connection, ProtocolError, Role, Transport};

use crate::common::{
    keys::key,
    oracle::{self, End, Reading, Seen, Setup, frame},
};

/// The bytes that answer a stream where there is room for all: a server's as they are, a client's under one key
/// after the other.
fn output(reading: &Reading, server: bool) -> Vec<u8> {
    let keys = (0..).map(|number| (!server).then(|| key(number)));
    let replies = reading.replies.iter().zip(keys);
    replies.flat_map(|((opcode, payload), key)| frame(0x80 | opcode, payload, key)).collect()
}

/// Compares all that a connection shows with the naive reading, and ends the stream.
pub(crate) fn check<R: Role>(
    conn: &mut Connection<R>,
    setup: &Setup,
    seen: &[Seen],
    written: &[u8],
    expected: &Reading,
) {
    assert_eq!(seen, expected.seen, "events");
    assert_eq!(written, output(expected, setup.server), "output");
    check_ending(conn, setup, expected);
}

/// The same without the events and the output.
pub(crate) fn check_ending<R: Role>(conn: &mut Connection<R>, setup: &Setup, expected: &Reading) {
    assert_eq!(conn.bytes_received(), expected.taken, "position");
    let failure = conn.failure().map(|error| (error.rule, error.offset));
    assert_eq!(failure, if let End::Failed(rule, at) = expected.end { Some((rule, at)) } else { None });
    let transport = match expected.end {
        End::Failed(..) => Transport::Shut,
        End::Closed if setup.server => Transport::Shut,
        End::Closed => Transport::AwaitEnd,
        _ => Transport::Keep,
    };
    assert!(conn.transport() == transport || conn.is_reply_waiting());
    let closure = conn.receive_eof();
    if !conn.is_reply_waiting() {
        assert_eq!(closure, end_of(expected));
        assert_eq!(conn.transport(), Transport::Drop);
    }
    assert_eq!(conn.receive_eof(), closure, "a second end of stream changes nothing");
}

/// What is to be told when the stream ends behind this reading.
fn end_of(expected: &Reading) -> Closure {
    let code = |seen: &Seen| match seen {
        Seen::Close(frame) => Some(frame.as_ref().map_or(1005, |(code, _)| *code)),
        _ => None,
    };
    let received = expected.seen.iter().find_map(code).map(Into::into);
    let none = Closure { sent: None, received, first: None, clean: false, cause: None };
    match expected.end {
        End::BetweenMessages => Closure { cause: Some(Cause::EndWithoutClose), ..none },
        End::BetweenFragments => Closure { cause: Some(Cause::EndInMessage), ..none },
        End::InFrame => Closure { cause: Some(Cause::EndInFrame), ..none },
        End::Closed => Closure { sent: received, first: Some(Closer::Peer), clean: true, ..none },
        End::Failed(rule, offset) => Closure {
            sent: Some(oracle::answer(rule).into()),
            first: Some(Closer::Local),
            cause: Some(Cause::Violation(ProtocolError { rule, offset })),
            ..none
        },
    }
}

/// The frames in what a side wrote: where each begins, its first byte, its payload. All of it must be frames.
pub(crate) fn frames_in(mut bytes: &[u8], masked: bool) -> Vec<(usize, u8, Vec<u8>)> {
    let whole = bytes.len();
    let mut frames = Vec::new();
    while let [first, second, ..] = *bytes {
        assert_eq!(second & 0x80 != 0, masked);
        let at = whole - bytes.len();
        let (len, header) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), 4),
            127 => (u64::from_be_bytes(bytes[2..10].try_into().unwrap()) as usize, 10),
            len => (usize::from(len), 2),
        };
        let (key, header) = if masked {
            (bytes[header..header + 4].try_into().unwrap(), header + 4)
        } else {
            ([0; 4], header)
        };
        let payload =
            bytes[header..header + len].iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        frames.push((at, first, payload));
        bytes = &bytes[header + len..];
    }
    assert!(bytes.is_empty(), "half a frame at the end");
    frames
}
