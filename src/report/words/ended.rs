//! A deployment that failed.

use super::{render_aws_error, render_end_state, render_finding, render_wait, repeated};
use crate::failure::{Failure, Reason};
use crate::plan::cause::{Cause, Finding};
use crate::plan::color::ServiceColor;
use crate::plan::step::{EndStateReason, Left, RunFailure, TrafficFailure, Wait};
use crate::plan::verdict::{DeploymentFailure, Waiting};
use crate::report::about::About;
use crate::report::names::{in_backticks, short_arn};

/// The failure with its most important cause; `left` is none until something was restored.
pub(crate) fn render_run_failure(
    failing: &RunFailure,
    about: &About,
    cause: &Cause,
    left: Option<(Left, &EndStateReason)>,
) -> Failure {
    let told = cause.findings.first().map(render_finding);
    let (mut what, own) = match failing {
        RunFailure::Deployment(end) => render_deployment_end(end, about),
        RunFailure::Probe(failure) => {
            let (text, next) = render_finding(&Finding::Probe(failure.clone()));
            let version = match &about.users {
                Some(_) => "The color that gains users".to_owned(),
                None => format!("The new version of {}", about.name()),
            };
            (format!("{version} did not pass. {text}"), next.to_owned())
        }
        RunFailure::Cancelled => (render_cancelled(about), String::new()),
        RunFailure::Traffic(stuck) => super::traffic::render_traffic_failure(stuck, about),
        RunFailure::Repeated(unkept) => (repeated::render_unkept_write(unkept), repeated::HINT.to_owned()),
    };
    let mut hint = Vec::new();
    match (failing, told) {
        (
            RunFailure::Deployment(_)
            | RunFailure::Cancelled
            | RunFailure::Traffic(TrafficFailure::NotEnough(_) | TrafficFailure::Sick(_)),
            Some((text, next)),
        ) => {
            what = format!("{what} {text}");
            hint.push(next.to_owned());
        }
        (RunFailure::Deployment(end), None) if tells_nothing(end) => {
            hint.push(format!("AWS names no cause yet. See the service's events:\n{}", about.events()));
        }
        (
            RunFailure::Deployment(_)
            | RunFailure::Probe(_)
            | RunFailure::Cancelled
            | RunFailure::Traffic(_)
            | RunFailure::Repeated(_),
            _,
        ) => {}
    }
    hint.push(own);
    hint.extend(left.map(|(left, why)| render_end_state(why, left, about)));
    hint.retain(|line| !line.is_empty());
    Failure::new(Reason::of_failing(failing), what, hint.join("\n"))
}

/// A signal interrupted the run.
fn render_cancelled(about: &About) -> String {
    match &about.users {
        Some(users) => {
            let to = users
                .traffic_plan
                .as_ref()
                .map(|traffic_plan| format!(" to {}", traffic_plan.to))
                .unwrap_or_default();
            format!("The run was cancelled before the change of traffic{to} was done.")
        }
        None => format!("The run was cancelled before {} was good.", about.name()),
    }
}

/// The first failed task while the run still waits.
pub(crate) fn task_failed(color: ServiceColor, cause: &Cause, about: &About) -> String {
    let (what, next) = cause.findings.first().map(render_finding).unwrap_or_default();
    let name = about.at(color).name();
    format!("The first task of {name} failed. ECS starts others. {what} {next}").trim_end().to_owned()
}

/// True if an end needs a cause to be understood.
fn tells_nothing(end: &DeploymentFailure) -> bool {
    match end {
        DeploymentFailure::CircuitBreaker
        | DeploymentFailure::Alarm(_)
        | DeploymentFailure::TasksFailing { .. }
        | DeploymentFailure::TimedOut(_) => true,
        DeploymentFailure::Stopped
        | DeploymentFailure::Superseded { .. }
        | DeploymentFailure::Drained
        | DeploymentFailure::UsersCame { .. }
        | DeploymentFailure::NoRoom
        | DeploymentFailure::AwsError(_) => false,
    }
}

