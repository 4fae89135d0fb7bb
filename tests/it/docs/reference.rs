//! docs/reference.md: each key of the config file has its row, with the default that the code has.

use std::collections::BTreeSet;

use super::read;

/// The rows of the table of keys: key and default.
fn rows() -> Vec<(String, String)> {
    let text = read("docs/reference.md");
    let (_, rest) = text.split_once("<!-- config -->").expect("the table");
    let (table, _) = rest.split_once("<!-- /config -->").expect("its end");
    let cells = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].replace('`', ""), cells[1].replace('`', ""))
    };
    table.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
}

/// The words of the list that follows this text in a source.
fn words(file: &str, start: &str) -> Vec<String> {
    let text = read(file);
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{file}: no `{start}`"));
    let (list, _) = rest.split_once(']').expect("its end");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_reference_has_a_row_for_each_key_of_the_config_file() {
    let of = |prefix: &str, file: &str, start: &str| -> Vec<String> {
        words(file, start).iter().map(|key| format!("{prefix}{key}")).collect()
    };
    let config = "src/config/mod.rs";
    let known = [
        of("", config, "reader.fields(root, &["),
        of("apps.APP.", config, "const APP: [&str; 8] =\n    ["),
        of(
            "apps.APP.hosts.",
            config,
            "let mut hosts = Hosts::default();\n    for (name, node) in reader.fields(node, &[",
        ),
        of("apps.APP.scaling.", config, "const SCALING: [&str; 7] = ["),
        of("apps.APP.probes[].", "src/config/probes.rs", "const KEYS: [&str; 3] = ["),
        of("apps.APP.labels.", "src/config/labels.rs", "const KEYS: [&str; 6] = ["),
    ];
    assert!(known.iter().all(|keys| keys.len() >= 3), "{known:?}");
    let known: BTreeSet<String> = known.into_iter().flatten().collect();
    let rows = rows();
    let told: BTreeSet<String> = rows.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(told, known);
    assert_eq!(rows.len(), told.len(), "each key once");
}

#[test]
fn the_reference_has_the_defaults_of_the_code() {
    let rows = rows();
    let default = |key: &str| {
        let row = rows.iter().find(|(found, _)| found.ends_with(key));
        row.unwrap_or_else(|| panic!("no row for {key}")).1.clone()
    };
    let scaling = read("src/config/mod.rs");
    for key in ["scaling.idle-min", "scaling.cpu", "scaling.memory", "scaling.scale-in-below"] {
        let (_, name) = key.split_once('.').expect("a name");
        let (_, rest) = scaling.split_once(&format!("number(\"{name}\", ")).expect("a number");
        let (_, rest) = rest.split_once("Some(").expect("a default");
        assert_eq!(default(key), rest.split(')').next().unwrap_or_default(), "{key}");
    }
    let style = read("src/feedback.rs");
    for key in ["labels.blue", "labels.green", "labels.split", "labels.develop", "labels.failed"] {
        let (_, name) = key.split_once('.').expect("a name");
        assert!(style.contains(&format!("{name}: \"{}\".to_owned()", default(key))), "{key}");
    }
    let status = read("src/config/probes.rs");
    assert!(status.contains(&format!("(None, Some({}), None)", default("probes[].status"))));
    let minutes: u64 = default("scaling.scale-in-after").trim_end_matches('m').parse().expect("minutes");
    let after = read("src/plan/scalers/mod.rs");
    assert!(after.contains(&format!("SCALE_IN_AFTER: Duration = Duration::from_secs({minutes} * 60)")));
}
