//! Where credentials come from. Each case is a child process, as the SDK reads the environment by itself.

use std::io::Write as _;

use super::server::{Answer, Request, Server, refusal};
use crate::aws::{Access, Aws, Means};
use crate::clock::now;

/// Runs in a child process: asks who the caller is and says what came of it, and after how many milliseconds.
#[tokio::test]
#[ignore = "runs in a child process with an environment of its own"]
async fn asks_who_the_caller_is() {
    let access = Access {
        means: Means::default(),
        region: "eu-west-1".to_owned(),
        app_name: "run".to_owned(),
        sign_in: None,
        trace: None,
        definitions: |_| (),
    };
    let aws = Aws::new(&access).await;
    let begun = now();
    let told = match aws.caller().await {
        Ok(caller) => format!("account {}", caller.account),
        Err(trouble) => format!("{:?} {} {}", trouble.kind, trouble.effect_unknown, trouble.message),
    };
    println!("\nanswer {} {told}", now().since(begun).as_millis());
}

/// What the child says with these variables in an otherwise empty environment.
async fn child(variables: &[(&'static str, String)]) -> (u64, String) {
    let variables = variables.to_vec();
    let run = move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["aws::tests::credentials::asks_who_the_caller_is", "--exact", "--ignored", "--nocapture"])
            .env_clear()
            .envs(variables)
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer =
        said.lines().find_map(|line| line.strip_prefix("answer ")).unwrap_or_else(|| panic!("{said}"));
    let (took, told) = answer.split_once(' ').unwrap();
    (took.parse().unwrap(), told.to_owned())
}

#[tokio::test]
async fn no_credentials_are_told_within_two_seconds() {
    let silent = Server::start(|_, _| Answer::Hang).await;
    let azure = Server::start(|_, _| Answer::Text(400, "no such thing".to_owned())).await;
    let disabled = ("AWS_EC2_METADATA_DISABLED", "true".to_owned());
    let metadata = |server: &Server| ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.clone());
    for variables in [vec![disabled, metadata(&silent)], vec![metadata(&silent)], vec![metadata(&azure)]] {
        let (took, told) = child(&variables).await;
        assert!(told.starts_with("NoCredentials false "), "{told}");
        assert!(took < 2000, "{took} ms: {told}");
    }
    assert_eq!(silent.requests().len(), 1, "asked once, and not at all where it is disabled");
}

/// STS: who the caller is, and credentials for a web identity unless its token is expired.
fn sts(request: &Request, expired: bool) -> Answer {
    let operation = request.field("Action").unwrap_or_default();
    let result = match operation.as_str() {
        "AssumeRoleWithWebIdentity" if expired => {
            return refusal(request, 400, "ExpiredTokenException", "Token expired");
        }
        "AssumeRoleWithWebIdentity" => {
            "<Credentials><AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        }
        _ => "<Arn>arn:aws:sts::123456789012:assumed-role/deploy/ci</Arn><Account>123456789012</Account>",
    };
    Answer::Xml(
        200,
        format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"),
    )
}

#[tokio::test]
async fn keys_of_the_environment_come_before_a_web_identity() {
    let server = Server::start(|request, _| sts(request, false)).await;
    let mut token = tempfile::NamedTempFile::new().unwrap();
    token.write_all(b"jwt").unwrap();
    let path = token.path().display().to_string();
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", server.url.clone()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy".to_owned()),
    ];
    assert_eq!(child(&variables).await.1, "account 123456789012");
    let key =
        |request: &Request, key: &str| request.header("authorization").is_some_and(|it| it.contains(key));
    let asked = server.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].field("Action").as_deref(), Some("AssumeRoleWithWebIdentity"));
    assert!(key(&asked[1], "ASIAWEB"), "{}", asked[1].head);

    variables.push(("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()));
    variables.push(("AWS_SECRET_ACCESS_KEY", "s".to_owned()));
    assert_eq!(child(&variables).await.1, "account 123456789012");
    let asked = server.requests();
    assert_eq!(asked.len(), 3);
    assert!(key(&asked[2], "AKIAENV"), "{}", asked[2].head);
}

#[tokio::test]
async fn an_expired_web_identity_is_expired_and_an_unreachable_one_unreachable() {
    let server = Server::start(|request, _| sts(request, true)).await;
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "jwt").unwrap();
    let with = |endpoint: &str| {
        [
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.path().display().to_string()),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy".to_owned()),
        ]
    };
    let (_, told) = child(&with(&server.url)).await;
    assert!(told.starts_with("Expired false ") && told.contains("Token expired"), "{told}");
    let dropping = Server::start(|_, _| Answer::Drop).await;
    let (_, told) = child(&with(&dropping.url)).await;
    assert!(told.starts_with("Unreachable false "), "{told}");
}
