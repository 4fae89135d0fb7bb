//! Who may use whom, for the product and for the testbed. Read from the sources as
//! text: comments and tests do not count.
//!
//! A failure names the file and what it uses. Either the use is wrong, or the table below has to be changed knowingly.

mod invariants;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A layer: its modules of the own crate, and the crates from outside. `aws_*` stands for everything of the AWS SDK.
type Layer = (&'static str, &'static [&'static str], &'static [&'static str]);

/// The product. Every layer may use itself and the standard library.
const PRODUCT: [Layer; 16] = [
    ("plan", &[], &["serde", "serde_json", "strsim"]),
    ("failure", &["plan"], &["serde"]),
    ("event", &["failure", "plan"], &[]),
    ("feedback", &[], &["serde"]),
    ("report", &["event", "failure", "feedback", "plan"], &["serde", "serde_json"]),
    ("config", &["feedback", "plan"], &["serde", "serde_json", "serde_yaml"]),
    ("action", &["config", "failure", "feedback", "plan"], &["hyper_util", "serde_json"]),
    ("aws", &["clock", "failure", "id_token", "plan"], &["aws_*", "futures_util", "serde_json", "tokio"]),
    ("github", &["failure", "feedback", "plan"], &["octocrab", "reqwest", "serde", "serde_json"]),
    ("clock", &["plan"], &["tokio"]),
    ("signals", &["clock"], &["tokio"]),
    ("http", &[], &["reqwest", "rustls", "tokio"]),
    ("id_token", &["clock"], &["reqwest", "serde_json"]),
    ("reporter", &["action", "clock", "event", "failure", "feedback", "plan", "report"], &["tokio"]),
    (
        "commands",
        &[
            "action", "aws", "clock", "config", "event", "failure", "feedback", "github", "http", "id_token",
            "plan", "report", "reporter", "signals",
        ],
        &["reqwest", "serde", "serde_json", "tokio"],
    ),
    // It gives the run what the machine has, and knows nothing else of it.
    ("main", &[], &["tokio"]),
];

/// The testbed: the wire knows nothing, the load balancer nothing of ECS, the checker only what it watches.
const TESTBED: [Layer; 32] = [
    ("wire", &[], &["bytes", "ciborium", "hyper", "serde_json", "url"]),
    ("image", &[], &[]),
    ("acm", &["wire", "world"], &["rcgen", "serde_json", "tokio_rustls"]),
    ("record", &["clock", "wire"], &["bytes", "serde_json"]),
    ("checker", &["clock", "elb"], &[]),
    ("clock", &[], &["tokio"]),
    ("port", &["clock"], &["tokio"]),
    ("client", &["port"], &["bytes", "http_body_util", "hyper", "hyper_util", "tokio"]),
    ("tasks", &["clock", "image", "port"], &["bytes", "http_body_util", "hyper", "hyper_util", "tokio"]),
    (
        "elb",
        &["acm", "clock", "port", "wire", "world"],
        &[
            "bytes",
            "http_body_util",
            "hyper",
            "hyper_util",
            "serde_json",
            "sha2",
            "tokio",
            "tokio_rustls",
            "url",
        ],
    ),
    ("ecr", &["clock", "image", "wire", "world"], &["serde_json", "sha2"]),
    ("ecs", &["clock", "ecr", "elb", "image", "tasks", "wire", "world"], &["serde_json", "sha2", "tokio"]),
    // GitHub's two endpoints live in one place, and issue the tokens that STS trusts.
    ("oidc", &["clock", "github", "world"], &["bytes", "serde_json", "sha2"]),
    (
        "github",
        &["clock", "elb", "faults", "hold", "oidc", "port", "record", "world"],
        &["bytes", "http_body_util", "hyper", "hyper_util", "serde_json", "sha2", "tokio", "url"],
    ),
    ("sts", &["clock", "elb", "faults", "github", "oidc", "wire", "world"], &["serde_json", "sha2"]),
    ("cloudwatch", &["clock", "ecs", "elb", "wire", "world"], &["serde_json"]),
    ("autoscaling", &["checker", "clock", "cloudwatch", "ecs", "wire", "world"], &["serde_json"]),
    ("logs", &["clock", "wire", "world"], &["serde_json"]),
    ("hold", &["clock"], &["tokio"]),
    ("network", &[], &[]),
    ("faults", &["hold", "network", "wire", "world"], &["rustix", "serde_json", "tokio"]),
    ("iam", &["faults", "wire", "world"], &["serde_json"]),
    (
        "world",
        &[
            "acm",
            "autoscaling",
            "checker",
            "cloudwatch",
            "ecr",
            "ecs",
            "elb",
            "faults",
            "github",
            "iam",
            "logs",
            "oidc",
            "record",
            "sts",
            "wire",
        ],
        &["serde_json", "sha2", "tokio"],
    ),
    (
        "server",
        &["clock", "faults", "port", "wire", "world"],
        &["bytes", "http_body_util", "hyper", "hyper_util", "serde_json", "tokio"],
    ),
    (
        "testbed",
        &["checker", "clock", "faults", "github", "oidc", "port", "record", "server", "wire", "world"],
        &["serde_json", "tokio"],
    ),
    ("scaled", &["testbed", "wire"], &["serde_json"]),
    ("sample", &["checker", "clock", "port", "scaled", "testbed", "wire"], &["serde_json"]),
    // The truth kit and the demo are users of the library, as tests are.
    (
        "truth",
        &[],
        &[
            "aws_config",
            "aws_credential_types",
            "aws_sigv4",
            "reqwest",
            "roxmltree",
            "serde_json",
            "testbed",
            "tokio",
            "url",
        ],
    ),
    (
        "demo",
        &[],
        &[
            "bytes",
            "http_body_util",
            "hyper",
            "hyper_util",
            "rustix",
            "serde_json",
            "tempfile",
            "testbed",
            "tokio",
        ],
    ),
    ("script", &["faults", "hold", "iam", "image", "testbed"], &[]),
    ("serve", &[], &["testbed", "tokio"]),
    ("main", &["demo", "serve", "truth"], &["testbed", "tokio"]),
];

/// One source file that ships, without comments and tests.
struct Source {
    /// Its path from the crate's `src`.
    path: PathBuf,
    /// Its module path: `["plan", "definition", "build"]`.
    module: Vec<String>,
    /// Its text.
    text: String,
}

impl Source {
    /// The layer that it belongs to.
    fn layer(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            all.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            all.push(entry);
        }
    }
    all.sort();
    all
}

/// The sources of a crate that ship.
fn sources(src: &Path) -> Vec<Source> {
    let files = rust_files(src);
    let texts: BTreeMap<PathBuf, String> = files
        .into_iter()
        .map(|file| (file.clone(), without_comments(&fs::read_to_string(&file).expect("a text"))))
        .collect();
    let mut tests: BTreeSet<PathBuf> = BTreeSet::new();
    for (file, text) in &texts {
        tests.extend(test_files(file, text));
    }
    let is_test =
        |file: &Path| tests.iter().any(|test| file.starts_with(test.with_extension("")) || file == test);
    texts
        .iter()
        .filter(|(file, _)| !is_test(file))
        .map(|(file, text)| {
            let path = file.strip_prefix(src).expect("below src").to_owned();
            Source { module: module(&path), path, text: without_tests(text) }
        })
        .collect()
}

/// The module path of a file.
fn module(path: &Path) -> Vec<String> {
    let parts = path.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| part != "mod" && part != "lib").collect()
}

/// The text without what stands in comments and in text literals.
fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if letter == '"' {
            literal(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("'\\\"'") {
            4
        } else {
            out.push(letter);
            letter.len_utf8()
        };
        rest = &rest[skip..];
    }
    out
}

/// The length of the text literal that begins here.
fn literal(text: &str) -> usize {
    let mut escaped = false;
    for (index, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// What follows each `#[cfg(test)]`, further attributes left out.
fn test_items(text: &str) -> Vec<(usize, &str)> {
    let mark = "#[cfg(test)]";
    text.match_indices(mark)
        .map(|(start, _)| {
            let mut item = text[start + mark.len()..].trim_start();
            while item.starts_with("#[") {
                item = item[item.find(']').map_or(item.len(), |end| end + 1)..].trim_start();
            }
            (start, item)
        })
        .collect()
}

/// The files of the modules that a file declares for tests only. Literals are gone by now, so a module with a `path`
/// attribute is found by its habit: `x.rs` has `x_tests.rs`.
fn test_files(file: &Path, text: &str) -> Vec<PathBuf> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = file.parent().expect("a folder");
    let inner =
        if stem == "mod" || stem == "main" || stem == "lib" { folder.to_owned() } else { folder.join(&stem) };
    let declared = test_items(text).into_iter().filter_map(|(_, item)| {
        let item = item.trim_start_matches("pub(crate) ");
        let name = item.strip_prefix("mod ")?.split(';').next()?;
        (!name.contains('{')).then(|| inner.join(format!("{name}.rs")))
    });
    declared.chain([folder.join(format!("{stem}_tests.rs"))]).collect()
}

/// The text without its items for tests only: each ends with a `;` or with its closing brace.
fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    for (start, item) in test_items(text) {
        if start < from {
            continue;
        }
        out.push_str(&text[from..start]);
        let offset = item.as_ptr() as usize - text.as_ptr() as usize;
        from = offset + end_of(item);
    }
    out.push_str(&text[from..]);
    out
}

/// The length of the item that begins here.
fn end_of(item: &str) -> usize {
    let mut depth = 0_u32;
    for (index, letter) in item.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth <= 1 => return index + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    item.len()
}

/// Whether a letter may stand in a name.
fn in_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The paths that begin somewhere in a text: each as its head and what follows the `::`.
fn paths(text: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    for (at, _) in text.match_indices("::") {
        let head = &text[..at];
        let start = head.rfind(|letter| !in_name(letter)).map_or(0, |found| found + 1);
        if start < at && !head[..start].ends_with("::") {
            all.push((&head[start..], &text[at + 2..]));
        }
    }
    all
}

/// The names that a path goes on with: one, or those of a group.
fn names(rest: &str) -> Vec<String> {
    let name =
        |text: &str| text.trim_start().chars().take_while(|letter| in_name(*letter)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut depth = 0_u32;
    let mut parts = vec![String::new()];
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts.iter().map(|part| name(part.trim_start_matches(','))).filter(|name| !name.is_empty()).collect()
}

/// The modules of its own crate that a source uses, by their first name.
fn own(source: &Source) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (head, rest) in paths(&source.text) {
        match head {
            "crate" => all.extend(names(rest)),
            "super" => {
                let mut up = 1;
                let mut rest = rest;
                while let Some(further) = rest.strip_prefix("super::") {
                    up += 1;
                    rest = further;
                }
                let base = &source.module[..source.module.len().saturating_sub(up)];
                match base.first() {
                    Some(layer) => all.extend([layer.clone()]),
                    None => all.extend(names(rest)),
                }
            }
            _ => {}
        }
    }
    all
}

/// The crates from outside that a source uses, of those that its manifest names.
fn foreign(source: &Source, known: &BTreeSet<String>) -> BTreeSet<String> {
    paths(&source.text)
        .into_iter()
        .map(|(head, _)| head.to_owned())
        .filter(|head| known.contains(head))
        .collect()
}

/// The dependencies in a section of a manifest, as they are written in code.
fn dependencies(manifest: &str, section: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
    let lines = text.lines().skip_while(|line| line.trim() != section).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().replace('-', "_")).collect()
}

