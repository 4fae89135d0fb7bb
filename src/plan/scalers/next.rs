//! The next write to a service's scaling.

use serde_json::Value;

use super::change::field_differences;
use super::content::{self, Of};
use super::{Managed, Role, STEP_SCALING, Scalers, ScalingNames};
use crate::plan::aws_error::AwsError;
use crate::plan::snapshot::{Scalable, Service};
use crate::plan::step::{Purpose, Put, Refusal, Scaling, Step};

/// State of a service's scaling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Managing {
    /// A part is missing or different: the next write.
    Step(Step),
    /// Every part is as wanted.
    Settled,
    /// A part was not read.
    Unseen,
    /// A part is unreadable.
    AwsError(AwsError),
    /// The write is forbidden.
    Refused(Refusal),
}

/// The next write towards a role's scaling, bounds included: scalable target, policies, alarms. An idle color's alarms
/// stop acting before MinCapacity falls.
pub(crate) fn next_step(
    (cluster, service): (&str, &Service),
    managed: &Managed,
    role: Role,
    purpose: Purpose,
) -> Managing {
    decide_scaling(service, |target, scalers| {
        let found = ScalingState { cluster, service, managed, role, purpose, scalers };
        let bounds = || found.bounds(target);
        let step = match role {
            Role::Live | Role::Develop => bounds().or_else(|| found.scaler()),
            Role::Idle => found.scaler().or_else(bounds),
        };
        found.taken().map(Err).or_else(|| found.missing_target(target).map(Ok)).or(step.map(Ok))
    })
}

/// As `next_step`, but an existing scalable target keeps its bounds, which others may set. Only a color that is about
/// to get users may first get the config's MaxCapacity.
pub(crate) fn next_serving_step(
    (cluster, service): (&str, &Service),
    managed: &Managed,
    role: Role,
    purpose: Purpose,
) -> Managing {
    decide_scaling(service, |target, scalers| {
        let found = ScalingState { cluster, service, managed, role, purpose, scalers };
        let made = found.taken().map(Err).or_else(|| found.missing_target(target).map(Ok));
        made.or_else(|| found.room(target).map(Ok)).or_else(|| found.scaler().map(Ok))
    })
}

/// Names of policies on a service that the action does not manage. Next to such a policy, the action adds none.
pub(crate) fn unmanaged_policies(cluster: &str, service: &Service) -> Vec<String> {
    match &service.scalers {
        Some(Ok(scalers)) => unmanaged_names(&ScalingNames::of(cluster, &service.name), scalers),
        Some(Err(_)) | None => Vec::new(),
    }
}

/// Names of policies that the action does not manage.
fn unmanaged_names(names: &ScalingNames, scalers: &Scalers) -> Vec<String> {
    let all = scalers.policies.iter().map(|policy| &policy.name);
    all.filter(|name| !names.has_policy(name)).cloned().collect()
}

/// Decides by the parts that were read; unread parts are unknown.
fn decide_scaling(
    service: &Service,
    decide: impl FnOnce(Option<Scalable>, &Scalers) -> Option<Result<Step, Refusal>>,
) -> Managing {
    let (target, scalers) = match (&service.scaling, &service.scalers) {
        (Some(Err(trouble)), _) | (_, Some(Err(trouble))) => return Managing::AwsError(trouble.clone()),
        (Some(Ok(target)), Some(Ok(scalers))) => (*target, scalers),
        (None, _) | (_, None) => return Managing::Unseen,
    };
    match decide(target, scalers) {
        None => Managing::Settled,
        Some(Ok(step)) => Managing::Step(step),
        Some(Err(refusal)) => Managing::Refused(refusal),
    }
}

/// A service, its scaling in AWS, and the wanted scaling.
struct ScalingState<'a> {
    /// The cluster's name.
    cluster: &'a str,
    /// The service.
    service: &'a Service,
    /// The wanted scaling.
    managed: &'a Managed,
    /// The service's role.
    role: Role,
    /// The purpose of a write.
    purpose: Purpose,
    /// The service's policies and alarms.
    scalers: &'a Scalers,
}

