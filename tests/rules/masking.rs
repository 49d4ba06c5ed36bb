//! Masking (RFC 6455 §5.3): W82 to W89.

use std::{cell::Cell, sync::Arc};

use websocket_proto::{
    Agreed, Client, CloseCode, Config, Connection, FrameHeader, Input, Kind, Lenient, MIN_OUTPUT, MaskKey,
    MaskSource, Outgoing, Prepared, Rule, SendError, Server, SliceOutput, Transport, mask,
};

use super::runner::{
    Case, Probe, Seen, Side, client, close, exactly, frame, head, incoming, naive_mask, ping, pong, run,
};

/// One frame of every sort.
fn one_of_each() -> Vec<(super::runner::Frame, Seen)> {
    vec![
        (frame(0x81, "Hello"), Seen::whole(Kind::Text, "Hello")),
        (frame(0x82, ""), Seen::whole(Kind::Binary, "")),
        (frame(0x82, [7; 200]), Seen::whole(Kind::Binary, [7; 200])),
        (ping("1"), Seen::Ping(b"1".to_vec())),
        (pong(""), Seen::Pong(vec![])),
        (close(1000, "bye"), Seen::close(1000, "bye")),
    ]
}

#[test]
fn w82_a_server_reads_masked_frames() {
    for (sent, seen) in one_of_each() {
        let unmasked = exactly(&sent.bytes(None));
        run([Case {
            sides: &[Side::Server],
            input: vec![unmasked.clone()],
            ..Case::fault(format!("W82 {sent:?}"), Rule::UnmaskedFrame, 1002, head(0, 1))
        }]);
        if matches!(seen, Seen::Data { .. }) {
            run([Case {
                sides: &[Side::Server],
                config: Config {
                    lenient: Lenient { unmasked_frames: true, ..Lenient::default() },
                    ..Config::default()
                },
                input: vec![unmasked.clone(), sent, unmasked],
                events: vec![seen.clone(), seen.clone(), seen],
                ..Case::new("W82 forgiven, and masked frames are read as ever")
            }]);
        }
    }
    run([Case {
        sides: &[Side::Server],
        input: vec![frame(0x81, "a"), exactly(&frame(0x81, "b").bytes(None))],
        events: vec![Seen::whole(Kind::Text, "a")],
        ..Case::fault("W82 the second frame", Rule::UnmaskedFrame, 1002, head(1, 1))
    }]);
}

#[test]
fn w83_a_client_reads_unmasked_frames() {
    for lenient in [Lenient::default(), Lenient { unmasked_frames: true, non_minimal_length: true }] {
        for (sent, _) in one_of_each() {
            run([Case {
                sides: &[Side::Client],
                config: Config { lenient, ..Config::default() },
                input: vec![exactly(&sent.bytes(Some([1, 2, 3, 4])))],
                ..Case::fault(format!("W83 {sent:?}"), Rule::MaskedFrame, 1002, head(0, 1))
            }]);
        }
    }
    run([Case {
        sides: &[Side::Client],
        input: vec![exactly(&frame(0x81, "a").bytes(Some([0; 4])))],
        ..Case::fault("W83 a key of zeros is a mask", Rule::MaskedFrame, 1002, head(0, 1))
    }]);
}

/// A source whose keys are counted and all different.
struct Counting<'c>(&'c Cell<u32>);

impl MaskSource for Counting<'_> {
    fn next_key(&mut self) -> Option<MaskKey> {
        self.0.set(self.0.get() + 1);
        Some(key(self.0.get()))
    }
}

/// The n-th key of [`Counting`], n from 1.
fn key(n: u32) -> MaskKey {
    n.wrapping_mul(0x9e37_79b1).to_be_bytes()
}

