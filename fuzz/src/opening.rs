//! What callers hand to the opening handshake: it is refused by the rule that it breaks, with nothing put out, or it
//! arrives at the other side as it was handed over, and nothing beside it (W109).

use arbitrary::Unstructured;
use websocket_proto::{
    Body, Cause, Client, CloseCode, Config, Event, HandshakeError, Input, OriginPolicy, Outgoing, Output,
    Rsv, Rule, SendError, Server, Session, SliceOutput, Transport, Uri, UriOptions, client,
};

use crate::{
    common::verify::frames_in,
    extensions::list,
    support::{byte, piece, short},
    words,
};

type Field = (String, String);

/// A few fields of any text.
fn fields(u: &mut Unstructured<'_>) -> Vec<Field> {
    (0..byte(u) % 4).map(|_| (text(u), text(u))).collect()
}

fn text(u: &mut Unstructured<'_>) -> String {
    let len = usize::from(byte(u));
    String::from_utf8_lossy(piece(u, len)).into_owned()
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// The first field that may not be handed over (RFC 9110 §5.1, §5.5), with the names that are the handshake's own.
fn judge(fields: &[Field], own: &[&str]) -> Result<(), HandshakeError> {
    for (name, value) in fields {
        let lower = name.to_ascii_lowercase();
        let reserved = own.contains(&&lower[..])
            || ["content-length", "transfer-encoding"].contains(&&lower[..])
            || lower.starts_with("sec-websocket-");
        if reserved || !is_token(name) {
            return Err(HandshakeError::FieldName);
        }
        if value.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return Err(HandshakeError::FieldValue);
        }
    }
    Ok(())
}

/// Fields as they arrive: without the white space around their values.
fn arrived(fields: &[Field]) -> Vec<(String, Vec<u8>)> {
    let trimmed = |(name, value): &Field| (name.clone(), value.trim_matches([' ', '\t']).as_bytes().to_vec());
    fields.iter().map(trimmed).collect()
}

fn owned<'h>(headers: impl Iterator<Item = (&'h str, &'h [u8])>) -> Vec<(String, Vec<u8>)> {
    headers.map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

fn borrowed(fields: &[Field]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (&name[..], &value[..])).collect()
}

