//! What a person wants to see of both colors and develop: reads a snapshot, names what could not be read.

mod moves;
mod scaling;

use super::color::{Color, Split};
use super::definition::image_of;
use super::in_flight::{InFlight, in_flight};
use super::own_targets::{ForeignTargets, group_targets};
use super::snapshot::{Place, Rollout, Scalable, Seen, Service, Snapshot, Task};
use super::trouble::Trouble;
use super::wanted::{Hosts, ListenerChoice};
use super::wiring::{Tangle, Wiring, apart_of_snapshot, of_snapshot, rule_name};

pub(crate) use moves::{Drift, Movable, Move};
pub(crate) use scaling::{Misscaled, misscaled};

/// The overview of everything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Overview {
    /// Where.
    pub(crate) place: Place,
    /// How users are split, or why that can't be said; none when the rules could not be read.
    pub(crate) split: Option<Result<Split, Tangle>>,
    /// The production rules by name, each with its split.
    pub(crate) rules: Vec<(String, Split)>,
    /// Where production answers.
    pub(crate) production_url: Option<String>,
    /// Blue, green and develop, as far as they exist.
    pub(crate) colors: Vec<ColorView>,
    /// Services that were not found.
    pub(crate) missing: Vec<(Color, String)>,
    /// The parts that could not be read.
    pub(crate) unread: Vec<Trouble>,
    /// What a deploy to each color would be told now.
    pub(crate) deployable: Vec<(Color, Result<(), WhyNot>)>,
    /// What a command that moves all users to a color would be told now.
    pub(crate) movable: Vec<Movable>,
    /// What about traffic is not as it should be.
    pub(crate) drift: Vec<Drift>,
}

impl Overview {
    /// The split that all production rules hold, where they were read and do.
    pub(crate) fn known_split(&self) -> Option<Split> {
        self.split.as_ref()?.as_ref().ok().copied()
    }

    /// With the targets that no task of a color's service is behind.
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

    /// With what an earlier look saw and this one did not look at: develop, and what a task definition that is still
    /// wanted holds.
    pub(crate) fn with_rest_of(mut self, earlier: &Overview) -> Overview {
        let is = |color: Color| color == Color::Develop;
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
    /// Which.
    pub(crate) color: Color,
    /// Its service.
    pub(crate) service: String,
    /// `family:revision` that the service wants.
    pub(crate) revision: String,
    /// The same as an ARN.
    pub(crate) task_definition: String,
    /// `family:revision` of its running tasks, where none runs what the service wants.
    pub(crate) runs: Option<String>,
    /// The image of the container that gets the traffic, as the task definition that runs names it.
    pub(crate) image: Option<String>,
    /// What its tasks really run, `sha256:…`, each once.
    pub(crate) digests: Vec<String>,
    /// The commit in the revision's tags; none where another revision runs.
    pub(crate) commit: Option<String>,
    /// Running tasks.
    pub(crate) running: u32,
    /// Desired count.
    pub(crate) desired: u32,
    /// Healthy and registered targets, without foreign ones. None if its targets or its tasks could not be read.
    pub(crate) healthy: Option<(u32, u32)>,
    /// Targets in its group that no task of its service is behind, each `ADDRESS:PORT`.
    pub(crate) foreign: Vec<String>,
    /// Its share of the users in percent; none for develop, or where the rules could not be read.
    pub(crate) percent: Option<u32>,
    /// Where it can be tested.
    pub(crate) test_url: Option<String>,
    /// How its newest deployment stands.
    pub(crate) rollout: Option<Rollout>,
    /// Its scalable target, where it has one and it was read.
    pub(crate) scaling: Option<Scalable>,
}

/// Why a command is not valid for a color now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhyNot {
    /// It serves users.
    Live,
    /// A deployment is in progress.
    InFlight,
    /// It is not known whether it serves users.
    Unknown,
    /// It has all users already.
    AllThere,
    /// The production rules hold different splits.
    Disagree,
    /// The production rules, or its targets, could not be read.
    Unread,
    /// A production rule does not hold its target group.
    NotAdopted,
    /// It has tasks, and none is healthy or on its way.
    NoneHealthy,
}

/// Tag of a revision that holds the commit. For display only.
pub(crate) const COMMIT_TAG: &str = "blue-green:commit";

/// Makes the overview.
pub(crate) fn overview(snapshot: &Snapshot, listener: Option<&ListenerChoice>, hosts: &Hosts) -> Overview {
    let wired = of_snapshot(snapshot, listener);
    let wiring = wired.as_ref().and_then(|wired| wired.as_ref().ok());
    Overview {
        place: snapshot.place.clone(),
        split: wired.as_ref().map(|wired| wired.as_ref().map(Wiring::split).map_err(Clone::clone)),
        rules: rules(wired.as_ref()),
        production_url: wiring
            .and_then(|wiring| wiring.production_address(hosts))
            .map(|address| address.url()),
        colors: snapshot.services.iter().map(|service| view(service, (wiring, hosts))).collect(),
        missing: snapshot.missing.clone(),
        unread: unread(snapshot),
        deployable: snapshot
            .services
            .iter()
            .map(|service| (service.color, deployable(service, wiring)))
            .collect(),
        movable: moves::movable(snapshot, wired.as_ref()),
        drift: moves::drift(snapshot, apart_of_snapshot(snapshot, listener).as_ref().and_then(known_wiring)),
    }
}

