//! The timers: every deadline as it is and a nanosecond before, what counts as a sign of life, and that whoever comes
//! at the times named misses nothing.
#![cfg(feature = "alloc")]

use core::time::Duration;
use proptest::prelude::*;
use websocket_proto::{
    Agreed, CloseCode, Closer, Config, Connection, Due, Event, Input, Keepalive, Kind, Outgoing, Output,
    Rate, Rule, Server, SliceOutput, Timeout, Timing, Transport,
};

const START: Duration = Duration::from_secs(1000);
const NANO: Duration = Duration::from_nanos(1);

/// Nothing is ever due.
const NEVER: Timing =
    Timing { handshake: None, ping: None, pong: None, idle: None, close: None, control_rate: None };

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn wait(seconds: u64) -> Due {
    Due::Wait(Some(START + s(seconds)))
}

/// A server's connection with its timers; times are counted from the start.
#[derive(Clone)]
struct Timed<O = Vec<u8>> {
    conn: Connection<Server>,
    timers: Keepalive,
    out: O,
}

impl Timed {
    fn new(timing: Timing) -> Self {
        Self::with(timing, Vec::new())
    }

    /// Puts out what was written since the last time.
    fn written(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.out)
    }
}

impl<O: Output> Timed<O> {
    fn with(timing: Timing, out: O) -> Self {
        let conn = Connection::new(Server, &Config::default(), Agreed::default());
        let mut timed = Self { conn, timers: Keepalive::new(START, timing), out };
        timed.turn(Duration::ZERO);
        timed
    }

    fn turn(&mut self, after: Duration) -> Due {
        self.timers.turn(START + after, Some(&mut self.conn), &mut self.out)
    }

    fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        let mut events = Vec::new();
        while let Some(event) = self.conn.receive(&mut input, &mut self.out) {
            events.push(match event {
                Event::Failed(error) => error.rule.name().to_owned(),
                Event::Data(_) => "data".to_owned(),
                other => format!("{other:?}"),
            });
        }
        events
    }
}

/// A client's frame under a zero key (W85).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    [&[first, 0x80 | len, 0, 0, 0, 0], payload].concat()
}

fn ping(number: u32) -> Vec<u8> {
    [&[0x89, 4], &number.to_be_bytes()[..]].concat()
}

fn pong(number: u32) -> Vec<u8> {
    frame(0x8a, &number.to_be_bytes())
}

#[test]
fn handshake() {
    // W126
    let mut out = Vec::new();
    let mut turn = |timers: &mut Keepalive, now| timers.turn::<Server>(now, None, &mut out);
    let mut timers = Keepalive::new(START, Timing { handshake: Some(s(10)), ..NEVER });
    assert_eq!(turn(&mut timers, START), wait(10));
    assert_eq!(turn(&mut timers, START + s(10) - NANO), wait(10));
    assert_eq!(turn(&mut timers, START + s(10)), Due::Drop(Timeout::Handshake));
    assert_eq!(turn(&mut timers, START + s(11)), Due::Drop(Timeout::Handshake));
    // For ever.
    let mut timers = Keepalive::new(START, NEVER);
    assert_eq!(turn(&mut timers, Duration::MAX), Due::Wait(None));
    // A deadline beyond what a clock shows is never reached too early.
    let mut timers = Keepalive::new(START, Timing { handshake: Some(Duration::MAX), ..NEVER });
    assert_eq!(turn(&mut timers, START + s(1 << 40)), Due::Wait(Some(Duration::MAX)));
    assert!(out.is_empty());
}

#[test]
fn the_handshake_s_time_is_not_the_connection_s() {
    // What the peer sent in the handshake, and how long that took, count for nothing behind it.
    let timing = Timing { handshake: Some(s(10)), ping: Some(s(30)), idle: Some(s(60)), ..NEVER };
    let mut timers = Keepalive::new(START, timing);
    let mut out = Vec::new();
    assert_eq!(timers.turn::<Server>(START + s(9), None, &mut out), wait(10));
    let mut conn = Connection::new(Server, &Config::default(), Agreed::default());
    assert_eq!(timers.turn(START + s(20), Some(&mut conn), &mut out), wait(50));
    assert_eq!(timers.turn(START + s(49), Some(&mut conn), &mut out), wait(50));
}

