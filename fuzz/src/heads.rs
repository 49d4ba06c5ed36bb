//! Requests and responses against `httparse`, and what a head means against a second reading of the rules.
//!
//! What `httparse` refuses is refused, but for [`later_version`]. What it accepts and this crate refuses is in
//! [`STRICTER`], or breaks a rule of WebSocket that [`judge_request`] or [`judge_response`] names too.

use std::net::Ipv6Addr;

use arbitrary::Unstructured;
use websocket_proto::{HeadLimits, Input, Rsv, Rule, Uri, client, server};

use crate::{
    extensions::{self, tokens},
    support::{byte, cuts, seed},
};

/// Where this crate is stricter than `httparse`: the rule, the bytes that it may stop at, and why.
const STRICTER: &[(Rule, &[u8], &str)] = &[
    (Rule::LineEnding, b"\n", "W99: a bare LF ends no line"),
    (Rule::FieldName, b"\n", "W99: nor does it end a head"),
    (Rule::RequestLine, b"\n", "W99: nor a request line, nor the empty line before it"),
    (Rule::RequestLine, b"\r", "W160: one empty line before a request is skipped, not several"),
    (Rule::RequestVersion, b"0", "W90: HTTP/1.0 has no upgrade"),
    (Rule::TargetForm, b"#", "W158: a target has no fragment"),
    (Rule::NotHttp, b"\r\n", "W124: an answer begins with its status line"),
    (Rule::ResponseVersion, b"0", "W124: HTTP/1.0 has no upgrade"),
    (Rule::StatusLine, b"\n", "W99: a bare LF ends no status line"),
    (Rule::StatusLine, b"0", "W124: a status is 100 to 999"),
];

/// Whether [`STRICTER`], or a byte beyond ASCII in a target (W158), explains that this crate stops at `at`.
fn is_stricter(rule: Rule, stream: &[u8], at: u64) -> bool {
    let byte = stream[at as usize];
    let in_table = |(stricter, bytes, _): &(Rule, &[u8], &str)| *stricter == rule && bytes.contains(&byte);
    // W100: `httparse` finds a line too many when it ends, this crate when it begins.
    let lines = || stream[..at as usize].iter().filter(|&&byte| byte == b'\n').count();
    STRICTER.iter().any(in_table)
        || (rule == Rule::TargetForm && byte >= 0x80)
        || (rule == Rule::TooManyLines && lines() > LINES)
}

const LINES: usize = 128;
const UNLIMITED: HeadLimits = HeadLimits { bytes: u32::MAX, lines: LINES as u16, line: u32::MAX };

/// W90, W124: `httparse` knows 1.0 and 1.1 alone, this crate reads every later HTTP/1. So it is shown a 1.1.
fn later_version(head: &[u8]) -> Vec<u8> {
    let mut head = head.to_vec();
    let start = head.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(0);
    let end = head[start..].iter().position(|&byte| byte == b'\n').map_or(head.len(), |end| start + end);
    let line = &mut head[start..end];
    let at = match line.strip_prefix(b"HTTP/1.") {
        Some(_) => Some(7),
        None => line.windows(8).position(|window| window == b" HTTP/1.").map(|at| at + 8),
    };
    if let Some(digit @ b'2'..=b'9') = at.and_then(|at| line.get_mut(at)) {
        *digit = b'1';
    }
    head
}

type Fields = Vec<(String, Vec<u8>)>;

fn fields(headers: &[httparse::Header<'_>]) -> Fields {
    headers.iter().map(|header| (header.name.to_owned(), unfold(header.value))).collect()
}

/// A value as this crate gives it: a fold is one space (RFC 9112 §5.2), nothing around it.
fn unfold(value: &[u8]) -> Vec<u8> {
    let mut unfolded = Vec::new();
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'\r' && tail.first() == Some(&b'\n') {
            unfolded.push(b' ');
            let text = tail[1..].iter().position(|byte| !b" \t".contains(byte)).unwrap_or(tail.len() - 1);
            rest = &tail[1 + text..];
        } else {
            unfolded.push(byte);
        }
    }
    trim(&unfolded).to_vec()
}

fn trim(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !b" \t".contains(byte);
    match (value.iter().position(is_text), value.iter().rposition(is_text)) {
        (Some(first), Some(last)) => &value[first..=last],
        _ => &[],
    }
}

fn all<'f>(fields: &'f Fields, name: &str) -> Vec<&'f [u8]> {
    let found = fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| &value[..]).collect()
}

