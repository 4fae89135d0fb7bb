//! Values for the tests of the words.

use std::time::Duration;

use serde_json::{Value, json};

use super::about::{About, TrafficFacts, color_services};
use crate::event::{Difference, LogLink, Planned, Report};
use crate::failure::{Outcome, Reason};
use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::plan::cause::{Cause, Finding};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::compare::{ColorPair, Comparison, Counts, Latency, Verdict};
use crate::plan::overview::{ColorView, Drift, Movable, Move, Overview, WhyNot};
use crate::plan::sample::content;
use crate::plan::snapshot::{Place, Rollout, Scalable};
use crate::plan::step::{
    Capacity, EndStateReason, InitialService, Left, Purpose, Refusal, RunFailure, Scaling, Step, Update,
    WantedRevision, Weights,
};
use crate::plan::traffic::{Load, LoadSource, RuleChange, TrafficPlan, Undo};

/// The account of the tests.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The ARN of a revision of `web`.
pub(crate) fn revision(number: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/web:{number}")
}

/// An image in ECR.
pub(crate) fn image(tag: &str) -> String {
    format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop/web:{tag}")
}

/// The place of the tests.
pub(crate) fn place() -> Place {
    Place {
        partition: "aws".to_owned(),
        account: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        cluster: "shop".to_owned(),
    }
}

/// What the words are about.
pub(crate) fn about() -> About {
    About {
        cluster: Some("shop".to_owned()),
        region: Some("eu-west-1".to_owned()),
        color: Some(ServiceColor::Green),
        service: Some("web-green".to_owned()),
        before: Some("web:7".to_owned()),
        services: color_services(&overview()),
        users: None,
        moved: None,
    }
}

/// A trouble with a call.
pub(crate) fn trouble(kind: AwsErrorKind, code: &str, message: &str) -> AwsError {
    AwsError {
        kind,
        action: "ecs:UpdateService",
        resource: format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:service/shop/web-green"),
        code: (!code.is_empty()).then(|| code.to_owned()),
        message: message.to_owned(),
        effect_unknown: false,
    }
}

/// All users on blue.
pub(crate) const BLUE: Split = Split { blue: 100, green: 0 };

/// One color of the overview.
pub(crate) fn view(color: ServiceColor, number: u32, percent: Option<u32>) -> ColorView {
    ColorView {
        color,
        service: format!("web-{color}"),
        revision: format!("web:{number}"),
        task_definition: revision(number),
        runs: None,
        image: Some(image(&format!("v{number}"))),
        digests: vec![format!("sha256:{}", "0a1b2c3d".repeat(8))],
        commit: Some("a1b2c3d4e5f60718293a4b5c6d7e8f9012345678".to_owned()),
        running: 2,
        desired: 2,
        healthy: Some((2, 2)),
        foreign: Vec::new(),
        percent,
        test_url: Some(format!("http://shop-alb.example:80{number}")),
        rollout: Some(Rollout::Completed),
        scaling: None,
    }
}

/// The overview: users on blue, green idle.
pub(crate) fn overview() -> Overview {
    Overview {
        place: place(),
        split: Some(Ok(BLUE)),
        rules: vec![("HTTPS:443 default".to_owned(), BLUE), ("HTTPS:443 rule 10".to_owned(), BLUE)],
        outside: Vec::new(),
        production_url: Some("https://shop-alb.example".to_owned()),
        colors: vec![
            view(ServiceColor::Blue, 7, Some(100)),
            view(ServiceColor::Green, 8, Some(0)),
            view(ServiceColor::Develop, 9, None),
        ],
        missing: Vec::new(),
        unread: Vec::new(),
        deployable: vec![
            (ServiceColor::Blue, Err(WhyNot::Live)),
            (ServiceColor::Green, Ok(())),
            (ServiceColor::Develop, Err(WhyNot::InFlight)),
        ],
        movable: Vec::new(),
        drift: Vec::new(),
        compared: None,
    }
}

/// A revision of the family `web`.
fn wanted_revision() -> Box<WantedRevision> {
    Box::new(WantedRevision { content: content("web", "v8"), origin: None })
}

/// The plan: register, update, probe.
pub(crate) fn planned() -> Planned {
    Planned {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        now: InitialService { task_definition: revision(7), desired: 0 },
        steps: vec![
            Step::Find(wanted_revision()),
            Step::Register(wanted_revision()),
            Step::Update(Update {
                color: ServiceColor::Green,
                service: "web-green".to_owned(),
                task_definition: Some("(new revision)".to_owned()),
                desired: Some(1),
                force: false,
                purpose: Purpose::Deploy,
            }),
            Step::Probe(ServiceColor::Green),
        ],
        changes: vec![
            Difference {
                path: "containerDefinitions[app].image".to_owned(),
                before: Some(image("v7")),
                after: Some(image("v8")),
            },
            Difference { path: "cpu".to_owned(), before: None, after: Some("256".to_owned()) },
        ],
        longest: Some(Duration::from_secs(2_100)),
    }
}

