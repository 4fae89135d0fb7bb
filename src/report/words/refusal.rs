//! Reasons against starting a run.

use super::{going_live, promote, render_aws_error, render_routing_error, traffic};
use crate::failure::{Failure, Reason};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::snapshot::Place;
use crate::plan::step::{Refusal, SetupPart};
use crate::report::about::About;
use crate::report::names::{count_noun, format_shares, in_backticks, one_line, short_arn};

/// A refusal as a failure.
pub(crate) fn render_refusal(refusal: &Refusal, about: &About) -> Failure {
    let (what, hint) = match refusal {
        Refusal::NoCluster(place) => no_cluster(place),
        Refusal::Missing { services, place } => missing_services(services, place),
        Refusal::NotActive { service, status } => (
            format!("The service {} is {status}; it has to be ACTIVE.", in_backticks(service)),
            "A service that is being deleted does not come back: create it anew, or name another.".to_owned(),
        ),
        Refusal::Setup { service, part, found } => unsupported_setup(service, *part, found),
        Refusal::RoutingError(tangled) => render_routing_error(tangled),
        Refusal::NoDevelop => (
            "`color: develop` was asked for, and there is no develop service.".to_owned(),
            "Name it with the input `develop-service`, or deploy to `blue`, `green` or `idle`.".to_owned(),
        ),
        Refusal::LiveColor { color, split, rules } => live_color(*color, *split, rules),
        Refusal::UserRules { color, rules, split } => user_rules(*color, rules, *split),
        Refusal::NoIdleColor(split) => no_idle(*split),
        Refusal::InFlight { service, id, task_definition } => (
            format!("Another deployment of {} is in progress: {} brings {}.", in_backticks(service), in_backticks(id), in_backticks(short_arn(task_definition))),
            format!("Wait until it has ended, then run again:\n{}{}", about.ecs("wait services-stable", &format!("--services {service}")), traffic::in_flight(about)),
        ),
        Refusal::NoRoom { service, desired, minimum, maximum } => (
            format!("A deployment of {} would never move: with {}, a minimum healthy percent of {minimum} and a maximum percent of {maximum}, ECS may neither stop an old task nor start a new one.", in_backticks(service), count_noun(*desired, "task")),
            "Raise the maximum percent where the service is defined, in Terraform:\n  deployment_maximum_percent = 200".to_owned(),
        ),
        Refusal::NoTestAddress { color, path, host } => (
            format!("Probes were asked for, and no listener rule sends a request for {}{} to {color} alone.", in_backticks(path), by_host(host.as_deref())),
            format!("Add a test listener for {color}, or remove `probes`:\n  aws elbv2 create-listener --load-balancer-arn ALB_ARN --protocol HTTP --port 8080 --default-actions Type=forward,TargetGroupArn=TARGET_GROUP_ARN"),
        ),
        Refusal::NoHost { color, listener } => (
            format!("Probes were asked for, and no host is known for the listener {} that leads to {color} alone: no certificate is for the load balancer's own name.", in_backticks(listener)),
            format!("Name a host of the listener's certificate in the config file, or in a host condition of the rule:\n  apps:\n    NAME:\n      hosts:\n        {color}: HOST"),
        ),
        Refusal::NotChecked(color) => (
            format!("No listener rule uses the target group of {color}, so the load balancer does not check its health and a good version can't be told from a bad one."),
            format!("Add {color}'s target group to the production rule with weight 0, or add a test listener for it."),
        ),
        Refusal::NameTaken { service, name, found, wanted } => (
            format!("{} is {}; to scale {} by the config, {wanted} of this name is needed, and AWS can't make one of the other.", in_backticks(name), one_line(found), in_backticks(service)),
            "Delete it or rename it, or remove `scaling` from the config: then no policy or alarm is written.".to_owned(),
        ),
        Refusal::NoVariable(names) => promote::no_variable(names),
        Refusal::Images { color, problems } => promote::no_images(*color, problems),
        Refusal::NoDigest { color, images } => promote::no_digest(*color, images, about),
        Refusal::Unread(unread) => return render_aws_error(unread),
        Refusal::TakesBack(going_live) => going_live::takes_back_refusal(going_live),
        Refusal::Worse(_)
        | Refusal::NotEnough { .. }
        | Refusal::NotAdopted { .. }
        | Refusal::OtherTaskDefinition { .. }
        | Refusal::NoAlarm(_)
        | Refusal::AlarmFiring(_)
        | Refusal::AlarmAt { .. }
        | Refusal::FailedThere { .. }
        | Refusal::StepBeyond { .. }
        | Refusal::IdleAbove { .. }
        | Refusal::WhichColor(_) => traffic::render_traffic_refusal(refusal, about).unwrap_or_default(),
    };
    Failure::new(Reason::of_refusal(refusal), what, hint)
}

/// The host of a request, if the config file names one.
fn by_host(host: Option<&str>) -> String {
    host.map(|host| format!(" by the host {}", in_backticks(host))).unwrap_or_default()
}

