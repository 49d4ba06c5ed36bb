//! Standard input: a thread that reads lines, and what a line means.

use std::{
    io::{self, BufRead},
    str::FromStr,
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use mio::Waker;
use websocket_proto::CloseCode;

/// As many lines are read ahead of the connection.
const AHEAD: usize = 64;

/// Reads standard input on a thread of its own, because no system waits for files, pipes and terminals alike together
/// with sockets. The waker is used for each line and for the end, which closes the channel. A line is without its LF.
///
/// The thread is never joined: whoever is done before the input is just exits.
pub(crate) fn lines(waker: Arc<Waker>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(AHEAD);
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
            if sender.send(line).is_err() || waker.wake().is_err() {
                return;
            }
        }
        drop(sender);
        let _gone = waker.wake();
    });
    receiver
}

/// What is to be sent.
pub(crate) enum Command {
    /// A message as it was typed; whether it is UTF-8 is checked when it is sent.
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(String),
    Close(CloseCode, String),
}

impl Command {
    /// What a line typed at a terminal means.
    pub(crate) fn typed(line: Vec<u8>) -> Result<Self, &'static str> {
        let Some(command) = line.strip_prefix(b"/") else { return Ok(Self::Text(line)) };
        if command.starts_with(b"/") {
            return Ok(Self::Text(command.to_vec()));
        }
        let command = str::from_utf8(command).map_err(|_| "that is not UTF-8")?;
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match name {
            "ping" => Ok(Self::Ping(rest.to_owned())),
            "binary" => bytes(rest).map(Self::Binary).ok_or("binary wants pairs of hexadecimal digits"),
            "close" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = if code.is_empty() { Ok(1000) } else { u16::from_str(code) };
                let code = code.map_err(|_| "close wants a code, such as 1000, and perhaps a reason")?;
                Ok(Self::Close(code.into(), reason.to_owned()))
            }
            _ => Err("the commands are /ping, /binary and /close; //TEXT sends a slash and TEXT"),
        }
    }
}

/// The bytes that hexadecimal digits stand for, with or without spaces.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|sign| !sign.is_whitespace())
        .map(|sign| sign.to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect();
    if rest.is_empty() { bytes } else { None }
}
