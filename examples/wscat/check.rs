//! The check of an echo server: what comes back is what was sent, whatever frames it comes in.

use std::{collections::VecDeque, error::Error, io, time::Duration};

use websocket_proto::{CloseCode, CloseFrame, Control, Event, Kind, Outgoing};

use crate::{Options, codec::Codec, connect, link::Link};

/// Each check has a connection of its own, and this much time.
const LIMIT: Duration = Duration::from_secs(10);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a check does between the opening handshake and the closing one.
type Body = Box<dyn Fn(&mut Probe) -> Result<()>>;

/// Runs every check. True: all passed.
pub(crate) fn check(options: &Options<'_>) -> io::Result<bool> {
    let mut failed = 0;
    let checks = checks();
    for (name, body) in &checks {
        match Probe::connect(options).and_then(|mut probe| body(&mut probe)) {
            Ok(()) => println!("PASS {name}"),
            Err(why) => {
                println!("FAIL {name}: {why}");
                failed += 1;
            }
        }
    }
    println!("{} passed, {failed} failed", checks.len() - failed);
    Ok(failed == 0)
}

fn checks() -> Vec<(String, Body)> {
    let mut checks: Vec<(String, Body)> = Vec::new();
    // Lengths on both sides of the borders between the three forms of a frame's length, and one of many reads.
    for len in [0, 125, 126, 65_535, 65_536, 1 << 20] {
        for kind in [Kind::Text, Kind::Binary] {
            checks.push((format!("{kind:?} of {len} bytes"), Box::new(move |probe| whole(probe, kind, len))));
        }
    }
    checks.push(("repetitions near and far, within messages and between them".into(), Box::new(repetitions)));
    checks.push(("fragments, some of them empty".into(), Box::new(fragments)));
    checks.push(("characters split between fragments".into(), Box::new(split_characters)));
    checks.push(("a ping, and one between fragments".into(), Box::new(pings)));
    for (code, reason) in [(1000, ""), (1000, "enough"), (3001, "grün")] {
        let close: Body = Box::new(move |probe| probe.close(CloseCode::new(code), reason));
        checks.push((format!("a close with {code} {reason:?}"), close));
    }
    checks
}

/// A message in one frame.
fn whole(probe: &mut Probe, kind: Kind, len: usize) -> Result<()> {
    // Without a period that divides a buffer's length, so that no piece can stand in for another.
    let bytes = (0..len).map(|at| if kind == Kind::Text { b'a' + (at % 23) as u8 } else { (at % 251) as u8 });
    let bytes: Vec<u8> = bytes.collect();
    probe.send_whole(kind, &bytes)?;
    probe.expect(kind, &bytes)?;
    probe.close(CloseCode::NORMAL, "")
}

/// What a window is for: noise that comes again at distances below and above each window's length, first in the same
/// message, then in the next ones. The messages overtake each other, so that both windows are in use at once.
fn repetitions(probe: &mut Probe) -> Result<()> {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        b' ' + (state >> 24) as u8 % 95
    })
    .take(40_000)
    .collect();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for bits in 8..=15 {
        let window: usize = 1 << bits;
        for distance in [window.saturating_sub(262), window - 1, window, window + 1] {
            let piece = &noise[bits * 100..][..distance];
            messages.push([piece, piece].concat());
            messages.push(piece.to_vec());
        }
    }
    for message in &messages {
        probe.send_whole(Kind::Text, message)?;
    }
    for message in &messages {
        probe.expect(Kind::Text, message)?;
    }
    probe.close(CloseCode::NORMAL, "")
}

fn fragments(probe: &mut Probe) -> Result<()> {
    for (kind, pieces) in
        [(Kind::Text, ["", "so ", "", "many pieces"]), (Kind::Binary, ["\0", "", "\x01", ""])]
    {
        probe.send_pieces(kind, &pieces.map(str::as_bytes))?;
        probe.expect(kind, pieces.concat().as_bytes())?;
    }
    probe.close(CloseCode::NORMAL, "")
}

fn split_characters(probe: &mut Probe) -> Result<()> {
    let text = "κόσμε – 10 € 🎈";
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    probe.send_pieces(Kind::Text, &pieces)?;
    probe.expect(Kind::Text, text.as_bytes())?;
    probe.close(CloseCode::NORMAL, "")
}

fn pings(probe: &mut Probe) -> Result<()> {
    let payload: Vec<u8> = (0..125).collect();
    probe.send(Outgoing::ping(&payload))?;
    probe.expect_pong(&payload)?;
    // Control frames may stand between fragments, and are not to wait for the message's end.
    probe.send(Outgoing::first(Kind::Text, b"before "))?;
    probe.send(Outgoing::ping(b"between"))?;
    probe.expect_pong(b"between")?;
    probe.send(Outgoing::last(b"and after"))?;
    probe.expect(Kind::Text, b"before and after")?;
    probe.close(CloseCode::NORMAL, "")
}