/// The calls before a deployment exists.
const BEGINNING: [&str; 6] = [
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "cloudwatch:PutMetricAlarm",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
];

/// The end of the deployment, and the remedy that this end alone suggests.
fn render_deployment_end(end: &DeploymentFailure, about: &About) -> (String, String) {
    let name = about.name();
    match end {
        DeploymentFailure::CircuitBreaker => {
            (format!("The deployment circuit breaker of ECS ended the deployment of {name}."), String::new())
        }
        DeploymentFailure::Alarm(alarms) => render_alarm(alarms, &name),
        DeploymentFailure::TasksFailing { failed } => (
            format!("The new tasks of {name} keep failing: {failed} in a row, and none is healthy."),
            String::new(),
        ),
        DeploymentFailure::Stopped => (
            format!("Somebody stopped the deployment of {name} while it was in progress."),
            "Ask who stopped it (CloudTrail has the call `StopServiceDeployment`), then run again.".to_owned(),
        ),
        DeploymentFailure::Superseded { by } => (
            format!("Another deployment took over {name}, which now wants {}.", in_backticks(short_arn(by))),
            "Let one workflow at a time deploy to a service: give the job a `concurrency` group.".to_owned(),
        ),
        DeploymentFailure::Drained => (
            format!("{name} was set to no tasks, or deleted, during the deploy."),
            "See who changed it (CloudTrail has `UpdateService` and `DeleteService`), then run again.".to_owned(),
        ),
        DeploymentFailure::UsersCame { version, lacks } => users_came(short_arn(version), lacks.as_deref(), &name),
        DeploymentFailure::NoRoom => (
            format!("The deployment of {name} will never move: its minimum and maximum healthy percent let ECS neither stop an old task nor start a new one."),
            "Raise the maximum percent where the service is defined, in Terraform:\n  deployment_maximum_percent = 200".to_owned(),
        ),
        DeploymentFailure::TimedOut(waiting_for) => (
            format!("The time-out passed before {name} was good; last seen: {}.", render_wait(&Wait::Deployment((**waiting_for).clone()))),
            "If the version only needs longer to start, raise `timeout`.".to_owned(),
        ),
        DeploymentFailure::AwsError(with) => {
            let failure = render_aws_error(with);
            let said = if BEGINNING.contains(&with.action) { "could not be begun" } else { "could not be followed" };
            (format!("The deployment of {name} {said}. {}", failure.what), failure.hint)
        }
    }
}

/// Users came before the version was proven: the deployment's state decides the urgency.
fn users_came(version: &str, lacks: Option<&Waiting>, name: &str) -> (String, String) {
    let came = format!("Users were moved to {name} while this run deployed {} to it.", in_backticks(version));
    let Some(lacks) = lacks else {
        return (format!("{came} All its targets are healthy."), String::new());
    };
    let seen = render_wait(&Wait::Deployment(lacks.clone()));
    let loud = if looks_bad(lacks) {
        "THE NEW VERSION LOOKS BAD, and users get it"
    } else {
        "The new version is not proven yet, and users get it as far as its tasks are healthy"
    };
    (format!("{came} {loud}: {seen}."), String::new())
}

/// True if tasks failed already, or run without a single healthy target.
fn looks_bad(lacks: &Waiting) -> bool {
    match lacks {
        Waiting::RollingOut { failed, .. } => *failed > 0,
        Waiting::Unhealthy { .. } => true,
        Waiting::NotBegun | Waiting::NotVisible | Waiting::Draining { .. } | Waiting::Unknown(_) => false,
    }
}

/// A deployment alarm.
fn render_alarm(alarms: &[String], name: &str) -> (String, String) {
    let names: Vec<String> = alarms.iter().map(|alarm| in_backticks(alarm)).collect();
    let fired = match names.as_slice() {
        [] => "A CloudWatch alarm of the service".to_owned(),
        [one] => format!("The CloudWatch alarm {one}"),
        more => format!("The CloudWatch alarms {}", more.join(", ")),
    };
    let hint = "Look at what the alarm measures over the time of the deployment.";
    (format!("{fired} ended the deployment of {name}."), hint.to_owned())
}
