//! Finds the targets in a service's target group that belong to the service's own tasks. Anyone may register a target
//! in a group: another service, or a person by hand. Only own tasks count as healthy targets (invariant 37).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::color::ServiceColor;
use super::sighting::Sighting;
use super::snapshot::{Link, Service, Snapshot, Target, Task};
use super::time::Time;

/// The targets of a service's group, split into own and foreign targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupTargets<'a> {
    /// The targets of the service's tasks, each with the task.
    pub(crate) own: Vec<(&'a Task, &'a Target)>,
    /// Targets that belong to no task of the service and are not about to leave.
    pub(crate) foreign: Vec<&'a Target>,
}

impl GroupTargets<'_> {
    /// Number of healthy own targets.
    pub(crate) fn healthy(&self) -> u32 {
        let healthy = self.own.iter().filter(|(_, target)| target.is_healthy()).count();
        u32::try_from(healthy).unwrap_or(u32::MAX)
    }
}

/// Foreign targets by color and address. A single look is no proof. Two looks in a row are.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForeignTargets(BTreeMap<ServiceColor, BTreeMap<String, Sighting>>);

impl ForeignTargets {
    /// Notes a snapshot. A color without read tasks or targets keeps the earlier sightings.
    pub(crate) fn saw(&mut self, snapshot: &Snapshot, now: Time) {
        for service in &snapshot.services {
            let Some(targets) = group_targets(service) else { continue };
            let known = self.0.remove(&service.color).unwrap_or_default();
            let again = |target: &&Target| {
                let address = format!("{}:{}", target.id, target.port);
                let mut sighting = known.get(&address).copied().unwrap_or_default();
                sighting.note(true, now);
                (address, sighting)
            };
            self.0.insert(service.color, targets.foreign.iter().map(again).collect());
        }
    }

    /// The addresses of a color's foreign targets, each `ADDRESS:PORT`.
    pub(crate) fn of(&self, color: ServiceColor) -> Vec<String> {
        let seen = self.0.get(&color).into_iter().flatten();
        seen.filter(|(_, sighting)| sighting.is_repeated()).map(|(address, _)| address.clone()).collect()
    }

    /// True if a foreign target was seen only once so far.
    pub(crate) fn is_unsure(&self) -> bool {
        self.0.values().flat_map(BTreeMap::values).any(|sighting| !sighting.is_repeated())
    }
}

/// Splits the targets of a service's group. None if tasks or targets were not read, or the read failed: the own targets
/// are then unknown.
///
/// Both lists are read in parallel, not at the same moment. So a target can be foreign in a single look because the
/// task stopped, or began, between the two reads.
pub(crate) fn group_targets(service: &Service) -> Option<GroupTargets<'_>> {
    let tasks = service.tasks.as_ref()?.as_ref().ok()?;
    let targets = service.targets.as_ref()?.as_ref().ok()?;
    let link = service.setup.links.first()?;
    let stopped = service.stopped.iter().flatten().flatten();
    let mut split = GroupTargets::default();
    for target in targets {
        let is_behind = |task: &&Task| is_target_of(task, target, link);
        match tasks.iter().find(is_behind) {
            Some(task) => split.own.push((task, target)),
            None if is_leaving(target) || stopped.clone().any(|task| is_behind(&task)) => {}
            None => split.foreign.push(target),
        }
    }
    Some(split)
}

impl Task {
    /// True if the task is at this address or instance. IP addresses compare in any spelling.
    pub(crate) fn is_at(&self, place: &str) -> bool {
        let address: Option<IpAddr> = place.parse().ok();
        self.hosts.iter().any(|host| host == place || (address.is_some() && host.parse().ok() == address))
    }
}

/// True if ECS registered this target for this task: at the task's address and the container port (target type `ip`),
/// or at the task's instance and the assigned host port (target type `instance`). Source: Amazon ECS, "Use an
/// Application Load Balancer for Amazon ECS".
fn is_target_of(task: &Task, target: &Target, link: &Link) -> bool {
    if !task.is_at(&target.id) {
        return false;
    }
    let of_link = |container: &str, port: u16| container == link.container && port == link.port;
    let mut ports = task
        .bindings
        .iter()
        .filter(|binding| of_link(&binding.container, binding.container_port))
        .map(|binding| binding.host_port)
        .peekable();
    if ports.peek().is_none() { target.port == link.port } else { ports.any(|port| port == target.port) }
}

