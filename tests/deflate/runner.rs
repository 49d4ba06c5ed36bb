//! Frames in, messages out: by every implementation, in every cut, through places of many sizes.

use websocket_proto::{
    Agreed, Client, Config, Connection, DeflateSide, DeflateTerms, Engine, Event, Inflate, InflateState,
    Input, Kind, Rule, SliceOutput, Window,
};

/// The messages, or the rule that was broken.
pub(crate) type Read = Result<Vec<Vec<u8>>, Rule>;

pub(crate) const TEXT: u8 = 0x41;
pub(crate) const BINARY: u8 = 0x42;
pub(crate) const FIN: u8 = 0x80;

/// A server's frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let mut frame = vec![first];
    match len {
        0..126 => frame.push(len as u8),
        126..0x1_0000 => frame.extend([&[126][..], &(len as u16).to_be_bytes()].concat()),
        _ => frame.extend([&[127][..], &(len as u64).to_be_bytes()].concat()),
    }
    frame.extend(payload);
    frame
}

/// A compressed message in one frame.
pub(crate) fn text(payload: &[u8]) -> Vec<u8> {
    frame(TEXT | FIN, payload)
}

pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    frame(BINARY | FIN, payload)
}

type Key = fn() -> [u8; 4];

pub(crate) fn connection(side: DeflateSide) -> Connection<Client<Key>> {
    let key: Key = || [1, 2, 3, 4];
    // A client inflates by the server's side.
    let other = DeflateSide { window_bits: 23 - side.window_bits, takeover: !side.takeover };
    let terms = DeflateTerms { server: side, client: other };
    Connection::new(Client(key), &Config::default(), Agreed::default().with_deflate(terms))
}

/// In memory that is larger than the window, and full of something.
pub(crate) fn in_memory(side: DeflateSide, limit: u64) -> Inflate<Window<Vec<u8>>> {
    Inflate::in_memory(side, limit, vec![b'!'; (1 << side.window_bits) + 5]).unwrap()
}

/// A state that another connection left in the middle of a block.
fn left_behind(cut: usize) -> InflateState {
    const TABLES: [u8; 11] = *b"\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb";
    let mut state = InflateState::new();
    let inflate = Inflate::with_state(DeflateSide::FULL, u64::MAX, &mut state, vec![b'?'; 1 << 15]).unwrap();
    let open = frame(BINARY, TABLES.get(..cut).unwrap_or(&TABLES));
    assert_eq!(run(inflate, DeflateSide::FULL, &[&open], 100), Ok(Vec::new()));
    state
}

