//! The post step tells the truth (invariant 42): a run that is killed in or just before its last look, with its goal
//! reached in AWS, is reported as one that reached its goal; otherwise the report says what AWS shows and what is left.

use crate::common::traffic;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use crate::common::look::hurry_at_update;
use crate::common::traffic::splits_in;
use crate::common::{Action, Done, pull_request, stack};
use rustix::process::{Pid, Signal, kill_process};
use testbed::github::{GitHubEffect, GitHubFault};
use testbed::sample::Sample;
use testbed::{Effect, Fault, Testbed, World};

/// The job's token.
const TOKEN: &str = "ghs_Zq9PlantedGithubToken";

/// The sample stack with green on v2, and a repository with pull request 7, which has the run's commit.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| pull_request(world, TOKEN));
    (bed, sample)
}

/// A run with a token.
fn run(bed: &Testbed, command: &str) -> Action {
    let with = |action: Action, (name, value): (String, String)| action.env(&name, &value);
    let action = bed.github_env().into_iter().fold(Action::new(bed, command), with);
    action.input("token", TOKEN).input("timeout", "60s").env("GITHUB_REF_NAME", "feature/cart")
}

/// Whether AWS shows the goal of a command.
type Goal = fn(&World, &Sample) -> bool;

/// All users are at green.
fn at_green(world: &World, sample: &Sample) -> bool {
    splits_in(world, sample).iter().all(|split| split == "0/100")
}

/// Green runs its second revision, and nothing else.
fn deployed(world: &World, _: &Sample) -> bool {
    world.ecs.is_steady("shop", "web-green")
        && crate::common::look::wanted(world, "web-green").starts_with("web-green:2")
}

/// All users are at green, and blue is small.
fn promoted(world: &World, sample: &Sample) -> bool {
    at_green(world, sample) && crate::common::look::wanted(world, "web-blue").ends_with("× 1")
}

/// All users are at blue, which has green's version, and green is small.
fn copied(world: &World, sample: &Sample) -> bool {
    let wanted = |service| crate::common::look::wanted(world, service);
    let moved = splits_in(world, sample).iter().all(|split| split == "100/0");
    moved && wanted("web-blue").starts_with("web-blue:2") && wanted("web-green").ends_with("× 1")
}

/// A copy of green's version to blue; brings the version to green at first.
fn copying(bed: &Testbed, sample: &Sample) -> Action {
    if bed.world(|world| crate::common::look::wanted(world, "web-green").starts_with("web-green:1 ")) {
        traffic::runs(bed, sample, "web-green", "v2", true);
    }
    run(bed, "promote").input("color", "blue").input("mode", "copy").input("settle", "200ms")
}

/// Runs a command and kills it at this look of those that begin with its goal reached, counted from 1; 0: after its last
/// look, when it tells GitHub of its end.
fn killed(bed: &Testbed, sample: &Sample, action: Action, (goal, look): (Goal, u32)) -> Done {
    let (pid, looks) = (Arc::new(AtomicI32::new(0)), AtomicU32::new(0));
    let (victim, sample) = (Arc::clone(&pid), sample.clone());
    let strike = move |world: &mut World| {
        if goal(world, &sample) && looks.fetch_add(1, Ordering::SeqCst) + 1 == look {
            kill(&victim);
        }
    };
    bed.fault(Fault::on("DescribeServices", Effect::Before(Box::new(strike))));
    for (method, path) in [("POST", "*/issues/7/comments"), ("PATCH", "*/issues/comments/*")] {
        let (victim, state) = (Arc::clone(&pid), action.state_file());
        let strike = move |_: &mut World| {
            let saved = std::fs::read_to_string(&state).unwrap_or_default();
            if look == 0 && saved.contains("\"ended\":") {
                kill(&victim);
            }
        };
        bed.github_fault(GitHubFault::on(method, path, GitHubEffect::Before(Box::new(strike))));
    }
    ends_killed(bed, action, &pid)
}

/// Kills the process.
fn kill(pid: &AtomicI32) {
    let pid = Pid::from_raw(pid.load(Ordering::SeqCst)).expect("a process");
    kill_process(pid, Signal::KILL).expect("the signal is sent");
}

/// Waits for the end of a run that is killed.
fn ends_killed(bed: &Testbed, action: Action, pid: &AtomicI32) -> Done {
    let running = action.spawn();
    pid.store(i32::try_from(running.pid()).expect("a small number"), Ordering::SeqCst);
    let done = running.wait();
    assert_eq!(done.code, -1, "it was not killed:\n{}", done.log);
    bed.clear_faults();
    bed.clear_github_faults();
    bed.clear_calls();
    done
}

/// What GitHub shows: the comment, the last commit status, and the last state of the last deployment.
fn shown(bed: &Testbed) -> (String, Option<String>, Option<String>) {
    bed.world(|world| {
        let of = world.github.repository("shop", "web");
        let comment = of.comments(7).first().map(|comment| comment.body.clone()).unwrap_or_default();
        let status = of.statuses.last().map(|status| status.state.clone());
        let deployment = of.deployments.last().and_then(|one| one.statuses.last());
        (comment, status, deployment.map(|status| status.state.clone()))
    })
}

