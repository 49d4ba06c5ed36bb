//! The driver over `embedded-io-async`: for embassy, and whatever else has its traits.
//!
//! # Cancelling
//!
//! A future may be dropped at any time, as `select` does. What then happens depends on the call:
//!
//! - [`receive`](Socket::receive), [`receive_piece`](Socket::receive_piece), [`close`](Socket::close): nothing is
//!   lost; call again. The beginning of a message is in the [`Inbox`], so go on with the same one, and with the same
//!   of the two calls until the message has ended.
//! - [`send`](Socket::send), [`ping`](Socket::ping): a frame for which there was room is sent: the next call of any
//!   kind writes what is left of it. One that had to wait for room was taken whole or not at all; where that matters,
//!   [`queue`](Socket::queue) tells, and [`flush`](Socket::flush) may be dropped as often as you like.
//! - [`send_long`](Socket::send_long): a payload that was announced and not written is owed for ever. Everything that
//!   is sent afterwards gives `SendError::Owed`: drop the transport.
//! - [`accept`](Socket::accept), [`connect`](Socket::connect): the transport is dropped with them.
//!
//! All this holds for transports whose `read`, `write` and `flush` are free of side effects when they are dropped, as
//! `embedded-io-async` encourages and embassy-net's are: timers drop them, too.

use core::{
    future::{Future, pending, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use embedded_io_async::{ErrorType, Read, Write};
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
#[expect(
    async_fn_in_trait,
    reason = "as in `embedded-io-async`: what is awaited here is awaited where it was made"
)]
pub trait System<T: ErrorType> {
    /// Whether what was written goes out only when it is flushed, as with TLS and other buffers. Where `flush` waits
    /// for the peer's acknowledgement instead, as embassy-net's does, each message would wait for it: false.
    const FLUSH: bool = true;

    /// The time since any fixed start. It only grows.
    fn now(&mut self) -> Duration;

    /// Waits until then. It may be late, and is dropped where something else happens first.
    async fn wait_until(&mut self, time: Duration);

    /// Ends this side of the stream: a TCP socket sends its FIN and still reads. Nothing, where there is no such thing.
    /// No deadline is kept meanwhile.
    ///
    /// # Errors
    /// The transport's.
    async fn shut(&mut self, transport: &mut T) -> Result<(), T::Error>;
}

/// A WebSocket: see the [crate] for what it does, and the [module](self) for what happens when a future is dropped.
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
    pub async fn accept(
        parts: Parts<'m, T, S>,
        inbox: &mut Inbox<'_>,
        answer: impl FnOnce(server::Request<'_>, &mut Out<'_>) -> Result<(), HandshakeError>,
    ) -> Result<Self, Error<T::Error>> {
        let Parts { mut transport, mut system, out, config, timing } = parts;
        let mut link = Link::new(out, timing, system.now()).map_err(Error::lift)?;
        let mut session = Session::server(&mut *inbox.whole.memory, config);
        let goal = &mut Accept { answer: Some(answer) };
        let reads = Some(&mut inbox.reads);
        run(&mut transport, &mut system, Task { link: &mut link, machine: &mut session, reads, goal })
            .await?;
        let conn = goals::connection(session).map_err(Error::lift)?;
        Ok(Self { transport, system, link, conn })
    }
}

impl<'m, T: Read + Write, S: System<T>, M: MaskSource> Socket<'m, T, S, Client<M>> {
    /// Sends `request`, and has `look` look at its answer, whatever that is.
    ///
    /// # Errors
    /// [`Error`]: an answer that broke a rule, and one other than 101, too (`Ended(Refused)`).
    pub async fn connect(
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
        run(&mut transport, &mut system, Task { link: &mut link, machine: &mut session, reads, goal })
            .await?;
        let conn = goals::connection(session).map_err(Error::lift)?;
        Ok(Self { transport, system, link, conn })
    }
}

