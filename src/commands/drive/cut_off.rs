//! The answer of a step whose call was interrupted by a signal.

use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::plan::step::Step;

/// The answer of a step that a signal interrupted.
pub(super) fn cut_off(step: &Step) -> AwsError {
    let (action, resource) = match step {
        Step::Register(wanted) => return no_answer("ecs:RegisterTaskDefinition", wanted.family()),
        Step::Update(update) => ("ecs:UpdateService", &update.service),
        Step::Find(wanted) => return no_answer("ecs:DescribeTaskDefinition", wanted.family()),
        Step::Probe(_) => return no_answer("probe", "the test listener"),
        Step::Weights(weights) if weights.default => {
            ("elasticloadbalancing:ModifyListener", &weights.listener)
        }
        Step::Weights(weights) => ("elasticloadbalancing:ModifyRule", &weights.rule),
        Step::Scaling(scaling) => ("application-autoscaling:RegisterScalableTarget", &scaling.service),
        Step::Policy(put) => ("application-autoscaling:PutScalingPolicy", &put.name),
        Step::Alarm(put) => ("cloudwatch:PutMetricAlarm", &put.name),
    };
    no_answer(action, resource)
}

/// A call without an answer.
fn no_answer(action: &'static str, resource: &str) -> AwsError {
    AwsError {
        kind: AwsErrorKind::TimedOut,
        action,
        resource: resource.to_owned(),
        code: None,
        message: "the run was cancelled before the answer came".to_owned(),
        effect_unknown: true,
    }
}
