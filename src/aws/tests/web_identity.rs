//! A role by the job's id token: GitHub and STS are one scripted server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::base64;
use aws_smithy_types::date_time::Format;

use super::server::{Answer, Request, Server, refusal};
use crate::aws::clients::{unsigned_config, with_credentials};
use crate::aws::{Access, Aws, Means, SignIn};
use crate::clock::{self, Clock, MachineClock, Sleep};
use crate::id_token::IdTokens;
use crate::plan::aws_error::{AwsError, AwsErrorKind};

/// The role of these tests.
const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// A token with these claims; the signature is a planted secret.
fn token(claims: &str) -> String {
    let body = base64::encode(claims).replace('+', "-").replace('/', "_");
    format!("eyJhbGciOiJub25lIn0.{}.Zq1plantedsignature", body.trim_end_matches('='))
}

/// The claims of a job on main, in a repository with the classic subject.
const CLAIMS: &str = r#"{"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com",
    "sub": "repo:shop/web:ref:refs/heads/main", "repository_owner_id": "17", "repository_id": "42", "é": "?>~"}"#;

/// GitHub's answer to a request for a token.
fn github(claims: &str) -> Answer {
    Answer::Json(200, format!(r#"{{"count": 9, "value": "{}"}}"#, token(claims)))
}

/// STS: the role's credentials with a life of this long, or who the caller is.
fn sts(request: &Request, number: usize, life: Duration) -> Answer {
    let operation = request.field("Action").unwrap_or_default();
    let end = DateTime::from(SystemTime::UNIX_EPOCH + Duration::from_millis(crate::clock::now().0) + life);
    let end = end.fmt(Format::DateTime).unwrap();
    let result = match operation.as_str() {
        "AssumeRoleWithWebIdentity" => format!(
            "<Credentials><AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>secret{number}</SecretAccessKey>\
             <SessionToken>session{number}</SessionToken><Expiration>{end}</Expiration></Credentials>"
        ),
        _ => "<Arn>arn:aws:sts::123456789012:assumed-role/deploy/x</Arn><Account>123456789012</Account>"
            .to_owned(),
    };
    Answer::Xml(
        200,
        format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"),
    )
}

/// Whether a request is for an id token.
fn asks_github(request: &Request) -> bool {
    request.head.starts_with("GET /id-token")
}

/// Whether a request is to assume the role.
fn assumes(request: &Request) -> bool {
    request.operation() == "AssumeRoleWithWebIdentity"
}

/// What was masked, of all tests of this process.
static MASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what is masked.
fn mask(value: &str) {
    MASKED.lock().unwrap_or_else(PoisonError::into_inner).push(value.to_owned());
}

/// Clients that assume the role at this server.
async fn aws(server: &Server) -> Aws {
    let url = format!("{}/id-token?api-version=2.0", server.url);
    let sign_in = SignIn {
        role: ROLE.to_owned(),
        audience: "sts.amazonaws.com",
        session: "ecs-blue-green-42-1".to_owned(),
        tokens: IdTokens::new(crate::http::build_client("42").unwrap(), &url, "Zq2-planted-bearer"),
        mask,
    };
    let access = Access {
        means: Means::default(),
        region: "eu-west-1".to_owned(),
        app_name: "ecs-blue-green-run-42".to_owned(),
        sign_in: Some(sign_in),
        trace: None,
        definitions: |_| (),
    };
    let config = unsigned_config(&access).await.to_builder().endpoint_url(&server.url).build();
    Aws::over(with_credentials(config, &access), None)
}

/// The run's clock, ahead of the machine's by so many seconds.
struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn now(&self) -> Duration {
        MachineClock.now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, wait: Duration) -> Sleep {
        MachineClock.sleep(wait)
    }
}

#[tokio::test]
async fn invariant_40_credentials_are_renewed_by_the_runs_clock_whatever_the_wall_clock_says() {
    let seconds = Arc::new(AtomicU64::new(0));
    clock::go_by(Arc::new(Ahead(Arc::clone(&seconds))));
    let server = Server::start(move |request, number| match asks_github(request) {
        true => github(CLAIMS),
        false => sts(request, number, Duration::from_secs(3600)),
    })
    .await;
    let aws = aws(&server).await;
    // Half an hour is half of the credentials' life.
    for (minutes, sessions) in [(0, 1), (29, 1), (31, 2), (32, 2), (59, 2), (120, 3), (121, 3)] {
        seconds.store(minutes * 60, Ordering::Relaxed);
        aws.caller().await.unwrap();
        let all = server.requests();
        assert_eq!(all.iter().filter(|request| assumes(request)).count(), sessions, "{minutes} minutes");
        let signed = all.last().and_then(|request| request.header("x-amz-date")).unwrap();
        let now =
            DateTime::from_millis(i64::try_from(clock::now().0).unwrap()).fmt(Format::DateTime).unwrap();
        assert_eq!(signed[..11], now.replace(['-', ':'], "")[..11], "signed in the same hour");
    }
    clock::go_by(Arc::new(MachineClock));
}

/// The trouble of a job whose STS refuses it, and the requests.
async fn refused(status: u16, code: &'static str, message: &'static str) -> (AwsError, Vec<Request>) {
    let server = Server::start(move |request, _| match asks_github(request) {
        true => github(CLAIMS),
        false => refusal(request, status, code, message),
    })
    .await;
    (aws(&server).await.caller().await.unwrap_err(), server.requests())
}

#[tokio::test]
async fn the_role_is_assumed_without_credentials_and_its_keys_sign_what_follows() {
    let hour = Duration::from_secs(3600);
    let server = Server::start(move |request, number| match asks_github(request) {
        true => github(CLAIMS),
        false => sts(request, number, hour),
    })
    .await;
    let aws = aws(&server).await;
    assert_eq!(aws.caller().await.unwrap().account, "123456789012");
    assert_eq!(aws.caller().await.unwrap().account, "123456789012");
    let all = server.requests();
    assert_eq!(all.len(), 4, "one token, one session, two calls");
    assert!(asks_github(&all[0]) && assumes(&all[1]));
    assert_eq!(all[1].header("authorization"), None);
    assert_eq!(all[1].field("RoleArn").as_deref(), Some(ROLE));
    assert_eq!(all[1].field("RoleSessionName").as_deref(), Some("ecs-blue-green-42-1"));
    assert_eq!(all[1].field("WebIdentityToken"), Some(token(CLAIMS)));
    let agent = all[1].header("x-amz-user-agent").or(all[1].header("user-agent")).unwrap();
    assert!(agent.contains("app/ecs-blue-green-run-42"), "{agent}");
    for signed in &all[2..] {
        assert!(
            signed.header("authorization").is_some_and(|it| it.contains("Credential=ASIA2/")),
            "{}",
            signed.head
        );
        assert_eq!(signed.header("x-amz-security-token"), Some("session2"));
    }
    let masked = MASKED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for secret in [&token(CLAIMS), "ASIA2", "secret2", "session2"] {
        assert!(masked.iter().any(|value| value == secret), "{secret} is not masked");
    }
}

#[tokio::test]
async fn credentials_are_renewed_before_their_end_and_by_a_new_token() {
    let server = Server::start(|request, number| match asks_github(request) {
        true => github(CLAIMS),
        false => sts(request, number, Duration::from_secs(3)),
    })
    .await;
    let aws = aws(&server).await;
    for _ in 0..8 {
        aws.caller().await.unwrap();
        crate::clock::sleep(Duration::from_millis(400)).await;
    }
    let all = server.requests();
    let tokens = all.iter().filter(|request| asks_github(request)).count();
    let sessions = all.iter().filter(|request| assumes(request)).count();
    assert_eq!(tokens, sessions);
    assert!((2..=8).contains(&sessions), "{sessions} sessions of 3 s in 3.2 s");
}

#[tokio::test]
async fn an_outage_or_a_refusal_of_github_does_no_harm_while_the_last_credentials_are_good() {
    for status in [503, 403] {
        let server = Server::start(move |request, number| match asks_github(request) {
            true if number == 1 => github(CLAIMS),
            true => Answer::Text(status, "no".to_owned()),
            false => sts(request, number, Duration::from_secs(10)),
        })
        .await;
        let aws = aws(&server).await;
        // Until after half of the life, when the first renewal fails.
        while server.requests().iter().filter(|request| asks_github(request)).count() < 2 {
            aws.caller().await.unwrap();
            crate::clock::sleep(Duration::from_millis(200)).await;
        }
        let last = server.requests().pop().unwrap();
        let signed = last.header("authorization").is_some_and(|it| it.contains("Credential=ASIA2/"));
        assert!(signed, "{status}: {}", last.head);
    }
}

#[tokio::test]
async fn a_role_that_does_not_trust_the_job_is_denied_with_what_the_token_says() {
    let (trouble, requests) =
        refused(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity").await;
    assert_eq!((trouble.kind, trouble.effect_unknown), (AwsErrorKind::Denied, false));
    assert_eq!((trouble.action, trouble.resource.as_str()), ("sts:AssumeRoleWithWebIdentity", ROLE));
    assert_eq!(
        trouble.message,
        "Not authorized to perform sts:AssumeRoleWithWebIdentity; the id token says \
         iss=https://token.actions.githubusercontent.com aud=sts.amazonaws.com \
         sub=repo:shop/web:ref:refs/heads/main also=repo:shop@17/web@42:ref:refs/heads/main"
    );
    assert_eq!(requests.len(), 2, "nothing is asked again, and nothing without credentials");
}

#[tokio::test]
async fn a_key_that_sts_could_not_get_is_tried_again_with_a_fresh_token() {
    for (code, refusals, calls) in [("InvalidIdentityToken", 2, 3), ("InvalidIdentityToken", 9, 4)] {
        let server = Server::start(move |request, number| {
            if asks_github(request) {
                github(&CLAIMS.replace("\"42\"", &format!("\"{number}\"")))
            } else if assumes(request) && number <= 2 * refusals {
                refusal(request, 400, code, "Couldn't retrieve verification key from your identity provider")
            } else {
                sts(request, number, Duration::from_secs(3600))
            }
        })
        .await;
        let answer = aws(&server).await.caller().await;
        let kind = answer.map(|_| ()).map_err(|trouble| trouble.kind);
        let expected = if refusals < 4 { Ok(()) } else { Err(AwsErrorKind::Unreachable) };
        assert_eq!(kind, expected, "{code}");
        let asked = server.requests();
        let mut tokens: Vec<_> =
            asked.iter().filter(|it| assumes(it)).filter_map(|it| it.field("WebIdentityToken")).collect();
        assert_eq!(tokens.len(), calls, "{code}");
        tokens.dedup();
        assert_eq!(tokens.len(), calls, "each token is used once");
    }
}

#[tokio::test]
async fn refusals_of_sts_keep_their_meaning_and_tell_no_token() {
    use AwsErrorKind::{Denied, Expired, Refused, Unreachable};
    let table: [(&str, &str, AwsErrorKind); 5] = [
        ("IDPCommunicationError", "Couldn't retrieve verification key", Unreachable),
        ("InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://x", Denied),
        ("InvalidIdentityToken", "Incorrect token audience", Denied),
        ("ExpiredTokenException", "Token expired", Expired),
        ("ValidationError", "Value Zq1plantedsignature at 'webIdentityToken' is wrong", Refused),
    ];
    for (code, message, kind) in table {
        let (trouble, _) = refused(400, code, message).await;
        assert_eq!((trouble.kind, trouble.code.as_deref()), (kind, Some(code)));
        let told = format!("{trouble:?}");
        assert!(!told.contains("Zq"), "{told}");
        assert!(trouble.message.starts_with(&message.replace("Zq1plantedsignature", "***")), "{told}");
    }
}

#[tokio::test]
async fn no_token_is_told_as_what_it_is() {
    use AwsErrorKind::{NoCredentials, Unreachable};
    let table: [(u16, &str, AwsErrorKind, &str); 4] = [
        (401, "Zq3 denied", NoCredentials, "it answered with HTTP 401"),
        (500, "Zq3 broken", Unreachable, "it answered with HTTP 500"),
        (200, "<html>Zq3</html>", Unreachable, "its answer holds no token"),
        (200, r#"{"value": ""}"#, Unreachable, "its answer holds no token"),
    ];
    for (status, body, kind, told) in table {
        let server = Server::start(move |_, _| Answer::Text(status, body.to_owned())).await;
        let trouble = aws(&server).await.caller().await.unwrap_err();
        assert_eq!((trouble.kind, trouble.message.as_str()), (kind, told));
        assert_eq!(trouble.action, "the job's id token");
        assert!(server.requests().iter().all(asks_github), "STS is not asked without a token");
    }
}

#[tokio::test]
async fn a_silent_github_is_timed_out_by_its_own_name() {
    let server = Server::start(|_, _| Answer::Hang).await;
    let trouble = aws(&server).await.caller().await.unwrap_err();
    assert_eq!((trouble.kind, trouble.action), (AwsErrorKind::TimedOut, "the job's id token"));
}

#[tokio::test]
async fn subjects_have_another_form_where_the_ids_are_known() {
    let subject = |claims: &'static str| async move {
        let server = Server::start(move |request, _| match asks_github(request) {
            true => github(claims),
            false => refusal(request, 403, "AccessDenied", "no"),
        })
        .await;
        let trouble = aws(&server).await.caller().await.unwrap_err();
        trouble.message.split(" sub=").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(
        subject(r#"{"iss": "i", "aud": "a", "sub": "repo:shop@17/web@42:environment:production"}"#).await,
        "repo:shop@17/web@42:environment:production also=repo:shop/web:environment:production"
    );
    assert_eq!(
        subject(r#"{"iss": "i", "aud": "a", "sub": "repo:shop/web:pull_request"}"#).await,
        "repo:shop/web:pull_request"
    );
    assert_eq!(subject(r#"{"iss": "i", "aud": "a", "sub": "custom"}"#).await, "custom");
    assert_eq!(subject(r#"{"iss": "i"}"#).await, "");
}

#[tokio::test]
async fn credentials_that_arrive_expired_cost_one_session_not_one_per_call() {
    let server = Server::start(move |request, number| match asks_github(request) {
        true => github(CLAIMS),
        false => sts(request, number, Duration::ZERO),
    })
    .await;
    let aws = aws(&server).await;
    for _ in 0..5 {
        aws.caller().await.unwrap();
    }
    let all = server.requests();
    let sessions = all.iter().filter(|request| assumes(request)).count();
    assert_eq!((all.len(), sessions), (7, 1), "one token, one session, five calls");
}
