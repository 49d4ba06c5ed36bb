//! Lists of extensions and subprotocols, as the values of a handshake's fields: read as a second reading of the
//! grammar reads them, answered consistently, in linear time.

use std::time::Duration;

use arbitrary::Unstructured;
use cpu_time::ThreadTime;
use websocket_proto::{
    Config, Extensions, HandshakeError, HeadLimits, Input, OriginPolicy, Param, Rsv, Rule, Uri, Value,
    client, server,
};

use crate::{support::byte, words};

/// An extension: its name, and its parameters with their values.
pub(crate) type Extension = (String, Vec<(String, Option<String>)>);

/// The pieces that a list of extensions is made of (RFC 6455 §9.1).
#[derive(Debug, PartialEq)]
enum Lexeme {
    Mark(u8),
    Token(String),
    Quoted(String),
}

fn is_tchar(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c)
}

fn lexemes(line: &[u8]) -> Option<Vec<Lexeme>> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' | b'\t' => at += 1,
            mark @ (b',' | b';' | b'=') => {
                lexemes.push(Lexeme::Mark(mark));
                at += 1;
            }
            b'"' => {
                let mut value = String::new();
                at += 1;
                loop {
                    match *line.get(at)? {
                        b'"' => break,
                        b'\\' => {
                            value.push(char::from(*line.get(at + 1)?));
                            at += 2;
                        }
                        c => {
                            value.push(char::from(c));
                            at += 1;
                        }
                    }
                }
                at += 1;
                lexemes.push(Lexeme::Quoted(value));
            }
            c if is_tchar(c) => {
                let len = line[at..].iter().position(|&c| !is_tchar(c)).unwrap_or(line.len() - at);
                lexemes.push(Lexeme::Token(String::from_utf8(line[at..at + len].to_vec()).ok()?));
                at += len;
            }
            _ => return None,
        }
    }
    Some(lexemes)
}

/// `1#extension` over all lines, without the one: `None` if a line breaks the grammar.
pub(crate) fn list(lines: &[&[u8]]) -> Option<Vec<Extension>> {
    let mut extensions = Vec::new();
    for line in lines {
        for element in lexemes(line)?.split(|lexeme| *lexeme == Lexeme::Mark(b',')) {
            let mut parts = element.split(|lexeme| *lexeme == Lexeme::Mark(b';'));
            let name = match parts.next() {
                Some([Lexeme::Token(name)]) => name.clone(),
                Some([]) if element.is_empty() => continue,
                _ => return None,
            };
            let mut params = Vec::new();
            for part in parts {
                params.push(match part {
                    [Lexeme::Token(name)] => (name.clone(), None),
                    [
                        Lexeme::Token(name),
                        Lexeme::Mark(b'='),
                        Lexeme::Token(value) | Lexeme::Quoted(value),
                    ] if !value.is_empty() && value.bytes().all(is_tchar) => {
                        (name.clone(), Some(value.clone()))
                    }
                    _ => return None,
                });
            }
            extensions.push((name, params));
        }
    }
    Some(extensions)
}

/// The different tokens of a list over lines: `None` if there is anything else in it, a repetition, or more than 64.
pub(crate) fn tokens(lines: &[&[u8]]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for line in lines {
        for element in line.split(|&c| c == b',') {
            let name = String::from_utf8(element.to_vec()).ok()?;
            let name = name.trim_matches([' ', '\t']).to_owned();
            if name.is_empty() {
                continue;
            }
            if !name.bytes().all(is_tchar) || names.contains(&name) || names.len() == 64 {
                return None;
            }
            names.push(name);
        }
    }
    Some(names)
}

fn owned<'h>(extensions: impl Iterator<Item = websocket_proto::Extension<'h>>) -> Vec<Extension> {
    let params = |extension: websocket_proto::Extension<'h>| {
        extension.params().map(|p| (p.name().to_owned(), p.value().map(|value| value.to_string()))).collect()
    };
    extensions.map(|extension| (extension.name().to_owned(), params(extension))).collect()
}

/// A value is equal to its token in every form that it can be compared with, and to no other.
fn check_value(value: Value<'_>) {
    let text = value.to_string();
    let (bytes, same) = (text.as_bytes(), value);
    assert_eq!(format!("{value:?}"), format!("\"{text}\""));
    assert!(value == text[..] && value == bytes[..] && value == same);
    assert!(PartialEq::<&str>::eq(&value, &&text[..]) && PartialEq::<&[u8]>::eq(&value, &bytes));
    assert!(value != text[1..] && value != bytes[1..], "a token is never empty");
}

