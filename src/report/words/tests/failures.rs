//! Every way to fail, every trouble, everything that is left.

use std::time::Duration;

use super::read;
use crate::event::Warning;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::cause::{Cause, Finding};
use crate::plan::color::{Color, ServiceColor};
use crate::plan::problem::Problem;
use crate::plan::step::{EndStateReason, Left, ProbeFailure, ProbeFailureKind, Refusal, RunFailure};
use crate::plan::verdict::{DeploymentFailure, Waiting};
use crate::report::about::About;
use crate::report::fixtures::{ACCOUNT, BLUE, about, crash, place, revision, trouble};
use crate::report::words;

/// A failed deployment without a cause, before anything was put back.
fn ended(end: DeploymentFailure) -> String {
    read(&words::render_run_failure(&RunFailure::Deployment(end), &about(), &Cause::default(), None))
}

/// What is left, as it is read.
fn left(because: &EndStateReason, left: Left) -> String {
    format!("{}\n", words::render_end_state(because, left, &about()))
}

#[test]
fn a_failed_deploy_says_cause_next_step_and_what_is_left() {
    let failing = RunFailure::Deployment(DeploymentFailure::CircuitBreaker);
    let failure = words::render_run_failure(
        &failing,
        &about(),
        &crash(),
        Some((Left::Restored, &EndStateReason::RestoredByRun)),
    );
    insta::assert_snapshot!(read(&failure), @r"
    [circuit-breaker] The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in 3 tasks.
    Read its log: the first error at its start is the cause more often than not.
    Restored: this run put `web-green` (green) back to `web:7`, and read it back from AWS.
    ");
}

#[test]
fn every_end_of_a_deployment_is_said() {
    let all = [
        DeploymentFailure::CircuitBreaker,
        DeploymentFailure::Alarm(Vec::new()),
        DeploymentFailure::Alarm(vec!["web-5xx".to_owned()]),
        DeploymentFailure::Alarm(vec!["web-5xx".to_owned(), "web-slow".to_owned()]),
        DeploymentFailure::TasksFailing { failed: 3 },
    ];
    insta::assert_snapshot!(all.map(ended).join("\n"), @r"
    [circuit-breaker] The deployment circuit breaker of ECS ended the deployment of `web-green` (green).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'

    [alarm] A CloudWatch alarm of the service ended the deployment of `web-green` (green).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    Look at what the alarm measures over the time of the deployment.

    [alarm] The CloudWatch alarm `web-5xx` ended the deployment of `web-green` (green).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    Look at what the alarm measures over the time of the deployment.

    [alarm] The CloudWatch alarms `web-5xx`, `web-slow` ended the deployment of `web-green` (green).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    Look at what the alarm measures over the time of the deployment.

    [tasks-failing] The new tasks of `web-green` (green) keep failing: 3 in a row, and none is healthy.
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    ");
    let all = [
        DeploymentFailure::Stopped,
        DeploymentFailure::Superseded { by: revision(9) },
        DeploymentFailure::Drained,
        DeploymentFailure::NoRoom,
    ];
    insta::assert_snapshot!(all.map(ended).join("\n"), @r"
    [stopped] Somebody stopped the deployment of `web-green` (green) while it was in progress.
    Ask who stopped it (CloudTrail has the call `StopServiceDeployment`), then run again.

    [superseded] Another deployment took over `web-green` (green), which now wants `web:9`.
    Let one workflow at a time deploy to a service: give the job a `concurrency` group.

    [drained] `web-green` (green) was set to no tasks, or deleted, during the deploy.
    See who changed it (CloudTrail has `UpdateService` and `DeleteService`), then run again.

    [no-room] The deployment of `web-green` (green) will never move: its minimum and maximum healthy percent let ECS neither stop an old task nor start a new one.
    Raise the maximum percent where the service is defined, in Terraform:
      deployment_maximum_percent = 200
    ");
}

#[test]
fn a_deployment_without_an_end_says_how_it_was_last_seen() {
    let rolling =
        Waiting::RollingOut { running: 1, pending: 1, healthy: Some(0), desired: 2, failed: 0, old: 2 };
    let all = [
        DeploymentFailure::TimedOut(Box::new(rolling)),
        DeploymentFailure::TimedOut(Box::new(Waiting::Unhealthy { healthy: 1, needed: 2 })),
        DeploymentFailure::TimedOut(Box::new(Waiting::NotVisible)),
        DeploymentFailure::AwsError(trouble(
            AwsErrorKind::Expired,
            "ExpiredTokenException",
            "The security token is expired",
        )),
    ];
    insta::assert_snapshot!(all.map(ended).join("\n"), @r"
    [timed-out] The time-out passed before `web-green` (green) was good; last seen: 1 of 2 running, 0 healthy, 1 still starting (old tasks: 2).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If the version only needs longer to start, raise `timeout`.

    [unhealthy-targets] The time-out passed before `web-green` (green) was good; last seen: complete for ECS, 1 of 2 targets healthy for the load balancer.
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If the version only needs longer to start, raise `timeout`.

    [timed-out] The time-out passed before `web-green` (green) was good; last seen: AWS does not show the deployment yet.
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If the version only needs longer to start, raise `timeout`.

    [credentials-expired] The deployment of `web-green` (green) could not be begun. The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` was refused.
    Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.
    ");
}

#[test]
fn probes_and_cancels_are_said() {
    let probe = |kind| RunFailure::Probe(ProbeFailure { url: "http://alb:8080/healthz".to_owned(), kind });
    let all = [
        probe(ProbeFailureKind::Status { found: 500, wanted: 200 }),
        probe(ProbeFailureKind::Body { wanted: "ok".to_owned() }),
        probe(ProbeFailureKind::Unreachable { why: "connection timed out".to_owned() }),
        probe(ProbeFailureKind::Unreachable { why: "invalid peer certificate: UnknownIssuer".to_owned() }),
        probe(ProbeFailureKind::Certificate {
            names: vec!["*.shop.example".to_owned(), "shop.example".to_owned()],
            host: "alb".to_owned(),
        }),
        probe(ProbeFailureKind::Elsewhere {
            proxy: "proxy.corp:3128".to_owned(),
            host: "shop.example".to_owned(),
        }),
        RunFailure::Cancelled,
    ];
    let told =
        all.map(|failing| read(&words::render_run_failure(&failing, &about(), &Cause::default(), None)));
    insta::assert_snapshot!(told.join("\n"), @r"
    [probe] The new version of `web-green` (green) did not pass. The probe `http://alb:8080/healthz` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.

    [probe] The new version of `web-green` (green) did not pass. The answer to the probe `http://alb:8080/healthz` does not contain `ok`.
    The version runs but answers wrongly: read its log, or correct the probe.

    [probe-unreachable] The new version of `web-green` (green) did not pass. The probe `http://alb:8080/healthz` got no answer from where the job runs: connection timed out.
    Its targets are healthy for the load balancer, so look at the way there first: the load balancer's security group has to let the runner in on the test port, an internal one needs a runner in the VPC. Or remove `probes`.

    [probe-unreachable] The new version of `web-green` (green) did not pass. The probe `http://alb:8080/healthz` was not sent: the runner does not trust the listener's certificate: invalid peer certificate: UnknownIssuer.
    Give the step a CA bundle that holds its authority next to the public ones, as a path inside the workspace:
      env:
        SSL_CERT_FILE: /github/workspace/ca-bundle.pem

    [probe-unreachable] The new version of `web-green` (green) did not pass. The certificate that the probe `http://alb:8080/healthz` was shown is for `*.shop.example`, `shop.example`, not for `alb`.
    Add a certificate for this host to the listener, which chooses by the name that is asked for; or name a host of its certificate: `hosts` in the config file, or the rule's host condition.

    [probe-unreachable] The new version of `web-green` (green) did not pass. The probe `http://alb:8080/healthz` was not sent: it would go through the proxy `proxy.corp:3128`, which looks `shop.example` up itself, and no lookup here shows that this name leads to the load balancer.
    Add the host to NO_PROXY, or let its DNS record lead to the load balancer.

    [cancelled] The run was cancelled before `web-green` (green) was good.
    ");
}

#[test]
fn a_probe_is_not_told_twice() {
    let probe = ProbeFailure {
        url: "http://alb:8080/".to_owned(),
        kind: ProbeFailureKind::Status { found: 500, wanted: 200 },
    };
    let cause = Cause { findings: vec![Finding::Probe(probe.clone())], logs: Vec::new() };
    let failure = words::render_run_failure(&RunFailure::Probe(probe), &about(), &cause, None);
    assert_eq!(failure.what.matches("status 500").count(), 1, "{}", failure.what);
}

#[test]
fn everything_that_is_left_says_what_to_do() {
    let elsewhere = trouble(AwsErrorKind::Denied, "AccessDeniedException", "");
    let all = [
        (EndStateReason::NothingChanged, Left::Untouched),
        (EndStateReason::RestoredByRun, Left::Restored),
        (EndStateReason::RestoredByAws, Left::Restored),
        (EndStateReason::AwsElsewhere, Left::Changed),
        (EndStateReason::Asked, Left::Changed),
        (EndStateReason::ChangedExternally, Left::Changed),
        (EndStateReason::NothingToGoBackTo, Left::Changed),
        (EndStateReason::SameDefinition, Left::Changed),
        (EndStateReason::UsersCame, Left::Changed),
        (EndStateReason::UsersNotKnown(Box::new(Refusal::Unread(elsewhere.clone()))), Left::Changed),
        (EndStateReason::ScalingStays, Left::Changed),
        (EndStateReason::AwsError(elsewhere), Left::Unknown),
        (EndStateReason::NotConfirmed, Left::Unknown),
    ];
    insta::assert_snapshot!(all.map(|(because, what)| left(&because, what)).join("\n"), @r#"
    Left untouched: nothing of `web-green` (green) was changed.

    Restored: this run put `web-green` (green) back to `web:7`, and read it back from AWS.

    Restored: AWS put `web-green` (green) back to `web:7`; this run read it back.

    Left changed: AWS rolled `web-green` (green) back to the last version that it saw complete, which is not `web:7` that this run found.
    To put `web:7` back:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web:7

    Left changed: `on-cancel` is `leave`, so AWS goes on with the new version of `web-green` (green) unwatched.
    To put `web:7` back:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web:7

    Left changed: someone else changed `web-green` (green) meanwhile, and that change is kept. See who made it, then run again if this one is still wanted.

    Left changed: `web-green` (green) wanted this version already when the run began, and what it ran before is not known. ECS keeps trying. Deploy a version that works:
      task-definition: FAMILY:REVISION

    Left changed: `web-green` (green) rolled out the same task definition again, because an image tag may have moved; there is no other one to go back to. Deploy an image that works, by digest:
      image: REPOSITORY@sha256:DIGEST

    Left changed: users were moved to `web-green` (green) while it was deployed to, and it serves them now. So nothing was put back: it stays as it is. Move users away from it:
      command: rollback
      color: blue
    or bring a version that works, under them:
      command: deploy
      color: green
      allow-live: true
      task-definition: web:7

    Left changed: whether users were moved to `web-green` (green) meanwhile is not known, so nothing was put back: it stays as it is. AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDeniedException). Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }
    To put `web:7` back, once you know that no users are there:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web:7

    Left changed: `web-green` (green) itself was not changed; what this run wrote for its scaling (policies, alarms, bounds) stays, and the next run goes on from it.

    NOT KNOWN how `web-green` (green) was left: the way back failed. AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDeniedException). Check it now:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].[status,taskDefinition,desiredCount,deployments[].[status,rolloutState,taskDefinition,runningCount]]'
    To put `web:7` back:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web:7
    So that the next way back works: Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }

    NOT KNOWN how `web-green` (green) was left: the way back was not read back from AWS in time. Check it now:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].[status,taskDefinition,desiredCount,deployments[].[status,rolloutState,taskDefinition,runningCount]]'
    To put `web:7` back:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web:7
    "#);
}

