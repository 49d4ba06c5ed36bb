//! Any bytes, any settings: read as a naive decoder of the RFC's text reads them.

use arbitrary::Unstructured;
use websocket_proto::{Client, Connection, MIN_OUTPUT, Output, Role, Server, SliceOutput};

use crate::{
    common::{
        keys::Keys,
        oracle::{self, Reading, Seen, Setup},
        run,
        verify::frames_in,
    },
    support::{drain, setup},
    verify,
};

pub fn server(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let setup = setup(&mut u, true);
    check(|| Server, &setup, u.take_rest());
}

pub fn client(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let setup = setup(&mut u, false);
    check(|| Client(Keys::default()), &setup, u.take_rest());
}

fn check<R: Role>(role: impl Fn() -> R, setup: &Setup, stream: &[u8]) {
    let expected = oracle::read(setup, stream);
    // A ping of two bytes is answered by six at most, and there is one Close.
    let mut out = SliceOutput::new(vec![0xaa; 3 * stream.len() + MIN_OUTPUT]);
    let (mut conn, seen) = read(role(), setup, stream, &mut out, &expected);
    verify::check(&mut conn, setup, &seen, out.pending(), &expected);

    // The smallest output, which nobody empties: the same events, and frames that are whole.
    let mut out = SliceOutput::new([0xaa; MIN_OUTPUT]);
    let (mut conn, seen) = read(role(), setup, stream, &mut out, &expected);
    assert_eq!(seen, expected.seen);
    frames_in(out.pending(), !setup.server);
    verify::check_ending(&mut conn, setup, &expected);
    // What waits goes out as soon as there is room.
    out.advance(MIN_OUTPUT);
    let waiting = conn.is_reply_waiting();
    assert_eq!(conn.poll_transmit(&mut out), waiting);
    assert!(!conn.is_reply_waiting());
    frames_in(out.pending(), !setup.server);
}

fn read<R: Role>(
    role: R,
    setup: &Setup,
    stream: &[u8],
    out: &mut dyn Output,
    expected: &Reading,
) -> (Connection<R>, Vec<Seen>) {
    let mut conn = run::connection(role, setup);
    let mut seen = Vec::new();
    let left = drain(stream, |input| conn.receive(input, out), |event| run::note(&mut seen, event));
    assert_eq!(left, 0, "`None` means that every byte was taken");
    if matches!(expected.end, oracle::End::Closed | oracle::End::Failed(..)) {
        // What comes behind the end is swallowed, and answered by nothing.
        let (room, position) = (out.room(), conn.bytes_received());
        let waiting = conn.is_reply_waiting();
        let left =
            drain(stream, |input| conn.receive(input, out), |event| panic!("behind the end: {event:?}"));
        assert_eq!((left, out.room(), conn.bytes_received()), (0, room, position));
        assert_eq!(conn.is_reply_waiting(), waiting);
    }
    (conn, seen)
}
