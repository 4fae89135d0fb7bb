//! The overview of both colors and develop for people. Reads a snapshot, and lists the parts that could not be read.

mod moves;
mod scaling;

use super::aws_error::{AwsError, AwsResult};
use super::color::{Color, ServiceColor, Split};
use super::compare::Comparison;
use super::definition::image_of;
use super::in_flight::{InFlight, in_flight};
use super::own_targets::{ForeignTargets, group_targets};
use super::snapshot::{Place, Rollout, Scalable, Seen, Service, Snapshot, Task};
use super::wanted::{Hosts, ListenerChoice};
use super::wiring::{RoutingError, Wiring, apart_of_snapshot, of_snapshot, rule_name};

pub(crate) use moves::{Drift, Movable, Move};
pub(crate) use scaling::{Misscaled, find_scaling_drift};

/// The overview of everything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Overview {
    /// The place of the services.
    pub(crate) place: Place,
    /// The split of users, or the reason that the split is unknown. None if the rules could not be read.
    pub(crate) split: Option<Result<Split, RoutingError>>,
    /// The production rules by name, each with its split.
    pub(crate) rules: Vec<(String, Split)>,
    /// The colors that get users by rules outside the split.
    pub(crate) outside: Vec<Color>,
    /// The URL of production.
    pub(crate) production_url: Option<String>,
    /// Each existing color: blue, green and develop.
    pub(crate) colors: Vec<ColorView>,
    /// Services that were not found.
    pub(crate) missing: Vec<(ServiceColor, String)>,
    /// The parts that could not be read.
    pub(crate) unread: Vec<AwsError>,
    /// The answer that a deploy to each color would get now.
    pub(crate) deployable: Vec<(ServiceColor, Result<(), WhyNot>)>,
    /// The answer that a command to move all users to a color would get now.
    pub(crate) movable: Vec<Movable>,
    /// Differences between the expected and the actual traffic setup.
    pub(crate) drift: Vec<Drift>,
    /// The colors compared. None without a comparison.
    pub(crate) compared: Option<AwsResult<Comparison>>,
}

impl Overview {
    /// The common split of all production rules. None if the rules differ or were not read.
    pub(crate) fn known_split(&self) -> Option<Split> {
        self.split.as_ref()?.as_ref().ok().copied()
    }

    /// True if users reach a color: by this split (without one, by any production rule), or by a rule outside the split
    /// (invariant 39).
    pub(crate) fn is_live(&self, color: Color, split: Option<Split>) -> bool {
        let by_rule = || self.rules.iter().any(|(_, split)| split.is_live(color));
        split.map_or_else(by_rule, |split| split.is_live(color)) || self.outside.contains(&color)
    }

    /// The colors that can have users.
    pub(crate) fn production(&self) -> impl Iterator<Item = (Color, &ColorView)> {
        self.colors.iter().filter_map(|view| Some((view.color.production()?, view)))
    }

    /// Adds the targets that belong to no task of a color's service.
    pub(crate) fn with_foreign(mut self, foreign: &ForeignTargets) -> Overview {
        for view in &mut self.colors {
            view.foreign = foreign.of(view.color);
            if !view.foreign.is_empty() {
                self.drift.push(Drift::Foreign {
                    color: view.color,
                    service: view.service.clone(),
                    targets: view.foreign.clone(),
                    has_users: view.percent.is_some_and(|percent| percent > 0),
                });
            }
        }
        self
    }

    /// Adds facts from an earlier look that this look did not read: develop, and the content of each task definition
    /// that is still current.
    pub(crate) fn with_rest_of(mut self, earlier: &Overview) -> Overview {
        let is = |color: ServiceColor| color == ServiceColor::Develop;
        let known = self.colors.iter().any(|view| is(view.color));
        if !known && !self.missing.iter().any(|(color, _)| is(*color)) {
            self.colors.extend(earlier.colors.iter().filter(|view| is(view.color)).cloned());
            self.deployable.extend(earlier.deployable.iter().filter(|(color, _)| is(*color)));
            self.missing.extend(earlier.missing.iter().filter(|(color, _)| is(*color)).cloned());
        }
        for view in &mut self.colors {
            let same = |before: &&ColorView| before.color == view.color && before.revision == view.revision;
            let Some(before) = earlier.colors.iter().find(same) else { continue };
            view.image = view.image.take().or_else(|| before.image.clone());
            view.commit = view.commit.take().or_else(|| before.commit.clone());
        }
        self
    }
}

