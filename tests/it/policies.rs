//! The IAM policies of `infra/policies/` against the calls that the built binary makes: nothing missing, nothing unused.

mod deploys;
mod documents;
mod enforced;
mod hints;
mod moves;
mod operations;
mod record;

use std::collections::{BTreeMap, BTreeSet};

use crate::common::iam::{ALL, DEPLOY, DOCTOR, READ, SCALERS, TRAFFIC, filled, policy, shipped};
use crate::common::needs::{arn, elsewhere};
use deploys::{DEPLOYS, DEVELOP, EXAMINED, SCALED, STATUS};
use moves::{COPIES, MOVES, SCALED_COPIES, SCALED_MOVES, SWAPS};
use operations::callable;
use record::Record;
use testbed::iam::{LINKED, Need, Statement, known};

/// The policies of a role, and what its commands were seen to need.
type Role = (&'static [&'static str], fn() -> Record);

/// Every role that docs/permissions.md names, without and with `scaling` in the config.
const ROLES: [Role; 8] = [
    (&[READ], || STATUS.clone()),
    (&[READ, DOCTOR], || EXAMINED.clone()),
    (&[READ, DEPLOY], || DEPLOYS.clone()),
    (&[READ, DEPLOY, SCALERS], || DEPLOYS.clone().and(&SCALED)),
    (&[READ, TRAFFIC], || MOVES.clone().and(&SWAPS)),
    (&[READ, TRAFFIC, SCALERS], || MOVES.clone().and(&SWAPS).and(&SCALED_MOVES)),
    (&[READ, TRAFFIC, DEPLOY], || COPIES.clone()),
    (&[READ, TRAFFIC, DEPLOY, SCALERS], || COPIES.clone().and(&SCALED_COPIES)),
];

/// What a role was seen to need.
fn seen(policies: &[&str]) -> Record {
    let (_, record) = ROLES.iter().find(|(known, _)| known == &policies).expect("a role");
    record()
}

/// All that any role was seen to need.
fn everything() -> Record {
    ROLES.iter().fold(Record::default(), |all, (_, record)| all.and(&record()))
}

/// Asserts that a role's policies allow all that it was seen to need.
#[track_caller]
fn complete(policies: &[&str]) {
    allowed(&seen(policies), &policy(policies), policies);
}

/// Asserts that statements allow all that was seen to be needed.
#[track_caller]
fn allowed(record: &Record, statements: &[Statement], name: &[&str]) {
    let denied: Vec<&Need> = record
        .needs
        .iter()
        .filter(|need| !statements.iter().any(|statement| statement.allows(need)))
        .collect();
    assert!(denied.is_empty(), "not allowed by {name:?}: {denied:#?}");
}

/// Asserts that each action of a policy is needed on each resource that it names.
#[track_caller]
fn used(record: &Record, name: &str) {
    for statement in policy(&[name]) {
        for (action, resource) in pairs(&statement) {
            let one = Statement { actions: vec![action], resources: vec![resource], ..statement.clone() };
            let needed = record.needs.iter().any(|need| one.allows(need));
            assert!(needed, "{name}: no call needs {one:?}");
        }
    }
}

/// Each action of a statement with each of its resources.
fn pairs(statement: &Statement) -> impl Iterator<Item = (String, String)> {
    let of = |action: &String| {
        statement.resources.iter().map(|resource| (action.clone(), resource.clone())).collect::<Vec<_>>()
    };
    statement.actions.iter().flat_map(of)
}

#[test]
fn a_role_for_status_is_complete() {
    complete(&[READ]);
}

#[test]
fn a_role_for_doctor_is_complete_and_only_reads() {
    complete(&[READ, DOCTOR]);
    used(&EXAMINED, DOCTOR);
    let reads = |action: &str| action.contains(":Describe") || action.contains(":List");
    let rest: Vec<&String> = EXAMINED.operations.iter().filter(|action| !reads(action)).collect();
    assert_eq!(rest, ["iam:SimulatePrincipalPolicy", "sts:GetCallerIdentity"]);
}

#[test]
fn a_role_for_deploy_is_complete() {
    complete(&[READ, DEPLOY]);
}

#[test]
fn a_role_for_deploy_with_scaling_is_complete() {
    complete(&[READ, DEPLOY, SCALERS]);
}

#[test]
fn a_role_that_moves_users_is_complete() {
    complete(&[READ, TRAFFIC]);
}

#[test]
fn a_role_that_moves_users_with_scaling_is_complete() {
    complete(&[READ, TRAFFIC, SCALERS]);
}

