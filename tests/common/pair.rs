//! A client and a server joined by two streams of bytes, and everything that may happen between them.
//!
//! [`Pair::step`] does one thing on one side, [`Pair::drive`] goes on until nothing moves. What holds at every step
//! is asserted here: what a side puts on its stream is read back by the naive oracle at the end.

use std::collections::VecDeque;

use websocket_proto::{
    Agreed, Client, CloseCode, Closure, Config, Connection, Event, Input, Kind, Outgoing, Output, Role, Rule,
    SendError, Server, SliceOutput, Transport,
};

use super::{keys::Keys, oracle::Seen, run};

/// How a frame of the script is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With `send`; as `Pay` if it can never fit.
    Whole,
    /// Its header, then its payload in pieces through the output.
    Pay,
    /// Its header, then its payload in pieces behind the output.
    InPlace,
}

/// A data frame that a side is going to send.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    pub(crate) first: bool,
    pub(crate) fin: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) manner: Manner,
}

impl Planned {
    fn outgoing(&self) -> Outgoing<'_> {
        match (self.first, self.fin) {
            (true, true) => Outgoing::whole(self.kind, &self.payload),
            (true, false) => Outgoing::first(self.kind, &self.payload),
            (false, false) => Outgoing::next(&self.payload),
            (false, true) => Outgoing::last(&self.payload),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One thing that a side does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Goes on with the script: sends the next frame, or pays up to so many bytes of the one under way.
    Advance(usize),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, usize),
    CloseBare,
    Fail(Rule),
    /// Reads up to so many bytes.
    Read(usize),
    /// Writes up to so many bytes.
    Write(usize),
    Poll,
    /// Its reading stream ends: what is under way is lost.
    Cut,
}

/// One side.
#[derive(Debug)]
pub(crate) struct Peer<R: Role> {
    pub(crate) conn: Connection<R>,
    out: SliceOutput<Vec<u8>>,
    size: usize,
    script: VecDeque<Planned>,
    /// The frame whose payload is owed, and how much of it was paid.
    debt: Option<(Planned, usize)>,
    /// Everything that was read, until the reading ended.
    pub(crate) heard: Vec<u8>,
    /// Everything that was written.
    pub(crate) written: Vec<u8>,
    /// Every data frame that `send` or `send_header` accepted.
    pub(crate) accepted: Vec<Planned>,
    pub(crate) pinged: Vec<Vec<u8>>,
    pub(crate) seen: Vec<Seen>,
    /// How much was put out when the peer's Close, or a failure, was told: no pong may begin behind it.
    pub(crate) mark: Option<usize>,
    closing: bool,
    pub(crate) end: Option<Closure>,
}

impl<R: Role> Peer<R> {
    fn new(role: R, size: usize, script: Vec<Planned>) -> Self {
        Self {
            conn: Connection::new(role, &Config::default(), Agreed::default()),
            out: SliceOutput::new(vec![0xaa; size]),
            size,
            script: script.into(),
            debt: None,
            heard: Vec::new(),
            written: Vec::new(),
            accepted: Vec::new(),
            pinged: Vec::new(),
            seen: Vec::new(),
            mark: None,
            closing: false,
            end: None,
        }
    }

    /// Whether the peer's Close or a failure ended the reading.
    fn is_deaf(&self) -> bool {
        self.mark.is_some()
    }

    fn put_out(&self) -> usize {
        self.written.len() + self.out.pending().len()
    }

    /// Takes up to `n` bytes out of the output.
    fn write(&mut self, n: usize) -> Vec<u8> {
        let bytes = self.out.pending()[..n.min(self.out.pending().len())].to_vec();
        self.out.advance(bytes.len());
        self.written.extend(&bytes);
        bytes
    }

