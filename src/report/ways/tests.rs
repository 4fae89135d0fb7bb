//! The ways on, in each form.

use super::*;
use crate::event::Report;
use crate::plan::overview::Movable;
use crate::plan::step::Left;
use crate::report::fixtures::{BLUE, BLUE_80, crash, failed, moved, report, traffic_plan};

/// A run with the workflow `release.yml` that takes these inputs; none if any input.
fn run(inputs: Option<&[&str]>) -> CommentRun {
    let inputs = inputs.map(|all| all.iter().map(|&input| input.to_owned()).collect());
    CommentRun {
        button: Some(Button { file: "release.yml".to_owned(), inputs }),
        url: Some("https://github.example/octo/shop/actions/runs/42/attempts/1".to_owned()),
        ..CommentRun::default()
    }
}

/// The report with these answers about green.
fn answers(mut report: Report, redirect: Result<(), WhyNot>) -> Report {
    let one = |command, valid| Movable { command, color: Color::Green, valid };
    let overview = report.overview.as_mut().unwrap();
    overview.movable = vec![one(Move::Redirect, redirect), one(Move::Promote, Ok(()))];
    report
}

/// The ways, without the links' addresses.
fn ways(report: &Report, run: &CommentRun) -> String {
    let url = "(https://github.example/octo/shop/actions/workflows/release.yml)";
    ways_section(report, run).replace(url, "(URL)").trim_end().to_owned()
}

#[test]
fn after_a_deploy_the_way_forward_comes_first() {
    let deployed = answers(report(), Ok(()));
    insta::assert_snapshot!(ways(&deployed, &run(None)), @"
    **Next:** 20 % of users to green – start [release.yml](URL) with <code>command: redirect-traffic</code>, <code>traffic: blue-80</code>.

    **Back:** <code>web:7</code> on green again – start [release.yml](URL) with <code>command: deploy</code>, <code>color: green</code>, <code>task-definition: web:7</code>.
    ");
    insta::assert_snapshot!(ways(&deployed, &CommentRun::default()), @"
    **Next:** 20 % of users to green – run this action with <code>command: redirect-traffic</code>, <code>traffic: blue-80</code>.

    **Back:** <code>web:7</code> on green again – run this action with <code>command: deploy</code>, <code>color: green</code>, <code>task-definition: web:7</code>.
    ");
    let denied = answers(report(), Err(WhyNot::NoneHealthy));
    insta::assert_snapshot!(ways(&denied, &run(None)), @"
    **Next:** users can't move to green now: none of its targets is healthy.

    **Back:** <code>web:7</code> on green again – start [release.yml](URL) with <code>command: deploy</code>, <code>color: green</code>, <code>task-definition: web:7</code>.
    ");
}

#[test]
fn the_way_back_to_a_color_with_users_allows_that() {
    let mut live = report();
    live.overview.as_mut().unwrap().split = Some(Ok(Split { blue: 0, green: 100 }));
    live.split = Some(Split { blue: 0, green: 100 });
    insta::assert_snapshot!(ways(&live, &CommentRun::default()), @"**Back:** <code>web:7</code> on green again – run this action with <code>command: deploy</code>, <code>color: green</code>, <code>task-definition: web:7</code>, <code>allow-live: true</code>.");
    assert!(words::undo_hint(&live).unwrap().contains("  task-definition: web:7\n  allow-live: true\nor, "));
    assert!(!words::undo_hint(&report()).unwrap().contains("allow-live"));
}

#[test]
fn a_workflow_is_linked_only_if_it_can_start_the_way() {
    let deployed = answers(report(), Ok(()));
    let deploys = ways(&deployed, &run(Some(&["color", "task-definition"])));
    insta::assert_snapshot!(deploys, @"
    **Next:** 20 % of users to green – run this action with <code>command: redirect-traffic</code>, <code>traffic: blue-80</code>.

    **Back:** <code>web:7</code> on green again – start [release.yml](URL) with <code>color: green</code>, <code>task-definition: web:7</code>.
    ");
    let promote = run(Some(&["command", "color"]));
    insta::assert_snapshot!(ways(&deployed, &promote), @"
    **Next:** All users to green – start [release.yml](URL) with <code>command: promote</code>, <code>color: green</code>.

    **Back:** <code>web:7</code> on green again – run this action with <code>command: deploy</code>, <code>color: green</code>, <code>task-definition: web:7</code>.
    ");
    let unnamed = CommentRun { url: None, ..run(None) };
    assert!(ways(&deployed, &unnamed).contains("start <code>release.yml</code> with"));
}

#[test]
fn after_a_step_the_next_preset_follows() {
    let users = answers(moved(), Ok(()));
    insta::assert_snapshot!(ways(&users, &run(None)), @"
    **Next:** 50 % of users to green – start [release.yml](URL) with <code>command: redirect-traffic</code>, <code>traffic: split</code>.

    **Back:** All users back to blue – start [release.yml](URL) with <code>command: redirect-traffic</code>, <code>traffic: blue</code>.
    ");
    let rollback = Report { command: "rollback", ..users.clone() };
    insta::assert_snapshot!(ways(&rollback, &run(Some(&["color"]))), @"**Back:** All users back to blue – start [release.yml](URL) with <code>color: blue</code>.");
    let all = Split { blue: 0, green: 100 };
    let there = Report { split: Some(all), ..users };
    insta::assert_snapshot!(ways(&there, &CommentRun::default()), @"**Back:** All users back to blue – run this action with <code>command: redirect-traffic</code>, <code>traffic: blue</code>.");
}

#[test]
fn a_run_without_a_change_has_no_way_back() {
    let crashed = failed(
        crate::plan::step::RunFailure::Deployment(crate::plan::verdict::DeploymentFailure::CircuitBreaker),
        crash(),
    );
    assert_eq!(ways(&crashed, &run(None)), "");
    let unchanged =
        Report { outcome: Outcome::Unchanged, left: Left::Untouched, ..answers(report(), Ok(())) };
    assert!(!ways(&unchanged, &run(None)).contains("**Back:**"));
    let mut apart = moved();
    apart.traffic.as_mut().unwrap().rules[0].before = BLUE_80;
    assert_eq!(ways(&apart, &run(None)), "**Back:** no single command does it, see below.");
    let mut odd = moved();
    odd.traffic.as_mut().unwrap().from = Split { blue: 999, green: 1 };
    odd.traffic.as_mut().unwrap().rules.clear();
    assert!(!ways(&odd, &run(None)).contains("traffic: 99/1"), "another split than that of before");
}

#[test]
fn a_run_in_progress_goes_back_by_a_rollback() {
    let plan = traffic_plan();
    insta::assert_snapshot!(way_back_meanwhile(&plan, &moved(), &CommentRun::default()).trim_end(), @"**Back:** All users back to blue – run this action with <code>command: rollback</code>, <code>color: blue</code>.");
    let to_half = TrafficPlan { from: BLUE_80, to: Split { blue: 50, green: 50 }, rules: Vec::new(), ..plan };
    insta::assert_snapshot!(way_back_meanwhile(&to_half, &moved(), &CommentRun::default()).trim_end(), @"**Back:** Users back to blue-80 – run this action with <code>command: redirect-traffic</code>, <code>traffic: blue-80</code>.");
    let nowhere = TrafficPlan { from: BLUE, to: BLUE, rules: Vec::new(), ..to_half };
    assert_eq!(way_back_meanwhile(&nowhere, &moved(), &CommentRun::default()), "");
}