impl ScalingState<'_> {
    /// Registers the scalable target. The bounds do not move the count. While users move, scale-in starts suspended
    /// (invariant 19).
    fn missing_target(&self, target: Option<Scalable>) -> Option<Step> {
        if target.is_some() {
            return None;
        }
        let (min, max) = (self.least().min(self.service.desired), self.most());
        let suspended = self.purpose == Purpose::Traffic && self.role == Role::Live;
        Some(self.scaling(Some(min), Some(max), suspended.then_some(true)))
    }

    /// Raises MaxCapacity to the config's if users are about to come; never lowers MaxCapacity.
    fn room(&self, target: Option<Scalable>) -> Option<Step> {
        let users = self.purpose == Purpose::Traffic && self.role == Role::Live;
        let low = target.filter(|target| users && target.max < self.managed.max);
        low.map(|_| self.scaling(None, Some(self.most()), None))
    }

    /// Sets the bounds of a scalable target.
    fn bounds(&self, target: Option<Scalable>) -> Option<Step> {
        let target = target?;
        let min = match self.role {
            Role::Live => self.least(),
            // An idle color keeps its current count.
            Role::Idle | Role::Develop => self.least().min(self.service.desired),
        };
        let max = self.most();
        (target.min != min || target.max != max).then(|| {
            // Both or one: AWS checks a new minimum against the old maximum.
            self.scaling((target.min != min).then_some(min), (target.max != max).then_some(max), None)
        })
    }

    /// MinCapacity by role.
    fn least(&self) -> u32 {
        match self.role {
            Role::Live => self.managed.min,
            Role::Idle | Role::Develop => self.managed.idle_min,
        }
    }

    /// MaxCapacity. AWS would cut a larger count at once (invariant 23).
    fn most(&self) -> u32 {
        self.managed.max.max(self.service.desired)
    }

    /// A RegisterScalableTarget call.
    fn scaling(&self, min: Option<u32>, max: Option<u32>, in_suspended: Option<bool>) -> Step {
        Step::Scaling(Scaling {
            color: self.service.color,
            service: self.service.name.clone(),
            min,
            max,
            in_suspended,
            new: matches!(self.service.scaling, Some(Ok(None))),
            purpose: self.purpose,
        })
    }

    /// The first policy or alarm that is missing or different. Next to another writer's policy none is added, but
    /// existing policies and alarms with the action's names are still kept up to date.
    fn scaler(&self) -> Option<Step> {
        let names = ScalingNames::of(self.cluster, &self.service.name);
        let adds = unmanaged_names(&names, self.scalers).is_empty();
        let policies = [(&names.out, content::scale_out_policy()), (&names.back, content::scale_in_policy())];
        let policy = policies.into_iter().find_map(|(name, content)| self.policy(name, content, adds));
        let alarm = || {
            let out = self.scalers.policy(&names.out).map(|policy| policy.arn.as_str());
            let back = self.scalers.policy(&names.back).map(|policy| policy.arn.as_str());
            let cpu = out.map(|arn| self.of(arn).high("CPUUtilization", self.managed.cpu));
            let memory = out.map(|arn| self.of(arn).high("MemoryUtilization", self.managed.memory));
            let low = back.map(|arn| self.of(arn).low(self.managed));
            let alarms = [(&names.cpu_high, cpu), (&names.memory_high, memory), (&names.low, low)];
            alarms.into_iter().find_map(|(name, content)| self.alarm(name, content?, adds))
        };
        policy.or_else(alarm)
    }

    /// One of the action's names is used by something of another kind, which AWS can't convert.
    fn taken(&self) -> Option<Refusal> {
        let names = ScalingNames::of(self.cluster, &self.service.name);
        let service = || self.service.name.clone();
        let mut policies = self.scalers.policies.iter();
        let mut alarms = self.scalers.alarms.iter();
        let policy = policies.find(|policy| names.has_policy(&policy.name) && policy.kind != STEP_SCALING);
        let policy = policy.map(|policy| Refusal::NameTaken {
            service: service(),
            name: policy.name.clone(),
            found: format!("a scaling policy of type {}", policy.kind),
            wanted: "a step scaling policy",
        });
        policy.or_else(|| {
            let alarm = alarms.find(|alarm| alarm.composite)?;
            Some(Refusal::NameTaken {
                service: service(),
                name: alarm.name.clone(),
                found: "a composite alarm".to_owned(),
                wanted: "a metric alarm",
            })
        })
    }

    /// The environment of an alarm.
    fn of<'a>(&'a self, policy: &'a str) -> Of<'a> {
        Of { cluster: self.cluster, service: &self.service.name, acts: self.role.acts(), policy }
    }

    /// The write of a policy that is missing or different.
    fn policy(&self, name: &str, content: Value, adds: bool) -> Option<Step> {
        let known = self.scalers.policy(name).map(|policy| &policy.content);
        self.put(name, known, content, adds).map(Step::Policy)
    }

    /// The write of an alarm that is missing or different.
    fn alarm(&self, name: &str, content: Value, adds: bool) -> Option<Step> {
        let known = self.scalers.alarm(name).map(|alarm| &alarm.content);
        self.put(name, known, content, adds).map(Step::Alarm)
    }

    /// The write of content that differs, or that is missing and may be added.
    fn put(&self, name: &str, known: Option<&Value>, content: Value, adds: bool) -> Option<Box<Put>> {
        let changes = field_differences(known.unwrap_or(&Value::Null), &content);
        ((known.is_some() || adds) && !changes.is_empty()).then(|| {
            Box::new(Put {
                color: self.service.color,
                service: self.service.name.clone(),
                name: name.to_owned(),
                new: known.is_none(),
                content,
                changes,
                purpose: self.purpose,
            })
        })
    }
}
