//! Talking: what is read is sent, what comes is printed.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
};

use mio::{Token, Waker};
use websocket_proto::{
    Cause, CloseCode, Closure, Event, Kind, Message, Outgoing, QueueOutput, SendError, client::Response,
};

use crate::{
    Options,
    codec::Codec,
    connect,
    input::{self, Command},
    link::{Link, Machine},
};

const INPUT: Token = Token(1);

/// Input is taken while less than this waits to be written.
const OUTPUT_LIMIT: usize = 1 << 20;

/// The most bytes of a binary message that are shown.
const SHOWN: usize = 64;

/// Talks until the connection is over. True: it was closed cleanly.
pub(crate) fn chat(options: &Options<'_>) -> io::Result<bool> {
    let mut link = connect(options)?;
    // Kept here too: the thread may end before its last waking arrives, and that would be lost with the waker.
    let waker = Arc::new(Waker::new(link.poll.registry(), INPUT)?);
    let mut input = Some(input::lines(Arc::clone(&waker)));
    let mut codec = Codec::new();
    // The server may close while the input is open, and the input may end while the server still talks.
    while link.turn(None, |event, session, out| show(event, session, &mut codec, out))? {
        let open = link.session.connection().is_some();
        if open
            && let Some(lines) = &input
            && !send_lines(lines, &mut link, &mut codec)?
        {
            input = None;
            // Closing does no harm if the server was first.
            link.session.close(CloseCode::NORMAL, "", &mut link.out).map_err(io::Error::other)?;
        }
    }
    Ok(tell(link.session.closure()))
}

/// Sends the lines that are there, as many as the output may hold. False: there will be no more.
///
/// # Errors
/// What cannot be sent, if it came through a pipe. Whoever types is told and may try again.
fn send_lines(lines: &Receiver<Vec<u8>>, link: &mut Link, codec: &mut Codec) -> io::Result<bool> {
    let typed = io::stdin().is_terminal();
    while link.out.pending().len() < OUTPUT_LIMIT {
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty) => return Ok(true),
            Err(TryRecvError::Disconnected) => return Ok(false),
        };
        // What comes through a pipe is data, slash or not.
        let command = if typed { Command::typed(line) } else { Ok(Command::Text(line)) };
        match command.map(|command| send(&command, link, codec)) {
            Ok(Ok(()) | Err(SendError::Closed)) => {}
            Ok(Err(error)) if typed => eprintln!("not sent: {error}"),
            Ok(Err(error)) => return Err(io::Error::other(error)),
            Err(help) => eprintln!("not sent: {help}"),
        }
    }
    Ok(true)
}

fn send(command: &Command, Link { session, out, .. }: &mut Link, codec: &mut Codec) -> Result<(), SendError> {
    match command {
        Command::Text(text) => codec.send(Kind::Text, text, session, out),
        Command::Binary(bytes) => codec.send(Kind::Binary, bytes, session, out),
        Command::Ping(payload) => session.send(Outgoing::ping(payload.as_bytes()), out),
        Command::Close(code, reason) => session.close(*code, reason, out),
    }
}

/// Shows what happened. The machine has answered already where an answer was due.
fn show(event: Event<'_>, session: &mut Machine, codec: &mut Codec, out: &mut QueueOutput) -> io::Result<()> {
    match event {
        Event::Opened => {
            codec.open(session);
            let protocol = session.response().and_then(|response| response.protocol());
            eprintln!("connected{}", protocol.map(|name| format!(" with {name}")).unwrap_or_default());
        }
        Event::Refused => {
            if let Some(response) = session.response() {
                refused(response);
            }
        }
        Event::Data(data) => match codec.receive(data) {
            Ok(Some(message)) => print(&message)?,
            Ok(None) => {}
            Err(rule) => {
                let failed = session.fail(rule, out).map_err(io::Error::other)?;
                return show(failed, session, codec, out);
            }
        },
        Event::Ping(payload) => eprintln!("ping {payload:?}"),
        Event::Pong(payload) => eprintln!("pong {payload:?}"),
        Event::Close(Some(frame)) => eprintln!("closing: {} {:?}", frame.code(), frame.reason()),
        Event::Close(None) => eprintln!("closing: without a code"),
        Event::Failed(error) => eprintln!("failed: {error}"),
        _ => {}
    }
    Ok(())
}

/// The server answered with something else than a WebSocket, and may say where to look for one.
fn refused(response: Response<'_>) {
    eprintln!("refused: {} {}", response.status(), response.reason().escape_ascii());
    for name in ["Location", "WWW-Authenticate"] {
        if let Some(value) = response.header(name) {
            eprintln!("{name}: {}", value.escape_ascii());
        }
    }
}

/// Prints a message as a line.
fn print(message: &Message<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match message.text() {
        Some(text) => writeln!(out, "{text}"),
        None => {
            let payload = message.payload();
            let mut line = format!("[binary {} bytes]", payload.len());
            for byte in payload.iter().take(SHOWN) {
                let _infallible = write!(line, " {byte:02x}");
            }
            writeln!(out, "{line}{}", if payload.len() > SHOWN { " …" } else { "" })
        }
    }
}

/// Says how the connection ended, where that was not said before. True: cleanly.
fn tell(closure: Closure) -> bool {
    match closure.cause {
        Some(Cause::Violation(_) | Cause::Refused) => {}
        Some(cause) => eprintln!("failed: {cause}"),
        None => eprintln!("closed: {}", closure.code()),
    }
    closure.clean && closure.cause.is_none()
}