/// Whether a crate is among those allowed.
fn allowed(name: &str, crates: &[&str]) -> bool {
    crates.iter().any(|one| one.strip_suffix('*').map_or(name == *one, |start| name.starts_with(start)))
}

/// What breaks a table.
fn breaches(table: &[Layer], sources: &[Source], known: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let modules: BTreeSet<&str> = sources.iter().map(Source::layer).collect();
    for source in sources.iter().filter(|source| source.layer() != "lib") {
        let path = source.path.display();
        let Some((layer, uses, crates)) = table.iter().find(|(name, ..)| *name == source.layer()) else {
            found.push(format!("{path}: the layer `{}` has no row in the table", source.layer()));
            continue;
        };
        for name in own(source).iter().filter(|name| modules.contains(name.as_str())) {
            if name != layer && !uses.contains(&name.as_str()) {
                found.push(format!("{path}: `{layer}` must not use `{name}`"));
            }
        }
        for name in foreign(source, known).iter().filter(|name| !allowed(name, crates)) {
            found.push(format!("{path}: `{layer}` must not use the crate `{name}`"));
        }
    }
    found
}

/// The product's shipped sources.
fn product() -> Vec<Source> {
    sources(&root().join("src"))
}

#[test]
fn the_product_keeps_its_layers() {
    let known = dependencies("Cargo.toml", "[dependencies]");
    assert!(known.contains("aws_sdk_ecs") && known.contains("tokio"), "{known:?}");
    assert_eq!(breaches(&PRODUCT, &product(), &known), [""; 0]);
}