#[test]
fn ping_and_pong() {
    let mut timed = Timed::new(Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER });
    assert_eq!(timed.turn(s(0)), wait(30));
    assert_eq!(timed.turn(s(30) - NANO), wait(30));
    assert_eq!(timed.written(), b"");
    assert_eq!(timed.turn(s(30)), wait(50));
    assert_eq!(timed.written(), ping(1));
    // One ping awaits an answer, not more.
    assert_eq!(timed.turn(s(50) - NANO), wait(50));
    assert_eq!(timed.written(), b"");
    assert_eq!(timed.timers.round_trip(), None);
    let late = timed.timers.clone();
    assert_eq!(timed.turn(s(50)), Due::Drop(Timeout::Pong));
    assert_eq!(timed.turn(s(51)), Due::Drop(Timeout::Pong));
    timed.timers = late;
    // Answered in time: the next ping has the next number.
    timed.read(&pong(1));
    assert_eq!(timed.turn(s(50) - NANO), Due::Wait(Some(START + s(80) - NANO)));
    assert_eq!(timed.timers.round_trip(), Some(s(20) - NANO));
    timed.turn(s(80));
    assert_eq!(timed.written(), ping(2));
    timed.read(&pong(2));
    assert_eq!(timed.turn(s(81)), wait(111));
    assert_eq!(timed.timers.round_trip(), Some(s(1)));
}

#[test]
fn round_trips() {
    // W33: a pong acknowledges the ping it repeats; a stale one, and any other byte, is a sign of life and says
    // nothing of the time.
    let timing = Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER };
    let pinged_twice = || {
        let mut timed = Timed::new(timing);
        timed.turn(s(30));
        timed.read(&frame(0x82, b"x"));
        assert_eq!(timed.turn(s(40)), wait(70));
        assert_eq!(timed.timers.round_trip(), None);
        assert_eq!(timed.turn(s(70)), wait(90));
        assert_eq!(timed.written(), [ping(1), ping(2)].concat());
        timed
    };
    // What comes 5 s after the second ping, whether a pong of the second ping comes 2 s behind it, the round trip.
    #[rustfmt::skip]
    let rows: &[(&[u8], Option<Duration>, Option<Duration>)] = &[
        (&pong(2), Some(s(5)), Some(s(5))),
        (&[pong(1), pong(2)].concat(), Some(s(5)), Some(s(5))),
        // W33: stale, and then what it waited for.
        (&pong(1), None, Some(s(7))),
        // Not one of ours.
        (&pong(3), None, Some(s(7))),
        (&pong(0), None, Some(s(7))),
        (&frame(0x8a, b""), None, Some(s(7))),
        (&frame(0x8a, b"\0\0\x02"), None, Some(s(7))),
        (&frame(0x8a, b"\0\0\0\0\x02"), None, Some(s(7))),
        (&frame(0x8a, b"hello"), None, Some(s(7))),
        // Whatever else comes first.
        (&frame(0x82, b"data"), None, Some(s(7))),
        (&frame(0x89, b"\0\0\0\x02"), None, Some(s(7))),
        (b"\x82", None, None),
    ];
    for (bytes, early, late) in rows {
        let mut timed = pinged_twice();
        timed.read(bytes);
        assert_eq!(timed.turn(s(75)), wait(105), "{}", bytes.escape_ascii());
        assert_eq!(timed.timers.round_trip(), *early, "{}", bytes.escape_ascii());
        if late.is_some() {
            timed.read(&pong(2));
        }
        timed.turn(s(77));
        assert_eq!(timed.timers.round_trip(), *late, "{}", bytes.escape_ascii());
        // The same pong once more is no answer to anything.
        if late.is_some() {
            timed.read(&pong(2));
        }
        timed.turn(s(78));
        assert_eq!(timed.timers.round_trip(), *late, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_pong_before_its_ping_answers_nothing() {
    // W33: whoever guesses the next number has not answered.
    let mut timed = Timed::new(Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER });
    timed.read(&pong(1));
    assert_eq!(timed.turn(s(10)), wait(40));
    assert_eq!(timed.turn(s(40)), wait(60));
    assert_eq!(timed.written(), ping(1));
    assert_eq!(timed.turn(s(45)), wait(60));
    assert_eq!(timed.timers.round_trip(), None);
    timed.read(&pong(1));
    timed.turn(s(47));
    assert_eq!(timed.timers.round_trip(), Some(s(7)));
}

#[test]
fn every_byte_is_a_sign_of_life() {
    let timing = Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER };
    // A frame that never ends, a byte at a time: its peer is alive, whether it was pinged or not.
    let mut timed = Timed::new(timing);
    for (at, byte) in [&[0x82, 0xfe, 1, 0, 9, 9, 9, 9][..], &[7; 20]].concat().iter().enumerate() {
        let now = 29 * (at as u64 + 1);
        timed.read(&[*byte]);
        assert_eq!(timed.turn(s(now)), wait(now + 30));
    }
    assert_eq!(timed.written(), b"");
    let mut timed = Timed::new(timing);
    timed.turn(s(30));
    timed.read(&[0x82]);
    assert_eq!(timed.turn(s(49)), wait(79));
    // What goes out is none.
    let mut timed = Timed::new(timing);
    timed.conn.send(Outgoing::text("are you there?"), &mut timed.out).unwrap();
    assert_eq!(timed.turn(s(29)), wait(30));
}

