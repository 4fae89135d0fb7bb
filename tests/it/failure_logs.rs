//! The last lines of a failed container's log: shown where the team reads, without values, and never at the cost of the run.

use std::time::Duration;

use serde_json::json;
use testbed::sample::{Sample, Stack};
use testbed::{Effect, Fault, Service, Testbed};

use crate::common::look;
use crate::common::{Action, Done, here};

/// A deploy of an image that crashes, in this process.
fn crash(bed: &Testbed, sample: &Sample) -> Action {
    bed.world(|world| world.ecr.push("shop/web", "v3-crash"));
    Action::new(bed, "deploy").input("image", &sample.image("v3-crash")).input("timeout", "20s")
}

/// Lets containers write these lines before they crash.
fn writes_lines(bed: &Testbed, lines: &[&str]) {
    bed.world(|world| world.logs.last_words = lines.iter().map(|line| (*line).to_owned()).collect());
}

/// Reads of logs so far.
fn reads(bed: &Testbed) -> usize {
    bed.calls().iter().filter(|call| call.operation == "GetLogEvents").count()
}

/// The crash was put back, whatever the log says.
#[track_caller]
fn put_back(done: &Done) {
    done.expect(1, "failed", "circuit-breaker", "restored");
}

#[test]
fn the_newest_twenty_lines_are_in_log_and_summary_by_one_read() {
    let (bed, sample) = here::stack();
    let lines: Vec<String> = (1..=30).map(|line| format!("line {line}")).collect();
    writes_lines(&bed, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let done = crash(&bed, &sample).run();
    put_back(&done);
    done.says("The last 20 lines of the log of `app`:").says("| line 11\n").says("| line 30\n");
    assert!(!done.log.contains("| line 10\n"), "{}", done.log);
    let shown = "<details open><summary>The last 20 lines of the log of <code>app</code></summary>\n\n```text\nline 11\n";
    assert!(done.summary.contains(shown), "{}", done.summary);
    assert_eq!(reads(&bed), 1);
}

#[test]
fn invariant_32_a_log_that_repeats_values_and_secrets_tells_none() {
    let (bed, sample) = here::stack();
    writes_lines(&bed, &["starting with Hidden-4711", "API_TOKEN=unknown-to-the-run", "ends"]);
    let secrets = "API_TOKEN: arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf";
    let action = crash(&bed, &sample).input("environment", "DATABASE: Hidden-4711").input("secrets", secrets);
    let done = action.run();
    put_back(&done);
    done.says("| starting with ***\n").says("| API_TOKEN=***\n").says("| ends\n");
    for text in [&done.summary, done.output("status-json"), done.output("headline")] {
        assert!(!text.contains("Hidden-4711") && !text.contains("unknown-to-the-run"), "{text}");
    }
    // The runner's own mask has to name the value.
    let lines = done.log.lines().filter(|line| !line.starts_with("::add-mask::"));
    assert!(lines.clone().all(|line| !line.contains("4711") && !line.contains("unknown-to")), "{}", done.log);
}

#[test]
fn a_long_log_is_cut_to_four_kibibytes() {
    let (bed, sample) = here::stack();
    let long = "x".repeat(2_000);
    writes_lines(&bed, &[long.as_str(); 30]);
    let done = crash(&bed, &sample).run();
    put_back(&done);
    let (_, block) = done.summary.split_once("```text\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    assert!(block.len() <= 4_096 && block.lines().all(|line| line.ends_with('…')), "{}", block.len());
}

#[test]
fn lines_with_commands_and_markup_are_only_text() {
    let (bed, sample) = here::stack();
    writes_lines(&bed, &["::set-output name=result::succeeded", "```", "\u{1b}[31m@octocat <b>fatal</b>"]);
    let done = crash(&bed, &sample).run();
    put_back(&done);
    assert!(!done.log.lines().any(|line| line.starts_with("::set-output")), "{}", done.log);
    assert!(done.summary.contains("````text\n"), "a fence longer than the log's own:\n{}", done.summary);
    assert!(!done.summary.contains('\u{1b}') && !done.log.contains("\u{1b}[31m@"), "{}", done.summary);
}

#[test]
fn a_log_that_may_not_be_read_is_told_with_the_statement_and_changes_no_outcome() {
    let (bed, sample) = here::stack();
    bed.fault(Fault::on("GetLogEvents", Effect::Deny).service(Service::Logs));
    let done = crash(&bed, &sample).run();
    put_back(&done);
    done.says("The log of `app` is not shown. AWS denied `logs:GetLogEvents`");
    let shown = done.summary.replace("&#34;", "\"").replace("&quot;", "\"");
    assert!(shown.contains("\"Action\": \"logs:GetLogEvents\""), "{}", done.summary);
}

#[test]
fn a_log_that_does_not_come_delays_the_end_by_five_seconds() {
    let (bed, sample) = here::stack();
    bed.fault(Fault::on("GetLogEvents", Effect::Delay(Duration::from_secs(60))).service(Service::Logs));
    let before = testbed::clock::now();
    let done = crash(&bed, &sample).run();
    put_back(&done);
    done.says("The log of `app` is not shown. AWS did not answer `logs:GetLogEvents`");
    assert!(testbed::clock::now() - before < Duration::from_secs(40), "{}", done.log);
}

#[test]
fn no_log_is_read_without_the_wish_and_after_a_success() {
    let (bed, sample) = here::stack();
    let done = crash(&bed, &sample).input("failure-logs", "false").run();
    put_back(&done);
    assert!(!done.log.contains("last 2 lines"), "{}", done.log);
    let good = Action::new(&bed, "deploy").input("image", &sample.image("v2")).run();
    good.expect(0, "succeeded", "", "changed");
    assert_eq!(reads(&bed), 0);
}

#[test]
fn a_run_for_a_fork_shows_no_log() {
    let (bed, sample) = look::stack_with(&Stack::default());
    let event = json!({ "pull_request": {
        "number": 7,
        "head": { "sha": "1".repeat(40), "repo": { "full_name": "mallory/web" } },
        "base": { "repo": { "full_name": "shop/web" } },
    } });
    let action = crash(&bed, &sample).file("event.json", &event.to_string());
    let done = action.env("GITHUB_EVENT_PATH", "event.json").env("GITHUB_EVENT_NAME", "pull_request").run();
    put_back(&done);
    assert!(!done.log.contains("fatal: no answer") && !done.summary.contains("fatal: no answer"));
    assert_eq!(reads(&bed), 0);
}
