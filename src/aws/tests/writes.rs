//! How writes are sent.

use super::server::{Answer, Server, json, refusal};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::ServiceColor;
use crate::plan::definition::Content;
use crate::plan::snapshot::{Place, Rollout};
use crate::plan::step::{Purpose, Update};

/// The cluster `shop`.
fn place() -> Place {
    Place { cluster: "shop".to_owned(), ..Place::default() }
}

/// A new task definition for the green service.
fn update() -> Update {
    Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: Some("web:2".to_owned()),
        desired: None,
        force: false,
        purpose: Purpose::Deploy,
    }
}

#[tokio::test]
async fn invariant_35_a_write_without_an_answer_is_sent_once() {
    for kept_connection in [false, true] {
        let server = Server::start(move |_, number| match (kept_connection, number) {
            (true, 1) => json("{\"services\":[],\"failures\":[]}"),
            _ => Answer::Drop,
        })
        .await;
        let aws = server.aws().await;
        if kept_connection {
            aws.services("shop", &[]).await.unwrap();
        }
        let before = server.requests().len();
        let trouble = aws.update_service(&place(), &update()).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Unreachable, true));
        assert_eq!(server.requests().len(), before + 1);
        let content = Content::from_described(serde_json::json!({ "family": "web" })).unwrap();
        let trouble = aws.register(&content).await.unwrap_err();
        assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Unreachable, true));
        assert_eq!((trouble.action, trouble.resource.as_str()), ("ecs:RegisterTaskDefinition", "web"));
        assert_eq!(server.requests().len(), before + 2);
    }
}

#[tokio::test]
async fn invariant_35_a_write_with_a_5xx_is_sent_once() {
    let server = Server::start(|request, _| refusal(request, 500, "ServerException", "boom")).await;
    let trouble = server.aws().await.update_service(&place(), &update()).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Unreachable, true));
    assert_eq!(server.operations(), ["UpdateService"]);
}

#[tokio::test]
async fn a_dropped_read_and_a_throttled_write_are_sent_again() {
    let server = Server::start(|request, number| match number {
        1 => Answer::Drop,
        2 => json("{\"services\":[],\"failures\":[]}"),
        3 => refusal(request, 400, "ThrottlingException", "Rate exceeded"),
        _ => json("{\"service\":{\"serviceName\":\"web-green\",\"status\":\"ACTIVE\"}}"),
    })
    .await;
    let aws = server.aws().await;
    aws.services("shop", &[]).await.unwrap();
    let service = aws.update_service(&place(), &update()).await.unwrap();
    assert_eq!((service.color, service.name.as_str()), (ServiceColor::Green, "web-green"));
    assert_eq!(
        server.operations(),
        ["DescribeServices", "DescribeServices", "UpdateService", "UpdateService"]
    );
}

#[tokio::test]
async fn a_refused_write_had_no_effect() {
    let server =
        Server::start(|request, _| refusal(request, 400, "AccessDeniedException", "not authorized")).await;
    let trouble = server.aws().await.update_service(&place(), &update()).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Denied, false));
    assert_eq!(trouble.action, "ecs:UpdateService");
}

#[tokio::test]
async fn an_update_says_only_what_changes() {
    let answer = "{\"service\":{\"serviceName\":\"web-green\",\"status\":\"ACTIVE\",\"deployments\":\
                  [{\"id\":\"ecs-svc/1\",\"status\":\"PRIMARY\",\"rolloutState\":\"PONDERING\"}]}}";
    let server = Server::start(move |_, _| json(answer)).await;
    let aws = server.aws().await;
    let service = aws.update_service(&place(), &update()).await.unwrap();
    let rollout = service.primary().map(|deployment| deployment.rollout);
    assert_eq!(rollout, Some(Rollout::Unknown), "a state that we do not know");
    let count = Update { task_definition: None, desired: Some(3), force: true, ..update() };
    aws.update_service(&place(), &count).await.unwrap();
    let bodies: Vec<_> = server.requests().iter().map(|request| request.json()).collect();
    assert_eq!(
        bodies,
        [
            serde_json::json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web:2" }),
            serde_json::json!({
                "cluster": "shop", "service": "web-green", "desiredCount": 3, "forceNewDeployment": true
            }),
        ]
    );
    let agent = server.requests()[0].header("x-amz-user-agent").unwrap_or_default().to_owned();
    assert!(agent.contains("app/run-7"), "{agent}");
}
