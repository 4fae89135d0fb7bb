//! What GitHub shows of a pull request from its deploy to production and back: the comment and the labels at each
//! point; and that a GitHub that is down changes nothing in AWS (invariant 33).

use std::fs;
use std::time::{Duration, Instant};

use crate::common::look::redacted;
use crate::common::traffic::{moves, until_at};
use crate::common::{Action, COMMIT, Done, pull_request, stack, writes};
use comrak::{Options, markdown_to_html};
use rustix::process::Signal;
use serde_json::json;
use testbed::sample::{self, Sample};
use testbed::{Effect, Fault, Testbed};

/// The newest commit of the default branch, which buttons run on. No pull request has it.
const MAIN: &str = "89abcdef0123456789abcdef0123456789abcdef";
/// The job's token.
const TOKEN: &str = "ghs_Zq9PlantedGithubToken";

/// The sample stack, and a repository with pull request 7 and a default branch.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| {
        world.github.repository("shop", "web").commit(MAIN);
        pull_request(world, TOKEN);
        world.pace.launch = Duration::from_millis(400);
    });
    (bed, sample)
}

/// A run with a token. Each has a number of its own.
fn run(bed: &Testbed, command: &str, id: &str) -> Action {
    let with = |action: Action, (name, value): (String, String)| action.env(&name, &value);
    bed.github_env()
        .into_iter()
        .fold(Action::new(bed, command), with)
        .input("token", TOKEN)
        .env("GITHUB_RUN_ID", id)
        .env("GITHUB_ACTOR", "octocat")
}

/// A deploy of this version by the pull request.
fn deploy(bed: &Testbed, sample: &Sample, version: &str, id: &str) -> Action {
    run(bed, "deploy", id).input("image", &sample.image(version)).env("GITHUB_REF_NAME", "feature/cart")
}

/// A command that somebody starts with a button, a workflow with these inputs, on the default branch.
fn button(bed: &Testbed, command: &str, id: &str, inputs: &[(&str, &str)]) -> Action {
    let given: serde_json::Map<_, _> =
        inputs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let action = run(bed, command, id)
        .env("GITHUB_SHA", MAIN)
        .env("GITHUB_REF_NAME", "main")
        .env("GITHUB_EVENT_NAME", "workflow_dispatch")
        .env("GITHUB_WORKFLOW_REF", &format!("shop/web/.github/workflows/{command}.yml@refs/heads/main"))
        .env("GITHUB_EVENT_PATH", "event.json")
        .file("event.json", &json!({ "inputs": given }).to_string())
        .input("settle", "200ms")
        .input("timeout", "60s");
    inputs.iter().fold(action, |action, (name, value)| action.input(name, value))
}

/// The only comment of pull request 7, as it was sent.
#[track_caller]
fn comment(bed: &Testbed) -> String {
    let all = bed.world(|world| world.github.repository("shop", "web").comments(7));
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].body.clone()
}

/// The labels of pull request 7.
fn labels(bed: &Testbed) -> Vec<String> {
    let all = bed.world(|world| world.github.repository("shop", "web").labels_of(7));
    all.into_iter().map(|name| name.replace("web-79e1496b ", "")).collect()
}

/// The deployments: environment, commit, states.
fn deployments(bed: &Testbed) -> Vec<String> {
    bed.world(|world| {
        let all = &world.github.repository("shop", "web").deployments;
        let one = |one: &testbed::github::Deployment| {
            let states: Vec<_> = one.statuses.iter().map(|status| status.state.as_str()).collect();
            format!("{} {}: {}", one.environment, &one.sha[..4], states.join(", "))
        };
        all.iter().map(one).collect()
    })
}

/// The commit statuses that are no longer pending: commit, state.
fn statuses(bed: &Testbed) -> Vec<String> {
    bed.world(|world| {
        let all = &world.github.repository("shop", "web").statuses;
        let ended = all.iter().filter(|status| status.state != "pending");
        ended.map(|status| format!("{} {}", &status.sha[..4], status.state)).collect()
    })
}

