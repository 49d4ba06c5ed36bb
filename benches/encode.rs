//! Sending frames, and what copying their payloads costs.

#[path = "work/encode.rs"]
mod encode;
#[path = "work/payload.rs"]
mod payload;
#[path = "work/time.rs"]
mod time;
#[path = "work/work.rs"]
mod work;

use criterion::{Criterion, criterion_group, criterion_main};

fn send(c: &mut Criterion) {
    time::time(c, encode::works());
    time::time(
        c,
        encode::over("encode, memcpy alone", || {
            |payload: &[u8], out: &mut Vec<u8>| {
                out.extend_from_slice(payload);
            }
        }),
    );
}

criterion_group!(benches, send);
criterion_main!(benches);
