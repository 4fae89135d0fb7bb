//! Users moved from color to color: every step, wait, failure, refusal and way back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::read;
use crate::event::PutBack;
use crate::failure::Outcome;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::overview::Overview;
use crate::plan::repeats::Unkept;
use crate::plan::scalers::FieldChange;
use crate::plan::shown_instead::ShownInstead;
use crate::plan::snapshot::Scalable;
use crate::plan::step::{
    EndStateReason, Left, Purpose, Put, Refusal, RunFailure, Scaling, Short, Step, TrafficFailure, Update,
    Wait, Weights,
};
use crate::plan::traffic::{Load, LoadSource, TrafficPlan};
use crate::plan::wiring::RoutingError;
use crate::report::about::{About, TrafficFacts};
use crate::report::fixtures::{
    ACCOUNT, BLUE, BLUE_80, about_users, capacity, counted, moved, not_moved, overview, revision, scaling,
    traffic_plan, trouble, weights,
};
use crate::report::paste::pasted;
use crate::report::words;

/// The name of the default rule.
fn default() -> String {
    "HTTPS:443 default".to_owned()
}

/// An alarm with AWS's reason.
fn alarm(name: &str) -> (String, String) {
    (name.to_owned(), "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (1.0).".to_owned())
}

/// A failure as it is read, before anything was put back.
fn stuck(stuck: TrafficFailure) -> String {
    read(&words::render_run_failure(&RunFailure::Traffic(stuck), &about_users(), &Cause::default(), None))
}

/// A refusal as it is read.
fn refused(refusal: &Refusal) -> String {
    read(&words::render_refusal(refusal, &about_users()))
}

