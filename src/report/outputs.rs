//! The step's outputs: always all of them, also on failure; an unknown value is empty.

use super::comparison::comparison_json;
use super::findings::findings_json;
use super::going_live::going_live_json;
use super::status;
use super::words;
use crate::event::Report;
use crate::plan::aws_error::AwsResult;
use crate::plan::color::Color;
use crate::plan::compare::Comparison;
use crate::plan::overview::{ColorView, Overview};
use crate::plan::step::Left;
use crate::plan::traffic::TrafficPlan;

/// The outputs of the action by name. `details` is the page of the run.
pub(crate) fn action_outputs(report: &Report, details: Option<&str>) -> Vec<(&'static str, String)> {
    let overview = report.overview.as_ref();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let view = color_view(report);
    let runs = view.map(|view| view.task_definition.clone()).or_else(|| left_version(report));
    // A post step knows only the split from the start of the run.
    let split = report.split.filter(|_| report.command != "post");
    vec![
        ("headline", words::chat_headline(report)),
        ("details-url", details.unwrap_or_default().to_owned()),
        ("result", report.outcome.word().to_owned()),
        ("reason", report.reason.map(|reason| reason.word().to_owned()).unwrap_or_default()),
        ("left", report.left.word().to_owned()),
        ("color", report.color.map(|color| color.word().to_owned()).unwrap_or_default()),
        ("live-color", live_color(report).to_owned()),
        ("traffic", split.map(|split| split.to_string()).unwrap_or_default()),
        ("previous-traffic", report.traffic.as_deref().and_then(split_before).unwrap_or_default()),
        ("task-definition-arn", runs.unwrap_or_default()),
        ("previous-task-definition-arn", text(&report.previous_task_definition)),
        ("attempted-task-definition-arn", text(&report.task_definition)),
        ("image", view.and_then(|view| view.image.clone()).unwrap_or_default()),
        ("ecs-deployment-id", text(&report.deployment)),
        ("production-url", overview.and_then(|all| all.production_url.clone()).unwrap_or_default()),
        ("test-url", view.and_then(|view| view.test_url.clone()).unwrap_or_default()),
        // Known only after the posts, and then set again.
        ("comment-url", String::new()),
        ("duration-seconds", report.duration.as_secs().to_string()),
        ("status-json", overview.map(|overview| current_status_json(report, overview)).unwrap_or_default()),
        ("findings", report.findings.as_deref().map(findings_json).unwrap_or_default()),
        (
            "going-live",
            report.going_live.as_deref().map(|it| going_live_json(it).to_string()).unwrap_or_default(),
        ),
        ("compared", compared(report).map(|read| comparison_json(read).to_string()).unwrap_or_default()),
    ]
}

/// The version of the command's color by the end of the run, if no look shows the color. A restored deploy left the
/// version before it.
fn left_version(report: &Report) -> Option<String> {
    match report.left {
        Left::Changed | Left::Untouched => report.task_definition.clone(),
        Left::Restored | Left::Unknown if report.service.is_none() => report.task_definition.clone(),
        Left::Restored => report.previous_task_definition.clone(),
        Left::Unknown => None,
    }
}

/// The last comparison of the colors.
fn compared(report: &Report) -> Option<&AwsResult<Comparison>> {
    report.overview.as_ref()?.compared.as_ref()
}

/// The color that serves users: known even if the rules were read and hold different splits.
fn live_color(report: &Report) -> &'static str {
    let split = report.split.filter(|_| report.command != "post");
    let overview = report.overview.as_ref().filter(|_| split.is_some() || !report.stale);
    let is_live = |color| match overview {
        Some(overview) => overview.is_live(color, split),
        None => split.is_some_and(|split| split.is_live(color)),
    };
    status::live_color(is_live(Color::Blue), is_live(Color::Green))
}

/// The common split of all rules before the run, if the rules agreed.
fn split_before(traffic_plan: &TrafficPlan) -> Option<String> {
    traffic_plan.agreed().then(|| traffic_plan.from.to_string())
}

/// `status-json`, without a split that is no longer known.
fn current_status_json(report: &Report, overview: &Overview) -> String {
    if report.stale && report.split.is_none() {
        return status::status_json(&Overview { split: None, rules: Vec::new(), ..overview.clone() });
    }
    status::status_json(overview)
}