#[test]
fn idle() {
    let timing = Timing { idle: Some(s(60)), close: Some(s(5)), ..NEVER };
    let mut timed = Timed::new(timing);
    // Control frames and half a header are no activity.
    timed.read(&frame(0x89, b""));
    timed.written();
    assert_eq!(timed.turn(s(30)), wait(60));
    timed.read(&[0x82]);
    assert_eq!(timed.turn(s(60) - NANO), wait(60));
    assert_eq!(timed.written(), b"");
    assert_eq!(timed.turn(s(60)), wait(65));
    assert_eq!(timed.written(), b"\x88\x06\x03\xe9idle");
    let closure = timed.conn.closure();
    assert_eq!((closure.sent, closure.first), (Some(CloseCode::GOING_AWAY), Some(Closer::Local)));
    assert_eq!(timed.turn(s(65) - NANO), wait(65));
    assert_eq!(timed.turn(s(65)), Due::Drop(Timeout::Close));
    assert_eq!(timed.written(), b"", "one Close");

    // Data in either direction, whole or a piece, puts it off.
    let mut timed = Timed::new(timing);
    timed.read(&frame(0x82, b""));
    assert_eq!(timed.turn(s(50)), wait(110));
    timed.conn.send(Outgoing::binary(b""), &mut timed.out).unwrap();
    assert_eq!(timed.turn(s(100)), wait(160));
    timed.read(&[0x82, 0x82, 0, 0, 0, 0, 1]);
    assert_eq!(timed.turn(s(150)), wait(210));
    timed.read(&[2]);
    assert_eq!(timed.turn(s(200)), wait(260));
    timed.conn.send_header(Outgoing::binary(b""), 9, &mut timed.out).unwrap();
    assert_eq!(timed.turn(s(250)), wait(310));
    timed.conn.pay(b"123", &mut timed.out).unwrap();
    assert_eq!(timed.turn(s(300)), wait(360));
    timed.conn.send(Outgoing::ping(b""), &mut timed.out).unwrap_err();
    assert_eq!(timed.turn(s(360)), wait(365));
    assert_eq!(timed.conn.closure().sent, Some(CloseCode::GOING_AWAY));

    // With pings, the earlier of the two is named.
    let mut timed = Timed::new(Timing { ping: Some(s(30)), pong: Some(s(40)), ..timing });
    assert_eq!(timed.turn(s(0)), wait(30));
    assert_eq!(timed.turn(s(30)), wait(60));
    assert_eq!(timed.turn(s(60)), wait(65));
}

