//! Proves that every kind of output gets the same bytes, and that an output is a queue that takes all or nothing.

mod common;

use std::collections::VecDeque;

use common::{
    keys::{Keys, key},
    oracle::frame,
    run::hear,
};
use proptest::{collection::vec, prelude::*};
use websocket_proto::{
    Agreed, Body, Client, CloseCode, Config, Connection, Input, Kind, Outgoing, Output, Role, Server,
    SliceOutput,
};

/// A session's worth of frames.
fn talk<R: Role>(conn: &mut Connection<R>, server: bool, out: &mut dyn Output) {
    conn.send(Outgoing::text("héllo"), out).unwrap();
    conn.send(Outgoing::binary(&[5; 300]), out).unwrap();
    conn.send(Outgoing::first(Kind::Text, b"a"), out).unwrap();
    hear(conn, 0x89, b"ping", server, out);
    conn.send_header(Outgoing::last(b""), 20, out).unwrap();
    assert_eq!(conn.pay(b"twelve bytes", out), Ok(12));
    assert_eq!(conn.pay(b"eight...", out), Ok(8));
    conn.close(CloseCode::new(4000), "reason", out).unwrap();
}

/// What `talk` puts out.
fn talked(server: bool) -> Vec<u8> {
    let binary = [5; 300];
    let frames: [(u8, &[u8]); 6] = [
        (0x81, "héllo".as_bytes()),
        (0x82, &binary),
        (0x01, b"a"),
        (0x8a, b"ping"),
        (0x80, b"twelve byteseight..."),
        (0x88, b"\x0f\xa0reason"),
    ];
    let frames = (0..).zip(frames);
    frames.flat_map(|(n, (first, payload))| frame(first, payload, (!server).then(|| key(n)))).collect()
}

#[test]
fn every_output_gets_the_same_bytes() {
    for server in [true, false] {
        let expected = talked(server);
        let run = |out: &mut dyn Output| {
            if server {
                talk(&mut Connection::new(Server, &Config::default(), Agreed::default()), true, out);
            } else {
                let role = Client(Keys::default());
                talk(&mut Connection::new(role, &Config::default(), Agreed::default()), false, out);
            }
        };
        let mut array = SliceOutput::new([0xaa; 500]);
        run(&mut array);
        assert_eq!(array.pending(), expected);
        let mut boxed = SliceOutput::new(vec![0x55; 500].into_boxed_slice());
        run(&mut boxed);
        assert_eq!(boxed.pending(), expected);
        let mut memory = [0xff; 500];
        let mut slice = SliceOutput::new(&mut memory[..]);
        run(&mut &mut slice);
        assert_eq!(slice.pending(), expected);
        let mut exact = SliceOutput::new(vec![0xaa; expected.len()]);
        run(&mut exact);
        assert_eq!((exact.pending(), exact.room()), (&expected[..], 0));
        let mut fixed = heapless::Vec::<u8, 500>::new();
        run(&mut fixed);
        assert_eq!(&fixed[..], expected);
        #[cfg(feature = "alloc")]
        {
            let mut queue = websocket_proto::QueueOutput::with_limit(500);
            run(&mut queue);
            assert_eq!(queue.pending(), expected);
            let mut vec = b"before".to_vec();
            run(&mut vec);
            assert_eq!(&vec[6..], expected);
        }
    }
}

