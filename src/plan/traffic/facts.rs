//! The facts about traffic in a snapshot, or the reason that facts are missing.

use super::capacity::{ColorCapacity, full_load};
use super::goal::Goal;
use crate::plan::aws_error::AwsResult;
use crate::plan::color::{Color, Split};
use crate::plan::own_targets::group_targets;
use crate::plan::preconditions::{Blocker, check_supported, require_answer};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::{Alarm, AlarmState, Seen, Service, Snapshot, Target};
use crate::plan::step::Refusal;
use crate::plan::wiring::{RoutingError, Wiring, adopting_of_snapshot, apart_of_snapshot};

/// The facts behind every decision on a change of traffic.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// The rules; their splits may differ.
    pub(crate) wiring: Wiring,
    /// Blue, then green.
    pub(crate) colors: [ColorCapacity; 2],
    /// The services of blue and green.
    pub(crate) services: [&'a Service; 2],
    /// The cluster's name.
    pub(crate) cluster: &'a str,
    /// The rollback alarms that exist.
    pub(crate) alarms: &'a [Alarm],
}

/// Reason that there are no facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FactsError {
    /// A part was not read.
    NeedsRead(ReadScope),
    /// A part is unreadable, or the change is forbidden.
    Blocker(Blocker),
}

impl<T: Into<Blocker>> From<T> for FactsError {
    fn from(hindrance: T) -> Self {
        FactsError::Blocker(hindrance.into())
    }
}

/// Reads the facts. Unreadable scaling does not block a forced run.
pub(crate) fn read_facts<'a>(snapshot: &'a Snapshot, goal: &Goal) -> Result<Facts<'a>, FactsError> {
    let missing: Vec<_> =
        snapshot.missing.iter().filter(|(color, _)| color.production().is_some()).cloned().collect();
    if !missing.is_empty() {
        return Err(Refusal::Missing { services: missing, place: snapshot.place.clone() }.into());
    }
    let (blue, green) =
        (supported_service(snapshot, Color::Blue, goal)?, supported_service(snapshot, Color::Green, goal)?);
    require_answer(&snapshot.balancers)?;
    let reading = if goal.wish.adopt { adopting_of_snapshot } else { apart_of_snapshot };
    let wiring = match reading(snapshot, goal.listener.as_ref()) {
        Some(Ok(wiring)) => wiring,
        Some(Err(tangle)) => return Err(Refusal::RoutingError(tangle).into()),
        None if snapshot.balancers.is_none() => return Err(FactsError::NeedsRead(ReadScope::TRAFFIC)),
        None => return Err(Refusal::RoutingError(RoutingError::NoProductionRule(Vec::new())).into()),
    };
    let alarms: &[Alarm] = if goal.wish.alarms.is_empty() { &[] } else { require_part(&snapshot.alarms)? };
    let colors = [color_facts(Color::Blue, blue, goal)?, color_facts(Color::Green, green, goal)?];
    Ok(Facts { wiring, colors, services: [blue, green], cluster: &snapshot.place.cluster, alarms })
}

/// Reads the facts of a look, if AWS answered the look.
pub(super) fn facts_of_look<'a>(seen: &'a AwsResult<Snapshot>, goal: &Goal) -> Result<Facts<'a>, FactsError> {
    read_facts(seen.as_ref()?, goal)
}

/// A color's service, if the action supports the service. To move users away from a color, nothing is required of the
/// color (invariant 21).
fn supported_service<'a>(
    snapshot: &'a Snapshot,
    color: Color,
    goal: &Goal,
) -> Result<&'a Service, FactsError> {
    let Some(service) = snapshot.service(color) else {
        let services = vec![(color.into(), String::new())];
        return Err(Refusal::Missing { services, place: snapshot.place.clone() }.into());
    };
    if goal.wish.to.is_live(color) {
        check_supported(service)?;
    }
    require_answer(&service.group)?;
    Ok(service)
}

