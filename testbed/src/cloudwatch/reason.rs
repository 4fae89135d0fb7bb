//! `StateReason` and `StateReasonData` in AWS's words.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::alarm::{Alarm, MetricWatch, State};
use super::judge::MissingData;
use crate::elb::time::{long_weekday, moment, month_name};

/// The start of a period and its value, if any.
pub(super) type Point = (SystemTime, Option<f64>);

/// `1 datapoint`, `2 datapoints`.
fn datapoints(count: usize, before: &str) -> String {
    format!("{count} {before}datapoint{}", if count == 1 { "" } else { "s" })
}

/// `was` or `were`.
fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// Reason why a metric alarm enters a state. `points` are newest first.
pub(super) fn of(watch: &MetricWatch, state: State, points: &[Point]) -> String {
    let n = watch.periods;
    if state == State::InsufficientData {
        return format!("Insufficient Data: {} {} unknown.", datapoints(n, ""), was(n));
    }
    let real: Vec<(SystemTime, f64)> =
        points.iter().filter_map(|(at, value)| value.map(|value| (*at, value))).take(n).collect();
    let missing = missing_words(watch.missing, n - real.len());
    if real.is_empty() {
        let periods = if n == 1 { "period" } else { "periods" };
        return format!("Threshold Crossed: no datapoints were received for {n} {periods}{missing}.");
    }
    let to_alarm = state == State::Alarm;
    let shown: Vec<String> = (real.iter())
        .filter(|(_, value)| watch.comparison.breaches(*value, watch.threshold) == to_alarm)
        .map(|(at, value)| format!("{value:?} ({})", short_date(*at)))
        .collect();
    if shown.is_empty() {
        // The existing data contradicts the state: the missing data decided. AWS's words for this are unknown.
        return format!("Threshold Crossed:{}.", missing.trim_start_matches(" and"));
    }
    let not = if to_alarm { "" } else { "not " };
    let rest = format!(
        "[{}] {} {not}{} the threshold ({:?})",
        shown.join(", "),
        was(shown.len()),
        watch.comparison.words(),
        watch.threshold
    );
    if real.len() < n {
        return format!("Threshold Crossed: {} {rest}{missing}.", datapoints(shown.len(), ""));
    }
    let (least, change) =
        if to_alarm { (watch.to_alarm, "OK -> ALARM") } else { (n - watch.to_alarm + 1, "ALARM -> OK") };
    format!(
        "Threshold Crossed: {} out of the last {n} datapoints {rest} (minimum {} for {change} transition).",
        shown.len(),
        datapoints(least, "")
    )
}

/// The treatment of missing datapoints.
fn missing_words(missing: MissingData, count: usize) -> String {
    let treated = match missing {
        MissingData::Breaching => "Breaching",
        MissingData::NotBreaching => "NonBreaching",
        MissingData::Missing | MissingData::Ignore => return String::new(),
    };
    if count == 0 {
        return String::new();
    }
    format!(" and {} {} treated as [{treated}]", datapoints(count, "missing "), was(count))
}

/// `StateReasonData` of a metric alarm. `points` are newest first; the data lists them oldest first.
pub(super) fn data(watch: &MetricWatch, points: &[Point], now: SystemTime) -> String {
    let real = points.iter().filter(|(_, value)| value.is_some()).take(watch.periods);
    let mut recent: Vec<&Point> = real.collect();
    recent.reverse();
    let mut out = json!({
        "version": "1.0",
        "queryDate": iso_date(now),
        "startDate": recent.first().map(|(at, _)| iso_date(*at)),
        "statistic": watch.statistic,
        "period": watch.period,
        "recentDatapoints": recent.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
        "threshold": watch.threshold,
    });
    if let Some(fields) = out.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    out.to_string()
}

/// `StateReasonData` of a composite alarm.
pub(super) fn composite_data<'a>(children: impl Iterator<Item = &'a Alarm>) -> String {
    let triggering: Vec<Value> = children
        .map(|alarm| {
            let state = json!({ "value": alarm.state.name(), "timestamp": iso_date(alarm.transitioned) });
            json!({ "arn": alarm.arn, "state": state })
        })
        .collect();
    json!({ "triggeringAlarms": triggering }).to_string()
}

/// `21/11/26 08:44:00`.
fn short_date(time: SystemTime) -> String {
    let at = moment(time);
    let (hour, minute, second) = at.clock();
    format!("{:02}/{:02}/{:02} {hour:02}:{minute:02}:{second:02}", at.day, at.month, at.year % 100)
}

/// `2026-11-21T08:44:00.123+0000`.
fn iso_date(time: SystemTime) -> String {
    crate::elb::time::iso8601(time).replace('Z', "+0000")
}

/// `Saturday 21 November, 2026 08:44:00 UTC`.
pub(super) fn long_date(time: SystemTime) -> String {
    let at = moment(time);
    let (hour, minute, second) = at.clock();
    let (weekday, month) = (long_weekday(&at), month_name(&at));
    format!("{weekday} {:02} {month}, {} {hour:02}:{minute:02}:{second:02} UTC", at.day, at.year)
}
