//! Every step and every wait.

use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::ServiceColor;
use crate::plan::step::{Purpose, Step, Update, Wait};
use crate::plan::verdict::Waiting;
use crate::report::fixtures::{planned, revision, trouble};
use crate::report::words;

#[test]
fn every_step_is_a_short_imperative() {
    let update = |task_definition: Option<String>, force, purpose| {
        let (color, service) = (ServiceColor::Green, "web-green".to_owned());
        Step::Update(Update { color, service, task_definition, desired: None, force, purpose })
    };
    let mut all = planned().steps;
    all.push(update(Some(revision(8)), false, Purpose::Deploy));
    all.push(update(None, true, Purpose::Deploy));
    all.push(update(Some(revision(7)), false, Purpose::Restore));
    let told: Vec<String> = all.iter().map(words::render_step).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    Look for a revision of `web` with this content
    Register a new revision of `web`
    Update `web-green` (green): to `(new revision)`, desired count 1
    Send the probes through the test listener
    Update `web-green` (green): to `web:8`
    Update `web-green` (green): the same task definition again, for a tag that may have moved
    Put back `web-green` (green): to `web:7`
    ");
}

#[test]
fn every_wait_is_one_line() {
    let throttled = || trouble(AwsErrorKind::Throttled, "ThrottlingException", "Rate exceeded");
    let rolling = |healthy, failed, old| {
        Wait::Deployment(Waiting::RollingOut { running: 1, pending: 1, healthy, desired: 2, failed, old })
    };
    let all = [
        Wait::AwsError(throttled()),
        Wait::UnansweredWrite(trouble(AwsErrorKind::Unreachable, "", "connection reset")),
        Wait::Deployment(Waiting::NotVisible),
        rolling(Some(0), 0, 2),
        rolling(None, 2, 0),
        Wait::Deployment(Waiting::Unhealthy { healthy: 1, needed: 2 }),
        Wait::Deployment(Waiting::Unknown(throttled())),
        Wait::Rollback { running: 1, desired: 2 },
        Wait::Restore { running: 1, desired: 2 },
        Wait::Probe,
    ];
    insta::assert_snapshot!(all.map(|wait| words::render_wait(&wait)).join("\n"), @r"
    AWS does not answer `ecs:UpdateService` (ThrottlingException), asking again
    `ecs:UpdateService` got no answer; reading AWS until it shows whether it worked
    AWS does not show the deployment yet
    1 of 2 running, 0 healthy, 1 still starting (old tasks: 2)
    1 of 2 running, health not known, 1 still starting, 2 failed in a row
    complete for ECS, 1 of 2 targets healthy for the load balancer
    AWS does not answer `ecs:UpdateService` (ThrottlingException), asking again
    AWS is rolling back, 1 of 2 running again
    going back, 1 of 2 running again
    the probes did not pass yet, trying again
    ");
}

#[test]
fn a_write_that_aws_throttles_is_told_with_its_tries_and_not_as_an_end() {
    let throttled = trouble(AwsErrorKind::Throttled, "ThrottlingException", "Rate exceeded");
    let told = "AWS throttles `ecs:UpdateService` (ThrottlingException), trying again";
    assert_eq!(words::refused_for_now(&throttled), told);
    let told =
        "AWS still does not take `ecs:UpdateService` (ThrottlingException), tried 12 times; trying again";
    assert_eq!(words::held_up(&throttled, 12), told);
    let denied = trouble(AwsErrorKind::Denied, "AccessDeniedException", "");
    assert!(words::refused_for_now(&denied).starts_with("AWS denied `ecs:UpdateService`"));
}