/// A good deploy of revision 8 to green.
pub(crate) fn report() -> Report {
    Report {
        outcome: Outcome::Succeeded,
        left: Left::Changed,
        color: Some(ServiceColor::Green),
        service: Some("web-green".to_owned()),
        split: Some(BLUE),
        task_definition: Some(revision(8)),
        previous_task_definition: Some(revision(7)),
        deployment: Some("ecs-svc/8123456789".to_owned()),
        plan: Some(planned()),
        healthy: Some(2),
        overview: Some(overview()),
        duration: Duration::from_secs(125),
        ..Report::new("deploy")
    }
}

/// The cause of a version that exits at start.
pub(crate) fn crash() -> Cause {
    let exit = Finding::Exit { container: "app".to_owned(), code: 1, reason: None, tasks: 3 };
    let aws = Finding::Aws { reason: "ECS deployment circuit breaker: tasks failed to start.".to_owned() };
    Cause { findings: vec![exit, aws], logs: Vec::new() }
}

/// A link to a log.
pub(crate) fn log_link() -> LogLink {
    LogLink {
        task: "0a1b2c3d4e5f".to_owned(),
        container: "app".to_owned(),
        group: "/ecs/web".to_owned(),
        stream: "web/app/0a1b2c3d4e5f".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

/// A failed deploy, put back.
pub(crate) fn failed(failing: RunFailure, cause: Cause) -> Report {
    Report {
        outcome: Outcome::Failed,
        reason: Some(Reason::of_failing(&failing)),
        left: Left::Restored,
        because: Some(EndStateReason::RestoredByRun),
        failing: Some(failing),
        cause,
        logs: vec![log_link()],
        healthy: None,
        ..report()
    }
}

/// A deploy that was not begun.
pub(crate) fn refused(refusal: Refusal) -> Report {
    Report {
        outcome: Outcome::Refused,
        reason: Some(Reason::of_refusal(&refusal)),
        left: Left::Untouched,
        refusal: Some(refusal),
        plan: None,
        healthy: None,
        deployment: None,
        ..report()
    }
}

/// 80 % of the users on blue.
pub(crate) const BLUE_80: Split = Split { blue: 80, green: 20 };

/// ARN of a part of the load balancer.
fn elb(kind: &str, rest: &str) -> String {
    format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:{kind}/app/shop/50dc6c495c0c9188/{rest}")
}

/// The actions of a rule that sends all users to blue: authentication first, stickiness on.
pub(crate) fn actions() -> Value {
    let group = |color| {
        format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/{color}/73e2d6bc24d8a067")
    };
    json!([
        { "Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {
            "UserPoolDomain": "d'or", "Scope": "openid email" } },
        { "Type": "forward", "Order": 2, "ForwardConfig": {
            "TargetGroups": [
                { "TargetGroupArn": group("blue"), "Weight": 100 },
                { "TargetGroupArn": group("green"), "Weight": 0 },
            ],
            "TargetGroupStickinessConfig": { "Enabled": true, "DurationSeconds": 3600 } } },
    ])
}

/// What a color has and needs.
pub(crate) fn capacity(color: Color, share: u32, healthy: u32, needed: u32) -> Capacity {
    Capacity { color, share, healthy, needed, desired: healthy.max(1), most: Some(10) }
}

/// A change of the weights of the default rule from all on blue to 80 %.
pub(crate) fn weights(adopts: Option<Color>, purpose: Purpose) -> Weights {
    Weights {
        rule: elb("listener-rule", "f2f7dc8efc522ab2/9683b2d02a6cabee"),
        listener: elb("listener", "f2f7dc8efc522ab2"),
        default: true,
        name: "HTTPS:443 default".to_owned(),
        before: BLUE,
        after: BLUE_80,
        adopts,
        actions: actions(),
        purpose,
    }
}

/// Scale-in of green.
pub(crate) fn scaling(in_suspended: Option<bool>, purpose: Purpose) -> Scaling {
    let service = "web-green".to_owned();
    Scaling { color: ServiceColor::Green, service, min: None, max: None, in_suspended, new: false, purpose }
}

/// A count of green.
pub(crate) fn counted(desired: u32, purpose: Purpose) -> Update {
    Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: None,
        desired: Some(desired),
        force: false,
        purpose,
    }
}

