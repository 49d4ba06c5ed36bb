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

fn read(c: &mut Criterion) {
    time::time(c, decode::works());
}

criterion_group!(benches, read);
criterion_main!(benches);
