//! A promote and the users whom it does not move: those of other rules, and those whom another user moves meanwhile.

use super::tests::goal;
use super::{Phase, plan_phases, traffic_goal};
use crate::plan::color::{Color, Split};
use crate::plan::operation::Operation;
use crate::plan::preconditions::Blocker;
use crate::plan::sample::{at, balancer, rule, snapshot};
use crate::plan::snapshot::{Condition, Pattern, Snapshot};
use crate::plan::step::{End, Next, Refusal, RunFailure, TrafficFailure};
use crate::plan::verdict::Restorer;
use crate::plan::wanted::Mode;

#[test]
fn invariant_39_a_promote_changes_no_color_with_users_of_another_rule() {
    let with = |group: &str| {
        let mut balancer = balancer(100, 0);
        let mut extra = rule(80, Some(5), &[(group, 1)]);
        extra.conditions = vec![Condition::Path(vec![Pattern::Wildcards("/beta/*".to_owned())])];
        balancer.rules.push(extra);
        Snapshot { balancers: Some(Ok(vec![balancer])), ..snapshot() }
    };
    let refused = |color| {
        let split = Split { blue: 100, green: 0 };
        let rules = vec!["HTTP:80 rule 5".to_owned()];
        Err(Blocker::Refuse(Refusal::UserRules { color, rules, split }))
    };
    let count = |seen: &Snapshot, mode| plan_phases(seen, &goal(mode)).map(|phases| phases.len());
    assert_eq!(count(&with("tg-green"), Mode::Swap), refused(Color::Green), "the promote would shrink green");
    assert_eq!(count(&with("tg-blue"), Mode::Swap).ok(), Some(1), "blue gets all users anyway");
    assert_eq!(count(&with("tg-blue"), Mode::Copy), refused(Color::Blue), "a copy would deploy to blue");
}

#[test]
fn invariant_06_a_split_that_another_user_wrote_between_two_phases_ends_a_copy() {
    let copy = goal(Mode::Copy);
    let phases = [(Color::Green, false), (Color::Blue, true)]
        .map(|(color, last)| Phase::Move(Box::new(traffic_goal(&copy, color, last))));
    let mut operation = Operation::begin(&phases, at(0)).unwrap();
    assert!(operation.goes_on(&End::Good { changed: true, healthy: 2 }, at(60)));
    let next = |blue, green| {
        let seen = Snapshot { balancers: Some(Ok(vec![balancer(blue, green)])), ..snapshot() };
        operation.clone().decide(&Ok(seen), at(60))
    };
    let (expected, found) = (Split { blue: 0, green: 100 }, Split { blue: 50, green: 50 });
    let failure = TrafficFailure::Overtaken { rule: "HTTP:80 default".to_owned(), expected, found };
    assert_eq!(next(50, 50), Next::Restore(RunFailure::Traffic(failure), Restorer::ThisRun));
    assert!(!matches!(next(0, 100), Next::Restore(..)), "as the first phase left it");
}
