//! Proves that a connection can be saved at any byte and restored elsewhere as if nothing had happened, and that
//! nothing else than what was saved is restored.

mod common;

use common::{
    keys::Keys,
    oracle::{Seen, Setup, frame},
    run,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use websocket_proto::{
    Client, CloseCode, Closure, Connection, Input, Kind, Lenient, MIN_OUTPUT, Outgoing, RestoreError, Role,
    Rule, SAVED, SendError, Server, SliceOutput, Transport,
};

fn saved<R: Role>(conn: &Connection<R>) -> Vec<u8> {
    let mut bytes = [0xaa; SAVED];
    let len = conn.save(&mut bytes);
    assert!(bytes[len..].iter().all(|&byte| byte == 0xaa), "nothing behind the end");
    bytes[..len].to_vec()
}

const AT_THE_END: usize = usize::MAX - 1;

/// What is done besides reading.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Extra {
    Nothing,
    /// The output is full until the end, so that replies wait.
    Full,
    /// A debt is owed from the start and paid at the end.
    Debt,
    /// A message is under way from the start, and goes on at the end.
    Fragment,
    /// The same, compressed.
    Compressed,
    /// We close half way, and the Close waits for room.
    Close,
    /// We close half way, and the Close goes out.
    CloseNow,
    /// The application fails the connection half way.
    Fail,
}

const EXTRAS: [Extra; 8] = [
    Extra::Nothing,
    Extra::Full,
    Extra::Debt,
    Extra::Fragment,
    Extra::Compressed,
    Extra::Close,
    Extra::CloseNow,
    Extra::Fail,
];

/// Everything that can be seen of a connection's life.
#[derive(Debug, PartialEq)]
struct Life {
    seen: Vec<Seen>,
    written: Vec<u8>,
    sent: Vec<Result<(), SendError>>,
    told: Vec<(u64, u64, u64, bool, Transport)>,
    closures: [Closure; 2],
}

/// Reads the stream byte by byte, and saves and restores before byte `at`, or behind the end (`AT_THE_END`).
fn live<R: Role>(role: impl Fn() -> R, setup: &Setup, stream: &[u8], extra: Extra, at: usize) -> Life {
    let mut conn: Connection<R> = run::connection(role(), setup);
    let mut out = SliceOutput::new(vec![0; stream.len() * 3 + 3 * MIN_OUTPUT]);
    let mut full = SliceOutput::new([0; 0]);
    let (mut seen, mut sent, mut told) = (Vec::new(), Vec::new(), Vec::new());
    match extra {
        Extra::Debt => {
            sent.push(conn.send_header(Outgoing::first(Kind::Text, b""), 6, &mut out));
            sent.push(conn.pay(b"a\xc3", &mut out).map(drop));
        }
        Extra::Fragment => sent.push(conn.send(Outgoing::first(Kind::Text, b"a\xe2\x82"), &mut out)),
        Extra::Compressed => {
            sent.push(conn.send(Outgoing::first(Kind::Text, b"\xff").compressed(), &mut out))
        }
        _ => {}
    }
    for i in 0..=stream.len() {
        if i == stream.len() / 2 {
            match extra {
                Extra::Close => sent.push(conn.close(CloseCode::NORMAL, "bye", &mut full)),
                Extra::CloseNow => sent.push(conn.close(CloseCode::NORMAL, "bye", &mut out)),
                Extra::Fail => drop(conn.fail(Rule::Policy, &mut full)),
                _ => {}
            }
        }
        if i == at {
            conn = Connection::restore(role(), &saved(&conn)).unwrap();
        }
        let Some(byte) = stream.get(i) else { break };
        match extra {
            Extra::Full => run::feed(&mut conn, &[*byte], &mut full, &mut seen),
            _ => run::feed(&mut conn, &[*byte], &mut out, &mut seen),
        }
        told.push((
            conn.frame_remaining(),
            conn.bytes_received(),
            conn.owed(),
            conn.is_reply_waiting(),
            conn.transport(),
        ));
    }
    let closure = conn.receive_eof();
    if at == AT_THE_END {
        conn = Connection::restore(role(), &saved(&conn)).unwrap();
    }
    if extra == Extra::Debt {
        sent.push(conn.pay(b"\xff", &mut out).map(drop));
        sent.push(conn.pay(b"\xa9bcd", &mut out).map(drop));
    }
    conn.poll_transmit(&mut out);
    let later = [
        Outgoing::last(b"\xff"),
        Outgoing::last(b"\xac"),
        Outgoing::text("next").compressed(),
        Outgoing::text("é"),
    ];
    sent.extend(later.map(|frame| conn.send(frame, &mut out)));
    told.push((conn.frame_remaining(), conn.bytes_received(), conn.owed(), false, conn.transport()));
    Life { seen, written: out.pending().to_vec(), sent, told, closures: [closure, conn.receive_eof()] }
}

