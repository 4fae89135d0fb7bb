//! Attributes of load balancers, listeners and target groups, and the account's limits.

use serde_json::{Value, json};

use super::Elb;
use super::input::{Input, validation};
use super::model::{Pairs, describe_pairs, put};
use super::paging::page;
use crate::wire::ApiError;

/// The operations of this file; every other operation is unknown to the testbed.
pub(super) fn call(elb: &mut Elb, operation: &str, input: Input<'_>) -> Result<Value, ApiError> {
    match operation {
        "DescribeLoadBalancerAttributes" => {
            let balancer = elb.balancer(input.required("LoadBalancerArn")?)?;
            Ok(json!({"Attributes": describe_pairs(&balancer.attributes)}))
        }
        "ModifyLoadBalancerAttributes" => {
            let balancer = elb.balancer_mut(input.required("LoadBalancerArn")?)?;
            let out = modify(&mut balancer.attributes, input, check_balancer);
            elb.stale = true;
            out
        }
        "DescribeListenerAttributes" => {
            let listener = elb.listener(input.required("ListenerArn")?)?;
            Ok(json!({"Attributes": describe_pairs(&listener.attributes)}))
        }
        "ModifyListenerAttributes" => {
            modify(&mut elb.listener_mut(input.required("ListenerArn")?)?.attributes, input, |_, _| Ok(()))
        }
        "DescribeTargetGroupAttributes" => {
            let group = elb.group(input.required("TargetGroupArn")?)?;
            Ok(json!({"Attributes": describe_pairs(&group.attributes)}))
        }
        "ModifyTargetGroupAttributes" => modify_group(elb, input),
        "DescribeAccountLimits" => limits(elb, input),
        _ => Err(ApiError::new(
            "InvalidAction",
            format!("Could not find operation {operation} for version 2015-12-01"),
        )),
    }
}

/// Overwrites attributes, all or none, and returns all attributes.
fn modify(
    attributes: &mut Pairs,
    input: Input<'_>,
    check: fn(&str, &str) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let mut changed = attributes.clone();
    for pair in input.list("Attributes").unwrap_or_default() {
        let (key, value) = (pair.required("Key")?, pair.text("Value").unwrap_or_default());
        let open = key.starts_with("routing.http.request.") || key.starts_with("routing.http.response.");
        if !open && !changed.iter().any(|(known, _)| known == key) {
            return Err(validation(format!("Key '{key}' is not recognized")));
        }
        check(key, value)?;
        put(&mut changed, key, value);
    }
    *attributes = changed;
    Ok(json!({"Attributes": describe_pairs(attributes)}))
}

/// A number within AWS's range.
fn within(key: &str, value: &str, (least, most): (u32, u32)) -> Result<(), ApiError> {
    match value.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(()),
        Ok(_) | Err(_) => {
            Err(validation(format!("'{key}' value '{value}' must be between '{least}-{most}' inclusive")))
        }
    }
}

/// One of a few words.
fn among(key: &str, value: &str, words: &[&str]) -> Result<(), ApiError> {
    if words.contains(&value) {
        return Ok(());
    }
    Err(validation(format!(
        "'{value}' is not a valid value for '{key}'; it must be one of [{}]",
        words.join(", ")
    )))
}

/// Values of a load balancer's attributes.
fn check_balancer(key: &str, value: &str) -> Result<(), ApiError> {
    match key {
        "idle_timeout.timeout_seconds" => within(key, value, (1, 4000)),
        "client_keep_alive.seconds" => within(key, value, (60, 604_800)),
        _ if key.ends_with(".enabled") => among(key, value, &["true", "false"]),
        _ => Ok(()),
    }
}

/// Values of a target group's attributes.
fn check_group(key: &str, value: &str) -> Result<(), ApiError> {
    match key {
        "deregistration_delay.timeout_seconds" => within(key, value, (0, 3600)),
        "stickiness.lb_cookie.duration_seconds" | "stickiness.app_cookie.duration_seconds" => {
            within(key, value, (1, 604_800))
        }
        "slow_start.duration_seconds" if value == "0" => Ok(()),
        "slow_start.duration_seconds" => within(key, value, (30, 900)),
        "load_balancing.cross_zone.enabled" => {
            among(key, value, &["true", "false", "use_load_balancer_configuration"])
        }
        "stickiness.enabled" | "lambda.multi_value_headers.enabled" => among(key, value, &["true", "false"]),
        "stickiness.type" => among(key, value, &["lb_cookie", "app_cookie", "source_ip"]),
        "load_balancing.algorithm.type" => {
            among(key, value, &["round_robin", "least_outstanding_requests", "weighted_random"])
        }
        "load_balancing.algorithm.anomaly_mitigation" => among(key, value, &["on", "off"]),
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count" => {
            within(key, value, (1, 1000))
        }
        _ if key.ends_with("minimum_healthy_targets.count") && value != "off" => {
            within(key, value, (1, 1000))
        }
        _ if key.ends_with("minimum_healthy_targets.percentage") && value != "off" => {
            within(key, value, (1, 100))
        }
        _ => Ok(()),
    }
}

/// Target stickiness needs group stickiness on every weighted rule of the group (Sticky sessions for your
/// Application Load Balancer).
fn modify_group(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("TargetGroupArn")?.to_owned();
    elb.group(&arn)?;
    let enables = |pair: &Input<'_>| {
        pair.text("Key") == Some("stickiness.enabled") && pair.text("Value") == Some("true")
    };
    let loose = elb.rules().iter().any(|rule| {
        let forwards = rule.actions.iter().filter_map(|action| action.forward());
        forwards
            .into_iter()
            .any(|forward| forward.groups.len() > 1 && !forward.sticky && forward.weight_of(&arn).is_some())
    });
    if loose && input.list("Attributes").unwrap_or_default().iter().any(enables) {
        return Err(ApiError::new(
            "InvalidConfigurationRequest",
            format!(
                "This target group appears behind a rule with group stickiness disabled ({arn}). \
                 You must enable group stickiness before enabling target stickiness"
            ),
        ));
    }
    let out = modify(&mut elb.group_mut(&arn)?.attributes, input, check_group);
    elb.stale = true;
    out
}

/// DescribeAccountLimits: AWS's default quotas.
fn limits(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    const LIMITS: [(&str, &str); 7] = [
        ("application-load-balancers", "50"),
        ("listeners-per-application-load-balancer", "50"),
        ("rules-per-application-load-balancer", "100"),
        ("target-groups", "3000"),
        ("target-groups-per-action-on-application-load-balancer", "5"),
        ("targets-per-application-load-balancer", "1000"),
        ("condition-values-per-alb-rule", "5"),
    ];
    let limits = LIMITS.iter().map(|(name, most)| json!({"Name": name, "Max": most})).collect();
    page(elb, input, "Limits", limits)
}
