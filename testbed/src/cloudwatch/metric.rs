//! Metrics: their names, their samples by AWS second, and the statistics of a period.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};

/// The identity of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricId {
    /// Such as `AWS/ECS`.
    pub(super) namespace: String,
    /// Such as `CPUUtilization`.
    pub(super) name: String,
    /// All dimensions; a metric with fewer dimensions is another metric.
    pub(super) dimensions: BTreeMap<String, String>,
}

impl MetricId {
    /// A metric with these names.
    pub(super) fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: dimensions.collect() }
    }

    /// The metric as ListMetrics returns it.
    pub(super) fn describe(&self) -> Value {
        let dimensions: Vec<Value> =
            self.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        json!({ "Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions })
    }
}

/// A statistic over the samples of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    /// Number of samples.
    SampleCount,
    /// The mean.
    Average,
    /// The sum.
    Sum,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// `p99.9`: this percentage of the samples is at most the value.
    Percentile(f64),
}

impl Statistic {
    /// Reads AWS's name; none for trimmed means and similar.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(Self::Percentile(percent))?
            }
        })
    }
}

/// Samples of one time.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// The number.
    count: f64,
    /// The sum.
    sum: f64,
    /// The smallest.
    minimum: f64,
    /// The largest.
    maximum: f64,
    /// Each value and its number; empty for statistic sets.
    values: Vec<(f64, f64)>,
}

impl Samples {
    /// The same value, repeated.
    pub(super) fn of(value: f64, times: f64) -> Self {
        let values = vec![(value, times)];
        Self { count: times, sum: value * times, minimum: value, maximum: value, values }
    }

    /// A statistic set: count, sum, minimum, maximum.
    pub(super) fn of_set(count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        Self { count, sum, minimum, maximum, values: Vec::new() }
    }

    /// Adds other samples.
    pub(super) fn merge(&mut self, other: &Self) {
        if self.count == 0.0 {
            *self = other.clone();
            return;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        for (value, times) in &other.values {
            match self.values.iter_mut().find(|(known, _)| known == value) {
                Some((_, count)) => *count += times,
                None => self.values.push((*value, *times)),
            }
        }
    }

    /// A statistic of the samples; none without samples, and for a percentile of statistic sets.
    pub(super) fn statistic(&self, statistic: Statistic) -> Option<f64> {
        if self.count <= 0.0 {
            return None;
        }
        match statistic {
            Statistic::SampleCount => Some(self.count),
            Statistic::Average => Some(self.sum / self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Minimum => Some(self.minimum),
            Statistic::Maximum => Some(self.maximum),
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    /// The smallest value that at least this percentage does not exceed.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let mut values = self.values.clone();
        values.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut left = self.count * percent / 100.0;
        for (value, times) in &values {
            left -= times;
            if left <= 0.0 {
                return Some(*value);
            }
        }
        values.last().map(|(value, _)| *value)
    }
}

/// One metric's samples.
#[derive(Debug, Default)]
struct Series {
    /// The unit of the last samples; none is AWS's `None`.
    unit: Option<String>,
    /// By AWS second.
    samples: BTreeMap<u64, Samples>,
}

/// All metrics.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// By name.
    metrics: BTreeMap<MetricId, Series>,
}

impl Store {
    /// Adds samples at an AWS second.
    pub(super) fn add(&mut self, id: MetricId, second: u64, samples: &Samples, unit: Option<&str>) {
        let series = self.metrics.entry(id).or_default();
        series.unit = unit.map(str::to_owned);
        series.samples.entry(second).or_default().merge(samples);
    }

    /// Forgets samples of AWS's own metrics from before an AWS second.
    pub(super) fn forget(&mut self, before: u64) {
        let own = self.metrics.iter_mut().filter(|(id, _)| id.namespace.starts_with("AWS/"));
        for (_, series) in own {
            while series.samples.first_key_value().is_some_and(|(second, _)| *second < before) {
                series.samples.pop_first();
            }
        }
    }

    /// The samples of a metric in these AWS seconds, filtered by unit if given.
    pub(super) fn within(&self, id: &MetricId, seconds: Range<u64>, unit: Option<&str>) -> Samples {
        let mut all = Samples::default();
        if let Some(series) = self.metrics.get(id)
            && unit.is_none_or(|unit| series.unit.as_deref().unwrap_or("None") == unit)
        {
            series.samples.range(seconds).for_each(|(_, samples)| all.merge(samples));
        }
        all
    }

    /// The AWS second of the oldest sample of all.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.metrics.values().filter_map(|series| series.samples.keys().next().copied()).min()
    }

    /// A metric's unit as AWS names it.
    pub(super) fn unit(&self, id: &MetricId) -> &str {
        self.metrics.get(id).and_then(|series| series.unit.as_deref()).unwrap_or("None")
    }

    /// The names of all metrics.
    pub(super) fn ids(&self) -> impl Iterator<Item = &MetricId> {
        self.metrics.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_merged_samples() {
        let mut samples = Samples::of(1.0, 3.0);
        samples.merge(&Samples::of(5.0, 1.0));
        let of = |text: &str| samples.statistic(Statistic::parse(text).unwrap()).unwrap();
        assert_eq!([of("SampleCount"), of("Sum"), of("Average")], [4.0, 8.0, 2.0]);
        assert_eq!(
            [of("Minimum"), of("Maximum"), of("p50"), of("p75"), of("p99")],
            [1.0, 5.0, 1.0, 1.0, 5.0]
        );
        assert_eq!(Samples::default().statistic(Statistic::Sum), None);
        assert_eq!(Statistic::parse("tm90"), None);
    }
}
