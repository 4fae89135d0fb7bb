//! What the comment shows. The snapshots are Markdown: read them in `snapshots/`.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;

use super::*;
use crate::event::{Difference, Event, LogTail};
use crate::failure::{Outcome, Reason};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::cause::{Cause, Finding};
use crate::plan::color::{Color, ServiceColor};
use crate::plan::overview::{Movable, Move};
use crate::plan::problem::Problem;
use crate::plan::step::{ProbeFailure, ProbeFailureKind, Refusal, Wait};
use crate::plan::verdict::DeploymentFailure;
use crate::report::fixtures::{
    ACCOUNT, BLUE, BLUE_80, crash, failed, moved, overview, planned, refused, report, traffic_plan, trouble,
    view,
};

/// The run of the tests.
fn run() -> CommentRun {
    CommentRun {
        cluster: "shop".to_owned(),
        app: "web".to_owned(),
        region: "eu-west-1".to_owned(),
        place: Some("SUM".to_owned()),
        repository: Some("octo/shop".to_owned()),
        actor: Some("octocat".to_owned()),
        branch: Some("feature/cart".to_owned()),
        commit: Some("a1b2c3d4e5f60718293a4b5c6d7e8f9012345678".to_owned()),
        id: Some("123456789012".to_owned()),
        url: Some("https://github.example/octo/shop/actions/runs/123456789012/attempts/1".to_owned()),
        button: Some(Button { file: "redirect-traffic.yml".to_owned(), inputs: None }),
        started: None,
    }
}

#[test]
fn a_swap_tells_what_production_ran_and_not_what_a_color_ran() {
    let previous = Some(crate::report::fixtures::revision(7));
    let swapped = Report {
        command: "promote",
        task_definition: Some(crate::report::fixtures::revision(8)),
        previous_task_definition: previous,
        ..moved()
    };
    let told = end_comment(&swapped, &run());
    assert!(told.contains("Version of production: from <code>web:7</code> to <code>web:8</code>"), "{told}");
    let elsewhere = end_comment(&Report { split: Some(BLUE), ..swapped.clone() }, &run());
    assert!(
        elsewhere.contains("Wanted for production: <code>web:8</code> instead of <code>web:7</code>"),
        "{elsewhere}"
    );
    let unchanged = Report { outcome: Outcome::Unchanged, left: Left::Untouched, ..swapped };
    let told = end_comment(&unchanged, &run());
    assert!(!told.contains("Version of production") && !told.contains("Wanted for"), "{told}");
}

#[test]
fn success() {
    insta::assert_snapshot!(end_comment(&report(), &run()));
}

#[test]
fn a_crash_that_was_put_back() {
    insta::assert_snapshot!(end_comment(
        &failed(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), crash()),
        &run()
    ));
}

#[test]
fn a_refusal() {
    let live = Refusal::LiveColor { color: Color::Blue, split: BLUE, rules: Vec::new() };
    insta::assert_snapshot!(end_comment(&refused(live), &run()));
}

#[test]
fn plan_only() {
    let (outcome, healthy, left) = (Outcome::Planned, None, Left::Untouched);
    insta::assert_snapshot!(end_comment(&Report { outcome, healthy, left, ..report() }, &run()));
}

#[test]
fn deploying() {
    let now = Working {
        command: "deploy",
        overview: Some(overview()),
        plan: Some(planned()),
        ..Working::default()
    };
    insta::assert_snapshot!(progress_comment(&now, &run()));
}

