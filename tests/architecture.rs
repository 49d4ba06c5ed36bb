//! Proves that a file imports only from lower floors, and that the machine has no `unsafe`, no clock and no hash map.
//!
//! The house is the table [`HOUSE`]. A file may import from every lower floor, and from files of its own folder on
//! earlier lines. A file that is not in the table fails the test, and so does an entry without a file.

use std::{collections::BTreeMap, fs, path::Path};

/// Every floor's files by module path. Within a floor, files of one folder on one line know nothing of each other,
/// and those on a later line may use the earlier ones.
const HOUSE: &[(u8, &[&str])] = &[
    (0, &["rule", "utf8", "opcode", "config", "mask::key"]),
    (0, &["mask::kernel", "mask::small"]),
    (0, &["mask::simd"]),
    (0, &["mask"]),
    (1, &["error", "bytes", "close"]),
    (2, &["frame::header", "http::class", "http::uri_error"]),
    (2, &["http::words"]),
    (2, &["http::list", "http::accept", "http::fields"]),
    (2, &["http::ipv6"]),
    (
        2,
        &[
            "frame::decode",
            "frame::encode",
            "frame::straight",
            "http::authority",
            "http::compose",
            "http::head",
        ],
    ),
    (2, &["frame::prepared", "http::body", "http::scan", "http::uri"]),
    (2, &["frame", "http"]),
    (3, &["state", "role"]),
    (3, &["negotiate::protocol", "negotiate::origin", "negotiate::extension_grammar"]),
    (3, &["negotiate::extension"]),
    (3, &["negotiate::deflate"]),
    (3, &["negotiate::agreed"]),
    (3, &["negotiate"]),
    (4, &["event", "message"]),
    (5, &["connection::flags"]),
    (5, &["connection::reader", "connection::writer", "handshake::server::stage"]),
    (5, &["connection::debt"]),
    (
        5,
        &[
            "connection",
            "handshake::server::request",
            "handshake::client::request",
            "handshake::client::response",
        ],
    ),
    (5, &["connection::save", "connection::endpoint", "handshake::server::answer"]),
    (5, &["handshake::client", "handshake::server"]),
    (5, &["handshake"]),
    (6, &["session", "keepalive", "reconnect"]),
    (6, &["deflate::engine"]),
    (6, &["deflate::window", "deflate::zlib"]),
    (6, &["deflate::heap"]),
    (6, &["deflate::inflate"]),
    (6, &["deflate::compress"]),
    (6, &["deflate"]),
    (7, &["assemble"]),
    (8, &["lib"]),
];

/// Whether a file may import from another.
fn may_import(own: &str, other: &str) -> bool {
    let folder = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
    match (place(own), place(other)) {
        (Some((own_floor, own_line)), Some((floor, line))) => {
            floor < own_floor || (folder(own) == folder(other) && line < own_line)
        }
        _ => false,
    }
}

/// Where a module stands: floor and line.
fn place(module: &str) -> Option<(u8, usize)> {
    let line = HOUSE.iter().position(|(_, files)| files.contains(&module))?;
    Some((HOUSE[line].0, line))
}

