//! Scaling policies of Application Auto Scaling, and the CloudWatch alarms that trigger the managed policies.

use aws_sdk_applicationautoscaling as autoscaling;
use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, MetricAggregationType, PolicyType, ScalableDimension, ScalingPolicy, ServiceNamespace,
    StepAdjustment, StepScalingPolicyConfiguration,
};
use aws_sdk_cloudwatch as cloudwatch;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, StandardUnit, Statistic,
};
use serde_json::{Map, Value};

use super::clients::Aws;
use super::errors::{read_error, unexpected_response, write_error};
use super::json::{Json, structure, take_member, word};
use super::pages::all_pages;
use super::retry::NoBlindRetry;
use super::scaling::{missing_permission, resource_id};
use super::values::to_text;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::scalers::{Policy, Scalers, ScalingAlarm, ScalingNames};
use crate::plan::snapshot::Place;
use crate::plan::step::Put;

/// The IAM action of DescribeScalingPolicies.
const DESCRIBE_POLICIES: &str = "application-autoscaling:DescribeScalingPolicies";

/// The IAM action of PutScalingPolicy.
const PUT_POLICY: &str = "application-autoscaling:PutScalingPolicy";

/// The IAM action of PutMetricAlarm.
const PUT_ALARM: &str = "cloudwatch:PutMetricAlarm";

impl Aws {
    /// All scaling policies of a service, and the alarms with managed names.
    pub(super) async fn scalers(&self, cluster: &str, service: &str) -> AwsResult<Scalers> {
        let names = ScalingNames::of(cluster, service);
        let (policies, alarms) = tokio::join!(self.policies(cluster, service), self.our_alarms(&names));
        Ok(Scalers { policies: policies?, alarms: alarms? })
    }

    /// The policies of a service, from all pages.
    async fn policies(&self, cluster: &str, service: &str) -> AwsResult<Vec<Policy>> {
        let resource = resource_id(cluster, service);
        let asked = self
            .scaling
            .describe_scaling_policies()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(&resource);
        let found = all_pages(DESCRIBE_POLICIES, &resource, async |token| {
            let page = asked.clone().set_next_token(token).send().await;
            let page = page.map_err(read_error(DESCRIBE_POLICIES, &resource))?;
            Ok((page.scaling_policies.unwrap_or_default(), page.next_token))
        })
        .await;
        let found = self.patience.with(DESCRIBE_POLICIES, &resource, found)?;
        Ok(found.iter().map(policy_from_aws).collect())
    }

    /// The metric and composite alarms with managed names.
    async fn our_alarms(&self, names: &ScalingNames) -> AwsResult<Vec<ScalingAlarm>> {
        let asked: Vec<String> = names.alarms().map(str::to_owned).to_vec();
        self.alarm_pages(&asked, |page| {
            let metric = page.metric_alarms().iter().map(|alarm| ScalingAlarm {
                name: to_text(alarm.alarm_name()),
                composite: false,
                content: alarm.write(),
            });
            let composite = page.composite_alarms().iter().map(|alarm| ScalingAlarm {
                name: to_text(alarm.alarm_name()),
                composite: true,
                content: Value::Null,
            });
            metric.chain(composite).collect()
        })
        .await
    }

    /// Puts a step scaling policy as a whole.
    pub(crate) async fn put_policy(&self, place: &Place, put: &Put) -> AwsResult<()> {
        let config = StepScalingPolicyConfiguration::read(&put.content).map_err(|why| {
            unexpected_response(
                AwsErrorKind::Refused,
                PUT_POLICY,
                &put.name,
                &format!("can't be written, nothing was sent: {why}"),
            )
        })?;
        let answer = self
            .scaling
            .put_scaling_policy()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource_id(&place.cluster, &put.service))
            .policy_name(&put.name)
            .policy_type(PolicyType::StepScaling)
            .step_scaling_policy_configuration(config)
            .customize()
            .config_override(autoscaling::config::Config::builder().retry_classifier(NoBlindRetry))
            .send()
            .await
            .map_err(write_error(PUT_POLICY, &put.name))
            .map_err(|trouble| missing_permission(place, &put.service, trouble));
        self.patience.with(PUT_POLICY, &put.name, answer.map(|_| ()))
    }

    /// Puts a metric alarm as a whole.
    pub(crate) async fn put_alarm(&self, put: &Put) -> AwsResult<()> {
        let alarm = MetricAlarm::read(&put.content).map_err(|why| {
            unexpected_response(
                AwsErrorKind::Refused,
                PUT_ALARM,
                &put.name,
                &format!("can't be written, nothing was sent: {why}"),
            )
        })?;
        self.cloudwatch
            .put_metric_alarm()
            .alarm_name(&put.name)
            .set_alarm_description(alarm.alarm_description)
            .set_actions_enabled(alarm.actions_enabled)
            .set_ok_actions(alarm.ok_actions)
            .set_alarm_actions(alarm.alarm_actions)
            .set_insufficient_data_actions(alarm.insufficient_data_actions)
            .set_metric_name(alarm.metric_name)
            .set_namespace(alarm.namespace)
            .set_statistic(alarm.statistic)
            .set_extended_statistic(alarm.extended_statistic)
            .set_dimensions(alarm.dimensions)
            .set_period(alarm.period)
            .set_unit(alarm.unit)
            .set_evaluation_periods(alarm.evaluation_periods)
            .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
            .set_threshold(alarm.threshold)
            .set_comparison_operator(alarm.comparison_operator)
            .set_treat_missing_data(alarm.treat_missing_data)
            .set_evaluate_low_sample_count_percentile(alarm.evaluate_low_sample_count_percentile)
            .set_metrics(alarm.metrics)
            .set_threshold_metric_id(alarm.threshold_metric_id)
            .customize()
            .config_override(cloudwatch::config::Config::builder().retry_classifier(NoBlindRetry))
            .send()
            .await
            .map_err(write_error(PUT_ALARM, &put.name))?;
        Ok(())
    }
}

