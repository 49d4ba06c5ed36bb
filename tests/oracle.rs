//! Proves that the machine reads a stream as a naive decoder of the RFC's text does, however the stream is cut: the
//! same events, the same bytes before a fault, the same rule at the same offset, and the same bytes in answer.

mod common;

use common::{
    keys::Keys,
    oracle::{self, End, Reading, Setup, frame},
    run, stream,
    verify::{end_of, output},
};
use proptest::{collection::vec, prelude::*, sample::Index};
use websocket_proto::{Connection, Lenient, Role, Server, SliceOutput, Transport};

/// Feeds the stream in pieces and compares everything that can be seen.
fn check<R: Role>(role: R, setup: &Setup, stream: &[u8], cuts: &[usize], expected: &Reading) {
    let mut conn: Connection<R> = run::connection(role, setup);
    let mut out = SliceOutput::new(vec![0xaa; stream.len() * 3 + 2 * websocket_proto::MIN_OUTPUT]);
    let seen = run::feed_cut(&mut conn, stream, cuts.iter().copied(), &mut out);
    assert_eq!(seen, expected.seen, "events, cut at {cuts:?}");
    assert_eq!(out.pending(), output(expected, setup.server), "output, cut at {cuts:?}");
    assert_eq!(conn.bytes_received(), expected.taken, "position, cut at {cuts:?}");

    let failure = conn.failure().map(|error| (error.rule, error.offset));
    assert_eq!(failure, if let End::Failed(rule, at) = expected.end { Some((rule, at)) } else { None });
    let transport = conn.transport();
    assert_eq!(
        transport,
        match expected.end {
            End::Failed(..) => Transport::Shut,
            End::Closed if setup.server => Transport::Shut,
            End::Closed => Transport::AwaitEnd,
            _ => Transport::Keep,
        }
    );

    let closure = conn.receive_eof();
    assert_eq!(closure, end_of(expected), "closure, cut at {cuts:?}");
    assert_eq!(conn.receive_eof(), closure, "a second end of stream changes nothing");
    assert_eq!(conn.transport(), Transport::Drop);
}

fn check_both_ways(setup: &Setup, stream: &[u8], cuts: &[usize], expected: &Reading) {
    if setup.server {
        check(Server, setup, stream, cuts, expected);
    } else {
        check(websocket_proto::Client(Keys::default()), setup, stream, cuts, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_as_the_oracle_does(
        (setup, stream) in stream::setup_and_stream(),
        cuts in vec(any::<Index>(), 1..12),
    ) {
        let expected = oracle::read(&setup, &stream);
        check_both_ways(&setup, &stream, &[], &expected);
        let each: Vec<usize> = (1..stream.len()).collect();
        check_both_ways(&setup, &stream, &each, &expected);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        check_both_ways(&setup, &stream, &cuts, &expected);
    }

    #[test]
    fn reads_noise_as_the_oracle_does(server: bool, reserved in 0..8_u8, noise in vec(any::<u8>(), 0..40)) {
        let lenient = Lenient { non_minimal_length: noise.len() % 2 == 0, unmasked_frames: noise.len() % 3 == 0 };
        let setup = Setup { reserved: reserved << 4, lenient, ..Setup::strict(server) };
        let expected = oracle::read(&setup, &noise);
        check_both_ways(&setup, &noise, &[], &expected);
        let each: Vec<usize> = (1..noise.len()).collect();
        check_both_ways(&setup, &noise, &each, &expected);
    }
}

/// Every first byte, alone and inside a message, with every mask bit and short length: the whole space of headers
/// that two bytes span.
#[test]
fn reads_every_two_byte_header() {
    for server in [true, false] {
        for reserved in [0, 0x60] {
            let setup = Setup { reserved, ..Setup::strict(server) };
            for inside in [false, true] {
                let before = if inside { frame(0x01, b"x", server.then_some([9; 4])) } else { Vec::new() };
                for header in 0..=u16::MAX {
                    let stream = [&before[..], &header.to_be_bytes(), &[0; 4]].concat();
                    let expected = oracle::read(&setup, &stream);
                    check_both_ways(&setup, &stream, &[], &expected);
                    if header % 7 == 0 {
                        check_both_ways(&setup, &stream, &[before.len() + 1], &expected);
                    }
                }
            }
        }
    }
}

/// Streams in which a fault is easily told one byte too early or too late, cut in two at every offset.
#[test]
fn reads_the_hard_streams_at_every_cut() {
    let text = |bytes: &[u8]| vec![(0x81, bytes.to_vec())];
    let split = |bytes: &[u8], at: usize| vec![(0x01, bytes[..at].to_vec()), (0x80, bytes[at..].to_vec())];
    let streams: Vec<Vec<(u8, Vec<u8>)>> = vec![
        text("κόσμε€😀".as_bytes()),
        text(b"\xf4\x90\x80\x80"),
        text(b"ab\xe0\x80\x80"),
        text(b"\xed\xa0\x80"),
        text(b"abc\xc0\xaf"),
        text(b"abc\xe2\x82"),
        text(b"\xff"),
        split("€".as_bytes(), 1),
        split("😀".as_bytes(), 3),
        split(b"\xf0\x9f", 1),
        // Cut off by a last frame that is empty: proven by that frame's header.
        vec![(0x01, b"\xc3".to_vec()), (0x80, Vec::new())],
        vec![
            (0x01, b"\xc3".to_vec()),
            (0x89, b"ping".to_vec()),
            (0x00, Vec::new()),
            (0x80, b"\xa9".to_vec()),
        ],
        vec![(0x88, Vec::new()), (0x81, b"behind".to_vec())],
        vec![(0x88, vec![3])],
        vec![(0x88, vec![3, 232])],
        vec![(0x88, b"\x03\xe8\xef\xbb\xbfbye\0".to_vec())],
        vec![(0x88, b"\x03\xe8ab\xe2\x82".to_vec())],
        vec![(0x88, b"\x03\xe8ab\xc0\xaf".to_vec())],
        vec![(0x88, vec![3, 237, 65])],
        vec![(0x89, vec![7; 125]), (0x89, Vec::new()), (0x8a, vec![8; 125]), (0x82, vec![1; 300])],
        vec![(0x82, vec![5; 65536]), (0x02, Vec::new()), (0x00, Vec::new()), (0x80, Vec::new())],
    ];
    for server in [true, false] {
        let setup = Setup::strict(server);
        for frames in &streams {
            let keys = (0..).map(|n: u8| server.then_some([n, 0x80, 3, n ^ 0xff]));
            let bytes: Vec<u8> = frames
                .iter()
                .zip(keys)
                .flat_map(|((first, payload), key)| frame(*first, payload, key))
                .collect();
            let expected = oracle::read(&setup, &bytes);
            let step = if bytes.len() > 1000 { 997 } else { 1 };
            for cut in (0..=bytes.len()).step_by(step) {
                check_both_ways(&setup, &bytes, &[cut], &expected);
                check_both_ways(&setup, &bytes[..cut], &[], &oracle::read(&setup, &bytes[..cut]));
            }
        }
    }
}
