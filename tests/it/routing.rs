//! Where requests go: probes reach the color that is tested, and a color that a rule of a production listener sends users
//! to is live.

use crate::common::look::{others_untouched, wants};
use crate::common::{Action, Done, stack, writes};
use serde_json::{Value, json};
use testbed::sample::Sample;
use testbed::{Effect, Fault, Service, Testbed, World};

/// Carries out an operation of Elastic Load Balancing, to set the stage.
fn elb(bed: &Testbed, operation: &str, input: Value) {
    bed.call(Service::Elb, operation, input).expect("AWS takes it");
}

/// The input of CreateRule on a listener: one condition, all to one group.
fn rule(listener: &str, priority: u32, condition: Value, group: &str) -> Value {
    json!({
        "ListenerArn": listener,
        "Priority": priority.to_string(),
        "Conditions": [condition],
        "Actions": [{ "Type": "forward", "TargetGroupArn": group }],
    })
}

/// A condition on the path.
fn path(pattern: &str) -> Value {
    json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": [pattern] } })
}

/// A condition on the header `X-Color`.
fn header(value: &str) -> Value {
    json!({ "Field": "http-header", "HttpHeaderConfig": { "HttpHeaderName": "X-Color", "Values": [value] } })
}

/// A condition on the host.
fn host(name: &str) -> Value {
    json!({ "Field": "host-header", "HostHeaderConfig": { "Values": [name] } })
}

/// Removes green's own listener.
fn without_test_listener(bed: &Testbed, sample: &Sample) {
    elb(bed, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
}

/// A deploy of an image that is pushed with this tag, with a probe of `/`.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    bed.world(|world| world.ecr.push("shop/web", tag));
    let action = Action::new(bed, "deploy").input("image", &sample.image(tag)).input("timeout", "20s");
    action.input("probes", "[{ path: / }]")
}

/// Asserts that a run was refused before it wrote anything.
#[track_caller]
fn refused(bed: &Testbed, done: &Done, reason: &str) {
    done.expect(1, "refused", reason, "untouched");
    assert_eq!(writes(bed), [""; 0]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_38_a_broken_version_does_not_pass_by_probes_that_production_answers() {
    let (bed, sample) = stack();
    without_test_listener(&bed, &sample);
    // A test rule, as far as its conditions go, that no request of a probe of `/` meets.
    let conditions = json!([header("green"), path("/green/*")]);
    let mut input = rule(&sample.production_listener, 10, path("/"), &sample.green_group);
    input["Conditions"] = conditions;
    elb(&bed, "CreateRule", input);
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v6-fail-users").run();
    refused(&bed, &done, "bad-input");
    done.says("no listener rule sends a request for `/` to green alone");
}

#[test]
fn invariant_39_a_path_rule_of_the_production_listener_makes_a_color_live() {
    let (bed, sample) = stack();
    without_test_listener(&bed, &sample);
    elb(&bed, "CreateRule", rule(&sample.production_listener, 10, path("/shop/*"), &sample.green_group));
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v6-fail-users").run();
    refused(&bed, &done, "live-color");
    done.says(&format!("`HTTP:{} rule 10`", sample.production_port));
}

#[test]
fn invariant_38_a_probe_meets_the_rule_and_finds_the_broken_version() {
    let (bed, sample) = stack();
    without_test_listener(&bed, &sample);
    let mut input = rule(&sample.production_listener, 10, header("green"), &sample.green_group);
    input["Conditions"] = json!([header("green"), host("green.shop.example")]);
    elb(&bed, "CreateRule", input);
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v6-fail-users").run();
    done.expect(1, "failed", "probe", "restored");
    let url = format!("http://green.shop.example:{}/", sample.production_port);
    done.says(&format!("probe `{url}`, which the rule `HTTP:{} rule 10` answers", sample.production_port))
        .says(&format!("The probe `{url}` was answered with status 500 instead of 200."));
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    others_untouched(&bed);
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(done.output("test-url"), "", "no browser sends the header");
}

#[test]
fn invariant_38_a_way_that_disappears_during_the_run_is_not_taken() {
    let (bed, sample) = stack();
    let (listener, groups) = (sample.green_listener.clone(), sample.blue_group.clone());
    // Green's own listener is given to blue while green starts.
    let turn = move |world: &mut World| {
        let actions = json!([{ "Type": "forward", "TargetGroupArn": groups }]);
        let input = json!({ "ListenerArn": listener, "DefaultActions": actions });
        world.call(Service::Elb, "ModifyListener", &input).expect("AWS takes it");
    };
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Before(Box::new(turn))));
    let done = deploy(&bed, &sample, "v6-fail-users").run();
    assert_eq!(done.code, 1, "{}", done.log);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    assert!(["probe-unreachable", "bad-input"].contains(&done.output("reason")), "{}", done.log);
}

#[test]
fn invariant_39_a_header_rule_of_the_production_listener_is_a_test_rule() {
    let (bed, sample) = stack();
    elb(&bed, "CreateRule", rule(&sample.production_listener, 10, header("green"), &sample.green_group));
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(0, "succeeded", "", "changed");
    done.says(&format!("probe `http://127.0.0.1:{}/`", sample.green_port));
    assert_eq!(done.output("test-url"), format!("http://127.0.0.1:{}", sample.green_port));
    assert!(!done.log.contains("outside the split"), "{}", done.log);
}

