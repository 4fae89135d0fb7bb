//! Digests, and whose credentials these are.

use serde_json::json;

use super::server::{Answer, Server, json as answer, refusal};
use crate::aws::identity::Caller;
use crate::plan::aws_error::AwsErrorKind;

/// A digest.
const DIGEST: &str = "sha256:0123456789012345678901234567890123456789012345678901234567890123";

#[tokio::test]
async fn a_tag_and_a_digest_are_looked_up_in_their_registry() {
    let server = Server::start(|_, _| {
        answer(json!({ "imageDetails": [{ "imageDigest": DIGEST, "imageTags": ["v2"] }] }).to_string())
    })
    .await;
    let aws = server.aws().await;
    for (region, which) in [("eu-west-1", "v2"), ("us-east-1", DIGEST)] {
        let found = aws.digest("111122223333", region, "shop/web", which).await;
        assert_eq!(found, Ok(Some(DIGEST.to_owned())));
    }
    let asked: Vec<_> = server.requests().iter().map(|request| request.json()).collect();
    let body = |id| json!({ "registryId": "111122223333", "repositoryName": "shop/web", "imageIds": [id] });
    assert_eq!(asked, [body(json!({ "imageTag": "v2" })), body(json!({ "imageDigest": DIGEST }))]);
    for (request, region) in server.requests().iter().zip(["eu-west-1", "us-east-1"]) {
        let signed = request.header("authorization").unwrap_or_default();
        assert!(signed.contains(&format!("/{region}/ecr/")), "{signed}");
    }
}

#[tokio::test]
async fn an_image_that_is_not_there_is_no_trouble() {
    for code in ["ImageNotFoundException", "RepositoryNotFoundException"] {
        let server = Server::start(move |request, _| refusal(request, 400, code, "not there")).await;
        assert_eq!(server.aws().await.digest("1", "eu-west-1", "shop/web", "v2").await, Ok(None));
    }
    let server = Server::start(|request, _| refusal(request, 400, "AccessDeniedException", "no")).await;
    let trouble = server.aws().await.digest("1", "eu-west-1", "shop/web", "v2").await.unwrap_err();
    assert_eq!((trouble.kind, trouble.action), (AwsErrorKind::Denied, "ecr:DescribeImages"));
    assert_eq!(trouble.resource, "shop/web");
}

#[tokio::test]
async fn the_caller_is_an_account_in_a_partition() {
    let server = Server::start(|_, _| {
        let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                    <GetCallerIdentityResult><Arn>arn:aws-cn:sts::123456789012:assumed-role/deploy/ci</Arn>\
                    <UserId>X</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
                    </GetCallerIdentityResponse>";
        Answer::Xml(200, body.to_owned())
    })
    .await;
    let caller = server.aws().await.caller().await;
    let expected = Caller {
        account: "123456789012".to_owned(),
        partition: "aws-cn".to_owned(),
        arn: "arn:aws-cn:sts::123456789012:assumed-role/deploy/ci".to_owned(),
    };
    assert_eq!(caller, Ok(expected));
}
