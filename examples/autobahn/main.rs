//! The client that Autobahn's test suite tests: it echoes what the suite's `fuzzingserver` sends.
//!
//! ```text
//! autobahn [--no-deflate] URI      such as ws://127.0.0.1:9001
//! ```

#[path = "../client/codec.rs"]
#[allow(dead_code, reason = "an echo sends nothing of its own")]
mod codec;
#[path = "../client/link.rs"]
mod link;

use std::{env, io, process::ExitCode};

use websocket_proto::{Closure, Data, Event, QueueOutput, SendError};

use self::{
    codec::{Codec, OFFER},
    link::{Link, Machine},
};

const AGENT: &str = "websocket-proto";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).peekable();
    let deflate = arguments.next_if(|argument| argument == "--no-deflate").is_none();
    let (Some(base), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: autobahn [--no-deflate] URI");
        return ExitCode::from(2);
    };
    match run_cases(base.trim_end_matches('/'), deflate) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn: {base}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The suite's protocol: ask for the number of cases, connect once for each, and ask for the reports.
fn run_cases(base: &str, deflate: bool) -> io::Result<()> {
    let count = case_count(base)?;
    for case in 1..=count {
        // However a case ends, the suite judges it.
        match run(&format!("{base}/runCase?case={case}&agent={AGENT}"), deflate, echo) {
            Ok(closure) => println!("case {case} of {count}: closed with {}", closure.code()),
            Err(error) => println!("case {case} of {count}: {error}"),
        }
    }
    // The suite answers with a 101 and the end of the stream, without a Close.
    run(&format!("{base}/updateReports?agent={AGENT}"), false, |_, _, _, _| Ok(()))?;
    Ok(())
}

/// Sends a piece of a message back, before the message is complete; where messages are compressed, when it is.
fn echo(data: Data<'_>, codec: &mut Codec, session: &mut Machine, out: &mut QueueOutput) -> io::Result<()> {
    let sent =
        if data.part().compressed { codec.echo(data, session, out) } else { session.send(data.echo(), out) };
    match sent {
        Ok(()) | Err(SendError::Closed) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The number of cases is a message of its own.
fn case_count(base: &str) -> io::Result<u32> {
    let mut count = None;
    run(&format!("{base}/getCaseCount"), false, |data, codec, _, _| {
        match codec.receive(data) {
            Ok(Some(message)) => count = message.text().and_then(|text| text.parse().ok()),
            Ok(None) => {}
            Err(rule) => return Err(io::Error::other(rule.to_string())),
        }
        Ok(())
    })?;
    count.ok_or_else(|| io::Error::other("the server did not tell the number of cases"))
}

/// Connects, hands each piece of a message to `each`, and tells how the connection ended.
fn run(
    uri: &str,
    deflate: bool,
    mut each: impl FnMut(Data<'_>, &mut Codec, &mut Machine, &mut QueueOutput) -> io::Result<()>,
) -> io::Result<Closure> {
    let mut link = Link::connect(uri, |request| if deflate { request.deflate(&OFFER) } else { request })?;
    let mut codec = Codec::new();
    while link.turn(None, |event, session, out| match event {
        Event::Opened => {
            codec.open(session);
            Ok(())
        }
        Event::Data(data) => each(data, &mut codec, session, out),
        Event::Refused => Err(io::Error::other("the server refused")),
        _ => Ok(()),
    })? {}
    Ok(link.session.closure())
}