fn lists(fields: &Fields, name: &str, word: &str) -> bool {
    let elements = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    all(fields, name).iter().any(|value| {
        elements(value).split(',').any(|element| element.trim_matches([' ', '\t']).eq_ignore_ascii_case(word))
    })
}

fn one<'f>(fields: &'f Fields, name: &str, missing: Rule, repeated: Rule) -> Result<&'f [u8], Rule> {
    match all(fields, name)[..] {
        [] => Err(missing),
        [value] => Ok(value),
        _ => Err(repeated),
    }
}

/// Ends of heads, one of which completes whatever a head lacks.
const ENDINGS: [&[u8]; 6] = [
    b"\n",
    b"\n\n",
    b"\n\r\n",
    b"\r\n\r\n",
    b" / HTTP/1.1\r\nHost: h\r\n\r\n",
    b" HTTP/1.1\r\nHost: h\r\n\r\n",
];

#[derive(Debug, PartialEq)]
enum Read {
    More,
    Failed(Rule, u64),
    Request { upgrade: bool, target: Target, fields: Fields, head: usize },
}

/// A target, and what it is made of.
#[derive(Debug, PartialEq)]
struct Target {
    text: String,
    host: String,
    path: String,
    query: Option<String>,
}

impl Target {
    fn of(request: &server::Request<'_>) -> Self {
        Self {
            text: request.target().to_owned(),
            host: request.host().to_owned(),
            path: request.path().to_owned(),
            query: request.query().map(str::to_owned),
        }
    }

    /// RFC 9112 §3.2.2: an absolute target is the host's, too. RFC 3986 §3.3: what has no path means the root.
    fn read(text: &str, host: &[u8]) -> Self {
        let scheme = ["http://", "https://"]
            .into_iter()
            .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        let (host, resource) = match scheme.map(|scheme| &text[scheme.len()..]) {
            Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
            None => (std::str::from_utf8(host).expect("it was checked"), text),
        };
        let (path, query) = match resource.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (resource, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        Self { text: text.to_owned(), host: host.to_owned(), path: path.to_owned(), query }
    }
}

/// A field asked for by name is the first of that name.
fn first_of_each<'h>(fields: &Fields, named: impl Fn(&str) -> Option<&'h [u8]>) {
    for (name, _) in fields {
        let first = fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        assert_eq!(named(name), first.map(|(_, value)| &value[..]));
    }
}

