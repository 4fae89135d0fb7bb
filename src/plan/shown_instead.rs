//! The state that AWS shows in place of a write that does not last.

use super::color::{Color, Split};
use super::scalers::field_differences;
use super::snapshot::{Rule, Scalable, Snapshot};
use super::step::{Put, Step, Update, Weights};

/// The state that AWS shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShownInstead {
    /// The desired count of a service.
    Count(u32),
    /// The task definition of a service, as an ARN.
    TaskDefinition(String),
    /// The split of a production rule.
    Split(Split),
    /// The scalable target of a service.
    Scaling(Scalable),
    /// The fields of a scaling policy or an alarm that differ, by path.
    Fields(Vec<String>),
    /// No such rule, scalable target, scaling policy or alarm.
    Nothing,
}

/// Finds the state that a look shows in place of a write. None if the look leaves that part out.
pub(crate) fn shown_instead(step: &Step, seen: &Snapshot) -> Option<ShownInstead> {
    match step {
        Step::Update(update) => updated(update, seen),
        Step::Weights(weights) => weighed(weights, seen),
        Step::Scaling(scaling) => {
            let target = seen.service(scaling.color)?.scaling.as_ref()?.as_ref().ok()?;
            Some(target.map_or(ShownInstead::Nothing, ShownInstead::Scaling))
        }
        Step::Policy(put) | Step::Alarm(put) => put_before(put, seen),
        Step::Find(_) | Step::Register(_) | Step::Probe(_) => None,
    }
}

/// The version or the count of a service. The version comes first: a count belongs to the version.
fn updated(update: &Update, seen: &Snapshot) -> Option<ShownInstead> {
    let service = seen.service(update.color)?;
    let found = &service.task_definition;
    let other = update.task_definition.as_ref().is_some_and(|wanted| wanted != found);
    Some(match other {
        true => ShownInstead::TaskDefinition(found.clone()),
        false => ShownInstead::Count(service.desired),
    })
}

/// The split of a rule.
fn weighed(weights: &Weights, seen: &Snapshot) -> Option<ShownInstead> {
    let mut rules = seen.balancers.as_ref()?.as_ref().ok()?.iter().flat_map(|balancer| &balancer.rules);
    let Some(rule) = rules.find(|rule| rule.arn == weights.rule) else { return Some(ShownInstead::Nothing) };
    let weight = |color| weight_of(rule, color, seen);
    Some(ShownInstead::Split(Split { blue: weight(Color::Blue)?, green: weight(Color::Green)? }))
}

/// The weight of a color's target group in a rule: 0 without the group. None if the group is unread.
fn weight_of(rule: &Rule, color: Color, seen: &Snapshot) -> Option<u32> {
    let group = seen.service(color)?.group.as_ref()?.as_ref().ok()?;
    Some(rule.forward.iter().find(|one| one.group == group.arn).map_or(0, |one| one.weight))
}

/// The fields of a policy or an alarm that differ from the written content. No policy has the name of an alarm.
fn put_before(put: &Put, seen: &Snapshot) -> Option<ShownInstead> {
    let scalers = seen.service(put.color)?.scalers.as_ref()?.as_ref().ok()?;
    let policy = scalers.policy(&put.name).map(|policy| &policy.content);
    let shown = policy.or_else(|| scalers.alarm(&put.name).map(|alarm| &alarm.content));
    Some(shown.map_or(ShownInstead::Nothing, |shown| {
        let changes = field_differences(shown, &put.content);
        ShownInstead::Fields(changes.into_iter().map(|change| change.path).collect())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::ServiceColor;
    use crate::plan::sample::{arn, balancer, snapshot, update};
    use crate::plan::scalers::{Policy, Scalers};
    use crate::plan::step::{Purpose, Scaling};
    use serde_json::json;

    /// Weights for the default action of port 80.
    fn weights(rule: &str) -> Step {
        Step::Weights(Box::new(Weights {
            rule: rule.to_owned(),
            listener: "listener-80".to_owned(),
            default: true,
            name: "HTTP:80 default".to_owned(),
            before: Split { blue: 100, green: 0 },
            after: Split { blue: 0, green: 100 },
            adopts: None,
            actions: json!([]),
            purpose: Purpose::Traffic,
        }))
    }

    #[test]
    fn each_kind_of_write_names_the_state_that_aws_shows_in_its_place() {
        let mut seen = snapshot();
        seen.balancers = Some(Ok(vec![balancer(80, 20)]));
        let shown = |step: &Step, seen: &Snapshot| shown_instead(step, seen);
        let count = Step::Update(update(None, Some(6), Purpose::Traffic));
        assert_eq!(shown(&count, &seen), Some(ShownInstead::Count(2)));
        let version = Step::Update(update(Some("web-green:2"), Some(6), Purpose::Restore));
        assert_eq!(shown(&version, &seen), Some(ShownInstead::TaskDefinition(arn("web-green:1"))));
        let split = Split { blue: 80, green: 20 };
        assert_eq!(shown(&weights("rule-80-0"), &seen), Some(ShownInstead::Split(split)));
        assert_eq!(shown(&weights("rule-443-0"), &seen), Some(ShownInstead::Nothing));
        let scaling = Step::Scaling(Scaling {
            color: ServiceColor::Green,
            service: "web-green".to_owned(),
            min: Some(2),
            max: None,
            in_suspended: Some(true),
            new: false,
            purpose: Purpose::Traffic,
        });
        assert_eq!(shown(&scaling, &seen), None, "not read");
        let target = Scalable { min: 1, max: 4, ..Scalable::default() };
        seen.services[1].scaling = Some(Ok(Some(target)));
        assert_eq!(shown(&scaling, &seen), Some(ShownInstead::Scaling(target)));
        seen.services[1].scaling = Some(Ok(None));
        assert_eq!(shown(&scaling, &seen), Some(ShownInstead::Nothing));
    }

    #[test]
    fn a_policy_that_does_not_last_names_the_fields_that_differ() {
        let put = |content| {
            Step::Policy(Box::new(Put {
                color: ServiceColor::Green,
                service: "web-green".to_owned(),
                name: "out".to_owned(),
                new: false,
                content,
                changes: Vec::new(),
                purpose: Purpose::Traffic,
            }))
        };
        let step = put(json!({"AdjustmentType": "ChangeInCapacity", "Cooldown": 60}));
        let mut seen = snapshot();
        assert_eq!(shown_instead(&step, &seen), None, "not read");
        seen.services[1].scalers = Some(Ok(Scalers::default()));
        assert_eq!(shown_instead(&step, &seen), Some(ShownInstead::Nothing));
        let content = json!({"AdjustmentType": "ChangeInCapacity", "Cooldown": 90});
        let kind = "StepScaling".to_owned();
        let policy = Policy { name: "out".to_owned(), arn: String::new(), kind, content };
        seen.services[1].scalers = Some(Ok(Scalers { policies: vec![policy], ..Scalers::default() }));
        let fields = ShownInstead::Fields(vec!["Cooldown".to_owned()]);
        assert_eq!(shown_instead(&step, &seen), Some(fields));
    }
}
