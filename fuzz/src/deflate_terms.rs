//! Offers and answers of permessage-deflate, as any text: against a second reading of RFC 7692 §7.1, as lists and in both
//! sides' handshakes.

use arbitrary::Unstructured;
use websocket_proto::{
    Config, Deflate, DeflateOptions, DeflatePolicy, DeflateSide, DeflateTerms, Event, Extensions,
    HandshakeError, HeadLimits, Inflate, Input, Kind, OriginPolicy, Rsv, Rule, Session, Uri, client, server,
};

use crate::{
    common::oracle,
    extensions::{Extension, list},
    support::{byte, piece},
};

const NAME: &str = "permessage-deflate";

pub fn negotiation(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mut side = || {
        let bits = byte(&mut u);
        // Other numbers count as the nearest of 8 to 15.
        DeflateSide { window_bits: bits & 0x1f, takeover: bits & 0x20 != 0 }
    };
    let policy = DeflatePolicy { own: side(), peer: side() };
    let theirs = DeflatePolicy { own: side(), peer: side() };
    let n = usize::from(byte(&mut u));
    let first = text(piece(&mut u, n));
    let second = text(u.take_rest());
    // A budget that any byte of the input may change.
    budget(data.iter().fold(0, |sum, &byte| sum * 31 % (600 << 10) + usize::from(byte)));
    between(&policy, &theirs);
    session(&policy, &theirs);
    as_server(&policy, &first, &second);
    as_client(&policy, &first, &second);
}

/// A policy for a budget costs no more, and nothing where it keeps nothing between messages.
fn budget(bytes: usize) {
    let DeflatePolicy { own, peer } = DeflatePolicy::within(bytes);
    let compressing = if own.takeover { Deflate::memory(own, &DeflateOptions::default()) } else { 0 };
    let inflating = if peer.takeover { Inflate::memory(peer) } else { 0 };
    assert!(compressing + inflating <= bytes, "{own:?} {peer:?} in {bytes}");
}

/// What can stand on a line of a head; `~` has the extension's name, and `a` to `d` in capitals its parameters', so that
/// they are found.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'~' => text.push_str(NAME),
            b'A' => text.push_str("server_no_context_takeover"),
            b'B' => text.push_str("client_no_context_takeover"),
            b'C' => text.push_str("server_max_window_bits"),
            b'D' => text.push_str("client_max_window_bits"),
            b'\t' | b' '..=b'}' => text.push(char::from(*byte)),
            _ => text.push_str("; "),
        }
    }
    text.trim().to_owned()
}

/// An element that follows the rules of an offer or an answer: whether each `no_context_takeover` is there, and the window
/// bits. `None`: it does not (W106, W107, W120, W121).
#[derive(Clone, Copy)]
struct Element {
    server_fresh: bool,
    client_fresh: bool,
    server_bits: Option<u8>,
    /// Without a value, which an offer may have (W161): 15.
    client_bits: Option<u8>,
}

fn element((name, params): &Extension, is_offer: bool) -> Option<Element> {
    if name != NAME {
        return None;
    }
    let mut values: [Vec<Option<&str>>; 4] = Default::default();
    for (name, value) in params {
        let at = match &name[..] {
            "server_no_context_takeover" => 0,
            "client_no_context_takeover" => 1,
            "server_max_window_bits" => 2,
            "client_max_window_bits" => 3,
            _ => return None,
        };
        values[at].push(value.as_deref());
    }
    if values.iter().any(|values| values.len() > 1) {
        return None;
    }
    let [server_fresh, client_fresh, server_bits, client_bits] = values.map(|values| values.first().copied());
    if server_fresh.flatten().is_some() || client_fresh.flatten().is_some() {
        return None;
    }
    let number = |value: Option<&str>| {
        let bits = value?.parse().ok().filter(|bits| (8..=15).contains(bits));
        // W121: in plain digits.
        bits.filter(|bits: &u8| Some(&bits.to_string()[..]) == value)
    };
    Some(Element {
        server_fresh: server_fresh.is_some(),
        client_fresh: client_fresh.is_some(),
        server_bits: match server_bits {
            None => None,
            Some(value) => Some(number(value)?),
        },
        client_bits: match client_bits {
            None => None,
            Some(None) if is_offer => Some(15),
            Some(value) => Some(number(value)?),
        },
    })
}

