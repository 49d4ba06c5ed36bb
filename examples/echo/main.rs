//! An echo server: one thread, readiness by `mio`, ten thousand connections and more.
//!
//! ```text
//! echo [--quiet] [--no-deflate] [ADDR]            127.0.0.1:9001 by default; port 0 takes a free one
//! echo [--quiet] --deflate OWN/PEER [ADDR]        compresses all that it sends, as [`policy`] says
//! ```
//!
//! Every message on every path comes back. A browser that opens the same address is shown a page that talks to it.
//!
//! - [`peer`] is what to read first: a whole driver, from the first byte of a connection to its last.
//! - [`server`] is the event loop around it: the listener, the peers, their alarms, the end by a signal.
//! - [`answer`] decides about requests, as an application does.
//! - [`codec`] takes and sends compressed messages, where a client asks for that.
//! - [`in_place`] spares long messages a copy.

mod answer;
mod codec;
mod in_place;
mod log;
mod peer;
#[path = "../deflate/policy.rs"]
mod policy;
mod server;

use std::{env, io, net::SocketAddr, process::ExitCode};

use self::{codec::Compression, log::Log, server::Server};

const USAGE: &str = "\
usage: echo [--quiet] [--no-deflate | --deflate OWN/PEER] [IP:PORT]

OWN and PEER say what is agreed to of compression for each side: window bits from 8 to 15, no-takeover, or both, such as
10,no-takeover/12. Nothing stands for the whole window, kept between messages. With --deflate every message goes back
compressed, without it those that came so.";

fn main() -> ExitCode {
    let mut quiet = false;
    let mut deflate = Some(Compression::default());
    let mut address = SocketAddr::from(([127, 0, 0, 1], 9001));
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.parse() {
            Ok(given) => address = given,
            Err(_) if argument == "--quiet" => quiet = true,
            Err(_) if argument == "--no-deflate" => deflate = None,
            Err(_) => {
                let value = arguments.next().filter(|_| argument == "--deflate");
                let Some(policy) = value.and_then(|value| policy::parse(&value)) else {
                    eprintln!("{USAGE}");
                    return ExitCode::from(2);
                };
                deflate = Some(Compression { policy, all: true });
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

fn serve(address: SocketAddr, deflate: Option<Compression>, log: Log) -> io::Result<()> {
    // Every connection is an open file, and the soft limit is often 1024.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let server = Server::bind(address, deflate, log)?;
    // Line by line, so at once in the pipe of whoever waits for it.
    println!("listening on {}", server.address()?);
    server.run()
}
