//! A proxy of two halves: what one side reads the other sends on, frame by frame and piece by piece as it comes. The far
//! end reads what the near one did, with the same borders; replies go back through a channel.

use arbitrary::Unstructured;
use websocket_proto::{
    Body, Client, CloseCode, Config, Connection, Data, Event, Input, Kind, Outgoing, Output, Reply, Role,
    SendError, Server, Writer,
};

use crate::{
    common::{
        keys::Keys,
        oracle::{self, Seen, Setup},
        run,
        verify::frames_in,
    },
    support::{byte, cuts, seed, setup},
    verify, words,
};

/// An output that another writer fills at times: `put` refuses although there was room a moment ago.
#[derive(Default)]
struct Shared {
    bytes: Vec<u8>,
    /// Which of the next calls refuse, one bit each.
    refusals: u8,
}

impl Output for Shared {
    fn room(&self) -> usize {
        self.bytes.room()
    }

    fn put(&mut self, head: &[u8], body: Body<'_>) -> bool {
        let refuses = self.refusals & 1 != 0;
        self.refusals >>= 1;
        !refuses && self.bytes.put(head, body)
    }
}

pub fn forward(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let setup = setup(&mut u, flags & 1 == 0);
    let refusals = byte(&mut u);
    let seed = seed(&mut u);
    let stream = u.take_rest();
    let job = Job { setup, flags, refusals, stream, cuts: cuts(&seed, stream.len()) };
    let client = Client(Keys::default());
    match (job.setup.server, flags & 2 != 0) {
        (true, _) => job.run(Server, client, Writer::pay),
        (false, false) => job.run(client, Server, Writer::pay),
        (false, true) => job.run(client, Server, by_reference),
    }
}

/// A server's payload stays where it is, and is written out behind what is in the output.
fn by_reference(writer: &mut Writer<Server>, chunk: &[u8], far: &mut Shared) -> Result<usize, SendError> {
    let owed = writer.owed();
    if let Some(more) = usize::try_from(owed).ok().filter(|owed| *owed < 1 << 16) {
        assert_eq!(writer.pay_by_reference(&vec![b'x'; more + 1]), Err(SendError::Owed { bytes: owed }));
        assert_eq!(writer.owed(), owed);
    }
    writer.pay_by_reference(chunk)?;
    far.bytes.extend(chunk);
    Ok(chunk.len())
}

type Pay<F> = fn(&mut Writer<F>, &[u8], &mut Shared) -> Result<usize, SendError>;

struct Job<'s> {
    setup: Setup,
    flags: u8,
    refusals: u8,
    stream: &'s [u8],
    cuts: Vec<usize>,
}

impl Job<'_> {
    fn run<N: Role, F: Role>(&self, near: N, far: F, pay: Pay<F>) {
        let (mut reader, mut writer) = run::connection(near, &self.setup).into_halves();
        let agreed = run::agreed(self.setup.reserved);
        let mut far = Far {
            writer: Connection::new(far, &Config::default(), agreed).into_halves().1,
            pay,
            out: Shared { refusals: self.refusals, ..Shared::default() },
            text: Vec::new(),
        };
        let mut replies = Vec::new();
        let mut seen = Vec::new();
        let mut start = 0;
        for end in self.cuts.iter().copied().chain([self.stream.len()]) {
            let mut bytes = self.stream[start..end].to_vec();
            start = end;
            let mut rest = &mut bytes[..];
            loop {
                // One event a turn: the rest of the read is fed again.
                let mut input = Input::from(rest);
                let event = reader.receive(&mut input);
                rest = input.into_rest();
                let Some(event) = event else { break };
                run::note(&mut seen, &event);
                replies.extend(event.reply());
                far.pass_on(event, !self.setup.server);
            }
            assert!(rest.is_empty(), "`None` means that every byte was taken");
        }
        let expected = oracle::read(&self.setup, self.stream);
        far.check(&self.setup, &expected.seen);

        let mut out = Vec::new();
        if self.flags & 4 != 0 {
            late(&mut writer, replies, &mut out, !self.setup.server);
            return;
        }
        for reply in replies {
            writer.reply(reply, &mut out);
        }
        let mut conn = Connection::from_halves(reader, writer);
        verify::check(&mut conn, &self.setup, &seen, &out, &expected);
    }
}

