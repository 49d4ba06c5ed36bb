//! Keeps `docs/compliance.md` true: every row names files that are there and know its number, every number that the
//! code or a test names has a row, and so has every [`Rule`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use websocket_proto::Rule;

const PAGE: &str = "docs/compliance.md";
/// The chapter of rules that no file enforces.
const PLANNED: &str = "Not implemented yet";

/// A line of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    /// Where it stands in the page, from 1.
    line: usize,
    chapter: String,
    number: u16,
    /// Sections, such as `RFC 6455 §5.2`.
    rfc: Vec<String>,
    /// Files in `src/` and in `tests/`; none if it is planned.
    src: Vec<String>,
    tests: Vec<String>,
}

/// The rows of the page, and what is wrong with its form.
fn parse(page: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut faults, mut chapter) = (Vec::new(), Vec::new(), "");
    for (line, text) in (1..).zip(page.lines()) {
        if let Some(title) = text.strip_prefix("## ") {
            chapter = title.trim();
        }
        let Some(cells) = text.strip_prefix('|') else { continue };
        let cells: Vec<&str> = cells.trim_end().trim_end_matches('|').split('|').map(str::trim).collect();
        let first = cells.first().copied().unwrap_or_default();
        if first == "number" || first.starts_with("---") {
            continue;
        }
        let number = first.strip_prefix('W').and_then(|digits| digits.parse().ok());
        let list =
            |cell: &str| cell.split(',').map(|item| item.trim().trim_matches('`').to_owned()).collect();
        match (number, &cells[1..]) {
            (Some(number), [rule, rfc, src, tests]) if chapter != PLANNED && !rule.is_empty() => {
                rows.push(Row {
                    line,
                    chapter: chapter.into(),
                    number,
                    rfc: list(rfc),
                    src: list(src),
                    tests: list(tests),
                })
            }
            (Some(number), [rule, rfc, "planned"]) if chapter == PLANNED && !rule.is_empty() => {
                rows.push(Row { line, chapter: chapter.into(), number, rfc: list(rfc), ..Row::default() });
            }
            _ => faults.push(format!("{PAGE}:{line}: not a row of \"{chapter}\": {text}")),
        }
    }
    (rows, faults)
}

/// The numbers of rules in a text: a `W` and digits, as a whole word.
fn numbers(text: &str) -> BTreeSet<u16> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter_map(|word| word.strip_prefix('W'))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    parse(&fs::read_to_string(root().join(PAGE)).unwrap()).0
}

/// Every Rust file below a folder, by its path from the root.
fn files(folder: &str) -> BTreeMap<String, String> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.to_str().unwrap().replace('\\', "/");
                files.insert(name, fs::read_to_string(root().join(&path)).unwrap());
            }
        }
    }
    files
}

/// Fails with all faults at once: whoever adds a rule sees everything that it needs.
#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn the_page_is_in_order() {
    let (rows, mut faults) = parse(&fs::read_to_string(root().join(PAGE)).unwrap());
    assert!(rows.len() > 100, "{PAGE} has {} rows", rows.len());
    let mut lines = BTreeMap::new();
    for row in &rows {
        if let Some(earlier) = lines.insert(row.number, row.line) {
            faults.push(format!("{PAGE}:{}: W{} stands in line {earlier} too", row.line, row.number));
        }
    }
    for pair in rows.windows(2) {
        let [before, row] = pair else { continue };
        if row.chapter == before.chapter && row.number < before.number {
            faults.push(format!("{PAGE}:{}: W{} stands behind W{}", row.line, row.number, before.number));
        }
    }
    assert_none(&faults);
}

