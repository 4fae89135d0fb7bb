//! Metric data: PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::CloudWatch;
use super::input::{
    combination, double, invalid, list, metric, missing, number, one_of, page, period, required, text, texts,
    validation,
};
use super::metric::{MetricId, Samples, Statistic};
use super::query::{MetricStat, Queries, Query, STATISTICS};
use crate::wire::ApiError;
use crate::world::epoch;

/// Most datapoints of one GetMetricStatistics.
const MOST_DATAPOINTS: f64 = 1440.0;
/// Most metrics on a page of ListMetrics.
const METRICS_PAGE: usize = 500;
/// The limits of a timestamp back and ahead, in seconds: two weeks, two hours.
const REACH: (f64, f64) = (14.0 * 86_400.0, 2.0 * 3600.0);

/// PutMetricData: accepts everything or nothing.
pub(super) fn put(watch: &mut CloudWatch, input: &Value, now: Instant) -> Result<Value, ApiError> {
    let namespace = required(input, "Namespace", 255)?;
    if namespace.starts_with("AWS/") {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    let data =
        list(input, "MetricData")?.filter(|data| !data.is_empty()).ok_or_else(|| missing("MetricData"))?;
    if data.len() > 1000 {
        return Err(invalid("The collection MetricData must not have a size greater than 1000."));
    }
    let mut all = Vec::new();
    for datum in data {
        let mut named = datum.clone();
        named["Namespace"] = json!(namespace);
        let second = match double(datum, "Timestamp")? {
            None => watch.clock.second(now),
            Some(time) => {
                let age = epoch(watch.clock.wall(now)) - time;
                if age > REACH.0 || age < -REACH.1 {
                    return Err(invalid("The parameter MetricData.Timestamp is too far from now."));
                }
                watch.clock.of_wire(time)
            }
        };
        all.push((metric(&named)?, second, samples(datum)?, text(datum, "Unit")?.map(str::to_owned)));
    }
    for (id, second, samples, unit) in all {
        watch.store.add(id, second, &samples, unit.as_deref());
    }
    Ok(json!({}))
}

/// The samples of a datum: a value, values with counts, or a statistic set.
fn samples(datum: &Value) -> Result<Samples, ApiError> {
    let set = &datum["StatisticValues"];
    match (double(datum, "Value")?, list(datum, "Values")?, set.is_null()) {
        (Some(value), None, true) => Ok(Samples::of(value, 1.0)),
        (None, Some(values), true) => {
            let counts = list(datum, "Counts")?;
            if counts.is_some_and(|counts| counts.len() != values.len()) {
                return Err(combination("The parameters Values and Counts must have the same length."));
            }
            let mut all = Samples::default();
            for (index, value) in values.iter().enumerate() {
                let count = counts.map_or(Some(1.0), |counts| counts[index].as_f64());
                let (Some(value), Some(count)) = (value.as_f64(), count) else {
                    return Err(invalid(
                        "The parameter MetricData.Values holds something else than numbers.",
                    ));
                };
                all.merge(&Samples::of(value, count));
            }
            Ok(all)
        }
        (None, None, false) => {
            let part = |name: &str| double(set, name)?.ok_or_else(|| missing(name));
            Ok(Samples::of_set(part("SampleCount")?, part("Sum")?, part("Minimum")?, part("Maximum")?))
        }
        (None, None, true) => Err(missing("MetricData.member.1.Value")),
        _ => Err(combination("The parameters Value, Values and StatisticValues are mutually exclusive.")),
    }
}

/// The AWS seconds from `StartTime`, rounded down to a period, to `EndTime`; and the length in the caller's unit.
fn span(watch: &CloudWatch, input: &Value) -> Result<(u64, u64, f64), ApiError> {
    let time = |name: &str| double(input, name)?.ok_or_else(|| missing(name));
    let (start, end) = (time("StartTime")?, time("EndTime")?);
    if start >= end {
        return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    Ok((watch.clock.of_wire(start), watch.clock.of_wire(end), end - start))
}

/// The starts of the periods between two AWS seconds that may hold samples.
fn periods(watch: &CloudWatch, start: u64, end: u64, period: u64) -> impl Iterator<Item = u64> + use<> {
    let first = watch.store.oldest().map_or(end, |oldest| oldest.max(start));
    let step = usize::try_from(period).unwrap_or(usize::MAX);
    (first / period * period..end).step_by(step)
}

/// Most datapoints of one page of GetMetricData.
const DATAPOINTS_PAGE: usize = 100_800;

/// GetMetricData: newest first by default (`ScanBy`). A page holds `MaxDatapoints`; a query that goes on is `PartialData`.
pub(super) fn get(watch: &CloudWatch, input: &Value, now: Instant) -> Result<Value, ApiError> {
    let queries = list(input, "MetricDataQueries")?.map(Vec::as_slice).unwrap_or_default();
    if queries.is_empty() || queries.len() > 500 {
        return Err(validation("The collection MetricDataQueries must have a size between 1 and 500."));
    }
    let queries = Queries::parse(queries)?;
    let (start, end, _) = span(watch, input)?;
    let shown = watch.clock.second(now).saturating_sub(watch.delay);
    let scan = one_of(input, "ScanBy", &["TimestampDescending", "TimestampAscending"])?;
    let results: Vec<Value> = (queries.0.iter())
        .filter(|query| query.returns)
        .map(|query| result(watch, &queries, query, (start, end, shown), scan != Some("TimestampAscending")))
        .collect();
    let most = number(input, "MaxDatapoints")?.and_then(|most| usize::try_from(most).ok());
    let size = watch.page_size(most.unwrap_or(DATAPOINTS_PAGE).clamp(1, DATAPOINTS_PAGE));
    let (results, next) = one_page(results, text(input, "NextToken")?, size)?;
    Ok(json!({ "MetricDataResults": results, "Messages": [], "NextToken": next }))
}

/// One page of the results, and the token of the next.
fn one_page(
    results: Vec<Value>,
    token: Option<&str>,
    size: usize,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let refused = || ApiError::new("InvalidNextToken", "The next token specified is invalid.");
    let mut skip: usize = token.map_or(Ok(0), |token| token.parse().map_err(|_| refused()))?;
    let next = Some((skip + size).to_string());
    let (mut left, mut page) = (size, Vec::new());
    for mut result in results {
        let all = result["Values"].as_array().map_or(0, Vec::len);
        if skip > 0 && skip >= all {
            skip -= all;
            continue;
        }
        if left == 0 {
            return Ok((page, next));
        }
        let taken = left.min(all - skip);
        for list in ["Timestamps", "Values"] {
            let values = result[list].as_array().into_iter().flatten();
            result[list] = values.skip(skip).take(taken).cloned().collect();
        }
        let goes_on = skip + taken < all;
        (skip, left) = (0, left - taken);
        if goes_on {
            result["StatusCode"] = json!("PartialData");
            page.push(result);
            return Ok((page, next));
        }
        page.push(result);
    }
    Ok((page, None))
}

/// The datapoints of one query between two AWS seconds, newest first or last.
fn result(
    watch: &CloudWatch,
    queries: &Queries,
    query: &Query,
    span: (u64, u64, u64),
    newest_first: bool,
) -> Value {
    let period = queries.period(query);
    if queries.metrics().any(|(id, stat)| id == query.id && watch.withheld.as_ref() == Some(&stat.id.name)) {
        return json!({
            "Id": query.id, "Label": query.label, "Timestamps": [], "Values": [], "StatusCode": "InternalError",
        });
    }
    let late = queries.metrics().any(|(id, stat)| id == query.id && stat.id.namespace.starts_with("AWS/"));
    let shown = if late { span.2 } else { u64::MAX };
    let mut points: Vec<(f64, f64)> = periods(watch, span.0, span.1, period)
        .filter_map(|from| {
            let value = queries.value(&watch.store, query, from..(from + period).min(shown.max(from)))?;
            Some((epoch(watch.clock.starts(from)), value))
        })
        .collect();
    if newest_first {
        points.reverse();
    }
    let (times, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    json!({
        "Id": query.id, "Label": query.label, "Timestamps": times, "Values": values, "StatusCode": "Complete",
    })
}

/// GetMetricStatistics: sorted by time here; AWS promises no order.
pub(super) fn statistics(watch: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let id = metric(input)?;
    let period = period(input)?.ok_or_else(|| missing("Period"))?;
    let (start, end, length) = span(watch, input)?;
    let (plain, extended) = (texts(input, "Statistics", 5)?, texts(input, "ExtendedStatistics", 10)?);
    if plain.is_empty() && extended.is_empty() {
        return Err(missing("Statistics or ExtendedStatistics"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a period is small")]
    let points = (length / period as f64).ceil();
    if points > MOST_DATAPOINTS {
        return Err(combination(format!(
            "You have requested up to {points} datapoints, which exceeds the limit of 1,440. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let mut read = Vec::new();
    for name in plain.iter().chain(&extended) {
        let known = STATISTICS.contains(&name.as_str()) == plain.contains(name);
        let statistic = Statistic::parse(name).filter(|_| known);
        let refused = || invalid(format!("The value {name} for parameter Statistics is not supported."));
        read.push((name.as_str(), statistic.ok_or_else(refused)?));
    }
    let unit = text(input, "Unit")?.map(str::to_owned);
    let datapoints: Vec<Value> = periods(watch, start, end, period)
        .filter_map(|from| {
            let stat = |statistic, name: &str| {
                let (id, name, unit) = (id.clone(), name.to_owned(), unit.clone());
                MetricStat { id, period, statistic, name, unit }.value(&watch.store, from..from + period)
            };
            let point = datapoint(&read, &stat)?;
            Some(with_time(point, epoch(watch.clock.starts(from)), watch.store.unit(&id)))
        })
        .collect();
    Ok(json!({ "Label": id.name, "Datapoints": datapoints }))
}

/// One datapoint with the requested statistics; none without samples.
fn datapoint(
    read: &[(&str, Statistic)],
    value: &dyn Fn(Statistic, &str) -> Option<f64>,
) -> Option<Map<String, Value>> {
    let mut point = Map::new();
    let mut extended = Map::new();
    for (name, statistic) in read {
        let value = json!(value(*statistic, name)?);
        let into = if matches!(statistic, Statistic::Percentile(_)) { &mut extended } else { &mut point };
        into.insert((*name).to_owned(), value);
    }
    if !extended.is_empty() {
        point.insert("ExtendedStatistics".to_owned(), Value::Object(extended));
    }
    Some(point)
}

/// A datapoint with its time and unit.
fn with_time(mut point: Map<String, Value>, time: f64, unit: &str) -> Value {
    point.insert("Timestamp".to_owned(), json!(time));
    point.insert("Unit".to_owned(), json!(unit));
    Value::Object(point)
}

/// ListMetrics.
pub(super) fn list_metrics(watch: &CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let (namespace, name) = (text(input, "Namespace")?, text(input, "MetricName")?);
    let mut filters = Vec::new();
    for filter in list(input, "Dimensions")?.map(Vec::as_slice).unwrap_or_default() {
        filters.push((required(filter, "Name", 255)?, text(filter, "Value")?));
    }
    let fits = |id: &&MetricId| {
        namespace.is_none_or(|namespace| id.namespace == namespace)
            && name.is_none_or(|name| id.name == name)
            && filters.iter().all(|(name, value)| {
                id.dimensions.get(*name).is_some_and(|known| value.is_none_or(|value| known == value))
            })
    };
    let all: Vec<Value> = watch.store.ids().filter(fits).map(MetricId::describe).collect();
    let (metrics, next) = page(all, input, watch.page_size(METRICS_PAGE))?;
    Ok(json!({ "Metrics": metrics, "NextToken": next }))
}
