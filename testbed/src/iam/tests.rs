//! What a statement allows, and which policies are refused.

use super::{Need, Place, Statement, load, needs, parse};
use serde_json::json;
use std::fs;

/// A statement that allows one action on one resource.
fn statement(action: &str, resource: &str) -> Statement {
    Statement::read(&json!({ "Effect": "Allow", "Action": action, "Resource": [resource] }))
        .expect("a statement")
}

/// An action on a resource.
fn need(action: &str, resource: &str) -> Need {
    Need { action: action.to_owned(), resource: resource.to_owned(), context: None }
}

#[test]
fn actions_and_resources_are_patterns() {
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-blue";
    for (action, resource, allows) in [
        ("ecs:UpdateService", arn, true),
        ("ecs:updateservice", "*", true),
        ("ecs:Update*", "arn:aws:ecs:*:*:service/shop/web-*", true),
        ("*", "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-????", true),
        ("ecs:Describe*", "*", false),
        ("ecs:UpdateService", "arn:aws:ecs:*:*:service/Shop/*", false),
        ("ecs:UpdateService", "arn:aws:ecs:*:*:service/shop/web-?", false),
    ] {
        let allowed = statement(action, resource).allows(&need("ecs:UpdateService", arn));
        assert_eq!(allowed, allows, "{action} on {resource}");
    }
}

#[test]
fn a_call_needs_its_action_on_all_that_it_names() {
    let place = Place { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() };
    let arn = |resource: &str| place.arn("ecs", resource);
    let cluster = arn("cluster/shop");
    let input = json!({ "cluster": cluster, "services": ["web-blue", arn("service/shop/web-green")] });
    let service = |name: &str| need("ecs:DescribeServices", &arn(&format!("service/shop/{name}")));
    assert_eq!(needs("ecs:DescribeServices", &input, &place), [service("web-blue"), service("web-green")]);
    let deployment = arn("service-deployment/shop/web-blue/1");
    let input = json!({ "serviceDeploymentArns": [deployment] });
    let action = "ecs:DescribeServiceDeployments";
    let all = [need(action, &arn("service/shop/web-blue")), need(action, &deployment)];
    assert_eq!(needs(action, &input, &place), all);
    assert_eq!(needs("ecs:DeleteCluster", &json!({}), &place), [need("ecs:DeleteCluster", "*")]);
    assert_eq!(needs("sts:GetCallerIdentity", &json!({}), &place), []);
}

#[test]
fn a_condition_holds_with_any_of_its_values() {
    let from = json!({ "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
        "Condition": { "StringEquals": { "iam:PassedToService": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"] } } });
    let passing = Statement::read(&from).expect("a statement");
    let to = |service: &str| {
        let context = Some(("iam:PassedToService", service.to_owned()));
        passing.allows(&Need { context, ..need("iam:PassRole", "*") })
    };
    assert_eq!(
        ["ec2", "ecs-tasks", "lambda"].map(|name| to(&format!("{name}.amazonaws.com"))),
        [true, true, false]
    );
    assert!(!passing.allows(&need("iam:PassRole", "*")), "without the key");
}

#[test]
fn policies_that_are_not_evaluated_are_refused() {
    let policy = |statement: &str| parse(&format!("{{\"Statement\": {statement}}}")).map(|all| all.len());
    let good = r#"{ "Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": "*" }"#;
    assert_eq!((policy(good), policy(&format!("[{good}, {good}]"))), (Ok(1), Ok(2)));
    for (statement, words) in [
        (r#"{ "Effect": "Deny" }"#, "only statements with the effect `Allow` are evaluated"),
        (r#"{ "Effect": "Allow", "NotAction": "a:B" }"#, "`NotAction` is not evaluated"),
        (r#"{ "Effect": "Allow", "Action": "a:B" }"#, "a statement needs `Resource`"),
        (
            r#"{ "Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": { "IpAddress": {} } }"#,
            "the condition operator `IpAddress` is not evaluated",
        ),
    ] {
        assert_eq!(policy(statement), Err(words.to_owned()));
    }
    assert_eq!(parse("{}"), Err("a policy needs a Statement".to_owned()));
}

#[test]
fn a_folder_without_policies_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = load(folder.path()).expect_err("no policy").to_string();
    assert!(error.ends_with(": no policy (*.json) in this folder"), "{error}");
    fs::write(folder.path().join("broken.json"), "{").expect("a file");
    let error = load(folder.path()).expect_err("no JSON").to_string();
    assert!(error.contains("broken.json: EOF while parsing"), "{error}");
}
