//! `deploy` where AWS refuses, throttles, fails or does not answer.

use std::time::Duration;

use crate::common::here::stack;
use crate::common::look::{frozen, hurry, others_untouched, told, until_called, wanted, wants};
use crate::common::{Action, writes};
use serde_json::json;
use testbed::sample::Sample;
use testbed::{ApiError, Effect, Fault, Service, Testbed};

/// What a good deploy writes.
const THERE: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];

/// The usual testbed, watched for changes of weights, and a deploy of v2.
fn stage() -> (Testbed, Sample, Action) {
    let (bed, sample) = stack();
    frozen(&bed);
    let action = Action::new(&bed, "deploy").input("image", &sample.image("v2")).input("timeout", "60s");
    (bed, sample, action)
}

/// Asserts that v2 came to green with exactly these writes.
#[track_caller]
fn succeeds(bed: &Testbed, action: Action, expected: &[&str]) {
    action.run().expect(0, "succeeded", "", "changed");
    assert_eq!(writes(bed), expected);
    assert_eq!(wants(bed, "web-green"), "web-green:2 × 2");
    let revisions =
        bed.world(|world| world.ecs.definitions.iter().filter(|one| one.family == "web-green").count());
    assert_eq!(revisions, 2);
    others_untouched(bed);
}

/// Asserts that nothing of green changed.
#[track_caller]
fn green_is_untouched(bed: &Testbed) {
    assert_eq!(wants(bed, "web-green"), "web-green:1 × 2");
    others_untouched(bed);
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are what the user reads")]
fn credentials_that_expire_in_the_middle_leave_the_color_unknown_and_say_what_to_check() {
    let (bed, _, action) = stage();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let run = action.spawn();
    assert!(
        bed.wait_until(Duration::from_secs(20), |world| wanted(world, "web-green")
            .starts_with("web-green:2"))
    );
    testbed::clock::pause(Duration::from_millis(300));
    // Every look begins with DescribeServices: were all calls refused, one of a look under way could be named instead.
    for operation in ["DescribeServices", "UpdateService"] {
        bed.fault(Fault::on(operation, Effect::Expire));
    }
    let done = run.wait();
    done.expect(1, "failed", "credentials-expired", "unknown");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment of `web-green` (green) could not be followed. The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:DescribeServices` on `web-blue, web-green in cluster shop` was refused.
    Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.
    failed (credentials-expired) after Ns: The deployment of `web-green` (green) could not be followed. The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:DescribeServices` on `web-blue, web-green in cluster shop` was refused.
    Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.
    NOT KNOWN how `web-green` (green) was left: the way back failed. The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:DescribeServices` on `web-blue, web-green in cluster shop` was refused. Check it now:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].[status,taskDefinition,desiredCount,deployments[].[status,rolloutState,taskDefinition,runningCount]]'
    To put `web-green:1` back:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web-green:1
    So that the next way back works: Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.
    ::error title=deploy to green failed%3A credentials-expired::The deployment of `web-green` (green) could not be followed. The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:DescribeServices` on `web-blue, web-green in cluster shop` was refused.
    Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.
    NOT KNOWN how `web-green` (green) was left: the way back failed. The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:DescribeServices` on `web-blue, web-green in cluster shop` was refused. Check it now:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].[status,taskDefinition,desiredCount,deployments[].[status,rolloutState,taskDefinition,runningCount]]'
    To put `web-green:1` back:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web-green:1
    So that the next way back works: Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.
    "#);
}

#[test]
fn a_missing_permission_to_update_is_named_with_its_statement() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let done = action.run();
    done.expect(1, "failed", "access-denied", "untouched");
    assert_eq!(writes(&bed), THERE);
    green_is_untouched(&bed);
    insta::assert_snapshot!(told(&done.log), @r#"
    deploy in cluster `shop`, eu-west-1
    GitHub: no `token`, so nothing is posted there; the summary of the run has it all
    traffic: blue (100 % blue, 0 % green), http://127.0.0.1:…
      HTTP:… default: 100 % blue, 0 % green
    blue: 100 %, `web-blue:1`, 2 of 2 running, 2 of N targets healthy
      service web-blue, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    green: 0 %, `web-green:1`, 2 of 2 running, 2 of N targets healthy
      service web-green, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    develop: `web-dev:1`, 1 of 1 running, 1 of N targets healthy
      service web-dev, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    deploy to blue: not now, it serves users; `allow-live: true` would allow it
    deploy to green: possible now
    deploy to develop: possible now
    redirect-traffic, rollback to blue: not now, it has all users already
    promote to blue: possible now
    redirect-traffic, rollback, promote to green: possible now
    It is unknown which pull requests go live: the task definition of blue has no tag with its commit. A deploy by this action adds the tag.
    now: `web-green:1`, desired count 2
    - containerDefinitions[app].image: shop/web:v1
    + containerDefinitions[app].image: shop/web@sha256:…
    1. Register a new revision of `web-green`
    2. Update `web-green` (green): to `(new revision)`
    The run takes at most 7m 00s: set `timeout-minutes: 7` or more for the job
    registered `web-green:2`
    AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` to `arn:aws:sts::123456789012:assumed-role/deploy/ci` (AccessDeniedException): no identity-based policy allows the ecs:UpdateService action.
    failed (access-denied) after Ns: The deployment of `web-green` (green) could not be begun. AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` to `arn:aws:sts::123456789012:assumed-role/deploy/ci` (AccessDeniedException): no identity-based policy allows the ecs:UpdateService action.
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }
    Left untouched: nothing of `web-green` (green) was changed.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A access-denied::The deployment of `web-green` (green) could not be begun. AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` to `arn:aws:sts::123456789012:assumed-role/deploy/ci` (AccessDeniedException): no identity-based policy allows the ecs:UpdateService action.
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }
    Left untouched: nothing of `web-green` (green) was changed.
    "#);
}