#[test]
fn close() {
    // W69, W73: from the Close on, whoever began and however.
    let timing = Timing { ping: Some(s(1)), close: Some(s(5)), idle: Some(s(20)), ..NEVER };
    type Begin = fn(&mut Timed);
    let rows: [Begin; 4] = [
        |timed| timed.conn.close(CloseCode::NORMAL, "", &mut timed.out).unwrap(),
        |timed| assert_eq!(timed.read(&frame(0x88, b"")), ["Close(None)"]),
        |timed| assert_eq!(timed.read(&frame(0x83, b"")), ["ReservedOpcode"]),
        |timed| {
            timed.conn.close(CloseCode::NORMAL, "", &mut timed.out).unwrap();
            timed.read(&frame(0x88, b"\x03\xe8"));
        },
    ];
    for begin in rows {
        let mut timed = Timed::new(timing);
        begin(&mut timed);
        let written = timed.written();
        assert_eq!(timed.turn(s(10)), wait(15));
        // Nothing puts it off, and no ping goes out.
        timed.read(&frame(0x82, b"data"));
        assert_eq!(timed.turn(s(15) - NANO), wait(15));
        assert_eq!(timed.turn(s(15)), Due::Drop(Timeout::Close));
        assert_eq!((timed.written(), written[0]), (vec![], 0x88));
    }
    let mut timed = Timed::new(NEVER);
    timed.conn.close_without_code(&mut timed.out);
    assert_eq!(timed.turn(s(1 << 40)), Due::Wait(None));
}

#[test]
fn control_rate() {
    // W27: at the limit, and one beyond, which is 1008 and told by the next event.
    let rate = Rate { count: 10, per: s(1) };
    let timing = Timing { control_rate: Some(rate), close: Some(s(5)), ..NEVER };
    let half = Duration::from_millis(500);
    let flood = |n: usize| [frame(0x89, b""), frame(0x8a, b"")].concat().repeat(n / 2);
    let mut timed = Timed::new(timing);
    for window in 0..5 {
        timed.read(&flood(6));
        assert_eq!(timed.turn(s(window)), Due::Wait(None));
        timed.read(&flood(4));
        // Data count for nothing.
        timed.read(&frame(0x82, b"").repeat(100));
        assert_eq!(timed.turn(s(window) + half), Due::Wait(None));
    }
    timed.read(&flood(10));
    assert_eq!(timed.turn(s(5)), Due::Wait(None));
    assert!(timed.conn.failure().is_none());
    timed.written();
    timed.read(&frame(0x8a, b""));
    assert_eq!(timed.turn(s(6) - NANO), Due::Wait(Some(START + s(11) - NANO)));
    assert_eq!(timed.written(), b"\x88\x02\x03\xf0");
    assert_eq!(timed.conn.failure().map(|error| error.rule), Some(Rule::ControlRate));
    assert_eq!(
        (Rule::ControlRate.close_code(), timed.conn.transport()),
        (Some(CloseCode::POLICY), Transport::Shut)
    );
    // Told once, and nothing is answered any more (W152).
    assert_eq!(timed.read(&flood(4)), ["ControlRate"]);
    assert_eq!(timed.read(&flood(4)), Vec::<String>::new());
    assert_eq!(timed.turn(s(20)), Due::Drop(Timeout::Close));
    assert_eq!(timed.written(), b"");

    // Told without a byte more, too.
    let mut timed = Timed::new(timing);
    timed.read(&flood(12));
    timed.turn(half);
    assert_eq!(timed.read(b""), ["ControlRate"]);

    // A flood of any length is bounded, and one that ended in a Close is no failure.
    let mut timed = Timed::new(timing);
    timed.read(&frame(0x8a, b"").repeat(70_000));
    timed.turn(half);
    assert!(timed.conn.failure().is_some());
    let mut timed = Timed::new(timing);
    timed.read(&[flood(12), frame(0x88, b"\x03\xe8")].concat());
    timed.turn(half);
    assert_eq!((timed.conn.failure(), timed.conn.closure().received), (None, Some(CloseCode::NORMAL)));

    // None: no limit.
    let mut timed = Timed::new(NEVER);
    timed.read(&flood(1000));
    assert_eq!(timed.turn(half), Due::Wait(None));
    assert!(timed.conn.failure().is_none());
}