fn are_different(extensions: &[Extension]) -> bool {
    let mut names: Vec<&String> = extensions.iter().map(|extension| &extension.0).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

pub fn extensions(data: &[u8]) {
    // Of the processor: on a busy machine a clock would tell of others' work.
    let start = ThreadTime::now();
    let mut u = Unstructured::new(data);
    let (flags, choice) = (byte(&mut u), byte(&mut u));
    // Lines begin with a byte that says what they are; some are repeated up to the limits of a head.
    let mut lines: Vec<(u8, Vec<u8>)> = Vec::new();
    for line in u.take_rest().split(|&c| c == b'\n').take(16) {
        let Some((&sort, value)) = line.split_first() else { continue };
        let times = if flags & 1 != 0 && !value.is_empty() { 2000 / value.len() } else { 1 };
        lines.push((sort, value.repeat(times.max(1))));
    }
    for (_, value) in &lines {
        parse(value);
    }
    let is_text = |value: &[u8]| value.iter().all(|&c| matches!(c, b'\t' | 0x20..=0x7e | 0x80..));
    lines.retain(|(_, value)| is_text(value));
    handshake(&lines, choice, flags);
    // W105. The longest heads here have 32 KB; a quadratic reading takes far longer.
    assert!(start.elapsed() < Duration::from_secs(2), "not linear");
}

fn parse(value: &[u8]) {
    match Extensions::parse(value) {
        Ok(parsed) => {
            assert_eq!(Some(owned(parsed.clone())), list(&[value]));
            let params = parsed.clone().take(8).flat_map(|extension| extension.params().take(8));
            params.filter_map(Param::value).for_each(check_value);
            assert!(format!("{parsed:?}").len() < 100 + 8 * value.len());
        }
        Err(error) => {
            assert!(error.at() <= value.len() && list(&[value]).is_none());
            words::placed_error(&error, "W104", "RFC 6455 §9.1", error.at());
            // Up to the byte that breaks it, it can be continued.
            let prefix = &value[..error.at()];
            let continued = [&b""[..], b"a", b"a\"", b"\"", b"=a"].iter().any(|end| {
                let whole = [prefix, end].concat();
                Extensions::parse(&whole).is_ok() && list(&[&whole]).is_some()
            });
            assert!(continued, "byte {} of {}", error.at(), value.escape_ascii());
        }
    }
}

fn handshake(lines: &[(u8, Vec<u8>)], choice: u8, flags: u8) {
    const LIMITS: HeadLimits = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };
    let of = |sort: u8| -> Vec<&[u8]> {
        lines.iter().filter(|line| line.0 % 4 == sort).map(|line| &line.1[..]).collect()
    };
    let (protocols, extensions) = (of(0), of(1));
    let mut head = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        .to_vec();
    for (name, values) in [("Protocol", &protocols), ("Extensions", &extensions)] {
        for value in values {
            head.extend(format!("Sec-WebSocket-{name}:").as_bytes());
            head.extend(*value);
            head.extend(b"\r\n");
        }
    }
    head.extend(b"\r\n");

    let names = tokens(&protocols).filter(|names| !names.is_empty() || protocols.is_empty());
    let offers = list(&extensions).filter(|list| !list.is_empty() || extensions.is_empty());
    let mut handshake = server::Handshake::new(vec![0; head.len()], LIMITS);
    let mut out = Vec::new();
    match (handshake.receive(Input::new(&mut head), &mut out), names, offers) {
        (server::Progress::Failed(error), None, _) => assert_eq!(error.rule, Rule::ProtocolOffer),
        (server::Progress::Failed(error), Some(_), None) => assert_eq!(error.rule, Rule::ExtensionOffer),
        (server::Progress::Request { request, rest }, Some(names), Some(offers)) => {
            assert!(rest.is_empty());
            assert_eq!(request.protocols().collect::<Vec<_>>(), names);
            assert_eq!(owned(request.extensions()), offers);
            // Every second offer is taken, or one line of the input is answered as it is.
            let chosen =
                if names.is_empty() { None } else { names.get(usize::from(choice) % (names.len() + 1)) };
            let taken = offers.iter().enumerate().filter(|(at, _)| choice >> (at % 7) & 1 != 0);
            let taken = taken.map(|(_, (name, _))| &name[..]).collect::<Vec<_>>().join(", ");
            let raw = of(2).first().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
            let answer = if flags & 2 != 0 { raw } else { &taken };
            accept(request, &offers, chosen.map(String::as_str), answer, &mut out);
            dial(&names, &extensions, &offers, &out, &of(3));
        }
        (progress, names, offers) => panic!("{progress:?} for {names:?} {offers:?}"),
    }
}

