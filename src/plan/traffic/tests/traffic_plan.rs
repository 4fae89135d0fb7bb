//! What is told of a change of traffic before it, and what a forced one is short of after it.

use super::*;
use crate::plan::traffic::{TrafficPlan, capacity_shortfall};

/// The brief of a goal.
fn traffic_plan(seen: &Snapshot, goal: &Goal) -> TrafficPlan {
    match predict_traffic(seen, goal, at(0)) {
        Prediction::Plan(traffic_plan) => *traffic_plan,
        other => panic!("{other:?}"),
    }
}

/// The rule of HTTPS:443.
fn https(seen: &mut Snapshot) -> &mut Rule {
    rules(seen)[0].rules.last_mut().unwrap()
}

/// The shares that a plan holds.
fn bakes(seen: &Snapshot, steps: &[u32]) -> Vec<u32> {
    let goal = wish(goal(0, 100), |wish| wish.steps = steps.to_vec());
    traffic_plan(seen, &goal).bakes.into_iter().map(|(share, _)| share).collect()
}

#[test]
fn a_plan_holds_what_the_run_holds() {
    assert_eq!(bakes(&world(100, 0), &[20, 50]), [20, 50]);
    assert_eq!(bakes(&world(80, 20), &[20, 50]), [20, 50], "a run that begins at a step holds it again");
    assert_eq!(bakes(&world(70, 30), &[20, 50]), [50]);
    assert_eq!(bakes(&world(0, 100), &[20, 50]), [0; 0], "nothing is to move");
    let mut apart = world(80, 20);
    *https(&mut apart) = production(443, 50, 50);
    assert_eq!(bakes(&apart, &[20, 50]), [50], "a rule beyond it tells that it was held");
}

#[test]
fn a_forced_run_is_told_what_the_load_needs_and_what_it_is_short_of() {
    let forced = wish(goal(0, 100), |wish| (wish.force, wish.scale_up) = (true, false));
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 6, 6, "healthy");
    tasks(&mut seen, Color::Green, 1, 1, "healthy");
    let before = traffic_plan(&seen, &forced);
    assert_eq!((before.capacity[0].needed, before.need(Color::Green)), (1, Some(6)));
    let mut after = seen.clone();
    rules(&mut after)[0].rules[0] = production(80, 0, 100);
    *https(&mut after) = production(443, 0, 100);
    let short = |seen: &Snapshot| {
        let all = capacity_shortfall(seen, &forced, &before);
        all.iter().map(|short| (short.color, short.healthy, short.needed)).collect::<Vec<_>>()
    };
    assert_eq!(short(&after), [(Color::Green, 1, 6)]);
    // Where both scale automatically, the load of green alone is what it happens to have.
    scales(&mut after, Color::Blue, (1, 10), true);
    scales(&mut after, Color::Green, (1, 3), true);
    tasks(&mut after, Color::Green, 3, 3, "healthy");
    assert_eq!(short(&after), [(Color::Green, 3, 6)]);
    tasks(&mut after, Color::Green, 6, 6, "healthy");
    assert_eq!(short(&after), []);
}

#[test]
fn rules_that_disagree_have_no_split_before() {
    let mut apart = world(100, 0);
    assert!(traffic_plan(&apart, &goal(0, 100)).agreed());
    *https(&mut apart) = production(443, 0, 100);
    assert!(!traffic_plan(&apart, &goal(0, 100)).agreed());
}