#[test]
fn a_peer_that_takes_nothing() {
    // The output has no room for the ping (6 bytes), and gets none in time.
    let timing = Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER };
    let full = |room: usize| {
        let mut timed = Timed::with(timing, SliceOutput::new([0; 200]));
        let payload = [0; 198];
        timed.conn.send(Outgoing::binary(&payload[..100]), &mut timed.out).unwrap();
        timed.conn.send(Outgoing::binary(&payload[..96 - room]), &mut timed.out).unwrap();
        assert_eq!(timed.out.room(), room);
        timed
    };
    let mut timed = full(5);
    assert_eq!(timed.turn(s(29)), wait(30));
    assert_eq!(timed.turn(s(30)), wait(50));
    assert_eq!(timed.turn(s(50) - NANO), wait(50));
    let before = timed.timers.clone();
    assert_eq!(timed.turn(s(50)), Due::Drop(Timeout::Stalled));
    assert_eq!(timed.turn(s(51)), Due::Drop(Timeout::Stalled));
    // Room, at the last moment: the ping goes out.
    timed.timers = before;
    timed.out.advance(1);
    assert_eq!(timed.turn(s(50)), wait(70));
    assert!(timed.out.pending().ends_with(&ping(1)));
    // A peer that takes a byte now and then is not stalled, however little that is.
    let mut timed = full(0);
    assert_eq!(timed.turn(s(30)), wait(50));
    timed.out.advance(1);
    assert_eq!(timed.turn(s(49)), wait(69));
    timed.out.advance(1);
    assert_eq!(timed.turn(s(68)), wait(88));
    assert_eq!(timed.turn(s(88)), Due::Drop(Timeout::Stalled));
    // A peer that sends is alive, whatever it takes.
    let mut timed = full(0);
    timed.turn(s(30));
    timed.read(&[0x82]);
    assert_eq!(timed.turn(s(49)), wait(79));
    assert_eq!(timed.turn(s(79)), wait(99));
    // Without a deadline for the pong it may take for ever.
    let mut timed = Timed::with(Timing { ping: Some(s(30)), ..NEVER }, SliceOutput::new([0; 5]));
    assert_eq!(timed.turn(s(30)), Due::Wait(None));
    assert_eq!(timed.turn(s(1 << 40)), Due::Wait(None));
}

#[test]
fn a_debt() {
    // A payload is owed, and no ping can go out. As long as it is being paid, the peer is not blamed.
    let owing = || {
        let mut timed = Timed::new(Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER });
        timed.conn.send_header(Outgoing::whole(Kind::Binary, b""), 4, &mut timed.out).unwrap();
        timed.written();
        assert_eq!(timed.turn(s(30)), wait(50));
        timed
    };
    let mut timed = owing();
    for (paid, now) in [(b"1", 49), (b"2", 68), (b"3", 87)] {
        timed.conn.pay(paid, &mut timed.out).unwrap();
        assert_eq!(timed.turn(s(now)), wait(now + 20));
    }
    // Once it is paid, the ping goes.
    timed.conn.pay(b"4", &mut timed.out).unwrap();
    assert_eq!(timed.turn(s(100)), wait(120));
    assert_eq!(timed.written(), [b"1234", &ping(1)[..]].concat());
    // A quiet peer of which nothing moves is gone, and one that sends is not.
    let mut timed = owing();
    assert_eq!(timed.turn(s(50) - NANO), wait(50));
    assert_eq!(timed.clone().turn(s(50)), Due::Drop(Timeout::Stalled));
    timed.read(&[0x82]);
    assert_eq!(timed.turn(s(50)), wait(80));
    assert_eq!(timed.turn(s(80)), wait(100));
    assert_eq!(timed.turn(s(100)), Due::Drop(Timeout::Stalled));
}

#[test]
fn time_only_grows() {
    // W150: a clock that goes back is not believed.
    let mut timed = Timed::new(Timing { ping: Some(s(30)), pong: Some(s(20)), ..NEVER });
    assert_eq!(timed.turn(s(29)), wait(30));
    timed.read(&frame(0x8a, b""));
    let back = |timed: &mut Timed, now| timed.timers.turn(now, Some(&mut timed.conn), &mut timed.out);
    assert_eq!(back(&mut timed, Duration::ZERO), wait(59));
    assert_eq!(timed.turn(s(59)), wait(79));
    timed.read(&pong(1));
    assert_eq!(back(&mut timed, START), wait(89));
    assert_eq!(timed.timers.round_trip(), Some(Duration::ZERO));
    assert_eq!(back(&mut timed, Duration::ZERO), wait(89));
}