/// Frames of all kinds, by first byte and payload.
fn streams() -> Vec<Vec<(u8, Vec<u8>)>> {
    vec![
        vec![
            (0x89, b"first".to_vec()),
            (0x01, "h\u{e9}€".as_bytes()[..4].to_vec()),
            (0x89, vec![b'p'; 125]),
            (0x00, Vec::new()),
            (0x8a, b"\0\0\0\x07".to_vec()),
            (0x80, "€".as_bytes()[1..].to_vec()),
            (0x82, vec![3; 130]),
            (0xc1, b"\xff compressed".to_vec()),
            (0x41, b"\xff".to_vec()),
            (0x80, b"\xff".to_vec()),
            (0x02, Vec::new()),
            (0x80, b"x".to_vec()),
            (0x88, b"\x03\xe8bye \xf0\x9f\x98\x80".to_vec()),
            (0x89, b"behind".to_vec()),
        ],
        vec![(0x81, b"good \xed\xa0".to_vec()), (0x89, b"behind".to_vec())],
        vec![(0x02, b"under way".to_vec()), (0x88, Vec::new())],
        vec![(0x01, b"\xe2\x82".to_vec()), (0x82, b"interrupts".to_vec())],
        vec![(0x01, b"1".to_vec()), (0x00, b"2".to_vec()), (0x00, b"3".to_vec()), (0x00, b"4".to_vec())],
        vec![(0x82, vec![0; 140]), (0x02, vec![0; 100]), (0x80, vec![0; 120])],
        vec![(0x88, vec![3, 237])],
    ]
}

/// At every byte of every stream, with everything that may be under way: the restored connection lives on as the
/// one that was never saved.
fn check_every_byte<R: Role>(role: impl Fn(&Keys) -> R, server: bool) {
    let lenient = Lenient { non_minimal_length: true, unmasked_frames: true };
    let strict = Setup {
        reserved: 0x40,
        frame_limit: 150,
        message_limit: 210,
        fragment_limit: 4,
        ..Setup::strict(server)
    };
    for setup in [strict, Setup { lenient, reserved: 0x50, ..Setup::strict(server) }] {
        for frames in streams() {
            let frames = (0..).zip(&frames);
            let bytes = frames
                .map(|(n, (first, payload))| frame(*first, payload, server.then_some([n, 1, 0x80 | n, 99])));
            let mut stream = bytes.collect::<Vec<_>>().concat();
            // A length of eight bytes for two.
            stream.extend([0x82, if server { 0xff } else { 0x7f }, 0, 0, 0, 0, 0, 0, 0, 2]);
            stream.extend(if server { &[0, 0, 0, 0, b'o', b'k'][..] } else { b"ok" });
            for extra in EXTRAS {
                let live = |at| {
                    let keys = Keys::default();
                    live(|| role(&keys), &setup, &stream, extra, at)
                };
                let unsaved = live(usize::MAX);
                for at in (0..=stream.len()).chain([AT_THE_END]) {
                    assert_eq!(live(at), unsaved, "saved before byte {at} with {extra:?}");
                }
            }
        }
    }
}

#[test]
fn a_server_lives_on() {
    check_every_byte(|_| Server, true);
}

#[test]
fn a_client_lives_on() {
    check_every_byte(|keys| Client(keys.clone()), false);
}

