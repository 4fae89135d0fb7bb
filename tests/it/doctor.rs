//! `doctor`: a good stack has no findings; each planted mistake is named, with its fix; nothing is written.

use crate::common::here::{stack, with};
use crate::common::{Action, Done, writes};
use serde_json::{Value, json};
use testbed::sample::{Sample, Stack};
use testbed::{Effect, Fault, Service, Testbed};

/// Runs `doctor`, which never writes.
#[track_caller]
fn run(bed: &Testbed, action: Action) -> Done {
    bed.clear_calls();
    let done = action.run();
    assert_eq!(writes(bed), [""; 0]);
    done
}

/// The output `findings`.
fn findings(done: &Done) -> Vec<Value> {
    serde_json::from_str(done.output("findings")).expect("a JSON array")
}

/// The findings in short: `stops no-room service web-blue`.
fn short(done: &Done) -> Vec<String> {
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let one = |one: &Value| ["severity", "id", "thing"].map(|key| text(one, key)).join(" ");
    findings(done).iter().map(one).collect()
}

/// Asserts that exactly this was found, told with this sentence and this fix, and that the run ends accordingly.
#[track_caller]
fn found(done: &Done, expected: &str, sentence: &str, fix: &str) {
    assert_eq!(short(done), [expected], "{}", done.log);
    let one = &findings(done)[0];
    assert_eq!(one["message"], sentence);
    assert!(one["fix"].as_str().is_some_and(|told| told.contains(fix)), "{one}");
    done.says(sentence).says(fix);
    let summary = done.summary.replace("&#95;", "_").replace("&#34;", "\"");
    let id = one["id"].as_str().expect("an id");
    assert!(summary.contains(id) && summary.contains(fix), "{}", done.summary);
    ends(done, expected.starts_with("stops"));
}

/// Asserts the end of a run: a failure only if a finding stops a command.
#[track_caller]
fn ends(done: &Done, stops: bool) {
    let end = if stops { (1, "failed", "findings", "untouched") } else { (0, "succeeded", "", "untouched") };
    assert_eq!(done.verdict(), end, "{}", done.log);
}

/// Carries out an operation of AWS, to plant a mistake.
fn aws(bed: &Testbed, service: Service, operation: &str, input: Value) -> Value {
    bed.call(service, operation, input).expect("AWS takes it")
}

/// Plants a mistake in the sample stack, and has `doctor` look.
fn planted(plant: impl FnOnce(&Testbed, &Sample)) -> Done {
    let (bed, sample) = stack();
    plant(&bed, &sample);
    run(&bed, Action::new(&bed, "doctor"))
}

/// Gives the services another deployment configuration.
fn deployment(config: Value) -> Done {
    let (bed, _) = with(&Stack { deployment: config, ..Stack::default() });
    run(&bed, Action::new(&bed, "doctor"))
}

#[test]
fn a_good_stack_has_no_findings() {
    let done = planted(|_, _| {});
    ends(&done, false);
    assert_eq!(done.output("findings"), "[]");
    done.says("Nothing was found: each command can start.");
}

#[test]
fn percentages_without_room_are_found() {
    // AWS refuses 100 and 100. With two tasks, 120 % rounds down to the same.
    let done = deployment(json!({ "maximumPercent": 120 }));
    let all = ["blue", "green", "dev"].map(|name| format!("stops no-room service web-{name}"));
    assert_eq!(short(&done), all);
    done.says("with 2 tasks, a minimum healthy percent of 100 and a maximum percent of 120")
        .says("deployment_maximum_percent = 200")
        .says("failed (findings) after ");
    ends(&done, true);
}

#[test]
fn a_missing_circuit_breaker_is_found() {
    let done = deployment(json!({ "deploymentCircuitBreaker": { "enable": false, "rollback": false } }));
    let all = ["blue", "green", "dev"].map(|name| format!("warns circuit-breaker service web-{name}"));
    assert_eq!(short(&done), all);
    done.says("The service `web-blue` has no deployment circuit breaker").says("enable   = true");
    ends(&done, false);
}

