//! Whether what a byte costs depends on how long its message is, and what a frame costs on how many came before it or on how
//! many connections there are.
//!
//! ```text
//! cargo bench --bench growth        the median of 15 rounds, in which all take their turns
//! ```

use std::{hint::black_box, time::Instant};

use websocket_proto::{
    Agreed, Config, Connection, Event, FrameHeader, Input, MIN_OUTPUT, Opcode, Rsv, Server, SliceOutput,
};

const ROUNDS: usize = 15;
/// What is read at a time.
const READ: usize = 64 << 10;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn main() {
    let bytes = [1 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20];
    print(
        "a byte of a message of so many, in reads of 64 KiB, picoseconds",
        &bytes,
        &mut bytes.map(|len| move || message(len)),
    );
    let frames = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
    print(
        "a frame of 20 B, so many on a connection, picoseconds",
        &frames,
        &mut frames.map(|n| move || on_one(n)),
    );
    let connections = [1, 10, 100, 1_000, 10_000];
    let mut rounds = connections.map(|n| {
        let mut connections: Vec<_> = (0..n).map(|_| connection()).collect();
        move || on_many(&mut connections)
    });
    print("a frame of 20 B, in turn on so many connections, picoseconds", &connections, &mut rounds);
}

/// Takes all in turn; each gives what one unit cost.
fn print(what: &str, sizes: &[usize], rounds: &mut [impl FnMut() -> f64]) {
    let mut times = vec![Vec::new(); rounds.len()];
    for _ in 0..ROUNDS {
        for (round, times) in rounds.iter_mut().zip(&mut times) {
            times.push(round() * 1e12);
        }
    }
    println!("{what}");
    for (size, times) in sizes.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("  {size:>10}  {:>9.1}", times[ROUNDS / 2]);
    }
}

fn connection() -> Connection<Server> {
    let unlimited = Config { frame_limit: u64::MAX, message_limit: u64::MAX, ..Config::default() };
    Connection::new(Server, &unlimited, Agreed::default())
}

fn header(len: u64) -> Vec<u8> {
    let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode: Opcode::Binary, mask: Some(KEY), len };
    header.encode().expect("it is a length").to_vec()
}

/// Seconds that `work` takes, by the clock.
fn seconds(work: impl FnOnce()) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn receive(conn: &mut Connection<Server>, buf: &mut [u8], out: &mut SliceOutput<[u8; MIN_OUTPUT]>) -> usize {
    let mut input = Input::new(buf);
    let mut len = 0;
    while let Some(event) = conn.receive(&mut input, out) {
        if let Event::Data(data) = event {
            len += black_box(data.payload()).len();
        }
    }
    len
}

/// Messages of `len` bytes, 64 MiB in all. What is copied into the buffer is always the same, so that it is near.
fn message(len: usize) -> f64 {
    let mut source = header(len as u64);
    let head = source.len();
    source.resize(head + READ, 7);
    let (mut conn, mut out) = (connection(), SliceOutput::new([0; MIN_OUTPUT]));
    let mut buf = vec![0; head + READ];
    let total = 64 << 20;
    let took = seconds(|| {
        for _ in 0..total / len {
            let mut start = 0;
            let mut rest = head + len;
            while rest != 0 {
                let n = rest.min(READ);
                buf[..n].copy_from_slice(&source[start..start + n]);
                receive(&mut conn, &mut buf[..n], &mut out);
                start = head;
                rest -= n;
            }
        }
    });
    took / total as f64
}

fn frame() -> Vec<u8> {
    let mut frame = header(20);
    frame.extend([7; 20]);
    frame
}

/// `n` frames on a connection, and then on a new one, a million in all.
fn on_one(n: usize) -> f64 {
    let at_a_time = n.min(100);
    let source = frame().repeat(at_a_time);
    let (mut buf, mut out) = (source.clone(), SliceOutput::new([0; MIN_OUTPUT]));
    let all = 1_000_000;
    let took = seconds(|| {
        for _ in 0..all / n {
            let mut conn = connection();
            for _ in 0..n / at_a_time {
                buf.copy_from_slice(&source);
                receive(&mut conn, &mut buf, &mut out);
            }
        }
    });
    took / all as f64
}

/// A frame on each connection in turn, a million in all.
fn on_many(connections: &mut [Connection<Server>]) -> f64 {
    let source = frame();
    let (mut buf, mut out) = (source.clone(), SliceOutput::new([0; MIN_OUTPUT]));
    let all = 1_000_000;
    let took = seconds(|| {
        for _ in 0..all / connections.len() {
            for conn in &mut *connections {
                buf.copy_from_slice(&source);
                receive(conn, &mut buf, &mut out);
            }
        }
    });
    took / all as f64
}
