//! The works: what every peer is given, whether what it makes of it is right, and the jobs to be timed or counted.

mod decode;
mod encode;
mod handshake;
mod unmask;

use crate::{peer::Peer, peers};

/// Does a work so many times.
pub type Run = Box<dyn FnMut(usize)>;

/// One peer at one work.
pub struct Job {
    pub peer: &'static dyn Peer,
    /// Sets it up, with memory of its own.
    pub begin: Box<dyn Fn() -> Run>,
}

/// A work: a column of its group's table.
pub struct Work {
    pub group: &'static str,
    pub name: String,
    /// Messages, or whatever is counted, in one run.
    pub messages: usize,
    pub jobs: Vec<Job>,
}

/// Chooses works and peers by words; without words everything.
pub struct Wanted {
    works: Vec<String>,
    peers: Vec<String>,
}

impl Wanted {
    pub fn new(words: Vec<String>) -> Self {
        let (peers, works) =
            words.into_iter().partition(|word| peers::ALL.iter().any(|peer| peer.name() == word));
        Self { works, peers }
    }

    /// The first is what the others are compared with.
    pub fn peers(&self) -> impl Iterator<Item = &'static dyn Peer> {
        let us = peers::ALL[0].name();
        let chosen = move |peer: &&dyn Peer| {
            self.peers.is_empty() || peer.name() == us || self.peers.iter().any(|name| name == peer.name())
        };
        peers::ALL.iter().copied().filter(chosen)
    }

    /// The work with the peers that can do it, or nothing if it is not wanted. `job` fails where a result is wrong.
    fn work(
        &self,
        group: &'static str,
        name: &str,
        messages: usize,
        job: impl Fn(&'static dyn Peer) -> Option<Result<Box<dyn Fn() -> Run>, String>>,
    ) -> Option<Work> {
        let title = format!("{group}: {name}");
        if !self.works.is_empty() && !self.works.iter().any(|word| title.contains(word.as_str())) {
            return None;
        }
        let jobs = self.peers().filter_map(|peer| match job(peer)? {
            Ok(begin) => Some(Job { peer, begin }),
            Err(error) => {
                eprintln!("{title}: {} is left out: {error}", peer.name());
                None
            }
        });
        Some(Work { group, name: name.to_owned(), messages, jobs: jobs.collect() })
    }
}

/// Every wanted work.
pub fn all(wanted: &Wanted) -> Vec<Work> {
    let groups =
        [decode::works(wanted), encode::works(wanted), unmask::works(wanted), handshake::works(wanted)];
    groups.into_iter().flatten().collect()
}
