//! Every refusal.

use super::read;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::snapshot::Place;
use crate::plan::step::{Refusal, SetupPart};
use crate::plan::wiring::RoutingError;
use crate::report::fixtures::{ACCOUNT, about, place, revision, trouble};
use crate::report::words::render_refusal;

/// A refusal as it is read.
fn told(refused: &Refusal) -> String {
    read(&render_refusal(refused, &about()))
}

/// A refusal of the wiring.
fn tangled(tangle: RoutingError) -> String {
    told(&Refusal::RoutingError(tangle))
}

#[test]
fn services_that_are_not_there_are_named_with_place() {
    let services =
        vec![(ServiceColor::Blue, "web-blue".to_owned()), (ServiceColor::Green, "web-gren".to_owned())];
    insta::assert_snapshot!(told(&Refusal::Missing { services, place: place() }), @r"
    [service-missing] The cluster `shop` in eu-west-1, account 123456789012, has no service `web-blue` (blue) and no service `web-gren` (green).
    Check the names, the region and the account. These services are there:
      aws ecs list-services --region eu-west-1 --cluster shop
    ");
    let gone = Refusal::NotActive { service: "web-green".to_owned(), status: "DRAINING" };
    insta::assert_snapshot!(told(&gone), @r"
    [service-missing] The service `web-green` is DRAINING; it has to be ACTIVE.
    A service that is being deleted does not come back: create it anew, or name another.
    ");
    insta::assert_snapshot!(told(&Refusal::NoDevelop), @r"
    [service-missing] `color: develop` was asked for, and there is no develop service.
    Name it with the input `develop-service`, or deploy to `blue`, `green` or `idle`.
    ");
}

#[test]
fn a_missing_cluster_is_said_as_such() {
    let unread = trouble(AwsErrorKind::Missing, "ClusterNotFoundException", "Cluster not found.");
    let shp = Place { cluster: "shp".to_owned(), ..place() };
    insta::assert_snapshot!(told(&Refusal::of_look(unread, &shp)), @r"
    [cluster-missing] The cluster `shp` does not exist in eu-west-1, account 123456789012.
    Check the name, the region and the account. These clusters are there:
      aws ecs list-clusters --region eu-west-1
    ");
    let denied = trouble(AwsErrorKind::Denied, "AccessDeniedException", "");
    assert!(
        told(&Refusal::of_look(denied, &place()))
            .starts_with("[access-denied] AWS denied `ecs:UpdateService`")
    );
}

#[test]
fn each_unsupported_setup_says_what_was_found_and_expected() {
    let all = [
        (SetupPart::Controller, "CODE_DEPLOY"),
        (SetupPart::Strategy, "BLUE_GREEN"),
        (SetupPart::Scheduling, "DAEMON"),
        (SetupPart::TargetGroups, "2"),
        (SetupPart::ClassicBalancer, "loadBalancerName"),
    ];
    let refused = |(part, found): (SetupPart, &str)| {
        told(&Refusal::Setup { service: "web-green".to_owned(), part, found: found.to_owned() })
    };
    insta::assert_snapshot!(all.map(refused).join("\n"), @r"
    [unsupported] The service `web-green` has the deployment controller `CODE_DEPLOY`; this action handles `ECS`.
    Use a service whose deployment controller is `ECS`.

    [unsupported] The service `web-green` has the deployment strategy `BLUE_GREEN`; this action handles `ROLLING`, and moves the users itself.
    Set the strategy to `ROLLING` where the service is defined.

    [unsupported] The service `web-green` has the scheduling strategy `DAEMON`; this action handles `REPLICA`.
    Use a service with the scheduling strategy `REPLICA`; it can't be changed in an existing one.

    [unsupported] The service `web-green` has 2 load balancer entries; this action handles exactly one target group.
    Leave the one entry of `loadBalancers` that users come through.

    [unsupported] The service `web-green` is behind a Classic Load Balancer; this action handles an Application Load Balancer.
    Give the service a target group of an Application Load Balancer.
    ");
}

#[test]
fn each_tangle_says_what_to_untangle() {
    let group =
        |name: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/{name}/0123");
    let balancer =
        |name: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/{name}/0123");
    let rule = || "HTTPS:443 default".to_owned();
    let all = [
        RoutingError::TwoBalancers(vec![balancer("app/one"), balancer("app/two")]),
        RoutingError::Unattached(ServiceColor::Green),
        RoutingError::NotApplication(balancer("net/shop")),
        RoutingError::TargetType(ServiceColor::Green, "lambda".to_owned()),
        RoutingError::SameGroup("web".to_owned()),
        RoutingError::ThirdGroup { rule: rule(), group: group("web-old") },
        RoutingError::UnknownAction { rule: rule(), action: "new-thing".to_owned() },
        RoutingError::NoWeight(rule()),
    ];
    insta::assert_snapshot!(all.map(tangled).join("\n"), @r"
    [unsupported] The target groups of blue and green belong to different load balancers: `loadbalancer/app/one/0123`, `loadbalancer/app/two/0123`. One has to hold both.
    Attach both target groups to one Application Load Balancer.

    [unsupported] The target group of green is used by no load balancer, so nobody can be sent to it.
    Add green's target group to the production listener's forward action; weight 0 is enough. Write both weights out.

    [unsupported] The load balancer `loadbalancer/net/shop/0123` is not an Application Load Balancer; this action handles only that kind.
    Put the target groups behind an Application Load Balancer.

    [unsupported] The target group of green has the target type `lambda`; this action handles `ip` and `instance`.
    Give green a target group of type `ip` (awsvpc, Fargate) or `instance` (bridge or host network).

    [unsupported] Blue and green use the same target group, `web`: users can't be split between them.
    Give each service a target group of its own.

    [unsupported] The production rule `HTTPS:443 default` also forwards to a third target group, `targetgroup/web-old/0123`. It has to hold blue's and green's, and no other.
    Remove the third group from the rule, or give it a rule of its own.

    [unsupported] The production rule `HTTPS:443 default` has an action of the type `new-thing`, which this action does not know and could lose.
    Move that action to another rule, or use a newer version of this action.

    [unsupported] The weights of blue and green in the production rule `HTTPS:443 default` are both 0; one has to be above 0.
    Give the color that is to serve users a weight above 0 in that rule.
    ");
}

#[test]
fn no_production_rule_shows_the_listeners_and_the_input() {
    let found = || vec!["HTTP:80".to_owned(), "HTTPS:443".to_owned()];
    insta::assert_snapshot!(tangled(RoutingError::NoProductionRule(found())), @r"
    [no-production-rule] No listener rule forwards to both blue and green, and no `listener` was named. Listeners: `HTTP:80`, `HTTPS:443`.
    Name the listener that your users come through:
      listener: HTTPS:443
    ");
    insta::assert_snapshot!(tangled(RoutingError::NoSuchListener(found())), @r"
    [no-production-rule] The `listener` that was named does not exist, or forwards to neither blue nor green. Listeners: `HTTP:80`, `HTTPS:443`.
    Name the listener that your users come through:
      listener: HTTPS:443
    ");
    insta::assert_snapshot!(tangled(RoutingError::NoProductionRule(Vec::new())), @r"
    [no-production-rule] No listener rule forwards to both blue and green, and no `listener` was named. The load balancer has no listener that forwards.
    Add a listener whose forward action holds both target groups: the color that serves users with weight 100, the other with 0.
    ");
}

#[test]
fn invariant_05_rules_that_disagree_are_shown_with_their_splits() {
    let rules = |green| {
        vec![
            ("HTTPS:443 default".to_owned(), Split { blue: 100, green: 0 }),
            ("HTTPS:443 rule 10".to_owned(), Split { blue: 100 - green, green }),
        ]
    };
    insta::assert_snapshot!(tangled(RoutingError::Disagree(rules(20))), @r"
    [rules-disagree] The production rules hold different splits: `HTTPS:443 default` has 100 % blue, 0 % green; `HTTPS:443 rule 10` has 80 % blue, 20 % green. All of them have to hold the same.
    Settle it with what a rule holds already:
      command: rollback
      color: blue
    or
      command: redirect-traffic
      traffic: blue-80
    If users are failing already, all of them can be sent to one color with
      command: rollback
      color: blue
      force: true
    A rule that is not production should forward to one color alone.
    ");
}

#[test]
fn a_color_with_users_says_how_to_go_on() {
    let split = Split { blue: 80, green: 20 };
    insta::assert_snapshot!(told(&Refusal::LiveColor { color: Color::Blue, split, rules: Vec::new() }), @r"
    [live-color] blue serves users now (80 % blue, 20 % green); a deploy goes to a color without users.
    Deploy to the color without users:
      color: idle
    or move all users to the other color first. To replace the tasks under your users all the same, as a rolling update:
      allow-live: true
    ");
    insta::assert_snapshot!(told(&Refusal::NoIdleColor(split)), @r"
    [no-idle-color] Both colors serve users now (80 % blue, 20 % green), so there is no idle color to deploy to.
    Move all users to one color first, then run again. To replace the tasks under green's users all the same, as a rolling update:
      color: green
      allow-live: true
    ");
}

#[test]
fn what_keeps_a_deployment_from_moving_is_said() {
    let flying = Refusal::InFlight {
        service: "web-green".to_owned(),
        id: "ecs-svc/9".to_owned(),
        task_definition: revision(9),
    };
    let no_room = Refusal::NoRoom { service: "web-green".to_owned(), desired: 1, minimum: 100, maximum: 100 };
    let all = [
        flying,
        no_room,
        Refusal::NoTestAddress { color: ServiceColor::Green, path: "/healthz".to_owned(), host: None },
        Refusal::NoTestAddress {
            color: ServiceColor::Green,
            path: "/".to_owned(),
            host: Some("green.example.com".to_owned()),
        },
        Refusal::NoHost { color: ServiceColor::Green, listener: "HTTPS:8443".to_owned() },
        Refusal::NotChecked(ServiceColor::Green),
    ];
    insta::assert_snapshot!(all.map(|refused| told(&refused)).join("\n"), @r"
    [in-flight] Another deployment of `web-green` is in progress: `ecs-svc/9` brings `web:9`.
    Wait until it has ended, then run again:
      aws ecs wait services-stable --region eu-west-1 --cluster shop --services web-green

    [no-room] A deployment of `web-green` would never move: with 1 task, a minimum healthy percent of 100 and a maximum percent of 100, ECS may neither stop an old task nor start a new one.
    Raise the maximum percent where the service is defined, in Terraform:
      deployment_maximum_percent = 200

    [bad-input] Probes were asked for, and no listener rule sends a request for `/healthz` to green alone.
    Add a test listener for green, or remove `probes`:
      aws elbv2 create-listener --load-balancer-arn ALB_ARN --protocol HTTP --port 8080 --default-actions Type=forward,TargetGroupArn=TARGET_GROUP_ARN

    [bad-input] Probes were asked for, and no listener rule sends a request for `/` by the host `green.example.com` to green alone.
    Add a test listener for green, or remove `probes`:
      aws elbv2 create-listener --load-balancer-arn ALB_ARN --protocol HTTP --port 8080 --default-actions Type=forward,TargetGroupArn=TARGET_GROUP_ARN

    [bad-input] Probes were asked for, and no host is known for the listener `HTTPS:8443` that leads to green alone: no certificate is for the load balancer's own name.
    Name a host of the listener's certificate in the config file, or in a host condition of the rule:
      apps:
        NAME:
          hosts:
            green: HOST

    [unsupported] No listener rule uses the target group of green, so the load balancer does not check its health and a good version can't be told from a bad one.
    Add green's target group to the production rule with weight 0, or add a test listener for it.
    ");
}
