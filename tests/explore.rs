//! Proves the closing handshake by looking at all of it: every state that two connected endpoints can reach, whatever
//! they do and in whatever order, to the last one.
//!
//! A state is plain data: both connections, the two streams between them, and what an onlooker knows who sees only what
//! is put on the streams and what is told (a [`Ghost`] a side). From each state everything is done that can be done,
//! by [`World::act`], until no new state comes. What must hold is asserted on every transition and in every state.
//!
//! What makes the space finite:
//!
//! - A connection is known by the bytes of [`Connection::save`]. Two of its fields count for ever. The one for
//!   [`Keepalive`] (control frames since the last time somebody asked) is asked for after every step, by timers that do
//!   nothing, as a driver does after every turn of its loop; that clears it. The other, the stream's position, is
//!   [`Connection::bytes_received`]: its eight bytes in the saved state are set to zero, and the connection goes on
//!   from the state so changed. It only dates failures, which no test here looks at.
//! - A stream holds a bounded number of pieces, each of them what one `put` gave; more, and there is no room, so that
//!   replies wait. A piece is read whole or stops behind its first byte or before its last one.
//! - Masking keys are zero, payloads one byte, messages two fragments.

#![cfg(feature = "alloc")]

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use websocket_proto::{
    Agreed, Body, Client, CloseCode, Closer, Config, Connection, Due, Event, FrameHeader, Input, Keepalive,
    Kind, MaskKey, Opcode, Outgoing, Output, Rate, Role, Rule, SAVED, SendError, Server, Timing, Transport,
};

const CLIENT: usize = 0;
const SERVER: usize = 1;

/// What a side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Sends a short message, its first fragment, or its last.
    Message,
    First,
    Last,
    /// Announces a payload of one byte, a whole message or the last of one; pays it.
    Owe,
    Pay,
    Ping,
    Close,
    CloseBare,
    /// Fails the connection.
    Fail,
    /// Puts out what waits.
    Poll,
    /// Reads a part of the next piece, or all of it; nothing, if nothing came.
    ReadSome,
    ReadAll,
    /// Reads all of the next piece, and has timers judge it that allow no control frames.
    ReadStrictly,
    /// The stream that it reads breaks, with what it holds.
    End,
}

/// What the closing handshake is made of.
const CLOSING: &[Act] =
    &[Act::Close, Act::CloseBare, Act::Fail, Act::Poll, Act::ReadSome, Act::ReadAll, Act::End];
const PINGS: &[Act] = &[Act::Ping, Act::ReadStrictly];
const DATA: &[Act] = &[Act::Message, Act::First, Act::Last, Act::Owe, Act::Pay];

type Keys = fn() -> MaskKey;

/// Bytes on their way to the other side.
#[derive(Clone, Debug, Default)]
struct Stream {
    /// What was put, and how much of it was read: something of the first one at most.
    pieces: VecDeque<(Vec<u8>, usize)>,
    /// It broke: what is put goes nowhere, and its reader has been told.
    cut: bool,
}

/// What an onlooker knows of a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ghost {
    /// Whose Close began its closing handshake.
    begun: Option<Closer>,
    /// The code of its Close, on the stream or waiting.
    sent: Option<u16>,
    on_wire: bool,
    /// The code of the other side's Close, once told.
    heard: Option<u16>,
    /// It failed the connection before it was told of a Close.
    failed: bool,
    /// It has put out a header whose payload is due.
    owes: bool,
    ended: bool,
}

impl Ghost {
    fn bytes(&self) -> [u8; 9] {
        let closer = match self.begun {
            None => 0,
            Some(Closer::Local) => 1,
            Some(Closer::Peer) => 2,
        };
        let flags = [self.on_wire, self.failed, self.owes, self.ended].map(u8::from);
        let [sent, heard] = [self.sent, self.heard].map(|code| code.unwrap_or(0).to_be_bytes());
        [closer, flags[0], flags[1], flags[2], flags[3], sent[0], sent[1], heard[0], heard[1]]
    }

