//! What holds for every deploy that is disturbed: lost and refused writes, silent reads, signals, probes that fail,
//! deployments that go on for a while. The decision is iterated over a simulated AWS. And an undisturbed run writes
//! what its plan says.

mod sim;

use std::time::Duration;

use proptest::prelude::*;

use super::color::ServiceColor;
use super::deploy::Goal;
use super::preconditions::Request;
use super::predict::{NEW_REVISION, Plan, predict_plan};
use super::read_scope::ReadScope;
use super::sample::{arn, at, content};
use super::snapshot::Snapshot;
use super::step::{End, EndStateReason, Left, Purpose, Step, Update};
use super::verdict::Limits;
use super::wanted::{DesiredCount, Hosts, WantedColor};
use sim::{Ending, Fault, Script, Sim, Wire};

/// The longest that a run may take beyond its time-out: AWS's rollback, the way back, and patience with a silent AWS.
const BEYOND: Duration = Duration::from_secs(300);

/// A snapshot without the parts that a look does not read.
pub(crate) fn as_read(mut all: Snapshot, look: ReadScope) -> Snapshot {
    all.balancers = all.balancers.filter(|_| look.wiring);
    all.services.retain(|service| look.describes(service.color));
    for service in &mut all.services {
        let own = look.of(service.color);
        service.group.take_if(|_| !look.wiring);
        service.scaling.take_if(|_| !look.scaling);
        service.targets.take_if(|_| !own.health);
        service.tasks.take_if(|_| !own.health);
        service.definition.take_if(|_| !own.definitions);
        service.stopped.take_if(|_| !(own.stopped || own.causes));
        service.history.take_if(|_| !own.causes);
        service.scalers.take_if(|_| !own.scalers);
    }
    all
}

/// Any goal: v2 on green.
fn goals() -> impl Strategy<Value = Goal> {
    let counts = prop_oneof![
        2 => Just(None),
        1 => Just(Some(DesiredCount::Match)),
        1 => (1..4_u32).prop_map(|count| Some(DesiredCount::Count(count))),
    ];
    (any::<[bool; 4]>(), counts).prop_map(|([allow_live, probes, force, restore], desired)| Goal {
        request: Request {
            color: WantedColor::Color(ServiceColor::Green),
            allow_live,
            probes: probes.then(|| "/".to_owned()).into_iter().collect(),
            listener: None,
            hosts: Hosts::default(),
        },
        color: ServiceColor::Green,
        content: content("web-green", "v2"),
        revision: None,
        origin: None,
        force,
        desired,
        limits: Limits::with_timeout(Duration::from_secs(60)),
        restore_on_cancel: restore,
        managed: None,
    })
}

/// Any world.
fn scripts() -> impl Strategy<Value = Script> {
    let weights = prop_oneof![4 => Just((100, 0)), 1 => Just((80, 20)), 1 => Just((0, 100))];
    let fates = prop_oneof![
        3 => (1..5_u8).prop_map(Fault::Good),
        2 => Just(Fault::Crash),
        1 => Just(Fault::Unhealthy),
        1 => Just(Fault::TrafficFailure),
    ];
    let wires = prop_oneof![
        4 => Just(Wire::Fine),
        1 => Just(Wire::LostBefore),
        1 => Just(Wire::LostAfter),
        1 => Just(Wire::Throttled),
        1 => Just(Wire::Denied),
    ];
    let later = prop_oneof![
        12 => Just(Wire::Fine),
        1 => Just(Wire::LostBefore),
        1 => Just(Wire::LostAfter),
        1 => Just(Wire::Throttled),
        1 => Just(Wire::Denied),
    ];
    let breakers = prop_oneof![Just(None), Just(Some(false)), Just(Some(true))];
    let cancels = prop_oneof![3 => Just(None), 1 => (1..30_u8).prop_map(Some)];
    let moves = prop_oneof![2 => Just(None), 1 => (2..30_u8).prop_map(Some)];
    let recounts = prop_oneof![2 => Just(None), 1 => (2..30_u8, 1..7_u32).prop_map(Some)];
    (
        (weights, any::<[bool; 3]>(), 0..4_u32, breakers, fates),
        ((prop::collection::vec(wires, 0..4), later), prop::collection::vec(1..30_u8, 0..4), cancels),
        (moves, recounts),
    )
        .prop_map(|(found, wires, (moved, recounted))| {
            let (weights, [same, flying, probes_pass], desired, breaker, fate) = found;
            let ((wire, later), unread, cancel) = wires;
            Script {
                weights,
                same,
                flying,
                desired,
                breaker,
                fate,
                wire,
                later,
                unread,
                cancel,
                probes_pass,
                moved,
                recounted,
            }
        })
}

/// The updates among steps that are for this.
fn updates(steps: &[Step], purpose: Purpose) -> Vec<&Update> {
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Update(update) if update.purpose == purpose => Some(update),
            Step::Update(_)
            | Step::Find(_)
            | Step::Register(_)
            | Step::Probe(_)
            | Step::Weights(_)
            | Step::Scaling(_)
            | Step::Policy(_)
            | Step::Alarm(_) => None,
        })
        .collect()
}

