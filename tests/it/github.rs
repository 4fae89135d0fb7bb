//! What a run shows on GitHub: the comment, the labels, the deployment and the status, and that AWS is not affected
//! whatever GitHub does (invariant 33).

use std::time::Duration;

use crate::common::look::{hurry, hurry_at_update, redacted};
use crate::common::{Action, COMMIT, Done, Running, pull_request, stack, writes};
use serde_json::{Value, json};
use testbed::Testbed;
use testbed::github::{Comment, GitHubEffect, GitHubFault, Level, Permissions, Refusal};
use testbed::sample::Sample;

/// A token that is found in no output.
const TOKEN: &str = "ghs_Zq9PlantedGithubToken";
/// The comment's mark.
const MARK: &str = "<!-- ecs-blue-green:shop/web@eu-west-1:79e1496b -->";
/// The prefix of the labels without one in the config file.
const PREFIX: &str = "web-79e1496b ";

/// The sample stack, and a repository with pull request 7, which has the run's commit.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| pull_request(world, TOKEN));
    // Slow enough for each state to be shown before the next.
    bed.world(|world| world.pace.launch = Duration::from_millis(400));
    (bed, sample)
}

/// A run with a token.
fn run(bed: &Testbed, command: &str) -> Action {
    let with = |action: Action, (name, value): (String, String)| action.env(&name, &value);
    bed.github_env()
        .into_iter()
        .fold(Action::new(bed, command), with)
        .input("token", TOKEN)
        .env("GITHUB_REF_NAME", "feature/cart")
        .env("GITHUB_ACTOR", "octocat")
}

/// A deploy of this version.
fn deploy(bed: &Testbed, sample: &Sample, version: &str) -> Action {
    run(bed, "deploy").input("image", &sample.image(version))
}

/// The comments of pull request 7.
fn comments(bed: &Testbed) -> Vec<Comment> {
    bed.world(|world| world.github.repository("shop", "web").comments(7))
}

/// The only comment of pull request 7, as it reads.
#[track_caller]
fn comment(bed: &Testbed) -> String {
    let all = comments(bed);
    assert_eq!(all.len(), 1, "{all:?}");
    redacted(&all[0].body)
}

/// The labels of a pull request.
fn labels(bed: &Testbed, pull: u64) -> Vec<String> {
    let all = bed.world(|world| world.github.repository("shop", "web").labels_of(pull));
    all.into_iter().map(|name| name.replace(PREFIX, "")).collect()
}

/// The states of the deployments by environment, oldest first.
fn deployments(bed: &Testbed) -> Vec<String> {
    bed.world(|world| {
        let all = world.github.repository("shop", "web").deployments.clone();
        let states = |one: &testbed::github::Deployment| {
            one.statuses.iter().map(|status| status.state.clone()).collect::<Vec<_>>().join(", ")
        };
        all.iter().map(|one| format!("{}: {}", one.environment, states(one))).collect()
    })
}

/// The commit statuses, oldest first.
fn statuses(bed: &Testbed) -> Vec<String> {
    bed.world(|world| {
        let all = &world.github.repository("shop", "web").statuses;
        let one = |status: &testbed::github::Status| {
            let text = status.description.clone().unwrap_or_default();
            format!("{}: {}, {text}", status.context, status.state)
        };
        all.iter().map(one).collect()
    })
}

/// The texts that were sent as comments, in order.
fn sent(bed: &Testbed) -> Vec<String> {
    let calls = bed.github_writes();
    let comments = calls.iter().filter(|call| call.path.contains("/comments") && call.method != "DELETE");
    comments.map(|call| redacted(call.body["body"].as_str().unwrap_or_default())).collect()
}

/// A comment without how many tasks failed: one more may fail before ECS ends a deployment, and the targets of the last
/// ones may still be leaving green. Nor does it say whether the way back still rolls: it may just have ended.
fn uncounted(text: &str) -> String {
    let uncount = |text: String, count: u32| {
        let green = |count: &str| format!("| healthy | 2 of 2 | 2 of {count} |");
        text.replace(&format!(" {count} tasks"), " N tasks").replace(&green(&count.to_string()), &green("N"))
    };
    let text = (2..10).fold(text.to_owned(), uncount);
    let lasts = |line: &&str| !line.starts_with("| state |");
    let green: Vec<&str> = text.lines().filter(|line| !lasts(line)).collect();
    assert!(green.is_empty() || green == ["| state | – | deploying | – |"], "{green:?}");
    let mut lines: Vec<&str> = text.lines().filter(lasts).collect();
    lines.dedup_by(|next, last| next.starts_with("- [app in task") && last.starts_with("- [app in task"));
    lines.join("\n")
}

