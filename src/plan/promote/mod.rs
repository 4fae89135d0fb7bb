//! `promote`: a color becomes production. A promote is a sequence of phases. Each phase is a change of traffic or a
//! deploy that finds the missing steps, so that the goal is reached from any state.
//!
//! - swap: all users to the color, then production's bounds, settle, drain, and the other color shrinks.
//! - copy: all users to the other color, which was tested; the color takes over that task definition; then like swap.

mod cautions;
mod checks;
mod copy;
mod predict;

use super::color::{Color, Split};
use super::definition::{Content, same_content};
use super::deploy;
use super::in_flight::{InFlight, in_flight};
use super::preconditions::{Blocker, Request, require_answer};
use super::scalers::Managed;
use super::snapshot::{Revision, Rollout, Service, Snapshot};
use super::step::Refusal;
use super::time::Time;
use super::traffic::{self, Finish, Minima, traffic_plan};
use super::verdict::Limits;
use super::wanted::{DesiredCount, Hosts, ListenerChoice, Mode, Promotion, WantedColor};

pub(crate) use cautions::{Caution, find_cautions};
pub(crate) use copy::{copy_content, unpinned_containers};
pub(crate) use predict::{predict_promote, unpinned_images};

use checks::{
    check_approved, check_known_images, check_proven, check_size, check_user_rules, check_variable_names,
    usable,
};

/// The goal of a promote, bound to a run.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// The user's request.
    pub(crate) promotion: Promotion,
    /// The production listener, if the user named a listener.
    pub(crate) listener: Option<ListenerChoice>,
    /// MinCapacity by role, if the config sets bounds.
    pub(crate) bounds: Option<Minima>,
    /// The scaling of both services, if the config manages scaling.
    pub(crate) managed: Option<Managed>,
    /// Limits of patience.
    pub(crate) limits: Limits,
    /// `on-cancel: restore`.
    pub(crate) restore_on_cancel: bool,
}

/// One phase of a promote.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// A change of traffic.
    Move(Box<traffic::Goal>),
    /// The color takes over the other color's task definition.
    Deploy(Box<deploy::Goal>, String),
}

/// The phases for this snapshot.
pub(crate) fn plan_phases(snapshot: &Snapshot, goal: &Goal) -> Result<Vec<Phase>, Blocker> {
    let color = goal.promotion.color;
    check_size(snapshot, goal)?;
    check_user_rules(snapshot, goal)?;
    match goal.promotion.mode {
        Mode::Swap => Ok(vec![Phase::Move(Box::new(traffic_goal(goal, color, true)))]),
        Mode::Copy => copy_phases(snapshot, goal, color),
    }
}

/// The phases of a copy to a color.
fn copy_phases(snapshot: &Snapshot, goal: &Goal, color: Color) -> Result<Vec<Phase>, Blocker> {
    let (tested, own) = (running_revision(snapshot, color.other())?, running_revision(snapshot, color)?);
    check_approved((color.other(), tested.0), goal)?;
    check_proven(tested.0)?;
    check_variable_names(&tested.1.content, &own.1.content, &goal.promotion.per_color)?;
    let content = copy_content(tested, &own.1.content, &goal.promotion.per_color);
    check_known_images((color.other(), tested.0, tested.1), &own.1.content, &content)?;
    usable(color.other(), &content)?;
    let mut last = traffic_goal(goal, color, true);
    if has_it(own.0, own.1, &content) {
        return Ok(vec![Phase::Move(Box::new(last))]);
    }
    let away = traffic_goal(goal, color.other(), false);
    let found = traffic_plan(snapshot, &away, Time::default()).ok();
    let least = found.as_ref().map_or(1, |found| found.load.targets);
    // If all users were on the color at the start, a cancelled run does not move users away again.
    last.restore_on_cancel &= found.is_none_or(|found| found.from.weight(color.other()) > 0);
    let deploy = deploy_goal(goal, content, (tested.1.tags.clone(), least));
    Ok(vec![
        Phase::Move(Box::new(away)),
        Phase::Deploy(Box::new(deploy), own.0.name.clone()),
        Phase::Move(Box::new(last)),
    ])
}

/// A color's service with the current revision.
fn running_revision(snapshot: &Snapshot, color: Color) -> Result<(&Service, &Revision), Blocker> {
    let missing = || {
        let services = vec![(color.into(), String::new())];
        Refusal::Missing { services, place: snapshot.place.clone() }
    };
    let service = snapshot.service(color).ok_or_else(missing)?;
    require_answer(&service.definition)?;
    require_answer(&service.tasks)?;
    match &service.definition {
        Some(Ok(revision)) => Ok((service, revision)),
        Some(Err(trouble)) => Err(trouble.into()),
        None => Err(missing().into()),
    }
}

/// True if a color already has the content, without a deployment under way or failed. A changed count is no deployment.
fn has_it(service: &Service, revision: &Revision, content: &Content) -> bool {
    let proven = service.primary().is_some_and(|primary| primary.rollout != Rollout::Failed);
    proven && in_flight(service) == InFlight::No && same_content(&revision.content, content)
}

/// Moves all users to a color. The last phase also settles capacity.
fn traffic_goal(goal: &Goal, color: Color, last: bool) -> traffic::Goal {
    let promotion = &goal.promotion;
    let approved = promotion.mode == Mode::Swap || color != promotion.color;
    let expect = promotion.expect.clone().filter(|_| approved);
    traffic::Goal {
        wish: traffic::TrafficRequest { to: Split::all_on(color), expect, ..promotion.traffic.clone() },
        listener: goal.listener.clone(),
        timeout: goal.limits.timeout,
        restore_on_cancel: goal.restore_on_cancel,
        finish: last.then_some(Finish {
            idle_count: promotion.idle_count,
            max_drain: promotion.max_drain,
            bounds: goal.bounds,
        }),
        has_next_phase: !last,
        managed: goal.managed,
    }
}

/// The deploy of the copied content, with tags of the tested revision and a minimum number of tasks: the tested color
/// may scale in before, and production must not shrink.
fn deploy_goal(goal: &Goal, content: Content, (tags, least): (Vec<(String, String)>, u32)) -> deploy::Goal {
    let color = goal.promotion.color;
    deploy::Goal {
        request: Request {
            color: WantedColor::Color(color.into()),
            allow_live: false,
            probes: Vec::new(),
            listener: goal.listener.clone(),
            hosts: Hosts::default(),
        },
        color: color.into(),
        force: false,
        content,
        revision: None,
        origin: Some(tags),
        desired: Some(DesiredCount::MatchAtLeast(least)),
        // The alarms are production's. The next change of traffic adds missing alarms before users arrive.
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
mod users_tests;
#[cfg(test)]
mod ways;
