//! Moves of users that are possible now, and problems with traffic.

use super::{Misscaled, WhyNot, known_value};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::own_targets::group_targets;
use crate::plan::snapshot::{Rollout, Scalable, Service, Snapshot};
use crate::plan::user_rules::UserRule;
use crate::plan::wiring::{RoutingError, Wiring};

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

/// The answer to a command that would move all users to a color now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Movable {
    /// The command.
    pub(crate) command: Move,
    /// The target color.
    pub(crate) color: Color,
    /// Ok if the command would start, or the reason against that.
    pub(crate) valid: Result<(), WhyNot>,
}

/// A problem with traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// A color has users and no healthy target.
    Dead {
        /// The color.
        color: Color,
        /// Share in percent; none if the rules disagree, or if users come by a rule outside the split.
        share: Option<u32>,
        /// Registered targets of the service's own tasks.
        registered: u32,
        /// Running tasks.
        running: u32,
        /// Desired count.
        desired: u32,
    },
    /// A rule of a production listener sends users to a color outside the split.
    UserRule(UserRule),
    /// A color has users, but scale-out or scheduled scaling is suspended.
    Suspended {
        /// The color.
        color: Color,
        /// The service.
        service: String,
        /// True if scale-out is suspended.
        out: bool,
        /// True if scheduled scaling is suspended.
        scheduled: bool,
    },
    /// A color has users, but lacks the scalable target that the config's `scaling` requires.
    NoTarget {
        /// The color.
        color: ServiceColor,
        /// The service.
        service: String,
    },
    /// A policy or an alarm of the action differs from the config's `scaling`.
    Scaler(Box<Misscaled>),
    /// Both colors have users, but one color's MaxCapacity is below its share of the largest MaxCapacity.
    Bounds {
        /// The color.
        color: Color,
        /// The color's share in percent.
        share: u32,
        /// The color's MaxCapacity.
        most: u32,
        /// The largest MaxCapacity.
        largest: u32,
        /// The color's share of `largest`, rounded up.
        needed: u32,
    },
    /// Targets in a color's group without a task of the service: such targets get requests for the color.
    Foreign {
        /// The color.
        color: ServiceColor,
        /// The service.
        service: String,
        /// The targets, each `ADDRESS:PORT`.
        targets: Vec<String>,
        /// True if the split sends users to these targets.
        has_users: bool,
    },
    /// Both colors have users, and one color may scale in.
    ScaleIn {
        /// The color.
        color: Color,
        /// The service.
        service: String,
    },
}

/// The answer to each command, for blue and for green.
pub(super) fn movable_colors(
    snapshot: &Snapshot,
    wired: Option<&Result<Wiring, RoutingError>>,
) -> Vec<Movable> {
    snapshot
        .production()
        .flat_map(|(color, service)| {
            let to = check_redirectable((color, service), wired);
            let promoted = match (to, wired) {
                (Err(WhyNot::AllThere), _) => check_healthy(service),
                (Ok(()), Some(Err(RoutingError::Disagree(_)))) => Err(WhyNot::Disagree),
                (to, _) => to,
            };
            [(Move::Redirect, to), (Move::Rollback, to), (Move::Promote, promoted)]
                .map(|(command, valid)| Movable { command, color, valid })
        })
        .collect()
}

/// Ok if all users can move to this color, which may also settle rules that disagree. A run scales up a color that is
/// too small, so only unhealthy tasks count here.
fn check_redirectable(
    (color, service): (Color, &Service),
    wired: Option<&Result<Wiring, RoutingError>>,
) -> Result<(), WhyNot> {
    let wiring = match wired {
        Some(Ok(wiring)) => wiring,
        Some(Err(RoutingError::Disagree(rules))) if !settles_disagreement(rules, color) => {
            return Err(WhyNot::Disagree);
        }
        Some(Err(RoutingError::Disagree(_))) => {
            return check_no_rollout(service).and_then(|()| check_can_serve(service));
        }
        Some(Err(_)) | None => return Err(WhyNot::Unread),
    };
    let lacks = wiring.production.iter().any(|rule| rule.lacks == Some(color));
    let split = wiring.split();
    if split.weight(color) == split.blue + split.green {
        return Err(WhyNot::AllThere);
    }
    if lacks {
        return Err(WhyNot::NotAdopted);
    }
    check_no_rollout(service).and_then(|()| check_can_serve(service))
}

