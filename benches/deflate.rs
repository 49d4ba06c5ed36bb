//! permessage-deflate against the codecs that are below it. For ratios see `deflate_in_turn`, which times the same rounds
//! by turns.

#[path = "deflate/rounds.rs"]
mod rounds;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rounds::{MESSAGES, Work};

fn rounds(c: &mut Criterion) {
    for (name, size) in [("1 KiB", 1 << 10), ("64 KiB", 64 << 10)] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes((size * MESSAGES) as u64));
        for (name, mut round) in Work::new(size).rounds() {
            group.bench_function(name, |b| b.iter(&mut round));
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = rounds
}
criterion_main!(benches);
