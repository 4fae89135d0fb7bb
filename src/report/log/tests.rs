//! What the job log shows, run by run.

use std::time::Duration;

use super::*;
use crate::event::{Report, Warning};
use crate::failure::Outcome;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::cause::Finding;
use crate::plan::color::{Color, ServiceColor};
use crate::plan::step::{EndStateReason, Left, Purpose, Refusal, RunFailure, TrafficFailure, Update};
use crate::plan::traffic::TrafficPlan;
use crate::plan::verdict::{DeploymentFailure, Waiting};
use crate::report::fixtures::{
    BLUE, BLUE_80, capacity, crash, failed, log_link, moved, not_moved, overview, planned, refused, report,
    revision, traffic_plan, trouble, weights,
};

/// The log of these events: a mark for each level, then the text.
fn told(events: &[Event]) -> String {
    let mut log = LogRenderer::default();
    let lines = events.iter().flat_map(|event| log.lines(event, Time(1_700_000_000_000)));
    let mark = |level| match level {
        Level::Plain => " ",
        Level::Good => "+",
        Level::Warn => "!",
        Level::Bad => "x",
        Level::Dim => ".",
        Level::GroupStart => ">",
        Level::GroupEnd => "<",
    };
    let shown: Vec<String> =
        lines.map(|line| format!("{}| {}", mark(line.level), line.text).trim_end().to_owned()).collect();
    shown.join("\n")
}

/// The first event.
fn started(command: &'static str) -> Event {
    Event::Started { command, cluster: "shop".to_owned(), region: "eu-west-1".to_owned() }
}

/// A line of waiting.
fn waiting(wait: Wait, seconds: u64, heartbeat: bool) -> Event {
    Event::Waiting { wait, elapsed: Duration::from_secs(seconds), heartbeat }
}

/// A deployment on its way.
fn rolling(running: u32, failed: u32) -> Wait {
    let old = 2 - running.min(2);
    let waiting = Waiting::RollingOut { running, pending: 1, healthy: Some(0), desired: 2, failed, old };
    Wait::Deployment(waiting)
}

/// The events of a run up to its update.
fn up_to_the_update() -> Vec<Event> {
    let mut events =
        vec![started("deploy"), Event::Seen(Box::new(overview())), Event::Plan(Box::new(planned()))];
    for step in planned().steps.into_iter().take(3) {
        let answer = match &step {
            Step::Register(_) => Some(Answered::Registered(revision(8))),
            Step::Update(_) => Some(Answered::Updated(Some("ecs-svc/8".to_owned()))),
            Step::Find(_)
            | Step::Probe(_)
            | Step::Weights(_)
            | Step::Scaling(_)
            | Step::Policy(_)
            | Step::Alarm(_) => None,
        };
        events.push(Event::Step(step));
        events.extend(answer.map(Event::Answered));
    }
    events
}

