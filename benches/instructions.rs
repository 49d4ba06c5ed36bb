//! Does each work n times and then 2n times, for `benches/instructions` to count, and says which it does.
//!
//! An argument keeps the works whose names begin with it.

use std::{env, hint::black_box};

#[path = "work/decode.rs"]
mod decode;
#[cfg(feature = "alloc")]
#[path = "work/encode.rs"]
mod encode;
#[cfg(feature = "alloc")]
#[path = "work/handshake.rs"]
mod handshake;
#[path = "work/mask.rs"]
mod mask;
#[path = "work/payload.rs"]
mod payload;
#[path = "work/utf8.rs"]
mod utf8;
#[path = "work/work.rs"]
mod work;

use work::Work;

const ROUNDS: usize = 16;

/// What is counted: all that happens in here. The script knows this name.
#[inline(never)]
fn measured(rounds: usize, round: &mut dyn FnMut()) {
    for _ in 0..rounds {
        black_box(&mut *round)();
    }
}

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let works = [
        decode::works(),
        #[cfg(feature = "alloc")]
        encode::works(),
        #[cfg(feature = "alloc")]
        handshake::works(),
        mask::works(),
        utf8::works(),
    ];
    for Work { group, name, messages, mut round, .. } in works.into_iter().flatten() {
        let name = format!("{group}: {name}");
        if !wanted.is_empty() && !wanted.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        // What grows once, such as an output, grows here.
        round();
        measured(ROUNDS, &mut round);
        measured(2 * ROUNDS, &mut round);
        println!("{}\t{name}", ROUNDS * messages);
    }
}