    /// The table in `src/state.rs`, once more and from what can be seen.
    fn transport(&self, server: bool) -> Transport {
        let over = self.heard.is_some() || self.failed;
        match (over, self.on_wire, self.ended) {
            (false, _, true) | (true, true, true) => Transport::Drop,
            (false, _, false) | (true, false, _) => Transport::Keep,
            (true, true, false) if self.failed || server => Transport::Shut,
            (true, true, false) => Transport::AwaitEnd,
        }
    }
}

/// A side's output, which is the stream to the other side and a witness of what is put on it.
struct Port<'a> {
    stream: &'a mut Stream,
    ghost: &'a mut Ghost,
    room: usize,
    put: usize,
}

impl Output for Port<'_> {
    fn room(&self) -> usize {
        if self.stream.cut || self.stream.pieces.len() < self.room { 1 << 20 } else { 0 }
    }

    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
        let mut bytes = head.to_vec();
        body.append_to(&mut bytes);
        if self.room() < bytes.len() {
            return false;
        }
        let ghost = &mut *self.ghost;
        if head.is_empty() {
            assert!(ghost.owes, "a payload that was not announced");
            ghost.owes = false;
        } else {
            assert!(!ghost.owes, "a frame inside another one");
            let (header, size) = FrameHeader::decode(&bytes).unwrap().unwrap();
            match header.opcode {
                Opcode::Close => {
                    assert!(!ghost.on_wire, "a second Close");
                    ghost.on_wire = true;
                    let code = bytes[size..].first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    ghost.sent = Some(code);
                }
                Opcode::Pong => {
                    assert!(ghost.heard.is_none() && !ghost.failed, "a pong behind the end");
                }
                opcode => {
                    assert_eq!(ghost.begun, None, "{opcode:?} behind our Close");
                    assert!(ghost.heard.is_none() && !ghost.failed && !ghost.on_wire);
                    ghost.owes = size as u64 + header.len > bytes.len() as u64;
                }
            }
        }
        self.put += 1;
        if !self.stream.cut {
            self.stream.pieces.push_back((bytes, 0));
        }
        true
    }
}

/// Both sides and what is between them.
#[derive(Clone, Debug)]
struct World {
    client: Connection<Client<Keys>>,
    server: Connection<Server>,
    /// From the client, from the server.
    streams: [Stream; 2],
    ghosts: [Ghost; 2],
    /// How many pieces a stream holds.
    room: usize,
    /// What tells one state of either connection from another.
    names: [Vec<u8>; 2],
}

/// Does the same to whichever side it is.
macro_rules! on {
    ($world:expr, $side:expr, ($conn:ident, $port:ident) => $body:expr) => {{
        let world = &mut *$world;
        let [client, server] = &mut world.streams;
        let [client_ghost, server_ghost] = &mut world.ghosts;
        if $side == CLIENT {
            let $conn = &mut world.client;
            #[allow(unused_mut, reason = "not every body puts")]
            let mut $port = Port { stream: client, ghost: client_ghost, room: world.room, put: 0 };
            $body
        } else {
            let $conn = &mut world.server;
            #[allow(unused_mut, reason = "not every body puts")]
            let mut $port = Port { stream: server, ghost: server_ghost, room: world.room, put: 0 };
            $body
        }
    }};
}

/// Timers that do nothing but look.
const QUIET: Timing =
    Timing { handshake: None, ping: None, pong: None, idle: None, close: None, control_rate: None };

/// Where `save` puts the stream's position: behind version, role, limits and agreements.
const POSITION: std::ops::Range<usize> = 26..34;

fn saved<R: Role>(conn: &Connection<R>) -> Vec<u8> {
    let mut bytes = [0; SAVED];
    let len = conn.save(&mut bytes);
    bytes[..len].to_vec()
}

/// The connection as if its stream were at one place always, and known by these bytes.
fn settle<R: Role>(conn: &mut Connection<R>, role: R) -> Vec<u8> {
    Keepalive::new(Duration::ZERO, QUIET).turn(Duration::ZERO, Some(conn), &mut Full);
    let mut bytes = saved(conn);
    assert_eq!(bytes[POSITION], conn.bytes_received().to_be_bytes(), "the layout of a saved state");
    bytes[POSITION].copy_from_slice(&1024_u64.to_be_bytes());
    *conn = Connection::restore(role, &bytes).unwrap();
    bytes
}

