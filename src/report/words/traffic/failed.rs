//! A change of traffic that failed.

use super::super::compare::verdict_sentence;
use super::super::{render_aws_error, render_refusal};
use crate::plan::color::{Color, Split};
use crate::plan::step::{Capacity, TrafficFailure};
use crate::report::about::About;
use crate::report::names::{format_shares, in_backticks, join_with_and, shell_quote, short_arn};
use crate::report::secrets::mask_line;

/// The finding, and the remedy.
pub(in crate::report::words) fn render_traffic_failure(
    stuck: &TrafficFailure,
    about: &About,
) -> (String, String) {
    match stuck {
        TrafficFailure::Alarm(fired) => (
            format!("{} fired while users were moved, so the new split is not good.", render_alarms(fired)),
            format!(
                "See what the alarm measured, and the log of the color that got users, before you move them again:\n{}",
                describe_alarms(fired.iter().map(|(name, _)| name.as_str()), about)
            ),
        ),
        TrafficFailure::Sick(capacity) => unhealthy_receiver(*capacity, about),
        TrafficFailure::NotEnough(capacity) => not_enough(*capacity, about),
        TrafficFailure::Blind(with) => {
            let failure = render_aws_error(with);
            let what = format!(
                "While users were moved, AWS could not be asked for so long that alarms and health were not watched any more. {}",
                failure.what
            );
            (what, failure.hint)
        }
        TrafficFailure::Overtaken { rule, expected, found } => {
            rule_changed_externally(rule, (*expected, *found), about)
        }
        TrafficFailure::RuleGone(rule) => (
            format!(
                "Someone deleted the production rule {} during the run, or took a color out of it.",
                in_backticks(rule)
            ),
            format!(
                "See who changed the rule, and which color its users get now, before you run again:\n{}",
                about.check_rules()
            ),
        ),
        TrafficFailure::Redeployed { color, expected, found } => {
            redeployed(*color, short_arn(expected), short_arn(found))
        }
        TrafficFailure::NotShown { rule, written } => (
            format!(
                "AWS took the new weights of the production rule {}, {written} ({}), and does not show them.",
                in_backticks(rule),
                format_shares(*written)
            ),
            format!("See what the rule holds now, then run again:\n{}", about.check_rules()),
        ),
        TrafficFailure::Worse(comparison) => (
            format!("{} Users go back to {}.", verdict_sentence(comparison), comparison.tested.other()),
            format!(
                "See the log of {} before you move users there again. The table of both colors is in the summary of the run.",
                comparison.tested
            ),
        ),
        TrafficFailure::AwsError(with) => {
            let failure = render_aws_error(with);
            (format!("The change of traffic could not go on. {}", failure.what), failure.hint)
        }
        TrafficFailure::Refused(refused) => {
            let failure = render_refusal(refused, about);
            let what = format!("Something changed during the run, so that it can't go on. {}", failure.what);
            (what, failure.hint)
        }
    }
}

/// Alarms with AWS's reasons: `` The CloudWatch alarm `web-5xx` (Threshold Crossed: …) ``.
pub(super) fn render_alarms(fired: &[(String, String)]) -> String {
    let one = |(name, reason): &(String, String)| {
        let reason = mask_line(reason);
        let reason = reason.trim_end_matches('.');
        if reason.is_empty() { in_backticks(name) } else { format!("{} ({reason})", in_backticks(name)) }
    };
    let told: Vec<String> = fired.iter().map(one).collect();
    match told.as_slice() {
        [only] => format!("The CloudWatch alarm {only}"),
        all => format!("The CloudWatch alarms {}", join_with_and(all)),
    }
}

/// The command that shows alarms. Without the alarm types, AWS answers only with metric alarms.
pub(super) fn describe_alarms<'a>(names: impl Iterator<Item = &'a str>, about: &About) -> String {
    let names: Vec<String> = names.map(shell_quote).collect();
    let rest = format!("--alarm-types MetricAlarm CompositeAlarm --alarm-names {}", names.join(" "));
    about.aws("cloudwatch", "describe-alarms", &rest)
}

/// The receiver lost healthy targets.
fn unhealthy_receiver(capacity: Capacity, about: &About) -> (String, String) {
    let what = format!(
        "{} lost healthy targets while it served {} % of the users: {} healthy, {} needed.",
        capacity.color, capacity.share, capacity.healthy, capacity.needed
    );
    let hint = format!(
        "See why its tasks or their health checks fail under users:\n{}",
        about.at(capacity.color).events()
    );
    (what, hint)
}

/// A color did not get healthy in time.
fn not_enough(capacity: Capacity, about: &About) -> (String, String) {
    let what = format!(
        "{} did not get enough healthy targets in time: {} of the {} that {} % of the users need, with a desired count of {}.",
        capacity.color, capacity.healthy, capacity.needed, capacity.share, capacity.desired
    );
    let hint = format!(
        "If its tasks only need longer to start, raise `timeout`. Else see why they do not become healthy:\n{}",
        about.at(capacity.color).events()
    );
    (what, hint)
}

/// Another run deployed to the color that this run had prepared for all users.
fn redeployed(color: Color, expected: &str, found: &str) -> (String, String) {
    let (expected, found) = (in_backticks(expected), in_backticks(found));
    (
        format!(
            "Someone else deployed {found} to {color} after this run had deployed {expected} there. This run did not prove {found}."
        ),
        format!(
            "See who deployed {found}. Then run the promote again: it copies the tested version to {color} once more."
        ),
    )
}

/// Another writer changed a rule.
fn rule_changed_externally(rule: &str, (expected, found): (Split, Split), about: &About) -> (String, String) {
    let traffic_plan = about.users.as_ref().and_then(|users| users.traffic_plan.as_ref());
    let there = traffic_plan.is_some_and(|traffic_plan| found.same_ratio(traffic_plan.to));
    let but = if there { ", which is what this run was to bring, and not by this run" } else { "" };
    let what = format!(
        "Somebody else changed the production rule {} during the run: it holds {found} ({}) instead of {expected}{but}.",
        in_backticks(rule),
        format_shares(found)
    );
    let hint = "See who: CloudTrail has `ModifyListener` and `ModifyRule`. It may be another run, or infrastructure code that sets weights and should ignore them.";
    (what, hint.to_owned())
}
