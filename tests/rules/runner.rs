//! The table runner. A case is a stream of frames and what it must lead to; it runs on both sides of a
//! connection, and on each at once, byte by byte, and split in two at every offset (W15, W81).

use websocket_proto::{
    Agreed, Cause, Client, CloseCode, Closer, Closure, Config, Connection, Event, Input, Kind, MaskKey,
    Outgoing, Output, Part, ProtocolError, Role, Rsv, Rule, Server, Transport,
};

pub(crate) use super::wire::*;

/// A client that draws the same key again and again, so that its output is known.
pub(crate) type FixedClient = Client<fn() -> MaskKey>;

pub(crate) fn client() -> FixedClient {
    Client(|| OWN_KEY)
}

/// What a machine told, comparable: the pieces of a frame are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Data { payload: Vec<u8>, part: Part },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Failed(ProtocolError),
}

impl Seen {
    /// A message in one frame.
    pub(crate) fn whole(kind: Kind, payload: impl AsRef<[u8]>) -> Self {
        Self::data(kind, true, true, payload.as_ref())
    }

    /// A message's first frame, and not its last.
    pub(crate) fn first(kind: Kind, payload: impl AsRef<[u8]>) -> Self {
        Self::data(kind, true, false, payload.as_ref())
    }

    /// A frame in the middle of a message.
    pub(crate) fn next(kind: Kind, payload: impl AsRef<[u8]>) -> Self {
        Self::data(kind, false, false, payload.as_ref())
    }

    /// A message's last frame.
    pub(crate) fn last(kind: Kind, payload: impl AsRef<[u8]>) -> Self {
        Self::data(kind, false, true, payload.as_ref())
    }

    /// The frame goes on to be `frame_len` bytes long, and the rest was not told.
    pub(crate) fn cut(mut self, frame_len: u64) -> Self {
        if let Self::Data { part, .. } = &mut self {
            (part.ends_frame, part.last, part.frame_len) = (false, false, frame_len);
        }
        self
    }

    pub(crate) fn compressed(mut self) -> Self {
        if let Self::Data { part, .. } = &mut self {
            part.compressed = true;
            part.rsv = if part.first { Rsv::RSV1 } else { Rsv::NONE };
        }
        self
    }

    /// With reserved bits.
    pub(crate) fn reserved(mut self, rsv: Rsv) -> Self {
        if let Self::Data { part, .. } = &mut self {
            part.compressed = rsv.contains(Rsv::RSV1);
            part.rsv = rsv;
        }
        self
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Self::Close(Some((code, reason.into())))
    }

    fn data(kind: Kind, first: bool, fin: bool, payload: &[u8]) -> Self {
        Self::Data {
            payload: payload.to_vec(),
            part: Part {
                kind,
                first,
                last: fin,
                starts_frame: true,
                ends_frame: true,
                fin,
                rsv: Rsv::NONE,
                compressed: false,
                frame_len: payload.len() as u64,
            },
        }
    }

    /// Writes an event down, behind those before it.
    pub(crate) fn note(event: Event<'_>, seen: &mut Vec<Self>) {
        seen.push(match event {
            Event::Data(data) => {
                let next = data.part();
                if !next.starts_frame {
                    let Some(Self::Data { payload, part }) = seen.last_mut() else {
                        panic!("a frame's second piece has no first one before it: {next:?}");
                    };
                    assert!(!part.ends_frame, "a piece behind the end of its frame: {next:?}");
                    assert!(
                        !next.first,
                        "a frame's second piece says that it is the message's first: {next:?}"
                    );
                    assert!(!next.last || next.ends_frame, "the message ends inside a frame: {next:?}");
                    let same = Part {
                        starts_frame: true,
                        first: part.first,
                        last: false,
                        ends_frame: false,
                        ..next
                    };
                    assert_eq!(*part, same, "two pieces of one frame disagree");
                    (part.last, part.ends_frame) = (next.last, next.ends_frame);
                    payload.extend_from_slice(data.payload());
                    return;
                }
                Self::Data { payload: data.payload().to_vec(), part: next }
            }
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(frame) => {
                Self::Close(frame.map(|frame| (frame.code().get(), frame.reason().into())))
            }
            Event::Failed(error) => Self::Failed(error),
            other => panic!("no event of a connection: {other:?}"),
        });
    }
}