#[test]
fn invariant_39_promote_names_the_rule_and_shrinks_nothing() {
    let (bed, sample) = stack();
    elb(&bed, "CreateRule", rule(&sample.production_listener, 10, path("/shop/*"), &sample.blue_group));
    bed.clear_calls();
    let promote = || Action::new(&bed, "promote").input("color", "green").input("settle", "0s");
    let done = promote().run();
    refused(&bed, &done, "live-color");
    let name = format!("HTTP:{} rule 10", sample.production_port);
    done.says(&format!(
        "blue serves users now: the rule `{name}` of a production listener sends users to it"
    ))
    .says("adopt: true");
    let port = sample.production_port.to_string();
    let done = promote().input("adopt", "true").input("listener", &port).input("timeout", "30s").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_39_status_and_a_plan_list_the_rule() {
    let (bed, sample) = stack();
    let made = rule(&sample.production_listener, 10, host("green.shop.example"), &sample.green_group);
    elb(&bed, "CreateRule", made);
    bed.clear_calls();
    let done = Action::new(&bed, "status").run();
    let name = format!("HTTP:{} rule 10", sample.production_port);
    let told = format!("The rule `{name}` of a production listener sends users to green outside the split");
    done.says(&format!("drift: {told}")).says("deploy to green: not now");
    let seen: Value = serde_json::from_str(done.output("status-json")).expect("JSON");
    let drift = seen["drift"][0].as_str().expect("a drift");
    assert!(drift.starts_with(&told), "{drift}");
    assert_eq!((done.output("traffic"), done.output("live-color")), ("blue", "both"));
    assert_eq!(seen["traffic"]["live_color"], "both");
    let done =
        Action::new(&bed, "redirect-traffic").input("traffic", "blue-80").input("plan-only", "true").run();
    done.says(&told);
    assert_eq!(writes(&bed), [""; 0]);
}

#[test]
fn invariant_39_a_rule_that_appears_before_the_update_keeps_the_version_away() {
    let (bed, sample) = stack();
    let input = rule(&sample.production_listener, 10, path("/shop/*"), &sample.green_group);
    let appear = move |world: &mut World| {
        world.call(Service::Elb, "CreateRule", &input).expect("AWS takes it");
    };
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Before(Box::new(appear))));
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(1, "refused", "live-color", "untouched");
    done.says(&format!("`HTTP:{} rule 10`", sample.production_port));
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
}

/// Makes green's own listener HTTPS, with a default certificate for the first name and others for the rest. Gives what
/// clients have to trust, as PEM.
fn open_tls(bed: &Testbed, sample: &Sample, names: &[&str]) -> String {
    let issued = names.iter().map(|name| bed.certificate(&[name]).expect("AWS takes it"));
    let certificates: Vec<Value> = issued.map(|arn| json!({ "CertificateArn": arn })).collect();
    let listener = &sample.green_listener;
    let https = json!({ "ListenerArn": listener, "Protocol": "HTTPS", "Certificates": [certificates[0]] });
    elb(bed, "ModifyListener", https);
    elb(bed, "AddListenerCertificates", json!({ "ListenerArn": listener, "Certificates": certificates }));
    bed.clear_calls();
    bed.world(|world| world.acm.authority().expect("an authority").to_owned())
}

/// The run trusts this authority alone.
fn trusting(action: Action, authority: &str) -> Action {
    action.file("ca.pem", authority).env("SSL_CERT_FILE", "ca.pem")
}

/// A config file that names green's host.
const HOSTS: &str = "apps: { web: { hosts: { green: green.shop.example } } }";

#[test]
fn invariant_38_a_probe_over_https_asks_for_the_host_of_its_rule() {
    let (bed, sample) = stack();
    let listener = &sample.green_listener;
    elb(&bed, "CreateRule", rule(listener, 10, host("green.shop.example"), &sample.green_group));
    // The name of the default certificate is not the one that is asked for.
    let authority = open_tls(&bed, &sample, &["shop.example", "green.shop.example"]);
    let done = trusting(deploy(&bed, &sample, "v2"), &authority).run();
    done.expect(0, "succeeded", "", "changed");
    let url = format!("https://green.shop.example:{}", sample.green_port);
    done.says(&format!("probe `{url}/`, which the rule `HTTPS:{} rule 10` answers", sample.green_port));
    assert_eq!(done.output("test-url"), url);
    trusting(Action::new(&bed, "status"), &authority).run().says(&format!("test at {url}"));
}

#[test]
fn invariant_38_https_without_a_host_is_refused_until_the_config_names_one() {
    let (bed, sample) = stack();
    let authority = open_tls(&bed, &sample, &["green.shop.example"]);
    let run = || trusting(deploy(&bed, &sample, "v2"), &authority);
    let done = run().run();
    refused(&bed, &done, "bad-input");
    done.says(&format!("the listener `HTTPS:{}`", sample.green_port)).says("hosts:\n        green: HOST");
    assert_eq!(done.output("test-url"), "", "no certificate has the load balancer's name");
    let done = run().file(".github/blue-green.yml", HOSTS).run();
    done.expect(0, "succeeded", "", "changed");
    let url = format!("https://green.shop.example:{}", sample.green_port);
    assert_eq!(done.output("test-url"), url);
    let status = trusting(Action::new(&bed, "status"), &authority).file(".github/blue-green.yml", HOSTS);
    status.run().says(&format!("test at {url}"));
}

#[test]
fn a_certificate_for_another_name_is_told_as_the_cause() {
    let (bed, sample) = stack();
    let authority = open_tls(&bed, &sample, &["shop.example"]);
    let done = trusting(deploy(&bed, &sample, "v2"), &authority).file(".github/blue-green.yml", HOSTS).run();
    done.expect(1, "failed", "probe-unreachable", "restored");
    done.says(&format!(
        "The certificate that the probe `https://green.shop.example:{}/` was shown is for `shop.example`, not for `green.shop.example`.",
        sample.green_port
    ));
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    others_untouched(&bed);
}
