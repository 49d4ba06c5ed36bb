//! Makes tables of what `run` measured.
//!
//! A line of its input, with tabs between: connections, payload, round, server, the server that is its floor, and what
//! `load` printed. Ratios are taken within a round, so that what slows the machine for longer slows both.

use std::{collections::BTreeMap, io};

/// Rows of one cell, in the order in which they came; in each the floor and, by round, what `load` printed.
#[derive(Default)]
struct Cell(Vec<(String, String, BTreeMap<usize, [f64; 4]>)>);

fn main() {
    let mut cells: Vec<((usize, usize), Cell)> = Vec::new();
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| fields[at].parse::<f64>().unwrap();
        let place = (number(0) as usize, number(1) as usize);
        if !cells.iter().any(|(at, _)| *at == place) {
            cells.push((place, Cell::default()));
        }
        let (_, cell) = cells.iter_mut().find(|(at, _)| *at == place).unwrap();
        cell.add(fields[3], fields[4], number(2) as usize, [5, 6, 7, 8].map(number));
    }
    for ((connections, payload), cell) in cells {
        println!("\n### {connections} connections, {payload} bytes\n");
        cell.print();
    }
}

impl Cell {
    fn add(&mut self, server: &str, floor: &str, round: usize, printed: [f64; 4]) {
        if self.rounds(server).is_none() {
            self.0.push((server.into(), floor.into(), BTreeMap::new()));
        }
        let (_, _, rounds) = self.0.iter_mut().find(|(name, ..)| name == server).unwrap();
        rounds.insert(round, printed);
    }

    fn rounds(&self, server: &str) -> Option<&BTreeMap<usize, [f64; 4]>> {
        self.0.iter().find(|(name, ..)| name == server).map(|(.., rounds)| rounds)
    }

    fn print(&self) {
        println!(
            "| server | messages/s | of its raw echo's | of `echo`'s | µs/message | of its raw echo's | busy: server, load |"
        );
        println!("|---|---|---|---|---|---|---|");
        for (server, floor, rounds) in &self.0 {
            let middle = |at: usize| median(rounds.values().map(|printed| printed[at]).collect());
            println!(
                "| {server} | {:.0} | {} | {} | {:.2} | {} | {:.0} %, {:.0} % |",
                middle(0),
                self.ratio(rounds, floor, 0),
                self.ratio(rounds, "echo", 0),
                middle(1),
                self.ratio(rounds, floor, 1),
                middle(2),
                middle(3)
            );
        }
    }

    /// The median and the extremes of the ratio of one of the numbers.
    fn ratio(&self, rounds: &BTreeMap<usize, [f64; 4]>, other: &str, at: usize) -> String {
        let Some(others) = self.rounds(other) else { return String::new() };
        let mut ratios: Vec<f64> =
            rounds.iter().filter_map(|(round, printed)| Some(printed[at] / others.get(round)?[at])).collect();
        ratios.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (ratios.first(), ratios.last()) else { return String::new() };
        format!("{:.2} ({least:.2}–{most:.2})", median(ratios.clone()))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[half - 1], values[half]) } else { values[half] }
}
