//! Time and instructions of a work's jobs.

use std::hint::black_box;

use crate::{
    wire::Numbers,
    works::{Run, Work},
};

/// What this thread has used of a processor, in nanoseconds: what others use is not in it.
fn cpu_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock is one that every Linux has, and `time` is there to be written to.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn timed(run: &mut Run, runs: usize) -> u64 {
    let start = cpu_time();
    run(runs);
    cpu_time() - start
}

/// How many runs take about so many nanoseconds.
fn calibrated(run: &mut Run, nanoseconds: u64) -> usize {
    let mut runs = 1;
    loop {
        let time = timed(run, runs);
        if time >= nanoseconds / 4 {
            return ((runs as u64 * nanoseconds / time) as usize).max(1);
        }
        runs *= 2;
    }
}

/// Nanoseconds a message: for each job those of every round. All jobs take their turn in every round, in an order
/// that changes, so that what slows the machine slows them alike. Each begins anew in other memory, since where its
/// buffers happen to lie may be worth as much as what is compared.
pub fn times(work: &Work, rounds: usize, nanoseconds: u64) -> Vec<Vec<f64>> {
    let runs: Vec<usize> = work.jobs.iter().map(|job| calibrated(&mut (job.begin)(), nanoseconds)).collect();
    let mut times = vec![Vec::new(); runs.len()];
    let mut numbers = Numbers(1);
    let mut order: Vec<usize> = (0..runs.len()).collect();
    for _ in 0..rounds {
        for i in (1..order.len()).rev() {
            order.swap(i, numbers.next() as usize % (i + 1));
        }
        let shift: Vec<u8> = Vec::with_capacity(numbers.next() as usize % (16 << 10));
        for &i in &order {
            let mut run = (work.jobs[i].begin)();
            run(runs[i].div_ceil(8));
            let time = timed(&mut run, runs[i]);
            times[i].push(time as f64 / (runs[i] * work.messages) as f64);
        }
        black_box(shift);
    }
    times
}

/// What is counted: the script `instructions` knows this name.
#[inline(never)]
pub fn measured(run: &mut Run, runs: usize) {
    (black_box(run))(runs);
}

/// Runs each job n and 2n times, to be counted, and says in which order: n messages cost the difference, whatever
/// is set up each time.
pub fn counted(work: &Work) {
    for job in &work.jobs {
        let runs = (2000 / work.messages).clamp(2, 200);
        let mut run = (job.begin)();
        run(runs);
        measured(&mut run, runs);
        measured(&mut run, 2 * runs);
        println!("{}\t{}\t{}\t{}", work.group, work.name, job.peer.name(), runs * work.messages);
    }
}
