//! The work that both benchmarks of compression time: a round is 32 messages of JSON, a new message each time, with
//! takeover, at level 6, through this crate and through the codecs below it.
//!
//! Messages are sent as binary, since the codecs check no UTF-8. This crate checks limits and each message's end besides, and
//! copies what it inflated into its history.

use std::hint::black_box;

use flate2::{Decompress, FlushDecompress};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Deflate, DeflateOptions, DeflateSide, DeflateTerms, Event,
    FrameHeader, Inflate, Input, Kind, Server,
};
use zlib_rs::{DeflateFlush, InflateFlush};

const TERMS: DeflateTerms = DeflateTerms { server: DeflateSide::FULL, client: DeflateSide::FULL };
/// In a round.
pub(crate) const MESSAGES: usize = 32;

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Messages like those of a feed: the same keys, other values.
fn messages(size: usize) -> Vec<String> {
    let mut random = 1_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    let message = |_| {
        let mut text = String::from("[");
        while text.len() < size {
            let (id, sensor, whole, cents) = (next() % 1_000_000, next() % 64, next() % 40, next() % 100);
            let ok = next() % 7 != 0;
            text.push_str(&format!(
                "{{\"id\":{id},\"name\":\"sensor-{sensor}\",\"value\":{whole}.{cents:02},\"unit\":\"C\",\"ok\":{ok}}},"
            ));
        }
        text.truncate(size);
        text
    };
    (0..MESSAGES).map(message).collect()
}

pub(crate) type Round<'a> = Box<dyn FnMut() + 'a>;

fn payload(frame: &[u8]) -> &[u8] {
    let (_, header) = FrameHeader::decode(frame).expect("a frame").expect("whole");
    &frame[header..]
}

fn compress<'a>(texts: &'a [String]) -> Round<'a> {
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default().with_deflate(TERMS));
    let mut deflate = Deflate::new(TERMS.server, DeflateOptions::default());
    let mut out = Vec::new();
    Box::new(move || {
        for text in texts {
            out.clear();
            let mut message = deflate.begin(Kind::Binary, text.as_bytes()).expect("binary");
            while deflate.write(&mut message, &mut conn, &mut out).expect("it compresses") {}
            black_box(&out);
        }
    })
}

fn compress_raw<'a>(texts: &'a [String], size: usize) -> Round<'a> {
    let mut stream = zlib_rs::Deflate::new(6, false, 15);
    let mut out = vec![0; size * 2];
    Box::new(move || {
        for text in texts {
            stream.compress(text.as_bytes(), &mut out, DeflateFlush::SyncFlush).expect("it compresses");
            black_box(&out);
        }
    })
}

fn inflate<'a>(frames: &'a [Vec<u8>]) -> Round<'a> {
    let agreed = Agreed::default().with_deflate(TERMS);
    let mut conn = Connection::new(Client(|| [0; 4]), &Config::default(), agreed);
    let mut inflate = Inflate::new(TERMS.server, u64::MAX);
    let (mut whole, mut out) = (Assembler::new(Vec::new()), Vec::new());
    Box::new(move || {
        for frame in frames {
            let mut read = frame.clone();
            let mut input = Input::new(&mut read);
            while let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) {
                if let Some(message) = whole.inflate(data, &mut inflate).expect("it inflates") {
                    black_box(message.payload());
                }
            }
        }
    })
}

/// Into one buffer that is there already.
fn inflate_raw<'a>(frames: &'a [Vec<u8>], size: usize) -> Round<'a> {
    let mut stream = zlib_rs::Inflate::new(false, 15);
    let mut place = vec![0; size];
    Box::new(move || {
        for frame in frames {
            let read = frame.clone();
            for part in [payload(&read), &TAIL] {
                stream.decompress(part, &mut place, InflateFlush::NoFlush).expect("it inflates");
            }
            black_box(&place);
        }
    })
}

/// Into a `Vec` a message, of twice the payload and then grown; nothing is filled with zeros.
fn inflate_flate2<'a>(frames: &'a [Vec<u8>]) -> Round<'a> {
    let mut stream = Decompress::new(false);
    Box::new(move || {
        for frame in frames {
            let read = frame.clone();
            let mut message = Vec::with_capacity(read.len() * 2);
            for part in [payload(&read), &TAIL] {
                let start = stream.total_in();
                loop {
                    let taken = (stream.total_in() - start) as usize;
                    if message.len() == message.capacity() {
                        message.reserve(message.len());
                    }
                    stream
                        .decompress_vec(&part[taken..], &mut message, FlushDecompress::Sync)
                        .expect("it inflates");
                    if (stream.total_in() - start) as usize == part.len()
                        && message.len() < message.capacity()
                    {
                        break;
                    }
                }
            }
            black_box(&message);
        }
    })
}

/// What is timed, for messages of so many bytes.
pub(crate) struct Work {
    size: usize,
    texts: Vec<String>,
    frames: Vec<Vec<u8>>,
}

impl Work {
    pub(crate) fn new(size: usize) -> Self {
        let texts = messages(size);
        let mut conn = Connection::new(Server, &Config::default(), Agreed::default().with_deflate(TERMS));
        let mut deflate = Deflate::new(TERMS.server, DeflateOptions::default());
        let compress = |text: &String| {
            let mut out = Vec::new();
            let mut message = deflate.begin(Kind::Binary, text.as_bytes()).expect("binary");
            while deflate.write(&mut message, &mut conn, &mut out).expect("it compresses") {}
            out
        };
        let frames = texts.iter().map(compress).collect();
        Self { size, texts, frames }
    }

    /// Each by its name. A round may be run as often as one likes.
    pub(crate) fn rounds(&self) -> [(&'static str, Round<'_>); 5] {
        let Self { size, texts, frames } = self;
        [
            ("compress", compress(texts)),
            ("compress-zlib-rs", compress_raw(texts, *size)),
            ("inflate", inflate(frames)),
            ("inflate-zlib-rs", inflate_raw(frames, *size)),
            ("inflate-flate2", inflate_flate2(frames)),
        ]
    }
}
