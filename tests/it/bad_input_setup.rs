//! Stacks that a deploy refuses: AWS has to be asked, nothing is written, and the words name what stands in the way.

use crate::common::look::{ecs, frozen, stack_with, steady};
use crate::common::refused::{answer, refused};
use crate::common::{Action, stack};
use serde_json::{Value, json};
use testbed::ecs::ServiceStatus;
use testbed::sample::{Sample, Stack, free_port};
use testbed::{Behavior, Service, Testbed};

/// Carries out an operation of Elastic Load Balancing, to set the stage.
fn elb(bed: &Testbed, operation: &str, input: Value) -> Value {
    bed.call(Service::Elb, operation, input).expect("AWS takes it")
}

/// A forward action with weights.
fn forward(groups: &[(&str, u32)]) -> Value {
    let tuple = |(arn, weight): &(&str, u32)| json!({ "TargetGroupArn": arn, "Weight": weight.to_string() });
    let tuples: Vec<Value> = groups.iter().map(tuple).collect();
    json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": tuples } }])
}

/// Gives the production listener other groups or weights. The run itself is not to be blamed for it.
fn production(bed: &Testbed, sample: &Sample, groups: &[(&str, u32)]) {
    bed.world(|world| world.checker.expect_no_weight_change(false));
    let listener = &sample.production_listener;
    elb(bed, "ModifyListener", json!({ "ListenerArn": listener, "DefaultActions": forward(groups) }));
    frozen(bed);
}

/// Changes a setting of green's service that AWS fixes when a service is created.
fn green_is(bed: &Testbed, key: &str, value: Value) {
    bed.world(|world| {
        let mut services = world.ecs.services.iter_mut();
        let green = services.find(|service| service.name == "web-green").expect("green is there");
        green.settings.insert(key.to_owned(), value);
    });
}

/// Gives green's service other target groups and waits until it is steady.
fn green_behind(bed: &Testbed, groups: &[&str]) {
    let entry = |arn: &&str| json!({ "targetGroupArn": arn, "containerName": "app", "containerPort": 8080 });
    let entries: Vec<Value> = groups.iter().map(entry).collect();
    ecs(bed, "UpdateService", json!({ "service": "web-green", "loadBalancers": entries }));
    steady(bed, "web-green");
    frozen(bed);
}

/// The production rule's name and listener: `HTTP:40123`.
fn listener(sample: &Sample) -> String {
    format!("HTTP:{}", sample.production_port)
}

/// The sample's listeners as the words list them.
fn listeners(ports: &[u16]) -> String {
    let mut names: Vec<String> = ports.iter().map(|port| format!("`HTTP:{port}`")).collect();
    names.sort();
    names.join(", ")
}

/// A deploy to the sample stack.
fn deploy(bed: &Testbed) -> Action {
    Action::new(bed, "deploy")
}

#[test]
fn a_missing_cluster_is_named_with_region_and_account() {
    let (bed, _) = stack();
    let done = refused(&bed, deploy(&bed).input("cluster", "shp"), "cluster-missing");
    assert_eq!(
        answer(&done),
        "The cluster `shp` does not exist in eu-west-1, account 123456789012.\n\
         Check the name, the region and the account. These clusters are there:\n  \
         aws ecs list-clusters --region eu-west-1"
    );
}

#[test]
fn missing_services_are_all_named_with_region_and_account() {
    let (bed, _) = stack();
    let action = deploy(&bed).input("blue-service", "web-blu").input("develop-service", "web-devel");
    let done = refused(&bed, action, "service-missing");
    assert_eq!(
        answer(&done),
        "The cluster `shop` in eu-west-1, account 123456789012, has no service `web-blu` (blue) and no service `web-devel` (develop).\n\
         Check the names, the region and the account. These services are there:\n  \
         aws ecs list-services --region eu-west-1 --cluster shop"
    );
}

#[test]
fn a_service_that_is_draining_or_inactive_is_named() {
    let (bed, sample) = stack();
    let slow = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "3600" }]);
    elb(
        &bed,
        "ModifyTargetGroupAttributes",
        json!({ "TargetGroupArn": sample.green_group, "Attributes": slow }),
    );
    ecs(&bed, "DeleteService", json!({ "service": "web-green", "force": true }));
    bed.clear_calls();
    let done = refused(&bed, deploy(&bed), "service-missing");
    let hint = "A service that is being deleted does not come back: create it anew, or name another.";
    assert_eq!(answer(&done), format!("The service `web-green` is DRAINING; it has to be ACTIVE.\n{hint}"));

    bed.world(|world| {
        let mut services = world.ecs.services.iter_mut();
        let green = services.find(|service| service.name == "web-green").expect("green is there");
        green.status = ServiceStatus::Inactive;
    });
    let done = refused(&bed, deploy(&bed), "service-missing");
    assert_eq!(answer(&done), format!("The service `web-green` is INACTIVE; it has to be ACTIVE.\n{hint}"));
}