/// An output without room.
struct Full;

impl Output for Full {
    fn room(&self) -> usize {
        0
    }

    fn put(&mut self, _: &[u8], _: Body<'_>) -> bool {
        false
    }
}

const KEYS: Keys = || [0; 4];

impl World {
    fn new(room: usize) -> Self {
        let config = Config::default();
        let mut client = Connection::new(Client(KEYS), &config, Agreed::default());
        let mut server = Connection::new(Server, &config, Agreed::default());
        let names = [settle(&mut client, Client(KEYS)), settle(&mut server, Server)];
        Self { client, server, streams: Default::default(), ghosts: Default::default(), room, names }
    }

    /// What tells this state from others.
    fn name(&self) -> Vec<u8> {
        let mut name = self.names.concat();
        for (stream, ghost) in self.streams.iter().zip(&self.ghosts) {
            name.extend([u8::from(stream.cut), stream.pieces.len() as u8]);
            for (piece, taken) in &stream.pieces {
                name.extend([piece.len() as u8, *taken as u8]);
                name.extend(piece);
            }
            name.extend(ghost.bytes());
        }
        name
    }

    /// Does a thing, and makes the state canonical. False: there is nothing to do it with.
    fn act(&mut self, side: usize, act: Act) -> bool {
        let done = self.try_act(side, act);
        self.names[side] = if side == CLIENT {
            settle(&mut self.client, Client(KEYS))
        } else {
            settle(&mut self.server, Server)
        };
        done
    }

    fn try_act(&mut self, side: usize, act: Act) -> bool {
        let was = self.ghosts[side];
        match act {
            Act::Message => self.send(side, Outgoing::text("x")),
            Act::First => self.send(side, Outgoing::first(Kind::Text, b"\xc3")),
            Act::Last => self.send(side, Outgoing::last(b"\xa9")),
            Act::Ping => self.send(side, Outgoing::ping(b"p")),
            Act::Owe => on!(self, side, (conn, port) => {
                let whole = conn.send_header(Outgoing::whole(Kind::Text, b""), 1, &mut port);
                if whole == Err(SendError::Fragment) {
                    let _refused = conn.send_header(Outgoing::last(b""), 1, &mut port);
                }
                assert_eq!(conn.owed(), u64::from(port.ghost.owes));
            }),
            Act::Pay => {
                if !was.owes {
                    return false;
                }
                on!(self, side, (conn, port) => {
                    if conn.pay(b"x", &mut port) == Err(SendError::Utf8) {
                        conn.pay(b"\xa9", &mut port).unwrap();
                    }
                    assert_eq!(conn.owed(), u64::from(port.ghost.owes));
                });
            }
            Act::Close | Act::CloseBare => {
                let code = if act == Act::Close { CloseCode::NORMAL } else { CloseCode::NO_STATUS };
                self.begin(side, Closer::Local, code);
                on!(self, side, (conn, port) => match act {
                    Act::Close => conn.close(code, "", &mut port).unwrap(),
                    _ => conn.close_without_code(&mut port),
                });
            }
            Act::Fail => {
                let event = on!(self, side, (conn, port) => conn.fail(Rule::ControlRate, &mut port));
                assert!(matches!(event, Event::Failed(_)));
                self.failed(side, was);
            }
            Act::Poll => on!(self, side, (conn, port) => {
                let waited = conn.is_reply_waiting();
                let sent = conn.poll_transmit(&mut port);
                assert_eq!((sent, waited && !conn.is_reply_waiting()), (port.put == 1, sent));
            }),
            Act::ReadSome | Act::ReadAll | Act::ReadStrictly => return self.read(side, act),
            Act::End => {
                if was.ended {
                    return false;
                }
                let stream = &mut self.streams[1 - side];
                stream.pieces.clear();
                stream.cut = true;
                self.ghosts[side].ended = true;
                on!(self, side, (conn, _port) => {
                    let closure = conn.receive_eof();
                    assert_eq!(conn.receive_eof(), closure, "the end, repeated");
                });
            }
        }
        true
    }