/// The texts that were sent as comments, in order.
fn sent(bed: &Testbed) -> Vec<String> {
    let calls = bed.github_writes();
    let comments = calls.iter().filter(|call| call.path.contains("/comments") && call.method != "DELETE");
    comments.map(|call| call.body["body"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A comment without what differs from run to run.
fn steady(text: &str) -> String {
    let text =
        (2..10).fold(redacted(text), |text, count| text.replace(&format!(" {count} tasks"), " N tasks"));
    // Targets that drain and a deployment that ends are seen or not, as the clock has it.
    let passing = ["| healthy |", "| state |"];
    let lasts = |line: &&str| !passing.iter().any(|start| line.starts_with(start));
    let mut lines: Vec<&str> = text.lines().filter(lasts).collect();
    lines.dedup_by(|next, last| next.starts_with("- [app in task") && last.starts_with("- [app in task"));
    lines.join("\n")
}

/// Asserts what the comment said while the run was under way, and what it says at the end; of this many texts.
#[track_caller]
fn told(bed: &Testbed, point: &str, texts: usize) {
    let all = sent(bed);
    assert_eq!(all.len(), texts, "{all:#?}");
    assert_eq!(comment(bed), all[texts - 1]);
    for (at, text) in all.iter().enumerate() {
        insta::assert_snapshot!(format!("{point}_{}", at + 1), steady(text));
    }
    bed.clear_github_calls();
}

/// Asserts that nothing was said of GitHub.
#[track_caller]
fn is_quiet(done: &Done) {
    let said = done.log.lines().any(|line| line.starts_with("::notice") || line.starts_with("GitHub:"));
    assert!(!said, "{}", done.log);
}

#[test]
fn a_rollback_that_undoes_one_of_the_last_hour_warns_first() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    let moved = |id: &str, command: &str, input: (&str, &str)| button(&bed, command, id, &[input]);
    moved("102", "redirect-traffic", ("traffic", "green")).run().expect(0, "succeeded", "", "changed");
    let told = "A rollback sent all users to blue";
    let unchecked = "Not checked: whether a rollback of the last hour sent all users to ";
    let first = moved("103", "rollback", ("color", "blue")).run();
    first.expect(0, "succeeded", "", "changed");
    assert!(!first.log.contains(told) && !first.log.contains(unchecked), "{}", first.log);

    let planned = moved("104", "rollback", ("color", "green")).input("plan-only", "true");
    let planned = planned.input("comment", "false").run();
    let second = moved("105", "rollback", ("color", "green")).run();
    second.expect(0, "succeeded", "", "changed");
    for text in [&planned.log, &planned.summary, &second.log, &second.summary, &comment(&bed)] {
        assert!(text.contains(told), "{text}");
    }
    let place = |text: &str| second.log.find(text).unwrap_or_else(|| panic!("{text}: {}", second.log));
    assert!(place(told) < place("::group::Plan"), "before anything is announced: {}", second.log);
    let alone =
        moved("106", "rollback", ("color", "blue")).input("plan-only", "true").input("token", "").run();
    alone.expect(0, "planned", "", "untouched");
    let place = |text: &str| alone.log.find(text).unwrap_or_else(|| panic!("{text}: {}", alone.log));
    assert!(place(&format!("{unchecked}green. ")) < place("::group::Plan"), "{}", alone.log);
}

#[test]
fn a_run_that_watches_for_long_says_where_users_are_meanwhile() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    bed.clear_github_calls();
    let run = button(&bed, "redirect-traffic", "102", &[("traffic", "green"), ("settle", "10m")]).spawn();
    let begin = Instant::now();
    while !sent(&bed).iter().any(|text| text.contains("All users are on green.\n")) {
        assert!(begin.elapsed() < Duration::from_secs(30), "{:#?}", sent(&bed));
        std::thread::sleep(Duration::from_millis(50));
    }
    run.signal(Signal::INT);
    run.wait().expect(1, "cancelled", "cancelled", "changed");
    assert!(!comment(&bed).contains("⏳"), "{}", comment(&bed));
}

#[test]
fn the_comment_of_a_stepped_run_follows_its_steps() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    bed.clear_github_calls();
    let steps = [("traffic", "green"), ("steps", "20, 50"), ("bake-time", "3s")];
    button(&bed, "redirect-traffic", "102", &steps).run().expect(0, "succeeded", "", "changed");
    let all = sent(&bed);
    let shows = |text: &str| all.iter().position(|one| one.contains(text));
    let first = shows("🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green\\\nstep 1 of 2 · ");
    let second = shows("🟦🟦🟦🟦🟦🟩🟩🟩🟩🟩 set 50 % green\\\nstep 2 of 2 · ");
    assert!(first.is_some() && first < second, "{all:#?}");
    assert!(first.is_some_and(|at| all[at].contains(" of 3 s · next 50 % at ")), "{all:#?}");
    assert!(all.iter().all(|text| text.contains(" · started at ") && text.contains(" UTC, ")), "{all:#?}");
    assert!(all.last().is_some_and(|text| text.contains(" UTC, took ")), "{all:#?}");
}

