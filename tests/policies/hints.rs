//! The statement that a denied call asks for, against the shipped policies: one of theirs, for what was denied.

use serde_json::Value;
use testbed::sample::{self, Sample, Stack};
use testbed::{ApiError, Effect, Fault, Testbed};

use super::common::Action;
use super::deploys::SCALING;
use super::iam::{Need, Statement, policy};
use super::needs::{LINKED, action, first_use, known, needs};
use super::traffic::{path_rule, redirect, scaled, with};
use super::{DEPLOY, READ, SCALERS, TRAFFIC};

/// Operations of which a denial is told otherwise than by a failing run with a statement.
const SILENT: [(&str, &str); 1] =
    [("ecs:DescribeServiceRevisions", "which task definition a deployment brought stays unknown")];

/// What only a deploy calls.
const OF_DEPLOYS: [&str; 4] = [
    "ecr:DescribeImages",
    "ecs:DescribeServiceDeployments",
    "ecs:ListServiceDeployments",
    "ecs:RegisterTaskDefinition",
];

/// The stage of all these runs: blue has more tasks than green, and a path has a rule of its own.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = with(&Stack { ec2: true, ..Stack::default() });
    scaled(&bed, "web-blue", 3);
    path_rule(&bed, &sample, 100, 0);
    (bed, sample)
}

/// A change of traffic that calls whatever one can call.
fn moved(bed: &Testbed) -> Action {
    let action = redirect(bed, "split").input("rollback-alarms", "web-5xx");
    action.file(".github/blue-green.yml", SCALING)
}

/// A deploy that fails if it is let.
fn deployed(bed: &Testbed, sample: &Sample) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image("v3-crash"))
}

/// The statements for an action that a log holds.
fn statements(log: &str, action: &str) -> Vec<Statement> {
    let lines = log.lines().map(str::trim).filter(|line| line.starts_with(r#"{ "Effect""#));
    let all = lines.map(|line| Statement::read(&serde_json::from_str::<Value>(line).expect("JSON")));
    all.filter(|statement| statement.actions == [action]).collect()
}

/// Asserts that a log holds a statement that is enough, and not wider than the shipped ones.
#[track_caller]
fn agrees(log: &str, need: &Need) {
    let told = statements(log, &need.action);
    let told = told.first().unwrap_or_else(|| panic!("no statement for {}:\n{log}", need.action));
    assert!(told.allows(need), "{told:?} does not allow {need:?}");
    let all = policy(&[READ, DEPLOY, TRAFFIC, SCALERS]);
    assert!(all.iter().any(|shipped| shipped.covers(told)), "no shipped policy has {told:?}");
}

/// A denied call of this action: its run's log and what it needed.
fn denied(action_of: &str) -> (String, Need) {
    let (bed, sample) = stage();
    let (_, operation) = action_of.split_once(':').expect("an action");
    bed.fault(Fault::on(operation, Effect::Deny));
    let run = if OF_DEPLOYS.contains(&action_of) { deployed(&bed, &sample) } else { moved(&bed) };
    let log = run.run().log;
    let calls = bed.calls();
    let call = calls.iter().find(|call| action(call) == action_of);
    let call = call.unwrap_or_else(|| panic!("{action_of} is not called:\n{log}"));
    let need = needs(call).into_iter().find(|need| need.action == action_of);
    (log, need.expect("it needs itself"))
}

#[test]
fn each_denied_call_asks_for_a_statement_of_the_shipped_policies() {
    let silent = SILENT.map(|(action, _)| action);
    let asked: Vec<&str> =
        known().filter(|action| !action.starts_with("sts:") && !silent.contains(action)).collect();
    assert!(asked.len() > 20, "{asked:?}");
    for two in asked.chunks(2) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = two.iter().map(|action| scope.spawn(|| denied(action))).collect();
            for run in runs {
                let (log, need) = run.join().expect("the call is denied");
                agrees(&log, &need);
            }
        });
    }
}

#[test]
fn roles_and_tags_that_a_registration_needs_ask_for_a_statement_of_the_shipped_policies() {
    for denied in ["iam:PassRole", "ecs:TagResource"] {
        let (bed, sample) = stage();
        deployed(&bed, &sample).input("plan-only", "true").run().expect(0, "planned", "", "untouched");
        let family = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-green:*";
        let role = "arn:aws:iam::123456789012:role/shop-task";
        let on = if denied == "iam:PassRole" { role } else { family };
        let message = format!(
            "User: arn:aws:sts::123456789012:assumed-role/deploy/ci is not authorized to perform: {denied} on \
             resource: {on} because no identity-based policy allows the {denied} action"
        );
        let error = ApiError::new("AccessDeniedException", message);
        bed.fault(Fault::on("RegisterTaskDefinition", Effect::Error(error)));
        let done = deployed(&bed, &sample).run();
        done.expect(1, "failed", "access-denied", "untouched");
        let calls = bed.calls();
        let call = calls.iter().find(|call| call.operation == "RegisterTaskDefinition").expect("a call");
        let need = needs(call).into_iter().find(|need| need.action == denied && need.resource == on);
        agrees(&done.log, &need.expect("a registration needs it"));
    }
}

#[test]
fn the_service_linked_role_asks_for_its_statement_by_name() {
    let (bed, sample) = stage();
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    bed.world(|world| {
        world.autoscaling.targets.clear();
        world.autoscaling.linked_role = false;
        world.autoscaling.may_create_role = false;
    });
    for run in [moved(&bed), deployed(&bed, &sample).file(".github/blue-green.yml", SCALING)] {
        let done = run.run();
        assert_eq!((done.code, done.output("reason")), (1, "access-denied"), "{}", done.log);
        let told = statements(&done.log, "iam:CreateServiceLinkedRole");
        assert_eq!(told[0].resources, [LINKED]);
        agrees(&done.log, &first_use());
    }
}