    /// A side's closing handshake begins, unless it has.
    fn begin(&mut self, side: usize, first: Closer, code: CloseCode) {
        let ghost = &mut self.ghosts[side];
        if ghost.begun.is_none() {
            ghost.begun = Some(first);
            ghost.sent = Some(code.get());
        }
    }

    /// A side, which was like this, has failed the connection.
    fn failed(&mut self, side: usize, was: Ghost) {
        let ghost = &mut self.ghosts[side];
        if was.heard.is_some() {
            return;
        }
        ghost.failed = true;
        if ghost.begun.is_none() {
            ghost.begun = Some(Closer::Local);
        }
        if !ghost.on_wire && !was.failed {
            ghost.sent = Some(1008); // in the place of a Close that waits (W155)
        }
        if ghost.on_wire && !was.on_wire {
            // The one that waited went out, or this one.
            assert!(ghost.sent == Some(1008) || ghost.sent == was.sent);
        }
    }

    fn send(&mut self, side: usize, frame: Outgoing<'_>) {
        let closed = self.ghosts[side].begun.is_some();
        on!(self, side, (conn, port) => {
            let sent = conn.send(frame, &mut port);
            assert_eq!(sent == Err(SendError::Closed), closed);
            assert!(!closed || port.put == 0, "something went out behind a Close");
        });
    }

    /// Reads the next piece or a part of it.
    fn read(&mut self, side: usize, act: Act) -> bool {
        let was = self.ghosts[side];
        let pieces = &mut self.streams[1 - side].pieces;
        let mut bytes = Vec::new();
        match pieces.front_mut() {
            _ if was.ended => return false,
            None if act == Act::ReadSome => return false,
            None => {}
            Some((piece, taken)) => {
                let end = match act {
                    Act::ReadSome if *taken == 0 => 1,
                    Act::ReadSome => piece.len() - 1,
                    _ => piece.len(),
                };
                if *taken >= end || (act == Act::ReadSome && end == piece.len()) {
                    return false;
                }
                bytes.extend(&piece[*taken..end]);
                *taken = end;
                if end == piece.len() {
                    pieces.pop_front();
                }
            }
        }

        let deaf = was.heard.is_some() || was.failed;
        let mut controls = false;
        let mut told = None;
        on!(self, side, (conn, port) => {
            let mut input = Input::new(&mut bytes);
            while let Some(event) = conn.receive(&mut input, &mut port) {
                match event {
                    // What timers found, told late.
                    Event::Failed(error) => assert!(was.failed && error.rule == Rule::ControlRate),
                    event => {
                        assert!(!deaf && told.is_none(), "an event behind the end: {event:?}");
                        controls |= matches!(event, Event::Ping(_) | Event::Pong(_));
                        if let Event::Close(frame) = event {
                            told = Some(frame.map_or(CloseCode::NO_STATUS, |frame| frame.code()).get());
                        }
                    }
                }
            }
            assert!(input.is_empty(), "every byte is taken");
        });
        let ghost = &mut self.ghosts[side];
        if let Some(code) = told {
            ghost.heard = Some(code);
            if was.begun.is_none() {
                ghost.begun = Some(Closer::Peer);
                // The answer repeats the code, be it on the stream already or not.
                assert_eq!(ghost.sent.is_some(), ghost.on_wire);
                assert_eq!(*ghost.sent.get_or_insert(code), code);
            }
        }
        if act == Act::ReadStrictly {
            let was = *ghost;
            let timing =
                Timing { control_rate: Some(Rate { count: 0, per: Duration::from_secs(1) }), ..QUIET };
            on!(self, side, (conn, port) => {
                Keepalive::new(Duration::ZERO, timing).turn(Duration::ZERO, Some(conn), &mut port);
            });
            if controls {
                self.failed(side, was);
            }
        }
        true
    }

