//! permessage-deflate against the codecs that are below it, with context takeover, at level 6.
//!
//! `raw zlib-rs` and `plain flate2` do what a message needs and check nothing; this crate also checks limits and the
//! message's end, and copies what it inflated into its history. Inputs are JSON, sent as binary since the others check
//! no UTF-8; a new message each time, so that windows fill as they do in use.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flate2::{Decompress, FlushDecompress};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Deflate, DeflateOptions, DeflateSide, DeflateTerms, Event,
    FrameHeader, Inflate, Input, Kind, Server,
};
use zlib_rs::{DeflateConfig, DeflateFlush, InflateFlush};

const TERMS: DeflateTerms = DeflateTerms { server: DeflateSide::FULL, client: DeflateSide::FULL };
const SIZES: [(&str, usize); 2] = [("1 KiB", 1 << 10), ("64 KiB", 64 << 10)];
const MESSAGES: usize = 32;

/// Messages like those of a feed: the same keys, other values.
fn messages(size: usize) -> Vec<String> {
    let mut random = 1_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 33
    };
    (0..MESSAGES)
        .map(|_| {
            let mut text = String::from("[");
            while text.len() < size {
                text.push_str(&format!(
                    "{{\"id\":{},\"name\":\"sensor-{}\",\"value\":{}.{:02},\"unit\":\"°C\",\"ok\":{}}},",
                    next() % 1_000_000,
                    next() % 64,
                    next() % 40,
                    next() % 100,
                    next() % 7 != 0,
                ));
            }
            while !text.is_char_boundary(size) {
                text.pop();
            }
            text.truncate(size);
            text
        })
        .collect()
}

fn conn() -> Connection<Server> {
    Connection::new(Server, &Config::default(), Agreed::default().with_deflate(TERMS))
}

fn compressed(messages: &[String]) -> Vec<Vec<u8>> {
    let (mut conn, mut deflate) = (conn(), Deflate::new(TERMS.server, DeflateOptions::default()));
    messages
        .iter()
        .map(|text| {
            let mut out = Vec::new();
            let mut message = deflate.begin(Kind::Binary, text.as_bytes()).expect("UTF-8");
            while deflate.write(&mut message, &mut conn, &mut out).expect("it compresses") {}
            out
        })
        .collect()
}

fn compress(c: &mut Criterion) {
    for (name, size) in SIZES {
        let messages = messages(size);
        let mut group = c.benchmark_group(format!("compress {name}"));
        group.throughput(Throughput::Bytes((size * MESSAGES) as u64));
        group.bench_function("websocket-proto", |b| {
            let (mut conn, mut deflate) = (conn(), Deflate::new(TERMS.server, DeflateOptions::default()));
            let mut out = Vec::new();
            b.iter(|| {
                for text in &messages {
                    out.clear();
                    let mut message = deflate.begin(Kind::Binary, text.as_bytes()).expect("UTF-8");
                    while deflate.write(&mut message, &mut conn, &mut out).expect("it compresses") {}
                    black_box(&out);
                }
            });
        });
        group.bench_function("raw zlib-rs", |b| {
            let config = DeflateConfig { window_bits: -15, level: 6, ..DeflateConfig::default() };
            let mut stream = zlib_rs::Deflate::new_with_config(config);
            let mut out = vec![0; size * 2];
            b.iter(|| {
                for text in &messages {
                    let status = stream.compress(text.as_bytes(), &mut out, DeflateFlush::SyncFlush);
                    black_box((status.expect("it compresses"), &out));
                }
            });
        });
    }
}

fn inflate(c: &mut Criterion) {
    for (name, size) in SIZES {
        let frames = compressed(&messages(size));
        let mut group = c.benchmark_group(format!("inflate {name}"));
        group.throughput(Throughput::Bytes((size * MESSAGES) as u64));
        group.bench_function("websocket-proto", |b| {
            let agreed = Agreed::default().with_deflate(TERMS);
            let mut conn = Connection::new(Client(|| [0; 4]), &Config::default(), agreed);
            let mut inflate = Inflate::new(TERMS.server, u64::MAX);
            let mut whole = Assembler::new(Vec::new());
            let mut out = Vec::new();
            b.iter_batched_ref(
                || frames.clone(),
                |frames| {
                    // Each round begins with a message that does not look back.
                    inflate = Inflate::new(TERMS.server, u64::MAX);
                    for frame in frames {
                        let mut input = Input::new(frame);
                        while let Some(event) = conn.receive(&mut input, &mut out) {
                            let Event::Data(data) = event else { panic!("{event:?}") };
                            if let Some(message) = whole.inflate(data, &mut inflate).expect("it inflates") {
                                black_box(message.payload());
                            }
                        }
                    }
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function("raw zlib-rs", |b| {
            let mut place = vec![0; size];
            b.iter(|| {
                let mut stream = zlib_rs::Inflate::new(false, 15);
                for frame in &frames {
                    let header = FrameHeader::decode(frame).expect("a frame").expect("whole").1;
                    for part in [&frame[header..], &[0, 0, 0xff, 0xff]] {
                        stream.decompress(part, &mut place, InflateFlush::NoFlush).expect("it inflates");
                    }
                    black_box(&place);
                }
            });
        });
        group.bench_function("plain flate2", |b| {
            // What a message takes with flate2 alone: the tail in a second call, the output grown as it comes.
            b.iter(|| {
                let mut stream = Decompress::new(false);
                for frame in &frames {
                    let header = FrameHeader::decode(frame).expect("a frame").expect("whole").1;
                    let payload = &frame[header..];
                    let mut message = Vec::with_capacity(payload.len() * 2);
                    for part in [payload, &[0, 0, 0xff, 0xff][..]] {
                        let start = stream.total_in();
                        loop {
                            let taken = (stream.total_in() - start) as usize;
                            if message.len() == message.capacity() {
                                message.reserve(message.len());
                            }
                            stream
                                .decompress_vec(&part[taken..], &mut message, FlushDecompress::Sync)
                                .expect("it inflates");
                            let taken = (stream.total_in() - start) as usize;
                            if taken == part.len() && message.len() < message.capacity() {
                                break;
                            }
                        }
                    }
                    black_box(&message);
                }
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = compress, inflate
}
criterion_main!(benches);
