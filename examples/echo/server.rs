//! The event loop: who is ready, whose alarm rings, who comes and goes.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    net::SocketAddr,
    os::unix,
    time::{Duration, Instant},
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream, UnixStream},
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    low_level::pipe,
};

use crate::{
    codec::Compression,
    log::Log,
    peer::{Next, Peer, Shared},
};

/// These are no peers. A peer's token is the number of its place.
const LISTENER: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

pub(crate) struct Server {
    poll: Poll,
    /// `None`: the server goes away.
    listener: Option<TcpListener>,
    /// There was no file left for a connection that waits: it is taken when another one ends.
    turned_away: bool,
    /// Signals arrive here as bytes, which are events like all others. Kept open; nobody reads them.
    _signals: UnixStream,
    places: Vec<Option<Place>>,
    free: Vec<usize>,
    /// When to look at which place, even if nothing happens there.
    alarms: BTreeSet<(Duration, usize)>,
    shared: Shared,
    start: Instant,
    log: Log,
}

struct Place {
    /// Boxed, so that a free place is small.
    peer: Box<Peer>,
    /// Its entry among the alarms.
    alarm: Option<Duration>,
}

impl Server {
    pub(crate) fn bind(address: SocketAddr, deflate: Option<Compression>, log: Log) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;

        let (signals, sender) = unix::net::UnixStream::pair()?;
        signals.set_nonblocking(true)?;
        pipe::register(SIGINT, sender.try_clone()?)?;
        pipe::register(SIGTERM, sender)?;
        let mut signals = UnixStream::from_std(signals);
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;

        #[expect(clippy::disallowed_methods, reason = "the driver's clock, the only one of the program")]
        let start = Instant::now();
        Ok(Self {
            poll,
            listener: Some(listener),
            turned_away: false,
            _signals: signals,
            places: Vec::new(),
            free: Vec::new(),
            alarms: BTreeSet::new(),
            shared: Shared::new(deflate),
            start,
            log,
        })
    }

    /// Where the server listens: not the address it was given if the port in that was 0.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().ok_or(ErrorKind::NotConnected)?.local_addr()
    }

    /// Serves until a signal comes, and then until every connection is closed.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while self.listener.is_some() || !self.is_empty() {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            let now = self.start.elapsed();
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(now),
                    SIGNALS if self.listener.is_none() => return Ok(()), // somebody is in a hurry
                    SIGNALS => self.go_away(now),
                    Token(place) => {
                        if event.is_read_closed() {
                            self.ends(place);
                        }
                        self.turn(place, now);
                    }
                }
            }
            self.ring(now);
        }
        Ok(())
    }

    /// How long to wait for events: until the first alarm.
    fn patience(&self) -> Option<Duration> {
        let (first, _) = self.alarms.first()?;
        Some(first.saturating_sub(self.start.elapsed()))
    }

    /// Takes the connections that wait, to the last: only then does another one bring an event.
    fn accept(&mut self, now: Duration) {
        self.turned_away = false;
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((socket, address)) => self.take_in(socket, address, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(error) => {
                    self.log.line(format_args!("a connection has to wait: {error}"));
                    self.turned_away = true;
                    break;
                }
            }
        }
    }

    fn take_in(&mut self, mut socket: TcpStream, address: SocketAddr, now: Duration) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        let both = Interest::READABLE | Interest::WRITABLE;
        // Small messages leave at once; nothing here writes a message in parts.
        let ready = self
            .poll
            .registry()
            .register(&mut socket, Token(place), both)
            .and_then(|()| socket.set_nodelay(true));
        if let Err(error) = ready {
            self.log.line(format_args!("{address} failed: {error}"));
            self.free.push(place);
            return;
        }
        self.log.line(format_args!("{address} opened"));
        self.places[place] = Some(Place { peer: Box::new(Peer::new(socket, address, now)), alarm: None });
        self.turn(place, now);
    }

    /// A turn of one connection, if there still is one: an event may come after its end.
    fn turn(&mut self, place: usize, now: Duration) {
        let Some(Some(Place { peer, .. })) = self.places.get_mut(place) else { return };
        match peer.turn(&mut self.shared, now, self.log) {
            Next::Wait(time) => self.set_alarm(place, time),
            Next::Over => {
                self.remove(place);
                if self.turned_away {
                    self.accept(now);
                }
            }
        }
    }

    fn ends(&mut self, place: usize) {
        if let Some(Some(Place { peer, .. })) = self.places.get_mut(place) {
            peer.ends();
        }
    }

    /// Sees to it that the place is looked at when this time has come.
    ///
    /// Each event puts its peer's deadline off. So an alarm stays where it is as long as it is not too late, and the
    /// peer says anew what it waits for when it rings: twice a minute instead of with each event.
    fn set_alarm(&mut self, place: usize, time: Option<Duration>) {
        let (Some(time), Some(Some(Place { alarm, .. }))) = (time, self.places.get_mut(place)) else {
            return;
        };
        if alarm.is_none_or(|alarm| time < alarm) {
            if let Some(late) = alarm.replace(time) {
                self.alarms.remove(&(late, place));
            }
            self.alarms.insert((time, place));
        }
    }

    /// Gives a turn to each connection whose alarm has rung.
    fn ring(&mut self, now: Duration) {
        let later = self.alarms.split_off(&(now, usize::MAX));
        for (_, place) in std::mem::replace(&mut self.alarms, later) {
            if let Some(Some(rung)) = self.places.get_mut(place) {
                rung.alarm = None;
            }
            self.turn(place, now);
        }
    }

    fn remove(&mut self, place: usize) {
        let Some(Place { alarm, .. }) = self.places[place].take() else { return };
        if let Some(time) = alarm {
            self.alarms.remove(&(time, place));
        }
        self.free.push(place);
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }

    /// A signal came: takes no more connections, and closes those that there are. Their timers see to it that nobody
    /// has to be waited for for longer than five seconds.
    fn go_away(&mut self, now: Duration) {
        self.listener = None;
        for place in 0..self.places.len() {
            let Some(Some(Place { peer, .. })) = self.places.get_mut(place) else { continue };
            if peer.close() {
                self.turn(place, now);
            } else {
                self.remove(place);
            }
        }
    }
}