    fn transport(&self, side: usize) -> Transport {
        if side == CLIENT { self.client.transport() } else { self.server.transport() }
    }

    /// What must hold in every state.
    fn check(&self) {
        let mut closures = Vec::new();
        for (side, ghost) in self.ghosts.iter().enumerate() {
            let mut world = self.clone();
            let (closure, failure) = on!(&mut world, side, (conn, _port) => (conn.closure(), conn.failure()));
            assert_eq!(self.transport(side), ghost.transport(side == SERVER), "transport");
            assert_eq!(closure.sent.map(CloseCode::get), ghost.sent, "sent");
            assert_eq!(closure.received.map(CloseCode::get), ghost.heard, "received");
            assert_eq!(closure.first, ghost.begun, "first");
            let exchanged = ghost.heard.is_some() && ghost.on_wire;
            assert_eq!(closure.clean, exchanged && ghost.ended, "clean");
            assert_eq!(closure.code().get(), ghost.heard.unwrap_or(1006));
            assert!(!ghost.failed || failure.is_some());
            let unclear = ghost.ended && ghost.heard.is_none();
            assert_eq!(closure.cause.is_some(), failure.is_some() || unclear, "cause");
            closures.push(closure);

            on!(&mut world, side, (conn, _port) => check_deaf(conn, ghost));
            on!(&mut world, side, (conn, port) => check_deadlines(conn, &mut port));
        }

        // Both accounts agree, as soon as both can give one.
        let [a, b] = closures[..] else { unreachable!() };
        for (own, other) in [(a, b), (b, a)] {
            if own.received.is_some() {
                assert_eq!(own.received, other.sent, "received what was sent");
            }
            assert!(
                own.first != Some(Closer::Peer) || other.first == Some(Closer::Local),
                "somebody was first"
            );
        }
    }

    /// The next step of two drivers who only want to get out: they pay, write, read, and shut the transport when they
    /// are told to. `None`: both are out.
    fn way_out(&self) -> Option<(usize, Act)> {
        for side in [CLIENT, SERVER] {
            let mut world = self.clone();
            let (waits, has_room) =
                on!(&mut world, side, (conn, port) => (conn.is_reply_waiting(), port.room() > 0));
            if self.ghosts[side].owes && has_room {
                return Some((side, Act::Pay));
            }
            if waits && has_room {
                return Some((side, Act::Poll));
            }
            if !self.streams[1 - side].pieces.is_empty() {
                return Some((side, Act::ReadAll));
            }
        }
        for side in [CLIENT, SERVER] {
            let shuts = matches!(self.transport(1 - side), Transport::Shut | Transport::Drop);
            if shuts && !self.ghosts[side].ended {
                return Some((side, Act::End));
            }
        }
        let verdicts = [self.transport(CLIENT), self.transport(SERVER)];
        if verdicts == [Transport::Drop; 2] {
            return None;
        }
        // Nobody wants to get out yet.
        assert!(self.ghosts.iter().all(|ghost| ghost.begun.is_none()), "no way out: {verdicts:?}");
        Some((SERVER, Act::Close))
    }
}

/// Behind the end everything is taken, nothing is told but a failure that was not yet, and nothing changes.
fn check_deaf<R: Role + Clone>(conn: &Connection<R>, ghost: &Ghost) {
    if ghost.heard.is_none() && !ghost.failed {
        return;
    }
    let mut conn = conn.clone();
    let mut told = 0;
    for round in 0..2 {
        let before = saved(&conn);
        let mut bytes = [0xff; 20];
        let mut input = Input::new(&mut bytes);
        while let Some(event) = conn.receive(&mut input, &mut Full) {
            assert!(ghost.failed && matches!(event, Event::Failed(_)));
            told += 1;
        }
        assert!(input.is_empty() && told <= 1, "told once");
        assert_eq!(bytes, [0xff; 20], "nothing is unmasked");
        assert!(round == 0 || saved(&conn) == before, "nothing changes");
    }
}

