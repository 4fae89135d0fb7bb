//! What a promote says alone.

use super::read;
use crate::event::Report;
use crate::plan::color::{Color, Split};
use crate::plan::promote::Caution;
use crate::plan::step::{EndStateReason, Left, Refusal, RunFailure};
use crate::plan::traffic::{Copying, TrafficPlan};
use crate::plan::verdict::DeploymentFailure;
use crate::report::fixtures::{about, moved, revision, traffic_plan};
use crate::report::words::{end_state, promote, render_refusal, render_rule, render_split_change, undo_hint};

/// A copy to blue of what green runs.
fn copying(away: bool) -> Copying {
    Copying { color: Color::Blue, tested: Color::Green, away, before: revision(7) }
}

/// A copy of users at blue, who are at blue in the end.
fn copy(away: bool) -> TrafficPlan {
    let to = traffic_plan().from;
    let mut copy = TrafficPlan { to, copy: Some(copying(away)), ..traffic_plan() };
    copy.rules.iter_mut().for_each(|rule| rule.after = to);
    copy
}

#[test]
fn a_copy_tells_its_way() {
    let told = [true, false].map(|away| render_split_change(&copy(away)));
    insta::assert_snapshot!(told.join("\n"), @r"
    all users to green, blue takes over what green runs, all users back to blue
    blue takes over what green runs, then all users to blue
    ");
    let rules = [true, false].map(|away| render_rule(&copy(away).rules[0], &copy(away)));
    insta::assert_snapshot!(rules.join("\n"), @r"
    `HTTPS:443 default`: blue -> green -> blue
    `HTTPS:443 default`: blue -> blue (100 % blue, 0 % green)
    ");
}

#[test]
fn users_who_are_there_already_are_no_way_and_the_rest_is_named() {
    let there = TrafficPlan { to: traffic_plan().from, ..traffic_plan() };
    let nothing = TrafficPlan { steps: Vec::new(), ..there.clone() };
    insta::assert_snapshot!([there, nothing].map(|traffic_plan| render_split_change(&traffic_plan)).join("\n"), @r"
    users are at blue already; what still changes: the production rules, automatic scaling and the desired count of green
    users are at blue already
    ");
}

#[test]
fn the_way_back_of_a_copy_is_to_users_where_they_were_moved_and_to_the_version_once_it_is_good() {
    let good = crate::event::Report { traffic: Some(Box::new(copy(true))), ..moved() };
    let told = |split: Split, report: crate::event::Report| {
        let mut report = report;
        let overview = report.overview.as_mut().unwrap();
        overview.split = Some(Ok(split));
        overview.rules.iter_mut().for_each(|(_, held)| *held = split);
        report.split = Some(split);
        undo_hint(&report).unwrap_or_default()
    };
    let (blue, green) = (traffic_plan().from, Split { blue: 0, green: 100 });
    insta::assert_snapshot!(told(blue, good.clone()), @r"
    Both colors run the new version now; blue ran `web:7` before. To go back to it, run this action three times:
      command: redirect-traffic
      traffic: green
    then
      command: deploy
      color: blue
      task-definition: web:7
    then
      command: redirect-traffic
      traffic: blue
    ");
    let midway = crate::event::Report {
        outcome: crate::failure::Outcome::Failed,
        left: Left::Changed,
        because: Some(EndStateReason::Midway),
        ..good
    };
    let back = told(green, midway.clone());
    assert!(back.starts_with("To send users back to blue, run this action"), "{back}");
    assert!(!back.contains("web:7`"), "{back}");
    assert_eq!(told(blue, midway), "", "they are where they were");
}

#[test]
fn what_a_copy_is_refused_for_names_what_was_found_and_the_way_on() {
    let suggestion = vec![("STAEG".to_owned(), Some("STAGE".to_owned()))];
    let two = vec![suggestion[0].clone(), ("OTHER".to_owned(), None)];
    let images = vec!["shop/web:v2".to_owned()];
    let all = [
        Refusal::NoVariable(suggestion),
        Refusal::NoVariable(two),
        Refusal::NoDigest { color: Color::Green, images: images.clone() },
        Refusal::NoDigest { color: Color::Green, images: [images, vec!["agent:7".to_owned()]].concat() },
    ];
    let told = all.iter().map(|refused| read(&render_refusal(refused, &about()))).collect::<Vec<_>>();
    insta::assert_snapshot!(told.join("\n\n"), @r"
    [bad-input] `per-color` names `STAEG`, and no container of either color has a variable or a secret of this name.
    Did you mean `STAGE` instead of `STAEG`?
    A name with a typo keeps nothing: the color would get the other one's value. Correct it, or leave it out.


    [bad-input] `per-color` names `STAEG` and `OTHER`, and no container of either color has variables or secrets of these names.
    Did you mean `STAGE` instead of `STAEG`?
    A name with a typo keeps nothing: the color would get the other one's value. Correct it, or leave it out.


    [not-enough-targets] No task of green runs that tells which image is behind `shop/web:v2`, and the color that would take it over runs its own by digest: whether that is the same image can't be told.
    If production runs what it should, as after a promote with `idle-count: 0`, there is nothing to do. To copy green once more, start a task there, see that it is good, and run again:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --desired-count 1


    [not-enough-targets] No task of green runs that tells which image is behind `shop/web:v2` and `agent:7`, and the color that would take it over runs its own by digest: whether that is the same image can't be told.
    If production runs what it should, as after a promote with `idle-count: 0`, there is nothing to do. To copy green once more, start a task there, see that it is good, and run again:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --desired-count 1
    ");
}

#[test]
fn what_is_to_be_known_before_it_is_a_sentence_each() {
    let suspended = |out, scheduled| {
        let service = "web-green".to_owned();
        Caution::Suspended { color: Color::Green, service, out, scheduled }
    };
    let all = [
        Caution::LowerMax { color: Color::Green, most: 2, other: 20 },
        Caution::NotScaled(Color::Green),
        suspended(true, false),
        suspended(false, true),
        suspended(true, true),
    ];
    insta::assert_snapshot!(all.iter().map(promote::render_caution).collect::<Vec<_>>().join("\n"), @r"
    green has MaxCapacity 2, and the other color has 20: as production it can't grow as far. Raise it where it is defined.
    green has no scalable target, and the other color has one: as production it does not scale automatically.
    Scale-out of `web-green` (green) is suspended, and no run takes that back.
    Scheduled scaling of `web-green` (green) is suspended, and no run takes that back.
    Scale-out and scheduled scaling of `web-green` (green) are suspended, and no run takes that back.
    ");
    insta::assert_snapshot!(promote::render_user_position(Split { blue: 0, green: 100 }), @"The promote had moved users before (0 % blue, 100 % green), and they stay there. Run it again to go on.");
}

#[test]
fn a_superseded_deployment_of_a_promote_tells_of_no_rule() {
    let report = Report {
        failing: Some(RunFailure::Deployment(DeploymentFailure::Superseded { by: revision(9) })),
        because: Some(EndStateReason::ChangedExternally),
        left: Left::Changed,
        ..moved()
    };
    let told = end_state(&report).expect("a reason");
    assert!(told.starts_with("Left changed: someone else changed ") && !told.contains("rule"), "{told}");
}
