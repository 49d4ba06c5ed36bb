//! The opening handshake and the connection behind it in one machine: one loop from the first byte to the last.

use core::fmt;

use crate::{
    bytes::{Input, Output},
    close::CloseCode,
    config::Config,
    connection::{
        Connection,
        endpoint::{self, Fails, Sends},
    },
    error::{HandshakeError, ProtocolError, SendError},
    event::{Event, Outgoing},
    handshake::{client, server},
    negotiate::agreed::Agreed,
    role::{Client, MaskSource, Role, Server},
    rule::Rule,
    state::{Cause, Closure, Transport},
};

/// A connection from its first byte: the opening handshake, and then the frames.
///
/// A server's session gives [`Event::Requested`]; answer [`request`](Session::request) and go on in the same loop. A
/// client's gives [`Event::Opened`] or [`Event::Refused`]. `S` is memory for the head: `[u8; N]`, `Box<[u8]>`,
/// `Vec<u8>`, `&mut [u8]`. It is dropped as soon as the connection is used.
///
/// ```
/// use websocket_proto::{Config, Event, Input, OriginPolicy, SendError, Session};
///
/// let mut session = Session::server([0; 1024], Config::default());
/// let mut out = Vec::new();
/// let mut read = *b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
///     \x81\x82\0\0\0\0hi";
/// let mut input = Input::new(&mut read);
/// while let Some(event) = session.receive(&mut input, &mut out) {
///     match event {
///         Event::Requested => {
///             let request = session.request().expect("it was just requested");
///             request.accept(OriginPolicy::SameHost).write(&mut out)?;
///         }
///         Event::Data(data) => match session.send(data.echo(), &mut out) {
///             Ok(()) | Err(SendError::Closed) => {}
///             Err(error) => return Err(error.into()),
///         },
///         _ => {}
///     }
/// }
/// assert!(out.starts_with(b"HTTP/1.1 101 ") && out.ends_with(b"\x81\x02hi"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session<R: Opens<S>, S> {
    stage: Stage<R, S>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the large one is where a session spends its life, and there is no heap"
)]
enum Stage<R: Opens<S>, S> {
    Opening {
        handshake: R::Handshake,
        role: R,
        config: Config,
        ended: bool,
    },
    Open(Connection<R>),
    /// Only while one of the others takes the other's place.
    Between,
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Session<Server, S> {
    /// A server's session that keeps the request's head in `memory`; a longer head is refused. 2 KiB hold what
    /// browsers send, as long as cookies are few.
    pub const fn server(memory: S, config: Config) -> Self {
        let handshake = server::Handshake::new(memory, config.head);
        Self { stage: Stage::Opening { handshake, role: Server, config, ended: false } }
    }

    /// The request that awaits its answer, from [`Event::Requested`] on. Until it is answered `receive` takes nothing
    /// and gives `None`.
    pub fn request(&mut self) -> Option<server::Request<'_>> {
        match &mut self.stage {
            Stage::Opening { handshake, .. } => handshake.request(),
            Stage::Open(_) | Stage::Between => None,
        }
    }
}

impl<M: MaskSource, S: AsRef<[u8]> + AsMut<[u8]>> Session<Client<M>, S> {
    /// A client's session: puts `request` out, whole or not at all. `memory` keeps what was offered, the answer's
    /// head, and as much as fits of a refusal's body.
    ///
    /// # Errors
    /// [`HandshakeError`], with nothing put out.
    pub fn client(
        role: Client<M>,
        memory: S,
        config: Config,
        request: &client::Request<'_>,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Self, HandshakeError> {
        let handshake = client::Handshake::new(memory, config.head, request, out)?;
        Ok(Self { stage: Stage::Opening { handshake, role, config, ended: false } })
    }

    /// The server's answer, from [`Event::Opened`] or [`Event::Refused`] on. A 101 is there until the session is used
    /// again.
    pub fn response(&self) -> Option<client::Response<'_>> {
        match &self.stage {
            Stage::Opening { handshake, .. } => handshake.response(),
            Stage::Open(_) | Stage::Between => None,
        }
    }
}

