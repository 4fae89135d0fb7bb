//! The load balancer's counts of blue and green, minute by minute, from CloudWatch.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use aws_smithy_types::DateTime;

use super::clients::Aws;
use super::errors::{read_error, unexpected_response};
use super::pages::all_pages;
use super::values::{to_text, to_time};
use crate::clock;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::Color;
use crate::plan::compare::{ColorPair, Counts, Latency, Minute, MinuteOfColor};
use crate::plan::snapshot::{Seen, Service, Snapshot};
use crate::plan::time::Time;

/// The IAM action of GetMetricData.
const GET_METRIC_DATA: &str = "cloudwatch:GetMetricData";

/// Longest time to look back: from Friday evening to Monday. All values of that time fit into one answer of GetMetricData
/// (at most 100,800 values; API_GetMetricData).
const LONGEST: Duration = Duration::from_secs(72 * 3600);

/// Longest time for the read: no change of traffic waits longer for a comparison.
const LONGEST_READ: Duration = Duration::from_secs(10);

/// Length of a minute in seconds.
const MINUTE: u32 = 60;

/// The metrics and statistics of each target group.
/// Source: "CloudWatch metrics for your Application Load Balancer".
const METRICS: [(&str, &str); 7] = [
    ("RequestCount", "Sum"),
    ("HTTPCode_Target_5XX_Count", "Sum"),
    ("TargetConnectionErrorCount", "Sum"),
    ("HTTPCode_Target_4XX_Count", "Sum"),
    ("TargetResponseTime", "p50"),
    ("TargetResponseTime", "p95"),
    ("TargetResponseTime", "p99"),
];

/// The values of one minute and color, in the order of `METRICS`.
type Values = [Option<f64>; METRICS.len()];

/// The values of one query: its id, each value with its time, and true if AWS gave all.
type Series = (String, Vec<(Time, f64)>, bool);

/// Two target groups behind one load balancer.
#[derive(Clone, Debug)]
struct MetricGroups {
    /// `app/NAME/ID`.
    balancer: String,
    /// `targetgroup/NAME/ID` of each color.
    groups: ColorPair<String>,
}

impl Aws {
    /// The minutes of both colors since the newer of their running deployments began. None if a target group was not read,
    /// or if they have no load balancer in common.
    pub(crate) async fn minutes(&self, seen: &Snapshot) -> Seen<Vec<Minute>> {
        let services = &seen.services;
        let groups = both_groups(services)?;
        let began = services.iter().filter_map(|service| service.primary().map(|it| it.created)).max();
        let now = clock::now();
        let earliest = Time(now.0.saturating_sub(LONGEST.as_millis() as u64));
        let start = began.unwrap_or(earliest).max(earliest);
        let late = || {
            unexpected_response(
                AwsErrorKind::TimedOut,
                GET_METRIC_DATA,
                &groups.balancer,
                "no answer within ten seconds",
            )
        };
        let read = clock::with_timeout(LONGEST_READ, self.metric_data(&groups, (start, now))).await;
        Some(read.unwrap_or_else(|| Err(late())).map(|all| minutes_of(&all)))
    }

    /// All values between two times.
    async fn metric_data(&self, groups: &MetricGroups, (start, end): (Time, Time)) -> AwsResult<Vec<Series>> {
        let asked = self
            .cloudwatch
            .get_metric_data()
            .start_time(DateTime::from_secs(whole_minute(start)))
            .end_time(DateTime::from_millis(i64::try_from(end.0).unwrap_or(i64::MAX)))
            .set_metric_data_queries(Some(queries(groups)));
        let pages = all_pages(GET_METRIC_DATA, &groups.balancer, async |token| {
            let page = asked.clone().set_next_token(token).send().await;
            let page = page.map_err(read_error(GET_METRIC_DATA, &groups.balancer))?;
            Ok((page.metric_data_results.unwrap_or_default(), page.next_token))
        })
        .await?;
        let all = joined(pages);
        let whole = all.iter().filter(|(_, _, complete)| *complete).count();
        if whole == 2 * METRICS.len() {
            return Ok(all);
        }
        // A missing count would read as no failure.
        Err(unexpected_response(
            AwsErrorKind::Unreachable,
            GET_METRIC_DATA,
            &groups.balancer,
            "CloudWatch gave only a part of the data",
        ))
    }
}

