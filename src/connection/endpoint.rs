//! What stages need of a connection, however it is held.

use super::{Connection, writer::Writer};
use crate::{
    bytes::Output,
    close::CloseCode,
    error::SendError,
    event::{Event, Outgoing},
    role::Role,
    rule::Rule,
};

/// A [`Connection`] or a [`Session`](crate::Session): a stage behind it tells it of the peer's faults.
pub trait Fails: sealed::Sealed {
    /// [`Connection::fail`].
    fn fail(&mut self, rule: Rule, out: &mut (impl Output + ?Sized)) -> Event<'static>;
}

/// A [`Connection`], a [`Session`](crate::Session) or a [`Writer`]: a stage before it sends its frames there.
pub trait Sends: sealed::Sealed {
    /// [`Connection::send`].
    ///
    /// # Errors
    /// What `Connection::send` gives.
    fn send(&mut self, frame: Outgoing<'_>, out: &mut (impl Output + ?Sized)) -> Result<(), SendError>;

    /// [`Connection::close`].
    ///
    /// # Errors
    /// What `Connection::close` gives.
    fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

impl<R: Role> sealed::Sealed for Connection<R> {}
impl<R: Role> sealed::Sealed for Writer<R> {}

impl<R: Role> Fails for Connection<R> {
    fn fail(&mut self, rule: Rule, out: &mut (impl Output + ?Sized)) -> Event<'static> {
        self.fail(rule, out)
    }
}

/// Hands on to the methods of the same names that the type has already.
macro_rules! sends {
    ([$($parameters:tt)*] $type:ty) => {
        impl<$($parameters)*> Sends for $type {
            fn send(
                &mut self,
                frame: Outgoing<'_>,
                out: &mut (impl Output + ?Sized),
            ) -> Result<(), SendError> {
                self.send(frame, out)
            }

            fn close(
                &mut self,
                code: CloseCode,
                reason: &str,
                out: &mut (impl Output + ?Sized),
            ) -> Result<(), SendError> {
                self.close(code, reason, out)
            }
        }
    };
}

pub(crate) use sends;

sends!([R: Role] Connection<R>);
sends!([R: Role] Writer<R>);
