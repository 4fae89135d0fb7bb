//! Longest time of a run, from the limits that the user gave.

use std::time::Duration;

use super::traffic::{Goal, TrafficPlan};

/// Time for everything with separate limits: reading AWS, probes, the restore after a failure, GitHub.
const REST: Duration = Duration::from_secs(300);

/// Longest time of a deploy: `timeout` before the update, and `timeout` for the deployment, including draining old tasks.
pub(crate) fn of_deploy(timeout: Duration) -> Duration {
    timeout.saturating_mul(2).saturating_add(REST)
}

/// Longest time of a change of traffic: `timeout` before each change of the split, the bakes, `settle` or the window of
/// the low alarm, `max-drain` of a promote if stickiness keeps users, and `settle` of a restore.
pub(crate) fn of_traffic(goal: &Goal, traffic_plan: &TrafficPlan) -> Duration {
    let changes = u32::try_from(traffic_plan.bakes.len()).unwrap_or(u32::MAX).saturating_add(1);
    let bakes: Duration = traffic_plan.bakes.iter().map(|(_, bake)| *bake).sum();
    let alone = traffic_plan.to.blue == 0 || traffic_plan.to.green == 0;
    let settle = if alone { goal.carries().unwrap_or(goal.wish.settle) } else { Duration::ZERO };
    let sticky = traffic_plan.rules.iter().any(|rule| rule.stickiness.is_some());
    let drain = goal.finish.filter(|_| sticky).map(|finish| finish.max_drain).unwrap_or_default();
    let waits = goal.timeout.saturating_mul(changes);
    [bakes, settle, drain, goal.wish.settle, REST].into_iter().fold(waits, Duration::saturating_add)
}

/// `timeout-minutes` of a job that gives such a run enough time.
pub(crate) fn job_minutes(longest: Duration) -> u64 {
    longest.as_secs().div_ceil(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Split;
    use crate::plan::sample::{T0, snapshot};
    use crate::plan::traffic::traffic_plan;
    use crate::plan::traffic::{Finish, TrafficRequest};

    const MINUTE: Duration = Duration::from_secs(60);

    /// A change to `to` with a time-out of 30 minutes and 2 minutes to settle.
    fn goal(to: Split, max_drain: Option<Duration>) -> Goal {
        let wish = TrafficRequest {
            to,
            steps: Vec::new(),
            bake: MINUTE,
            alarms: Vec::new(),
            scale_up: true,
            force: false,
            adopt: false,
            expect: None,
            settle: MINUTE * 2,
        };
        let finish = max_drain.map(|max_drain| Finish { idle_count: 1, max_drain, bounds: None });
        Goal {
            wish,
            listener: None,
            timeout: MINUTE * 30,
            restore_on_cancel: true,
            finish,
            has_next_phase: false,
            managed: None,
        }
    }

    #[test]
    fn a_job_is_given_time_for_everything_that_the_limits_allow() {
        assert_eq!(job_minutes(of_deploy(MINUTE * 30)), 65);
        let (half, green) = (Split { blue: 50, green: 50 }, Split { blue: 0, green: 100 });
        let sticky = |on: bool| {
            let mut seen = snapshot();
            seen.services.iter_mut().for_each(|service| service.scaling = Some(Ok(None)));
            seen.alarms = Some(Ok(Vec::new()));
            let mut traffic_plan = traffic_plan(&seen, &goal(half, None), T0).unwrap();
            traffic_plan.rules.iter_mut().for_each(|rule| rule.stickiness = on.then_some(MINUTE));
            traffic_plan
        };
        for (to, bakes, drain, on, minutes) in [
            (half, vec![], None, false, 37),
            (green, vec![], None, false, 39),
            (green, vec![(20, MINUTE * 10), (50, MINUTE * 10)], None, false, 119),
            (green, vec![], Some(MINUTE * 10), false, 39),
            (green, vec![], Some(MINUTE * 10), true, 49),
        ] {
            let traffic_plan = TrafficPlan { to, bakes: bakes.clone(), ..sticky(on) };
            assert_eq!(job_minutes(of_traffic(&goal(to, drain), &traffic_plan)), minutes, "{to:?} {bakes:?}");
        }
        assert_eq!(job_minutes(Duration::from_secs(61)), 2, "a minute begun counts");
    }
}