#[test]
fn a_missing_test_listener_is_found() {
    let done = planted(|bed, sample| {
        aws(bed, Service::Elb, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
    });
    found(
        &done,
        "warns test-listener color green",
        "No listener rule leads to green alone; a test listener shows green's version, and answers its probes, before users get it.",
        "aws elbv2 create-listener --load-balancer-arn ",
    );
}

#[test]
fn a_denied_read_is_found_with_its_statement() {
    let done = planted(|bed, _| bed.fault(Fault::on("DescribeTasks", Effect::Deny)));
    ends(&done, true);
    assert!(
        short(&done).contains(&"stops permission permission ecs:DescribeTasks".to_owned()),
        "{}",
        done.log
    );
    done.says(r#"{ "Effect": "Allow", "Action": "ecs:DescribeTasks", "Resource": "#);
}

/// A forward to these groups.
fn forward(groups: &[&str]) -> Value {
    let tuples: Vec<Value> = groups
        .iter()
        .enumerate()
        .map(|(at, arn)| json!({ "TargetGroupArn": arn, "Weight": u8::from(at == 0) }))
        .collect();
    json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": tuples } })
}

/// Gives a listener another default action.
fn set_default(bed: &Testbed, listener: &str, action: Value) {
    // The test changes the rule, not the action: the checker watches from then on.
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    let input = json!({ "ListenerArn": listener, "DefaultActions": [action] });
    aws(bed, Service::Elb, "ModifyListener", input);
}

#[test]
fn a_long_grace_period_is_found() {
    let (bed, _) = with(&Stack { grace: 90, ..Stack::default() });
    let done = run(&bed, Action::new(&bed, "doctor").input("timeout", "90s"));
    let all = ["blue", "green", "dev"].map(|name| format!("warns grace-period service web-{name}"));
    assert_eq!(short(&done), all);
    done.says(
        "The health-check grace period of `web-blue` is 1m 30s; it has to be shorter than `timeout` (1m 30s)",
    )
    .says("health_check_grace_period_seconds = 60");
    ends(&done, false);
}

#[test]
fn a_long_deregistration_delay_is_found() {
    let (bed, sample) = stack();
    let delay = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "300" }]);
    let input = json!({ "TargetGroupArn": sample.blue_group, "Attributes": delay });
    aws(&bed, Service::Elb, "ModifyTargetGroupAttributes", input);
    found(
        &run(&bed, Action::new(&bed, "doctor")),
        "warns deregistration-delay service web-blue",
        "The deregistration delay of the target group of `web-blue` is 5m 00s; it is expected to be as long as the longest request, and each deploy waits that long for its old tasks.",
        "deregistration_delay = 30",
    );
    found(
        &run(&bed, Action::new(&bed, "doctor").input("timeout", "5m")),
        "stops deregistration-delay service web-blue",
        "The deregistration delay of the target group of `web-blue` is 5m 00s; it has to be shorter than `timeout` (5m 00s), or each deploy times out.",
        "deregistration_delay = 30",
    );
}

#[test]
fn a_rule_for_one_color_is_found() {
    let (bed, sample) = stack();
    let input = json!({
        "ListenerArn": sample.production_listener, "Priority": "10", "Actions": [forward(&[&sample.green_group])],
        "Conditions": [{ "Field": "path-pattern", "Values": ["/api/*"] }],
    });
    aws(&bed, Service::Elb, "CreateRule", input);
    let rule = format!("HTTP:{} rule 10", sample.production_port);
    found(
        &run(&bed, Action::new(&bed, "doctor")),
        &format!("stops lone-rule rule {rule}"),
        &format!(
            "The rule `{rule}` of a production listener sends users to green alone; a production rule has to hold both target groups, and a promote is refused while this one holds one."
        ),
        "adopt: true",
    );
}

#[test]
fn a_production_rule_without_the_other_group_is_found() {
    let (bed, sample) = stack();
    set_default(&bed, &sample.production_listener, forward(&[&sample.blue_group]));
    let listener = format!("HTTP:{}", sample.production_port);
    found(
        &run(&bed, Action::new(&bed, "doctor").input("listener", &listener)),
        &format!("stops lone-rule rule {listener} default"),
        &format!(
            "The production rule `{listener} default` lacks the target group of green; it has to hold both groups, the idle one with weight 0."
        ),
        "weight = 0",
    );
}

