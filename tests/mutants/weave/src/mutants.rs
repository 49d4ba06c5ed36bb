//! The list of mutants that `cargo mutants --list --json` gives.

use std::{collections::BTreeMap, ops::Range};

use serde_json::Value;

pub(crate) struct Mutant {
    /// As cargo-mutants tells it, with line and column.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) genre: Genre,
    /// From line and column to line and column, counted from one.
    pub(crate) span: Range<(usize, usize)>,
    pub(crate) replacement: String,
    pub(crate) return_type: String,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Genre {
    FnValue,
    Operator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

/// The mutants by their numbers, from one: a number stays with its mutant as long as the list is the same.
pub(crate) fn read(list: &str) -> Result<BTreeMap<u32, Mutant>, String> {
    let list: Vec<Value> =
        serde_json::from_str(list).map_err(|error| format!("the list of mutants: {error}"))?;
    (1..)
        .zip(&list)
        .map(|(number, entry)| Ok((number, mutant(entry).ok_or(format!("the list of mutants: {entry}"))?)))
        .collect()
}

fn mutant(entry: &Value) -> Option<Mutant> {
    let text = |key: &str| Some(entry.get(key)?.as_str()?.to_owned());
    let place = |key: &str| {
        let place = entry.get("span")?.get(key)?;
        let number = |key: &str| usize::try_from(place.get(key)?.as_u64()?).ok();
        Some((number("line")?, number("column")?))
    };
    Some(Mutant {
        name: text("name")?,
        file: text("file")?,
        genre: match text("genre")?.as_str() {
            "FnValue" => Genre::FnValue,
            "BinaryOperator" | "UnaryOperator" => Genre::Operator,
            "MatchArm" => Genre::MatchArm,
            "MatchArmGuard" => Genre::MatchArmGuard,
            "StructField" => Genre::StructField,
            _ => return None,
        },
        span: place("start")?..place("end")?,
        replacement: text("replacement")?,
        return_type: entry
            .get("function")?
            .get("return_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}
