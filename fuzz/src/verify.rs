//! What must be seen of a connection that has read a stream, by the naive decoder.

use websocket_proto::{Connection, Role, Transport};

use crate::{
    common::{
        oracle::{End, Reading, Seen, Setup},
        verify::{end_of, output},
    },
    words,
};

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
    if let Some(error) = conn.failure() {
        words::protocol_error(error);
    }
    let closure = conn.receive_eof();
    words::closure(closure);
    if !conn.is_reply_waiting() {
        assert_eq!(closure, end_of(expected));
        assert_eq!(conn.transport(), Transport::Drop);
    }
    assert_eq!(conn.receive_eof(), closure, "a second end of stream changes nothing");
}
