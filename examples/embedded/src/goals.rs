//! What a caller may want of a connection: each call of either twin is one of these.

use websocket_proto::{
    Cause, Client, CloseCode, Connection, HandshakeError, Kind, MaskSource, Opens, Outgoing, Role, Rule,
    SendError, Server, Session, Transport, client, server,
};

use crate::{
    error::Fault,
    inbox::{Bytes, Happened, Place, Reads, Whole},
    link::{Link, Out},
    machine::Machine,
    task::{Goal, Turn},
};

/// To answer a request, and to have a connection then.
pub(crate) struct Accept<F> {
    pub(crate) answer: Option<F>,
}

impl<S, F> Goal<Session<Server, S>> for Accept<F>
where
    S: AsRef<[u8]> + AsMut<[u8]>,
    F: FnOnce(server::Request<'_>, &mut Out<'_>) -> Result<(), HandshakeError>,
{
    fn turn(
        &mut self,
        session: &mut Session<Server, S>,
        reads: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault> {
        if session.connection().is_some() {
            return Ok(Turn::Done);
        }
        match take(session, reads, out) {
            Happened::Nothing => Ok(Turn::Starved),
            Happened::Requested => {
                if let (Some(request), Some(answer)) = (session.request(), self.answer.take()) {
                    answer(request, out).map_err(Fault::Handshake)?;
                }
                if session.request().is_some() { Err(Fault::Unanswered) } else { Ok(Turn::Again) }
            }
            _ => Ok(Turn::Again),
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        Err(Fault::Ended(Cause::EndInHandshake))
    }
}

/// To look at the answer to a request, and to have a connection then.
pub(crate) struct Connect<F> {
    pub(crate) look: Option<F>,
}

impl<M, S, F> Goal<Session<Client<M>, S>> for Connect<F>
where
    M: MaskSource,
    S: AsRef<[u8]> + AsMut<[u8]>,
    F: FnOnce(client::Response<'_>),
{
    fn turn(
        &mut self,
        session: &mut Session<Client<M>, S>,
        reads: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault> {
        if session.connection().is_some() {
            return Ok(Turn::Done);
        }
        match take(session, reads, out) {
            Happened::Nothing => Ok(Turn::Starved),
            Happened::Opened | Happened::Refused => {
                if let (Some(response), Some(look)) = (session.response(), self.look.take()) {
                    look(response);
                }
                Ok(Turn::Again)
            }
            _ => Ok(Turn::Again),
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        Err(Fault::Ended(Cause::EndInHandshake))
    }
}

/// To have a message, or a piece of one if there is no memory for a `whole`.
pub(crate) struct Receive<'w, 'i> {
    pub(crate) whole: Option<&'w mut Whole<'i>>,
    /// Where it lies; `None` once the connection is over.
    pub(crate) place: Option<Place>,
}

impl<R: Role> Goal<Connection<R>> for Receive<'_, '_> {
    fn turn(
        &mut self,
        conn: &mut Connection<R>,
        reads: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault> {
        let Some(reads) = reads else { return Ok(Turn::Starved) };
        let (part, range) = match reads.take(conn, out) {
            Happened::Nothing => return Ok(Turn::Starved),
            Happened::Data(part, range) => (part, range),
            _ => return Ok(Turn::Again),
        };
        self.place = match &mut self.whole {
            None => {
                Some(Place { kind: part.kind, first: part.first, last: part.last, bytes: Bytes::Read(range) })
            }
            Some(whole) => match whole.push(part, range, reads) {
                Ok(place) => place,
                Err(_) => {
                    conn.fail(Rule::MessageTooLong, out);
                    None
                }
            },
        };
        Ok(if self.place.is_some() { Turn::Done } else { Turn::Again })
    }
}

/// To have a frame sent, and all before it written.
pub(crate) struct Send<'p> {
    /// Until there is room for it.
    pub(crate) frame: Option<Outgoing<'p>>,
}

impl<'p> Send<'p> {
    /// The frame is taken at once if there is room: whoever drops the call then has sent it all the same.
    pub(crate) fn new<R: Role>(
        frame: Outgoing<'p>,
        conn: &mut Connection<R>,
        link: &mut Link<'_>,
    ) -> Result<Self, Fault> {
        match queue(frame, conn, link) {
            Ok(()) => Ok(Self { frame: None }),
            Err(Fault::Send(SendError::NoRoom { .. })) => Ok(Self { frame: Some(frame) }),
            Err(fault) => Err(fault),
        }
    }
}

impl<R: Role> Goal<Connection<R>> for Send<'_> {
    fn turn(
        &mut self,
        conn: &mut Connection<R>,
        _: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault> {
        match self.frame.take() {
            None => Ok(Turn::Done),
            Some(frame) => conn.send(frame, out).map(|()| Turn::Again).map_err(Fault::Send),
        }
    }
}

/// Takes a frame, whole, or says why not.
pub(crate) fn queue<R: Role>(
    frame: Outgoing<'_>,
    conn: &mut Connection<R>,
    link: &mut Link<'_>,
) -> Result<(), Fault> {
    check_open(conn)?;
    conn.send(frame, &mut link.out).map_err(Fault::Send)
}

/// Nothing is sent to a stream that has ended: it is told how it did.
fn check_open<R: Role>(conn: &Connection<R>) -> Result<(), Fault> {
    match conn.transport() {
        Transport::Drop => Err(Fault::of(conn.closure()).unwrap_or(Fault::Send(SendError::Closed))),
        _ => Ok(()),
    }
}

/// To have a message sent that need not fit in the output: one frame, whose payload is paid as there is room.
pub(crate) struct SendLong<'p> {
    kind: Kind,
    begun: bool,
    rest: &'p [u8],
}

impl<'p> SendLong<'p> {
    /// # Errors
    /// [`SendError::Utf8`]: it is looked for before anything of the frame goes out.
    pub(crate) fn new(kind: Kind, payload: &'p [u8]) -> Result<Self, Fault> {
        match (kind, core::str::from_utf8(payload)) {
            (Kind::Text, Err(_)) => Err(Fault::Send(SendError::Utf8)),
            _ => Ok(Self { kind, begun: false, rest: payload }),
        }
    }
}

impl<R: Role> Goal<Connection<R>> for SendLong<'_> {
    fn turn(
        &mut self,
        conn: &mut Connection<R>,
        _: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault> {
        if !self.begun {
            check_open(conn)?;
            let frame = Outgoing::whole(self.kind, &[]);
            conn.send_header(frame, self.rest.len() as u64, out).map_err(Fault::Send)?;
            self.begun = true;
        } else if self.rest.is_empty() {
            return Ok(Turn::Done);
        }
        if !self.rest.is_empty() {
            let paid = conn.pay(self.rest, out).map_err(Fault::Send)?;
            self.rest = self.rest.get(paid..).unwrap_or_default();
        }
        Ok(Turn::Again)
    }
}

/// To have the closing handshake done and the stream ended. Data that still comes is thrown away.
pub(crate) struct Close<'p> {
    /// Until it is sent.
    pub(crate) with: Option<(CloseCode, &'p str)>,
}

impl<R: Role> Goal<Connection<R>> for Close<'_> {
    fn turn(
        &mut self,
        conn: &mut Connection<R>,
        reads: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault> {
        if conn.transport() == Transport::Drop {
            return Ok(Turn::Starved);
        }
        if let Some((code, reason)) = self.with.take() {
            conn.close(code, reason, out).map_err(Fault::Send)?;
            return Ok(Turn::Again);
        }
        Ok(if let Happened::Nothing = take(conn, reads, out) { Turn::Starved } else { Turn::Again })
    }
}

/// The connection of a session whose handshake is done.
pub(crate) fn connection<R: Opens<S>, S>(session: Session<R, S>) -> Result<Connection<R>, Fault> {
    session.into_connection().map_err(|_| Fault::Ended(Cause::EndInHandshake))
}

fn take(machine: &mut impl Machine, reads: Option<&mut Reads<'_>>, out: &mut Out<'_>) -> Happened {
    reads.map_or(Happened::Nothing, |reads| reads.take(machine, out))
}
