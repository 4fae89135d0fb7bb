//! Rules outside the split that send users to a color: rules of a production listener by host, path or method. A rule
//! with a condition on a header, the query or the source is a test rule.

use std::collections::BTreeSet;

use super::color::Color;
use super::snapshot::{Condition, Pattern, Rule};
use super::wiring::{Groups, ProductionRule, rule_name};

/// A rule of a production listener that sends users to a color, and is no production rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserRule {
    /// The color.
    pub(crate) color: Color,
    /// The rule's name for people.
    pub(crate) rule: String,
}

/// Finds the rules of these listeners that send users to blue or green. Develop is left out: a separate host on the
/// production listener is the normal way to reach develop.
pub(crate) fn user_rules(
    groups: &Groups,
    all: &[Rule],
    (production, listeners): (&[ProductionRule], &BTreeSet<&String>),
) -> Vec<UserRule> {
    let counts = |rule: &&Rule| {
        !production.iter().any(|known| known.rule.arn == rule.arn)
            && listeners.contains(&rule.listener)
            && !rule.conditions.iter().any(is_for_tests)
            && !is_hidden(rule, all)
    };
    let colors = |rule: &Rule| {
        let users = rule.forward.iter().filter(|target| target.weight > 0);
        let colors: Vec<Color> =
            users.filter_map(|target| groups.color(&target.group)?.production()).collect();
        let name = rule_name(rule);
        colors.into_iter().map(move |color| UserRule { color, rule: name.clone() })
    };
    all.iter().filter(counts).flat_map(colors).collect()
}

/// True if only purpose-made requests meet this condition.
fn is_for_tests(condition: &Condition) -> bool {
    match condition {
        Condition::Header { .. } | Condition::Query(_) | Condition::SourceIp(_) => true,
        // Users may meet an unknown field.
        Condition::Host(_) | Condition::Path(_) | Condition::Method(_) | Condition::Unknown { .. } => false,
    }
}

/// True if an earlier rule of the listener answers every request for this rule: each condition of the earlier rule is
/// also this rule's, or fits every request.
fn is_hidden(rule: &Rule, all: &[Rule]) -> bool {
    let order = |rule: &Rule| rule.priority.unwrap_or(u32::MAX);
    let earlier = all.iter().filter(|other| other.listener == rule.listener && order(other) < order(rule));
    // The values of an unknown field are not read, so two conditions on the field may differ.
    let same = |condition: &Condition| {
        !matches!(condition, Condition::Unknown { .. }) && rule.conditions.contains(condition)
    };
    let met = |condition: &Condition| is_always_met(condition) || same(condition);
    earlier.into_iter().any(|other| other.conditions.iter().all(met))
}

/// True if every request meets this condition.
fn is_always_met(condition: &Condition) -> bool {
    let is = |pattern: &Pattern, texts: &[&str]| match pattern {
        Pattern::Wildcards(pattern) => texts.contains(&pattern.as_str()),
        Pattern::Regex(_) => false,
    };
    match condition {
        Condition::Host(patterns) => patterns.iter().any(|pattern| is(pattern, &["*"])),
        Condition::Path(patterns) => patterns.iter().any(|pattern| is(pattern, &["*", "/*"])),
        Condition::Method(_)
        | Condition::Header { .. }
        | Condition::Query(_)
        | Condition::SourceIp(_)
        | Condition::Unknown { .. } => false,
    }
}
