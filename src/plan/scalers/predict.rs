//! Predicted effects of writes to scaling.

use super::{NEW_POLICY, Policy, STEP_SCALING, ScalingAlarm};
use crate::plan::snapshot::{Scalable, Service};
use crate::plan::step::{Put, Scaling};

/// Changes a scalable target, and moves the count into the bounds as AWS does.
pub(crate) fn apply_bounds(service: &mut Service, scaling: &Scaling) {
    let Some(Ok(known)) = &mut service.scaling else { return };
    let target = match (known, scaling.min.zip(scaling.max)) {
        (Some(target), _) => target,
        (known @ None, Some((min, max))) => known.insert(Scalable { min, max, ..Scalable::default() }),
        (None, None) => return,
    };
    target.min = scaling.min.unwrap_or(target.min);
    target.max = scaling.max.unwrap_or(target.max);
    target.in_suspended = scaling.in_suspended.unwrap_or(target.in_suspended);
    service.desired = service.desired.max(target.min).min(target.max.max(target.min));
}

/// Adds or changes a policy.
pub(crate) fn put_policy(service: &mut Service, put: &Put) {
    let Some(Ok(scalers)) = &mut service.scalers else { return };
    match scalers.policies.iter_mut().find(|policy| policy.name == put.name) {
        Some(policy) => policy.content.clone_from(&put.content),
        None => scalers.policies.push(Policy {
            name: put.name.clone(),
            arn: format!("{NEW_POLICY} {}", put.name),
            kind: STEP_SCALING.to_owned(),
            content: put.content.clone(),
        }),
    }
}

/// Adds or changes an alarm.
pub(crate) fn put_alarm(service: &mut Service, put: &Put) {
    let Some(Ok(scalers)) = &mut service.scalers else { return };
    match scalers.alarms.iter_mut().find(|alarm| alarm.name == put.name) {
        Some(alarm) => alarm.content.clone_from(&put.content),
        None => scalers.alarms.push(ScalingAlarm {
            name: put.name.clone(),
            composite: false,
            content: put.content.clone(),
        }),
    }
}
