//! Whether users can be moved to a color now, and what about traffic is not as it should be.

use super::{Misscaled, WhyNot, known};
use crate::plan::color::{Color, Split};
use crate::plan::own_targets::group_targets;
use crate::plan::snapshot::{Rollout, Scalable, Service, Snapshot};
use crate::plan::user_rules::UserRule;
use crate::plan::wiring::{Tangle, Wiring};

/// The commands that move users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// `redirect-traffic`.
    Redirect,
    /// `rollback`.
    Rollback,
    /// `promote`.
    Promote,
}

/// What a command that moves all users to a color would be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Movable {
    /// The command.
    pub(crate) command: Move,
    /// Where to.
    pub(crate) color: Color,
    /// Whether it would be begun.
    pub(crate) valid: Result<(), WhyNot>,
}

/// Something about traffic that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// A color has users, and nobody there to serve them.
    Dead {
        /// The color.
        color: Color,
        /// Its share in percent; none if the rules disagree, or if a rule outside the split sends them.
        share: Option<u32>,
        /// Registered targets of its own tasks.
        registered: u32,
        /// Running tasks.
        running: u32,
        /// Desired count.
        desired: u32,
    },
    /// A rule of a production listener sends users to a color outside the split.
    UserRule(UserRule),
    /// A color has users, and can't scale out, or not as it is scheduled.
    Suspended {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
        /// Whether scale-out is suspended.
        out: bool,
        /// Whether scheduled scaling is.
        scheduled: bool,
    },
    /// A color has users, and not the scalable target that the config's `scaling` asks for.
    NoTarget {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
    },
    /// A policy or an alarm of ours is not what the config's `scaling` asks for.
    Scaler(Box<Misscaled>),
    /// Both colors serve users, and one can't grow to its share of what the largest can grow to.
    Bounds {
        /// The color.
        color: Color,
        /// Its share in percent.
        share: u32,
        /// Its MaxCapacity.
        most: u32,
        /// The largest MaxCapacity.
        largest: u32,
        /// Its share of that, rounded up.
        needed: u32,
    },
    /// Targets in a color's group that no task of its service is behind: they get the color's requests.
    Foreign {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
        /// The targets, each `ADDRESS:PORT`.
        targets: Vec<String>,
        /// Whether users get to them by the split.
        has_users: bool,
    },
    /// Both colors serve users, and one may scale in.
    ScaleIn {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
    },
}

/// What each command is told for blue and for green.
pub(super) fn movable(snapshot: &Snapshot, wired: Option<&Result<Wiring, Tangle>>) -> Vec<Movable> {
    let colors = snapshot.services.iter().filter(|service| service.color != Color::Develop);
    colors
        .flat_map(|service| {
            let to = redirectable(service, wired);
            let promoted = match (to, wired) {
                (Err(WhyNot::AllThere), _) => alive(service),
                (Ok(()), Some(Err(Tangle::Disagree(_)))) => Err(WhyNot::Disagree),
                (to, _) => to,
            };
            [(Move::Redirect, to), (Move::Rollback, to), (Move::Promote, promoted)]
                .map(|(command, valid)| Movable { command, color: service.color, valid })
        })
        .collect()
}

/// Whether all users can be moved to this color: by that, rules that disagree can be settled, too. A run scales up what is
/// too small, so only what does not run well counts.
fn redirectable(service: &Service, wired: Option<&Result<Wiring, Tangle>>) -> Result<(), WhyNot> {
    let wiring = match wired {
        Some(Ok(wiring)) => wiring,
        Some(Err(Tangle::Disagree(rules))) if !settles(rules, service.color) => return Err(WhyNot::Disagree),
        Some(Err(Tangle::Disagree(_))) => return still(service).and_then(|()| served(service)),
        Some(Err(_)) | None => return Err(WhyNot::Unread),
    };
    let lacks = wiring.production.iter().any(|rule| rule.lacks == Some(service.color));
    let split = wiring.split();
    if split.weight(service.color) == split.blue + split.green {
        return Err(WhyNot::AllThere);
    }
    if lacks {
        return Err(WhyNot::NotAdopted);
    }
    still(service).and_then(|()| served(service))
}

/// Whether all users at this color settle rules that disagree, without force: one of two splits is that, or they are
/// more than two.
fn settles(rules: &[(String, Split)], color: Color) -> bool {
    let mut apart: Vec<Split> = Vec::new();
    for (_, split) in rules {
        if !apart.iter().any(|known| known.same_ratio(*split)) {
            apart.push(*split);
        }
    }
    apart.len() > 2 || apart.iter().any(|split| split.weight(color) == split.blue + split.green)
}

