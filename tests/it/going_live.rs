//! Known commits: a run says which pull requests go live and which it takes back, and refuses on request. A GitHub that
//! does not answer changes nothing in AWS (invariant 33).

use crate::common::{Action, Done, stack, writes};
use serde_json::Value;
use testbed::Testbed;
use testbed::github::{GitHubEffect, GitHubFault, Level, Permissions, Refusal};
use testbed::sample::Sample;

/// The job's token.
const TOKEN: &str = "ghs_going_live";

/// A commit's id.
fn sha(number: u32) -> String {
    format!("{number:040x}")
}

/// The sample stack, and a repository: 1, then the pull requests 41 and 42 on `main`, and a branch from 1.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| {
        world.github.token("deploy", TOKEN, Permissions::all(Level::Write));
        world.ecr.push("shop/web", "v3");
        world.ecr.push("shop/web", "v4");
        let of = world.github.repository("shop", "web");
        of.commit_on(&[], &sha(1), "First");
        of.commit_on(&[&sha(1)], &sha(2), "Greet @everyone (#41)");
        of.commit_on(&[&sha(2)], &sha(3), "Fix the cart (#42)");
        of.commit_on(&[&sha(1)], &sha(4), "On a branch (#43)");
    });
    (bed, sample)
}

/// A run for this commit.
fn run(bed: &Testbed, command: &str, commit: u32) -> Action {
    let with = |action: Action, (name, value): (String, String)| action.env(&name, &value);
    let action = bed.github_env().into_iter().fold(Action::new(bed, command), with);
    action.input("token", TOKEN).input("poll-interval", "100ms").env("GITHUB_SHA", &sha(commit))
}

/// Brings this commit's version to the color.
fn deploy(bed: &Testbed, sample: &Sample, (color, version): (&str, &str), commit: u32) -> Done {
    let image = sample.image(version);
    let done = run(bed, "deploy", commit).input("image", &image).input("color", color).run();
    done.expect(0, "succeeded", "", "changed");
    done
}

/// Moves users.
fn redirect(bed: &Testbed, traffic: &str) -> Action {
    run(bed, "redirect-traffic", 1).input("traffic", traffic)
}

/// The sentence in the output `going-live`.
fn sentence(done: &Done) -> String {
    let json: Value = serde_json::from_str(done.output("going-live")).unwrap_or_default();
    json["sentence"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_run_names_the_pull_requests_that_go_live_and_those_that_it_takes_back() {
    let (bed, sample) = stage();
    let first = deploy(&bed, &sample, ("green", "v2"), 1);
    assert!(sentence(&first).contains("the task definition of blue has no tag"), "{}", sentence(&first));
    redirect(&bed, "green").run().expect(0, "succeeded", "", "changed");

    let second = deploy(&bed, &sample, ("blue", "v3"), 3);
    assert_eq!(sentence(&second), "2 pull requests would go live with blue.");
    let lines = ["2 pull requests would go live with blue.", "Goes live", "  #42 Fix the cart"];
    assert!(lines.iter().all(|line| second.log.contains(line)), "{}", second.log);
    assert!(second.summary.contains("- &#35;&#8203;41 Greet &#64;&#8203;everyone"), "{}", second.summary);
    let moved = redirect(&bed, "blue").run();
    moved.expect(0, "succeeded", "", "changed");
    assert_eq!(sentence(&moved), "2 pull requests go live with blue.");

    let back = redirect(&bed, "green").input("plan-only", "true").run();
    assert_eq!(sentence(&back), "Takes back #42 and #41, live now: green runs an older version.");
    bed.clear_calls();
    let last = "#42 and #41, live now: green runs an older version.";
    let refused = redirect(&bed, "green").input("refuse-takes-back", "true").run();
    refused.expect(1, "refused", "takes-back", "untouched");
    assert!(refused.log.contains(last), "{}", refused.log);
    assert_eq!(writes(&bed), [""; 0], "refused before the first write");

    let branch = run(&bed, "deploy", 4).input("image", &sample.image("v4")).input("color", "green");
    let refused = branch.input("refuse-takes-back", "true").run();
    refused.expect(1, "refused", "takes-back", "untouched");
    assert_eq!(
        sentence(&refused),
        "1 pull request would go live with green. The version for green lacks #42 and #41, live now on blue."
    );
    let rolled = run(&bed, "rollback", 1).input("refuse-takes-back", "true").run();
    rolled.expect(0, "succeeded", "", "changed");
    assert_eq!(sentence(&rolled), last.replacen("#42", "Takes back #42", 1));
}

/// The pull requests, of 41 to 43, with the label `live`.
fn live(bed: &Testbed) -> Vec<u64> {
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        let is_live = |label: &String| label.starts_with("web-") && label.ends_with(" live");
        let labels = |pull: &u64| of.find_issue(*pull).map(|issue| issue.labels.clone()).unwrap_or_default();
        (41..44).filter(|pull| labels(pull).iter().any(is_live)).collect()
    })
}

