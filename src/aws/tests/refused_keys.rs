//! Credentials that AWS refuses cost one call.

use futures_util::future::join_all;

use super::server::{Server, json, refusal};
use crate::plan::aws_error::AwsErrorKind;

#[tokio::test]
async fn credentials_that_aws_refuses_are_sent_once() {
    for code in ["ExpiredTokenException", "com.amazonaws#UnrecognizedClientException"] {
        let server = Server::start(move |request, _| refusal(request, 400, code, "")).await;
        let aws = server.aws().await;
        let first = aws.revision("web:1").await.unwrap_err();
        let next = aws.revision("web:2").await.unwrap_err();
        let other = aws.caller().await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{code}");
        for trouble in [&first, &next, &other] {
            assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Expired, false), "{trouble:?}");
            assert_eq!(trouble.code, first.code);
        }
        assert_eq!(next.resource, "web:2");
    }
}

#[tokio::test]
async fn a_refusal_in_xml_ends_the_calls_of_every_service() {
    let server = Server::start(|request, _| refusal(request, 403, "ExpiredToken", "")).await;
    let aws = server.aws().await;
    assert!(aws.caller().await.is_err() && aws.revision("web:1").await.is_err());
    assert_eq!(server.operations(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn credentials_that_expired_are_sent_to_no_other_region() {
    let server = Server::start(|request, _| refusal(request, 400, "ExpiredTokenException", "")).await;
    let aws = server.aws().await;
    let image = aws.digest("123456789012", "ap-east-1", "shop/web", "v1").await.unwrap_err();
    let next = aws.revision("web:1").await.unwrap_err();
    assert_eq!([image.kind, next.kind], [AwsErrorKind::Expired; 2]);
    assert_eq!(server.operations(), ["DescribeImages"]);
}

#[tokio::test]
async fn a_refusal_of_another_region_ends_no_call_of_this_one() {
    let server = Server::start(|request, _| match request.operation().as_str() {
        "DescribeImages" => refusal(request, 400, "UnrecognizedClientException", ""),
        _ => json("{}"),
    })
    .await;
    let aws = server.aws().await;
    let image = aws.digest("123456789012", "ap-east-1", "shop/web", "v1").await.unwrap_err();
    assert_eq!(image.kind, AwsErrorKind::Expired);
    let _ = aws.revision("web:1").await;
    let _ = aws.digest("123456789012", "ap-east-1", "shop/web", "v2").await;
    assert_eq!(server.operations(), ["DescribeImages", "DescribeTaskDefinition"]);
}

#[tokio::test]
async fn another_refusal_ends_no_call() {
    let inner = "not retrieved: ExpiredToken (Service: AmazonCloudWatch; Error Code: ExpiredToken)";
    let codes = [("AccessDeniedException", ""), ("SignatureDoesNotMatch", ""), ("ClientException", inner)];
    for (code, message) in codes {
        let server = Server::start(move |request, _| refusal(request, 400, code, message)).await;
        let aws = server.aws().await;
        let all = join_all((0..3).map(|_| aws.revision("web:1"))).await;
        assert!(all.iter().all(Result::is_err));
        assert_eq!(server.requests().len(), 3, "{code}");
    }
    let server = Server::start(|_, _| json("{}")).await;
    let _ = server.aws().await.revision("web:1").await;
    assert_eq!(server.requests().len(), 1);
}
