//! Certificates of listeners: the default, those that are added, and what AWS refuses.

use serde_json::{Value, json};

use super::stack::{Stack, forward, free_port, text};

/// The certificates of a listener, the default marked.
fn shown(stack: &Stack, listener: &str) -> Vec<(String, bool)> {
    let found = stack.ok("DescribeListenerCertificates", json!({"ListenerArn": listener}));
    let of = |one: &Value| (text(&one["CertificateArn"]), one["IsDefault"] == true);
    found["Certificates"].as_array().expect("certificates").iter().map(of).collect()
}

#[test]
fn a_listener_has_one_default_certificate_and_others_beside_it() {
    let stack = Stack::start();
    let blue = stack.group("blue");
    let issue = |name: &str| stack.bed.certificate(&[name]).expect("a certificate");
    let (first, second, third) = (issue("a.example"), issue("b.example"), issue("c.example"));
    let list =
        |arns: &[&String]| -> Vec<Value> { arns.iter().map(|arn| json!({"CertificateArn": arn})).collect() };
    let mut input = json!({"LoadBalancerArn": stack.balancer, "Port": free_port(), "Protocol": "HTTPS",
        "DefaultActions": forward(&[(&blue, 1)])});
    let unknown = "arn:aws:acm:eu-west-1:123456789012:certificate/none".to_owned();
    for (given, code) in [
        (list(&[]), "ValidationError"),
        (list(&[&first, &second]), "TooManyCertificates"),
        (list(&[&unknown]), "CertificateNotFound"),
    ] {
        input["Certificates"] = json!(given);
        assert_eq!(stack.refused("CreateListener", input.clone()).0, code);
    }
    input["Certificates"] = json!(list(&[&first]));
    let listener = text(&stack.ok("CreateListener", input)["Listeners"][0]["ListenerArn"]);
    let with = |arns: &[&String]| json!({"ListenerArn": listener, "Certificates": list(arns)});
    stack.ok("AddListenerCertificates", with(&[&first, &second]));
    assert_eq!(shown(&stack, &listener), [(first.clone(), true), (second.clone(), false)]);
    assert_eq!(stack.refused("RemoveListenerCertificates", with(&[&first])).0, "OperationNotPermitted");
    stack.ok("ModifyListener", with(&[&third]));
    assert_eq!(shown(&stack, &listener), [(third.clone(), true), (second.clone(), false)]);
    stack.ok("RemoveListenerCertificates", with(&[&second]));
    assert_eq!(shown(&stack, &listener), [(third, true)]);
}
