//! Tokens of the runner, and the roles that they open.

use super::bed::{Answer, send, start};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use testbed::Testbed;
use testbed::github::{GitHubEffect, GitHubFault};

/// The role of the tests.
const ROLE: &str = "arn:aws:iam::123456789012:role/ci/deploy";

/// Asks the endpoint for a token as an action does.
fn ask(bed: &Testbed, bearer: Option<&str>) -> std::io::Result<Answer> {
    let env = bed.oidc_env();
    assert_eq!(
        (env[0].0.as_str(), env[1].0.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    );
    assert!(env[0].1.ends_with("?api-version=2.0"));
    let url = format!("{}&audience=sts.amazonaws.com", env[0].1);
    send("GET", &url, bearer.unwrap_or(&env[1].1), &Value::Null)
}

/// A token.
fn token(bed: &Testbed) -> String {
    ask(bed, None).unwrap().body["value"].as_str().unwrap().to_owned()
}

/// A call of an AWS Query or JSON service, signed with a key or not: status and body.
fn aws(bed: &Testbed, key: &str, target: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(bed.endpoint().trim_start_matches("http://")).unwrap();
    let mut head =
        format!("POST / HTTP/1.1\r\nhost: aws\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !key.is_empty() {
        head += &format!(
            "authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/sts/aws4_request\r\n"
        );
    }
    if !target.is_empty() {
        head += &format!("x-amz-target: {target}\r\n");
    }
    stream.write_all((head + "\r\n" + body).as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text[9..12].parse().unwrap(), text)
}

/// AssumeRoleWithWebIdentity, unsigned.
fn assume(bed: &Testbed, token: &str, more: &str) -> (u16, String) {
    let name = if more.contains("RoleSessionName") { "" } else { "&RoleSessionName=run-1" };
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}&WebIdentityToken={token}{name}{more}"
    );
    aws(bed, "", "", &form)
}

/// The text of an XML element.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split_once(&format!("<{name}>")).unwrap().1;
    rest.split_once('<').unwrap().0
}

/// Status and code of a refusal.
fn code(answer: &(u16, String)) -> (u16, &str) {
    (answer.0, element(&answer.1, "Code"))
}

/// A testbed whose role trusts the repository's main branch.
fn trusting() -> Testbed {
    let bed = start();
    let subjects =
        ["repo:octo-org/octo-repo:ref:refs/heads/main", "repo:octo-org@65/octo-repo@74:environment:*"];
    bed.world(|world| world.sts.role(ROLE, "sts.amazonaws.com", &subjects, 3600));
    bed
}

#[test]
fn a_run_gets_tokens() {
    let bed = start();
    let answer = ask(&bed, None).unwrap();
    let value = answer.body["value"].as_str().unwrap();
    assert_eq!((answer.status, value.split('.').count()), (200, 3));
    assert_eq!(answer.body["count"], value.len());
    assert_eq!(ask(&bed, Some("wrong")).unwrap().status, 401);
    assert_eq!(ask(&bed, Some("")).unwrap().status, 401);
    let calls = bed.oidc_calls();
    assert!(calls[0].query.ends_with("&audience=sts.amazonaws.com"));
    assert_eq!((calls.len(), bed.github_calls().len(), calls[1].status), (3, 0, 401));
    bed.github_fault(GitHubFault::on("GET", "*/idtoken", GitHubEffect::Answer(500, json!({}))).times(1));
    bed.github_fault(GitHubFault::on("GET", "*/idtoken", GitHubEffect::DropBefore).nth(2..=2));
    assert_eq!(ask(&bed, None).unwrap().status, 500);
    assert!(ask(&bed, None).is_err());
    bed.set_oidc_down(true);
    assert!(ask(&bed, None).is_err());
    bed.set_oidc_down(false);
    assert_eq!(ask(&bed, None).unwrap().status, 200);
}

#[test]
fn a_token_opens_the_role_that_trusts_it() {
    let bed = trusting();
    let answer = assume(&bed, &token(&bed), "&DurationSeconds=900");
    assert_eq!(answer.0, 200, "{}", answer.1);
    let arn = "arn:aws:sts::123456789012:assumed-role/deploy/run-1";
    assert_eq!(element(&answer.1, "Arn"), arn);
    assert_eq!(
        element(&answer.1, "SubjectFromWebIdentityToken"),
        "repo:octo-org/octo-repo:ref:refs/heads/main"
    );
    let key = element(&answer.1, "AccessKeyId");
    let who = aws(&bed, key, "", "Action=GetCallerIdentity&Version=2011-06-15").1;
    assert_eq!((element(&who, "Arn"), element(&who, "UserId")), (arn, "AROAEXAMPLEEXAMPLEEXA:run-1"));
    let fixed = aws(&bed, "AKIAIOSFODNN7EXAMPLE", "", "Action=GetCallerIdentity&Version=2011-06-15").1;
    assert_eq!(element(&fixed, "Arn"), "arn:aws:sts::123456789012:assumed-role/deploy/ci");
    let call = &bed.calls()[0];
    assert!(call.input["WebIdentityToken"].as_str().unwrap().starts_with("eyJ") && !call.write);
}