#[test]
fn a_missing_permission_to_register_leaves_everything_untouched() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Deny));
    let done = action.run();
    done.expect(1, "failed", "access-denied", "untouched").says("AWS denied `ecs:RegisterTaskDefinition`");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    green_is_untouched(&bed);
}

#[test]
fn a_missing_permission_to_pass_a_role_is_named() {
    let (bed, _, action) = stage();
    let message = "User: arn:aws:sts::123456789012:assumed-role/deploy/ci is not authorized to perform: iam:PassRole on \
                   resource: arn:aws:iam::123456789012:role/shop-execution because no identity-based policy allows the \
                   iam:PassRole action";
    let error = ApiError::new("AccessDeniedException", message);
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Error(error)));
    let done = action.run();
    done.expect(1, "failed", "access-denied", "untouched");
    done.says("AWS denied `iam:PassRole` on `arn:aws:iam::123456789012:role/shop-execution`");
    done.says("\"iam:PassedToService\": \"ecs-tasks.amazonaws.com\"");
    green_is_untouched(&bed);
}

#[test]
fn every_read_that_success_needs_is_asked_for_before_the_first_write() {
    for operation in
        ["ListTasks", "DescribeTasks", "DescribeTargetHealth", "DescribeTaskDefinition", "DescribeServices"]
    {
        let (bed, _, action) = stage();
        bed.fault(Fault::on(operation, Effect::Deny));
        let done = action.run();
        done.expect(1, "refused", "access-denied", "untouched").says(&format!(":{operation}`"));
        assert_eq!(writes(&bed), [""; 0], "{operation}");
    }
}

#[test]
fn a_permission_that_goes_in_the_middle_ends_the_run_and_puts_the_color_back() {
    let (bed, _, action) = stage();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let run = action.spawn();
    assert!(
        bed.wait_until(Duration::from_secs(20), |world| wanted(world, "web-green")
            .starts_with("web-green:2"))
    );
    bed.fault(Fault::on("ListTasks", Effect::Deny));
    until_called(&bed, "UpdateService", 2);
    hurry(&bed);
    run.wait().expect(1, "failed", "access-denied", "restored");
    assert_eq!(writes(&bed), [THERE[0], THERE[1], "ecs UpdateService web-green web-green:1"]);
    green_is_untouched(&bed);
}

