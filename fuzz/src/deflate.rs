//! What one side compresses the other inflates in the windows that were agreed on: messages of any size, by any options,
//! through outputs from the smallest on, in frames that are legal.

use arbitrary::Unstructured;
use websocket_proto::{
    Agreed, Assembler, Client, CloseCode, Config, Connection, Deflate, DeflateOptions, DeflateSide,
    DeflateStrategy, DeflateTerms, Engine, Event, Inflate, Input, Kind, MIN_OUTPUT, Outgoing, Prepared, Role,
    SendError, Server, SliceOutput,
};

use crate::{
    common::{keys::Keys, verify::frames_in},
    support::{byte, piece, short},
};

pub fn round_trip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let mut side = || {
        let bits = byte(&mut u);
        DeflateSide { window_bits: bits & 0x1f, takeover: bits & 0x20 != 0 }
    };
    let terms = DeflateTerms { server: side(), client: side() };
    let agreed = Agreed::default().with_deflate(terms);
    let config = Config { message_limit: u64::MAX, ..Config::default() };
    let server = Connection::new(Server, &config, agreed);
    let client = Connection::new(Client(Keys::default()), &config, agreed);
    match flags & 1 == 0 {
        true => both(server, client, terms.server, flags, u, Some(sends_prepared)),
        false => both(client, server, terms.client, flags, u, None),
    }
}

type SendsPrepared<S> = fn(&mut Connection<S>, &Prepared<Vec<u8>>, &mut SliceOutput<Vec<u8>>) -> Vec<u8>;

fn sends_prepared(
    conn: &mut Connection<Server>,
    prepared: &Prepared<Vec<u8>>,
    out: &mut SliceOutput<Vec<u8>>,
) -> Vec<u8> {
    conn.send_prepared(prepared, out).expect("nothing is under way").to_vec()
}

fn both<S: Role, R: Role>(
    sender: Connection<S>,
    receiver: Connection<R>,
    side: DeflateSide,
    flags: u8,
    u: Unstructured<'_>,
    prepared: Option<SendsPrepared<S>>,
) {
    if flags & 2 == 0 {
        run(sender, receiver, Inflate::new(side, u64::MAX), side, flags, u, prepared);
    } else {
        // No more than the window that was agreed on.
        let memory = vec![0xa5; 1 << side.window_bits.clamp(8, 15)];
        let inflate = Inflate::in_memory(side, u64::MAX, memory).expect("it is large enough");
        run(sender, receiver, inflate, side, flags, u, prepared);
    }
}

fn options(u: &mut Unstructured<'_>) -> DeflateOptions {
    let choice = byte(u);
    DeflateOptions {
        level: choice & 0x0f,
        strategy: match choice >> 4 {
            0..=7 => DeflateStrategy::Default,
            8 | 9 => DeflateStrategy::Filtered,
            10 | 11 => DeflateStrategy::HuffmanOnly,
            12 | 13 => DeflateStrategy::Rle,
            _ => DeflateStrategy::Fixed,
        },
        memory_level: byte(u) & 0x0f,
        threshold: usize::from(byte(u)),
    }
}

/// What is to come of a message, and whether it was compressed.
type Expected = (Kind, bool, Vec<u8>);

struct Trip<S: Role> {
    sender: Connection<S>,
    deflate: Deflate,
    options: DeflateOptions,
    out: SliceOutput<Vec<u8>>,
    wire: Vec<u8>,
    expected: Vec<Expected>,
    pings: usize,
    longest: usize,
}

fn run<S: Role, R: Role, E: Engine>(
    sender: Connection<S>,
    receiver: Connection<R>,
    inflate: Inflate<E>,
    side: DeflateSide,
    flags: u8,
    mut u: Unstructured<'_>,
    prepared: Option<SendsPrepared<S>>,
) {
    let options = options(&mut u);
    let size = MIN_OUTPUT + if flags & 4 == 0 { short(&mut u) % 2000 } else { 40_000 };
    let mut trip = Trip {
        sender,
        deflate: Deflate::new(side, options),
        options,
        out: SliceOutput::new(vec![0; size]),
        wire: Vec::new(),
        expected: Vec::new(),
        pings: 0,
        longest: size,
    };
    for _ in 0..20 {
        if u.is_empty() {
            break;
        }
        let choice = byte(&mut u);
        let payload = payload(choice, &mut u);
        let kind = if choice & 1 == 0 { Kind::Binary } else { Kind::Text };
        let illegal = kind == Kind::Text && std::str::from_utf8(&payload).is_err();
        match (choice >> 1 & 7, prepared) {
            (0, Some(send)) => {
                let made = trip.deflate.prepare(kind, &payload);
                if illegal {
                    assert!(matches!(made, Err(SendError::Utf8)));
                    continue;
                }
                // A form that is not compressed goes out as it is, whatever was agreed on.
                let plain = choice & 0x40 != 0;
                let made = match plain {
                    true => Prepared::in_memory(kind, &payload, vec![0; payload.len() + 10]),
                    false => made.ok(),
                };
                let made = made.expect("it is text");
                trip.write_out();
                let bytes = send(&mut trip.sender, &made, &mut trip.out);
                let independent = !plain && !side.takeover && side.window_bits.clamp(8, 15) == 15;
                assert!(independent || bytes == made.as_bytes());
                trip.longest = trip.longest.max(bytes.len());
                trip.wire.extend(bytes);
                trip.expected.push((kind, independent, payload));
            }
            (1, _) => trip.deflate.release(),
            (act, _) => match trip.deflate.begin(kind, &payload) {
                Ok(_) if act == 2 => {}
                Ok(mut message) if act == 3 => {
                    // Compressed, and given up before anything of it went out.
                    trip.fill();
                    let sent = trip.deflate.write(&mut message, &mut trip.sender, &mut trip.out);
                    assert_eq!(sent, Ok(true));
                    trip.deflate.release();
                }
                Ok(message) => {
                    trip.send(message, act == 4);
                    let compressed = payload.len() >= trip.options.threshold;
                    trip.expected.push((kind, compressed, payload));
                }
                Err(error) => assert!(illegal && error == SendError::Utf8),
            },
        }
    }
    trip.finish(receiver, inflate, flags);
}

