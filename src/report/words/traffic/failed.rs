//! A change of traffic that failed.

use super::super::{refusal, trouble};
use crate::plan::color::Split;
use crate::plan::step::{Capacity, Stuck};
use crate::report::about::About;
use crate::report::names::{and, quoted, shares, shell};
use crate::report::secrets::foreign;

/// What was seen, and what to do.
pub(in crate::report::words) fn stuck(stuck: &Stuck, about: &About) -> (String, String) {
    match stuck {
        Stuck::Alarm(fired) => (
            format!("{} fired while users were moved, so the new split is not good.", alarms(fired)),
            format!(
                "See what the alarm measured, and the log of the color that got users, before you move them again:\n{}",
                describe_alarms(fired.iter().map(|(name, _)| name.as_str()), about)
            ),
        ),
        Stuck::Sick(capacity) => sick(*capacity, about),
        Stuck::NotEnough(capacity) => not_enough(*capacity, about),
        Stuck::Blind(with) => {
            let failure = trouble(with);
            let what = format!(
                "While users were moved, AWS could not be asked for so long that alarms and health were not watched any more. {}",
                failure.what
            );
            (what, failure.hint)
        }
        Stuck::Overtaken { rule, expected, found } => overtaken(rule, (*expected, *found), about),
        Stuck::NotShown { rule, written } => (
            format!(
                "AWS took the new weights of the production rule {}, {written} ({}), and does not show them.",
                quoted(rule),
                shares(*written)
            ),
            format!("See what the rule holds now, then run again:\n{}", about.check_rules()),
        ),
        Stuck::Trouble(with) => {
            let failure = trouble(with);
            (format!("The change of traffic could not go on. {}", failure.what), failure.hint)
        }
        Stuck::Refused(refused) => {
            let failure = refusal(refused, about);
            let what = format!("Something changed during the run, so that it can't go on. {}", failure.what);
            (what, failure.hint)
        }
    }
}

/// Alarms with AWS's reasons: `` The CloudWatch alarm `web-5xx` (Threshold Crossed: …) ``.
pub(super) fn alarms(fired: &[(String, String)]) -> String {
    let one = |(name, reason): &(String, String)| {
        let reason = foreign(reason);
        let reason = reason.trim_end_matches('.');
        if reason.is_empty() { quoted(name) } else { format!("{} ({reason})", quoted(name)) }
    };
    let told: Vec<String> = fired.iter().map(one).collect();
    match told.as_slice() {
        [only] => format!("The CloudWatch alarm {only}"),
        all => format!("The CloudWatch alarms {}", and(all)),
    }
}

/// The command that shows alarms. Without their type, AWS answers with metric alarms alone.
pub(super) fn describe_alarms<'a>(names: impl Iterator<Item = &'a str>, about: &About) -> String {
    let names: Vec<String> = names.map(shell).collect();
    let rest = format!("--alarm-types MetricAlarm CompositeAlarm --alarm-names {}", names.join(" "));
    about.aws("cloudwatch", "describe-alarms", &rest)
}

/// The receiver lost healthy targets.
fn sick(capacity: Capacity, about: &About) -> (String, String) {
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

/// Somebody else changed a rule.
fn overtaken(rule: &str, (expected, found): (Split, Split), about: &About) -> (String, String) {
    let brief = about.users.as_ref().and_then(|users| users.brief.as_ref());
    let there = brief.is_some_and(|brief| found.same_ratio(brief.to));
    let but = if there { ", which is what this run was to bring, and not by this run" } else { "" };
    let what = format!(
        "Somebody else changed the production rule {} during the run: it holds {found} ({}) instead of {expected}{but}.",
        quoted(rule),
        shares(found)
    );
    let hint = "See who: CloudTrail has `ModifyListener` and `ModifyRule`. It may be another run, or infrastructure code that sets weights and should ignore them.";
    (what, hint.to_owned())
}
