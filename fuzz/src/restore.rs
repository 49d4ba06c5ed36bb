//! Saved states: any bytes, and those of a real connection with some changed. What is restored saves as the same
//! bytes, and whatever is then done to it ends without a panic and moves on.

use arbitrary::Unstructured;
use websocket_proto::{
    Assembler, Client, Connection, Event, Input, Kind, MIN_OUTPUT, Outgoing, Output, RestoreError, Role,
    Rule, SAVED, SendError, Server, SliceOutput,
};

use crate::{
    common::{keys::Keys, run},
    support::{byte, piece, setup, short},
    words,
};

pub fn restore(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    match flags & 1 == 0 {
        true => role(|| Server, true, flags, u),
        false => role(|| Client(Keys::default()), false, flags, u),
    }
}

fn role<R: Role>(role: impl Fn() -> R, server: bool, flags: u8, mut u: Unstructured<'_>) {
    let state = if flags & 2 != 0 {
        let len = short(&mut u) % (SAVED + 8);
        piece(&mut u, len).to_vec()
    } else {
        let setup = setup(&mut u, server);
        let mut conn: Connection<R> = run::connection(role(), &setup);
        let mut out = SliceOutput::new(vec![0; MIN_OUTPUT * usize::from(flags >> 6)]);
        let len = usize::from(byte(&mut u));
        act(&mut conn, piece(&mut u, len), &mut out);
        let mut state = saved(&conn);
        // What a connection saves it restores, and nothing else of this crate's version and role.
        assert_eq!(saved(&Connection::restore(role(), &state).unwrap()), state);
        for _ in 0..flags >> 2 & 7 {
            let at = usize::from(byte(&mut u)) % state.len();
            state[at] = byte(&mut u);
        }
        state
    };
    match Connection::restore(role(), &state) {
        Ok(mut conn) => {
            assert_eq!(saved(&conn), state, "restored and saved");
            let mut out = SliceOutput::new(vec![0; 600]);
            act(&mut conn, u.take_rest(), &mut out);
            let closure = conn.receive_eof();
            assert_eq!(conn.receive_eof(), closure);
            let state = saved(&conn);
            let again = Connection::restore(role(), &state).expect("what a connection saves it restores");
            assert_eq!(saved(&again), state);
            assert_eq!((again.closure(), again.transport()), (closure, conn.transport()));
        }
        Err(error) => {
            words::restore_error(error);
            match error {
                RestoreError::Version => assert_ne!(state[0], 3),
                RestoreError::Role => assert_eq!(state[1], u8::from(!server)),
                _ => {}
            }
        }
    }
}

fn saved<R: Role>(conn: &Connection<R>) -> Vec<u8> {
    let mut bytes = [0xaa; SAVED];
    let len = conn.save(&mut bytes);
    assert!(bytes[len..].iter().all(|&byte| byte == 0xaa), "nothing behind the end");
    bytes[..len].to_vec()
}

fn told(sent: Result<(), SendError>) {
    if let Err(error) = sent {
        words::send_error(error);
    }
}

/// Does whatever these bytes say.
fn act<R: Role>(conn: &mut Connection<R>, script: &[u8], out: &mut SliceOutput<Vec<u8>>) {
    let mut u = Unstructured::new(script);
    let mut whole = Assembler::new([0; 100]);
    while !u.is_empty() {
        let choice = byte(&mut u);
        let len = usize::from(choice >> 4) * usize::from(choice >> 4);
        let mut bytes = piece(&mut u, len).to_vec();
        let room = out.room();
        match choice & 0x0f {
            0..=3 => {
                let mut input = Input::new(&mut bytes);
                let mut events = 0;
                while let Some(event) = conn.receive(&mut input, out) {
                    events += 1;
                    assert!(events <= len + 2, "no progress");
                    let Event::Data(data) = event else { continue };
                    assert!(data.payload().len() <= len);
                    if choice & 1 != 0 {
                        let (Ok(()) | Err(_)) = conn.send(data.echo(), out);
                    } else if let Err(rule) = whole.push(data) {
                        conn.fail(rule, out);
                    }
                }
                assert!(input.is_empty());
                let _ = whole.place(conn).len();
            }
            4 => told(conn.send(Outgoing::first(Kind::Text, &bytes), out)),
            5 => told(conn.send(Outgoing::last(&bytes), out)),
            6 => told(conn.send(Outgoing::whole(Kind::Text, &bytes).compressed(), out)),
            7 => told(conn.send(Outgoing::ping(&bytes), out)),
            8 => {
                let len = bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                told(conn.send_header(Outgoing::binary(b""), len, out));
            }
            9 => {
                if let Ok(paid) = conn.pay(&bytes, out) {
                    assert!(paid <= len.min(room));
                }
            }
            10 => {
                let before = bytes.clone();
                if conn.pay_in_place(&mut bytes).is_err() {
                    assert_eq!(bytes, before);
                }
            }
            11 => {
                let waiting = conn.is_reply_waiting();
                assert!(!conn.poll_transmit(out) || waiting);
            }
            12 => out.advance(usize::from(choice)),
            13 => told(conn.close(u16::from(choice).wrapping_mul(67).into(), "bye", out)),
            14 => {
                let rule = Rule::ALL[usize::from(byte(&mut u)) % Rule::ALL.len()];
                conn.fail(rule, out);
            }
            _ => {
                conn.receive_eof();
            }
        }
        assert_eq!(
            conn.failure().is_some(),
            matches!(conn.closure().cause, Some(websocket_proto::Cause::Violation(_)))
        );
    }
}
