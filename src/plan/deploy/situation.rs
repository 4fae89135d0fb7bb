//! One look at the services and the rules: read once, for a deploy's memory and decision.

use super::Goal;
use crate::plan::color::ServiceColor;
use crate::plan::preconditions::{Blocker, require_answer};
use crate::plan::run::Run;
use crate::plan::scalers::Role;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::Refusal;
use crate::plan::verdict::{Kind, OwnDeployment};
use crate::plan::wiring::{RoutingError, Wired, Wiring, agreed_wiring, apart_of_snapshot};

/// The facts of one look.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    /// The look.
    pub(in crate::plan) snapshot: &'a Snapshot,
    /// The service of the color. None if the cluster has no such service.
    pub(in crate::plan) service: Option<&'a Service>,
    /// The wiring; the splits of its rules may differ.
    pub(in crate::plan) wired: Wired,
    /// The color.
    color: ServiceColor,
}

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

impl<'a> Situation<'a> {
    /// Reads the facts of a look.
    pub(crate) fn of(snapshot: &'a Snapshot, goal: &Goal) -> Situation<'a> {
        let wired = apart_of_snapshot(snapshot, goal.request.listener.as_ref());
        Situation { snapshot, service: snapshot.service(goal.color), wired, color: goal.color }
    }

    /// True if users are known to reach the color. Rules with different splits count one by one.
    pub(in crate::plan) fn is_live(&self) -> bool {
        let color = self.color.production();
        matches!((&self.wired, color), (Some(Ok(wiring)), Some(color)) if wiring.is_live(color))
    }

    /// The color's share of users, by `Wiring::user_share`. None if the wiring is unknown.
    pub(in crate::plan) fn user_share(&self) -> Option<u64> {
        let wiring = self.wired.as_ref()?.as_ref().ok()?;
        Some(self.color.production().map_or(0, |color| wiring.user_share(color)))
    }

    /// The wiring, if all rules hold the same split.
    pub(super) fn agreed(&self) -> Option<&Wiring> {
        agreed_wiring(&self.wired)?.ok()
    }

    /// The color's role for users; idle if the wiring is unknown.
    pub(super) fn role(&self) -> Role {
        match (self.color.production(), self.agreed()) {
            (None, _) => Role::Develop,
            (Some(color), Some(wiring)) if wiring.is_live(color) => Role::Live,
            (Some(_), Some(_) | None) => Role::Idle,
        }
    }

    /// Finds the users of the color. Develop never has users. Rules with different splits, for example halfway through
    /// a change of traffic, count one by one.
    pub(in crate::plan) fn users(&self) -> Users {
        let snapshot = self.snapshot;
        let Some(color) = self.color.production() else { return Users::Elsewhere };
        if snapshot.balancers.is_none() {
            return Users::Unseen;
        }
        let groups = snapshot.production().map(|(_, service)| require_answer(&service.group));
        let parts = groups.chain([require_answer(&snapshot.balancers)]);
        if let Some(Err(hindrance)) = parts.into_iter().find(Result::is_err) {
            return Users::Unknown(hindrance);
        }
        if !snapshot.missing.is_empty() {
            let (services, place) = (snapshot.missing.clone(), snapshot.place.clone());
            return Users::Unknown(Refusal::Missing { services, place }.into());
        }
        match &self.wired {
            Some(Ok(wiring)) if wiring.is_live(color) => Users::Here,
            Some(Ok(_)) => Users::Elsewhere,
            Some(Err(tangle)) => Users::Unknown(Refusal::RoutingError(tangle.clone()).into()),
            None => Users::Unknown(Refusal::RoutingError(RoutingError::NoProductionRule(Vec::new())).into()),
        }
    }

    /// Finds users that came since the run's change: a color that was live has more users than then.
    pub(in crate::plan) fn newcomers(&self, run: &Run) -> Users {
        let users = self.users();
        if users != Users::Here || !run.users.was_live {
            return users;
        }
        match self.user_share().is_some_and(|share| share > run.users.share) {
            true => Users::Here,
            false => Users::Elsewhere,
        }
    }

    /// True if a live color shows a smaller count than the run's change set, which is not known to be the work of
    /// automatic scaling. A deploy that changes nothing has no count of its own.
    pub(in crate::plan) fn is_cut(&self, service: &Service, awaited: &OwnDeployment) -> bool {
        let scales = match &service.scaling {
            Some(Ok(Some(target))) => target.min <= service.desired,
            Some(Err(_)) => true,
            Some(Ok(None)) | None => false,
        };
        let lower = awaited.seen && service.desired > 0 && service.desired < awaited.desired;
        lower && !scales && awaited.kind != Kind::Nothing && self.users() == Users::Here
    }
}