/// The one notice of a run.
#[track_caller]
fn notice(done: &Done) -> String {
    let all: Vec<&str> = done.log.lines().filter(|line| line.starts_with("::notice")).collect();
    let [one] = all.as_slice() else { panic!("not one notice but {}:\n{}", all.len(), done.log) };
    one.replace("%0A", "\n").replace("%25", "%")
}

/// Asserts that no notice and no remark about GitHub is in the log.
#[track_caller]
fn is_quiet(done: &Done) {
    assert!(
        !done.log.lines().any(|line| line.starts_with("::notice") || line.starts_with("GitHub:")),
        "{}",
        done.log
    );
}

#[test]
fn the_story_of_a_pull_request() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    let texts = sent(&bed);
    assert_eq!(texts.len(), 2, "{texts:?}");
    insta::assert_snapshot!("deploying", texts[0]);
    insta::assert_snapshot!("deployed", texts[1]);
    assert_eq!(comment(&bed), texts[1]);
    assert_eq!(done.output("comment-url").split("/pull/7#issuecomment-").count(), 2, "{:?}", done.outputs);
    assert_eq!(labels(&bed, 7), ["deployed: green", "traffic: blue"]);
    assert_eq!(deployments(&bed), ["web-green: in_progress, success"]);
    assert_eq!(
        statuses(&bed),
        [
            "ecs-blue-green/web eu-west-1 79e1496b: pending, deploy is running",
            "ecs-blue-green/web eu-west-1 79e1496b: success, web-green (green) runs web-green:2, 2 targets healthy.",
        ]
    );

    let done = deploy(&bed, &sample, "v3-crash").env("GITHUB_RUN_ID", "43").run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    let texts = sent(&bed);
    assert_eq!(texts.len(), 6, "{texts:?}");
    let first = "The first task of <code>web-green</code> (green) failed. ECS starts others. Container";
    assert!(texts[3].contains("### ⏳ Deploying to green") && texts[3].contains(first), "{}", texts[3]);
    assert!(
        texts[4].starts_with(&format!("{MARK}\n### ⏪ Going back: deploy to green failed\n")),
        "{}",
        texts[4]
    );
    insta::assert_snapshot!("failed", uncounted(&texts[5]));
    assert_eq!(comment(&bed), texts[5]);
    assert_eq!(labels(&bed, 7), ["deployed: green", "traffic: blue", "deploy failed"]);
    assert_eq!(deployments(&bed), ["web-green: in_progress, success", "web-green: in_progress, failure"]);

    let done = deploy(&bed, &sample, "v1").env("GITHUB_RUN_ID", "44").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(labels(&bed, 7), ["deployed: green", "traffic: blue"]);
    assert_eq!(
        deployments(&bed),
        [
            "web-green: in_progress, success, inactive",
            "web-green: in_progress, failure",
            "web-green: in_progress, success"
        ]
    );
    assert_eq!(bed.violations(), []);
}

#[test]
fn deployment_and_status_lead_to_the_color_and_to_the_run() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    let (color, run, status) = bed.world(|world| {
        let of = world.github.repository("shop", "web");
        let last = of.deployments[0].statuses.last().expect("a state").clone();
        let status = of.statuses.last().and_then(|status| status.target_url.clone());
        (last.environment_url, last.log_url, status.unwrap_or_default())
    });
    let host = bed.github_env().into_iter().find(|(name, _)| name == "GITHUB_SERVER_URL").expect("a host").1;
    let page = format!("{host}/shop/web/actions/runs/42/attempts/1");
    assert!(!color.is_empty(), "{:?}", done.outputs);
    assert_eq!((color.as_str(), run, status), (done.output("test-url"), page.clone(), page));
}

#[test]
fn an_overtaken_deploy_keeps_none_before_it_alive() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    bed.world(|world| world.pace.launch = Duration::from_secs(20));
    let overtaken = deploy(&bed, &sample, "v1").env("GITHUB_RUN_ID", "43").spawn();
    assert!(bed.wait_until(Duration::from_secs(20), |world| {
        crate::common::look::wanted(world, "web-green").starts_with("web-green:3")
    }));
    crate::common::look::ecs(
        &bed,
        "UpdateService",
        json!({ "service": "web-green", "taskDefinition": "web-green:1" }),
    );
    hurry(&bed);
    overtaken.wait().expect(1, "superseded", "superseded", "changed");
    crate::common::look::steady(&bed, "web-green");
    let done = deploy(&bed, &sample, "v2").env("GITHUB_RUN_ID", "44").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(
        deployments(&bed),
        [
            "web-green: in_progress, success, inactive",
            "web-green: in_progress, failure",
            "web-green: in_progress, success"
        ]
    );
}