#[test]
fn w84_w87_w88_a_fresh_key_for_every_frame() {
    let drawn = Cell::new(0);
    let mut conn = Connection::new(Client(Counting(&drawn)), &Config::default(), Agreed::default());
    let mut out = Vec::new();
    assert_eq!(drawn.get(), 0, "W84: nothing is drawn before there is a frame");
    conn.send(Outgoing::text("Hello"), &mut out).unwrap();
    conn.send(Outgoing::text(""), &mut out).unwrap();
    conn.send(Outgoing::first(Kind::Binary, &[7; 200]), &mut out).unwrap();
    conn.send(Outgoing::ping(b"1"), &mut out).unwrap();
    conn.send(Outgoing::pong(b""), &mut out).unwrap();
    conn.send_header(Outgoing::next(&[]), 7, &mut out).unwrap();
    for piece in [&b"a"[..], b"bc", b"", b"defg"] {
        assert_eq!(conn.pay(piece, &mut out), Ok(piece.len()));
    }
    conn.send_header(Outgoing::next(&[]), 6, &mut out).unwrap();
    for piece in [b"abc", b"def"] {
        let mut own = piece.to_vec();
        conn.pay_in_place(&mut own).unwrap();
        out.extend_from_slice(&own);
    }
    conn.send(Outgoing::last(b""), &mut out).unwrap();
    let mut read = incoming(Side::Client, &[ping("2")]);
    let mut input = Input::new(&mut read);
    while conn.receive(&mut input, &mut out).is_some() {}
    conn.close(CloseCode::NORMAL, "bye", &mut out).unwrap();

    let frames = [
        frame(0x81, "Hello"),
        frame(0x81, ""),
        frame(0x02, [7; 200]),
        ping("1"),
        pong(""),
        frame(0x00, "abcdefg"),
        frame(0x00, "abcdef"),
        frame(0x80, ""),
        pong("2"),
        close(1000, "bye"),
    ];
    let expected: Vec<u8> = (1..).zip(&frames).flat_map(|(n, frame)| frame.bytes(Some(key(n)))).collect();
    assert_eq!(out, expected, "W84 W87 W88");
    assert_eq!(drawn.get(), 10, "W84: one key a frame");
}

#[test]
fn w84_no_key_is_drawn_for_a_refusal() {
    let drawn = Cell::new(0);
    let mut conn = Connection::new(Client(Counting(&drawn)), &Config::default(), Agreed::default());
    let mut out = SliceOutput::new(vec![0; MIN_OUTPUT]);
    let refusals = [
        Outgoing::binary(&[0; 500]),
        Outgoing::next(b""),
        Outgoing::ping(&[0; 126]),
        Outgoing::whole(Kind::Text, &[0xff]),
        Outgoing::text("").compressed(),
    ];
    for frame in refusals {
        conn.send(frame, &mut out).unwrap_err();
    }
    conn.close(CloseCode::NO_STATUS, "", &mut out).unwrap_err();
    assert_eq!(drawn.get(), 0);
    let mut read = incoming(Side::Client, &[ping([1; 125]), ping([2; 125]), ping([3; 125])]);
    let mut input = Input::new(&mut read);
    while conn.receive(&mut input, &mut out).is_some() {}
    assert_eq!(drawn.get(), 1, "W84: a reply draws its key when there is room for it");
}

#[test]
fn w84_a_source_that_runs_dry() {
    struct Purse<'c>(&'c Cell<u32>);
    impl MaskSource for Purse<'_> {
        fn next_key(&mut self) -> Option<MaskKey> {
            self.0.set(self.0.get().checked_sub(1)?);
            Some([9, 8, 7, 6])
        }
    }
    let masked = |frames: &[super::runner::Frame]| -> Vec<u8> {
        frames.iter().flat_map(|frame| frame.bytes(Some([9, 8, 7, 6]))).collect()
    };
    let keys = Cell::new(0);
    let mut conn = Connection::new(Client(Purse(&keys)), &Config::default(), Agreed::default());
    let mut out = Vec::new();
    let receive = |conn: &mut Connection<_>, out: &mut Vec<u8>| {
        let mut read = incoming(Side::Client, &[ping("1"), ping("2")]);
        let mut input = Input::new(&mut read);
        while conn.receive(&mut input, out).is_some() {}
    };
    assert_eq!(conn.send(Outgoing::text("a"), &mut out), Err(SendError::NoKey), "W84");
    assert_eq!(conn.send_header(Outgoing::text(""), 5, &mut out), Err(SendError::NoKey), "W84");
    assert_eq!(conn.owed(), 0);
    receive(&mut conn, &mut out);
    assert!(out.is_empty() && conn.is_reply_waiting());
    keys.set(1);
    assert_eq!(conn.send(Outgoing::text("a"), &mut out), Err(SendError::NoKey), "the reply took the key");
    assert_eq!(out, masked(&[pong("2")]));
    conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
    assert!(conn.is_reply_waiting());
    assert_eq!(conn.transport(), Transport::Keep);
    keys.set(1);
    assert!(conn.poll_transmit(&mut out));
    assert_eq!(out, masked(&[pong("2"), close(1000, "")]), "W84");
}

