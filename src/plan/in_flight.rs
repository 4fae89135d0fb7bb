//! Finds a service's deployment under way.

use std::time::Duration;

use super::aws_error::{AwsError, AwsErrorKind};
use super::own_targets::group_targets;
use super::snapshot::{Deployment, Rollout, Service, ServiceDeploymentStatus};
use super::verdict::entry_of;

/// The deployment under way: none, this one, or unknown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InFlight<'a> {
    /// None.
    No,
    /// This one.
    Yes(&'a Deployment),
    /// Unknown: the service deployments would show the answer, and were not read.
    Unseen,
    /// Unknown: the read of the service deployments failed.
    Unread(&'a AwsError),
}

/// The deployment under way, if any. AWS may also show a change of the count alone as IN_PROGRESS (unconfirmed). So a
/// PRIMARY without another deployment counts only if the PRIMARY's service deployment has not succeeded. If the service
/// deployments may not be read, events and tasks decide.
pub(super) fn in_flight(service: &Service) -> InFlight<'_> {
    let going = |one: &&Deployment| matches!(one.rollout, Rollout::InProgress | Rollout::Unknown);
    let Some(primary) = service.primary().filter(going) else { return InFlight::No };
    let mut others = service.deployments.iter().filter(|one| !one.primary);
    let replaces =
        |one: &Deployment| one.running + one.pending > 0 || one.task_definition != primary.task_definition;
    if others.any(replaces) {
        return InFlight::Yes(primary);
    }
    match &service.history {
        None => InFlight::Unseen,
        Some(Err(trouble)) if trouble.kind != AwsErrorKind::Denied => InFlight::Unread(trouble),
        Some(Err(_)) if is_reported_complete(service, primary) || has_all_tasks(service) => InFlight::No,
        Some(Err(_)) => InFlight::Yes(primary),
        Some(Ok(history)) => match entry_of(history, primary).map(|entry| entry.status) {
            Some(ServiceDeploymentStatus::Successful) => InFlight::No,
            None if is_no_longer_listed(service, primary) => InFlight::No,
            Some(_) | None => InFlight::Yes(primary),
        },
    }
}

/// Time that AWS lists a service deployment (API_ListServiceDeployments).
const LISTED: Duration = Duration::from_secs(90 * 24 * 3600);

/// True if a deployment is too old for the list of service deployments. A change of the count adds an event, which gives
/// the time of the look.
fn is_no_longer_listed(service: &Service, primary: &Deployment) -> bool {
    service.events.iter().any(|event| event.at > primary.created.after(LISTED))
}

/// True if one of the service's newest 100 events reports this deployment as completed.
fn is_reported_complete(service: &Service, primary: &Deployment) -> bool {
    let reports = |message: &str| message.contains(&primary.id) && message.contains("deployment completed");
    service.events.iter().any(|event| reports(&event.message))
}

