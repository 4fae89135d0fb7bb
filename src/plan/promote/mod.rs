//! `promote`: a color becomes production. It is a way of phases, each of which is a change of traffic or a deploy that
//! finds by itself what is still to do, so that the goal is reached from any state.
//!
//! - swap: all users to the color, then production's bounds, settle, drain, and the other color shrinks.
//! - copy: all users to the other color, which was tested; the color takes over its task definition; then as a swap.

mod cautions;
mod checks;
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
use super::time::Time;
use super::traffic::{self, Finish, Minima, brief};
use super::verdict::Limits;
use super::wanted::{DesiredCount, Hosts, ListenerChoice, Mode, Promotion, WantedColor};

pub(crate) use cautions::{Caution, cautions};
pub(crate) use copy::{copied, mutable};
pub(crate) use course::Promoting;
pub(crate) use predict::{loose, predict};

use checks::{approved, named, proven, sized, told, unruled, usable};

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
    unruled(snapshot, goal)?;
    match goal.promotion.mode {
        Mode::Swap => Ok(vec![Phase::Move(Box::new(moving(goal, color, true)))]),
        Mode::Copy => copying(snapshot, goal, color),
    }
}

/// The phases of a copy to a color.
fn copying(snapshot: &Snapshot, goal: &Goal, color: Color) -> Result<Vec<Phase>, Hindrance> {
    let (tested, own) = (running(snapshot, other(color))?, running(snapshot, color)?);
    approved(tested.0, goal)?;
    proven(tested.0)?;
    named(&tested.1.content, &own.1.content, &goal.promotion.per_color)?;
    let content = copied(tested, &own.1.content, &goal.promotion.per_color);
    told(tested, &own.1.content, &content)?;
    usable(other(color), &content)?;
    let mut last = moving(goal, color, true);
    if has_it(own.0, own.1, &content) {
        return Ok(vec![Phase::Move(Box::new(last))]);
    }
    let away = moving(goal, other(color), false);
    let found = brief(snapshot, &away, Time::default()).ok();
    let least = found.as_ref().map_or(1, |found| found.load.targets);
    // Users who are back where the run found them are not sent away again.
    last.restore_on_cancel &= found.is_none_or(|found| found.from.weight(other(color)) > 0);
    let deploy = deploying(goal, content, (tested.1.tags.clone(), least));
    Ok(vec![
        Phase::Move(Box::new(away)),
        Phase::Deploy(Box::new(deploy), own.0.name.clone()),
        Phase::Move(Box::new(last)),
    ])
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

/// The deploy of the copied content, with tags of the tested revision and at least so many tasks: the tested color may
/// scale in until then, and production does not become smaller by it.
fn deploying(goal: &Goal, content: Content, (tags, least): (Vec<(String, String)>, u32)) -> deploy::Goal {
    let color = goal.promotion.color;
    deploy::Goal {
        request: Request {
            color: WantedColor::Color(color),
            allow_live: false,
            probes: Vec::new(),
            listener: goal.listener.clone(),
            hosts: Hosts::default(),
        },
        color,
        force: false,
        content,
        revision: None,
        origin: Some(tags),
        desired: Some(DesiredCount::MatchAtLeast(least)),
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
