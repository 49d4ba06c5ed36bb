//! Proves what holds between two ends, whatever they do and wherever the streams break: data arrives whole and in
//! order, one Close a side at most, debts before it, nothing but that Close behind the end, one account of the end
//! on both sides, and a way out of every state. Also the room that a driver must have (rule 3 of the design).

mod common;

use common::{
    keys::Keys,
    oracle::{Setup, frame},
    pair::{Act, Manner, Pair, Planned, Side},
    run, stream,
    verify::{check_side, frames_in},
};
use proptest::{collection::vec, prelude::*, sample::Index};
use websocket_proto::{
    Agreed, Client, Config, Connection, Event, Input, Kind, MIN_OUTPUT, Role, Rule, Server, SliceOutput,
};

fn check(pair: &Pair, lossless: bool) {
    check_side(&pair.client, &pair.server, false, lossless);
    check_side(&pair.server, &pair.client, true, lossless);
}

/// Messages as the frames that send them.
fn script() -> impl Strategy<Value = Vec<Planned>> {
    let payload = prop_oneof![
        stream::text().prop_map(|text| (Kind::Text, text.into_bytes())),
        (0..500_usize, any::<u8>()).prop_map(|(len, seed)| {
            (Kind::Binary, (0..len).map(|i| (i as u8).wrapping_mul(7) ^ seed).collect())
        }),
    ];
    let manner = prop_oneof![2 => Just(Manner::Whole), 1 => Just(Manner::Pay), 1 => Just(Manner::InPlace)];
    let message = (payload, vec((any::<Index>(), manner), 1..4)).prop_map(|((kind, payload), cuts)| {
        let mut ends: Vec<usize> = cuts[1..].iter().map(|(cut, _)| cut.index(payload.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(payload.len());
        let mut start = 0;
        let frames = ends.iter().zip(&cuts).map(|(&end, (_, manner))| Planned {
            kind,
            first: false,
            fin: false,
            payload: payload[std::mem::replace(&mut start, end)..end].to_vec(),
            manner: *manner,
        });
        let mut frames: Vec<Planned> = frames.collect();
        frames.first_mut().unwrap().first = true;
        frames.last_mut().unwrap().fin = true;
        frames
    });
    vec(message, 0..4).prop_map(|messages| messages.concat())
}

fn act() -> impl Strategy<Value = Act> {
    let size = || prop_oneof![3 => 1..8_usize, 3 => 1..200_usize, 1 => Just(usize::MAX)];
    let marked = |mark: u8| {
        (any::<u8>(), prop_oneof![0..6_usize, Just(124_usize)])
            .prop_map(move |(n, len)| [vec![mark], vec![n; len]].concat())
    };
    let code = prop::sample::select(vec![1000_u16, 1001, 1011, 3000, 4999]);
    let rule = prop::sample::select(vec![
        Rule::Policy,
        Rule::ControlRate,
        Rule::InternalError,
        Rule::MessageTooLong,
    ]);
    prop_oneof![
        16 => size().prop_map(Act::Advance),
        16 => size().prop_map(Act::Write),
        16 => size().prop_map(Act::Read),
        6 => marked(b'p').prop_map(Act::Ping),
        1 => marked(b'u').prop_map(Act::Pong),
        2 => Just(Act::Poll),
        1 => (code, 0..=123_usize).prop_map(|(code, len)| Act::Close(code, len)),
        1 => Just(Act::CloseBare),
        1 => rule.prop_map(Act::Fail),
    ]
}

fn acts() -> impl Strategy<Value = Vec<(Side, Act)>> {
    vec((prop_oneof![Just(Side::Client), Just(Side::Server)], act()), 0..120)
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(MIN_OUTPUT), 3 => MIN_OUTPUT..400_usize]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_two_sides_do(sizes in [size(), size()], scripts in [script(), script()], acts in acts()) {
        let mut pair = Pair::new(sizes, scripts);
        for (side, act) in &acts {
            pair.step(*side, act);
        }
        pair.finish();
        check(&pair, true);
    }

    #[test]
    fn whatever_two_sides_do_until_a_stream_breaks(
        sizes in [size(), size()],
        scripts in [script(), script()],
        acts in acts(),
        breaks in [prop_oneof![0..600_usize, Just(usize::MAX)], prop_oneof![0..600_usize, Just(usize::MAX)]],
        cut in prop::option::of((0..120_usize, any::<bool>())),
    ) {
        let mut pair = Pair::new(sizes, scripts);
        pair.break_at(breaks);
        for (i, (side, act)) in acts.iter().enumerate() {
            pair.step(*side, act);
            if let Some((at, client)) = cut && at == i {
                pair.step(if client { Side::Client } else { Side::Server }, &Act::Cut);
            }
        }
        pair.finish();
        check(&pair, false);
    }
}

/// A dialogue with everything in it, broken at every byte of either stream, and of both.
#[test]
fn a_stream_that_breaks_at_every_byte() {
    let planned = |kind, first, fin, payload: &str, manner| Planned {
        kind,
        first,
        fin,
        payload: payload.into(),
        manner,
    };
    let script = || {
        vec![
            planned(Kind::Text, true, true, "héllo", Manner::Whole),
            planned(Kind::Text, true, false, "aé", Manner::Pay),
            planned(Kind::Text, false, false, "", Manner::Whole),
            planned(Kind::Text, false, true, "😀", Manner::InPlace),
            planned(Kind::Binary, true, true, &"x".repeat(150), Manner::Whole),
        ]
    };
    let dialogue = |breaks| {
        let mut pair = Pair::new([MIN_OUTPUT, 200], [script(), script()]);
        pair.break_at(breaks);
        for turn in 0..30 {
            for side in [Side::Client, Side::Server] {
                pair.step(side, &Act::Advance(3));
                if turn % 4 == 1 {
                    pair.step(side, &Act::Ping(format!("p{turn}").into_bytes()));
                }
                pair.step(side, &Act::Write(17));
                pair.step(side, &Act::Read(11));
            }
        }
        pair.step(Side::Client, &Act::Close(3000, 7));
        pair.finish();
        pair
    };
    let whole = dialogue([usize::MAX; 2]);
    check(&whole, true);
    let (client, server) = (whole.client.written.len(), whole.server.written.len());
    assert!(client > 200 && server > 200, "{client} {server}");
    for at in 0..=client {
        check(&dialogue([at, usize::MAX]), false);
        check(&dialogue([at, at]), false);
    }
    for at in 0..=server {
        check(&dialogue([usize::MAX, at]), false);
    }
}

/// A pong that waits when the closing ends goes nowhere (W30): its ping is excused by the peer's Close, and after a
/// failure nothing is processed any more. Our own Close is out, so nothing takes the pong's place.
#[test]
fn no_pong_waits_beyond_the_end() {
    let ends = [frame(0x88, &[3, 232], Some([1; 4])), frame(0x8f, b"", Some([1; 4]))];
    for end in ends {
        let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
        let mut out = SliceOutput::new([0; MIN_OUTPUT]);
        conn.close(1000.into(), "bye", &mut out).unwrap();
        let mut seen = Vec::new();
        run::feed(&mut conn, &frame(0x89, &[7; 125], Some([2; 4])), &mut out, &mut seen);
        assert!(conn.is_reply_waiting(), "no room beside the Close");
        run::feed(&mut conn, &end, &mut out, &mut seen);
        assert_eq!(seen.len(), 2);
        out.advance(7);
        assert!(!conn.poll_transmit(&mut out), "a pong behind {:?}", seen[1]);
        assert!(out.is_empty() && !conn.is_reply_waiting());
    }
}

/// Reads `n` bytes at a time with `3 * n + 2 * MIN_OUTPUT` of room, sending every piece back (`echo`) or on
/// (`forward`): neither ever lacks room, and nothing waits behind (rule 3).
fn has_room<R: Role, O: Role>(
    role: R,
    far: Option<O>,
    server: bool,
    bytes: &[u8],
    reads: &[usize],
    waits: bool,
) {
    let setup = Setup::strict(server);
    let mut near: Connection<R> = run::connection(role, &setup);
    let mut far: Option<Connection<O>> = far.map(|role| run::connection(role, &Setup::strict(!server)));
    let borders: Vec<usize> = frames_in(bytes, server).iter().map(|frame| frame.0).collect();
    let (mut bytes, whole) = (bytes.to_vec(), bytes.len());
    let mut rest = &mut bytes[..];
    let mut sizes = reads.iter().cycle();
    while !rest.is_empty() {
        let n = sizes.next().copied().unwrap_or(1).min(rest.len());
        if waits {
            // The longest reply that may wait from an earlier turn, on either side.
            if borders.contains(&(whole - rest.len())) {
                make_wait(&mut near, server);
            }
            if let Some(far) = &mut far {
                make_wait(far, !server);
            }
        }
        let room = 3 * n + 2 * MIN_OUTPUT;
        let mut out = SliceOutput::new(vec![0; room]);
        let mut beyond = SliceOutput::new(vec![0; room]);
        let (read, more) = rest.split_at_mut(n);
        rest = more;
        let mut input = Input::new(read);
        while let Some(event) = near.receive(&mut input, &mut out) {
            let Event::Data(data) = event else { continue };
            if let Some(far) = &mut far {
                if data.part().starts_frame {
                    far.send_header(data.forward(), data.part().frame_len, &mut beyond).unwrap();
                }
                assert_eq!(far.pay(data.payload(), &mut beyond), Ok(data.payload().len()));
            } else {
                near.send(data.echo(), &mut out).unwrap();
            }
        }
        near.poll_transmit(&mut out);
        assert!(!near.is_reply_waiting());
        if let Some(far) = &mut far {
            far.poll_transmit(&mut beyond);
            assert!(!far.is_reply_waiting() || far.owed() > 0);
        }
    }
}

/// Has the longest pong wait in the connection, which stands between two frames.
fn make_wait<R: Role>(conn: &mut Connection<R>, server: bool) {
    let mut ping = frame(0x89, &[9; 125], server.then_some([5; 4]));
    let mut input = Input::new(&mut ping);
    while conn.receive(&mut input, &mut SliceOutput::new([0; 0])).is_some() {}
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_echo_and_a_forward_have_room(
        (server, bytes) in any::<bool>().prop_flat_map(|server| (Just(server), stream::legal(server))),
        reads in vec(prop_oneof![1..4_usize, 1..40_usize, 1..4000_usize], 1..10),
        waits: bool,
    ) {
        if server {
            has_room(Server, None::<Client<Keys>>, true, &bytes, &reads, waits);
            has_room(Server, Some(Client(Keys::default())), true, &bytes, &reads, waits);
        } else {
            has_room(Client(Keys::default()), None::<Server>, false, &bytes, &reads, waits);
            has_room(Client(Keys::default()), Some(Server), false, &bytes, &reads, waits);
        }
    }
}