/// A fault found behind bytes that are delivered first is told after the restoring too.
#[test]
fn a_failure_to_be_told_is_told() {
    let mut conn = run::connection(Server, &Setup::strict(true));
    let mut bytes = frame(0x81, b"ab\xff", Some([7; 4]));
    let mut input = Input::new(&mut bytes);
    let mut out = SliceOutput::new([0; MIN_OUTPUT]);
    assert!(conn.receive(&mut input, &mut out).is_some());
    let mut conn = Connection::restore(Server, &saved(&conn)).unwrap();
    let mut seen = Vec::new();
    run::feed(&mut conn, &[], &mut out, &mut seen);
    assert_eq!(seen, [Seen::Failed(Rule::InvalidUtf8, 8)]);
    assert_eq!(out.pending(), b"\x88\x02\x03\xef");
}

/// The largest state: the longest pong waits, and all but one byte of the longest ping is there.
fn largest() -> Connection<Server> {
    let mut conn = run::connection(Server, &Setup::strict(true));
    let mut none = SliceOutput::new([0; 0]);
    let ping = frame(0x89, &[7; 125], Some([1; 4]));
    run::feed(&mut conn, &ping, &mut none, &mut Vec::new());
    run::feed(&mut conn, &ping[..ping.len() - 1], &mut none, &mut Vec::new());
    conn
}

#[test]
fn the_memory_asked_for_is_what_it_takes() {
    let most = saved(&largest()).len();
    assert!(most <= SAVED);
    assert!(SAVED - most <= 32, "SAVED is {SAVED}, and no state takes more than {most} bytes");
    let least = saved(&run::connection(Server, &Setup::strict(true))).len();
    assert_eq!(most - least, 124 + 125, "the two payloads are all that varies");
}

#[test]
fn nothing_else_is_restored() {
    let keys = Keys::default();
    let client: Connection<Client<Keys>> = run::connection(Client(keys.clone()), &Setup::strict(false));
    for state in [saved(&largest()), saved(&run::connection(Server, &Setup::strict(true))), saved(&client)] {
        let is_server = state[1] == 1;
        let restore = |bytes: &[u8]| {
            if is_server {
                Connection::restore(Server, bytes).err()
            } else {
                Connection::restore(Client(keys.clone()), bytes).err()
            }
        };
        assert_eq!(restore(&state), None);
        for len in 0..state.len() {
            assert_eq!(restore(&state[..len]), Some(RestoreError::Length), "cut off at {len}");
        }
        assert_eq!(restore(&[&state[..], &[0]].concat()), Some(RestoreError::Length), "a byte more");
        for version in (0..=255).filter(|&version| version != state[0]) {
            assert_eq!(restore(&[&[version], &state[1..]].concat()), Some(RestoreError::Version));
        }
        let other = if is_server {
            Connection::restore(Client(keys.clone()), &state).err()
        } else {
            Connection::restore(Server, &state).err()
        };
        assert_eq!(other, Some(RestoreError::Role));
        assert_eq!(restore(&[&[state[0], 7], &state[2..]].concat()), Some(RestoreError::Value));
    }
}

/// A change to a state of one connection's: whatever is restored is exactly what the bytes say.
#[test]
fn no_byte_is_ignored() {
    for state in [saved(&largest()), saved(&run::connection(Server, &Setup::strict(true)))] {
        for at in 2..state.len() {
            for value in 0..=255 {
                let mut changed = state.clone();
                changed[at] = value;
                if let Ok(conn) = Connection::restore(Server, &changed) {
                    assert_eq!(saved(&conn), changed, "byte {at} is {value}");
                }
            }
        }
    }
}

