//! Compressed messages in frames, inflated: in every kind of memory, by either engine, through places of any size and
//! however they are cut, they are those of the naive reading, up to the first that is none.

use std::fmt::Debug;

use arbitrary::Unstructured;
use flate2::{Compress, Compression, FlushCompress};
use websocket_proto::{
    Agreed, Assembler, Buffer, Client, Config, Connection, DeflateSide, DeflateTerms, Engine, Event, Inflate,
    Input, Kind, MIN_OUTPUT, Role, Rule, Server, SliceOutput,
};

use crate::{
    common::{
        keys::Keys,
        oracle::{self, invalid_at},
        verify::frames_in,
    },
    rfc1951,
    support::{byte, cuts, piece, seed, short},
};

/// The memory of the assemblers that have no more.
const SIZE: usize = 300;

pub fn inflate(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let side = DeflateSide { window_bits: 8 | flags >> 2 & 7, takeover: flags & 2 != 0 };
    let shape = byte(&mut u);
    let limit = match shape & 3 {
        0 => 20,
        1 => 1 << 16,
        2 => short(&mut u),
        _ => SIZE,
    };
    let place = match shape >> 2 & 3 {
        0 => 1,
        1 => 1 + usize::from(byte(&mut u)),
        2 => limit.max(1),
        _ => 4096,
    };
    let seed = seed(&mut u);
    let messages: Vec<Message> = (0..1 + (shape >> 4)).map(|_| message(&mut u, side)).collect();
    let server = flags & 1 != 0;
    let stream: Vec<u8> = messages.iter().flat_map(|message| message.frames(server)).collect();
    let cuts = cuts(&seed, stream.len());
    let all = Run { side, limit, place, messages: &messages, stream: &stream, cuts: &cuts, server };
    match server {
        true => all.check(|| Server),
        false => all.check(|| Client(Keys::default())),
    }
}

/// A message on its way.
pub(crate) struct Message {
    pub(crate) kind: Kind,
    compressed: bool,
    pub(crate) payload: Vec<u8>,
    /// Where it is cut into frames, and whether a ping stands there.
    fragments: Vec<usize>,
    pings: bool,
}

pub(crate) fn message(u: &mut Unstructured<'_>, side: DeflateSide) -> Message {
    let flags = byte(u);
    let kind = if flags & 1 == 0 { Kind::Binary } else { Kind::Text };
    let payload = payload(u, flags >> 4 & 7, side);
    let compressed = flags & 2 == 0;
    let payload = match (kind, compressed) {
        (Kind::Text, false) => String::from_utf8_lossy(&payload).into_owned().into_bytes(),
        _ => payload,
    };
    let fragments = if flags & 4 == 0 { Vec::new() } else { cuts(&seed(u), payload.len()) };
    Message { kind, compressed, payload, fragments, pings: flags & 8 != 0 }
}

/// Bytes as they are, blocks written by hand, or what zlib makes of bytes: flushed, finished, cut off, or changed.
fn payload(u: &mut Unstructured<'_>, sort: u8, side: DeflateSide) -> Vec<u8> {
    if sort < 2 {
        return rfc1951::written(u, 1 << side.window_bits);
    }
    let n = usize::from(byte(u));
    let repeat = if sort == 7 { 1 + short(u) % 300 } else { 1 };
    let plain = piece(u, n).repeat(repeat);
    if sort == 2 {
        return plain;
    }
    let level = Compression::new(u32::from(byte(u) % 10));
    let mut zlib = Compress::new_with_window_bits(level, false, side.window_bits.max(9));
    let flush = if sort == 4 { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut compressed = Vec::with_capacity(plain.len() + plain.len() / 8 + 64);
    zlib.compress_vec(&plain, &mut compressed, flush).expect("there is room");
    if compressed.ends_with(&[0, 0, 0xff, 0xff]) {
        compressed.truncate(compressed.len() - 4);
    }
    match sort {
        5 => compressed.truncate(short(u) % (compressed.len() + 1)),
        6 if !compressed.is_empty() => {
            let at = short(u) % compressed.len();
            compressed[at] ^= byte(u);
        }
        _ => {}
    }
    compressed
}

impl Message {
    fn frames(&self, masked: bool) -> Vec<u8> {
        let key = masked.then_some([0x11, 0x22, 0x33, 0x44]);
        let mut frames = Vec::new();
        let mut start = 0;
        for end in self.fragments.iter().copied().chain([self.payload.len()]) {
            let mut first = 0;
            if frames.is_empty() {
                first = if self.kind == Kind::Text { 1 } else { 2 } | u8::from(self.compressed) << 6;
            }
            frames.push(oracle::frame(first, &self.payload[start..end], key));
            start = end;
        }
        frames.last_mut().expect("there is one")[0] |= 0x80;
        let ping = if self.pings { oracle::frame(0x89, b"ping", key) } else { Vec::new() };
        frames.join(&ping[..])
    }
}

/// What came of a stream: the whole messages, and how it failed.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    messages: Vec<(Kind, Vec<u8>)>,
    failed: Option<Rule>,
}

