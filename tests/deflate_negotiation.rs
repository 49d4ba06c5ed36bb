//! permessage-deflate's parameters (RFC 7692 §7.1): what a server makes of an offer, a client of an answer, and both of
//! each other through the bytes of a whole handshake.

use proptest::prelude::*;
use websocket_proto::{
    Agreed, Client, Config, Connection, DeflatePolicy, DeflateSide, DeflateTerms, Event, Extension,
    Extensions, Input, OriginPolicy, Rsv, Rule, SAVED, Server, Session, SliceOutput, Uri, client,
};

const NAME: &str = "permessage-deflate";

fn list(text: &str) -> impl Iterator<Item = Extension<'_>> + Clone {
    Extensions::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const fn side(window_bits: u8, takeover: bool) -> DeflateSide {
    DeflateSide { window_bits, takeover }
}

const fn policy(own: DeflateSide, peer: DeflateSide) -> DeflatePolicy {
    DeflatePolicy { own, peer }
}

const FULL: DeflateSide = DeflateSide::FULL;
const ANY: DeflatePolicy = policy(FULL, FULL);
/// Nothing is kept, in 1 KiB and 512 bytes.
const SMALL: DeflatePolicy = policy(side(10, false), side(9, false));

/// The answer to offers, in words; `-` is none.
fn answered(policy: DeflatePolicy, offers: &str) -> String {
    policy.answer(list(offers)).map_or("-".into(), |answer| answer.to_string())
}

fn with(params: &str) -> String {
    format!("{NAME}{}{params}", if params.is_empty() { "" } else { "; " })
}

/// What an answer means to the client that offered `policy`.
fn checked(policy: DeflatePolicy, answer: &str) -> Result<Option<DeflateTerms>, Rule> {
    policy.check(list(answer).next().unwrap())
}

#[test]
fn offers_that_are_accepted() {
    #[rustfmt::skip]
    let rows = [
        // Policy, the offer's parameters, the answer's.
        (ANY, "", ""),
        // W161: the client says that it knows the parameter; there is nothing to ask of it.
        (ANY, "client_max_window_bits", ""),
        (ANY, "client_max_window_bits=15", ""),
        (ANY, "client_max_window_bits=8", "client_max_window_bits=8"),
        (ANY, "client_max_window_bits=\"12\"", "client_max_window_bits=12"),
        (ANY, "client_max_window_bits=\"1\\2\"", "client_max_window_bits=12"),
        // W162: what is asked is repeated.
        (ANY, "server_max_window_bits=15", "server_max_window_bits=15"),
        (ANY, "server_max_window_bits=10", "server_max_window_bits=10"),
        (ANY, "server_max_window_bits=8", "server_max_window_bits=8"),
        (ANY, "server_no_context_takeover", "server_no_context_takeover"),
        // §7.1.1.2: a hint, taken up.
        (ANY, "client_no_context_takeover", "client_no_context_takeover"),
        (ANY, "client_no_context_takeover; server_max_window_bits=9; client_max_window_bits; server_no_context_takeover",
            "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9"),
        // Unasked, by the policy; W162: not larger than asked.
        (SMALL, "client_max_window_bits",
            "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9"),
        (SMALL, "client_max_window_bits=8; server_max_window_bits=8",
            "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=8"),
        (SMALL, "client_max_window_bits=15; server_max_window_bits=15",
            "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9"),
        (policy(side(9, true), FULL), "", "server_max_window_bits=9"),
        (policy(FULL, side(15, false)), "", "client_no_context_takeover"),
        // Numbers that no window has count as the nearest.
        (policy(side(0, true), side(7, true)), "client_max_window_bits", "server_max_window_bits=8; client_max_window_bits=8"),
        (policy(side(16, true), side(255, true)), "client_max_window_bits", ""),
    ];
    for (policy, offer, answer) in rows {
        assert_eq!(answered(policy, &with(offer)), with(answer), "{policy:?} {offer}");
    }
}

/// W107: what an offer may not say, whatever else is in it.
const BAD_PARAMS: &[&str] = &[
    // Unknown; W106: compared exactly.
    "x",
    "x=1",
    "Server_no_context_takeover",
    "CLIENT_MAX_WINDOW_BITS",
    "client_max_window_bits_",
    // A value where there is none.
    "server_no_context_takeover=1",
    "client_no_context_takeover=true",
    "server_no_context_takeover=\"server_no_context_takeover\"",
    // Twice.
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits=10; client_max_window_bits=10",
    // None where there must be one.
    "server_max_window_bits",
];