#[test]
fn a_step_that_is_held_says_which_and_until_when() {
    let at = Time(1_700_000_000_000);
    let mut strip = Strip::default();
    strip.note(&Event::TrafficPlan(Box::new(traffic_plan())), at);
    let split = Split { blue: 90, green: 10 };
    let wait = Wait::Bake { split, left: Duration::from_secs(300), no_data: Vec::new() };
    strip.note(&Event::Waiting { wait, elapsed: Duration::ZERO, heartbeat: false }, at);
    let now = Working {
        command: "redirect-traffic",
        overview: Some(Overview { split: Some(Ok(split)), ..overview() }),
        traffic: Some(Box::new(traffic_plan())),
        strip,
        lasts: Duration::from_secs(125),
        ..Working::default()
    };
    let run = CommentRun { started: Some(at), ..run() };
    let bakes = progress_comment(&now, &run);
    let text = "### ⏳ Moving users to blue-80. Users: 90 % on blue, 10 % on green.\n\nThe run is under way; this comment follows it.\n\n🟦🟦🟦🟦🟦🟦🟦🟦🟦🟩 set 10 % green\\\nstep 2 of 2 · 0 of 5 min · next 20 % at 22:18 UTC\n\n| |";
    assert!(bakes.contains(text), "{bakes}");
    let back = "**Back:** All users back to blue – start [redirect-traffic.yml](https://github.example/octo/shop/actions/workflows/redirect-traffic.yml) with <code>command: rollback</code>, <code>color: blue</code>.";
    assert!(bakes.contains(back), "{bakes}");
    assert!(bakes.contains(" · started at 22:13:20 UTC, under way for 2m 05s"), "{bakes}");
    assert!(is_in_progress(&bakes, &run));
    let events = Ok(vec!["this comment follows it.".to_owned()]);
    let log_tail = Some(LogTail { container: "app".to_owned(), events });
    let ended = end_comment(&Report { log_tail, ..report() }, &run);
    assert!(!is_in_progress(&ended, &run), "a container's log is not the run's own word");
    assert!(ended.contains(" · started at 22:13:20 UTC, took 2m 05s"), "{ended}");
}

#[test]
fn going_back() {
    let failing = Some((RunFailure::Deployment(DeploymentFailure::CircuitBreaker), crash()));
    let now = Working {
        command: "deploy",
        overview: Some(overview()),
        plan: Some(planned()),
        failing,
        ..Working::default()
    };
    let told = progress_comment(&now, &run());
    let head = "<!-- ecs-blue-green:shop/web@eu-west-1:SUM -->\n### ⏪ Going back: deploy to green failed\n\nThe deployment circuit breaker";
    assert!(told.starts_with(head), "{told}");
}

#[test]
fn a_cancelled_run_is_not_told_as_a_failed_one() {
    let now = Working {
        command: "deploy",
        overview: Some(overview()),
        plan: Some(planned()),
        failing: Some((RunFailure::Cancelled, Cause::default())),
        ..Working::default()
    };
    let told = progress_comment(&now, &run());
    let head = "<!-- ecs-blue-green:shop/web@eu-west-1:SUM -->\n### 🚫 Cancelled: deploy to green\n\nThe run was cancelled before";
    assert!(told.starts_with(head), "{told}");
}