#[test]
fn the_whole_story_of_a_pull_request() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2", "101").run();
    done.expect(0, "succeeded", "", "changed");
    told(&bed, "1_deploy", 2);
    assert_eq!(labels(&bed), ["deployed: green", "traffic: blue"]);

    let done = button(&bed, "redirect-traffic", "102", &[("traffic", "blue-80"), ("force", "false")]).run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    told(&bed, "2_redirect", 2);
    assert_eq!(labels(&bed), ["deployed: green", "live", "traffic: blue-80"]);
    assert_eq!(deployments(&bed), ["web-green 0123: in_progress, success"]);

    let done = button(&bed, "promote", "103", &[("color", "green")]).run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    told(&bed, "3_promote", 2);
    assert_eq!(labels(&bed), ["deployed: green", "live", "traffic: green"]);
    let promoted = ["web-green 0123: in_progress, success", "web-production 0123: in_progress, success"];
    assert_eq!(deployments(&bed), promoted);

    let done = deploy(&bed, &sample, "v3-crash", "104").run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    told(&bed, "4_failed_deploy", 4);
    assert_eq!(labels(&bed), ["deployed: green", "live", "traffic: green", "deploy failed"]);

    let done = button(&bed, "rollback", "105", &[("color", "blue"), ("force", "false")]).run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    told(&bed, "5_rollback", 2);
    assert_eq!(labels(&bed), ["deployed: green", "deploy failed", "traffic: blue"]);

    let steps = [("traffic", "green"), ("steps", "20"), ("bake-time", "10m")];
    let running = button(&bed, "redirect-traffic", "106", &steps).input("timeout", "30m").spawn();
    until_at(&bed, &sample, &["80/20"]);
    running.signal(rustix::process::Signal::INT);
    let done = running.wait();
    assert_eq!((done.code, done.output("result")), (1, "cancelled"), "{}", done.log);
    button(&bed, "redirect-traffic", "106", &steps).post(&done.state).run();
    let text = steady(&comment(&bed));
    assert!(text.contains("### 🚫 Cancelled"), "{text}");
    insta::assert_snapshot!("6_cancelled", text);
    assert_eq!(bed.violations(), []);
}

#[test]
fn the_post_step_of_a_redirect_tells_of_a_redirect_where_the_run_did() {
    let (bed, sample) = stage();
    bed.world(|world| {
        let other = "5".repeat(40);
        let of = world.github.repository("shop", "web");
        of.commit(&other).on_default_branch = false;
        of.pull(8, &other, "feature/pay", "main");
    });
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    let inputs = [("traffic", "green"), ("steps", "20"), ("bake-time", "10m"), ("on-cancel", "restore")];
    // A commit of another pull request.
    let start = || button(&bed, "redirect-traffic", "102", &inputs).env("GITHUB_SHA", &"5".repeat(40));
    let running = start().input("timeout", "30m").spawn();
    until_at(&bed, &sample, &["80/20"]);
    bed.fault(Fault::on("ModifyListener", Effect::Delay(Duration::from_secs(20))).times(1));
    running.signal(Signal::INT);
    let done = running.wait();
    done.expect(1, "cancelled", "cancelled", "unknown");
    assert!(comment(&bed).contains("NOT KNOWN"), "{}", comment(&bed));
    let before = statuses(&bed);
    let after = start().post(&done.state).run();
    after.expect(1, "cancelled", "cancelled", "restored");
    let text = comment(&bed);
    assert!(text.contains("### 🚫 Cancelled: redirect-traffic. All users are on blue.\n"), "{text}");
    assert!(text.contains("Restored: the production rules hold again what was found"), "{text}");
    assert_eq!(labels(&bed), ["deployed: green", "traffic: blue"]);
    let others = bed.world(|world| world.github.repository("shop", "web").comments(8).len());
    assert_eq!((statuses(&bed), others), (before, 0), "a redirect has no commit status");
}

#[test]
fn the_comment_goes_to_the_pull_request_that_is_named() {
    let (bed, sample) = stage();
    bed.world(|world| {
        world.github.repository("shop", "web").pull(9, &"3".repeat(40), "x", "main");
    });
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    let before = comment(&bed);
    let inputs = [("traffic", "split"), ("pull-request", "9")];
    button(&bed, "redirect-traffic", "102", &inputs).run().expect(0, "succeeded", "", "changed");
    let named = bed.world(|world| world.github.repository("shop", "web").comments(9));
    assert_eq!((named.len(), comment(&bed)), (1, before));
}

