//! `docs/invariants.md` lists every invariant with its tests.

use std::collections::BTreeMap;
use std::fs;

use super::{root, rust_files, without_comments};

/// The document.
const DOCUMENT: &str = "docs/invariants.md";

/// The number of the last invariant.
const LAST: u8 = 45;

/// How many tests each file has, by its path.
type Files = BTreeMap<String, usize>;

/// The numbers in a test's name: `invariant_10_and_12_…` holds two, and so does `invariants_10_12_…`.
fn numbers(name: &str) -> Vec<u8> {
    let parts = name.split('_').skip(1).skip_while(|part| *part == "and");
    parts
        .map_while(|part| if part == "and" { Some(None) } else { part.parse().ok().map(Some) })
        .flatten()
        .collect()
}

/// The names of all tests of a text that guard an invariant. A function without `#[test]` does not count.
fn tests(text: &str) -> Vec<&str> {
    let pieces: Vec<&str> = text.split("fn invariant").collect();
    let is_test = |pair: &&[&str]| pair[0].rsplit("\n}").next().unwrap_or_default().contains("#[test]");
    pieces.windows(2).filter(is_test).map(|pair| pair[1].split('(').next().unwrap_or_default()).collect()
}

/// The files with tests of each invariant.
fn tested() -> BTreeMap<u8, Files> {
    let mut tested: BTreeMap<u8, Files> = BTreeMap::new();
    for folder in ["src", "tests", "simulation/tests", "testbed/src", "testbed/tests"] {
        for path in rust_files(&root().join(folder)) {
            let text = without_comments(&fs::read_to_string(&path).expect("a text"));
            let name = path.strip_prefix(root()).expect("a path in the repository").display().to_string();
            for number in tests(&text).into_iter().flat_map(numbers) {
                *tested.entry(number).or_default().entry(name.clone()).or_default() += 1;
            }
        }
    }
    tested
}

/// The files as the document lists them: `src/plan/rules.rs` (2).
fn listed(files: &Files) -> String {
    let words: Vec<String> = files.iter().map(|(name, count)| format!("`{name}` ({count})")).collect();
    format!("Tests: {}", words.join(", "))
}

/// The document with the lists of tests made anew, and the numbers of its invariants.
fn renewed(text: &str, tested: &BTreeMap<u8, Files>) -> (String, Vec<u8>) {
    let mut found = Vec::new();
    let line = |line: &str| {
        let number = line.strip_prefix("**").and_then(|rest| rest.split_once(".**")?.0.parse::<u8>().ok());
        found.extend(number);
        let files = found.last().and_then(|number| tested.get(number));
        match files {
            Some(files) if line.starts_with("Tests:") => listed(files),
            Some(_) | None => line.to_owned(),
        }
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    (lines.join("\n") + "\n", found)
}

#[test]
fn every_invariant_is_documented_with_tests_that_name_it() {
    let tested = tested();
    let missing: Vec<u8> = (1..=LAST).filter(|number| !tested.contains_key(number)).collect();
    assert_eq!(missing, [0; 0], "these invariants have no test `fn invariant_NN_…`");
    let text = fs::read_to_string(root().join(DOCUMENT)).expect("the document");
    let (renewed, found) = renewed(&text, &tested);
    assert_eq!(found, (1..=LAST).collect::<Vec<u8>>(), "{DOCUMENT} lists each invariant once, in order");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join(DOCUMENT), &renewed).expect("the document is written");
    } else {
        assert!(text == renewed, "run `UPDATE=1 cargo test --test it layers::` and commit {DOCUMENT}");
    }
}

#[test]
fn a_name_tells_its_invariants() {
    assert_eq!(numbers("_10_and_12_weights_7_stay"), [10, 12]);
    assert_eq!(numbers("s_03_04_16_hold"), [3, 4, 16]);
    assert_eq!(numbers("_07_kill"), [7]);
    assert_eq!(tests("#[test]\nfn invariant_07_kill() {\n}\nfn invariant_08_help() {}"), ["_07_kill"]);
}