fn bits(side: DeflateSide) -> u8 {
    side.window_bits.clamp(8, 15)
}

/// What a server of this policy agrees on, by the first offer that it can.
fn answered(policy: &DeflatePolicy, offers: &[Extension]) -> Option<(DeflateTerms, Element)> {
    offers.iter().find_map(|offer| {
        let offer = element(offer, true)?;
        // W161: it can be answered only where it was offered.
        if offer.client_bits.is_none() && bits(policy.peer) < 15 {
            return None;
        }
        let server = DeflateSide {
            window_bits: bits(policy.own).min(offer.server_bits.unwrap_or(15)),
            takeover: policy.own.takeover && !offer.server_fresh,
        };
        let client = DeflateSide {
            window_bits: bits(policy.peer).min(offer.client_bits.unwrap_or(15)),
            takeover: policy.peer.takeover && !offer.client_fresh,
        };
        Some((DeflateTerms { server, client }, offer))
    })
}

/// What a client of this policy makes of one answer.
fn checked(policy: &DeflatePolicy, answer: &Extension) -> Result<Option<DeflateTerms>, Rule> {
    if answer.0 != NAME {
        return Ok(None);
    }
    let answer = element(answer, false).ok_or(Rule::DeflateAnswer)?; // W120
    // W163: what was asked is missing.
    let asked_bits = bits(policy.peer) < 15;
    let bits_ignored = asked_bits && answer.server_bits.is_none();
    let takeover_ignored = !policy.peer.takeover && !answer.server_fresh;
    // W120: more than was asked or offered.
    let too_large = answer.server_bits.is_some_and(|n| n > bits(policy.peer));
    if bits_ignored || (takeover_ignored && !too_large) {
        return Err(Rule::DeflateIgnored);
    }
    if too_large || answer.client_bits.is_some_and(|n| n > bits(policy.own)) {
        return Err(Rule::DeflateAnswer);
    }
    Ok(Some(DeflateTerms {
        server: DeflateSide { window_bits: answer.server_bits.unwrap_or(15), takeover: !answer.server_fresh },
        client: DeflateSide {
            window_bits: answer.client_bits.unwrap_or(bits(policy.own)),
            takeover: policy.own.takeover && !answer.client_fresh,
        },
    }))
}

fn check_answer(policy: &DeflatePolicy, answer: &str, terms: DeflateTerms, offer: Element) {
    let parsed = list(&[answer.as_bytes()]).expect("it is a list");
    let [answer] = &parsed[..] else { panic!("one extension") };
    let answer = element(answer, false).expect("it follows the rules of an answer");
    // The terms are in it (W162), and nothing else.
    assert_eq!(answer.server_fresh, !terms.server.takeover);
    assert_eq!(answer.client_fresh, !terms.client.takeover);
    assert_eq!(answer.server_bits.unwrap_or(15), terms.server.window_bits);
    assert_eq!(answer.client_bits.unwrap_or(15), terms.client.window_bits);
    assert!(answer.server_bits.is_some() || offer.server_bits.is_none(), "an accepted one is repeated");
    assert!(answer.client_bits.is_none() || offer.client_bits.is_some(), "W161");
    assert!(answer.server_fresh || !offer.server_fresh);
    for (side, most) in [(terms.server, policy.own), (terms.client, policy.peer)] {
        assert!(side.window_bits <= bits(most) && (most.takeover || !side.takeover));
    }
}

/// A client's offer, a server's answer to it, and what the client makes of that.
fn between(client: &DeflatePolicy, server: &DeflatePolicy) {
    let offer = client.offer().to_string();
    let offers = list(&[offer.as_bytes()]).expect("it is a list");
    let parsed = element(&offers[0], true).expect("it follows the rules of an offer");
    assert_eq!(parsed.server_fresh, !client.peer.takeover);
    assert_eq!(parsed.client_fresh, !client.own.takeover);
    assert_eq!(parsed.server_bits.unwrap_or(15), bits(client.peer));
    assert_eq!(parsed.client_bits, Some(bits(client.own)));
    let extensions = Extensions::parse(offer.as_bytes()).expect("it is a list");
    let answer = server.answer(extensions).expect("a client of this crate can be answered by any policy");
    let text = answer.to_string();
    let mut answers = Extensions::parse(text.as_bytes()).expect("it is a list");
    let terms = client.check(answers.next().expect("one extension")).expect("what was asked").expect("it is");
    assert_eq!(terms, answer.terms(), "both sides agree");
}

