//! The findings of `doctor`: one sentence each, and a fix to paste.

use std::time::Duration;

use crate::plan::aws_error::{ASSUME_ROLE, AwsError, AwsErrorKind};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::doctor::{Finding, Mistake, Severity};
use crate::plan::sample::{snapshot, trouble};
use crate::plan::step::{Refusal, SetupPart};
use crate::plan::wiring::RoutingError;
use crate::report::words::{findings_failure, findings_headline, render_mistake};

/// One of each mistake.
fn mistakes() -> Vec<Mistake> {
    let (service, rule) = ("web-blue".to_owned(), "HTTP:80 default".to_owned());
    let arn = |kind: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{kind}/web/1");
    let minute = Duration::from_secs(60);
    let setup = |part| {
        let refusal = Refusal::Setup { service: "web-blue".to_owned(), part, found: "2".to_owned() };
        Mistake::Refused { id: "setup", refusal }
    };
    let routing = |error| Mistake::Refused { id: "rules", refusal: Refusal::RoutingError(error) };
    let denied = AwsError { action: ASSUME_ROLE, ..trouble(AwsErrorKind::Denied) };
    let split = |blue| (rule.clone(), Split { blue, green: 100 - blue });
    vec![
        setup(SetupPart::Controller),
        setup(SetupPart::Strategy),
        setup(SetupPart::Scheduling),
        setup(SetupPart::TargetGroups),
        setup(SetupPart::ClassicBalancer),
        routing(RoutingError::ThirdGroup { rule: rule.clone(), group: arn("targetgroup") }),
        routing(RoutingError::NoProductionRule(vec!["HTTP:80".to_owned()])),
        routing(RoutingError::Disagree(vec![split(100), split(80)])),
        Mistake::Refused {
            id: "no-room",
            refusal: Refusal::NoRoom { service: service.clone(), desired: 2, minimum: 100, maximum: 100 },
        },
        Mistake::Refused { id: "alarm-missing", refusal: Refusal::NoAlarm(vec!["web-5xx".to_owned()]) },
        Mistake::TestListener {
            color: ServiceColor::Green,
            group: arn("targetgroup"),
            balancer: arn("loadbalancer/app"),
            port: 8080,
        },
        Mistake::TestHost { color: ServiceColor::Green, listener: "HTTPS:8443".to_owned() },
        Mistake::LoneRule { rule: rule.clone(), lacks: Color::Green, group: arn("targetgroup") },
        Mistake::UserRule { color: Color::Green, rule: rule.clone() },
        Mistake::Stickiness { rule: rule.clone(), lasts: minute },
        Mistake::CircuitBreaker { service: service.clone() },
        Mistake::DeregistrationDelay { service: service.clone(), delay: minute, timeout: minute },
        Mistake::GracePeriod { service: service.clone(), grace: minute, timeout: minute },
        Mistake::ScalableTarget { service, bounds: (2, 10), place: snapshot().place },
        Mistake::IdToken { role: "arn:aws:iam::123456789012:role/deploy".to_owned() },
        Mistake::Role { id: "trust-subject", error: denied },
        Mistake::Grant {
            action: "ecs:RegisterTaskDefinition",
            resource: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-blue:7".to_owned(),
            role: "arn:aws:iam::123456789012:role/deploy".to_owned(),
        },
        Mistake::Unread(trouble(AwsErrorKind::Denied)),
    ]
}

#[test]
fn every_mistake_is_told_in_one_line_and_its_fix_can_be_pasted() {
    for mistake in mistakes() {
        let text = render_mistake(&mistake);
        assert!(text.what.ends_with('.') && !text.what.contains('\n'), "{text:?}");
        assert!(text.fix.lines().any(|line| line.starts_with("  ")), "{text:?}");
        assert!(!text.thing.is_empty() && !text.thing.contains('`'), "{text:?}");
    }
}

#[test]
fn a_lacking_permission_is_asked_for_as_the_next_run_needs_it() {
    let grants = mistakes().into_iter().filter(|mistake| matches!(mistake, Mistake::Grant { .. }));
    let fix: Vec<String> = grants.map(|grant| render_mistake(&grant).fix).collect();
    assert_eq!(
        fix,
        [
            "Add this statement to the role's policy:\n  { \"Effect\": \"Allow\", \"Action\": \"ecs:RegisterTaskDefinition\", \"Resource\": \"arn:aws:ecs:eu-west-1:123456789012:task-definition/web-blue:*\" }"
        ]
    );
}

#[test]
fn the_headline_counts_what_stops_a_command_first() {
    let all = |severities: &[Severity]| -> Vec<Finding> {
        let mistake = || Mistake::CircuitBreaker { service: "web-blue".to_owned() };
        severities.iter().map(|severity| Finding { severity: *severity, mistake: mistake() }).collect()
    };
    let (stops, warns) = (Severity::Stops, Severity::Warns);
    for (severities, headline, fails) in [
        (&[] as &[Severity], "Nothing was found: each command can start.", false),
        (&[warns], "1 mistake found, none of which stops a command.", false),
        (&[stops, stops], "2 mistakes found that would stop a command.", true),
        (&[stops, warns], "1 mistake found that would stop a command, and 1 mistake besides.", true),
    ] {
        assert_eq!(findings_headline(&all(severities)), headline);
        assert_eq!(findings_failure(&all(severities)).is_some(), fails);
    }
}
