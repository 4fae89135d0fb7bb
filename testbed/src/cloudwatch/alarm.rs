//! Alarms: what one is, and how AWS describes it.

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
    /// Outside of it.
    Alarm,
    /// Just made, or without data.
    InsufficientData,
}

impl State {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Ok, Self::Alarm, Self::InsufficientData];
    /// Their names.
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

/// How values are held against a threshold.
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
    /// AWS's names of those that need no anomaly detection.
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

    /// Whether a value breaches a threshold.
    pub(super) fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }

    /// How reasons say it: `[5.0 (…)] was … the threshold`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "greater than or equal to",
            Self::Above => "greater than",
            Self::Below => "less than",
            Self::AtMost => "less than or equal to",
        }
    }
}

/// What a metric alarm watches, and when it goes off.
#[derive(Debug)]
pub(super) struct MetricWatch {
    /// What its caller set, in AWS's field names.
    pub(super) settings: Map<String, Value>,
    /// What it watches.
    pub(super) queries: Queries,
    /// The id among them whose values count.
    pub(super) watched: String,
    /// The statistic's name; none for metric math.
    pub(super) statistic: Option<String>,
    /// The length of a period in AWS seconds.
    pub(super) period: u64,
    /// `EvaluationPeriods`.
    pub(super) periods: usize,
    /// `DatapointsToAlarm`, or as many as periods.
    pub(super) to_alarm: usize,
    /// `Threshold`.
    pub(super) threshold: f64,
    /// `ComparisonOperator`.
    pub(super) comparison: Comparison,
    /// `TreatMissingData`.
    pub(super) missing: MissingData,
    /// The turn of its last evaluation, which comes once a period, and at least once a minute.
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

/// What an alarm goes by.
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
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `AlarmDescription`.
    pub(super) description: Option<String>,
    /// Whether its actions happen.
    pub actions_enabled: bool,
    /// What happens in each state: OK, ALARM, INSUFFICIENT_DATA.
    pub(super) actions: [Vec<String>; 3],
    /// Its state.
    pub state: State,
    /// `StateReason`.
    pub reason: String,
    /// `StateReasonData`: JSON.
    pub(super) reason_data: Option<String>,
    /// `StateUpdatedTimestamp`.
    pub(super) updated: SystemTime,
    /// `StateTransitionedTimestamp`: when the value changed last.
    pub(super) transitioned: SystemTime,
    /// `AlarmConfigurationUpdatedTimestamp`.
    pub(super) configured: SystemTime,
    /// Its tags.
    pub(super) tags: Vec<(String, String)>,
    /// What it goes by.
    pub(super) watch: Watch,
    /// When scaling actions happen again; none: at once, when it is in ALARM with actions enabled.
    pub(super) next_repeat: Option<Instant>,
}

impl Alarm {
    /// Whether it is a composite alarm.
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

    /// As in DescribeAlarms.
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
