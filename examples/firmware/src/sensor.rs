//! The application of `client`: a sensor that tells its reading every second, and comes back when it is cut off.

use core::{fmt::Write, time::Duration};

use cortex_m_semihosting::hprintln;
use heapless::String;
use smoltcp::wire::IpEndpoint;
use websocket_proto::{
    Client, CloseCode, Closure, Config, Event, Input, Outgoing, Session, SliceOutput, Uri, client::Request,
    reconnect_delay,
};

use crate::{
    clock,
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

const PERIOD: Duration = Duration::from_secs(1);

/// Connects to `server`, over and over, until that says that all is done: by a Close with 1000. A product would sleep then.
pub async fn report(link: Link<'_>, uri: Uri<'_>, server: IpEndpoint, place: &mut Place) -> Never {
    let mut told = 0;
    let mut attempt = 0;
    loop {
        let before = told;
        match visit(&link, uri, server, place, &mut told).await {
            Some(closure) if closure.clean && closure.received == Some(CloseCode::NORMAL) => {
                hprintln!("dismissed after {} readings, with {} bytes of stack", told, stack::high_water());
                crate::console::end(true);
            }
            Some(closure) => hprintln!("closed with {}", closure.code()),
            None => hprintln!("no connection"),
        }
        // "the client SHOULD use [...] some form of backoff" as long as it gets nowhere (RFC 6455 §7.2.3).
        if told != before {
            attempt = 0;
        }
        let delay = reconnect_delay(attempt, random());
        attempt = attempt.saturating_add(1);
        hprintln!("again in {} ms", delay.as_millis());
        sleep_until(clock::now().saturating_add(delay)).await;
    }
}

/// One connection, from its first byte to its last; `told` counts the readings. `None`: there was none.
async fn visit(
    link: &Link<'_>,
    uri: Uri<'_>,
    server: IpEndpoint,
    place: &mut Place,
    told: &mut u32,
) -> Option<Closure> {
    place.out.advance(usize::MAX); // what the connection before left
    link.connect(server);
    if !link.connected().await {
        link.leave(End::Abort).await;
        return None;
    }
    let request = Request::new(uri, nonce());
    let memory = [0; size_of::<Head>()];
    let session = Session::client(Client(Keys), memory, Config::default(), &request, &mut place.out).ok()?;
    let mut driver = Driver::new(link, place.session.put(session)?, &mut place.out);
    let end = converse(&mut driver, &mut place.read, told).await;
    link.leave(end).await;
    Some(driver.session.closure())
}

async fn converse(driver: &mut Driver<'_, Client<Keys>>, buf: &mut [u8], told: &mut u32) -> End {
    let mut next = None;
    loop {
        let read = match driver.read(buf, next).await {
            Ok(read) => read,
            Err(end) => return end,
        };
        let Some(n) = read else {
            if let Err(end) = driver.send(Outgoing::text(&reading(*told))).await {
                return end;
            }
            *told = told.wrapping_add(1);
            next = Some(clock::now().saturating_add(PERIOD));
            continue;
        };
        let mut input = Input::new(buf.get_mut(..n).unwrap_or_default());
        while let Some(event) = driver.session.receive(&mut input, driver.out) {
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
                Event::Data(data) => {
                    if let Err(end) = driver.send(data.echo()).await {
                        return end;
                    }
                }
                // Pings are answered in the output already.
                _ => {}
            }
        }
    }
}

fn reading(number: u32) -> String<64> {
    let mut text = String::new();
    let noise = random() >> 29;
    let _room = write!(text, "{{\"reading\":{number},\"celsius\":21.{noise}}}");
    text
}