/// The target groups of both colors, and their load balancer, as CloudWatch names them.
fn both_groups(services: &[Service]) -> Option<MetricGroups> {
    let group = |color| {
        let service = services.iter().find(|service| service.color == color)?;
        service.group.as_ref()?.as_ref().ok()
    };
    let (blue, green) = (group(Color::Blue)?, group(Color::Green)?);
    let balancer = blue.balancers.first().filter(|arn| green.balancers.first() == Some(arn))?;
    let balancer = balancer.split_once(":loadbalancer/")?.1.to_owned();
    let name = |arn: &str| arn.rsplit(':').next().unwrap_or_default().to_owned();
    Some(MetricGroups { balancer, groups: ColorPair { blue: name(&blue.arn), green: name(&green.arn) } })
}

/// Seconds since the epoch of the start of a minute. CloudWatch would round to it, too (API_GetMetricData).
fn whole_minute(time: Time) -> i64 {
    let minute = u64::from(MINUTE);
    i64::try_from(time.0 / 1_000 / minute * minute).unwrap_or(i64::MAX)
}

/// The queries of both colors. Their ids are `blue0` to `green6`.
fn queries(groups: &MetricGroups) -> Vec<MetricDataQuery> {
    let of = |color: Color, group: &str| {
        let query = |(index, (name, statistic)): (usize, (&str, &str))| {
            let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
            let metric = Metric::builder()
                .namespace("AWS/ApplicationELB")
                .metric_name(name)
                .dimensions(dimension("TargetGroup", group))
                .dimensions(dimension("LoadBalancer", &groups.balancer))
                .build();
            let period = i32::try_from(MINUTE).unwrap_or_default();
            let stat = MetricStat::builder().metric(metric).period(period).stat(statistic).build();
            MetricDataQuery::builder().id(format!("{color}{index}")).metric_stat(stat).build()
        };
        METRICS.into_iter().enumerate().map(query).collect::<Vec<_>>()
    };
    let ColorPair { blue, green } = &groups.groups;
    [of(Color::Blue, blue), of(Color::Green, green)].concat()
}

/// The values of each query over all pages. The last page of a query says if they are complete.
fn joined(pages: Vec<MetricDataResult>) -> Vec<Series> {
    let mut all: BTreeMap<String, (Vec<(Time, f64)>, bool)> = BTreeMap::new();
    for page in pages {
        let (values, complete) = all.entry(to_text(page.id())).or_default();
        let times = page.timestamps().iter().map(|at| to_time(Some(at)));
        values.extend(times.zip(page.values().iter().copied()));
        *complete = page.status_code() == Some(&StatusCode::Complete);
    }
    all.into_iter().map(|(id, (values, complete))| (id, values, complete)).collect()
}

/// The minutes of all series, oldest first.
fn minutes_of(all: &[Series]) -> Vec<Minute> {
    let mut minutes: BTreeMap<Time, ColorPair<Values>> = BTreeMap::new();
    for (id, values, _) in all {
        for index in 0..METRICS.len() {
            for (time, value) in values {
                let pair = minutes.entry(*time).or_default();
                if *id == format!("{}{index}", Color::Blue) {
                    pair.blue[index] = Some(*value);
                } else if *id == format!("{}{index}", Color::Green) {
                    pair.green[index] = Some(*value);
                }
            }
        }
    }
    let minute = |(start, pair): (Time, ColorPair<Values>)| {
        let colors = ColorPair { blue: minute_of_color(pair.blue), green: minute_of_color(pair.green) };
        Minute { start, colors }
    };
    minutes.into_iter().map(minute).collect()
}

/// One color's part of a minute. A missing count is 0 if there is a `RequestCount`: the load balancer reports a count only
/// if it is not zero.
fn minute_of_color(values: Values) -> MinuteOfColor {
    let [requests, failed, refused, client_errors, p50, p95, p99] = values;
    let count = |value: Option<f64>| value.unwrap_or_default().round() as u64;
    let time = |value: f64| Duration::try_from_secs_f64(value).unwrap_or_default();
    MinuteOfColor {
        counts: requests.map(|_| Counts {
            requests: count(requests),
            failed: count(failed),
            refused: count(refused),
            client_errors: count(client_errors),
        }),
        latency: p50.zip(p95).zip(p99).map(|((p50, p95), p99)| Latency {
            p50: time(p50),
            p95: time(p95),
            p99: time(p99),
        }),
    }
}
