//! Whether users reach a color now, as far as one look tells.

use crate::plan::admit::{Hindrance, answered};
use crate::plan::color::Color;
use crate::plan::deploy::Goal;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;
use crate::plan::wiring::{Tangle, apart_of_snapshot};

/// Where users are, seen from the color that was deployed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Users {
    /// No production rule sends any there.
    Elsewhere,
    /// A production rule does.
    Here,
    /// This look did not read the rules.
    Unseen,
    /// It tried to.
    Unknown(Hindrance),
}

/// Where users are. Develop never gets any. Rules that hold different splits, as halfway through a change of traffic,
/// count one by one.
pub(in crate::plan) fn users(snapshot: &Snapshot, goal: &Goal) -> Users {
    if goal.color == Color::Develop {
        return Users::Elsewhere;
    }
    if snapshot.balancers.is_none() {
        return Users::Unseen;
    }
    let groups = snapshot.services.iter().filter(|service| service.color != Color::Develop);
    let parts = groups.map(|service| answered(&service.group)).chain([answered(&snapshot.balancers)]);
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
        Some(Err(tangle)) => Users::Unknown(Refusal::Tangle(tangle).into()),
        None => Users::Unknown(Refusal::Tangle(Tangle::NoProductionRule(Vec::new())).into()),
    }
}