#[test]
fn another_deployment_controller_is_refused() {
    let (bed, _) = stack();
    for found in ["CODE_DEPLOY", "EXTERNAL"] {
        green_is(&bed, "deploymentController", json!({ "type": found }));
        let done = refused(&bed, deploy(&bed), "unsupported");
        let told = format!(
            "The service `web-green` has the deployment controller `{found}`; this action handles `ECS`.\n\
             Use a service whose deployment controller is `ECS`."
        );
        assert_eq!(answer(&done), told);
    }
}

#[test]
fn another_deployment_strategy_is_refused() {
    let (bed, _) = stack();
    for found in ["BLUE_GREEN", "LINEAR", "CANARY"] {
        green_is(&bed, "deploymentConfiguration", json!({ "strategy": found }));
        let done = refused(&bed, deploy(&bed), "unsupported");
        let told = format!(
            "The service `web-green` has the deployment strategy `{found}`; this action handles `ROLLING`, and moves the users itself.\n\
             Set the strategy to `ROLLING` where the service is defined."
        );
        assert_eq!(answer(&done), told);
    }
}

#[test]
fn a_daemon_is_refused() {
    let (bed, _) = stack();
    // A daemon has no desired count; the test makes it one.
    bed.world(|world| world.checker.expect_empty(true));
    green_is(&bed, "schedulingStrategy", json!("DAEMON"));
    let done = refused(&bed, deploy(&bed), "unsupported");
    assert_eq!(
        answer(&done),
        "The service `web-green` has the scheduling strategy `DAEMON`; this action handles `REPLICA`.\n\
         Use a service with the scheduling strategy `REPLICA`; it can't be changed in an existing one."
    );
}

#[test]
fn several_target_groups_on_a_service_are_refused() {
    let (bed, sample) = stack();
    green_behind(&bed, &[&sample.green_group, &sample.dev_group]);
    let done = refused(&bed, deploy(&bed), "unsupported");
    assert_eq!(
        answer(&done),
        "The service `web-green` has 2 load balancer entries; this action handles exactly one target group.\n\
         Leave the one entry of `loadBalancers` that users come through."
    );
}

#[test]
fn both_colors_on_one_target_group_are_refused() {
    let (bed, sample) = stack();
    green_behind(&bed, &[&sample.blue_group]);
    let done = refused(&bed, deploy(&bed), "unsupported");
    assert_eq!(
        answer(&done),
        "Blue and green use the same target group, `web-blue`: users can't be split between them.\n\
         Give each service a target group of its own."
    );
}

#[test]
fn a_lambda_target_group_is_refused() {
    let (bed, sample) = stack();
    let made = elb(&bed, "CreateTargetGroup", json!({ "Name": "web-lambda", "TargetType": "lambda" }));
    let group = made["TargetGroups"][0]["TargetGroupArn"].as_str().expect("an ARN").to_owned();
    let rule = json!({
        "ListenerArn": sample.production_listener, "Priority": "9", "Actions": forward(&[(&group, 1)]),
        "Conditions": [{ "Field": "path-pattern", "Values": ["/lambda/*"] }],
    });
    elb(&bed, "CreateRule", rule);
    let entry = json!([{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }]);
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "loadBalancers": entry }));
    frozen(&bed);
    let done = refused(&bed, deploy(&bed), "unsupported");
    assert_eq!(
        answer(&done),
        "The target group of green has the target type `lambda`; this action handles `ip` and `instance`.\n\
         Give green a target group of type `ip` (awsvpc, Fargate) or `instance` (bridge or host network)."
    );
}

/// A second load balancer of a type, with a listener for each of these groups; gives the groups' ARNs.
fn behind_another(bed: &Testbed, flavor: &str, groups: &[&str]) -> Vec<String> {
    let subnets = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];
    let made = elb(bed, "CreateLoadBalancer", json!({ "Name": "other", "Type": flavor, "Subnets": subnets }));
    let balancer = made["LoadBalancers"][0]["LoadBalancerArn"].clone();
    let protocol = if flavor == "network" { "TCP" } else { "HTTP" };
    let group = |name: &&str| {
        let input = json!({
            "Name": name, "Protocol": protocol, "Port": "8080", "VpcId": "vpc-0a1b2c3d4e5f67890",
            "TargetType": "ip",
        });
        let made = elb(bed, "CreateTargetGroup", input);
        let arn = made["TargetGroups"][0]["TargetGroupArn"].as_str().expect("an ARN").to_owned();
        let listener = json!({
            "LoadBalancerArn": balancer, "Protocol": protocol, "Port": free_port().to_string(),
            "DefaultActions": forward(&[(&arn, 1)]),
        });
        elb(bed, "CreateListener", listener);
        arn
    };
    groups.iter().map(group).collect()
}

