//! Load balancers.

use serde_json::{Value, json};

use super::Elb;
use super::input::{Input, not_in_enum, validation};
use super::model::{Flavor, LoadBalancer, Pairs, get};
use super::paging::page;
use super::state::balancer_not_found;
use super::tags;
use crate::wire::ApiError;
use crate::world::World;

/// Attributes of a new application load balancer (API_LoadBalancerAttribute).
const APPLICATION_DEFAULTS: [(&str, &str); 24] = [
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.prefix", ""),
    ("idle_timeout.timeout_seconds", "60"),
    ("deletion_protection.enabled", "false"),
    ("routing.http2.enabled", "true"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("load_balancing.cross_zone.enabled", "true"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("client_keep_alive.seconds", "3600"),
    ("waf.fail_open.enabled", "false"),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
    ("zonal_shift.config.enabled", "false"),
    ("connection_logs.s3.enabled", "false"),
    ("connection_logs.s3.bucket", ""),
    ("connection_logs.s3.prefix", ""),
    ("health_check_logs.s3.enabled", "false"),
    ("health_check_logs.s3.bucket", ""),
    ("health_check_logs.s3.prefix", ""),
    ("ipv6.deny_all_igw_traffic", "false"),
    ("secondary_ips.auto_assigned.per_subnet", "0"),
];

/// CreateLoadBalancer. A second call with the same settings returns the existing load balancer.
pub(super) fn create(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = input.required("Name")?.to_owned();
    check_name(&name, "Load balancer")?;
    let flavor = read_flavor(input)?;
    let scheme = input.text("Scheme").unwrap_or("internet-facing");
    if !["internet-facing", "internal"].contains(&scheme) {
        return Err(not_in_enum(scheme, "scheme", &["internet-facing", "internal"]));
    }
    let zones = read_zones(input, flavor, &world.region)?;
    if let Some(known) = world.elb.balancers.iter().find(|balancer| balancer.name == name) {
        if known.flavor == flavor && known.scheme == scheme && known.zones == zones {
            return Ok(json!({"LoadBalancers": [known.describe()]}));
        }
        return Err(ApiError::new(
            "DuplicateLoadBalancerName",
            format!("A load balancer with the same name '{name}' exists, but with different settings"),
        ));
    }
    let tags = tags::read(input)?;
    let id = short_id(world);
    let balancer = LoadBalancer {
        arn: world.arn("elasticloadbalancing", &format!("loadbalancer/{}/{name}/{id}", flavor.names().1)),
        name,
        flavor,
        scheme: scheme.to_owned(),
        zones,
        security_groups: input.texts("SecurityGroups").unwrap_or_default(),
        ip_address_type: input.owned("IpAddressType").unwrap_or_else(|| "ipv4".to_owned()),
        created: crate::clock::wall(),
        attributes: defaults(flavor),
        tags,
    };
    let out = json!({"LoadBalancers": [balancer.describe()]});
    world.elb.balancers.push(balancer);
    Ok(out)
}

/// 16 hexadecimal digits, as in ARNs of this service.
pub(super) fn short_id(world: &mut World) -> String {
    world.new_id().chars().take(16).collect()
}

/// Names are up to 32 letters, digits and hyphens, without a hyphen at either end.
pub(super) fn check_name(name: &str, kind: &str) -> Result<(), ApiError> {
    let text = if name.chars().count() > 32 {
        format!("{kind} name '{name}' cannot be longer than '32' characters")
    } else if !name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-') {
        format!(
            "{kind} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )
    } else if name.starts_with('-') || name.ends_with('-') {
        format!("{kind} name '{name}' cannot begin or end with '-'")
    } else {
        return Ok(());
    };
    Err(validation(text))
}

/// `Type`.
fn read_flavor(input: Input<'_>) -> Result<Flavor, ApiError> {
    match input.text("Type") {
        None | Some("application") => Ok(Flavor::Application),
        Some("network") => Ok(Flavor::Network),
        Some("gateway") => Ok(Flavor::Gateway),
        Some(other) => Err(not_in_enum(other, "type", &["application", "network", "gateway"])),
    }
}

/// Subnets, or subnet mappings. There is no VPC here: subnets are in the region's zones in turn.
fn read_zones(input: Input<'_>, flavor: Flavor, region: &str) -> Result<Vec<(String, String)>, ApiError> {
    let mappings = input.list("SubnetMappings").unwrap_or_default();
    let mut subnets: Vec<String> = mappings.iter().filter_map(|mapping| mapping.owned("SubnetId")).collect();
    subnets.extend(input.texts("Subnets").unwrap_or_default());
    if subnets.is_empty() {
        return Err(validation("At least one subnet must be specified"));
    }
    if flavor == Flavor::Application && subnets.len() < 2 {
        return Err(validation("At least two subnets in two different Availability Zones must be specified"));
    }
    let zones = ["a", "b", "c"].iter().cycle();
    Ok(subnets.into_iter().zip(zones).map(|(subnet, zone)| (format!("{region}{zone}"), subnet)).collect())
}

/// Attributes of a new load balancer.
fn defaults(flavor: Flavor) -> Pairs {
    let of_application = APPLICATION_DEFAULTS.iter();
    let applies = |key: &str| match flavor {
        Flavor::Application => !key.starts_with("secondary_ips"),
        Flavor::Network => ["access_logs", "deletion_", "load_balancing", "secondary_", "zonal_"]
            .iter()
            .any(|start| key.starts_with(start)),
        Flavor::Gateway => ["deletion_", "load_balancing"].iter().any(|start| key.starts_with(start)),
    };
    let kept = of_application.filter(|(key, _)| applies(key));
    kept.map(|(key, value)| {
        (
            (*key).to_owned(),
            if flavor != Flavor::Application && *key == "load_balancing.cross_zone.enabled" {
                "false"
            } else {
                value
            }
            .to_owned(),
        )
    })
    .collect()
}

/// DescribeLoadBalancers: all, or up to 20 by ARN or name.
pub(super) fn describe(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let (arns, names) =
        (input.texts("LoadBalancerArns").unwrap_or_default(), input.texts("Names").unwrap_or_default());
    if arns.len() + names.len() > 20 {
        return Err(validation("You cannot describe more than '20' load balancers at a time"));
    }
    let mut out = Vec::new();
    for arn in &arns {
        out.push(elb.balancer(arn)?.describe());
    }
    for name in &names {
        let found = elb.balancers.iter().find(|balancer| balancer.name == *name);
        out.push(found.ok_or_else(|| balancer_not_found(name))?.describe());
    }
    if arns.is_empty() && names.is_empty() {
        out = elb.balancers.iter().map(LoadBalancer::describe).collect();
    }
    page(elb, input, "LoadBalancers", out)
}

/// DeleteLoadBalancer: deletes the listeners too; a missing load balancer is no error.
pub(super) fn delete(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("LoadBalancerArn")?;
    let Some(balancer) = elb.balancers.iter().find(|balancer| balancer.arn == arn) else {
        return Ok(json!({}));
    };
    if get(&balancer.attributes, "deletion_protection.enabled") == Some("true") {
        return Err(ApiError::new(
            "OperationNotPermitted",
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
        ));
    }
    elb.listeners.retain(|listener| listener.balancer != arn);
    elb.balancers.retain(|balancer| balancer.arn != arn);
    Ok(json!({}))
}

/// SetSecurityGroups.
pub(super) fn set_security_groups(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let groups = input.texts("SecurityGroups").unwrap_or_default();
    elb.balancer_mut(input.required("LoadBalancerArn")?)?.security_groups.clone_from(&groups);
    Ok(json!({"SecurityGroupIds": groups}))
}

/// SetSubnets.
pub(super) fn set_subnets(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let balancer = elb.balancer_mut(input.required("LoadBalancerArn")?)?;
    let region = balancer.arn.split(':').nth(3).unwrap_or_default().to_owned();
    balancer.zones = read_zones(input, balancer.flavor, &region)?;
    let (zones, kind) = (balancer.describe()["AvailabilityZones"].clone(), balancer.ip_address_type.clone());
    elb.stale = true;
    Ok(json!({"AvailabilityZones": zones, "IpAddressType": kind}))
}

/// SetIpAddressType.
pub(super) fn set_ip_address_type(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let kind = input.required("IpAddressType")?;
    kind.clone_into(&mut elb.balancer_mut(input.required("LoadBalancerArn")?)?.ip_address_type);
    Ok(json!({"IpAddressType": kind}))
}