#[test]
fn what_runs_is_told_where_it_is_not_what_is_wanted() {
    let mut report = report();
    let views = &mut report.overview.as_mut().unwrap().colors;
    views.iter_mut().find(|view| view.color == Color::Green).unwrap().runs = Some("web:7".to_owned());
    let json = crate::report::status::status_json(report.overview.as_ref().unwrap());
    assert_eq!(json.matches(r#""runs":"web:7""#).count(), 1, "{json}");
    let told = end_comment(&report, &run());
    let row = told.lines().find(|line| line.starts_with("| runs |"));
    assert_eq!(row, Some("| runs | – | <code>web:7</code> | – |"), "{told}");
}

#[test]
fn a_run_of_which_nothing_is_known() {
    let told = end_comment(
        &Report::new("status"),
        &CommentRun {
            cluster: "shop".to_owned(),
            app: "web".to_owned(),
            region: "eu-west-1".to_owned(),
            place: Some("SUM".to_owned()),
            ..CommentRun::default()
        },
    );
    assert!(
        told.starts_with(
            "<!-- ecs-blue-green:shop/web@eu-west-1:SUM -->\n### ⛔ Refused: status\n\nNot started."
        ),
        "{told}"
    );
    assert!(told.ends_with("<sub>cluster <code>shop</code>, app <code>web</code></sub>\n"), "{told}");
}

#[test]
fn the_commands_name_only_inputs_that_the_workflow_has() {
    let inputs = Some(vec!["color".to_owned()]);
    let button = Some(Button { file: "deploy.yml".to_owned(), inputs });
    let told = end_comment(&report(), &CommentRun { button, ..run() });
    assert!(told.contains("\ngh workflow run deploy.yml -R octo/shop -f color=green\n"), "{told}");
    let told = end_comment(&report(), &CommentRun { button: None, ..run() });
    assert!(!told.contains("gh workflow"), "{told}");
}

/// The `gh workflow run` lines of a comment, without what they all begin with.
fn commands(report: &Report, inputs: Option<&[&str]>) -> Vec<String> {
    let inputs = inputs.map(|all| all.iter().map(|&one| one.to_owned()).collect());
    let button = Some(Button { file: "x.yml".to_owned(), inputs });
    let told = end_comment(report, &CommentRun { button, repository: None, ..run() });
    told.lines().filter_map(|line| line.strip_prefix("gh workflow run x.yml ")).map(str::to_owned).collect()
}

#[test]
fn the_commands_are_those_of_the_workflow_and_are_possible_now() {
    let mut users = moved();
    let both = [Color::Blue, Color::Green];
    let can = |command| both.map(|color| Movable { command, color, valid: Ok(()) });
    let movable = [Move::Redirect, Move::Rollback, Move::Promote].into_iter().flat_map(can).collect();
    users.see(Overview { split: Some(Ok(BLUE_80)), movable, ..overview() });
    let presets = ["-f traffic=blue", "-f traffic=split", "-f traffic=green-80", "-f traffic=green"];
    assert_eq!(commands(&users, Some(&["traffic", "force"])), presets);
    let rollback = Report { command: "rollback", ..users.clone() };
    assert_eq!(commands(&rollback, Some(&["color", "force"])), ["-f color=blue", "-f color=green"]);
    let promote = Report { command: "promote", ..users.clone() };
    assert_eq!(commands(&promote, Some(&["color"])), ["-f color=blue", "-f color=green"]);
    let all = commands(&users, None);
    assert!(all.contains(&"-f command=redirect-traffic -f traffic=green-80".to_owned()), "{all:?}");
    assert!(all.contains(&"-f command=rollback -f color=blue".to_owned()), "{all:?}");
    assert_eq!(commands(&report(), Some(&["color"])), ["-f color=green"]);
}

#[test]
fn users_who_are_moved_and_were_moved() {
    let now = Working {
        command: "redirect-traffic",
        overview: Some(overview()),
        traffic: moved().traffic,
        ..Working::default()
    };
    insta::assert_snapshot!("moving", progress_comment(&now, &run()));
    let there = progress_comment(&Working { moved: Some(Split { blue: 0, green: 100 }), ..now }, &run());
    assert!(there.contains("All rules hold the split, read back from AWS. The run watches on"), "{there}");
    insta::assert_snapshot!("moved", end_comment(&moved(), &run()));
}

/// A report that is full of this text.
fn full_of(text: &str, times: usize) -> Report {
    let many = || (0..times).map(|_| text.to_owned());
    let finding = |reason| Finding::Stopped { code: text.to_owned(), reason, tasks: 1 };
    let difference =
        |before| Difference { path: text.to_owned(), before: Some(before), after: Some(text.to_owned()) };
    let mut seen = overview();
    for view in &mut seen.colors {
        (view.image, view.commit) = (Some(text.to_owned()), Some(text.to_owned()));
        (view.service, view.revision) = (text.to_owned(), text.to_owned());
        (view.test_url, view.digests) = (Some(format!("x{text}")), many().collect());
    }
    seen.production_url = Some(format!("x{text}"));
    seen.place.cluster = text.to_owned();
    seen.unread = many().map(|message| trouble(AwsErrorKind::Denied, text, &message)).collect();
    seen.missing = vec![(ServiceColor::Develop, text.to_owned())];
    let kind = ProbeFailureKind::Unreachable { why: text.to_owned() };
    let probe = ProbeFailure { url: text.to_owned(), kind };
    let cause = Cause { findings: many().map(finding).collect(), logs: Vec::new() };
    Report {
        plan: Some(Planned {
            changes: many().map(difference).collect(),
            service: text.to_owned(),
            ..planned()
        }),
        overview: Some(seen),
        service: Some(text.to_owned()),
        previous_task_definition: Some(text.to_owned()),
        ..failed(RunFailure::Probe(probe), cause)
    }
}

/// A run that is full of this text.
fn hostile_run(text: &str) -> CommentRun {
    let own = || text.to_owned();
    CommentRun {
        cluster: own(),
        app: own(),
        region: own(),
        place: None,
        repository: Some("octo/shop".to_owned()),
        actor: Some(own()),
        branch: Some(own()),
        commit: Some(own()),
        id: Some("42".to_owned()),
        url: Some("https://github.example/octo/shop/actions/runs/42".to_owned()),
        button: None,
        started: None,
    }
}

/// GitHub's Markdown, as far as the library goes.
fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options
}

/// What stands in a comment when it is read as GitHub reads it.
#[derive(Debug, Default)]
struct Read {
    /// Addresses of links and images.
    links: Vec<String>,
    /// Raw HTML.
    html: Vec<String>,
    /// Text outside of code, where GitHub looks for mentions and references; raw HTML parts it.
    text: Vec<String>,
}

/// Reads a comment.
fn read(comment: &str) -> Read {
    let arena = Arena::new();
    let mut found = Read::default();
    let mut in_code = false;
    for node in parse_document(&arena, comment, &options()).descendants() {
        match &node.data.borrow().value {
            NodeValue::Link(link) => found.links.push(link.url.clone()),
            NodeValue::Image(image) => found.links.push(image.url.clone()),
            NodeValue::HtmlBlock(html) => found.html.push(html.literal.clone()),
            NodeValue::HtmlInline(html) => {
                in_code = (in_code || html == "<code>") && html != "</code>";
                found.html.push(html.clone());
            }
            NodeValue::Text(text) if !in_code => found.text.push(text.to_string()),
            _ => {}
        }
    }
    found
}

/// The tags that the action writes.
const OURS: [&str; 6] = ["<code>", "</code>", "<sub>", "</sub>", "</details>", "<wbr>"];

/// The titles of the folded parts.
const FOLDED: [&str; 11] = [
    "Plan",
    "More about the failure",
    "Pull requests",
    "Both colors compared",
    "Drift",
    "Could not be read",
    "Changed version",
    "When the new weights apply",
    "The way back, with and without GitHub",
    "Commands for a terminal",
    "Commands now",
];

/// Asserts that nothing of the text has a meaning, beside our own links.
fn is_inert(comment: &str) {
    let found = read(comment);
    for link in &found.links {
        let host = [
            "https://github.example/octo/shop/actions/runs/42",
            "https://eu-west-1.console.aws.amazon.com/",
            "http://shop-alb.example",
            "https://shop-alb.example",
        ];
        assert!(host.iter().any(|host| link.starts_with(host)), "a link to {link}:\n{comment}");
    }
    for html in &found.html {
        let title =
            html.trim().strip_prefix("<details><summary>").and_then(|it| it.strip_suffix("</summary>"));
        let known = OURS.contains(&html.trim())
            || title.is_some_and(|title| FOLDED.contains(&title))
            || html.trim().starts_with("<!-- ecs-blue-green:") && html.matches("-->").count() == 1;
        assert!(known, "HTML {html}:\n{comment}");
    }
    for text in &found.text {
        for sign in ['@', '#'] {
            let bare =
                text.split(sign).skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_alphanumeric()));
            assert!(!bare, "`{sign}` in {text:?}:\n{comment}");
        }
        let low = text.to_lowercase();
        let issue = low.split("gh-").skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        assert!(!issue, "GH- in {text:?}");
    }
}