impl<T: Read + Write, S: System<T>, R: Role> Socket<'_, T, S, R> {
    /// The next message. `None`: the connection is over, as it should be; drop the transport.
    ///
    /// # Errors
    /// [`Error`]. A peer's fault is told after the peer was, and the stream ended.
    pub async fn receive<'i>(
        &mut self,
        inbox: &'i mut Inbox<'_>,
    ) -> Result<Option<Received<'i>>, Error<T::Error>> {
        let mut goal = Receive { whole: Some(&mut inbox.whole), place: None };
        self.run(Some(&mut inbox.reads), &mut goal).await?;
        let place = goal.place;
        Ok(place.map(|place| inbox.received(place)))
    }

    /// The next piece of a message, which may be larger than any memory: as much as was there to read.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub async fn receive_piece<'i>(
        &mut self,
        inbox: &'i mut Inbox<'_>,
    ) -> Result<Option<Received<'i>>, Error<T::Error>> {
        let mut goal = Receive { whole: None, place: None };
        self.run(Some(&mut inbox.reads), &mut goal).await?;
        let place = goal.place;
        Ok(place.map(|place| inbox.received(place)))
    }

    /// Sends a frame that fits in the memory to write from. Nothing is read meanwhile.
    ///
    /// # Errors
    /// [`Error::Send`], with nothing sent: `NoRoom` says how much memory it takes. And the transport's.
    pub async fn send(&mut self, frame: Outgoing<'_>) -> Result<(), Error<T::Error>> {
        let mut goal = Send::new(frame, &mut self.conn, &mut self.link).map_err(Error::lift)?;
        self.run(None, &mut goal).await
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
    pub async fn flush(&mut self) -> Result<(), Error<T::Error>> {
        self.run(None, &mut Send { frame: None }).await
    }

    /// Sends a message of any length, as one frame. Nothing is read meanwhile.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_long(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error<T::Error>> {
        let mut goal = SendLong::new(kind, payload).map_err(Error::lift)?;
        self.run(None, &mut goal).await
    }

    /// Sends a ping with at most 125 bytes. Its pong is read by whoever receives next, and told by nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error<T::Error>> {
        self.send(Outgoing::ping(payload)).await
    }

    /// Does the closing handshake, with whatever the peer still sends thrown away, and says how it ended. After the
    /// peer's Close this only waits for the end of the stream.
    ///
    /// # Errors
    /// [`Error`]: among others `Timeout(Close)`, if the peer does not answer.
    pub async fn close(
        &mut self,
        inbox: &mut Inbox<'_>,
        code: CloseCode,
        reason: &str,
    ) -> Result<Closure, Error<T::Error>> {
        self.run(Some(&mut inbox.reads), &mut Close { with: Some((code, reason)) }).await?;
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

    async fn run(
        &mut self,
        reads: Option<&mut Reads<'_>>,
        goal: &mut impl Goal<Connection<R>>,
    ) -> Result<(), Error<T::Error>> {
        let task = Task { link: &mut self.link, machine: &mut self.conn, reads, goal };
        run(&mut self.transport, &mut self.system, task).await
    }
}

/// Does what a task says, until it is done.
async fn run<T: Read + Write, S: System<T>, M: Machine, G: Goal<M>>(
    transport: &mut T,
    system: &mut S,
    mut task: Task<'_, '_, '_, M, G>,
) -> Result<(), Error<T::Error>> {
    loop {
        let (step, until) = task.next(system.now()).map_err(Error::lift)?;
        match step {
            Step::Done => return Ok(()),
            Step::Write => {
                if let Some(n) = race(transport.write(task.pending()), wait(system, until)).await {
                    task.wrote(n.map_err(Error::Transport)?).map_err(Error::lift)?;
                }
            }
            Step::Flush if !S::FLUSH => task.flushed(),
            Step::Flush => {
                if let Some(flushed) = race(transport.flush(), wait(system, until)).await {
                    flushed.map_err(Error::Transport)?;
                    task.flushed();
                }
            }
            Step::Shut => {
                system.shut(transport).await.map_err(Error::Transport)?;
                task.shut();
            }
            Step::Read => {
                if let Some(n) = race(transport.read(task.place()), wait(system, until)).await {
                    task.read(n.map_err(Error::Transport)?);
                }
            }
        }
    }
}

async fn wait<T: ErrorType, S: System<T>>(system: &mut S, until: Option<Duration>) {
    match until {
        Some(time) => system.wait_until(time).await,
        None => pending().await,
    }
}

/// What comes of `work`, or `None` if `alarm` is ready and it is not.
async fn race<W: Future>(work: W, alarm: impl Future<Output = ()>) -> Option<W::Output> {
    let (mut work, mut alarm) = (pin!(work), pin!(alarm));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
    .await
}