/// An output and its model: bytes go in at one end, whole or not at all, and leave at the other.
fn check_queue<O: Output>(
    mut out: O,
    size: usize,
    puts: &[(usize, usize, Option<[u8; 4]>, usize)],
    pending: fn(&O) -> &[u8],
    advance: fn(&mut O, usize),
) {
    let mut model: VecDeque<u8> = VecDeque::new();
    for (number, (head, body, key, gone)) in puts.iter().enumerate() {
        let head = vec![number as u8; *head];
        let body: Vec<u8> = (0..*body).map(|i| (i * 3 + number) as u8).collect();
        let room = size - model.len();
        assert_eq!(out.room(), room);
        let payload = key.map_or(Body::plain(&body), |key| Body::masked(&body, key));
        let took = out.put(&head, payload);
        assert_eq!(took, head.len() + body.len() <= room, "all or nothing");
        if took {
            model.extend(&head);
            model.extend(body.iter().enumerate().map(|(i, byte)| byte ^ key.unwrap_or_default()[i % 4]));
        }
        assert_eq!(pending(&out), model.make_contiguous());
        advance(&mut out, *gone);
        model.drain(..gone.min(&model.len()));
        assert_eq!(pending(&out), model.make_contiguous());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// W77: whatever lay in the memory, and wherever the pending bytes stand in it.
    #[test]
    fn an_output_is_a_bounded_queue(
        size in 0..300_usize,
        poison: u8,
        puts in vec((0..15_usize, 0..120_usize, any::<Option<[u8; 4]>>(), 0..150_usize), 0..30),
    ) {
        check_queue(SliceOutput::new(vec![poison; size]), size, &puts, |out| out.pending(), |out, n| out.advance(n));
        #[cfg(feature = "alloc")]
        check_queue(
            websocket_proto::QueueOutput::with_limit(size),
            size,
            &puts,
            |out| out.pending(),
            |out, n| {
                out.advance(n);
                out.release();
            },
        );
    }
}

#[test]
fn lengths_are_those_of_what_is_there() {
    let mut bytes = [1, 2, 3];
    let input = Input::from(&mut bytes[..]);
    assert_eq!((input.len(), input.is_empty(), input.as_slice()), (3, false, &[1, 2, 3][..]));
    assert_eq!(input.into_rest(), [1, 2, 3]);
    let input = Input::new(&mut []);
    assert_eq!((input.len(), input.is_empty()), (0, true));

    let (full, empty) = (Body::plain(b"ab"), Body::masked(b"", [1; 4]));
    assert_eq!((full.len(), full.is_empty(), empty.len(), empty.is_empty()), (2, false, 0, true));
}

/// An output is empty until something is put, and again when all of it was taken; what fits exactly is taken.
#[test]
fn an_output_fills_to_its_last_byte() {
    let mut slice = SliceOutput::new([0; 4]);
    assert!(slice.is_empty() && slice.put(b"ab", Body::plain(b"c")) && !slice.is_empty());
    slice.advance(2);
    // By moving what is pending to the front, and without.
    assert!(!slice.is_empty() && slice.put(b"", Body::plain(b"def")) && slice.room() == 0);
    assert_eq!(slice.pending(), b"cdef");
    slice.advance(4);
    assert!(slice.is_empty() && slice.room() == 4);

    let mut vec = heapless::Vec::<u8, 4>::new();
    assert!(vec.put(b"ab", Body::masked(b"cd", [0; 4])) && vec.room() == 0);
    assert!(!vec.put(b"", Body::plain(b"e")) && *vec == *b"abcd");
}

#[cfg(feature = "alloc")]
#[test]
fn an_empty_queue_gives_its_memory_back() {
    let mut queue = websocket_proto::QueueOutput::with_limit(1000);
    assert!(queue.is_empty() && queue.put(&[7; 500], Body::plain(&[8; 500])) && !queue.is_empty());
    queue.release(); // nothing is lost
    assert_eq!(queue.pending().len(), 1000);
    queue.advance(400);
    assert!(queue.put(b"", Body::plain(&[9; 400])) && !queue.put(b"x", Body::plain(b"")));
    let expected = [vec![7; 100], vec![8; 500], vec![9; 400]].concat();
    assert_eq!(queue.pending(), expected);
    queue.advance(1000);
    assert!(queue.is_empty());
    let before = format!("{queue:?}");
    queue.release();
    assert!(queue.is_empty() && format!("{queue:?}") == before);
}
