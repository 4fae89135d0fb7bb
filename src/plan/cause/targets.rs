//! The load balancer's reasons for targets that are not healthy.
//!
//! A target leaves its group as soon as ECS replaces the task. So the finding has three sources: the group now, targets
//! that earlier looks saw, and ECS's events.

use super::{Finding, known_value};
use crate::plan::own_targets::group_targets;
use crate::plan::snapshot::{Service, ServiceEvent, Target, Task};
use crate::plan::verdict::{OwnDeployment, is_own, own_tasks};

/// One finding for each own target that is or was not healthy.
pub(super) fn of_targets(
    service: &Service,
    awaited: &OwnDeployment,
    seen: &[Target],
    stopped: &[&Task],
) -> Vec<Finding> {
    let running: Vec<&Task> =
        known_value(&service.tasks).map(|tasks| own_tasks(tasks, awaited).collect()).unwrap_or_default();
    let group = service.setup.links.first().and_then(|link| link.group.as_deref()).unwrap_or_default();
    let group = group_name(group);
    let now = unhealthy_targets(service, awaited);
    let is_new =
        |target: &&Target| !now.iter().any(|known| (&known.id, known.port) == (&target.id, target.port));
    let found: Vec<Finding> = now
        .iter()
        .copied()
        .chain(seen.iter().filter(is_new))
        .map(|target| of_target(target, &group))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let own: Vec<&Task> = running.iter().chain(stopped).copied().collect();
    let since = service.events.iter().filter(|event| event.at >= awaited.started);
    since.filter_map(|event| of_event(event, &own, &group)).collect()
}

/// Own targets that are not healthy now. Draining targets are about to leave and say nothing about the version.
fn unhealthy_targets<'a>(service: &'a Service, awaited: &OwnDeployment) -> Vec<&'a Target> {
    let tells = |target: &Target| ["unhealthy", "unused", "unavailable"].contains(&target.state.as_str());
    let own = group_targets(service).unwrap_or_default().own.into_iter();
    own.filter(|(task, target)| is_own(task, awaited) && tells(target)).map(|(_, target)| target).collect()
}

/// The finding of a target.
fn of_target(target: &Target, group: &str) -> Finding {
    Finding::Target {
        group: group.to_owned(),
        code: target.reason.clone().unwrap_or_else(|| target.state.clone()),
        description: target.description.clone().unwrap_or_default(),
        targets: 1,
    }
}

/// The finding of an event such as `(service S) (task T) (port P) is unhealthy in (target-group G) due to (reason R)`.
/// Source: Amazon ECS, "Service event messages".
fn of_event(event: &ServiceEvent, own: &[&Task], group: &str) -> Option<Finding> {
    let (who, why) = event.message.split_once(" is unhealthy in (target-group ")?;
    let reason = why.split_once("due to (reason ")?.1.trim_end_matches(['.', ')']);
    let place =
        who.split_once("(instance ").and_then(|(_, rest)| rest.split_once(')')).map(|(place, _)| place);
    let is_own = own.iter().any(|task| {
        place.is_some_and(|place| task.is_at(place)) || who.contains(&format!("(task {})", task.id))
    });
    let (group, code) = (group.to_owned(), code_of(reason).to_owned());
    is_own.then(|| Finding::Target { group, code, description: reason.to_owned(), targets: 1 })
}

/// The reason code of a description (API_TargetHealth).
fn code_of(description: &str) -> &'static str {
    if description.starts_with("Health checks failed with these codes") {
        "Target.ResponseCodeMismatch"
    } else if description.starts_with("Request timed out") {
        "Target.Timeout"
    } else {
        "Target.FailedHealthChecks"
    }
}

