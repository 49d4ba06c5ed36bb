//! Proves that frames in both directions, whole sessions of them, allocate nothing.
#![allow(unsafe_code, reason = "a global allocator cannot be written without it")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use websocket_proto::{
    Agreed, Body, Client, CloseCode, Config, Connection, Event, Input, Kind, MIN_OUTPUT, MaskKey, Outgoing,
    Output, Prepared, Role, SAVED, SendError, Server, SliceOutput, Transport,
};

/// The system's allocator, which counts what this thread asks of it.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no counter any more, and no test either.
    let _gone = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to `System` with the same arguments, and so keeps `GlobalAlloc`'s contract as `System`
// does; counting neither allocates (the counter is a constant-initialised `Cell` without a destructor) nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `System` with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: `memory` came from `System` with this layout, and the caller keeps `realloc`'s contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `f` allocates.
fn allocations(f: impl FnOnce()) -> usize {
    let before = COUNT.get();
    f();
    COUNT.get() - before
}

type Out = SliceOutput<[u8; 4096]>;

/// Has `to` read what `from` put out, in pieces of `n` bytes, and echo it if told.
fn carry<F: Role, T: Role>(
    _: &Connection<F>,
    from: &mut Out,
    to: &mut Connection<T>,
    back: &mut Out,
    n: usize,
    echo: bool,
) {
    let mut buffer = [0; 64];
    while !from.is_empty() {
        let n = n.min(from.pending().len()).min(buffer.len());
        buffer[..n].copy_from_slice(&from.pending()[..n]);
        from.advance(n);
        let mut input = Input::new(&mut buffer[..n]);
        while let Some(event) = to.receive(&mut input, back) {
            if let (Event::Data(data), true) = (&event, echo) {
                assert!(matches!(to.send(data.echo(), back), Ok(()) | Err(SendError::Closed)));
            }
        }
    }
}

fn session() {
    let mut number = 0_u32;
    let keys = || -> MaskKey {
        number += 1;
        number.to_be_bytes()
    };
    let config = Config::default();
    let mut client = Connection::new(Client(keys), &config, Agreed::default());
    let mut server = Connection::new(Server, &config, Agreed::default());
    let mut up = Out::new([0; 4096]);
    let mut down = Out::new([0; 4096]);
    for n in [1, 2, 7, 64] {
        client.send(Outgoing::text("héllo, wörld"), &mut up).unwrap();
        client.send(Outgoing::first(Kind::Text, b"a\xc3"), &mut up).unwrap();
        client.send(Outgoing::ping(&[7; 125]), &mut up).unwrap();
        client.send_header(Outgoing::last(b""), 4, &mut up).unwrap();
        assert_eq!(client.pay(b"\xa9bcd", &mut up), Ok(4));
        client.send(Outgoing::binary(&[9; 300]), &mut up).unwrap();
        carry(&client, &mut up, &mut server, &mut down, n, true);
        carry(&server, &mut down, &mut client, &mut up, n, false);
        let message = Prepared::in_memory(Kind::Text, b"to all", [0; 16]).unwrap();
        assert!(down.put(server.send_prepared(&message, &mut down.clone()).unwrap(), Body::plain(&[])));
        carry(&server, &mut down, &mut client, &mut up, n, false);
        assert!(client.failure().is_none() && server.failure().is_none());
    }
    // Room runs out, a state is saved and restored, and the end comes.
    let mut none = SliceOutput::new([0; 0]);
    assert!(matches!(server.send(Outgoing::text("x"), &mut none), Err(SendError::NoRoom { needed: 3 })));
    let mut state = [0; SAVED];
    let len = server.save(&mut state);
    let mut server = Connection::restore(Server, &state[..len]).unwrap();
    client.close(CloseCode::GOING_AWAY, "leaving", &mut up).unwrap();
    carry(&client, &mut up, &mut server, &mut down, 3, true);
    carry(&server, &mut down, &mut client, &mut up, 3, false);
    assert!(client.receive_eof().clean && server.receive_eof().clean);
    assert_eq!((client.transport(), server.transport()), (Transport::Drop, Transport::Drop));

    // A violation, told in words.
    let mut server = Connection::new(Server, &config, Agreed::default());
    let mut out = SliceOutput::new([0; MIN_OUTPUT]);
    let mut bytes = *b"\x81\x85\0\0\0\0ab\xffcd";
    let mut input = Input::new(&mut bytes);
    assert!(matches!(server.receive(&mut input, &mut out), Some(Event::Data(_))));
    assert!(matches!(server.receive(&mut input, &mut out), Some(Event::Failed(_))));
    let mut words = heapless::String::<200>::new();
    core::fmt::Write::write_fmt(&mut words, format_args!("{}", server.failure().unwrap())).unwrap();
}

#[test]
fn a_session_allocates_nothing() {
    assert_eq!(allocations(session), 0);
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1, "the counter counts");
}

/// Nothing is reserved by a declared length (W20).
#[cfg(feature = "alloc")]
#[test]
fn a_header_reserves_nothing() {
    let mut header = *b"\x82\xff\0\0\x01\0\0\0\0\0\x01\x02\x03\x04...";
    let count = allocations(|| {
        let config = Config { frame_limit: u64::MAX, message_limit: u64::MAX, ..Config::default() };
        let mut conn = Connection::new(Server, &config, Agreed::default());
        let mut out = websocket_proto::QueueOutput::with_limit(1 << 20);
        let mut input = Input::new(&mut header);
        while conn.receive(&mut input, &mut out).is_some() {}
        assert_eq!(conn.frame_remaining(), (1 << 40) - 3);
    });
    assert_eq!(count, 0);
}
