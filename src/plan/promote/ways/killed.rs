//! Each way killed after each of its writes.

use super::*;

/// Whether a run has an end that is good.
fn is_good(ended: &DeploymentFailure) -> bool {
    matches!(ended, DeploymentFailure::End(End::Good { .. }))
}

/// Kills a way after each of its writes, at once and after some time, and runs again: the same end, and nothing left to do.
#[track_caller]
fn converges(seen: &Snapshot, goal: &Goal) -> usize {
    let mut whole = Sim::new(seen.clone());
    let ended = whole.run(goal, usize::MAX);
    if !is_good(&ended) {
        let changed = matches!(ended, DeploymentFailure::End(End::Bad { left: Left::Changed, .. }));
        // Scale-in stays suspended while both colors are live.
        assert_eq!(whole.counts() != Sim::new(seen.clone()).counts(), changed, "{ended:?}");
        return 0;
    }
    for most in 0..whole.writes.len() {
        for rests in [false, true] {
            let mut sim = Sim::new(seen.clone());
            assert_eq!(sim.run(goal, most), DeploymentFailure::Killed);
            if rests {
                sim.pass();
            }
            let ended = sim.run(goal, usize::MAX);
            assert!(is_good(&ended), "killed after {most} of {:?}: {ended:?}", whole.writes);
            assert_eq!(sim.end(), whole.end(), "killed after {most} of {:?}: {:?}", whole.writes, sim.writes);
            assert_eq!(sim.writes, whole.writes, "killed after {most}, rests: {rests}");
        }
    }
    let before = whole.writes.clone();
    assert!(
        matches!(whole.run(goal, 0), DeploymentFailure::End(End::Good { changed: false, .. })),
        "unchanged the second time"
    );
    assert_eq!(whole.writes, before);
    whole.writes.len()
}

/// All conditions of green.
const ALL: [Green; 9] = [
    Green::New,
    Green::Old,
    Green::Same,
    Green::Settings,
    Green::Empty,
    Green::Sick,
    Green::InFlight,
    Green::Restored,
    Green::Failed,
];

/// Kills every way of the table; gives how many writes there were to kill at.
fn all_ways(change: impl Fn(&mut Snapshot), goals: &[Goal]) -> usize {
    let mut killed = 0;
    for goal in goals {
        for split in SPLITS {
            for like in ALL {
                // A loser whose deployment ends meanwhile is shrunk by the next run, and was not by the first.
                if like == Green::InFlight && goal.promotion.color == Color::Blue {
                    continue;
                }
                let mut seen = world(split, like);
                change(&mut seen);
                killed += converges(&seen, goal);
            }
        }
    }
    killed
}

#[test]
fn invariant_07_every_way_killed_after_each_write_converges() {
    assert!(all_ways(|_| {}, &goals()) > 100);
}

#[test]
fn invariant_07_every_way_converges_where_both_colors_scale() {
    let scalable = |seen: &mut Snapshot| {
        for (service, min) in seen.services.iter_mut().zip([2, 1]) {
            let min = min.min(service.desired);
            service.scaling = Some(Ok(Some(Scalable { min, max: 10, ..Scalable::default() })));
        }
    };
    assert!(all_ways(scalable, &goals()) > 200);
}

#[test]
fn invariant_07_every_way_converges_where_counts_differ_and_the_loser_keeps_no_task() {
    let mut goals = goals();
    for goal in &mut goals {
        goal.promotion.idle_count = 0;
    }
    let larger = |color: usize| {
        move |seen: &mut Snapshot| {
            let service = &mut seen.services[color];
            if service.desired == 2 {
                service.desired = 4;
                service.running = 4;
                let more = [3, 4].map(|number| target(number, "healthy"));
                service.targets.as_mut().unwrap().as_mut().unwrap().extend(more);
            }
        }
    };
    assert!(all_ways(larger(0), &goals) > 100);
    assert!(all_ways(larger(1), &goals) > 100);
}
