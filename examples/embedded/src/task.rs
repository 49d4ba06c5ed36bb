//! One call of the caller's, as a series of steps: all that a driver decides, without waiting for anything.

use core::time::Duration;

use websocket_proto::{Due, Transport};

use crate::{
    error::Fault,
    inbox::Reads,
    link::{Link, Out},
    machine::Machine,
};

/// What is to be done next.
pub(crate) enum Step {
    /// Write [`Task::pending`], tell [`Task::wrote`].
    Write,
    /// Flush, tell [`Task::flushed`].
    Flush,
    /// End this side of the stream, tell [`Task::shut`].
    Shut,
    /// Read to [`Task::place`], tell [`Task::read`].
    Read,
    /// Nothing: the call is over.
    Done,
}

/// What is wanted of the machine.
pub(crate) trait Goal<M> {
    /// Goes on, once everything that came of it before was written and flushed.
    fn turn(
        &mut self,
        machine: &mut M,
        reads: Option<&mut Reads<'_>>,
        out: &mut Out<'_>,
    ) -> Result<Turn, Fault>;

    /// The connection is over, and nothing is wrong with that.
    fn end(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// How far a goal has come.
pub(crate) enum Turn {
    Done,
    /// Something happened: there may be more to write, and more to take.
    Again,
    /// Nothing goes on before more is read.
    Starved,
}

/// A goal, and all that it needs.
pub(crate) struct Task<'t, 'm, 'i, M, G> {
    pub(crate) link: &'t mut Link<'m>,
    pub(crate) machine: &'t mut M,
    pub(crate) reads: Option<&'t mut Reads<'i>>,
    pub(crate) goal: &'t mut G,
}

impl<M: Machine, G: Goal<M>> Task<'_, '_, '_, M, G> {
    /// The next step, and the time at which to ask again if it is not done by then.
    ///
    /// A reply goes out before the next event is taken: no pong has to wait, however little memory there is.
    pub(crate) fn next(&mut self, now: Duration) -> Result<(Step, Option<Duration>), Fault> {
        loop {
            let until = self.look_at_the_clock(now)?;
            self.machine.poll_transmit(&mut self.link.out);
            if !self.link.out.is_empty() {
                return Ok((Step::Write, until));
            }
            if self.link.unflushed {
                return Ok((Step::Flush, until));
            }
            match self.goal.turn(self.machine, self.reads.as_deref_mut(), &mut self.link.out)? {
                Turn::Done => return Ok((Step::Done, None)),
                Turn::Again => continue,
                Turn::Starved => {}
            }
            if self.is_over() {
                return match Fault::of(self.machine.closure()) {
                    Some(fault) => Err(fault),
                    None => self.goal.end().map(|()| (Step::Done, None)),
                };
            }
            if self.machine.transport() == Transport::Shut && !self.link.shut {
                return Ok((Step::Shut, until));
            }
            return if self.place().is_empty() { Err(Fault::Memory) } else { Ok((Step::Read, until)) };
        }
    }

    /// What is to be written.
    pub(crate) fn pending(&self) -> &[u8] {
        self.link.out.pending()
    }

    /// `n` bytes of it were written.
    pub(crate) fn wrote(&mut self, n: usize) -> Result<(), Fault> {
        if n == 0 {
            return Err(Fault::WriteZero);
        }
        self.link.out.advance(n);
        self.link.unflushed = true;
        Ok(())
    }

    /// What was written is on its way.
    pub(crate) const fn flushed(&mut self) {
        self.link.unflushed = false;
    }

    /// This side of the stream was ended.
    pub(crate) const fn shut(&mut self) {
        self.link.shut = true;
    }

    /// Where to read to.
    pub(crate) fn place(&mut self) -> &mut [u8] {
        self.reads.as_deref_mut().map(Reads::place).unwrap_or_default()
    }

    /// `n` bytes were read; 0: the stream ended.
    pub(crate) fn read(&mut self, n: usize) {
        if n == 0 {
            self.link.ended = true;
            self.machine.receive_eof();
        } else if let Some(reads) = &mut self.reads {
            reads.filled(n);
        }
    }

    /// Pings and closes what is due for it. A connection that is over has no deadlines, but what is still to be written
    /// has.
    fn look_at_the_clock(&mut self, now: Duration) -> Result<Option<Duration>, Fault> {
        if self.is_over() && self.link.out.is_empty() && !self.link.unflushed {
            return Ok(None);
        }
        match self.link.timers.turn(now, self.machine.connection(), &mut self.link.out) {
            Due::Wait(until) => Ok(until),
            Due::Drop(timeout) => Err(Fault::Timeout(timeout)),
        }
    }

    fn is_over(&self) -> bool {
        self.link.ended || self.machine.transport() == Transport::Drop
    }
}
