//! Time: the deadlines of a connection, its pings, and the rate of its control frames. The clock is the caller's.

use core::time::Duration;

use crate::{
    bytes::Output,
    close::CloseCode,
    connection::{Connection, Signs},
    event::Outgoing,
    role::Role,
    rule::Rule,
};

/// How long a connection may take for what. `None`: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// For the opening handshake. Default: 10 s.
    pub handshake: Option<Duration>,
    /// A peer that sent nothing for so long is pinged. Default: 30 s.
    pub ping: Option<Duration>,
    /// A pinged peer that then sends nothing for so long is gone; so is a quiet one that cannot even be pinged because
    /// nothing moves: neither the output's room nor what is owed of a payload changes for so long. Default: 20 s.
    pub pong: Option<Duration>,
    /// A connection without data frames in either direction for so long is closed with 1001. Default: for ever.
    pub idle: Option<Duration>,
    /// For the closing handshake, and for the peer to end the stream behind it. Default: 5 s.
    pub close: Option<Duration>,
    /// The most control frames that the peer may send in what time. Default: no limit.
    pub control_rate: Option<Rate>,
}

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u16,
    /// In what time.
    pub per: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Some(Duration::from_secs(10)),
            ping: Some(Duration::from_secs(30)),
            pong: Some(Duration::from_secs(20)),
            idle: None,
            close: Some(Duration::from_secs(5)),
            control_rate: None,
        }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Due {
    /// Nothing before this time: call [`Keepalive::turn`] again then, and after the next turn of the loop.
    Wait(Option<Duration>),
    /// Drop the transport.
    Drop(Timeout),
}

/// Which deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Timeout {
    /// The opening handshake was not done in time.
    Handshake,
    /// The peer answered no ping, and sent nothing else either.
    Pong,
    /// The peer is quiet, and nothing of what is sent moves.
    Stalled,
    /// The closing handshake was not done in time, or the stream did not end behind it.
    Close,
}

/// The timers of one connection.
///
/// Call [`turn`](Self::turn) after each turn of the driver's loop and when the time that it named has come. It reads
/// what it needs to know from the connection.
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::{Agreed, Config, Connection, Due, Keepalive, Server, Timeout, Timing};
///
/// let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
/// let mut out = Vec::new();
/// let start = Duration::from_secs(100); // whatever the clock shows
/// let mut timers = Keepalive::new(start, Timing::default());
///
/// let due = timers.turn(start, Some(&mut conn), &mut out);
/// assert_eq!(due, Due::Wait(Some(start + Duration::from_secs(30))));
/// let due = timers.turn(start + Duration::from_secs(30), Some(&mut conn), &mut out);
/// assert_eq!(out, b"\x89\x04\0\0\0\x01"); // a ping
/// assert_eq!(due, Due::Wait(Some(start + Duration::from_secs(50))));
/// let due = timers.turn(start + Duration::from_secs(50), Some(&mut conn), &mut out);
/// assert_eq!(due, Due::Drop(Timeout::Pong));
/// ```
#[derive(Clone, Debug)]
pub struct Keepalive {
    timing: Timing,
    /// The latest time that was handed in.
    now: Duration,
    started: Duration,
    opened: bool,
    /// The bytes received when they were last looked at, and when they last changed.
    bytes: u64,
    heard: Duration,
    /// When data frames last came or went.
    active: Duration,
    /// The ping that awaits an answer.
    awaiting: Option<Duration>,
    /// The number of the last ping, and when it was sent.
    ping: u32,
    pinged: Duration,
    /// The last ping whose round trip was measured.
    measured: u32,
    /// No ping could go out since then, while this much was owed and this much room was in the output.
    stalled: Option<(Duration, u64, usize)>,
    closing: Option<Duration>,
    window: Duration,
    controls: u32,
    round_trip: Option<Duration>,
}

impl Keepalive {
    /// Timers that start `now`, as long after any fixed start as the caller likes. `now` only grows.
    pub const fn new(now: Duration, timing: Timing) -> Self {
        Self {
            timing,
            now,
            started: now,
            opened: false,
            bytes: 0,
            heard: now,
            active: now,
            awaiting: None,
            ping: 0,
            pinged: now,
            measured: 0,
            stalled: None,
            closing: None,
            window: now,
            controls: 0,
            round_trip: None,
        }
    }

