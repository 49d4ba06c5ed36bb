//! What must hold of one connection by the naive decoder, and of one side of a pair by what both have written and read.

use websocket_proto::{Cause, Closer, Closure, Kind, ProtocolError, Role};

use super::{
    keys::key,
    oracle::{self, End, Reading, Seen, Setup, frame},
    pair::{Peer, Planned},
};

/// The bytes that answer a stream: a server's as they are, a client's under one key after the other.
pub(crate) fn output(reading: &Reading, server: bool) -> Vec<u8> {
    let keys = (0..).map(|number| (!server).then(|| key(number)));
    let replies = reading.replies.iter().zip(keys);
    replies.flat_map(|((opcode, payload), key)| frame(0x80 | opcode, payload, key)).collect()
}

/// What is to be told when the stream ends behind this reading.
pub(crate) fn end_of(expected: &Reading) -> Closure {
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

/// What must hold of `side` once its run is over, as seen from what it wrote and what `other` read.
pub(crate) fn check_side<R: Role, O: Role>(side: &Peer<R>, other: &Peer<O>, server: bool, lossless: bool) {
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
