//! Markdown.

use std::fmt::Write;

use crate::{peers, works::Work};

/// The value below which this part of the values lies.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

/// Three digits that say something.
fn short(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A line a peer, a column a work; `cell` is given the work's number and the job's in it.
fn table(works: &[Work], cell: impl Fn(usize, usize) -> String) -> String {
    let mut peers: Vec<&str> = Vec::new();
    for job in works.iter().flat_map(|work| &work.jobs) {
        if !peers.contains(&job.peer.name()) {
            peers.push(job.peer.name());
        }
    }
    let mut text = String::from("| |");
    works.iter().for_each(|work| write!(text, " {} |", work.name).unwrap());
    text.push_str("\n|---|");
    works.iter().for_each(|_| text.push_str("---:|"));
    for peer in peers {
        write!(text, "\n| {peer} |").unwrap();
        for (w, work) in works.iter().enumerate() {
            let job = work.jobs.iter().position(|job| job.peer.name() == peer);
            write!(text, " {} |", job.map_or("–".to_owned(), |job| cell(w, job))).unwrap();
        }
    }
    text.push('\n');
    text
}

/// The times of a group's works, and how many times as long as the first peer each took in the same round.
pub fn times(works: &[Work], times: &[Vec<Vec<f64>>]) -> String {
    let ns = table(works, |w, j| short(quantile(&times[w][j], 0.5)));
    let ratio = |w: usize, j: usize| {
        let pairs: Vec<f64> = times[w][j].iter().zip(&times[w][0]).map(|(peer, us)| peer / us).collect();
        let [low, middle, high] = [0.25, 0.5, 0.75].map(|part| short(quantile(&pairs, part)));
        if j == 0 { "1".to_owned() } else { format!("{middle} ({low}–{high})") }
    };
    let ratios = table(works, ratio);
    format!(
        "## {}: ns a message\n\n{ns}\n\
         Multiples of {}'s, the median of the rounds and its quartiles:\n\n{ratios}",
        works[0].group,
        peers::ALL[0].name()
    )
}
