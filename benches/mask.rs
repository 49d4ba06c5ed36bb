//! Masking, beside `x ^= constant` over the same bytes: no key, no phase, and blocks that the compiler unrolls.

#[path = "work/mask.rs"]
mod mask;
#[path = "work/payload.rs"]
mod payload;
#[path = "work/time.rs"]
mod time;
#[path = "work/work.rs"]
mod work;

use criterion::{Criterion, criterion_group, criterion_main};

fn masking(c: &mut Criterion) {
    let limits = mask::over(", limit", |bytes| {
        let (blocks, rest) = bytes.as_chunks_mut::<64>();
        blocks.iter_mut().for_each(|block| block.iter_mut().for_each(|byte| *byte ^= 0x37));
        rest.iter_mut().for_each(|byte| *byte ^= 0x37);
    });
    time::time(c, mask::works().into_iter().zip(limits).flat_map(<[_; 2]>::from));
}

criterion_group!(benches, masking);
criterion_main!(benches);