/// Text that tries everything.
const EVIL: &str = "@octocat #12 GH-7 octo/shop#3 <img src=x onerror=alert(1)> <!-- --> [x](https://evil.example) ![x](https://evil.example/i.png) https://evil.example www.evil.example mail@evil.example | a | b |\n\n# x\n```\n> [!WARNING]\n- [ ] x\n[^1]: x `@y` <https://evil.example> ftp://evil.example xmpp:me@evil.example :::";

#[test]
fn invariant_32_foreign_text_is_only_text_for_a_reader_of_github_markdown() {
    is_inert(&end_comment(&full_of(EVIL, 2), &hostile_run(EVIL)));
    let problems = vec![Problem::new(EVIL, EVIL), Problem::new("input color", EVIL)];
    is_inert(&end_comment(
        &Report { problems, refusal: None, reason: Some(Reason::BadInput), ..refused(Refusal::NoDevelop) },
        &hostile_run(EVIL),
    ));
    let now = full_of(EVIL, 2);
    let failing = now.failing.clone().map(|failing| (failing, now.cause.clone()));
    is_inert(&progress_comment(
        &Working { command: "deploy", overview: now.overview, plan: now.plan, failing, ..Working::default() },
        &hostile_run(EVIL),
    ));
}

#[test]
fn the_verdict_stays_when_there_is_no_room() {
    let whole = end_comment(&report(), &run());
    for (text, times) in [("`<@|#", 200), ("x", 3_000), ("web", 1)] {
        let told = end_comment(&full_of(&text.repeat(200), times), &run());
        assert!(told.len() <= LIMIT, "{} bytes", told.len());
        assert!(
            told.starts_with(
                "<!-- ecs-blue-green:shop/web@eu-west-1:SUM -->\n### ❌ Failed: deploy to green (probe-unreachable). Users are still on blue.\n\n"
            ),
            "{told}"
        );
        let (_, run) = whole.rsplit_once(" · [run ").unwrap();
        assert!(told.ends_with(run), "{told}");
        is_inert(&told.replace("octo/shop/actions/runs/123456789012", "octo/shop/actions/runs/42"));
    }
    let problems = (0..500).map(|_| Problem::new("input color", "@".repeat(2_000))).collect();
    let bad = Report { problems, refusal: None, ..refused(Refusal::NoDevelop) };
    let told = end_comment(&bad, &run());
    assert!(told.len() <= LIMIT && told.contains("### ⛔ Refused"), "{} bytes", told.len());
}

