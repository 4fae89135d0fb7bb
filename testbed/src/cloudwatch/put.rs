//! PutMetricAlarm and PutCompositeAlarm: each writes the whole alarm.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::CloudWatch;
use super::alarm::{Alarm, Comparison, MetricWatch, State, Watch};
use super::input::{constraint, double, flag, list, number, one_of, required, text, texts, validation};
use super::judge::MissingData;
use super::query::{MetricStat, Queries, Query, Source};
use super::rule::{Rule, name_of};
use super::tags;
use crate::wire::ApiError;

/// Longest time in seconds that an alarm may look back: a day, or seven with periods of an hour or more.
const DAY: u64 = 86_400;
/// Fields of an alarm on one metric that an alarm on metric math lacks.
const SINGLE: [&str; 7] =
    ["Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic"];
/// Fields that an alarm keeps as sent.
const KEPT: [&str; 11] = [
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
];

/// The common fields of both kinds of alarms.
struct Common {
    /// `AlarmName`.
    name: String,
    /// `AlarmDescription`.
    description: Option<String>,
    /// `ActionsEnabled`.
    enabled: bool,
    /// OK, ALARM, INSUFFICIENT_DATA.
    actions: [Vec<String>; 3],
    /// `Tags`.
    tags: Vec<(String, String)>,
}

impl Common {
    /// Reads the fields. A missing `ActionsEnabled` means true (API_PutMetricAlarm).
    fn parse(input: &Value) -> Result<Self, ApiError> {
        let actions = [
            action_list(input, "OKActions")?,
            action_list(input, "AlarmActions")?,
            action_list(input, "InsufficientDataActions")?,
        ];
        Ok(Self {
            name: required(input, "AlarmName", 255)?.to_owned(),
            description: text(input, "AlarmDescription")?.map(str::to_owned),
            enabled: flag(input, "ActionsEnabled")?.unwrap_or(true),
            actions,
            tags: tags::read(input)?,
        })
    }
}

/// ARNs of actions, at most 5.
fn action_list(input: &Value, name: &str) -> Result<Vec<String>, ApiError> {
    let list = texts(input, name, 5)?;
    match list.iter().find(|action| action.split(':').count() < 6 || !action.starts_with("arn:")) {
        Some(wrong) => Err(validation(format!("Invalid arn syntax: {wrong}"))),
        None => Ok(list),
    }
}

/// PutMetricAlarm.
pub(super) fn metric_alarm(watch: &mut CloudWatch, input: &Value, now: Instant) -> Result<Value, ApiError> {
    let common = Common::parse(input)?;
    let second = watch.clock.second(now);
    let mut metric = metric_watch(input)?;
    metric.turn = second / metric.step();
    save(watch, common, Watch::Metric(Box::new(metric)), now)?;
    Ok(json!({}))
}

