//! A load of echoes: one thread, each connection with so many messages under way and no more.
//!
//! ```text
//! load [--raw] [--depth N] ADDR PID CONNECTIONS PAYLOAD SECONDS
//! ```
//!
//! Prints on one line, with tabs between: messages a second, microseconds of processor time that process PID spent on a
//! message, and how busy it and this program were, in percent of a core.

mod connection;
mod echoes;
mod traffic;

use std::{
    env,
    net::SocketAddr,
    process,
    time::{Duration, Instant},
};

use mio::{Events, Poll};
use servers::process::processor_time;

use self::{connection::Connection, traffic::Traffic};

/// Between the first message and the window: caches, buffers and the processor's clock settle.
const WARM_UP: Duration = Duration::from_millis(200);

/// An echo of 64 KiB comes in one read, if it is there.
const READ_BUFFER: usize = 256 << 10;

fn main() {
    let mut raw = false;
    let mut depth = 1;
    let mut rest = Vec::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--raw" => raw = true,
            "--depth" => depth = arguments.next().unwrap().parse().unwrap(),
            _ => rest.push(argument),
        }
    }
    let [address, pid, connections, payload, seconds] = rest.try_into().unwrap();
    let pid = pid.parse().unwrap();
    let mut load = Load::open(
        address.parse().unwrap(),
        connections.parse().unwrap(),
        Traffic::new(payload.parse().unwrap(), depth, raw),
    );
    load.start();
    load.run(WARM_UP);
    let both = || (processor_time(pid), processor_time(process::id()));
    let (before, start) = (both(), now());
    let messages = load.run(Duration::from_secs_f64(seconds.parse().unwrap()));
    let (after, took) = (both(), start.elapsed().as_secs_f64());
    let (server, own) = ((after.0 - before.0).as_secs_f64(), (after.1 - before.1).as_secs_f64());
    println!(
        "{:.0}\t{:.3}\t{:.0}\t{:.0}",
        messages as f64 / took,
        server * 1e6 / messages as f64,
        server * 100.0 / took,
        own * 100.0 / took
    );
}

struct Load {
    poll: Poll,
    connections: Vec<Connection>,
    traffic: Traffic,
    buf: Vec<u8>,
}

impl Load {
    /// All connections, each with its first echo checked byte for byte.
    fn open(address: SocketAddr, connections: usize, traffic: Traffic) -> Self {
        rlimit::increase_nofile_limit(u64::MAX).unwrap();
        let poll = Poll::new().unwrap();
        let connections =
            (0..connections).map(|at| Connection::open(address, &traffic, poll.registry(), at)).collect();
        Self { poll, connections, traffic, buf: vec![0; READ_BUFFER] }
    }

    fn start(&mut self) {
        for connection in &mut self.connections {
            connection.start(&self.traffic);
        }
    }

    /// Returns how many echoes came.
    fn run(&mut self, time: Duration) -> usize {
        let end = now() + time;
        let mut events = Events::with_capacity(1024);
        let mut count = 0;
        loop {
            let left = end.saturating_duration_since(now());
            if left.is_zero() {
                return count;
            }
            self.poll.poll(&mut events, Some(left)).unwrap();
            for event in &events {
                count += self.connections[event.token().0].turn(&self.traffic, &mut self.buf);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn now() -> Instant {
    Instant::now()
}