/// One policy.
fn policy_from_aws(from: &ScalingPolicy) -> Policy {
    Policy {
        name: from.policy_name.clone(),
        arn: from.policy_arn.clone(),
        kind: from.policy_type.as_str().to_owned(),
        content: from.step_scaling_policy_configuration().map_or(Value::Null, Json::write),
    }
}

structure!(StepScalingPolicyConfiguration {
    "AdjustmentType" adjustment_type set_adjustment_type,
    "StepAdjustments" step_adjustments set_step_adjustments,
    "MinAdjustmentMagnitude" min_adjustment_magnitude set_min_adjustment_magnitude,
    "Cooldown" cooldown set_cooldown,
    "MetricAggregationType" metric_aggregation_type set_metric_aggregation_type,
});

/// Not by [`structure`]: the SDK requires an adjustment to build a step.
impl Json for StepAdjustment {
    fn write(&self) -> Value {
        let mut object = Map::new();
        for (key, bound) in [
            ("MetricIntervalLowerBound", self.metric_interval_lower_bound),
            ("MetricIntervalUpperBound", self.metric_interval_upper_bound),
        ] {
            object.extend(bound.map(|bound| (key.to_owned(), bound.write())));
        }
        object.insert("ScalingAdjustment".to_owned(), self.scaling_adjustment.write());
        Value::Object(object)
    }

    fn read(value: &Value) -> Result<Self, String> {
        let mut object = value.as_object().ok_or("not an object")?.clone();
        let built = StepAdjustment::builder()
            .set_metric_interval_lower_bound(take_member(&mut object, "MetricIntervalLowerBound")?)
            .set_metric_interval_upper_bound(take_member(&mut object, "MetricIntervalUpperBound")?)
            .set_scaling_adjustment(take_member(&mut object, "ScalingAdjustment")?)
            .build()
            .map_err(|why| why.to_string())?;
        match object.keys().next() {
            Some(key) => Err(format!("unknown key {key}")),
            None => Ok(built),
        }
    }
}

// The fields of PutMetricAlarm. Only AWS sets state, times and ARN.
structure!(MetricAlarm {
    "AlarmDescription" alarm_description set_alarm_description,
    "ActionsEnabled" actions_enabled set_actions_enabled,
    "OKActions" ok_actions set_ok_actions,
    "AlarmActions" alarm_actions set_alarm_actions,
    "InsufficientDataActions" insufficient_data_actions set_insufficient_data_actions,
    "MetricName" metric_name set_metric_name,
    "Namespace" namespace set_namespace,
    "Statistic" statistic set_statistic,
    "ExtendedStatistic" extended_statistic set_extended_statistic,
    "Dimensions" dimensions set_dimensions,
    "Period" period set_period,
    "Unit" unit set_unit,
    "EvaluationPeriods" evaluation_periods set_evaluation_periods,
    "DatapointsToAlarm" datapoints_to_alarm set_datapoints_to_alarm,
    "Threshold" threshold set_threshold,
    "ComparisonOperator" comparison_operator set_comparison_operator,
    "TreatMissingData" treat_missing_data set_treat_missing_data,
    "EvaluateLowSampleCountPercentile" evaluate_low_sample_count_percentile set_evaluate_low_sample_count_percentile,
    "Metrics" metrics set_metrics,
    "ThresholdMetricId" threshold_metric_id set_threshold_metric_id,
});

structure!(MetricDataQuery {
    "Id" id set_id,
    "MetricStat" metric_stat set_metric_stat,
    "Expression" expression set_expression,
    "Label" label set_label,
    "ReturnData" return_data set_return_data,
    "Period" period set_period,
    "AccountId" account_id set_account_id,
});

structure!(MetricStat {
    "Metric" metric set_metric,
    "Period" period set_period,
    "Stat" stat set_stat,
    "Unit" unit set_unit,
});

structure!(Metric {
    "Namespace" namespace set_namespace,
    "MetricName" metric_name set_metric_name,
    "Dimensions" dimensions set_dimensions,
});

structure!(Dimension {
    "Name" name set_name,
    "Value" value set_value,
});

word!(AdjustmentType, ComparisonOperator, MetricAggregationType, StandardUnit, Statistic);
