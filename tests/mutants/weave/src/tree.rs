//! The woven tree: a copy of the package in which every mutant that compiles can be switched on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

use crate::{
    mutants::{Genre, Mutant},
    source::{self, Woven},
};

/// It declares modules and has no code of its own.
const LIBRARY: &str = "src/lib.rs";

/// What became of the mutants.
pub(crate) struct Tree {
    pub(crate) woven: BTreeSet<u32>,
    /// What a function would return is not of its type, or a match would lack arms.
    pub(crate) unviable: BTreeSet<u32>,
    /// No place was found, or the woven text does not compile, whatever the reason.
    pub(crate) left: BTreeSet<u32>,
}

/// Writes the tree with the mutants of these numbers, and leaves out what the compiler refuses until it refuses
/// nothing.
pub(crate) fn write(
    package: &Path,
    root: &Path,
    mutants: &BTreeMap<u32, Mutant>,
    numbers: BTreeSet<u32>,
) -> Result<Tree, String> {
    let sources = copy(package, root)?;
    let mut tree = Tree { woven: numbers, unviable: BTreeSet::new(), left: BTreeSet::new() };
    let mut files: BTreeMap<String, Woven> = BTreeMap::new();
    let mut stale = sources;
    loop {
        for file in &stale {
            let source =
                fs::read_to_string(package.join(file)).map_err(|error| format!("{file}: {error}"))?;
            let source = without_inline(&source);
            let numbers = tree.woven.iter().map(|&number| (number, &mutants[&number]));
            let here: Vec<_> = numbers.filter(|(_, mutant)| mutant.file == *file).collect();
            let woven = source::weave(&source, &here).map_err(|error| format!("{file}: {error}"))?;
            tree.leave(&woven.left);
            put(&root.join(file), &woven.text)?;
            files.insert(file.clone(), woven);
        }
        let refused = refused(root, &files)?;
        if refused.is_empty() {
            return Ok(tree);
        }
        eprintln!("the compiler refuses {}", refused.len());
        stale = refused.keys().map(|number| mutants[number].file.clone()).collect();
        for (number, fault) in refused {
            match (mutants[&number].genre, fault) {
                (Genre::FnValue, Fault::Own { .. }) | (Genre::MatchArm, Fault::Own { lacks_arms: true }) => {
                    tree.woven.remove(&number);
                    tree.unviable.insert(number);
                }
                _ => tree.leave(&[number]),
            }
        }
    }
}

impl Tree {
    fn leave(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.woven.remove(number);
            self.left.insert(*number);
        }
    }
}

/// Copies all but the sources, whose names it returns, and prepares the switch.
fn copy(package: &Path, root: &Path) -> Result<BTreeSet<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", root.display());
    fs::create_dir_all(root).map_err(failed)?;
    let files = "git -C \"$1\" ls-files -z --cached --others --exclude-standard -- . ':!src/*.rs'";
    let status = Command::new("sh")
        .args(["-c", &format!("{files} | tar -C \"$1\" --null -T - -cf - | tar -C \"$2\" -xf -"), "sh"])
        .args([package, root])
        .status()
        .map_err(failed)?;
    if !status.success() {
        return Err(format!("{}: the package cannot be copied", root.display()));
    }
    put(&root.join("src/mutant.rs"), include_str!("switch.rs"))?;
    let listed =
        Command::new("git").arg("-C").arg(package).args(["ls-files", "src/*.rs"]).output().map_err(failed)?;
    let mut sources: BTreeSet<String> =
        String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect();
    let library = fs::read_to_string(package.join(LIBRARY)).map_err(|error| format!("{LIBRARY}: {error}"))?;
    let switched =
        library.replacen("#![no_std]", "#![feature(const_eval_select, core_intrinsics)]\n#![no_std]", 1);
    put(&root.join(LIBRARY), &format!("{switched}\nmod mutant;\n"))?;
    sources.remove(LIBRARY);
    Ok(sources)
}

/// Leaves out what asks for inlining, which would copy the mutants into every test: minutes of compiling.
fn without_inline(source: &str) -> String {
    let mut source = source.to_owned();
    for attribute in ["#[inline]", "#[inline(always)]", "#[inline(never)]"] {
        source = source.replace(attribute, &" ".repeat(attribute.len()));
    }
    source
}

/// Writes a file unless it is like that: cargo then builds nothing again.
fn put(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    fs::write(path, text).map_err(failed)
}

#[derive(Clone, Copy)]
enum Fault {
    /// In the mutant's own text.
    Own { lacks_arms: bool },
    /// In the text around it.
    Around,
}

/// Compiles the tree. Returns the mutants whose text has a fault in it, or, where none has, those around the fault.
fn refused(root: &Path, files: &BTreeMap<String, Woven>) -> Result<BTreeMap<u32, Fault>, String> {
    let output = Command::new("cargo")
        .args(["check", "--lib", "--all-features", "--message-format=json"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo check: {error}"))?;
    let mut found = BTreeMap::new();
    let mut elsewhere = String::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let message = &entry["message"];
        if message["level"] != "error" {
            continue;
        }
        let at_fault = at_fault(message, files);
        if at_fault.is_empty() {
            elsewhere.push_str(message["rendered"].as_str().unwrap_or_default());
        }
        found.extend(at_fault);
    }
    match output.status.success() || !found.is_empty() {
        true => Ok(found),
        false => Err(format!(
            "the woven tree does not compile:\n{elsewhere}{}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn at_fault(message: &Value, files: &BTreeMap<String, Woven>) -> BTreeMap<u32, Fault> {
    let own = Fault::Own { lacks_arms: message["code"]["code"] == "E0004" };
    let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    // The first spans first: a fault's other spans may lie in the text of mutants that are not at fault.
    for primary in [true, false] {
        let mut found = BTreeMap::new();
        for span in spans.iter().filter(|span| span["is_primary"] == primary) {
            let Some(woven) = span["file_name"].as_str().and_then(|name| files.get(name)) else { continue };
            let at = span["byte_start"].as_u64().map_or(0, |at| usize::try_from(at).unwrap_or(0));
            let inside = woven.mutants.iter().find(|(range, _)| range.contains(&at));
            let around = woven.originals.iter().filter(|(range, _)| range.contains(&at));
            match (inside, around.min_by_key(|(range, _)| range.len())) {
                (Some(&(_, number)), _) => {
                    found.insert(number, own);
                }
                (None, Some((_, numbers))) => {
                    found.extend(numbers.iter().map(|&number| (number, Fault::Around)))
                }
                (None, None) => {}
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    BTreeMap::new()
}
