//! What the job summary shows. The snapshots are Markdown: read them in `snapshots/`.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::event::Difference;
use crate::failure::{Failure, Reason};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::cause::{Cause, Finding};
use crate::plan::color::{Color, ServiceColor};
use crate::plan::problem::Problem;
use crate::plan::step::{
    EndStateReason, Left, ProbeFailure, ProbeFailureKind, Refusal, RunFailure, TrafficFailure,
};
use crate::plan::traffic::TrafficPlan;
use crate::plan::verdict::{DeploymentFailure, Waiting};
use crate::report::fixtures::{
    ACCOUNT, BLUE, BLUE_80, crash, drifted, failed, moved, not_moved, overview, planned, refused, report,
    revision, traffic_plan, trouble,
};

/// The summary of a run without a timeline.
fn summary_of(report: &Report) -> String {
    render_summary(report, &Timeline::default())
}

/// A deployment that failed without more to tell.
fn ended(end: DeploymentFailure) -> Report {
    failed(RunFailure::Deployment(end), Cause::default())
}

#[test]
fn success() {
    insta::assert_snapshot!(summary_of(&report()));
}

#[test]
fn unchanged() {
    let changes = Vec::new();
    let plan = Some(Planned { steps: Vec::new(), changes, ..planned() });
    insta::assert_snapshot!(summary_of(&Report { outcome: Outcome::Unchanged, plan, ..report() }));
}

#[test]
fn plan_only() {
    let (outcome, healthy, left) = (Outcome::Planned, None, Left::Untouched);
    insta::assert_snapshot!(summary_of(&Report { outcome, healthy, left, ..report() }));
}

#[test]
fn a_refusal() {
    insta::assert_snapshot!(summary_of(&refused(Refusal::LiveColor {
        color: Color::Blue,
        split: BLUE,
        rules: Vec::new()
    })));
}

#[test]
fn bad_input() {
    let problems = vec![
        Problem::new("input color", "`gren` is no color; did you mean `green`?"),
        Problem::new("input timeout", "`soon` is no duration such as `90s`"),
    ];
    let (overview, plan, refusal, color) = (None, None, None, None);
    let bad = Report { problems, overview, plan, refusal, color, ..refused(Refusal::NoDevelop) };
    insta::assert_snapshot!(summary_of(&Report { reason: Some(Reason::BadInput), ..bad }));
}

#[test]
fn another_failure() {
    let failure =
        Some(Failure::new(Reason::ImageMissing, "The image `shop/web:v9` does not exist.", "Push it."));
    let reason = Some(Reason::ImageMissing);
    let told = summary_of(&Report { failure, reason, refusal: None, ..refused(Refusal::NoDevelop) });
    assert!(told.starts_with("### ⛔ Refused: deploy to green (image-missing). Users are still on blue.\n\nNot started. The image <code>shop/web:v9</code>"), "{told}");
}

#[test]
fn a_crash_that_was_put_back() {
    insta::assert_snapshot!(summary_of(&failed(
        RunFailure::Deployment(DeploymentFailure::CircuitBreaker),
        crash()
    )));
}

