//! CloudWatch alarms by name.

use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use futures_util::future::join_all;

use super::clients::Aws;
use super::errors::read_error;
use super::pages::all_pages;
use super::values::to_text;
use crate::plan::aws_error::AwsResult;
use crate::plan::snapshot::{Alarm, AlarmState};

/// The IAM action of DescribeAlarms.
const DESCRIBE_ALARMS: &str = "cloudwatch:DescribeAlarms";

/// Most names that DescribeAlarms accepts.
const AT_ONCE: usize = 100;

impl Aws {
    /// The existing metric and composite alarms with these names, in the order of the names.
    pub(super) async fn alarms(&self, names: &[String]) -> AwsResult<Vec<Alarm>> {
        let reads = join_all(names.chunks(AT_ONCE).map(|chunk| self.some_alarms(chunk))).await;
        let chunks: Vec<Vec<Alarm>> = reads.into_iter().collect::<AwsResult<_>>()?;
        let mut all: Vec<Alarm> = chunks.into_iter().flatten().collect();
        let place = |alarm: &Alarm| names.iter().position(|name| *name == alarm.name);
        all.sort_by_key(place);
        all.dedup_by(|second, first| second.name == first.name);
        Ok(all)
    }

    /// Up to 100 alarms.
    async fn some_alarms(&self, names: &[String]) -> AwsResult<Vec<Alarm>> {
        self.alarm_pages(names, |page| {
            let metric = page.metric_alarms().iter();
            let metric =
                metric.map(|it| alarm_from_aws(it.alarm_name(), it.state_value(), it.state_reason()));
            let composite = page.composite_alarms().iter();
            let composite =
                composite.map(|it| alarm_from_aws(it.alarm_name(), it.state_value(), it.state_reason()));
            metric.chain(composite).collect()
        })
        .await
    }

    /// The contents of all pages for up to 100 alarm names. Without alarm types, AWS would leave out composite alarms
    /// (API_DescribeAlarms).
    pub(super) async fn alarm_pages<T>(
        &self,
        names: &[String],
        of_page: impl Fn(&DescribeAlarmsOutput) -> Vec<T>,
    ) -> AwsResult<Vec<T>> {
        let told = names.join(", ");
        let asked = self
            .cloudwatch
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .set_alarm_names(Some(names.to_vec()));
        all_pages(DESCRIBE_ALARMS, &told, async |token| {
            let page = asked.clone().set_next_token(token).send().await;
            let page = page.map_err(read_error(DESCRIBE_ALARMS, &told))?;
            Ok((of_page(&page), page.next_token))
        })
        .await
    }
}

/// An alarm, with the reason on a single line.
fn alarm_from_aws(name: Option<&str>, state: Option<&StateValue>, reason: Option<&str>) -> Alarm {
    Alarm {
        name: to_text(name),
        state: match state {
            Some(StateValue::Ok) => AlarmState::Fine,
            Some(StateValue::Alarm) => AlarmState::Firing,
            _ => AlarmState::NoData,
        },
        reason: reason.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
