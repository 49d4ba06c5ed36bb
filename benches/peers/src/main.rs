//! websocket-proto beside other crates: `benches/peers/run` is the way to start it, README.md says what it does.

mod accept;
mod measure;
mod peer;
mod peers;
mod table;
mod transport;
mod wire;
mod works;

use works::Wanted;

/// Rounds of each work, and how long a job may take of each, in nanoseconds.
const ROUNDS: usize = 31;
const TURN: u64 = 2_000_000;

fn main() {
    let (options, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let wanted = Wanted::new(words);
    match options.first().map(String::as_str) {
        None => times(&wanted),
        Some("--count") => works::all(&wanted).iter().for_each(measure::counted),
        Some("--checks") => checks(&wanted),
        Some(option) => panic!("{option}? There are --count and --checks"),
    }
}

fn times(wanted: &Wanted) {
    let works = works::all(wanted);
    assert!(!works.is_empty(), "no work of that name: see README.md");
    for works in works.chunk_by(|one, next| one.group == next.group) {
        let times: Vec<_> = works.iter().map(|work| measure::times(work, ROUNDS, TURN)).collect();
        println!("{}", table::times(works, &times));
    }
}

fn checks(wanted: &Wanted) {
    println!("## What each checks\n\n| | version | checks |\n|---|---|---|");
    for peer in wanted.peers() {
        println!("| {} | {} | {} |", peer.name(), peer.version(), peer.checks());
    }
    println!();
}