    /// Does a thing other than reading; what is written behind the output's back is returned.
    fn act(&mut self, act: &Act) -> Vec<u8> {
        let before = self.out.pending().to_vec();
        let waited = self.conn.is_reply_waiting();
        let result = match act {
            Act::Advance(n) if self.debt.is_some() => return self.pay(*n),
            Act::Advance(_) => self.send_next(),
            Act::Ping(payload) => {
                let result = self.conn.send(Outgoing::ping(payload), &mut self.out);
                if result.is_ok() {
                    self.pinged.push(payload.clone());
                }
                result
            }
            Act::Pong(payload) => self.conn.send(Outgoing::pong(payload), &mut self.out),
            Act::Close(code, len) => {
                self.closing = true;
                self.conn.close(CloseCode::new(*code), &"r".repeat(*len), &mut self.out)
            }
            Act::CloseBare => {
                self.closing = true;
                self.conn.close_without_code(&mut self.out);
                Ok(())
            }
            Act::Fail(rule) => {
                self.closing = true;
                let first = self.conn.failure();
                let event = self.conn.fail(*rule, &mut self.out);
                let Event::Failed(error) = event else { panic!("{event:?}") };
                assert_eq!(error, first.unwrap_or(error), "an earlier failure stands");
                self.mark.get_or_insert(self.put_out());
                Ok(())
            }
            Act::Write(n) => return self.write(*n),
            Act::Poll => {
                let before = self.put_out();
                let sent = self.conn.poll_transmit(&mut self.out);
                assert_eq!(sent, self.put_out() > before);
                assert!(!sent || waited);
                Ok(())
            }
            Act::Read(_) | Act::Cut => Ok(()),
        };
        match result {
            Ok(()) => {}
            Err(SendError::Closed) => assert!(self.closing || self.is_deaf(), "closed without a reason"),
            Err(SendError::Owed { bytes }) => {
                let (planned, paid) = self.debt.as_ref().expect("nothing is owed");
                assert_eq!(bytes, (planned.payload.len() - paid) as u64);
                assert_eq!(self.out.pending(), before);
            }
            Err(SendError::NoRoom { needed }) => {
                assert!(needed > self.out.room(), "there is room for {needed}")
            }
            Err(error) => panic!("{error} on {act:?}"),
        }
        assert!(self.out.pending().starts_with(&before), "what was put out stays");
        if self.closing || self.is_deaf() {
            let before = self.put_out();
            for frame in [Outgoing::text("late"), Outgoing::ping(b"late"), Outgoing::last(b"late")] {
                assert_eq!(self.conn.send(frame, &mut self.out), Err(SendError::Closed));
            }
            let late = self.conn.send_header(Outgoing::binary(&[]), 1 << 40, &mut self.out);
            assert_eq!(late, Err(SendError::Closed));
            assert_eq!(self.put_out(), before);
        }
        Vec::new()
    }

    /// Sends the next frame of the script, or its header.
    fn send_next(&mut self) -> Result<(), SendError> {
        let Some(planned) = self.script.front().cloned() else { return Ok(()) };
        let frame = planned.outgoing();
        if planned.manner == Manner::Whole && planned.payload.len() + 14 <= self.size {
            self.conn.send(frame, &mut self.out)?;
        } else {
            self.conn.send_header(frame, planned.payload.len() as u64, &mut self.out)?;
            assert_eq!(self.conn.owed(), planned.payload.len() as u64);
            self.debt = (!planned.payload.is_empty()).then(|| (planned.clone(), 0));
        }
        self.accepted.push(planned);
        self.script.pop_front();
        Ok(())
    }

    /// Pays up to `n` bytes, and gives back what goes out behind the output.
    fn pay(&mut self, n: usize) -> Vec<u8> {
        let Some((planned, paid)) = &mut self.debt else { return Vec::new() };
        let rest = &planned.payload[*paid..];
        let mut chunk = rest[..n.min(rest.len())].to_vec();
        let mut direct = Vec::new();
        if planned.manner == Manner::InPlace {
            // The bytes follow what is in the output: that is written first.
            self.conn.pay_in_place(&mut chunk).expect("the script is sound");
            direct = self.out.pending().to_vec();
            self.out.advance(direct.len());
            direct.extend(&chunk);
            self.written.extend(&direct);
            *paid += chunk.len();
        } else {
            // More than is owed may be handed over; what is owed is taken of it.
            let room = self.out.room();
            let taken = self.conn.pay(&chunk, &mut self.out).expect("the script is sound");
            assert_eq!(taken, chunk.len().min(room), "as much as fits");
            *paid += taken;
        }
        assert_eq!(self.conn.owed(), (planned.payload.len() - *paid) as u64);
        if self.conn.owed() == 0 {
            self.debt = None;
        }
        direct
    }

    /// Reads these bytes, all of them.
    fn read(&mut self, bytes: &mut [u8]) {
        if !self.is_deaf() {
            self.heard.extend(&*bytes);
        }
        let mut input = Input::new(bytes);
        while let Some(event) = self.conn.receive(&mut input, &mut self.out) {
            assert!(!self.is_deaf(), "an event behind the end: {event:?}");
            run::note(&mut self.seen, &event);
            if matches!(event, Event::Close(_) | Event::Failed(_)) {
                self.mark = Some(self.written.len() + self.out.pending().len());
            }
        }
        assert!(input.is_empty(), "every byte is taken");
    }