#[test]
fn two_load_balancers_are_refused_and_named() {
    let (bed, _) = stack();
    let groups = behind_another(&bed, "application", &["other-green"]);
    green_behind(&bed, &[&groups[0]]);
    let done = refused(&bed, deploy(&bed), "unsupported");
    let told = answer(&done);
    let begin =
        "The target groups of blue and green belong to different load balancers: `loadbalancer/app/shop/";
    assert!(told.starts_with(begin) && told.contains(", `loadbalancer/app/other/"), "{told}");
    assert!(
        told.ends_with(
            ". One has to hold both.\nAttach both target groups to one Application Load Balancer."
        )
    );
}

#[test]
fn a_network_load_balancer_is_refused_and_named() {
    let (bed, _) = stack();
    let groups = behind_another(&bed, "network", &["net-blue", "net-green"]);
    for (service, group) in ["web-blue", "web-green"].iter().zip(&groups) {
        let entry = json!([{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }]);
        bed.world(|world| world.checker.expect_empty(true));
        ecs(&bed, "UpdateService", json!({ "service": service, "loadBalancers": entry }));
    }
    frozen(&bed);
    let done = refused(&bed, deploy(&bed), "unsupported");
    let told = answer(&done);
    assert!(told.starts_with("The load balancer `loadbalancer/net/other/"), "{told}");
    let end = "` is not an Application Load Balancer; this action handles only that kind.\n\
               Put the target groups behind an Application Load Balancer.";
    assert!(told.ends_with(end), "{told}");
}

#[test]
fn without_a_production_rule_the_listeners_are_shown() {
    let (bed, sample) = stack();
    production(&bed, &sample, &[(&sample.blue_group, 1)]);
    let done = refused(&bed, deploy(&bed), "no-production-rule");
    let all = listeners(&[sample.production_port, sample.green_port, sample.blue_port, sample.dev_port]);
    let told = answer(&done);
    let what = format!(
        "No listener rule forwards to both blue and green, and no `listener` was named. Listeners: {all}.\n\
         Name the listener that your users come through:\n  listener: HTTP:"
    );
    assert!(told.starts_with(&what), "{told}");

    let done = refused(&bed, deploy(&bed).input("listener", "HTTPS:443"), "no-production-rule");
    let told = answer(&done);
    let what = format!(
        "The `listener` that was named does not exist, or forwards to neither blue nor green. Listeners: {all}.\n"
    );
    assert!(told.starts_with(&what), "{told}");
}

