//! A client's whole life: the opening handshake, a text sent and whatever answer received, and the closing handshake.

use core::hint::black_box;

#[cfg(feature = "assembler")]
use websocket_proto::Assembler;
use websocket_proto::{
    Client, CloseCode, Config, Event, Input, MIN_OUTPUT, MaskKey, MaskSource, Outgoing, Session, SliceOutput,
    Transport, Uri, client::Request,
};
#[cfg(feature = "deflate")]
use websocket_proto::{DeflatePolicy, Inflate, InflateState};
#[cfg(feature = "keepalive")]
use websocket_proto::{Due, Keepalive, Timing};

use crate::board::{self, Place};

/// What is read at once, and an output with room for what is sent in answer.
const READ: usize = 256;
const OUT: usize = 3 * READ + 2 * MIN_OUTPUT;

static CLIENT_SESSION: Place<Session<Client<Keys>, [u8; 512]>> = Place::new();
static CLIENT_READ: Place<[u8; READ]> = Place::new();
static CLIENT_OUT: Place<SliceOutput<[u8; OUT]>> = Place::new();
#[cfg(feature = "keepalive")]
static CLIENT_TIMERS: Place<Keepalive> = Place::new();
#[cfg(feature = "assembler")]
static CLIENT_WHOLE: Place<Assembler<[u8; 512]>> = Place::new();
#[cfg(feature = "deflate")]
static CLIENT_STATE: Place<InflateState> = Place::new();
#[cfg(feature = "deflate")]
static CLIENT_WINDOW: Place<[u8; 512]> = Place::new();

/// Masking keys, from the board.
pub struct Keys;

impl MaskSource for Keys {
    fn next_key(&mut self) -> Option<MaskKey> {
        Some(board::random())
    }
}

/// Calls a server.
///
/// # Safety
/// Not to be called again before it has returned.
pub unsafe fn call() {
    // SAFETY: what an earlier call had is used no more.
    let (buf, out) = unsafe { (CLIENT_READ.put([0; READ]), CLIENT_OUT.put(SliceOutput::new([0; OUT]))) };
    let Ok(uri) = Uri::parse(black_box("ws://example.com:8080/chat?room=1")) else { return };
    let request = Request::new(uri, board::random());
    #[cfg(feature = "deflate")]
    let request = request.deflate(&DeflatePolicy { own: board::SIDE, peer: board::SIDE });
    let Ok(session) = Session::client(Client(Keys), [0; 512], Config::default(), &request, out) else {
        return;
    };
    // SAFETY: as above.
    let session = unsafe { CLIENT_SESSION.put(session) };
    #[cfg(feature = "keepalive")]
    // SAFETY: as above.
    let timers = unsafe { CLIENT_TIMERS.put(Keepalive::new(board::now(), Timing::default())) };
    #[cfg(feature = "assembler")]
    // SAFETY: as above.
    let whole = unsafe { CLIENT_WHOLE.put(Assembler::new([0; 512])) };
    #[cfg(feature = "deflate")]
    // SAFETY: as above.
    let (state, window) = unsafe { (CLIENT_STATE.make(InflateState::new), CLIENT_WINDOW.put([0; 512])) };
    #[cfg(feature = "deflate")]
    let Some(mut inflate) = Inflate::with_state(board::SIDE, 512, state, window) else { return };

    loop {
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
        let read = board::read(buf);
        if read.is_empty() {
            board::write(&[u8::from(session.receive_eof().clean)]);
            return;
        }
        let mut input = Input::new(read);
        while let Some(event) = session.receive(&mut input, out) {
            match event {
                Event::Opened => {
                    // There is room for it, and the connection is open.
                    let _sent = session.send(Outgoing::text("hello"), out);
                }
                Event::Data(data) => {
                    #[cfg(not(feature = "assembler"))]
                    let ends = {
                        let ends = data.part().last;
                        board::take(data.payload());
                        ends
                    };
                    #[cfg(feature = "assembler")]
                    let ends = {
                        #[cfg(not(feature = "deflate"))]
                        let message = whole.push(data);
                        #[cfg(feature = "deflate")]
                        let message = whole.inflate(data, &mut inflate);
                        match message {
                            Ok(Some(message)) => {
                                board::take(message.payload());
                                true
                            }
                            Ok(None) => false,
                            Err(rule) => {
                                // The connection is open: a message came.
                                let _failed = session.fail(rule, out);
                                false
                            }
                        }
                    };
                    if ends {
                        // A code that may be sent, and no reason that could be too long.
                        let _closed = session.close(CloseCode::NORMAL, "", out);
                    }
                }
                #[cfg(feature = "texts")]
                Event::Failed(error) => board::print(&error),
                _ => {}
            }
        }
    }
}