/// The sources by module path, without comments and the contents of strings.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root).unwrap().with_extension("");
                let parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap()).collect();
                assert_ne!(parts.last(), Some(&"mod"), "{}: name it after its folder", path.display());
                found.insert(parts.join("::"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    assert!(found.len() > 10, "the sources are not where they were");
    found
}

/// The code alone: comments, and what stands between quotes, become nothing.
fn code(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if next == '"' {
            let bytes = rest.as_bytes();
            let mut end = 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            code.push_str("\"\"");
            rest = rest.get(end + 1..).unwrap_or("");
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest = &rest[rest[1..].find("'").unwrap() + 2..];
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

/// Code as words and signs: `crate`, `::`, `{`, `name`, `,` ...
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

/// Every path that begins with `crate`, `super` or `self` and goes on, braces opened, each from the crate's root:
/// `use crate::{a::{self, B}, c}` in any file gives `a`, `a::B`, `c`.
fn paths(module: &str, source: &str) -> Vec<String> {
    let code = code(source);
    let tokens = tokens(&code);
    let file: Vec<&str> = if module == "lib" { Vec::new() } else { module.split("::").collect() };
    let mut inline: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0;
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            "mod" if tokens.get(at + 2) == Some(&"{") => {
                inline.push((tokens[at + 1], depth));
                depth += 1;
                at += 3;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|(_, opened)| *opened < depth);
            }
            "crate" | "super" | "self"
                if tokens.get(at + 1) == Some(&"::")
                    && (at == 0 || !matches!(tokens[at - 1], "::" | "$")) =>
            {
                let mut base: Vec<&str> = file.clone();
                base.extend(inline.iter().map(|(name, _)| name));
                match tokens[at] {
                    "crate" => base.clear(),
                    "super" => drop(base.pop()),
                    _ => {}
                }
                at = tree(&tokens, at + 2, base, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads the rest of a path or the braces behind it, and says where they end.
fn tree<'c>(tokens: &[&'c str], mut at: usize, mut base: Vec<&'c str>, found: &mut Vec<String>) -> usize {
    loop {
        match tokens.get(at).copied() {
            Some("{") => {
                at += 1;
                while tokens.get(at) != Some(&"}") {
                    at = tree(tokens, at, base.clone(), found);
                    if tokens.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            Some("super") => drop(base.pop()),
            Some("self" | "*") => {}
            Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => base.push(name),
            _ => break,
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    found.push(base.join("::"));
    while tokens.get(at) == Some(&"as") {
        at += 2;
    }
    at
}

/// The module that a path leads to: its longest beginning that is a file.
fn target<'p>(path: &'p str, files: &BTreeMap<String, String>) -> &'p str {
    let mut module = path;
    while !files.contains_key(module) {
        match module.rfind("::") {
            Some(end) => module = &module[..end],
            // Nothing but what `lib.rs` itself has.
            None => return "lib",
        }
    }
    module
}

#[test]
fn a_file_imports_only_from_below() {
    let files = sources();
    let mut faults = Vec::new();
    for (module, source) in &files {
        if place(module).is_none() {
            let file = module.replace("::", "/");
            faults.push(format!("src/{file}.rs stands nowhere: add it to HOUSE, as low as it can be"));
            continue;
        }
        for path in paths(module, source) {
            let other = target(&path, &files);
            if other != module && !may_import(module, other) {
                faults.push(format!("{module} imports {path} from {other}, which does not stand below it"));
            }
        }
    }
    for file in HOUSE.iter().flat_map(|(_, files)| files.iter()) {
        if !files.contains_key(*file) {
            faults.push(format!("HOUSE has {file}, and src has not"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(HOUSE.is_sorted_by_key(|(floor, _)| floor));
}

/// The test sees what it is to see.
#[test]
fn paths_are_found() {
    let source = r#"
        //! [`x`](crate::not::This)
        use crate::{a::{self, B}, c::*, d as e};
        pub use super::f::{G, h::I};
        use self::j::K;
        mod inner {
            use super::{L, m::N};
            fn f() { let text = "crate::not::that"; super::super::o(crate::p::Q, '"', $crate::not); }
        }
        fn g() -> super::r::S { self.field; self::t() }
    "#;
    let expected = [
        "a",
        "a::B",
        "c",
        "d",
        "x::f::G",
        "x::f::h::I",
        "x::y::j::K",
        "x::y::L",
        "x::y::m::N",
        "x::o",
        "p::Q",
        "x::r::S",
        "x::y::t",
    ];
    assert_eq!(paths("x::y", source), expected);
}

#[test]
fn files_stay_short() {
    for (module, source) in sources() {
        let lines = source.lines().count();
        assert!(lines <= 500, "{module} has {lines} lines: it has more than one purpose");
    }
}

/// What has no place in the machine; `std` has one, in a module of its own in `error`, tests have another, and the
/// vectors of a CPU have the third, with the `unsafe` of the crate and the one static of what the CPU has.
#[test]
fn the_machine_has_no_world_around_it() {
    let forbidden =
        ["unsafe", "std", "static", "thread_local", "HashMap", "HashSet", "Instant", "SystemTime"];
    for (module, source) in sources().into_iter().filter(|(module, _)| module != "mask::simd") {
        let mut code = code(&source);
        let apart = if module == "error" { "\nmod std_io {" } else { "\n#[cfg(test)]\n" };
        if let Some(start) = code.find(apart) {
            let end = code[start..].find("\n}\n").map(|end| start + end + 3);
            assert_eq!(end, Some(code.len()), "{module}: what is apart stands behind all else");
            code.truncate(start);
        }
        let tokens = tokens(&code);
        for (i, token) in tokens.iter().enumerate() {
            let lifetime = i > 0 && tokens[i - 1] == "'";
            assert!(lifetime || !forbidden.contains(token), "{module} has {token}");
        }
    }
}
