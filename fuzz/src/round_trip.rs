//! What one side sends is what the other receives: whole messages, fragments, debts, controls, in both directions,
//! through outputs from the smallest on and reads of any size.

use std::any::Any;

use arbitrary::Unstructured;
use websocket_proto::{
    Agreed, Assembler, Client, CloseCode, Config, Connection, Event, Input, Kind, MIN_OUTPUT, Outgoing,
    Output, Prepared, QueueOutput, Role, Rsv, SendError, Server, SliceOutput,
};

use crate::{
    common::{
        keys::Keys,
        oracle::{Seen, invalid_at},
        run,
    },
    support::{byte, drain, piece, short},
};

pub fn round_trip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let agreed = Agreed::with_reserved(if flags & 2 != 0 { Rsv::RSV1 } else { Rsv::NONE });
    let config = Config { message_limit: u64::MAX, ..Config::default() };
    let server = Connection::new(Server, &config, agreed);
    let client = Connection::new(Client(Keys::default()), &config, agreed);
    let size = MIN_OUTPUT + short(&mut u) % 600;
    match (flags & 1 != 0, flags & 4 != 0) {
        (false, false) => Trip::new(server, client, flags, SliceOutput::new(vec![0; size]), size).run(u),
        (false, true) => Trip::new(server, client, flags, QueueOutput::with_limit(size), size).run(u),
        (true, false) => Trip::new(client, server, flags, SliceOutput::new(vec![0; size]), size).run(u),
        (true, true) => Trip::new(client, server, flags, QueueOutput::with_limit(size), size).run(u),
    }
}

/// An output that is emptied from the front.
trait Queue: Output {
    fn take(&mut self, n: usize) -> Vec<u8>;
}

impl Queue for SliceOutput<Vec<u8>> {
    fn take(&mut self, n: usize) -> Vec<u8> {
        let bytes = self.pending()[..n.min(self.pending().len())].to_vec();
        self.advance(n);
        bytes
    }
}

impl Queue for QueueOutput {
    fn take(&mut self, n: usize) -> Vec<u8> {
        let bytes = self.pending()[..n.min(self.pending().len())].to_vec();
        self.advance(n);
        if n.is_multiple_of(2) {
            self.release();
        }
        bytes
    }
}

struct Trip<S: Role, R: Role, O> {
    sender: Connection<S>,
    receiver: Connection<R>,
    out: O,
    size: usize,
    compresses: bool,
    wire: Vec<u8>,
    /// What the receiver must see, and what it has seen.
    expected: Vec<Seen>,
    seen: Vec<Seen>,
    /// The whole messages among it.
    messages: Vec<(Kind, bool, Vec<u8>)>,
    assembled: Vec<(Kind, bool, Vec<u8>)>,
    assembler: Assembler<Vec<u8>>,
    /// The message that is under way.
    open: Option<(Kind, bool, Vec<u8>)>,
    pings: Vec<Vec<u8>>,
    replies: Vec<u8>,
}

