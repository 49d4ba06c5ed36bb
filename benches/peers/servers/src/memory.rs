//! What an idle connection costs its server in memory.
//!
//! ```text
//! memory NAME ADDR PID CONNECTIONS [EXTENSIONS]
//! ```
//!
//! Prints a row of a table, in bytes for each connection: what is resident and what of that is private and anonymous,
//! first after the handshakes, then after one message on every connection. The kernel's part is in neither.

use std::{
    env,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use servers::{client, process::memory};

/// "hello", masked by zeros, and its echo.
const MESSAGE: [u8; 11] = *b"\x81\x85\0\0\0\0hello";
const ECHO: [u8; 7] = *b"\x81\x05hello";

/// What a server does behind its last answer is done by then.
const SETTLED: Duration = Duration::from_millis(300);

fn main() {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next();
    let name = next().unwrap();
    let address: SocketAddr = next().unwrap().parse().unwrap();
    let pid = next().unwrap().parse().unwrap();
    let connections: u16 = next().unwrap().parse().unwrap();
    let extensions = next().unwrap_or_default();
    rlimit::increase_nofile_limit(u64::MAX).unwrap();

    let resident = || {
        thread::sleep(SETTLED);
        ["VmRSS", "RssAnon"].map(|line| memory(pid, line) as f64)
    };
    let before = resident();
    let mut sockets: Vec<TcpStream> = (0..connections).map(|_| client::open(address, &extensions)).collect();
    let opened = resident();
    for socket in &mut sockets {
        socket.write_all(&MESSAGE).unwrap();
        let mut echo = [0; ECHO.len()];
        socket.read_exact(&mut echo).unwrap();
        assert_eq!(echo, ECHO);
    }
    let used = resident();
    let each = |after: [f64; 2], at: usize| (after[at] - before[at]) / f64::from(connections);
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} | {:.0} |",
        each(opened, 0),
        each(opened, 1),
        each(used, 0),
        each(used, 1)
    );
}
