//! A sender, its frames, and what the other side makes of them.

use super::runner::{Read, frame, in_memory, run};
use websocket_proto::{
    Agreed, Config, Connection, Deflate, DeflateOptions, DeflateSide, DeflateTerms, Inflate, Kind, SendError,
    Sends, Server, SliceOutput,
};

pub(crate) const FULL: DeflateSide = DeflateSide::FULL;

pub(crate) const fn side(window_bits: u8, takeover: bool) -> DeflateSide {
    DeflateSide { window_bits, takeover }
}

/// Everything is compressed.
pub(crate) const ALL: DeflateOptions = DeflateOptions {
    level: 6,
    memory_level: 8,
    threshold: 0,
    strategy: websocket_proto::DeflateStrategy::Default,
};

/// Terms whose other side is as different as can be.
pub(crate) fn agreed(server: DeflateSide) -> Agreed {
    let client = side(23 - server.window_bits, !server.takeover);
    Agreed::default().with_deflate(DeflateTerms { server, client })
}

pub(crate) fn server(side: DeflateSide) -> Connection<Server> {
    Connection::new(Server, &Config::default(), agreed(side))
}

/// All of a message, through an output of `room` bytes that is written out each time it is full.
pub(crate) fn send(
    deflate: &mut Deflate,
    sender: &mut impl Sends,
    kind: Kind,
    payload: &[u8],
    room: usize,
) -> Result<Vec<u8>, SendError> {
    let mut message = deflate.begin(kind, payload)?;
    let mut out = SliceOutput::new(vec![0; room]);
    let mut sent = Vec::new();
    while deflate.write(&mut message, sender, &mut out)? {
        assert!(!out.is_empty(), "no progress in {room} bytes");
        assert!(!frames(out.pending()).is_empty());
        sent.extend_from_slice(out.pending());
        out.advance(usize::MAX);
    }
    sent.extend_from_slice(out.pending());
    // It is over, and stays so.
    out.advance(usize::MAX);
    assert_eq!(deflate.write(&mut message, sender, &mut out), Ok(false));
    assert!(out.is_empty());
    Ok(sent)
}

/// Whole frames: the first byte, and the payload without its mask.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (len, rest) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
            len => (usize::from(len), rest),
        };
        let (key, rest) =
            if second & 0x80 == 0 { ([0; 4], rest) } else { (rest[..4].try_into().unwrap(), &rest[4..]) };
        let payload = rest[..len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        frames.push((*first, payload));
        bytes = &rest[len..];
    }
    assert!(bytes.is_empty(), "half a header");
    frames
}

/// The payloads of a message's frames, whose first bytes must be as a compressed (W45) or plain message's are.
pub(crate) fn joined(bytes: &[u8], kind: Kind, compressed: bool) -> Vec<u8> {
    let frames: Vec<_> = frames(bytes).into_iter().filter(|(first, _)| first & 8 == 0).collect();
    let last = frames.len() - 1;
    for (at, (first, _)) in frames.iter().enumerate() {
        let opcode = match (at, kind) {
            (0, Kind::Text) => 1,
            (0, Kind::Binary) => 2,
            _ => 0,
        };
        let rsv1 = if at == 0 && compressed { 0x40 } else { 0 };
        assert_eq!(*first, opcode | rsv1 | if at == last { 0x80 } else { 0 }, "frame {at} of {last}");
    }
    frames.into_iter().flat_map(|(_, payload)| payload).collect()
}

/// What the other side makes of all these frames, by both implementations.
pub(crate) fn received(side: DeflateSide, bytes: &[u8]) -> Read {
    let bytes: Vec<u8> = frames(bytes).iter().flat_map(|(first, payload)| frame(*first, payload)).collect();
    let read = run(in_memory(side, u64::MAX), side, &[&bytes], 1 << 16);
    assert!(read == run(Inflate::new(side, u64::MAX), side, &[&bytes], 1 << 16));
    read
}

/// Text that compresses as text does.
pub(crate) fn prose(len: usize) -> Vec<u8> {
    const WORDS: [&str; 8] =
        ["the ", "window ", "of a ", "connection ", "is ", "kept, ", "message ", "by message. "];
    let mut state = 7_u32;
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(WORDS[state as usize >> 29].as_bytes());
    }
    text.truncate(len);
    text
}
