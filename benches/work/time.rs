//! Times works, each with its throughput.

use criterion::{Criterion, Throughput};

use crate::work::Work;

pub(crate) fn time(c: &mut Criterion, works: impl IntoIterator<Item = Work>) {
    for Work { group, name, messages, bytes, mut round } in works {
        let mut group = c.benchmark_group(group);
        group.throughput(Throughput::ElementsAndBytes { elements: messages as u64, bytes: bytes as u64 });
        group.bench_function(name, |b| b.iter(&mut round));
    }
}