/// If nothing moves any more, timers lead out: each turn names a later time, and soon one says to drop the transport.
fn check_deadlines<R: Role>(conn: &mut Connection<R>, out: &mut impl Output) {
    let mut now = Duration::from_secs(1000);
    let mut timers = Keepalive::new(now, Timing::default());
    for _ in 0..4 {
        match timers.turn(now, Some(conn), out) {
            Due::Drop(_) => return,
            Due::Wait(Some(next)) => {
                assert!(next > now, "a time that has come");
                now = next;
            }
            Due::Wait(None) => break,
        }
    }
    panic!("a state without a deadline: {:?}", conn.closure());
}

/// Looks at every state and does in each whatever either side can do; gives the numbers of states and transitions.
fn explore(room: usize, acts: [&[&[Act]]; 2]) -> (usize, usize) {
    let acts = acts.map(<[_]>::concat);
    let start = World::new(room);
    let mut known = HashSet::from([start.name()]);
    let mut left = HashSet::new();
    let mut ahead = VecDeque::from([start]);
    let mut transitions = 0;
    while let Some(world) = ahead.pop_front() {
        world.check();
        leave(world.clone(), &mut left);
        for side in [CLIENT, SERVER] {
            for &act in &acts[side] {
                let mut next = world.clone();
                if next.act(side, act) {
                    transitions += 1;
                    if known.insert(next.name()) {
                        ahead.push_back(next);
                    }
                }
            }
        }
    }
    println!("room for {room}, {acts:?}: {} states, {transitions} transitions", known.len());
    (known.len(), transitions)
}

/// Follows the way out of a state to its end. `left`: states that it was followed from before.
fn leave(mut world: World, left: &mut HashSet<Vec<u8>>) {
    let mut steps = 0;
    while left.insert(world.name()) {
        let Some((side, act)) = world.way_out() else { return };
        assert!(world.act(side, act), "{side} cannot {act:?}");
        steps += 1;
        assert!(steps < 100, "the way out has no end");
    }
}

// The numbers are those of this machine: another behaviour gives others, and so does another field in a saved state.
// Whoever changes either looks here whether the change is as large as was meant.

#[test]
fn closes_and_failures() {
    // More room changes nothing: there is one Close a side.
    for room in [2, 3] {
        assert_eq!(explore(room, [&[CLOSING], &[CLOSING]]), (2160, 23_131));
    }
}

#[test]
fn closes_failures_and_pings() {
    assert_eq!(explore(1, [&[CLOSING, PINGS], &[CLOSING, PINGS]]), (38_640, 558_069));
}

#[test]
fn data_from_the_client() {
    assert_eq!(explore(1, [&[CLOSING, DATA], &[CLOSING]]), (49_962, 753_990));
}

#[test]
fn data_from_the_server() {
    assert_eq!(explore(1, [&[CLOSING], &[CLOSING, DATA]]), (49_648, 747_958));
}

#[test]
#[ignore = "up to half a minute and a gigabyte: cargo test --release --test explore -- --ignored --test-threads 1"]
fn data_both_ways() {
    assert_eq!(explore(1, [&[CLOSING, DATA], &[CLOSING, DATA]]), (798_832, 15_176_016));
}

#[test]
#[ignore = "up to half a minute and a gigabyte: cargo test --release --test explore -- --ignored --test-threads 1"]
fn pings_in_longer_streams() {
    assert_eq!(explore(2, [&[CLOSING, PINGS], &[CLOSING, PINGS]]), (190_667, 3_025_745));
}

#[test]
#[ignore = "up to half a minute and a gigabyte: cargo test --release --test explore -- --ignored --test-threads 1"]
fn everything_from_the_client() {
    assert_eq!(explore(1, [&[CLOSING, PINGS, DATA], &[CLOSING, PINGS]]), (390_992, 7_182_730));
}

#[test]
#[ignore = "up to half a minute and a gigabyte: cargo test --release --test explore -- --ignored --test-threads 1"]
fn everything_from_the_server() {
    assert_eq!(explore(1, [&[CLOSING, PINGS], &[CLOSING, PINGS, DATA]]), (384_074, 7_050_430));
}
