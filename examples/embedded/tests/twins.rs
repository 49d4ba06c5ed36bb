//! One table of cases, which both twins go through, whatever the transport does to them: a byte at a time, all at once,
//! futures that are pending, and futures that are dropped.

mod common;

use std::{fmt::Display, future::pending, time::Duration};

use common::{
    executor::{block_on, poll_times},
    world::{
        Broken, Manners, Peer,
        Peer::{Breaks, Ends, Sends, Waits},
        World,
    },
};
use websocket_embedded::{Inbox, Out, Parts, Received};
use websocket_proto::{
    Agreed, Assembler, Client, CloseCode, Config, Connection, Event, Input, Kind, OriginPolicy, Outgoing,
    Role, SliceOutput, Uri, client, server,
};

/// What the caller does.
#[derive(Clone, Copy, Debug)]
enum Call {
    /// Opens a server's connection: with the policy, the answer, or no answer.
    Accept,
    Answer(u16),
    Ignore,
    /// Opens a client's connection.
    Connect,
    /// Sends back what comes, until the connection is over.
    Echo,
    /// Counts what comes.
    ReceivePieces,
    Receive,
    Send(&'static str),
    SendLong(Kind, &'static [u8]),
    Ping,
    Close,
    /// Lets a thousand seconds pass.
    Sleep,
}

use Call::*;

struct Case {
    name: &'static str,
    peer: Vec<Peer>,
    calls: &'static [Call],
    /// What the caller is told, the beginning of each line: with how many bytes at once a fault was read is of no
    /// account.
    told: &'static [&'static str],
    /// What is written, behind the request or the 101, and after how many bytes of it this side of the stream ends.
    written: Vec<u8>,
    shut: Option<usize>,
}

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// A message of 300 bytes, more than there is memory to write from.
const LONG: &[u8] = &[b'l'; 300];
const LONG_TEXT: &str = match std::str::from_utf8(LONG) {
    Ok(text) => text,
    Err(_) => panic!(),
};
/// Memory: to read to, for messages and heads, to write from.
const SIZES: [usize; 3] = [64, 256, 256];

fn sends(parts: &[&[u8]]) -> Peer {
    Sends(parts.concat())
}

fn cases() -> Vec<Case> {
    let case = |name, peer: Vec<Peer>, calls, told, written: &[&[u8]], shut| Case {
        name,
        peer,
        calls,
        told,
        written: written.concat(),
        shut,
    };
    vec![
        // A server.
        case(
            "messages, a ping, and the client's Close, right behind the request",
            vec![
                sends(&[
                    REQUEST,
                    b"\x81\x85\0\0\0\0hello\x89\x82\0\0\0\0hi\x02\x81\0\0\0\0a\x80\x81\0\0\0\0b",
                    b"\x88\x82\0\0\0\0\x03\xe8",
                ]),
                Ends,
            ],
            &[Accept, Echo, Sleep, Receive],
            &["Text hello", "Binary ab", "over", "over"],
            &[b"\x81\x05hello\x8a\x02hi\x82\x02ab\x88\x02\x03\xe8"],
            Some(19),
        ),
        case(
            "pieces",
            vec![
                sends(&[REQUEST, b"\x01\x82\0\0\0\0\xf0\x9f\x80\x82\0\0\0\0\x8e\x88\x88\x80\0\0\0\0"]),
                Ends,
            ],
            &[Accept, ReceivePieces],
            &["4 bytes, to the last: true"],
            &[b"\x88\x00"],
            Some(2),
        ),
        case(
            "a frame without a mask",
            vec![sends(&[REQUEST, b"\x81\x81\0\0\0\0a\x81\x05hello"]), Ends],
            &[Accept, Echo, Receive, Send("x"), Close],
            &[
                "Text a",
                "the peer broke a rule: W82 UnmaskedFrame: a client masks every frame (RFC 6455 §5.1), at byte 8",
                "the peer broke a rule: W82 UnmaskedFrame: a client masks every frame (RFC 6455 §5.1), at byte 8",
                "the peer broke a rule: W82 UnmaskedFrame: a client masks every frame (RFC 6455 §5.1), at byte 8",
                "the peer broke a rule: W82 UnmaskedFrame: a client masks every frame (RFC 6455 §5.1), at byte 8",
            ],
            &[b"\x81\x01a\x88\x02\x03\xea"],
            Some(7),
        ),
        case(
            "a message longer than the memory, in one frame",
            vec![sends(&[REQUEST, b"\x82\xfe\x01\x01\0\0\0\0", &[0; 257]]), Ends],
            &[Accept, Receive],
            &["the peer broke a rule: W41 MessageTooLong: a message is no longer than this side allows \
                 (RFC 6455 §10.4), at byte "],
            &[b"\x88\x02\x03\xf1"],
            Some(4),
        ),
        case(
            "the end inside a frame",
            vec![sends(&[REQUEST, b"\x81\x85\0\0\0\0he"]), Ends],
            &[Accept, Receive, Send("x"), Close],
            &["W71: the stream ended inside a frame"; 3],
            &[],
            None,
        ),
        case(
            "the end without a Close",
            vec![sends(&[REQUEST]), Ends],
            &[Accept, Receive],
            &["W71: the stream ended without a Close (RFC 6455 §7.1.5)"],
            &[],
            None,
        ),
        case(
            "a broken transport",
            vec![sends(&[REQUEST, b"\x81\x85\0\0\0\0he"]), Breaks],
            &[Accept, Receive],
            &["the transport failed: Broken(ConnectionReset)"],
            &[],
            None,
        ),
        case(
            "a quiet peer that answers one ping and not the next",
            vec![sends(&[REQUEST]), Waits(31), sends(&[b"\x8a\x84\0\0\0\0\0\0\0\x01"])],
            &[Accept, Receive],
            &["the peer is too slow: Pong"],
            &[b"\x89\x04\0\0\0\x01\x89\x04\0\0\0\x02"],
            None,
        ),
        case(
            "a message after a silence",
            vec![sends(&[REQUEST]), Waits(45), sends(&[b"\x81\x81\0\0\0\0a"])],
            &[Accept, Receive],
            &["Text a"],
            &[b"\x89\x04\0\0\0\x01"],
            None,
        ),
        case(
            "our Close, data that is thrown away, and theirs",
            vec![
                sends(&[REQUEST, b"\x81\x81\0\0\0\0a"]),
                Waits(1),
                sends(&[b"\x81\x81\0\0\0\0a\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8"]),
                Ends,
            ],
            &[Accept, Send("first"), Ping, Close, Send("late"), Receive],
            &[
                "closed with 1000, clean: true",
                "the connection is closing or closed: no more data goes out (RFC 6455 §5.5.1)",
                "over",
            ],
            &[b"\x81\x05first\x89\x02up\x88\x05\x03\xe8bye\x8a\x00"],
            Some(20),
        ),
        case(
            "a peer that does not answer our Close",
            vec![sends(&[REQUEST])],
            &[Accept, Close],
            &["the peer is too slow: Close"],
            &[b"\x88\x05\x03\xe8bye"],
            None,
        ),
        case(
            "a frame that does not fit, and the way in which it does",
            vec![sends(&[REQUEST])],
            &[
                Accept,
                Send(LONG_TEXT),
                SendLong(Kind::Binary, LONG),
                SendLong(Kind::Text, b"\xff"),
                Send("x"),
            ],
            &[
                "the output has no room for 304 bytes",
                "text is not UTF-8 or ends inside a character (RFC 6455 §8.1)",
            ],
            &[b"\x82\x7e\x01\x2c", LONG, b"\x81\x01x"],
            None,
        ),
        case(
            "a plain GET",
            vec![sends(&[b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"]), Ends],
            &[Answer(204)],
            &["W112: the opening handshake ended with another answer than 101"],
            &[b"HTTP/1.1 204 \r\nConnection: close\r\n\r\n"],
            Some(36),
        ),
        case(
            "a request that nobody answers",
            vec![sends(&[REQUEST])],
            &[Ignore],
            &["the request was dropped without an answer"],
            &[],
            None,
        ),
        // A client.
        case(
            "a server that closes",
            vec![sends(&[ANSWER, b"\x81\x05hello\x88\x00"]), Waits(1), Ends],
            &[Connect, Echo],
            &["101", "Text hello", "over"],
            &[b"\x81\x85\0\0\0\0hello\x88\x80\0\0\0\0"],
            None,
        ),
        case(
            "a client that closes",
            vec![sends(&[ANSWER, b"\x88\x02\x03\xe8"]), Ends],
            &[Connect, SendLong(Kind::Text, LONG), Close],
            &["101", "closed with 1000, clean: true"],
            &[b"\x81\xfe\x01\x2c\0\0\0\0", LONG, b"\x88\x85\0\0\0\0\x03\xe8bye"],
            None,
        ),
        case(
            "a frame with a mask",
            vec![sends(&[ANSWER, b"\x81\x81\0\0\0\0a"]), Waits(1), Ends],
            &[Connect, Receive],
            &[
                "101",
                "the peer broke a rule: W83 MaskedFrame: a server masks no frame (RFC 6455 §5.1), at byte 1",
            ],
            &[b"\x88\x82\0\0\0\0\x03\xea"],
            Some(8),
        ),
        case(
            "another answer",
            vec![sends(&[b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"]), Ends],
            &[Connect],
            &["404", "W112: the opening handshake ended with another answer than 101"],
            &[],
            None,
        ),
        case(
            "a wrong answer",
            vec![sends(&[
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            ])],
            &[Connect],
            &["the peer broke a rule: W115 AcceptMissing: the answer has a Sec-WebSocket-Accept \
                 field (RFC 6455 §4.1), at byte 76"],
            &[],
            None,
        ),
        case("no answer", vec![], &[Connect], &["the peer is too slow: Handshake"], &[], None),
    ]
}

/// What the caller was told, so far.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn say(&mut self, what: impl Display) {
        self.0.push(what.to_string());
    }

    /// A whole message.
    fn message(&mut self, message: &Received<'_>) {
        assert!(message.is_first() && message.is_last());
        self.say(format_args!("{:?} {}", message.kind(), String::from_utf8_lossy(message.payload())));
    }

    /// The error, if it is one.
    fn check<V, E: Display>(&mut self, result: Result<V, E>) -> Option<V> {
        result.map_err(|error| self.say(error)).ok()
    }
}

fn request() -> client::Request<'static> {
    client::Request::new(Uri::parse("ws://h/chat").unwrap(), *b"the sample nonce")
}

/// The same calls for both: `asynchronous` awaits what `blocking` returns.
macro_rules! twins {
    ($($twin:ident: [$($async:tt)?] [$($await:tt)*];)*) => { $(
        mod $twin {
            use super::*;
            use websocket_embedded::$twin::Socket;

            pub $($async)? fn play(world: &World, calls: &[Call], told: &mut Told) {
                let [mut read, mut memory, mut out] = SIZES.map(|size| vec![0; size]);
                let mut inbox = Inbox::new(&mut read, &mut memory);
                let parts = Parts::new(world.clone(), world.clone(), &mut out);
                let (first, calls) = calls.split_first().unwrap();
                match first {
                    Connect => {
                        let mut status = 0;
                        let role = Client(|| [0; 4]);
                        let look = |response: client::Response<'_>| status = response.status();
                        let socket = Socket::connect(parts, &mut inbox, role, &request(), look)$($await)*;
                        if status != 0 {
                            told.say(status);
                        }
                        if let Some(socket) = told.check(socket) {
                            go_on(socket, &mut inbox, calls, world, told)$($await)*;
                        }
                    }
                    _ => {
                        let socket = Socket::accept(parts, &mut inbox, |request, out| match first {
                            Answer(status) => request.respond(*status).write(out),
                            Ignore => Ok(()),
                            _ => request.accept(OriginPolicy::SameHost).write(out),
                        })$($await)*;
                        if let Some(socket) = told.check(socket) {
                            go_on(socket, &mut inbox, calls, world, told)$($await)*;
                        }
                    }
                }
            }

            $($async)? fn go_on<R: Role>(
                mut socket: Socket<'_, World, World, R>,
                inbox: &mut Inbox<'_>,
                calls: &[Call],
                world: &World,
                told: &mut Told,
            ) {
                for call in calls {
                    match *call {
                        Echo => while let Some(message) = told.check(socket.receive(inbox)$($await)*) {
                            let Some(message) = message else {
                                told.say("over");
                                break;
                            };
                            told.message(&message);
                            told.check(socket.send(message.echo())$($await)*);
                        },
                        ReceivePieces => {
                            let (mut bytes, mut last) = (0, false);
                            while let Some(Some(piece)) = told.check(socket.receive_piece(inbox)$($await)*) {
                                assert_eq!(piece.is_first(), bytes == 0);
                                bytes += piece.payload().len();
                                last = piece.is_last();
                            }
                            told.say(format_args!("{bytes} bytes, to the last: {last}"));
                        }
                        Receive => match told.check(socket.receive(inbox)$($await)*) {
                            Some(Some(message)) => told.message(&message),
                            Some(None) => told.say("over"),
                            None => {}
                        },
                        Send(text) => drop(told.check(socket.send(Outgoing::text(text))$($await)*)),
                        SendLong(kind, bytes) => drop(told.check(socket.send_long(kind, bytes)$($await)*)),
                        Ping => drop(told.check(socket.ping(b"up")$($await)*)),
                        Close => {
                            let closed = socket.close(inbox, CloseCode::NORMAL, "bye")$($await)*;
                            if let Some(closure) = told.check(closed) {
                                told.say(format_args!("closed with {}, clean: {}", closure.code(), closure.clean));
                            }
                        }
                        Sleep => world.state().now += Duration::from_secs(1000),
                        Accept | Answer(_) | Ignore | Connect => unreachable!("the first call alone opens"),
                    }
                }
            }
        }
    )* };
}

twins! {
    blocking: [] [];
    asynchronous: [async] [.await];
}

const EAGER: Manners = Manners { chunk: usize::MAX, hesitant: false, takes: usize::MAX };

/// What opens the connection is in the output of every case that has one.
fn opening(case: &Case) -> Vec<u8> {
    let opened = case.peer.iter().any(|peer| matches!(peer, Sends(bytes) if bytes.starts_with(REQUEST)));
    match case.calls.first() {
        Some(Connect) => {
            let mut out = SliceOutput::new([0; 256]);
            let limits = Config::default().head;
            client::Handshake::new([0; 1], limits, &request(), &mut out).expect("it fits");
            out.pending().to_vec()
        }
        Some(Accept) if opened => ANSWER.to_vec(),
        _ => Vec::new(),
    }
}

fn check(case: &Case, how: &str, world: &World, told: &Told) {
    let name = format!("{}, {how}", case.name);
    let as_told = told.0.len() == case.told.len()
        && told.0.iter().zip(case.told).all(|(told, start)| told.starts_with(start));
    assert!(as_told, "{name}:\n{:#?}\ninstead of\n{:#?}", told.0, case.told);
    let (state, opening) = (world.state(), opening(case));
    let written = state.written.strip_prefix(&opening[..]).unwrap_or_else(|| {
        panic!("{name}: {}", state.written.escape_ascii());
    });
    let expected = case.written.escape_ascii().to_string();
    assert_eq!(written.escape_ascii().to_string(), expected, "{name}");
    assert_eq!(state.shut.map(|at| at - opening.len()), case.shut, "{name}");
    assert_eq!(state.flushed, state.written.len(), "{name}: flushed");
}

#[test]
fn both_twins_do_the_same_however_the_transport_is_cut() {
    for case in cases() {
        for chunk in [1, 2, 7, usize::MAX] {
            for hesitant in [false, true] {
                let manners = Manners { chunk, hesitant, ..EAGER };
                let (world, mut told) = (World::new(&case.peer, manners), Told::default());
                block_on(asynchronous::play(&world, case.calls, &mut told));
                check(&case, &format!("asynchronous, {manners:?}"), &world, &told);
            }
            let manners = Manners { chunk, ..EAGER };
            let (world, mut told) = (World::new(&case.peer, manners), Told::default());
            blocking::play(&world, case.calls, &mut told);
            check(&case, &format!("blocking, {manners:?}"), &world, &told);
        }
    }
}

/// The calls that may be dropped, each dropped again and again: after so many polls of a transport that makes every
/// future wait.
fn play_impatiently(world: &World, calls: &[Call], polls: usize, told: &mut Told) {
    use websocket_embedded::asynchronous::Socket;

    let [mut read, mut memory, mut out] = SIZES.map(|size| vec![0; size]);
    let mut inbox = Inbox::new(&mut read, &mut memory);
    let parts = Parts::new(world.clone(), world.clone(), &mut out);
    let accept =
        Socket::accept(parts, &mut inbox, |request, out| request.accept(OriginPolicy::SameHost).write(out));
    let mut socket = block_on(accept).unwrap();
    for call in calls {
        match *call {
            Echo | Receive => loop {
                let received = loop {
                    if let Some(received) = poll_times(socket.receive(&mut inbox), polls) {
                        break received;
                    }
                };
                match told.check(received) {
                    Some(Some(message)) => {
                        told.message(&message);
                        if let Echo = call {
                            poll_times(socket.send(message.echo()), polls);
                            continue;
                        }
                    }
                    Some(None) => told.say("over"),
                    None => {}
                }
                break;
            },
            Send(text) => {
                told.check(socket.queue(Outgoing::text(text)));
                poll_times(socket.flush(), polls);
            }
            Ping => drop(poll_times(socket.ping(b"up"), polls)),
            Close => {
                let closed = loop {
                    if let Some(closed) =
                        poll_times(socket.close(&mut inbox, CloseCode::NORMAL, "bye"), polls)
                    {
                        break closed;
                    }
                };
                if let Some(closure) = told.check(closed) {
                    told.say(format_args!("closed with {}, clean: {}", closure.code(), closure.clean));
                }
            }
            Sleep => world.state().now += Duration::from_secs(1000),
            _ => unreachable!("it is not to be dropped"),
        }
    }
}

#[test]
fn nothing_is_lost_with_a_future_that_is_dropped() {
    let may_be_dropped = |call: &Call| matches!(call, Echo | Receive | Send(_) | Ping | Close | Sleep);
    let mut played = 0;
    for case in cases() {
        let Some((Accept, calls)) = case.calls.split_first() else { continue };
        // What does not fit is refused, and that is not waited for.
        if !calls.iter().all(may_be_dropped) {
            continue;
        }
        played += 1;
        for chunk in [1, 3, usize::MAX] {
            for polls in [1, 2, 3, 5] {
                let manners = Manners { chunk, hesitant: true, ..EAGER };
                let (world, mut told) = (World::new(&case.peer, manners), Told::default());
                play_impatiently(&world, calls, polls, &mut told);
                check(&case, &format!("dropped after {polls} polls, {manners:?}"), &world, &told);
            }
        }
    }
    assert!(played >= 9, "{played}");
}

/// A long message that was begun cannot be ended by another call: everything says so, and nothing waits for ever.
#[test]
fn a_long_message_that_was_dropped_is_owed() {
    let peer = [sends(&[REQUEST]), Waits(1), sends(&[b"\x88\x82\0\0\0\0\x03\xe8"]), Ends];
    let world = World::new(&peer, Manners { hesitant: true, ..EAGER });
    let [mut read, mut memory, mut out] = SIZES.map(|size| vec![0; size]);
    let mut inbox = Inbox::new(&mut read, &mut memory);
    let parts = Parts::new(world.clone(), world.clone(), &mut out);
    let accept = websocket_embedded::asynchronous::Socket::accept(parts, &mut inbox, |request, out| {
        request.accept(OriginPolicy::SameHost).write(out)
    });
    let mut socket = block_on(accept).unwrap();
    assert!(poll_times(socket.send_long(Kind::Binary, LONG), 1).is_none());
    let mut told = Told::default();
    told.check(block_on(socket.send(Outgoing::text("x"))));
    assert_eq!(told.0, ["48 bytes of an announced payload are owed first"]);
    let closure = block_on(socket.close(&mut inbox, CloseCode::NORMAL, "")).unwrap();
    assert_eq!((closure.received, closure.clean), (Some(CloseCode::NORMAL), false));
}

/// Both twins, with the request answered and then no byte taken: pings cannot go out, and the peer is given up.
#[test]
fn a_peer_that_reads_nothing_is_given_up() {
    let (peer, calls) = ([sends(&[REQUEST])], [Accept, Send("hello"), Send("again")]);
    let manners = Manners { takes: ANSWER.len() + 3, ..EAGER };
    let worlds = [(); 2].map(|()| World::new(&peer, manners));
    let (mut told, mut expected) = ([(); 2].map(|()| Told::default()), Told::default());
    block_on(asynchronous::play(&worlds[0], &calls, &mut told[0]));
    blocking::play(&worlds[1], &calls, &mut told[1]);
    // The ping is in the output at 30 s, behind what is not written; at 50 s its pong is overdue.
    expected.say("the peer is too slow: Pong");
    expected.say("the peer is too slow: Pong");
    for (world, told) in worlds.iter().zip(told) {
        assert_eq!(told.0, expected.0);
        assert_eq!(world.state().now.as_secs(), 50);
    }
}

/// The system of a world that need not be flushed.
struct Direct(World);

impl websocket_embedded::blocking::System<World> for Direct {
    const FLUSH: bool = false;

    fn now(&mut self) -> Duration {
        self.0.state().now
    }

    fn limit(&mut self, _: &mut World, _: Option<Duration>) -> Result<(), Broken> {
        Ok(())
    }

    fn shut(&mut self, _: &mut World) -> Result<(), Broken> {
        Ok(())
    }
}

impl websocket_embedded::asynchronous::System<World> for Direct {
    const FLUSH: bool = false;

    fn now(&mut self) -> Duration {
        self.0.state().now
    }

    async fn wait_until(&mut self, _: Duration) {
        pending().await
    }

    async fn shut(&mut self, _: &mut World) -> Result<(), Broken> {
        Ok(())
    }
}

#[test]
fn nothing_is_flushed_that_need_not_be() {
    let worlds = [(); 2].map(|()| World::new(&[sends(&[REQUEST])], EAGER));
    for (asynchronous, world) in [true, false].into_iter().zip(worlds) {
        let [mut read, mut memory, mut out] = SIZES.map(|size| vec![0; size]);
        let mut inbox = Inbox::new(&mut read, &mut memory);
        let parts = Parts::new(world.clone(), Direct(world.clone()), &mut out);
        let answer = |request: server::Request<'_>, out: &mut Out<'_>| {
            request.accept(OriginPolicy::SameHost).write(out)
        };
        let accepted = match asynchronous {
            true => {
                block_on(websocket_embedded::asynchronous::Socket::accept(parts, &mut inbox, answer)).is_ok()
            }
            false => websocket_embedded::blocking::Socket::accept(parts, &mut inbox, answer).is_ok(),
        };
        assert!(accepted);
        let state = world.state();
        assert_eq!((state.written.len(), state.flushed), (ANSWER.len(), 0));
    }
}

/// What is asked of the memory is asked before anything is sent.
#[test]
fn memory_that_is_too_small_is_an_error() {
    let rows: [([usize; 3], &[u8], &str); 4] = [
        ([64, 256, 130], b"", "the memory to read to, or to write from, is too small"),
        ([0, 256, 256], b"", "the memory to read to, or to write from, is too small"),
        ([64, 256, 131], REQUEST, "the output has no room for 149 bytes"),
        (
            [64, 100, 256],
            REQUEST,
            "the peer broke a rule: W100 HeadTooLong: a head is no longer than this side allows \
             (RFC 6585 §5), at byte ",
        ),
    ];
    for ([read, memory, out], written, expected) in rows {
        for twin in ["asynchronous", "blocking"] {
            let world = World::new(&[sends(&[written]), Ends], EAGER);
            let (mut read, mut memory, mut out) = (vec![0; read], vec![0; memory], vec![0; out]);
            let mut inbox = Inbox::new(&mut read, &mut memory);
            let parts = Parts::new(world.clone(), world.clone(), &mut out);
            let answer = |request: server::Request<'_>, out: &mut Out<'_>| {
                request.accept(OriginPolicy::SameHost).headers(&[("Server", "0123456789")]).write(out)
            };
            let error = match twin {
                "blocking" => websocket_embedded::blocking::Socket::accept(parts, &mut inbox, answer).err(),
                _ => block_on(websocket_embedded::asynchronous::Socket::accept(parts, &mut inbox, answer))
                    .err(),
            };
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with(expected), "{twin}: {error}");
        }
    }
}

/// Pieces that are sent back are fragments of the same message, wherever it was cut.
#[test]
fn pieces_are_echoed_as_fragments() {
    for chunk in [1, 5, usize::MAX] {
        let message = [b"\x81\xfe\x01\x2c\0\0\0\0", LONG, b"\x88\x80\0\0\0\0"].concat();
        let world = World::new(&[sends(&[REQUEST, &message]), Ends], Manners { chunk, ..EAGER });
        let [mut read, mut memory, mut out] = SIZES.map(|size| vec![0; size]);
        let mut inbox = Inbox::new(&mut read, &mut memory);
        let parts = Parts::new(world.clone(), world.clone(), &mut out);
        let mut socket = websocket_embedded::blocking::Socket::accept(parts, &mut inbox, |request, out| {
            request.accept(OriginPolicy::SameHost).write(out)
        })
        .unwrap();
        while let Some(piece) = socket.receive_piece(&mut inbox).unwrap() {
            socket.send(piece.echo()).unwrap();
        }
        let mut written = world.state().written.split_off(ANSWER.len());
        let mut conn = Connection::new(Client(|| [0; 4]), &Config::default(), Agreed::default());
        let (mut whole, mut out) = (Assembler::new([0; LONG.len()]), SliceOutput::new([0; 256]));
        let (mut input, mut echoed) = (Input::new(&mut written), Vec::new());
        while let Some(event) = conn.receive(&mut input, &mut out) {
            if let Event::Data(data) = event
                && let Some(message) = whole.push(data).unwrap()
            {
                echoed.push(message.text().unwrap().to_owned());
            }
        }
        assert_eq!(echoed, [LONG_TEXT]);
    }
}