#[test]
fn every_step_is_a_short_imperative() {
    let weigh = |adopts, purpose| Step::Weights(Box::new(weights(adopts, purpose)));
    let day_one = Weights { after: BLUE, ..weights(Some(Color::Green), Purpose::Traffic) };
    let bounds = Scaling { min: Some(2), max: Some(10), ..scaling(None, Purpose::Traffic) };
    let raised = Scaling { max: Some(12), ..scaling(Some(true), Purpose::Traffic) };
    let all = [
        weigh(None, Purpose::Traffic),
        weigh(Some(Color::Green), Purpose::Traffic),
        Step::Weights(Box::new(day_one)),
        weigh(None, Purpose::Restore),
        Step::Scaling(scaling(Some(true), Purpose::Traffic)),
        Step::Scaling(raised),
        Step::Scaling(scaling(Some(false), Purpose::Traffic)),
        Step::Scaling(scaling(Some(false), Purpose::Restore)),
        Step::Scaling(bounds.clone()),
        Step::Scaling(Scaling { new: true, ..bounds.clone() }),
        Step::Scaling(Scaling { new: true, in_suspended: Some(true), ..bounds }),
        Step::Update(counted(4, Purpose::Traffic)),
        Step::Update(counted(1, Purpose::Restore)),
    ];
    insta::assert_snapshot!(all.each_ref().map(words::render_step).join("\n"), @r"
    Set the weights of `HTTPS:443 default`: blue -> blue-80
    Bring green's target group into `HTTPS:443 default`: blue -> blue-80
    Bring green's target group into `HTTPS:443 default` with weight 0
    Put back the weights of `HTTPS:443 default`: blue -> blue-80
    Suspend scale-in of `web-green` (green)
    Suspend scale-in of `web-green` (green) and set its MaxCapacity 12
    Allow scale-in of `web-green` (green) again
    Allow scale-in of `web-green` (green) again, as it was found
    Set MinCapacity 2 and MaxCapacity 10 of `web-green` (green)
    Create the scalable target of `web-green` (green) with MinCapacity 2 and MaxCapacity 10
    Create the scalable target of `web-green` (green) with MinCapacity 2 and MaxCapacity 10, with scale-in suspended
    Scale `web-green` (green) to 4 tasks
    Put back `web-green` (green): desired count 1
    ");
}

#[test]
fn every_wait_is_one_line_and_has_a_title() {
    let left = Duration::from_secs(118);
    let all = [
        Wait::Capacity(capacity(Color::Green, 50, 2, 4)),
        Wait::Weights { rule: default() },
        Wait::Bake { split: BLUE_80, left, no_data: Vec::new() },
        Wait::Bake { split: BLUE_80, left, no_data: vec!["web-5xx".to_owned(), "web-slow".to_owned()] },
        Wait::Settle { color: Color::Green, left },
        Wait::Drain { color: Color::Blue, left },
    ];
    let told = all.map(|wait| {
        format!("{}\n  {}", words::wait_title(&wait).unwrap_or_default(), words::render_wait(&wait))
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    Wait for healthy targets of green
      green: 2 of 4 healthy, needed for 50 % of the users

      AWS does not show the new weights of `HTTPS:443 default` yet
    Hold users at blue-80 and watch
      users are held at blue-80 (80 % blue, 20 % green), 1m 58s left
    Hold users at blue-80 and watch
      users are held at blue-80 (80 % blue, 20 % green), 1m 58s left; the alarms `web-5xx` and `web-slow` have no data and can't warn
    Users have been moved to green: watch before anything shrinks
      all users are at green; the rules are watched for another 1m 58s before anything shrinks
    Wait for clients that stickiness keeps at blue
      blue keeps its size for another 1m 58s: stickiness may keep clients there although it has weight 0
    ");
}

#[test]
fn every_failure_has_the_numbers_and_a_way_on() {
    let throttled = || trouble(AwsErrorKind::Throttled, "ThrottlingException", "Rate exceeded");
    let all = [
        TrafficFailure::Alarm(vec![alarm("web-5xx")]),
        TrafficFailure::Alarm(vec![alarm("web-5xx"), ("it's slow".to_owned(), String::new())]),
        TrafficFailure::Sick(capacity(Color::Green, 20, 1, 2)),
        TrafficFailure::NotEnough(capacity(Color::Green, 50, 2, 4)),
        TrafficFailure::Blind(throttled()),
        TrafficFailure::Overtaken {
            rule: default(),
            expected: BLUE_80,
            found: Split { blue: 0, green: 100 },
        },
        TrafficFailure::Redeployed {
            color: Color::Green,
            expected: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8".to_owned(),
            found: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:9".to_owned(),
        },
        TrafficFailure::NotShown { rule: default(), written: BLUE_80 },
        TrafficFailure::AwsError(trouble(AwsErrorKind::Denied, "AccessDeniedException", "")),
        TrafficFailure::Refused(Box::new(Refusal::NoAlarm(vec!["web-5xx".to_owned()]))),
    ];
    insta::assert_snapshot!(all.map(stuck).join("\n"), @r#"
    [alarm] The CloudWatch alarm `web-5xx` (Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (1.0)) fired while users were moved, so the new split is not good.
    See what the alarm measured, and the log of the color that got users, before you move them again:
      aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --alarm-names web-5xx

    [alarm] The CloudWatch alarms `web-5xx` (Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (1.0)) and `it's slow` fired while users were moved, so the new split is not good.
    See what the alarm measured, and the log of the color that got users, before you move them again:
      aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --alarm-names web-5xx 'it'\''s slow'

    [unhealthy-targets] green lost healthy targets while it served 20 % of the users: 1 healthy, 2 needed.
    See why its tasks or their health checks fail under users:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'

    [not-enough-targets] green did not get enough healthy targets in time: 2 of the 4 that 50 % of the users need, with a desired count of 2.
    If its tasks only need longer to start, raise `timeout`. Else see why they do not become healthy:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'

    [blind] While users were moved, AWS could not be asked for so long that alarms and health were not watched any more. AWS throttled `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` until the time was up (ThrottlingException).
    Something in this account and region makes many calls. Run again; raise `poll-interval` if many runs share the account.

    [superseded] Somebody else changed the production rule `HTTPS:443 default` during the run: it holds green (0 % blue, 100 % green) instead of blue-80.
    See who: CloudTrail has `ModifyListener` and `ModifyRule`. It may be another run, or infrastructure code that sets weights and should ignore them.

    [superseded] Someone else deployed `web:9` to green after this run had deployed `web:8` there. This run did not prove `web:9`.
    See who deployed `web:9`. Then run the promote again: it copies the tested version to green once more.

    [not-shown] AWS took the new weights of the production rule `HTTPS:443 default`, blue-80 (80 % blue, 20 % green), and does not show them.
    See what the rule holds now, then run again:
      ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
      aws elbv2 describe-rules --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --query 'Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]'

    [access-denied] The change of traffic could not go on. AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDeniedException).
    Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }

    [alarm-missing] Something changed during the run, so that it can't go on. The rollback alarm `web-5xx` does not exist in this account and region.
    Correct `rollback-alarms`. These are there:
      aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --query '[MetricAlarms,CompositeAlarms][].AlarmName'
    "#);
}

#[test]
fn too_few_targets_are_told_with_how_they_were_reckoned_and_each_way_out() {
    let short = |healthy, needed, how, why| Refusal::NotEnough {
        capacity: capacity(Color::Green, 50, healthy, needed),
        load: Load { targets: 8, how },
        why,
    };
    let all = [
        short(1, 4, LoadSource::Largest, Short::NoScaleUp),
        short(2, 4, LoadSource::Scaled(Color::Blue), Short::MaxCapacity),
        short(0, 4, LoadSource::Most, Short::Unhealthy),
        short(3, 7, LoadSource::Largest, Short::TimedOut),
        short(0, 1, LoadSource::Largest, Short::Unhealthy),
    ];
    insta::assert_snapshot!(all.each_ref().map(refused).join("\n"), @r"
    [not-enough-targets] green has 1 of the 4 healthy targets that 50 % of the users need. All users need 8 targets: the larger desired count of the two colors.
    Its desired count is 1, and `scale-up: false` forbids to raise it. Let the run scale it up:
      scale-up: true
    or do it yourself:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-green --desired-count 4
    If users are failing already where they are, one healthy target is enough for `redirect-traffic` and `rollback` with
      force: true

    [not-enough-targets] green has 2 of the 4 healthy targets that 50 % of the users need. All users need 8 targets: blue's desired count divided by its share of the users now, rounded up.
    Its scalable target allows at most 10. Raise MaxCapacity where it is defined, or with
      aws application-autoscaling register-scalable-target --region eu-west-1 --service-namespace ecs --scalable-dimension ecs:service:DesiredCount --resource-id service/shop/web-green --max-capacity 4
    If users are failing already where they are, one healthy target is enough for `redirect-traffic` and `rollback` with
      force: true

    [not-enough-targets] green has 0 of the 4 healthy targets that 50 % of the users need. All users need 8 targets: the largest MaxCapacity.
    Its desired count is 1, and no task is starting that could still become healthy: its tasks fail, or the load balancer finds them sick. See why:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'

    [not-enough-targets] green has 3 of the 7 healthy targets that 50 % of the users need. All users need 8 targets: the larger desired count of the two colors. green's target group asks for 7 by its own attributes.
    No more became healthy within `timeout`. Raise it if they only need longer, else see why:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If users are failing already where they are, one healthy target is enough for `redirect-traffic` and `rollback` with
      force: true

    [not-enough-targets] green has no healthy target, and 50 % of the users need at least one.
    Its desired count is 1, and no task is starting that could still become healthy: its tasks fail, or the load balancer finds them sick. See why:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    ");
}

#[test]
fn every_other_refusal_says_what_to_do() {
    let other = |found: u32, expected: u32| Refusal::OtherTaskDefinition {
        color: Color::Green,
        found: revision(found),
        expected: format!("web:{expected}"),
    };
    let all = [
        Refusal::NotAdopted { rule: default(), lacks: Color::Green },
        other(9, 8),
        other(8, 8),
        Refusal::NoAlarm(vec!["web-5xx".to_owned()]),
        Refusal::NoAlarm(vec!["web-5xx".to_owned(), "web-slow".to_owned()]),
        Refusal::AlarmFiring(vec![alarm("web-5xx")]),
        Refusal::IdleAbove { color: Color::Blue, idle: 5, production: 2 },
        Refusal::StepBeyond { step: 80, color: Color::Green, target: 50 },
        Refusal::WhichColor(BLUE_80),
    ];
    insta::assert_snapshot!(all.each_ref().map(refused).join("\n"), @r"
    [not-adopted] The production rule `HTTPS:443 default` does not hold green's target group.
    Let the run bring it in, with weight 0 before anything else:
      adopt: true

    [other-task-definition] green runs `web:9`, and `expect-task-definition` says `web:8`: what was approved is not what would get users.
    Deploy `web:8` to green again, or have `web:9` approved.

    [other-task-definition] green wants `web:8`, as `expect-task-definition` says, and still runs tasks of another one.
    Wait until its deployment is complete, then run again.

    [alarm-missing] The rollback alarm `web-5xx` does not exist in this account and region.
    Correct `rollback-alarms`. These are there:
      aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --query '[MetricAlarms,CompositeAlarms][].AlarmName'

    [alarm-missing] The rollback alarms `web-5xx` and `web-slow` do not exist in this account and region.
    Correct `rollback-alarms`. These are there:
      aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --query '[MetricAlarms,CompositeAlarms][].AlarmName'

    [alarm] The CloudWatch alarm `web-5xx` (Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (1.0)) fires already, before users were moved; the first of `steps` would only send them back.
    Wait until that is over. Where moving users away is the cure, run without `steps`: alarms that fire already stop only a run with steps.
      aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --alarm-names web-5xx

    [bad-input] `idle-count` is 5, and production has at most 2: blue would have more tasks without users than the other color has with all of them.
    Write 2 at most:
      idle-count: 1

    [bad-input] `steps` has 80 %, and green, which gains users, ends at 50 %.
    Steps are shares of the color that gains users: leave out those above 50.

    [bad-input] Both colors serve users now (80 % blue, 20 % green), so it is not clear which one to go back to.
    Say it:
      color: blue
    or
      color: green
    ");
}

#[test]
fn an_unknown_end_beside_another_writer_names_what_is_not_known() {
    let told = words::render_end_state(&EndStateReason::ChangedExternally, Left::Unknown, &about_users());
    insta::assert_snapshot!(told.lines().next().unwrap(), @"NOT KNOWN what this run left: a production rule was changed from outside meanwhile, and that change is kept. See who made it, then run again if this one is still wanted. This run found blue. Check it now:");
}

#[test]
fn every_reason_for_what_is_left_is_said() {
    let told = |because, left| format!("{}\n", words::render_end_state(&because, left, &about_users()));
    let denied = || trouble(AwsErrorKind::Denied, "AccessDeniedException", "");
    let all = [
        told(EndStateReason::NothingChanged, Left::Untouched),
        told(EndStateReason::RestoredByRun, Left::Restored),
        told(EndStateReason::Asked, Left::Changed),
        told(EndStateReason::ChangedExternally, Left::Changed),
        told(EndStateReason::NotEnough(capacity(Color::Blue, 100, 1, 4)), Left::Changed),
        told(EndStateReason::Arrived, Left::Changed),
        told(EndStateReason::NotServed, Left::Changed),
        told(EndStateReason::AwsError(denied()), Left::Unknown),
        told(EndStateReason::NotConfirmed, Left::Unknown),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    Left untouched: no weight, no count and no scaling was changed.

    Restored: the production rules hold again what was found (blue), read back from AWS.

    Left changed: `on-cancel` is `leave`, so users, desired counts and scale-in stay as they are now.

    Left changed: a production rule was changed from outside meanwhile, and that change is kept. See who made it, then run again if this one is still wanted.

    Left changed: users were not sent back to what was found (blue): blue has 1 of the 4 healthy targets that 100 % of the users need. Where users are failing now, `force: true` sends them to one healthy target.

    Left changed: users are where they were wanted, and stay there; only the watch afterwards did not come to its end, so scale-in may still be suspended. Run again to finish.

    Left changed: users are where they were wanted, and no target there is healthy. Send them back: the way is below.

    NOT KNOWN where users are: the way back failed. AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDeniedException). This run found blue. Check it now:
      ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
      aws elbv2 describe-rules --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --query 'Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]'
    So that the next way back works: Add this statement to the role's policy:
      { "Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green" }

    NOT KNOWN where users are: the way back was not read back from AWS in time. This run found blue. Check it now:
      ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
      aws elbv2 describe-rules --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --query 'Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]'
    "#);
}

#[test]
fn a_post_step_says_where_to_look_with_the_rules_that_it_knows() {
    let found = Some(Split { blue: 95, green: 5 });
    let rules = vec!["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee".to_owned()];
    let knows =
        About { users: Some(TrafficFacts { found, rules, ..TrafficFacts::default() }), ..about_users() };
    insta::assert_snapshot!(words::render_end_state(&EndStateReason::NotConfirmed, Left::Unknown, &knows), @r#"
    NOT KNOWN where users are: the way back was not read back from AWS in time. This run found 95/5. Check it now:
      ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
      aws elbv2 describe-rules --region eu-west-1 --rule-arns arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee --query 'Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]'
    "#);
    let about = About { users: Some(TrafficFacts { found, ..TrafficFacts::default() }), ..about_users() };
    insta::assert_snapshot!(words::render_end_state(&EndStateReason::NotConfirmed, Left::Unknown, &about), @r"
    NOT KNOWN where users are: the way back was not read back from AWS in time. This run found 95/5. Check it now:
      aws elbv2 describe-rules --region eu-west-1 --listener-arn LISTENER_ARN --query 'Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]'
    ");
}

#[test]
fn invariant_20_stickiness_says_who_may_stay_and_for_how_long() {
    insta::assert_snapshot!(words::render_stickiness(&traffic_plan()).unwrap(), @"Stickiness is on at `HTTPS:443 default` (1h 00m): each request renews the client's cookie, which lives that long after it. Clients of blue may stay at blue as long as they keep coming, and that long after their last request.");
    let off = |traffic_plan: &mut TrafficPlan| {
        traffic_plan.rules.iter_mut().for_each(|rule| rule.stickiness = None)
    };
    let mut without = traffic_plan();
    off(&mut without);
    assert_eq!(words::render_stickiness(&without), None);
    let nobody_loses = TrafficPlan { to: BLUE, ..traffic_plan() };
    assert_eq!(words::render_stickiness(&nobody_loses), None);
}

#[test]
fn the_undo_is_an_input_and_a_call_for_each_rule() {
    insta::assert_snapshot!(words::undo_hint(&moved()).unwrap(), @r#"
    To send users back to blue, run this action with
      command: redirect-traffic
      traffic: blue
    or, without GitHub (it checks nothing: see first that blue is healthy):
      ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
      aws elbv2 modify-listener --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --default-actions '[{"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolDomain": "d'\''or", "Scope": "openid email"}}, {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/blue/73e2d6bc24d8a067", "Weight": 100}, {"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/green/73e2d6bc24d8a067", "Weight": 0}], "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}}}]'
      aws elbv2 modify-rule --region eu-west-1 --rule-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee --actions '[{"Type": "forward", "TargetGroupArn": "arn:x"}]'
    "#);
}

#[test]
fn the_undo_works_when_pasted() {
    let report = moved();
    let told = words::undo_hint(&report).unwrap();
    assert!(!told.contains(ACCOUNT), "{told}");
    let commands: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("  ")).skip(2).collect();
    let calls = pasted(&commands.join("\n"), ACCOUNT);
    let rules = &report.traffic.as_ref().unwrap().rules;
    assert_eq!(calls.len(), rules.len());
    for (call, rule) in calls.iter().zip(rules) {
        let actions: serde_json::Value = serde_json::from_str(call.last().unwrap()).unwrap();
        assert_eq!((&call[5], &actions), (&rule.undo.arn, &rule.undo.actions));
    }
}

#[test]
fn the_undo_asks_to_see_the_color_that_gets_users_by_it() {
    let asks = |from, to| {
        let mut report = moved();
        report.traffic = Some(Box::new(TrafficPlan { from, to, ..traffic_plan() }));
        let told = words::undo_hint(&report).unwrap();
        let (_, after) = told.split_once("see first that ").unwrap();
        after.split(' ').next().unwrap().to_owned()
    };
    assert_eq!(asks(BLUE_80, BLUE), "green");
    assert_eq!(asks(BLUE, BLUE_80), "blue");
    assert_eq!(asks(Split { blue: 50, green: 50 }, BLUE), "green");
    assert_eq!(asks(Split { blue: 20, green: 80 }, Split { blue: 0, green: 100 }), "blue");
}

#[test]
fn the_undo_of_what_shrank_begins_with_its_tasks() {
    let mut report = moved();
    for view in &mut report.overview.as_mut().unwrap().colors {
        view.desired = if view.color == Color::Blue { 1 } else { 4 };
    }
    let told = words::undo_hint(&report).unwrap();
    insta::assert_snapshot!(told.lines().take(6).collect::<Vec<_>>().join("\n"), @r"
    To send users back to blue, run this action with
      command: redirect-traffic
      traffic: blue
    or, without GitHub, give blue its tasks back first, and wait until they are healthy:
      aws ecs update-service --region eu-west-1 --cluster shop --service web-blue --desired-count 4
    Then, as nothing checks it:
    ");
}

#[test]
fn the_undo_after_a_killed_run_is_an_input() {
    let killed = crate::event::Report {
        command: "post",
        traffic: None,
        ..not_moved(RunFailure::Cancelled, Left::Changed, EndStateReason::Asked)
    };
    insta::assert_snapshot!(words::undo_hint(&killed).unwrap(), @r"
    To send users back to blue, run this action with
      command: redirect-traffic
      traffic: blue
    ");
    let back = crate::event::Report { left: Left::Restored, ..killed };
    assert_eq!(words::undo_hint(&back), None);
}

#[test]
fn the_undo_is_told_where_something_is_left_to_undo() {
    let failing = || RunFailure::Traffic(TrafficFailure::Alarm(vec![alarm("web-5xx")]));
    let there = |left, because| crate::event::Report {
        overview: moved().overview,
        ..not_moved(failing(), left, because)
    };
    assert!(words::undo_hint(&there(Left::Changed, EndStateReason::Arrived)).is_some());
    let undone = |left, because| words::undo_hint(&not_moved(failing(), left, because)).is_some();
    assert!(undone(Left::Unknown, EndStateReason::NotConfirmed));
    assert!(!undone(Left::Changed, EndStateReason::Asked), "a count was raised, and nobody was moved");
    let theirs = TrafficFailure::Overtaken { rule: default(), expected: BLUE_80, found: BLUE };
    let overtaken = crate::event::Report {
        overview: moved().overview,
        ..not_moved(RunFailure::Traffic(theirs), Left::Changed, EndStateReason::ChangedExternally)
    };
    assert_eq!(words::undo_hint(&overtaken), None, "theirs stands");
    assert!(
        !undone(Left::Restored, EndStateReason::RestoredByRun)
            && !undone(Left::Untouched, EndStateReason::NothingChanged)
    );
    for outcome in [Outcome::Unchanged, Outcome::Planned, Outcome::Refused] {
        assert_eq!(
            words::undo_hint(&crate::event::Report { outcome, left: Left::Untouched, ..moved() }),
            None
        );
    }
}

#[test]
fn every_headline_says_who_serves_users() {
    let with = |outcome| crate::event::Report { outcome, ..moved() };
    let shortfall = vec![capacity(Color::Green, 20, 1, 2)];
    let none = Some(Box::new(TrafficPlan { steps: Vec::new(), ..traffic_plan() }));
    let all = [
        moved(),
        crate::event::Report { shortfall, ..moved() },
        with(Outcome::Unchanged),
        with(Outcome::Planned),
        crate::event::Report { traffic: none, ..with(Outcome::Planned) },
        not_moved(RunFailure::Cancelled, Left::Changed, EndStateReason::Asked),
    ];
    let told = all.map(|report| format!("{}: {}", words::error_title(&report), words::end_headline(&report)));
    insta::assert_snapshot!(told.join("\n"), @r"
    redirect-traffic to blue-80 succeeded: changed: green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy.
    redirect-traffic to blue-80 succeeded: changed: green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy. Forced: green serves 20 % of the users with 1 of the 2 healthy targets that they need.
    redirect-traffic to blue-80 unchanged: changed: Nothing was changed: green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 % already; 2 targets of green healthy.
    redirect-traffic to blue-80 planned: changed: 3 steps planned: blue -> blue-80. Nothing was written.
    redirect-traffic to blue-80 planned: changed: Nothing would be changed: green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %.
    redirect-traffic to blue-80 cancelled: changed: The run was cancelled before the change of traffic to blue-80 was done.
    ");
    let alone =
        words::traffic::render_serving(Split { blue: 0, green: 1 }, Color::Green, &traffic_plan().versions);
    assert_eq!(alone, "green (`web:8`) serves all users");
}

#[test]
fn services_are_known_from_the_overview() {
    let here = About { services: crate::report::about::color_services(&overview()), ..About::default() };
    assert_eq!(here.at(ServiceColor::Blue).name(), "`web-blue` (blue)");
}

#[test]
fn the_undo_of_rules_that_disagreed_is_what_each_of_them_held() {
    let mut report = moved();
    let apart = report.traffic.as_mut().unwrap();
    apart.rules[1].before = Split { blue: 0, green: 1 };
    let told = words::undo_hint(&report).unwrap();
    insta::assert_snapshot!(told.lines().next().unwrap(), @"What each rule held before: `HTTPS:443 default` 100 % blue, 0 % green; `HTTPS:443 rule 10` 0 % blue, 100 % green. No input brings that back, since all rules have to hold the same. To put it back without GitHub (it checks nothing: see first that blue is healthy):");
    assert!(!told.contains("redirect-traffic") && told.contains("modify-rule"), "{told}");
    assert_eq!(About::of(&report).users.unwrap().found, None);
    assert!(words::end_headline(&report).starts_with("green (`web:8`) serves 20 %"));
    let planned = crate::event::Report { outcome: Outcome::Planned, ..report };
    insta::assert_snapshot!(words::end_headline(&planned), @"3 steps planned: rules that disagree -> blue-80. Nothing was written.");
}

#[test]
fn a_count_that_was_lowered_and_raised_again_is_said() {
    let undone = BTreeMap::from([(Color::Blue, (1, 6))]);
    let users = Some(TrafficFacts {
        put_back: Some(PutBack { undone, ..PutBack::default() }),
        ..TrafficFacts::default()
    });
    let about = About { users, ..about_users() };
    insta::assert_snapshot!(words::render_end_state(&EndStateReason::ChangedExternally, Left::Changed, &about), @"Left changed: a production rule was changed from outside meanwhile, and that change is kept. This run had lowered blue to 1 task; blue has users now, so the run raised it to 6 tasks again. See who made it, then run again if this one is still wanted.");
}

#[test]
fn a_write_that_does_not_last_is_said_with_what_aws_shows() {
    let step = Step::Update(Update {
        color: ServiceColor::Blue,
        service: "web-blue".to_owned(),
        task_definition: None,
        desired: Some(6),
        force: false,
        purpose: Purpose::Traffic,
    });
    let unkept = |shown, count: Option<u32>| {
        let instead = count.map(ShownInstead::Count);
        Box::new(Unkept { step: step.clone(), times: 5, shown, instead })
    };
    let failed = |unkept| {
        let failure =
            words::render_run_failure(&RunFailure::Repeated(unkept), &about_users(), &Cause::default(), None);
        format!("[{}] {}", failure.reason, failure.what)
    };
    insta::assert_snapshot!(failed(unkept(true, Some(1))), @"[superseded] The run wrote this 5 times, and each time something else changed it back: Scale `web-blue` (blue) to 6 tasks. AWS shows 1 task now.");
    insta::assert_snapshot!(failed(unkept(false, None)), @"[timed-out] The run wrote this 5 times, and AWS does not show it: Scale `web-blue` (blue) to 6 tasks.");
    insta::assert_snapshot!(words::render_end_state(&EndStateReason::Repeated(unkept(true, Some(1))), Left::Changed, &about_users()), @"Left changed: the way back did not last. The run wrote this 5 times, and each time something else changed it back: Scale `web-blue` (blue) to 6 tasks. AWS shows 1 task now.");
}

/// A write of scaling, one of an alarm, and one of weights.
fn other_writes() -> [Step; 3] {
    let scaling = Step::Scaling(Scaling {
        color: ServiceColor::Blue,
        service: "web-blue".to_owned(),
        min: Some(2),
        max: None,
        in_suspended: Some(true),
        new: false,
        purpose: Purpose::Traffic,
    });
    let alarm = Step::Alarm(Box::new(Put {
        color: ServiceColor::Blue,
        service: "web-blue".to_owned(),
        name: "web-blue-out".to_owned(),
        new: false,
        content: serde_json::json!({"Threshold": 60}),
        changes: vec![FieldChange {
            path: "Threshold".to_owned(),
            before: Some("80".to_owned()),
            after: Some("60".to_owned()),
        }],
        purpose: Purpose::Traffic,
    }));
    let weights = Step::Weights(Box::new(Weights {
        rule: "arn:rule".to_owned(),
        listener: "arn:listener".to_owned(),
        default: true,
        name: default(),
        before: BLUE,
        after: BLUE_80,
        adopts: None,
        actions: serde_json::Value::Null,
        purpose: Purpose::Traffic,
    }));
    [scaling, alarm, weights]
}

#[test]
fn weights_scaling_and_alarms_that_do_not_last_are_said_by_name() {
    let [scaling, alarm, weights] = other_writes();
    let version = Step::Update(Update {
        color: ServiceColor::Blue,
        service: "web-blue".to_owned(),
        task_definition: Some("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7".to_owned()),
        desired: Some(2),
        force: false,
        purpose: Purpose::Restore,
    });
    let fields = vec!["Threshold".to_owned(), "ActionsEnabled".to_owned()];
    let target = Scalable { min: 1, max: 4, in_suspended: false, ..Scalable::default() };
    let web_8 = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8".to_owned();
    let told = [
        (scaling, ShownInstead::Scaling(target)),
        (alarm.clone(), ShownInstead::Fields(fields)),
        (alarm, ShownInstead::Nothing),
        (weights, ShownInstead::Split(BLUE)),
        (version, ShownInstead::TaskDefinition(web_8)),
    ]
    .map(|(step, instead)| {
        let unkept = Box::new(Unkept { step, times: 5, shown: true, instead: Some(instead) });
        words::render_end_state(&EndStateReason::Repeated(unkept), Left::Changed, &about_users())
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    Left changed: the way back did not last. The run wrote this 5 times, and each time something else changed it back: Suspend scale-in of `web-blue` (blue) and set its MinCapacity 2. AWS shows MinCapacity 1, MaxCapacity 4 and scale-in allowed now.
    Left changed: the way back did not last. The run wrote this 5 times, and each time something else changed it back: Change the alarm `web-blue-out` of `web-blue` (blue): Threshold 80 -> 60. AWS shows other values of `Threshold` and `ActionsEnabled` now.
    Left changed: the way back did not last. The run wrote this 5 times, and each time something else changed it back: Change the alarm `web-blue-out` of `web-blue` (blue): Threshold 80 -> 60. AWS does not have it now.
    Left changed: the way back did not last. The run wrote this 5 times, and each time something else changed it back: Set the weights of `HTTPS:443 default`: blue -> blue-80. AWS shows blue (100 % blue, 0 % green) now.
    Left changed: the way back did not last. The run wrote this 5 times, and each time something else changed it back: Put back `web-blue` (blue): to `web:7`, desired count 2. AWS shows `web:8` now.
    ");
}

#[test]
fn what_a_run_put_back_is_said_by_name() {
    let told = |weights, counts: &[Color], scaling: &[Color]| {
        let put_back = Some(PutBack {
            weights,
            counts: counts.to_vec(),
            scaling: scaling.to_vec(),
            undone: BTreeMap::new(),
        });
        let about = about_users();
        let users = Some(TrafficFacts { put_back, ..about.users.clone().unwrap() });
        words::render_end_state(&EndStateReason::RestoredByRun, Left::Restored, &About { users, ..about })
    };
    let both = [Color::Blue, Color::Green];
    let all = [told(true, &[], &[]), told(false, &both[1..], &both), told(true, &both[1..], &both[1..])];
    insta::assert_snapshot!(all.join("\n"), @r"
    Restored: the production rules hold again what was found (blue), read back from AWS.
    Restored: the desired count of green is what it was and scale-in of blue and green is as it was, read back from AWS.
    Restored: the production rules hold again what was found (blue), the desired count of green is what it was and scale-in of green is as it was, read back from AWS.
    ");
}

#[test]
fn a_cancelled_run_names_the_counts_and_the_scale_in_that_stay() {
    let mut report = not_moved(RunFailure::Cancelled, Left::Changed, EndStateReason::Asked);
    for view in &mut report.overview.as_mut().unwrap().colors {
        view.desired = if view.color == Color::Green { 4 } else { 2 };
        view.scaling = Some(Scalable { in_suspended: true, ..Scalable::default() });
    }
    let about = About::of(&report);
    insta::assert_snapshot!(words::render_end_state(&EndStateReason::Asked, Left::Changed, &about), @"Left changed: `on-cancel` is `leave`, so users, desired counts and scale-in stay as they are now: blue has 2 tasks and green has 4 tasks; scale-in of blue and green is suspended.");
}

#[test]
fn what_was_seen_before_the_end_is_said_to_be_old() {
    let mut report = not_moved(RunFailure::Cancelled, Left::Unknown, EndStateReason::NotConfirmed);
    report.see_before_the_end(moved().overview.unwrap());
    assert_eq!(report.split, None);
    insta::assert_snapshot!(words::render_users(&report).unwrap(), @"users: not known; seen before the end: 80 % blue, 20 % green");
    let told = words::render_end_state(&EndStateReason::NotConfirmed, Left::Unknown, &About::of(&report));
    insta::assert_snapshot!(told.lines().next().unwrap(), @"NOT KNOWN where users are: the way back was not read back from AWS in time. This run found blue, and saw blue-80 last. Check it now:");
    let mut good = moved();
    good.see_before_the_end(moved().overview.unwrap());
    insta::assert_snapshot!(format!("{}\n{}", words::end_headline(&good), words::render_users(&good).unwrap()), @r"
    green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy. AWS could not be asked again at the end: what is shown was seen just before.
    users: 80 % blue, 20 % green, seen before the end
    ");
}

#[test]
fn what_somebody_else_changed_since_is_said_at_the_end() {
    let mut back = moved();
    back.see(overview());
    let mut apart = moved();
    let rules = vec![(default(), BLUE_80), ("HTTPS:443 rule 10".to_owned(), BLUE)];
    let split = Some(Err(RoutingError::Disagree(rules)));
    apart.see(Overview { split, ..overview() });
    let told = [back, apart].map(|report| {
        format!("{}\n{}\n", words::end_headline(&report), words::render_users(&report).unwrap())
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy. Somebody else changed the production rules since. Users now: 100 % blue, 0 % green.
    users: 100 % blue, 0 % green

    green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy. Somebody else changed the production rules since. The production rules hold different splits: `HTTPS:443 default` has 80 % blue, 20 % green; `HTTPS:443 rule 10` has 100 % blue, 0 % green. All of them have to hold the same.
    users: not known. The production rules hold different splits: `HTTPS:443 default` has 80 % blue, 20 % green; `HTTPS:443 rule 10` has 100 % blue, 0 % green. All of them have to hold the same.
    ");
}

#[test]
fn a_forced_run_says_what_it_left_short_and_as_it_was() {
    let shortfall = vec![capacity(Color::Blue, 80, 3, 8), capacity(Color::Green, 20, 1, 2)];
    let forced = crate::event::Report { shortfall, unscaled: vec![Color::Green], ..moved() };
    insta::assert_snapshot!(words::end_headline(&forced), @"green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy. Forced: blue serves 80 % of the users with 3 of the 8 healthy targets that they need. Forced: green serves 20 % of the users with 1 of the 2 healthy targets that they need. Forced: the automatic scaling of green could not be changed, so it may scale in under its users.");
    let plan = crate::plan::step::Capacity { needed: 1, ..capacity(Color::Green, 100, 1, 6) };
    insta::assert_snapshot!(words::render_capacity(&plan, 6), @"green gets 100 % of the users: 1 healthy, 1 of 6 needed, desired count 1, MaxCapacity 10");
}
