//! The actions of alarms.

use std::time::Instant;

use super::CloudWatch;
use super::alarm::{State, Watch};

/// AWS seconds between two runs of a scaling action while its alarm stays in ALARM.
const MINUTE: u64 = 60;

/// An alarm's action that was due.
#[derive(Debug, Clone, PartialEq)]
pub struct FiredAction {
    /// The alarm's name.
    pub alarm: String,
    /// The action's ARN, such as a scaling policy's ARN.
    pub action: String,
    /// The state that triggers the action.
    pub state: State,
    /// Time at which the action was due.
    pub at: Instant,
    /// True if the alarm stays in its state and the action repeats.
    pub repeat: bool,
    /// The newest datapoint of the alarm's last evaluation, which a step policy uses. None for composite alarms, before
    /// the first evaluation and without data.
    pub datapoint: Option<f64>,
    /// The alarm's threshold, the base of a policy's steps; none for composite alarms.
    pub threshold: Option<f64>,
}

impl CloudWatch {
    /// The actions that became due since the last call, oldest first, each once. Made for one reader, Application Auto
    /// Scaling, which has to call this on every tick, after `cloudwatch::tick`.
    ///
    /// - An alarm that changes its state, by evaluation or by SetAlarmState, fires all actions of the new state, if its
    ///   actions are enabled: `repeat` is false.
    /// - While an alarm stays in ALARM with enabled actions, its `arn:aws:autoscaling:…` actions fire again every 60
    ///   AWS
    ///   seconds: `repeat` is true. The same actions fire at once when actions are enabled, by EnableAlarmActions or
    ///   PutMetricAlarm, on an alarm that is in ALARM already.
    /// - Nothing is filtered: the reader selects known ARNs.
    pub fn due_actions(&mut self) -> Vec<FiredAction> {
        let due = self.fired[self.taken..].to_vec();
        self.taken = self.fired.len();
        due
    }

    /// Every action so far, oldest first, taken or not.
    pub fn fired(&self) -> &[FiredAction] {
        &self.fired
    }

    /// Fires the actions of an alarm's state: all, or only repeating actions.
    pub(super) fn fire(&mut self, index: usize, repeat: bool, now: Instant) {
        let alarm = &mut self.alarms[index];
        if !alarm.actions_enabled {
            return;
        }
        let (datapoint, threshold) = match &alarm.watch {
            Watch::Metric(watch) => (watch.newest, Some(watch.threshold)),
            Watch::Composite(..) => (None, None),
        };
        let actions: Vec<FiredAction> = (alarm.actions_of(alarm.state).iter())
            .filter(|action| !repeat || is_scaling(action))
            .map(|action| FiredAction {
                alarm: alarm.name.clone(),
                action: action.clone(),
                state: alarm.state,
                at: now,
                repeat,
                datapoint,
                threshold,
            })
            .collect();
        if alarm.state == State::Alarm {
            alarm.next_repeat = Some(now + self.clock.lasts(MINUTE));
        }
        self.fired.extend(actions);
    }

    /// Fires every repeating action that is due.
    pub(super) fn repeat(&mut self, now: Instant) {
        for index in 0..self.alarms.len() {
            let alarm = &self.alarms[index];
            let due = alarm.next_repeat.is_none_or(|due| due <= now);
            if alarm.state == State::Alarm && due {
                self.fire(index, true, now);
            }
        }
    }
}

/// True for an action of Auto Scaling: only these repeat (Alarm actions).
fn is_scaling(action: &str) -> bool {
    action.split(':').nth(2) == Some("autoscaling")
}