fn read_request(stream: &[u8], cuts: &[usize], limits: HeadLimits) -> Read {
    let mut handshake = server::Handshake::new(vec![0; stream.len()], limits);
    let mut out = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([stream.len()]) {
        let mut piece = stream[start..end].to_vec();
        match handshake.receive(Input::new(&mut piece), &mut out) {
            server::Progress::More => assert!(out.is_empty()),
            server::Progress::Failed(error) => {
                let status = format!("HTTP/1.1 {} ", error.rule.status().expect("a rule of requests"));
                assert!(out.starts_with(status.as_bytes()));
                assert!((start as u64..end as u64).contains(&error.offset), "not the byte that proves it");
                return Read::Failed(error.rule, error.offset);
            }
            server::Progress::Request { request, rest } => {
                let target = Target::of(&request);
                let (upgrade, head) = (request.is_upgrade(), end - rest.len());
                let fields: Fields =
                    request.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
                first_of_each(&fields, |name| request.header(name));
                assert_eq!(
                    format!("{request:?}"),
                    format!(
                        "Request {{ target: {:?}, host: {:?}, upgrade: {upgrade}, .. }}",
                        target.text, target.host
                    )
                );
                // It is there until it is answered, and nothing more is taken.
                match handshake.receive(Input::new(&mut [b'x'; 3]), &mut out) {
                    server::Progress::Request { request, rest } => {
                        assert_eq!((Target::of(&request), rest.len()), (target, 3));
                        let target = Target::of(&request);
                        return Read::Request { upgrade, target, fields, head };
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        start = end;
    }
    Read::More
}

pub fn request(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let (flags, seed) = (byte(&mut u), seed(&mut u));
    let stream = u.take_rest();
    if flags & 1 != 0 {
        let limits = HeadLimits { bytes: u32::from(flags), lines: 3, line: 40 };
        if let Read::Request { head, fields, .. } = read_request(stream, &cuts(&seed, stream.len()), limits) {
            assert!(head <= usize::from(flags) && fields.len() <= 3); // W100
        }
    }
    let ours = read_request(stream, &cuts(&seed, stream.len()), UNLIMITED);
    let shown = later_version(stream);
    let mut headers = [httparse::EMPTY_HEADER; LINES];
    let mut theirs = httparse::Request::new(&mut headers);
    match (theirs.parse(&shown), ours) {
        (Ok(httparse::Status::Partial), Read::More) | (Err(_), Read::Failed(..)) => {}
        (Ok(httparse::Status::Partial), Read::Failed(rule, at)) => {
            assert!(is_stricter(rule, stream, at), "{rule} at {at}, not complete for httparse");
        }
        (Ok(httparse::Status::Complete(end)), Read::Failed(rule, at)) => {
            if at + 1 < end as u64 || is_stricter(rule, stream, at) {
                assert!(is_stricter(rule, stream, at), "{rule} at {at}, accepted by httparse");
            } else {
                let judged =
                    judge_request(theirs.method.unwrap(), theirs.path.unwrap(), &fields(theirs.headers));
                assert_eq!(judged, Err(rule));
            }
        }
        (Ok(httparse::Status::Complete(end)), Read::Request { upgrade, target, fields: ours, head }) => {
            let (method, path) = (theirs.method.unwrap(), theirs.path.unwrap());
            let fields = fields(theirs.headers);
            assert_eq!((head, method, &ours), (end, "GET", &fields));
            assert_eq!(target, Target::read(path, all(&fields, "host")[0]));
            assert_eq!(judge_request(method, path, &fields), Ok(upgrade));
        }
        // What a request asks is judged when it is complete: no way to complete it may be accepted.
        (Err(_), Read::More) => {
            for ending in ENDINGS {
                let whole = [stream, ending].concat();
                let ours = read_request(&whole, &[], UNLIMITED);
                assert!(!matches!(ours, Read::Request { .. }), "{}", whole.escape_ascii());
            }
        }
        (theirs, ours) => panic!("{ours:?}, httparse {theirs:?}"),
    }
}

/// What RFC 6455 §4.2.1 and RFC 9112 demand of a request, read a second time.
fn judge_request(method: &str, target: &str, fields: &Fields) -> Result<bool, Rule> {
    if method != "GET" {
        return Err(Rule::MethodNotAllowed);
    }
    if !is_host(one(fields, "host", Rule::HostMissing, Rule::HostRepeated)?) {
        return Err(Rule::HostInvalid);
    }
    let lower = target.to_ascii_lowercase();
    let absolute = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
    let sound = match absolute {
        Some(rest) => is_host(rest.split(['/', '?']).next().unwrap_or_default().as_bytes()),
        None => target.starts_with('/'),
    };
    if !sound {
        return Err(Rule::TargetForm);
    }
    let is_zero = |value: &&[u8]| !value.is_empty() && value.iter().all(|&byte| byte == b'0');
    if !all(fields, "transfer-encoding").is_empty() || !all(fields, "content-length").iter().all(is_zero) {
        return Err(Rule::BodyAnnounced);
    }
    if !lists(fields, "upgrade", "websocket") {
        let fields_of_one = ["sec-websocket-key", "sec-websocket-version"];
        return match fields_of_one.iter().any(|name| !all(fields, name).is_empty()) {
            true => Err(Rule::UpgradeWithoutWebsocket),
            false => Ok(false),
        };
    }
    if !lists(fields, "connection", "upgrade") {
        return Err(Rule::ConnectionWithoutUpgrade);
    }
    let version = one(fields, "sec-websocket-version", Rule::VersionMissing, Rule::VersionInvalid)?;
    if version != b"13" {
        let numbers: Vec<String> = (0..256).map(|number| number.to_string()).collect();
        return match numbers.iter().any(|number| number.as_bytes() == version) {
            true => Err(Rule::VersionUnsupported),
            false => Err(Rule::VersionInvalid),
        };
    }
    let key = one(fields, "sec-websocket-key", Rule::KeyMissing, Rule::KeyRepeated)?;
    let is_character = |byte: &u8| byte.is_ascii_alphanumeric() || [b'+', b'/'].contains(byte);
    if key.len() != 24 || !key.ends_with(b"==") || !key[..22].iter().all(is_character) {
        return Err(Rule::KeyInvalid);
    }
    let offers = all(fields, "sec-websocket-protocol");
    if !offers.is_empty() && tokens(&offers).is_none_or(|names| names.is_empty()) {
        return Err(Rule::ProtocolOffer);
    }
    let offers = all(fields, "sec-websocket-extensions");
    if !offers.is_empty() && extensions::list(&offers).is_none_or(|list| list.is_empty()) {
        return Err(Rule::ExtensionOffer);
    }
    Ok(true)
}

/// `host[:port]` with a host that is not empty (RFC 3986 §3.2, W157).
pub(crate) fn is_host(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("v6", port),
            _ => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => {
            digits.chars().all(|c| c.is_ascii_digit())
                && digits.trim_start_matches('0').len() <= 5
                && digits.parse::<u128>().unwrap_or(0) <= 65535
        }
        None => port.is_empty(),
    };
    let mut rest = host;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '%' if rest.get(1..3).is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit())) => &rest[3..],
            'a'..='z' | 'A'..='Z' | '0'..='9' => &rest[1..],
            '-' | '.' | '_' | '~' | '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '=' => {
                &rest[1..]
            }
            _ => return false,
        };
    }
    port && !host.is_empty()
}