/// Replies that the channel gives in any order: one Close at most, and nothing behind it.
fn late<N: Role>(writer: &mut Writer<N>, replies: Vec<Reply>, out: &mut Vec<u8>, masked: bool) {
    let count = replies.len();
    for reply in replies.into_iter().rev() {
        writer.reply(reply, out);
    }
    let frames = frames_in(out, masked);
    assert!(frames.len() <= count);
    let close = frames.iter().position(|(_, first, _)| *first == 0x88);
    assert!(close.is_none_or(|at| at + 1 == frames.len()));
}

struct Far<F: Role> {
    writer: Writer<F>,
    pay: Pay<F>,
    out: Shared,
    /// What was passed on of the message under way, if it is a text.
    text: Vec<u8>,
}

impl<F: Role> Far<F> {
    fn pass_on(&mut self, event: Event<'_>, server: bool) {
        match event {
            Event::Data(data) => self.pass_on_data(&data),
            Event::Ping(payload) => {
                let header = self.writer.send_header(Outgoing::ping(b""), 0, &mut self.out);
                assert_eq!(header, Err(SendError::ControlTooLong), "a control frame cannot be owed");
                self.again(|writer, out| writer.send(Outgoing::ping(&payload), out));
            }
            Event::Pong(payload) => self.again(|writer, out| writer.send(Outgoing::pong(&payload), out)),
            Event::Close(None) => self.writer.close_without_code(&mut self.out),
            Event::Close(Some(frame)) => {
                let closed = self.writer.close(frame.code(), frame.reason(), &mut self.out);
                // W63: a server may not begin with what it may be told.
                let legal = !server || frame.code() != CloseCode::MANDATORY_EXTENSION;
                assert_eq!(closed, if legal { Ok(()) } else { Err(SendError::CloseCode) });
            }
            Event::Failed(error) => words::protocol_error(error),
            other => panic!("a reader gives no {other:?}"),
        }
    }

    fn pass_on_data(&mut self, data: &Data<'_>) {
        let part = data.part();
        if part.starts_frame {
            self.again(|writer, out| writer.send_header(data.forward(), part.frame_len, out));
        }
        let mut rest = data.payload();
        while !rest.is_empty() {
            let paid =
                (self.pay)(&mut self.writer, rest, &mut self.out).expect("it was announced and checked");
            assert!(paid != 0 || self.out.bytes.room() != 0);
            rest = &rest[paid..];
        }
        if part.first {
            self.text.clear();
        }
        self.text.extend(data.payload());
        let cut_off = std::str::from_utf8(&self.text).is_err();
        if part.ends_frame && !part.fin && part.kind == Kind::Text && !part.compressed && cut_off {
            let end = self.writer.send_header(Outgoing::last(b""), 0, &mut self.out);
            assert_eq!(end, Err(SendError::Utf8), "a text does not end inside a character");
        }
    }

    /// Sends, again where another writer was faster: nothing was written then.
    fn again(&mut self, send: impl Fn(&mut Writer<F>, &mut Shared) -> Result<(), SendError>) {
        loop {
            let (before, refusals) = (self.out.bytes.len(), self.out.refusals);
            match send(&mut self.writer, &mut self.out) {
                Ok(()) => return,
                Err(SendError::NoRoom { .. }) => {
                    assert!(refusals & 1 != 0 && self.out.bytes.len() == before);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The far end reads the same frames, as far as they came.
    fn check(mut self, setup: &Setup, near: &[Seen]) {
        while self.out.refusals != 0 {
            self.out.refusals >>= 1;
            self.writer.poll_transmit(&mut self.out);
        }
        self.writer.poll_transmit(&mut self.out);
        let server = setup.server;
        let may_pass = |seen: &&Seen| match seen {
            Seen::Failed(..) => false,
            Seen::Close(Some((code, _))) => server || *code != 1010,
            _ => true,
        };
        let unlimited = Setup {
            reserved: setup.reserved,
            frame_limit: u64::MAX,
            message_limit: u64::MAX,
            fragment_limit: u32::MAX,
            ..Setup::strict(server)
        };
        let far = oracle::read(&unlimited, &self.out.bytes).seen;
        assert!(far.iter().eq(near.iter().filter(may_pass)), "{far:?} for {near:?}");
    }
}