/// Whether no deployment replaces its tasks now.
fn still(service: &Service) -> Result<(), WhyNot> {
    let older = service.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    match service.primary().map(|deployment| deployment.rollout) {
        Some(Rollout::InProgress | Rollout::Unknown) if older => Err(WhyNot::InFlight),
        Some(_) | None => Ok(()),
    }
}

/// Whether somebody can serve users there, or is on the way.
fn served(service: &Service) -> Result<(), WhyNot> {
    let Some(targets) = group_targets(service) else { return Err(WhyNot::Unread) };
    let any = |state: &str| targets.own.iter().any(|(_, target)| target.state == state);
    let coming = service.pending > 0 || service.running < service.desired || any("initial");
    if service.desired > 0 && !coming && !any("healthy") { Err(WhyNot::NoneHealthy) } else { Ok(()) }
}

/// Whether somebody serves the users who are there.
fn alive(service: &Service) -> Result<(), WhyNot> {
    let Some(targets) = group_targets(service) else { return Err(WhyNot::Unread) };
    if targets.healthy() > 0 { Ok(()) } else { Err(WhyNot::NoneHealthy) }
}

/// What is not as it should be: first of all users whom nobody serves, then what can't grow, and while both colors serve
/// users what is too small or can shrink (invariants 16 and 19).
pub(super) fn drift(snapshot: &Snapshot, wiring: Option<&Wiring>) -> Vec<Drift> {
    let Some(wiring) = wiring else { return Vec::new() };
    let live: Vec<&Service> =
        snapshot.services.iter().filter(|service| wiring.is_live(service.color)).collect();
    let mut found: Vec<Drift> = live.iter().filter_map(|service| dead(service, wiring)).collect();
    found.extend(wiring.user_rules.iter().cloned().map(Drift::UserRule));
    found.extend(live.iter().filter_map(|service| suspended(service)));
    found.extend(held(&live, wiring));
    found
}

/// Users whom nobody serves.
fn dead(service: &Service, wiring: &Wiring) -> Option<Drift> {
    let targets = group_targets(service)?;
    let (blue, green) = wiring.split().percent();
    let agree = wiring.production.iter().all(|rule| rule.split.same_ratio(wiring.split()));
    let agree = agree && wiring.split().is_live(service.color);
    (targets.healthy() == 0).then(|| Drift::Dead {
        color: service.color,
        share: agree.then_some(if service.color == Color::Blue { blue } else { green }),
        registered: u32::try_from(targets.own.len()).unwrap_or(u32::MAX),
        running: service.running,
        desired: service.desired,
    })
}

/// Scaling that somebody suspended under users.
fn suspended(service: &Service) -> Option<Drift> {
    let scaling = (*known(&service.scaling)?)?;
    let (out, scheduled) = (scaling.out_suspended, scaling.scheduled_suspended);
    let (color, service) = (service.color, service.name.clone());
    (out || scheduled).then_some(Drift::Suspended { color, service, out, scheduled })
}

/// What is not as it should be while all rules hold a split.
fn held(live: &[&Service], wiring: &Wiring) -> Vec<Drift> {
    let split = wiring.split();
    let agree = wiring.production.iter().all(|rule| rule.split.same_ratio(split));
    if !agree || split.blue == 0 || split.green == 0 {
        return Vec::new();
    }
    let scaled: Vec<(&Service, Scalable)> =
        live.iter().filter_map(|service| Some((*service, (*known(&service.scaling)?)?))).collect();
    let largest = scaled.iter().map(|(_, scaling)| scaling.max).max().unwrap_or_default();
    let (blue, green) = split.percent();
    let sum = u64::from(split.blue + split.green);
    let bounds = scaled.iter().filter_map(|(service, scaling)| {
        let share = u64::from(split.weight(service.color)) * u64::from(largest);
        let needed = u32::try_from(share.div_ceil(sum)).unwrap_or(u32::MAX);
        (scaling.max < needed).then_some(Drift::Bounds {
            color: service.color,
            share: if service.color == Color::Blue { blue } else { green },
            most: scaling.max,
            largest,
            needed,
        })
    });
    let open = scaled
        .iter()
        .filter(|(_, scaling)| !scaling.in_suspended)
        .map(|(service, _)| Drift::ScaleIn { color: service.color, service: service.name.clone() });
    bounds.chain(open).collect()
}
