//! Task definitions in both directions.

use serde_json::json;

use super::server::{Server, json as answer, refusal};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::definition::Content;

/// A described task definition with a field that no SDK knows, at two depths, and every describe-only field.
fn described() -> serde_json::Value {
    json!({
        "taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
            "family": "web",
            "revision": 7,
            "status": "ACTIVE",
            "containerDefinitions": [
                { "name": "app", "image": "web:v1", "quantumLeap": { "z": 1, "a": [1.5, null] }, "essential": true }
            ],
            "requiresAttributes": [{ "name": "com.amazonaws.ecs.capability.docker-remote-api.1.18" }],
            "compatibilities": ["EC2"],
            "registeredAt": 1.7e9,
            "registeredBy": "arn:aws:iam::123456789012:user/x",
            "deregisteredAt": 1.7e9,
            "deleteRequestedAt": 1.7e9,
            "hyperdrive": "on"
        },
        "tags": [{ "key": "team", "value": "shop" }, { "key": "bare" }]
    })
}

/// What of it can be registered.
fn registrable() -> serde_json::Value {
    json!({
        "family": "web",
        "containerDefinitions": [
            { "name": "app", "image": "web:v1", "quantumLeap": { "z": 1, "a": [1.5, null] }, "essential": true }
        ],
        "hyperdrive": "on",
        "tags": [{ "key": "team", "value": "shop" }, { "key": "bare" }]
    })
}

#[tokio::test]
async fn unknown_fields_survive_in_both_directions() {
    let server = Server::start(|_, _| answer(described().to_string())).await;
    let aws = server.aws().await;

    let revision = aws.revision("web").await.unwrap();
    assert_eq!(revision.arn, "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7");
    assert_eq!(revision.content, Content::from_described(registrable()).unwrap());
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(revision.tags, [tag("team", "shop"), tag("bare", "")]);

    let again = aws.register(&revision.content).await.unwrap();
    assert_eq!(again.arn, revision.arn);
    let requests = server.requests();
    assert_eq!(requests[0].json(), json!({ "taskDefinition": "web", "include": ["TAGS"] }));
    assert_eq!(requests[1].json(), registrable(), "the team's own tags go along");
    let order = |body: &str, first: &str, second: &str| body.find(first) < body.find(second);
    assert!(order(&requests[1].body, "\"z\"", "\"a\""), "keys keep their order: {}", requests[1].body);
    let content_length = requests[1].header("content-length").and_then(|text| text.parse::<usize>().ok());
    assert_eq!(content_length, Some(requests[1].body.len()));
    let signed = requests[1].header("authorization").unwrap_or_default();
    assert!(signed.contains("Signature="), "{signed}");
}

#[tokio::test]
async fn a_revision_that_does_not_exist_is_missing() {
    let server = Server::start(|request, _| {
        refusal(request, 400, "ClientException", "Unable to describe task definition.")
    })
    .await;
    let trouble = server.aws().await.revision("web:99").await.unwrap_err();
    assert_eq!(trouble.kind, AwsErrorKind::Missing);
    assert_eq!((trouble.action, trouble.resource.as_str()), ("ecs:DescribeTaskDefinition", "web:99"));
}
