//! The driver over `embedded-io`: for firmware without an executor, and for threads.

use core::time::Duration;

use embedded_io::{ErrorKind, ErrorType, Read, Write};
use websocket_proto::{
    Client, CloseCode, Closure, Connection, HandshakeError, Kind, MaskSource, Outgoing, Role, Server,
    Session, client, server,
};

use crate::{
    error::Error,
    goals::{self, Accept, Close, Connect, Receive, Send, SendLong},
    inbox::{Inbox, Reads, Received},
    link::{Link, Out, Parts},
    machine::Machine,
    task::{Goal, Step, Task},
};

/// What a socket needs of the world beside its transport `T`.
pub trait System<T: ErrorType> {
    /// Whether what was written goes out only when it is flushed, as with TLS and other buffers. Where `flush` waits
    /// for the peer's acknowledgement instead, as embassy-net's does, each message would wait for it: false.
    const FLUSH: bool = true;

    /// The time since any fixed start. It only grows.
    fn now(&mut self) -> Duration;

    /// The transport's next call waits no longer than this, and gives an error of the kind `TimedOut` then; `None`: it
    /// may wait for ever. Nothing is done where a transport has no such limit: then deadlines are kept and pings are
    /// sent only when something has come.
    ///
    /// # Errors
    /// The transport's.
    fn limit(&mut self, transport: &mut T, wait: Option<Duration>) -> Result<(), T::Error>;

    /// Ends this side of the stream: a TCP socket sends its FIN and still reads. Nothing, where there is no such thing.
    ///
    /// # Errors
    /// The transport's.
    fn shut(&mut self, transport: &mut T) -> Result<(), T::Error>;
}

/// A WebSocket: see the [crate] for what it does.
pub struct Socket<'m, T, S, R: Role> {
    transport: T,
    system: S,
    link: Link<'m>,
    conn: Connection<R>,
}

impl<'m, T: Read + Write, S: System<T>> Socket<'m, T, S, Server> {
    /// Reads a request and has `answer` answer it: `|request, out| request.accept(policy).write(out)`.
    ///
    /// # Errors
    /// [`Error`]: a request that broke a rule, and what `answer` refused, too (`Ended(Refused)`). By then the client has
    /// its answer, and the stream was ended.
    pub fn accept(
        parts: Parts<'m, T, S>,
        inbox: &mut Inbox<'_>,
        answer: impl FnOnce(server::Request<'_>, &mut Out<'_>) -> Result<(), HandshakeError>,
    ) -> Result<Self, Error<T::Error>> {
        let Parts { mut transport, mut system, out, config, timing } = parts;
        let mut link = Link::new(out, timing, system.now()).map_err(Error::lift)?;
        let mut session = Session::server(&mut *inbox.whole.memory, config);
        let goal = &mut Accept { answer: Some(answer) };
        let reads = Some(&mut inbox.reads);
        run(&mut transport, &mut system, Task { link: &mut link, machine: &mut session, reads, goal })?;
        let conn = goals::connection(session).map_err(Error::lift)?;
        Ok(Self { transport, system, link, conn })
    }
}

impl<'m, T: Read + Write, S: System<T>, M: MaskSource> Socket<'m, T, S, Client<M>> {
    /// Sends `request`, and has `look` look at its answer, whatever that is.
    ///
    /// # Errors
    /// [`Error`]: an answer that broke a rule, and one other than 101, too (`Ended(Refused)`).
    pub fn connect(
        parts: Parts<'m, T, S>,
        inbox: &mut Inbox<'_>,
        role: Client<M>,
        request: &client::Request<'_>,
        look: impl FnOnce(client::Response<'_>),
    ) -> Result<Self, Error<T::Error>> {
        let Parts { mut transport, mut system, out, config, timing } = parts;
        let mut link = Link::new(out, timing, system.now()).map_err(Error::lift)?;
        let mut session = Session::client(role, &mut *inbox.whole.memory, config, request, &mut link.out)
            .map_err(Error::Handshake)?;
        let goal = &mut Connect { look: Some(look) };
        let reads = Some(&mut inbox.reads);
        run(&mut transport, &mut system, Task { link: &mut link, machine: &mut session, reads, goal })?;
        let conn = goals::connection(session).map_err(Error::lift)?;
        Ok(Self { transport, system, link, conn })
    }
}

impl<T: Read + Write, S: System<T>, R: Role> Socket<'_, T, S, R> {
    /// The next message. `None`: the connection is over, as it should be; drop the transport.
    ///
    /// # Errors
    /// [`Error`]. A peer's fault is told after the peer was, and the stream ended.
    pub fn receive<'i>(&mut self, inbox: &'i mut Inbox<'_>) -> Result<Option<Received<'i>>, Error<T::Error>> {
        let mut goal = Receive { whole: Some(&mut inbox.whole), place: None };
        self.run(Some(&mut inbox.reads), &mut goal)?;
        let place = goal.place;
        Ok(place.map(|place| inbox.received(place)))
    }