impl<R: Opens<S>, S> Session<R, S> {
    /// Takes the next event out of `input`, and puts what it obliges to send into `out`. `None`: every byte was
    /// taken, read more; or a request awaits its answer: then keep [`Input::into_rest`] and feed it again.
    #[inline(always)]
    pub fn receive<'b>(
        &mut self,
        input: &mut Input<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        match &mut self.stage {
            Stage::Open(connection) => connection.receive(input, out),
            Stage::Opening { .. } | Stage::Between => self.receive_opening(input, out),
        }
    }

    #[inline(never)]
    fn receive_opening<'b>(
        &mut self,
        input: &mut Input<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        match self.connection() {
            Some(connection) => connection.receive(input, out),
            None => match &mut self.stage {
                Stage::Opening { handshake, .. } => handshake.receive(input, out),
                Stage::Open(_) | Stage::Between => None,
            },
        }
    }

    /// The stream ended: nothing more will come. A repeated end changes nothing.
    ///
    /// A client's refusal whose body lasts until the end of the stream is complete with that: see
    /// [`response`](Session::response).
    pub fn receive_eof(&mut self) -> Closure {
        if let Some(connection) = self.connection() {
            return connection.receive_eof();
        }
        if let Stage::Opening { handshake, ended, .. } = &mut self.stage {
            *ended = true;
            handshake.receive_eof();
        }
        self.closure()
    }

    /// The connection, once the opening handshake is done.
    #[inline]
    pub fn connection(&mut self) -> Option<&mut Connection<R>> {
        if let Stage::Opening { .. } = &self.stage {
            self.open_if_agreed();
        }
        match &mut self.stage {
            Stage::Open(connection) => Some(connection),
            Stage::Opening { .. } | Stage::Between => None,
        }
    }

    /// The connection alone, once the opening handshake is done; the session itself before.
    ///
    /// # Errors
    /// The session, if it has no connection.
    #[expect(clippy::result_large_err, reason = "the session is given back, and there is no heap")]
    pub fn into_connection(mut self) -> Result<Connection<R>, Self> {
        self.connection();
        match self.stage {
            Stage::Open(connection) => Ok(connection),
            stage => Err(Self { stage }),
        }
    }

    /// Puts a frame out, whole: see [`Connection::send`].
    ///
    /// # Errors
    /// [`SendError::NotOpen`] before the handshake is done, and what `Connection::send` gives.
    #[inline(always)]
    pub fn send(&mut self, frame: Outgoing<'_>, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        match self.connection() {
            Some(connection) => connection.send(frame, out),
            None => Err(SendError::NotOpen), // W125
        }
    }

    /// Begins the closing handshake: see [`Connection::close`].
    ///
    /// # Errors
    /// [`SendError::NotOpen`] before the handshake is done, and what `Connection::close` gives.
    pub fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.connection().ok_or(SendError::NotOpen)?.close(code, reason, out)
    }

    /// Fails the connection for a rule that the application, or a stage behind this one, found broken: see
    /// [`Connection::fail`].
    ///
    /// # Errors
    /// [`SendError::NotOpen`] before the handshake is done.
    pub fn fail(
        &mut self,
        rule: Rule,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Event<'static>, SendError> {
        Ok(self.connection().ok_or(SendError::NotOpen)?.fail(rule, out))
    }

    /// Puts out a reply or refusal that found no room. True: it went out.
    pub fn poll_transmit(&mut self, out: &mut (impl Output + ?Sized)) -> bool {
        match self.connection() {
            Some(connection) => connection.poll_transmit(out),
            None => match &mut self.stage {
                Stage::Opening { handshake, .. } => handshake.poll_transmit(out),
                Stage::Open(_) | Stage::Between => false,
            },
        }
    }

    /// What to do with the transport once everything in the output was written to it.
    pub fn transport(&self) -> Transport {
        match &self.stage {
            Stage::Open(connection) => connection.transport(),
            Stage::Opening { handshake, ended, .. } => handshake.transport(*ended),
            Stage::Between => Transport::Drop,
        }
    }

    /// What the opening handshake agreed on, once it is done.
    pub fn agreed(&self) -> Option<Agreed> {
        match &self.stage {
            Stage::Open(connection) => Some(connection.agreed()),
            Stage::Opening { handshake, .. } => handshake.agreed(),
            Stage::Between => None,
        }
    }

    /// The rule that the peer broke, if it did.
    pub fn failure(&self) -> Option<ProtocolError> {
        match &self.stage {
            Stage::Open(connection) => connection.failure(),
            Stage::Opening { handshake, .. } => handshake.failure(),
            Stage::Between => None,
        }
    }

    /// How the session ended, or how far it has come in ending.
    pub fn closure(&self) -> Closure {
        match &self.stage {
            Stage::Open(connection) => connection.closure(),
            Stage::Opening { handshake, ended, .. } => Closure {
                sent: None,
                received: None,
                first: None,
                clean: false,
                cause: match handshake.failure() {
                    Some(error) => Some(Cause::Violation(error)),
                    None if handshake.is_refused() => Some(Cause::Refused),
                    None if *ended => Some(Cause::EndInHandshake), // W165
                    None => None,
                },
            },
            Stage::Between => Closure { sent: None, received: None, first: None, clean: false, cause: None },
        }
    }

    /// The bytes of the head so far: what is there when the stream ends in the handshake.
    pub fn head(&self) -> &[u8] {
        match &self.stage {
            Stage::Opening { handshake, .. } => handshake.head(),
            Stage::Open(_) | Stage::Between => &[],
        }
    }

    #[inline(never)]
    fn open_if_agreed(&mut self) {
        if let Stage::Opening { handshake, .. } = &self.stage
            && let Some(agreed) = handshake.agreed()
        {
            self.open(agreed);
        }
    }

    /// The handshake is done: its memory is dropped.
    #[cold]
    fn open(&mut self, agreed: Agreed) {
        if let Stage::Opening { role, config, ended, .. } =
            core::mem::replace(&mut self.stage, Stage::Between)
        {
            let mut connection = Connection::new(role, &config, agreed);
            if ended {
                connection.receive_eof(); // W72
            }
            self.stage = Stage::Open(connection);
        }
    }
}