#[test]
fn a_pull_request_is_found_again_after_a_run_on_its_trial_merge() {
    let (bed, sample) = stage();
    let event = json!({ "pull_request": {
        "number": 7,
        "head": { "sha": COMMIT, "repo": { "full_name": "shop/web" } },
        "base": { "repo": { "full_name": "shop/web" } },
    } });
    let action = deploy(&bed, &sample, "v2", "101").event(&event.to_string());
    let action = action.env("GITHUB_SHA", &"6".repeat(40)).env("GITHUB_EVENT_NAME", "pull_request");
    let action = action.env("GITHUB_REF_NAME", "7/merge").env("GITHUB_HEAD_REF", "feature/cart");
    action.run().expect(0, "succeeded", "", "changed");
    let done = button(&bed, "promote", "102", &[("color", "green")]).run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    assert!(
        comment(&bed).contains("### ✅ Promoted to green. All users are on green.\n"),
        "{}",
        comment(&bed)
    );
    assert_eq!(labels(&bed), ["deployed: green", "live", "traffic: green"]);
    let promoted = ["web-green 0123: in_progress, success", "web-production 0123: in_progress, success"];
    assert_eq!(deployments(&bed), promoted);
}

#[test]
fn a_promote_tells_of_the_commit_that_it_promotes() {
    for (color, mode) in [("green", "swap"), ("blue", "copy")] {
        let (bed, sample) = stage();
        deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
        let done = button(&bed, "promote", "102", &[("color", color), ("mode", mode)]).run();
        done.expect(0, "succeeded", "", "changed");
        assert_eq!(statuses(&bed), ["0123 success", "0123 success"], "{mode}");
        let promoted = ["web-green 0123: in_progress, success", "web-production 0123: in_progress, success"];
        assert_eq!(deployments(&bed), promoted, "{mode}");
    }
}

#[test]
fn a_merged_pull_request_keeps_its_commit_where_the_release_contains_it() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        let (merge, release) = ("4".repeat(40), "5".repeat(40));
        of.commit(&merge).on_default_branch = false;
        of.commit(&release).on_default_branch = false;
        of.find_issue_mut(7).expect("pull request 7").merge(&merge);
        of.pull(20, &release, "develop", "main").contains(COMMIT);
    });
    button(&bed, "redirect-traffic", "102", &[("traffic", "split")]).run().expect(
        0,
        "succeeded",
        "",
        "changed",
    );
    assert_eq!(labels(&bed), ["deployed: green", "live", "traffic: split"]);
    assert!(
        comment(&bed).contains("### ✅ Redirected to split. Users: 50 % on blue, 50 % on green.\n"),
        "{}",
        comment(&bed)
    );
    let release = bed.world(|world| {
        let of = world.github.repository("shop", "web");
        (of.labels_of(20), of.comments(20).len())
    });
    assert_eq!(release, (vec![], 0));
}

#[test]
fn invariant_33_a_github_that_is_down_changes_nothing_of_a_redirect() {
    let redirected = |down: bool| {
        let (bed, sample) = stage();
        bed.set_github_down(down);
        let steps = [("traffic", "green"), ("steps", "20, 50"), ("bake-time", "100ms")];
        let done = button(&bed, "redirect-traffic", "101", &steps).run();
        done.expect(0, "succeeded", "", "changed");
        assert_eq!(bed.violations(), []);
        let notices = done.log.lines().filter(|line| line.starts_with("::notice")).count();
        assert_eq!(notices, usize::from(down), "{}", done.log);
        (moves(&bed, &sample), writes(&bed))
    };
    let calls = redirected(true);
    assert_eq!(calls, redirected(false));
    assert_eq!(calls.0, ["production 80/20", "production 50/50", "production 0/100"]);
}

/// Writes the comments after a redirect and after a failed deploy as pages, to be looked at in a browser.
#[test]
#[ignore = "it writes target/comment-*.html for the pictures in docs/images"]
fn pictures_of_the_comment() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2", "101").run().expect(0, "succeeded", "", "changed");
    let inputs = [("traffic", "blue-80"), ("force", "false")];
    button(&bed, "redirect-traffic", "102", &inputs).run().expect(0, "succeeded", "", "changed");
    page("redirected", &comment(&bed));
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v3-crash", "103").run().expect(1, "failed", "circuit-breaker", "restored");
    page("failed", &comment(&bed));
}

/// Writes a comment as a page with GitHub's stylesheet, light and dark.
fn page(name: &str, comment: &str) {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    // GitHub keeps the tags that the comment has.
    options.render.r#unsafe = true;
    let html = markdown_to_html(comment, &options);
    for theme in ["light", "dark"] {
        let text = format!(
            "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><link rel=stylesheet href=github-markdown-{theme}.css><body class=markdown-body style='margin:0;padding:16px'>{html}"
        );
        let path = format!("{}/target/comment-{name}-{theme}.html", env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(format!("{}/target", env!("CARGO_MANIFEST_DIR"))).expect("a folder");
        fs::write(path, text).expect("a page");
    }
}
