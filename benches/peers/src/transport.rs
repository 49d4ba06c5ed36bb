//! A socket that is always ready: reads copy out of a wire without end, writes go nowhere or into memory.

use std::{
    cell::{Cell, RefCell},
    hint::black_box,
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use crate::wire::Wire;

/// For what the peer writes. A contiguous write is what a socket would be given, so nothing more is done with it,
/// unless the peer leaves the payload where it lay and the work demands it in one piece.
#[derive(Clone, Default)]
pub struct Written(Rc<WrittenInner>);

#[derive(Default)]
struct WrittenInner {
    kept: Cell<bool>,
    bytes: RefCell<Vec<u8>>,
}

impl Written {
    /// Keeps what is written from now on.
    pub fn keep(&self) {
        self.0.kept.set(true);
    }

    pub fn clear(&self) {
        self.0.bytes.borrow_mut().clear();
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.bytes.borrow().clone()
    }

    #[inline]
    fn put(&self, bytes: &[u8]) {
        if self.0.kept.get() {
            self.0.bytes.borrow_mut().extend_from_slice(bytes);
        }
        black_box(bytes);
    }
}

/// What comes behind the wire's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// The wire again.
    Again,
    /// Once nothing, and then the wire again.
    Pause,
    Nothing,
}

/// The socket.
pub struct Transport {
    wire: &'static [u8],
    /// What a read gives at most, counted from the wire's beginning.
    read: usize,
    at: usize,
    behind: Behind,
    written: Written,
}

// SAFETY: some peers demand `Send` of a transport. None leaves the thread that it was made on: there is only one.
unsafe impl Send for Transport {}

impl Transport {
    /// What clients or servers sent, again and again. Replies are kept.
    pub fn reading(wire: &'static Wire) -> (Self, Written) {
        let (transport, written) = Self::new(wire.bytes, wire.read, Behind::Again);
        written.keep();
        (transport, written)
    }

    /// The same, but a read behind the end finds nothing once: some send their replies only then.
    pub fn pausing(wire: &'static Wire) -> (Self, Written) {
        let (transport, written) = Self::reading(wire);
        (Self { behind: Behind::Pause, ..transport }, written)
    }

    /// To be written to.
    pub fn writing() -> (Self, Written) {
        Self::new(&[], 1, Behind::Nothing)
    }

    /// A request, which is not followed by anything.
    pub fn request(request: &'static [u8]) -> (Self, Written) {
        Self::new(request, request.len(), Behind::Nothing)
    }

    fn new(wire: &'static [u8], read: usize, behind: Behind) -> (Self, Written) {
        let written = Written::default();
        (Self { wire, read, at: 0, behind, written: written.clone() }, written)
    }

    /// What the next read gives, of which no more than `room` is taken.
    #[inline]
    fn next(&mut self, room: usize) -> Option<&'static [u8]> {
        if self.at == self.wire.len() {
            if self.behind == Behind::Nothing {
                return None;
            }
            self.at = 0;
            if self.behind == Behind::Pause {
                return None;
            }
        }
        let end = (self.at - self.at % self.read + self.read).min(self.wire.len()).min(self.at + room);
        let given = &self.wire[self.at..end];
        self.at = end;
        Some(given)
    }
}

impl Read for Transport {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let given = self.next(buf.len()).ok_or(io::ErrorKind::WouldBlock)?;
        buf[..given.len()].copy_from_slice(given);
        Ok(given.len())
    }
}

impl Write for Transport {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.written.put(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tokio::io::AsyncRead for Transport {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(given) = self.next(buf.remaining()) else { return Poll::Pending };
        buf.put_slice(given);
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Transport {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.written.put(buf);
        Poll::Ready(Ok(buf.len()))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        bufs.iter().for_each(|buf| self.written.put(buf));
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl futures::io::AsyncRead for Transport {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(given) = self.next(buf.len()) else { return Poll::Pending };
        buf[..given.len()].copy_from_slice(given);
        Poll::Ready(Ok(given.len()))
    }
}

impl futures::io::AsyncWrite for Transport {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.written.put(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What the future comes to, on a transport for which nothing ever has to wait.
#[inline]
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
