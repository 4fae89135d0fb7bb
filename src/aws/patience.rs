//! Errors that pass within a minute or two, though their codes are those of final errors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::time::Time;

/// Longest time that such an error counts as transient.
const PATIENCE: Duration = Duration::from_secs(120);

/// A call by IAM action and resource.
type Call = (&'static str, String);

/// Time of each call's first such error. Clones share this state.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience(Arc<Mutex<BTreeMap<Call, Time>>>);

impl Patience {
    /// The answer of a call. A final error that passes soon counts as a throttle for two minutes.
    pub(super) fn with<T>(&self, action: &'static str, resource: &str, answer: AwsResult<T>) -> AwsResult<T> {
        self.at(clock::now(), (action, resource.to_owned()), answer)
    }

    /// The same, at this time.
    fn at<T>(&self, now: Time, call: Call, answer: AwsResult<T>) -> AwsResult<T> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(trouble) if is_passing(call.0, &trouble) => {
                let waited = now.since(*since.entry(call).or_insert(now));
                let kind = if waited < PATIENCE { AwsErrorKind::Throttled } else { trouble.kind };
                Err(AwsError { kind, ..trouble })
            }
            answer => {
                since.remove(&call);
                answer
            }
        }
    }
}

/// True if this error passes soon. Application Auto Scaling answers `FailedResourceAccessException` when throttled
/// itself, does not find a scalable target that was just registered, and can't assume a new role; Amazon ECS registers
/// one revision of a family at a time. Source: terraform-provider-aws, `appautoscaling` and issue 9777.
fn is_passing(action: &str, trouble: &AwsError) -> bool {
    let (code, message) = (trouble.code.as_deref().unwrap_or_default(), trouble.message.as_str());
    match action {
        "application-autoscaling:PutScalingPolicy" if code == "ObjectNotFoundException" => true,
        _ if code == "FailedResourceAccessException" => !message.contains("not authorized"),
        _ => {
            message.contains("Unable to assume IAM role")
                || message.contains("Too many concurrent attempts to create a new revision")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of this answer at these seconds.
    fn kinds(action: &'static str, trouble: &AwsError, seconds: &[u64]) -> Vec<AwsErrorKind> {
        let patience = Patience::default();
        let at = |second: &u64| {
            let call = (action, trouble.resource.clone());
            patience.at(Time(second * 1000), call, Err::<(), _>(trouble.clone())).map_err(|it| it.kind)
        };
        seconds.iter().filter_map(|second| at(second).err()).collect()
    }

    /// A trouble with this code and message.
    fn trouble(kind: AwsErrorKind, code: &str, message: &str) -> AwsError {
        AwsError {
            kind,
            action: "",
            resource: "web".to_owned(),
            code: Some(code.to_owned()),
            message: message.to_owned(),
            effect_unknown: false,
        }
    }

    #[test]
    fn invariant_40_an_error_that_passes_counts_as_a_throttle_for_two_minutes() {
        use AwsErrorKind::{Denied, Missing, Refused, Throttled};
        const PUT: &str = "application-autoscaling:PutScalingPolicy";
        const TARGET: &str = "application-autoscaling:RegisterScalableTarget";
        const READ: &str = "application-autoscaling:DescribeScalingPolicies";
        const REGISTER: &str = "ecs:RegisterTaskDefinition";
        let concurrent = "Too many concurrent attempts to create a new revision of the specified family.";
        let table = [
            (READ, trouble(Denied, "FailedResourceAccessException", "Rate exceeded"), true),
            (PUT, trouble(Denied, "FailedResourceAccessException", "Rate exceeded"), true),
            (PUT, trouble(Denied, "FailedResourceAccessException", "you are not authorized to"), false),
            (PUT, trouble(Missing, "ObjectNotFoundException", "No scalable target registered"), true),
            (READ, trouble(Missing, "ObjectNotFoundException", "No scalable target registered"), false),
            (TARGET, trouble(Refused, "ValidationException", "Unable to assume IAM role: arn"), true),
            (TARGET, trouble(Refused, "ValidationException", "another"), false),
            (REGISTER, trouble(Refused, "ClientException", concurrent), true),
            (REGISTER, trouble(Refused, "ClientException", "Invalid image"), false),
        ];
        for (action, trouble, passes) in table {
            let now = if passes { Throttled } else { trouble.kind };
            let expected = vec![now, now, trouble.kind, trouble.kind];
            assert_eq!(kinds(action, &trouble, &[0, 119, 120, 500]), expected, "{action} {trouble:?}");
        }
    }

    #[test]
    fn an_answer_in_between_begins_the_two_minutes_anew() {
        let patience = Patience::default();
        let call = || ("application-autoscaling:PutScalingPolicy", "web".to_owned());
        let again = trouble(AwsErrorKind::Missing, "ObjectNotFoundException", "");
        let kind = |second: u64| {
            let answer = patience.at(Time(second * 1000), call(), Err::<(), _>(again.clone()));
            answer.map_err(|trouble| trouble.kind)
        };
        assert_eq!(kind(0), Err(AwsErrorKind::Throttled));
        assert_eq!(patience.at(Time(60_000), call(), Ok(())), Ok(()));
        assert_eq!(kind(130), Err(AwsErrorKind::Throttled));
        assert_eq!(kind(250), Err(AwsErrorKind::Missing));
    }
}
