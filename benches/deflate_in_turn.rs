//! permessage-deflate and the codecs below it in turn, round by round, so that what slows the machine slows them alike.
//!
//! ```text
//! cargo bench --features zlib --bench deflate_in_turn                        the least and the median of 101 rounds
//! valgrind --tool=callgrind target/release/deps/deflate_in_turn-* NAME SIZE ROUNDS     one of them, to be counted
//! ```
//!
//! A round is 32 messages of JSON, sent as binary since the codecs check no UTF-8, with takeover, at level 6.

use std::{env, hint::black_box, time::Instant};

use flate2::{Decompress, FlushDecompress};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Deflate, DeflateOptions, DeflateSide, DeflateTerms, Event,
    FrameHeader, Inflate, Input, Kind, Server,
};
use zlib_rs::{DeflateFlush, InflateFlush};

const TERMS: DeflateTerms = DeflateTerms { server: DeflateSide::FULL, client: DeflateSide::FULL };
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
    (0..32).map(message).collect()
}

type Round<'a> = Box<dyn FnMut() + 'a>;

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

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let number = |at: usize| wanted.get(at).and_then(|argument| argument.parse::<usize>().ok());
    let sizes = number(1).map_or(vec![1 << 10, 64 << 10], |size| vec![size]);
    for size in sizes {
        let texts = messages(size);
        let mut frames = Vec::new();
        let mut conn = Connection::new(Server, &Config::default(), Agreed::default().with_deflate(TERMS));
        let mut deflate = Deflate::new(TERMS.server, DeflateOptions::default());
        for text in &texts {
            let mut out = Vec::new();
            let mut message = deflate.begin(Kind::Binary, text.as_bytes()).expect("binary");
            while deflate.write(&mut message, &mut conn, &mut out).expect("it compresses") {}
            frames.push(out);
        }
        let mut all: Vec<(&str, Round<'_>, Vec<u128>)> = vec![
            ("compress", compress(&texts), vec![]),
            ("compress-zlib-rs", compress_raw(&texts, size), vec![]),
            ("inflate", inflate(&frames), vec![]),
            ("inflate-zlib-rs", inflate_raw(&frames, size), vec![]),
            ("inflate-flate2", inflate_flate2(&frames), vec![]),
        ];
        all.retain(|(name, ..)| wanted.first().is_none_or(|wanted| wanted == name));
        for _ in 0..number(2).unwrap_or(101) {
            for (_, round, times) in &mut all {
                #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
                let start = Instant::now();
                round();
                times.push(start.elapsed().as_nanos() / 32);
            }
        }
        for (name, _, times) in &mut all {
            times.sort_unstable();
            println!(
                "{size:>6} bytes  {name:<17} least {:>7} ns  median {:>7} ns",
                times[0],
                times[times.len() / 2]
            );
        }
    }
}
