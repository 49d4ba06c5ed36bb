//! A server's whole life: the opening handshake, an echo of every message, and the closing handshake.

#[cfg(feature = "assembler")]
use websocket_proto::Assembler;
use websocket_proto::{
    Config, Event, Input, MIN_OUTPUT, OriginPolicy, Server, Session, SliceOutput, Transport,
};
#[cfg(feature = "deflate")]
use websocket_proto::{DeflatePolicy, Inflate, InflateState};
#[cfg(feature = "keepalive")]
use websocket_proto::{Due, Keepalive, Timing};

use crate::board::{self, Place};

/// What is read at once, and an output with room for the echo of that.
const READ: usize = 256;
const OUT: usize = 3 * READ + 2 * MIN_OUTPUT;

static SERVER_SESSION: Place<Session<Server, [u8; 512]>> = Place::new();
static SERVER_READ: Place<[u8; READ]> = Place::new();
static SERVER_OUT: Place<SliceOutput<[u8; OUT]>> = Place::new();
#[cfg(feature = "keepalive")]
static SERVER_TIMERS: Place<Keepalive> = Place::new();
#[cfg(feature = "assembler")]
static SERVER_WHOLE: Place<Assembler<[u8; 512]>> = Place::new();
#[cfg(feature = "deflate")]
static SERVER_STATE: Place<InflateState> = Place::new();
#[cfg(feature = "deflate")]
static SERVER_WINDOW: Place<[u8; 512]> = Place::new();

/// Serves one client.
///
/// # Safety
/// Not to be called again before it has returned.
pub unsafe fn serve() {
    // SAFETY: what an earlier call had is used no more.
    let (session, buf, out) = unsafe {
        (
            SERVER_SESSION.put(Session::server([0; 512], Config::default())),
            SERVER_READ.put([0; READ]),
            SERVER_OUT.put(SliceOutput::new([0; OUT])),
        )
    };
    #[cfg(feature = "keepalive")]
    // SAFETY: as above.
    let timers = unsafe { SERVER_TIMERS.put(Keepalive::new(board::now(), Timing::default())) };
    #[cfg(feature = "assembler")]
    // SAFETY: as above.
    let whole = unsafe { SERVER_WHOLE.put(Assembler::new([0; 512])) };
    #[cfg(feature = "deflate")]
    // SAFETY: as above.
    let (state, window) = unsafe { (SERVER_STATE.make(InflateState::new), SERVER_WINDOW.put([0; 512])) };
    #[cfg(feature = "deflate")]
    let Some(mut inflate) = Inflate::with_state(board::SIDE, 512, state, window) else { return };

    loop {
        let read = board::read(buf);
        if read.is_empty() {
            board::write(&[u8::from(session.receive_eof().clean)]);
            return;
        }
        let mut input = Input::new(read);
        while let Some(event) = session.receive(&mut input, out) {
            match event {
                Event::Requested => {
                    if let Some(request) = session.request() {
                        let accept = request.accept(policy());
                        #[cfg(feature = "deflate")]
                        let accept = accept.deflate(&DeflatePolicy { own: board::SIDE, peer: board::SIDE });
                        let mut accept = accept;
                        // There is room for the answer, and nothing in it is ours.
                        let _answered = accept.write(out);
                    }
                }
                #[cfg(not(feature = "assembler"))]
                Event::Data(data) => {
                    // There is room for the echo; it is refused once we have closed.
                    let _sent = session.send(data.echo(), out);
                }
                #[cfg(feature = "assembler")]
                Event::Data(data) => {
                    #[cfg(not(feature = "deflate"))]
                    let message = whole.push(data);
                    #[cfg(feature = "deflate")]
                    let message = whole.inflate(data, &mut inflate);
                    match message {
                        Ok(Some(message)) => {
                            // As above.
                            let _sent = session.send(message.echo(), out);
                        }
                        Ok(None) => {}
                        Err(rule) => {
                            // The connection is open: a message came.
                            let _failed = session.fail(rule, out);
                        }
                    }
                }
                #[cfg(feature = "texts")]
                Event::Failed(error) => board::print(&error),
                _ => {}
            }
        }
        #[cfg(feature = "keepalive")]
        if let Due::Drop(_) = timers.turn(board::now(), session.connection(), out) {
            return;
        }
        board::write_all(out);
        while session.poll_transmit(out) {
            board::write_all(out);
        }
        match session.transport() {
            Transport::Keep | Transport::AwaitEnd => {}
            Transport::Shut => board::shut(),
            Transport::Drop => return,
        }
    }
}

/// Pages of the host itself, or of any.
const fn policy() -> OriginPolicy<'static> {
    if cfg!(feature = "any-origin") { OriginPolicy::Any } else { OriginPolicy::SameHost }
}