const PROTOCOLS: [&str; 2] = ["chat", "superchat"];
const EXTENSIONS: [(&str, Rsv); 3] =
    [("permessage-deflate; client_max_window_bits", Rsv::RSV1), ("x; y=1, z", Rsv::RSV2), ("x", Rsv::RSV3)];

#[derive(Debug, PartialEq)]
enum Answer {
    More,
    Failed(Rule, u64),
    Opened { fields: Fields, head: usize, reserved: Rsv },
    Refused { status: u16, fields: Fields, body: Vec<u8>, whole: bool },
}

fn read_response(stream: &[u8], cuts: &[usize], limits: HeadLimits, required: bool) -> Answer {
    let request = client::Request::new(Uri::parse("ws://h").unwrap(), *b"the sample nonce")
        .protocols(&PROTOCOLS)
        .extensions(&EXTENSIONS);
    let request = if required { request.require_protocol() } else { request };
    let memory = vec![0; stream.len() + 200];
    let mut handshake = client::Handshake::new(memory, limits, &request, &mut Vec::new()).unwrap();
    let owned = |response: client::Response<'_>| -> Fields {
        let fields = response.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        first_of_each(&fields, |name| response.header(name));
        fields
    };
    let mut start = 0;
    for end in cuts.iter().copied().chain([stream.len()]) {
        let mut piece = stream[start..end].to_vec();
        match handshake.receive(Input::new(&mut piece)) {
            client::Progress::More | client::Progress::Refused(_) => {}
            client::Progress::Failed(error) => {
                assert!((start as u64..end as u64).contains(&error.offset), "not the byte that proves it");
                return Answer::Failed(error.rule, error.offset);
            }
            client::Progress::Opened { response, agreed, rest } => {
                assert_eq!(response.status(), 101);
                let (fields, head) = (owned(response), end - rest.len());
                return Answer::Opened { fields, head, reserved: agreed.reserved() };
            }
        }
        start = end;
    }
    match handshake.response() {
        None => Answer::More,
        Some(response) => {
            let (status, fields, body) = (response.status(), owned(response), response.body().to_vec());
            assert!(handshake.is_refused());
            let whole = handshake.receive_eof();
            Answer::Refused { status, fields, body, whole }
        }
    }
}

pub fn response(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let (flags, seed) = (byte(&mut u), seed(&mut u));
    let stream = u.take_rest();
    let required = flags & 2 != 0;
    if flags & 1 != 0 {
        let limits = HeadLimits { bytes: u32::from(flags), lines: 3, line: 40 };
        match read_response(stream, &cuts(&seed, stream.len()), limits, required) {
            Answer::Opened { fields, .. } | Answer::Refused { fields, .. } => assert!(fields.len() <= 3), // W100
            Answer::More | Answer::Failed(..) => {}
        }
    }
    let ours = read_response(stream, &cuts(&seed, stream.len()), UNLIMITED, required);
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let mut start = 0;
    for interims in 0.. {
        let shown = later_version(&stream[start..]);
        let mut headers = [httparse::EMPTY_HEADER; LINES];
        let mut theirs = httparse::Response::new(&mut headers);
        let result = config.parse_response(&mut theirs, &shown);
        if let (Ok(httparse::Status::Complete(end)), Some(code @ 100..200)) = (&result, theirs.code)
            && code != 101
            && !matches!(ours, Answer::Failed(_, at) if at < (start + end) as u64)
        {
            start += end;
            assert!(interims < 8, "W123");
            continue;
        }
        match (result, ours) {
            (Ok(httparse::Status::Partial), Answer::More) | (Err(_), Answer::Failed(..)) => {}
            (Ok(httparse::Status::Partial), Answer::Failed(rule, at)) => {
                assert!(is_stricter(rule, stream, at), "{rule} at {at}, not complete for httparse");
            }
            (Ok(httparse::Status::Complete(end)), Answer::Failed(rule, at)) => {
                let (end, fields) = (start + end, fields(theirs.headers));
                if at + 1 < end as u64 || is_stricter(rule, stream, at) {
                    assert!(is_stricter(rule, stream, at), "{rule} at {at}, accepted by httparse");
                } else if rule == Rule::TooManyInterim {
                    assert!(interims == 8 && theirs.code != Some(101));
                } else {
                    assert_eq!((theirs.code, judge_response(&fields, required)), (Some(101), Err(rule)));
                }
            }
            (Ok(httparse::Status::Complete(end)), Answer::Opened { fields: ours, head, reserved }) => {
                let fields = fields(theirs.headers);
                assert_eq!((theirs.code, head), (Some(101), start + end));
                assert_eq!(ours, fields);
                assert_eq!(judge_response(&fields, required), Ok(reserved));
            }
            (Ok(httparse::Status::Complete(end)), Answer::Refused { status, fields: ours, body, whole }) => {
                let fields = fields(theirs.headers);
                assert_eq!(theirs.code, Some(status));
                assert!(!(100..200).contains(&status));
                assert_eq!(ours, fields);
                check_body(status, &fields, &stream[start + end..], &body, whole);
            }
            (Err(_), Answer::More) => {
                for ending in ENDINGS {
                    let whole = [stream, ending].concat();
                    let ours = read_response(&whole, &[], UNLIMITED, required);
                    assert!(!matches!(ours, Answer::Opened { .. }), "{}", whole.escape_ascii());
                }
            }
            (theirs, ours) => panic!("{ours:?}, httparse {theirs:?}"),
        }
        return;
    }
}