#[test]
fn without_a_place_the_command_still_says_what_to_fill_in() {
    let told = words::render_end_state(&EndStateReason::NotConfirmed, Left::Unknown, &About::default());
    assert!(told.contains("aws ecs describe-services --cluster CLUSTER --services SERVICE"), "{told}");
    assert!(
        About { color: Some(ServiceColor::Blue), ..About::default() }.name().contains("the blue service")
    );
}

#[test]
fn a_missing_permission_comes_with_its_statement() {
    let denied = |message: &str| {
        read(&words::render_aws_error(&trouble(AwsErrorKind::Denied, "AccessDeniedException", message)))
    };
    insta::assert_snapshot!(denied(""), @r#"
    [access-denied] AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDeniedException).
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }
    "#);
    let pass_role = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/ci/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::{ACCOUNT}:role/web-task because no identity-based policy allows the iam:PassRole action"
    );
    insta::assert_snapshot!(denied(&pass_role), @r#"
    [access-denied] AWS denied `iam:PassRole` on `arn:aws:iam::123456789012:role/web-task` to `arn:aws:sts::123456789012:assumed-role/ci/x` (AccessDeniedException): no identity-based policy allows the iam:PassRole action.
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/web-task", "Condition": { "StringEquals": { "iam:PassedToService": "ecs-tasks.amazonaws.com" } } }
    "#);
    let forbidden = "User: x is not authorized to perform: ecs:UpdateService on resource: * with an explicit deny in a service control policy";
    insta::assert_snapshot!(denied(forbidden), @r"
    [access-denied] AWS denied `ecs:UpdateService` on `*` to `x` (AccessDeniedException): with an explicit deny in a service control policy.
    An explicit deny (service control policy, permissions boundary or a Deny statement) forbids it: another Allow does not help. Ask who owns that policy.
    ");
    let mut tasks = trouble(AwsErrorKind::Denied, "AccessDeniedException", "");
    (tasks.action, tasks.resource) =
        ("ecs:ListTasks", format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/shop"));
    insta::assert_snapshot!(words::render_aws_error(&tasks).hint, @r#"
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*", "Condition": { "ArnEquals": { "ecs:cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop" } } }
    "#);
    (tasks.action, tasks.resource) = ("elasticloadbalancing:DescribeRules", "web-green".to_owned());
    insta::assert_snapshot!(words::render_aws_error(&tasks).hint, @r#"
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "elasticloadbalancing:DescribeRules", "Resource": "*" }
    "#);
}

#[test]
fn every_other_trouble_says_what_to_do() {
    let all = [
        (
            AwsErrorKind::Expired,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        (AwsErrorKind::NoCredentials, "", ""),
        (AwsErrorKind::Throttled, "ThrottlingException", "Rate exceeded"),
        (AwsErrorKind::Unreachable, "", "connect: connection refused"),
        (AwsErrorKind::Unreachable, "", "invalid peer certificate: UnknownIssuer"),
        (AwsErrorKind::TimedOut, "", ""),
        (AwsErrorKind::Missing, "ServiceNotFoundException", "Service not found."),
        (AwsErrorKind::Refused, "InvalidParameterException", "desired count can't be negative"),
    ];
    let told = all.map(|(kind, code, message)| read(&words::render_aws_error(&trouble(kind, code, message))));
    insta::assert_snapshot!(told.join("\n"), @r"
    [credentials-expired] The AWS credentials have expired or are not valid (ExpiredTokenException): `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` was refused.
    Let the credentials outlive the run; the role's maximum session duration has to allow it:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
          aws-region: REGION
          role-duration-seconds: 7200
    Or give this action `role-to-assume`: it renews the role's credentials itself.

    [credentials-missing] There are no AWS credentials in this job.
    Add a step before this one that brings credentials:
      permissions:
        id-token: write
        contents: read
      steps:
        - uses: aws-actions/configure-aws-credentials@v6
          with:
            role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
            aws-region: REGION

    [unreachable] AWS throttled `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` until the time was up (ThrottlingException).
    Something in this account and region makes many calls. Run again; raise `poll-interval` if many runs share the account.

    [unreachable] AWS could not be reached for `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green`: connect: connection refused.
    Check the region, the runner's way to the AWS endpoints (proxy, VPC endpoint, firewall) and the AWS Health Dashboard, then run again.

    [unreachable] AWS could not be reached for `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green`: invalid peer certificate: UnknownIssuer.
    The runner does not trust the certificate that it was shown, as behind a proxy that opens TLS. Give the step its CA bundle, as a path inside the workspace:
      env:
        SSL_CERT_FILE: /github/workspace/ca-bundle.pem

    [unreachable] AWS did not answer `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` in time.
    Check the runner's way to the AWS endpoints (proxy, VPC endpoint, firewall), then run again.

    [aws] AWS does not find `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (`ecs:UpdateService`, ServiceNotFoundException): Service not found.
    Check the name, the region and the account.

    [aws] AWS refused `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (InvalidParameterException): desired count can't be negative.
    Correct what AWS names, then run again.
    ");
}

#[test]
fn a_lost_write_says_that_it_may_have_had_its_effect() {
    let mut lost = trouble(AwsErrorKind::TimedOut, "", "");
    lost.effect_unknown = true;
    assert!(words::render_aws_error(&lost).what.ends_with("It may have had its effect all the same."));
}

#[test]
fn bad_input_is_listed_whole() {
    let one = Problem::new("input color", "`gren` is no color; did you mean `green`?");
    let two = Problem::new("input timeout", "`soon` is no duration such as `90s`");
    insta::assert_snapshot!(read(&words::problems_failure(std::slice::from_ref(&one))), @r"
    [bad-input] input color: `gren` is no color; did you mean `green`?
    Nothing was changed in AWS. Correct it, then run again.
    ");
    insta::assert_snapshot!(read(&words::problems_failure(&[one, two])), @r"
    [bad-input] 2 problems:
    1. input color: `gren` is no color; did you mean `green`?
    2. input timeout: `soon` is no duration such as `90s`
    Nothing was changed in AWS. Correct it, then run again.
    ");
}

/// So many targets in green's group that no task of it is behind.
fn foreign(number: u32) -> Warning {
    let targets = (1..=number).map(|last| format!("10.0.1.{last}:80")).collect();
    let service = "web-green".to_owned();
    Warning::ForeignTargets { color: ServiceColor::Green, service, healthy: Some(4), desired: 4, targets }
}

#[test]
fn warnings_and_early_failures_are_said() {
    let all = [
        Warning::GraceTooLong { grace: Duration::from_secs(1800), timeout: Duration::from_secs(600) },
        Warning::DrainTooLong { delay: Duration::from_secs(900), timeout: Duration::from_secs(600) },
        Warning::LiveColor { color: Color::Blue, split: BLUE, rules: Vec::new() },
        Warning::CountKept { color: ServiceColor::Blue, asked: 2, count: 6 },
        Warning::UnresolvedTag { image: "docker.io/library/nginx:1".to_owned() },
        Warning::EmptyImage,
        foreign(2),
        foreign(12),
        Warning::Text("the post step found\nnothing to do".to_owned()),
    ];
    insta::assert_snapshot!(all.map(|warning| words::render_warning(&warning)).join("\n"), @r"
    The service's health-check grace period (30m 00s) is not shorter than `timeout` (10m 00s): a version that never gets healthy is found only by the time-out. Shorten the one or raise the other.
    The target group's deregistration delay (15m 00s) is not shorter than `timeout` (10m 00s): ECS completes the deployment only after the old tasks have drained for that long, so the run times out before. Shorten the one or raise the other.
    blue serves users now (100 % blue, 0 % green). `allow-live: true` replaces its tasks under them, as a rolling update.
    blue serves users now, so its desired count stays 6: `desired-count` asks for 2, and a deploy takes no tasks away from users.
    `docker.io/library/nginx:1` is named by its tag, which may have moved: the deployment is started even if nothing else changed. Name the image by digest to avoid it.
    `image` is empty and no other input changes anything, so this deploy brings no new version: it only confirms the one that the color runs. If a new version was meant, look at where `image` comes from: a job that was skipped, or that set no output, leaves it empty.
    green: 4 healthy of 4 wanted; 2 more targets in green's target group belong to no task of `web-green`: 10.0.1.1:80, 10.0.1.2:80. They do not count for green.
    green: 4 healthy of 4 wanted; 12 more targets in green's target group belong to no task of `web-green`: 10.0.1.1:80, 10.0.1.2:80, 10.0.1.3:80, 10.0.1.4:80, 10.0.1.5:80, 10.0.1.6:80, 10.0.1.7:80, 10.0.1.8:80, 10.0.1.9:80, 10.0.1.10:80 and 2 more. They do not count for green.
    the post step found nothing to do
    ");
    let early = [
        words::no_such_definition("web:99", &place()).to_string(),
        words::unreadable_file("deploy/web.json", "No such file or directory (os error 2)"),
        read(&words::image_missing("app", "shop/web:v9", "eu-west-1")),
    ];
    insta::assert_snapshot!(early.join("\n"), @r"
    input task-definition: `web:99` is no active task definition in eu-west-1, account 123456789012. See: aws ecs list-task-definition-families --status ACTIVE
    couldn't read `deploy/web.json`: No such file or directory (os error 2). Paths are below the workspace; is there an actions/checkout step before this one?
    [image-missing] The image `shop/web:v9` of container `app` does not exist in ECR in eu-west-1.
    Check that the build pushed it before this step, and to this account and region. The newest are:
      aws ecr describe-images --region eu-west-1 --repository-name shop/web --query 'sort_by(imageDetails,&imagePushedAt)[-5:].imageTags'
    ");
}
