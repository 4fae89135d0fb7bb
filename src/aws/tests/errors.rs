//! What AWS's errors become, over both protocols.

use std::time::Duration;

use super::server::{Answer, Server, json, refusal, settings};
use crate::aws::{Aws, Names};
use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::plan::color::ServiceColor;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Place;
use crate::plan::step::{Purpose, Update};

/// The cluster `shop` and its blue service.
fn names() -> Names {
    let place = Place { cluster: "shop".to_owned(), ..Place::default() };
    Names { place, services: vec![(ServiceColor::Blue, "web-blue".to_owned())], ..Names::default() }
}

/// A look at the services alone.
const SERVICES: ReadScope =
    ReadScope { wiring: false, health: false, definitions: false, ..ReadScope::WHOLE };

/// The trouble of a read over JSON (ECS) and over Query (ELBv2), with a server that answers each call this way.
async fn both(status: u16, code_json: &'static str, code_xml: &'static str) -> [AwsError; 2] {
    let server = Server::start(move |request, _| {
        let code = if request.header("x-amz-target").is_some() { code_json } else { code_xml };
        refusal(request, status, code, "AWS says so")
    })
    .await;
    // Clients of their own: credentials that are refused once are sent no more.
    let ecs = server.aws().await.observe(&names(), SERVICES).await.unwrap_err();
    let elb = server.aws().await.targets("arn:group").await.unwrap_err();
    [ecs, elb]
}

#[tokio::test]
async fn codes_mean_the_same_in_every_protocol() {
    use AwsErrorKind::{Denied, Expired, Missing, Refused, Throttled, Unreachable};
    let table = [
        (400, "AccessDeniedException", "AccessDenied", Denied),
        (400, "ExpiredTokenException", "ExpiredToken", Expired),
        (400, "UnrecognizedClientException", "InvalidClientTokenId", Expired),
        (400, "ThrottlingException", "Throttling", Throttled),
        (400, "ClusterNotFoundException", "TargetGroupNotFound", Missing),
        (400, "InvalidParameterException", "ValidationError", Refused),
        (500, "ServerException", "InternalFailure", Unreachable),
    ];
    for (status, code_json, code_xml, kind) in table {
        let [ecs, elb] = both(status, code_json, code_xml).await;
        assert_eq!((ecs.kind, elb.kind), (kind, kind), "{code_json}");
        assert_eq!(ecs.code.as_deref(), Some(code_json));
        assert_eq!(elb.code.as_deref(), Some(code_xml));
        assert_eq!((ecs.message.as_str(), elb.message.as_str()), ("AWS says so", "AWS says so"));
        assert_eq!(ecs.action, "ecs:DescribeServices");
        assert_eq!(ecs.resource, "web-blue in cluster shop");
        assert_eq!(elb.action, "elasticloadbalancing:DescribeTargetHealth");
        assert_eq!(elb.resource, "arn:group");
        assert!(!ecs.effect_unknown && !elb.effect_unknown);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_aws_s_is_unreachable_or_refused_by_its_status() {
    for (status, kind) in [(502, AwsErrorKind::Unreachable), (403, AwsErrorKind::Refused)] {
        let server = Server::start(move |_, _| Answer::Text(status, "<html>proxy</html>".to_owned())).await;
        let trouble = server.aws().await.observe(&names(), SERVICES).await.unwrap_err();
        assert_eq!(trouble.kind, kind, "{trouble:?}");
    }
    let server = Server::start(|_, _| json("{ this is no JSON")).await;
    let trouble = server.aws().await.observe(&names(), SERVICES).await.unwrap_err();
    assert_eq!(trouble.kind, AwsErrorKind::Unreachable, "{trouble:?}");
}

#[tokio::test]
async fn no_connection_tells_the_cause() {
    // Bound, so that nobody else gets the port, and never listening.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    let aws = Aws::over(settings(&url).await, None);
    let trouble = aws.observe(&names(), SERVICES).await.unwrap_err();
    assert_eq!(trouble.kind, AwsErrorKind::Unreachable);
    assert!(trouble.message.contains("Connection refused"), "{}", trouble.message);
    assert!(!trouble.message.starts_with("dispatch failure"), "{}", trouble.message);
}

#[tokio::test]
async fn no_answer_is_timed_out_and_a_write_may_have_worked() {
    let server = Server::start(|_, _| Answer::Hang).await;
    let limits = aws_config::timeout::TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(100))
        .operation_timeout(Duration::from_secs(2))
        .build();
    let aws = Aws::over(settings(&server.url).await.to_builder().timeout_config(limits).build(), None);
    let trouble = aws.observe(&names(), SERVICES).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::TimedOut, false));
    let reads = server.requests().len();
    let update = Update {
        color: ServiceColor::Blue,
        service: "web-blue".to_owned(),
        task_definition: None,
        desired: Some(1),
        force: false,
        purpose: Purpose::Deploy,
    };
    let trouble = aws.update_service(&names().place, &update).await.unwrap_err();
    assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::TimedOut, true));
    assert_eq!(server.requests().len(), reads + 1, "a write that timed out goes out once");
}
