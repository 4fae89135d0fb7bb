//! What holds for every change of traffic that is disturbed: lost, refused and throttled writes, silent reads, tasks that
//! sicken or never start, somebody else's writes, signals, kills. The decision is iterated over a simulated AWS, and an
//! oracle with an arithmetic of its own judges every write. And an undisturbed run writes what its plan says.

mod oracle;
mod sim;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use super::{Goal, Prediction, TrafficRequest, predict_traffic};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::sample::{T0, at};
use crate::plan::snapshot::Scalable;
use crate::plan::step::{
    End, EndStateReason, Left, Purpose, RunFailure, Scaling, Step, TrafficFailure, Weights,
};
use crate::plan::wanted::ListenerChoice;
use sim::{Ending, Event, Script, Sim, Wire};
use world::{Fault, Held, Tier, World, production, split};

/// The presets, and others.
const SPLITS: [(u32, u32); 8] =
    [(100, 0), (80, 20), (50, 50), (20, 80), (0, 100), (95, 5), (33, 67), (100, 0)];

/// A split by its number.
fn of((blue, green): (u32, u32)) -> Split {
    Split { blue, green }
}

/// Blue or green.
fn colors() -> impl Strategy<Value = Color> {
    prop_oneof![Just(Color::Blue), Just(Color::Green)]
}

/// Any split of users.
fn splits() -> impl Strategy<Value = Split> {
    prop::sample::select(SPLITS.to_vec()).prop_map(of)
}

/// Any goal.
fn goals() -> impl Strategy<Value = Goal> {
    let steps = prop::sample::select(vec![vec![], vec![], vec![], vec![20], vec![20, 50], vec![30, 60, 70]]);
    let often = prop::bool::weighted(0.85);
    let rarely = prop::bool::weighted(0.15);
    (splits(), steps, (often, often, rarely), any::<bool>(), prop::sample::select(vec![0, 30])).prop_map(
        |(to, steps, (adopt, scale_up, force), restore_on_cancel, settle)| Goal {
            wish: TrafficRequest {
                to,
                alarms: if steps.is_empty() { vec![] } else { vec!["web-5xx".to_owned()] },
                steps,
                bake: Duration::from_secs(20),
                scale_up,
                force,
                adopt,
                expect: None,
                settle: Duration::from_secs(settle),
            },
            listener: Some(ListenerChoice::Port { protocol: None, port: 80 }),
            timeout: Duration::from_secs(60),
            restore_on_cancel,
            finish: None,
            has_next_phase: false,
            managed: None,
        },
    )
}

/// Any color: its count, its sick and leaving targets, what becomes of new tasks, its minimum, its bounds.
fn tiers() -> impl Strategy<Value = Tier> {
    let sick = prop_oneof![4 => Just(0_u32), 1 => 0..7_u32];
    let starting = prop_oneof![4 => Just(0_u32), 1 => 0..3_u32];
    let fates = prop_oneof![5 => (0..30_u8).prop_map(Fault::Good), 1 => Just(Fault::Sick), 1 => Just(Fault::TrafficFailure)];
    let minimum =
        (prop_oneof![4 => Just(1_u32), 1 => 1..4_u32], prop::sample::select(vec![0, 0, 0, 50, 100]));
    let bounds = (0..4_u32, 1..14_u32, any::<bool>()).prop_map(|(min, max, in_suspended)| Scalable {
        min,
        max: max.max(min),
        in_suspended,
        ..Scalable::default()
    });
    (0..9_u32, sick, starting, 0..2_u32, fates, minimum, prop::option::weighted(0.6, bounds)).prop_map(
        |(desired, sick, starting, draining, fate, minimum, scaling)| {
            let sick = sick.min(desired);
            let starting = starting.min(desired - sick);
            let ready = match fate {
                Fault::Good(after) => Some(at(u64::from(after))),
                Fault::Sick | Fault::TrafficFailure => None,
            };
            let healthy = desired - sick - starting;
            let starting = vec![ready; usize::try_from(starting).unwrap()];
            Tier { desired, healthy, sick, draining, starting, fate, minimum, scaling }
        },
    )
}