/// The fields as `httparse` reads them: those of the handshake's own, then `given`, then nothing.
fn check_head(own: &[&str], given: &[Field], behind: &[&str], theirs: &[httparse::Header<'_>]) {
    let names: Vec<&str> = own.iter().copied().chain(given.iter().map(|field| &field.0[..])).collect();
    let names: Vec<&str> = names.into_iter().chain(behind.iter().copied()).collect();
    assert_eq!(theirs.iter().map(|header| header.name).collect::<Vec<_>>(), names, "no field beside these");
    let values = theirs[own.len()..own.len() + given.len()].iter().map(|header| (header.name, header.value));
    let trimmed = values.map(|(name, value)| (name.to_owned(), value.trim_ascii().to_vec()));
    let expected = given.iter().map(|(name, value)| (name.clone(), value.as_bytes().trim_ascii().to_vec()));
    assert!(trimmed.eq(expected));
}

/// Calls `write` with an output that is too small by a byte, and then with one that is just large enough.
fn fit(
    mut write: impl FnMut(&mut dyn Output) -> Result<(), HandshakeError>,
) -> Result<Vec<u8>, HandshakeError> {
    let mut none = SliceOutput::new([0; 0]);
    let needed = match write(&mut none) {
        Err(error @ HandshakeError::NoRoom { needed }) => {
            words::handshake_error(error);
            needed
        }
        Err(error) => return Err(error),
        Ok(()) => panic!("an answer without a byte"),
    };
    let mut small = SliceOutput::new(vec![0; needed - 1]);
    assert_eq!(write(&mut small), Err(HandshakeError::NoRoom { needed }));
    assert!(small.is_empty());
    // Room there was, but somebody else was faster.
    assert_eq!(write(&mut Taken), Err(HandshakeError::NoRoom { needed }));
    let mut out = SliceOutput::new(vec![0; needed]);
    assert_eq!(write(&mut out), Ok(()));
    assert_eq!(out.room(), 0);
    Ok(out.into_memory())
}

/// An output whose room is gone when it is used.
struct Taken;

impl Output for Taken {
    fn room(&self) -> usize {
        usize::MAX
    }

    fn put(&mut self, _: &[u8], _: Body<'_>) -> bool {
        false
    }
}

const HEAD: usize = 8192;
const SMALL: usize = 40;

pub fn opening(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let flags = byte(&mut u);
    if flags & 1 != 0 {
        let head = plain(&mut u);
        answer(flags, None, &head, &mut u);
        return;
    }
    let (target, protocols, offers) = (text(&mut u), texts(&mut u), texts(&mut u));
    let fields = fields(&mut u);
    let options = UriOptions { http: true, user_info: true };
    let uri = Uri::parse_with(&target, options).unwrap_or(Uri::parse("ws://h").expect("a URI"));
    let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
    let offers: Vec<(&str, Rsv)> = offers.iter().map(|offer| (&offer[..], Rsv::RSV1)).collect();
    let headers = borrowed(&fields);
    let bare = |nonce| client::Request::new(uri, nonce).protocols(&protocols).extensions(&offers);
    let request = bare(*b"the sample nonce").headers(&headers);
    // Neither the nonce nor the values of fields, which may be secret.
    assert_eq!(format!("{request:?}"), format!("{:?}", bare([0; 16])));
    // Nor the source of keys.
    assert_eq!(format!("{:?}", Client(CloseCode::NORMAL)), "Client");

    let connect = |memory: usize, out: &mut dyn Output| {
        let key: fn() -> [u8; 4] = || [1, 2, 3, 4];
        Session::client(Client(key), vec![0; memory], Config::default(), &request, out)
    };
    let own: &[&str] = match uri.user_info() {
        None => &["host", "upgrade", "connection"],
        Some(_) => &["host", "upgrade", "connection", "authorization"],
    };
    let different = protocols.iter().enumerate().all(|(at, name)| !protocols[..at].contains(name));
    let expected = if !different || !protocols.iter().all(|name| is_token(name)) {
        Err(HandshakeError::Protocol)
    } else if offers.iter().any(|(offer, _)| list(&[offer.as_bytes()]).is_none_or(|list| list.is_empty())) {
        Err(HandshakeError::Extension)
    } else {
        judge(&fields, own)
    };
    let written = fit(|out| connect(HEAD, out).map(drop));
    assert_eq!(written.as_ref().err(), expected.as_ref().err());
    let bytes = match written {
        Ok(bytes) => bytes,
        Err(error) => return words::handshake_error(error),
    };
    let session = keep(connect);

    let mut parsed = [httparse::EMPTY_HEADER; 32];
    let mut theirs = httparse::Request::new(&mut parsed);
    assert_eq!(theirs.parse(&bytes), Ok(httparse::Status::Complete(bytes.len())));
    assert_eq!(theirs.path, Some(&uri.resource().to_string()[..]));
    let mut names = vec!["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];
    names.extend((!protocols.is_empty()).then_some("Sec-WebSocket-Protocol"));
    names.extend((!offers.is_empty()).then_some("Sec-WebSocket-Extensions"));
    names.extend(uri.user_info().map(|_| "Authorization"));
    check_head(&names, &fields, &[], theirs.headers);
    answer(flags, Some((session, &fields)), &bytes, &mut u);
}

fn texts(u: &mut Unstructured<'_>) -> Vec<String> {
    (0..byte(u) % 4).map(|_| text(u)).collect()
}

type Dialling = Session<Client<fn() -> [u8; 4]>, Vec<u8>>;

/// The session in the least memory that keeps what was offered, and in one with room for the answer behind it.
fn keep(connect: impl Fn(usize, &mut dyn Output) -> Result<Dialling, HandshakeError>) -> Dialling {
    let least = match connect(0, &mut Vec::new()) {
        Err(error @ HandshakeError::NoMemory { needed }) => {
            words::handshake_error(error);
            let mut out = Vec::new();
            assert_eq!(connect(needed - 1, &mut out).err(), Some(error));
            assert!(out.is_empty());
            needed
        }
        Err(error) => panic!("{error}"),
        Ok(_) => 0,
    };
    assert!(connect(least, &mut Vec::new()).is_ok());
    connect(least + HEAD, &mut Vec::new()).unwrap_or_else(|error| panic!("{error}"))
}

/// A plain GET of any target.
fn plain(u: &mut Unstructured<'_>) -> Vec<u8> {
    let target = text(u);
    format!("GET /{target} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes()
}

/// A server reads `head`, and answers what the input says.
fn answer(flags: u8, client: Option<(Dialling, &[Field])>, head: &[u8], u: &mut Unstructured<'_>) {
    let mut server = Session::server(vec![0; HEAD], Config::default());
    let mut out = SliceOutput::new([0; SMALL]);
    // W125
    assert_eq!(server.send(Outgoing::text("early"), &mut out), Err(SendError::NotOpen));
    assert_eq!(server.close(CloseCode::NORMAL, "", &mut out), Err(SendError::NotOpen));
    assert_eq!(server.fail(Rule::Policy, &mut out).err(), Some(SendError::NotOpen));
    words::send_error(SendError::NotOpen);
    let mut server = match server.into_connection() {
        Ok(_) => panic!("a connection before its opening handshake"),
        Err(session) => session,
    };
    let mut bytes = [head, b"rest"].concat();
    let mut input = Input::new(&mut bytes);
    match server.receive(&mut input, &mut out) {
        Some(Event::Requested) => {}
        Some(Event::Failed(error)) => {
            assert!(client.is_none(), "{error}");
            return refused(server, error.rule, out.room());
        }
        other => panic!("{other:?}"),
    }
    // Until it is answered nothing more is taken.
    assert!(server.receive(&mut input, &mut out).is_none());
    assert_eq!(input.into_rest(), b"rest");
    assert!(!server.poll_transmit(&mut out));
    let ended = flags & 4 != 0;
    if ended {
        words::closure(server.receive_eof());
    }
    assert_eq!(server.transport(), Transport::Keep, "the answer can still be written");
    if let Some((_, fields)) = &client {
        let request = server.request().expect("it was just requested");
        let headers = owned(request.headers());
        assert_eq!(headers[headers.len() - fields.len()..], arrived(fields));
    }
    if flags & 8 != 0 {
        respond(server, client, ended, u);
    } else {
        accept(flags, server, client, u);
    }
}

/// A refusal without room waits, and goes out whole.
fn refused(mut server: Session<Server, Vec<u8>>, rule: Rule, room: usize) {
    assert_eq!((room, server.transport()), (SMALL, Transport::Keep));
    assert!(!server.poll_transmit(&mut SliceOutput::new([0; SMALL])));
    let mut out = Vec::new();
    assert!(server.poll_transmit(&mut out) && !server.poll_transmit(&mut out));
    assert!(out.starts_with(format!("HTTP/1.1 {} ", rule.status().expect("a rule of requests")).as_bytes()));
    assert!(out.ends_with(rule.name().as_bytes()));
    assert_eq!(server.transport(), Transport::Shut);
    words::closure(server.closure());
}

fn respond(
    mut server: Session<Server, Vec<u8>>,
    client: Option<(Dialling, &[Field])>,
    ended: bool,
    u: &mut Unstructured<'_>,
) {
    let (status, fields) = (short(u) as u16, fields(u));
    let len = u.len();
    let body = piece(u, len);
    let bodiless = [204, 205, 304].contains(&status);
    let expected = if !(200..600).contains(&status) {
        Err(HandshakeError::Status)
    } else if bodiless && !body.is_empty() {
        Err(HandshakeError::Body)
    } else {
        judge(&fields, &["upgrade", "connection"])
    };
    let headers = borrowed(&fields);
    let request = server.request().expect("it was just requested");
    let mut respond = request.respond(status).headers(&headers).body(body);
    let written = fit(|out| respond.write(out));
    assert_eq!(written.as_ref().err(), expected.as_ref().err());
    let bytes = match written {
        Ok(bytes) => bytes,
        Err(error) => return words::handshake_error(error),
    };
    assert_eq!(respond.write(&mut Vec::new()), Err(HandshakeError::Answered));
    words::handshake_error(HandshakeError::Answered);
    assert_eq!(server.closure().cause, Some(Cause::Refused));
    assert_eq!(server.transport(), if ended { Transport::Drop } else { Transport::Shut });
    words::closure(server.closure());

    let mut parsed = [httparse::EMPTY_HEADER; 32];
    let mut theirs = httparse::Response::new(&mut parsed);
    assert_eq!(theirs.parse(&bytes), Ok(httparse::Status::Complete(bytes.len() - body.len())));
    assert_eq!(theirs.code, Some(status));
    assert!(bytes.ends_with(body));
    // RFC 9110 §8.6: a 204 has no Content-Length.
    let framing = ["Connection", "Content-Length"];
    let framing = if [204, 304].contains(&status) { &framing[..1] } else { &framing[..] };
    check_head(&[], &fields, framing, theirs.headers);

    let Some((mut client, _)) = client else { return };
    let mut bytes = bytes.clone();
    let mut out = Vec::new();
    let mut input = Input::new(&mut bytes);
    let event = client.receive(&mut input, &mut out);
    assert!(matches!(event, Some(Event::Refused)), "{event:?}");
    let response = client.response().expect("it was just refused");
    assert_eq!((response.status(), response.body()), (status, body));
    assert_eq!(owned(response.headers())[..fields.len()], arrived(&fields));
    let reason = response.reason().escape_ascii().to_string();
    assert_eq!(reason, theirs.reason.unwrap_or_default());
    assert_eq!(
        format!("{response:?}"),
        format!("Response {{ status: {status}, reason: \"{reason}\", body: {len}, .. }}")
    );
    assert!(!client.poll_transmit(&mut out) && out.is_empty());
    assert_eq!(client.transport(), Transport::Drop);
    words::closure(client.receive_eof());
}

fn accept(
    flags: u8,
    mut server: Session<Server, Vec<u8>>,
    client: Option<(Dialling, &[Field])>,
    u: &mut Unstructured<'_>,
) {
    let (entries, fields) = (texts(u), fields(u));
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let headers = borrowed(&fields);
    let policies =
        [OriginPolicy::Any, OriginPolicy::SameHost, OriginPolicy::NonBrowser, OriginPolicy::List(&entries)];
    let policy = policies[usize::from(flags >> 4 & 3)];
    let request = server.request().expect("it was just requested");
    let rule = match request.is_upgrade() {
        false => Some(Rule::UpgradeWithoutWebsocket),
        true => {
            let allowed = policy.allows(request.origin(), request.host().as_bytes());
            (!allowed).then_some(Rule::OriginRefused)
        }
    };
    let chosen = request.protocols().last();
    let mut accept = request.accept(policy).headers(&headers).protocol(chosen);
    let written = fit(|out| accept.write(out));
    assert_eq!(written.as_ref().err(), judge(&fields, &["upgrade", "connection"]).as_ref().err());
    let mut bytes = match written {
        Ok(bytes) => bytes,
        Err(error) => return words::handshake_error(error),
    };
    assert_eq!(accept.write(&mut Vec::new()), Err(HandshakeError::Answered));
    let mut parsed = [httparse::EMPTY_HEADER; 32];
    let mut theirs = httparse::Response::new(&mut parsed);
    let Ok(httparse::Status::Complete(end)) = theirs.parse(&bytes) else { panic!("half an answer") };
    if let Some(rule) = rule {
        assert_eq!((theirs.code, server.failure().map(|error| error.rule)), (rule.status(), Some(rule)));
        assert_eq!(&bytes[end..], rule.name().as_bytes());
        return words::closure(server.closure());
    }
    assert_eq!((theirs.code, end), (Some(101), bytes.len()));
    let mut names = vec!["Upgrade", "Connection", "Sec-WebSocket-Accept"];
    names.extend(chosen.map(|_| "Sec-WebSocket-Protocol"));
    check_head(&names, &fields, &[], theirs.headers);

    let (mut client, _) = client.expect("a plain GET is never accepted");
    let mut input = Input::new(&mut bytes);
    let event = client.receive(&mut input, &mut Vec::new());
    assert!(matches!(event, Some(Event::Opened)), "{event:?}");
    let response = client.response().expect("it was just opened");
    assert_eq!(response.protocol(), chosen);
    let headers = owned(response.headers());
    assert_eq!(headers[headers.len() - fields.len()..], arrived(&fields));
    assert!(client.connection().is_some() && client.response().is_none());
    assert!(server.connection().is_some() && server.request().is_none());
    use_session(client, flags, false, false);
    use_session(server, flags, true, flags & 4 != 0);
}

/// The session is the connection from then on.
fn use_session<R: websocket_proto::Opens<Vec<u8>>>(
    mut session: Session<R, Vec<u8>>,
    flags: u8,
    server: bool,
    ended: bool,
) {
    let mut out = Vec::new();
    assert_eq!(session.send(Outgoing::text("hello"), &mut out), Ok(()));
    // W72: a stream that ended in the opening handshake has ended.
    let cause = session.closure().cause;
    assert_eq!(cause, ended.then_some(Cause::EndWithoutClose));
    words::closure(session.closure());
    let told = format!("{session:?}");
    assert!(told.starts_with("Session { open: true, transport: "), "{told}");
    let code = if flags & 0x40 != 0 {
        let event = session.fail(Rule::Policy, &mut out);
        assert!(matches!(event, Ok(Event::Failed(error)) if Some(error) == session.failure()));
        1008_u16
    } else {
        assert_eq!(session.close(CloseCode::GOING_AWAY, "", &mut out), Ok(()));
        1001
    };
    assert!(!session.poll_transmit(&mut out) && session.head().is_empty());
    let frames = frames_in(&out, !server);
    let bodies: Vec<_> = frames.iter().map(|(_, first, body)| (*first, &body[..])).collect();
    assert_eq!(bodies, [(0x81, &b"hello"[..]), (0x88, &code.to_be_bytes())]);
    let closure = session.closure();
    match session.into_connection() {
        Ok(conn) => assert_eq!(conn.closure(), closure),
        Err(session) => panic!("{session:?}"),
    }
}