fn accept(
    request: server::Request<'_>,
    offers: &[Extension],
    chosen: Option<&str>,
    answer: &str,
    out: &mut Vec<u8>,
) {
    let unknown = request.protocols().all(|name| name != "not-offered");
    let accept = request.accept(OriginPolicy::NonBrowser).protocol(chosen);
    let mut accept = if answer.is_empty() { accept } else { accept.extensions(answer, Rsv::RSV1) };
    // What was not offered, comes in another order or twice cannot be answered (W104, W119).
    let mut rest = offers.iter();
    let answered = list(&[answer.as_bytes()]);
    let legal = answer.is_empty()
        || answered.is_some_and(|answered| {
            let all_offered = answered.iter().all(|answer| rest.any(|offer| offer.0 == answer.0));
            !answered.is_empty() && all_offered && are_different(&answered)
        });
    if !legal {
        assert_eq!(accept.write(out), Err(HandshakeError::Extension));
        assert!(out.is_empty());
        accept = accept.extensions("", Rsv::NONE);
        assert_eq!(accept.write(out), Err(HandshakeError::Extension));
        return;
    }
    if unknown {
        accept = accept.protocol("not-offered");
        assert_eq!(accept.write(out), Err(HandshakeError::Protocol));
        assert!(out.is_empty());
        accept = accept.protocol(chosen);
    }
    assert_eq!(accept.write(out), Ok(()));
    assert_eq!(accept.write(out), Err(HandshakeError::Answered));
}

/// A client that offered the same reads the server's answer, and one with any lines of extensions in it.
fn dial(names: &[String], extensions: &[&[u8]], offers: &[Extension], answer: &[u8], lines: &[&[u8]]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let offered: Vec<(&str, Rsv)> = extensions
        .iter()
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| list(&[line.as_bytes()]).is_some_and(|list| !list.is_empty()))
        .map(|line| (line, Rsv::RSV1))
        .collect();
    let request = client::Request::new(Uri::parse("ws://h").unwrap(), *b"the sample nonce")
        .protocols(&names)
        .extensions(&offered);
    let kept = names.iter().map(|name| name.len() + 2).sum::<usize>()
        + offered.iter().map(|(line, _)| line.len() + 2).sum::<usize>();
    let memory = |head: usize| vec![0; kept + head];
    let limits = Config::default().head;
    let mut out = Vec::new();
    if !answer.is_empty() && answer.len() < 4000 {
        let mut handshake = client::Handshake::new(memory(answer.len()), limits, &request, &mut out).unwrap();
        match handshake.receive(Input::new(&mut answer.to_vec())) {
            client::Progress::Opened { rest, .. } => assert!(rest.is_empty()),
            other => panic!("{other:?}"),
        }
    }
    let mut head = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        .to_vec();
    for line in lines {
        head.extend(b"Sec-WebSocket-Extensions:");
        head.extend(*line);
        head.extend(b"\r\n");
    }
    head.extend(b"\r\n");
    let limits = HeadLimits { bytes: u32::MAX, lines: 128, line: u32::MAX };
    let mut handshake = client::Handshake::new(memory(head.len()), limits, &request, &mut out).unwrap();
    let result = match handshake.receive(Input::new(&mut head)) {
        client::Progress::Opened { response, .. } => Ok(owned(response.extensions())),
        client::Progress::Failed(error) => Err(error.rule),
        other => panic!("{other:?}"),
    };
    let answered = match list(lines) {
        Some(list) if !list.is_empty() || lines.is_empty() => {
            let known = list.iter().all(|answer| offers.iter().any(|offer| offer.0 == answer.0));
            if known && are_different(&list) { Ok(list) } else { Err(Rule::ExtensionNotOffered) }
        }
        _ => Err(Rule::ExtensionAnswer),
    };
    assert_eq!(result, answered);
}