/// Each field at its borders, alone and with those that it depends on: where bytes are put into a state with nothing
/// under way, and whether that is refused.
#[test]
fn values_that_no_connection_has_are_refused() {
    const AGREED: usize = 24;
    const OFFSET: usize = 26;
    const REMAINING: usize = 34;
    const LEN: usize = 42;
    const KEY: usize = 50;
    const HELD: usize = 54;
    const PLACE: usize = 55;
    const ACTIVE: usize = 59;
    const END: usize = 60;
    const MESSAGE_LEN: usize = 61;
    const FRAGMENTS: usize = 69;
    const OPEN: usize = 73;
    const COMPRESSED: usize = 74;
    const STAGE: usize = 75;
    const OWED: usize = 83;
    const WAITING: usize = 97;
    const STATE: usize = 99;
    const OUR_OPEN: usize = 100;
    const FLAGS: usize = 101;
    type Change = &'static [(usize, &'static [u8])];
    let refused: &[Change] = &[
        &[(22, &[2])],
        &[(23, &[2])],
        &[(AGREED, &[0x01])],
        &[(AGREED, &[0x00, 0x01])],
        &[(OFFSET, &[0x80])],
        &[(REMAINING + 7, &[5]), (LEN + 7, &[4]), (PLACE, &[2, 0x80])],
        &[(LEN, &[0x80]), (PLACE, &[2, 0x80])],
        &[(REMAINING, &[0x80]), (LEN, &[0x80]), (PLACE, &[2, 0x80])],
        &[(LEN + 7, &[1])],
        &[(KEY, &[1])],
        &[(PLACE, &[0xff, 1])],
        &[(PLACE, &[0xff, 0x80])],
        &[(PLACE, &[2, 0x81])],
        &[(PLACE, &[2, 0x8f])],
        &[(PLACE, &[3, 0x80])],
        &[(PLACE, &[11, 0x80])],
        &[(PLACE, &[16, 0x80])],
        &[(PLACE, &[0xfe, 0])],
        &[(ACTIVE, &[2])],
        &[(END, &[3])],
        &[(MESSAGE_LEN + 7, &[1])],
        &[(FRAGMENTS + 3, &[1])],
        &[(COMPRESSED, &[1])],
        &[(OPEN, &[0xfe]), (COMPRESSED, &[2])],
        &[(OPEN, &[8])],
        &[(OPEN, &[0xfd])],
        &[(STAGE, &[0, 1])],
        &[(STAGE, &[1, 1])],
        &[(STAGE, &[4, 0])],
        &[(STAGE, &[3, 0xff])],
        &[(OWED, &[0x80])],
        &[(WAITING, &[3])],
        &[(STATE, &[5])],
        &[(OUR_OPEN, &[8])],
        &[(FLAGS, &[0x08])],
        &[(FLAGS, &[0x10])],
        &[(FLAGS, &[0x40])],
        &[(FLAGS, &[0x80])],
    ];
    let allowed: &[Change] = &[
        &[(OFFSET, &[0x7f])],
        &[(REMAINING + 7, &[5]), (LEN + 7, &[5]), (PLACE, &[2, 0x80])],
        &[(REMAINING + 7, &[4]), (LEN, &[0x7f]), (KEY, &[1]), (PLACE, &[2, 0x00])],
        &[(ACTIVE, &[1])],
        &[(END, &[2])],
        &[(MESSAGE_LEN, &[0xff]), (FRAGMENTS, &[0xff]), (OPEN, &[7]), (COMPRESSED, &[1])],
        &[(STAGE, &[1, 0])],
        &[(STAGE, &[2, 1])],
        &[(STAGE, &[3, 1])],
        &[(OWED, &[0x7f]), (OWED + 7, &[1])],
        &[(WAITING, &[1])],
        &[(WAITING, &[2])],
        &[(STATE, &[4])],
        &[(OUR_OPEN, &[7])],
        &[(FLAGS, &[0x07])],
    ];
    let state = saved(&run::connection(Server, &Setup::strict(true)));
    let restored = |change: Change| {
        let mut changed = state.clone();
        for (at, bytes) in change {
            changed[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Connection::restore(Server, &changed).err()
    };
    for change in refused {
        assert_eq!(restored(change), Some(RestoreError::Value), "{change:?}");
    }
    for change in allowed {
        assert_eq!(restored(change), None, "{change:?}");
    }
    // What is held of an unfinished frame was counted as received.
    let held = |offset: u8, bytes: &[u8]| {
        let mut changed = [&state[..HELD], &[bytes.len() as u8], bytes, &state[PLACE..]].concat();
        changed[OFFSET + 7] = offset;
        Connection::restore(Server, &changed).err()
    };
    assert_eq!(held(1, b"\x81\x80"), Some(RestoreError::Value));
    assert_eq!(held(2, b"\x81\x80"), None);
    // What waits, by its kind and its payload: nothing waits with nothing, a Close with what may be sent.
    let waiting = |kind: u8, payload: &[u8]| {
        let slot = [&[kind, payload.len() as u8], payload].concat();
        let changed = [&state[..WAITING], &slot, &state[STATE..]].concat();
        Connection::restore(Server, &changed).err()
    };
    for (kind, payload) in [(0, &b"x"[..]), (2, b"x"), (2, b"\x03\xed"), (2, b"\x03\xe8\xff"), (1, &[0; 126])]
    {
        assert_eq!(waiting(kind, payload), Some(RestoreError::Value), "{kind} {payload:?}");
    }
    for (kind, payload) in [(1, &b"x"[..]), (1, &[0; 125]), (2, b"\x03\xe8"), (2, b"\x03\xe8bye")] {
        assert_eq!(waiting(kind, payload), None, "{kind} {payload:?}");
    }
}

/// Whatever was restored: no call panics, and every loop ends.
fn survive<R: Role>(mut conn: Connection<R>, bytes: &[u8], room: usize) {
    let mut out = SliceOutput::new(vec![0; room]);
    let _known = (conn.closure(), conn.transport(), conn.failure(), conn.frame_remaining(), conn.owed());
    for chunk in bytes.chunks(7) {
        let mut chunk = chunk.to_vec();
        let most = chunk.len() + 3;
        let mut events = 0;
        let mut input = Input::new(&mut chunk);
        while conn.receive(&mut input, &mut out).is_some() {
            events += 1;
            assert!(events <= most, "events without end");
        }
        assert!(input.is_empty());
        let _refused = [
            conn.send(Outgoing::text("text"), &mut out).is_ok(),
            conn.send_header(Outgoing::last(b""), 3, &mut out).is_ok(),
            conn.pay(b"abc", &mut out).is_ok(),
            conn.pay_in_place(&mut [1]).is_ok(),
            conn.poll_transmit(&mut out),
        ];
    }
    let again = saved(&conn);
    assert!(again.len() <= SAVED);
    conn.close_without_code(&mut out);
    conn.fail(Rule::Policy, &mut out);
    conn.receive_eof();
    conn.poll_transmit(&mut out);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_refused_or_harmless(noise in vec(any::<u8>(), 0..SAVED + 9), bytes in vec(any::<u8>(), 0..60)) {
        let headed = [&[saved(&largest())[0], noise.len() as u8 & 1][..], &noise].concat();
        for noise in [noise, headed] {
            if let Ok(conn) = Connection::restore(Server, &noise) {
                survive(conn, &bytes, 300);
            }
            if let Ok(conn) = Connection::restore(Client(Keys::default()), &noise) {
                survive(conn, &bytes, 300);
            }
        }
    }

    #[test]
    fn a_damaged_state_is_refused_or_harmless(
        large: bool,
        damage in vec((any::<Index>(), prop_oneof![Just(0), 0..4_u8, Just(0xff), any::<u8>()]), 1..6),
        bytes in vec(prop_oneof![any::<u8>(), prop::sample::select(vec![0x81, 0x80, 0x89, 0x88, 0])], 0..200),
        room in 0..300_usize,
    ) {
        let mut state = if large { saved(&largest()) } else { saved(&run::connection(Server, &Setup::strict(true))) };
        for (at, value) in &damage {
            let at = 2 + at.index(state.len() - 2);
            state[at] = *value;
        }
        if let Ok(conn) = Connection::restore(Server, &state) {
            survive(conn, &bytes, room);
        }
        state[1] = 0;
        if let Ok(conn) = Connection::restore(Client(Keys::default()), &state) {
            survive(conn, &bytes, room);
        }
    }
}