/// How many registers are among steps.
fn registers(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Register(_))).count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_in_time(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        let (ending, _) = sim.drive(&goal);
        prop_assert_ne!(ending, Ending::Never);
        prop_assert!(sim.now.since(at(0)) <= goal.limits.timeout + BEYOND);
    }

    #[test]
    fn invariant_11_no_color_with_users_is_deployed_to_unless_allowed(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        sim.drive(&goal);
        prop_assert!(!sim.wrote_live || goal.request.allow_live);
    }

    #[test]
    fn invariant_16_no_color_that_users_came_to_is_put_back_under_them(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        let (_, run) = sim.drive(&goal);
        // A deployment that was adopted when users were there already, as the user allowed.
        let allowed = run.has_adopted() && run.users.was_live && goal.request.allow_live;
        prop_assert!(!sim.went_back_live || allowed, "{:?}", sim.done);
    }

    #[test]
    fn invariant_36_users_who_came_have_the_tasks_that_the_run_took(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        let found = sim.wants();
        let (ending, run) = sim.drive(&goal);
        let known = !matches!(ending, Ending::End(End::Bad { left: Left::Unknown, .. }) | Ending::Never);
        if known && !sim.was_recounted && let Some(count) = sim.came_to {
            // A color that had users before had enough tasks for these.
            let needed = if run.users.was_live { count } else { count.max(found.1) };
            prop_assert!(sim.wants().1 >= needed, "{:?}", sim.done);
        }
    }

    #[test]
    fn invariant_13_no_count_that_somebody_else_set_is_taken_back(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        sim.drive(&goal);
        prop_assert!(!sim.cut, "{:?}", sim.done);
    }

    #[test]
    fn invariant_35_no_write_has_its_effect_twice(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        sim.drive(&goal);
        prop_assert!(registers(&sim.done) <= 1, "{:?}", sim.done);
        let mut deploys = updates(&sim.done, Purpose::Deploy);
        // A count that somebody else set while an update had no answer is set anew, by an update of the count alone.
        deploys.retain(|update| !sim.was_recounted || update.rolls());
        prop_assert!(deploys.len() <= 1, "{:?}", sim.done);
        prop_assert!(updates(&sim.done, Purpose::Restore).len() <= 1, "{:?}", sim.done);
    }

    #[test]
    fn invariant_12_good_means_wanted_content_and_enough_healthy_targets(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script.clone(), &goal);
        if let (Ending::End(End::Good { healthy, .. }), _) = sim.drive(&goal) {
            let (_, desired) = sim.wants();
            prop_assert!(sim.runs_wanted());
            prop_assert!(healthy >= desired.max(1) && sim.healthy() >= desired.max(1));
            prop_assert!(script.probes_pass || goal.request.probes.is_empty());
        }
    }

    #[test]
    fn invariant_13_untouched_and_restored_mean_as_found(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        let found = sim.wants();
        if let (Ending::End(End::Bad { left, because, .. }), run) = sim.drive(&goal) {
            match left {
                Left::Untouched => {
                    prop_assert_eq!(sim.wants().0, found.0);
                    prop_assert!(sim.was_recounted || sim.wants().1 == found.1);
                    prop_assert!(updates(&sim.done, Purpose::Deploy).is_empty(), "{:?}", sim.done);
                }
                Left::Restored => {
                    let back = run.found.as_ref().map(|found| (found.task_definition.clone(), found.desired));
                    let count = if sim.was_recounted { None } else { Some(sim.wants().1) };
                    prop_assert_eq!(Some(sim.wants().0), back.as_ref().map(|(arn, _)| arn.clone()));
                    prop_assert!(count.is_none() || count == back.map(|(_, count)| count));
                }
                Left::Changed | Left::Unknown => {}
            }
            let touched = !updates(&sim.done, Purpose::Deploy).is_empty() || run.has_adopted() || sim.looks_touched();
            prop_assert!(touched || left == Left::Untouched, "{:?} {:?}", left, because);
            prop_assert!(because != EndStateReason::NothingChanged || left == Left::Untouched);
        }
    }

    #[test]
    fn invariant_14_the_same_content_is_never_registered(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(Script { same: true, ..script }, &goal);
        sim.drive(&goal);
        prop_assert_eq!(registers(&sim.sent), 0);
    }

    #[test]
    fn a_refusal_comes_before_the_first_update(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script, &goal);
        if let (Ending::Refuse(refusal), _) = sim.drive(&goal) {
            prop_assert_eq!(updates(&sim.done, Purpose::Deploy), Vec::<&Update>::new(), "{:?}", refusal);
        }
    }

    #[test]
    fn a_plan_is_what_an_undisturbed_run_writes(goal in goals(), script in scripts()) {
        let script = script.undisturbed();
        let mut sim = Sim::new(script, &goal);
        let planned = predict_plan(&sim.world_as_seen(), &goal, None, sim.now);
        let (ending, _) = sim.drive(&goal);
        match planned {
            Plan::Refuse(refusal) => prop_assert_eq!(ending, Ending::Refuse(refusal)),
            Plan::Unknown(why) => prop_assert!(false, "nothing is unknown: {:?}", why),
            Plan::Steps(steps) => {
                let is_good = matches!(ending, Ending::End(End::Good { .. }));
                prop_assert!(is_good, "{:?}", ending);
                let writes: Vec<Step> = steps.into_iter().filter(changes_aws).map(arrived).collect();
                prop_assert_eq!(writes, sim.sent);
            }
        }
    }
}

/// Whether a step changes something in AWS.
fn changes_aws(step: &Step) -> bool {
    matches!(step, Step::Register(_) | Step::Update(_))
}

/// A planned step with the revision that the simulated AWS makes.
fn arrived(step: Step) -> Step {
    match step {
        Step::Update(update) => {
            let new = |given: String| if given == NEW_REVISION { arn("web-green:2") } else { given };
            Step::Update(Update { task_definition: update.task_definition.map(new), ..update })
        }
        Step::Find(_)
        | Step::Register(_)
        | Step::Probe(_)
        | Step::Weights(_)
        | Step::Scaling(_)
        | Step::Policy(_)
        | Step::Alarm(_) => step,
    }
}
