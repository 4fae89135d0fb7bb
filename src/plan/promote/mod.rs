//! `promote`: a color becomes production. It is a way of phases, each of which is a change of traffic or a deploy that
//! finds by itself what is still to do, so that the goal is reached from any state.
//!
//! - swap: all users to the color, then production's bounds, settle, drain, and the other color shrinks.
//! - copy: all users to the other color, which was tested; the color takes over its task definition; then as a swap.

mod copy;
mod course;
mod predict;

use super::admit::{Hindrance, Request, answered};
use super::color::{Color, Split};
use super::definition::{Content, same_content};
use super::deploy;
use super::scalers::Managed;
use super::snapshot::{Revision, Rollout, Service, Snapshot};
use super::step::Refusal;
use super::traffic::{self, Finish, Minima};
use super::verdict::Limits;
use super::wanted::{DesiredCount, ListenerChoice, Mode, Promotion, WantedColor};

pub(crate) use copy::{copied, mutable};
pub(crate) use course::Promoting;
pub(crate) use predict::{loose, predict};

/// What a promote is asked for, bound to a run.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// What the user asked for.
    pub(crate) promotion: Promotion,
    /// The production listener, where it is named.
    pub(crate) listener: Option<ListenerChoice>,
    /// MinCapacity by role, where the config says so.
    pub(crate) bounds: Option<Minima>,
    /// How both services scale, where the config says so.
    pub(crate) managed: Option<Managed>,
    /// Limits of patience.
    pub(crate) limits: Limits,
    /// `on-cancel: restore`.
    pub(crate) restore_on_cancel: bool,
}

/// One phase of the way.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// A change of traffic.
    Move(Box<traffic::Goal>),
    /// The color takes over the other color's task definition.
    Deploy(Box<deploy::Goal>, String),
}

/// The other of the two colors.
pub(crate) fn other(color: Color) -> Color {
    if color == Color::Blue { Color::Green } else { Color::Blue }
}

/// The phases from what is seen.
pub(crate) fn phases(snapshot: &Snapshot, goal: &Goal) -> Result<Vec<Phase>, Hindrance> {
    let color = goal.promotion.color;
    sized(snapshot, goal)?;
    let last = Phase::Move(Box::new(moving(goal, color, true)));
    match goal.promotion.mode {
        Mode::Swap => Ok(vec![last]),
        Mode::Copy => {
            let (tested, own) = (running(snapshot, other(color))?, running(snapshot, color)?);
            approved(tested.0, goal)?;
            proven(tested.0)?;
            let content = copied(tested, &own.1.content, &goal.promotion.per_color);
            if has_it(own.0, own.1, &content) {
                return Ok(vec![last]);
            }
            let away = Phase::Move(Box::new(moving(goal, other(color), false)));
            let tags = tested.1.tags.clone();
            let deploy = Phase::Deploy(Box::new(deploying(goal, content, tags)), own.0.name.clone());
            Ok(vec![away, deploy, last])
        }
    }
}

/// The color without users never gets more tasks than production can have.
fn sized(snapshot: &Snapshot, goal: &Goal) -> Result<(), Refusal> {
    let most = |service: &Service| match (&goal.managed, &service.scaling) {
        (Some(managed), _) => managed.max,
        (None, Some(Ok(Some(scaling)))) => scaling.max,
        (None, _) => service.desired,
    };
    let colors = [Color::Blue, Color::Green].into_iter().filter_map(|color| snapshot.service(color));
    let production = colors.map(most).max().unwrap_or_default().max(1);
    let (color, idle) = (other(goal.promotion.color), goal.promotion.idle_count);
    if idle > production { Err(Refusal::IdleAbove { color, idle, production }) } else { Ok(()) }
}

/// A color's service with the revision that it wants.
fn running(snapshot: &Snapshot, color: Color) -> Result<(&Service, &Revision), Hindrance> {
    let missing = || {
        let services = vec![(color, String::new())];
        Refusal::Missing { services, place: snapshot.place.clone() }
    };
    let service = snapshot.service(color).ok_or_else(missing)?;
    answered(&service.definition)?;
    answered(&service.tasks)?;
    match &service.definition {
        Some(Ok(revision)) => Ok((service, revision)),
        Some(Err(trouble)) => Err(trouble.into()),
        None => Err(missing().into()),
    }
}

/// What was approved has to run on the color that was tested.
fn approved(tested: &Service, goal: &Goal) -> Result<(), Refusal> {
    let Some(expected) = &goal.promotion.expect else { return Ok(()) };
    let found = &tested.task_definition;
    if found == expected || found.rsplit('/').next() == Some(expected) {
        return Ok(());
    }
    Err(Refusal::OtherTaskDefinition {
        color: tested.color,
        found: found.clone(),
        expected: expected.clone(),
    })
}

/// What is copied is what runs, and not what a deployment is still bringing or could not bring.
fn proven(tested: &Service) -> Result<(), Refusal> {
    let older = tested.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    let failed = |rollout| rollout == Rollout::Failed;
    match tested.primary() {
        Some(primary) if failed(primary.rollout) || (older && primary.rollout != Rollout::Completed) => {
            Err(Refusal::InFlight {
                service: tested.name.clone(),
                id: primary.id.clone(),
                task_definition: primary.task_definition.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a color has the content already, and nothing is on its way there.
fn has_it(service: &Service, revision: &Revision, content: &Content) -> bool {
    let settled = service.primary().is_some_and(|primary| primary.rollout == Rollout::Completed);
    settled && same_content(&revision.content, content)
}

/// All users to a color; the last phase settles capacity too.
fn moving(goal: &Goal, color: Color, last: bool) -> traffic::Goal {
    let promotion = &goal.promotion;
    let (blue, green) = if color == Color::Blue { (100, 0) } else { (0, 100) };
    let approved = promotion.mode == Mode::Swap || color != promotion.color;
    let expect = promotion.expect.clone().filter(|_| approved);
    traffic::Goal {
        wish: traffic::Wish { to: Split { blue, green }, expect, ..promotion.traffic.clone() },
        listener: goal.listener.clone(),
        timeout: goal.limits.timeout,
        restore_on_cancel: goal.restore_on_cancel,
        finish: last.then_some(Finish {
            idle_count: promotion.idle_count,
            max_drain: promotion.max_drain,
            bounds: goal.bounds,
        }),
        onward: !last,
        managed: goal.managed,
    }
}

/// The deploy of the copied content.
fn deploying(goal: &Goal, content: Content, tags: Vec<(String, String)>) -> deploy::Goal {
    let color = goal.promotion.color;
    deploy::Goal {
        request: Request {
            color: WantedColor::Color(color),
            allow_live: false,
            probes: false,
            listener: goal.listener.clone(),
        },
        color,
        force: false,
        content,
        revision: None,
        origin: Some(tags),
        desired: Some(DesiredCount::Match),
        // Its alarms are production's; the change of traffic that follows makes what it lacks before it gets users.
        managed: None,
        limits: goal.limits,
        restore_on_cancel: true,
    }
}

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ways;