/// A byte of the input: of the n-th frame, counted in its header or in its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    frame: usize,
    byte: Byte,
}

#[derive(Clone, Copy, Debug)]
enum Byte {
    Head(usize),
    /// The header's last byte, the key included.
    HeadEnd,
    Body(usize),
}

pub(crate) fn head(frame: usize, byte: usize) -> At {
    At { frame, byte: Byte::Head(byte) }
}

pub(crate) fn head_end(frame: usize) -> At {
    At { frame, byte: Byte::HeadEnd }
}

pub(crate) fn body(frame: usize, byte: usize) -> At {
    At { frame, byte: Byte::Body(byte) }
}

impl At {
    fn offset(self, side: Side, frames: &[Frame]) -> u64 {
        let before = incoming(side, &frames[..self.frame]).len();
        let this = &frames[self.frame];
        let head = incoming(side, std::slice::from_ref(this)).len() - this.body.len();
        (before
            + match self.byte {
                Byte::Head(byte) => byte,
                Byte::HeadEnd => head - 1,
                Byte::Body(byte) => head + byte,
            }) as u64
    }
}

/// What the caller does before the input comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Send(Outgoing<'static>),
    Close(u16, &'static str),
    CloseWithoutCode,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The rules' numbers and what the row is about.
    pub(crate) rules: String,
    /// Who reads the input: both, unless the rule is about one.
    pub(crate) sides: &'static [Side],
    pub(crate) config: Config,
    pub(crate) agreed: Agreed,
    pub(crate) before: Vec<Act>,
    pub(crate) input: Vec<Frame>,
    /// Whether the stream ends behind the input.
    pub(crate) eof: bool,
    /// What is told, the failure aside.
    pub(crate) events: Vec<Seen>,
    /// What is told last, and where.
    pub(crate) fault: Option<(Rule, At)>,
    pub(crate) output: Vec<Frame>,
    /// What a server is to do with the transport, and what a client.
    pub(crate) transport: [Transport; 2],
    /// How the connection ended, the violation aside: the runner adds `fault`.
    pub(crate) closure: Closure,
}

/// A connection that has not begun to end.
pub(crate) const OPEN: Closure =
    Closure { sent: None, received: None, first: None, clean: false, cause: None };
/// Both Closes were exchanged: the server closes first (W69).
pub(crate) const CLOSED: [Transport; 2] = [Transport::Shut, Transport::AwaitEnd];

impl Case {
    /// Nothing is sent, and the connection stays open.
    pub(crate) fn new(rules: impl Into<String>) -> Self {
        Self {
            rules: rules.into(),
            sides: BOTH,
            config: Config::default(),
            agreed: Agreed::default(),
            before: Vec::new(),
            input: Vec::new(),
            eof: false,
            events: Vec::new(),
            fault: None,
            output: Vec::new(),
            transport: [Transport::Keep; 2],
            closure: OPEN,
        }
    }

    /// The connection fails, and a Close with `code` goes out.
    pub(crate) fn fault(rules: impl Into<String>, rule: Rule, code: u16, at: At) -> Self {
        Self {
            fault: Some((rule, at)),
            output: vec![close(code, "")],
            transport: [Transport::Shut; 2],
            closure: Closure { sent: Some(CloseCode::new(code)), first: Some(Closer::Local), ..OPEN },
            ..Self::new(rules)
        }
    }

