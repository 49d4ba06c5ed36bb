//! Whole messages in every kind of memory, pushed or read to their place: those of the naive decoder.

use arbitrary::Unstructured;
use websocket_proto::{
    Assembler, Buffer, Client, Config, Connection, Event, Input, Kind, Lenient, MIN_OUTPUT, Message, Role,
    Rule, Server, SliceOutput,
};

use crate::{
    common::{
        keys::Keys,
        oracle::{self, Seen, Setup},
        run,
        verify::frames_in,
    },
    support::{byte, cuts, seed},
};

const SIZE: usize = 64;

pub fn assemble(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    let setup = Setup {
        reserved: flags & 0x40,
        lenient: Lenient { unmasked_frames: flags & 2 != 0, ..Lenient::default() },
        ..Setup::strict(flags & 1 == 0)
    };
    let seed = seed(&mut u);
    let stream = u.take_rest();
    let cuts = cuts(&seed, stream.len());
    match setup.server {
        true => memories(|| Server, &setup, stream, &cuts),
        false => memories(|| Client(Keys::default()), &setup, stream, &cuts),
    }
}

fn memories<R: Role>(role: impl Fn() -> R, setup: &Setup, stream: &[u8], cuts: &[usize]) {
    for place in [false, true] {
        let run = Run { setup, stream, cuts, place };
        run.check(role(), Assembler::new([0; SIZE]), SIZE);
        run.check(role(), Assembler::new(&mut [0; SIZE][..]), SIZE);
        run.check(role(), Assembler::new(vec![0; SIZE].into_boxed_slice()), SIZE);
        run.check(role(), Assembler::new(heapless::Vec::<u8, SIZE>::new()), SIZE);
        run.check(role(), Assembler::new(Vec::new()), usize::MAX);
    }
}

/// The whole messages of a stream, up to the first that has no room.
type Messages = (Vec<(Kind, bool, Vec<u8>)>, bool);

struct Run<'s> {
    setup: &'s Setup,
    stream: &'s [u8],
    cuts: &'s [usize],
    /// Whether payloads are read to their place, where there is one.
    place: bool,
}

impl Run<'_> {
    fn check<R: Role, B: Buffer>(&self, role: R, mut whole: Assembler<B>, limit: usize) {
        let mut conn = run::connection(role, self.setup);
        let mut out = SliceOutput::new(vec![0; 3 * self.stream.len() + MIN_OUTPUT]);
        let mut seen = Vec::new();
        let fits = self.feed(&mut conn, &mut whole, &mut seen, &mut out);
        let expected = self.expected(limit);
        assert_eq!((seen, fits), expected);
        if !fits {
            let rule = conn.failure().expect("it was told").rule;
            let frames = frames_in(out.pending(), !self.setup.server);
            let (_, first, body) = frames.last().expect("the Close has room");
            assert_eq!((*first, &body[..]), (0x88, &oracle::answer(rule).to_be_bytes()[..]));
        }
    }

    /// What the naive decoder's frames are together. A message that is too long is known by what came of it.
    fn expected(&self, limit: usize) -> Messages {
        let mut messages = Vec::new();
        let mut open = None;
        for seen in oracle::read(self.setup, self.stream).seen {
            let Seen::Frame { kind, first, fin, compressed, payload, whole, .. } = seen else { continue };
            if first {
                open = Some((kind, compressed, Vec::new()));
            }
            let message = open.as_mut().expect("the order of fragments was checked");
            message.2.extend(payload);
            if message.2.len() > limit {
                return (messages, false);
            }
            if fin && whole {
                messages.extend(open.take());
            }
        }
        (messages, true)
    }

    fn feed<R: Role, B: Buffer>(
        &self,
        conn: &mut Connection<R>,
        whole: &mut Assembler<B>,
        seen: &mut Vec<(Kind, bool, Vec<u8>)>,
        out: &mut SliceOutput<Vec<u8>>,
    ) -> bool {
        let mut start = 0;
        for end in self.cuts.iter().copied().chain([self.stream.len()]) {
            let mut bytes = self.stream[start..end].to_vec();
            start = end;
            let mut rest = &mut bytes[..];
            while !rest.is_empty() {
                if self.place && conn.failure().is_none() {
                    let place = whole.place(conn);
                    let n = place.len().min(rest.len());
                    if n != 0 {
                        place[..n].copy_from_slice(&rest[..n]);
                        assert!(n as u64 <= conn.frame_remaining());
                        // More than the frame lacks is not believed.
                        let all = n as u64 == conn.frame_remaining();
                        match whole.placed(if all { usize::MAX } else { n }, conn, out) {
                            Ok(message) => seen.extend(message.map(taken)),
                            Err(error) => assert_eq!(conn.failure(), Some(error)),
                        }
                        rest = &mut rest[n..];
                        continue;
                    }
                }
                let mut input = Input::from(rest);
                let event = conn.receive(&mut input, out);
                rest = input.into_rest();
                let Some(Event::Data(data)) = event else { continue };
                match whole.push(data) {
                    Ok(message) => seen.extend(message.map(taken)),
                    Err(rule) => {
                        assert_eq!(rule, Rule::MessageTooLong);
                        // A fault behind the piece may be known already, and stands.
                        let rule = conn.failure().map_or(rule, |error| error.rule);
                        let event = conn.fail(rule, out);
                        assert!(matches!(event, Event::Failed(error) if error.rule == rule));
                        return false;
                    }
                }
            }
            // A fault behind bytes that came before it is told without any more of them.
            while conn.receive(&mut Input::default(), out).is_some() {}
        }
        true
    }
}

fn taken(message: Message<'_>) -> (Kind, bool, Vec<u8>) {
    let (kind, compressed) = (message.kind(), message.is_compressed());
    let text = std::str::from_utf8(message.payload()).ok().filter(|_| kind == Kind::Text);
    assert_eq!(message.text(), text);
    assert!(kind == Kind::Binary || compressed || text.is_some());
    let payload = message.payload().to_vec();
    // Its echo is one frame of the same.
    let agreed = run::agreed(0x40);
    let mut sent = Vec::new();
    Connection::new(Server, &Config::default(), agreed).send(message.echo(), &mut sent).unwrap();
    let first = 0x80 | u8::from(compressed) << 6 | if kind == Kind::Text { 1 } else { 2 };
    assert_eq!(frames_in(&sent, false), [(0, first, payload)]);
    (kind, compressed, message.into_payload().to_vec())
}
