//! Proves what goes out: every refusal leaves output and connection as they were, the room asked for is exact, every
//! way to send gives the same bytes, every frame has a key of its own, and one reply may wait by fixed rules.

mod common;

use std::{cell::Cell, rc::Rc};

use common::{
    keys::{Keys, key},
    oracle::{Setup, frame},
    run::{self, hear},
};
use websocket_proto::{
    Client, CloseCode, Connection, Event, Input, Kind, MIN_OUTPUT, MaskKey, MaskSource, Outgoing, Output,
    Prepared, Role, Rule, SAVED, SendError, Server, SliceOutput, Transport,
};

type Out = SliceOutput<Vec<u8>>;

fn output(size: usize) -> Out {
    SliceOutput::new(vec![0xaa; size])
}

fn server() -> Connection<Server> {
    run::connection(Server, &Setup::strict(true))
}

fn client(keys: &Keys) -> Connection<Client<Keys>> {
    run::connection(Client(keys.clone()), &Setup::strict(false))
}

/// The whole state, to compare.
fn state<R: Role>(conn: &Connection<R>) -> Vec<u8> {
    let mut bytes = [0; SAVED];
    let len = conn.save(&mut bytes);
    bytes[..len].to_vec()
}

type Do<R> = fn(&mut Connection<R>, &mut Out) -> Result<(), SendError>;

