//! Times works, each group with its throughput.

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};

use crate::work::Work;

/// `beside`: what else is timed in a work's group, such as the limit that it can reach.
pub(crate) fn time(
    c: &mut Criterion,
    works: Vec<Work>,
    beside: impl Fn(&mut BenchmarkGroup<'_, WallTime>, &str),
) {
    for Work { group, name, messages, bytes, mut round } in works {
        let mut group = c.benchmark_group(group);
        group.throughput(Throughput::ElementsAndBytes { elements: messages as u64, bytes: bytes as u64 });
        group.bench_function(&name, |b| b.iter(&mut round));
        beside(&mut group, &name);
    }
}