#[test]
fn labels_follow_the_commit_that_runs() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    let other = "1".repeat(40);
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.commit(&other).on_default_branch = false;
        of.pull(8, &other, "feature/pay", "main");
        of.issues.iter_mut().filter(|issue| issue.number == 7).for_each(|issue| {
            issue.labels.push(format!("{PREFIX}traffic: green"));
            issue.labels.push("mine".to_owned());
            issue.labels.push(format!("{PREFIX}deployed: staging"));
        });
        let id = of.labels.len() as u64 + 900;
        let own = |name: &str| format!("{PREFIX}{name}");
        for name in [own("traffic: green"), "mine".to_owned(), own("deployed: staging")] {
            let label = testbed::github::Label { id, name, color: "ededed".to_owned(), description: None };
            of.labels.push(label);
        }
    });
    let done = deploy(&bed, &sample, "v1")
        .env("GITHUB_RUN_ID", "43")
        .env("GITHUB_SHA", &other)
        .env("GITHUB_REF_NAME", "feature/pay")
        .run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(labels(&bed, 7), ["mine", "deployed: staging"]);
    assert_eq!(labels(&bed, 8), ["deployed: green", "traffic: blue"]);
    let colors = bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.find_label(&format!("{PREFIX}deployed: green")).map(|label| label.color.clone())
    });
    assert_eq!(colors.as_deref(), Some("0e8a16"));
}

#[test]
fn labels_are_called_and_colored_as_the_config_file_says() {
    let one = "apps: { web: { labels: { prefix: 'shop ', green: '#A1B2C3' } } }";
    let two = "apps: { web: {}, api: {} }";
    for (config, prefix, color) in [(one, "shop ", "a1b2c3"), (two, PREFIX, "0e8a16")] {
        let (bed, sample) = stage();
        let action = deploy(&bed, &sample, "v2").input("app", "web");
        action.file(".github/blue-green.yml", config).run().expect(0, "succeeded", "", "changed");
        let (deployed, traffic) = (format!("{prefix}deployed: green"), format!("{prefix}traffic: blue"));
        let all = bed.world(|world| world.github.repository("shop", "web").labels_of(7));
        assert_eq!(all, [deployed.clone(), traffic]);
        let found = bed.world(|world| {
            let label = world.github.repository("shop", "web").find_label(&deployed);
            label.map(|label| label.color.clone())
        });
        assert_eq!(found.as_deref(), Some(color));
    }
}

#[test]
fn labels_of_an_app_with_a_long_name_are_whole_and_go() {
    let (bed, sample) = stage();
    let config = "cluster: shop
apps:
  an-app-whose-name-has-forty-six-characters-xxx: { blue: web-blue, green: web-green }
  other: { blue: other-blue, green: other-green }
";
    let of_app = |action: Action| {
        let action = action.file(".github/blue-green.yml", config);
        action.input("app", "an-app-whose-name-has-forty-six-characters-xxx")
    };
    of_app(deploy(&bed, &sample, "v2")).run().expect(0, "succeeded", "", "changed");
    let prefix = "an-app-whose-name-ha-985231e3";
    assert_eq!(
        labels(&bed, 7),
        ["deployed: green", "traffic: blue"].map(|label| format!("{prefix} {label}"))
    );
    let moved = run(&bed, "redirect-traffic").input("traffic", "split").env("GITHUB_RUN_ID", "43");
    of_app(moved).run().expect(0, "succeeded", "", "changed");
    assert_eq!(
        labels(&bed, 7),
        ["deployed: green", "live", "traffic: split"].map(|label| format!("{prefix} {label}"))
    );
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    let (bed, _) = stage();
    let status = || run(&bed, "status");
    status().run().expect(0, "succeeded", "", "untouched");
    bed.clear_github_calls();
    let again = status().run();
    again.expect(0, "succeeded", "", "untouched");
    let lines: Vec<String> = bed.github_writes().iter().map(testbed::github::GitHubCall::line).collect();
    assert_eq!(lines, [""; 0]);
    assert!(again.output("comment-url").contains("/pull/7#issuecomment-"), "{:?}", again.outputs);
}

#[test]
fn a_plan_is_shown_and_nothing_else() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched");
    assert!(comment(&bed).contains("### 📝 Planned: deploy to green"), "{}", comment(&bed));
    assert_eq!((deployments(&bed), statuses(&bed), labels(&bed, 7)), (vec![], vec![], vec![]));
}

#[test]
fn each_part_can_be_turned_off() {
    let (bed, sample) = stage();
    let off = |action: Action| {
        action.input("comment", "false").input("labels", "false").input("deployments", "false")
    };
    let done = off(deploy(&bed, &sample, "v2")).run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    assert_eq!(bed.github_calls().len(), 0);
}