/// Bytes as they are, or again and again, with some between them that are never the same.
fn payload(choice: u8, u: &mut Unstructured<'_>) -> Vec<u8> {
    let n = usize::from(byte(u));
    let bytes = piece(u, n);
    let mut payload = match choice >> 4 {
        0..=7 => bytes.to_vec(),
        8..=11 => bytes.repeat(1 + short(u) % 200),
        _ => {
            let (times, mut noise) = (1 + short(u) % 300, u32::from(choice) + 1);
            let mut noisy = Vec::new();
            for _ in 0..times {
                noisy.extend(bytes);
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noisy.extend((noise >> 8).to_string().bytes());
                noisy.extend(&noise.to_le_bytes()[1..1 + usize::from(choice >> 4 & 3)]);
            }
            noisy
        }
    };
    payload.truncate(120_000);
    // Text mostly is text.
    if choice & 1 != 0 && n % 8 != 7 {
        payload = String::from_utf8_lossy(&payload).into_owned().into_bytes();
    }
    payload
}

impl<S: Role> Trip<S> {
    fn write_out(&mut self) {
        self.wire.extend(self.out.pending());
        self.out.advance(usize::MAX);
    }

    /// Leaves no room for a frame.
    fn fill(&mut self) {
        while self.sender.send(Outgoing::pong(&[0; 100]), &mut self.out).is_ok() {}
        while self.sender.send(Outgoing::pong(b""), &mut self.out).is_ok() {}
    }

    fn send(&mut self, mut message: websocket_proto::Deflating<'_>, pings: bool) {
        self.write_out();
        loop {
            let more = self.deflate.write(&mut message, &mut self.sender, &mut self.out);
            let more = more.expect("the connection is open");
            assert!(!more || !self.out.pending().is_empty(), "an empty output has room for some of it");
            if !more {
                break;
            }
            self.write_out();
            self.deflate.release();
            if pings {
                self.sender.send(Outgoing::ping(b"between"), &mut self.out).expect("there is room");
                self.pings += 1;
                self.write_out();
            }
        }
        let again = self.deflate.write(&mut message, &mut self.sender, &mut self.out);
        assert_eq!(again, Ok(false), "nothing comes behind the end");
        self.write_out();
    }

    fn finish<R: Role, E: Engine>(mut self, mut receiver: Connection<R>, mut inflate: Inflate<E>, flags: u8) {
        self.write_out();
        // Every fragment is a frame by itself that fits the output, with RSV1 on the first alone.
        for (_, first, payload) in frames_in(&self.wire, flags & 1 != 0) {
            assert!(matches!(
                first,
                0x00 | 0x80 | 0x89 | 0x8a | 0x01 | 0x02 | 0x41 | 0x42 | 0x81 | 0x82 | 0xc1 | 0xc2
            ));
            assert!(payload.len() <= self.longest);
        }
        let mut out = Vec::new();
        let mut whole = Assembler::new(Vec::new());
        let (mut messages, mut firsts, mut pings) = (Vec::new(), Vec::new(), 0);
        let mut input = Input::new(&mut self.wire);
        while let Some(event) = receiver.receive(&mut input, &mut out) {
            match event {
                Event::Data(data) => {
                    let part = data.part();
                    if part.first {
                        firsts.push(part.compressed);
                    }
                    let made = whole.inflate(data, &mut inflate).expect("what was compressed is inflated");
                    messages.extend(made.map(|message| (message.kind(), message.payload().to_vec())));
                }
                Event::Ping(_) => pings += 1,
                Event::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
        whole.release();
        assert_eq!(pings, self.pings);
        assert_eq!(firsts, self.expected.iter().map(|message| message.1).collect::<Vec<_>>());
        let expected = self.expected.into_iter().map(|(kind, _, payload)| (kind, payload));
        assert!(messages.into_iter().eq(expected), "other messages arrived");
        // Behind a Close nothing is compressed any more.
        self.sender.close(CloseCode::NORMAL, "", &mut self.out).expect("the first Close");
        let mut late = self.deflate.begin(Kind::Binary, b"late").expect("it is no text");
        let sent = self.deflate.write(&mut late, &mut self.sender, &mut self.out);
        assert_eq!(sent, Err(SendError::Closed));
    }
}