/// W121: what is no number of window bits.
const BAD_BITS: &[&str] = &[
    "-1",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "16",
    "17",
    "80",
    "99",
    "108",
    "256",
    "264",
    "271",
    "65544",
    "4294967296",
    "4294967304",
    "18446744073709551624",
    "08",
    "015",
    "0x9",
    "+9",
    "-9",
    "1e1",
    "9.0",
    "a",
    "9a",
    "\"08\"",
];

/// Each bad parameter, alone and beside sound ones.
fn bad_params() -> impl Iterator<Item = String> {
    let bits = BAD_BITS
        .iter()
        .flat_map(|bits| ["server", "client"].map(|side| format!("{side}_max_window_bits={bits}")));
    BAD_PARAMS.iter().map(|&params| params.to_owned()).chain(bits)
}

#[test]
fn offers_that_are_declined() {
    let repeated = "client_max_window_bits; client_max_window_bits".to_owned();
    let mixed = "client_max_window_bits=9; client_max_window_bits".to_owned();
    for bad in bad_params().chain([repeated, mixed]) {
        let before = format!("server_no_context_takeover; {bad}");
        let behind = format!("{bad}; client_no_context_takeover");
        for params in [&bad, &before, &behind] {
            let offer = with(params);
            assert_eq!(answered(ANY, &offer), "-", "W107 {offer}");
            // The next one is considered, and the first that fits is taken.
            let offers = format!("{offer}, {NAME}; server_max_window_bits=9, {NAME}");
            assert_eq!(answered(ANY, &offers), with("server_max_window_bits=9"), "W107 {offers}");
        }
    }
    // The grammar has no empty value, and a value in quotes is a token.
    for value in ["", "\"\"", "\"9 \"", "\" 9\"", "\"+ 9\"", "9 9"] {
        let offer = with(&format!("server_max_window_bits={value}"));
        assert!(Extensions::parse(offer.as_bytes()).is_err(), "{offer}");
    }
    // White space around it is not part of it.
    assert_eq!(answered(ANY, &with("server_max_window_bits=9 ")), with("server_max_window_bits=9"));

    #[rustfmt::skip]
    let rows = [
        // W106: another extension.
        (ANY, "Permessage-deflate", "-"),
        (ANY, "permessage-bzip2, x-webkit-deflate-frame", "-"),
        (ANY, "permessage-bzip2, permessage-deflate", "permessage-deflate"),
        (ANY, "", "-"),
        // W161: a smaller window of the client's can be answered only where the offer speaks of it.
        (policy(FULL, side(14, true)), "permessage-deflate", "-"),
        (policy(FULL, side(14, true)), "permessage-deflate; server_max_window_bits=10", "-"),
        (policy(FULL, side(14, true)), "permessage-deflate, permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=14"),
        (policy(FULL, side(14, true)), "permessage-deflate; client_max_window_bits=13",
            "permessage-deflate; client_max_window_bits=13"),
    ];
    for (policy, offers, answer) in rows {
        assert_eq!(answered(policy, offers), answer, "{policy:?} {offers}");
    }
}

#[test]
fn what_is_offered() {
    #[rustfmt::skip]
    let rows = [
        (ANY, "client_max_window_bits"),
        (SMALL, "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10"),
        (policy(side(15, false), FULL), "client_no_context_takeover; client_max_window_bits"),
        (policy(FULL, side(15, false)), "server_no_context_takeover; client_max_window_bits"),
        // W168: every window can be kept to.
        (policy(side(8, true), side(8, true)), "server_max_window_bits=8; client_max_window_bits=8"),
        (policy(side(14, true), side(11, true)), "server_max_window_bits=11; client_max_window_bits=14"),
    ];
    for (policy, offer) in rows {
        assert_eq!(policy.offer().to_string(), with(offer), "{policy:?}");
    }
}