#[test]
fn files_know_their_rules() {
    let (src, tests) = (files("src"), files("tests"));
    let mut faults = Vec::new();
    for row in rows().iter().filter(|row| row.chapter != PLANNED) {
        for (paths, files, what) in [(&row.src, &src, "src"), (&row.tests, &tests, "tests")] {
            for path in paths {
                let at = format!("{PAGE}:{}: W{}: {path}", row.line, row.number);
                match files.get(path) {
                    // The catalogue knows every rule and enforces none.
                    _ if path == "src/rule.rs" => faults.push(format!("{at} enforces no rule")),
                    None => faults.push(format!("{at} is no file in {what}/")),
                    Some(text) if !numbers(text).contains(&row.number) => {
                        faults.push(format!("{at} does not say W{}", row.number));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn numbers_have_rows() {
    let known: BTreeSet<u16> = rows().iter().map(|row| row.number).collect();
    let mut faults = Vec::new();
    for (path, text) in files("src").into_iter().chain(files("tests")) {
        for (line, text) in (1..).zip(text.lines()) {
            for number in numbers(text).difference(&known) {
                faults.push(format!("{path}:{line}: W{number} has no row in {PAGE}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn the_catalogue_has_rows() {
    let rows = rows();
    let mut faults = Vec::new();
    for rule in Rule::ALL {
        let row = rows.iter().find(|row| row.chapter != PLANNED && format!("W{}", row.number) == rule.id());
        match row {
            None => {
                faults.push(format!("Rule::{} is {}, which has no row in {PAGE}", rule.name(), rule.id()))
            }
            Some(row) if !row.rfc.iter().any(|section| section == rule.rfc()) => faults.push(format!(
                "{PAGE}:{}: {}: Rule::{} stands in {}, which the row does not name",
                row.line,
                rule.id(),
                rule.name(),
                rule.rfc()
            )),
            Some(_) => {}
        }
    }
    assert_none(&faults);
}

#[test]
fn the_reader_of_the_page() {
    let page = "Text with a | in it.\n## A\n| number | rule | RFC | src | test |\n|---|---|---|---|---|\n\
        | W2 | Rule. | RFC 1 §2, RFC 3 | `src/a.rs`, `src/b.rs` | `tests/c.rs` |\n| W3 | No test. | — | `src/a.rs` |\n\
        | 4 | No W. | — | `src/a.rs` | `tests/c.rs` |\n| W5 | Not here. | — | planned |\n\
        ## Not implemented yet\n| W6 | Soon. | RFC 1 | planned |\n| W7 | Now. | — | `src/a.rs` | `tests/c.rs` |\n";
    let (rows, faults) = parse(page);
    let two = Row {
        line: 5,
        chapter: "A".into(),
        number: 2,
        rfc: vec!["RFC 1 §2".into(), "RFC 3".into()],
        src: vec!["src/a.rs".into(), "src/b.rs".into()],
        tests: vec!["tests/c.rs".into()],
    };
    let six =
        Row { line: 10, chapter: PLANNED.into(), number: 6, rfc: vec!["RFC 1".into()], ..Row::default() };
    assert_eq!(rows, [two, six]);
    assert_eq!(faults.len(), 4, "{faults:?}");
    for (fault, line) in faults.iter().zip([6, 7, 8, 11]) {
        assert!(fault.starts_with(&format!("{PAGE}:{line}: ")), "{fault}");
    }
    // Spelled in two halves: the numbers of this file are looked up as well.
    let text = ["(§5, ", "1, ", "2). ", "3b x", "4 ", "_5 ", " ", "6_"].join("W");
    assert_eq!(numbers(&text), [1, 2].into());
}

/// W153: whatever a user may implement is a source of keys or an output, and nothing public takes a closure.
#[test]
fn nothing_of_the_users_is_called_back() {
    let src = files("src");
    let exports = words(&src["src/lib.rs"]);
    let mut open = BTreeSet::new();
    for (path, text) in &src {
        for declared in text.lines().filter_map(|line| line.strip_prefix("pub trait ")) {
            let (name, bounds) = declared.split_at(declared.find(['<', ':', ' ']).unwrap_or(declared.len()));
            let sealed = bounds.contains("sealed::Sealed") || bounds.contains(": Role");
            if !sealed && exports.contains(name) {
                open.insert(name);
            }
        }
        for signature in ["pub fn ", "pub const fn "].iter().flat_map(|start| text.split(start).skip(1)) {
            let signature = signature.split(['{', ';']).next().unwrap_or_default();
            for closure in ["Fn(", "FnMut(", "FnOnce(", "fn("] {
                assert!(!signature.contains(closure), "W153 {path}: pub fn {signature}");
            }
        }
    }
    assert_eq!(open, ["MaskSource", "Output"].into(), "W153");
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').collect()
}
