//! `action.yml`, `action-types.yml` and the tables of docs/reference.md, made from the code. The tests compare the files with it.

mod types;

use std::path::{Path, PathBuf};

use super::inputs::{COMMANDS, CommandName, INPUTS, Input, OUTPUTS};
use crate::failure::Reason;

/// The document that holds the tables.
const REFERENCE: &str = "docs/reference.md";

/// The head of `action.yml`.
const HEAD: &str = "\
# Made from the table in src/action/inputs/table.rs: change that, then run `UPDATE=1 cargo test docs`.
name: ECS Blue/Green Deploy
author: The ecs-blue-green authors
description: Deploy to the idle one of two long-lived Amazon ECS services behind one Application Load Balancer, move users between them, promote, and roll back.
branding:
  icon: layers
  color: blue
";

/// The end of `action.yml`.
const RUNS: &str = "\
runs:
  using: docker
  image: Dockerfile
  entrypoint: /ecs-blue-green
  post-entrypoint: /ecs-blue-green-post
";

/// The whole of `action.yml`.
fn action_yml() -> String {
    let mut text = format!("{HEAD}inputs:\n");
    for input in INPUTS {
        text += &format!(
            "  {}:\n    description: {}\n    required: {}\n",
            input.name,
            quoted(input.what),
            input.required.len() == COMMANDS.len()
        );
        if !input.default.is_empty() {
            text += &format!("    default: {}\n", quoted(input.default));
        }
    }
    text += "outputs:\n";
    for output in OUTPUTS {
        text += &format!("  {}:\n    description: {}\n", output.name, quoted(output.what));
    }
    text + RUNS
}

/// A YAML text in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The table of inputs.
fn inputs_table() -> String {
    let row = |input: &Input| {
        format!(
            "| `{}` | {} | {} | {} |\n",
            input.name,
            commands(input.commands),
            defaults(input),
            cell(input.what)
        )
    };
    let rows: String = INPUTS.iter().map(row).collect();
    format!("| input | commands | default | |\n|---|---|---|---|\n{rows}")
}

/// The default of an input; with the commands, if the default is not the same for all of them.
fn defaults(input: &Input) -> String {
    let of = |given: &[CommandName]| {
        let all = given.len() == input.commands.len();
        if all { String::new() } else { format!(" for {}", commands(given)) }
    };
    let mut found = Vec::new();
    if !input.required.is_empty() {
        found.push(format!("**required**{}", of(input.required)));
    }
    if !input.default.is_empty() {
        found.push(format!("`{}`", input.default));
    }
    found.extend(input.defaults.iter().map(|(given, default)| format!("`{default}`{}", of(given))));
    found.join(", ")
}

/// The commands of an input, `all` where it is every one.
fn commands(commands: &[CommandName]) -> String {
    if commands.len() == COMMANDS.len() {
        return "all".to_owned();
    }
    commands.iter().map(|command| command.word()).collect::<Vec<_>>().join(", ")
}

/// Text that can't end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The table of outputs.
fn outputs_table() -> String {
    let rows: String =
        OUTPUTS.iter().map(|output| format!("| `{}` | {} |\n", output.name, cell(output.what))).collect();
    format!("| output | |\n|---|---|\n{rows}")
}

/// The table of reasons.
fn reasons_table() -> String {
    let rows: String =
        Reason::ALL.iter().map(|reason| format!("| `{reason}` | {} |\n", cell(reason.told()))).collect();
    format!("| reason | |\n|---|---|\n{rows}")
}

/// A text with what stands between `<!-- name -->` and `<!-- /name -->` replaced.
fn with_section(text: &str, name: &str, content: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open)?;
    let (_, after) = rest.split_once(&close)?;
    Some(format!("{before}{open}\n{content}{close}{after}"))
}

