//! Every mutant of cargo-mutants in one build: `weave PACKAGE OUT CARGO-TEST-TARGET...`
//!
//! The list of mutants, `OUT/list.json`, comes from `cargo mutants --list --json`. All of them are written into a copy
//! of the package, `OUT/tree`, each behind a switch (`switch.rs`); the tests are built once and run for each mutant,
//! those that reach it alone. `OUT/results` gets a line for each mutant as soon as its fate is known: caught, timeout,
//! unviable, missed (with how many tests reach it), or left, if it could not be woven. A run that was broken off goes
//! on where it was.

mod mutants;
mod source;
mod tests;
mod tree;

use std::{
    collections::BTreeMap,
    env, fs,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::{
    mutants::Mutant,
    tests::{Test, Verdict},
};

const WORKERS: usize = 2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weave: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [package, out, targets @ ..] = arguments.as_slice() else {
        return Err("weave PACKAGE OUT CARGO-TEST-TARGET...".to_owned());
    };
    let (package, out) = (Path::new(package), Path::new(out));
    let list = fs::read_to_string(out.join("list.json")).map_err(|error| format!("list.json: {error}"))?;
    let mutants = mutants::read(&list)?;
    let known = fs::read_to_string(out.join("results")).unwrap_or_default();
    let fates: BTreeMap<&str, &str> = known
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(fate, rest)| (rest.split('\t').next().unwrap_or_default(), fate))
        .collect();
    let fate = |number: &u32| fates.get(mutants[number].name.as_str()).copied();

    let root = out.join("tree");
    let could = mutants.keys().copied().filter(|number| !matches!(fate(number), Some("unviable" | "left")));
    let tree = tree::write(package, &root, &mutants, could.collect())?;
    let file = OpenOptions::new().create(true).append(true).open(out.join("results"));
    let results = Results(Mutex::new(file.map_err(|error| format!("results: {error}"))?));
    for (numbers, fate) in [(&tree.unviable, "unviable"), (&tree.left, "left")] {
        numbers.iter().try_for_each(|number| results.put(fate, &mutants[number], ""))?;
    }
    let waiting: Vec<u32> = tree.woven.iter().copied().filter(|number| fate(number).is_none()).collect();
    eprintln!(
        "{} unviable, {} left, {} woven: {} to try",
        tree.unviable.len(),
        tree.left.len(),
        tree.woven.len(),
        waiting.len()
    );
    if waiting.is_empty() {
        return Ok(());
    }
    let mut tests = tests::trace(&root, targets)?;
    tests.sort_by_key(|test| test.time);
    let times = tests.iter().map(|test| format!("{:?}\t{}\t{}\n", test.time, test.reaches.len(), test.name));
    fs::write(out.join("tests"), times.collect::<String>()).map_err(|error| format!("tests: {error}"))?;
    eprintln!(
        "{} tests, {:?} one after the other",
        tests.len(),
        tests.iter().map(|test| test.time).sum::<Duration>()
    );
    try_all(&root, &tests, &waiting, &mutants, &results)
}

struct Results(Mutex<File>);

impl Results {
    fn put(&self, fate: &str, mutant: &Mutant, note: &str) -> Result<(), String> {
        let line = format!("{fate}\t{}\t{note}\n", mutant.name);
        let mut file = self.0.lock().map_err(|error| error.to_string())?;
        file.write_all(line.as_bytes()).map_err(|error| format!("results: {error}"))
    }
}

/// Two rounds: the quick tests on every mutant, then the others on those that live.
fn try_all(
    root: &Path,
    tests: &[Test],
    waiting: &[u32],
    mutants: &BTreeMap<u32, Mutant>,
    results: &Results,
) -> Result<(), String> {
    let all: Duration = tests.iter().map(|test| test.time).sum();
    let mut sum = Duration::ZERO;
    let quick = tests.partition_point(|test| {
        sum += test.time;
        sum < all / 5
    });
    let (quick, slow) = tests.split_at(quick);
    let living = round(root, quick, waiting, mutants, results)?;
    let names: String = living.iter().map(|number| mutants[number].name.clone() + "\n").collect();
    fs::write(root.with_file_name("living"), names).map_err(|error| format!("living: {error}"))?;
    eprintln!("{} live after {} tests", living.len(), quick.len());
    for number in round(root, slow, &living, mutants, results)? {
        let reaching = tests.iter().filter(|test| test.reaches.contains(&number)).count();
        results.put("missed", &mutants[&number], &format!("reached by {reaching} tests"))?;
    }
    Ok(())
}

/// Returns the mutants that live.
fn round(
    root: &Path,
    tests: &[Test],
    waiting: &[u32],
    mutants: &BTreeMap<u32, Mutant>,
    results: &Results,
) -> Result<Vec<u32>, String> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<u32>, String> {
        let mut living = Vec::new();
        while let Some(&number) = waiting.get(next.fetch_add(1, Relaxed)) {
            let reaching: Vec<&Test> = tests.iter().filter(|test| test.reaches.contains(&number)).collect();
            match try_one(root, &reaching, number)? {
                Verdict::Failed => results.put("caught", &mutants[&number], "")?,
                Verdict::TimedOut => results.put("timeout", &mutants[&number], "")?,
                Verdict::Passed => living.push(number),
            }
        }
        Ok(living)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let mut living = Vec::new();
        for worker in workers {
            living.extend(worker.join().map_err(|_| "a worker panicked".to_owned())??);
        }
        living.sort_unstable();
        Ok(living)
    })
}

/// The quickest tests first, in runs that grow: most mutants fall to the first.
fn try_one(root: &Path, mut tests: &[&Test], number: u32) -> Result<Verdict, String> {
    let mut budget = Duration::from_millis(50);
    while !tests.is_empty() {
        let mut time = Duration::ZERO;
        let quick = tests.iter().take_while(|test| {
            time += test.time;
            time < budget
        });
        let (batch, rest) = tests.split_at(quick.count().max(1));
        match tests::run(root, batch, number)? {
            Verdict::Passed => tests = rest,
            verdict => return Ok(verdict),
        }
        budget *= 4;
    }
    Ok(Verdict::Passed)
}
