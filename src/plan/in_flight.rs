//! Finds a service's deployment under way.

use super::aws_error::{AwsError, AwsErrorKind};
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
/// PRIMARY without another deployment counts only if the PRIMARY's service deployment has not succeeded.
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
        Some(Err(_)) => InFlight::Yes(primary),
        Some(Ok(history)) => match entry_of(history, primary).map(|entry| entry.status) {
            Some(ServiceDeploymentStatus::Successful) => InFlight::No,
            Some(_) | None => InFlight::Yes(primary),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Color;
    use crate::plan::sample::{arn, at, deployment, service, trouble};
    use crate::plan::snapshot::ServiceDeployment;

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
        for (kind, unread) in [(AwsErrorKind::Throttled, true), (AwsErrorKind::Denied, false)] {
            green.history = Some(Err(trouble(kind)));
            assert_eq!(matches!(in_flight(&green), InFlight::Unread(_)), unread, "{kind:?}");
            assert_eq!(matches!(in_flight(&green), InFlight::Yes(_)), !unread, "{kind:?}");
        }
    }
}