/// A server's session compresses and inflates by what it agreed on, and says to its peer what a codec found.
fn session(policy: &DeflatePolicy, client: &DeflatePolicy) {
    let offer = client.offer();
    let mut head = format!("{REQUEST}Sec-WebSocket-Extensions: {offer}\r\n\r\n").into_bytes();
    let mut session = Session::server(vec![0; head.len()], Config::default());
    assert_eq!(session.agreed(), None);
    let mut out = Vec::new();
    let mut input = Input::new(&mut head);
    assert!(matches!(session.receive(&mut input, &mut out), Some(Event::Requested)));
    let request = session.request().expect("it was requested");
    request.accept(OriginPolicy::NonBrowser).deflate(policy).write(&mut out).expect("it can be answered");
    while session.receive(&mut Input::default(), &mut out).is_some() {}
    let agreed = session.agreed().expect("it was accepted");
    assert_eq!(session.connection().map(|conn| conn.agreed()), Some(agreed));
    let terms = agreed.deflate().expect("it was offered");

    let options = DeflateOptions { threshold: 0, ..DeflateOptions::default() };
    let mut deflate = Deflate::new(terms.server, options);
    let mut message = deflate.begin(Kind::Text, b"Hello").expect("it is text");
    out.clear();
    assert_eq!(deflate.write(&mut message, &mut session, &mut out), Ok(false));
    assert_eq!(out, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"); // RFC 7692 §7.2.3.1
    assert!(format!("{deflate:?}").starts_with("Deflate"));

    // One message of the client's, and one that is none.
    let mut inflate = Inflate::new(terms.client, 100);
    let frames = [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], &[0xff]];
    let mut frames: Vec<u8> =
        frames.iter().flat_map(|payload| oracle::frame(0xc1, payload, Some([1, 2, 3, 4]))).collect();
    let mut input = Input::new(&mut frames);
    let mut place = [0; 10];
    let mut told = Vec::new();
    while let Some(event) = session.receive(&mut input, &mut out) {
        let Event::Data(data) = event else { break };
        let mut piece = inflate.begin(data);
        while let Some(event) = inflate.next(&mut piece, &mut place, &mut session, &mut out) {
            told.push(match event {
                Event::Data(data) => Ok(data.payload().to_vec()),
                Event::Failed(error) => Err(error.rule),
                other => panic!("{other:?}"),
            });
        }
    }
    assert_eq!(told, [Ok(b"Hello".to_vec()), Err(Rule::CorruptCompression)]);
    assert_eq!(session.failure().map(|error| error.rule), Some(Rule::CorruptCompression));
    assert!(!format!("{inflate:?}").contains("Hello"));
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

const LIMITS: HeadLimits = HeadLimits { bytes: u32::MAX, lines: u16::MAX, line: u32::MAX };

/// The value of the one line of extensions.
fn extensions_in(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).expect("a head is ASCII");
    let lines: Vec<&str> =
        head.lines().filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: ")).collect();
    assert!(lines.len() <= 1);
    lines.first().map(|line| (*line).to_owned())
}