/// True if all wanted tasks run and are healthy.
fn has_all_tasks(service: &Service) -> bool {
    let healthy = group_targets(service).map_or(0, |targets| targets.healthy());
    service.pending == 0 && service.running >= service.desired && healthy >= service.desired
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Color;
    use crate::plan::sample::{arn, at, deployment, service, target, trouble};
    use crate::plan::snapshot::{ServiceDeployment, ServiceEvent};

    /// Green with a PRIMARY that AWS calls IN_PROGRESS.
    fn counting() -> Service {
        let mut green = service(Color::Green);
        green.deployments[0].rollout = Rollout::InProgress;
        green
    }

    /// The service deployment of green's PRIMARY.
    fn entry(green: &Service, number: Option<&str>, status: ServiceDeploymentStatus) -> ServiceDeployment {
        ServiceDeployment {
            arn: "arn:service-deployment/1".to_owned(),
            number: number.map(str::to_owned),
            status,
            reason: String::new(),
            created: green.deployments[0].created,
            target: Some(green.task_definition.clone()),
            sources: Vec::new(),
            alarms: Vec::new(),
        }
    }

    #[test]
    fn a_change_of_the_count_alone_is_not_in_flight_whatever_aws_calls_it() {
        let mut green = counting();
        assert_eq!(in_flight(&service(Color::Green)), InFlight::No);
        assert_eq!(in_flight(&green), InFlight::Unseen);
        use ServiceDeploymentStatus::{InProgress, Successful};
        green.deployments[0].id = "ecs-svc/42".to_owned();
        let primary = green.deployments[0].clone();
        let (other, late) = (entry(&green, Some("7"), Successful), at(500));
        for (history, flies) in [
            (vec![], true),
            (vec![entry(&green, None, Successful)], false),
            (vec![entry(&green, None, InProgress)], true),
            (vec![other.clone(), entry(&green, Some("42"), InProgress)], true),
            (vec![ServiceDeployment { created: late, ..entry(&green, Some("42"), Successful) }], false),
            (vec![ServiceDeployment { created: late, ..entry(&green, None, Successful) }], true),
            (vec![ServiceDeployment { target: Some(arn("other:1")), ..other }], true),
        ] {
            let expected = if flies { InFlight::Yes(&primary) } else { InFlight::No };
            green.history = Some(Ok(history.clone()));
            assert_eq!(in_flight(&green), expected, "{history:?}");
        }
    }

    #[test]
    fn a_deployment_of_more_than_90_days_ago_is_not_in_flight_while_its_count_changes() {
        let mut green = counting();
        let day = Duration::from_secs(24 * 3600);
        let created = green.deployments[0].created;
        let newer = ServiceDeployment {
            created: created.after(day * 80),
            ..entry(&green, None, ServiceDeploymentStatus::Stopped)
        };
        for history in [Vec::new(), vec![newer]] {
            green.history = Some(Ok(history));
            for (days, flies) in [(89, true), (91, false)] {
                let message = "(service web-green) has started 1 tasks: (task t).".to_owned();
                green.events = vec![ServiceEvent { at: created.after(day * days), message }];
                assert_eq!(matches!(in_flight(&green), InFlight::Yes(_)), flies, "after {days} days");
            }
        }
    }

    #[test]
    fn a_denied_history_leaves_the_answer_to_the_tasks_and_the_events() {
        let mut green = counting();
        green.history = Some(Err(trouble(AwsErrorKind::Denied)));
        assert_eq!(in_flight(&green), InFlight::No, "all tasks run");
        green.targets = Some(Ok(vec![target(1, "healthy"), target(2, "unhealthy")]));
        assert!(matches!(in_flight(&green), InFlight::Yes(_)), "a task is not healthy");
        green.desired = 3;
        assert!(matches!(in_flight(&green), InFlight::Yes(_)), "a task is missing");
        let done = |id: &str| ServiceEvent {
            at: at(0),
            message: format!("(service web-green) (deployment {id}) deployment completed."),
        };
        green.events = vec![done("ecs-svc/other")];
        assert!(matches!(in_flight(&green), InFlight::Yes(_)), "another one was completed");
        green.events = vec![done(&green.deployments[0].id)];
        assert_eq!(in_flight(&green), InFlight::No, "completed before the count changed");
        (green.events, green.targets) = (Vec::new(), service(Color::Green).targets);
        (green.desired, green.pending) = (2, 1);
        assert!(matches!(in_flight(&green), InFlight::Yes(_)), "a task starts");
    }

    #[test]
    fn a_deployment_beside_another_one_is_in_flight() {
        for (definition, running, flies) in
            [("web-green:0", 0, true), ("web-green:1", 1, true), ("web-green:1", 0, false)]
        {
            let mut green = counting();
            let mut old = deployment("old", &arn(definition), 2);
            (old.primary, old.running) = (false, running);
            green.deployments.push(old);
            assert_eq!(matches!(in_flight(&green), InFlight::Yes(_)), flies, "{definition} × {running}");
        }
    }

    #[test]
    fn invariant_09_an_unknown_history_is_no_end() {
        let mut green = counting();
        green.desired = 3;
        for (kind, unread) in [(AwsErrorKind::Throttled, true), (AwsErrorKind::Denied, false)] {
            green.history = Some(Err(trouble(kind)));
            assert_eq!(matches!(in_flight(&green), InFlight::Unread(_)), unread, "{kind:?}");
            assert_eq!(matches!(in_flight(&green), InFlight::Yes(_)), !unread, "{kind:?}");
        }
    }
}