impl<S: Role + 'static, R: Role, O: Queue> Trip<S, R, O> {
    fn new(sender: Connection<S>, receiver: Connection<R>, flags: u8, out: O, size: usize) -> Self {
        Self {
            sender,
            receiver,
            out,
            size,
            compresses: flags & 2 != 0,
            wire: Vec::new(),
            expected: Vec::new(),
            seen: Vec::new(),
            messages: Vec::new(),
            assembled: Vec::new(),
            assembler: Assembler::new(Vec::new()),
            open: None,
            pings: Vec::new(),
            replies: Vec::new(),
        }
    }

    fn run(mut self, mut u: Unstructured<'_>) {
        for _ in 0..200 {
            if u.is_empty() {
                break;
            }
            self.step(&mut u);
        }
        self.finish();
    }

    fn step(&mut self, u: &mut Unstructured<'_>) {
        let choice = byte(u);
        match choice & 0x0f {
            0..=8 => self.message(choice, u),
            9 => {
                let n = usize::from(byte(u) % 128);
                let payload = vec![choice; n];
                let ping = choice & 0x10 != 0;
                let frame = if ping { Outgoing::ping(&payload) } else { Outgoing::pong(&payload) };
                let sent = self.send(frame);
                if n > 125 {
                    assert_eq!(sent, Err(SendError::ControlTooLong));
                    return;
                }
                assert_eq!(sent, Ok(()));
                self.expected.push(if ping {
                    Seen::Ping(payload.clone())
                } else {
                    Seen::Pong(payload.clone())
                });
                if ping {
                    self.pings.push(payload);
                }
            }
            10 | 11 => {
                let bytes = self.out.take(usize::from(byte(u)));
                self.wire.extend(bytes);
            }
            12..=14 => self.read(usize::from(byte(u))),
            _ => self.prepared(choice, u),
        }
    }

    /// The next frame of the message under way, or the first of one.
    fn message(&mut self, choice: u8, u: &mut Unstructured<'_>) {
        let fin = choice & 0x10 != 0;
        let flags = byte(u);
        let len = if flags & 0x40 != 0 { short(u) % 2000 } else { usize::from(flags & 0x1f) };
        let bytes = piece(u, len);
        let lossy = String::from_utf8_lossy(bytes);
        let payload = if choice & 0x80 != 0 { lossy.as_bytes() } else { bytes };
        let first = self.open.is_none();
        let (kind, compressed, before) = self.open.clone().unwrap_or_else(|| {
            let kind = if choice & 0x20 != 0 { Kind::Text } else { Kind::Binary };
            (kind, self.compresses && choice & 0x40 != 0, Vec::new())
        });
        let frame = match (first, fin) {
            (true, true) => Outgoing::whole(kind, payload),
            (true, false) => Outgoing::first(kind, payload),
            (false, false) => Outgoing::next(payload),
            (false, true) => Outgoing::last(payload),
        };
        let frame = if first && compressed { frame.compressed() } else { frame };
        let text = [&before[..], payload].concat();
        let is_text = kind == Kind::Text && !compressed;
        let broken = is_text && (invalid_at(&text).is_some() || (fin && std::str::from_utf8(&text).is_err()));
        let legal = match flags & 0x20 == 0 && payload.len() + 14 <= self.size {
            true => {
                let sent = self.send(frame);
                assert_eq!(sent, if broken { Err(SendError::Utf8) } else { Ok(()) });
                sent.is_ok()
            }
            false if broken => false,
            false => {
                self.owe(frame, payload, flags & 0x80 != 0, u);
                true
            }
        };
        if !legal {
            return;
        }
        self.expected.push(Seen::Frame {
            kind,
            first,
            fin,
            compressed,
            len: payload.len() as u64,
            payload: payload.to_vec(),
            whole: true,
        });
        self.open = match fin {
            true => {
                self.messages.push((kind, compressed, text));
                None
            }
            false => Some((kind, compressed, text)),
        };
    }

    /// Sends a header, and pays the payload in pieces of any size.
    fn owe(&mut self, frame: Outgoing<'_>, payload: &[u8], in_place: bool, u: &mut Unstructured<'_>) {
        if let Err(SendError::NoRoom { .. }) =
            self.sender.send_header(frame, payload.len() as u64, &mut self.out)
        {
            self.write_out();
            self.sender.send_header(frame, payload.len() as u64, &mut self.out).unwrap();
        }
        let mut paid = 0;
        while paid < payload.len() {
            assert_eq!(self.sender.owed(), (payload.len() - paid) as u64);
            let refused = self.sender.send(Outgoing::ping(b"early"), &mut self.out);
            assert_eq!(refused, Err(SendError::Owed { bytes: self.sender.owed() }));
            let most = usize::from(byte(u)).max(1);
            let mut chunk = payload[paid..payload.len().min(paid + most)].to_vec();
            if in_place {
                self.write_out();
                match (&mut self.sender as &mut dyn Any).downcast_mut::<Connection<Server>>() {
                    Some(server) if most.is_multiple_of(2) => server.pay_by_reference(&chunk).unwrap(),
                    _ => self.sender.pay_in_place(&mut chunk).unwrap(),
                }
                self.wire.extend(&chunk);
                paid += chunk.len();
            } else {
                if self.out.room() == 0 {
                    self.write_out();
                }
                let room = self.out.room();
                let taken = self.sender.pay(&chunk, &mut self.out).unwrap();
                assert_eq!(taken, chunk.len().min(room));
                paid += taken;
            }
        }
        assert_eq!(self.sender.owed(), 0);
    }

    /// A frame that was encoded before, which a server alone can send.
    fn prepared(&mut self, choice: u8, u: &mut Unstructured<'_>) {
        let Some(server) = (&mut self.sender as &mut dyn Any).downcast_mut::<Connection<Server>>() else {
            return;
        };
        let len = usize::from(byte(u));
        let payload = piece(u, len).to_vec();
        let kind = if choice & 0x20 != 0 { Kind::Text } else { Kind::Binary };
        let Some(message) = Prepared::in_memory(kind, &payload, vec![0; len + 10]) else {
            assert!(kind == Kind::Text && std::str::from_utf8(&payload).is_err());
            return;
        };
        let room = self.out.room();
        if choice & 0x40 != 0 && self.open.is_none() {
            // A ping before it: the pong goes first, and waits where there is no room.
            run::hear(server, 0x89, b"pong first", true, &mut self.out);
            self.expected.push(Seen::Pong(b"pong first".to_vec()));
            if server.is_reply_waiting() {
                assert_eq!(
                    server.send_prepared(&message, &mut self.out),
                    Err(SendError::NoRoom { needed: 12 })
                );
                assert_eq!(self.out.room(), room);
                let bytes = self.out.take(usize::MAX);
                self.wire.extend(bytes);
            }
        }
        let waiting = server.is_reply_waiting();
        let room = self.out.room();
        let sent = server.send_prepared(&message, &mut self.out);
        assert_eq!(self.out.room(), room - if waiting { 12 } else { 0 });
        let Ok(bytes) = sent else {
            assert!(self.open.is_some() && sent == Err(SendError::Fragment));
            return;
        };
        self.write_out();
        self.wire.extend(bytes);
        self.expected.push(Seen::Frame {
            kind,
            first: true,
            fin: true,
            compressed: false,
            len: payload.len() as u64,
            payload: payload.clone(),
            whole: true,
        });
        self.messages.push((kind, false, payload));
    }

    /// Sends, and writes out what is in the way.
    fn send(&mut self, frame: Outgoing<'_>) -> Result<(), SendError> {
        match self.sender.send(frame, &mut self.out) {
            Err(SendError::NoRoom { needed }) => {
                assert!(self.out.room() < needed && needed <= self.size);
                self.write_out();
                self.sender.send(frame, &mut self.out)
            }
            result => result,
        }
    }

    fn write_out(&mut self) {
        let bytes = self.out.take(usize::MAX);
        self.wire.extend(bytes);
    }

    fn read(&mut self, n: usize) {
        let rest = self.wire.split_off(n.min(self.wire.len()));
        let mut bytes = std::mem::replace(&mut self.wire, rest);
        let mut input = Input::new(&mut bytes);
        while let Some(event) = self.receiver.receive(&mut input, &mut self.replies) {
            run::note(&mut self.seen, &event);
            if let Event::Data(data) = event
                && let Some(message) = self.assembler.push(data).unwrap()
            {
                let (kind, compressed) = (message.kind(), message.is_compressed());
                self.assembled.push((kind, compressed, message.into_payload().to_vec()));
            }
        }
    }

    fn finish(mut self) {
        if self.open.is_some() {
            assert_eq!(self.send(Outgoing::text("x")), Err(SendError::Fragment));
        } else {
            assert_eq!(self.send(Outgoing::last(b"x")), Err(SendError::Fragment));
        }
        self.sender.close(CloseCode::NORMAL, "done", &mut self.out).unwrap();
        self.write_out();
        self.sender.poll_transmit(&mut self.out);
        self.write_out();
        self.read(usize::MAX);
        self.expected.push(Seen::Close(Some((1000, "done".into()))));
        assert_eq!(self.seen, self.expected);
        assert_eq!(self.assembled, self.messages);
        // The answers: a pong for each ping, in order, and the Close.
        let mut seen = Vec::new();
        let mut out = Vec::new();
        let sender = &mut self.sender;
        drain(&self.replies, |input| sender.receive(input, &mut out), |event| run::note(&mut seen, event));
        let mut expected: Vec<Seen> = self.pings.into_iter().map(Seen::Pong).collect();
        expected.push(Seen::Close(Some((1000, String::new()))));
        assert_eq!(seen, expected);
        assert!(out.is_empty());
        assert!(self.sender.receive_eof().clean && self.receiver.receive_eof().clean);
    }
}