#[test]
fn invariant_09_throttles_all_along_do_not_fail_a_deploy_that_goes_well() {
    let (bed, _, action) = stage();
    for first in [3, 20, 40, 60, 80, 100] {
        bed.fault(Fault::always(Effect::Throttle).nth(first..=first + 6));
    }
    let done = action.run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
    others_untouched(&bed);
}

#[test]
fn invariant_09_a_throttled_read_of_the_task_definition_is_read_again() {
    let (bed, _, action) = stage();
    // All three attempts of the first look.
    bed.fault(Fault::on("DescribeTaskDefinition", Effect::Throttle).resource("web-green").times(3));
    action.run().expect(0, "succeeded", "", "changed");
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
}

#[test]
fn invariant_09_errors_of_aws_on_reads_hold_and_pass() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("DescribeServices", Effect::ServerError(500)).nth(2..=5));
    bed.fault(Fault::on("DescribeTargetHealth", Effect::ServerError(503)).nth(5..=9));
    bed.fault(Fault::on("DescribeRules", Effect::DropBefore).nth(2..=3));
    succeeds(&bed, action, &THERE);
}

#[test]
fn invariant_35_an_update_whose_answer_is_lost_is_not_sent_again() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("UpdateService", Effect::DropAfter));
    succeeds(&bed, action, &THERE);
}

#[test]
fn invariant_35_an_update_that_never_arrived_is_sent_again_once_that_is_certain() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("UpdateService", Effect::DropBefore).times(1));
    succeeds(&bed, action, &[THERE[0], THERE[1], THERE[1]]);
}

#[test]
fn invariant_14_and_35_a_register_whose_answer_is_lost_makes_no_second_revision() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::DropAfter));
    succeeds(&bed, action, &THERE);
}

#[test]
fn invariant_35_a_register_that_never_arrived_is_sent_again_once_that_is_certain() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::DropBefore).times(1));
    succeeds(&bed, action, &[THERE[0], THERE[0], THERE[1]]);
}

#[test]
fn an_update_that_is_throttled_is_tried_again() {
    let (bed, _, action) = stage();
    bed.fault(Fault::on("UpdateService", Effect::Throttle).times(2));
    succeeds(&bed, action, &[THERE[0], THERE[1], THERE[1], THERE[1]]);
}

#[test]
fn a_deployment_that_is_invisible_at_first_is_waited_for() {
    let (bed, _, action) = stage();
    bed.world(|world| world.pace.invisible = Duration::from_millis(1500));
    succeeds(&bed, action, &THERE);
}

#[test]
fn invariant_06_a_color_that_goes_live_before_the_update_is_not_updated() {
    let (bed, sample, action) = stage();
    bed.world(|world| world.checker.expect_no_weight_change(false));
    let (listener, blue, green) = (sample.production_listener, sample.blue_group, sample.green_group);
    let shift = move |world: &mut testbed::World| {
        let weight = |group: &String| json!({ "TargetGroupArn": group, "Weight": "50" });
        let forward = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": [weight(&blue), weight(&green)] } });
        let input = json!({ "ListenerArn": listener, "DefaultActions": [forward] });
        world.call(Service::Elb, "ModifyListener", &input).expect("weights move");
    };
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Then(Box::new(shift))));
    let done = action.run();
    done.expect(1, "refused", "live-color", "untouched");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    green_is_untouched(&bed);
}

#[test]
fn invariant_06_a_deployment_that_begins_before_the_update_is_not_overwritten() {
    let (bed, _, action) = stage();
    bed.world(|world| world.pace.launch = Duration::from_secs(2));
    let other = |world: &mut testbed::World| {
        let input = json!({ "cluster": "shop", "service": "web-green", "forceNewDeployment": true });
        world.call(Service::Ecs, "UpdateService", &input).expect("somebody deploys");
    };
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Then(Box::new(other))));
    let done = action.run();
    done.expect(1, "refused", "in-flight", "untouched");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
}