#[test]
fn each_end_of_a_deployment() {
    let all = [
        DeploymentFailure::Alarm(vec!["web-5xx".to_owned()]),
        DeploymentFailure::TasksFailing { failed: 3 },
        DeploymentFailure::Stopped,
        DeploymentFailure::Superseded { by: revision(9) },
        DeploymentFailure::Drained,
        DeploymentFailure::NoRoom,
        DeploymentFailure::TimedOut(Box::new(Waiting::Unhealthy { healthy: 1, needed: 2 })),
        DeploymentFailure::AwsError(trouble(AwsErrorKind::Denied, "AccessDeniedException", "")),
    ];
    let told = all.map(|end| {
        let whole = summary_of(&ended(end));
        whole.split("Logs:").next().unwrap_or_default().to_owned()
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_probe_with_a_wrong_answer() {
    let kind = ProbeFailureKind::Status { found: 500, wanted: 200 };
    let probe = ProbeFailure { url: "http://alb:8080/healthz".to_owned(), kind };
    let cause = Cause { findings: vec![Finding::Probe(probe.clone())], logs: Vec::new() };
    let told = summary_of(&failed(RunFailure::Probe(probe), cause));
    insta::assert_snapshot!(told.split("Logs:").next().unwrap());
}

#[test]
fn cancelled_and_left_unknown() {
    let outcome = Outcome::Cancelled;
    let (left, because) = (Left::Unknown, Some(EndStateReason::NotConfirmed));
    let cancelled = failed(RunFailure::Cancelled, Cause::default());
    insta::assert_snapshot!(summary_of(&Report { outcome, left, because, logs: Vec::new(), ..cancelled }));
}

#[test]
fn status_with_parts_that_could_not_be_read() {
    let mut seen = overview();
    (seen.split, seen.rules, seen.production_url) = (None, Vec::new(), None);
    for view in &mut seen.colors {
        (view.percent, view.healthy, view.image, view.commit) = (None, None, None, None);
        (view.test_url, view.rollout) = (None, Some(Rollout::Unknown));
        view.digests.clear();
    }
    seen.colors.truncate(1);
    seen.missing = vec![(ServiceColor::Green, "web-green".to_owned())];
    let mut denied = trouble(AwsErrorKind::Denied, "AccessDenied", "");
    (denied.action, denied.resource) = ("elasticloadbalancing:DescribeRules", "shop-alb".to_owned());
    seen.unread = vec![denied];
    let read = Report {
        command: "status",
        color: None,
        service: None,
        split: None,
        plan: None,
        previous_task_definition: None,
        duration: Duration::from_secs(1),
        overview: Some(seen),
        ..report()
    };
    insta::assert_snapshot!(summary_of(&read));
}

/// A report that is full of this text.
fn full_of(text: &str, times: usize) -> Report {
    let many = || (0..times).map(|_| text.to_owned());
    let finding = |reason| Finding::Stopped { code: text.to_owned(), reason, tasks: 1 };
    let difference =
        |before| Difference { path: text.to_owned(), before: Some(before), after: Some(text.to_owned()) };
    let mut seen = overview();
    for view in &mut seen.colors {
        (view.image, view.commit) = (Some(text.to_owned()), Some(text.to_owned()));
        (view.service, view.revision) = (text.to_owned(), text.to_owned());
        (view.test_url, view.digests) = (Some(text.to_owned()), many().collect());
    }
    seen.unread = many().map(|message| trouble(AwsErrorKind::Denied, text, &message)).collect();
    let cause = Cause { findings: many().map(finding).collect(), logs: Vec::new() };
    Report {
        plan: Some(Planned { changes: many().map(difference).collect(), ..planned() }),
        overview: Some(seen),
        ..failed(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), cause)
    }
}

#[test]
fn a_summary_has_room_for_the_worst() {
    let worst = full_of(&"`<@|#".repeat(500), 200);
    let problems = (0..500).map(|_| Problem::new("input color", "@".repeat(2_000))).collect();
    let bad = Report { problems, ..refused(Refusal::NoDevelop) };
    for report in [worst, Report { refusal: None, ..bad }] {
        let told = summary_of(&report);
        assert!(told.len() < 1 << 20, "{} bytes", told.len());
    }
}

/// A summary up to the table of the colors, and from the notes on.
fn of_traffic(report: &Report) -> String {
    let told = summary_of(report);
    let (head, rest) = told.split_once("Production:").unwrap();
    let (_, tail) = rest.rsplit_once("| [develop]").unwrap();
    let (tail, _) = tail.split_once("<sub>").unwrap();
    format!("{head}…{}", tail.split_once('\n').unwrap().1)
}

#[test]
fn bounds_and_drift_are_shown() {
    let told = summary_of(&Report { overview: Some(drifted()), ..report() });
    let green = told.lines().find(|line| line.starts_with("| [green]")).unwrap().to_owned();
    let (_, drift) = told.split_once("**Drift**").unwrap();
    insta::assert_snapshot!(format!("{green}\n{}", drift.split("<sub>").next().unwrap()), @"
    | [green](https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/shop/services/web-green/health?region=eu-west-1) | 0 % | <code>web:8</code> | <code>shop/web:v8</code> <code>sha256:0a1b2c3d0a1b</code> | <code>a1b2c3d</code> | 2 of 2 (MinCapacity 1, MaxCapacity 2) | 2 of 2 | [open](http://shop-alb.example:808) |


    - green serves 50 % of the users, and its MaxCapacity 2 is lower than 5, that share of the largest MaxCapacity (10): it can't grow as its users may need. Raise it to at least 5 where it is defined.
    - Both colors serve users, and scale-in of <code>web-green</code> (green) is not suspended: it can shrink below what its share needs. <code>redirect-traffic</code> to the split that is held suspends it.
    ");
}

#[test]
fn users_were_moved() {
    insta::assert_snapshot!(of_traffic(&moved()), @r#"
    ### ✅ Redirected to blue-80. Users: 80 % on blue, 20 % on green.

    green (<code>web:8</code>) serves 20 % of the users, blue (<code>web:7</code>) 80 %; 2 targets of green healthy.

    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green

    …
    <details><summary>When the new weights apply</summary>

    Each node of the load balancer takes new weights over by itself, as a rule within seconds: until then some requests still go by the old ones.

    Stickiness is on at <code>HTTPS:443 default</code> (1h 00m): each request renews the client's cookie, which lives that long after it. Clients of blue may stay at blue as long as they keep coming, and that long after their last request.

    </details>

    <details><summary>Plan</summary>

    | listener rule | before | after |
    |---|---|---|
    | HTTPS:443 default | blue | blue-80 |
    | HTTPS:443 rule 10 | blue | blue-80 |

    All users need 10 targets: blue's desired count divided by its share of the users now, rounded up.

    | color | users | healthy | needed | desired count | MaxCapacity |
    |---|---|---|---|---|---|
    | blue | 80 % | 10 | 8 | 10 | 10 |
    | green | 20 % | 1 | 2 | 1 | 10 |

    Scaled before users move: <code>web-green</code> (green) to 2 tasks.

    Users are held on the way at 5 % and 10 % green, 5m 00s each.

    The alarm <code>web-slow</code> has no data and can't warn.

    1. Suspend scale-in of <code>web-green</code> (green)
    2. Scale <code>web-green</code> (green) to 2 tasks
    3. Set the weights of <code>HTTPS:443 default</code>: blue -&#62; blue-80

    </details>

    **Back:** All users back to blue – run this action with <code>command: redirect-traffic</code>, <code>traffic: blue</code>.

    <details><summary>The way back, with and without GitHub</summary>

    To send users back to blue, run this action with

    ```
    command: redirect-traffic
    traffic: blue
    ```

    or, without GitHub (it checks nothing: see first that blue is healthy):

    ```
    ACCOUNT_ID=$(aws sts get-caller-identity --region eu-west-1 --query Account --output text)
    aws elbv2 modify-listener --region eu-west-1 --listener-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2 --default-actions '[{"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolDomain": "d'\''or", "Scope": "openid email"}}, {"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/blue/73e2d6bc24d8a067", "Weight": 100}, {"TargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:'"$ACCOUNT_ID"':targetgroup/green/73e2d6bc24d8a067", "Weight": 0}], "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}}}]'
    aws elbv2 modify-rule --region eu-west-1 --rule-arn arn:aws:elasticloadbalancing:eu-west-1:"$ACCOUNT_ID":listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee --actions '[{"Type": "forward", "TargetGroupArn": "arn:x"}]'
    ```

    </details>
    "#);
}

#[test]
fn a_plan_to_move_users_says_what_it_would_do() {
    let (outcome, left, split) = (Outcome::Planned, Left::Untouched, Some(BLUE));
    insta::assert_snapshot!(of_traffic(&Report { outcome, left, split, healthy: None, ..moved() }), @"
    ### 📝 Planned: redirect-traffic to blue-80. All users are on blue.

    3 steps planned: blue -&#62; blue-80. Nothing was written.

    🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦 all users on blue

    …
    <details><summary>When the new weights apply</summary>

    Each node of the load balancer takes new weights over by itself, as a rule within seconds: until then some requests still go by the old ones.

    Stickiness is on at <code>HTTPS:443 default</code> (1h 00m): each request renews the client's cookie, which lives that long after it. Clients of blue may stay at blue as long as they keep coming, and that long after their last request.

    </details>

    **Plan**

    | listener rule | before | after |
    |---|---|---|
    | HTTPS:443 default | blue | blue-80 |
    | HTTPS:443 rule 10 | blue | blue-80 |

    All users need 10 targets: blue's desired count divided by its share of the users now, rounded up.

    | color | users | healthy | needed | desired count | MaxCapacity |
    |---|---|---|---|---|---|
    | blue | 80 % | 10 | 8 | 10 | 10 |
    | green | 20 % | 1 | 2 | 1 | 10 |

    Scaled before users move: <code>web-green</code> (green) to 2 tasks.

    Users are held on the way at 5 % and 10 % green, 5m 00s each.

    The alarm <code>web-slow</code> has no data and can't warn.

    1. Suspend scale-in of <code>web-green</code> (green)
    2. Scale <code>web-green</code> (green) to 2 tasks
    3. Set the weights of <code>HTTPS:443 default</code>: blue -&#62; blue-80

    The run takes at most 1h 45m: set <code>timeout-minutes: 105</code> or more for the job.
    ");
}

#[test]
fn users_were_sent_back_by_an_alarm() {
    let failing =
        RunFailure::Traffic(TrafficFailure::Alarm(vec![("web-5xx".to_owned(), "7 > 1".to_owned())]));
    let told = of_traffic(&not_moved(failing, Left::Restored, EndStateReason::RestoredByRun));
    insta::assert_snapshot!(told.split("<details>").next().unwrap(), @"
    ### ❌ Failed: redirect-traffic to blue-80 (alarm). All users are on blue.

    The CloudWatch alarm <code>web-5xx</code> (7 &#62; 1) fired while users were moved, so the new split is not good.

    See what the alarm measured, and the log of the color that got users, before you move them again:

    ```
    aws cloudwatch describe-alarms --region eu-west-1 --alarm-types MetricAlarm CompositeAlarm --alarm-names web-5xx
    ```

    Restored: the production rules hold again what was found (blue), read back from AWS.

    🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦 all users on blue

    …
    ");
}

#[test]
fn nothing_was_to_be_moved() {
    let (outcome, left) = (Outcome::Unchanged, Left::Untouched);
    let traffic = Some(Box::new(TrafficPlan { from: BLUE_80, steps: Vec::new(), ..traffic_plan() }));
    let told = of_traffic(&Report { outcome, left, traffic, ..moved() });
    insta::assert_snapshot!(told.split("<details>").next().unwrap(), @"
    ### ✅ Unchanged: redirect-traffic to blue-80. Users: 80 % on blue, 20 % on green.

    Nothing was changed: green (<code>web:8</code>) serves 20 % of the users, blue (<code>web:7</code>) 80 % already; 2 targets of green healthy.

    🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green

    …
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn invariant_32_no_account_is_in_a_summary(text in "[a-z0-9:/ .-]{0,20}") {
        let told = summary_of(&full_of(&format!("{text}{ACCOUNT}{text} {ACCOUNT}"), 3));
        prop_assert!(!told.contains(ACCOUNT), "{told}");
    }

    #[test]
    fn invariant_32_no_account_and_nothing_live_is_in_a_summary_of_traffic(text in "[@#|<>`a-z0-9\\\\_*:/ -]{0,30}") {
        let mut all = moved();
        if let Some(traffic_plan) = &mut all.traffic {
            traffic_plan.no_data = vec![format!("{text}{ACCOUNT}")];
            traffic_plan.rules.iter_mut().for_each(|rule| rule.name.clone_from(&text));
            traffic_plan.rules.iter_mut().for_each(|rule| rule.undo.actions = serde_json::json!([text]));
        }
        let told = summary_of(&all);
        prop_assert!(!told.contains(ACCOUNT), "{told}");
        let mut fenced = false;
        for line in told.lines() {
            if line.starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                let ours = ["<wbr>", "<code>", "</code>", "<sub>", "</sub>", "<details>", "</details>", "<summary>", "</summary>"];
                let rest = ours.iter().fold(line.to_owned(), |rest, tag| rest.replace(tag, ""));
                prop_assert!(!rest.contains(['<', '`', '@']), "{line:?}");
            }
        }
        prop_assert!(!fenced);
    }

    #[test]
    fn foreign_text_stays_in_its_place(text in "[@#|<>`a-z0-9\\n\\r\\\\_*:/ -]{0,30}") {
        let told = summary_of(&full_of(&text, 2));
        let mut fenced = false;
        for line in told.lines() {
            if line.starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                let ours = ["<wbr>", "<code>", "</code>", "<sub>", "</sub>", "<details>", "</details>", "<summary>", "</summary>"];
                let rest = ours.iter().fold(line.to_owned(), |rest, tag| rest.replace(tag, ""));
                prop_assert!(!rest.contains(['<', '>', '`', '@']), "{line:?}");
            }
            if line.starts_with("| ") {
                prop_assert_eq!(line.matches('|').count(), 9, "{:?}", line);
            }
        }
        prop_assert!(!fenced);
    }
}

#[test]
fn a_plan_of_372_steps_is_shortened() {
    let steps = traffic_plan().steps.into_iter().cycle().take(372).collect();
    let traffic = Some(Box::new(TrafficPlan { steps, ..traffic_plan() }));
    let shown = summary_of(&Report { traffic, ..moved() });
    let steps: Vec<&str> = shown
        .lines()
        .filter(|line| line.split_once(". ").is_some_and(|(at, _)| at.parse::<u32>().is_ok()))
        .collect();
    assert_eq!(steps.len(), 60, "{shown}");
    assert!(
        steps[39].starts_with("40. ") && steps[40].starts_with("353. ") && steps[59].starts_with("372. "),
        "{shown}"
    );
    assert!(shown.contains("\n\n… steps 41 to 352, of the same kind\n\n353. "), "{shown}");
    let too_long = || TrafficPlan { steps: Vec::new(), too_long: true, ..traffic_plan() };
    let shown =
        summary_of(&Report { traffic: Some(Box::new(too_long())), outcome: Outcome::Planned, ..moved() });
    assert!(
        shown.contains("The steps are too many to list: 2 rules are written for each of 3 shares."),
        "{shown}"
    );
    assert!(
        !shown.to_lowercase().contains("nothing to change") && !shown.contains("Nothing would be changed"),
        "{shown}"
    );
}
