//! A client for the command line, for people and for pipes, and a check of echo servers.
//!
//! ```text
//! wscat [--protocol P]... [--header NAME:VALUE]... URI      lines of standard input are sent, what comes is printed
//! wscat --check URI                                         checks that an echo server is one
//! wscat --no-deflate ...                                    without compression
//! wscat --deflate OWN/PEER ...                              with smaller windows, or some not kept: see [`policy`]
//! ```
//!
//! - [`chat`] talks: messages to standard output, everything else that happens to standard error.
//! - [`input`] reads standard input on a thread of its own, and knows the commands of whoever types there.
//! - [`check`] compares what comes back with what was sent.
//! - [`link`] is the driver below both: a socket and a machine; [`codec`] compresses, as [`policy`] says.
//!
//! The exit code is 0 after a clean close or a check passed, 1 otherwise, and 2 if the arguments make no sense.

mod chat;
mod check;
#[path = "../client/codec.rs"]
#[allow(dead_code, reason = "a chat echoes nothing")]
mod codec;
mod input;
#[path = "../client/link.rs"]
mod link;
#[path = "../deflate/policy.rs"]
mod policy;

use std::{env, io, process::ExitCode};

use websocket_proto::DeflatePolicy;

const USAGE: &str = "\
usage: wscat [--no-deflate] [--protocol P]... [--header NAME:VALUE]... URI
       wscat [--no-deflate] --check URI
       wscat --deflate OWN/PEER ...

OWN and PEER say what is offered of compression for each side: window bits from 8 to 15, no-takeover, or both, such as
10,no-takeover/12. Nothing stands for the whole window, kept between messages.

At a terminal a line is a message, or one of these:
  /ping TEXT            sends a ping
  /binary HEX           sends a binary message
  /close CODE REASON    closes the connection
  //TEXT                sends a message that begins with a slash";

/// What the arguments ask for.
struct Options<'a> {
    uri: &'a str,
    check: bool,
    deflate: Option<DeflatePolicy>,
    protocols: Vec<&'a str>,
    headers: Vec<(&'a str, &'a str)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some(options) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let result = if options.check { check::check(&options) } else { chat::chat(&options) };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Option<Options<'_>> {
    let deflate = Some(codec::OFFER);
    let mut options = Options { uri: "", check: false, deflate, protocols: Vec::new(), headers: Vec::new() };
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--check" => options.check = true,
            "--no-deflate" => options.deflate = None,
            "--deflate" => options.deflate = Some(policy::parse(arguments.next()?)?),
            "--protocol" => options.protocols.push(arguments.next()?),
            "--header" => {
                let (name, value) = arguments.next()?.split_once(':')?;
                options.headers.push((name, value.trim()));
            }
            uri if options.uri.is_empty() && !uri.starts_with('-') => options.uri = uri,
            _ => return None,
        }
    }
    (!options.uri.is_empty()).then_some(options)
}

/// Connects as the options ask for.
fn connect(options: &Options<'_>) -> io::Result<link::Link> {
    link::Link::connect(options.uri, |request| {
        let request = request.protocols(&options.protocols).headers(&options.headers);
        match &options.deflate {
            Some(policy) => request.deflate(policy),
            None => request,
        }
    })
}
