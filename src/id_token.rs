//! The job's OpenID Connect token, which GitHub issues to a job with the permission `id-token: write`.

use std::fmt;
use std::time::Duration;

use reqwest::Url;

use crate::clock;

/// The variable with the URL for id tokens. The runner sets this variable only with the permission.
pub(crate) const URL_VARIABLE: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// The variable with the job's own token for such requests. Set together with the URL.
pub(crate) const TOKEN_VARIABLE: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Longest time for an answer. Including retries, still shorter than the limit of an AWS call.
const LIMIT: Duration = Duration::from_secs(4);
/// The waits before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];
/// Time after which no further attempt starts.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of an answer that are read. A token has about 2,000.
const BODY_LIMIT: usize = 64 * 1024;

/// Requests id tokens of this job from GitHub. Each token lasts a few minutes, so every use gets a new token.
#[derive(Clone)]
pub(crate) struct IdTokens {
    /// Follows no redirects: the bearer token goes only to GitHub.
    client: reqwest::Client,
    /// GitHub's endpoint, which already has a query.
    url: String,
    /// The job's own token.
    bearer: String,
}

impl fmt::Debug for IdTokens {
    /// Formats without the job's token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokens")
    }
}

/// Reason for a missing token. Never holds a token, a URL, or an answer's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoToken {
    /// GitHub answered with this HTTP status, which is no success.
    Status(u16),
    /// No answer in time.
    TimedOut,
    /// No connection, or a broken connection: the error chain.
    Unreachable(String),
    /// A successful status, but a body without a token.
    NotAToken,
}

impl NoToken {
    /// True if another attempt may succeed.
    fn is_transient(&self) -> bool {
        match self {
            NoToken::Status(status) => *status >= 500 || *status == 429,
            NoToken::Unreachable(_) | NoToken::NotAToken => true,
            NoToken::TimedOut => false,
        }
    }
}

impl IdTokens {
    /// Access to a job's tokens.
    pub(crate) fn new(client: reqwest::Client, url: &str, bearer: &str) -> Self {
        IdTokens { client, url: url.to_owned(), bearer: bearer.to_owned() }
    }

    /// A new token for this audience. A passing failure is retried up to twice within a few seconds.
    pub(crate) async fn mint(&self, audience: &str) -> Result<String, NoToken> {
        let began = clock::now();
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.ask(audience).await;
            match (&answer, pauses.next()) {
                (Err(why), Some(pause)) if why.is_transient() && clock::now().since(began) < PATIENCE => {
                    clock::sleep(pause).await;
                }
                _ => return answer,
            }
        }
    }

    /// Sends a request.
    async fn ask(&self, audience: &str) -> Result<String, NoToken> {
        let mut url = Url::parse(&self.url).map_err(|error| NoToken::Unreachable(error.to_string()))?;
        url.query_pairs_mut().append_pair("audience", audience);
        let request = self.client.get(url).bearer_auth(&self.bearer).timeout(LIMIT);
        let mut response = request.send().await.map_err(token_failure)?;
        if !response.status().is_success() {
            return Err(NoToken::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(token_failure)? {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_LIMIT {
                return Err(NoToken::NotAToken);
            }
        }
        parse_token(&body).ok_or(NoToken::NotAToken)
    }
}

/// The token in GitHub's answer, `{"value": "…"}`.
fn parse_token(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let token = answer.get("value")?.as_str()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.=".contains(&b);
    (!token.is_empty() && token.bytes().all(plain)).then(|| token.to_owned())
}

/// Reason for an incomplete answer.
fn token_failure(error: reqwest::Error) -> NoToken {
    if error.is_timeout() {
        return NoToken::TimedOut;
    }
    let error = error.without_url();
    let first: &(dyn std::error::Error + 'static) = &error;
    let causes = std::iter::successors(Some(first), |cause| cause.source());
    NoToken::Unreachable(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::tests::server::{Answer, Request, Server};

    /// What a job that asks this server gets.
    async fn minted(
        query: &str,
        script: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> (Result<String, NoToken>, Vec<Request>) {
        let server = Server::start(script).await;
        let client = crate::http::build_client("42").unwrap();
        let tokens = IdTokens::new(client, &format!("{}/token{query}", server.url), "job-token");
        (tokens.mint("sts.amazonaws.com").await, server.requests())
    }

    /// A good answer.
    fn good() -> Answer {
        Answer::Json(200, r#"{"count": 5, "value": "aaa.bbb.ccc"}"#.to_owned())
    }

    #[tokio::test]
    async fn the_job_asks_with_its_token_for_the_audience() {
        for (query, line) in [
            ("?api-version=2.0", "GET /token?api-version=2.0&audience=sts.amazonaws.com HTTP/1.1"),
            ("", "GET /token?audience=sts.amazonaws.com HTTP/1.1"),
        ] {
            let (token, requests) = minted(query, |_, _| good()).await;
            assert_eq!(token.as_deref(), Ok("aaa.bbb.ccc"));
            assert_eq!(requests[0].head.lines().next(), Some(line));
            assert_eq!(requests[0].header("authorization"), Some("Bearer job-token"));
            assert!(requests[0].header("user-agent").is_some_and(|agent| agent.contains("(run 42)")));
        }
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_what_can_not_is_not() {
        let table: [(u16, &str, usize, NoToken); 6] = [
            (401, "no", 1, NoToken::Status(401)),
            (302, "moved", 1, NoToken::Status(302)),
            (503, "down", 3, NoToken::Status(503)),
            (429, "slow down", 3, NoToken::Status(429)),
            (200, "<html>proxy</html>", 3, NoToken::NotAToken),
            (200, r#"{"value": "a\n::error::x"}"#, 3, NoToken::NotAToken),
        ];
        for (status, body, calls, why) in table {
            let body = body.to_owned();
            let (token, requests) = minted("?a=b", move |_, _| Answer::Text(status, body.clone())).await;
            assert_eq!((token, requests.len()), (Err(why), calls), "{status}");
        }
        let (token, requests) =
            minted("?a=b", |_, number| if number < 3 { Answer::Drop } else { good() }).await;
        assert_eq!((token.as_deref(), requests.len()), (Ok("aaa.bbb.ccc"), 3));
    }

    #[tokio::test]
    async fn an_endpoint_that_says_nothing_is_timed_out_after_one_attempt() {
        let (token, requests) = minted("?a=b", |_, _| Answer::Hang).await;
        assert_eq!((token, requests.len()), (Err(NoToken::TimedOut), 1));
    }

    #[tokio::test]
    async fn a_wrong_address_or_token_is_an_error_and_tells_neither() {
        let client = crate::http::build_client("42").unwrap();
        for (url, bearer) in [("not a url", "job-token"), ("http://127.0.0.1:9/secret-path", "job\ntoken")] {
            let tokens = IdTokens::new(client.clone(), url, bearer);
            let Err(NoToken::Unreachable(why)) = tokens.mint("a").await else { panic!("{url}") };
            assert!(!why.contains("job") && !why.contains("secret"), "{why}");
            assert_eq!(format!("{tokens:?}"), "IdTokens");
        }
    }
}
