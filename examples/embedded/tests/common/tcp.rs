//! The standard library's sockets as both twins want them, and a clock.

use std::{
    future::poll_fn,
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    task::Poll,
    time::{Duration, Instant},
};

use websocket_embedded::{asynchronous, blocking};

/// A socket that reads and writes `chunk` bytes at most.
pub struct Tcp {
    socket: TcpStream,
    chunk: usize,
}

impl Tcp {
    /// For `blocking`.
    pub fn new(socket: TcpStream, chunk: usize) -> Self {
        socket.set_nodelay(true).unwrap();
        Self { socket, chunk }
    }

    /// For `asynchronous`: an executor that polls again and again does for readiness.
    pub fn nonblocking(socket: TcpStream, chunk: usize) -> Self {
        socket.set_nonblocking(true).unwrap();
        Self::new(socket, chunk)
    }

    fn read_some(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len().min(self.chunk);
        self.socket.read(&mut buf[..most])
    }

    fn write_some(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write(&buf[..buf.len().min(self.chunk)])
    }
}

impl embedded_io::ErrorType for Tcp {
    type Error = io::Error;
}

/// Where a time ran out, most systems say that the call would block.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl embedded_io::Read for Tcp {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_some(buf).map_err(timed_out)
    }
}

impl embedded_io::Write for Tcp {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_some(buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Tries until it would not block.
async fn ready<V>(mut work: impl FnMut() -> io::Result<V>) -> io::Result<V> {
    poll_fn(|context| match work() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        result => Poll::Ready(result),
    })
    .await
}

impl embedded_io_async::Read for Tcp {
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        ready(|| self.read_some(buf)).await
    }
}

impl embedded_io_async::Write for Tcp {
    async fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        ready(|| self.write_some(buf)).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// A clock, and what the sockets can do.
pub struct Host(Instant);

impl Host {
    #[expect(clippy::disallowed_methods, reason = "the driver's clock")]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl blocking::System<Tcp> for Host {
    fn now(&mut self) -> Duration {
        self.0.elapsed()
    }

    fn limit(&mut self, transport: &mut Tcp, wait: Option<Duration>) -> io::Result<()> {
        transport.socket.set_read_timeout(wait)?;
        transport.socket.set_write_timeout(wait)
    }

    fn shut(&mut self, transport: &mut Tcp) -> io::Result<()> {
        transport.socket.shutdown(Shutdown::Write)
    }
}

impl asynchronous::System<Tcp> for Host {
    fn now(&mut self) -> Duration {
        self.0.elapsed()
    }

    async fn wait_until(&mut self, time: Duration) {
        poll_fn(|context| {
            if self.0.elapsed() >= time {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn shut(&mut self, transport: &mut Tcp) -> io::Result<()> {
        transport.socket.shutdown(Shutdown::Write)
    }
}