#[test]
fn a_good_deploy_reads_from_top_to_bottom() {
    let mut events = up_to_the_update();
    events.extend([
        waiting(Wait::Deployment(Waiting::NotVisible), 0, false),
        waiting(rolling(1, 0), 12, false),
        waiting(rolling(1, 0), 42, true),
        waiting(Wait::Deployment(Waiting::Unhealthy { healthy: 1, needed: 2 }), 95, false),
        Event::Step(Step::Probe(ServiceColor::Green)),
        Event::Answered(Answered::ProbesPassed(2)),
        Event::Ended(Box::new(report())),
    ]);
    insta::assert_snapshot!(told(&events).split("Plan for").nth(1).unwrap(), @r"
     `web-green` (green)
     | now: `web:7`, desired count 0
    x| - containerDefinitions[app].image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v7
    +| + containerDefinitions[app].image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v8
    +| + cpu: 256
     | 1. Look for a revision of `web` with this content
     | 2. Register a new revision of `web`
     | 3. Update `web-green` (green): to `(new revision)`, desired count 1
     | 4. Send the probes through the test listener
     | The run takes at most 35m 00s: set `timeout-minutes: 35` or more for the job
    <|
    >| Look for a revision of `web` with this content
    <|
    >| Register a new revision of `web`
    +| registered `web:8`
    <|
    >| Update `web-green` (green): to `(new revision)`, desired count 1
    +| updated; the deployment is `ecs-svc/8`
    <|
    >| Follow the deployment of `web-green` (green)
     | [  0s] green: AWS does not show the deployment yet
     | [ 12s] green: 1 of 2 running, 0 healthy, 1 still starting (old tasks: 1)
    .| [ 42s] green: 1 of 2 running, 0 healthy, 1 still starting (old tasks: 1); nothing changed
     | [1m35s] green: complete for ECS, 1 of 2 targets healthy for the load balancer
    <|
    >| Send the probes through the test listener
    +| all 2 probes passed
    <|
    +| succeeded after 2m 05s: `web-green` (green) runs `web:8`, 2 targets healthy.
     | To go back to `web:7`, run this action with
     |   command: deploy
     |   color: green
     |   task-definition: web:7
     | or, without GitHub:
     |   aws ecs update-service --region eu-west-1 --cluster shop --service web-green --task-definition web:7
     | users: 100 % blue, 0 % green; a deploy does not change that
    ");
}

#[test]
fn a_failed_deploy_says_the_cause_before_it_goes_back() {
    let failing = || RunFailure::Deployment(DeploymentFailure::CircuitBreaker);
    let back = Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: Some(revision(7)),
        desired: Some(0),
        force: false,
        purpose: Purpose::Restore,
    };
    let exit = Finding::Exit { container: "app".to_owned(), code: 3, reason: None, tasks: 1 };
    let one = Cause { findings: vec![exit], logs: Vec::new() };
    let mut events = up_to_the_update();
    events.extend([
        waiting(rolling(0, 2), 30, false),
        Event::TaskFailed { color: ServiceColor::Green, cause: one, logs: Vec::new() },
        Event::RunFailure { failing: failing(), cause: crash(), logs: vec![log_link()] },
        Event::Step(Step::Update(back)),
        Event::Answered(Answered::Updated(None)),
        waiting(Wait::Restore { running: 1, desired: 2 }, 41, false),
        Event::Ended(Box::new(failed(failing(), crash()))),
    ]);
    insta::assert_snapshot!(told(&events).split("Follow").nth(1).unwrap(), @r"
     the deployment of `web-green` (green)
     | [ 30s] green: 0 of 2 running, 0 healthy, 1 still starting, 2 failed in a row (old tasks: 2)
    !| The first task of `web-green` (green) failed. ECS starts others. Container `app` exited with code 3 in 1 task. Read its log: the first error at its start is the cause more often than not.
    <|
    x| the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in 3 tasks.
     | Read its log: the first error at its start is the cause more often than not.
    !| also: ECS says: ECS deployment circuit breaker: tasks failed to start.
     | log of `app` in task 0a1b2c3d4e5f: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fweb/log-events/web$252Fapp$252F0a1b2c3d4e5f
    >| Put back `web-green` (green): to `web:7`, desired count 0
    +| updated; this change has no deployment of its own
    <|
    >| Watch `web-green` (green) go back
     | [ 41s] green: going back, 1 of 2 running again
    <|
    x| failed (circuit-breaker) after 2m 05s: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in 3 tasks.
     | Read its log: the first error at its start is the cause more often than not.
     | Restored: this run put `web-green` (green) back to `web:7`, and read it back from AWS.
     | users: 100 % blue, 0 % green; a deploy does not change that
    ");
}

#[test]
fn a_cancelled_run_says_so_at_once() {
    let events = [
        started("deploy"),
        Event::Signal { name: "SIGINT" },
        Event::Ended(Box::new(Report {
            outcome: Outcome::Cancelled,
            left: Left::Untouched,
            because: Some(EndStateReason::NothingChanged),
            split: None,
            logs: Vec::new(),
            ..failed(RunFailure::Cancelled, Cause::default())
        })),
    ];
    insta::assert_snapshot!(told(&events), @r"
     | deploy in cluster `shop`, eu-west-1
    >| Look at AWS
    <|
    !| SIGINT came: the run is cancelled
    !| cancelled after 2m 05s: The run was cancelled before `web-green` (green) was good.
     | Left untouched: nothing of `web-green` (green) was changed.
    ");
}

#[test]
fn what_was_not_begun_says_why() {
    let live = Refusal::LiveColor { color: Color::Blue, split: BLUE, rules: Vec::new() };
    let events = [
        started("deploy"),
        Event::Warning(Warning::LiveColor { color: Color::Blue, split: BLUE, rules: Vec::new() }),
        Event::Ended(Box::new(refused(live))),
    ];
    insta::assert_snapshot!(told(&events), @r"
     | deploy in cluster `shop`, eu-west-1
    >| Look at AWS
    !| warning: blue serves users now (100 % blue, 0 % green). `allow-live: true` replaces its tasks under them, as a rolling update.
    <|
    x| refused (live-color) after 2m 05s: Not started. blue serves users now (100 % blue, 0 % green); a deploy goes to a color without users.
     | Deploy to the color without users:
     |   color: idle
     | or move all users to the other color first. To replace the tasks under your users all the same, as a rolling update:
     |   allow-live: true
    ");
}

#[test]
fn status_is_not_hidden_in_a_group() {
    let mut seen = overview();
    seen.missing = vec![(ServiceColor::Develop, "web-dev".to_owned())];
    seen.unread = vec![trouble(AwsErrorKind::Denied, "AccessDeniedException", "")];
    let end = Report {
        command: "status",
        color: None,
        service: None,
        overview: Some(seen.clone()),
        previous_task_definition: None,
        ..report()
    };
    let events = [started("status"), Event::Seen(Box::new(seen)), Event::Ended(Box::new(end))];
    insta::assert_snapshot!(told(&events), @r"
     | status in cluster `shop`, eu-west-1
     | traffic: blue (100 % blue, 0 % green), https://shop-alb.example
    .|   HTTPS:443 default: 100 % blue, 0 % green
    .|   HTTPS:443 rule 10: 100 % blue, 0 % green
     | blue: 100 %, `web:7`, 2 of 2 running, 2 of 2 targets healthy
    .|   service web-blue, image shop/web:v7, sha256:0a1b2c3d0a1b, commit a1b2c3d, test at http://shop-alb.example:807
     | green: 0 %, `web:8`, 2 of 2 running, 2 of 2 targets healthy
    .|   service web-green, image shop/web:v8, sha256:0a1b2c3d0a1b, commit a1b2c3d, test at http://shop-alb.example:808
     | develop: `web:9`, 2 of 2 running, 2 of 2 targets healthy
    .|   service web-develop, image shop/web:v9, sha256:0a1b2c3d0a1b, commit a1b2c3d, test at http://shop-alb.example:809
    !| develop: the service `web-dev` does not exist
    !| not read: AWS denied `ecs:UpdateService` on `arn:aws:ecs:eu-west-1:123456789012:service/shop/web-green` (AccessDeniedException).
    .| deploy to blue: not now, it serves users; `allow-live: true` would allow it
     | deploy to green: possible now
    .| deploy to develop: not now, a deployment is in progress
    +| succeeded after 2m 05s: Not there: `web-dev`. 1 part could not be read; the rest is here.
    ");
}

#[test]
fn every_other_event_has_its_line() {
    let events = [
        Event::Adopted { id: "ecs-svc/8".to_owned() },
        Event::Recounted(1),
        Event::Answered(Answered::Found(revision(8))),
        Event::Answered(Answered::ProbesPassed(1)),
        Event::Answered(Answered::AwsError(trouble(AwsErrorKind::Throttled, "ThrottlingException", ""))),
        waiting(Wait::AwsError(trouble(AwsErrorKind::Unreachable, "", "")), 3, false),
        waiting(Wait::Rollback { running: 0, desired: 1 }, 3725, true),
        Event::Plan(Box::new(Planned { steps: Vec::new(), changes: Vec::new(), ..planned() })),
        Event::Ended(Box::new(Report { outcome: Outcome::Planned, ..report() })),
    ];
    insta::assert_snapshot!(told(&events), @r"
     | a deployment of the same content is under way already; following `ecs-svc/8`
    !| somebody else set the desired count of the service to 1 meanwhile: that many targets have to be healthy now, and the count stays
     | `web:8` has this content already; nothing to register
    +| the probe passed
    !| AWS throttles `ecs:UpdateService` (ThrottlingException), trying again
    !| [  3s] AWS does not answer `ecs:UpdateService`, asking again
    >| Watch the service go back
    .| [1h02m] AWS is rolling back, 0 of 1 running again; nothing changed
    <|
    >| Plan for `web-green` (green)
     | now: `web:7`, desired count 0
     | nothing to change; its health is confirmed
     | The run takes at most 35m 00s: set `timeout-minutes: 35` or more for the job
    <|
     | planned after 2m 05s: 4 steps planned. Nothing was written.
     | users: 100 % blue, 0 % green; a deploy does not change that
    ");
}

#[test]
fn differences_whose_steps_are_told_elsewhere_are_not_nothing_to_change() {
    let copied = told(&[Event::Plan(Box::new(Planned { steps: Vec::new(), ..planned() }))]);
    assert!(copied.contains("+ cpu: 256"), "{copied}");
    assert!(!copied.contains("nothing to change"), "{copied}");
}

/// A change of traffic with everything that can be waited for.
fn a_move() -> Vec<Event> {
    let left = Duration::from_secs(118);
    let mut events = vec![
        started("redirect-traffic"),
        Event::Seen(Box::new(overview())),
        Event::TrafficPlan(Box::new(traffic_plan())),
    ];
    events.extend(traffic_plan().steps.into_iter().take(2).map(Event::Step));
    events.extend([
        Event::Answered(Answered::Updated(None)),
        waiting(Wait::Capacity(capacity(Color::Green, 20, 1, 2)), 4, false),
        Event::Step(Step::Weights(Box::new(weights(None, Purpose::Traffic)))),
        waiting(Wait::Weights { rule: "HTTPS:443 default".to_owned() }, 41, false),
        waiting(Wait::Bake { split: BLUE_80, left, no_data: vec!["web-slow".to_owned()] }, 42, false),
        waiting(Wait::Bake { split: BLUE_80, left, no_data: vec!["web-slow".to_owned()] }, 72, true),
        Event::Moved(BLUE_80),
        waiting(Wait::Settle { color: Color::Green, left }, 90, false),
        Event::Ended(Box::new(moved())),
    ]);
    events
}

#[test]
fn moving_users_reads_from_top_to_bottom() {
    insta::assert_snapshot!(told(&a_move()).split_once("Plan:").unwrap().1, @r#"
     blue -> blue-80
     | `HTTPS:443 default`: blue -> blue-80 (80 % blue, 20 % green)
     | `HTTPS:443 rule 10`: blue -> blue-80 (80 % blue, 20 % green)
     | blue runs `web:7`, green runs `web:8`
     | All users need 10 targets: blue's desired count divided by its share of the users now, rounded up
     |   blue gets 80 % of the users: 10 healthy, 8 needed, desired count 10, MaxCapacity 10
    !|   green gets 20 % of the users: 1 healthy, 2 needed, desired count 1, MaxCapacity 10
     | Scaled before users move: `web-green` (green) to 2 tasks
     | Users are held on the way at 5 % and 10 % green, 5m 00s each
    !| the alarm `web-slow` has no data and can't warn
     | Stickiness is on at `HTTPS:443 default` (1h 00m): each request renews the client's cookie, which lives that long after it. Clients of blue may stay at blue as long as they keep coming, and that long after their last request.
     | 1. Suspend scale-in of `web-green` (green)
     | 2. Scale `web-green` (green) to 2 tasks
     | 3. Set the weights of `HTTPS:443 default`: blue -> blue-80
     | The run takes at most 1h 45m: set `timeout-minutes: 105` or more for the job
    <|
    >| Suspend scale-in of `web-green` (green)
    <|
    >| Scale `web-green` (green) to 2 tasks
    +| updated; this change has no deployment of its own
    <|
    >| Wait for healthy targets of green
     | [  4s] green: 1 of 2 healthy, needed for 20 % of the users
    <|
    >| Set the weights of `HTTPS:443 default`: blue -> blue-80
     | [ 41s] AWS does not show the new weights of `HTTPS:443 default` yet
    <|
    >| Hold users at blue-80 and watch
     | [ 42s] users are held at blue-80 (80 % blue, 20 % green), 1m 58s left; the alarm `web-slow` has no data and can't warn
     | 🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green
     | 0 of 118 s · next step at 22:15:18 UTC
    .| [1m12s] users are held at blue-80 (80 % blue, 20 % green), 1m 58s left; the alarm `web-slow` has no data and can't warn; nothing changed
    <|
    +| all production rules hold blue-80 (80 % blue, 20 % green), read back from AWS
    >| Users have been moved to green: watch before anything shrinks
     | [1m30s] all users are at green; the rules are watched for another 1m 58s before anything shrinks
    <|
    +| succeeded after 2m 05s: green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy.
     | To send users back to blue, run this action with
     |   command: redirect-traffic
     |   traffic: blue
     | or, without GitHub (it checks nothing: see first that blue is healthy):
     |   ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
     |   aws elbv2 modify-listener --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --default-actions '[{"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolDomain": "d'\''or", "Scope": "openid email"}}, {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/blue/73e2d6bc24d8a067", "Weight": 100}, {"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/green/73e2d6bc24d8a067", "Weight": 0}], "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}}}]'
     |   aws elbv2 modify-rule --region eu-west-1 --rule-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee --actions '[{"Type": "forward", "TargetGroupArn": "arn:x"}]'
     | 🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green
     | users: 80 % blue, 20 % green
    "#);
}

#[test]
fn a_change_of_traffic_that_fails_says_why_and_what_is_left() {
    let failing =
        || RunFailure::Traffic(TrafficFailure::Alarm(vec![("web-5xx".to_owned(), "7 > 1".to_owned())]));
    let events = [
        started("rollback"),
        Event::RunFailure { failing: failing(), cause: Cause::default(), logs: Vec::new() },
        Event::Step(Step::Weights(Box::new(weights(None, Purpose::Restore)))),
        Event::Ended(Box::new(not_moved(failing(), Left::Restored, EndStateReason::RestoredByRun))),
        Event::Ended(Box::new(not_moved(failing(), Left::Unknown, EndStateReason::NotConfirmed))),
    ];
    insta::assert_snapshot!(told(&events), @r#"
     | rollback in cluster `shop`, eu-west-1
    >| Look at AWS
    <|
    x| the change of traffic fails: The CloudWatch alarm `web-5xx` (7 > 1) fired while users were moved, so the new split is not good.
     | See what the alarm measured, and the log of the color that got users, before you move them again:
     |   aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --alarm-names web-5xx
    >| Put back the weights of `HTTPS:443 default`: blue -> blue-80
    <|
    x| failed (alarm) after 2m 05s: as told above
     | Restored: the production rules hold again what was found (blue), read back from AWS.
     | 🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦 all users on blue
     | users: 100 % blue, 0 % green
    x| failed (alarm) after 2m 05s: as told above
     | NOT KNOWN where users are: the way back was not read back from AWS in time. This run found blue. Check it now:
     |   ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
     |   aws elbv2 describe-rules --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --query 'Rules[].[Priority,Actions[].ForwardConfig.TargetGroups]'
     | To send users back to blue, run this action with
     |   command: redirect-traffic
     |   traffic: blue
     | or, without GitHub (it checks nothing: see first that blue is healthy):
     |   ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
     |   aws elbv2 modify-listener --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --default-actions '[{"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolDomain": "d'\''or", "Scope": "openid email"}}, {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/blue/73e2d6bc24d8a067", "Weight": 100}, {"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/green/73e2d6bc24d8a067", "Weight": 0}], "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}}}]'
     |   aws elbv2 modify-rule --region eu-west-1 --rule-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee --actions '[{"Type": "forward", "TargetGroupArn": "arn:x"}]'
    "#);
}

#[test]
fn groups_open_and_close_in_turn() {
    let mut log = LogRenderer::default();
    let (mut open, mut begun) = (0, 0);
    for event in up_to_the_update().iter().chain([&Event::Ended(Box::new(report()))]) {
        for line in log.lines(event, Time(0)) {
            match line.level {
                Level::GroupStart => (open, begun) = (open + 1, begun + 1),
                Level::GroupEnd => open -= 1,
                Level::Plain | Level::Good | Level::Warn | Level::Bad | Level::Dim => {}
            }
            assert!((0..=1).contains(&open), "{}", line.text);
        }
    }
    assert_eq!(open, 0);
    assert!(begun > 2, "{begun} groups");
}

#[test]
fn a_plan_of_372_steps_is_shortened() {
    let steps = traffic_plan().steps.into_iter().cycle().take(372).collect();
    let shown = told(&[Event::TrafficPlan(Box::new(TrafficPlan { steps, ..traffic_plan() }))]);
    let at = |number: u32| {
        shown.lines().position(|line| line.contains(&format!("| {number}. "))).unwrap_or_default()
    };
    let cut =
        shown.lines().position(|line| line.contains("… steps 41 to 352, of the same kind")).expect(&shown);
    assert_eq!((at(40), at(353), at(372)), (cut - 1, cut + 1, cut + 20), "{shown}");
    assert_eq!((at(41), at(352)), (0, 0), "{shown}");
    let too_long = TrafficPlan { steps: Vec::new(), too_long: true, ..traffic_plan() };
    let shown = told(&[Event::TrafficPlan(Box::new(too_long))]);
    assert!(
        shown.contains("| the steps are too many to list: 2 rules are written for each of 3 shares"),
        "{shown}"
    );
    assert!(!shown.contains("nothing to change"), "{shown}");
}
