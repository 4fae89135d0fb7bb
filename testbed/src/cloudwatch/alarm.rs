//! Alarms, and AWS's description of alarms.

use std::time::{Instant, SystemTime};

use serde_json::{Map, Value, json};

use super::judge::MissingData;
use super::query::Queries;
use super::rule::Rule;
use crate::world::epoch;

/// An alarm's `StateValue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Within the threshold.
    Ok,
    /// Outside of the threshold.
    Alarm,
    /// Just created, or without data.
    InsufficientData,
}

impl State {
    /// All states.
    pub(super) const ALL: [Self; 3] = [Self::Ok, Self::Alarm, Self::InsufficientData];
    /// The states' names.
    pub(super) const NAMES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

    /// AWS's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// Reads AWS's word.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// The comparison of values with a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `GreaterThanOrEqualToThreshold`.
    AtLeast,
    /// `GreaterThanThreshold`.
    Above,
    /// `LessThanThreshold`.
    Below,
    /// `LessThanOrEqualToThreshold`.
    AtMost,
}

impl Comparison {
    /// AWS's names of the comparisons without anomaly detection.
    pub(super) const NAMES: [&str; 4] = [
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ];

    /// Reads AWS's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let all = [Self::AtLeast, Self::Above, Self::Below, Self::AtMost];
        all.into_iter().zip(Self::NAMES).find(|(_, known)| *known == name).map(|(one, _)| one)
    }

    /// True if a value breaches a threshold.
    pub(super) fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }

    /// The comparison in a reason's words: `[5.0 (…)] was … the threshold`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "greater than or equal to",
            Self::Above => "greater than",
            Self::Below => "less than",
            Self::AtMost => "less than or equal to",
        }
    }
}

/// A metric alarm's queries and its condition.
#[derive(Debug)]
pub(super) struct MetricWatch {
    /// The caller's settings, in AWS's field names.
    pub(super) settings: Map<String, Value>,
    /// The queries.
    pub(super) queries: Queries,
    /// The id of the query whose values count.
    pub(super) watched: String,
    /// The statistic's name; none for metric math.
    pub(super) statistic: Option<String>,
    /// The length of a period in AWS seconds.
    pub(super) period: u64,
    /// `EvaluationPeriods`.
    pub(super) periods: usize,
    /// `DatapointsToAlarm`, by default the number of periods.
    pub(super) to_alarm: usize,
    /// `Threshold`.
    pub(super) threshold: f64,
    /// `ComparisonOperator`.
    pub(super) comparison: Comparison,
    /// `TreatMissingData`.
    pub(super) missing: MissingData,
    /// The turn of the last evaluation; a turn comes once a period, and at least once a minute.
    pub(super) turn: u64,
    /// The newest value of the last evaluation.
    pub(super) newest: Option<f64>,
}

impl MetricWatch {
    /// Seconds between two evaluations: a period, and at most a minute (Alarm evaluation).
    pub(super) fn step(&self) -> u64 {
        self.period.min(60)
    }
}

/// The source of an alarm's state.
#[derive(Debug)]
pub(super) enum Watch {
    /// Metrics.
    Metric(Box<MetricWatch>),
    /// Other alarms: the rule, and its text.
    Composite(Rule, String),
}

/// One alarm.
#[derive(Debug)]
pub struct Alarm {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// `AlarmDescription`.
    pub(super) description: Option<String>,
    /// True if the alarm's actions are enabled.
    pub actions_enabled: bool,
    /// The actions of each state: OK, ALARM, INSUFFICIENT_DATA.
    pub(super) actions: [Vec<String>; 3],
    /// The state.
    pub state: State,
    /// `StateReason`.
    pub reason: String,
    /// `StateReasonData`: JSON.
    pub(super) reason_data: Option<String>,
    /// `StateUpdatedTimestamp`.
    pub(super) updated: SystemTime,
    /// `StateTransitionedTimestamp`: time of the last change of the value.
    pub(super) transitioned: SystemTime,
    /// `AlarmConfigurationUpdatedTimestamp`.
    pub(super) configured: SystemTime,
    /// The tags.
    pub(super) tags: Vec<(String, String)>,
    /// The source of the state.
    pub(super) watch: Watch,
    /// Time of the next repeat of scaling actions; none: at once, if in ALARM with enabled actions.
    pub(super) next_repeat: Option<Instant>,
}

impl Alarm {
    /// True for a composite alarm.
    pub fn is_composite(&self) -> bool {
        matches!(self.watch, Watch::Composite(..))
    }

    /// The newest datapoint of the last evaluation, and the threshold; none for composite alarms and without data.
    pub fn measured(&self) -> Option<(f64, f64)> {
        match &self.watch {
            Watch::Metric(watch) => watch.newest.map(|value| (value, watch.threshold)),
            Watch::Composite(..) => None,
        }
    }

    /// The actions of a state.
    pub fn actions_of(&self, state: State) -> &[String] {
        let [ok, alarm, insufficient] = &self.actions;
        match state {
            State::Ok => ok,
            State::Alarm => alarm,
            State::InsufficientData => insufficient,
        }
    }

    /// The alarm as DescribeAlarms returns it.
    pub(super) fn describe(&self) -> Value {
        let [ok, alarm, insufficient] = &self.actions;
        let mut out = json!({
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmDescription": self.description,
            "AlarmConfigurationUpdatedTimestamp": epoch(self.configured),
            "ActionsEnabled": self.actions_enabled,
            "OKActions": ok,
            "AlarmActions": alarm,
            "InsufficientDataActions": insufficient,
            "StateValue": self.state.name(),
            "StateReason": self.reason,
            "StateReasonData": self.reason_data,
            "StateUpdatedTimestamp": epoch(self.updated),
            "StateTransitionedTimestamp": epoch(self.transitioned),
        });
        if let Some(out) = out.as_object_mut() {
            match &self.watch {
                Watch::Metric(watch) => out.extend(watch.settings.clone()),
                Watch::Composite(_, text) => {
                    out.insert("AlarmRule".to_owned(), json!(text));
                }
            }
            out.retain(|_, value| !value.is_null());
        }
        out
    }
}
