//! Every seed through its target, without a fuzzer: a finding stays found on any toolchain, and this is what coverage is
//! measured with. `corpus/` runs too where there is one.

use std::{fs, path::Path};

use websocket_proto_fuzz::{
    assemble, chunking, decode, deflate, deflate_terms, differential, extensions, forward, frame, heads,
    inflate, inflate_differential, keepalive, opening, origin, outputs, pair, restore, round_trip, uri,
};

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 22] = [
    ("assemble", assemble::assemble),
    ("chunking", chunking::chunking),
    ("decode_client", decode::client),
    ("decode_server", decode::server),
    ("deflate_negotiation", deflate_terms::negotiation),
    ("deflate_round_trip", deflate::round_trip),
    ("differential", differential::differential),
    ("extensions_and_protocols", extensions::extensions),
    ("forward", forward::forward),
    ("frame", frame::frame),
    ("inflate", inflate::inflate),
    ("inflate_differential", inflate_differential::differential),
    ("keepalive", keepalive::keepalive),
    ("opening", opening::opening),
    ("origin", origin::origin),
    ("outputs", outputs::outputs),
    ("pair", pair::pair),
    ("request_head", heads::request),
    ("response_head", heads::response),
    ("restore", restore::restore),
    ("round_trip", round_trip::round_trip),
    ("uri", uri::uri),
];

fn names(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a folder can be listed").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn every_seed_passes_its_target() {
    let mut found = Vec::new();
    for (target, run) in TARGETS {
        let mut seeds = 0;
        for folder in [format!("seeds/{target}"), format!("corpus/{target}")] {
            for name in names(&folder) {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).join(&name);
                let seed = fs::read(&path).expect("a seed can be read");
                if std::panic::catch_unwind(|| run(&seed)).is_err() {
                    found.push(path);
                }
                seeds += 1;
            }
        }
        println!("{target}: {seeds}");
        assert!(seeds > 30, "{target} has its seeds");
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_target_is_in_the_table() {
    let table: Vec<String> = TARGETS.iter().map(|(target, _)| format!("{target}.rs")).collect();
    assert_eq!(names("fuzz_targets"), table);
}
