//! What a snapshot says about traffic, or what keeps it from being said.

use super::capacity::{Force, full_load};
use super::goal::Goal;
use crate::plan::admit::{Hindrance, answered, supported};
use crate::plan::color::{Color, Split};
use crate::plan::look::Look;
use crate::plan::own_targets::group_targets;
use crate::plan::snapshot::{Alarm, AlarmState, Seen, Service, Snapshot, Target};
use crate::plan::step::Refusal;
use crate::plan::wiring::{Tangle, Wiring, adopting_of_snapshot, apart_of_snapshot};

/// The facts that a change of traffic is decided by.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// The rules; they need not agree.
    pub(crate) wiring: Wiring,
    /// Blue, then green.
    pub(crate) colors: [Force; 2],
    /// Their services.
    pub(crate) services: [&'a Service; 2],
    /// The cluster's name.
    pub(crate) cluster: &'a str,
    /// The rollback alarms that exist.
    pub(crate) alarms: &'a [Alarm],
}

/// Why there are no facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lacking {
    /// A part was not looked at.
    Look(Look),
    /// It can't be read, or it must not be done.
    Hindrance(Hindrance),
}

impl<T: Into<Hindrance>> From<T> for Lacking {
    fn from(hindrance: T) -> Self {
        Lacking::Hindrance(hindrance.into())
    }
}

/// Reads the facts. Scaling that can't be read is no hindrance to a forced run.
pub(crate) fn facts<'a>(snapshot: &'a Snapshot, goal: &Goal) -> Result<Facts<'a>, Lacking> {
    let missing: Vec<_> =
        snapshot.missing.iter().filter(|(color, _)| *color != Color::Develop).cloned().collect();
    if !missing.is_empty() {
        return Err(Refusal::Missing { services: missing, place: snapshot.place.clone() }.into());
    }
    let (blue, green) = (service(snapshot, Color::Blue, goal)?, service(snapshot, Color::Green, goal)?);
    answered(&snapshot.balancers)?;
    let reading = if goal.wish.adopt { adopting_of_snapshot } else { apart_of_snapshot };
    let wiring = match reading(snapshot, goal.listener.as_ref()) {
        Some(Ok(wiring)) => wiring,
        Some(Err(tangle)) => return Err(Refusal::Tangle(tangle).into()),
        None if snapshot.balancers.is_none() => return Err(Lacking::Look(Look::TRAFFIC)),
        None => return Err(Refusal::Tangle(Tangle::NoProductionRule(Vec::new())).into()),
    };
    let alarms: &[Alarm] = if goal.wish.alarms.is_empty() { &[] } else { part(&snapshot.alarms)? };
    let colors = [color(blue, goal)?, color(green, goal)?];
    Ok(Facts { wiring, colors, services: [blue, green], cluster: &snapshot.place.cluster, alarms })
}

/// A color's service, which has to be one that is handled. Leaving a color requires nothing of it (invariant 21).
fn service<'a>(snapshot: &'a Snapshot, color: Color, goal: &Goal) -> Result<&'a Service, Lacking> {
    let Some(service) = snapshot.service(color) else {
        let services = vec![(color, String::new())];
        return Err(Refusal::Missing { services, place: snapshot.place.clone() }.into());
    };
    if goal.wish.to.is_live(color) {
        supported(service)?;
    }
    answered(&service.group)?;
    Ok(service)
}

/// What counts of a color.
fn color(service: &Service, goal: &Goal) -> Result<Force, Lacking> {
    let targets = part(&service.targets)?;
    let own: Vec<&Target> = match group_targets(service) {
        Some(split) => split.own.into_iter().map(|(_, target)| target).collect(),
        // Without the tasks it is unknown which targets are the color's own. Users who fail now can't wait for it.
        None if goal.wish.force => targets.iter().collect(),
        None => {
            part(&service.tasks)?;
            Vec::new()
        }
    };
    let group = part(&service.group)?;
    let attributes = match &group.attributes {
        Some(Err(_)) if goal.wish.force => None,
        Some(Err(trouble)) => return Err(trouble.into()),
        Some(Ok(attributes)) => Some(attributes),
        None => None,
    };
    let scaling = match &service.scaling {
        Some(Err(_)) if goal.wish.force => None,
        scaling => *part(scaling)?,
    };
    Ok(Force::of(service, (&own, targets), attributes, scaling))
}

/// A part that has to be there.
fn part<T>(part: &Seen<T>) -> Result<&T, Lacking> {
    match part {
        Some(Ok(value)) => Ok(value),
        Some(Err(trouble)) => Err(trouble.into()),
        None => Err(Lacking::Look(Look::TRAFFIC)),
    }
}

impl Facts<'_> {
    /// What counts of a color; develop has nothing here.
    pub(crate) fn force(&self, color: Color) -> &Force {
        let [blue, green] = &self.colors;
        if color == Color::Green { green } else { blue }
    }

    /// A color's service.
    pub(crate) fn service(&self, color: Color) -> &Service {
        let [blue, green] = self.services;
        if color == Color::Green { green } else { blue }
    }

    /// Whether every production rule holds this split.
    pub(crate) fn hold(&self, split: Split) -> bool {
        self.wiring.production.iter().all(|rule| rule.split.same_ratio(split))
    }

    /// The split that all rules hold which are not yet at `stage`; `None`: they hold several.
    pub(crate) fn base(&self, stage: Split) -> Option<Split> {
        let mut others = self.wiring.production.iter().filter(|rule| !rule.split.same_ratio(stage));
        let Some(first) = others.next() else { return Some(self.wiring.split()) };
        others.all(|rule| rule.split.same_ratio(first.split)).then_some(first.split)
    }

    /// Of the splits that rules hold which are not yet at `stage`, the one that tells of the largest load.
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

    /// The alarms that were asked for and do not exist.
    pub(crate) fn missing_alarms(&self, goal: &Goal) -> Vec<String> {
        let exists = |name: &String| self.alarms.iter().any(|alarm| alarm.name == *name);
        goal.wish.alarms.iter().filter(|name| !exists(name)).cloned().collect()
    }
}
