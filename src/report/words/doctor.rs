//! The findings of `doctor`: the thing, the finding with the expectation, and the fix to paste.

use std::time::Duration;

use super::refusal::render_refusal;
use super::render_aws_error;
use super::sign_in::no_id_token;
use super::statement::iam_statement;
use crate::failure::{Failure, Reason};
use crate::plan::aws_error::AwsError;
use crate::plan::color::{Color, ServiceColor};
use crate::plan::doctor::{Finding, Mistake, Severity, job_environment};
use crate::plan::snapshot::Place;
use crate::plan::step::{Refusal, SetupPart};
use crate::plan::wiring::RoutingError;
use crate::report::about::About;
use crate::report::names::{count_noun, format_duration, in_backticks, one_line, shell_quote, short_arn};
use crate::report::paste::{arn_argument, paste_block};

/// A finding in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FindingText {
    /// The thing, without backticks: `service web-blue`.
    pub(crate) thing: String,
    /// The finding and the expectation.
    pub(crate) what: String,
    /// The fix; lines that begin with two spaces are to be pasted.
    pub(crate) fix: String,
}

/// A finding in words.
pub(crate) fn render_mistake(mistake: &Mistake) -> FindingText {
    let (thing, (what, fix)) = match mistake {
        Mistake::Refused { refusal, .. } => (refused_thing(refusal), refused(refusal)),
        Mistake::IdToken { role } => ("permission id-token: write".to_owned(), no_id_token_text(role)),
        Mistake::Role { error, .. } => {
            (format!("role {}", one_line(short_arn(&error.resource))), refused_role(error))
        }
        Mistake::Unread(error) => (unread_thing(error), unread(error)),
        Mistake::Grant { action, resource, role } => {
            (format!("permission {action}"), lacking_grant(action, resource, role))
        }
        Mistake::TestListener { color, group, balancer, port } => {
            (format!("color {color}"), test_listener(*color, (balancer, group), *port))
        }
        Mistake::TestHost { color, listener } => {
            (format!("listener {}", one_line(listener)), test_host(*color, listener))
        }
        Mistake::LoneRule { rule, lacks, group } => {
            (format!("rule {}", one_line(rule)), lone_rule(rule, *lacks, group))
        }
        Mistake::UserRule { color, rule } => (format!("rule {}", one_line(rule)), user_rule(*color, rule)),
        Mistake::Stickiness { rule, lasts } => (format!("rule {}", one_line(rule)), stickiness(rule, *lasts)),
        Mistake::CircuitBreaker { service } => (service_thing(service), circuit_breaker(service)),
        Mistake::GracePeriod { service, grace, timeout } => {
            (service_thing(service), grace_period(service, *grace, *timeout))
        }
        Mistake::DeregistrationDelay { service, delay, timeout } => {
            (service_thing(service), deregistration_delay(service, *delay, *timeout))
        }
        Mistake::ScalableTarget { service, bounds, place } => {
            (service_thing(service), scalable_target(service, *bounds, place))
        }
    };
    FindingText { thing, what, fix }
}

/// A service as a thing.
fn service_thing(service: &str) -> String {
    format!("service {}", one_line(service))
}

/// The thing of a refusal.
fn refused_thing(refusal: &Refusal) -> String {
    if let Refusal::NotActive { service, .. }
    | Refusal::Setup { service, .. }
    | Refusal::NoRoom { service, .. } = refusal
    {
        return service_thing(service);
    }
    if let Refusal::RoutingError(RoutingError::ThirdGroup { rule, .. }) = refusal {
        return format!("rule {}", one_line(rule));
    }
    if let Refusal::Missing { place, .. } | Refusal::NoCluster(place) = refusal {
        return format!("cluster {}", one_line(&place.cluster));
    }
    if let Refusal::NoAlarm(names) = refusal {
        return format!("alarm {}", one_line(&names.join(", ")));
    }
    "listener rules".to_owned()
}

/// A setup that a command refuses, in the same words; with a fix to paste.
fn refused(refusal: &Refusal) -> (String, String) {
    let Failure { what, hint, .. } = render_refusal(refusal, &About::default());
    let fix = if let Refusal::Setup { part, .. } = refusal {
        setup_fix(*part).to_owned()
    } else if let Refusal::RoutingError(RoutingError::ThirdGroup { group, .. }) = refusal {
        format!(
            "Remove this group from the rule's forward action, in Terraform:\n  target_group {{\n    arn = \"{}\"\n  }}",
            one_line(group)
        )
    } else {
        hint
    };
    (what, fix)
}

