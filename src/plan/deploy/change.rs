//! The change of the service that is still needed: none, an adoption, a count, a revision, a deployment.

use super::{Decision, Goal, Situation};
use crate::plan::color::Color;
use crate::plan::definition::same_content;
use crate::plan::in_flight::{InFlight, in_flight};
use crate::plan::run::Run;
use crate::plan::scalers::Role;
use crate::plan::snapshot::{Deployment, Revision, Rollout, Service, ServiceDeploymentStatus, Snapshot};
use crate::plan::step::{Follow, InitialService, Next, Purpose, Refusal, Step, Update};
use crate::plan::unanswered_write::completed_update;
use crate::plan::verdict::{Kind, OwnDeployment, has_room};
use crate::plan::wanted::DesiredCount;

impl Decision<'_> {
    /// The change that is still needed: none, an adoption, a count, a revision, a deployment.
    pub(super) fn needed_change(&self, service: &Service, current: &Revision) -> Next {
        let Decision { goal, run, .. } = *self;
        let same = same_content(&current.content, &goal.content);
        match in_flight(service) {
            InFlight::No => {}
            InFlight::Yes(flying) if same => return self.adopt_deployment(service, flying),
            InFlight::Yes(flying) => return Next::Refuse(other_in_flight(service, flying)),
            InFlight::Unseen => return Next::Read(goal.closer_look()),
            InFlight::Unread(trouble) => return self.hold(trouble),
        }
        if let Some(follow) = completed_update(service, run).filter(|_| same) {
            return Next::Follow(follow);
        }
        let desired = self.situation.wanted_count(service, goal);
        let counts = (desired != service.desired).then_some(desired);
        let failed = service.primary().is_some_and(|primary| primary.rollout == Rollout::Failed);
        if same && !goal.force && !failed {
            return match counts {
                None => Next::Follow(Follow {
                    awaited: current_deployment(service, run),
                    adopted: false,
                    found: None,
                }),
                Some(_) => update_step(service, None, counts, false),
            };
        }
        let setup = &service.setup;
        let moving = service.running + service.pending > 0;
        if moving && !has_room(desired, setup.minimum_percent, setup.maximum_percent) {
            return Next::Refuse(Refusal::NoRoom {
                service: service.name.clone(),
                desired,
                minimum: setup.minimum_percent,
                maximum: setup.maximum_percent,
            });
        }
        if same {
            return if failed && service.history.is_none() {
                Next::Read(goal.closer_look())
            } else {
                update_step(service, None, counts, true)
            };
        }
        let sought = run.prepare().and_then(|prepare| prepare.sought.as_ref());
        match (&goal.revision, sought) {
            (Some(arn), _) | (None, Some(Some(arn))) => {
                update_step(service, Some(arn.clone()), counts, false)
            }
            (None, None) => Next::Step(Step::Find(goal.wanted_revision())),
            (None, Some(None)) => Next::Step(Step::Register(goal.wanted_revision())),
        }
    }

    /// Adopts a deployment of the same content that is under way, perhaps from a run that was killed.
    fn adopt_deployment(&self, service: &Service, flying: &Deployment) -> Next {
        if service.history.is_none() {
            return Next::Read(self.goal.closer_look());
        }
        let awaited = OwnDeployment {
            kind: Kind::Rollout,
            id: Some(flying.id.clone()),
            task_definition: flying.task_definition.clone(),
            desired: service.desired,
            started: self.run.memory.began,
            seen: true,
            before: service.deployments.iter().map(|deployment| deployment.id.clone()).collect(),
        };
        Next::Follow(Follow {
            awaited,
            adopted: true,
            found: previous_version(service, &flying.task_definition),
        })
    }
}

/// A deployment of other content belongs to another run or user.
fn other_in_flight(service: &Service, flying: &Deployment) -> Refusal {
    Refusal::InFlight {
        service: service.name.clone(),
        id: flying.id.clone(),
        task_definition: flying.task_definition.clone(),
    }
}

/// The service's task definition before this one: from the older deployment that is still listed, or from the newest
/// service deployment that succeeded with another task definition.
pub(crate) fn previous_version(service: &Service, task_definition: &str) -> Option<InitialService> {
    let older = service.deployments.iter().filter(|deployment| !deployment.primary);
    let listed = older.map(|deployment| &deployment.task_definition).find(|arn| *arn != task_definition);
    let history = service.history.as_ref().and_then(|read| read.as_ref().ok());
    let told = history.into_iter().flatten().find_map(|entry| {
        let succeeded = entry.status == ServiceDeploymentStatus::Successful;
        entry.target.as_ref().filter(|target| succeeded && *target != task_definition)
    });
    let replaced = history.into_iter().flatten().find_map(|entry| {
        let brought = entry.target.as_deref() == Some(task_definition);
        entry.sources.iter().find(|source| brought && *source != task_definition)
    });
    let arn = listed.or(replaced).or(told)?;
    Some(InitialService { task_definition: arn.clone(), desired: service.desired })
}

/// The current deployment: nothing to change, but the tasks must still be healthy (invariant 12).
fn current_deployment(service: &Service, run: &Run) -> OwnDeployment {
    OwnDeployment {
        kind: Kind::Nothing,
        id: None,
        task_definition: service.task_definition.clone(),
        desired: service.desired,
        started: run.memory.began,
        seen: true,
        before: Vec::new(),
    }
}

impl Situation<'_> {
    /// The desired count after the deploy: the requested count, and at least one. The count of a live color never
    /// shrinks.
    fn wanted_count(&self, service: &Service, goal: &Goal) -> u32 {
        let live = self.role() == Role::Live;
        let least = if live { service.desired } else { 1 };
        self.asked_count(service, goal).max(least).max(1)
    }

    /// The requested desired count, or the current count without a request.
    fn asked_count(&self, service: &Service, goal: &Goal) -> u32 {
        match goal.desired {
            Some(DesiredCount::Count(count)) => count,
            Some(DesiredCount::Match) => self.live_count(goal).unwrap_or(service.desired),
            Some(DesiredCount::MatchAtLeast(least)) => self.live_count(goal).unwrap_or_default().max(least),
            None => service.desired,
        }
    }

    /// The desired count of another live color: the highest, if there are two.
    fn live_count(&self, goal: &Goal) -> Option<u32> {
        let wiring = self.agreed()?;
        let others = Color::BOTH.into_iter().filter(|color| goal.color != *color);
        let live = others.filter(|color| wiring.is_live(*color));
        live.filter_map(|color| self.snapshot.service(color)).map(|service| service.desired).max()
    }
}

/// A request for a lower count on a live color: the requested count, and the count that stays.
pub(crate) fn kept_count(snapshot: &Snapshot, goal: &Goal) -> Option<(u32, u32)> {
    let situation = Situation::of(snapshot, goal);
    let service = situation.service?;
    let (asked, count) = (situation.asked_count(service, goal), situation.wanted_count(service, goal));
    (asked.max(1) < count).then_some((asked, count))
}

/// One update of the service towards the goal.
fn update_step(
    service: &Service,
    task_definition: Option<String>,
    desired: Option<u32>,
    force: bool,
) -> Next {
    Next::Step(Step::Update(Update {
        color: service.color,
        service: service.name.clone(),
        task_definition,
        desired,
        force,
        purpose: Purpose::Deploy,
    }))
}
