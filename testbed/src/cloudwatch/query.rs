//! `MetricDataQuery`: metrics and expressions that refer to each other by id, in alarms and in GetMetricData.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use super::expression::Expression;
use super::input::{constraint, flag, metric, number, one_of, period, required, text, validation};
use super::metric::{MetricId, Statistic, Store};
use crate::wire::ApiError;

/// The statistics with their own names.
pub(super) const STATISTICS: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// A statistic of a metric.
#[derive(Debug, Clone)]
pub(super) struct MetricStat {
    /// The metric.
    pub(super) id: MetricId,
    /// In AWS seconds; none if the expression's period counts.
    pub(super) period: u64,
    /// The statistic.
    pub(super) statistic: Statistic,
    /// AWS's name of the statistic.
    pub(super) name: String,
    /// Only samples of this unit.
    pub(super) unit: Option<String>,
}

impl MetricStat {
    /// The metric, statistic and period in an alarm's own parameters.
    pub(super) fn of_alarm(input: &Value) -> Result<Self, ApiError> {
        let name = match (one_of(input, "Statistic", &STATISTICS)?, text(input, "ExtendedStatistic")?) {
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => {
                return Err(validation("You must specify either Statistic or ExtendedStatistic"));
            }
            (Some(_), Some(_)) => {
                return Err(validation("You cannot specify both Statistic and ExtendedStatistic"));
            }
        };
        let period = period(input)?.ok_or_else(|| validation("Period must be specified"))?;
        let unit = text(input, "Unit")?.map(str::to_owned);
        Ok(Self { id: metric(input)?, period, statistic: statistic(&name)?, name, unit })
    }

    /// Reads a `MetricStat`.
    fn parse(input: &Value) -> Result<Self, ApiError> {
        let name = required(input, "Stat", 255)?.to_owned();
        let period = period(input)?.ok_or_else(|| constraint("null", "Period", "Member must not be null"))?;
        let unit = text(input, "Unit")?.map(str::to_owned);
        Ok(Self { id: metric(&input["Metric"])?, period, statistic: statistic(&name)?, name, unit })
    }

    /// The value over these AWS seconds; none without samples.
    pub(super) fn value(&self, store: &Store, seconds: Range<u64>) -> Option<f64> {
        store.within(&self.id, seconds, self.unit.as_deref()).statistic(self.statistic)
    }
}

/// Reads a statistic's name.
fn statistic(name: &str) -> Result<Statistic, ApiError> {
    Statistic::parse(name).ok_or_else(|| validation(format!("The statistic {name} is not supported")))
}

/// The source of a query's values.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A statistic of a metric.
    Metric(MetricStat),
    /// Metric math.
    Math(Expression),
}

/// One query.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// The id in expressions.
    pub(super) id: String,
    /// The source.
    pub(super) source: Source,
    /// `Label`, or AWS's default.
    pub(super) label: String,
    /// True if the query is part of the answer.
    pub(super) returns: bool,
    /// `Period` of an expression, if given.
    pub(super) period: Option<u64>,
}

impl Query {
    /// Reads a query.
    fn parse(input: &Value) -> Result<Self, ApiError> {
        let id = required(input, "Id", 255)?;
        let good = id.starts_with(|letter: char| letter.is_ascii_lowercase())
            && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !good {
            return Err(validation(format!(
                "The id {id} must start with a lowercase letter and hold only letters, digits and underscores"
            )));
        }
        let (source, shown) = match (&input["MetricStat"], text(input, "Expression")?) {
            (Value::Null, Some(text)) => {
                let wrong = |why| validation(format!("Error in expression '{id}': {why}"));
                (Source::Math(Expression::parse(text).map_err(wrong)?), id.to_owned())
            }
            (stat @ Value::Object(_), None) => {
                let stat = MetricStat::parse(stat)?;
                let shown = stat.id.name.clone();
                (Source::Metric(stat), shown)
            }
            _ => {
                return Err(validation(format!(
                    "The query {id} must have either MetricStat or Expression, and not both"
                )));
            }
        };
        Ok(Self {
            id: id.to_owned(),
            source,
            label: text(input, "Label")?.map_or(shown, str::to_owned),
            returns: flag(input, "ReturnData")?.unwrap_or(true),
            period: number(input, "Period")?,
        })
    }
}

/// Queries that may refer to each other.
#[derive(Debug, Clone)]
pub(super) struct Queries(pub(super) Vec<Query>);

impl Queries {
    /// Reads a list of queries. Every id is unique, and expressions name only listed ids.
    pub(super) fn parse(list: &[Value]) -> Result<Self, ApiError> {
        let queries = Self(list.iter().map(Query::parse).collect::<Result<_, _>>()?);
        let mut ids = HashSet::new();
        if let Some(twice) = queries.0.iter().find(|query| !ids.insert(query.id.as_str())) {
            return Err(validation(format!("The id {} is not unique", twice.id)));
        }
        queries.check_references()?;
        Ok(queries)
    }

    /// Checks that expressions name existing queries, and never themselves.
    fn check_references(&self) -> Result<(), ApiError> {
        for query in &self.0 {
            let mut open = vec![query.id.as_str()];
            let mut seen = HashSet::new();
            while let Some(id) = open.pop() {
                let Some(Source::Math(expression)) = self.get(id).map(|query| &query.source) else {
                    continue;
                };
                for named in expression.ids() {
                    if self.get(named).is_none() {
                        let text = format!("Error in expression '{id}': Unresolved id [{named}]");
                        return Err(validation(text));
                    }
                    if named == query.id {
                        let text = format!("Error in expression '{id}': it refers to itself");
                        return Err(validation(text));
                    }
                    if seen.insert(named) {
                        open.push(named);
                    }
                }
            }
        }
        Ok(())
    }

    /// A query by id.
    pub(super) fn get(&self, id: &str) -> Option<&Query> {
        self.0.iter().find(|query| query.id == id)
    }

    /// The period of a query: its own, or the longest of an expression's queries.
    pub(super) fn period(&self, query: &Query) -> u64 {
        match &query.source {
            Source::Metric(stat) => stat.period,
            Source::Math(expression) => query.period.unwrap_or_else(|| {
                let named = expression.ids().into_iter().filter_map(|id| self.get(id));
                let all: Vec<u64> = match named.map(|query| self.period(query)).collect::<Vec<_>>() {
                    none if none.is_empty() => self.metrics().map(|(_, stat)| stat.period).collect(),
                    some => some,
                };
                all.into_iter().max().unwrap_or(60)
            }),
        }
    }

    /// The metrics among the queries.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (&str, &MetricStat)> {
        self.0.iter().filter_map(|query| match &query.source {
            Source::Metric(stat) => Some((query.id.as_str(), stat)),
            Source::Math(_) => None,
        })
    }

    /// A query's value over these AWS seconds; none without a value.
    pub(super) fn value(&self, store: &Store, query: &Query, seconds: Range<u64>) -> Option<f64> {
        match &query.source {
            Source::Metric(stat) => stat.value(store, seconds),
            Source::Math(expression) => {
                let metrics: Vec<(&str, Option<f64>)> =
                    self.metrics().map(|(id, stat)| (id, stat.value(store, seconds.clone()))).collect();
                let of = |id: &str| self.value(store, self.get(id)?, seconds.clone());
                expression.value(&of, &metrics)
            }
        }
    }
}