#[test]
fn w85_a_key_of_zeros_is_legal_to_receive() {
    for (sent, seen) in one_of_each() {
        let case = match &seen {
            Seen::Close(_) => Case::closed("W85", 1000),
            Seen::Ping(body) => Case { output: vec![pong(body)], ..Case::new("W85") },
            _ => Case::new("W85"),
        };
        run([Case {
            sides: &[Side::Server],
            input: vec![exactly(&sent.bytes(Some([0; 4])))],
            events: vec![seen],
            ..case
        }]);
    }
    // The key is the frame's own: zeros do not last.
    let input = vec![exactly(&frame(0x81, "ab").bytes(Some([0; 4]))), frame(0x81, "cd")];
    let events = vec![Seen::whole(Kind::Text, "ab"), Seen::whole(Kind::Text, "cd")];
    run([Case { sides: &[Side::Server], input, events, ..Case::new("W85 and then another key") }]);
}

/// W86: what is sent may be shared with others: `send` and `pay` mask a copy.
#[test]
fn w86_shared_payloads_stay_as_they_are() {
    let shared: Arc<[u8]> = (0..10_000_u32).map(|i| i as u8).collect::<Vec<u8>>().into();
    let before = shared.to_vec();
    let mut conn = Connection::new(client(), &Config::default(), Agreed::default());
    let mut out = Vec::new();
    conn.send(Outgoing::binary(&shared), &mut out).unwrap();
    conn.send_header(Outgoing::binary(&[]), 10_000, &mut out).unwrap();
    assert_eq!(conn.pay(&shared, &mut out), Ok(10_000));
    let frame = frame(0x82, &before).bytes(Some([1, 2, 3, 4]));
    assert_eq!(out, [frame.clone(), frame].concat(), "W86");
    assert_eq!(shared[..], before, "W86");

    let prepared = Prepared::binary(&shared);
    let mut server = Connection::new(Server, &Config::default(), Agreed::default());
    for _ in 0..2 {
        assert_eq!(server.send_prepared(&prepared, &mut out).unwrap()[4..], before, "W86");
    }
}

#[test]
fn w87_w88_a_server_masks_nothing() {
    let mut probe = Probe::open(Server, &Config::default(), Agreed::default(), "W87 W88");
    let Probe { conn, out, .. } = &mut probe;
    for frame in
        [Outgoing::text(""), Outgoing::binary(&[7; 70_000]), Outgoing::ping(b"a"), Outgoing::pong(b"")]
    {
        out.clear();
        conn.send(frame, out).unwrap();
        let (header, _) = FrameHeader::decode(out).unwrap().unwrap();
        assert_eq!(header.mask, None, "W87 W88 {frame:?}");
    }
    out.clear();
    conn.close_without_code(out);
    assert_eq!(*out, [0x88, 0]);
}

/// W89: the kernel against the RFC's formula, at every length 0 to 256, every offset 0 to 63 in memory and
/// every phase of the key; nothing beside the payload changes.
#[test]
fn w89_the_kernel() {
    const LONGEST: usize = 256;
    let memory: Vec<u8> = (0..64 + LONGEST + 64).map(|i| (i * 167 + 13) as u8).collect();
    for phase in 0..4 {
        let key: MaskKey = std::array::from_fn(|i| [0x37, 0xfa, 0x21, 0x3d][(i + phase) % 4]);
        for offset in 0..64 {
            for len in 0..=LONGEST {
                let mut actual = memory.clone();
                let next = mask(key, &mut actual[offset..offset + len]);
                let masked = naive_mask(key, 0, &memory[offset..offset + len]);
                let at = format!("W89 phase {phase}, offset {offset}, length {len}");
                assert!(actual[offset..offset + len] == masked, "{at}");
                assert!(actual[..offset] == memory[..offset], "W17 {at}: written before it");
                assert!(actual[offset + len..] == memory[offset + len..], "W17 {at}: written behind it");
                assert_eq!(next, std::array::from_fn(|i| key[(i + len) % 4]), "{at}: the next key");
            }
        }
    }
}

#[test]
fn w89_in_pieces() {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let payload: Vec<u8> = (0..100_u32).map(|i| (i * 7) as u8).collect();
    let masked = naive_mask(key, 0, &payload);
    for first in 0..=payload.len() {
        for second in (first..=payload.len()).step_by(3) {
            let mut pieces = payload.clone();
            let key = mask(key, &mut pieces[..first]);
            let key = mask(key, &mut pieces[first..second]);
            mask(key, &mut pieces[second..]);
            assert_eq!(pieces, masked, "W16 W89 cut at {first} and {second}");
        }
    }
    let mut twice = masked;
    mask(key, &mut twice);
    assert_eq!(twice, payload, "masking is its own inverse");
}