/// A fifth of the users to green, over two rules, one of them sticky.
pub(crate) fn traffic_plan() -> TrafficPlan {
    let rule = |name: &str, stickiness: Option<Duration>, undo: Undo| RuleChange {
        name: name.to_owned(),
        before: BLUE,
        after: BLUE_80,
        stickiness,
        undo,
    };
    let default = Undo { default: true, arn: elb("listener", "f2f7dc8efc522ab2"), actions: actions() };
    let arn = elb("listener-rule", "f2f7dc8efc522ab2/9683b2d02a6cabee");
    let ten =
        Undo { default: false, arn, actions: json!([{ "Type": "forward", "TargetGroupArn": "arn:x" }]) };
    TrafficPlan {
        from: BLUE,
        to: BLUE_80,
        rules: vec![
            rule("HTTPS:443 default", Some(Duration::from_secs(3600)), default),
            rule("HTTPS:443 rule 10", None, ten),
        ],
        load: Load { targets: 10, how: LoadSource::Scaled(Color::Blue) },
        capacity: vec![capacity(Color::Blue, 80, 10, 8), capacity(Color::Green, 20, 1, 2)],
        needs: vec![(Color::Blue, 8), (Color::Green, 2)],
        receiver: Color::Green,
        versions: vec![(Color::Blue, revision(7)), (Color::Green, revision(8))],
        steps: vec![
            Step::Scaling(scaling(Some(true), Purpose::Traffic)),
            Step::Update(counted(2, Purpose::Traffic)),
            Step::Weights(Box::new(weights(None, Purpose::Traffic))),
        ],
        too_long: false,
        bakes: vec![(5, Duration::from_secs(300)), (10, Duration::from_secs(300))],
        counts: Duration::ZERO,
        longest: Duration::from_secs(6_300),
        no_data: vec!["web-slow".to_owned()],
        copy: None,
    }
}

/// What the words are about when users are moved.
pub(crate) fn about_users() -> About {
    About {
        color: None,
        service: None,
        before: None,
        users: Some(TrafficFacts::told(&traffic_plan())),
        ..about()
    }
}

/// A fifth of the users was moved to green.
pub(crate) fn moved() -> Report {
    let mut overview = overview();
    overview.split = Some(Ok(BLUE_80));
    overview.rules.iter_mut().for_each(|(_, split)| *split = BLUE_80);
    Report {
        command: "redirect-traffic",
        service: None,
        split: Some(BLUE_80),
        task_definition: None,
        previous_task_definition: None,
        deployment: None,
        plan: None,
        traffic: Some(Box::new(traffic_plan())),
        overview: Some(overview),
        ..report()
    }
}

/// A change of traffic that failed, and what it left.
pub(crate) fn not_moved(failing: RunFailure, left: Left, because: EndStateReason) -> Report {
    Report {
        outcome: Outcome::of_failing(&failing),
        reason: Some(Reason::of_failing(&failing)),
        left,
        because: Some(because),
        failing: Some(failing),
        healthy: None,
        split: Some(BLUE),
        overview: Some(overview()),
        ..moved()
    }
}

/// Counts with this many requests and failures.
pub(crate) fn counts(requests: u64, failed: u64) -> Counts {
    Counts { requests, failed, refused: 0, client_errors: 0 }
}

/// A comparison over some minutes.
pub(crate) fn comparison(verdict: Verdict) -> Comparison {
    let latency = |ms| {
        let p95 = Duration::from_millis(ms);
        Some(Latency { p50: p95 / 4, p95, p99: p95 * 2 })
    };
    Comparison {
        tested: Color::Green,
        configured: Some(BLUE_80),
        minutes: 4,
        left_out: 0,
        recent: ColorPair { blue: 1_000, green: 1_000 },
        counts: ColorPair { blue: counts(16_000, 16), green: counts(4_000, 4) },
        latency: ColorPair { blue: latency(120), green: latency(131) },
        verdict,
    }
}

/// The overview with scalable targets, both colors live, one too small and one that may scale in.
pub(crate) fn drifted() -> Overview {
    let mut seen = overview();
    let scaling = |min, max, in_suspended| Some(Scalable { min, max, in_suspended, ..Scalable::default() });
    for view in &mut seen.colors {
        view.scaling = match view.color {
            ServiceColor::Blue => scaling(2, 10, true),
            ServiceColor::Green => scaling(1, 2, false),
            ServiceColor::Develop => None,
        };
    }
    let moves = |color, valid, promoted| {
        [(Move::Redirect, valid), (Move::Rollback, valid), (Move::Promote, promoted)]
            .map(|(command, valid)| Movable { command, color, valid })
    };
    seen.movable.extend(moves(Color::Blue, Err(WhyNot::AllThere), Ok(())));
    seen.movable.extend(moves(Color::Green, Err(WhyNot::NoneHealthy), Err(WhyNot::NoneHealthy)));
    seen.drift = vec![
        Drift::Bounds { color: Color::Green, share: 50, most: 2, largest: 10, needed: 5 },
        Drift::ScaleIn { color: Color::Green, service: "web-green".to_owned() },
    ];
    seen
}
