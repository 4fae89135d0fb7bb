//! Tags of load balancers, target groups, listeners and rules.

use serde_json::{Value, json};

use super::Elb;
use super::input::{Input, validation};
use super::model::{Pairs, describe_pairs, put};
use super::state::{balancer_not_found, group_not_found, listener_not_found};
use crate::wire::ApiError;

/// Most tags on one resource.
const MOST: usize = 50;

/// Reads `Tags`.
pub(super) fn read(input: Input<'_>) -> Result<Pairs, ApiError> {
    let mut tags = Pairs::new();
    for tag in input.list("Tags").unwrap_or_default() {
        let key = tag.required("Key")?;
        if tags.iter().any(|(known, _)| known == key) {
            return Err(ApiError::new(
                "DuplicateTagKeys",
                format!("Tag key was specified more than once: {key}"),
            ));
        }
        tags.push((key.to_owned(), tag.owned("Value").unwrap_or_default()));
    }
    check_count(&tags)?;
    Ok(tags)
}

/// `TooManyTags` beyond AWS's limit.
fn check_count(tags: &Pairs) -> Result<(), ApiError> {
    if tags.len() > MOST {
        return Err(ApiError::new(
            "TooManyTags",
            format!("The maximum number of tags per resource is {MOST}"),
        ));
    }
    Ok(())
}

/// The ARNs in `ResourceArns`, all of existing resources.
fn resources(elb: &Elb, input: Input<'_>) -> Result<Vec<String>, ApiError> {
    let arns = input.texts("ResourceArns").unwrap_or_default();
    if arns.is_empty() {
        input.required("ResourceArns")?;
    }
    for arn in &arns {
        read_tags(elb, arn)?;
    }
    Ok(arns)
}

/// A resource's tags, found by its ARN's kind.
fn tags_of<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut Pairs, ApiError> {
    let kind = arn.splitn(6, ':').nth(5).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match kind {
        "loadbalancer" => {
            let found = elb.balancers.iter_mut().find(|balancer| balancer.arn == arn);
            found.map(|balancer| &mut balancer.tags).ok_or_else(|| balancer_not_found(arn))
        }
        "targetgroup" => elb
            .groups
            .iter_mut()
            .find(|group| group.arn == arn)
            .map(|group| &mut group.tags)
            .ok_or_else(group_not_found),
        "listener" => {
            let found = elb.listeners.iter_mut().find(|listener| listener.arn == arn);
            found.map(|listener| &mut listener.tags).ok_or_else(listener_not_found)
        }
        "listener-rule" => {
            let mut rules = elb.listeners.iter_mut().flat_map(|listener| listener.rules.iter_mut());
            let found = rules.find(|rule| rule.arn == arn);
            found
                .map(|rule| &mut rule.tags)
                .ok_or_else(|| ApiError::new("RuleNotFound", "One or more rules not found"))
        }
        _ => Err(validation(format!("'{arn}' is not a valid load balancer ARN"))),
    }
}

/// AddTags: overwrites existing keys.
pub(super) fn add(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let tags = read(input)?;
    for arn in resources(elb, input)? {
        let known = tags_of(elb, &arn)?;
        let mut all = known.clone();
        tags.iter().for_each(|(key, value)| put(&mut all, key, value));
        check_count(&all)?;
        *known = all;
    }
    Ok(json!({}))
}

/// RemoveTags: a missing key is no error.
pub(super) fn remove(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let keys = input.texts("TagKeys").unwrap_or_default();
    for arn in resources(elb, input)? {
        tags_of(elb, &arn)?.retain(|(key, _)| !keys.contains(key));
    }
    Ok(json!({}))
}

/// DescribeTags: up to 20 resources.
pub(super) fn describe(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arns = resources(elb, input)?;
    if arns.len() > 20 {
        return Err(validation("You cannot describe tags of more than '20' resources at a time"));
    }
    let mut out = Vec::new();
    for arn in arns {
        let tags = describe_pairs(read_tags(elb, &arn)?);
        out.push(json!({"ResourceArn": arn, "Tags": tags}));
    }
    Ok(json!({"TagDescriptions": out}))
}

/// A resource's tags, read-only.
fn read_tags<'a>(elb: &'a Elb, arn: &str) -> Result<&'a Pairs, ApiError> {
    let kind = arn.splitn(6, ':').nth(5).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match kind {
        "targetgroup" => elb.group(arn).map(|group| &group.tags),
        "listener" => elb.listener(arn).map(|listener| &listener.tags),
        "listener-rule" => elb.rule_place(arn).map(|(listener, index)| &listener.rules[index].tags),
        _ => elb.balancer(arn).map(|balancer| &balancer.tags),
    }
}