/// A file at the root of the repository.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Whether files are to be rewritten.
#[expect(clippy::disallowed_methods, reason = "a switch for the tests, not an input of the product")]
fn update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// Compares a file with what it should be, or rewrites it.
fn check(name: &str, found: &str, wanted: &str) {
    if found == wanted {
        return;
    }
    if update() {
        return std::fs::write(file(name), wanted).unwrap();
    }
    let line = found.lines().zip(wanted.lines()).take_while(|(found, wanted)| found == wanted).count() + 1;
    panic!(
        "{name} differs from the code from line {line} on: run `UPDATE=1 cargo test docs` and commit the file"
    );
}

/// The text of `action.yml` as it stands outside of releases: there the image is built, and a release names one by its tag
/// and digest.
fn unreleased(text: &str) -> String {
    let digest = |line: &str| {
        let (name, digest) = line.strip_prefix("  image: docker://ghcr.io/")?.split_once("@sha256:")?;
        let whole = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        (whole && name.contains(':')).then_some("  image: Dockerfile")
    };
    text.lines().map(|line| format!("{}\n", digest(line).unwrap_or(line))).collect()
}

#[test]
fn action_yml_is_what_the_table_says() {
    let found = std::fs::read_to_string(file("action.yml")).unwrap_or_default();
    check("action.yml", &unreleased(&found), &action_yml());
}

#[test]
fn a_release_names_its_image_by_tag_and_digest_and_changes_nothing_else() {
    let digest = "0a".repeat(32);
    let of = |image: &str| action_yml().replace("image: Dockerfile", &format!("image: {image}"));
    let released = of(&format!("docker://ghcr.io/owner/ecs-blue-green:1.2.3@sha256:{digest}"));
    assert_eq!(unreleased(&released), action_yml());
    assert_eq!(unreleased(&action_yml()), action_yml());
    for wrong in ["docker://ghcr.io/owner/ecs-blue-green:1.2.3", "docker://ghcr.io/o/e:1@sha256:0a"] {
        assert_ne!(unreleased(&of(wrong)), action_yml(), "{wrong}");
    }
}

#[test]
fn the_reference_holds_the_tables() {
    let found = std::fs::read_to_string(file(REFERENCE)).unwrap();
    let mut wanted = found.clone();
    let sections = [("inputs", inputs_table()), ("outputs", outputs_table()), ("reasons", reasons_table())];
    for (name, content) in sections {
        wanted = with_section(&wanted, name, &content).unwrap_or_else(|| {
            panic!("{REFERENCE} needs the lines `<!-- {name} -->` and `<!-- /{name} -->`")
        });
    }
    check(REFERENCE, &found, &wanted);
}

#[test]
fn action_yml_reads_back_as_the_table() {
    let yaml: serde_yaml::Value = serde_yaml::from_str(&action_yml()).unwrap();
    for input in INPUTS {
        let entry = &yaml["inputs"][input.name];
        assert_eq!(entry["description"].as_str(), Some(input.what));
        assert_eq!(entry["required"].as_bool(), Some(input.required.len() == COMMANDS.len()));
        assert_eq!(entry["default"].as_str().unwrap_or_default(), input.default);
    }
    for output in OUTPUTS {
        assert_eq!(yaml["outputs"][output.name]["description"].as_str(), Some(output.what));
    }
    assert_eq!(yaml["runs"]["entrypoint"].as_str(), Some("/ecs-blue-green"));
    assert_eq!(yaml["runs"]["post-entrypoint"].as_str(), Some("/ecs-blue-green-post"));
    for field in [&yaml["name"], &yaml["branding"]["icon"], &yaml["branding"]["color"]] {
        assert!(field.as_str().is_some_and(|text| !text.is_empty()), "the Marketplace asks for it");
    }
}

#[test]
fn a_section_is_replaced_and_the_rest_stays() {
    let text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
    assert_eq!(with_section(text, "x", "new\n").as_deref(), Some("a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"));
    assert_eq!(with_section(text, "y", ""), None);
}