/// What comes of reads, one after another, through a place of this size.
pub(crate) fn run<E: Engine>(
    mut inflate: Inflate<E>,
    side: DeflateSide,
    reads: &[&[u8]],
    size: usize,
) -> Read {
    let mut conn = connection(side);
    let mut out = SliceOutput::new([0; 1024]);
    let (mut place, mut messages) = (vec![b'?'; size], Vec::new());
    let mut open: Option<(Kind, Vec<u8>)> = None;
    for read in reads {
        let mut read = read.to_vec();
        let mut input = Input::new(&mut read);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            let data = match event {
                Event::Data(data) => data,
                Event::Failed(error) => return Err(error.rule),
                _ => continue,
            };
            let of = data.part();
            let mut piece = inflate.begin(data);
            let mut short = false;
            while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
                match event {
                    Event::Data(data) => {
                        let part = data.part();
                        // W143: every event but the piece's last one fills the place.
                        assert!(!short, "an event behind one that did not fill the place");
                        short = data.payload().len() < size;
                        assert_eq!((part.kind, part.compressed), (of.kind, false));
                        assert_eq!(part.first, open.is_none());
                        assert!(part.last || !data.payload().is_empty());
                        let (_, text) = open.get_or_insert((part.kind, Vec::new()));
                        text.extend_from_slice(data.payload());
                        if part.last {
                            let (kind, text) = open.take().unwrap();
                            assert!(kind == Kind::Binary || std::str::from_utf8(&text).is_ok());
                            messages.push(text);
                            short = true;
                        }
                    }
                    Event::Failed(error) => {
                        assert_eq!(conn.failure(), Some(error));
                        // The Close is under way, with the rule's code, masked.
                        let code = error.rule.close_code().unwrap().get().to_be_bytes();
                        let close = [0x88, 0x82, 1, 2, 3, 4, code[0] ^ 1, code[1] ^ 2];
                        assert!(out.pending().ends_with(&close), "{:02x?}", out.pending());
                        // Told once.
                        assert!(inflate.next(&mut piece, &mut place, &mut conn, &mut out).is_none());
                        return Err(error.rule);
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert!(!of.last || open.is_none(), "a message ends with its last piece");
        }
    }
    Ok(messages)
}

/// The same by whole messages.
#[cfg(feature = "alloc")]
pub(crate) fn assemble<E: Engine>(mut inflate: Inflate<E>, side: DeflateSide, reads: &[&[u8]]) -> Read {
    let mut conn = connection(side);
    let mut out = SliceOutput::new([0; 1024]);
    let (mut whole, mut messages) = (websocket_proto::Assembler::new(Vec::new()), Vec::new());
    for read in reads {
        let mut read = read.to_vec();
        let mut input = Input::new(&mut read);
        while let Some(event) = conn.receive(&mut input, &mut out) {
            match event {
                Event::Data(data) => {
                    let kind = data.part().kind;
                    if let Some(message) = whole.inflate(data, &mut inflate)? {
                        assert_eq!((message.kind(), message.is_compressed()), (kind, false));
                        messages.push(message.payload().to_vec());
                    }
                }
                Event::Failed(error) => return Err(error.rule),
                _ => {}
            }
        }
    }
    Ok(messages)
}

/// By every implementation, in this cut, through places of these sizes.
#[track_caller]
fn same(side: DeflateSide, limit: u64, reads: &[&[u8]], places: &[usize], expected: &Read) {
    for &place in places {
        let what = || format!("{side:?}, limit {limit}, place {place}, reads {reads:02x?}");
        assert!(run(in_memory(side, limit), side, reads, place) == *expected, "in memory, {}", what());
        let mut state = left_behind(place % 12);
        let memory = vec![b'!'; 1 << side.window_bits];
        let again = Inflate::with_state(side, limit, &mut state, memory).unwrap();
        assert!(run(again, side, reads, place) == *expected, "in a state left behind, {}", what());
        #[cfg(feature = "alloc")]
        assert!(run(Inflate::new(side, limit), side, reads, place) == *expected, "allocated, {}", what());
    }
    #[cfg(feature = "alloc")]
    {
        let what = || format!("{side:?}, limit {limit}, reads {reads:02x?}");
        assert!(assemble(in_memory(side, limit), side, reads) == *expected, "in memory, {}", what());
        assert!(assemble(Inflate::new(side, limit), side, reads) == *expected, "allocated, {}", what());
    }
}

/// What comes of a short stream: whole, by single bytes, and split everywhere.
#[track_caller]
pub(crate) fn reads(side: DeflateSide, limit: u64, stream: &[u8]) -> Read {
    let first = run(in_memory(side, limit), side, &[stream], 4096);
    same(side, limit, &[stream], &[1, 2, 3, 7, 258, 100_000], &first);
    let single: Vec<_> = stream.chunks(1).collect();
    same(side, limit, &single, &[1, 2, 4096], &first);
    for at in 0..=stream.len() {
        same(side, limit, &[&stream[..at], &stream[at..]], &[4096], &first);
    }
    first
}

/// What comes of a long stream: whole and in a few cuts.
#[track_caller]
pub(crate) fn reads_long(side: DeflateSide, limit: u64, stream: &[u8]) -> Read {
    let first = run(in_memory(side, limit), side, &[stream], 4096);
    same(side, limit, &[stream], &[251, 100_000], &first);
    let chunks: Vec<_> = stream.chunks(1021).collect();
    same(side, limit, &chunks, &[1000, 4096], &first);
    first
}

/// Sides for which a short stream is the same.
pub(crate) fn sides(takeover: bool) -> [DeflateSide; 3] {
    [8, 11, 15].map(|window_bits| DeflateSide { window_bits, takeover })
}

/// Bytes without any repetition worth a name.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 11) as u8
        })
        .collect()
}
