//! A glance: one call that shows if another look is worth its calls.

use crate::plan::color::ServiceColor;
use crate::plan::snapshot::{Deployment, Rollout, Service, ServiceStatus, Target};
use crate::plan::step::Wait;
use crate::plan::verdict::Waiting;

/// The part of AWS that shows the awaited change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glance {
    /// This color's service, with its deployments.
    Service(ServiceColor),
    /// The health of this color's targets.
    Targets(ServiceColor),
}

/// The answer of a glance.
#[derive(Clone, Debug)]
pub(crate) enum Glanced {
    /// The service; none if the cluster no longer has the service.
    Service(Option<Box<Service>>),
    /// The targets of the color's group.
    Targets(Vec<Target>),
}

impl Glance {
    /// The glance for a wait, if one call shows the awaited change.
    pub(super) fn of(wait: &Wait, deploys: Option<ServiceColor>) -> Option<Glance> {
        match wait {
            Wait::Deployment(Waiting::Unhealthy { .. }) => deploys.map(Glance::Targets),
            Wait::Deployment(_) | Wait::Rollback { .. } | Wait::Restore { .. } => {
                deploys.map(Glance::Service)
            }
            Wait::Count { color, .. } => Some(Glance::Service(*color)),
            Wait::Capacity(capacity) => Some(Glance::Targets(capacity.color.into())),
            Wait::AwsError(_)
            | Wait::UnansweredWrite(_)
            | Wait::Probe
            | Wait::Repeat(_)
            | Wait::Rule { .. }
            | Wait::Weights { .. }
            | Wait::Bake { .. }
            | Wait::Counts { .. }
            | Wait::Drain { .. }
            | Wait::Settle { .. } => None,
        }
    }

    /// The color.
    pub(crate) fn color(self) -> ServiceColor {
        match self {
            Glance::Service(color) | Glance::Targets(color) => color,
        }
    }
}

impl Glanced {
    /// True if the answer differs from the last look in a way that can end the wait.
    pub(crate) fn has_moved(&self, before: &Service) -> bool {
        match self {
            Glanced::Service(now) => {
                now.as_ref().is_none_or(|now| Milestones::of(now) != Milestones::of(before))
            }
            Glanced::Targets(now) => {
                let before = before.targets.as_ref().and_then(|read| read.as_ref().ok());
                before.is_none_or(|before| healthy(before) != healthy(now))
            }
        }
    }
}

/// Number of healthy targets.
fn healthy(targets: &[Target]) -> usize {
    targets.iter().filter(|target| target.is_healthy()).count()
}

/// The facts of a service that can end a wait.
#[derive(PartialEq, Eq)]
struct Milestones<'a> {
    /// The status.
    status: ServiceStatus,
    /// ARN of the task definition.
    task_definition: &'a str,
    /// The desired count.
    desired: u32,
    /// True if as many tasks run as desired.
    is_full: bool,
    /// The deployments: id, state, failed tasks, and true if as many tasks run as desired.
    deployments: Vec<(&'a str, Rollout, u32, bool)>,
}

impl<'a> Milestones<'a> {
    /// The facts. Tasks that start one after the other can't end a wait, until all run.
    fn of(service: &'a Service) -> Milestones<'a> {
        let fact =
            |one: &'a Deployment| (one.id.as_str(), one.rollout, one.failed, one.running >= one.desired);
        Milestones {
            status: service.status,
            task_definition: &service.task_definition,
            desired: service.desired,
            is_full: service.running == service.desired && service.pending == 0,
            deployments: service.deployments.iter().map(fact).collect(),
        }
    }
}
