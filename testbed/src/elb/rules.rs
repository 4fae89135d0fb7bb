//! Rules.

use std::time::Instant;

use serde_json::{Value, json};

use super::Elb;
use super::action::parse_list;
use super::condition::Condition;
use super::input::{Input, validation};
use super::listeners::{check_actions, rule_arn};
use super::model::{Listener, Rule};
use super::paging::page;
use super::tags;
use crate::wire::ApiError;
use crate::world::World;

/// Most rules of a load balancer without default rules, by AWS's default quota.
const MOST_RULES: usize = 100;

/// CreateRule.
pub(super) fn create(world: &mut World, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let listener_arn = input.required("ListenerArn")?.to_owned();
    let listener = world.elb.listener(&listener_arn)?;
    input.required("Priority")?;
    let priority = input.number("Priority", 1..=50_000)?;
    if listener.rules.iter().any(|rule| rule.priority == priority) {
        return Err(priority_in_use(priority));
    }
    check_quota(&world.elb, &listener.balancer)?;
    let conditions = read_conditions(&input.list("Conditions").unwrap_or_default())?;
    let actions = parse_list(&input.list("Actions").unwrap_or_default(), &[], "actions")?;
    check_actions(&world.elb, &listener.balancer, &listener.protocol, &actions)?;
    let tags = tags::read(input)?;
    let transforms = read_transforms(input).unwrap_or_default();
    let rule = Rule { arn: rule_arn(world, &listener_arn), priority, conditions, actions, transforms, tags };
    let out = json!({"Rules": [rule.describe()]});
    let listener = world.elb.listener_mut(&listener_arn)?;
    listener.rules.push(rule);
    sort(listener);
    world.elb.route(&listener_arn, world.pace.propagation, now);
    Ok(out)
}

/// `TooManyRules`: the quota counts the rules of all listeners of the load balancer.
fn check_quota(elb: &Elb, balancer: &str) -> Result<(), ApiError> {
    let listeners = elb.listeners.iter().filter(|listener| listener.balancer == balancer);
    let rules = listeners.flat_map(|listener| &listener.rules).filter(|rule| rule.priority.is_some());
    if rules.count() < MOST_RULES {
        return Ok(());
    }
    let text = format!("The maximum number of rules on load balancer {balancer} has been reached");
    Err(ApiError::new("TooManyRules", text))
}

/// Sorts by priority, the default rule last.
fn sort(listener: &mut Listener) {
    listener.rules.sort_by_key(|rule| rule.priority.unwrap_or(u32::MAX));
}

/// `PriorityInUse`.
fn priority_in_use(priority: Option<u32>) -> ApiError {
    ApiError::new("PriorityInUse", format!("Priority '{}' is currently in use", priority.unwrap_or_default()))
}