#[test]
fn two_runs_that_race_keep_the_first_comment() {
    let (bed, _) = stage();
    let theirs = format!("{MARK}\ntheirs");
    let other = theirs.clone();
    let act = move |world: &mut testbed::World| {
        world.github.repository("shop", "web").write_comment(7, "github-actions[bot]", &other);
    };
    let race = GitHubEffect::Before(Box::new(act));
    bed.github_fault(GitHubFault::on("POST", "*/issues/7/comments", race).times(1));
    let done = run(&bed, "status").run();
    is_quiet(&done);
    let all = comments(&bed);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].body.starts_with(MARK) && all[0].body != theirs);
    assert!(done.output("comment-url").ends_with(&format!("-{}", all[0].id)), "{:?}", done.outputs);

    let both = [run(&bed, "status").spawn(), run(&bed, "status").spawn()];
    let ends: Vec<Done> = both.into_iter().map(crate::common::Running::wait).collect();
    assert_eq!(comments(&bed).len(), 1);
    ends.iter().for_each(is_quiet);
}

#[test]
fn a_list_that_is_behind_brings_no_second_comment() {
    let (bed, _) = stage();
    let behind = GitHubEffect::Answer(200, json!([]));
    bed.github_fault(GitHubFault::on("GET", "*/issues/7/comments", behind));
    let done = run(&bed, "status").run();
    is_quiet(&done);
    assert_eq!(comments(&bed).len(), 1);
    assert!(done.output("comment-url").contains("/pull/7#issuecomment-"), "{:?}", done.outputs);
}

#[test]
fn invariant_43_an_old_comment_is_adopted_and_one_of_another_account_stays() {
    let (bed, _) = stage();
    let foreign = "<!-- ecs-blue-green:shop/web@eu-west-1:00000000 -->\nof another account";
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.write_comment(7, "github-actions[bot]", foreign);
        of.write_comment(7, "github-actions[bot]", "<!-- ecs-blue-green:shop/web -->\nof an older version");
    });
    run(&bed, "status").run().expect(0, "succeeded", "", "untouched");
    let all = comments(&bed);
    assert_eq!((all.len(), all[0].body.as_str()), (2, foreign));
    assert!(all[1].body.starts_with(MARK), "{}", all[1].body);
    assert!(!all[1].body.contains("123456789012"), "{}", all[1].body);
}

#[test]
fn a_comment_on_a_pull_request_is_about_its_newest_commit() {
    let (bed, sample) = stage();
    let main = "a".repeat(40);
    bed.world(|world| world.github.repository("shop", "web").commit(&main).on_default_branch = true);
    let event = json!({ "issue": { "number": 7, "pull_request": {} } }).to_string();
    let action = deploy(&bed, &sample, "v2").event(&event).env("GITHUB_EVENT_NAME", "issue_comment");
    let done = action.env("GITHUB_SHA", &main).env("GITHUB_REF_NAME", "main").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(commits_told(&bed), [COMMIT]);
    assert_eq!(labels(&bed, 7), ["deployed: green", "traffic: blue"]);
}

#[test]
fn a_workflow_run_is_about_the_commit_that_started_it() {
    let (bed, sample) = stage();
    let main = "a".repeat(40);
    bed.world(|world| world.github.repository("shop", "web").commit(&main).on_default_branch = true);
    let started =
        json!({ "head_sha": COMMIT, "head_branch": "feature/cart", "pull_requests": [{ "number": 7 }] });
    let event = json!({ "workflow_run": started }).to_string();
    let action = deploy(&bed, &sample, "v2").event(&event).env("GITHUB_EVENT_NAME", "workflow_run");
    let done = action.env("GITHUB_SHA", &main).env("GITHUB_REF_NAME", "main").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(commits_told(&bed), [COMMIT]);
    assert_eq!(labels(&bed, 7), ["deployed: green", "traffic: blue"]);
}

/// The commits that have a status or a deployment.
fn commits_told(bed: &Testbed) -> Vec<String> {
    let mut all = bed.world(|world| {
        let of = world.github.repository("shop", "web");
        let of_statuses = of.statuses.iter().map(|status| status.sha.clone());
        of_statuses.chain(of.deployments.iter().map(|one| one.sha.clone())).collect::<Vec<_>>()
    });
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_pull_request_that_does_not_exist_is_reported() {
    let (bed, _) = stage();
    let done = run(&bed, "status").input("pull-request", "999").run();
    done.expect(0, "succeeded", "", "untouched");
    let notice = done.log.lines().find(|line| line.starts_with("::notice")).expect("a notice");
    assert!(notice.contains("GitHub shows no pull request 999"), "{notice}");
    assert!(notice.contains("Check the input `pull-request`"), "{notice}");
    assert!(!notice.contains("permissions:"), "{notice}");
}

#[test]
fn comments_of_others_are_left_alone() {
    let (bed, _) = stage();
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        for at in 0..120 {
            of.write_comment(7, "octocat", &format!("talk {at}"));
        }
        of.write_comment(7, "mallory", &format!("{MARK}\nmine now"));
    });
    run(&bed, "status").run().expect(0, "succeeded", "", "untouched");
    run(&bed, "status").run().expect(0, "succeeded", "", "untouched");
    let all = comments(&bed);
    assert_eq!(all.len(), 122);
    assert_eq!(all[120].body, format!("{MARK}\nmine now"));
    assert!(all[121].user.is_bot() && all[121].body.starts_with(MARK));
}

