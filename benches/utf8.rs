//! Checking text as it is read, beside the standard library's check of the same bytes.

#[path = "work/decode.rs"]
#[allow(dead_code, reason = "its loop alone is used")]
mod decode;
#[path = "work/payload.rs"]
mod payload;
#[path = "work/time.rs"]
mod time;
#[path = "work/utf8.rs"]
mod utf8;
#[path = "work/work.rs"]
mod work;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

fn check(c: &mut Criterion) {
    let std = utf8::over(", std", |frame, at| {
        let frame = frame.to_vec();
        Box::new(move || {
            black_box(core::str::from_utf8(black_box(&frame[at..]))).expect("it is text");
        })
    });
    time::time(c, utf8::works().into_iter().zip(std).flat_map(<[_; 2]>::from));
}

criterion_group!(benches, check);
criterion_main!(benches);
