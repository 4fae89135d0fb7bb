//! From one rule of a change to the next: the rule whose turn is next, and what is known once one was written.

use super::rewrite::forwarded;
use crate::plan::snapshot::{Rule, Snapshot, Weighted};
use crate::plan::step::Weights;

/// The rule that is written next: the first one after the written rule that forwards to the same groups with other
/// weights. A guess, which the next decision confirms or not.
pub(crate) fn following_rule<'a>(seen: &'a Snapshot, written: &Weights) -> Option<&'a Rule> {
    let wanted = forwarded(&written.actions);
    let alike = |rule: &&Rule| {
        let groups = |all: &[Weighted]| {
            let mut groups: Vec<String> = all.iter().map(|one| one.group.clone()).collect();
            groups.sort();
            groups
        };
        groups(&rule.forward) == groups(&wanted) && rule.forward.iter().any(|one| !wanted.contains(one))
    };
    let rules = || seen.balancers.iter().flatten().flatten().flat_map(|balancer| &balancer.rules);
    let place = rules().position(|rule| rule.arn == written.rule)?;
    rules().skip(place + 1).chain(rules().take(place)).find(alike)
}

/// A snapshot with rules that were read again.
pub(crate) fn with_rules(seen: &Snapshot, anew: &[&Rule]) -> Snapshot {
    let mut seen = seen.clone();
    let balancers = seen.balancers.iter_mut().flatten().flatten();
    for rule in balancers.flat_map(|balancer| &mut balancer.rules) {
        if let Some(read) = anew.iter().find(|read| read.arn == rule.arn) {
            rule.clone_from(read);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::color::Split;
    use crate::plan::sample::snapshot;
    use crate::plan::step::Purpose;

    #[test]
    fn the_next_rule_forwards_to_the_same_groups_with_other_weights() {
        let mut seen = snapshot();
        let production = seen.balancers.as_ref().unwrap().as_ref().unwrap()[0].rules[0].clone();
        let groups: Vec<String> = production.forward.iter().map(|one| one.group.clone()).collect();
        let rule = |arn: &str, weights: [u32; 2]| {
            let forward =
                groups.iter().zip(weights).map(|(group, weight)| Weighted { group: group.clone(), weight });
            Rule { arn: arn.to_owned(), forward: forward.collect(), ..production.clone() }
        };
        let lone = Rule { forward: vec![production.forward[0].clone()], ..rule("lone", [1, 0]) };
        let all = [rule("a", [100, 0]), rule("b", [0, 100]), lone, rule("c", [100, 0])];
        seen.balancers.as_mut().unwrap().as_mut().unwrap()[0].rules = all.to_vec();
        let weighted = |(group, weight): (&String, u32)| json!({ "TargetGroupArn": group, "Weight": weight });
        let targets: Vec<_> = groups.iter().zip([0, 100]).map(weighted).collect();
        let written = |arn: &str| Weights {
            rule: arn.to_owned(),
            listener: String::new(),
            default: false,
            name: String::new(),
            before: Split { blue: 100, green: 0 },
            after: Split { blue: 0, green: 100 },
            adopts: None,
            actions: json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": targets } }]),
            purpose: Purpose::Traffic,
        };
        let next =
            |seen: &Snapshot, arn: &str| following_rule(seen, &written(arn)).map(|rule| rule.arn.clone());
        assert_eq!(next(&seen, "a").as_deref(), Some("c"));
        assert_eq!(next(&seen, "c").as_deref(), Some("a"));
        assert_eq!(next(&seen, "elsewhere"), None);
        let seen = with_rules(&seen, &[&rule("a", [0, 100]), &rule("elsewhere", [0, 100])]);
        assert_eq!((next(&seen, "a").as_deref(), next(&seen, "c")), (Some("c"), None));
    }
}