/// RFC 9112 §6.3, where the framing is plain.
fn check_body(status: u16, fields: &Fields, stream: &[u8], body: &[u8], whole: bool) {
    assert!(body.len() <= stream.len());
    if matches!(status, 204 | 304) {
        assert!(body.is_empty() && whole);
    } else if all(fields, "transfer-encoding").is_empty() {
        match all(fields, "content-length")[..] {
            [] => assert_eq!((body, whole), (stream, true)),
            [len] => {
                let len = std::str::from_utf8(len).ok().filter(|len| len.bytes().all(|b| b.is_ascii_digit()));
                let len = len.and_then(|len| len.parse::<u64>().ok());
                let most = len.unwrap_or(u64::MAX).min(stream.len() as u64);
                assert_eq!(body, &stream[..most as usize]);
                assert_eq!(whole, len.is_none_or(|len| len == most));
            }
            _ => {}
        }
    }
}

/// What RFC 6455 §4.1 demands of a 101, read a second time.
fn judge_response(fields: &Fields, required: bool) -> Result<Rsv, Rule> {
    if !one(fields, "upgrade", Rule::UpgradeAnswer, Rule::UpgradeAnswer)?.eq_ignore_ascii_case(b"websocket") {
        return Err(Rule::UpgradeAnswer);
    }
    if !lists(fields, "connection", "upgrade") {
        return Err(Rule::ConnectionAnswer);
    }
    let accept = one(fields, "sec-websocket-accept", Rule::AcceptMissing, Rule::AcceptRepeated)?;
    if accept != b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
        return Err(Rule::AcceptMismatch);
    }
    match all(fields, "sec-websocket-protocol")[..] {
        [] if required => return Err(Rule::ProtocolNotChosen),
        [] => {}
        [chosen] if PROTOCOLS.iter().any(|offered| offered.as_bytes() == chosen) => {}
        [_] => return Err(Rule::ProtocolNotOffered),
        _ => return Err(Rule::ProtocolRepeated),
    }
    let lines = all(fields, "sec-websocket-extensions");
    let list = extensions::list(&lines).ok_or(Rule::ExtensionAnswer)?;
    if !lines.is_empty() && list.is_empty() {
        return Err(Rule::ExtensionAnswer);
    }
    let mut names: Vec<&str> = list.iter().map(|extension| &extension.0[..]).collect();
    let bits = |name: &str| match name {
        "permessage-deflate" => Some(Rsv::RSV1),
        // Two offers of one name are alternatives; the first says which bits.
        "x" | "z" => Some(Rsv::RSV2),
        _ => None,
    };
    let count = names.len();
    let mut reserved = Rsv::NONE;
    for name in &names {
        reserved = reserved.with(bits(name).ok_or(Rule::ExtensionNotOffered)?);
    }
    names.sort_unstable();
    names.dedup();
    if names.len() == count { Ok(reserved) } else { Err(Rule::ExtensionNotOffered) }
}