/// How the rules stand.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// They all hold this.
    Agree(Split),
    /// The first hold this and the last that.
    Half(Split, Split),
    /// Day one: this color alone.
    Lone(Color),
}

/// Any world.
fn worlds() -> impl Strategy<Value = World> {
    let starts = prop_oneof![
        6 => splits().prop_map(Start::Agree),
        2 => (splits(), splits()).prop_map(|(one, two)| Start::Half(one, two)),
        1 => colors().prop_map(Start::Lone),
    ];
    let lags = prop_oneof![5 => Just(0_u64), 1 => 1..9_u64];
    (tiers(), tiers(), starts, 1..4_usize, lags).prop_map(|(blue, green, start, count, lag)| {
        let rule = |number| match start {
            Start::Agree(split) => production(number, split, None),
            Start::Half(one, two) => production(number, if number == 0 { one } else { two }, None),
            Start::Lone(color) => production(number, of((0, 0)), Some(color)),
        };
        let count = if matches!(start, Start::Lone(_)) { 1 } else { count };
        let mut tiers = [blue, green];
        if let Start::Lone(color) = start {
            // Nobody checks the health of a group that no rule uses.
            let other = &mut tiers[1 - world::index(color)];
            (other.healthy, other.sick) = (other.healthy + other.sick, 0);
        }
        World {
            tiers,
            rules: (0..count).map(|number| Held { rule: rule(number), shown: None }).collect(),
            firing: false,
            heals: false,
            lag: Duration::from_secs(lag),
            now: T0,
        }
    })
}

/// Anything that may happen.
fn scripts() -> impl Strategy<Value = Script> {
    let wires = prop_oneof![
        6 => Just(Wire::Fine),
        1 => Just(Wire::LostBefore),
        1 => Just(Wire::LostAfter),
        1 => Just(Wire::Throttled),
        1 => Just(Wire::Denied),
        1 => Just(Wire::KilledBefore),
        1 => Just(Wire::KilledAfter),
    ];
    let last = prop_oneof![8 => Just(Wire::Fine), 1 => Just(Wire::Throttled)];
    let events = prop_oneof![
        colors().prop_map(Event::Sicken),
        colors().prop_map(Event::Grow),
        colors().prop_map(Event::Shrink),
        splits().prop_map(Event::Other),
        Just(Event::Fire),
        Just(Event::Unread),
        Just(Event::Partial),
        Just(Event::Signal),
    ];
    let events = prop::collection::vec((1..30_u8, events), 0..3);
    (worlds(), prop::collection::vec(wires, 0..10), last, events)
        .prop_map(|(world, wire, last, events)| Script { world, wire, last, events })
}

/// Worlds in which nothing goes wrong.
fn calm() -> impl Strategy<Value = Script> {
    worlds().prop_map(|mut world| {
        (world.heals, world.lag) = (true, Duration::ZERO);
        for tier in &mut world.tiers {
            tier.fate = Fault::Good(3);
            tier.starting.iter_mut().for_each(|ready| *ready = Some(at(3)));
        }
        Script { world, wire: Vec::new(), last: Wire::Fine, events: Vec::new() }
    })
}