#[test]
fn a_color_in_no_rule_is_refused() {
    let (bed, sample) = stack();
    production(&bed, &sample, &[(&sample.blue_group, 1)]);
    elb(&bed, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
    let done = refused(&bed, deploy(&bed), "unsupported");
    assert_eq!(
        answer(&done),
        "The target group of green is used by no load balancer, so nobody can be sent to it.\n\
         Add green's target group to the production listener's forward action; weight 0 is enough. Write both weights out."
    );
}

#[test]
fn without_an_idle_color_the_split_and_the_way_out_are_named() {
    let (bed, sample) = stack();
    production(&bed, &sample, &[(&sample.blue_group, 80), (&sample.green_group, 20)]);
    let done = refused(&bed, deploy(&bed), "no-idle-color");
    assert_eq!(
        answer(&done),
        "Both colors serve users now (80 % blue, 20 % green), so there is no idle color to deploy to.\n\
         Move all users to one color first, then run again. To replace the tasks under green's users all the same, as a rolling update:\n  \
         color: green\n  allow-live: true"
    );
}

#[test]
fn invariant_11_a_live_color_is_refused() {
    let (bed, _) = stack();
    let done = refused(&bed, deploy(&bed).input("color", "blue"), "live-color");
    assert_eq!(
        answer(&done),
        "blue serves users now (100 % blue, 0 % green); a deploy goes to a color without users.\n\
         Deploy to the color without users:\n  color: idle\n\
         or move all users to the other color first. To replace the tasks under your users all the same, as a rolling update:\n  \
         allow-live: true"
    );
}

#[test]
fn invariant_04_a_third_group_in_a_rule_is_refused() {
    let (bed, sample) = stack();
    let groups = [(&*sample.blue_group, 90), (&*sample.green_group, 0), (&*sample.dev_group, 10)];
    production(&bed, &sample, &groups);
    let done = refused(&bed, deploy(&bed), "unsupported");
    let told = answer(&done);
    let begin = format!(
        "The production rule `{} default` also forwards to a third target group, `targetgroup/web-dev/",
        listener(&sample)
    );
    assert!(told.starts_with(&begin), "{told}");
    let end = "`. It has to hold blue's and green's, and no other.\nRemove the third group from the rule, or give it a rule of its own.";
    assert!(told.ends_with(end), "{told}");
}

#[test]
fn invariant_04_weights_of_nothing_are_refused() {
    let (bed, sample) = stack();
    production(&bed, &sample, &[(&sample.blue_group, 0), (&sample.green_group, 0)]);
    let done = refused(&bed, deploy(&bed), "unsupported");
    let told = format!(
        "The weights of blue and green in the production rule `{} default` are both 0; one has to be above 0.\n\
         Give the color that is to serve users a weight above 0 in that rule.",
        listener(&sample)
    );
    assert_eq!(answer(&done), told);
}

#[test]
fn invariant_05_rules_that_disagree_are_each_shown() {
    let (bed, sample) = stack();
    let rule = json!({
        "ListenerArn": sample.production_listener, "Priority": "10",
        "Actions": forward(&[(&sample.blue_group, 80), (&sample.green_group, 20)]),
        "Conditions": [{ "Field": "path-pattern", "Values": ["/api/*"] }],
    });
    elb(&bed, "CreateRule", rule);
    frozen(&bed);
    let done = refused(&bed, deploy(&bed), "rules-disagree");
    let name = listener(&sample);
    let told = format!(
        "The production rules hold different splits: `{name} rule 10` has 80 % blue, 20 % green; `{name} default` has 100 % blue, 0 % green. All of them have to hold the same.\n\
         Settle it with what a rule holds already:\n  command: redirect-traffic\n  traffic: blue-80\n\
         or\n  command: rollback\n  color: blue\n\
         If users are failing already, all of them can be sent to one color with\n  \
         command: rollback\n  color: blue\n  force: true\n\
         A rule that is not production should forward to one color alone."
    );
    assert_eq!(answer(&done), told);
}

#[test]
fn an_action_of_an_unknown_type_is_refused() {
    let (bed, sample) = stack();
    bed.world(|world| {
        let rules = world.elb.rules();
        let rule = rules.iter().find(|rule| rule.listener == sample.production_listener).expect("the rule");
        let action = json!({ "Type": "teleport", "Order": 1 });
        assert!(world.elb.add_raw_action(&rule.rule, action.as_object().expect("an object").clone()));
    });
    let done = refused(&bed, deploy(&bed), "unsupported");
    let told = format!(
        "The production rule `{} default` has an action of the type `teleport`, which this action does not know and could lose.\n\
         Move that action to another rule, or use a newer version of this action.",
        listener(&sample)
    );
    assert_eq!(answer(&done), told);
}

#[test]
fn probes_without_a_test_listener_are_refused() {
    let (bed, sample) = stack();
    elb(&bed, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
    let done = refused(&bed, deploy(&bed).input("probes", "- {path: /}"), "bad-input");
    assert_eq!(
        answer(&done),
        "Probes were asked for, and no listener rule sends a request for `/` to green alone.\n\
         Add a test listener for green, or remove `probes`:\n  \
         aws elbv2 create-listener --load-balancer-arn ALB_ARN --protocol HTTP --port 8080 --default-actions Type=forward,TargetGroupArn=TARGET_GROUP_ARN"
    );
}

#[test]
fn another_deployment_in_flight_is_refused_and_named() {
    let (bed, sample) = stack_with(&Stack { grace: 3600, ..Stack::default() });
    bed.world(|world| world.ecr.push_behavior("shop/web", "never", Behavior::of_tag("v4-unhealthy")));
    let other = testbed::sample::task_definition("web-green", &sample.image("never"), false);
    ecs(&bed, "RegisterTaskDefinition", other);
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "taskDefinition": "web-green" }));
    bed.clear_calls();
    let action = deploy(&bed).input("image", &sample.image("v2"));
    let done = refused(&bed, action, "in-flight");
    let told = answer(&done);
    assert!(told.starts_with("Another deployment of `web-green` is in progress: `ecs-svc/"), "{told}");
    let end = "` brings `web-green:2`.\nWait until it has ended, then run again:\n  \
               aws ecs wait services-stable --region eu-west-1 --cluster shop --services web-green";
    assert!(told.ends_with(end), "{told}");
}

#[test]
fn percents_without_room_are_refused_with_their_numbers() {
    let percents = json!({ "minimumHealthyPercent": 50, "maximumPercent": 100 });
    let (bed, sample) = stack_with(&Stack { desired: 1, deployment: percents, ..Stack::default() });
    let done = refused(&bed, deploy(&bed).input("image", &sample.image("v2")), "no-room");
    assert_eq!(
        answer(&done),
        "A deployment of `web-green` would never move: with 1 task, a minimum healthy percent of 50 and a maximum percent of 100, ECS may neither stop an old task nor start a new one.\n\
         Raise the maximum percent where the service is defined, in Terraform:\n  deployment_maximum_percent = 200"
    );
}