/// What is done first, what is refused then, and why.
type Refusal<R> = (&'static str, Do<R>, Do<R>, SendError);

fn refusals<R: Role>() -> Vec<Refusal<R>> {
    let nothing: Do<R> = |_, _| Ok(());
    let open: Do<R> = |conn, out| conn.send(Outgoing::first(Kind::Text, b"a\xc3"), out);
    let debt: Do<R> = |conn, out| {
        conn.send_header(Outgoing::first(Kind::Binary, b""), 5, out)?;
        conn.pay(b"xy", out).map(drop)
    };
    let text_debt: Do<R> = |conn, out| {
        conn.send_header(Outgoing::whole(Kind::Text, b""), 3, out)?;
        conn.pay(b"\xe2", out).map(drop)
    };
    let closed: Do<R> = |conn, out| conn.close(CloseCode::NORMAL, "", out);
    let bare: Do<R> = |conn, out| {
        conn.close_without_code(out);
        Ok(())
    };
    let failed: Do<R> = |conn, out| {
        conn.fail(Rule::Policy, out);
        Ok(())
    };
    use SendError::{Closed, ControlTooLong, Fragment, Length, Owed, Reserved, Utf8};
    vec![
        ("a message while a debt is owed", debt, |c, o| c.send(Outgoing::text("no"), o), Owed { bytes: 3 }),
        ("a fragment while a debt is owed", debt, |c, o| c.send(Outgoing::last(b"no"), o), Owed { bytes: 3 }),
        ("a ping while a debt is owed", debt, |c, o| c.send(Outgoing::ping(b"no"), o), Owed { bytes: 3 }),
        (
            "a header while a debt is owed",
            debt,
            |c, o| c.send_header(Outgoing::last(b""), 1, o),
            Owed { bytes: 3 },
        ),
        ("a payment of nothing owed", nothing, |c, o| c.pay(b"no", o).map(drop), Owed { bytes: 0 }),
        ("in place, with nothing owed", nothing, |c, _| c.pay_in_place(&mut [1]), Owed { bytes: 0 }),
        ("more than is owed, in place", debt, |c, _| c.pay_in_place(&mut [1; 4]), Owed { bytes: 3 }),
        ("a message after close", closed, |c, o| c.send(Outgoing::text("no"), o), Closed),
        ("a message after a bare close", bare, |c, o| c.send(Outgoing::text("no"), o), Closed),
        ("a ping after close", closed, |c, o| c.send(Outgoing::ping(b"no"), o), Closed),
        ("a header after close", closed, |c, o| c.send_header(Outgoing::binary(b""), 9, o), Closed),
        ("a message after a failure", failed, |c, o| c.send(Outgoing::text("no"), o), Closed),
        ("a continuation of nothing", nothing, |c, o| c.send(Outgoing::next(b"no"), o), Fragment),
        ("an end of nothing", nothing, |c, o| c.send(Outgoing::last(b"no"), o), Fragment),
        (
            "a header that continues nothing",
            nothing,
            |c, o| c.send_header(Outgoing::next(b""), 1, o),
            Fragment,
        ),
        ("a message inside a message", open, |c, o| c.send(Outgoing::text("no"), o), Fragment),
        ("a first inside a message", open, |c, o| c.send(Outgoing::first(Kind::Binary, b"no"), o), Fragment),
        ("a header inside a message", open, |c, o| c.send_header(Outgoing::binary(b""), 1, o), Fragment),
        ("text that is none", nothing, |c, o| c.send(Outgoing::whole(Kind::Text, b"\xff"), o), Utf8),
        ("text cut off", nothing, |c, o| c.send(Outgoing::whole(Kind::Text, b"a\xc3"), o), Utf8),
        (
            "a first that is no text",
            nothing,
            |c, o| c.send(Outgoing::first(Kind::Text, b"\xed\xa0"), o),
            Utf8,
        ),
        ("a next that is no text", open, |c, o| c.send(Outgoing::next(b"\xc3"), o), Utf8),
        ("a last that cuts off", open, |c, o| c.send(Outgoing::last(b""), o), Utf8),
        ("an empty debt that cuts off", open, |c, o| c.send_header(Outgoing::last(b""), 0, o), Utf8),
        ("a payment that is no text", text_debt, |c, o| c.pay(b"A", o).map(drop), Utf8),
        ("a payment that cuts off", text_debt, |c, o| c.pay(b"\x82a", o).map(drop), Utf8),
        ("a payment in place that is no text", text_debt, |c, _| c.pay_in_place(&mut [b'A']), Utf8),
        ("a ping too long", nothing, |c, o| c.send(Outgoing::ping(&[0; 126]), o), ControlTooLong),
        ("a pong too long", nothing, |c, o| c.send(Outgoing::pong(&[0; 126]), o), ControlTooLong),
        ("a ping as a debt", nothing, |c, o| c.send_header(Outgoing::ping(b""), 1, o), ControlTooLong),
        ("a length of 64 bits", nothing, |c, o| c.send_header(Outgoing::binary(b""), 1 << 63, o), Length),
        (
            "RSV1 that nobody agreed on",
            nothing,
            |c, o| c.send(Outgoing::binary(b"").compressed(), o),
            Reserved,
        ),
        ("RSV1 on a debt", nothing, |c, o| c.send_header(Outgoing::text("").compressed(), 1, o), Reserved),
        (
            "a reason too long",
            nothing,
            |c, o| c.close(CloseCode::NORMAL, &"r".repeat(124), o),
            SendError::ReasonTooLong,
        ),
        ("a code for nobody", nothing, |c, o| c.close(CloseCode::NO_STATUS, "", o), SendError::CloseCode),
        ("a bad code after close", closed, |c, o| c.close(CloseCode::new(999), "", o), SendError::CloseCode),
    ]
}

fn check_refusals<R: Role>(make: impl Fn(u8) -> Connection<R>, drawn: impl Fn() -> u32) {
    let mut cases: Vec<(u8, Refusal<R>)> = refusals().into_iter().map(|refusal| (0, refusal)).collect();
    let nothing: Do<R> = |_, _| Ok(());
    let open: Do<R> = |conn, out| conn.send(Outgoing::first(Kind::Text, b"\xff").compressed(), out);
    cases.push((
        0x40,
        ("RSV1 on a ping", nothing, |c, o| c.send(Outgoing::ping(b"").compressed(), o), SendError::Reserved),
    ));
    cases.push((
        0x40,
        ("RSV1 on a next", open, |c, o| c.send(Outgoing::next(b"").compressed(), o), SendError::Reserved),
    ));

    for (reserved, (name, prepare, refused, error)) in cases {
        let (mut conn, mut out) = (make(reserved), output(1000));
        prepare(&mut conn, &mut out).unwrap();
        let (before, bytes, keys) = (state(&conn), out.pending().to_vec(), drawn());
        for _ in 0..2 {
            assert_eq!(refused(&mut conn, &mut out), Err(error), "{name}");
            assert_eq!(out.pending(), bytes, "{name}: nothing was written");
            assert_eq!(state(&conn), before, "{name}: the connection goes on as before");
            assert_eq!(drawn(), keys, "{name}: no key was drawn");
        }
    }
}

#[test]
fn a_refusal_changes_nothing() {
    let make = |reserved| run::connection(Server, &Setup { reserved, ..Setup::strict(true) });
    check_refusals(make, || 0);
    let keys = Keys::default();
    let make = |reserved| run::connection(Client(keys.clone()), &Setup { reserved, ..Setup::strict(false) });
    check_refusals(make, || keys.drawn());
}

/// A payment in place that is refused leaves the caller's bytes alone (W86).
#[test]
fn a_refused_payment_is_not_masked() {
    let mut conn = client(&Keys::default());
    conn.send_header(Outgoing::text(""), 4, &mut output(20)).unwrap();
    let mut chunk = *b"ab\xffd";
    assert_eq!(conn.pay_in_place(&mut chunk), Err(SendError::Utf8));
    assert_eq!(&chunk, b"ab\xffd");
    conn.pay_in_place(&mut chunk[..2]).unwrap();
    assert_ne!(&chunk[..2], b"ab");
}

/// Every code, by both sides: W59 to W63.
#[test]
fn close_codes_that_may_be_sent() {
    for code in 0..=u16::MAX {
        let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let sent = server().close(code.into(), "", &mut output(200));
        assert_eq!(sent.is_ok(), legal && code != 1010, "{code} by a server: {sent:?}");
        let sent = client(&Keys::default()).close(code.into(), "", &mut output(200));
        assert_eq!(sent.is_ok(), legal, "{code} by a client: {sent:?}");
    }
}

/// `NoRoom` names the room that is needed, to the byte, a reply that waits included.
fn check_room<R: Role>(server: bool, make: impl Fn() -> Connection<R>) {
    let key = (!server).then_some([0; 4]);
    for waiting in [None, Some(0), Some(1), Some(125)] {
        for len in [0, 1, 125, 126, 127, 65535, 65536, 70000] {
            let payload = vec![7; len];
            let send: &dyn Fn(&mut Connection<R>, &mut Out) -> _ =
                &|c, o| c.send(Outgoing::binary(&payload), o);
            let head: &dyn Fn(&mut Connection<R>, &mut Out) -> _ =
                &|c, o| c.send_header(Outgoing::binary(b""), len as u64, o);
            let reply = waiting.map_or(Vec::new(), |len| frame(0x8a, &vec![1; len], key));
            let whole = frame(0x82, &payload, key).len();
            for (call, size) in [(send, whole), (head, whole - len)] {
                let needed = reply.len() + size;
                let make = || {
                    let mut conn = make();
                    if let Some(len) = waiting {
                        hear(&mut conn, 0x89, &vec![1; len], server, &mut output(0));
                    }
                    conn
                };
                let (mut conn, mut none) = (make(), output(0));
                let before = state(&conn);
                assert_eq!(call(&mut conn, &mut none), Err(SendError::NoRoom { needed }));
                assert_eq!((none.pending().len(), state(&conn)), (0, before));

                // One byte less: the reply may go, and the rest of the room is asked for.
                let (mut conn, mut out) = (make(), output(needed - 1));
                let rest = if needed > reply.len() { size } else { needed };
                assert_eq!(call(&mut conn, &mut out), Err(SendError::NoRoom { needed: rest }));
                assert_eq!(out.pending().len(), reply.len(), "the reply alone");
                assert!(!conn.is_reply_waiting());

                let (mut conn, mut out) = (make(), output(needed));
                assert_eq!(call(&mut conn, &mut out), Ok(()));
                assert_eq!(out.pending().len(), needed);
            }
        }
    }
}

#[test]
fn the_room_needed_is_exact() {
    check_room(true, server);
    check_room(false, || client(&Keys::default()));
}

#[test]
fn a_prepared_message_needs_room_for_the_reply_alone() {
    let message = Prepared::in_memory(Kind::Text, b"hello", vec![0; 20]).unwrap();
    let mut conn = server();
    hear(&mut conn, 0x89, b"ping", true, &mut output(0));
    assert_eq!(conn.send_prepared(&message, &mut output(5)), Err(SendError::NoRoom { needed: 6 }));
    let mut out = output(6);
    assert_eq!(conn.send_prepared(&message, &mut out), Ok(&b"\x81\x05hello"[..]));
    assert_eq!(out.pending(), b"\x8a\x04ping");
    assert_eq!(conn.send_prepared(&message, &mut output(0)), Ok(message.as_bytes()));

    let mut open = server();
    open.send(Outgoing::first(Kind::Binary, b""), &mut out.clone()).unwrap_err();
    open.send(Outgoing::first(Kind::Binary, b""), &mut output(2)).unwrap();
    assert_eq!(open.send_prepared(&message, &mut out), Err(SendError::Fragment));
    let mut owing = server();
    owing.send_header(Outgoing::binary(b""), 3, &mut output(2)).unwrap();
    assert_eq!(owing.send_prepared(&message, &mut out), Err(SendError::Owed { bytes: 3 }));
    let mut closed = server();
    closed.close_without_code(&mut out);
    assert_eq!(closed.send_prepared(&message, &mut out), Err(SendError::Closed));

    assert!(Prepared::in_memory(Kind::Text, b"\xff", [0; 20]).is_none());
    assert!(Prepared::in_memory(Kind::Binary, b"hello", [0; 6]).is_none());
}

/// The bytes of one frame, sent in every way there is.
fn check_ways<R: Role>(make: impl Fn() -> Connection<R>, payload: &[u8], expected: &[u8]) {
    let frame = || Outgoing::binary(payload);
    let mut out = output(expected.len());
    make().send(frame(), &mut out).unwrap();
    assert_eq!(out.pending(), expected, "send");

    for step in [1, 3, 64, 4097, usize::MAX] {
        // Through the output, which never has room for all of it.
        let (mut conn, mut out, mut wire) =
            (make(), output(MIN_OUTPUT.max(payload.len() / 3)), Vec::<u8>::new());
        conn.send_header(frame(), payload.len() as u64, &mut out).unwrap();
        let mut rest = payload;
        while !rest.is_empty() {
            let paid = conn.pay(&rest[..step.min(rest.len())], &mut out).unwrap();
            rest = &rest[paid..];
            if out.room() == 0 || rest.is_empty() {
                wire.extend(out.pending());
                out.advance(usize::MAX);
            }
        }
        wire.extend(out.pending());
        assert!(wire == expected && conn.owed() == 0, "paid {step} at a time");

        // Behind the output.
        let (mut conn, mut out) = (make(), output(14));
        conn.send_header(frame(), payload.len() as u64, &mut out).unwrap();
        let mut wire = out.pending().to_vec();
        for chunk in payload.chunks(step) {
            let mut chunk = chunk.to_vec();
            conn.pay_in_place(&mut chunk).unwrap();
            wire.extend(chunk);
        }
        assert!(wire == expected && conn.owed() == 0, "paid in place, {step} at a time");
    }
}

#[test]
fn every_way_to_send_gives_the_same_bytes() {
    for len in [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 125, 126, 127, 4095, 4096, 4097, 8195, 65535, 65536, 70001,
    ] {
        let payload: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
        let plain = frame(0x82, &payload, None);
        check_ways(server, &payload, &plain);
        check_ways(|| client(&Keys::default()), &payload, &frame(0x82, &payload, Some(key(0))));

        let (mut conn, mut out) = (server(), output(10));
        conn.send_header(Outgoing::binary(&payload), len as u64, &mut out).unwrap();
        let mut wire = out.pending().to_vec();
        for chunk in payload.chunks(1000) {
            conn.pay_by_reference(chunk).unwrap();
            wire.extend(chunk);
        }
        assert!(wire == plain && conn.owed() == 0);
        let prepared = Prepared::in_memory(Kind::Binary, &payload, vec![0xaa; len + 10]).unwrap();
        assert_eq!(prepared.as_bytes(), plain);
        assert_eq!(server().send_prepared(&prepared, &mut output(0)), Ok(&plain[..]));
        #[cfg(feature = "alloc")]
        assert_eq!(Prepared::binary(&payload).as_bytes(), plain);
    }
    #[cfg(feature = "alloc")]
    assert_eq!(Prepared::text("é").as_bytes(), b"\x81\x02\xc3\xa9");
}

/// W84: one key a frame, whatever the frame, and none for a frame that does not go out.
#[test]
fn every_frame_draws_a_key_of_its_own() {
    let keys = Keys::default();
    let (mut conn, mut out) = (client(&keys), output(4000));
    let mut expected = Vec::new();
    let mut went = |first, payload: &[u8]| {
        let number = expected.len() as u32;
        expected.push(frame(first, payload, Some(key(number))));
        assert_eq!(keys.drawn(), number + 1, "one key a frame");
    };
    conn.send(Outgoing::text("hello"), &mut out).unwrap();
    went(0x81, b"hello");
    conn.send(Outgoing::binary(b""), &mut out).unwrap();
    went(0x82, b""); // W87
    conn.send(Outgoing::first(Kind::Text, b"x"), &mut out).unwrap();
    went(0x01, b"x");
    conn.send(Outgoing::ping(b"here?"), &mut out).unwrap();
    went(0x89, b"here?"); // W88
    conn.send(Outgoing::pong(b""), &mut out).unwrap();
    went(0x8a, b"");
    conn.send_header(Outgoing::next(b""), 3, &mut out).unwrap();
    conn.pay(b"yz", &mut out).unwrap();
    conn.pay(b"!", &mut out).unwrap();
    went(0x00, b"yz!");
    conn.send(Outgoing::text("refused"), &mut out).unwrap_err();
    conn.send(Outgoing::last(b"refused"), &mut output(12)).unwrap_err();
    conn.send_header(Outgoing::last(b"refused"), 7, &mut output(5)).unwrap_err();
    conn.close(CloseCode::ABNORMAL, "", &mut out).unwrap_err();
    conn.send(Outgoing::last(b""), &mut out).unwrap();
    went(0x80, b"");
    hear(&mut conn, 0x89, b"ping", false, &mut output(9));
    assert_eq!(keys.drawn(), 7, "a reply that waits has none");
    hear(&mut conn, 0x89, b"pang", false, &mut out);
    expected.push(frame(0x8a, b"ping", Some(key(7))));
    expected.push(frame(0x8a, b"pang", Some(key(8))));
    conn.close(CloseCode::NORMAL, "bye", &mut out).unwrap();
    expected.push(frame(0x88, b"\x03\xe8bye", Some(key(9))));
    assert_eq!(keys.drawn(), 10);
    assert_eq!(out.pending(), expected.concat());
}

/// Without a key a frame is refused and a reply waits; with one again both go on.
#[test]
fn without_a_key_nothing_goes_out() {
    let keys = Keys::default();
    let (mut conn, mut out) = (client(&keys), output(1000));
    keys.set_dry(true);
    let before = state(&conn);
    assert_eq!(conn.send(Outgoing::text("hi"), &mut out), Err(SendError::NoKey));
    assert_eq!(conn.send_header(Outgoing::text("hi"), 2, &mut out), Err(SendError::NoKey));
    assert!(out.is_empty() && state(&conn) == before);

    hear(&mut conn, 0x89, b"one", false, &mut out);
    hear(&mut conn, 0x89, b"two", false, &mut out);
    assert!(out.is_empty() && conn.is_reply_waiting() && !conn.poll_transmit(&mut out));
    assert_eq!(conn.send(Outgoing::text("hi"), &mut out), Err(SendError::NoKey));
    keys.set_dry(false);
    conn.send(Outgoing::text("hi"), &mut out).unwrap();
    let expected = [frame(0x8a, b"two", Some(key(0))), frame(0x81, b"hi", Some(key(1)))].concat();
    assert_eq!(out.pending(), expected, "the reply goes first");

    keys.set_dry(true);
    conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
    assert_eq!((conn.transport(), out.pending()), (Transport::Keep, &expected[..]));
    assert_eq!(conn.closure().sent, Some(CloseCode::NORMAL), "a Close that waits counts");
    keys.set_dry(false);
    out.advance(expected.len());
    assert!(conn.poll_transmit(&mut out));
    assert_eq!(out.pending(), frame(0x88, &[3, 232], Some(key(2))));
}

/// Has no key as often as it is told to, and then some.
#[derive(Clone, Default)]
struct Late(Rc<Cell<u32>>);

impl MaskSource for Late {
    fn next_key(&mut self) -> Option<MaskKey> {
        let refusals = self.0.get();
        self.0.set(refusals.saturating_sub(1));
        (refusals == 0).then(|| key(0))
    }
}

/// A frame does not overtake the reply, though there would be a key for it by now.
#[test]
fn a_key_that_comes_late_is_the_reply_s() {
    let source = Late::default();
    let mut conn = run::connection(Client(source.clone()), &Setup::strict(false));
    hear(&mut conn, 0x89, b"ping", false, &mut output(0));
    source.0.set(1);
    let mut out = output(100);
    assert_eq!(conn.send(Outgoing::text("hi"), &mut out), Err(SendError::NoKey));
    assert!(out.is_empty() && conn.is_reply_waiting());
    conn.send(Outgoing::text("hi"), &mut out).unwrap();
    assert_eq!(
        out.pending(),
        [frame(0x8a, b"ping", Some(key(0))), frame(0x81, b"hi", Some(key(0)))].concat()
    );
}

/// A pong without a key waits, and the source is asked once for it, wherever the ping was cut.
#[test]
fn a_pong_without_a_key_waits() {
    for cut in [0, 1, 3, 9] {
        let source = Late::default();
        source.0.set(2);
        let mut conn = run::connection(Client(source.clone()), &Setup::strict(false));
        let (mut bytes, mut out) = (frame(0x89, b"ping", None), output(100));
        bytes.extend_from_slice(b"\x81\x02hi");
        let (head, tail) = bytes.split_at_mut(cut);
        let (mut head, mut tail) = (Input::new(head), Input::new(tail));
        let event = conn.receive(&mut head, &mut out).or_else(|| conn.receive(&mut tail, &mut out));
        assert!(matches!(event, Some(Event::Ping(_))), "{event:?}");
        assert!(out.is_empty() && conn.is_reply_waiting() && source.0.get() == 1, "cut at {cut}");
        assert!(!conn.poll_transmit(&mut out) && source.0.get() == 0);
        assert!(conn.poll_transmit(&mut out));
        assert_eq!(out.pending(), frame(0x8a, b"ping", Some(key(0))));
    }
}

/// A reply that waits goes out before the next message is told, whatever that is like.
#[test]
fn a_waiting_reply_goes_first_when_more_is_read() {
    for (first, len) in [(0x81, 5), (0x82, 125), (0x81, 126), (0x82, 70_000), (0x01, 1), (0x8a, 1)] {
        let mut conn = server();
        hear(&mut conn, 0x89, b"ping", true, &mut output(0));
        let mut bytes = frame(first, &vec![b'x'; len], Some(key(3)));
        let (mut input, mut out) = (Input::new(&mut bytes), output(100));
        assert!(conn.receive(&mut input, &mut out).is_some());
        assert_eq!(out.pending(), b"\x8a\x04ping", "before {first:02x} with {len} bytes");
    }
}

/// The one reply that may wait, on a server: (what comes or is done, with how much room), and what goes out at last.
#[test]
fn what_waits_for_room() {
    enum Do {
        Ping(&'static [u8]),
        PeerClose(u16),
        Fault,
        Close(u16),
    }
    use Do::{Close, Fault, PeerClose, Ping};
    type Case = (&'static [(Do, usize)], &'static [u8]);
    let cases: &[Case] = &[
        (&[(Ping(b"a"), 3), (Ping(b"b"), 3)], b"\x8a\x01a\x8a\x01b"), // in order while there is room
        (&[(Ping(b"a"), 0), (Ping(b"b"), 0), (Ping(b"c"), 0)], b"\x8a\x01c"), // then the latest alone
        (&[(Ping(b"a"), 2), (Ping(b"b"), 5)], b"\x8a\x01a\x8a\x01b"), // what waits goes first
        (&[(Ping(b"a"), 2), (Ping(b"bb"), 6)], b"\x8a\x01a\x8a\x02bb"), // the second waits
        (&[(Ping(b"long"), 5), (Ping(b""), 2)], b"\x8a\x00"),         // the latest, where it alone fits
        (&[(Ping(b"a"), 0), (PeerClose(1001), 0)], b"\x88\x02\x03\xe9"), // a Close takes its place
        (&[(Ping(b"a"), 0), (Close(1000), 0)], b"\x88\x02\x03\xe8"),
        (&[(Ping(b"a"), 0), (Fault, 0)], b"\x88\x02\x03\xea"),
        (&[(Ping(b"a"), 0), (Close(1000), 3)], b"\x8a\x01a\x88\x02\x03\xe8"), // unless there is room for it
        (&[(Close(1000), 0), (Fault, 0)], b"\x88\x02\x03\xea"), // a failure takes a Close's place
        (&[(Close(1000), 4), (Fault, 0)], b"\x88\x02\x03\xe8"), // that is not out yet (W155)
        (&[(Close(1000), 0), (Ping(b"a"), 0)], b"\x88\x02\x03\xe8"), // a pong does not
        (&[(Close(1000), 4), (Ping(b"a"), 0)], b"\x88\x02\x03\xe8\x8a\x01a"), // and waits behind one that is out
        (&[(Close(1000), 4), (Ping(b"a"), 0), (PeerClose(1000), 0)], b"\x88\x02\x03\xe8"), // but not for theirs (W30)
        (&[(Close(1000), 4), (Ping(b"a"), 0), (Fault, 0)], b"\x88\x02\x03\xe8"), // nor beyond a failure (W30)
        (&[(Close(1000), 0), (PeerClose(1001), 0)], b"\x88\x02\x03\xe8"),        // theirs is the answer (W67)
        (&[(Close(1000), 0), (Close(1001), 9)], b"\x88\x02\x03\xe8"), // a second close does nothing (W78)
        (&[(PeerClose(1001), 0), (Close(1000), 0)], b"\x88\x02\x03\xe9"),
        (&[(PeerClose(1001), 0), (Ping(b"a"), 9), (Fault, 9)], b"\x88\x02\x03\xe9"), // thrown away unread (W66)
        (&[(Fault, 0), (Ping(b"a"), 9), (Close(1000), 9), (PeerClose(1000), 9)], b"\x88\x02\x03\xea"),
    ];
    for (number, (acts, expected)) in cases.iter().enumerate() {
        let (mut conn, mut wire) = (server(), Vec::<u8>::new());
        for (act, room) in acts.iter() {
            let mut out = output(*room);
            match act {
                Ping(payload) => hear(&mut conn, 0x89, payload, true, &mut out),
                PeerClose(code) => hear(&mut conn, 0x88, &code.to_be_bytes(), true, &mut out),
                Fault => hear(&mut conn, 0x8f, b"", true, &mut out),
                Close(code) => conn.close((*code).into(), "", &mut out).unwrap(),
            }
            wire.extend(out.pending());
        }
        let mut out = output(MIN_OUTPUT);
        let waited = conn.is_reply_waiting();
        assert_eq!(conn.poll_transmit(&mut out), waited, "case {number}");
        assert!(!conn.is_reply_waiting() && !conn.poll_transmit(&mut out));
        wire.extend(out.pending());
        assert_eq!(wire, *expected, "case {number}");
    }
}

/// Replies wait for a debt, and the Close too; then it goes out at once where the payer has an output.
#[test]
fn a_debt_is_paid_before_a_reply() {
    for place in [false, true] {
        let (mut conn, mut out) = (server(), output(500));
        conn.send_header(Outgoing::binary(b""), 4, &mut out).unwrap();
        hear(&mut conn, 0x89, b"a", true, &mut out);
        hear(&mut conn, 0x89, b"b", true, &mut out);
        assert!(!conn.poll_transmit(&mut out) && conn.is_reply_waiting());
        assert_eq!(conn.pay(b"wx", &mut out), Ok(2));
        conn.close(CloseCode::NORMAL, "", &mut out).unwrap();
        assert_eq!((conn.owed(), conn.transport()), (2, Transport::Keep));
        assert_eq!(out.pending(), b"\x82\x04wx");
        if place {
            conn.pay_in_place(&mut [b'y', b'z']).unwrap();
            assert_eq!(out.pending(), b"\x82\x04wx");
            assert!(conn.poll_transmit(&mut out));
            assert_eq!(out.pending(), b"\x82\x04wx\x88\x02\x03\xe8");
        } else {
            // More than is owed: what is owed is taken of it.
            assert_eq!(conn.pay(b"yz and more", &mut out), Ok(2));
            assert_eq!(out.pending(), b"\x82\x04wxyz\x88\x02\x03\xe8");
            assert_eq!(conn.pay(b"", &mut out), Ok(0));
        }
    }
}

/// Text over several frames and debts, a character split at each border, and the next message after it.
#[test]
fn text_is_checked_across_frames_and_debts() {
    let (mut conn, mut out) = (server(), output(500));
    conn.send(Outgoing::first(Kind::Text, b"\xf0\x9f"), &mut out).unwrap();
    conn.send(Outgoing::ping(b"\xff"), &mut out).unwrap(); // W53
    conn.send_header(Outgoing::next(b""), 3, &mut out).unwrap();
    conn.pay(b"\x98", &mut out).unwrap();
    assert_eq!(conn.pay(b"\xff", &mut out), Err(SendError::Utf8));
    conn.pay(b"\x80\xc3", &mut out).unwrap();
    conn.send(Outgoing::last(b"\xa9"), &mut out).unwrap();
    conn.send(Outgoing::binary(b"\xff"), &mut out).unwrap();
    assert_eq!(out.pending(), b"\x01\x02\xf0\x9f\x89\x01\xff\x00\x03\x98\x80\xc3\x80\x01\xa9\x82\x01\xff");
}

/// A fragment that is echoed counts for the text that it belongs to, as one that is sent does.
#[test]
fn text_is_checked_behind_an_echo() {
    for (rest, expected) in [(b"\xa9", Ok(())), (b"x", Err(SendError::Utf8))] {
        let (mut conn, mut out) = (server(), output(500));
        let mut bytes = frame(0x01, b"a\xc3", Some(key(0)));
        let mut input = Input::new(&mut bytes);
        let Some(Event::Data(data)) = conn.receive(&mut input, &mut out) else { panic!("no data") };
        conn.send(data.echo(), &mut out).unwrap();
        assert_eq!(conn.send(Outgoing::last(rest), &mut out), expected);
    }
}
