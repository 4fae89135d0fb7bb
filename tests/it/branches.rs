//! `color: branch`: GitHub flow and Git flow by the config file's `branches`, as the runner names branches, tags and pull
//! requests.

use crate::common::here::stack;
use crate::common::look::frozen;
use crate::common::{Action, writes};
use testbed::Testbed;
use testbed::sample::Sample;

/// Git flow: features and develop to develop, what is to be released to green, main and its tags to the idle color.
const GIT_FLOW: &str = "\
branches:
  develop: develop
  feature/**: develop
  staging: green
  release/*: green
  hotfix/*: green
  main: idle
  refs/tags/v*: idle
";

/// A run with this config file for a ref of this kind.
fn on(bed: &Testbed, image: &str, (config, kind, name): (&str, &str, &str)) -> Action {
    let action = Action::new(bed, "deploy").input("color", "branch").input("image", image);
    let action = action.file(".github/blue-green.yml", config);
    action.env("GITHUB_REF_TYPE", kind).env("GITHUB_REF_NAME", name)
}

/// A run for a pull request from a branch of a repository.
fn pull_request(bed: &Testbed, image: &str, (repository, branch): (&str, &str)) -> Action {
    let event =
        format!(r#"{{ "pull_request": {{ "head": {{ "repo": {{ "full_name": "{repository}" }} }} }} }}"#);
    let action = on(bed, image, (GIT_FLOW, "branch", "7/merge")).env("GITHUB_HEAD_REF", branch);
    action
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", "event.json")
        .file("event.json", &event)
}

/// The sample stack, in which blue is live.
fn stage() -> (Testbed, Sample, String) {
    let (bed, sample) = stack();
    frozen(&bed);
    let image = sample.image("v2");
    (bed, sample, image)
}

#[test]
fn every_branch_of_git_flow_and_github_flow_goes_to_its_color() {
    let (bed, _sample, image) = stage();
    let github_flow = "branches: { main: idle }\n";
    let table = [
        (GIT_FLOW, "branch", "develop", "develop"),
        (GIT_FLOW, "branch", "feature/cart/42", "develop"),
        (GIT_FLOW, "branch", "staging", "green"),
        (GIT_FLOW, "branch", "release/1.2", "green"),
        (GIT_FLOW, "branch", "hotfix/1.2.1", "green"),
        (GIT_FLOW, "branch", "main", "green"),
        (GIT_FLOW, "tag", "v1.2", "green"),
        (github_flow, "branch", "main", "green"),
    ];
    for (config, kind, name, color) in table {
        let done = on(&bed, &image, (config, kind, name)).input("plan-only", "true").run();
        done.expect(0, "planned", "", "untouched");
        assert_eq!(done.output("color"), color, "{kind} {name}");
    }
    let done = pull_request(&bed, &image, ("shop/web", "release/2")).input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched");
    assert_eq!(done.output("color"), "green");
}

/// A run on the default branch for an event with this JSON.
fn event(bed: &Testbed, image: &str, (name, json): (&str, &str)) -> Action {
    let action = on(bed, image, (GIT_FLOW, "branch", "main")).env("GITHUB_EVENT_NAME", name);
    action.env("GITHUB_EVENT_PATH", "event.json").file("event.json", json)
}

/// The JSON of a finished workflow run.
fn workflow_run(repository: &str, branch: &str) -> String {
    format!(
        r#"{{ "workflow_run": {{ "head_branch": {branch}, "head_repository": {{ "full_name": "{repository}" }},
        "head_sha": "0a1b" }} }}"#
    )
}

#[test]
fn a_run_on_the_default_branch_has_the_color_of_the_branch_that_its_event_is_about() {
    let (bed, _sample, image) = stage();
    let review =
        r#"{ "pull_request": { "head": { "ref": "develop", "repo": { "full_name": "shop/web" } } } }"#;
    let table = [
        ("workflow_run", workflow_run("shop/web", r#""develop""#), "develop"),
        ("workflow_run", workflow_run("Shop/Web", r#""main""#), "green"),
        ("pull_request_review", review.to_owned(), "develop"),
        ("schedule", "{}".to_owned(), "green"),
        ("workflow_dispatch", "{}".to_owned(), "green"),
        ("repository_dispatch", "{}".to_owned(), "green"),
    ];
    for (name, json, color) in table {
        let done = event(&bed, &image, (name, &json)).input("plan-only", "true").run();
        done.expect(0, "planned", "", "untouched");
        assert_eq!(done.output("color"), color, "{name} {json}");
    }
    assert_eq!(writes(&bed), [""; 0]);
}

#[test]
fn a_tag_of_a_workflow_run_is_not_silently_a_branch() {
    let (bed, _sample, image) = stage();
    let of = |started_by: &str, name: &str| {
        format!(
            r#"{{ "workflow_run": {{ "event": "{started_by}", "head_branch": "{name}",
            "head_repository": {{ "full_name": "shop/web" }}, "head_sha": "0a1b" }} }}"#
        )
    };
    let run = |started_by: &str, name: &str| {
        event(&bed, &image, ("workflow_run", &of(started_by, name))).input("plan-only", "true").run()
    };
    let unclear =
        "`branch` takes `main` for a branch, but the event `workflow_run` names a tag in the same way";
    for (started_by, warned) in
        [("push", true), ("workflow_dispatch", true), ("pull_request", false), ("schedule", false)]
    {
        let done = run(started_by, "main");
        done.expect(0, "planned", "", "untouched");
        assert_eq!(done.log.contains(unclear), warned, "{started_by}: {}", done.log);
    }
    run("release", "v1.2").expect(0, "planned", "", "untouched");
    let of_a_tag = run("release", "main");
    of_a_tag.expect(1, "refused", "bad-input", "untouched");
    of_a_tag.says("fits the tag `main`");
    let of_a_push = run("push", "v1.2");
    of_a_push.expect(1, "refused", "bad-input", "untouched");
    of_a_push.says("fits the branch or tag `v1.2`");
}

#[test]
fn a_run_on_the_default_branch_for_another_branch_is_refused() {
    let (bed, _sample, image) = stage();
    let of_default = |name: &str| {
        format!(
            "a run for the event `{name}` has the default branch, whatever the event is about: name the color"
        )
    };
    let fork = r#"{ "pull_request": { "head": { "ref": "main", "repo": { "full_name": "evil/web" } } } }"#;
    let comment = r#"{ "issue": { "number": 7, "pull_request": {} } }"#;
    let own = |branch: &str| workflow_run("shop/web", branch);
    let hidden = "the name in the event looks like `main`, but it has more than 255 characters, or some that can't be seen";
    let table = [
        (
            "workflow_run",
            workflow_run("evil/web", r#""main""#),
            "the workflow run is from `evil/web`, and `branches` is for branches of `shop/web`".to_owned(),
        ),
        ("workflow_run", own("null"), "the event does not name the branch of the workflow run".to_owned()),
        ("workflow_run", own(r#""main\u200e""#), hidden.to_owned()),
        ("workflow_run", own(r#"" main""#), hidden.to_owned()),
        (
            "workflow_run",
            "{}".to_owned(),
            "the event does not say which repository the workflow run is from".to_owned(),
        ),
        (
            "pull_request_review",
            fork.to_owned(),
            "the pull request is from `evil/web`, and `branches` is for branches of `shop/web`".to_owned(),
        ),
        ("issue_comment", comment.to_owned(), of_default("issue_comment")),
        ("check_suite", "{}".to_owned(), of_default("check_suite")),
        ("status", "{}".to_owned(), of_default("status")),
    ];
    for (name, json, told) in table {
        let done = event(&bed, &image, (name, &json)).run();
        done.expect(1, "refused", "bad-input", "untouched");
        done.says(&format!("input color: `branch` can't be used: {told}"));
    }
    assert_eq!(bed.calls().len(), 0, "AWS is not asked");
}

#[test]
fn a_hotfix_is_deployed_to_green_and_develop_to_develop() {
    let (bed, _sample, image) = stage();
    on(&bed, &image, (GIT_FLOW, "branch", "hotfix/1")).run().expect(0, "succeeded", "", "changed");
    assert_eq!(
        writes(&bed),
        ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"]
    );
    bed.clear_calls();
    on(&bed, &image, (GIT_FLOW, "branch", "develop")).run().expect(0, "succeeded", "", "changed");
    assert!(writes(&bed).iter().all(|write| write.contains("web-dev")), "{:?}", writes(&bed));
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_color_that_is_live_is_refused_whatever_the_branch_says() {
    let (bed, _sample, image) = stage();
    let config = "branches: { main: blue }\n";
    let done = on(&bed, &image, (config, "branch", "main")).run();
    done.expect(1, "refused", "live-color", "untouched");
}

#[test]
fn what_nothing_fits_is_refused_with_the_nearest_pattern() {
    let (bed, _sample, image) = stage();
    let only = "only `develop`, `feature/**`, `staging`, `release/*`, `hotfix/*`, `main`, `refs/tags/v*`";
    let table = [
        ("branch", "relase/1", format!("fits the branch `relase/1`, {only}; did you mean `release/*`?")),
        (
            "branch",
            "release/1/2",
            format!(
                "fits the branch `release/1/2`, {only}; `*` does not stand for `/`: write `release/**` for `release/*`"
            ),
        ),
        ("branch", "fix", format!("fits the branch `fix`, {only}")),
        ("tag", "1.2", format!("fits the tag `1.2`, {only}")),
        ("tag", "main", format!("fits the tag `main`, {only}")),
    ];
    for (kind, name, told) in table {
        let done = on(&bed, &image, (GIT_FLOW, kind, name)).run();
        done.expect(1, "refused", "bad-input", "untouched");
        done.says(&format!("input color: no pattern of `branches` in `.github/blue-green.yml` {told}"));
    }
    let done = on(&bed, &image, ("branches: { main: idle }\n", "tag", "v1")).run();
    done.expect(1, "refused", "bad-input", "untouched");
    done.says("a pattern for tags begins with `refs/tags/`, such as `refs/tags/v*: idle`");
    let done = pull_request(&bed, &image, ("evil/web", "main")).run();
    done.expect(1, "refused", "bad-input", "untouched");
    done.says("the pull request is from `evil/web`, and `branches` is for branches of `shop/web`");
    assert_eq!(bed.calls().len(), 0, "AWS is not asked");
}

#[test]
fn a_name_that_only_looks_like_a_branch_is_refused() {
    let (bed, _sample, image) = stage();
    for name in ["main\u{200e}", "main\u{a0}", "ma\u{85}in", "\u{feff}main"] {
        let done = on(&bed, &image, (GIT_FLOW, "branch", name)).run();
        done.expect(1, "refused", "bad-input", "untouched");
        done.says("`branch` can't be used: the name in GITHUB_REF_NAME looks like `main`, but it has more than 255 characters, or some that can't be seen");
        let done = pull_request(&bed, &image, ("shop/web", name)).run();
        done.expect(1, "refused", "bad-input", "untouched");
    }
    // Of `pull_request_target` the ref is the branch to merge into.
    for nothing in ["\u{200e}", "\u{a0}"] {
        let done = pull_request(&bed, &image, ("mallory/web", nothing)).env("GITHUB_REF_NAME", "main").run();
        done.expect(1, "refused", "bad-input", "untouched");
        done.says("the name in GITHUB_HEAD_REF looks like ``, but");
    }
    assert_eq!(writes(&bed), [""; 0]);
}