/// A connection under test, and what came over it.
struct Probe {
    link: Link,
    codec: Codec,
    came: VecDeque<Came>,
}

enum Came {
    Opened,
    Message(Kind, Vec<u8>),
    Pong(Control),
    Close(Option<CloseFrame>),
}

impl Probe {
    /// Connects, and waits for the opening handshake.
    fn connect(options: &Options<'_>) -> Result<Self> {
        let link = connect(options)?;
        let mut probe = Self { link, codec: Codec::new(), came: VecDeque::new() };
        match probe.next()? {
            Came::Opened => Ok(probe),
            other => Err(other.instead_of("the opening handshake")),
        }
    }

    fn send(&mut self, frame: Outgoing<'_>) -> Result<()> {
        Ok(self.link.session.send(frame, &mut self.link.out)?)
    }

    /// Sends a message, compressed if that was agreed on.
    fn send_whole(&mut self, kind: Kind, bytes: &[u8]) -> Result<()> {
        Ok(self.codec.send(kind, bytes, &mut self.link.session, &mut self.link.out)?)
    }

    /// Sends a message in fragments.
    fn send_pieces(&mut self, kind: Kind, pieces: &[&[u8]]) -> Result<()> {
        let (Some((first, rest)), Some(end)) = (pieces.split_first(), pieces.len().checked_sub(2)) else {
            return Err("fragments are two at least".into());
        };
        self.send(Outgoing::first(kind, first))?;
        for (at, piece) in rest.iter().enumerate() {
            self.send(if at == end { Outgoing::last(piece) } else { Outgoing::next(piece) })?;
        }
        Ok(())
    }

    /// Waits for a message, which must be this one.
    fn expect(&mut self, kind: Kind, bytes: &[u8]) -> Result<()> {
        match self.next()? {
            Came::Message(came_kind, came) if came_kind == kind && came == bytes => Ok(()),
            other => Err(other.instead_of(&format!("the same {kind:?}"))),
        }
    }

    fn expect_pong(&mut self, payload: &[u8]) -> Result<()> {
        match self.next()? {
            Came::Pong(came) if *came == *payload => Ok(()),
            other => Err(other.instead_of("the pong")),
        }
    }

    /// Closes, and waits for the same code and then for the end of the stream.
    fn close(&mut self, code: CloseCode, reason: &str) -> Result<()> {
        self.link.session.close(code, reason, &mut self.link.out)?;
        match self.next()? {
            Came::Close(Some(frame)) if frame.code() == code => {}
            other => return Err(other.instead_of(&format!("a Close with {code}"))),
        }
        while self.turn()? {}
        let closure = self.link.session.closure();
        if closure.clean { Ok(()) } else { Err(format!("the end was not clean: {closure:?}").into()) }
    }

    fn next(&mut self) -> Result<Came> {
        loop {
            if let Some(came) = self.came.pop_front() {
                return Ok(came);
            }
            if !self.turn()? {
                return Err(format!("the connection is over: {:?}", self.link.session.closure()).into());
            }
        }
    }

    fn turn(&mut self) -> Result<bool> {
        let left = LIMIT.saturating_sub(self.link.start.elapsed());
        if left.is_zero() {
            return Err(format!("no end within {} s", LIMIT.as_secs()).into());
        }
        let Self { link, codec, came } = self;
        Ok(link.turn(Some(left), |event, session, _| {
            match event {
                Event::Opened => {
                    codec.open(session);
                    came.push_back(Came::Opened);
                }
                Event::Data(data) => match codec.receive(data) {
                    Ok(Some(message)) => {
                        came.push_back(Came::Message(message.kind(), message.payload().to_vec()));
                    }
                    Ok(None) => {}
                    Err(rule) => return Err(io::Error::other(rule.to_string())),
                },
                Event::Pong(payload) => came.push_back(Came::Pong(payload)),
                Event::Close(frame) => came.push_back(Came::Close(frame)),
                Event::Failed(error) => return Err(io::Error::other(error)),
                Event::Refused => {
                    let status = session.response().map_or(0, |response| response.status());
                    return Err(io::Error::other(format!("refused with the status {status}")));
                }
                _ => {}
            }
            Ok(())
        })?)
    }
}

impl Came {
    fn instead_of(&self, expected: &str) -> Box<dyn Error> {
        let came = match self {
            Self::Opened => "the opening handshake".to_owned(),
            Self::Message(kind, bytes) => format!("{kind:?} of {} bytes", bytes.len()),
            Self::Pong(payload) => format!("a pong with {payload:?}"),
            Self::Close(frame) => format!("a Close: {frame:?}"),
        };
        format!("expected {expected}, and {came} came").into()
    }
}