#[test]
fn rules_that_disagree_are_found() {
    let (bed, sample) = stack();
    crate::common::traffic::path_rule(&bed, &sample, 80, 20);
    let name = format!("HTTP:{}", sample.production_port);
    found(
        &run(&bed, Action::new(&bed, "doctor")),
        "stops rules-disagree listener rules",
        &format!(
            "The production rules hold different splits: `{name} rule 10` has 80 % blue, 20 % green; `{name} default` has 100 % blue, 0 % green. All of them have to hold the same."
        ),
        "traffic: blue",
    );
}

#[test]
fn a_third_target_group_is_found() {
    let (bed, sample) = stack();
    let groups = [&sample.blue_group, &sample.green_group, &sample.dev_group].map(String::as_str);
    set_default(&bed, &sample.production_listener, forward(&groups));
    let rule = format!("HTTP:{} default", sample.production_port);
    let done = run(&bed, Action::new(&bed, "doctor"));
    assert_eq!(short(&done), [format!("stops third-group rule {rule}")]);
    done.says(&format!(
        "The production rule `{rule}` also forwards to a third target group, `targetgroup/web-dev/"
    ))
    .says(&format!("  target_group {{\n    arn = \"{}\"", sample.dev_group));
    ends(&done, true);
}

#[test]
fn stickiness_is_found() {
    let (bed, sample) = stack();
    let mut action = forward(&[&sample.blue_group, &sample.green_group]);
    action["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 3600 });
    set_default(&bed, &sample.production_listener, action);
    let rule = format!("HTTP:{} default", sample.production_port);
    found(
        &run(&bed, Action::new(&bed, "doctor")),
        &format!("warns stickiness rule {rule}"),
        &format!(
            "The production rule `{rule}` has stickiness of 1h 00m; without stickiness, users leave a color as soon as its weight is 0."
        ),
        "enabled  = false",
    );
}

/// A config with `scaling`.
const SCALING: &str =
    "apps: { web: { blue: web-blue, green: web-green, develop: web-dev, scaling: { min: 2, max: 10 } } }";

#[test]
fn scaling_without_a_scalable_target_is_found() {
    let (bed, _) = stack();
    testbed::sample::autoscaled(&bed, 1, 10).expect("it scales");
    bed.world(|world| world.autoscaling.targets.retain(|target| !target.resource.ends_with("/web-green")));
    let action = Action::new(&bed, "doctor").file(".github/blue-green.yml", SCALING);
    let done = run(&bed, action);
    assert!(short(&done).contains(&"warns scalable-target service web-green".to_owned()), "{}", done.log);
    done.says("The config has `scaling`, and the service `web-green` has no scalable target")
        .says("--resource-id service/shop/web-green --min-capacity 2 --max-capacity 10");
    ends(&done, false);
}

#[test]
fn another_deployment_controller_is_found() {
    let done = planted(|bed, _| {
        bed.world(|world| {
            let mut services = world.ecs.services.iter_mut();
            let green = services.find(|service| service.name == "web-green").expect("green");
            green.settings.insert("deploymentController".to_owned(), json!({ "type": "CODE_DEPLOY" }));
        });
    });
    found(
        &done,
        "stops controller service web-green",
        "The service `web-green` has the deployment controller `CODE_DEPLOY`; this action handles `ECS`.",
        "deployment_controller {",
    );
}

#[test]
fn an_https_test_listener_without_a_host_is_found() {
    let (bed, sample) = stack();
    aws(&bed, Service::Elb, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
    let certificate = bed.certificate(&["green.shop.example"]).expect("AWS takes it");
    let port = testbed::sample::free_port();
    let input = json!({
        "LoadBalancerArn": sample.load_balancer, "Protocol": "HTTPS", "Port": port,
        "Certificates": [{ "CertificateArn": certificate }], "DefaultActions": [forward(&[&sample.green_group])],
    });
    aws(&bed, Service::Elb, "CreateListener", input);
    let sentence = format!(
        "The test listener `HTTPS:{port}` of green is HTTPS and no host is known for it; a probe needs a host of the listener's certificate, which is never for the load balancer's own name."
    );
    for (probes, severity) in [("", "warns"), ("probes: [{ path: / }], ", "stops")] {
        let config = format!("apps: {{ web: {{ {probes}blue: web-blue, green: web-green }} }}");
        let action = Action::new(&bed, "doctor").file(".github/blue-green.yml", &config);
        found(
            &run(&bed, action),
            &format!("{severity} test-host listener HTTPS:{port}"),
            &sentence,
            "green: HOST",
        );
    }
}

/// The role of the tests.
const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// A run that assumes the role by the job's id token.
fn by_role(bed: &Testbed) -> Action {
    let action = Action::new(bed, "doctor").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let action = bed.oidc_env().into_iter().fold(action, |action, (name, value)| action.env(&name, &value));
    action.input("role-to-assume", ROLE)
}

#[test]
fn mistakes_on_the_way_to_the_role_are_found() {
    let (bed, _) = crate::common::stack();
    let main = "repo:octo-org/octo-repo:ref:refs/heads/main";
    let trust =
        |subject: &str| bed.world(|world| world.sts.role(ROLE, "sts.amazonaws.com", &[subject], 3600));
    trust("repo:octo-org/octo-repo:environment:production");
    let denied = "AWS does not let this job assume `arn:aws:iam::123456789012:role/deploy` (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity.";
    let thing = "role arn:aws:iam::123456789012:role/deploy";
    found(&run(&bed, by_role(&bed)), &format!("stops trust-subject {thing}"), denied, &format!("\"{main}\""));

    bed.world(|world| {
        world.oidc.run_of("octo-org/octo-repo", "environment:staging");
    });
    let sentence = format!(
        "{denied} This job has the environment `staging`, and the trust policy of the role has to name the job's subject."
    );
    let fix = "environment: NAME";
    found(&run(&bed, by_role(&bed)), &format!("stops trust-environment {thing}"), &sentence, fix);

    let sentence = "This job may not have an id token (ACTIONS_ID_TOKEN_REQUEST_URL is not set), so the role `deploy` can't be assumed.";
    let action = by_role(&bed).without("ACTIONS_ID_TOKEN_REQUEST_URL");
    found(
        &run(&bed, action),
        "stops github-permission permission id-token: write",
        sentence,
        "id-token: write # to assume the AWS role without stored keys",
    );

    trust("repo:octo-org/octo-repo:environment:staging");
    ends(&run(&bed, by_role(&bed)), false);
}

/// Lets the caller do what these policies allow, without this action.
fn enforce(bed: &Testbed, names: &[&str], without: &str) {
    let mut policy = crate::common::iam::policy(names);
    for statement in &mut policy {
        statement.actions.retain(|action| action != without);
    }
    bed.world(|world| world.iam.enforce(policy));
}

#[test]
fn a_policy_that_lacks_one_action_is_found() {
    use crate::common::iam::{DEPLOY, DOCTOR, READ, TRAFFIC};
    for (names, lost, on) in [
        (vec![READ, DEPLOY, DOCTOR], "iam:PassRole", "arn:aws:iam::123456789012:role/shop-execution"),
        (vec![READ, DEPLOY, DOCTOR], "ecs:TagResource", "task-definition/web-blue:1"),
        (vec![READ, TRAFFIC, DOCTOR], "ecs:UpdateService", "service/shop/web-blue"),
    ] {
        let (bed, _) = stack();
        enforce(&bed, &names, "");
        ends(&run(&bed, Action::new(&bed, "doctor")), false);
        enforce(&bed, &names, lost);
        let done = run(&bed, Action::new(&bed, "doctor"));
        assert_eq!(short(&done)[0], format!("stops permission permission {lost}"), "{}", done.log);
        let one = &findings(&done)[0];
        let sentence = one["message"].as_str().expect("a text");
        assert!(
            sentence.starts_with(&format!(
                "The role `arn:aws:iam::123456789012:role/deploy` may not do `{lost}` on `"
            )),
            "{one}"
        );
        assert!(sentence.contains(on), "{one}");
        done.says(&format!(r#"{{ "Effect": "Allow", "Action": "{lost}", "Resource": "arn:"#));
        ends(&done, true);
    }
}

#[test]
fn a_role_whose_policies_may_not_be_simulated_is_said_to_be_unchecked() {
    let (bed, _) = stack();
    enforce(&bed, &[crate::common::iam::READ], "");
    let done = run(&bed, Action::new(&bed, "doctor"));
    ends(&done, false);
    assert_eq!(done.output("findings"), "[]");
    done.says("Not checked, the permissions of the role to write: AWS denied `iam:SimulatePrincipalPolicy`")
        .says(r#""Action": "iam:SimulatePrincipalPolicy", "Resource": "arn:aws:iam::123456789012:role/deploy" }"#);
}
