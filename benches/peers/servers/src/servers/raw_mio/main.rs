//! Bytes back, on the very event loop of `examples/echo`: its file `server.rs`, and peers that know no WebSocket.

mod peer;
#[path = "../../../../../../examples/echo/server.rs"]
mod server;

use std::{env, io};

use self::{log::Log, server::Server};

/// What the loop hands on to the peers.
mod codec {
    pub(crate) struct Compression;
}

/// Nothing is logged, as with `echo --quiet`.
mod log {
    use std::fmt::Arguments;

    #[derive(Clone, Copy)]
    pub(crate) struct Log;

    impl Log {
        pub(crate) fn line(self, _: Arguments<'_>) {}
    }
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    rlimit::increase_nofile_limit(u64::MAX)?;
    let server = Server::bind(address.parse().map_err(io::Error::other)?, None, Log)?;
    println!("listening on {}", server.address()?);
    server.run()
}
