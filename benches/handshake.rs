//! The opening handshake.

#[path = "work/handshake.rs"]
mod handshake;
#[path = "work/time.rs"]
mod time;
#[path = "work/work.rs"]
mod work;

use criterion::{Criterion, criterion_group, criterion_main};

fn open(c: &mut Criterion) {
    time::time(c, handshake::works());
}

criterion_group!(benches, open);
criterion_main!(benches);
