//! permessage-deflate and the codecs below it in turn, round by round, so that what slows the machine slows them alike.
//!
//! ```text
//! cargo bench --features zlib --bench deflate_in_turn                        the least and the median of 101 rounds
//! valgrind --tool=callgrind target/release/deps/deflate_in_turn-* NAME SIZE ROUNDS     one of them, to be counted
//! ```

#[path = "deflate/rounds.rs"]
mod rounds;

use std::{env, time::Instant};

use rounds::{MESSAGES, Round, Work};

fn main() {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let number = |at: usize| wanted.get(at).and_then(|argument| argument.parse::<usize>().ok());
    let sizes = number(1).map_or(vec![1 << 10, 64 << 10], |size| vec![size]);
    for size in sizes {
        let work = Work::new(size);
        let mut all: Vec<(&str, Round<'_>, Vec<u128>)> = work
            .rounds()
            .into_iter()
            .filter(|(name, _)| wanted.first().is_none_or(|wanted| wanted == name))
            .map(|(name, round)| (name, round, Vec::new()))
            .collect();
        for _ in 0..number(2).unwrap_or(101) {
            for (_, round, times) in &mut all {
                #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
                let start = Instant::now();
                round();
                times.push(start.elapsed().as_nanos() / MESSAGES as u128);
            }
        }
        for (name, _, times) in &mut all {
            times.sort_unstable();
            println!(
                "{size:>6} bytes  {name:<17} least {:>7} ns  median {:>7} ns",
                times[0],
                times[times.len() / 2]
            );
        }
    }
}
