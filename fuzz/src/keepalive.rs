//! Timers: who comes at the times named and after each read or write misses nothing that one who comes every second sees,
//! and a time named is one to come. And the delays of reconnections.

use std::time::Duration;

use arbitrary::Unstructured;
use websocket_proto::{
    Agreed, Client, CloseCode, Config, Connection, Due, Event, Input, Keepalive, MIN_OUTPUT, Outgoing,
    Output, Rate, Role, Rule, Server, SliceOutput, Timeout, Timing, reconnect_delay,
};

use crate::{
    common::{keys::Keys, oracle::frame},
    support::{byte, piece},
    words,
};

const START: Duration = Duration::from_secs(1000);

pub fn keepalive(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    // 0 is for ever.
    let mut time = |at: u8| match byte(&mut u) {
        0 => None,
        0xff => Some(Duration::MAX),
        n => Some(Duration::from_secs(u64::from(n % at) + 1)),
    };
    let times: [Option<Duration>; 5] = [time(40), time(40), time(90), time(20), time(30)];
    let rate = times[4].map(|per| Rate { count: u16::from(flags >> 4), per });
    let timing = Timing {
        handshake: times[0],
        ping: times[0],
        pong: times[1],
        idle: times[2],
        close: times[3],
        control_rate: rate,
    };
    handshake(timing.handshake, &mut u);
    let script = u.take_rest();
    let live = |always| {
        let keys = Keys::default();
        match flags & 1 == 0 {
            true => Run::new(Server, keys, timing, always).act(script, true),
            false => Run::new(Client(keys.clone()), keys, timing, always).act(script, false),
        }
    };
    let told = live(false);
    match rate {
        None => assert_eq!(told, live(true)),
        // Its windows begin when somebody comes. Whoever stays below the rate is never above it.
        Some(rate) => {
            let is_control =
                |event: &&String| ["Ping", "Pong", "Close"].iter().any(|name| event.starts_with(name));
            let controls = told.1.iter().filter(is_control).count();
            let flooded = told.1.iter().any(|event| event.contains("ControlRate"));
            assert!(!flooded || controls > usize::from(rate.count));
        }
    }
    delays(data);
}

/// W126: before the connection there is one deadline.
fn handshake(limit: Option<Duration>, u: &mut Unstructured<'_>) {
    let timing = Timing { handshake: limit, ..Timing::default() };
    let mut timers = Keepalive::new(START, timing);
    let mut out = Vec::new();
    let deadline = limit.map(|limit| START.saturating_add(limit));
    let mut now = START;
    for _ in 0..3 {
        // W150: a clock that goes back is not believed.
        let shown = START + Duration::from_secs(u64::from(byte(u)));
        now = now.max(shown);
        let due = timers.turn::<Server>(shown, None, &mut out);
        assert_eq!(
            due,
            match deadline {
                Some(deadline) if deadline <= now => Due::Drop(Timeout::Handshake),
                deadline => Due::Wait(deadline),
            }
        );
    }
    assert!(out.is_empty() && timers.round_trip().is_none());
}

/// W128: the first within five seconds, the others between half and the whole of what doubles six times.
fn delays(data: &[u8]) {
    let random = data.iter().fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
    for attempt in 0..10 {
        let whole = 5 * (1 << attempt.min(6));
        let least = if attempt == 0 { 0 } else { whole / 2 };
        let delay = reconnect_delay(attempt, random);
        assert!((Duration::from_secs(least)..Duration::from_secs(whole)).contains(&delay));
        assert!(reconnect_delay(attempt, random / 2) <= delay);
    }
}

/// What was written when, the events, how it ended, and the round trip.
type Told = (Vec<(Duration, Vec<u8>)>, Vec<String>, Option<(Duration, Timeout)>, Option<Duration>);

struct Run<R: Role> {
    conn: Connection<R>,
    /// Those of the client.
    keys: Keys,
    timers: Keepalive,
    out: SliceOutput<[u8; MIN_OUTPUT]>,
    pending: usize,
    always: bool,
    now: Duration,
    /// The time to come that was named last.
    named: Option<Duration>,
    written: Vec<(Duration, Vec<u8>)>,
    events: Vec<String>,
}

