//! Workflows that users copy: the stage on which they run, and how their runs are judged.

use testbed::Testbed;
use testbed::sample::{Sample, Stack};

use super::event::{self, Event};
use super::own::Ran;
use super::traffic;
use super::workflow::{Runner, parsed, read};

/// Whom each role of the workflows trusts, by the end of the subject: branches and pull requests deploy, and only a job of
/// the environment `production` moves users.
const ROLES: [(&str, &[&str]); 9] = [
    ("shop-push", &["ref:refs/heads/*", "pull_request"]),
    ("shop-deploy", &["ref:refs/heads/*"]),
    ("shop-develop", &["pull_request"]),
    ("shop-deploy-green", &["pull_request"]),
    ("deploy-shop", &["ref:refs/heads/main"]),
    ("shop-status", &["ref:refs/heads/main"]),
    ("shop-infra-apply", &["environment:infrastructure"]),
    ("shop-promote", &["environment:production"]),
    ("shop-redirect", &["environment:production-traffic"]),
];

/// The services of the workflows: those that infra/terraform makes with the name `shop`.
pub(crate) const NAMES: [&str; 3] = ["shop-blue", "shop-green", "shop-develop"];

/// The testbed with the sample stack and the roles. The services have the names of infra/terraform.
pub(crate) fn stage() -> (Testbed, Sample) {
    stage_at(100, 0)
}

/// The same with these weights of blue and green.
pub(crate) fn stage_at(blue: u32, green: u32) -> (Testbed, Sample) {
    let (bed, sample) = traffic::with(&Stack { weights: (blue, green), names: NAMES, ..Stack::default() });
    trusted(&bed);
    (bed, sample)
}

