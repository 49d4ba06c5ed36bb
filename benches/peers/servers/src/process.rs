//! What the system tells of a process (Linux).

use std::{fs, time::Duration};

/// Processor time of all its threads, to the nanosecond, in the program and in the kernel for it.
pub fn processor_time(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let spent = threads.map(|thread| {
        let line = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        line.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(spent.sum())
}

/// A line of its status in bytes: `VmRSS` is resident memory, `RssAnon` what of it no file is behind.
pub fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap().trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
