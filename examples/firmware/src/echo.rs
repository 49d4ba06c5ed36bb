//! The application of `server`: whatever comes is sent back, piece by piece, in memory of a fixed size.

use websocket_proto::{
    Agreed, Config, DeflatePolicy, DeflateSide, Event, Inflate, InflateState, Input, OriginPolicy, Server,
    Session, SliceOutput, Window,
};

use crate::{
    decimal::Decimal,
    driver::{Driver, Head, OUT, Out, PIECE},
    net::{End, Link, Never},
    slot::Slot,
    stack,
};

/// The memory of a connection.
pub struct Place {
    session: Slot<Session<Server, Head>>,
    out: Out,
    read: [u8; PIECE],
    inflated: [u8; PIECE],
}

impl Place {
    pub const EMPTY: Self = Self {
        session: Slot::EMPTY,
        out: SliceOutput::new([0; OUT]),
        read: [0; PIECE],
        inflated: [0; PIECE],
    };
}

/// The memory for inflating what a client compresses, if it does: for one connection after the other.
pub struct Stage {
    state: Slot<InflateState>,
    window: [u8; WINDOW],
}

impl Stage {
    pub const EMPTY: Self = Self { state: Slot::EMPTY, window: [0; WINDOW] };

    /// Makes the state, if there is none yet. It is 10 KiB of stack on its way to its place: best where that is empty.
    #[inline(never)]
    pub fn make(&mut self) {
        if self.state.get().is_none() {
            self.state.put(InflateState::new());
        }
    }

    /// Makes ready for what was agreed on.
    fn prepare(&mut self, agreed: Option<Agreed>) -> Option<Inflating<'_>> {
        let terms = agreed?.deflate()?;
        self.make();
        Inflate::with_state(terms.client, MESSAGE_LIMIT, self.state.get()?, &mut self.window)
    }
}

type Inflating<'s> = Inflate<Window<&'s mut [u8; WINDOW], &'s mut InflateState>>;

/// What clients may do: with windows of 512 bytes, kept between messages, a stage is 11 KiB, which hardly depends on
/// the window. zlib knows no smaller ones.
const PEER: DeflateSide = DeflateSide { window_bits: 9, takeover: true };
const WINDOW: usize = 1 << PEER.window_bits;

/// Nothing is compressed here, so clients need keep no window for it.
const POLICY: DeflatePolicy =
    DeflatePolicy { own: DeflateSide { window_bits: 15, takeover: false }, peer: PEER };

/// The longest message, inflated. It costs no memory: it goes back while it comes.
const MESSAGE_LIMIT: u64 = 16 << 20;

/// The subprotocols spoken here. Both mean the same: what comes is sent back.
const PROTOCOLS: [&str; 2] = ["echo", "chat"];

/// What a connection is for.
pub enum Service<'s> {
    /// It echoes; `Stage` is for what comes compressed.
    Echo(&'s mut Stage),
    /// All others are taken: it is told to come back later.
    Busy,
}

/// Serves one connection after the other, each from its first byte to its last.
///
/// It is one `async fn`, since each that returns would bring a panic with it, for whoever polls it once more.
pub async fn serve(link: Link<'_>, port: u16, place: &mut Place, mut service: Service<'_>) -> Never {
    let Place { session, out, read, inflated } = place;
    loop {
        link.accept(port).await;
        out.advance(usize::MAX); // what the connection before left
        let fresh = Session::server([0; size_of::<Head>()], Config::default());
        let Some(session) = session.put(fresh) else { continue };
        let mut driver = Driver::new(&link, session, out);
        let mut stage = match &mut service {
            Service::Echo(stage) => Some(&mut **stage),
            Service::Busy => None,
        };
        let mut inflate = None;
        let end = loop {
            let n = match driver.read(read, None).await {
                Ok(Some(n)) => n,
                Ok(None) => continue,
                Err(end) => break end,
            };
            let mut input = Input::new(read.get_mut(..n).unwrap_or_default());
            let mut done = Ok(());
            while done.is_ok()
                && let Some(event) = driver.session.receive(&mut input, driver.out)
            {
                done = match event {
                    Event::Requested => {
                        let answered = answer(&mut driver, stage.is_some());
                        let agreed = driver.session.agreed();
                        inflate = stage.take().and_then(|stage| stage.prepare(agreed));
                        answered
                    }
                    Event::Data(data) => match &mut inflate {
                        // A message need not fit anywhere: it goes back piece by piece.
                        None => driver.send(data.echo()).await,
                        // Out of a few bytes may come thousands: as many at a time as the place holds.
                        Some(inflate) => {
                            let mut piece = inflate.begin(data);
                            let mut done = Ok(());
                            while done.is_ok()
                                && let Some(event) =
                                    inflate.next(&mut piece, inflated, driver.session, driver.out)
                            {
                                if let Event::Data(data) = event {
                                    done = driver.send(data.echo()).await;
                                }
                            }
                            done
                        }
                    },
                    // Pongs and Closes are in the output, and the driver does the rest.
                    _ => Ok(()),
                };
            }
            if let Err(end) = done {
                break end;
            }
        };
        link.leave(end).await;
    }
}

/// Answers a request. Who asks for no WebSocket is told how deep the stack was.
fn answer(driver: &mut Driver<'_, Server>, echoes: bool) -> Result<(), End> {
    let Some(request) = driver.session.request() else { return Ok(()) };
    let chosen = request.protocols().find(|offered| PROTOCOLS.contains(offered));
    let answered = if !request.is_upgrade() {
        let stack = Decimal::new(stack::high_water());
        request
            .respond(200)
            .headers(&[("Content-Type", "text/plain")])
            .body(stack.as_bytes())
            .write(driver.out)
    } else if echoes {
        // Any page of the web may talk to this server. A product has a list of those that may.
        request.accept(OriginPolicy::Any).protocol(chosen).deflate(&POLICY).write(driver.out)
    } else {
        request.respond(503).headers(&[("Retry-After", "1")]).write(driver.out)
    };
    // There is room for each of the answers.
    answered.map_err(|_| End::Abort)
}