#[test]
fn answers_that_are_obeyed() {
    let terms = |server, client| Ok(Some(DeflateTerms { server, client }));
    let none = side(15, false);
    #[rustfmt::skip]
    let rows = [
        (ANY, "permessage-deflate", terms(FULL, FULL)),
        // W120: unasked.
        (ANY, "permessage-deflate; server_no_context_takeover", terms(none, FULL)),
        (ANY, "permessage-deflate; client_no_context_takeover", terms(FULL, none)),
        (ANY, "permessage-deflate; server_max_window_bits=8", terms(side(8, true), FULL)),
        (ANY, "permessage-deflate; server_max_window_bits=\"9\"", terms(side(9, true), FULL)),
        (ANY, "permessage-deflate; client_max_window_bits=8", terms(FULL, side(8, true))),
        (ANY, "permessage-deflate; client_max_window_bits=15; server_max_window_bits=15", terms(FULL, FULL)),
        // Asked: the smaller one as well.
        (SMALL, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9", terms(side(9, false), side(10, false))),
        (SMALL, "permessage-deflate; server_no_context_takeover; server_max_window_bits=8; client_max_window_bits=8",
            terms(side(8, false), side(8, false))),
        // §7.1.1.2: what was hinted at holds without an answer.
        (policy(side(11, false), FULL), "permessage-deflate", terms(FULL, side(11, false))),
        // W106: another extension.
        (ANY, "Permessage-Deflate; x", Ok(None)),
        (SMALL, "permessage-bzip2", Ok(None)),
    ];
    for (policy, answer, expected) in rows {
        assert_eq!(checked(policy, answer), expected, "{policy:?} {answer}");
    }
}

#[test]
fn answers_that_fail_the_handshake() {
    // W120, W121, W161: without a value it is legal in an offer only.
    let valueless = "client_max_window_bits".to_owned();
    for bad in bad_params().chain([valueless]) {
        for params in [bad.clone(), format!("client_no_context_takeover; {bad}")] {
            assert_eq!(checked(ANY, &with(&params)), Err(Rule::DeflateAnswer), "W120 {params}");
        }
    }
    for offered in 8..15_u8 {
        for bits in 8..=15_u8 {
            // W120: above what was offered, or asked.
            let too_large = if bits > offered { Err(Rule::DeflateAnswer) } else { Ok(()) };
            let own = policy(side(offered, true), FULL);
            let answer = with(&format!("client_max_window_bits={bits}"));
            assert_eq!(checked(own, &answer).map(|_| ()), too_large, "W120 {offered} {answer}");
            let peer = policy(FULL, side(offered, true));
            let answer = with(&format!("server_max_window_bits={bits}"));
            assert_eq!(checked(peer, &answer).map(|_| ()), too_large, "W120 {offered} {answer}");
        }
        // W163: ignored.
        let peer = policy(FULL, side(offered, true));
        for params in ["", "server_no_context_takeover", "client_max_window_bits=15"] {
            assert_eq!(checked(peer, &with(params)), Err(Rule::DeflateIgnored), "W163 {offered} {params}");
        }
    }
    for params in ["", "server_max_window_bits=15", "client_no_context_takeover"] {
        let peer = policy(FULL, side(15, false));
        assert_eq!(checked(peer, &with(params)), Err(Rule::DeflateIgnored), "W163 {params}");
    }
}

type Key = fn() -> [u8; 4];
type Asking = Session<Client<Key>, Vec<u8>>;

fn ask(policy: Option<DeflatePolicy>, others: &[(&str, Rsv)]) -> (Asking, SliceOutput<Vec<u8>>) {
    let uri = Uri::parse("ws://h/").unwrap();
    let mut request = client::Request::new(uri, *b"the sample nonce").extensions(others);
    if let Some(policy) = &policy {
        request = request.deflate(policy);
    }
    let mut out = SliceOutput::new(vec![0; 1024]);
    let key: Key = || [1, 2, 3, 4];
    let session = Session::client(Client(key), vec![0; 1024], Config::default(), &request, &mut out).unwrap();
    (session, out)
}

/// What a client makes of an answer with these extensions.
fn told(policy: Option<DeflatePolicy>, others: &[(&str, Rsv)], lines: &[&str]) -> Result<Agreed, Rule> {
    let (mut session, mut out) = ask(policy, others);
    let mut answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        .to_owned();
    for line in lines {
        answer += &format!("Sec-WebSocket-Extensions: {line}\r\n");
    }
    answer += "\r\n";
    let mut read = answer.into_bytes();
    match session.receive(&mut Input::new(&mut read), &mut out) {
        Some(Event::Opened) => Ok(session.agreed().unwrap()),
        Some(Event::Failed(error)) => Err(error.rule),
        other => panic!("{other:?}"),
    }
}

/// What was offered, the lines answered, and what comes of it.
type Row<'a> = (Option<DeflatePolicy>, &'a [&'a str], Result<Agreed, Rule>);

#[test]
fn answers_in_a_handshake() {
    let full = Agreed::default().with_deflate(DeflateTerms::default());
    assert_eq!(full.with_deflate(DeflateTerms::default()), full);
    let others: &[(&str, Rsv)] = &[("x", Rsv::RSV2)];
    let both = Agreed::with_reserved(Rsv::RSV2).with_deflate(DeflateTerms::default());
    let other = Agreed::with_reserved(Rsv::RSV2);
    #[rustfmt::skip]
    let rows: &[Row<'_>] = &[
        (Some(ANY), &[], Ok(Agreed::default())),
        (Some(ANY), &["permessage-deflate"], Ok(full)),
        (Some(ANY), &["x"], Ok(other)),
        (Some(ANY), &["permessage-deflate, x"], Ok(both)),
        (Some(ANY), &["x", "permessage-deflate"], Ok(both)),
        // W120: twice, in one line or two.
        (Some(ANY), &["permessage-deflate, permessage-deflate"], Err(Rule::ExtensionNotOffered)),
        (Some(ANY), &["permessage-deflate", "permessage-deflate; x"], Err(Rule::ExtensionNotOffered)),
        // W106, W119: another name, or not offered.
        (Some(ANY), &["Permessage-deflate"], Err(Rule::ExtensionNotOffered)),
        (None, &["permessage-deflate"], Err(Rule::ExtensionNotOffered)),
        (Some(ANY), &["permessage-deflate; x"], Err(Rule::DeflateAnswer)),
        (Some(ANY), &["x, permessage-deflate; server_max_window_bits"], Err(Rule::DeflateAnswer)),
        (Some(ANY), &["permessage-deflate; server_max_window_bits="], Err(Rule::ExtensionAnswer)),
        (Some(SMALL), &["permessage-deflate"], Err(Rule::DeflateIgnored)),
        (Some(SMALL), &["x"], Ok(other)),
    ];
    for (policy, lines, expected) in rows {
        assert_eq!(told(*policy, others, lines), *expected, "{policy:?} {lines:?}");
    }
}

/// A server with this policy reads a request's bytes: what it answers, and agreed on.
fn serve(
    policy: &DeflatePolicy,
    others: Option<&str>,
    request: &[u8],
) -> (Vec<u8>, Agreed, Option<DeflateTerms>) {
    let mut session = Session::server(vec![0; 1024], Config::default());
    let mut out = SliceOutput::new(vec![0; 1024]);
    let mut read = request.to_vec();
    let event = session.receive(&mut Input::new(&mut read), &mut out);
    assert!(matches!(event, Some(Event::Requested)), "{event:?}");
    let request = session.request().unwrap();
    let foreseen = request.deflate(policy);
    let mut accept = request.accept(OriginPolicy::SameHost).deflate(policy);
    if let Some(others) = others {
        accept = accept.extensions(others, Rsv::RSV2);
    }
    accept.write(&mut out).unwrap();
    (out.pending().to_vec(), session.agreed().unwrap(), foreseen)
}

fn extensions(head: &[u8]) -> Option<&str> {
    let head = std::str::from_utf8(head).unwrap();
    head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "))
}

/// Every pair of policies, through the bytes of the handshake: both ends agree on the same, within both policies, and
/// nothing is answered that was not offered.
#[test]
fn every_policy_with_every_other() {
    let sides: Vec<_> =
        [8, 9, 12, 15].into_iter().flat_map(|bits| [false, true].map(|on| side(bits, on))).collect();
    let policies: Vec<_> =
        sides.iter().flat_map(|&own| sides.iter().map(move |&peer| policy(own, peer))).collect();
    let within = |terms: DeflateSide, policy: DeflateSide| {
        (8..=15).contains(&terms.window_bits)
            && terms.window_bits <= policy.window_bits
            && (!terms.takeover || policy.takeover)
    };
    for &asking in &policies {
        let (_, out) = ask(Some(asking), &[("x", Rsv::RSV2)]);
        let offer = extensions(out.pending()).unwrap().to_owned();
        assert_eq!(offer, format!("{}, x", asking.offer()));
        for (at, &answering) in policies.iter().enumerate() {
            let others = (at % 2 == 0).then_some("x");
            let (answer, agreed, foreseen) = serve(&answering, others, out.pending());
            let (mut session, mut sink) = ask(Some(asking), &[("x", Rsv::RSV2)]);
            let mut read = answer.clone();
            let event = session.receive(&mut Input::new(&mut read), &mut sink);
            assert!(matches!(event, Some(Event::Opened)), "{asking:?} {answering:?} {event:?}");
            assert_eq!(session.agreed(), Some(agreed), "{asking:?} {answering:?}");
            // An offer always speaks of `client_max_window_bits`: none is declined.
            let terms = agreed.deflate().unwrap();
            assert_eq!(foreseen, Some(terms));
            assert!(within(terms.server, answering.own) && within(terms.server, asking.peer), "{terms:?}");
            assert!(within(terms.client, answering.peer) && within(terms.client, asking.own), "{terms:?}");
            // Nobody gives up more than either asked.
            let least = |a: DeflateSide, b: DeflateSide| {
                side(a.window_bits.min(b.window_bits), a.takeover && b.takeover)
            };
            assert_eq!(terms.server, least(answering.own, asking.peer));
            assert_eq!(terms.client, least(answering.peer, asking.own));
            let bits = Rsv::RSV1.with(if others.is_some() { Rsv::RSV2 } else { Rsv::NONE });
            assert_eq!(agreed.reserved(), bits);
            let listed = list(extensions(&answer).unwrap()).map(|found| found.name());
            assert!(listed.eq([NAME].into_iter().chain(others)), "{asking:?} {answering:?}");
        }
    }
}

#[test]
fn a_server_without_an_offer_that_fits() {
    let (_, out) = ask(None, &[("permessage-deflate; y", Rsv::RSV1), ("x", Rsv::RSV2)]);
    for others in [None, Some("x")] {
        let (answer, agreed, foreseen) = serve(&ANY, others, out.pending());
        assert_eq!(foreseen, None);
        assert_eq!(agreed.deflate(), None);
        assert_eq!(extensions(&answer), others);
    }
}

/// All 256 terms, as bytes and back, for both roles.
#[test]
fn terms_are_saved() {
    let sides = || (8..=15).flat_map(|bits| [false, true].map(|takeover| side(bits, takeover)));
    for (server, client) in sides().flat_map(|server| sides().map(move |client| (server, client))) {
        let terms = DeflateTerms { server, client };
        for reserved in [Rsv::NONE, Rsv::RSV2, Rsv::RSV2.with(Rsv::RSV3)] {
            let agreed = Agreed::with_reserved(reserved).with_deflate(terms);
            assert_eq!(agreed.deflate(), Some(terms));
            assert_eq!(agreed.reserved(), reserved.with(Rsv::RSV1));
            let mut bytes = [0; SAVED];
            let saved = Connection::new(Server, &Config::default(), agreed).save(&mut bytes);
            let restored = Connection::restore(Server, &bytes[..saved]).unwrap();
            assert_eq!(restored.agreed(), agreed);
            let key: Key = || [1, 2, 3, 4];
            let saved = Connection::new(Client(key), &Config::default(), agreed).save(&mut bytes);
            let restored = Connection::restore(Client(key), &bytes[..saved]).unwrap();
            assert_eq!(restored.agreed(), agreed);
        }
    }
    // Numbers that no window has are the nearest.
    for (bits, nearest) in [(0, 8), (7, 8), (16, 15), (255, 15)] {
        let [odd, even] = [bits, nearest].map(|bits| {
            let side = side(bits, true);
            Agreed::default().with_deflate(DeflateTerms { server: side, client: side })
        });
        assert_eq!(odd, even);
    }
}

proptest! {
    /// Whatever a list says: an answer is made of what the offer allows, and the client that offered would take it.
    #[test]
    fn any_offer(
        params in prop::collection::vec((0..5_usize, prop::option::of(0..20_u8)), 0..5),
        own in (8..=15_u8, any::<bool>()),
        peer in (8..=15_u8, any::<bool>()),
    ) {
        const NAMES: [&str; 5] = ["server_no_context_takeover", "client_no_context_takeover",
            "server_max_window_bits", "client_max_window_bits", "x"];
        let mut offer = NAME.to_owned();
        for (name, value) in &params {
            offer += &format!("; {}", NAMES[*name]);
            if let Some(value) = value {
                offer += &format!("={value}");
            }
        }
        let find = |at: usize| params.iter().find(|(name, _)| *name == at).map(|(_, value)| *value);
        let counts: Vec<_> = (0..5).map(|at| params.iter().filter(|(name, _)| *name == at).count()).collect();
        let sound = counts[..4].iter().all(|&count| count < 2) && counts[4] == 0
            && [0, 1].iter().all(|&at| find(at).is_none_or(|value| value.is_none()))
            && find(2).is_none_or(|value| value.is_some_and(|bits| (8..=15).contains(&bits)))
            && find(3).flatten().is_none_or(|bits| (8..=15).contains(&bits))
            && (peer.0 == 15 || find(3).is_some());
        let policy = policy(side(own.0, own.1), side(peer.0, peer.1));
        let answer = policy.answer(list(&offer));
        prop_assert_eq!(answer.is_some(), sound, "{}", offer);
        if let Some(answer) = answer {
            let asked = DeflatePolicy {
                own: side(find(3).flatten().unwrap_or(15), find(1).is_none()),
                peer: side(find(2).flatten().unwrap_or(15), find(0).is_none()),
            };
            let text = answer.to_string();
            prop_assert_eq!(asked.check(list(&text).next().unwrap()), Ok(Some(answer.terms())), "{}", text);
        }
    }
}