/// A job without the permission for an id token.
fn no_id_token_text(role: &str) -> (String, String) {
    let Failure { what, hint, .. } = no_id_token(role);
    (what, hint)
}

/// A role that the job may not assume. The message holds the job's environment, which the subject holds, too.
fn refused_role(error: &AwsError) -> (String, String) {
    let (what, fix) = unread(error);
    match job_environment(&error.message) {
        Some(environment) => (
            format!(
                "{what} This job has the environment {}, and the trust policy of the role has to name the job's subject.",
                in_backticks(environment)
            ),
            format!(
                "{fix}\nOr give the job the environment that the trust policy names:\n  environment: NAME"
            ),
        ),
        None => (what, fix),
    }
}

/// The line for a service whose setup no command handles.
fn setup_fix(part: SetupPart) -> &'static str {
    match part {
        SetupPart::Controller => {
            "AWS can't change the controller of an existing service. Create the service again with, in Terraform:\n  deployment_controller {\n    type = \"ECS\"\n  }"
        }
        SetupPart::Strategy => {
            "Set the strategy where the service is defined, in Terraform:\n  deployment_configuration {\n    strategy = \"ROLLING\"\n  }"
        }
        SetupPart::Scheduling => {
            "AWS can't change the scheduling strategy of an existing service. Create the service again with, in Terraform:\n  scheduling_strategy = \"REPLICA\""
        }
        SetupPart::TargetGroups | SetupPart::ClassicBalancer => {
            "Give the service one target group of an Application Load Balancer, in Terraform:\n  load_balancer {\n    target_group_arn = TARGET_GROUP_ARN\n    container_name   = CONTAINER\n    container_port   = PORT\n  }"
        }
    }
}

/// The thing of a failed read.
fn unread_thing(error: &AwsError) -> String {
    format!("permission {}", error.action)
}

/// A failed read.
fn unread(error: &AwsError) -> (String, String) {
    let Failure { what, hint, .. } = render_aws_error(error);
    (what, hint)
}

/// A role without a permission.
fn lacking_grant(action: &str, resource: &str, role: &str) -> (String, String) {
    let what = format!(
        "The role {} may not do {} on {}; its other permissions are those of a role that needs this one.",
        in_backticks(role),
        in_backticks(action),
        in_backticks(resource)
    );
    (what, format!("Add this statement to the role's policy:\n{}", iam_statement(action, resource)))
}

/// A role whose policies IAM did not simulate.
pub(crate) fn not_simulated(error: &AwsError) -> String {
    let Failure { what, hint, .. } = render_aws_error(error);
    format!("Not checked, the permissions of the role to write: {what}\n{hint}")
}

/// A color without a test listener.
fn test_listener(color: ServiceColor, (balancer, group): (&str, &str), port: u16) -> (String, String) {
    let what = format!(
        "No listener rule leads to {color} alone; a test listener shows {color}'s version, and answers its probes, before users get it."
    );
    let command = format!(
        "  aws elbv2 create-listener --load-balancer-arn {} --protocol HTTP --port {port} --default-actions Type=forward,TargetGroupArn={}",
        arn_argument(balancer),
        arn_argument(group)
    );
    (what, format!("Add a test listener:\n{}", paste_block(&[command], None)))
}

/// A test listener that no probe can reach.
fn test_host(color: ServiceColor, listener: &str) -> (String, String) {
    let what = format!(
        "The test listener {} of {color} is HTTPS and no host is known for it; a probe needs a host of the listener's certificate, which is never for the load balancer's own name.",
        in_backticks(listener)
    );
    (
        what,
        format!("Name the host in the config file:\n  apps:\n    NAME:\n      hosts:\n        {color}: HOST"),
    )
}

/// A production rule without one of the groups.
fn lone_rule(rule: &str, lacks: Color, group: &str) -> (String, String) {
    let what = format!(
        "The production rule {} lacks the target group of {lacks}; it has to hold both groups, the idle one with weight 0.",
        in_backticks(rule)
    );
    let fix = format!(
        "Add the group to the rule's forward action, in Terraform:\n  target_group {{\n    arn    = \"{}\"\n    weight = 0\n  }}\nOr let a change of traffic add the group:\n  adopt: true",
        one_line(group)
    );
    (what, fix)
}