/// True if a target left the group and only finishes open requests.
fn is_leaving(target: &Target) -> bool {
    ["draining", "unhealthy.draining"].contains(&target.state.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::aws_error::AwsErrorKind;
    use crate::plan::sample::{self, at, service, target, trouble};
    use crate::plan::snapshot::Binding;

    /// The addresses of own and of foreign targets.
    fn split(service: &Service) -> (Vec<String>, Vec<String>) {
        let address = |target: &Target| format!("{}:{}", target.id, target.port);
        let targets = group_targets(service).unwrap();
        let own = targets.own.iter().map(|(_, target)| address(target)).collect();
        (own, targets.foreign.into_iter().map(address).collect())
    }

    #[test]
    fn invariant_37_a_target_is_own_by_the_address_and_the_port_of_a_task() {
        let mut green = service(ServiceColor::Green);
        let moved = Target { port: 9090, ..target(2, "healthy") };
        green.targets = Some(Ok(vec![target(1, "unhealthy"), moved, target(9, "healthy")]));
        assert_eq!(
            split(&green),
            (vec!["10.0.0.1:8080".to_owned()], vec!["10.0.0.2:9090".to_owned(), "10.0.0.9:8080".to_owned()])
        );
        assert_eq!(group_targets(&green).unwrap().healthy(), 0);
    }

    #[test]
    fn invariant_37_on_an_instance_the_host_port_of_the_container_with_traffic_decides() {
        let mut green = service(ServiceColor::Green);
        let binding = |container: &str, container_port, host_port| Binding {
            container: container.to_owned(),
            container_port,
            host_port,
        };
        for (task, port) in green.tasks.as_mut().unwrap().as_mut().unwrap().iter_mut().zip([32_768, 32_769]) {
            task.hosts = vec!["i-1".to_owned()];
            task.bindings = vec![binding("app", 8080, port), binding("log", 9000, port + 1000)];
        }
        let at = |port| Target { id: "i-1".to_owned(), port, ..target(1, "healthy") };
        green.targets = Some(Ok([32_768, 32_769, 33_768, 8080].map(at).to_vec()));
        let named = |port: u16| format!("i-1:{port}");
        assert_eq!(split(&green), ([32_768, 32_769].map(named).to_vec(), [33_768, 8080].map(named).to_vec()));
        assert_eq!(group_targets(&green).unwrap().healthy(), 2);
    }

    #[test]
    fn invariant_37_an_address_is_the_same_in_any_spelling() {
        let task = |hosts: &[&str]| Task {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            ..Task::default()
        };
        let cases: [(&[&str], &str, bool); 8] = [
            (&["2001:DB8:0:0::1"], "2001:db8::1", true),
            (&["10.0.0.1", "2001:db8::1"], "2001:0db8:0:0:0:0:0:1", true),
            (&["10.0.0.1", "2001:db8::1"], "10.0.0.1", true),
            (&["2001:db8::1"], "2001:db8::2", false),
            (&["10.0.0.1"], "10.0.0.10", false),
            (&["i-1"], "i-1", true),
            (&["i-1"], "i-10", false),
            (&[], "10.0.0.1", false),
        ];
        for (hosts, id, own) in cases {
            assert_eq!(task(hosts).is_at(id), own, "{hosts:?} {id}");
        }
    }

    #[test]
    fn a_target_on_its_way_out_is_not_foreign() {
        let mut green = service(ServiceColor::Green);
        green.targets = Some(Ok(vec![target(7, "draining"), target(8, "unhealthy.draining")]));
        assert_eq!(split(&green), (vec![], vec![]));
        let gone = Task { hosts: vec!["10.0.0.7".to_owned()], ..Task::default() };
        green.targets = Some(Ok(vec![target(7, "unhealthy"), target(8, "unhealthy")]));
        green.stopped = Some(Ok(vec![gone]));
        assert_eq!(split(&green), (vec![], vec!["10.0.0.8:8080".to_owned()]));
    }

    #[test]
    fn invariant_37_a_target_is_foreign_once_two_looks_in_a_row_show_it() {
        let mut foreign = ForeignTargets::default();
        let mut stray = sample::snapshot();
        let own = stray.services[1].targets.clone().unwrap().unwrap();
        let mut look = |more: &[Target]| {
            stray.services[1].targets = Some(Ok(own.iter().chain(more).cloned().collect()));
            foreign.saw(&stray, at(0));
            (foreign.of(ServiceColor::Green), foreign.is_unsure())
        };
        let named = || vec!["10.0.0.9:8080".to_owned()];
        assert_eq!(look(&[]), (vec![], false));
        assert_eq!(look(&[target(9, "healthy")]), (vec![], true), "a task that began between two reads");
        assert_eq!(look(&[]), (vec![], false));
        assert_eq!(look(&[target(9, "healthy")]), (vec![], true));
        assert_eq!(look(&[target(9, "healthy")]), (named(), false));
        stray.services[1].tasks = None;
        foreign.saw(&stray, at(0));
        assert_eq!(foreign.of(ServiceColor::Green), named(), "a look without tasks says nothing");
    }

    #[test]
    fn invariant_09_tasks_or_targets_that_are_unknown_split_nothing() {
        let read = service(ServiceColor::Green);
        let unread = Some(Err(trouble(AwsErrorKind::Denied)));
        assert_eq!(group_targets(&Service { tasks: unread, ..read.clone() }), None);
        assert_eq!(group_targets(&Service { tasks: None, ..read.clone() }), None);
        assert_eq!(group_targets(&Service { targets: None, ..read }), None);
    }
}
