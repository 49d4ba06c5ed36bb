//! The client that Autobahn's test suite tests: it echoes what the suite's `fuzzingserver` sends.
//!
//! ```text
//! autobahn URI      such as ws://127.0.0.1:9001
//! ```

#[path = "../client/link.rs"]
mod link;

use std::{env, io, process::ExitCode};

use websocket_proto::{Assembler, Closure, Data, Event, QueueOutput, SendError};

use self::link::{Link, Machine};

const AGENT: &str = "websocket-proto";

fn main() -> ExitCode {
    let Some(base) = env::args().nth(1) else {
        eprintln!("usage: autobahn URI");
        return ExitCode::from(2);
    };
    match run_cases(base.trim_end_matches('/')) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn: {base}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The suite's protocol: ask for the number of cases, connect once for each, and ask for the reports.
fn run_cases(base: &str) -> io::Result<()> {
    let count = case_count(base)?;
    for case in 1..=count {
        // However a case ends, the suite judges it.
        match run(&format!("{base}/runCase?case={case}&agent={AGENT}"), echo) {
            Ok(closure) => println!("case {case} of {count}: closed with {}", closure.code()),
            Err(error) => println!("case {case} of {count}: {error}"),
        }
    }
    // The suite answers with a 101 and the end of the stream, without a Close.
    run(&format!("{base}/updateReports?agent={AGENT}"), |_, _, _| Ok(()))?;
    Ok(())
}

/// Sends a piece of a message back, before the message is complete.
fn echo(data: Data<'_>, session: &mut Machine, out: &mut QueueOutput) -> io::Result<()> {
    match session.send(data.echo(), out) {
        Ok(()) | Err(SendError::Closed) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The number of cases is a message of its own.
fn case_count(base: &str) -> io::Result<u32> {
    let mut count = None;
    let mut whole = Assembler::new([0; 16]);
    run(&format!("{base}/getCaseCount"), |data, _, _| {
        match whole.push(data) {
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
    mut each: impl FnMut(Data<'_>, &mut Machine, &mut QueueOutput) -> io::Result<()>,
) -> io::Result<Closure> {
    let mut link = Link::connect(uri, |request| request)?;
    while link.turn(None, |event, session, out| match event {
        Event::Data(data) => each(data, session, out),
        Event::Refused => Err(io::Error::other("the server refused")),
        _ => Ok(()),
    })? {}
    Ok(link.session.closure())
}