fn as_server(policy: &DeflatePolicy, offers: &str, other: &str) {
    let parsed = list(&[offers.as_bytes()]);
    let mut head = format!("{REQUEST}Sec-WebSocket-Extensions: {offers}\r\n\r\n").into_bytes();
    let mut handshake = server::Handshake::new(vec![0; head.len()], LIMITS);
    let mut out = Vec::new();
    let request = match handshake.receive(Input::new(&mut head), &mut out) {
        server::Progress::Request { request, .. } => request,
        server::Progress::Failed(error) => {
            assert_eq!(error.rule, Rule::ExtensionOffer);
            assert!(parsed.is_none_or(|list| list.is_empty()));
            return;
        }
        other => panic!("{other:?}"),
    };
    let parsed = parsed.expect("it is a list");
    let expected = answered(policy, &parsed);
    assert_eq!(request.deflate(policy), expected.map(|(terms, _)| terms));
    let answer = Extensions::parse(offers.as_bytes()).ok().and_then(|offers| policy.answer(offers));
    assert_eq!(answer.map(|answer| answer.terms()), expected.map(|(terms, _)| terms));
    let text = answer.map(|answer| answer.to_string());
    if let (Some(text), Some((terms, offer))) = (&text, expected) {
        check_answer(policy, text, terms, offer);
    }

    // Beside another extension: permessage-deflate is not answered twice.
    let beside = list(&[other.as_bytes()]).unwrap_or_default();
    let twice = text.is_some() && beside.iter().any(|extension| extension.0 == NAME);
    let accept = request.accept(OriginPolicy::NonBrowser).deflate(policy);
    let mut accept = if other.is_empty() { accept } else { accept.extensions(other, Rsv::NONE) };
    let mut written = Vec::new();
    match accept.write(&mut written) {
        Ok(()) => {
            assert!(!twice);
            let both: Vec<&str> =
                text.as_deref().into_iter().chain(Some(other).filter(|other| !other.is_empty())).collect();
            assert_eq!(extensions_in(&written).unwrap_or_default(), both.join(", "));
            let agreed = handshake.agreed().expect("it was accepted");
            assert_eq!(agreed.deflate(), expected.map(|(terms, _)| terms));
            assert_eq!(agreed.reserved(), if expected.is_some() { Rsv::RSV1 } else { Rsv::NONE });
        }
        Err(error) => {
            assert!(error == HandshakeError::Extension && !other.is_empty() && written.is_empty());
        }
    }
}

fn as_client(policy: &DeflatePolicy, answers: &str, other: &str) {
    let parsed = list(&[answers.as_bytes()]);
    if let Some(parsed) = &parsed {
        let extensions = Extensions::parse(answers.as_bytes()).expect("it is a list");
        for (extension, expected) in extensions.zip(parsed) {
            assert_eq!(policy.check(extension), checked(policy, expected));
        }
    }
    let offered = [(other, Rsv::RSV2)];
    let offered = if other.is_empty() { &[][..] } else { &offered[..] };
    let request = client::Request::new(Uri::parse("ws://h/").expect("it is one"), *b"the sample nonce")
        .extensions(offered)
        .deflate(policy);
    let mut head = format!(
        "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: {answers}\r\n\r\n"
    )
    .into_bytes();
    let mut out = Vec::new();
    let memory = vec![0; head.len() + other.len() + 64];
    let beside = list(&[other.as_bytes()]).filter(|list| other.is_empty() || !list.is_empty());
    let mut handshake = match client::Handshake::new(memory, LIMITS, &request, &mut out) {
        Ok(handshake) => handshake,
        Err(error) => {
            assert_eq!(error, HandshakeError::Extension);
            assert!(beside.is_none_or(|list| list.iter().any(|extension| extension.0 == NAME)));
            return;
        }
    };
    let beside = beside.expect("it was taken");
    assert!(beside.iter().all(|extension| extension.0 != NAME), "permessage-deflate is offered once");
    let line = extensions_in(&out).expect("it is offered");
    let both: Vec<String> =
        [policy.offer().to_string(), other.to_owned()].into_iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(line, both.join(", "));

    let result = match handshake.receive(Input::new(&mut head)) {
        client::Progress::Opened { agreed, .. } => Ok(agreed),
        client::Progress::Failed(error) => Err(error.rule),
        other => panic!("{other:?}"),
    };
    let expected = match parsed {
        None => Err(Rule::ExtensionAnswer),
        Some(list) if list.is_empty() => Err(Rule::ExtensionAnswer),
        Some(list) => {
            let mut names: Vec<&str> = list.iter().map(|answer| &answer.0[..]).collect();
            names.sort_unstable();
            let known = names.iter().all(|name| *name == NAME || beside.iter().any(|offer| offer.0 == *name));
            match known && names.windows(2).all(|pair| pair[0] != pair[1]) {
                false => Err(Rule::ExtensionNotOffered),
                true => {
                    let terms = list.iter().find(|answer| answer.0 == NAME);
                    terms.map_or(Ok(None), |answer| checked(policy, answer))
                }
            }
        }
    };
    assert_eq!(result.map(|agreed| agreed.deflate()), expected);
}
