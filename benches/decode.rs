//! Reading frames.

#[path = "work/decode.rs"]
mod decode;
#[path = "work/payload.rs"]
mod payload;
#[path = "work/time.rs"]
mod time;
#[path = "work/work.rs"]
mod work;

use criterion::{Criterion, criterion_group, criterion_main};

fn reading(c: &mut Criterion) {
    time::time(c, decode::works(), |_, _| {});
}

criterion_group!(benches, reading);
criterion_main!(benches);