    /// The peer closes with `code`, and is answered with the same.
    pub(crate) fn closed(rules: impl Into<String>, code: u16) -> Self {
        let code = Some(CloseCode::new(code));
        Self {
            output: code.iter().map(|code| close(code.get(), "")).collect(),
            transport: CLOSED,
            closure: Closure { sent: code, received: code, first: Some(Closer::Peer), ..OPEN },
            ..Self::new(rules)
        }
    }
}

/// Runs every row of a table.
pub(crate) fn run(table: impl IntoIterator<Item = Case>) {
    for case in table {
        for side in case.sides {
            match side {
                Side::Server => run_on(&case, Side::Server, || Server),
                Side::Client => run_on(&case, Side::Client, client),
            }
        }
    }
}

/// How the input is cut.
#[derive(Clone, Copy, Debug)]
enum Mode {
    AtOnce,
    ByteByByte,
    Split(usize),
}

impl Mode {
    fn cut(self, input: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::AtOnce => vec![input],
            Self::ByteByByte => input.chunks(1).collect(),
            Self::Split(at) => vec![&input[..at], &input[at..]],
        }
    }
}

/// Inputs above this length are split at every offset near their ends only, and at some between.
const SHORT: usize = 1024;

fn run_on<R: Role>(case: &Case, side: Side, role: impl Fn() -> R) {
    let input = incoming(side, &case.input);
    let splits = (0..=input.len())
        .filter(|&at| input.len() <= SHORT || at < 32 || input.len() - at < 32 || at % 4093 == 0)
        .map(Mode::Split);
    for mode in [Mode::AtOnce, Mode::ByteByByte].into_iter().chain(splits) {
        let what = format!("{} ({side:?}, {mode:?})", case.rules);
        check(case, side, Probe::new(case, role(), &what), &input, mode);
    }
    if let Some((rule, at)) = case.fault {
        let offset = at.offset(side, &case.input) as usize;
        let what = format!("{} ({side:?}, earliest byte {offset})", case.rules);
        let mut early = Probe::new(case, role(), &what);
        early.feed(&input[..offset]);
        assert_eq!(early.conn.failure(), None, "W14: fails before the byte that proves it: {what}");
        let mut enough = Probe::new(case, role(), &what);
        enough.feed(&input[..=offset]);
        let failed = enough.conn.failure().map(|error| error.rule);
        assert_eq!(failed, Some(rule), "W14: the byte that proves it is not enough: {what}");
    }
}

fn check<R: Role>(case: &Case, side: Side, mut probe: Probe<'_, R>, input: &[u8], mode: Mode) {
    let what = probe.what;
    let fault = case.fault.map(|(rule, at)| ProtocolError { rule, offset: at.offset(side, &case.input) });
    let mut events = case.events.clone();
    events.extend(fault.map(Seen::Failed));
    let closure = Closure { cause: fault.map(Cause::Violation).or(case.closure.cause), ..case.closure };
    let transport = case.transport[usize::from(side == Side::Client)];

    let mut fed = 0;
    for piece in mode.cut(input) {
        probe.feed(piece);
        fed += piece.len() as u64;
        let due = fault.filter(|fault| fault.offset < fed);
        assert_eq!(probe.conn.failure(), due, "failure after {fed} bytes: {what}");
        if due.is_none() && !matches!(probe.seen.last(), Some(Seen::Close(_))) {
            assert_eq!(probe.conn.bytes_received(), fed, "bytes received: {what}");
        }
    }
    // An empty read changes nothing, and a repeated end neither (W151).
    probe.feed(&[]);
    if case.eof {
        assert_eq!(probe.conn.receive_eof(), closure, "closure at the end of the stream: {what}");
        assert_eq!(probe.conn.receive_eof(), closure, "closure at its repeated end: {what}");
    }
    probe.assert(&events, &outgoing(side, &case.output), transport, closure);
    // Behind a Close (W66) or a failure (W68, W152) nothing is told and nothing answered.
    if let Some(Seen::Close(_) | Seen::Failed(_)) = events.last() {
        probe.feed(&incoming(
            side,
            &[ping("late"), frame(0x81, "late"), close(1000, "late"), raw(&[0xff], "")],
        ));
        probe.assert(&events, &outgoing(side, &case.output), transport, closure);
        assert_eq!(probe.conn.failure(), fault, "failure afterwards: {what}");
    }
}