impl<R: Opens<S>, S> endpoint::sealed::Sealed for Session<R, S> {}

impl<R: Opens<S>, S> Fails for Session<R, S> {
    fn fail(&mut self, rule: Rule, out: &mut (impl Output + ?Sized)) -> Event<'static> {
        // Before the handshake is done there are no messages that a stage could find fault with.
        self.fail(rule, out).unwrap_or(Event::Failed(ProtocolError { rule, offset: 0 }))
    }
}

endpoint::sends!([R: Opens<S>, S] Session<R, S>);

impl<R: Opens<S>, S> fmt::Debug for Session<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("open", &matches!(self.stage, Stage::Open(_)))
            .field("transport", &self.transport())
            .field("closure", &self.closure())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<R: Opens<S>, S> defmt::Format for Session<R, S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let open = matches!(self.stage, Stage::Open(_));
        let (transport, closure) = (self.transport(), self.closure());
        defmt::write!(f, "Session {{ open: {=bool}, transport: {}, closure: {} }}", open, transport, closure);
    }
}

/// A role with an opening handshake in memory `S`.
pub trait Opens<S>: Role {
    /// The handshake's machine.
    #[doc(hidden)]
    type Handshake: Opening;
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Opens<S> for Server {
    type Handshake = server::Handshake<S>;
}

impl<M: MaskSource, S: AsRef<[u8]> + AsMut<[u8]>> Opens<S> for Client<M> {
    type Handshake = client::Handshake<S>;
}

/// What a session asks of either handshake.
#[doc(hidden)]
pub trait Opening {
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut (impl Output + ?Sized)) -> Option<Event<'b>>;
    fn receive_eof(&mut self);
    fn poll_transmit(&mut self, out: &mut (impl Output + ?Sized)) -> bool;
    fn agreed(&self) -> Option<Agreed>;
    fn failure(&self) -> Option<ProtocolError>;
    fn is_refused(&self) -> bool;
    fn transport(&self, ended: bool) -> Transport;
    fn head(&self) -> &[u8];
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Opening for server::Handshake<S> {
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut (impl Output + ?Sized)) -> Option<Event<'b>> {
        self.event(input, out)
    }

    fn receive_eof(&mut self) {}

    fn poll_transmit(&mut self, out: &mut (impl Output + ?Sized)) -> bool {
        self.poll_transmit(out)
    }

    fn agreed(&self) -> Option<Agreed> {
        self.agreed()
    }

    fn failure(&self) -> Option<ProtocolError> {
        self.failure()
    }

    fn is_refused(&self) -> bool {
        self.is_over()
    }

    fn transport(&self, ended: bool) -> Transport {
        match ended {
            // The answer to a request can still be written, though nothing more will come.
            _ if self.is_waiting() => Transport::Keep,
            false if self.is_over() => Transport::Shut,
            false => Transport::Keep,
            true => Transport::Drop,
        }
    }

    fn head(&self) -> &[u8] {
        self.head()
    }
}

impl<S: AsRef<[u8]> + AsMut<[u8]>> Opening for client::Handshake<S> {
    fn receive<'b>(&mut self, input: &mut Input<'b>, _: &mut (impl Output + ?Sized)) -> Option<Event<'b>> {
        self.event(input)
    }

    fn receive_eof(&mut self) {
        self.receive_eof();
    }

    fn poll_transmit(&mut self, _: &mut (impl Output + ?Sized)) -> bool {
        false
    }

    fn agreed(&self) -> Option<Agreed> {
        self.agreed()
    }

    fn failure(&self) -> Option<ProtocolError> {
        self.failure()
    }

    fn is_refused(&self) -> bool {
        self.is_refused()
    }

    fn transport(&self, ended: bool) -> Transport {
        // Nobody waits for anything of a client that was answered without a 101.
        let over = self.failure().is_some() || self.is_complete_refusal();
        if over || ended { Transport::Drop } else { Transport::Keep }
    }

    fn head(&self) -> &[u8] {
        self.head()
    }
}