    fn eof(&mut self) {
        let closure = self.conn.receive_eof();
        assert_eq!(self.conn.receive_eof(), closure, "the end, repeated, changes nothing");
        self.end = Some(closure);
    }
}

/// Both sides, and the bytes between them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: Peer<Client<Keys>>,
    pub(crate) server: Peer<Server>,
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    /// How many bytes in all pass before the stream breaks.
    limits: [usize; 2],
    passed: [usize; 2],
}

/// Does the same to whichever side it is.
macro_rules! on {
    ($pair:expr, $side:expr, $peer:ident => $body:expr) => {
        match $side {
            Side::Client => {
                let $peer = &mut $pair.client;
                $body
            }
            Side::Server => {
                let $peer = &mut $pair.server;
                $body
            }
        }
    };
}

impl Pair {
    pub(crate) fn new(sizes: [usize; 2], scripts: [Vec<Planned>; 2]) -> Self {
        let [client, server] = scripts;
        Self {
            client: Peer::new(Client(Keys::default()), sizes[0], client),
            server: Peer::new(Server, sizes[1], server),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            limits: [usize::MAX; 2],
            passed: [0; 2],
        }
    }

    /// The stream from the client, and that from the server, break behind so many bytes.
    pub(crate) fn break_at(&mut self, limits: [usize; 2]) {
        self.limits = limits;
    }

    /// Does one thing. True: something moved.
    pub(crate) fn step(&mut self, side: Side, act: &Act) -> bool {
        let before = self.progress();
        match act {
            Act::Read(n) => self.read(side, *n),
            Act::Cut => {
                self.stream(side).clear();
                self.limits[side.other() as usize] = 0;
                on!(self, side, peer => peer.eof());
            }
            _ => {
                let bytes = on!(self, side, peer => peer.act(act));
                let (limit, passed) = (self.limits[side as usize], &mut self.passed[side as usize]);
                let pass = bytes.len().min(limit.saturating_sub(*passed));
                *passed += pass;
                let stream = match side {
                    Side::Client => &mut self.to_server,
                    Side::Server => &mut self.to_client,
                };
                stream.extend(&bytes[..pass]);
            }
        }
        self.progress() != before
    }

    /// The stream that this side reads.
    fn stream(&mut self, side: Side) -> &mut VecDeque<u8> {
        match side {
            Side::Client => &mut self.to_client,
            Side::Server => &mut self.to_server,
        }
    }

    fn read(&mut self, side: Side, n: usize) {
        let stream = self.stream(side);
        let mut bytes: Vec<u8> = stream.drain(..n.min(stream.len())).collect();
        on!(self, side, peer => {
            if peer.end.is_none() {
                peer.read(&mut bytes);
            }
        });
    }

    /// What changes when something moves.
    fn progress(&self) -> [usize; 8] {
        let (client, server) = (&self.client, &self.server);
        [
            client.put_out(),
            server.put_out(),
            client.written.len(),
            server.written.len(),
            self.to_client.len(),
            self.to_server.len(),
            client.script.len() + client.conn.owed() as usize,
            server.script.len() + server.conn.owed() as usize,
        ]
    }

    /// Goes on with scripts, replies, writing and reading until nothing moves.
    pub(crate) fn drive(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for side in [Side::Client, Side::Server] {
                for act in [Act::Advance(1000), Act::Poll, Act::Write(usize::MAX), Act::Read(usize::MAX)] {
                    moved |= self.step(side, &act);
                }
            }
        }
    }

    /// Ends a run as drivers do: drives, closes if nobody did, obeys both verdicts, and asserts that they lead out.
    pub(crate) fn finish(&mut self) {
        self.drive();
        let is_open = |closure: Closure| closure.sent.is_none() && closure.received.is_none();
        if is_open(self.client.conn.closure()) && is_open(self.server.conn.closure()) {
            self.step(Side::Server, &Act::Close(1000, 3));
            self.drive();
        }
        for side in [Side::Server, Side::Client, Side::Server, Side::Client] {
            // Whoever lost the peer's bytes learns of it; whoever is told to shut lets the other read the end.
            let other = side.other();
            let broken = self.passed[other as usize] >= self.limits[other as usize];
            let theirs = on!(self, other, peer => peer.conn.transport());
            if broken || matches!(theirs, Transport::Shut | Transport::Drop) {
                on!(self, side, peer => peer.eof());
            }
            self.drive();
        }
        // No side needed a deadline to get here.
        assert_eq!(
            (self.client.conn.transport(), self.server.conn.transport()),
            (Transport::Drop, Transport::Drop)
        );
        assert!(self.client.end.is_some() && self.server.end.is_some());
    }
}