/// A connection that writes down what it tells and sends.
pub(crate) struct Probe<'w, R: Role> {
    pub(crate) conn: Connection<R>,
    pub(crate) out: Vec<u8>,
    pub(crate) seen: Vec<Seen>,
    /// For messages of assertions.
    what: &'w str,
}

impl<'w, R: Role> Probe<'w, R> {
    fn new(case: &Case, role: R, what: &'w str) -> Self {
        let mut probe = Self::open(role, &case.config, case.agreed, what);
        for act in &case.before {
            match *act {
                Act::Send(frame) => probe.conn.send(frame, &mut probe.out),
                Act::Close(code, reason) => probe.conn.close(CloseCode::new(code), reason, &mut probe.out),
                Act::CloseWithoutCode => {
                    probe.conn.close_without_code(&mut probe.out);
                    Ok(())
                }
            }
            .unwrap_or_else(|error| panic!("{act:?}: {error}: {what}"));
        }
        probe
    }

    pub(crate) fn open(role: R, config: &Config, agreed: Agreed, what: &'w str) -> Self {
        Self { conn: Connection::new(role, config, agreed), out: Vec::new(), seen: Vec::new(), what }
    }

    /// Receives one read, between two strips of memory that must stay as they are (W17).
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        const STRIP: usize = 16;
        let mut memory = vec![0xa5; bytes.len() + 2 * STRIP];
        memory[STRIP..][..bytes.len()].copy_from_slice(bytes);
        let mut input = Input::new(&mut memory[STRIP..][..bytes.len()]);
        let mut events = 0;
        while let Some(event) = self.conn.receive(&mut input, &mut self.out) {
            Seen::note(event, &mut self.seen);
            events += 1;
            assert!(events <= bytes.len() + 1, "events without progress: {}", self.what);
        }
        assert!(input.is_empty(), "bytes are left over: {}", self.what);
        let (front, rest) = memory.split_at(STRIP);
        let untouched = front.iter().chain(&rest[bytes.len()..]).all(|&byte| byte == 0xa5);
        assert!(untouched, "W17: written outside the read: {}", self.what);
    }

    fn assert(&self, events: &[Seen], output: &[u8], transport: Transport, closure: Closure) {
        assert_eq!(self.seen, events, "events: {}", self.what);
        assert_eq!(self.out, output, "output: {}", self.what);
        assert_eq!(self.conn.transport(), transport, "transport: {}", self.what);
        assert_eq!(self.conn.closure(), closure, "closure: {}", self.what);
    }
}

/// Hands frames over at once, and gives back what is told.
pub(crate) fn receive<R: Role>(
    conn: &mut Connection<R>,
    side: Side,
    out: &mut impl Output,
    frames: &[Frame],
) -> Vec<Seen> {
    let (mut wire, mut seen) = (incoming(side, frames), Vec::new());
    let mut input = Input::new(&mut wire);
    while let Some(event) = conn.receive(&mut input, out) {
        Seen::note(event, &mut seen);
    }
    assert!(input.is_empty());
    seen
}

/// Runs `$test`, a function of a side and of what makes its connections, on both sides.
macro_rules! on_both_sides {
    ($test:ident) => {{
        use websocket_proto::{Agreed, Config, Connection, Server};
        $test(super::runner::Side::Server, || Connection::new(Server, &Config::default(), Agreed::default()));
        $test(super::runner::Side::Client, || {
            Connection::new(super::runner::client(), &Config::default(), Agreed::default())
        });
    }};
}

pub(crate) use on_both_sides;