/// Two runs beside the comment of another app: that comment stays, and the second run updates the first one's.
fn other_comment_stays(bed: &Testbed) {
    for id in ["43", "44"] {
        let done = run(bed, "status").env("GITHUB_RUN_ID", id).run();
        is_quiet(&done);
        let all = comments(bed);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(all[0].body, format!("{MARK}\ntheirs"));
        assert!(all[1].body.contains(&format!("[run {id}]")), "{}", all[1].body);
        assert!(done.output("comment-url").ends_with(&format!("-{}", all[1].id)), "{:?}", done.outputs);
    }
}

#[test]
fn a_comment_with_the_mark_that_another_app_wrote_is_ignored() {
    let (bed, _) = stage();
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.write_comment(7, "other-app[bot]", &format!("{MARK}\ntheirs"));
    });
    other_comment_stays(&bed);
}

#[test]
fn another_app_s_comment_stays_if_github_does_not_name_the_token_s_account() {
    let (bed, _) = stage();
    let unnamed = GitHubEffect::Answer(404, json!({ "message": "Not Found" }));
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        of.write_comment(7, "other-app[bot]", &format!("{MARK}\ntheirs"));
    });
    bed.github_fault(GitHubFault::on("POST", "/graphql", unnamed));
    other_comment_stays(&bed);
}

#[test]
fn a_person_s_token_finds_its_own_comment() {
    let (bed, _) = stage();
    bed.world(|world| {
        world.github.token("person", TOKEN, Permissions::all(Level::Write)).of_user("octocat");
    });
    run(&bed, "status").run().expect(0, "succeeded", "", "untouched");
    run(&bed, "status").env("GITHUB_RUN_ID", "43").run().expect(0, "succeeded", "", "untouched");
    assert!(comment(&bed).contains("[run 43]"), "{}", comment(&bed));
}

#[test]
fn invariant_35_no_comment_is_made_twice_after_a_lost_answer() {
    for effect in [|| GitHubEffect::DropAfter, || GitHubEffect::HtmlAfter(502), || GitHubEffect::CutBody] {
        let (bed, _) = stage();
        bed.github_fault(GitHubFault::on("POST", "*/issues/7/comments", effect()).times(1));
        let done = run(&bed, "status").run();
        is_quiet(&done);
        assert_eq!(sent(&bed).len(), 1);
        assert!(comment(&bed).starts_with(MARK));
    }
}

#[test]
fn invariant_35_no_deployment_is_made_twice_after_a_lost_answer() {
    let (bed, sample) = stage();
    bed.github_fault(GitHubFault::on("POST", "*/deployments", GitHubEffect::DropAfter).times(1));
    bed.github_fault(
        GitHubFault::on("POST", "*/deployments/*/statuses", GitHubEffect::HtmlAfter(504)).times(1),
    );
    bed.github_fault(GitHubFault::on("POST", "*/statuses/*", GitHubEffect::DropAfter).times(1));
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    assert_eq!(deployments(&bed), ["web-green: in_progress, success"]);
    assert_eq!(statuses(&bed).len(), 2);
}

/// What AWS was asked to change by a good deploy from v1.
const WRITES: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];

#[test]
fn invariant_33_a_github_that_is_down_changes_nothing_in_aws() {
    let (bed, sample) = stage();
    bed.set_github_down(true);
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), WRITES);
    assert_eq!(bed.violations(), []);
    let told = notice(&done);
    insta::assert_snapshot!(told, @"::notice title=ECS Blue/Green::Not posted on GitHub: the comment, the commit status, the deployment, the labels: GitHub could not be reached. AWS is not affected, and the summary of the run has it all.");
    assert!(done.summary.contains("Not posted on GitHub"), "{}", done.summary);
    assert_eq!(done.output("comment-url"), "");
}

