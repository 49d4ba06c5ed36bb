//! What a driver asks of the protocol, before and after the opening handshake.

use websocket_proto::{Closure, Connection, Event, Input, Opens, Role, Session, Transport};

use crate::link::Out;

/// A session, whose handshake lasts, or a connection.
pub(crate) trait Machine {
    type Role: Role;

    fn connection(&mut self) -> Option<&mut Connection<Self::Role>>;
    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Out<'_>) -> Option<Event<'b>>;
    fn receive_eof(&mut self);
    fn poll_transmit(&mut self, out: &mut Out<'_>);
    fn transport(&self) -> Transport;
    fn closure(&self) -> Closure;
}

impl<R: Opens<S>, S> Machine for Session<R, S> {
    type Role = R;

    fn connection(&mut self) -> Option<&mut Connection<R>> {
        self.connection()
    }

    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Out<'_>) -> Option<Event<'b>> {
        self.receive(input, out)
    }

    fn receive_eof(&mut self) {
        self.receive_eof();
    }

    fn poll_transmit(&mut self, out: &mut Out<'_>) {
        self.poll_transmit(out);
    }

    fn transport(&self) -> Transport {
        self.transport()
    }

    fn closure(&self) -> Closure {
        self.closure()
    }
}

impl<R: Role> Machine for Connection<R> {
    type Role = R;

    fn connection(&mut self) -> Option<&mut Self> {
        Some(self)
    }

    fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Out<'_>) -> Option<Event<'b>> {
        self.receive(input, out)
    }

    fn receive_eof(&mut self) {
        self.receive_eof();
    }

    fn poll_transmit(&mut self, out: &mut Out<'_>) {
        self.poll_transmit(out);
    }

    fn transport(&self) -> Transport {
        self.transport()
    }

    fn closure(&self) -> Closure {
        self.closure()
    }
}