/// A command whose goal is that green has what it is to have, how it is run, and how GitHub tells of its end.
type Case = (&'static str, Goal, fn(&Testbed, &Sample) -> Action, &'static str);

/// Every command that writes.
const COMMANDS: [Case; 6] = [
    (
        "deploy",
        deployed,
        |bed, sample| run(bed, "deploy").input("image", &sample.image("v2")),
        "### ✅ Ready on green. Users are still on blue.",
    ),
    (
        "redirect-traffic",
        at_green,
        |bed, _| run(bed, "redirect-traffic").input("traffic", "green"),
        "### ✅ Redirected to green. All users are on green.",
    ),
    (
        "promote",
        promoted,
        |bed, _| run(bed, "promote").input("color", "green").input("settle", "200ms"),
        "### ✅ Promoted to green. All users are on green.",
    ),
    (
        "rollback",
        at_green,
        |bed, _| run(bed, "rollback").input("color", "green"),
        "### ✅ Rolled back to green. All users are on green.",
    ),
    ("promote copy", copied, copying, "### ✅ Promoted to blue. All users are on blue."),
    (
        "redirect-traffic in steps",
        at_green,
        |bed, _| {
            let to_green = run(bed, "redirect-traffic").input("traffic", "green");
            to_green.input("steps", "50").input("bake-time", "200ms")
        },
        "### ✅ Redirected to green. All users are on green.",
    ),
];

/// Asserts that the post step found the goal reached, wrote nothing in AWS, and said so everywhere.
#[track_caller]
fn says_reached(bed: &Testbed, (name, _, _, told): &Case, after: &Done) {
    let (comment, status, deployment) = shown(bed);
    for part in [told, "| healthy | "] {
        assert!(comment.contains(part), "{name}:\n{comment}\n{}", after.log);
    }
    assert_eq!(crate::common::writes(bed), [""; 0], "{name}");
    after.expect(0, "succeeded", "", "changed");
    if name.starts_with("deploy") || name.starts_with("promote") {
        let states = (status.as_deref(), deployment.as_deref());
        assert_eq!(states, (Some("success"), Some("success")), "{name}");
    }
}

#[test]
fn invariant_42_a_run_killed_in_or_before_its_last_look_is_told_as_one_that_reached_its_goal() {
    std::thread::scope(|scope| {
        for case in COMMANDS {
            scope.spawn(move || {
                for look in [1, 0] {
                    let (bed, done) = after(&case, look, |_, _| {});
                    says_reached(&bed, &case, &done);
                }
            });
        }
    });
}

/// Runs a case on a stage of its own, kills it at this look, changes the stage, and runs the post step.
fn after(case: &Case, look: u32, change: impl FnOnce(&Testbed, &Sample)) -> (Testbed, Done) {
    let (bed, sample) = stage();
    let (_, goal, action, _) = case;
    let done = killed(&bed, &sample, action(&bed, &sample), (*goal, look));
    change(&bed, &sample);
    bed.clear_calls();
    let after = action(&bed, &sample).post(&done.state).run();
    (bed, after)
}

/// Asserts what the comment and the commit status say, and that AWS was only read.
#[track_caller]
fn says(bed: &Testbed, after: &Done, parts: &[&str]) {
    let (comment, ..) = shown(bed);
    let comment = comment.replace("<code>", "`").replace("</code>", "`");
    for part in parts {
        assert!(comment.contains(part), "no `{part}` in:\n{comment}\n{}", after.log);
    }
    assert_eq!(crate::common::writes(bed), [""; 0], "{}", after.log);
}

/// Kills a deploy in its update, whose effect AWS shows after this time, and runs the post step once green is steady, or
/// at once.
fn killed_in_update(effect: Effect, invisible: Duration, steady: bool) -> (Testbed, Done) {
    let (bed, sample) = stage();
    // A version that is not to be good yet needs longer to start than the post step lasts.
    bed.world(|world| {
        world.pace.invisible = invisible;
        world.pace.launch = if steady { world.pace.launch } else { Duration::from_secs(120) };
    });
    let action = || run(&bed, "deploy").input("image", &sample.image("v2"));
    bed.fault(Fault::on("UpdateService", effect));
    let running = action().spawn();
    bed.set_victim(running.pid());
    let done = running.wait();
    assert_eq!(done.code, -1, "it was not killed:\n{}", done.log);
    bed.clear_faults();
    bed.clear_github_faults();
    assert!(!steady || bed.wait_until(Duration::from_secs(20), |world| deployed(world, &sample)));
    bed.clear_calls();
    // The tasks that come back start as fast as ever.
    hurry_at_update(&bed);
    let after = action().post(&done.state).run();
    (bed, after)
}

#[test]
fn invariant_42_a_deploy_killed_before_the_answer_of_its_update_is_confirmed() {
    let (bed, done) = killed_in_update(Effect::KillAfter, Duration::ZERO, true);
    says_reached(&bed, &COMMANDS[0], &done);
}

