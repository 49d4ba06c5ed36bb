//! An echo server: one thread, readiness by `mio`, ten thousand connections and more.
//!
//! ```text
//! echo [--quiet] [--no-deflate] [ADDR]      127.0.0.1:9001 by default; port 0 takes a free one
//! ```
//!
//! Every message on every path comes back. A browser that opens the same address is shown a page that talks to it.
//!
//! - [`peer`] is what to read first: a whole driver, from the first byte of a connection to its last.
//! - [`server`] is the event loop around it: the listener, the peers, their alarms, the end by a signal.
//! - [`answer`] decides about requests, as an application does.
//! - [`codec`] takes and sends compressed messages, where a client asks for that.

mod answer;
mod codec;
mod log;
mod peer;
mod server;

use std::{env, io, net::SocketAddr, process::ExitCode};

use self::{log::Log, server::Server};

fn main() -> ExitCode {
    let mut quiet = false;
    let mut deflate = true;
    let mut address = SocketAddr::from(([127, 0, 0, 1], 9001));
    for argument in env::args().skip(1) {
        match argument.parse() {
            Ok(given) => address = given,
            Err(_) if argument == "--quiet" => quiet = true,
            Err(_) if argument == "--no-deflate" => deflate = false,
            Err(_) => {
                eprintln!("usage: echo [--quiet] [--no-deflate] [IP:PORT]");
                return ExitCode::from(2);
            }
        }
    }
    match serve(address, deflate, Log::new(quiet)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: SocketAddr, deflate: bool, log: Log) -> io::Result<()> {
    // Every connection is an open file, and the soft limit is often 1024.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let server = Server::bind(address, deflate, log)?;
    // Line by line, so at once in the pipe of whoever waits for it.
    println!("listening on {}", server.address()?);
    server.run()
}