/// A rule of one color on a production listener.
fn user_rule(color: Color, rule: &str) -> (String, String) {
    let what = format!(
        "The rule {} of a production listener sends users to {color} alone; a production rule has to hold both target groups, and a promote is refused while this one holds one.",
        in_backticks(rule)
    );
    let fix = "Delete the rule, or let a change of traffic add the other group:\n  adopt: true\n  listener: PROTOCOL:PORT";
    (what, fix.to_owned())
}

/// Stickiness of a production rule.
fn stickiness(rule: &str, lasts: Duration) -> (String, String) {
    let what = format!(
        "The production rule {} has stickiness of {}; without stickiness, users leave a color as soon as its weight is 0.",
        in_backticks(rule),
        format_duration(lasts)
    );
    let fix = "Turn it off in the rule's forward action, in Terraform:\n  stickiness {\n    enabled  = false\n    duration = 1\n  }";
    (what, fix.to_owned())
}

/// A service without a circuit breaker.
fn circuit_breaker(service: &str) -> (String, String) {
    let what = format!(
        "The service {} has no deployment circuit breaker; with one, ECS itself ends a deployment whose tasks fail.",
        in_backticks(service)
    );
    let fix = "Turn it on where the service is defined, in Terraform:\n  deployment_circuit_breaker {\n    enable   = true\n    rollback = false\n  }";
    (what, fix.to_owned())
}

/// A grace period that is not shorter than the time-out.
fn grace_period(service: &str, grace: Duration, timeout: Duration) -> (String, String) {
    let what = format!(
        "The health-check grace period of {} is {}; it has to be shorter than `timeout` ({}), or a version that never gets healthy is found only by the time-out.",
        in_backticks(service),
        format_duration(grace),
        format_duration(timeout)
    );
    let fix =
        "Shorten it where the service is defined, in Terraform:\n  health_check_grace_period_seconds = 60";
    (what, fix.to_owned())
}

/// Old tasks that drain for long.
fn deregistration_delay(service: &str, delay: Duration, timeout: Duration) -> (String, String) {
    let effect = if delay >= timeout {
        format!("has to be shorter than `timeout` ({}), or each deploy times out", format_duration(timeout))
    } else {
        "is expected to be as long as the longest request, and each deploy waits that long for its old tasks"
            .to_owned()
    };
    let what = format!(
        "The deregistration delay of the target group of {} is {}; it {effect}.",
        in_backticks(service),
        format_duration(delay)
    );
    let fix = "Shorten it where the target group is defined, in Terraform:\n  deregistration_delay = 30";
    (what, fix.to_owned())
}

/// A service without a scalable target, although the config has `scaling`.
fn scalable_target(service: &str, (min, max): (u32, u32), place: &Place) -> (String, String) {
    let what = format!(
        "The config has `scaling`, and the service {} has no scalable target; it scales only once a run has registered one.",
        in_backticks(service)
    );
    let resource = shell_quote(&format!("service/{}/{service}", place.cluster));
    let fix = format!(
        "Register it:\n  aws application-autoscaling register-scalable-target --region {} --service-namespace ecs --scalable-dimension ecs:service:DesiredCount --resource-id {resource} --min-capacity {min} --max-capacity {max}",
        shell_quote(&place.region)
    );
    (what, fix)
}

/// The number of findings, by severity.
pub(crate) fn findings_headline(findings: &[Finding]) -> String {
    let number = |severity| {
        let all = findings.iter().filter(|finding| finding.severity == severity).count();
        u32::try_from(all).unwrap_or(u32::MAX)
    };
    match (number(Severity::Stops), number(Severity::Warns)) {
        (0, 0) => "Nothing was found: each command can start.".to_owned(),
        (0, warns) => format!("{} found, none of which stops a command.", things(warns)),
        (stops, 0) => format!("{} found that would stop a command.", things(stops)),
        (stops, warns) => {
            format!("{} found that would stop a command, and {} besides.", things(stops), things(warns))
        }
    }
}

/// `1 mistake`, `2 mistakes`.
fn things(number: u32) -> String {
    count_noun(number, "mistake")
}

/// The failure of a run with findings that stop a command; none without such findings.
pub(crate) fn findings_failure(findings: &[Finding]) -> Option<Failure> {
    let stops = findings.iter().any(|finding| finding.severity == Severity::Stops);
    stops.then(|| {
        Failure::new(
            Reason::Findings,
            findings_headline(findings),
            "Each finding has its fix in the log and in the summary of the run. Fix those that stop a command, then run `doctor` again.",
        )
    })
}
