//! Long pieces go to the socket from where they were read, without being copied to the output.

use std::io::{self, ErrorKind, IoSlice, Write};

use mio::net::TcpStream;
use websocket_proto::{Body, Data, Kind, Output, QueueOutput, SendError, Server, Session};

/// Copying fewer bytes costs no more than a write of two slices does.
const LONG: usize = 8 << 10;

/// Text is not: its pieces would be validated a second time.
pub(crate) fn is_worth_it(data: &Data<'_>) -> bool {
    data.payload().len() >= LONG && data.part().kind == Kind::Binary
}

/// Sends a piece back: writes what waits and then the piece, once. What the socket does not take waits in `out`.
pub(crate) fn echo(
    data: &Data<'_>,
    session: &mut Session<Server, Box<[u8]>>,
    socket: &mut TcpStream,
    out: &mut QueueOutput,
) -> io::Result<Result<(), SendError>> {
    let Some(connection) = session.connection() else { return Ok(Err(SendError::NotOpen)) };
    let payload = data.payload();
    let announced = connection.send_header(data.echo(), payload.len() as u64, out);
    if let Err(error) = announced.and_then(|()| connection.pay_by_reference(payload)) {
        return Ok(Err(error));
    }
    let written = match socket.write_vectored(&[IoSlice::new(out.pending()), IoSlice::new(payload)]) {
        Ok(n) => n,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
        Err(error) => return Err(error),
    };
    let before = out.pending().len();
    out.advance(written.min(before));
    let rest = &payload[written.saturating_sub(before)..];
    Ok(match out.put(&[], Body::plain(rest)) {
        true => Ok(()),
        false => Err(SendError::NoRoom { needed: rest.len() }), // never: no more is read than there is room for
    })
}