    /// Looks at the connection (`None`: the opening handshake lasts), does what is due, and says when to come again.
    ///
    /// Pings, and the Close of an idle or flooding peer, are put into `out`. A peer above
    /// [`Timing::control_rate`] breaks [`Rule::ControlRate`], which the connection's next event tells.
    pub fn turn<R: Role>(
        &mut self,
        now: Duration,
        conn: Option<&mut Connection<R>>,
        out: &mut (impl Output + ?Sized),
    ) -> Due {
        self.now = self.now.max(now); // W150
        let Some(conn) = conn else {
            // W126
            return match after(self.started, self.timing.handshake) {
                Some(deadline) if self.now >= deadline => Due::Drop(Timeout::Handshake),
                deadline => Due::Wait(deadline),
            };
        };
        let signs = conn.take_signs();
        self.look(signs);
        if self.is_flooded(signs.controls) {
            conn.fail_next(Rule::ControlRate, out);
        }
        let idle = after(self.active, self.timing.idle);
        if idle.is_some_and(|idle| self.now >= idle) {
            // 1001 is a code that both roles may send.
            let _closed = conn.close(CloseCode::GOING_AWAY, "idle", out);
        }
        if conn.is_ending() {
            let since = *self.closing.get_or_insert(self.now); // W73
            return match after(since, self.timing.close) {
                Some(deadline) if self.now >= deadline => Due::Drop(Timeout::Close),
                deadline => Due::Wait(deadline),
            };
        }
        match self.keep_alive(conn, out) {
            Due::Wait(next) => Due::Wait(earlier(next, idle)),
            drop => drop,
        }
    }

    /// How long the last answered ping took to be answered.
    pub const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Takes the signs of life into account.
    fn look(&mut self, signs: Signs) {
        if !self.opened {
            self.opened = true;
            self.bytes = signs.bytes;
            (self.heard, self.active, self.window) = (self.now, self.now, self.now);
        }
        if signs.bytes != self.bytes {
            self.bytes = signs.bytes;
            self.heard = self.now;
            self.awaiting = None;
        }
        // A pong acknowledges its ping and every earlier one; of a stale pong the time says nothing (W33).
        if signs.pong == self.ping && self.measured != self.ping {
            self.measured = self.ping;
            self.round_trip = Some(between(self.pinged, self.now));
        }
        if signs.active {
            self.active = self.now;
        }
    }

    /// Judges the rate of control frames, in windows of the time set (W27).
    fn is_flooded(&mut self, controls: u16) -> bool {
        let Some(rate) = self.timing.control_rate else { return false };
        if self.now >= self.window.saturating_add(rate.per) {
            self.window = self.now;
            self.controls = 0;
        }
        self.controls = self.controls.saturating_add(u32::from(controls));
        self.controls > u32::from(rate.count)
    }

    /// Pings a quiet peer, and gives up on one that does not answer.
    fn keep_alive<R: Role>(&mut self, conn: &mut Connection<R>, out: &mut (impl Output + ?Sized)) -> Due {
        if let Some(since) = self.awaiting {
            return match after(since, self.timing.pong) {
                Some(deadline) if self.now >= deadline => Due::Drop(Timeout::Pong),
                deadline => Due::Wait(deadline),
            };
        }
        let due = after(self.heard, self.timing.ping);
        if due.is_none_or(|due| self.now < due) {
            self.stalled = None;
            return Due::Wait(due);
        }
        let number = self.ping.wrapping_add(1);
        match conn.send(Outgoing::ping(&number.to_be_bytes()), out) {
            Ok(()) => {
                self.ping = number;
                self.pinged = self.now;
                self.awaiting = Some(self.now);
                self.stalled = None;
                Due::Wait(after(self.now, self.timing.pong))
            }
            // There is no room, a payload is owed, or there is no key.
            Err(_) => self.stall(conn.owed(), out.room()),
        }
    }

    /// The peer is quiet and no ping can go out: it is gone if what is in the way does not move in time.
    fn stall(&mut self, owed: u64, room: usize) -> Due {
        let since = match self.stalled {
            Some((since, was_owed, was_room)) if (was_owed, was_room) == (owed, room) => since,
            _ => self.now,
        };
        self.stalled = Some((since, owed, room));
        match after(since, self.timing.pong) {
            Some(deadline) if self.now >= deadline => Due::Drop(Timeout::Stalled),
            deadline => Due::Wait(deadline),
        }
    }
}

/// The time between, to the nanosecond, up to centuries.
fn between(earlier: Duration, later: Duration) -> Duration {
    let nanoseconds = later.as_nanos().saturating_sub(earlier.as_nanos());
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

fn after(since: Duration, time: Option<Duration>) -> Option<Duration> {
    time.map(|time| since.saturating_add(time))
}

fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (time, None) | (None, time) => time,
    }
}
