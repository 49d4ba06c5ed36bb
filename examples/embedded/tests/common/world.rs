//! A transport that plays a script, with a clock that runs only while it is waited for.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use embedded_io::{Error, ErrorKind, ErrorType};
use websocket_embedded::{asynchronous, blocking};

/// What the peer does.
#[derive(Clone, Debug)]
pub enum Peer {
    Sends(Vec<u8>),
    /// Nothing for so many seconds.
    Waits(u64),
    Ends,
    Breaks,
}

/// How the transport behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// The most bytes of a read or write.
    pub chunk: usize,
    /// Whether every second poll of a future is pending.
    pub hesitant: bool,
    /// How many bytes it takes before it takes no more.
    pub takes: usize,
}

#[derive(Debug)]
pub struct Broken(ErrorKind);

impl Error for Broken {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Broken {}

/// Transport and system in one; all clones are the same.
#[derive(Clone)]
pub struct World(Rc<RefCell<State>>);

pub struct State {
    pub now: Duration,
    pub written: Vec<u8>,
    /// How much was written when it was flushed and shut.
    pub flushed: usize,
    pub shut: Option<usize>,
    script: VecDeque<Peer>,
    manners: Manners,
    /// Until when the peer waits.
    quiet: Option<Duration>,
    limit: Option<Duration>,
    hesitated: bool,
}

impl World {
    pub fn new(script: &[Peer], manners: Manners) -> Self {
        Self(Rc::new(RefCell::new(State {
            now: Duration::ZERO,
            written: Vec::new(),
            flushed: 0,
            shut: None,
            script: script.iter().cloned().collect(),
            manners,
            quiet: None,
            limit: None,
            hesitated: false,
        })))
    }

    pub fn state(&self) -> std::cell::RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

impl State {
    /// Reads what is there now; `None`: nothing before `quiet`.
    fn read(&mut self, buf: &mut [u8]) -> Option<Result<usize, Broken>> {
        loop {
            match self.script.front_mut() {
                Some(Peer::Sends(bytes)) if bytes.is_empty() => drop(self.script.pop_front()),
                Some(Peer::Sends(bytes)) => {
                    let n = bytes.len().min(buf.len()).min(self.manners.chunk);
                    buf[..n].copy_from_slice(&bytes[..n]);
                    bytes.drain(..n);
                    return Some(Ok(n));
                }
                Some(Peer::Ends) => return Some(Ok(0)),
                Some(Peer::Breaks) => return Some(Err(Broken(ErrorKind::ConnectionReset))),
                Some(Peer::Waits(seconds)) => {
                    let end = *self.quiet.get_or_insert(self.now + Duration::from_secs(*seconds));
                    if self.now < end {
                        return None;
                    }
                    self.quiet = None;
                    self.script.pop_front();
                }
                None => {
                    self.quiet = Some(Duration::MAX);
                    return None;
                }
            }
        }
    }

    /// Writes what it takes now; `None`: nothing ever.
    fn write(&mut self, buf: &[u8]) -> Option<usize> {
        let n = buf.len().min(self.manners.chunk).min(self.manners.takes - self.written.len());
        self.written.extend_from_slice(&buf[..n]);
        (n > 0).then_some(n)
    }

    /// Waits as long as a call may. True: until the peer goes on.
    fn wait(&mut self) -> bool {
        let alarm = self.limit.map(|limit| self.now + limit);
        self.pass_until(alarm.expect("nobody will ever go on"))
    }

    /// Lets the time pass, until then or until the peer goes on (true).
    fn pass_until(&mut self, alarm: Duration) -> bool {
        let peer = self.quiet.filter(|&end| end > self.now && end <= alarm);
        self.now = peer.unwrap_or(alarm.max(self.now));
        peer.is_some()
    }

    /// Whether a future is pending before it does anything.
    fn hesitates(&mut self, context: &Context<'_>) -> bool {
        self.hesitated = self.manners.hesitant && !self.hesitated;
        if self.hesitated {
            context.waker().wake_by_ref();
        }
        self.hesitated
    }
}

impl ErrorType for World {
    type Error = Broken;
}

impl embedded_io::Read for World {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Broken> {
        let mut state = self.state();
        loop {
            match state.read(buf) {
                Some(result) => return result,
                None if state.wait() => {}
                None => return Err(Broken(ErrorKind::TimedOut)),
            }
        }
    }
}

impl embedded_io::Write for World {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Broken> {
        let mut state = self.state();
        loop {
            match state.write(buf) {
                Some(n) => return Ok(n),
                None if state.wait() => {}
                None => return Err(Broken(ErrorKind::TimedOut)),
            }
        }
    }

    fn flush(&mut self) -> Result<(), Broken> {
        let mut state = self.state();
        state.flushed = state.written.len();
        Ok(())
    }
}

impl blocking::System<World> for World {
    fn now(&mut self) -> Duration {
        self.state().now
    }

    fn limit(&mut self, transport: &mut World, wait: Option<Duration>) -> Result<(), Broken> {
        transport.state().limit = wait;
        Ok(())
    }

    fn shut(&mut self, transport: &mut World) -> Result<(), Broken> {
        let mut state = transport.state();
        assert_eq!(state.shut, None, "it is shut once");
        state.shut = Some(state.written.len());
        Ok(())
    }
}

/// A future that hesitates first, if it is to.
async fn when_ready<V>(world: &World, mut work: impl FnMut(&mut State) -> Option<V>) -> V {
    poll_fn(|context| {
        let mut state = world.state();
        if state.hesitates(context) {
            return Poll::Pending;
        }
        work(&mut state).map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

impl embedded_io_async::Read for World {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Broken> {
        when_ready(self, |state| state.read(buf)).await
    }
}

impl embedded_io_async::Write for World {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Broken> {
        when_ready(self, |state| state.write(buf).map(Ok)).await
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        when_ready(self, |state| {
            state.flushed = state.written.len();
            Some(Ok(()))
        })
        .await
    }
}

impl asynchronous::System<World> for World {
    fn now(&mut self) -> Duration {
        self.state().now
    }

    async fn wait_until(&mut self, time: Duration) {
        poll_fn(|context| {
            let mut state = self.state();
            // The other future was asked just now: if it only hesitated, no time passes.
            if state.hesitated {
                return Poll::Pending;
            }
            match state.pass_until(time) {
                true => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                false => Poll::Ready(()),
            }
        })
        .await;
    }

    async fn shut(&mut self, transport: &mut World) -> Result<(), Broken> {
        blocking::System::shut(self, transport)
    }
}