#[test]
fn a_long_name_makes_no_wide_cell() {
    let mut seen = overview();
    let long = format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/a/b/{}:{}", "c".repeat(80), "d".repeat(80));
    seen.colors = vec![crate::plan::overview::ColorView {
        image: Some(long),
        ..view(ServiceColor::Blue, 7, Some(100))
    }];
    let told = end_comment(&Report { overview: Some(seen), ..report() }, &run());
    let row = told.lines().find(|line| line.starts_with("| image |")).unwrap();
    assert_eq!(row, format!("| image | <code>{}… <wbr>&#64;<wbr>0a1b2c</code> |", "c".repeat(28)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn invariant_32_no_account_is_in_a_comment(text in "[a-z0-9:/ .-]{0,20}") {
        let told = end_comment(&full_of(&format!("{text}{ACCOUNT}{text} {ACCOUNT}"), 3), &hostile_run(ACCOUNT));
        prop_assert!(!told.contains(ACCOUNT), "{told}");
    }

    #[test]
    fn invariant_32_no_text_has_a_meaning(text in "[@#|<>`a-z0-9\\n\\r\\\\_*:/!\\[\\]().~^=+ -]{0,40}|(https?://|www\\.|@|#1|GH-1|a@b\\.c|<b>|<!--|\\]\\(| |`|\\||\\n){0,12}") {
        is_inert(&end_comment(&full_of(&text, 2), &hostile_run(&text)));
    }
}