/// What happens to a simulated connection, and when.
#[derive(Clone, Debug)]
enum Act {
    Reads(Vec<u8>),
    Sends,
    Owes,
    Pays,
    Takes(usize),
    Closes,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Reads(frame(0x82, b"x"))),
        1 => Just(Act::Reads(vec![0x82, 0x80])),
        2 => (0_u32..4).prop_map(|number| Act::Reads(pong(number))),
        1 => Just(Act::Reads(frame(0x89, b"?"))),
        2 => Just(Act::Sends),
        1 => Just(Act::Owes),
        1 => Just(Act::Pays),
        2 => (0_usize..40).prop_map(Act::Takes),
        1 => Just(Act::Closes),
    ]
}

/// When, and what.
type Written = (Duration, Vec<u8>);

/// Runs `acts` (each so long after the one before), coming to the timers at each, at the times that they name, and
/// every second besides if `always`. Gives what was written when, and the end.
fn simulate(
    timing: Timing,
    acts: &[(u64, Act)],
    always: bool,
) -> (Vec<Written>, Option<(Duration, Timeout)>) {
    let mut timed = Timed::with(timing, SliceOutput::new([0; 131]));
    let mut written = Vec::new();
    let mut now = Duration::ZERO;
    let mut at = Duration::ZERO;
    let mut pending = 0;
    let last = (600, Act::Takes(0));
    let mut named = match timed.turn(now) {
        Due::Wait(time) => time,
        Due::Drop(timeout) => panic!("{timeout:?}"),
    };
    for (gap, act) in acts.iter().chain([&last]) {
        at += s(*gap);
        loop {
            // The next time to come: what was named, each second, the next act.
            let named_next = named.map(|named: Duration| named - START).filter(|named| *named > now);
            let next =
                named_next.into_iter().chain(always.then_some(now + s(1))).chain([at]).min().unwrap().min(at);
            now = next;
            if now == at {
                match act {
                    Act::Reads(bytes) => drop(timed.read(bytes)),
                    Act::Sends => drop(timed.conn.send(Outgoing::binary(b"0123456789"), &mut timed.out)),
                    Act::Owes => drop(timed.conn.send_header(Outgoing::binary(b""), 5, &mut timed.out)),
                    Act::Pays => drop(timed.conn.pay(b"12345", &mut timed.out)),
                    Act::Takes(n) => {
                        timed.out.advance(*n);
                        pending = timed.out.pending().len();
                    }
                    Act::Closes => timed.conn.close(CloseCode::NORMAL, "", &mut timed.out).unwrap(),
                }
            }
            let due = timed.turn(now);
            if timed.out.pending().len() > pending {
                written.push((now, timed.out.pending()[pending..].to_vec()));
            }
            pending = timed.out.pending().len();
            match due {
                Due::Drop(timeout) => return (written, Some((now, timeout))),
                Due::Wait(time) => {
                    assert!(time.is_none_or(|time| time > START + now), "it names a time to come");
                    named = time;
                }
            }
            if now == at {
                break;
            }
        }
    }
    (written, None)
}

proptest! {
    // Coming at the times named and after each read or write is as good as coming every second.
    #[test]
    fn nothing_is_missed(
        ping in proptest::option::of(1_u64..40),
        pong in proptest::option::of(1_u64..40),
        idle in proptest::option::of(1_u64..90),
        close in proptest::option::of(1_u64..20),
        acts in proptest::collection::vec((0_u64..50, act()), 0..12),
    ) {
        let timing = Timing {
            ping: ping.map(s), pong: pong.map(s), idle: idle.map(s), close: close.map(s), ..NEVER
        };
        prop_assert_eq!(simulate(timing, &acts, false), simulate(timing, &acts, true));
    }
}