/// What came in pieces: the length of each, and whether it was its message's first and last.
#[derive(Clone, Debug, PartialEq)]
struct Pieces {
    outcome: Outcome,
    events: Vec<(usize, bool, bool)>,
    /// What was delivered of a message that failed.
    rest: Vec<u8>,
}

struct Run<'s> {
    side: DeflateSide,
    limit: usize,
    place: usize,
    messages: &'s [Message],
    stream: &'s [u8],
    cuts: &'s [usize],
    server: bool,
}

impl Run<'_> {
    fn check<R: Role>(&self, role: impl Fn() -> R) {
        let new = || Inflate::new(self.side, self.limit as u64);
        let poisoned = |size: usize| {
            let memory = vec![0xa5; (1 << self.side.window_bits) + size];
            Inflate::in_memory(self.side, self.limit as u64, memory).expect("it is large enough")
        };
        let (expected, left) = self.expected(usize::MAX);
        let heap = self.pieces(role(), new(), self.place, |_| {});
        assert_eq!(heap.outcome, expected, "{:?} of {:02x?}", self.side, self.stream);
        // All that comes before the fault, but for the last byte of a text that is cut off.
        let most = left.len() - usize::from(expected.failed == Some(Rule::TruncatedUtf8) && !left.is_empty());
        assert!(left.starts_with(&heap.rest) && heap.rest.len() >= most);
        // The engines do the same, whatever lies in the memory; and nothing is lost by giving memory back.
        assert_eq!(self.pieces(role(), poisoned(0), self.place, |_| {}), heap);
        assert_eq!(self.pieces(role(), new(), self.place, |inflate| inflate.release()), heap);
        // The place and the cuts decide about the pieces alone.
        let uncut = Run { cuts: &[], ..*self };
        for place in [1, 7, 1 << 16] {
            assert_eq!(uncut.pieces(role(), poisoned(9), place, |_| {}).outcome, expected);
            assert_eq!(uncut.pieces(role(), new(), place, |inflate| inflate.release()).outcome, expected);
        }
        assert_eq!(self.whole(role(), Assembler::new(Vec::new()), new()), expected);
        assert_eq!(uncut.whole(role(), Assembler::new(Vec::new()), poisoned(0)), expected);
        self.lost(role(), new());
        let (bounded, _) = self.expected(SIZE);
        assert_eq!(self.whole(role(), Assembler::new([0; SIZE]), new()), bounded);
        assert_eq!(uncut.whole(role(), Assembler::new(&mut [0; SIZE][..]), poisoned(1)), bounded);
        assert_eq!(
            self.whole(role(), Assembler::new(heapless::Vec::<u8, SIZE>::new()), poisoned(0)),
            bounded
        );
        assert_eq!(uncut.whole(role(), Assembler::new(vec![0; SIZE].into_boxed_slice()), new()), bounded);
    }

    /// What the messages are, by the naive reading, in `memory` bytes for each, and what could be delivered of one that
    /// fails.
    fn expected(&self, memory: usize) -> (Outcome, Vec<u8>) {
        let mut messages = Vec::new();
        let mut history = Vec::new();
        for message in self.messages {
            let (mut made, fault, limit) = match message.compressed {
                true => {
                    let limit = memory.min(self.limit);
                    let window = 1 << self.side.window_bits;
                    let reading = rfc1951::read(&history, window, &message.payload, limit);
                    (reading.made, reading.fault, limit)
                }
                false => (message.payload.clone(), None, memory),
            };
            let too_long = made.len() > limit;
            made.truncate(limit);
            let is_text = message.kind == Kind::Text;
            // What comes first in the message is told.
            let failed = match invalid_at(&made).filter(|_| is_text) {
                Some(at) => {
                    made.truncate(at);
                    Some(Rule::InvalidUtf8)
                }
                None if too_long => Some(Rule::MessageTooLong),
                None if fault.is_some() => Some(Rule::CorruptCompression),
                None if is_text && std::str::from_utf8(&made).is_err() => Some(Rule::TruncatedUtf8),
                None => None,
            };
            if failed.is_some() {
                return (Outcome { messages, failed }, made);
            }
            if message.compressed && self.side.takeover {
                history.extend(&made);
            }
            messages.push((message.kind, made));
        }
        (Outcome { messages, failed: None }, Vec::new())
    }

    fn connection<R: Role>(&self, role: R) -> Connection<R> {
        let terms = match self.server {
            true => DeflateTerms { client: self.side, server: DeflateSide::FULL },
            false => DeflateTerms { server: self.side, client: DeflateSide::FULL },
        };
        Connection::new(role, &Config::default(), Agreed::default().with_deflate(terms))
    }

    fn reads(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut start = 0;
        let ends = self.cuts.iter().copied().chain([self.stream.len()]);
        ends.map(move |end| self.stream[std::mem::replace(&mut start, end)..end].to_vec())
    }

    fn pieces<R: Role, E: Engine + Debug>(
        &self,
        role: R,
        mut inflate: Inflate<E>,
        size: usize,
        between: impl Fn(&mut Inflate<E>),
    ) -> Pieces {
        let mut conn = self.connection(role);
        let mut out = SliceOutput::new(vec![0; 3 * self.stream.len() + MIN_OUTPUT]);
        let mut place = vec![0x5a; size];
        let mut seen = Pieces {
            outcome: Outcome { messages: Vec::new(), failed: None },
            events: Vec::new(),
            rest: Vec::new(),
        };
        for mut read in self.reads() {
            let mut input = Input::new(&mut read);
            while let Some(event) = conn.receive(&mut input, &mut out) {
                let Event::Data(data) = event else {
                    assert!(matches!(event, Event::Ping(_)), "{event:?}");
                    continue;
                };
                let compressed = data.part().compressed;
                let mut piece = inflate.begin(data);
                let nothing = inflate.next(&mut piece, &mut [], &mut conn, &mut out);
                assert!(nothing.is_none(), "an empty place takes nothing");
                let mut full = true;
                while let Some(event) = inflate.next(&mut piece, &mut place, &mut conn, &mut out) {
                    let data = match event {
                        Event::Data(data) => data,
                        Event::Failed(error) => {
                            seen.outcome.failed = Some(error.rule);
                            self.check_answer(error.rule, out.pending());
                            let again = inflate.next(&mut piece, &mut place, &mut conn, &mut out);
                            assert!(again.is_none(), "a fault is told once");
                            return seen;
                        }
                        other => panic!("{other:?}"),
                    };
                    assert!(full, "a piece behind one that did not fill the place");
                    let (part, bytes) = (data.part(), data.payload());
                    full = bytes.len() == size;
                    assert!(!part.compressed && part.fin == part.last || !compressed);
                    assert!(part.last || !bytes.is_empty() || !compressed, "nothing moves");
                    assert!(!part.first || seen.rest.is_empty());
                    seen.rest.extend(bytes);
                    assert!(!compressed || seen.rest.len() <= self.limit);
                    seen.events.push((bytes.len(), part.first, part.last));
                    if part.last {
                        seen.outcome.messages.push((part.kind, std::mem::take(&mut seen.rest)));
                        between(&mut inflate);
                    }
                }
                between(&mut inflate);
            }
        }
        assert!(seen.rest.is_empty(), "the last message ended");
        assert!(format!("{inflate:?}").len() < 400, "what was inflated is not told");
        seen
    }

    /// Who begins a piece and leaves it has lost bytes of the window: this side's fault, and no message comes of it.
    fn lost<R: Role, E: Engine>(&self, role: R, mut inflate: Inflate<E>) {
        let mut conn = self.connection(role);
        let key = self.server.then_some([0x11, 0x22, 0x33, 0x44]);
        let mut frames = oracle::frame(0xc2, &[0], key).repeat(2);
        let mut input = Input::new(&mut frames);
        let mut out = Vec::new();
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!("a frame") };
        drop(inflate.begin(data));
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!("a frame") };
        let mut piece = inflate.begin(data);
        let mut place = [0];
        let event = inflate.next(&mut piece, &mut place, &mut conn, &mut out);
        assert!(matches!(event, Some(Event::Failed(error)) if error.rule == Rule::InternalError));
    }

    fn whole<R: Role, B: Buffer, E: Engine>(
        &self,
        role: R,
        mut whole: Assembler<B>,
        mut inflate: Inflate<E>,
    ) -> Outcome {
        let mut conn = self.connection(role);
        let mut out = SliceOutput::new(vec![0; 3 * self.stream.len() + MIN_OUTPUT]);
        let mut messages = Vec::new();
        for mut read in self.reads() {
            let mut input = Input::new(&mut read);
            while let Some(event) = conn.receive(&mut input, &mut out) {
                let Event::Data(data) = event else { continue };
                match whole.inflate(data, &mut inflate) {
                    Ok(Some(message)) => {
                        assert!(!message.is_compressed());
                        messages.push((message.kind(), message.payload().to_vec()));
                    }
                    Ok(None) => {}
                    Err(rule) => {
                        let event = conn.fail(rule, &mut out);
                        assert!(matches!(event, Event::Failed(error) if error.rule == rule));
                        self.check_answer(rule, out.pending());
                        return Outcome { messages, failed: Some(rule) };
                    }
                }
            }
        }
        Outcome { messages, failed: None }
    }

    fn check_answer(&self, rule: Rule, written: &[u8]) {
        let code: u16 = match rule {
            Rule::MessageTooLong => 1009,
            _ => 1007,
        };
        let frames = frames_in(written, !self.server);
        let (_, first, body) = frames.last().expect("the Close has room");
        assert_eq!((*first, &body[..2]), (0x88, &code.to_be_bytes()[..]));
    }
}