/// The command's color at the last look.
fn color_view(report: &Report) -> Option<&ColorView> {
    report.overview.as_ref()?.colors.iter().find(|view| Some(view.color) == report.color)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;
    use crate::plan::cause::Cause;
    use crate::plan::color::Split;
    use crate::plan::step::RunFailure;
    use crate::plan::verdict::DeploymentFailure;
    use crate::report::fixtures::{crash, failed, moved, report};

    /// The page of a run.
    const RUN: &str = "https://github.example/octo/shop/actions/runs/42";

    /// The outputs without `status-json`, one a line.
    fn told(report: &Report) -> String {
        let all = action_outputs(report, Some(RUN)).into_iter().filter(|(name, _)| *name != "status-json");
        all.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_good_deploy_has_all_outputs() {
        insta::assert_snapshot!(told(&report()), @r"
        headline=`web-green` (green) runs `web:8`, 2 targets healthy. Users: 100 % blue, 0 % green.
        details-url=https://github.example/octo/shop/actions/runs/42
        result=succeeded
        reason=
        left=changed
        color=green
        live-color=blue
        traffic=blue
        previous-traffic=
        task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8
        previous-task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7
        attempted-task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8
        image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v8
        ecs-deployment-id=ecs-svc/8123456789
        production-url=https://shop-alb.example
        test-url=http://shop-alb.example:808
        comment-url=
        duration-seconds=125
        findings=
        going-live=
        compared=
        ");
    }

    #[test]
    fn a_change_of_traffic_has_the_split_before_and_after() {
        insta::assert_snapshot!(told(&moved()), @r"
        headline=green (`web:8`) serves 20 % of the users, blue (`web:7`) 80 %; 2 targets of green healthy. Users: 80 % blue, 20 % green.
        details-url=https://github.example/octo/shop/actions/runs/42
        result=succeeded
        reason=
        left=changed
        color=green
        live-color=both
        traffic=blue-80
        previous-traffic=blue
        task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8
        previous-task-definition-arn=
        attempted-task-definition-arn=
        image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v8
        ecs-deployment-id=
        production-url=https://shop-alb.example
        test-url=http://shop-alb.example:808
        comment-url=
        duration-seconds=125
        findings=
        going-live=
        compared=
        ");
    }

    #[test]
    fn a_failed_deploy_has_all_outputs() {
        let split = Some(Split { blue: 95, green: 5 });
        let failed = failed(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), crash());
        insta::assert_snapshot!(told(&Report { split, ..failed }), @r"
        headline=The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in 3 tasks. Users: 95 % blue, 5 % green.
        details-url=https://github.example/octo/shop/actions/runs/42
        result=failed
        reason=circuit-breaker
        left=restored
        color=green
        live-color=both
        traffic=95/5
        previous-traffic=
        task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8
        previous-task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7
        attempted-task-definition-arn=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8
        image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v8
        ecs-deployment-id=ecs-svc/8123456789
        production-url=https://shop-alb.example
        test-url=http://shop-alb.example:808
        comment-url=
        duration-seconds=125
        findings=
        going-live=
        compared=
        ");
    }

    #[test]
    fn without_a_look_the_version_is_the_one_that_the_run_left() {
        let deploy = |left, service: Option<&str>| Report {
            left,
            service: service.map(str::to_owned),
            overview: None,
            ..failed(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), crash())
        };
        let is = Some("web-green");
        for (report, version) in [
            (deploy(Left::Restored, is), "task-definition/web:7"),
            (deploy(Left::Changed, is), "task-definition/web:8"),
            (deploy(Left::Unknown, is), ""),
            (deploy(Left::Restored, None), "task-definition/web:8"),
        ] {
            let outputs = action_outputs(&report, None);
            let (_, found) = outputs.iter().find(|(name, _)| *name == "task-definition-arn").unwrap();
            assert!(found.ends_with(version) && found.is_empty() == version.is_empty(), "{found}");
        }
    }

    #[test]
    fn what_is_not_known_is_empty() {
        let nothing = Report {
            outcome: Outcome::Refused,
            left: Left::Untouched,
            cause: Cause::default(),
            color: None,
            service: None,
            split: None,
            task_definition: None,
            previous_task_definition: None,
            deployment: None,
            overview: None,
            ..report()
        };
        insta::assert_snapshot!(told(&nothing), @r"
        headline=Not started. The action broke and could not finish the run.
        details-url=https://github.example/octo/shop/actions/runs/42
        result=refused
        reason=
        left=untouched
        color=
        live-color=
        traffic=
        previous-traffic=
        task-definition-arn=
        previous-task-definition-arn=
        attempted-task-definition-arn=
        image=
        ecs-deployment-id=
        production-url=
        test-url=
        comment-url=
        duration-seconds=125
        findings=
        going-live=
        compared=
        ");
        assert!(action_outputs(&nothing, None).contains(&("status-json", String::new())));
    }
}