/// Every trouble once: two colors that may not be read by one missing permission are two lines, the same line is one.
fn unread(snapshot: &Snapshot) -> Vec<Trouble> {
    let mut all: Vec<Trouble> = Vec::new();
    for trouble in snapshot.troubles() {
        if !all.iter().any(|known| known.action == trouble.action && known.resource == trouble.resource) {
            all.push(trouble.clone());
        }
    }
    all
}

/// The production rules and their splits, those that disagree too.
fn rules(wired: Option<&Result<Wiring, Tangle>>) -> Vec<(String, Split)> {
    match wired {
        Some(Ok(wiring)) => {
            wiring.production.iter().map(|rule| (rule_name(&rule.rule), rule.split)).collect()
        }
        Some(Err(Tangle::Disagree(rules))) => rules.clone(),
        Some(Err(_)) | None => Vec::new(),
    }
}

/// The rules, where they could be read as blue and green, whether or not they agree.
fn known_wiring(read: &Result<Wiring, Tangle>) -> Option<&Wiring> {
    read.as_ref().ok()
}

/// A part's value, where it was read.
fn known<T>(part: &Seen<T>) -> Option<&T> {
    part.as_ref().and_then(|read| read.as_ref().ok())
}

/// One color's view.
fn view(service: &Service, (wiring, hosts): (Option<&Wiring>, &Hosts)) -> ColorView {
    let link = service.setup.links.first();
    let older = older(service);
    let definition = known(&service.definition).filter(|_| older.is_none());
    let wanted =
        definition.zip(link).and_then(|(revision, link)| image_of(&revision.content, &link.container));
    let runs = |task: &Task| {
        let container =
            task.containers.iter().find(|one| link.is_some_and(|link| link.container == one.name));
        container.map(|container| container.image.clone()).filter(|image| !image.is_empty())
    };
    let (blue, green) = wiring.map_or((0, 0), |wiring| wiring.split().percent());
    ColorView {
        color: service.color,
        service: service.name.clone(),
        revision: name(&service.task_definition),
        task_definition: service.task_definition.clone(),
        runs: older.map(|task| name(&task.task_definition)),
        image: older.map_or(wanted, runs),
        digests: digests(service),
        commit: definition.and_then(|revision| {
            revision.tags.iter().find(|(key, _)| key == COMMIT_TAG).map(|(_, value)| value.clone())
        }),
        running: service.running,
        desired: service.desired,
        healthy: known(&service.targets).zip(group_targets(service)).map(|(all, targets)| {
            let registered = u32::try_from(all.len() - targets.foreign.len());
            (targets.healthy(), registered.unwrap_or(u32::MAX))
        }),
        foreign: Vec::new(),
        percent: wiring.and(match service.color {
            Color::Blue => Some(blue),
            Color::Green => Some(green),
            Color::Develop => None,
        }),
        test_url: wiring
            .and_then(|wiring| wiring.test_address(service.color, hosts))
            .map(|address| address.url()),
        rollout: rollout(service),
        scaling: known(&service.scaling).copied().flatten(),
    }
}

/// `family:revision` of an ARN.
fn name(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A running task of another task definition than the service wants, where none of the wanted one runs: as after a
/// deployment that failed.
fn older(service: &Service) -> Option<&Task> {
    let mut running = known(&service.tasks)?.iter().filter(|task| task.status == "RUNNING");
    let first = running.clone().next()?;
    let wanted = running.any(|task| task.task_definition == service.task_definition);
    if wanted { None } else { Some(first) }
}

/// The digests that the tasks' containers with traffic really run: those of the task definition that is shown.
fn digests(service: &Service) -> Vec<String> {
    let Some(link) = service.setup.links.first() else { return Vec::new() };
    let shown = older(service).map_or(&service.task_definition, |task| &task.task_definition);
    let tasks = known(&service.tasks).into_iter().flatten();
    let tasks = tasks.filter(|task| task.task_definition == *shown);
    let containers =
        tasks.flat_map(|task| &task.containers).filter(|container| container.name == link.container);
    let mut all: Vec<String> = containers.filter_map(|container| container.digest.clone()).collect();
    all.sort();
    all.dedup();
    all
}

/// What a deploy to this color would be told now.
fn deployable(service: &Service, wiring: Option<&Wiring>) -> Result<(), WhyNot> {
    let live = match (service.color, wiring) {
        (Color::Develop, _) => false,
        (Color::Blue | Color::Green, None) => return Err(WhyNot::Unknown),
        (color @ (Color::Blue | Color::Green), Some(wiring)) => wiring.is_live(color),
    };
    if live {
        return Err(WhyNot::Live);
    }
    match in_flight(service) {
        InFlight::No => Ok(()),
        InFlight::Yes(_) | InFlight::Unseen | InFlight::Unread(_) => Err(WhyNot::InFlight),
    }
}

/// The state of the newest deployment. A change of the count alone is none, whatever its state is called.
fn rollout(service: &Service) -> Option<Rollout> {
    let state = service.primary()?.rollout;
    let counting = matches!(state, Rollout::InProgress) && in_flight(service) == InFlight::No;
    Some(if counting { Rollout::Completed } else { state })
}

/// Whether a deployment may be under way that only the service deployments tell from a change of the count, and they
/// were not read.
pub(crate) fn needs_history(snapshot: &Snapshot) -> bool {
    snapshot.services.iter().any(|service| in_flight(service) == InFlight::Unseen)
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
