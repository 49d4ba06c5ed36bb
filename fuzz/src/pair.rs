//! A client and a server that do anything in any order, joined by streams that may break anywhere.

use arbitrary::Unstructured;
use websocket_proto::{Cause, Closer, Kind, MIN_OUTPUT, Role, Rule};

use crate::{
    common::{
        oracle::{self, End, Seen, Setup},
        pair::{Act, Manner, Pair, Peer, Planned, Side},
    },
    support::{byte, piece, short},
    verify::frames_in,
};

pub fn pair(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let sizes = [short(&mut u), short(&mut u)].map(|size| MIN_OUTPUT + size % 270);
    let scripts = [script(&mut u), script(&mut u)];
    let mut pair = Pair::new(sizes, scripts);
    let mut lossless = true;
    if flags & 1 != 0 {
        pair.break_at([short(&mut u) % 700, usize::MAX]);
        lossless = false;
    }
    if flags & 2 != 0 {
        pair.break_at([usize::MAX, short(&mut u) % 700]);
        lossless = false;
    }
    for _ in 0..200 {
        if u.is_empty() {
            break;
        }
        let (side, act) = act(&mut u);
        lossless &= !matches!(act, Act::Cut);
        pair.step(side, &act);
    }
    pair.finish();
    check_side(&pair.client, &pair.server, false, lossless);
    check_side(&pair.server, &pair.client, true, lossless);
}

/// Up to three messages as the frames that send them.
fn script(u: &mut Unstructured<'_>) -> Vec<Planned> {
    let mut frames = Vec::new();
    for _ in 0..byte(u) % 4 {
        let flags = byte(u);
        let len = if flags & 2 != 0 { short(u) % 500 } else { usize::from(byte(u) % 32) };
        let bytes = piece(u, len);
        let (kind, payload) = if flags & 1 != 0 {
            (Kind::Text, String::from_utf8_lossy(bytes).into_owned().into_bytes())
        } else {
            (Kind::Binary, bytes.to_vec())
        };
        let count = usize::from(flags >> 2 & 3) + 1;
        let mut ends: Vec<usize> = (1..count).map(|_| short(u) % (payload.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(payload.len());
        let mut start = 0;
        for (at, &end) in ends.iter().enumerate() {
            let manner = match flags.rotate_right(2 * at as u32) >> 4 & 3 {
                0 | 1 => Manner::Whole,
                2 => Manner::Pay,
                _ => Manner::InPlace,
            };
            let payload = payload[std::mem::replace(&mut start, end)..end].to_vec();
            frames.push(Planned { kind, first: at == 0, fin: at + 1 == count, payload, manner });
        }
    }
    frames
}

fn act(u: &mut Unstructured<'_>) -> (Side, Act) {
    let choice = byte(u);
    let side = if choice & 0x80 == 0 { Side::Client } else { Side::Server };
    let marked = |u: &mut Unstructured<'_>, mark: u8| {
        let n = byte(u);
        [vec![mark], vec![n; if n & 0x80 != 0 { 124 } else { usize::from(n % 6) }]].concat()
    };
    let size = |u: &mut Unstructured<'_>| match byte(u) {
        0 => usize::MAX,
        n => usize::from(n),
    };
    let act = match choice & 0x7f {
        0..24 => Act::Advance(size(u)),
        24..48 => Act::Write(size(u)),
        48..72 => Act::Read(size(u)),
        72..88 => Act::Ping(marked(u, b'p')),
        88..92 => Act::Pong(marked(u, b'u')),
        92..102 => Act::Poll,
        102..110 => {
            let codes = [1000_u16, 1001, 1011, 3000, 4999];
            Act::Close(codes[usize::from(byte(u)) % codes.len()], usize::from(byte(u) % 124))
        }
        110..116 => Act::CloseBare,
        116..124 => {
            let rules = [Rule::Policy, Rule::ControlRate, Rule::InternalError, Rule::MessageTooLong];
            Act::Fail(rules[usize::from(byte(u)) % rules.len()])
        }
        _ => Act::Cut,
    };
    (side, act)
}

/// What a data frame looks like to the other side.
fn as_seen(frames: &[Planned]) -> Vec<Seen> {
    let mut kind = Kind::Binary;
    let seen = frames.iter().map(|frame| {
        if frame.first {
            kind = frame.kind;
        }
        Seen::Frame {
            kind,
            first: frame.first,
            fin: frame.fin,
            compressed: false,
            len: frame.payload.len() as u64,
            payload: frame.payload.clone(),
            whole: true,
        }
    });
    seen.collect()
}

