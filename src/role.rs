//! The two roles, as types: a client cannot exist without a source of masking keys, and whether a frame is to be
//! masked is never asked at run time.

use core::fmt;

use crate::mask::MaskKey;

mod sealed {
    pub trait Sealed {}
}

/// Which side of the connection this is: [`Server`] or [`Client`].
pub trait Role: sealed::Sealed {
    /// What of the role a [`Reader`](crate::Reader) needs: everything but the keys.
    type Side: Side;

    /// The key for the next frame.
    #[doc(hidden)]
    fn next_key(&mut self) -> Option<MaskKey>;
}

/// A role without its keys: [`ServerSide`] or [`ClientSide`].
pub trait Side: sealed::Sealed + Copy + core::fmt::Debug + 'static {
    /// Whether this is the server, which masks nothing and reads masked frames.
    const SERVER: bool;
}

/// The side that was connected to. It masks nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Server;

/// The side that connected. It masks every frame with a fresh key from `M`.
#[derive(Clone, Copy)]
pub struct Client<M>(pub M);

impl<M> fmt::Debug for Client<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// [`Server`], for a reader.
#[derive(Clone, Copy, Debug)]
pub struct ServerSide;

/// [`Client`], for a reader.
#[derive(Clone, Copy, Debug)]
pub struct ClientSide;

/// Where a client's masking keys come from: the only code of the user's that a machine calls, its output aside (W153).
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of
/// entropy" (RFC 6455 §5.3, §10.3). Every frame draws one key, and there is no default. Implemented for closures:
///
/// ```
/// use websocket_proto::{Client, MaskSource};
///
/// let mut os = || {
///     let mut key = [0; 4];
///     getrandom::fill(&mut key).expect("the system has random bytes");
///     key
/// };
/// assert!(os.next_key().is_some());
/// let role = Client(os);
/// ```
pub trait MaskSource {
    /// Four fresh, unpredictable bytes; `None` if there are none now. Then `send` gives
    /// [`SendError::NoKey`](crate::SendError::NoKey), and a reply waits.
    fn next_key(&mut self) -> Option<MaskKey>;
}

impl<F: FnMut() -> MaskKey> MaskSource for F {
    fn next_key(&mut self) -> Option<MaskKey> {
        Some(self())
    }
}

impl sealed::Sealed for Server {}
impl<M> sealed::Sealed for Client<M> {}
impl sealed::Sealed for ServerSide {}
impl sealed::Sealed for ClientSide {}

impl Side for ServerSide {
    const SERVER: bool = true;
}

impl Side for ClientSide {
    const SERVER: bool = false;
}

impl Role for Server {
    type Side = ServerSide;

    fn next_key(&mut self) -> Option<MaskKey> {
        None
    }
}

impl<M: MaskSource> Role for Client<M> {
    type Side = ClientSide;

    fn next_key(&mut self) -> Option<MaskKey> {
        self.0.next_key()
    }
}