#[test]
fn both_forms_of_the_subject_are_matched() {
    let bed = trusting();
    bed.world(|world| {
        world.oidc.run_of("octo-org/octo-repo", "environment:production").with_ids();
    });
    let answer = assume(&bed, &token(&bed), "");
    let subject = "repo:octo-org@65/octo-repo@74:environment:production";
    assert_eq!(element(&answer.1, "SubjectFromWebIdentityToken"), subject);
    bed.world(|world| {
        world.oidc.run_of("octo-org/octo-repo", "environment:production");
    });
    let refused = assume(&bed, &token(&bed), "");
    assert_eq!(code(&refused), (403, "AccessDenied"));
    assert_eq!(element(&refused.1, "Message"), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

#[test]
fn tokens_are_verified() {
    let bed = trusting();
    let good = token(&bed);
    assert_eq!(code(&assume(&bed, "no.token", "")), (400, "InvalidIdentityToken"));
    assert_eq!(code(&assume(&bed, &format!("{}x", good), "")), (400, "InvalidIdentityToken"));
    let other =
        bed.world(|world| world.oidc.token("https://github.com/octo-org", std::time::SystemTime::now()));
    let refused = assume(&bed, &other, "");
    assert_eq!(
        (code(&refused).1, element(&refused.1, "Message")),
        ("InvalidIdentityToken", "Incorrect token audience")
    );
    let old = std::time::SystemTime::now() - Duration::from_secs(301);
    let old = bed.world(|world| world.oidc.token("sts.amazonaws.com", old));
    assert_eq!(code(&assume(&bed, &old, "")), (400, "ExpiredTokenException"));
    let foreign = bed.world(|world| {
        world.oidc.claims.insert("iss".to_owned(), json!("https://gitlab.com"));
        world.oidc.token("sts.amazonaws.com", std::time::SystemTime::now())
    });
    assert!(
        assume(&bed, &foreign, "")
            .1
            .contains("No OpenIDConnect provider found in your account for https://gitlab.com")
    );
    bed.world(|world| world.sts.unreachable = true);
    assert_eq!(code(&assume(&bed, &good, "")), (400, "IDPCommunicationError"));
}

#[test]
fn parameters_are_checked() {
    let bed = trusting();
    let good = token(&bed);
    for more in [
        "&DurationSeconds=899",
        "&DurationSeconds=43201",
        "&DurationSeconds=3601",
        "&RoleSessionName=a%20b",
        "&RoleSessionName=a",
    ] {
        assert_eq!(code(&assume(&bed, &good, more)), (400, "ValidationError"), "{more}");
    }
    bed.world(|world| world.sts.shortest = 1);
    assert_eq!(assume(&bed, &good, "&DurationSeconds=1").0, 200);
}

#[test]
fn sessions_end() {
    let bed = trusting();
    bed.world(|world| world.sts.lifetime = Some(Duration::from_secs(60)));
    let answer = assume(&bed, &token(&bed), "").1;
    let key = element(&answer, "AccessKeyId");
    let target = "AmazonEC2ContainerServiceV20141113.ListClusters";
    assert_eq!(aws(&bed, key, target, "{}").0, 200);
    bed.world(|world| world.sts.expire_sessions());
    let refused = aws(&bed, key, target, "{}");
    assert!(refused.0 == 400 && refused.1.contains("\"__type\":\"ExpiredTokenException\""), "{refused:?}");
    let refused = aws(&bed, key, "", "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(code(&refused), (403, "ExpiredToken"));
    let stranger = "ASIATESTBED999999999";
    assert!(aws(&bed, stranger, target, "{}").1.contains("UnrecognizedClientException"));
    let refused = aws(&bed, stranger, "", "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(code(&refused), (403, "InvalidClientTokenId"));
    assert_eq!(aws(&bed, "ASIAOTHER", target, "{}").0, 200);
}