/// An answer of GitHub's, and how it is made.
type Answering = (&'static str, fn() -> GitHubEffect);

#[test]
fn invariant_33_each_answer_of_github_is_told_once_and_changes_nothing_in_aws() {
    let answers: [Answering; 7] = [
        ("401", || GitHubEffect::Refuse(Refusal::new(401, "Bad credentials"))),
        ("403", || GitHubEffect::Refuse(Refusal::new(403, "Resource not accessible by integration"))),
        ("404", || GitHubEffect::Refuse(Refusal::new(404, "Not Found"))),
        ("422", || GitHubEffect::Refuse(Refusal::new(422, "Validation Failed"))),
        ("500", || GitHubEffect::Html(500)),
        ("503", || GitHubEffect::Answer(503, json!({ "message": TOKEN }))),
        ("a long limit", || GitHubEffect::SecondaryLimit(403, Some(300))),
    ];
    let mut told = String::new();
    for (name, effect) in answers {
        let (bed, sample) = stage();
        bed.github_fault(GitHubFault::always(effect()));
        let done = deploy(&bed, &sample, "v2").run();
        done.expect(0, "succeeded", "", "changed");
        assert_eq!(writes(&bed), WRITES, "{name}");
        told += &format!("{name}\n{}\n\n", notice(&done).split_once("::Not posted").expect("a notice").1);
        let log: String = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        assert!(!log.contains(TOKEN) && !done.summary.contains(TOKEN), "{log}");
    }
    let told = (280..=300).fold(told, |told, left| told.replace(&format!("in {left} s"), "in N s"));
    insta::assert_snapshot!(told, @r"
    401
     on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 401, the token is wrong or has expired. AWS is not affected, and the summary of the run has it all.
    Check the input `token`; by default it is the job's own.

    403
     on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 403, the token may not do it. AWS is not affected, and the summary of the run has it all.
    Add to the job:
      permissions:
        deployments: write
        pull-requests: write
        statuses: write

    404
     on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 404, it is not there or the token may not see it. AWS is not affected, and the summary of the run has it all.
    Add to the job:
      permissions:
        deployments: write
        pull-requests: write
        statuses: write

    422
     on GitHub: the commit status, the deployment: GitHub answered 422, it does not take what was sent. AWS is not affected, and the summary of the run has it all.

    500
     on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 500, it fails by itself. AWS is not affected, and the summary of the run has it all.

    503
     on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 503, it fails by itself. AWS is not affected, and the summary of the run has it all.

    a long limit
     on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 403, too many requests; it takes the next in N s. AWS is not affected, and the summary of the run has it all.
    ");
}

#[test]
fn invariant_33_a_slow_github_delays_nothing_in_aws() {
    let (bed, sample) = stage();
    bed.github_fault(GitHubFault::always(GitHubEffect::Delay(Duration::from_secs(60))));
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), WRITES);
    assert!(notice(&done).contains("GitHub did not answer in time"), "{}", notice(&done));
}

#[test]
fn a_short_limit_is_waited_for() {
    let (bed, sample) = stage();
    bed.github_fault(
        GitHubFault::on("POST", "*/issues/7/comments", GitHubEffect::SecondaryLimit(429, Some(2))).times(1),
    );
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    is_quiet(&done);
    assert!(comment(&bed).contains("### ✅ Ready on green. Users are still on blue.\n"), "{}", comment(&bed));
    let calls = bed.github_calls();
    let limited = calls.iter().position(|call| call.status == 429).expect("a limit");
    let next = calls.get(limited + 1).expect("a call after it");
    assert!(next.at >= calls[limited].at + Duration::from_secs(2), "{:?} {:?}", next.at, calls[limited].at);
}

#[test]
fn no_token_is_said_once() {
    let (bed, sample) = stage();
    let done = deploy(&bed, &sample, "v2").without("INPUT_TOKEN").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(done.log.matches("GitHub: no `token`").count(), 1, "{}", done.log);
    assert!(!done.log.contains("::notice"), "{}", done.log);
    assert_eq!(bed.github_calls().len(), 0);
}

