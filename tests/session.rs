//! One loop from the first byte to the last, in both roles: the same events, output and end for every cut of the
//! stream, and whenever the request is answered.
#![cfg(feature = "alloc")]

mod handshake;

use handshake::{client, every_cut, server};
use websocket_proto::{
    Cause, Client, CloseCode, Closer, Closure, Config, Event, Input, Kind, Opens, OriginPolicy, Outgoing,
    ProtocolError, Rsv, Rule, SendError, Server, Session, SliceOutput, Transport, Uri,
};

type Memory = [u8; 512];
type Keys = fn() -> [u8; 4];
type ServerSession = Session<Server, Memory>;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What happened, in words; pieces of one frame are joined.
#[derive(Debug, Default, PartialEq)]
struct Log {
    events: Vec<String>,
    open_frame: bool,
}

impl Log {
    fn add(&mut self, event: &Event<'_>) {
        if let Event::Data(data) = event {
            let part = data.part();
            if !self.open_frame {
                let first = if part.first { "first" } else { "next" };
                self.events.push(format!("{:?} {first}{} ", part.kind, if part.fin { " fin" } else { "" }));
            }
            let line = self.events.last_mut().unwrap();
            line.push_str(&data.payload().escape_ascii().to_string());
            self.open_frame = !part.ends_frame;
            return;
        }
        self.events.push(match event {
            Event::Ping(payload) => format!("ping {}", payload.escape_ascii()),
            Event::Pong(payload) => format!("pong {}", payload.escape_ascii()),
            Event::Close(None) => "close".into(),
            Event::Close(Some(frame)) => format!("close {} {}", frame.code(), frame.reason()),
            Event::Failed(error) => format!("failed {} {}", error.rule.name(), error.offset),
            other => format!("{other:?}"),
        });
    }
}

/// A frame, masked if a client sends it.
fn frame(masked: bool, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, u8::try_from(payload.len()).unwrap() | if masked { 0x80 } else { 0 }];
    if masked {
        frame.extend(KEY);
        frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        frame.extend(payload);
    }
    frame
}

/// A text in two fragments with a ping between, an empty binary message, a Close, and what follows it.
fn frames(masked: bool) -> Vec<u8> {
    let frame = |first, payload: &[u8]| frame(masked, first, payload);
    [
        frame(0x01, b"Hel"),
        frame(0x89, b"?"),
        frame(0x80, b"lo"),
        frame(0x82, b""),
        frame(0x88, b"\x03\xe8bye"),
        frame(0x81, b"thrown away"),
    ]
    .concat()
}

const EVENTS: [&str; 5] =
    ["Text first Hel", "ping ?", "Text next fin lo", "Binary first fin ", "close 1000 bye"];

fn replies(masked: bool) -> Vec<u8> {
    [frame(masked, 0x8a, b"?"), frame(masked, 0x81, b"ok"), frame(masked, 0x88, b"\x03\xe8")].concat()
}

/// A session, what came out of it, and what it did not take.
struct Driven<R: Opens<Memory>> {
    session: Session<R, Memory>,
    log: Log,
    out: Vec<u8>,
    kept: Vec<u8>,
}