/// An alarm that fires in the first bake, where nothing else goes wrong.
fn alarmed() -> impl Strategy<Value = (Goal, Script)> {
    (goals(), calm(), 1..9_u8).prop_map(|(mut goal, mut script, look)| {
        goal.wish.scale_up = true;
        script.events = vec![(look, Event::Fire)];
        for tier in &mut script.world.tiers {
            (tier.minimum, tier.draining, tier.fate) = ((1, 0), 0, Fault::Good(3));
            if let Some(scaling) = &mut tier.scaling {
                scaling.max = 40;
            }
        }
        (goal, script)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariants_03_04_16_17_18_19_22_23_hold_at_every_write_of_every_run(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script);
        sim.drive(&goal);
        prop_assert!(sim.broken.is_empty(), "{:?} {:?}", sim.broken, sim.sent);
    }

    #[test]
    fn every_run_ends(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script);
        let (ending, _) = sim.drive(&goal);
        prop_assert_ne!(ending, Ending::Never);
    }

    #[test]
    fn a_refusal_comes_before_the_first_write(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script);
        if let (Ending::Refuse(refusal), _) = sim.drive(&goal) {
            prop_assert!(sim.done.is_empty(), "{:?} {:?}", refusal, sim.done);
        }
    }

    #[test]
    fn what_a_failed_run_says_of_what_is_left_is_so(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script);
        if let (Ending::End(End::Bad { left, because, failing }), _) = sim.drive(&goal) {
            sim.rest();
            let told = format!("{failing:?} {left:?} {because:?} {:?}", sim.done);
            match left {
                Left::Untouched => prop_assert!(sim.done.is_empty() || sim.foreign, "{}", told),
                Left::Restored => restored(&sim, &goal).map_err(|why| {
                    TestCaseError::fail(format!("{why}: {told}"))
                })?,
                Left::Changed => prop_assert!(!sim.done.is_empty(), "{}", told),
                Left::Unknown => prop_assert!(matches!(because, EndStateReason::AwsError(_) | EndStateReason::NotConfirmed | EndStateReason::ChangedExternally), "{}", told),
            }
            prop_assert!(because != EndStateReason::ChangedExternally || sim.foreign, "{}", told);
        }
    }

    #[test]
    fn an_alarm_sends_users_back_wherever_they_were_served((goal, script) in alarmed()) {
        let seen = script.world.show();
        let production = script.world.rules.iter().map(|held| held.rule.arn.clone()).collect();
        let served = oracle::Oracle { seen: &seen, found: None, production, forced: false, settled: false }.stands();
        // Nobody can be sent back to a color that had nobody to serve them.
        let served = served && script.world.tiers.iter().all(|tier| tier.healthy > 0);
        let mut sim = Sim::new(script);
        if let (Ending::End(End::Bad { failing: RunFailure::Traffic(TrafficFailure::Alarm(_)), left, because }), _) = sim.drive(&goal) {
            // Users are back; a count that this run raised, and that they need by now, stays and is said.
            let kept = matches!(because, EndStateReason::CountKept { .. });
            let back = kept || matches!(left, Left::Restored | Left::Untouched);
            prop_assert!(back || !served, "{:?} {:?} {:?}", left, because, sim.sent);
            prop_assert!(sim.broken.is_empty(), "{:?}", sim.broken);
        }
    }

    #[test]
    fn invariant_21_the_health_of_the_color_that_users_leave_changes_nothing(
        goal in goals(),
        script in calm(),
        color in colors(),
    ) {
        let mut goal = goal;
        (goal.wish.to, goal.wish.steps) = (of(if color == Color::Blue { (100, 0) } else { (0, 100) }), Vec::new());
        let mut sick = script.clone();
        let left = &mut sick.world.tiers[1 - world::index(color)];
        left.starting.clear();
        (left.healthy, left.sick, left.fate) = (0, left.desired, Fault::Sick);
        let (mut well, mut sick) = (Sim::new(script), Sim::new(Script { world: World { heals: false, ..sick.world }, ..sick }));
        well.world.heals = false;
        let (one, two) = (well.drive(&goal).0, sick.drive(&goal).0);
        prop_assert_eq!((one, well.sent), (two, sick.sent));
    }

    #[test]
    fn good_means_that_the_goal_stands(goal in goals(), script in scripts()) {
        let mut sim = Sim::new(script);
        if let (Ending::End(End::Good { changed, .. }), _) = sim.drive(&goal) {
            prop_assert!(changed || sim.done.is_empty());
            // The very write of a run that was killed may show as late as if it were this run's lost one.
            prop_assert!(!changed || !sim.sent.is_empty());
            sim.rest();
            stands(&sim, &goal).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn invariant_07_the_same_goal_again_writes_nothing(goal in goals(), script in calm()) {
        let mut sim = Sim::new(script);
        if let (Ending::End(End::Good { .. }), _) = sim.drive(&goal) {
            let mut again = sim.again();
            let (ending, _) = again.drive(&goal);
            prop_assert!(matches!(ending, Ending::End(End::Good { changed: false, .. })), "{:?} {:?}", ending, again.sent);
        }
    }

    #[test]
    fn invariant_07_a_killed_and_repeated_run_ends_where_an_undisturbed_one_does(
        goal in goals(),
        script in calm(),
        kills in prop::collection::vec((0..12_usize, any::<bool>()), 1..4),
    ) {
        let mut undisturbed = Sim::new(script.clone());
        let (ending, _) = undisturbed.drive(&goal);
        if !matches!(ending, Ending::End(End::Good { .. })) {
            return Ok(());
        }
        let mut wire = vec![Wire::Fine; 12];
        for (number, after) in kills {
            wire[number] = if after { Wire::KilledAfter } else { Wire::KilledBefore };
        }
        let mut killed = Sim::new(Script { wire, ..script });
        let (again, _) = killed.drive(&goal);
        prop_assert!(matches!(again, Ending::End(End::Good { .. })), "{:?}", again);
        // A forced run moves users first and scales up afterwards, by a load that the services themselves tell.
        let counts = !goal.wish.force || killed.world.tiers.iter().all(|tier| tier.scaling.is_none());
        prop_assert_eq!(killed.state(counts), undisturbed.state(counts));
    }

    #[test]
    fn a_plan_is_what_an_undisturbed_run_writes(goal in goals(), script in calm()) {
        let planned = predict_traffic(&script.world.show(), &goal, script.world.now);
        let mut sim = Sim::new(script);
        let (ending, _) = sim.drive(&goal);
        match planned {
            Prediction::Refuse(refusal) => prop_assert_eq!(ending, Ending::Refuse(refusal)),
            Prediction::Unknown => prop_assert!(false, "nothing is unknown: {:?} {:?}", ending, sim.sent),
            Prediction::Plan(traffic_plan) => {
                let is_good = matches!(ending, Ending::End(End::Good { .. }));
                prop_assert!(is_good, "{:?} {:?}", ending, sim.sent);
                prop_assert_eq!(traffic_plan.steps, sim.sent);
            }
        }
    }
}

/// Whether all that this run changed is as it was found. What serves users may have stayed larger.
fn restored(sim: &Sim, goal: &Goal) -> Result<(), String> {
    let first = sim.first.as_ref().ok_or("nothing was written")?;
    if sim.foreign {
        return Ok(());
    }
    for (held, found) in sim.world.rules.iter().zip(&first.rules) {
        let (now, then) = (split(&held.rule), split(&found.rule));
        if !now.same_ratio(then) {
            return Err(format!("{} held {then:?} and holds {now:?}", held.rule.arn));
        }
    }
    for (number, (now, then)) in sim.world.tiers.iter().zip(&first.tiers).enumerate() {
        let live = first.alone().is_none_or(|color| world::index(color) == number);
        let least = then.scaling.map_or(0, |scaling| scaling.min);
        let fine = now.desired == then.desired
            || live && now.desired > then.desired
            || now.desired > then.desired && now.desired <= least;
        if !fine {
            return Err(format!("{number} had {} tasks and has {}", then.desired, now.desired));
        }
        let closed = |tier: &Tier| tier.scaling.map(|scaling| scaling.in_suspended);
        if first.alone().is_some() && closed(now) != closed(then) && !goal.wish.force {
            return Err(format!("{number}'s scale-in was {:?} and is {:?}", closed(then), closed(now)));
        }
    }
    Ok(())
}

/// Whether the goal stands.
fn stands(sim: &Sim, goal: &Goal) -> Result<(), String> {
    for held in &sim.world.rules {
        let now = split(&held.rule);
        if !now.same_ratio(goal.wish.to) && !sim.foreign {
            return Err(format!("{} holds {now:?}", held.rule.arn));
        }
    }
    for tier in sim.world.tiers.iter().filter(|_| !goal.wish.force && !sim.foreign) {
        let closed = tier.scaling.is_none_or(|scaling| scaling.in_suspended);
        if sim.world.alone().is_none() && !closed {
            return Err("scale-in is on in a split".to_owned());
        }
    }
    let winner = sim.world.alone().and_then(|color| sim.world.tiers[world::index(color)].scaling);
    if winner.is_some_and(|scaling| scaling.in_suspended) && !goal.wish.force && !sim.foreign {
        return Err("scale-in stays off".to_owned());
    }
    Ok(())
}

/// Both colors scale automatically, and hold half of the users each.
fn held(blue: u32, green: u32) -> World {
    let tier = |count| Tier {
        desired: count,
        healthy: count,
        sick: 0,
        draining: 0,
        starting: Vec::new(),
        fate: Fault::Good(0),
        minimum: (1, 0),
        scaling: Some(Scalable { min: 1, max: 40, in_suspended: true, ..Scalable::default() }),
    };
    World {
        tiers: [tier(blue), tier(green)],
        rules: vec![Held { rule: production(0, of((50, 50)), None), shown: None }],
        firing: false,
        heals: false,
        lag: Duration::ZERO,
        now: T0,
    }
}

/// What the oracle says of this write of the first rule.
fn judged(world: &World, (blue, green): (u32, u32), scaling: Option<Scaling>) -> Vec<String> {
    let (rule, after) = (&world.rules[0].rule, of((blue, green)));
    let weights = Weights {
        rule: rule.arn.clone(),
        listener: rule.listener.clone(),
        default: true,
        name: String::new(),
        before: split(rule),
        after,
        adopts: None,
        actions: production(0, after, None).whole.as_ref().clone(),
        purpose: Purpose::Traffic,
    };
    let seen = world.show();
    let production = vec![rule.arn.clone()];
    let oracle = oracle::Oracle { seen: &seen, found: None, production, forced: false, settled: false };
    oracle.judge(&scaling.map_or(Step::Weights(Box::new(weights)), Step::Scaling))
}

#[test]
fn invariant_16_the_oracle_knows_the_load_of_a_held_split_from_the_larger_count() {
    // 8 ÷ ½ is 16. By the larger desired count it would be 8, and green would have enough for everybody.
    let broken = judged(&held(8, 8), (0, 100), None);
    assert_eq!(
        broken,
        ["16: green with 8 healthy targets gets (100, 100) from Split { blue: 50, green: 50 }"]
    );
    assert_eq!(judged(&held(8, 15), (0, 100), None).len(), 1);
    assert!(judged(&held(8, 16), (0, 100), None).is_empty());
    // Grown unequally: the smallest quotient is 6 ÷ ½.
    assert_eq!(judged(&held(8, 6), (0, 100), None).len(), 1, "17");
    assert!(judged(&held(8, 6), (60, 40), None).is_empty());
    assert_eq!(judged(&held(8, 6), (70, 30), None).len(), 1, "8.4 of 8 targets");
}

#[test]
fn invariants_19_and_23_the_oracle_knows_scale_in_and_bounds() {
    let mut world = held(8, 8);
    world.tiers[1].scaling = Some(Scalable { min: 1, max: 4, ..Scalable::default() });
    assert!(judged(&world, (60, 40), None).iter().any(|broken| broken.starts_with("19: green")));
    let scaling = |max, in_suspended| {
        let (color, service, in_suspended) =
            (ServiceColor::Green, "web-green".to_owned(), Some(in_suspended));
        Scaling { color, service, min: None, max, in_suspended, new: false, purpose: Purpose::Traffic }
    };
    assert!(judged(&world, (60, 40), Some(scaling(None, true)))[0].starts_with("23: green has 8"));
    assert!(judged(&world, (60, 40), Some(scaling(Some(8), true))).is_empty());
    assert!(judged(&world, (60, 40), Some(scaling(Some(8), false)))[0].starts_with("19: green may"));
}
