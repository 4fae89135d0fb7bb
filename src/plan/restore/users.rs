//! Presence of users on a color, by one snapshot.

use crate::plan::color::Color;
use crate::plan::deploy::Goal;
use crate::plan::preconditions::{Blocker, require_answer};
use crate::plan::run::Run;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;
use crate::plan::wiring::{RoutingError, apart_of_snapshot};

/// Presence of users on the color that was deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Users {
    /// No production rule sends users to the color.
    Elsewhere,
    /// A production rule sends users to the color.
    Here,
    /// The rules were not read.
    Unseen,
    /// The rules are unreadable.
    Unknown(Blocker),
}

/// Finds the users of the color. Develop never has users. Rules with different splits, for example halfway through a
/// change of traffic, count one by one.
pub(in crate::plan) fn find_users(snapshot: &Snapshot, goal: &Goal) -> Users {
    if goal.color == Color::Develop {
        return Users::Elsewhere;
    }
    if snapshot.balancers.is_none() {
        return Users::Unseen;
    }
    let groups = snapshot.services.iter().filter(|service| service.color != Color::Develop);
    let parts =
        groups.map(|service| require_answer(&service.group)).chain([require_answer(&snapshot.balancers)]);
    if let Some(Err(hindrance)) = parts.into_iter().find(Result::is_err) {
        return Users::Unknown(hindrance);
    }
    if !snapshot.missing.is_empty() {
        let (services, place) = (snapshot.missing.clone(), snapshot.place.clone());
        return Users::Unknown(Refusal::Missing { services, place }.into());
    }
    match apart_of_snapshot(snapshot, goal.request.listener.as_ref()) {
        Some(Ok(wiring)) if wiring.is_live(goal.color) => Users::Here,
        Some(Ok(_)) => Users::Elsewhere,
        Some(Err(tangle)) => Users::Unknown(Refusal::RoutingError(tangle).into()),
        None => Users::Unknown(Refusal::RoutingError(RoutingError::NoProductionRule(Vec::new())).into()),
    }
}

/// Finds users that came since the run's change: a color that was live has more users than then.
pub(in crate::plan) fn find_newcomers(snapshot: &Snapshot, goal: &Goal, run: &Run) -> Users {
    let users = find_users(snapshot, goal);
    if users != Users::Here || !run.was_live {
        return users;
    }
    let wiring = apart_of_snapshot(snapshot, goal.request.listener.as_ref()).and_then(Result::ok);
    match wiring.is_some_and(|wiring| wiring.user_share(goal.color) > run.user_share) {
        true => Users::Here,
        false => Users::Elsewhere,
    }
}
