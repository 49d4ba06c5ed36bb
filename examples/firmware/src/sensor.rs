//! The application of `client`: a sensor that tells its reading every second, and comes back when it is cut off.

use core::{fmt::Write, time::Duration};

use cortex_m_semihosting::hprintln;
use heapless::String;
use smoltcp::wire::IpEndpoint;
use websocket_proto::{
    Client, CloseCode, Config, Event, Input, Outgoing, Session, SliceOutput, Uri, client::Request,
    reconnect_delay,
};

use crate::{
    clock, console,
    driver::{Driver, Head, OUT, Out, PIECE},
    entropy::{Keys, nonce, random},
    net::{End, Link, Never, sleep_until},
    slot::Slot,
    stack,
};

/// The memory of the one connection.
pub struct Place {
    session: Slot<Session<Client<Keys>, Head>>,
    out: Out,
    read: [u8; PIECE],
}

impl Place {
    pub const EMPTY: Self = Self { session: Slot::EMPTY, out: SliceOutput::new([0; OUT]), read: [0; PIECE] };
}

/// A driver, and what it reads into.
type Conversation<'m> = (Driver<'m, Client<Keys>>, &'m mut [u8; PIECE]);

const PERIOD: Duration = Duration::from_secs(1);

/// Connects to `server`, over and over, until that says that all is done: by a Close with 1000. A product would sleep
/// then.
///
/// It is one `async fn`, as `echo::serve` is.
pub async fn report(link: Link<'_>, uri: Uri<'_>, server: IpEndpoint, place: &mut Place) -> Never {
    let mut told = 0;
    let mut attempt = 0;
    loop {
        let before = told;
        link.connect(server);
        let opened = if link.connected().await { open(&link, uri, place) } else { None };
        if let Some((mut driver, buf)) = opened {
            let mut next = None;
            let end = loop {
                let n = match driver.read(buf, next).await {
                    Ok(Some(n)) => n,
                    Ok(None) => {
                        next = Some(clock::now().saturating_add(PERIOD));
                        match driver.send(Outgoing::text(&reading(told))).await {
                            Ok(()) => told = told.wrapping_add(1),
                            Err(end) => break end,
                        }
                        continue;
                    }
                    Err(end) => break end,
                };
                let mut done = Ok(());
                let mut input = Input::new(buf.get_mut(..n).unwrap_or_default());
                while done.is_ok()
                    && let Some(event) = driver.session.receive(&mut input, driver.out)
                {
                    match event {
                        Event::Opened => {
                            hprintln!("connected");
                            next = Some(clock::now());
                        }
                        Event::Refused => {
                            let status = driver.session.response().map_or(0, |response| response.status());
                            hprintln!("refused with {}", status);
                        }
                        // A command: it is acknowledged by sending it back.
                        Event::Data(data) => done = driver.send(data.echo()).await,
                        // Pings are answered in the output already.
                        _ => {}
                    }
                }
                if let Err(end) = done {
                    break end;
                }
            };
            link.leave(end).await;
            let closure = driver.session.closure();
            if closure.clean && closure.received == Some(CloseCode::NORMAL) {
                hprintln!("dismissed after {} readings, with {} bytes of stack", told, stack::high_water());
                console::end(true);
            }
            hprintln!("closed with {}", closure.code());
        } else {
            link.leave(End::Abort).await;
            hprintln!("no connection");
        }
        // The waits grow as long as it gets nowhere (RFC 6455 §7.2.3).
        if told != before {
            attempt = 0;
        }
        let delay = reconnect_delay(attempt, random());
        attempt = attempt.saturating_add(1);
        hprintln!("again in {} ms", delay.as_millis());
        sleep_until(clock::now().saturating_add(delay)).await;
    }
}

/// Sends the request on a connection that was made.
fn open<'m>(link: &'m Link<'m>, uri: Uri<'_>, place: &'m mut Place) -> Option<Conversation<'m>> {
    place.out.advance(usize::MAX); // what the connection before left
    let request = Request::new(uri, nonce());
    let memory = [0; size_of::<Head>()];
    let session = Session::client(Client(Keys), memory, Config::default(), &request, &mut place.out).ok()?;
    Some((Driver::new(link, place.session.put(session)?, &mut place.out), &mut place.read))
}

fn reading(number: u32) -> String<64> {
    let mut text = String::new();
    let noise = random() >> 29;
    let _room = write!(text, "{{\"reading\":{number},\"celsius\":21.{noise}}}");
    text
}
