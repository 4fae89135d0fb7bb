//! Reasons against moving users.

use super::super::compare::verdict_sentence;
use super::failed::{describe_alarms, render_alarms};
use crate::plan::color::{Color, Split};
use crate::plan::compare::Comparison;
use crate::plan::step::{Capacity, Refusal, Short};
use crate::plan::traffic::Load;
use crate::report::about::About;
use crate::report::names::{format_shares, in_backticks, join_with_and, short_arn};

/// The finding, and the remedy; none for a refusal that does not concern users.
pub(in crate::report::words) fn render_traffic_refusal(
    refusal: &Refusal,
    about: &About,
) -> Option<(String, String)> {
    Some(match refusal {
        Refusal::NotEnough { capacity, load, why } => not_enough(*capacity, *load, (*why, about)),
        Refusal::NotAdopted { rule, lacks } => (
            format!("The production rule {} does not hold {lacks}'s target group.", in_backticks(rule)),
            "Let the run bring it in, with weight 0 before anything else:\n  adopt: true".to_owned(),
        ),
        Refusal::OtherTaskDefinition { color, found, expected } => other_definition(*color, found, expected),
        Refusal::NoAlarm(names) => no_alarm(names, about),
        Refusal::AlarmFiring(firing) => alarm_firing(firing, about),
        Refusal::AlarmAt { firing, color, split } => alarm_at(firing, (*color, *split), about),
        Refusal::FailedThere { color, service, task_definition } => (
            format!(
                "The deployment of {} to {} ({color}) failed. The next task that starts there is one of that version, whatever runs there now.",
                in_backticks(short_arn(task_definition)),
                in_backticks(service)
            ),
            format!(
                "Deploy a version that works to {color} first. Where users are failing now, `force: true` sends them to what runs there."
            ),
        ),
        Refusal::StepBeyond { step, color, target } => (
            format!("`steps` has {step} %, and {color}, which gains users, ends at {target} %."),
            format!("Steps are shares of the color that gains users: leave out those above {target}."),
        ),
        Refusal::IdleAbove { color, idle, production } => (
            format!(
                "`idle-count` is {idle}, and production has at most {production}: {color} would have more tasks without users than the other color has with all of them."
            ),
            format!("Write {production} at most:\n  idle-count: 1"),
        ),
        Refusal::WhichColor(split) => which_color(*split),
        Refusal::Worse(comparison) => worse_color(comparison),
        Refusal::NoCluster(_)
        | Refusal::TakesBack(_)
        | Refusal::Missing { .. }
        | Refusal::NotActive { .. }
        | Refusal::Setup { .. }
        | Refusal::RoutingError(_)
        | Refusal::NoDevelop
        | Refusal::LiveColor { .. }
        | Refusal::UserRules { .. }
        | Refusal::NoIdleColor(_)
        | Refusal::InFlight { .. }
        | Refusal::NoRoom { .. }
        | Refusal::NoTestAddress { .. }
        | Refusal::NoHost { .. }
        | Refusal::NotChecked(_)
        | Refusal::NameTaken { .. }
        | Refusal::NoVariable(_)
        | Refusal::NoDigest { .. }
        | Refusal::Images { .. }
        | Refusal::Unread(_) => return None,
    })
}

/// Alarms that fire before users are moved: each with its name and AWS's reason.
fn alarm_firing(firing: &[(String, String)], about: &About) -> (String, String) {
    (
        format!(
            "{} {} already, before users were moved; the first of `steps` would only send them back.",
            render_alarms(firing),
            if firing.len() == 1 { "fires" } else { "fire" }
        ),
        format!(
            "Wait until that is over. Where moving users away is the cure, run without `steps`: alarms that fire already stop only a run with steps.\n{}",
            describe_alarms(firing.iter().map(|(name, _)| name.as_str()), about)
        ),
    )
}

/// Too few healthy targets: the numbers, their source, and the remedy.
fn not_enough(capacity: Capacity, load: Load, (why, about): (Short, &About)) -> (String, String) {
    let Capacity { color, share, healthy, needed, desired, most } = capacity;
    let by_share = (u64::from(share) * u64::from(load.targets)).div_ceil(100).max(1);
    let group = if u64::from(needed) > by_share + 1 {
        format!(" {color}'s target group asks for {needed} by its own attributes.")
    } else {
        String::new()
    };
    let what = match needed {
        1 => format!("{color} has no healthy target, and {share} % of the users need at least one."),
        _ => format!(
            "{color} has {healthy} of the {needed} healthy targets that {share} % of the users need. {}.{group}",
            super::render_load(load)
        ),
    };
    let here = about.at(color);
    let service = here.service.as_deref().unwrap_or("SERVICE");
    let way = match why {
        Short::NoScaleUp => format!(
            "Its desired count is {desired}, and `scale-up: false` forbids to raise it. Let the run scale it up:\n  scale-up: true\nor do it yourself:\n{}",
            here.ecs("update-service", &format!("--service {service} --desired-count {needed}"))
        ),
        Short::MaxCapacity => format!(
            "Its scalable target allows at most {}. Raise MaxCapacity where it is defined, or with\n{}",
            most.unwrap_or(desired),
            max_capacity(&here, service, needed)
        ),
        Short::ConfigMax => format!(
            "Neither its scalable target nor `scaling` of the config allows so many. Raise it in the config, which is written to the target before users come:\n  scaling: {{ max: {needed} }}"
        ),
        Short::Unhealthy => format!(
            "Its desired count is {desired}, and no task is starting that could still become healthy: its tasks fail, or the load balancer finds them sick. See why:\n{}",
            here.events()
        ),
        Short::TimedOut => format!(
            "No more became healthy within `timeout`. Raise it if they only need longer, else see why:\n{}",
            here.events()
        ),
    };
    (what, format!("{way}{}", worst_night(healthy, needed)))
}

