//! The steps of a run, and its waits.

use std::time::Duration;

use super::{render_aws_error, traffic};
use crate::event::Difference;
use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::plan::step::{Purpose, Step, Update, Wait};
use crate::plan::verdict::Waiting;
use crate::report::about::About;
use crate::report::names::{count_noun, format_duration, in_backticks, one_line, short_arn};
use crate::report::secrets::mask_line;

/// A step as a short imperative.
pub(crate) fn render_step(step: &Step) -> String {
    match step {
        Step::Find(wanted) => {
            format!("Look for a revision of {} with this content", in_backticks(wanted.family()))
        }
        Step::Register(wanted) => format!("Register a new revision of {}", in_backticks(wanted.family())),
        Step::Update(update) => render_update(update),
        Step::Probe(_) => "Send the probes through the test listener".to_owned(),
        Step::Weights(change) => traffic::render_weights(change),
        Step::Scaling(change) => traffic::render_scaling(change),
        Step::Policy(put) => traffic::render_put("scaling policy", put),
        Step::Alarm(put) => traffic::render_put("alarm", put),
    }
}

/// One update of a service.
fn render_update(update: &Update) -> String {
    if let (Purpose::Traffic, None, Some(desired)) = (update.purpose, &update.task_definition, update.desired)
    {
        return traffic::render_count_change(update, desired);
    }
    let verb = match update.purpose {
        Purpose::Deploy | Purpose::Traffic => "Update",
        Purpose::Restore => "Put back",
    };
    let version = update.task_definition.as_deref().map(|arn| format!("to {}", in_backticks(short_arn(arn))));
    let desired = update.desired.map(|desired| format!("desired count {desired}"));
    let forced =
        update.force.then(|| "the same task definition again, for a tag that may have moved".to_owned());
    let parts: Vec<String> = [version, desired, forced].into_iter().flatten().collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{verb} {} ({}){parts}", in_backticks(&update.service), update.color)
}

/// A desired count that another writer set during a deployment.
pub(crate) fn render_recount(count: u32, about: &About) -> String {
    format!(
        "somebody else set the desired count of {} to {count} meanwhile: that many targets have to be healthy now, and the count stays",
        about.name()
    )
}

/// The subject of a wait, without a full stop.
pub(crate) fn render_wait(wait: &Wait) -> String {
    match wait {
        Wait::AwsError(trouble) => render_unknown(trouble),
        Wait::UnansweredWrite(trouble) => format!(
            "{} got no answer{}; reading AWS until it shows whether it worked",
            in_backticks(trouble.action),
            error_code(trouble)
        ),
        Wait::Deployment(waiting) => render_deployment(waiting),
        Wait::Rollback { running, desired } => {
            format!("AWS is rolling back, {running} of {desired} running again")
        }
        Wait::Restore { running, desired } => format!("going back, {running} of {desired} running again"),
        Wait::Probe => "the probes did not pass yet, trying again".to_owned(),
        Wait::Repeat(step) => render_repeated_write(step),
        Wait::Capacity(_)
        | Wait::Count { .. }
        | Wait::Rule { .. }
        | Wait::Weights { .. }
        | Wait::Bake { .. }
        | Wait::Counts { .. }
        | Wait::Settle { .. }
        | Wait::Drain { .. } => traffic::render_traffic_wait(wait).unwrap_or_default(),
    }
}

/// A write that was just sent and that AWS does not show.
fn render_repeated_write(write: &Step) -> String {
    format!("AWS does not show this write yet, or no longer: {}", render_step(write))
}

/// A deployment's state.
fn render_deployment(waiting: &Waiting) -> String {
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
        Waiting::Draining { healthy, old, delay } => render_draining(*healthy, *old, *delay),
        Waiting::Unhealthy { healthy, needed } => {
            format!("complete for ECS, {healthy} of {needed} targets healthy for the load balancer")
        }
        Waiting::Unknown(trouble) => render_unknown(trouble),
    }
}

/// The new version is healthy, and old tasks finish their requests.
fn render_draining(healthy: u32, old: u32, delay: Option<Duration>) -> String {
    let delay =
        delay.map(|delay| format!(" (deregistration delay {})", format_duration(delay))).unwrap_or_default();
    format!("all {healthy} new targets healthy; {} to drain{delay}", count_noun(old, "old task"))
}

/// AWS did not answer.
fn render_unknown(trouble: &AwsError) -> String {
    format!("AWS does not answer {}{}, asking again", in_backticks(trouble.action), error_code(trouble))
}

/// AWS's answer to a write. A throttled write is sent again.
pub(crate) fn refused_for_now(with: &AwsError) -> String {
    match with.kind {
        AwsErrorKind::Throttled => {
            format!("AWS throttles {}{}, trying again", in_backticks(with.action), error_code(with))
        }
        AwsErrorKind::Denied
        | AwsErrorKind::Expired
        | AwsErrorKind::NoCredentials
        | AwsErrorKind::Unreachable
        | AwsErrorKind::TimedOut
        | AwsErrorKind::Missing
        | AwsErrorKind::Refused => render_aws_error(with).what,
    }
}

/// A write that AWS still refuses.
pub(crate) fn held_up(trouble: &AwsError, tries: u32) -> String {
    let (action, code) = (in_backticks(trouble.action), error_code(trouble));
    format!("AWS still does not take {action}{code}, tried {tries} times; trying again")
}

/// AWS's code in parentheses.
fn error_code(trouble: &AwsError) -> String {
    trouble.code.as_ref().map(|code| format!(" ({})", mask_line(code))).unwrap_or_default()
}

/// A difference as lines of a diff: the removed value, the added value.
pub(crate) fn diff_lines(difference: &Difference) -> Vec<String> {
    let path = one_line(&difference.path);
    let line = |sign: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{sign} {path}: {}", one_line(value)))
    };
    [line("-", &difference.before), line("+", &difference.after)].into_iter().flatten().collect()
}