/// Lets each role trust whom it should.
pub(crate) fn trusted(bed: &Testbed) {
    for (name, ends) in ROLES {
        let subjects: Vec<String> =
            ends.iter().map(|end| format!("repo:{}:{end}", event::REPOSITORY)).collect();
        trusts(bed, name, &subjects.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// What the first apply of infra/terraform makes with the name `shop`: services whose image nobody has pushed yet, and the
/// roles of infra/terraform/roles with the subjects that they trust.
pub(crate) fn first_apply(bed: &Testbed) {
    let stack = Stack { names: NAMES, image: "initial", ..Stack::default() };
    testbed::sample::create_with(bed, &stack).expect("the stack is made");
    let file = read("infra/terraform/roles/main.tf");
    let known = [
        ("local.on_branch", "ref:refs/heads/main"),
        ("var.environments.promote", "environment:production"),
        ("var.environments.traffic", "environment:production-traffic"),
        ("\"pull_request\"", "pull_request"),
    ];
    for (head, rest) in file.lines().filter_map(|line| line.split_once(" = { subjects = ")) {
        let name = head.rsplit(['{', ' ']).find(|word| !word.is_empty()).expect("its name");
        let subjects = rest.split(", policies").next().expect("its subjects");
        let trusted = known.iter().filter(|(word, _)| subjects.contains(word));
        let trusted: Vec<String> =
            trusted.map(|(_, subject)| format!("repo:{}:{subject}", event::REPOSITORY)).collect();
        assert!(!trusted.is_empty(), "{name}: {subjects}");
        trusts(bed, &format!("shop-{name}"), &trusted.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Lets a role trust these subjects and no others.
pub(crate) fn trusts(bed: &Testbed, name: &str, subjects: &[&str]) {
    let role = format!("arn:aws:iam::123456789012:role/{name}");
    bed.world(|world| world.sts.role(&role, "sts.amazonaws.com", subjects, 3600));
}

/// Lets the roles of the README's table trust whom it says, and nobody else.
pub(crate) fn trusted_as_the_readme_says(bed: &Testbed) {
    let readme = read("README.md");
    let table = readme.split("### 3. A role").nth(1).and_then(|rest| rest.split("### 4.").next());
    let rows = table.expect("the section").lines().filter(|line| line.starts_with("| `"));
    let first = |cell: &str| cell.split('`').nth(1).expect("a word in backticks").to_owned();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let [name, _, _, subject] = cells[..] else { panic!("{row}") };
        assert!(ROLES.iter().any(|(known, _)| *known == first(name)), "{row}");
        trusts(bed, &first(name), &[&format!("repo:{}:{}", event::REPOSITORY, first(subject))]);
    }
}

/// The config file that a workflow's head shows, else the README's first.
pub(crate) fn config(text: &str) -> String {
    let head = text.lines().skip_while(|line| *line != "# .github/blue-green.yml:").skip(1);
    let own: Vec<&str> = head.map_while(|line| line.strip_prefix("#   ")).collect();
    if !own.is_empty() {
        return own.join("\n");
    }
    let readme = read("README.md");
    let (_, rest) = readme.split_once("### 2. Their names").expect("the section");
    let (_, block) = rest.split_once("```yaml\n").expect("its block");
    block.split("```").next().unwrap_or_default().to_owned()
}

/// Runs a workflow from an event, with waits shortened; gives its steps of this action.
pub(crate) fn run(bed: &Testbed, file: &str, event: &Event) -> Vec<Ran> {
    run_at(bed, file, event, true)
}

/// The same, with waits shortened or as the file says.
pub(crate) fn run_at(bed: &Testbed, file: &str, event: &Event, hurried: bool) -> Vec<Ran> {
    let text = text(file);
    let mut runner = Runner::new(bed, event, config(&text), hurried);
    runner.run(file, &parsed(file, &text));
    runner.ran
}

/// A workflow's text: a file's, or that of the README's block with jobs.
fn text(file: &str) -> String {
    let text = read(file);
    if file != "README.md" {
        return text;
    }
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.into_iter().find(|block| block.contains("jobs:")).expect("the workflow").to_owned()
}

/// A step in one line: `deploy: deploy green succeeded`, and after a change of traffic, `traffic green`.
fn line(ran: &Ran) -> String {
    let (_, job, _) = &ran.place;
    let out = |name: &str| ran.done.output(name).to_owned();
    let told = match ran.command.as_str() {
        "deploy" => out("color"),
        "status" | "doctor" => String::new(),
        _ => format!("traffic {}", out("traffic")),
    };
    [format!("{job}: {}", ran.command), told, out("result"), out("reason")]
        .join(" ")
        .replace("  ", " ")
        .trim()
        .to_owned()
}

/// Asserts that a run ended as its plan said.
#[track_caller]
fn as_planned(one: &Ran) {
    let (planned, done) = (one.planned.verdict(), one.done.verdict());
    let expected = match (one.command.as_str(), done.1) {
        ("status" | "doctor", _) | (_, "refused") => done,
        _ => (0, "planned", "", "untouched"),
    };
    assert_eq!(planned, expected, "{}\n-----\n{}", one.planned.log, one.done.log);
    let good = ["succeeded", "unchanged"].contains(&done.1);
    assert_eq!(done.0, i32::from(!good), "{}", one.done.log);
}

/// Asserts how a workflow's steps ended: each as its plan said, posted whole, and silent about permissions, with no file
/// left; its post step found nothing to do; and no invariant was broken.
#[track_caller]
pub(crate) fn ends(bed: &Testbed, ran: &[Ran], expected: &[&str]) {
    for one in ran {
        let logs = [&one.planned, &one.done, &one.post].map(|done| done.log.as_str());
        let lines: Vec<String> = ran.iter().map(line).collect();
        assert!(lines == expected, "{lines:?}, not {expected:?}\n{}", logs.join("\n-----\n"));
        as_planned(one);
        let marks = logs.iter().flat_map(|log| log.lines()).filter(|line| {
            line.starts_with("::notice") || line.starts_with("::warning") || line.starts_with("GitHub: no")
        });
        assert_eq!(marks.collect::<Vec<_>>(), [""; 0], "{}", logs.join("\n-----\n"));
        assert_eq!(one.post.code, 0, "{}", one.post.log);
        for done in [&one.planned, &one.done, &one.post] {
            let brought = [".github", ".github/blue-green.yml"];
            assert!(
                done.workspace.iter().all(|file| brought.contains(&file.as_str())),
                "{:?}",
                done.workspace
            );
        }
    }
    let lines: Vec<String> = ran.iter().map(line).collect();
    assert_eq!(lines, expected);
    assert_eq!(bed.violations(), []);
}

/// What was shown on GitHub: the last commit status, and the states of the newest deployment.
pub(crate) fn shown(bed: &Testbed) -> (String, String) {
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        let status = of.statuses.last().map(|status| format!("{}: {}", status.context, status.state));
        let states = of.deployments.last().map(|one| {
            let states: Vec<&str> = one.statuses.iter().map(|status| status.state.as_str()).collect();
            format!("{}: {}", one.environment, states.join(", "))
        });
        (status.unwrap_or_default(), states.unwrap_or_default())
    })
}

/// A pair of texts.
pub(crate) fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}
