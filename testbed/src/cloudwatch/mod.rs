//! CloudWatch: metrics from the world's traffic and from callers, metric alarms, composite alarms.
//!
//! An AWS second lasts `Pace::second`: an alarm with a period of 60 is evaluated every 60 AWS seconds. Timestamps on
//! the wire are calendar times.

mod actions;
mod alarm;
mod clock;
mod data;
mod evaluate;
mod expression;
mod input;
mod judge;
mod made;
mod manage;
mod metric;
mod put;
mod query;
mod reason;
mod rule;
mod tags;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wire::ApiError;
use crate::world::World;

pub use actions::FiredAction;
pub use alarm::{Alarm, State};
pub use evaluate::Change;
pub use made::Load;

/// The state of CloudWatch in the account and region.
#[derive(Debug)]
pub struct CloudWatch {
    /// Turns moments into AWS seconds.
    clock: clock::Clock,
    /// All metrics.
    store: metric::Store,
    /// All alarms, by name.
    alarms: Vec<Alarm>,
    /// The text before an alarm's name in its ARN.
    arn_prefix: String,
    /// Changed or deleted alarms whose composite alarms are not updated yet.
    changed: VecDeque<String>,
    /// Every change of a state so far, oldest first.
    history: Vec<Change>,
    /// Every action so far, oldest first.
    fired: Vec<FiredAction>,
    /// Number of actions taken by `due_actions`.
    taken: usize,
    /// The last reading of the world's counters.
    seen: made::Seen,
    /// The conversion of requests into CPU and memory.
    pub load: Load,
    /// CPU and memory that tests set, by service name.
    set: HashMap<String, [Option<f64>; 2]>,
    /// AWS's own metrics are shown this many AWS seconds late, so the newest minute grows.
    pub delay: u64,
    /// A metric that GetMetricData can't give now: its result is an internal error without values.
    pub withheld: Option<String>,
    /// Pages hold at most this many entries, so that tests can force paging; none: AWS's own limits.
    pub page_limit: Option<usize>,
}

impl CloudWatch {
    /// No metrics and no alarms. An AWS second keeps this duration, even if the world's pace changes later.
    pub(crate) fn new(second: Duration) -> Self {
        Self {
            clock: clock::Clock::new(second),
            store: metric::Store::default(),
            alarms: Vec::new(),
            arn_prefix: String::new(),
            changed: VecDeque::new(),
            history: Vec::new(),
            fired: Vec::new(),
            taken: 0,
            seen: made::Seen::default(),
            load: Load::default(),
            set: HashMap::new(),
            delay: 0,
            withheld: None,
            page_limit: None,
        }
    }

    /// From now on an AWS second of metrics lasts a real second, whatever the world's pace. Forgets all metrics: call this
    /// before the first traffic.
    pub fn use_real_seconds(&mut self) {
        self.clock = clock::Clock::new(Duration::from_secs(1));
        (self.store, self.seen) = (metric::Store::default(), made::Seen::default());
    }

    /// An alarm by name; none if missing.
    pub fn alarm(&self, name: &str) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.name == name)
    }

    /// All alarms, by name.
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Every change of an alarm's state so far, oldest first.
    pub fn history(&self) -> &[Change] {
        &self.history
    }

    /// The size of a page, at most `most`.
    fn page_size(&self, most: usize) -> usize {
        self.page_limit.map_or(most, |limit| limit.max(1).min(most))
    }
}

/// Answers one call of CloudWatch, 2010-08-01.
///
/// # Errors
/// AWS's own error codes and messages.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let now = crate::clock::now();
    world.cloudwatch.arn_prefix = world.arn("cloudwatch", "alarm:");
    let watch = &mut world.cloudwatch;
    let answer = match operation {
        "PutMetricAlarm" => put::metric_alarm(watch, input, now),
        "PutCompositeAlarm" => put::composite_alarm(watch, input, now),
        "DescribeAlarms" => manage::describe(watch, input),
        "DeleteAlarms" => manage::delete(watch, input),
        "EnableAlarmActions" => manage::set_actions(watch, input, true),
        "DisableAlarmActions" => manage::set_actions(watch, input, false),
        "SetAlarmState" => manage::set_state(watch, input, now),
        "PutMetricData" => data::put(watch, input, now),
        "GetMetricData" => data::get(watch, input, now),
        "GetMetricStatistics" => data::statistics(watch, input),
        "ListMetrics" => data::list_metrics(watch, input),
        "TagResource" => tags::tag(watch, input),
        "UntagResource" => tags::untag(watch, input),
        "ListTagsForResource" => tags::list_tags(watch, input),
        _ => {
            let text = format!("Unknown operation {operation}");
            Err(ApiError::with_status("UnknownOperationException", text, 404))
        }
    };
    watch.settle(now);
    answer.map(|mut output| {
        // Absent values, such as a last page's token, are left out.
        output.as_object_mut().into_iter().for_each(|fields| fields.retain(|_, value| !value.is_null()));
        output
    })
}

/// Collects the world's changes, then evaluates the alarms.
pub(crate) fn tick(world: &mut World, now: Instant) {
    made::collect(world, now);
    world.cloudwatch.evaluate(now);
}
