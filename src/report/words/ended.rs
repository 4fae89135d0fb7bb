//! A deployment that failed.

use super::{because, finding, repeated, trouble, waiting};
use crate::failure::{Failure, Reason};
use crate::plan::cause::{Cause, Finding};
use crate::plan::color::Color;
use crate::plan::step::{Because, Failing, Left, Stuck, Wait};
use crate::plan::verdict::{Ended, Waiting};
use crate::report::about::About;
use crate::report::names::{quoted, short_arn};

/// The failure with its most telling cause; `left` is none as long as nothing was put back.
pub(crate) fn failing(
    failing: &Failing,
    about: &About,
    cause: &Cause,
    left: Option<(Left, &Because)>,
) -> Failure {
    let told = cause.findings.first().map(finding);
    let (mut what, own) = match failing {
        Failing::Deployment(end) => ended(end, about),
        Failing::Probe(failure) => {
            let (text, next) = finding(&Finding::Probe(failure.clone()));
            (format!("The new version of {} did not pass. {text}", about.name()), next.to_owned())
        }
        Failing::Cancelled => (cancelled(about), String::new()),
        Failing::Traffic(stuck) => super::traffic::stuck(stuck, about),
        Failing::Repeated(unkept) => (repeated::unkept(unkept), repeated::HINT.to_owned()),
    };
    let mut hint = Vec::new();
    match (failing, told) {
        (
            Failing::Deployment(_)
            | Failing::Cancelled
            | Failing::Traffic(Stuck::NotEnough(_) | Stuck::Sick(_)),
            Some((text, next)),
        ) => {
            what = format!("{what} {text}");
            hint.push(next.to_owned());
        }
        (Failing::Deployment(end), None) if tells_nothing(end) => {
            hint.push(format!("AWS names no cause yet. See the service's events:\n{}", about.events()));
        }
        (
            Failing::Deployment(_)
            | Failing::Probe(_)
            | Failing::Cancelled
            | Failing::Traffic(_)
            | Failing::Repeated(_),
            _,
        ) => {}
    }
    hint.push(own);
    hint.extend(left.map(|(left, why)| because(why, left, about)));
    hint.retain(|line| !line.is_empty());
    Failure::new(Reason::of_failing(failing), what, hint.join("\n"))
}

/// A signal came first.
fn cancelled(about: &About) -> String {
    match &about.users {
        Some(users) => {
            let to = users.brief.as_ref().map(|brief| format!(" to {}", brief.to)).unwrap_or_default();
            format!("The run was cancelled before the change of traffic{to} was done.")
        }
        None => format!("The run was cancelled before {} was good.", about.name()),
    }
}

/// The first failed task while the run still waits.
pub(crate) fn task_failed(color: Color, cause: &Cause, about: &About) -> String {
    let (what, next) = cause.findings.first().map(finding).unwrap_or_default();
    let name = about.at(color).name();
    format!("The first task of {name} failed. ECS starts others. {what} {next}").trim_end().to_owned()
}

/// Whether an end needs a cause to be understood.
fn tells_nothing(end: &Ended) -> bool {
    match end {
        Ended::CircuitBreaker | Ended::Alarm(_) | Ended::TasksFailing { .. } | Ended::TimedOut(_) => true,
        Ended::Stopped
        | Ended::Superseded { .. }
        | Ended::Drained
        | Ended::UsersCame { .. }
        | Ended::NoRoom
        | Ended::Trouble(_) => false,
    }
}

/// The calls that come before a deployment is there to be followed.
const BEGINNING: [&str; 6] = [
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "cloudwatch:PutMetricAlarm",
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
];

/// What ended it, and what that alone says to do.
fn ended(end: &Ended, about: &About) -> (String, String) {
    let name = about.name();
    match end {
        Ended::CircuitBreaker => {
            (format!("The deployment circuit breaker of ECS ended the deployment of {name}."), String::new())
        }
        Ended::Alarm(alarms) => alarm(alarms, &name),
        Ended::TasksFailing { failed } => (
            format!("The new tasks of {name} keep failing: {failed} in a row, and none is healthy."),
            String::new(),
        ),
        Ended::Stopped => (
            format!("Somebody stopped the deployment of {name} while it was in progress."),
            "Ask who stopped it (CloudTrail has the call `StopServiceDeployment`), then run again.".to_owned(),
        ),
        Ended::Superseded { by } => (
            format!("Another deployment took over {name}, which now wants {}.", quoted(short_arn(by))),
            "Let one workflow at a time deploy to a service: give the job a `concurrency` group.".to_owned(),
        ),
        Ended::Drained => (
            format!("{name} was set to no tasks, or deleted, during the deploy."),
            "See who changed it (CloudTrail has `UpdateService` and `DeleteService`), then run again.".to_owned(),
        ),
        Ended::UsersCame { version, lacks } => users_came(short_arn(version), lacks.as_deref(), &name),
        Ended::NoRoom => (
            format!("The deployment of {name} will never move: its minimum and maximum healthy percent let ECS neither stop an old task nor start a new one."),
            "Raise the maximum percent where the service is defined, in Terraform:\n  deployment_maximum_percent = 200".to_owned(),
        ),
        Ended::TimedOut(waiting_for) => (
            format!("The time-out passed before {name} was good; last seen: {}.", waiting(&Wait::Deployment((**waiting_for).clone()))),
            "If the version only needs longer to start, raise `timeout`.".to_owned(),
        ),
        Ended::Trouble(with) => {
            let failure = trouble(with);
            let said = if BEGINNING.contains(&with.action) { "could not be begun" } else { "could not be followed" };
            (format!("The deployment of {name} {said}. {}", failure.what), failure.hint)
        }
    }
}

/// Users came before the version was proven: how it stands decides how loud that is.
fn users_came(version: &str, lacks: Option<&Waiting>, name: &str) -> (String, String) {
    let came = format!("Users were moved to {name} while this run deployed {} to it.", quoted(version));
    let Some(lacks) = lacks else {
        return (format!("{came} All its targets are healthy."), String::new());
    };
    let seen = waiting(&Wait::Deployment(lacks.clone()));
    let loud = if looks_bad(lacks) {
        "THE NEW VERSION LOOKS BAD, and users get it"
    } else {
        "The new version is not proven yet, and users get it as far as its tasks are healthy"
    };
    (format!("{came} {loud}: {seen}."), String::new())
}

/// Whether tasks failed already, or run without a single healthy target.
fn looks_bad(lacks: &Waiting) -> bool {
    match lacks {
        Waiting::RollingOut { failed, .. } => *failed > 0,
        Waiting::Unhealthy { .. } => true,
        Waiting::NotBegun | Waiting::NotVisible | Waiting::Draining { .. } | Waiting::Unknown(_) => false,
    }
}

/// A deployment alarm.
fn alarm(alarms: &[String], name: &str) -> (String, String) {
    let names: Vec<String> = alarms.iter().map(|alarm| quoted(alarm)).collect();
    let fired = match names.as_slice() {
        [] => "A CloudWatch alarm of the service".to_owned(),
        [one] => format!("The CloudWatch alarm {one}"),
        more => format!("The CloudWatch alarms {}", more.join(", ")),
    };
    let hint = "Look at what the alarm measures over the time of the deployment.";
    (format!("{fired} ended the deployment of {name}."), hint.to_owned())
}
