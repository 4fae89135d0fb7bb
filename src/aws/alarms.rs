//! CloudWatch alarms by their names.

use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use super::clients::Aws;
use super::errors::unread;
use super::together::together;
use super::values::text;
use crate::plan::snapshot::{Alarm, AlarmState};
use crate::plan::trouble::Read;

/// How many names DescribeAlarms takes.
const AT_ONCE: usize = 100;

impl Aws {
    /// The metric and composite alarms with these names, as far as they exist, in the order of the names.
    pub(super) async fn alarms(&self, names: &[String]) -> Read<Vec<Alarm>> {
        let reads = together(names.chunks(AT_ONCE).map(|chunk| self.some_alarms(chunk))).await;
        let chunks: Vec<Vec<Alarm>> = reads.into_iter().collect::<Read<_>>()?;
        let mut all: Vec<Alarm> = chunks.into_iter().flatten().collect();
        let place = |alarm: &Alarm| names.iter().position(|name| *name == alarm.name);
        all.sort_by_key(place);
        all.dedup_by(|second, first| second.name == first.name);
        Ok(all)
    }

    /// Up to 100 alarms, all pages. Without the types AWS would leave out composite alarms (API_DescribeAlarms).
    async fn some_alarms(&self, names: &[String]) -> Read<Vec<Alarm>> {
        let mut pages = self
            .cloudwatch
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .set_alarm_names(Some(names.to_vec()))
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(unread("cloudwatch:DescribeAlarms", &names.join(", ")))?;
            let metric = page.metric_alarms().iter();
            found.extend(metric.map(|it| alarm(it.alarm_name(), it.state_value(), it.state_reason())));
            let composite = page.composite_alarms().iter();
            found.extend(composite.map(|it| alarm(it.alarm_name(), it.state_value(), it.state_reason())));
        }
        Ok(found)
    }
}

/// One alarm, its reason on one line.
fn alarm(name: Option<&str>, state: Option<&StateValue>, reason: Option<&str>) -> Alarm {
    Alarm {
        name: text(name),
        state: match state {
            Some(StateValue::Ok) => AlarmState::Fine,
            Some(StateValue::Alarm) => AlarmState::Firing,
            _ => AlarmState::NoData,
        },
        reason: reason.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
