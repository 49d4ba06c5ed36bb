//! The test programs of the woven tree, what each test reaches, and a run of some tests with a mutant on.
#![allow(clippy::disallowed_methods, reason = "a driver reads its clock")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// More than any test takes, and less than the machine has, in KiB of address space.
const MEMORY: u32 = 4 << 20;
/// The processor's time for a test with no mutant on, in seconds.
const UNTIMED: u64 = 600;
/// The signal that ends a program beyond its time.
const SIGXCPU: i32 = 24;

pub(crate) struct Test {
    program: PathBuf,
    pub(crate) name: String,
    pub(crate) time: Duration,
    pub(crate) reaches: BTreeSet<u32>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    TimedOut,
}

/// Builds the programs of `targets` and runs each of their tests with no mutant on.
pub(crate) fn trace(root: &Path, targets: &[String]) -> Result<Vec<Test>, String> {
    let output = Command::new("cargo")
        .args(["test", "--no-run", "--all-features", "--message-format=json"])
        .args(targets)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo test: {error}"))?;
    if !output.status.success() {
        return Err("the tests of the woven tree do not compile".to_owned());
    }
    let mut tests = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let Some(program) = entry["executable"].as_str().filter(|_| entry["profile"]["test"] == true) else {
            continue;
        };
        let ignored = list(Path::new(program), &["--ignored"])?;
        for name in list(Path::new(program), &[])? {
            if !ignored.contains(&name) {
                tests.push(traced(root, Path::new(program), name)?);
            }
        }
    }
    Ok(tests)
}

fn list(program: &Path, arguments: &[&str]) -> Result<BTreeSet<String>, String> {
    let output = Command::new(program).args(["--list", "--format=terse"]).args(arguments).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

fn traced(root: &Path, program: &Path, name: String) -> Result<Test, String> {
    let reached = root.join("reached");
    let start = Instant::now();
    let mut command = command(root, program, &[&name], UNTIMED);
    let output =
        command.env("MUTANT_REACHED", &reached).output().map_err(|error| format!("{name}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !text.contains("1 passed") {
        return Err(format!("{name} fails with no mutant on:\n{text}"));
    }
    // A test that does not reach any code of the library leaves no file.
    let numbers = fs::read_to_string(&reached).unwrap_or_default();
    let _ = fs::remove_file(&reached);
    let reaches = numbers.lines().filter_map(|line| line.parse().ok()).collect();
    Ok(Test { program: program.to_owned(), name, time: start.elapsed(), reaches })
}

/// `time`: the limit of the processor's time in seconds.
fn command(root: &Path, program: &Path, names: &[&str], time: u64) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -c 0; ulimit -v {MEMORY}; ulimit -t {time}; exec \"$@\""), "sh"])
        .arg(program)
        .args(["--test-threads=1", "-Zunstable-options", "--fail-fast", "--exact"])
        .args(names)
        .current_dir(root)
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .stdin(Stdio::null());
    command
}

/// Runs tests with a mutant on, one program after the other, until one fails.
pub(crate) fn run(root: &Path, tests: &[&Test], number: u32) -> Result<Verdict, String> {
    let programs: BTreeSet<&Path> = tests.iter().map(|test| test.program.as_path()).collect();
    for program in programs {
        let of: Vec<&Test> = tests.iter().copied().filter(|test| test.program == program).collect();
        let names: Vec<&str> = of.iter().map(|test| test.name.as_str()).collect();
        let time: Duration = of.iter().map(|test| test.time).sum();
        let mut child = command(root, program, &names, 3 + 5 * time.as_secs())
            .env("MUTANT", number.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        // What waits for ever uses no time of the processor's.
        let end = Instant::now() + Duration::from_secs(60) + time * 20;
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if Instant::now() > end => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Ok(Verdict::TimedOut);
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        if status.signal() == Some(SIGXCPU) {
            return Ok(Verdict::TimedOut);
        }
        if !status.success() {
            return Ok(Verdict::Failed);
        }
    }
    Ok(Verdict::Passed)
}