/// Counts, health and scaling of a color.
fn color_facts(color: Color, service: &Service, goal: &Goal) -> Result<ColorCapacity, FactsError> {
    let targets = require_part(&service.targets)?;
    let (own, most): (Vec<&Target>, u32) = match group_targets(service) {
        Some(split) => (split.own.into_iter().map(|(_, target)| target).collect(), u32::MAX),
        // Without the tasks, the color's own targets are unknown: at most as many as tasks run. A forced run can't
        // wait, since users already get errors.
        None if goal.wish.force => (targets.iter().collect(), service.running),
        None => {
            require_part(&service.tasks)?;
            (Vec::new(), 0)
        }
    };
    let group = require_part(&service.group)?;
    let attributes = match &group.attributes {
        Some(Err(_)) if goal.wish.force => None,
        Some(Err(trouble)) => return Err(trouble.into()),
        Some(Ok(attributes)) => Some(attributes),
        None => None,
    };
    let scaling = match &service.scaling {
        Some(Err(_)) if goal.wish.force => None,
        scaling => *require_part(scaling)?,
    };
    let capacity = ColorCapacity::of((color, service), (&own, targets), attributes, scaling);
    Ok(ColorCapacity { healthy: capacity.healthy.min(most), ..capacity })
}

/// A part that must have been read.
fn require_part<T>(part: &Seen<T>) -> Result<&T, FactsError> {
    match part {
        Some(Ok(value)) => Ok(value),
        Some(Err(trouble)) => Err(trouble.into()),
        None => Err(FactsError::NeedsRead(ReadScope::TRAFFIC)),
    }
}

impl Facts<'_> {
    /// Counts, health and scaling of a color.
    pub(crate) fn capacity_of(&self, color: Color) -> &ColorCapacity {
        let [blue, green] = &self.colors;
        match color {
            Color::Blue => blue,
            Color::Green => green,
        }
    }

    /// A color's service.
    pub(crate) fn service(&self, color: Color) -> &Service {
        let [blue, green] = self.services;
        match color {
            Color::Blue => blue,
            Color::Green => green,
        }
    }

    /// True if every production rule holds this split.
    pub(crate) fn hold(&self, split: Split) -> bool {
        self.wiring.production.iter().all(|rule| rule.split.same_ratio(split))
    }

    /// The split of all rules that are not yet at `stage`; `None` if those rules hold several.
    pub(crate) fn base(&self, stage: Split) -> Option<Split> {
        let mut others = self.wiring.production.iter().filter(|rule| !rule.split.same_ratio(stage));
        let Some(first) = others.next() else { return Some(self.wiring.split()) };
        others.all(|rule| rule.split.same_ratio(first.split)).then_some(first.split)
    }

    /// Among the rules that are not yet at `stage`, the split that implies the largest load.
    pub(crate) fn heaviest(&self, stage: Split) -> Option<Split> {
        let others = self.wiring.production.iter().map(|rule| rule.split);
        others.filter(|split| !split.same_ratio(stage)).reduce(|one, two| {
            let (first, second) = (full_load(one, &self.colors), full_load(two, &self.colors));
            if first.or_smaller(second) == first { two } else { one }
        })
    }

    /// The alarms that fire, with AWS's reason.
    pub(crate) fn firing(&self) -> Vec<(String, String)> {
        let firing = self.alarms.iter().filter(|alarm| alarm.state == AlarmState::Firing);
        firing.map(|alarm| (alarm.name.clone(), alarm.reason.clone())).collect()
    }

    /// The alarms without data.
    pub(crate) fn no_data(&self) -> Vec<String> {
        let silent = self.alarms.iter().filter(|alarm| alarm.state == AlarmState::NoData);
        silent.map(|alarm| alarm.name.clone()).collect()
    }

    /// The requested alarms that do not exist.
    pub(crate) fn missing_alarms(&self, goal: &Goal) -> Vec<String> {
        let exists = |name: &String| self.alarms.iter().any(|alarm| alarm.name == *name);
        goal.wish.alarms.iter().filter(|name| !exists(name)).cloned().collect()
    }
}
