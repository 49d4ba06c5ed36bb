//! The same stream through this crate and through `tungstenite`, in both roles. Where they disagree, a rule says
//! why: [`ACCEPTED`] for what `tungstenite` takes, [`W14`](is_cut_off) for what it finds later. Anything else is a
//! finding. And what this crate echoes, `tungstenite` reads as it was sent.

use std::io;

use arbitrary::Unstructured;
use tungstenite::{
    Error, Message, WebSocket,
    error::ProtocolError as Theirs,
    protocol::{Role as TheirRole, WebSocketConfig},
};
use websocket_proto::{
    Agreed, Assembler, Client, Config, Connection, Event, Input, Kind, Lenient, Role, Rule, SendError, Server,
};

use crate::{common::keys::Keys, support::byte};

/// What `tungstenite` accepts and this crate refuses: the rule that is broken, and what `tungstenite` does.
const ACCEPTED: &[(Rule, &str)] = &[
    (Rule::NonMinimalLength16, "W2: a length is read in whichever form it is written"),
    (Rule::NonMinimalLength64, "W3: a length is read in whichever form it is written"),
    (Rule::ReservedCloseCode, "W59: told as a Close with code 1002"),
    (Rule::UnassignedCloseCode, "W60: told as a Close with code 1002"),
];