/// One color.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColorView {
    /// The color.
    pub(crate) color: ServiceColor,
    /// The service's name.
    pub(crate) service: String,
    /// The service's current `family:revision`.
    pub(crate) revision: String,
    /// The same as an ARN.
    pub(crate) task_definition: String,
    /// `family:revision` of the running tasks, if no task runs the service's current revision.
    pub(crate) runs: Option<String>,
    /// The image of the container with traffic, as written in the running task definition.
    pub(crate) image: Option<String>,
    /// The image digests of the running tasks, `sha256:…`, without duplicates.
    pub(crate) digests: Vec<String>,
    /// The commit in the revision's tags. None if another revision runs.
    pub(crate) commit: Option<String>,
    /// Running tasks.
    pub(crate) running: u32,
    /// Desired count.
    pub(crate) desired: u32,
    /// Healthy and registered targets, without foreign targets. None if the read of targets or tasks failed.
    pub(crate) healthy: Option<(u32, u32)>,
    /// Targets in the group that belong to no task of the service, each `ADDRESS:PORT`.
    pub(crate) foreign: Vec<String>,
    /// Share of users in percent. None for develop, or if the rules could not be read.
    pub(crate) percent: Option<u32>,
    /// The URL for tests of this color.
    pub(crate) test_url: Option<String>,
    /// The state of the newest deployment.
    pub(crate) rollout: Option<Rollout>,
    /// The scalable target, if there is one and the read succeeded.
    pub(crate) scaling: Option<Scalable>,
}

/// Reason that a command is not valid for a color now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhyNot {
    /// The color is live.
    Live,
    /// A deployment is in progress.
    InFlight,
    /// It is unknown if a deployment is in progress: the service deployments were not read.
    RolloutUnknown,
    /// Users of the color are unknown.
    Unknown,
    /// All users are already on the color.
    AllThere,
    /// The production rules hold different splits.
    Disagree,
    /// The production rules, or the color's targets, could not be read.
    Unread,
    /// A production rule lacks the color's target group.
    NotAdopted,
    /// The color has tasks, and no task is healthy or starting.
    NoneHealthy,
}

/// Tag of a revision that holds the commit. For display only.
pub(crate) const COMMIT_TAG: &str = "blue-green:commit";

/// The commit in the tags of a revision.
pub(crate) fn tagged_commit(tags: &[(String, String)]) -> Option<String> {
    tags.iter().find(|(key, _)| key == COMMIT_TAG).map(|(_, value)| value.clone())
}

/// Makes the overview.
pub(crate) fn build_overview(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
    hosts: &Hosts,
) -> Overview {
    let wired = of_snapshot(snapshot, listener);
    let wiring = wired.as_ref().and_then(|wired| wired.as_ref().ok());
    let apart = apart_of_snapshot(snapshot, listener);
    let apart = apart.as_ref().and_then(known_wiring);
    let outside = |color: &Color| apart.is_some_and(|wiring| !wiring.user_rules_of(*color).is_empty());
    Overview {
        outside: Color::BOTH.into_iter().filter(outside).collect(),
        place: snapshot.place.clone(),
        split: wired.as_ref().map(|wired| wired.as_ref().map(Wiring::split).map_err(Clone::clone)),
        rules: rule_splits(wired.as_ref()),
        production_url: wiring
            .and_then(|wiring| wiring.production_address(hosts))
            .map(|address| address.url()),
        colors: snapshot.services.iter().map(|service| color_view(service, (wiring, hosts))).collect(),
        missing: snapshot.missing.clone(),
        unread: unread_parts(snapshot),
        deployable: snapshot
            .services
            .iter()
            .map(|service| (service.color, check_deployable(service, wiring)))
            .collect(),
        movable: moves::movable_colors(snapshot, wired.as_ref()),
        drift: moves::find_drift(snapshot, apart),
        compared: None,
    }
}

/// Each trouble once. Two colors that lack one permission are two lines. The same line appears once.
pub(crate) fn unread_parts(snapshot: &Snapshot) -> Vec<AwsError> {
    let mut all: Vec<AwsError> = Vec::new();
    for trouble in snapshot.troubles() {
        if !all.iter().any(|known| known.action == trouble.action && known.resource == trouble.resource) {
            all.push(trouble.clone());
        }
    }
    all
}

/// The production rules with the split of each, even if the splits disagree.
fn rule_splits(wired: Option<&Result<Wiring, RoutingError>>) -> Vec<(String, Split)> {
    match wired {
        Some(Ok(wiring)) => {
            wiring.production.iter().map(|rule| (rule_name(&rule.rule), rule.split)).collect()
        }
        Some(Err(RoutingError::Disagree(rules))) => rules.clone(),
        Some(Err(_)) | None => Vec::new(),
    }
}