/// `web-green` of `arn:…:targetgroup/web-green/0123456789abcdef`. Of other ARNs, the text after the last colon.
pub(super) fn group_name(arn: &str) -> String {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource
        .strip_prefix("targetgroup/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or(resource)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Color;
    use crate::plan::sample::{arn, at, deployment, service, target, tasks};
    use crate::plan::verdict::Kind;

    #[test]
    fn a_group_is_told_by_its_name() {
        let arn =
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-green/df89670f811dd161";
        assert_eq!(group_name(arn), "web-green");
        assert_eq!(group_name("web-green"), "web-green");
    }

    #[test]
    fn an_event_of_an_own_task_tells_what_the_load_balancer_saw() {
        let task = Task { id: "abc".to_owned(), hosts: vec!["i-1".to_owned()], ..Task::default() };
        let of = |message: &str| {
            let event = ServiceEvent { at: at(0), message: message.to_owned() };
            of_event(&event, &[&task], "web")
        };
        let finding = |code: &str, description: &str| {
            let (code, description) = (code.to_owned(), description.to_owned());
            Some(Finding::Target { group: "web".to_owned(), code, description, targets: 1 })
        };
        let codes = "Health checks failed with these codes: [500]";
        let told = format!(
            "(service s) (task abc) (port 80) is unhealthy in (target-group arn) due to (reason {codes})"
        );
        assert_eq!(of(&told), finding("Target.ResponseCodeMismatch", codes));
        let told = "(service s) (instance i-1) (port 80) is unhealthy in (target-group arn) due to (reason Request timed out).";
        assert_eq!(of(told), finding("Target.Timeout", "Request timed out"));
        let told =
            "(service s) (task abc) is unhealthy in (target-group arn) due to (reason Health checks failed)";
        assert_eq!(of(told), finding("Target.FailedHealthChecks", "Health checks failed"));
        let other = "(service s) (task other) is unhealthy in (target-group arn) due to (reason Health checks failed)";
        assert_eq!(of(other), None);
        assert_eq!(of("(service s) has reached a steady state."), None);
    }

    /// Green's deployment of revision 2 from second 10 on, its tasks 11 and 12 behind the group `web-green`.
    fn green(targets: Vec<Target>) -> (Service, OwnDeployment) {
        let own = deployment("mine", &arn("web-green:2"), 2);
        let mut green = service(Color::Green);
        green.tasks = Some(Ok(tasks(&own, 2, 11)));
        green.targets = Some(Ok(targets));
        let awaited = OwnDeployment {
            kind: Kind::Rollout,
            id: Some(own.id),
            task_definition: own.task_definition,
            desired: 2,
            started: at(10),
            seen: true,
            before: Vec::new(),
        };
        (green, awaited)
    }

    /// A target that the load balancer found unhealthy for this reason.
    fn unhealthy(number: u32, reason: &str) -> Target {
        Target { reason: Some(reason.to_owned()), ..target(number, "unhealthy") }
    }

    /// The codes of what is found, given what earlier looks saw and which of the own tasks stopped.
    fn codes(
        (service, awaited): &(Service, OwnDeployment),
        seen: &[Target],
        stopped: &[&Task],
    ) -> Vec<String> {
        let code = |finding: Finding| match finding {
            Finding::Target { group, code, .. } if group == "tg-green" => code,
            other => panic!("{other:?}"),
        };
        of_targets(service, awaited, seen, stopped).into_iter().map(code).collect()
    }

    #[test]
    fn own_targets_that_are_not_healthy_are_told_as_they_are_now() {
        let draining = Target { state: "draining".to_owned(), ..unhealthy(12, "Target.Deregistration") };
        let theirs = unhealthy(1, "Target.Timeout");
        let all = vec![unhealthy(11, "Target.ResponseCodeMismatch"), draining, theirs];
        assert_eq!(codes(&green(all), &[], &[]), ["Target.ResponseCodeMismatch"]);
        let others = vec![target(11, "unused"), target(12, "unavailable")];
        assert_eq!(
            codes(&green(others), &[], &[]),
            ["unused", "unavailable"],
            "by the state without a reason"
        );
        let good = vec![target(11, "healthy"), target(12, "initial")];
        assert_eq!(codes(&green(good), &[], &[]), [""; 0]);
    }

    #[test]
    fn a_target_that_an_earlier_look_saw_is_told_once() {
        let seen = [unhealthy(11, "Target.Timeout"), unhealthy(13, "Target.Timeout")];
        let now = green(vec![unhealthy(11, "Target.ResponseCodeMismatch")]);
        assert_eq!(codes(&now, &seen, &[]), ["Target.ResponseCodeMismatch", "Target.Timeout"]);
        let moved = Target { port: 8081, ..unhealthy(11, "Target.Timeout") };
        assert_eq!(codes(&now, &[moved], &[]).len(), 2, "another port is another target");
    }

    #[test]
    fn events_since_the_start_are_told_where_no_target_was_seen() {
        let told = |id: &str, seconds: u64| ServiceEvent {
            at: at(seconds),
            message: format!(
                "(service s) (task {id}) is unhealthy in (target-group g) due to (reason Request timed out)"
            ),
        };
        let gone = Task { id: "gone".to_owned(), ..Task::default() };
        let (mut service, awaited) = green(Vec::new());
        service.events = vec![told("task11", 20), told("gone", 10), told("task12", 9), told("other", 20)];
        let mut without = (service, awaited);
        assert_eq!(codes(&without, &[], &[&gone]), ["Target.Timeout", "Target.Timeout"]);
        without.0.targets = Some(Ok(vec![unhealthy(11, "Target.ResponseCodeMismatch")]));
        assert_eq!(codes(&without, &[], &[&gone]), ["Target.ResponseCodeMismatch"]);
    }
}
