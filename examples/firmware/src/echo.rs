//! The application of `server`: whatever comes is sent back, piece by piece, in memory of a fixed size.

use websocket_proto::{
    Agreed, Config, DeflatePolicy, DeflateSide, Event, Inflate, Input, OriginPolicy, Server, Session,
    SliceOutput, Window,
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

/// The memory for inflating what a client compresses, if it does.
pub type Stage = Inflate<Window<[u8; 1 << PEER.window_bits]>>;

/// What clients may do: with windows of 512 bytes, kept between messages, a stage is 11 KiB, which hardly depends on
/// the window. zlib knows no smaller ones.
const PEER: DeflateSide = DeflateSide { window_bits: 9, takeover: true };

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
    Echo(&'s mut Slot<Stage>),
    /// All others are taken: it is told to come back later.
    Busy,
}

impl Service<'_> {
    fn stage(&mut self) -> Option<&mut Stage> {
        match self {
            Self::Echo(stage) => stage.get(),
            Self::Busy => None,
        }
    }
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
                    Event::Requested => answer(&mut driver, &mut service),
                    Event::Data(data) => match service.stage() {
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
fn answer(driver: &mut Driver<'_, Server>, service: &mut Service<'_>) -> Result<(), End> {
    let Some(request) = driver.session.request() else { return Ok(()) };
    let chosen = request.protocols().find(|offered| PROTOCOLS.contains(offered));
    let answered = match service {
        _ if !request.is_upgrade() => {
            let stack = Decimal::new(stack::high_water());
            request
                .respond(200)
                .headers(&[("Content-Type", "text/plain")])
                .body(stack.as_bytes())
                .write(driver.out)
        }
        // Any page of the web may talk to this server. A product has a list of those that may.
        Service::Echo(_) => {
            request.accept(OriginPolicy::Any).protocol(chosen).deflate(&POLICY).write(driver.out)
        }
        Service::Busy => request.respond(503).headers(&[("Retry-After", "1")]).write(driver.out),
    };
    if let Service::Echo(stage) = service {
        prepare(stage, driver.session.agreed());
    }
    // There is room for each of the answers.
    answered.map_err(|_| End::Abort)
}

/// Makes ready for what was agreed on. A stage on its way to its place is 11 KiB of stack, free again behind this.
#[inline(never)]
fn prepare(stage: &mut Slot<Stage>, agreed: Option<Agreed>) {
    stage.clear();
    if let Some(terms) = agreed.and_then(|agreed| agreed.deflate())
        && let Some(inflate) = Inflate::in_memory(terms.client, MESSAGE_LIMIT, [0; 1 << PEER.window_bits])
    {
        stage.put(inflate);
    }
}