/// A missing cluster, and the place that was searched.
fn no_cluster(place: &Place) -> (String, String) {
    let what = format!(
        "The cluster {} does not exist in {}, account {}.",
        in_backticks(&place.cluster),
        one_line(&place.region),
        one_line(&place.account)
    );
    let hint = format!(
        "Check the name, the region and the account. These clusters are there:\n  aws ecs list-clusters --region {}",
        place.region
    );
    (what, hint)
}

/// Missing services, and the place that was searched.
fn missing_services(services: &[(ServiceColor, String)], place: &Place) -> (String, String) {
    let names: Vec<String> =
        services.iter().map(|(color, name)| format!("{} ({color})", in_backticks(name))).collect();
    let what = format!(
        "The cluster {} in {}, account {}, has no service {}.",
        in_backticks(&place.cluster),
        one_line(&place.region),
        one_line(&place.account),
        names.join(" and no service ")
    );
    let hint = format!(
        "Check the names, the region and the account. These services are there:\n  aws ecs list-services --region {} --cluster {}",
        place.region, place.cluster
    );
    (what, hint)
}

/// An unsupported part of a service's setup.
fn unsupported_setup(service: &str, part: SetupPart, found: &str) -> (String, String) {
    let (service, found) = (in_backticks(service), one_line(found));
    match part {
        SetupPart::Controller => (
            format!(
                "The service {service} has the deployment controller `{found}`; this action handles `ECS`."
            ),
            "Use a service whose deployment controller is `ECS`.".to_owned(),
        ),
        SetupPart::Strategy => (
            format!(
                "The service {service} has the deployment strategy `{found}`; this action handles `ROLLING`, and moves the users itself."
            ),
            "Set the strategy to `ROLLING` where the service is defined.".to_owned(),
        ),
        SetupPart::Scheduling => (
            format!(
                "The service {service} has the scheduling strategy `{found}`; this action handles `REPLICA`."
            ),
            "Use a service with the scheduling strategy `REPLICA`; it can't be changed in an existing one."
                .to_owned(),
        ),
        SetupPart::TargetGroups => (
            format!(
                "The service {service} has {found} load balancer entries; this action handles exactly one target group."
            ),
            "Leave the one entry of `loadBalancers` that users come through.".to_owned(),
        ),
        SetupPart::ClassicBalancer => (
            format!(
                "The service {service} is behind a Classic Load Balancer; this action handles an Application Load Balancer."
            ),
            "Give the service a target group of an Application Load Balancer.".to_owned(),
        ),
    }
}

/// The color serves users.
fn live_color(color: Color, split: Split, rules: &[String]) -> (String, String) {
    let what = match rules {
        [] => {
            format!(
                "{color} serves users now ({}); a deploy goes to a color without users.",
                format_shares(split)
            )
        }
        _ => format!("{} A deploy goes to a color without users.", serves_users(color, split, rules)),
    };
    let hint = match rules {
        [] => {
            "Deploy to the color without users:\n  color: idle\nor move all users to the other color first."
                .to_owned()
        }
        _ => format!(
            "Delete {} first, or let it forward to both colors; a test rule needs a condition on a header, the query or the source, or a listener of its own.",
            one_or_all(rules)
        ),
    };
    (
        what,
        format!(
            "{hint} To replace the tasks under your users all the same, as a rolling update:\n  allow-live: true"
        ),
    )
}

/// Rules outside the split keep a promote from changing a color.
fn user_rules(color: Color, rules: &[String], split: Split) -> (String, String) {
    let what = format!(
        "{} A promote moves all users by the split, and then changes the color that they left.",
        serves_users(color, split, rules)
    );
    let which = one_or_all(rules);
    let hint = format!(
        "Delete {which}, or let this run bring both target groups into the rules of their listener:\n  adopt: true\n  listener: PROTOCOL:PORT"
    );
    (what, hint)
}

/// `that rule`, or `those rules`.
fn one_or_all(rules: &[String]) -> &'static str {
    if rules.len() == 1 { "that rule" } else { "those rules" }
}

/// A color that serves users, with the share or the rules of a production listener.
pub(crate) fn serves_users(color: Color, split: Split, rules: &[String]) -> String {
    if rules.is_empty() {
        return format!("{color} serves users now ({}).", format_shares(split));
    }
    let names: Vec<String> = rules.iter().map(|rule| in_backticks(rule)).collect();
    let (noun, verb) = if rules.len() == 1 { ("rule", "sends") } else { ("rules", "send") };
    format!(
        "{color} serves users now: the {noun} {} of a production listener {verb} users to it, outside the split ({}).",
        names.join(", "),
        format_shares(split)
    )
}

/// Both colors serve users.
fn no_idle(split: Split) -> (String, String) {
    let what = format!(
        "Both colors serve users now ({}), so there is no idle color to deploy to.",
        format_shares(split)
    );
    let (blue, green) = split.percent();
    let smaller = if blue <= green { Color::Blue } else { Color::Green };
    let hint = format!(
        "Move all users to one color first, then run again. To replace the tasks under {smaller}'s users all the same, as a rolling update:\n  color: {smaller}\n  allow-live: true"
    );
    (what, hint)
}