#[test]
fn the_testbed_keeps_its_layers() {
    let mut known = dependencies("testbed/Cargo.toml", "[dependencies]");
    known.insert("testbed".to_owned());
    assert_eq!(breaches(&TESTBED, &sources(&root().join("testbed/src")), &known), [""; 0]);
}

#[test]
fn the_product_does_not_ship_the_testbed_and_the_testbed_does_not_know_the_product() {
    assert!(!dependencies("Cargo.toml", "[dependencies]").contains("testbed"));
    for section in ["[dependencies]", "[dev-dependencies]"] {
        assert!(!dependencies("testbed/Cargo.toml", section).contains("ecs_blue_green"), "{section}");
    }
    for source in sources(&root().join("testbed/src")) {
        assert!(!source.text.contains("ecs_blue_green::"), "{}", source.path.display());
    }
}

/// Asserts that these words stand in no shipped source but in the files that own them.
#[track_caller]
fn only_in(words: &[&str], owners: &[&str]) {
    for source in product() {
        let path = source.path.display().to_string();
        if owners.iter().any(|owner| path.starts_with(owner)) {
            continue;
        }
        for word in words {
            assert!(!source.text.contains(word), "{path} uses `{word}`, which belongs to {owners:?}");
        }
    }
}

#[test]
fn decisions_parse_no_files() {
    for source in product().iter().filter(|source| source.layer() == "plan") {
        for word in ["::from_str", "::from_slice", "::from_reader", "Deserializer::"] {
            assert!(!source.text.contains(word), "{} uses `{word}`", source.path.display());
        }
    }
}

