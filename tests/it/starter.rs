//! `examples/starter/start`: what it writes into a new repository, and what it refuses; and a repository that it began, workflow
//! by workflow on the testbed, from the first push to a promoted second version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::Testbed;

use crate::common::copied::{ends, trusts};
use crate::common::event::{self, Event};
use crate::common::look::{definition, wants};
use crate::common::own::Ran;
use crate::common::workflow::{Runner, parsed};

/// The workflows of a new repository.
const WORKFLOWS: [&str; 8] = [
    "deploy-on-push.yml",
    "doctor.yml",
    "infrastructure-apply.yml",
    "infrastructure-plan.yml",
    "nightly-status.yml",
    "promote.yml",
    "redirect-traffic.yml",
    "rollback.yml",
];

/// Runs a script of the shell in a folder.
fn shell(folder: &Path, script: &str) -> Output {
    let mut command = Command::new("bash");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "x").env(format!("GIT_{role}_EMAIL"), "x@example.com");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").args(["-euc", script]).current_dir(folder);
    command.output().expect("bash starts")
}

/// A clone of this repository, and a new repository beside it.
struct Begun {
    /// Both folders.
    home: TempDir,
    /// The clone's commit.
    commit: String,
}

impl Begun {
    /// Makes both. `origin`: the address that the clone came from.
    fn new(origin: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let made = shell(
            home.path(),
            &format!(
                "mkdir -p clone new && cd clone && cp -R {root}/examples {root}/.github {root}/infra . && git init --quiet \
                 && git remote add origin {origin} && git add --all && git commit --quiet --message start && git rev-parse HEAD",
                root = env!("CARGO_MANIFEST_DIR"),
            ),
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let commit = String::from_utf8(made.stdout).expect("text").trim().to_owned();
        Self { home, commit }
    }

    /// Runs `start` with these words; gives the exit code and all that it printed.
    fn start(&self, words: &str) -> (i32, String) {
        let done = shell(&self.path(""), &format!("../clone/examples/starter/start {words}"));
        let said =
            [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (done.status.code().unwrap_or(-1), said)
    }

    /// A path in the new repository.
    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("new").join(name)
    }

    /// A file of the new repository.
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names in a folder of the new repository, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("the folder is there");
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Runs one of its workflows from an event; gives its steps of the action.
    fn runs(&self, bed: &Testbed, workflow: &str, event: &Event) -> Vec<Ran> {
        self.ran(bed, workflow, event).0
    }

    /// The same; gives the comments that its scripts posted too.
    fn ran(&self, bed: &Testbed, workflow: &str, event: &Event) -> (Vec<Ran>, Vec<String>) {
        let file = format!(".github/workflows/{workflow}");
        let text = self.read(&file).replace("octo-org/colors@", "OWNER/ecs-blue-green@");
        let config = self.read(".github/blue-green.yml");
        let mut runner = Runner::new(bed, event, config, true);
        runner.run(&file, &parsed(&file, &text));
        (runner.ran, runner.posted)
    }

    /// The same from a button with these inputs.
    fn pressed(&self, bed: &Testbed, workflow: &str, inputs: Value) -> Vec<Ran> {
        self.runs(bed, workflow, &Event::by_hand(bed, inputs))
    }
}

#[test]
fn start_writes_a_repository_with_its_own_names() {
    for origin in [
        "git@github.com:octo-org/colors.git",
        "https://github.com/octo-org/colors",
        "ssh://git@github.com/octo-org/colors.git",
    ] {
        let begun = Begun::new(origin);
        let (code, said) = begun.start("market us-east-1 210987654321 octo-org/market");
        assert_eq!(code, 0, "{said}");
        for told in ["Name=market Repository=octo-org/market", "environments/production-traffic"] {
            assert!(said.contains(told), "{told}\n{said}");
        }
        assert_eq!(begun.names(".github/workflows"), WORKFLOWS);
        assert_eq!(
            begun.names(""),
            [".dockerignore", ".github", "Dockerfile", "infra", "server.js"],
            "nothing else is written"
        );
        let same = shell(begun.home.path(), "diff -r clone/infra new/infra");
        assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
        for name in WORKFLOWS {
            belongs_to_the_user(name, &begun.read(&format!(".github/workflows/{name}")), &begun.commit);
        }
        let config: Value = parsed("blue-green.yml", &begun.read(".github/blue-green.yml"));
        let services = json!({ "blue": "market-blue", "green": "market-green", "develop": "market-develop" });
        assert_eq!(config, json!({ "cluster": "market", "apps": { "market": services } }));
    }
}

/// Asserts that nothing of the examples' names is left in a workflow, and that each role is one of infra/terraform/roles or
/// bootstrap.yml.
fn belongs_to_the_user(name: &str, text: &str, commit: &str) {
    let workflow = parsed(name, text);
    for word in ["OWNER/", "0000000000", "shop", "eu-west-1", "123456789012"] {
        assert!(!text.contains(word), "{name}: `{word}` is left");
    }
    for line in text.lines().filter(|line| line.contains("octo-org/colors@")) {
        assert!(line.trim_end().ends_with(&format!("octo-org/colors@{commit}")), "{name}: {line}");
    }
    if name.starts_with("infrastructure-") {
        let variables = json!({
            "TF_VAR_name": "market", "TF_VAR_region": "us-east-1", "TF_VAR_repository": "${{ github.repository }}",
            "TF_VAR_state_bucket": "market-terraform-state-210987654321",
        });
        assert_eq!(workflow["env"], variables, "{name}");
    }
    let roles =
        fs::read_to_string(crate::common::iam::path("infra/terraform/roles/main.tf")).expect("the roles");
    let known = |role: &str| {
        roles.lines().any(|line| line.trim().starts_with(role) && line.contains("= { subjects"))
            || ["infra-plan", "infra-apply"].contains(&role)
    };
    for role in text.split(":role/").skip(1).filter_map(|rest| rest.lines().next()) {
        assert!(role.strip_prefix("market-").is_some_and(known), "{name}: {role}");
    }
    for job in workflow["jobs"].as_object().expect("jobs").values() {
        let own = job["steps"].as_array().into_iter().flatten();
        let probed = own.filter(|step| !step["with"]["probes"].is_null()).count();
        assert_eq!(probed, 0, "{name}: infra/ leaves the test listeners closed");
    }
}

#[test]
fn start_refuses_what_it_would_overwrite_and_names_that_aws_or_terraform_refuse() {
    let begun = Begun::new("git@github.com:octo-org/colors.git");
    for (words, told) in [
        ("market us-east-1 210987654321", "usage: start NAME REGION ACCOUNT OWNER/REPOSITORY"),
        ("Market us-east-1 210987654321 octo-org/market", "NAME must match"),
        ("my--market us-east-1 210987654321 octo-org/market", "two hyphens in a row"),
        ("market us-east-1a 210987654321 octo-org/market", "REGION must match"),
        ("market us-east-1 2109 octo-org/market", "ACCOUNT must match"),
        ("market us-east-1 210987654321 https://github.com/octo-org/market", "OWNER/REPOSITORY must match"),
    ] {
        let (code, said) = begun.start(words);
        assert!(code == 2 && said.contains(told), "{code}: {said}");
        assert!(begun.names("").is_empty(), "nothing is written");
    }
    fs::create_dir_all(begun.path(".github/workflows")).expect("a folder");
    for name in ["Dockerfile", ".github/workflows/rollback.yml"] {
        fs::write(begun.path(name), "mine").expect("a file");
    }
    let words = "market us-east-1 210987654321 octo-org/market";
    let (code, said) = begun.start(words);
    let told = "start: .github/workflows/rollback.yml is there already, and nothing was written\n";
    assert_eq!((code, said.as_str(), begun.names(".github")), (2, told, vec!["workflows".to_owned()]));
    fs::remove_file(begun.path(".github/workflows/rollback.yml")).expect("it is removed");
    assert_eq!(begun.start(words).0, 0);
    assert_eq!(begun.read("Dockerfile"), "mine");
    assert!(!begun.path("server.js").exists(), "the app is left out where there is a Dockerfile");
}

/// The image of a service's newest task definition.
fn runs_image(bed: &Testbed, service: &str) -> Value {
    definition(bed, service)["taskDefinition"]["containerDefinitions"][0]["image"].clone()
}

#[test]
fn a_new_repository_from_the_first_push_to_a_promoted_second_version() {
    let begun = Begun::new("git@github.com:octo-org/colors.git");
    let (code, said) = begun.start("shop eu-west-1 123456789012 shop/web");
    assert_eq!(code, 0, "{said}");
    let bed = Testbed::start(testbed::Options::default()).expect("the testbed starts");
    // Made by bootstrap.yml.
    trusts(&bed, "shop-infra-plan", &[&format!("repo:{}:pull_request", event::REPOSITORY)]);
    trusts(&bed, "shop-infra-apply", &[&format!("repo:{}:environment:infrastructure", event::REPOSITORY)]);

    let pull = Event::pull_request(&bed, 1, &[]);
    let (_, posted) = begun.ran(&bed, "infrastructure-plan.yml", &pull);
    assert_eq!(posted, ["<!-- infrastructure-plan -->\n### network\n\n- create `aws_vpc.this`\n"]);
    let (_, of_fork) = begun.ran(&bed, "infrastructure-plan.yml", &pull.of_a_fork());
    assert!(of_fork.is_empty(), "no pull request of a fork is planned");
    let made = begun.runs(&bed, "infrastructure-apply.yml", &Event::push(&bed, "main", 1));
    // There are no roles yet, and the job `before` may fail.
    assert_eq!(made[0].done.output("reason"), "access-denied", "{}", made[0].done.log);
    ends(&bed, &made[1..], &["after: status succeeded"]);
    let checked = begun.pressed(&bed, "doctor.yml", json!({}));
    ends(&bed, &checked, &["doctor: doctor succeeded"]);

    let first = begun.runs(&bed, "deploy-on-push.yml", &Event::push(&bed, "main", 1));
    ends(&bed, &first, &["deploy: deploy green succeeded"]);
    let promoted = begun.pressed(&bed, "promote.yml", json!({ "color": "green" }));
    ends(&bed, &promoted, &["candidate: status succeeded", "promote: promote traffic green succeeded"]);

    let second = begun.runs(&bed, "deploy-on-push.yml", &Event::push(&bed, "main", 2));
    ends(&bed, &second, &["deploy: deploy blue succeeded"]);
    let moved = begun.pressed(&bed, "redirect-traffic.yml", json!({ "traffic": "green-80", "force": false }));
    ends(&bed, &moved, &["redirect: redirect-traffic traffic green-80 succeeded"]);
    let promoted = begun.pressed(&bed, "promote.yml", json!({ "color": "blue" }));
    ends(&bed, &promoted, &["candidate: status succeeded", "promote: promote traffic blue succeeded"]);
    let looked = begun.pressed(&bed, "nightly-status.yml", json!({}));
    ends(&bed, &looked, &["status: status succeeded"]);
    let images = [second[0].done.output("image"), first[0].done.output("image")];
    assert_eq!(["shop-blue", "shop-green"].map(|service| runs_image(&bed, service)), images);
    assert_ne!(images[0], images[1]);
    assert_eq!(wants(&bed, "shop-green"), "shop-green:2 × 1");

    let back = begun.pressed(&bed, "rollback.yml", json!({ "color": "green", "force": false }));
    ends(&bed, &back, &["rollback: rollback traffic green succeeded"]);
    let again = begun.runs(&bed, "infrastructure-apply.yml", &Event::push(&bed, "main", 2));
    ends(&bed, &again, &["before: status succeeded", "after: status succeeded"]);
}