    /// The next piece of a message, which may be larger than any memory: as much as was there to read.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_piece<'i>(
        &mut self,
        inbox: &'i mut Inbox<'_>,
    ) -> Result<Option<Received<'i>>, Error<T::Error>> {
        let mut goal = Receive { whole: None, place: None };
        self.run(Some(&mut inbox.reads), &mut goal)?;
        let place = goal.place;
        Ok(place.map(|place| inbox.received(place)))
    }

    /// Sends a frame that fits in the memory to write from. Nothing is read meanwhile.
    ///
    /// # Errors
    /// [`Error::Send`], with nothing sent: `NoRoom` says how much memory it takes. And the transport's.
    pub fn send(&mut self, frame: Outgoing<'_>) -> Result<(), Error<T::Error>> {
        let mut goal = Send::new(frame, &mut self.conn, &mut self.link).map_err(Error::lift)?;
        self.run(None, &mut goal)
    }

    /// Takes a frame without writing it: [`flush`](Self::flush) does, or whatever is called next.
    ///
    /// # Errors
    /// [`Error::Send`], with nothing taken: `NoRoom` until what was taken before is written.
    pub fn queue(&mut self, frame: Outgoing<'_>) -> Result<(), Error<T::Error>> {
        goals::queue(frame, &mut self.conn, &mut self.link).map_err(Error::lift)
    }

    /// Writes what was taken. Nothing is read meanwhile.
    ///
    /// # Errors
    /// The transport's, and `Timeout`.
    pub fn flush(&mut self) -> Result<(), Error<T::Error>> {
        self.run(None, &mut Send { frame: None })
    }

    /// Sends a message of any length, as one frame. Nothing is read meanwhile.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_long(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error<T::Error>> {
        let mut goal = SendLong::new(kind, payload).map_err(Error::lift)?;
        self.run(None, &mut goal)
    }

    /// Sends a ping with at most 125 bytes. Its pong is read by whoever receives next, and told by nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error<T::Error>> {
        self.send(Outgoing::ping(payload))
    }

    /// Does the closing handshake, with whatever the peer still sends thrown away, and says how it ended. After the
    /// peer's Close this only waits for the end of the stream.
    ///
    /// # Errors
    /// [`Error`]: among others `Timeout(Close)`, if the peer does not answer.
    pub fn close(
        &mut self,
        inbox: &mut Inbox<'_>,
        code: CloseCode,
        reason: &str,
    ) -> Result<Closure, Error<T::Error>> {
        self.run(Some(&mut inbox.reads), &mut Close { with: Some((code, reason)) })?;
        Ok(self.conn.closure())
    }

    /// The connection's state: how it ended, what was agreed on.
    pub const fn connection(&self) -> &Connection<R> {
        &self.conn
    }

    /// The transport, whatever is still to be written forgotten.
    pub fn into_transport(self) -> T {
        self.transport
    }

    fn run(
        &mut self,
        reads: Option<&mut Reads<'_>>,
        goal: &mut impl Goal<Connection<R>>,
    ) -> Result<(), Error<T::Error>> {
        let task = Task { link: &mut self.link, machine: &mut self.conn, reads, goal };
        run(&mut self.transport, &mut self.system, task)
    }
}

/// Does what a task says, until it is done.
fn run<T: Read + Write, S: System<T>, M: Machine, G: Goal<M>>(
    transport: &mut T,
    system: &mut S,
    mut task: Task<'_, '_, '_, M, G>,
) -> Result<(), Error<T::Error>> {
    loop {
        let now = system.now();
        let (step, until) = task.next(now).map_err(Error::lift)?;
        // No wait at all would be one for ever in most transports.
        let wait = until.map(|until| until.saturating_sub(now).max(Duration::from_millis(1)));
        match step {
            Step::Done => return Ok(()),
            Step::Write => {
                system.limit(transport, wait).map_err(Error::Transport)?;
                if let Some(n) = in_time(transport.write(task.pending()))? {
                    task.wrote(n).map_err(Error::lift)?;
                }
            }
            Step::Flush if !S::FLUSH => task.flushed(),
            Step::Flush => {
                system.limit(transport, wait).map_err(Error::Transport)?;
                if in_time(transport.flush())?.is_some() {
                    task.flushed();
                }
            }
            Step::Shut => {
                system.shut(transport).map_err(Error::Transport)?;
                task.shut();
            }
            Step::Read => {
                system.limit(transport, wait).map_err(Error::Transport)?;
                if let Some(n) = in_time(transport.read(task.place()))? {
                    task.read(n);
                }
            }
        }
    }
}

/// What came of a call; `None`, if its time ran out or a signal came between.
fn in_time<V, E: embedded_io::Error>(result: Result<V, E>) -> Result<Option<V>, Error<E>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(Error::Transport(error)),
    }
}