/// Conditions of a rule other than the default: at least one.
fn read_conditions(list: &[Input<'_>]) -> Result<Vec<Condition>, ApiError> {
    if list.is_empty() {
        return Err(validation("A condition must be specified"));
    }
    list.iter().map(|condition| Condition::parse(*condition)).collect()
}

/// `Transforms`, as data; none if not given.
fn read_transforms(input: Input<'_>) -> Option<Vec<Value>> {
    Some(input.list("Transforms")?.iter().map(|transform| transform.0.clone()).collect())
}

/// DescribeRules: of a listener, or by ARN.
pub(super) fn describe(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arns = input.texts("RuleArns").unwrap_or_default();
    let out: Vec<Value> = match (input.text("ListenerArn"), arns.is_empty()) {
        (Some(listener), true) => elb.listener(listener)?.rules.iter().map(Rule::describe).collect(),
        (None, false) => {
            let one =
                |arn: &String| elb.rule_place(arn).map(|(listener, index)| listener.rules[index].describe());
            arns.iter().map(one).collect::<Result<_, _>>()?
        }
        (Some(_), false) | (None, true) => {
            return Err(validation("You must specify either listener rule ARNs or a listener ARN"));
        }
    };
    page(elb, input, "Rules", out)
}

/// The listener and the rule's position, for a changeable rule; the default rule is not (`OperationNotPermitted`).
fn changeable(elb: &Elb, arn: &str, verb: &str) -> Result<(String, usize), ApiError> {
    let (listener, index) = elb.rule_place(arn)?;
    if listener.rules[index].priority.is_none() {
        return Err(ApiError::new("OperationNotPermitted", format!("Default rule '{arn}' cannot be {verb}")));
    }
    Ok((listener.arn.clone(), index))
}

/// ModifyRule: given fields replace the old ones, as a whole.
pub(super) fn modify(world: &mut World, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let arn = input.required("RuleArn")?;
    let (listener_arn, index) = changeable(&world.elb, arn, "modified")?;
    let listener = world.elb.listener(&listener_arn)?;
    let conditions = input.list("Conditions").map(|list| read_conditions(&list)).transpose()?;
    let before = &listener.rules[index].actions;
    let actions = input.list("Actions").map(|list| parse_list(&list, before, "actions")).transpose()?;
    let reset = input.flag("ResetTransforms")?.unwrap_or(false);
    let transforms = if reset { Some(Vec::new()) } else { read_transforms(input) };
    if conditions.is_none() && actions.is_none() && transforms.is_none() {
        return Err(validation("Either conditions or actions must be specified"));
    }
    if let Some(actions) = &actions {
        check_actions(&world.elb, &listener.balancer, &listener.protocol, actions)?;
    }
    let rule = &mut world.elb.listener_mut(&listener_arn)?.rules[index];
    rule.conditions = conditions.unwrap_or_else(|| std::mem::take(&mut rule.conditions));
    rule.actions = actions.unwrap_or_else(|| std::mem::take(&mut rule.actions));
    rule.transforms = transforms.unwrap_or_else(|| std::mem::take(&mut rule.transforms));
    let out = json!({"Rules": [rule.describe()]});
    world.elb.route(&listener_arn, world.pace.propagation, now);
    Ok(out)
}

/// DeleteRule.
pub(super) fn delete(world: &mut World, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let (listener, index) = changeable(&world.elb, input.required("RuleArn")?, "deleted")?;
    world.elb.listener_mut(&listener)?.rules.remove(index);
    world.elb.route(&listener, world.pace.propagation, now);
    Ok(json!({}))
}

/// SetRulePriorities: all or none. Rules may swap their priorities.
pub(super) fn set_priorities(world: &mut World, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let mut wanted: Vec<(String, String, u32)> = Vec::new();
    for pair in input.list("RulePriorities").unwrap_or_default() {
        let arn = pair.required("RuleArn")?;
        pair.required("Priority")?;
        let priority = pair.number("Priority", 1..=50_000)?.unwrap_or_default();
        let (listener, _) = changeable(&world.elb, arn, "modified")?;
        if wanted.iter().any(|(other, _, taken)| *other == listener && *taken == priority) {
            return Err(validation(format!("Priority '{priority}' was provided multiple times")));
        }
        wanted.push((listener, arn.to_owned(), priority));
    }
    if wanted.is_empty() {
        input.required("RulePriorities")?;
    }
    for (listener, _, priority) in &wanted {
        let others = world
            .elb
            .listener(listener)?
            .rules
            .iter()
            .filter(|rule| wanted.iter().all(|(_, arn, _)| *arn != rule.arn));
        if others.into_iter().any(|rule| rule.priority == Some(*priority)) {
            return Err(priority_in_use(Some(*priority)));
        }
    }
    let mut out = Vec::new();
    for (listener_arn, arn, priority) in &wanted {
        let listener = world.elb.listener_mut(listener_arn)?;
        if let Some(rule) = listener.rules.iter_mut().find(|rule| rule.arn == *arn) {
            rule.priority = Some(*priority);
            out.push(rule.describe());
        }
        sort(listener);
        world.elb.route(listener_arn, world.pace.propagation, now);
    }
    Ok(json!({"Rules": out}))
}