/// True if all users on this color settle rules that disagree, without force: a rule already holds that split, or the
/// rules hold more than two splits.
fn settles_disagreement(rules: &[(String, Split)], color: Color) -> bool {
    let mut apart: Vec<Split> = Vec::new();
    for (_, split) in rules {
        if !apart.iter().any(|known| known.same_ratio(*split)) {
            apart.push(*split);
        }
    }
    apart.len() > 2 || apart.iter().any(|split| split.weight(color) == split.blue + split.green)
}

/// Ok if no deployment is replacing the service's tasks.
fn check_no_rollout(service: &Service) -> Result<(), WhyNot> {
    let older = service.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    match service.primary().map(|deployment| deployment.rollout) {
        Some(Rollout::InProgress | Rollout::Unknown) if older => Err(WhyNot::InFlight),
        Some(_) | None => Ok(()),
    }
}

/// Ok if the color has a healthy target, or one is starting.
fn check_can_serve(service: &Service) -> Result<(), WhyNot> {
    let Some(targets) = group_targets(service) else { return Err(WhyNot::Unread) };
    let any = |state: &str| targets.own.iter().any(|(_, target)| target.state == state);
    let coming = service.pending > 0 || service.running < service.desired || any("initial");
    if service.desired > 0 && !coming && !any("healthy") { Err(WhyNot::NoneHealthy) } else { Ok(()) }
}

/// Ok if the color has a healthy target for its users.
fn check_healthy(service: &Service) -> Result<(), WhyNot> {
    let Some(targets) = group_targets(service) else { return Err(WhyNot::Unread) };
    if targets.healthy() > 0 { Ok(()) } else { Err(WhyNot::NoneHealthy) }
}

/// The problems: first users without a healthy target, then scaling that can't grow. While both colors have users, also
/// bounds that are too small or allow scale-in (invariants 16 and 19).
pub(super) fn find_drift(snapshot: &Snapshot, wiring: Option<&Wiring>) -> Vec<Drift> {
    let Some(wiring) = wiring else { return Vec::new() };
    let live: Vec<(Color, &Service)> =
        snapshot.production().filter(|(color, _)| wiring.is_live(*color)).collect();
    let mut found: Vec<Drift> = live.iter().filter_map(|of| unserved_drift(*of, wiring)).collect();
    found.extend(wiring.user_rules.iter().cloned().map(Drift::UserRule));
    found.extend(live.iter().filter_map(|of| suspended_drift(*of)));
    found.extend(split_drift(&live, wiring));
    found
}

/// Users without a healthy target.
fn unserved_drift((color, service): (Color, &Service), wiring: &Wiring) -> Option<Drift> {
    let targets = group_targets(service)?;
    let agree = wiring.production.iter().all(|rule| rule.split.same_ratio(wiring.split()));
    let agree = agree && wiring.split().is_live(color);
    (targets.healthy() == 0).then(|| Drift::Dead {
        color,
        share: agree.then_some(wiring.split().share(color)),
        registered: u32::try_from(targets.own.len()).unwrap_or(u32::MAX),
        running: service.running,
        desired: service.desired,
    })
}

/// Suspended scaling of a color with users.
fn suspended_drift((color, service): (Color, &Service)) -> Option<Drift> {
    let scaling = (*known_value(&service.scaling)?)?;
    let (out, scheduled) = (scaling.out_suspended, scaling.scheduled_suspended);
    let service = service.name.clone();
    (out || scheduled).then_some(Drift::Suspended { color, service, out, scheduled })
}

/// Problems while all rules hold a split between both colors.
fn split_drift(live: &[(Color, &Service)], wiring: &Wiring) -> Vec<Drift> {
    let split = wiring.split();
    let agree = wiring.production.iter().all(|rule| rule.split.same_ratio(split));
    if !agree || split.blue == 0 || split.green == 0 {
        return Vec::new();
    }
    let scaled: Vec<((Color, &Service), Scalable)> =
        live.iter().filter_map(|of| Some((*of, (*known_value(&of.1.scaling)?)?))).collect();
    let largest = scaled.iter().map(|(_, scaling)| scaling.max).max().unwrap_or_default();
    let sum = u64::from(split.blue + split.green);
    let bounds = scaled.iter().filter_map(|((color, _), scaling)| {
        let share = u64::from(split.weight(*color)) * u64::from(largest);
        let needed = u32::try_from(share.div_ceil(sum)).unwrap_or(u32::MAX);
        (scaling.max < needed).then_some(Drift::Bounds {
            color: *color,
            share: split.share(*color),
            most: scaling.max,
            largest,
            needed,
        })
    });
    let open = scaled
        .iter()
        .filter(|(_, scaling)| !scaling.in_suspended)
        .map(|((color, service), _)| Drift::ScaleIn { color: *color, service: service.name.clone() });
    bounds.chain(open).collect()
}
