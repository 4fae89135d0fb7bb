//! The actions of the role on the resources that the commands write. A role for deploys alone, or for one color, is no
//! mistake; a role that lacks a part of what it was made for is.

use std::collections::BTreeSet;

use super::{Finding, Mistake, SetupFacts, stops};
use crate::plan::color::ServiceColor;
use crate::plan::definition::role_arns;
use crate::plan::snapshot::{Place, Service, Snapshot};
use crate::plan::wiring::apart_of_snapshot;

/// An action on a resource that a command needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The IAM action.
    pub(crate) action: &'static str,
    /// ARN of the resource.
    pub(crate) resource: String,
    /// The purpose.
    purpose: GrantPurpose,
    /// True if only this purpose needs the action: a role with the action was made for this purpose.
    telling: bool,
}

/// The purpose of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GrantPurpose {
    /// Deploys to this color.
    Deploy(ServiceColor),
    /// Changes of traffic.
    Traffic,
}

/// The condition keys that AWS sends with these actions, as the policies in `infra/policies` ask for them.
pub(crate) const CONTEXT: [(&str, &str); 3] = [
    ("application-autoscaling:service-namespace", "ecs"),
    ("ecs:CreateAction", "RegisterTaskDefinition"),
    ("iam:PassedToService", "ecs-tasks.amazonaws.com"),
];

/// Most production rules to check: the policies name their load balancer, not each rule.
const MOST_RULES: usize = 5;

/// The actions that write, on the resources of this look. Parts that were not read are left out.
pub(crate) fn needed_grants(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Vec<Grant> {
    let mut all: Vec<Grant> =
        snapshot.services.iter().flat_map(|service| deploy_grants(service, &snapshot.place)).collect();
    all.extend(traffic_grants(snapshot, facts));
    all
}

/// The actions of a deploy to one color.
fn deploy_grants(service: &Service, place: &Place) -> Vec<Grant> {
    let purpose = GrantPurpose::Deploy(service.color);
    let grant =
        |action, resource: &str, telling| Grant { action, resource: resource.to_owned(), purpose, telling };
    let family = &service.task_definition;
    let mut all = vec![
        grant("ecs:RegisterTaskDefinition", family, true),
        grant("ecs:TagResource", family, true),
        grant("ecs:UpdateService", &service_arn(service, place), false),
    ];
    let revision = service.definition.as_ref().and_then(|read| read.as_ref().ok());
    let roles = revision.map(|revision| role_arns(&revision.content)).unwrap_or_default();
    all.extend(roles.iter().map(|role| grant("iam:PassRole", role, false)));
    all
}

/// The actions of a change of traffic.
fn traffic_grants(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Vec<Grant> {
    let place = &snapshot.place;
    let grant = |action, resource: String, telling| Grant {
        action,
        resource,
        purpose: GrantPurpose::Traffic,
        telling,
    };
    let wiring = apart_of_snapshot(snapshot, facts.listener).and_then(Result::ok);
    let rules = wiring.iter().flat_map(|wiring| &wiring.production).take(MOST_RULES);
    let mut all: Vec<Grant> = rules
        .map(|known| match known.rule.priority {
            None => grant("elasticloadbalancing:ModifyListener", known.rule.listener.clone(), true),
            Some(_) => grant("elasticloadbalancing:ModifyRule", known.rule.arn.clone(), true),
        })
        .collect();
    for (_, service) in snapshot.production() {
        all.push(grant("ecs:UpdateService", service_arn(service, place), false));
        if matches!(service.scaling, Some(Ok(Some(_)))) {
            let target = arn(place, "application-autoscaling", "scalable-target/doctor");
            all.push(grant("application-autoscaling:RegisterScalableTarget", target, false));
        }
    }
    all
}

/// ARN of a service.
fn service_arn(service: &Service, place: &Place) -> String {
    arn(place, "ecs", &format!("service/{}/{}", place.cluster, service.name))
}

/// An ARN in the place of the services.
fn arn(place: &Place, service: &str, resource: &str) -> String {
    let Place { partition, region, account, .. } = place;
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

/// The denied actions of each purpose that the role was made for: some telling action of that purpose is allowed.
/// `allowed` has an answer for each grant.
pub(crate) fn missing_grants(grants: &[Grant], allowed: &[bool], role: &str) -> Vec<Finding> {
    let known = || grants.iter().zip(allowed);
    let purposes: Vec<GrantPurpose> = known()
        .filter(|(grant, allowed)| grant.telling && **allowed)
        .map(|(grant, _)| grant.purpose)
        .collect();
    let mut seen = BTreeSet::new();
    known()
        .filter(|(grant, allowed)| !**allowed && purposes.contains(&grant.purpose))
        .filter(|(grant, _)| seen.insert((grant.action, grant.resource.clone())))
        .map(|(grant, _)| {
            let (action, resource) = (grant.action, grant.resource.clone());
            stops(Mistake::Grant { action, resource, role: role.to_owned() })
        })
        .collect()
}

/// ARN of the role or user behind the credentials, whose policies IAM can simulate. None for any other caller, such as
/// the account's root. A role's path is not part of the session's ARN.
pub(crate) fn principal_arn(caller: &str) -> Option<String> {
    let (head, name) = caller
        .split_once(":assumed-role/")
        .map_or((caller, None), |(head, rest)| (head, rest.split('/').next()));
    match name {
        Some(name) => Some(format!("{}:role/{name}", head.replacen(":sts:", ":iam:", 1))),
        None => caller.contains(":user/").then(|| caller.to_owned()),
    }
}
