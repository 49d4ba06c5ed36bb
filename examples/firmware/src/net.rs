//! TCP by smoltcp, for tasks that share one thread.
//!
//! A task is a future that [`run`](Net::run) polls after each turn of the network. None is woken: each looks whether
//! what it waits for has come, as the loop of any firmware does. `async` is what keeps a connection's place in its
//! program.

use core::{
    cell::RefCell,
    future::poll_fn,
    net::Ipv4Addr,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use smoltcp::{
    iface::{Config, Interface, PollResult, SocketHandle, SocketSet, SocketStorage},
    socket::tcp::{Socket, SocketBuffer, State},
    time::{Duration as Span, Instant},
    wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint},
};

use crate::{clock, entropy::random, lan9118::Lan9118};

/// The board's address, its network's prefix and its gateway: what QEMU's user network gives.
const ADDRESS: IpCidr = IpCidr::new(IpAddress::v4(10, 0, 2, 15), 24);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// A peer that acknowledges nothing for so long is gone. `Keepalive` sees to those that do, and say nothing.
const PATIENCE: Span = Span::from_secs(30);

/// The network, shared by all tasks.
pub struct Net {
    /// Never borrowed across a wait, so always free.
    parts: RefCell<Parts>,
}

struct Parts {
    device: Lan9118,
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Net {
    /// A network with room for as many connections as `storage` has.
    pub fn new(mut device: Lan9118, storage: &'static mut [SocketStorage<'static>]) -> Self {
        let mut config = Config::new(EthernetAddress(device.mac()).into());
        config.random_seed = u64::from(random()) << 32 | u64::from(random());
        let mut interface = Interface::new(config, &mut device, now());
        interface.update_ip_addrs(|addresses| {
            let _first = addresses.push(ADDRESS);
        });
        let _first = interface.routes_mut().add_default_ipv4_route(GATEWAY);
        Self { parts: RefCell::new(Parts { device, interface, sockets: SocketSet::new(storage) }) }
    }

    /// A connection to be, with memory for what came and for what goes.
    pub fn link(&self, received: &'static mut [u8], sent: &'static mut [u8]) -> Option<Link<'_>> {
        let mut socket = Socket::new(SocketBuffer::new(received), SocketBuffer::new(sent));
        socket.set_timeout(Some(PATIENCE));
        // What is written is whole already: there is nothing to wait for.
        socket.set_nagle_enabled(false);
        let mut parts = self.parts.try_borrow_mut().ok()?;
        Some(Link { net: self, handle: parts.sockets.add(socket) })
    }

    /// Moves frames and polls the tasks, for ever.
    pub fn run<F: Future<Output = Never>>(&self, tasks: &mut [Pin<&mut F>]) -> ! {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let moved = self.poll();
            for task in &mut *tasks {
                let Poll::Pending = task.as_mut().poll(&mut context);
            }
            if !moved {
                // Until the clock ticks. With the controller's interrupt enabled it would be until a frame comes.
                cortex_m::asm::wfi();
            }
        }
    }

    fn poll(&self) -> bool {
        let Ok(mut parts) = self.parts.try_borrow_mut() else { return false };
        let Parts { device, interface, sockets } = &mut *parts;
        interface.poll(now(), device, sockets) == PollResult::SocketStateChanged
    }
}

/// What a task that never ends gives.
pub type Never = core::convert::Infallible;

/// One connection after the other, in the same memory.
pub struct Link<'n> {
    net: &'n Net,
    handle: SocketHandle,
}

/// What a read found.
pub enum Read {
    Nothing,
    Bytes(usize),
    End,
}

/// How the driver leaves a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its stream has ended, or nothing more is to be waited for: FIN.
    Close,
    /// The peer is too slow, or gone: RST.
    Abort,
}

impl Link<'_> {
    /// Waits for somebody to connect.
    pub fn accept(&self, port: u16) -> impl Future<Output = ()> {
        self.until(move |socket| {
            if !socket.is_open() {
                let _listening = socket.listen(port);
            }
            matches!(socket.state(), State::Established | State::CloseWait)
        })
    }

    /// Begins to connect; [`connected`](Self::connected) says what came of it.
    pub fn connect(&self, address: IpEndpoint) {
        // Another port each time (RFC 6056), so that nothing of an earlier connection is taken for this one's.
        let port = 49_152 + (random() >> 18) as u16;
        if let Ok(mut parts) = self.net.parts.try_borrow_mut() {
            let Parts { interface, sockets, .. } = &mut *parts;
            let socket = sockets.get_mut::<Socket<'_>>(self.handle);
            let _asked = socket.connect(interface.context(), address, port);
        }
    }

    /// Waits for the answer. False: nobody takes the connection.
    pub fn connected(&self) -> impl Future<Output = bool> {
        poll_fn(move |_| match self.with(|socket| (socket.state(), socket.may_send())) {
            None | Some((State::SynSent, _)) => Poll::Pending,
            Some((_, connected)) => Poll::Ready(connected),
        })
    }

    /// Reads what is there.
    pub fn read(&self, buf: &mut [u8]) -> Read {
        self.with(|socket| match socket.recv_slice(buf) {
            Ok(0) => Read::Nothing,
            Ok(n) => Read::Bytes(n),
            Err(_) => Read::End,
        })
        .unwrap_or(Read::Nothing)
    }

    /// Writes what there is room for. `None`: the connection is gone.
    pub fn write(&self, bytes: &[u8]) -> Option<usize> {
        self.with(|socket| socket.send_slice(bytes).ok()).unwrap_or(Some(0))
    }

    /// Ends the stream behind what was written, and goes on reading.
    pub fn shut(&self) {
        self.with(Socket::close);
    }

    /// Leaves the connection; afterwards the link is free for the next one.
    pub fn leave(&self, end: End) -> impl Future<Output = ()> {
        let mut asked = false;
        self.until(move |socket| {
            if !asked {
                asked = true;
                match end {
                    End::Close => socket.close(),
                    End::Abort => socket.abort(),
                }
                return false; // what there is to be sent goes with the next turn of the network
            }
            // `TIME-WAIT` counts as closed: a board with four connections cannot spare one for so long.
            !socket.is_open()
        })
    }

    fn until(&self, mut is: impl FnMut(&mut Socket<'static>) -> bool) -> impl Future<Output = ()> {
        poll_fn(move |_| if self.with(&mut is) == Some(true) { Poll::Ready(()) } else { Poll::Pending })
    }

    fn with<T>(&self, does: impl FnOnce(&mut Socket<'static>) -> T) -> Option<T> {
        let mut parts = self.net.parts.try_borrow_mut().ok()?;
        Some(does(parts.sockets.get_mut(self.handle)))
    }
}

/// Waits until `time`.
pub fn sleep_until(time: Duration) -> impl Future<Output = ()> {
    poll_fn(move |_| if clock::now() < time { Poll::Pending } else { Poll::Ready(()) })
}

fn now() -> Instant {
    Instant::from_millis(i64::try_from(clock::now().as_millis()).unwrap_or(i64::MAX))
}