#[test]
fn a_fork_s_token_is_explained() {
    let (bed, sample) = stage();
    bed.world(|world| {
        world.github.token("job", TOKEN, Permissions::of_fork());
    });
    let event = json!({ "pull_request": {
        "number": 7,
        "head": { "sha": COMMIT, "repo": { "full_name": "mallory/web" } },
        "base": { "repo": { "full_name": "shop/web" } },
    } });
    let action = deploy(&bed, &sample, "v2").file("event.json", &event.to_string());
    let done = action.env("GITHUB_EVENT_PATH", "event.json").env("GITHUB_EVENT_NAME", "pull_request").run();
    done.expect(0, "succeeded", "", "changed");
    insta::assert_snapshot!(notice(&done), @r"
    ::notice title=ECS Blue/Green::Not posted on GitHub: the comment, the commit status, the deployment, the labels: GitHub answered 403, the token may not do it. AWS is not affected, and the summary of the run has it all.
    The run is for a pull request from a fork, whose token may only read; that is GitHub's rule.
    ");
}

#[test]
fn a_locked_conversation_is_told_without_a_permission_to_add() {
    let (bed, _) = stage();
    let lock = |world: &mut testbed::World| {
        let of = world.github.repository("shop", "web");
        of.issues.iter_mut().filter(|issue| issue.number == 7).for_each(|issue| issue.locked = true);
    };
    bed.world(lock);
    let done = run(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    insta::assert_snapshot!(notice(&done), @"::notice title=ECS Blue/Green::Not posted on GitHub: the comment: GitHub answered 403, the conversation is locked or the repository archived. AWS is not affected, and the summary of the run has it all.");
}

#[test]
fn no_pull_request_is_said_once_and_the_rest_is_shown() {
    let (bed, sample) = stage();
    let alone = "2".repeat(40);
    bed.world(|world| {
        world.github.repository("shop", "web").commit(&alone);
    });
    let done = deploy(&bed, &sample, "v2").env("GITHUB_SHA", &alone).run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(done.log.matches("GitHub: no pull request belongs to this run").count(), 1, "{}", done.log);
    assert!(!done.log.contains("::notice"), "{}", done.log);
    assert_eq!(deployments(&bed), ["web-green: in_progress, success"]);
    assert_eq!(comments(&bed).len(), 0);
}

#[test]
fn the_input_names_the_pull_request() {
    let (bed, _) = stage();
    bed.world(|world| {
        world.github.repository("shop", "web").pull(9, &"3".repeat(40), "x", "main");
    });
    run(&bed, "status").input("pull-request", "9").run().expect(0, "succeeded", "", "untouched");
    let on = |pull| bed.world(|world| world.github.repository("shop", "web").comments(pull).len());
    assert_eq!((on(7), on(9)), (0, 1));
    let wrong = run(&bed, "status").input("pull-request", "nine").run();
    wrong.expect(1, "refused", "bad-input", "untouched");
}

/// A deploy whose tasks take long to start, once its comment and its deployment are there.
fn under_way(bed: &Testbed, sample: &Sample) -> Running {
    bed.world(|world| world.pace.launch = Duration::from_secs(20));
    let running = deploy(bed, sample, "v2").spawn();
    assert!(bed.wait_until(Duration::from_secs(20), |world| {
        !world.github.repository("shop", "web").comments(7).is_empty()
            && crate::common::look::wanted(world, "web-green").starts_with("web-green:2")
    }));
    running
}

#[test]
fn a_cancelled_run_does_not_stay_deploying() {
    let (bed, sample) = stage();
    let running = under_way(&bed, &sample);
    running.signal(rustix::process::Signal::INT);
    let done = running.wait();
    assert_eq!((done.code, done.output("result")), (1, "cancelled"), "{}", done.log);
    let after = deploy(&bed, &sample, "v2").post(&done.state).run();
    assert!(comment(&bed).contains("### 🚫 Cancelled"), "{}\n{}", comment(&bed), after.log);
    let states = deployments(&bed);
    assert!(states.len() == 1 && states[0].ends_with("failure"), "{states:?}");
    assert!(statuses(&bed).last().expect("a status").contains("error"), "{:?}", statuses(&bed));
}

#[test]
fn the_post_step_shows_the_end_that_the_main_step_could_not() {
    let (bed, sample) = stage();
    bed.github_fault(GitHubFault::on("PATCH", "*", GitHubEffect::Delay(Duration::from_secs(60))));
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    assert!(comment(&bed).contains("### ⏳ Deploying to green"), "{}", comment(&bed));
    bed.clear_github_faults();
    let aws = bed.calls().len();
    let after = deploy(&bed, &sample, "v2").post(&done.state).run();
    assert_eq!(after.code, 0, "{}", after.log);
    assert!(comment(&bed).contains("### ✅ Ready on green. Users are still on blue.\n"), "{}", comment(&bed));
    assert_eq!(bed.calls().len(), aws, "the post step asks AWS nothing");
    let quiet = deploy(&bed, &sample, "v2").post(&after.state).run();
    assert_eq!((quiet.code, quiet.log.as_str()), (0, ""));
}

/// A deploy whose end GitHub does not take, for it is down by then; it is up again.
fn cut_off(bed: &Testbed, sample: &Sample) -> Done {
    let running = deploy(bed, sample, "v2").spawn();
    assert!(bed.wait_until(Duration::from_secs(20), |world| {
        !world.github.repository("shop", "web").comments(7).is_empty()
    }));
    bed.set_github_down(true);
    let done = running.wait();
    done.expect(0, "succeeded", "", "changed");
    assert!(comment(bed).contains("### ⏳ Deploying to green"), "{}", comment(bed));
    bed.set_github_down(false);
    done
}

#[test]
fn the_post_step_shows_the_end_after_an_outage() {
    let (bed, sample) = stage();
    let done = cut_off(&bed, &sample);
    let after = deploy(&bed, &sample, "v2").post(&done.state).run();
    assert_eq!(after.code, 0, "{}", after.log);
    is_quiet(&after);
    assert!(comment(&bed).contains("### ✅ Ready on green. Users are still on blue.\n"), "{}", comment(&bed));
    assert_eq!(labels(&bed, 7), ["deployed: green", "traffic: blue"]);
}

#[test]
fn a_cancelled_run_that_github_keeps_waiting_leaves_its_end_to_the_post_step() {
    let (bed, sample) = stage();
    let running = under_way(&bed, &sample);
    bed.github_fault(GitHubFault::always(GitHubEffect::Delay(Duration::from_secs(60))));
    running.signal(rustix::process::Signal::INT);
    let done = running.wait();
    assert_eq!((done.code, done.output("result")), (1, "cancelled"), "{}", done.log);
    assert!(comment(&bed).contains("⏳"), "{}", comment(&bed));
    bed.clear_github_faults();
    let after = deploy(&bed, &sample, "v2").post(&done.state).run();
    assert!(comment(&bed).contains("### 🚫 Cancelled"), "{}\n{}", comment(&bed), after.log);
}

#[test]
fn the_post_step_leaves_what_was_said_since() {
    let (bed, sample) = stage();
    let done = cut_off(&bed, &sample);
    let button = run(&bed, "redirect-traffic").input("traffic", "split").env("GITHUB_RUN_ID", "43");
    button.run().expect(0, "succeeded", "", "changed");
    let newer = comment(&bed);
    assert!(newer.contains("### ✅ Redirected to split. Users: 50 % on blue, 50 % on green.\n"), "{newer}");
    let after = deploy(&bed, &sample, "v2").post(&done.state).run();
    assert_eq!(after.code, 0, "{}", after.log);
    assert_eq!(comment(&bed), newer);
    assert_eq!(labels(&bed, 7), ["deployed: green", "live", "traffic: split"]);
}

#[test]
fn a_killed_run_does_not_stay_deploying() {
    let (bed, sample) = stage();
    let running = under_way(&bed, &sample);
    running.signal(rustix::process::Signal::KILL);
    let done = running.wait();
    hurry_at_update(&bed);
    let after = deploy(&bed, &sample, "v2").post(&done.state).run();
    assert_eq!((after.code, after.output("left")), (1, "restored"), "{}", after.log);
    let text = comment(&bed);
    assert!(text.contains("### 🚫 Cancelled"), "{text}");
    assert!(text.contains("| version | <code>web-blue:1</code> | <code>web-green:1</code> |"), "{text}");
}

#[test]
fn invariant_32_hostile_names_stay_text_in_the_comment() {
    let (bed, sample) = stage();
    let evil = "@octo #1 <img src=x> [x](https://evil.example) | GH-1";
    let names = ["GITHUB_REF_NAME", "GITHUB_HEAD_REF", "GITHUB_ACTOR"];
    let action = names.into_iter().fold(deploy(&bed, &sample, "v2"), |action, name| action.env(name, evil));
    action.run().expect(0, "succeeded", "", "changed");
    for call in bed.github_writes() {
        let text = call.body["body"].as_str().unwrap_or_default();
        for alive in ["@octo", "<img", "[x](", " #1", "https://evil"] {
            assert!(!text.contains(alive), "`{alive}` is alive:\n{text}");
        }
    }
}

#[test]
fn invariant_32_the_token_and_bodies_are_told_nowhere() {
    let (bed, sample) = stage();
    let planted = "Zq10-planted-in-a-body";
    bed.github_fault(GitHubFault::always(GitHubEffect::Answer(403, json!({ "message": planted }))));
    let done = deploy(&bed, &sample, "v2").env("RUNNER_DEBUG", "1").env("RUST_LOG", "trace").run();
    let log: String = done.log.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    let all = [log, done.summary.clone(), format!("{:?} {:?}", done.outputs, done.state)];
    for text in &all {
        assert!(!text.contains(planted) && !text.contains(TOKEN), "{text}");
    }
    done.says(&format!("::add-mask::{TOKEN}"));
    let calls: Vec<Value> = bed.github_calls().into_iter().map(|call| call.body).collect();
    assert!(!format!("{calls:?}").contains(TOKEN));
}

#[test]
fn a_run_that_never_signed_in_posts_no_status() {
    let (bed, sample) = stage();
    let action = deploy(&bed, &sample, "v2").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    action.run().expect(1, "refused", "credentials-missing", "untouched");
    assert_eq!(statuses(&bed), [""; 0], "a later run has another name and could not replace it");
    assert!(comment(&bed).contains("AWS credentials"), "{}", comment(&bed));
}

#[test]
fn a_deploy_with_an_empty_image_warns_in_log_summary_and_comment() {
    let (bed, _) = stage();
    let done = run(&bed, "deploy").input("image", "").input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched");
    let warning = "is empty and no other input changes anything, so this deploy brings no new version";
    let logged = done.log.lines().find(|line| line.starts_with("::warning") && line.contains(warning));
    assert!(logged.is_some(), "{}", done.log);
    for shown in [&done.summary, &comment(&bed)] {
        assert!(shown.contains("> [!WARNING]\n> ") && shown.contains(warning), "{shown}");
    }
}