#[derive(Clone, Debug, PartialEq)]
enum Item {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum OurEnd {
    /// More may come.
    Open,
    Closed,
    Failed(Rule, u64),
}

#[derive(Debug, PartialEq)]
enum TheirEnd {
    Open,
    Closed,
    Failed(String),
}

/// The reason that `tungstenite` puts in the place of a Close that it takes for a fault.
const VIOLATION: &str = "Protocol violation";

const FRAME_LIMIT: usize = 1 << 15;
const MESSAGE_LIMIT: usize = 1 << 16;

pub fn differential(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let (server, unmasked) = (flags & 1 == 0, flags & 2 != 0);
    let stream = u.take_rest();
    let config = Config {
        frame_limit: FRAME_LIMIT as u64,
        message_limit: MESSAGE_LIMIT as u64,
        fragment_limit: u32::MAX,
        lenient: Lenient { unmasked_frames: unmasked, ..Lenient::default() },
        ..Config::default()
    };
    let agreed = Agreed::default();
    let (ours, our_end, echoed) = match server {
        true => read_ours(Connection::new(Server, &config, agreed), stream),
        false => read_ours(Connection::new(Client(Keys::default()), &config, agreed), stream),
    };
    let role = if server { TheirRole::Server } else { TheirRole::Client };
    let (theirs, their_end) = read_theirs(role, unmasked, stream);
    compare(&ours, our_end, &theirs, &their_end, stream);

    // The echo, read by `tungstenite` in the other role.
    let role = if server { TheirRole::Client } else { TheirRole::Server };
    let (back, end) = read_theirs(role, false, &echoed);
    let mut expected: Vec<Item> =
        ours.iter().filter(|item| !matches!(item, Item::Pong(_))).cloned().collect();
    for item in &mut expected {
        match item {
            Item::Ping(payload) => *item = Item::Pong(std::mem::take(payload)),
            Item::Close(Some((_, reason))) => reason.clear(),
            _ => {}
        }
    }
    if let OurEnd::Failed(rule, _) = our_end {
        expected.push(Item::Close(rule.close_code().map(|code| (code.get(), String::new()))));
    }
    if let (Some(Item::Close(Some((code @ 1014, reason)))), OurEnd::Closed) = (expected.last_mut(), our_end) {
        (*code, *reason) = (1002, VIOLATION.to_owned()); // W61
    }
    assert_eq!(back, expected, "the echo");
    assert_eq!(end, if our_end == OurEnd::Open { TheirEnd::Open } else { TheirEnd::Closed });
}

fn compare(ours: &[Item], our_end: OurEnd, theirs: &[Item], their_end: &TheirEnd, stream: &[u8]) {
    // W61: 1014 is a close code by the IANA registry, and `tungstenite` does not know it.
    let replaced = match (ours, theirs) {
        ([ours @ .., Item::Close(Some((1014, _)))], [theirs @ .., Item::Close(Some((1002, reason)))]) => {
            ours == theirs && reason == VIOLATION
        }
        _ => false,
    };
    let told = || format!("{ours:?} {our_end:?}, theirs {theirs:?} {their_end:?}");
    match (our_end, their_end) {
        (OurEnd::Open, TheirEnd::Open)
        | (OurEnd::Closed, TheirEnd::Closed)
        | (OurEnd::Failed(..), TheirEnd::Failed(_))
            if ours == theirs => {}
        (OurEnd::Closed, TheirEnd::Closed) if replaced => {}
        // W14: a fault is found at the first byte that proves it, and there with what is complete before it.
        (OurEnd::Failed(_, at), TheirEnd::Open) if ours == theirs && is_cut_off(stream, at) => {}
        (OurEnd::Failed(Rule::ControlTooLong, at), _) if is_long_form(stream, at as usize) => {
            assert!(theirs.starts_with(ours), "{}", told());
        }
        (OurEnd::Failed(rule, _), _) if ACCEPTED.iter().any(|(accepted, _)| *accepted == rule) => {
            assert!(theirs.starts_with(ours), "{}", told());
            if matches!(rule, Rule::ReservedCloseCode | Rule::UnassignedCloseCode) {
                match &theirs[ours.len()..] {
                    [Item::Close(Some((1002, reason)))] if reason == VIOLATION => {}
                    // W54, W14: a reason that is no text is found first by one, the code by the other.
                    [] if matches!(their_end, TheirEnd::Failed(_)) => {}
                    _ => panic!("{}", told()),
                }
            }
        }
        _ => panic!("{}", told()),
    }
}

/// W21, W2, W3: a control frame has no longer form of its length, and the second byte shows it. `tungstenite` reads
/// the length, and takes the frame if it is 125 or less.
fn is_long_form(stream: &[u8], at: usize) -> bool {
    match stream[at..] {
        [second, a, b, ..] if second & 0x7f == 126 => u16::from_be_bytes([a, b]) <= 125,
        [second, 0, 0, 0, 0, 0, 0, 0, len, ..] if second & 0x7f == 127 => len <= 125,
        _ => false,
    }
}

/// Whether the frame that holds byte `at`, where this crate found a fault, is not complete in the stream: then
/// `tungstenite`, which looks at whole frames, has not looked at it (W14).
fn is_cut_off(stream: &[u8], at: u64) -> bool {
    let mut start = 0;
    loop {
        let frame = &stream[start..];
        let [_, second, rest @ ..] = frame else { return true };
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(digits) = rest.get(..extended) else { return true };
        let len = match extended {
            0 => u64::from(second & 0x7f),
            _ => digits.iter().fold(0, |sum, digit| sum << 8 | u64::from(*digit)),
        };
        let header = 2 + extended + if second & 0x80 != 0 { 4 } else { 0 };
        let end = (start + header) as u128 + u128::from(len);
        if end > stream.len() as u128 {
            return true;
        }
        if u128::from(at) < end {
            return false;
        }
        start = end as usize;
    }
}

fn read_ours<R: Role>(mut conn: Connection<R>, stream: &[u8]) -> (Vec<Item>, OurEnd, Vec<u8>) {
    let (mut items, mut end, mut out) = (Vec::new(), OurEnd::Open, Vec::new());
    let mut assembler = Assembler::new(Vec::new());
    let mut bytes = stream.to_vec();
    let mut input = Input::new(&mut bytes);
    while let Some(event) = conn.receive(&mut input, &mut out) {
        match event {
            Event::Data(data) => {
                let Some(message) = assembler.push(data).expect("the memory grows") else { continue };
                match conn.send(message.echo(), &mut out) {
                    Ok(()) | Err(SendError::Closed) => {}
                    Err(error) => panic!("{error}"),
                }
                items.push(match message.kind() {
                    Kind::Text => Item::Text(message.text().expect("text is checked").to_owned()),
                    Kind::Binary => Item::Binary(message.payload().to_vec()),
                });
            }
            Event::Ping(payload) => items.push(Item::Ping(payload.to_vec())),
            Event::Pong(payload) => items.push(Item::Pong(payload.to_vec())),
            Event::Close(frame) => {
                items.push(Item::Close(frame.map(|frame| (frame.code().get(), frame.reason().to_owned()))));
                end = OurEnd::Closed;
            }
            Event::Failed(error) => end = OurEnd::Failed(error.rule, error.offset),
            other => panic!("{other:?}"),
        }
    }
    (items, end, out)
}

fn read_theirs(role: TheirRole, unmasked: bool, stream: &[u8]) -> (Vec<Item>, TheirEnd) {
    let config = WebSocketConfig::default()
        .read_buffer_size(512)
        .max_frame_size(Some(FRAME_LIMIT))
        .max_message_size(Some(MESSAGE_LIMIT))
        .accept_unmasked_frames(unmasked);
    let mut socket = WebSocket::from_raw_socket(Stream(stream), role, Some(config));
    let mut items = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => items.push(Item::Text(text.as_str().to_owned())),
            Ok(Message::Binary(bytes)) => items.push(Item::Binary(bytes.to_vec())),
            Ok(Message::Ping(payload)) => items.push(Item::Ping(payload.to_vec())),
            Ok(Message::Pong(payload)) => items.push(Item::Pong(payload.to_vec())),
            Ok(Message::Close(frame)) => {
                let frame = frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned()));
                items.push(Item::Close(frame));
                // What follows is thrown away (W66).
                return (items, TheirEnd::Closed);
            }
            Ok(Message::Frame(frame)) => panic!("{frame}"),
            Err(Error::Protocol(Theirs::ResetWithoutClosingHandshake)) => return (items, TheirEnd::Open),
            Err(error) => return (items, TheirEnd::Failed(error.to_string())),
        }
    }
}

/// A stream to be read; what is written is thrown away.
struct Stream<'s>(&'s [u8]);

impl io::Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl io::Write for Stream<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
