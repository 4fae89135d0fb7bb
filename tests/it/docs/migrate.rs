//! docs/migrate.md: an old input leads where its row says, in the message of the binary too.

use std::collections::BTreeSet;

use super::{inputs, read};
use crate::common::{Action, stack};

/// The words in backticks.
fn words(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The inputs of the official actions, each with the cell that says what is in its place.
fn rows() -> Vec<(String, String)> {
    let text = read("docs/migrate.md");
    let (_, rest) = text.split_once("<!-- mapping -->").expect("the tables");
    let (tables, _) = rest.split_once("<!-- /mapping -->").expect("their end");
    let rows = tables.lines().filter(|line| line.starts_with("| `") && !line.starts_with("| `amazon-"));
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        words(cells[0]).into_iter().map(|name| (name, cells[1].to_owned())).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn an_old_input_is_refused_with_the_advice_of_its_row() {
    let (ours, rows) = (inputs(), rows());
    let (bed, sample) = stack();
    let old: Vec<_> = rows.iter().filter(|(name, _)| !ours.contains(name)).collect();
    assert!(old.len() >= 15, "{old:?}");
    let action = Action::new(&bed, "deploy").input("image", &sample.image("v2"));
    let done = old.iter().fold(action, |action, (name, _)| action.input(name, "x")).run();
    done.expect(1, "refused", "bad-input", "untouched");
    for (name, cell) in old {
        let line = done.log.lines().find(|line| line.contains(&format!("input {name}: ")));
        let line = line.unwrap_or_else(|| panic!("no word of `{name}`:\n{}", done.log));
        let named: BTreeSet<String> = words(line).into_iter().filter(|word| ours.contains(word)).collect();
        for word in named {
            assert!(
                cell.contains(&format!("`{word}`")) || cell.starts_with("nothing"),
                "{name}: `{word}` in {line}"
            );
        }
    }
}

#[test]
fn each_input_of_the_tables_exists() {
    let action: serde_yaml::Value = serde_yaml::from_str(&read("action.yml")).expect("YAML");
    let (ours, text) = (inputs(), read("docs/migrate.md"));
    let cells = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.trim_matches('|').split(" | ").nth(1));
    let named = cells.flat_map(words).map(|word| word.split(':').next().unwrap_or_default().to_owned());
    // Commands, values and permissions, in addition to inputs and outputs.
    let others =
        ["deploy", "redirect-traffic", "promote", "rollback", "environment", "match", "null", "role"];
    for word in named.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')) {
        let known = ours.contains(&word)
            || !action["outputs"][word.as_str()].is_null()
            || others.contains(&word.as_str());
        assert!(known, "`{word}` is no input");
    }
}