/// The queries and the condition of a metric alarm.
fn metric_watch(input: &Value) -> Result<MetricWatch, ApiError> {
    let (queries, watched, statistic) = watched(input)?;
    let period = queries.get(&watched).map_or(60, |query| queries.period(query));
    let need = |name: &str| constraint("null", name, "Member must not be null");
    let periods = number(input, "EvaluationPeriods")?.ok_or_else(|| need("EvaluationPeriods"))?;
    let to_alarm = number(input, "DatapointsToAlarm")?.unwrap_or(periods);
    if to_alarm > periods {
        return Err(validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods"));
    }
    let (limit, words) = if period >= 3600 { (7 * DAY, "7 days") } else { (DAY, "a day") };
    if period.saturating_mul(periods) > limit {
        return Err(validation(format!(
            "Metrics cannot be checked across more than {words} (EvaluationPeriods * Period must be <= {limit})."
        )));
    }
    let comparison = one_of(input, "ComparisonOperator", &Comparison::NAMES)?;
    let comparison = comparison.and_then(Comparison::parse).ok_or_else(|| need("ComparisonOperator"))?;
    let missing = one_of(input, "TreatMissingData", &MissingData::NAMES)?;
    let threshold = double(input, "Threshold")?.ok_or_else(|| validation("Threshold must be specified"))?;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(MetricWatch {
        settings: settings(input, threshold),
        queries,
        watched,
        statistic,
        period,
        periods: count(periods),
        to_alarm: count(to_alarm),
        threshold,
        comparison,
        missing: missing.and_then(MissingData::parse).unwrap_or(MissingData::Missing),
        turn: 0,
        newest: None,
    })
}

/// The caller's settings, as DescribeAlarms returns them.
fn settings(input: &Value, threshold: f64) -> Map<String, Value> {
    let mut kept: Map<String, Value> =
        KEPT.iter().map(|name| ((*name).to_owned(), input[*name].clone())).collect();
    kept.insert("Threshold".to_owned(), json!(threshold));
    let dimensions = input["Dimensions"].as_array().cloned().unwrap_or_default();
    kept.insert("Dimensions".to_owned(), Value::Array(dimensions));
    if let Some(queries) = input["Metrics"].as_array().filter(|queries| !queries.is_empty()) {
        let mut queries = queries.clone();
        for query in &mut queries {
            if query["ReturnData"].is_null() {
                query["ReturnData"] = json!(true);
            }
        }
        kept.insert("Metrics".to_owned(), Value::Array(queries));
    }
    kept
}

/// The queries of an alarm, the id of the counting query, and the statistic's name of a single metric.
fn watched(input: &Value) -> Result<(Queries, String, Option<String>), ApiError> {
    let Some(metrics) = list(input, "Metrics")?.filter(|metrics| !metrics.is_empty()) else {
        let stat = MetricStat::of_alarm(input)?;
        let name = Some(stat.name.clone());
        let id = "m1".to_owned();
        let (label, source) = (stat.id.name.clone(), Source::Metric(stat));
        let query = Query { id: id.clone(), source, label, returns: true, period: None };
        return Ok((Queries(vec![query]), id, name));
    };
    if let Some(name) = SINGLE
        .iter()
        .find(|name| input[**name].as_array().map_or(!input[**name].is_null(), |list| !list.is_empty()))
    {
        return Err(validation(format!("The parameters Metrics and {name} must not be given together.")));
    }
    if metrics.len() > 20 {
        return Err(validation("The collection Metrics must not have a size greater than 20."));
    }
    let queries = Queries::parse(metrics)?;
    let mut returned = queries.0.iter().filter(|query| query.returns);
    match (returned.next(), returned.next()) {
        (Some(query), None) => {
            let id = query.id.clone();
            Ok((queries, id, None))
        }
        _ => Err(validation("Exactly one element of the metrics list should return data.")),
    }
}

/// PutCompositeAlarm.
pub(super) fn composite_alarm(
    watch: &mut CloudWatch,
    input: &Value,
    now: Instant,
) -> Result<Value, ApiError> {
    let common = Common::parse(input)?;
    let text = required(input, "AlarmRule", 10_240)?;
    let rule = Rule::parse(text).map_err(|why| validation(format!("AlarmRule is not valid: {why}")))?;
    if let Some(action) = common.actions.iter().flatten().find(|action| action.contains(":autoscaling:")) {
        return Err(validation(format!("Composite alarms do not support the action {action}")));
    }
    let unknown: Vec<&str> =
        rule.alarms().into_iter().filter(|alarm| watch.alarm(name_of(alarm)).is_none()).collect();
    if !unknown.is_empty() {
        return Err(validation(format!(
            "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
            unknown.join(", ")
        )));
    }
    if rule.alarms().into_iter().any(|alarm| name_of(alarm) == common.name) {
        return Err(validation("A composite alarm must not refer to itself"));
    }
    let name = common.name.clone();
    let new = save(watch, common, Watch::Composite(rule, text.to_owned()), now)?;
    let word = if new { "created" } else { "updated" };
    watch.follow(&name, word, now);
    Ok(json!({}))
}

/// Creates an alarm, or overwrites an existing one: its state stays. Returns true for a new alarm.
fn save(watch: &mut CloudWatch, common: Common, goes_by: Watch, now: Instant) -> Result<bool, ApiError> {
    let wall = watch.clock.wall(now);
    let composite = matches!(goes_by, Watch::Composite(..));
    if let Some(alarm) = watch.alarms.iter_mut().find(|alarm| alarm.name == common.name) {
        if alarm.is_composite() != composite {
            let text = format!("An alarm of another type with the name {} already exists", common.name);
            return Err(validation(text));
        }
        if !(alarm.actions_enabled && common.enabled) {
            alarm.next_repeat = None;
        }
        alarm.description = common.description;
        alarm.actions_enabled = common.enabled;
        alarm.actions = common.actions;
        alarm.configured = wall;
        alarm.watch = goes_by;
        return Ok(false);
    }
    let arn = format!("{}{}", watch.arn_prefix, common.name);
    watch.alarms.push(Alarm {
        arn,
        name: common.name,
        description: common.description,
        actions_enabled: common.enabled,
        actions: common.actions,
        state: State::InsufficientData,
        reason: "Unchecked: Initial alarm creation".to_owned(),
        reason_data: None,
        updated: wall,
        transitioned: wall,
        configured: wall,
        tags: common.tags,
        watch: goes_by,
        next_repeat: None,
    });
    watch.alarms.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(true)
}
