//! Why the load balancer's rules can't be read as blue and green.

use crate::plan::color::{Color, Split};
use crate::plan::wiring::Tangle;
use crate::report::names::{quoted, shares, short_arn};

/// What was found, and what to do.
pub(crate) fn tangle(tangle: &Tangle) -> (String, String) {
    match tangle {
        Tangle::TwoBalancers(arns) => (
            format!(
                "The target groups of blue and green belong to different load balancers: {}. One has to hold both.",
                list(arns.iter().map(|arn| quoted(short_arn(arn))))
            ),
            "Attach both target groups to one Application Load Balancer.".to_owned(),
        ),
        Tangle::Unattached(color) => (
            format!("The target group of {color} is used by no load balancer, so nobody can be sent to it."),
            format!(
                "Add {color}'s target group to the production listener's forward action; weight 0 is enough. Write both weights out."
            ),
        ),
        Tangle::NotApplication(arn) => (
            format!(
                "The load balancer {} is not an Application Load Balancer; this action handles only that kind.",
                quoted(short_arn(arn))
            ),
            "Put the target groups behind an Application Load Balancer.".to_owned(),
        ),
        Tangle::TargetType(color, found) => (
            format!(
                "The target group of {color} has the target type {}; this action handles `ip` and `instance`.",
                quoted(found)
            ),
            format!(
                "Give {color} a target group of type `ip` (awsvpc, Fargate) or `instance` (bridge or host network)."
            ),
        ),
        Tangle::SameGroup(name) => (
            format!(
                "Blue and green use the same target group, {}: users can't be split between them.",
                quoted(name)
            ),
            "Give each service a target group of its own.".to_owned(),
        ),
        Tangle::NoProductionRule(found) => {
            no_rule("No listener rule forwards to both blue and green, and no `listener` was named", found)
        }
        Tangle::NoSuchListener(found) => no_rule(
            "The `listener` that was named does not exist, or forwards to neither blue nor green",
            found,
        ),
        Tangle::ThirdGroup { rule, group } => third_group(rule, group),
        Tangle::UnknownAction { rule, action } => unknown_action(rule, action),
        Tangle::NoWeight(rule) => (
            format!(
                "The weights of blue and green in the production rule {} are both 0; one has to be above 0.",
                quoted(rule)
            ),
            "Give the color that is to serve users a weight above 0 in that rule.".to_owned(),
        ),
        Tangle::Disagree(rules) => disagree(rules),
    }
}

/// A rule with a group that is not ours.
fn third_group(rule: &str, group: &str) -> (String, String) {
    (
        format!(
            "The production rule {} also forwards to a third target group, {}. It has to hold blue's and green's, and no other.",
            quoted(rule),
            quoted(short_arn(group))
        ),
        "Remove the third group from the rule, or give it a rule of its own.".to_owned(),
    )
}

/// A rule with an action that could be lost.
fn unknown_action(rule: &str, action: &str) -> (String, String) {
    (
        format!(
            "The production rule {} has an action of the type {}, which this action does not know and could lose.",
            quoted(rule),
            quoted(action)
        ),
        "Move that action to another rule, or use a newer version of this action.".to_owned(),
    )
}

/// No rule that could be production, with the listeners that were found.
fn no_rule(what: &str, found: &[String]) -> (String, String) {
    let Some(first) = found.iter().find(|name| name.contains("443")).or(found.first()) else {
        let hint = "Add a listener whose forward action holds both target groups: the color that serves users with weight 100, the other with 0.";
        return (format!("{what}. The load balancer has no listener that forwards."), hint.to_owned());
    };
    let names = list(found.iter().map(|name| quoted(name)));
    (
        format!("{what}. Listeners: {names}."),
        format!("Name the listener that your users come through:\n  listener: {first}"),
    )
}

/// Rules with different splits: each is shown.
fn disagree(rules: &[(String, Split)]) -> (String, String) {
    let held = rules.iter().map(|(rule, split)| format!("{} has {}", quoted(rule), shares(*split)));
    let what = format!(
        "The production rules hold different splits: {}. All of them have to hold the same.",
        held.collect::<Vec<_>>().join("; ")
    );
    let live = |color| rules.iter().any(|(_, split)| split.is_live(color));
    let idle = [Color::Blue, Color::Green].into_iter().find(|color| !live(*color));
    let idle = idle.map(|color| format!(" No rule sends users to {color}.")).unwrap_or_default();
    let hint = format!(
        "{}\nA rule that is not production should forward to one color alone.{idle}",
        settled_with(&different(rules))
    );
    (what, hint)
}

/// The inputs that settle it: what one of the rules holds already, and, where they hold more than two splits or users are
/// failing, all users at one color. An input is in percent: it can't say weights of 1 and 2.
fn settled_with(splits: &[Split]) -> String {
    let alone = |color: Color| format!("  command: rollback\n  color: {color}");
    let input = |split: &Split| match (split.blue, split.green) {
        (_, 0) => Some(alone(Color::Blue)),
        (0, _) => Some(alone(Color::Green)),
        _ => split.is_exact().then(|| format!("  command: redirect-traffic\n  traffic: {split}")),
    };
    let mut known: Vec<String> = splits.iter().filter_map(input).collect();
    if splits.len() > 2 {
        let colors = [Color::Blue, Color::Green].map(alone);
        known.retain(|input| !colors.contains(input));
        known.splice(0..0, colors);
        return format!("Settle it with one of these:\n{}", known.join("\nor\n"));
    }
    let failing = "If users are failing already, all of them can be sent to one color with\n  command: rollback\n  color: blue\n  force: true";
    match known.is_empty() {
        true => format!("No input can say what they hold. {failing}"),
        false => format!("Settle it with what a rule holds already:\n{}\n{failing}", known.join("\nor\n")),
    }
}

/// The splits that rules hold, each once.
fn different(rules: &[(String, Split)]) -> Vec<Split> {
    let mut splits: Vec<Split> = Vec::new();
    for (_, split) in rules {
        if !splits.iter().any(|known| known.same_ratio(*split)) {
            splits.push(*split);
        }
    }
    splits
}

/// Things one after the other.
fn list(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}