#[test]
fn invariant_42_an_update_that_a_stale_answer_hides_is_put_back_and_not_told_as_untouched() {
    let (bed, done) = killed_in_update(Effect::KillAfter, Duration::from_secs(3), false);
    done.expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(crate::common::writes(&bed), ["ecs UpdateService web-green web-green:1"], "{}", done.log);
    let (bed, done) = killed_in_update(Effect::KillBefore, Duration::from_secs(3), false);
    done.expect(1, "cancelled", "cancelled", "untouched");
    assert_eq!(crate::common::writes(&bed), [""; 0], "{}", done.log);
}

#[test]
fn invariant_42_a_goal_that_does_not_stand_any_more_is_not_told_as_reached() {
    let [deploy, redirect, promote, ..] = COMMANDS;
    // One of two rules goes back.
    let (bed, done) = after(&redirect, 0, |bed, sample| {
        traffic::path_rule(bed, sample, 100, 0);
    });
    says(&bed, &done, &["Superseded", "The goal is not reached any more.", "AWS shows now: "]);
    done.expect(1, "superseded", "superseded", "changed");
    // Green has one task, and needs two.
    let (bed, done) = after(&redirect, 0, |bed, _| traffic::scaled(bed, "web-green", 1));
    says(&bed, &done, &["Left to do:", "green runs 1 task of 1, 1 target healthy"]);
    done.expect(1, "superseded", "superseded", "changed");
    // Somebody gives blue its size back.
    let (bed, done) = after(&promote, 0, |bed, _| traffic::scaled(bed, "web-blue", 3));
    says(&bed, &done, &["Left to do:", "blue runs 3 tasks of 3, 3 targets healthy"]);
    // Somebody deploys something else.
    let (bed, done) = after(&deploy, 0, |bed, sample| traffic::runs(bed, sample, "web-green", "v3", false));
    says(&bed, &done, &["Superseded", "Another deployment took over `web-green` (green)"]);
    done.expect(1, "superseded", "superseded", "changed");
    assert_eq!(shown(&bed).1.as_deref(), Some("error"));
}

#[test]
fn invariant_42_what_the_post_step_can_not_read_it_says() {
    let [_, redirect, promote, ..] = COMMANDS;
    let deny = |bed: &Testbed, _: &Sample| bed.fault(Fault::on("DescribeServices", Effect::Deny));
    let (bed, done) = after(&redirect, 0, deny);
    says(&bed, &done, &["NOT KNOWN", "could not read AWS: AWS denied `ecs:DescribeServices`"]);
    done.expect(1, "cancelled", "access-denied", "unknown");
    let expire = |bed: &Testbed, _: &Sample| bed.fault(Fault::always(Effect::Expire));
    let (bed, done) = after(&promote, 0, expire);
    says(&bed, &done, &["NOT KNOWN", "could not read AWS: "]);
    done.expect(1, "cancelled", "credentials-expired", "unknown");
    assert_eq!(bed.calls().len(), 1, "credentials that are expired cost one call");
    assert_eq!(shown(&bed).1.as_deref(), Some("error"));
    let contexts = bed.world(|world| {
        let statuses = &world.github.repository("shop", "web").statuses;
        statuses.iter().map(|status| status.context.clone()).collect::<BTreeSet<_>>()
    });
    assert_eq!(contexts.len(), 1, "the status that was pending is the one that ended: {contexts:?}");
}

#[test]
fn invariant_42_a_killed_run_says_what_is_left_of_its_goal() {
    let (bed, sample) = stage();
    let action = |bed: &Testbed| run(bed, "promote").input("color", "green").input("settle", "30s");
    let done = killed(&bed, &sample, action(&bed), (at_green, 1));
    let after = action(&bed).post(&done.state).run();
    says(&bed, &after, &["Cancelled: promote", "Left to do:", "Scale `web-blue` (blue) to 1 task"]);
    after.says("To send users back to blue, run this action with");
}

#[test]
fn invariant_42_a_state_that_is_not_understood_is_told_as_that() {
    let (bed, sample) = stage();
    let (_, goal, action, _) = COMMANDS[1];
    let mut done = killed(&bed, &sample, action(&bed, &sample), (goal, 1));
    let state = done.state.get_mut("run").expect("a state");
    *state = state.replace("deploying", "waiting-for-a-human");
    let after = action(&bed, &sample).post(&done.state).run();
    says(
        &bed,
        &after,
        &["NOT KNOWN", "the state that it saved is not understood", "Run the command `status`"],
    );
    after.expect(1, "cancelled", "cancelled", "unknown");
}

#[test]
fn a_disk_that_is_full_leaves_no_half_of_an_output() {
    let (bed, _) = stack();
    for blocks in [0, 1, 2, 3] {
        let done = Action::new(&bed, "redirect-traffic").input("traffic", "split").limited(blocks).run();
        assert_eq!(done.code, 0, "{}", done.log);
        done.says("couldn't write");
        assert!(done.summary.is_empty(), "{}", done.summary);
    }
}
