//! The statement that a denied call asks for, against the shipped policies: one of theirs, for what was denied.

use serde_json::Value;
use testbed::iam::{LINKED, Need, Statement, first_use, known};
use testbed::sample::{self, Sample, Stack};
use testbed::{ApiError, Effect, Fault, Testbed};

use super::ALL;
use super::deploys::SCALING;
use crate::common::iam::{policy, read};
use crate::common::needs::{action, needs};
use crate::common::traffic::{path_rule, redirect, scaled, somebody_writes, with};
use crate::common::{Action, Done};

/// The sample's account.
const ACCOUNT: &str = "123456789012";

/// Operations of the moment when something failed: without them a run tells less of the cause, and that is all.
const SILENT: [&str; 3] =
    ["ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions", "ecs:ListServiceDeployments"];

/// The stage of all these runs: blue has more tasks than green, and a path has a rule of its own.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = with(&Stack { ec2: true, ..Stack::default() });
    scaled(&bed, "web-blue", 3);
    path_rule(&bed, &sample, 100, 0);
    (bed, sample)
}

/// A change of traffic that calls whatever one can call.
fn moved(bed: &Testbed) -> Action {
    let action = redirect(bed, "green-80").input("rollback-alarms", "web-5xx");
    action.file(".github/blue-green.yml", SCALING)
}

/// A deploy that fails if it is let.
fn deployed(bed: &Testbed, sample: &Sample) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image("v3-crash"))
}

/// `status` while both colors have users.
fn held(bed: &Testbed, sample: &Sample) -> Action {
    bed.world(|world| somebody_writes(world, sample, &sample.production_listener, (80, 20)));
    Action::new(bed, "status")
}

/// The statements for an action that a run tells, in its log or its summary, which names no account.
fn statements(done: &Done, action: &str) -> Vec<Statement> {
    let summary = done.summary.replace("&#34;", "\"").replace("&quot;", "\"").replace("ACCOUNT_ID", ACCOUNT);
    let text = format!("{}\n{summary}", done.log);
    let told = text.lines().filter_map(|line| {
        let start = line.find(r#"{ "Effect""#).filter(|_| !line.starts_with("::"))?;
        let end = line.rfind('}')?;
        Some(read(&serde_json::from_str::<Value>(&line[start..=end]).expect("JSON")))
    });
    told.filter(|statement| statement.actions == [action]).collect()
}

/// Asserts that a run tells a statement that is enough, and not wider than the shipped ones.
#[track_caller]
fn agrees(done: &Done, need: &Need) {
    let told = statements(done, &need.action);
    let told = told.first().unwrap_or_else(|| panic!("no statement for {}:\n{}", need.action, done.log));
    assert!(told.allows(need), "{told:?} does not allow {need:?}");
    let all = policy(&ALL);
    assert!(all.iter().any(|shipped| shipped.covers(told)), "no shipped policy has {told:?}");
}

/// A run that tells which permission it lacks for an action, and what the denied call needs. A change of traffic does
/// without some of what a deploy has to know, and both without some of what `status` shows. A plan reads as a run does.
fn denied(action_of: &str) -> Option<(Done, Need)> {
    let runs: [fn(&Testbed, &Sample) -> Action; 5] = [
        |bed, _| moved(bed),
        deployed,
        |bed, _| Action::new(bed, "status"),
        |bed, _| Action::new(bed, "doctor"),
        held,
    ];
    let (_, operation) = action_of.split_once(':').expect("an action");
    let reads = ["Describe", "List"].iter().any(|verb| operation.starts_with(verb));
    runs.into_iter().find_map(|run| {
        let (bed, sample) = stage();
        bed.fault(Fault::on(operation, Effect::Deny));
        let done = run(&bed, &sample).input("plan-only", if reads { "true" } else { "false" }).run();
        let calls = bed.calls();
        let call = calls.iter().find(|call| action(call) == action_of)?;
        let need = needs(call).into_iter().find(|need| need.action == action_of)?;
        (!statements(&done, action_of).is_empty()).then_some((done, need))
    })
}

#[test]
fn each_denied_call_asks_for_a_statement_of_the_shipped_policies() {
    let told = |action: &&str| !action.starts_with("sts:") && !SILENT.contains(action);
    let asked: Vec<&str> = known().filter(told).collect();
    assert!(asked.len() > 20, "{asked:?}");
    for two in asked.chunks(2) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = two.iter().map(|action| (action, scope.spawn(|| denied(action)))).collect();
            for (action, run) in runs {
                let told = run.join().expect("the call is denied");
                let (done, need) = told.unwrap_or_else(|| panic!("no run says that it lacks {action}"));
                agrees(&done, &need);
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
        agrees(&done, &need.expect("a registration needs it"));
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
        let told = statements(&done, "iam:CreateServiceLinkedRole");
        assert_eq!(told[0].resources, [LINKED]);
        agrees(&done, &first_use());
    }
}

#[test]
fn what_application_auto_scaling_checks_asks_for_a_statement_of_the_shipped_policies() {
    for operation in ["RegisterScalableTarget", "PutScalingPolicy"] {
        for lacking in ["ecs:UpdateService", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"] {
            let (bed, _sample) = stage();
            let message = format!("User is missing the following permissions: {lacking}");
            let error = ApiError::new("ValidationException", message);
            bed.fault(Fault::on(operation, Effect::Error(error)));
            let done = moved(&bed).run();
            assert_eq!((done.code, done.output("reason")), (1, "access-denied"), "{}", done.log);
            let calls = bed.calls();
            let call = calls.iter().find(|call| call.operation == operation).expect("a call");
            let need = needs(call).into_iter().find(|need| need.action == lacking);
            agrees(&done, &need.expect("AWS checks it"));
        }
    }
}
