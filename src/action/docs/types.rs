//! `action-types.yml`: the kind of each input and output, for tools that check or write workflows
//! (<https://github.com/typesafegithub/github-actions-typing>). Made from the same table as `action.yml`.

use super::{check, file};
use crate::action::inputs::{COMMANDS, INPUTS, Input, OUTPUTS, Output};

/// The file's name.
const FILE: &str = "action-types.yml";

/// The head of the file.
const HEAD: &str = "\
# Made from the table in src/action/inputs/table.rs and the kinds in src/action/docs/types.rs: change those, then run
# `UPDATE=1 cargo test docs`.
# https://github.com/typesafegithub/github-actions-typing
";

/// What a value is; each value is text to the runner.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// One of these words.
    Choice(Vec<&'static str>),
    /// Any number of these, with commas between them.
    List(&'static str),
}

impl Kind {
    /// The kind of an input.
    fn of(input: &Input) -> Kind {
        let choice = |words: &[&'static str]| Kind::Choice(words.to_vec());
        match input.name {
            "command" => Kind::Choice(COMMANDS.map(|(word, _)| word).to_vec()),
            "color" => choice(&["idle", "blue", "green", "develop", "branch"]),
            "mode" => choice(&["swap", "copy"]),
            "compare" => choice(&["back", "watch", "off"]),
            "on-cancel" => choice(&["restore", "leave"]),
            "idle-count" | "pull-request" => Kind::Integer,
            "steps" => Kind::List("integer"),
            "rollback-alarms" | "per-color" | "allowed-account-ids" => Kind::List("string"),
            _ if matches!(input.default, "true" | "false") => Kind::Boolean,
            _ => Kind::Text,
        }
    }

    /// The kind of an output. One that can be empty is text.
    fn of_output(output: &Output) -> Kind {
        match output.name {
            "result" | "left" => {
                let quoted = output.what.split('`').skip(1).step_by(2);
                Kind::Choice(quoted.collect())
            }
            "duration-seconds" => Kind::Integer,
            _ => Kind::Text,
        }
    }

    /// The lines below a name.
    fn lines(&self) -> String {
        match self {
            Kind::Text => "    type: string\n".to_owned(),
            Kind::Boolean => "    type: boolean\n".to_owned(),
            Kind::Integer => "    type: integer\n".to_owned(),
            Kind::Choice(words) => {
                let words: String = words.iter().map(|word| format!("      - {word}\n")).collect();
                format!("    type: enum\n    allowed-values:\n{words}")
            }
            Kind::List(of) => {
                format!("    type: list\n    separator: ','\n    list-item:\n      type: {of}\n")
            }
        }
    }
}

/// The whole file.
fn types() -> String {
    let inputs = INPUTS.iter().map(|input| format!("  {}:\n{}", input.name, Kind::of(input).lines()));
    let outputs =
        OUTPUTS.iter().map(|output| format!("  {}:\n{}", output.name, Kind::of_output(output).lines()));
    format!("{HEAD}inputs:\n{}outputs:\n{}", inputs.collect::<String>(), outputs.collect::<String>())
}

#[test]
fn action_types_are_those_of_the_table() {
    check(FILE, &std::fs::read_to_string(file(FILE)).unwrap_or_default(), &types());
}

#[test]
fn every_input_has_a_kind_that_its_default_fits() {
    let yaml: serde_yaml::Value = serde_yaml::from_str(&types()).unwrap();
    assert_eq!(yaml["inputs"].as_mapping().unwrap().len(), INPUTS.len());
    assert_eq!(yaml["outputs"].as_mapping().unwrap().len(), OUTPUTS.len());
    for input in INPUTS {
        let defaults = input.defaults.iter().map(|(_, value)| *value).chain([input.default]);
        for default in defaults.filter(|value| !value.is_empty()) {
            let fits = match Kind::of(input) {
                Kind::Text => true,
                Kind::Boolean => matches!(default, "true" | "false"),
                Kind::Integer | Kind::List("integer") => default.parse::<u32>().is_ok(),
                Kind::Choice(words) => words.contains(&default),
                Kind::List(_) => !default.contains(' '),
            };
            assert!(fits, "{}: {default}", input.name);
        }
    }
}

#[test]
fn the_words_of_results_are_all_there() {
    let words = |name: &str| Kind::of_output(OUTPUTS.iter().find(|output| output.name == name).unwrap());
    let results = ["succeeded", "unchanged", "planned", "refused", "failed", "superseded", "cancelled"];
    assert_eq!(words("result"), Kind::Choice(results.to_vec()));
    assert_eq!(words("left"), Kind::Choice(vec!["untouched", "restored", "changed", "unknown"]));
}