/// The wiring, if blue and green could be identified. The rules may disagree.
fn known_wiring(read: &Result<Wiring, RoutingError>) -> Option<&Wiring> {
    read.as_ref().ok()
}

/// The value of a part, if the read succeeded.
fn known_value<T>(part: &Seen<T>) -> Option<&T> {
    part.as_ref().and_then(|read| read.as_ref().ok())
}

/// One color's view.
fn color_view(service: &Service, (wiring, hosts): (Option<&Wiring>, &Hosts)) -> ColorView {
    let link = service.setup.links.first();
    let older = older_task(service);
    let definition = known_value(&service.definition).filter(|_| older.is_none());
    let wanted =
        definition.zip(link).and_then(|(revision, link)| image_of(&revision.content, &link.container));
    let runs = |task: &Task| {
        let container =
            task.containers.iter().find(|one| link.is_some_and(|link| link.container == one.name));
        container.map(|container| container.image.clone()).filter(|image| !image.is_empty())
    };
    ColorView {
        color: service.color,
        service: service.name.clone(),
        revision: revision_name(&service.task_definition),
        task_definition: service.task_definition.clone(),
        runs: older.map(|task| revision_name(&task.task_definition)),
        image: older.map_or(wanted, runs),
        digests: running_digests(service),
        commit: definition.and_then(|revision| tagged_commit(&revision.tags)),
        running: service.running,
        desired: service.desired,
        healthy: known_value(&service.targets).zip(group_targets(service)).map(|(all, targets)| {
            let registered = u32::try_from(all.len() - targets.foreign.len());
            (targets.healthy(), registered.unwrap_or(u32::MAX))
        }),
        foreign: Vec::new(),
        percent: wiring.zip(service.color.production()).map(|(wiring, color)| wiring.split().share(color)),
        test_url: wiring
            .and_then(|wiring| wiring.test_address(service.color, hosts))
            .map(|address| address.url()),
        rollout: rollout_state(service),
        scaling: known_value(&service.scaling).copied().flatten(),
    }
}

/// `family:revision` of an ARN.
fn revision_name(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A running task of another task definition, if no task runs the service's current task definition, as after a failed
/// deployment.
fn older_task(service: &Service) -> Option<&Task> {
    let mut running = known_value(&service.tasks)?.iter().filter(|task| task.status == "RUNNING");
    let first = running.clone().next()?;
    let wanted = running.any(|task| task.task_definition == service.task_definition);
    if wanted { None } else { Some(first) }
}

/// The image digests of the containers with traffic, from tasks of the displayed task definition.
fn running_digests(service: &Service) -> Vec<String> {
    let Some(link) = service.setup.links.first() else { return Vec::new() };
    let shown = older_task(service).map_or(&service.task_definition, |task| &task.task_definition);
    let tasks = known_value(&service.tasks).into_iter().flatten();
    let tasks = tasks.filter(|task| task.task_definition == *shown);
    let containers =
        tasks.flat_map(|task| &task.containers).filter(|container| container.name == link.container);
    let mut all: Vec<String> = containers.filter_map(|container| container.digest.clone()).collect();
    all.sort();
    all.dedup();
    all
}

/// The answer that a deploy to this color would get now.
fn check_deployable(service: &Service, wiring: Option<&Wiring>) -> Result<(), WhyNot> {
    let live = match (service.color.production(), wiring) {
        (None, _) => false,
        (Some(_), None) => return Err(WhyNot::Unknown),
        (Some(color), Some(wiring)) => wiring.is_live(color),
    };
    if live {
        return Err(WhyNot::Live);
    }
    match in_flight(service) {
        InFlight::No => Ok(()),
        InFlight::Yes(_) => Err(WhyNot::InFlight),
        InFlight::Unseen | InFlight::Unread(_) => Err(WhyNot::RolloutUnknown),
    }
}

/// The state of the newest deployment. A change of the count alone is reported as completed, whatever state AWS gives.
/// None if the missing service deployments would tell such a change from a deployment.
fn rollout_state(service: &Service) -> Option<Rollout> {
    let state = service.primary()?.rollout;
    match in_flight(service) {
        InFlight::No if state == Rollout::InProgress => Some(Rollout::Completed),
        InFlight::No | InFlight::Yes(_) => Some(state),
        InFlight::Unseen | InFlight::Unread(_) => None,
    }
}

/// True if the service deployments are needed, and were not read, to tell a deployment from a change of the count.
pub(crate) fn needs_history(snapshot: &Snapshot) -> bool {
    snapshot.services.iter().any(|service| in_flight(service) == InFlight::Unseen)
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
