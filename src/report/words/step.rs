//! What a run does, and what it waits for.

use std::time::Duration;

use super::{traffic, trouble};
use crate::event::Difference;
use crate::plan::step::{Purpose, Step, Update, Wait};
use crate::plan::trouble::{Trouble, TroubleKind};
use crate::plan::verdict::Waiting;
use crate::report::about::About;
use crate::report::names::{count, duration, one_line, quoted, short_arn};
use crate::report::secrets::foreign;

/// A step as a short imperative.
pub(crate) fn step(step: &Step) -> String {
    match step {
        Step::Find { family } => format!("Look for a revision of {} with this content", quoted(family)),
        Step::Register { family } => format!("Register a new revision of {}", quoted(family)),
        Step::Update(update) => updated(update),
        Step::Probe => "Send the probes through the test listener".to_owned(),
        Step::Weights(change) => traffic::weights(change),
        Step::Scaling(change) => traffic::scaling(change),
        Step::Policy(put) => traffic::put("scaling policy", put),
        Step::Alarm(put) => traffic::put("alarm", put),
    }
}

/// One update of a service.
fn updated(update: &Update) -> String {
    if let (Purpose::Traffic, None, Some(desired)) = (update.purpose, &update.task_definition, update.desired)
    {
        return traffic::scaled(update, desired);
    }
    let verb = match update.purpose {
        Purpose::Deploy | Purpose::Traffic => "Update",
        Purpose::Restore => "Put back",
    };
    let version = update.task_definition.as_deref().map(|arn| format!("to {}", quoted(short_arn(arn))));
    let desired = update.desired.map(|desired| format!("desired count {desired}"));
    let forced =
        update.force.then(|| "the same task definition again, for a tag that may have moved".to_owned());
    let parts: Vec<String> = [version, desired, forced].into_iter().flatten().collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{verb} {} ({}){parts}", quoted(&update.service), update.color)
}

/// A desired count that somebody else set while a deployment was followed.
pub(crate) fn recounted(count: u32, about: &About) -> String {
    format!(
        "somebody else set the desired count of {} to {count} meanwhile: that many targets have to be healthy now, and the count stays",
        about.name()
    )
}

/// What is waited for, without a full stop.
pub(crate) fn waiting(wait: &Wait) -> String {
    match wait {
        Wait::Trouble(trouble) => unknown(trouble),
        Wait::Unanswered(trouble) => format!(
            "{} got no answer{}; reading AWS until it shows whether it worked",
            quoted(trouble.action),
            code(trouble)
        ),
        Wait::Deployment(waiting) => deployment(waiting),
        Wait::Rollback { running, desired } => {
            format!("AWS is rolling back, {running} of {desired} running again")
        }
        Wait::Restore { running, desired } => format!("going back, {running} of {desired} running again"),
        Wait::Probe => "the probes did not pass yet, trying again".to_owned(),
        Wait::Repeat(step) => repeated(step),
        Wait::Capacity(_)
        | Wait::Count { .. }
        | Wait::Weights { .. }
        | Wait::Bake { .. }
        | Wait::Settle { .. }
        | Wait::Drain { .. } => traffic::waiting(wait).unwrap_or_default(),
    }
}

/// A write that AWS does not show, though it was sent a moment ago.
fn repeated(write: &Step) -> String {
    format!("AWS does not show this write yet, or no longer: {}", step(write))
}

/// How a deployment stands.
fn deployment(waiting: &Waiting) -> String {
    match waiting {
        Waiting::NotBegun => "the service was not updated yet".to_owned(),
        Waiting::NotVisible => "AWS does not show the deployment yet".to_owned(),
        Waiting::RollingOut { running, pending, healthy, desired, failed, old } => {
            let healthy =
                healthy.map_or("health not known".to_owned(), |healthy| format!("{healthy} healthy"));
            let failed = if *failed > 0 { format!(", {failed} failed in a row") } else { String::new() };
            let old = if *old > 0 { format!(" (old tasks: {old})") } else { String::new() };
            format!("{running} of {desired} running, {healthy}, {pending} still starting{failed}{old}")
        }
        Waiting::Draining { healthy, old, delay } => draining(*healthy, *old, *delay),
        Waiting::Unhealthy { healthy, needed } => {
            format!("complete for ECS, {healthy} of {needed} targets healthy for the load balancer")
        }
        Waiting::Unknown(trouble) => unknown(trouble),
    }
}

/// The new version is healthy, and old tasks finish their requests.
fn draining(healthy: u32, old: u32, delay: Option<Duration>) -> String {
    let delay = delay.map(|delay| format!(" (deregistration delay {})", duration(delay))).unwrap_or_default();
    format!("all {healthy} new targets healthy; {} to drain{delay}", count(old, "old task"))
}

/// AWS could not be asked.
fn unknown(trouble: &Trouble) -> String {
    format!("AWS does not answer {}{}, asking again", quoted(trouble.action), code(trouble))
}

/// What AWS answered to a write. One that it throttles is sent again.
pub(crate) fn refused_for_now(with: &Trouble) -> String {
    match with.kind {
        TroubleKind::Throttled => {
            format!("AWS throttles {}{}, trying again", quoted(with.action), code(with))
        }
        TroubleKind::Denied
        | TroubleKind::Expired
        | TroubleKind::NoCredentials
        | TroubleKind::Unreachable
        | TroubleKind::TimedOut
        | TroubleKind::Missing
        | TroubleKind::Refused => trouble(with).what,
    }
}

/// A write that AWS still does not take.
pub(crate) fn held_up(trouble: &Trouble, tries: u32) -> String {
    let (action, code) = (quoted(trouble.action), code(trouble));
    format!("AWS still does not take {action}{code}, tried {tries} times; trying again")
}

/// AWS's code in parentheses.
fn code(trouble: &Trouble) -> String {
    trouble.code.as_ref().map(|code| format!(" ({})", foreign(code))).unwrap_or_default()
}

/// A difference as lines of a diff: what goes, what comes.
pub(crate) fn changed(difference: &Difference) -> Vec<String> {
    let path = one_line(&difference.path);
    let line = |sign: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{sign} {path}: {}", one_line(value)))
    };
    [line("-", &difference.before), line("+", &difference.after)].into_iter().flatten().collect()
}