/// The way to skip waiting for a deployment if users are failing already; empty for a deploy.
pub(in crate::report::words) fn in_flight(about: &About) -> &'static str {
    if about.users.is_some() {
        "\nIf users are failing already where they are, `redirect-traffic` and `rollback` go on without waiting with\n  force: true"
    } else {
        ""
    }
}

/// The remedy if users are failing already: one healthy target is enough.
fn worst_night(healthy: u32, needed: u32) -> &'static str {
    if healthy > 0 && healthy < needed {
        "\nIf users are failing already where they are, one healthy target is enough for `redirect-traffic` and `rollback` with\n  force: true"
    } else {
        ""
    }
}

/// The call that raises only MaxCapacity.
fn max_capacity(about: &About, service: &str, needed: u32) -> String {
    let cluster = about.cluster.as_deref().unwrap_or("CLUSTER");
    let rest = format!(
        "--service-namespace ecs --scalable-dimension ecs:service:DesiredCount --resource-id service/{cluster}/{service} --max-capacity {needed}"
    );
    about.aws("application-autoscaling", "register-scalable-target", &rest)
}

/// A task definition that differs from the approved one.
fn other_definition(color: Color, found: &str, expected: &str) -> (String, String) {
    let (found, expected) = (short_arn(found), short_arn(expected));
    if found == expected {
        let what = format!(
            "{color} wants {}, as `expect-task-definition` says, and still runs tasks of another one.",
            in_backticks(found)
        );
        return (what, "Wait until its deployment is complete, then run again.".to_owned());
    }
    let what = format!(
        "{color} runs {}, and `expect-task-definition` says {}: what was approved is not what would get users.",
        in_backticks(found),
        in_backticks(expected)
    );
    let hint = format!(
        "Deploy {} to {color} again, or have {} approved.",
        in_backticks(expected),
        in_backticks(found)
    );
    (what, hint)
}

/// Alarms that do not exist.
fn no_alarm(names: &[String], about: &About) -> (String, String) {
    let quoted: Vec<String> = names.iter().map(|name| in_backticks(name)).collect();
    let what = match quoted.as_slice() {
        [only] => format!("The rollback alarm {only} does not exist in this account and region."),
        all => format!("The rollback alarms {} do not exist in this account and region.", join_with_and(all)),
    };
    let query =
        "--alarm-types MetricAlarm CompositeAlarm --query '[MetricAlarms,CompositeAlarms][].AlarmName'";
    let line = about.aws("cloudwatch", "describe-alarms", query);
    (what, format!("Correct `rollback-alarms`. These are there:\n{line}"))
}

/// Alarms fire at a split that an earlier run left.
fn alarm_at(firing: &[(String, String)], (color, split): (Color, Split), about: &About) -> (String, String) {
    let (share, other) = (split.share(color), color.other());
    let what = format!(
        "{} {} while {color} has {share} % of the users. This run found them there and moved nobody.",
        render_alarms(firing),
        if firing.len() == 1 { "fires" } else { "fire" }
    );
    let hint = format!(
        "Send them back:\n  command: rollback\n  color: {other}\nSee what the alarm measured:\n{}",
        describe_alarms(firing.iter().map(|(name, _)| name.as_str()), about)
    );
    (what, hint)
}

/// A rollback from a split between both colors.
fn which_color(split: Split) -> (String, String) {
    let what = format!(
        "Both colors serve users now ({}), so it is not clear which one to go back to.",
        format_shares(split)
    );
    (what, "Say it:\n  color: blue\nor\n  color: green".to_owned())
}

/// The color that would gain users is worse.
fn worse_color(comparison: &Comparison) -> (String, String) {
    let color = comparison.tested;
    (
        format!("{} The change would give more users to {color}.", verdict_sentence(comparison)),
        format!(
            "See the log of {color} first. `force: true` moves users all the same; a promote needs `compare: off` for that."
        ),
    )
}