impl<R: Role> Run<R> {
    fn new(role: R, keys: Keys, timing: Timing, always: bool) -> Self {
        let conn = Connection::new(role, &Config::default(), Agreed::default());
        Self {
            conn,
            keys,
            timers: Keepalive::new(START, timing),
            out: SliceOutput::new([0; MIN_OUTPUT]),
            pending: 0,
            always,
            now: START,
            named: None,
            written: Vec::new(),
            events: Vec::new(),
        }
    }

    fn act(mut self, script: &[u8], server: bool) -> Told {
        let mut u = Unstructured::new(script);
        let mut end = self.turn();
        for _ in 0..24 {
            if u.is_empty() || end.is_some() {
                break;
            }
            let at = self.now + Duration::from_secs(u64::from(byte(&mut u) % 50));
            end = self.wait(at);
            if end.is_none() {
                self.one(&mut u, server);
                end = self.turn();
            }
        }
        if end.is_none() {
            end = self.wait(self.now + Duration::from_secs(300));
        }
        (self.written, self.events, end, self.timers.round_trip())
    }

    /// Comes at the times named up to `at`, and every second besides if it is to.
    fn wait(&mut self, at: Duration) -> Option<(Duration, Timeout)> {
        while self.now < at {
            let second = self.always.then_some(self.now + Duration::from_secs(1));
            let next = self.named.into_iter().chain(second).chain([at]).min().expect("there is `at`");
            self.now = next;
            let end = self.turn();
            if end.is_some() {
                return end;
            }
        }
        None
    }

    fn turn(&mut self) -> Option<(Duration, Timeout)> {
        // As a driver does that has written something.
        self.conn.poll_transmit(&mut self.out);
        let due = self.timers.turn(self.now, Some(&mut self.conn), &mut self.out);
        let pending = self.out.pending();
        if pending.len() > self.pending {
            self.written.push((self.now, pending[self.pending..].to_vec()));
        }
        self.pending = pending.len();
        match due {
            Due::Drop(timeout) => Some((self.now, timeout)),
            Due::Wait(time) => {
                assert!(time.is_none_or(|time| time > self.now), "it names a time to come");
                self.named = time;
                None
            }
        }
    }

    fn one(&mut self, u: &mut Unstructured<'_>, server: bool) {
        let choice = byte(u);
        let n = usize::from(choice >> 4);
        let key = server.then_some([0, 1, 2, 3]);
        match choice & 0x0f {
            0 => self.read(frame(0x82, b"x", key)),
            1 => self.read(frame(0x8a, &u32::from(choice >> 4).to_be_bytes(), key)),
            2 => self.read(frame(0x89, b"?", key).repeat(n)),
            3 => self.read(frame(0x88, &1000_u16.to_be_bytes(), key)),
            4 => self.read(piece(u, n).to_vec()),
            5 => self.sent(|conn, out| conn.send(Outgoing::binary(b"0123456789"), out)),
            6 => self.sent(|conn, out| conn.send_header(Outgoing::binary(b""), 5, out)),
            7 => self.sent(|conn, out| conn.pay(b"12345", out).map(drop)),
            8 => self.sent(|conn, out| conn.close(CloseCode::NORMAL, "", out)),
            9 => drop(self.conn.fail(Rule::Policy, &mut self.out)),
            10 => words::closure(self.conn.receive_eof()),
            11 => self.keys.set_dry(n & 1 != 0),
            _ => {
                self.out.advance(n * n);
                self.pending = self.out.pending().len();
            }
        }
    }

    fn sent(
        &mut self,
        send: impl Fn(
            &mut Connection<R>,
            &mut SliceOutput<[u8; MIN_OUTPUT]>,
        ) -> Result<(), websocket_proto::SendError>,
    ) {
        let room = self.out.room();
        if let Err(error) = send(&mut self.conn, &mut self.out) {
            words::send_error(error);
            assert!(self.out.room() <= room);
        }
    }

    fn read(&mut self, mut bytes: Vec<u8>) {
        let mut input = Input::new(&mut bytes);
        while let Some(event) = self.conn.receive(&mut input, &mut self.out) {
            if let Event::Failed(error) = event {
                words::protocol_error(error);
            }
            self.events.push(format!("{event:?}"));
        }
    }
}