#[test]
fn a_role_that_promotes_by_copy_is_complete() {
    complete(&[READ, TRAFFIC, DEPLOY]);
}

#[test]
fn a_role_that_promotes_by_copy_with_scaling_is_complete() {
    complete(&[READ, TRAFFIC, DEPLOY, SCALERS]);
}

#[test]
fn the_read_policy_is_used_whole() {
    used(&everything(), READ);
}

#[test]
fn deploys_use_the_whole_deploy_policy() {
    used(&seen(&[READ, DEPLOY]), DEPLOY);
}

#[test]
fn redirects_rollbacks_and_swaps_use_the_whole_traffic_policy() {
    used(&seen(&[READ, TRAFFIC]), TRAFFIC);
    used(&MOVES, TRAFFIC);
}

#[test]
fn the_scaling_policy_is_used_whole() {
    used(&SCALED, SCALERS);
    for action in policy(&[SCALERS]).into_iter().flat_map(|statement| statement.actions) {
        let needed = SCALED_MOVES.needs.iter().any(|need| need.action == action);
        assert!(needed, "a role that moves users has no need of {action}");
    }
}

/// What docs/permissions.md lets a role do without that promotes by copy and does not deploy.
const NOT_FOR_COPIES: [&str; 1] = ["ecr:DescribeImages"];

#[test]
fn a_promote_by_copy_writes_by_all_of_its_policies_but_what_the_document_lets_it_do_without() {
    let actions = policy(&[TRAFFIC, DEPLOY]).into_iter().flat_map(|statement| statement.actions);
    let unused: BTreeSet<String> = actions.filter(|action| COPIES.resources(action).is_empty()).collect();
    assert_eq!(unused, NOT_FOR_COPIES.map(str::to_owned).into_iter().collect());
    documents::lets_do_without("**A role that promotes by copy and does not deploy:**", &NOT_FOR_COPIES);
}

#[test]
fn a_new_call_can_not_escape() {
    let callable = callable();
    let known: BTreeSet<String> = known().map(str::to_owned).collect();
    assert_eq!(callable, known, "testbed/src/iam/needs.rs says what each call of src/aws needs");
    let seen = everything().operations;
    let unseen: Vec<&String> = callable
        .iter()
        .filter(|action| !seen.contains(*action) && !elsewhere().any(|one| one == *action))
        .collect();
    assert_eq!(unseen, Vec::<&String>::new(), "no run here makes these calls");
}

#[test]
fn a_deploy_to_develop_changes_nothing_but_develop() {
    let deploy: BTreeSet<String> =
        policy(&[DEPLOY]).into_iter().flat_map(|statement| statement.actions).collect();
    let of_ecs = |need: &&Need| deploy.contains(&need.action) && need.resource.contains(":ecs:");
    let others: Vec<&Need> =
        DEVELOP.needs.iter().filter(of_ecs).filter(|need| !need.resource.contains("web-dev")).collect();
    assert_eq!(others, Vec::<&Need>::new());
}

#[test]
fn a_role_for_develop_alone_is_complete() {
    let mut narrow = shipped(DEPLOY);
    for statement in &mut narrow {
        statement.resources.retain(|resource| !resource.contains("BLUE_") && !resource.contains("GREEN_"));
        assert!(!statement.resources.is_empty(), "{}", statement.sid);
    }
    let mut all = policy(&[READ]);
    all.extend(narrow.into_iter().map(filled));
    allowed(&DEVELOP, &all, &[READ, "the lines of develop in", DEPLOY]);
}

/// What docs/permissions.md lets a role for `status` alone do without.
const NOT_FOR_STATUS: [&str; 3] =
    ["ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions", "ecs:ListServiceDeployments"];

#[test]
fn a_role_for_status_alone_needs_all_but_what_the_document_lets_it_do_without() {
    let mut needed: BTreeSet<&str> = STATUS.needs.iter().map(|need| need.action.as_str()).collect();
    needed.extend(NOT_FOR_STATUS);
    let shipped = policy(&[READ]);
    let allowed: BTreeSet<&str> =
        shipped.iter().flat_map(|statement| &statement.actions).map(String::as_str).collect();
    assert_eq!(needed, allowed);
    assert_eq!(NOT_FOR_STATUS.map(|action| STATUS.resources(action).len()), [0; 3]);
    documents::lets_do_without("**A role for `status` alone:**", &NOT_FOR_STATUS);
}

