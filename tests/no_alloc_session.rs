//! A whole session in fixed memory allocates nothing: the handshake of both roles, messages, a ping, the timers, the
//! closing handshake, refusals and failures.
#![allow(unsafe_code, reason = "an allocator")]

use core::{cell::Cell, time::Duration};
use std::alloc::{GlobalAlloc, Layout, System};

use websocket_proto::{
    Assembler, Client, CloseCode, Config, Due, Event, Input, Keepalive, Kind, OriginPolicy, Outgoing, Rsv,
    Rule, Server, Session, SliceOutput, Timing, Transport, Uri, UriOptions, client,
};

thread_local! {
    /// How often this thread has allocated.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Guard;

// SAFETY: every call is the system allocator's, with the same arguments.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Guard = Guard;

fn count() {
    // A thread that ends counts no more.
    let _ended = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

/// How often `run` allocates.
fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

type Out = SliceOutput<[u8; 1024]>;

/// Moves what is pending in an output to where it is read, and says how much that is.
fn carry(out: &mut Out, read: &mut [u8; 1024]) -> usize {
    let n = out.pending().len();
    read[..n].copy_from_slice(out.pending());
    out.advance(n);
    n
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0_u8; 10]))), 1);
    assert_eq!(allocations(|| {}), 0);
}

#[test]
fn from_first_to_last() {
    let count = allocations(|| {
        let config = Config::default();
        let (mut to_server, mut to_client, mut read) = (Out::new([0; 1024]), Out::new([0; 1024]), [0; 1024]);
        let options = UriOptions { http: true, user_info: true };
        let uri = Uri::parse_with("http://ann:secret@[::1]:8080/chat?a", options).unwrap();
        let request = client::Request::new(uri, *b"the sample nonce")
            .protocols(&["chat", "superchat"])
            .extensions(&[("x; y=\"z\"", Rsv::NONE)])
            .headers(&[("Origin", "http://[::1]:8080"), ("Cookie", "a=b")]);
        let mut client =
            Session::client(Client(|| [1, 2, 3, 4]), [0; 512], config, &request, &mut to_server).unwrap();
        let mut server = Session::<Server, _>::server([0; 512], config);
        let mut timers = Keepalive::new(Duration::ZERO, Timing::default());
        let (mut at_server, mut at_client) = (Assembler::new([0; 64]), Assembler::new([0; 64]));
        let (mut said, mut heard, mut closes) = (false, 0, 0);
        let mut now = 0;

        while client.transport() == Transport::Keep || server.transport() == Transport::Keep {
            now += 3;
            let n = carry(&mut to_server, &mut read);
            for piece in read[..n].chunks_mut(7) {
                let mut input = Input::new(piece);
                while let Some(event) = server.receive(&mut input, &mut to_client) {
                    match event {
                        Event::Requested => {
                            let request = server.request().unwrap();
                            assert!(request.protocols().any(|name| name == "chat"));
                            let accept = request.accept(OriginPolicy::SameHost).protocol("chat");
                            accept.extensions("x", Rsv::NONE).write(&mut to_client).unwrap();
                        }
                        Event::Data(data) => {
                            if let Some(message) = at_server.push(data).unwrap() {
                                assert_eq!(message.text(), Some("Hello"));
                                server.send(message.echo(), &mut to_client).unwrap();
                                heard += 1;
                            }
                        }
                        Event::Pong(_) => {
                            server.close(CloseCode::GOING_AWAY, "enough", &mut to_client).unwrap();
                        }
                        Event::Close(_) => closes += 1,
                        other => panic!("{other:?}"),
                    }
                }
            }
            if server.connection().is_some() {
                let due = timers.turn(Duration::from_secs(now), server.connection(), &mut to_client);
                assert!(matches!(due, Due::Wait(Some(_))));
            }
            let n = carry(&mut to_client, &mut read);
            for piece in read[..n].chunks_mut(5) {
                let mut input = Input::new(piece);
                while let Some(event) = client.receive(&mut input, &mut to_server) {
                    match event {
                        Event::Opened => assert_eq!(client.response().unwrap().protocol(), Some("chat")),
                        Event::Data(data) => {
                            if let Some(message) = at_client.push(data).unwrap() {
                                assert_eq!(message.payload(), b"Hello");
                                heard += 1;
                            }
                        }
                        Event::Ping(_) => {}
                        Event::Close(frame) => {
                            assert_eq!(frame.unwrap().reason(), "enough");
                            closes += 1;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            if client.connection().is_some() && !said {
                said = true;
                client.send(Outgoing::first(Kind::Text, b"Hel"), &mut to_server).unwrap();
                client.send(Outgoing::last(b"lo"), &mut to_server).unwrap();
            }
        }
        assert_eq!((heard, closes), (2, 2));
        assert!(client.receive_eof().clean && server.receive_eof().clean);
    });
    assert_eq!(count, 0);
}

#[test]
fn refusals_and_failures() {
    let count = allocations(|| {
        let config = Config::default();
        let mut out = Out::new([0; 1024]);
        // A request that breaks a rule.
        let mut server = Session::server([0; 512], config);
        let mut read = *b"POST / HTTP/1.1\r\nHost: h\r\n\r\n";
        assert!(matches!(server.receive(&mut Input::new(&mut read), &mut out), Some(Event::Failed(_))));
        assert!(out.pending().starts_with(b"HTTP/1.1 405 "));
        assert_eq!(server.failure().map(|error| error.rule), Some(Rule::MethodNotAllowed));
        // A page.
        let mut server = Session::server([0; 512], config);
        let mut read = *b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        assert!(matches!(server.receive(&mut Input::new(&mut read), &mut out), Some(Event::Requested)));
        server.request().unwrap().respond(200).body(b"page").write(&mut out).unwrap();
        // An answer with a body, and one that breaks a rule.
        let request = client::Request::new(Uri::parse("ws://h").unwrap(), [0; 16]);
        for answer in
            [&mut b"HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno".to_owned()[..], &mut b"HTTP/2".to_owned()]
        {
            let mut out = Out::new([0; 1024]);
            let role = Client(|| [0; 4]);
            let mut client = Session::client(role, [0; 512], config, &request, &mut out).unwrap();
            let event = client.receive(&mut Input::new(answer), &mut out);
            assert!(matches!(event, Some(Event::Refused | Event::Failed(_))));
            assert_eq!(client.transport(), Transport::Drop);
        }
    });
    assert_eq!(count, 0);
}