/// What must hold of `side` once its run is over, as seen from what it wrote and what `other` read: what
/// `tests/pair.rs` demands.
fn check_side<R: Role, O: Role>(side: &Peer<R>, other: &Peer<O>, server: bool, lossless: bool) {
    let frames = frames_in(&side.written, !server);
    let is_close = |frame: &&(usize, u8, Vec<u8>)| frame.1 == 0x88;
    let closes: Vec<_> = frames.iter().filter(is_close).collect();
    assert!(closes.len() <= 1, "more than one Close");
    if let [(at, _, body)] = closes[..] {
        let behind: Vec<u8> = frames.iter().filter(|frame| frame.0 > *at).map(|frame| frame.1).collect();
        assert!(behind.iter().all(|&first| first == 0x8a), "behind the Close: {behind:x?}");
        let code = body.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
        assert_eq!(side.conn.closure().sent, Some(code.into()), "what is told is what was written");
    } else {
        assert_eq!(side.conn.closure().sent, None);
    }
    if let Some(mark) = side.mark {
        let behind: Vec<u8> = frames.iter().filter(|frame| frame.0 >= mark).map(|frame| frame.1).collect();
        assert!(behind.is_empty() || behind == [0x88], "behind the end of reading: {behind:x?}");
    }

    // Whatever was accepted was written, whole and in order, around the control frames.
    let data = frames.iter().filter(|frame| frame.1 & 8 == 0);
    let accepted = as_seen(&side.accepted);
    assert_eq!(
        data.map(|(_, first, payload)| (first & 0x80 != 0, payload)).collect::<Vec<_>>(),
        side.accepted.iter().map(|planned| (planned.fin, &planned.payload)).collect::<Vec<_>>()
    );
    // A pong repeats a ping that was read, and pongs keep the pings' order.
    let mut pings =
        side.seen.iter().filter_map(|seen| if let Seen::Ping(payload) = seen { Some(payload) } else { None });
    for (_, _, pong) in frames.iter().filter(|frame| frame.1 == 0x8a && frame.2.first() != Some(&b'u')) {
        assert!(pings.any(|ping| ping == pong), "a pong to no ping, or out of order");
    }

    // What the other side read is what a naive decoder reads in those bytes, and what was sent.
    assert!(side.written.starts_with(&other.heard) || !lossless);
    let reading = oracle::read(&Setup::strict(!server), &other.heard);
    let told = other.conn.failure().is_some();
    assert_eq!(other.seen, reading.seen);
    let arrived: Vec<&Seen> = other.seen.iter().filter(|seen| matches!(seen, Seen::Frame { .. })).collect();
    let complete = arrived.iter().filter(|seen| matches!(seen, Seen::Frame { whole: true, .. })).count();
    assert!(arrived[..complete].iter().copied().eq(&accepted[..complete]), "data out of order or altered");
    let arrived_pings = other.seen.iter().filter(|seen| matches!(seen, Seen::Ping(_))).count();
    if lossless && !told {
        assert_eq!(complete, accepted.len(), "everything accepted arrives");
        assert_eq!(arrived_pings, side.pinged.len());
    }

    // The account of the end.
    let (closure, theirs) = (side.end.unwrap(), other.end.unwrap());
    if theirs.received.is_some() || (lossless && !told) {
        assert_eq!(theirs.received, closure.sent, "both tell of the same Close");
    }
    assert!(closure.first != Some(Closer::Peer) || theirs.first == Some(Closer::Local), "somebody was first");
    assert_eq!(theirs.clean, theirs.sent.is_some() && theirs.received.is_some());
    let expected = match (other.conn.failure(), reading.end) {
        (Some(error), _) => Some(Cause::Violation(error)),
        (None, End::BetweenMessages) => Some(Cause::EndWithoutClose),
        (None, End::BetweenFragments) => Some(Cause::EndInMessage),
        (None, End::InFrame) => Some(Cause::EndInFrame),
        (None, End::Closed) => None,
        (None, End::Failed(..)) => panic!("a fault between two sound ends"),
    };
    assert_eq!(theirs.cause, expected);
}