#[test]
fn roles_are_passed_by_name_and_to_tasks_alone() {
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let roles = [role("shop-execution"), role("shop-task")];
    for record in [&*DEPLOYS, &*COPIES] {
        assert_eq!(record.resources("iam:PassRole"), roles);
    }
    let all = policy(&ALL);
    let passing: Vec<&Statement> = all
        .iter()
        .filter(|statement| statement.actions.iter().any(|action| action == "iam:PassRole"))
        .collect();
    assert_eq!(passing.len(), 1);
    assert_eq!(passing[0].actions, ["iam:PassRole"]);
    let mut passed = passing[0].resources.clone();
    passed.sort();
    assert_eq!(passed, roles);
    assert_eq!(passing[0].conditions, [condition("iam:PassedToService", "ecs-tasks.amazonaws.com")]);
}

/// A condition that a key equals a value.
fn condition(key: &str, value: &str) -> (String, String, Vec<String>) {
    ("StringEquals".to_owned(), key.to_owned(), vec![value.to_owned()])
}

#[test]
fn the_service_linked_role_is_made_by_name_and_for_ecs_alone() {
    for record in [&*SCALED, &*SCALED_MOVES, &*SCALED_COPIES] {
        assert_eq!(record.resources("iam:CreateServiceLinkedRole"), [LINKED]);
    }
    let all = policy(&ALL);
    let of_role =
        |statement: &&Statement| statement.actions.iter().any(|action| action.starts_with("iam:Create"));
    let making: Vec<&Statement> = all.iter().filter(of_role).collect();
    assert_eq!(making.len(), 1);
    assert_eq!(making[0].actions, ["iam:CreateServiceLinkedRole"]);
    assert_eq!(making[0].resources, [LINKED]);
    let service = "ecs.application-autoscaling.amazonaws.com";
    assert_eq!(making[0].conditions, [condition("iam:AWSServiceName", service)]);
}

#[test]
fn tags_come_only_with_a_revision() {
    let family = |name: &str| arn("ecs", &format!("task-definition/{name}:*"));
    assert_eq!(
        DEPLOYS.resources("ecs:TagResource"),
        [family("web-blue"), family("web-dev"), family("web-green")]
    );
}

#[test]
fn no_action_is_wide_and_few_are_in_two_policies() {
    let mut files: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in ALL {
        for action in shipped(name).into_iter().flat_map(|statement| statement.actions) {
            assert!(!action.contains('*'), "{action} is wider than one action");
            files.entry(action).or_default().insert(name);
        }
    }
    let twice: Vec<(&str, usize)> = files
        .iter()
        .filter(|(_, names)| names.len() > 1)
        .map(|(action, names)| (action.as_str(), names.len()))
        .collect();
    let expected = [
        "application-autoscaling:RegisterScalableTarget",
        "cloudwatch:DeleteAlarms",
        "cloudwatch:PutMetricAlarm",
        "ecs:UpdateService",
    ];
    assert_eq!(twice, expected.map(|action| (action, 2)));
}

#[test]
fn invariant_10_no_deploy_needs_a_write_to_the_load_balancer() {
    let write = |action: &str| {
        action.starts_with("elasticloadbalancing:") && !action.starts_with("elasticloadbalancing:Describe")
    };
    let found: Vec<Need> = STATUS
        .clone()
        .and(&DEPLOYS)
        .and(&SCALED)
        .needs
        .into_iter()
        .filter(|need| write(&need.action))
        .collect();
    assert_eq!(found, Vec::<Need>::new());
    let allowed = policy(&[READ, DEPLOY, SCALERS]).into_iter().flat_map(|statement| statement.actions);
    assert_eq!(allowed.filter(|action| write(action)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_role_that_only_moves_users_can_bring_no_new_task_definition() {
    let allowed = policy(&[READ, TRAFFIC, SCALERS]).into_iter().flat_map(|statement| statement.actions);
    let brings = ["ecs:RegisterTaskDefinition", "iam:PassRole"];
    assert_eq!(
        allowed.filter(|action| brings.contains(&action.as_str())).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_allowed_on_every_alarm_is_allowed_to_aws_alone() {
    for name in ALL {
        for statement in shipped(name) {
            let alarms = statement
                .actions
                .iter()
                .any(|action| action.contains("Alarm") && action != "cloudwatch:DescribeAlarms");
            if alarms && statement.resources == ["*"] {
                let via = ("Bool".to_owned(), "aws:ViaAWSService".to_owned(), vec!["true".to_owned()]);
                assert_eq!(statement.conditions, [via], "{name}, {}", statement.sid);
            }
        }
    }
}