#[test]
fn environment_files_printing_and_processes_have_their_owners() {
    only_in(&["env::var", "env::vars", "env::args"], &["action/env.rs", "main.rs"]);
    only_in(&["println!", "print!(", "eprint", "io::stderr"], &[]);
    only_in(&["Aws::new", "http::send_probe"], &["aws/", "commands/outside.rs", "commands/apply.rs"]);
    only_in(&["io::stdout"], &["main.rs", "reporter.rs"]);
    only_in(&["fs::"], &["action/"]);
    only_in(&["process::Command", "process::exit", "TcpStream", "TcpListener"], &[]);
    only_in(&["Instant::now", "SystemTime::now", "time::sleep"], &["clock.rs"]);
    only_in(&["aws_sdk", "aws_config", "aws_smithy", "aws_credential"], &["aws/"]);
}

#[test]
fn invariant_40_the_wall_clock_is_read_once_in_a_process() {
    only_in(&["SystemTime::now", ".elapsed()"], &["clock.rs"]);
    let clock = product().into_iter().find(|source| source.path.ends_with("clock.rs")).expect("the clock");
    let reads: Vec<usize> = clock.text.match_indices("SystemTime::now").map(|(at, _)| at).collect();
    let [read] = reads.as_slice() else { panic!("{reads:?}") };
    // The only reader starts the one value that every other time is counted from.
    let before = &clock.text[..*read];
    assert!(before[before.rfind("fn ").expect("a function")..].starts_with("fn read_clocks()"));
    assert!(clock.text.contains("static START: LazyLock<Start> = LazyLock::new(read_clocks);"));
    assert_eq!(clock.text.matches("read_clocks()").count(), 1, "{}", clock.text);
}

#[test]
fn no_shipped_code_asks_whether_it_is_tested() {
    for source in product() {
        for word in ["cfg(feature", "cfg!(test", "dry_run", "#[cfg(debug_assertions"] {
            assert!(!source.text.contains(word), "{} holds `{word}`", source.path.display());
        }
    }
}

#[test]
fn a_planted_breach_is_found() {
    let planted = |module: &[&str], text: &str| {
        let source = Source {
            path: PathBuf::from("planted.rs"),
            module: module.iter().map(|part| (*part).to_owned()).collect(),
            text: without_tests(&without_comments(text)),
        };
        let aws = Source { path: PathBuf::new(), module: vec!["aws".to_owned()], text: String::new() };
        let known = dependencies("Cargo.toml", "[dependencies]");
        breaches(&PRODUCT, &[source, aws], &known).join("; ")
    };
    let wrong = "planted.rs: `plan` must not use `aws`";
    assert_eq!(planted(&["plan", "deploy"], "use crate::aws::Aws;"), wrong);
    assert_eq!(planted(&["plan", "deploy"], "use crate::{plan::color::Color, aws};"), wrong);
    assert_eq!(planted(&["plan", "deploy"], "fn f() { super::super::aws::go() }"), wrong);
    assert_eq!(planted(&["plan", "definition", "build"], "use super::super::super::{aws};"), wrong);
    assert_eq!(
        planted(&["commands", "deploy"], "let c = aws_sdk_ecs::Client::new();"),
        "planted.rs: `commands` must not use the crate `aws_sdk_ecs`"
    );
    assert_eq!(planted(&["plan", "deploy"], "// use crate::aws;\nlet text = \"crate::aws::x\";"), "");
    assert_eq!(planted(&["plan", "deploy"], "#[cfg(test)]\nmod tests { use crate::aws::Aws; }"), "");
    assert_eq!(planted(&["plan", "deploy"], "use super::color::Color; use super::super::plan::arn;"), "");
    assert_eq!(planted(&["news"], ""), "planted.rs: the layer `news` has no row in the table");
}