#[test]
fn the_label_live_follows_the_pull_requests_whose_commits_users_have() {
    let (bed, sample) = stage();
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.pull(41, &sha(11), "greet", "main").merge(&sha(2));
        of.pull(43, &sha(4), "branch", "main");
    });
    deploy(&bed, &sample, ("green", "v2"), 1);
    redirect(&bed, "green").run().expect(0, "succeeded", "", "changed");
    deploy(&bed, &sample, ("blue", "v3"), 3);
    assert_eq!(live(&bed), [0; 0], "ready is not live");
    redirect(&bed, "green-80").run().expect(0, "succeeded", "", "changed");
    assert_eq!(live(&bed), [41], "42 is no pull request");
    bed.world(|world| {
        world.github.repository("shop", "web").pull(42, &sha(12), "fix", "main");
    });
    redirect(&bed, "blue").run().expect(0, "succeeded", "", "changed");
    assert_eq!(live(&bed), [41], "42 is not merged, so its number in a title is no more than that");
    run(&bed, "rollback", 1).run().expect(0, "succeeded", "", "changed");
    assert_eq!(live(&bed), [0; 0], "taken back");
    deploy(&bed, &sample, ("blue", "v4"), 4);
    redirect(&bed, "blue").run().expect(0, "succeeded", "", "changed");
    assert_eq!(live(&bed), [43], "its own commit");
    let status = run(&bed, "status", 4).run();
    status.expect(0, "succeeded", "", "untouched");
    assert_eq!(live(&bed), [43]);
}

#[test]
fn invariant_33_a_github_that_does_not_compare_stops_nothing() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, ("green", "v2"), 1);
    redirect(&bed, "green").run().expect(0, "succeeded", "", "changed");
    deploy(&bed, &sample, ("blue", "v3"), 3);
    let answers = [
        (GitHubEffect::Refuse(Refusal::not_found()), "GitHub does not know both commits"),
        (GitHubEffect::Refuse(Refusal::not_accessible()), "the permission `contents: read`"),
        (GitHubEffect::SecondaryLimit(403, Some(60)), "GitHub takes no more requests for now"),
        (GitHubEffect::SecondaryLimit(429, None), "GitHub takes no more requests for now"),
        (GitHubEffect::Html(502), "GitHub did not answer in time"),
        (GitHubEffect::DropBefore, "GitHub did not answer in time"),
    ];
    for (answer, told) in answers {
        bed.github_fault(GitHubFault::on("GET", "*/compare/*", answer));
        let done = redirect(&bed, "blue").input("refuse-takes-back", "true").input("plan-only", "true").run();
        done.expect(0, "planned", "", "untouched");
        assert!(sentence(&done).contains(told), "{told}: {}", sentence(&done));
        done.says("`refuse-takes-back` could not be checked, and the run goes on.");
        bed.clear_github_faults();
    }
}
