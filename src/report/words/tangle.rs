//! Reasons why the load balancer's rules can't be read as blue and green.

use crate::plan::color::{Color, Split};
use crate::plan::wiring::RoutingError;
use crate::report::names::{format_shares, in_backticks, short_arn};

/// The finding, and the remedy.
pub(crate) fn render_routing_error(tangle: &RoutingError) -> (String, String) {
    match tangle {
        RoutingError::TwoBalancers(arns) => (
            format!(
                "The target groups of blue and green belong to different load balancers: {}. One has to hold both.",
                join_items(arns.iter().map(|arn| in_backticks(short_arn(arn))))
            ),
            "Attach both target groups to one Application Load Balancer.".to_owned(),
        ),
        RoutingError::Unattached(color) => (
            format!("The target group of {color} is used by no load balancer, so nobody can be sent to it."),
            format!(
                "Add {color}'s target group to the production listener's forward action; weight 0 is enough. Write both weights out."
            ),
        ),
        RoutingError::NotApplication(arn) => (
            format!(
                "The load balancer {} is not an Application Load Balancer; this action handles only that kind.",
                in_backticks(short_arn(arn))
            ),
            "Put the target groups behind an Application Load Balancer.".to_owned(),
        ),
        RoutingError::TargetType(color, found) => (
            format!(
                "The target group of {color} has the target type {}; this action handles `ip` and `instance`.",
                in_backticks(found)
            ),
            format!(
                "Give {color} a target group of type `ip` (awsvpc, Fargate) or `instance` (bridge or host network)."
            ),
        ),
        RoutingError::SameGroup(name) => (
            format!(
                "Blue and green use the same target group, {}: users can't be split between them.",
                in_backticks(name)
            ),
            "Give each service a target group of its own.".to_owned(),
        ),
        RoutingError::NoProductionRule(found) => {
            no_rule("No listener rule forwards to both blue and green, and no `listener` was named", found)
        }
        RoutingError::NoSuchListener(found) => no_rule(
            "The `listener` that was named does not exist, or forwards to neither blue nor green",
            found,
        ),
        RoutingError::ThirdGroup { rule, group } => third_group(rule, group),
        RoutingError::UnknownAction { rule, action } => unknown_action(rule, action),
        RoutingError::NoWeight(rule) => (
            format!(
                "The weights of blue and green in the production rule {} are both 0; one has to be above 0.",
                in_backticks(rule)
            ),
            "Give the color that is to serve users a weight above 0 in that rule.".to_owned(),
        ),
        RoutingError::Disagree(rules) => render_disagreement(rules),
    }
}

/// A rule with a third target group.
fn third_group(rule: &str, group: &str) -> (String, String) {
    (
        format!(
            "The production rule {} also forwards to a third target group, {}. It has to hold blue's and green's, and no other.",
            in_backticks(rule),
            in_backticks(short_arn(group))
        ),
        "Remove the third group from the rule, or give it a rule of its own.".to_owned(),
    )
}

/// A rule with an unknown action, which could be lost.
fn unknown_action(rule: &str, action: &str) -> (String, String) {
    (
        format!(
            "The production rule {} has an action of the type {}, which this action does not know and could lose.",
            in_backticks(rule),
            in_backticks(action)
        ),
        "Move that action to another rule, or use a newer version of this action.".to_owned(),
    )
}

/// No rule that could be production, with the listeners found.
fn no_rule(what: &str, found: &[String]) -> (String, String) {
    let Some(first) = found.iter().find(|name| name.contains("443")).or(found.first()) else {
        let hint = "Add a listener whose forward action holds both target groups: the color that serves users with weight 100, the other with 0.";
        return (format!("{what}. The load balancer has no listener that forwards."), hint.to_owned());
    };
    let names = join_items(found.iter().map(|name| in_backticks(name)));
    (
        format!("{what}. Listeners: {names}."),
        format!("Name the listener that your users come through:\n  listener: {first}"),
    )
}

/// Rules with different splits: each is shown.
fn render_disagreement(rules: &[(String, Split)]) -> (String, String) {
    let held =
        rules.iter().map(|(rule, split)| format!("{} has {}", in_backticks(rule), format_shares(*split)));
    let what = format!(
        "The production rules hold different splits: {}. All of them have to hold the same.",
        held.collect::<Vec<_>>().join("; ")
    );
    let live = |color| rules.iter().any(|(_, split)| split.is_live(color));
    let idle = Color::BOTH.into_iter().find(|color| !live(*color));
    let idle = idle.map(|color| format!(" No rule sends users to {color}.")).unwrap_or_default();
    let hint = format!(
        "{}\nA rule that is not production should forward to one color alone.{idle}",
        settled_with(&distinct_splits(rules))
    );
    (what, hint)
}

/// The inputs that make the rules agree: the split of each rule, and, if there are more than two splits or users are
/// failing, all users at one color. An input is in percent and can't express weights of 1 and 2.
fn settled_with(splits: &[Split]) -> String {
    let alone = |color: Color| format!("  command: rollback\n  color: {color}");
    let input = |split: &Split| match (split.blue, split.green) {
        (_, 0) => Some(alone(Color::Blue)),
        (0, _) => Some(alone(Color::Green)),
        _ => split.is_exact().then(|| format!("  command: redirect-traffic\n  traffic: {split}")),
    };
    let mut known: Vec<String> = splits.iter().filter_map(input).collect();
    if splits.len() > 2 {
        let colors = Color::BOTH.map(alone);
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

/// The splits of the rules, each once.
fn distinct_splits(rules: &[(String, Split)]) -> Vec<Split> {
    let mut splits: Vec<Split> = Vec::new();
    for (_, split) in rules {
        if !splits.iter().any(|known| known.same_ratio(*split)) {
            splits.push(*split);
        }
    }
    splits
}

/// A list, separated by commas.
fn join_items(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(", ")
}