impl<R: Opens<Memory>> Driven<R> {
    const fn new(session: Session<R, Memory>) -> Self {
        Self {
            session,
            log: Log { events: Vec::new(), open_frame: false },
            out: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// The loop of a driver: what was read goes behind what was kept, and `on` may answer each event.
    fn read(&mut self, bytes: &[u8], mut on: impl FnMut(&mut Session<R, Memory>, &Event<'_>, &mut Vec<u8>)) {
        self.kept.extend_from_slice(bytes);
        let mut input = Input::new(&mut self.kept);
        while let Some(event) = self.session.receive(&mut input, &mut self.out) {
            self.log.add(&event);
            on(&mut self.session, &event, &mut self.out);
        }
        self.kept = input.into_rest().to_vec();
    }

    fn ended(self) -> (Vec<String>, Vec<u8>, Vec<u8>, Transport, Closure) {
        let (transport, closure) = (self.session.transport(), self.session.closure());
        (self.log.events, self.out, self.kept, transport, closure)
    }
}

fn accept(session: &mut ServerSession, out: &mut Vec<u8>) {
    session.request().unwrap().accept(OriginPolicy::Any).write(out).unwrap();
}

/// Says "ok" once, when the text is complete.
fn say_ok<R: Opens<Memory>>(session: &mut Session<R, Memory>, event: &Event<'_>, out: &mut Vec<u8>) {
    if let Event::Data(data) = event
        && (data.part().kind, data.part().last) == (Kind::Text, true)
    {
        session.send(Outgoing::text("ok"), out).unwrap();
    }
}

fn server_session() -> Driven<Server> {
    Driven::new(Session::server([0xAA; 512], Config::default()))
}

fn client_session() -> Driven<Client<Keys>> {
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let request = websocket_proto::client::Request::new(uri, *b"the sample nonce").protocols(&["chat"]);
    let keys: Keys = || KEY;
    let mut out = Vec::new();
    let session = Session::client(Client(keys), [0xAA; 512], Config::default(), &request, &mut out).unwrap();
    let mut driven = Driven::new(session);
    driven.out = out;
    driven
}

fn closed(first: Closer) -> Closure {
    let code = Some(CloseCode::NORMAL);
    Closure { sent: code, received: code, first: Some(first), clean: false, cause: None }
}

#[test]
fn a_server_from_first_to_last() {
    // W102: frames in the same read as the request, whether it is answered at once or later.
    let stream = [server::with("Sec-WebSocket-Protocol: chat\r\n"), frames(true)].concat();
    let at_once = every_cut(&stream, |pieces| {
        let mut driven = server_session();
        for piece in pieces {
            driven.read(piece, |session, event, out| match event {
                Event::Requested => accept(session, out),
                event => say_ok(session, event, out),
            });
        }
        driven.ended()
    });
    let later = every_cut(&stream, |pieces| {
        let mut driven = server_session();
        for piece in pieces {
            driven.read(piece, |_, event, _| assert!(matches!(event, Event::Requested)));
        }
        // Unanswered it takes nothing, and says nothing twice.
        assert_eq!(driven.kept, frames(true));
        driven.read(&[], |_, _, _| panic!());
        assert_eq!(driven.kept, frames(true));
        assert_eq!(driven.session.request().unwrap().protocols().collect::<Vec<_>>(), ["chat"]);
        accept(&mut driven.session, &mut driven.out);
        driven.read(&[], say_ok);
        driven.ended()
    });
    assert_eq!(at_once, later);
    let (events, out, kept, transport, closure) = at_once;
    assert_eq!((&events[..1], &events[1..]), (&["Requested".to_owned()][..], &EVENTS.map(str::to_owned)[..]));
    assert!(out.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
    let head = out.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(out[head..], replies(false));
    assert_eq!((kept, transport, closure), (vec![], Transport::Shut, closed(Closer::Peer)));
}

#[test]
fn a_client_from_first_to_last() {
    // W122: frames in the same read as the 101.
    let stream = [client::with("Sec-WebSocket-Protocol: chat\r\n"), frames(false)].concat();
    let (events, out, kept, transport, closure) = every_cut(&stream, |pieces| {
        let mut driven = client_session();
        for piece in pieces {
            driven.read(piece, |session, event, out| {
                if let Event::Opened = event {
                    assert_eq!(session.response().unwrap().protocol(), Some("chat"));
                }
                say_ok(session, event, out);
            });
        }
        assert!(driven.session.response().is_none(), "the head's memory is dropped");
        driven.ended()
    });
    assert_eq!((&events[..1], &events[1..]), (&["Opened".to_owned()][..], &EVENTS.map(str::to_owned)[..]));
    assert!(out.starts_with(b"GET /chat HTTP/1.1\r\n"));
    let head = out.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(out[head..], replies(true));
    assert_eq!((kept, transport, closure), (vec![], Transport::AwaitEnd, closed(Closer::Peer)));
}

#[test]
fn nothing_is_sent_before_the_101() {
    // W125: in either role, in every state of the handshake.
    fn not_open<R: Opens<Memory>>(driven: &mut Driven<R>) {
        let before = driven.out.len();
        let session = &mut driven.session;
        assert_eq!(session.send(Outgoing::text("a"), &mut driven.out), Err(SendError::NotOpen));
        assert_eq!(session.send(Outgoing::ping(b""), &mut driven.out), Err(SendError::NotOpen));
        assert_eq!(session.close(CloseCode::NORMAL, "", &mut driven.out), Err(SendError::NotOpen));
        assert!(session.connection().is_none() && !session.poll_transmit(&mut driven.out));
        assert_eq!(driven.out.len(), before);
    }
    let stream = server::with("");
    for end in 0..=stream.len() {
        let mut driven = server_session();
        driven.read(&stream[..end], |_, _, _| {});
        not_open(&mut driven);
    }
    let stream = client::with("");
    for end in 0..stream.len() {
        let mut driven = client_session();
        driven.read(&stream[..end], |_, _, _| {});
        not_open(&mut driven);
        // W165: the bytes so far.
        assert_eq!(driven.session.head(), &stream[..end]);
    }
    let mut driven = server_session();
    driven.read(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", |session, _, out| {
        session.request().unwrap().respond(200).write(out).unwrap();
    });
    not_open(&mut driven);
    driven.read(b"POST", |_, _, _| panic!());
    let mut driven = server_session();
    driven.read(b"\x81\0", |_, _, _| {});
    not_open(&mut driven);
    let mut driven = client_session();
    driven.read(b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", |_, _, _| {});
    not_open(&mut driven);
    // And what was opened can send at once.
    let mut driven = client_session();
    driven.read(&client::with(""), |session, _, out| session.send(Outgoing::text("a"), out).unwrap());
    assert!(driven.out.ends_with(&frame(true, 0x81, b"a")));
}

#[test]
fn a_request_that_breaks_a_rule() {
    // W110, W152, W156: one event, one refusal, then shut; the end of the stream comes after that.
    #[rustfmt::skip]
    let rows = [
        (server::instead("GET", "POST"), Rule::MethodNotAllowed),
        (server::instead(" 13\r", " 8\r"), Rule::VersionUnsupported),
        (server::target(&"/".repeat(600)), Rule::TargetTooLong),
        (b"GET / HTTP/2\r\n".to_vec(), Rule::RequestVersion),
    ];
    for (stream, rule) in rows {
        let stream = [stream, frames(true)].concat();
        let (events, out, kept, transport, closure) = every_cut(&stream, |pieces| {
            let mut driven = server_session();
            for piece in pieces {
                driven.read(piece, |_, _, _| {});
            }
            let failure = driven.session.failure().unwrap();
            assert!(driven.session.request().is_none());
            let closure = driven.session.receive_eof();
            assert_eq!(closure.cause, Some(Cause::Violation(failure)));
            assert_eq!(
                (driven.session.transport(), driven.session.receive_eof()),
                (Transport::Drop, closure)
            );
            driven.ended()
        });
        let Some(Cause::Violation(error)) = closure.cause else { panic!("{closure:?}") };
        assert_eq!(error.rule, rule);
        assert_eq!(events, [format!("failed {} {}", rule.name(), error.offset)]);
        assert_eq!(String::from_utf8(out).unwrap(), server::refusal(rule));
        assert_eq!((kept, transport, closure.code()), (vec![], Transport::Drop, CloseCode::ABNORMAL));
        assert_eq!((closure.sent, closure.received, closure.first, closure.clean), (None, None, None, false));

        // A refusal that finds no room waits, and the transport is kept for it, whatever the peer does.
        let mut session = Session::server([0; 512], Config::default());
        let mut out = SliceOutput::new([0; 1024]);
        let mut stream = stream;
        let mut none = SliceOutput::new([0; 0]);
        assert!(matches!(session.receive(&mut Input::new(&mut stream), &mut none), Some(Event::Failed(_))));
        assert_eq!(session.transport(), Transport::Keep);
        session.receive_eof();
        assert_eq!(session.transport(), Transport::Keep);
        assert!(!session.poll_transmit(&mut none) && session.poll_transmit(&mut out));
        assert_eq!((session.transport(), session.poll_transmit(&mut out)), (Transport::Drop, false));
        assert_eq!(out.pending(), server::refusal(rule).as_bytes());
    }
}

#[test]
fn an_origin_that_the_policy_refuses() {
    // W108: the 403 first, then the event.
    let stream = [server::with("Origin: http://evil\r\n"), frames(true)].concat();
    let offset = server::with("Origin: http://evil\r\n").len() as u64 - 1;
    let (events, out, kept, transport, closure) = every_cut(&stream, |pieces| {
        let mut driven = server_session();
        for piece in pieces {
            driven.read(piece, |session, event, out| {
                if let Event::Requested = event {
                    session.request().unwrap().accept(OriginPolicy::SameHost).write(out).unwrap();
                    assert_eq!(out, server::refusal(Rule::OriginRefused).as_bytes());
                    assert_eq!(session.transport(), Transport::Shut);
                }
            });
        }
        driven.ended()
    });
    assert_eq!(events, ["Requested".to_owned(), format!("failed OriginRefused {offset}")]);
    assert_eq!(out, server::refusal(Rule::OriginRefused).as_bytes());
    assert_eq!((kept, transport), (vec![], Transport::Shut));
    let error = ProtocolError { rule: Rule::OriginRefused, offset };
    assert_eq!(closure.cause, Some(Cause::Violation(error)));
}

#[test]
fn a_page_for_a_plain_get() {
    let stream = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
    let (events, out, kept, transport, closure) = every_cut(stream, |pieces| {
        let mut driven = server_session();
        for piece in pieces {
            driven.read(piece, |session, _, out| {
                let request = session.request().unwrap();
                assert!(!request.is_upgrade());
                assert_eq!(request.path(), "/a");
                request.respond(200).body(b"page").write(out).unwrap();
            });
        }
        let (transport, closure) = (driven.session.transport(), driven.session.closure());
        assert_eq!((driven.session.receive_eof(), driven.session.transport()), (closure, Transport::Drop));
        let (events, out, kept, ..) = driven.ended();
        (events, out, kept, transport, closure)
    });
    assert_eq!(events, ["Requested"]);
    assert_eq!(out, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npage");
    assert_eq!((kept, transport, closure.cause), (vec![], Transport::Shut, Some(Cause::Refused)));
}

#[test]
fn an_answer_that_is_no_101() {
    #[rustfmt::skip]
    let rows: [(&[u8], &[&str], Transport, Cause); 4] = [
        (b"HTTP/1.1 401 \r\nContent-Length: 2\r\n\r\nno\x81\x00", &["Refused"], Transport::Drop, Cause::Refused),
        (b"HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nn", &[], Transport::Keep, Cause::Refused),
        (b"HTTP/1.1 500 \r\n\r\nno", &[], Transport::Keep, Cause::Refused),
        (b"HTTP/2 101\r\n\r\n", &["failed ResponseVersion 5"], Transport::Drop,
         Cause::Violation(ProtocolError { rule: Rule::ResponseVersion, offset: 5 })),
    ];
    for (stream, events, transport, cause) in rows {
        let request = client_session().out;
        let ended = every_cut(stream, |pieces| {
            let mut driven = client_session();
            for piece in pieces {
                driven.read(piece, |_, _, _| {});
            }
            assert_eq!(driven.session.transport(), transport);
            assert_eq!(driven.session.response().is_some(), cause == Cause::Refused);
            assert!(driven.session.closure().cause == Some(cause));
            let closure = driven.session.receive_eof();
            assert_eq!(driven.session.receive_eof(), closure, "W151");
            driven.ended()
        });
        let nothing = Closure { sent: None, received: None, first: None, clean: false, cause: Some(cause) };
        let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
        assert_eq!(ended, (events, request, vec![], Transport::Drop, nothing));
    }
}

#[test]
fn the_stream_ends_at_every_byte() {
    // W165, W72, W71: what an end means at each byte of the head, right behind it, and in the frames.
    fn cause(closure: Closure) -> Option<Cause> {
        assert!(!closure.clean);
        assert_eq!(closure.code(), CloseCode::ABNORMAL);
        closure.cause
    }
    let head = server::with("").len();
    let stream = [server::with(""), frame(true, 0x01, b"a"), frame(true, 0x80, b"b")].concat();
    let client_head = client::with("").len();
    let client_stream = [client::with(""), frame(false, 0x01, b"a"), frame(false, 0x80, b"b")].concat();
    let expected = |end: usize, head: usize, len: usize| match end {
        _ if end < head => Cause::EndInHandshake,
        _ if end == head || end == len => Cause::EndWithoutClose,
        _ if end == head + (len - head) / 2 => Cause::EndInMessage,
        _ => Cause::EndInFrame,
    };
    for end in 0..=stream.len() {
        let mut driven = server_session();
        driven.read(&stream[..end], |session, event, out| {
            if let Event::Requested = event {
                accept(session, out);
            }
        });
        assert_eq!((driven.session.transport(), driven.session.closure().cause), (Transport::Keep, None));
        let closure = driven.session.receive_eof();
        assert_eq!(cause(closure), Some(expected(end, head, stream.len())), "{end}");
        assert_eq!((driven.session.receive_eof(), driven.session.transport()), (closure, Transport::Drop));
    }
    for end in 0..=client_stream.len() {
        let mut driven = client_session();
        driven.read(&client_stream[..end], |_, _, _| {});
        assert_eq!((driven.session.transport(), driven.session.closure().cause), (Transport::Keep, None));
        let closure = driven.session.receive_eof();
        assert_eq!(cause(closure), Some(expected(end, client_head, client_stream.len())), "{end}");
        assert_eq!((driven.session.receive_eof(), driven.session.transport()), (closure, Transport::Drop));
    }
}

#[test]
fn the_stream_ends_while_the_request_awaits_its_answer() {
    // The end was told before the answer: the connection behind it knows.
    let mut driven = server_session();
    driven.read(&[server::with(""), frames(true)].concat(), |_, _, _| {});
    assert_eq!(driven.session.receive_eof().cause, Some(Cause::EndInHandshake));
    // Who ended its own side only can still be answered.
    assert_eq!(driven.session.transport(), Transport::Keep);
    accept(&mut driven.session, &mut driven.out);
    driven.read(&[], say_ok);
    let closure = driven.session.closure();
    assert_eq!(closure, Closure { clean: true, ..closed(Closer::Peer) });
    assert_eq!(driven.log.events[1..], EVENTS.map(str::to_owned));
}

#[test]
fn the_connection_alone() {
    let mut driven = server_session();
    driven.read(&server::with(""), |_, _, _| {});
    let session = driven.session.into_connection().expect_err("it is not answered");
    driven.session = session;
    let request = driven.session.request().expect("it still awaits its answer");
    request.accept(OriginPolicy::Any).extensions("x", Rsv::NONE).write(&mut driven.out).unwrap_err();
    accept(&mut driven.session, &mut driven.out);
    let mut connection = driven.session.into_connection().expect("it is open");
    let mut read = frames(true);
    let mut input = Input::new(&mut read);
    let mut log = Log::default();
    while let Some(event) = connection.receive(&mut input, &mut driven.out) {
        log.add(&event);
    }
    assert_eq!(log.events, EVENTS);
}
