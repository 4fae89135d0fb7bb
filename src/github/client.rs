//! The client, and the meaning of its errors. No request is repeated here.

use std::error::Error;
use std::time::Duration;

use octocrab::Octocrab;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::GithubResult;
use crate::feedback::{GithubError, GithubKind};

/// Most pages to read of a list, 100 entries each. GitHub allows 2,500 comments on a pull request.
const MOST_PAGES: u32 = 30;

/// Entries of a page: GitHub's maximum.
const PAGE: usize = 100;

/// One repository, with a token. Has no `Debug`, since the token is inside.
#[derive(Clone)]
pub(crate) struct GitHub {
    /// The client of the REST API.
    crab: Octocrab,
    /// The client of the GraphQL API.
    graphql: Octocrab,
    /// `/repos/owner/name`.
    base: String,
}

/// A request's kind.
#[derive(Clone, Copy)]
enum Does {
    /// A read.
    Reads,
    /// A write.
    Writes,
}

impl GitHub {
    /// A client for a repository, `owner/name`, at this address of the API. None if an argument is invalid; a token
    /// with a line break would end the process inside the client. Must be called on a tokio runtime.
    pub(crate) fn new(http: reqwest::Client, api: &str, token: &str, repository: &str) -> Option<GitHub> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let client = |api: &str| {
            let builder = Octocrab::builder().base_uri(api).ok()?.personal_token(token.to_owned());
            builder.build_with_reqwest(http.clone()).ok()
        };
        let (crab, graphql) = (client(api)?, client(above_graphql(api))?);
        Some(GitHub { crab, graphql, base: format!("/repos/{repository}") })
    }

    /// Reads a path below the repository.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> GithubResult<T> {
        let route = format!("{}{path}", self.base);
        parse_read_response(self.crab.get::<serde_json::Value, _, ()>(route, None).await)
    }

    /// Reads by a query of the GraphQL API. GitHub answers a refused query with `errors` and status 200.
    pub(super) async fn query<T: DeserializeOwned>(&self, query: &str) -> GithubResult<T> {
        let body = json!({ "query": query });
        parse_read_response(self.graphql.post::<_, serde_json::Value>("/graphql", Some(&body)).await)
    }

    /// Reads a list to its end. Unreadable entries are left out. An endless list is an error, since an incomplete list
    /// could miss an entry.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &str, query: &str) -> GithubResult<Vec<T>> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!("{path}?{query}per_page={PAGE}&page={page}");
            let entries: Vec<serde_json::Value> = self.get(&path).await?;
            let last = entries.len() < PAGE;
            all.extend(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()));
            if last {
                return Ok(all);
            }
        }
        Err(unexpected_response(Does::Reads))
    }

    /// Creates an entry. If the answer leaves the effect unknown, the caller reads before anything else.
    pub(super) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> GithubResult<T> {
        let route = format!("{}{path}", self.base);
        parse_write_response(self.crab.post::<B, serde_json::Value>(route, Some(body)).await)
    }

    /// Changes an entry.
    pub(super) async fn patch<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> GithubResult<T> {
        let route = format!("{}{path}", self.base);
        parse_write_response(self.crab.patch::<serde_json::Value, _, B>(route, Some(body)).await)
    }

    /// Removes an entry; a missing entry is a success.
    pub(super) async fn delete(&self, path: &str) -> GithubResult<()> {
        let route = format!("{}{path}", self.base);
        // The body does not matter: GitHub returns none, or the remaining entries.
        let answer = match self.crab._delete(route, None::<&()>).await {
            Ok(answer) => octocrab::map_github_error(answer).await.map(drop),
            Err(error) => Err(error),
        };
        match answer.map_err(|error| classify_error(&error, Does::Writes)) {
            Ok(()) => Ok(()),
            Err(trouble) if trouble.kind == GithubKind::NotFound => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }
}

/// Base address of `/graphql`: the REST API's, on an Enterprise Server without the version. Source: GitHub's docs,
/// "Forming calls with GraphQL": `https://HOST/api/graphql`, while REST has `https://HOST/api/v3`.
fn above_graphql(api: &str) -> &str {
    let api = api.trim_end_matches('/');
    if api.ends_with("/api/v3") { api.trim_end_matches("/v3") } else { api }
}

/// The answer to a read.
fn parse_read_response<T: DeserializeOwned>(answer: octocrab::Result<serde_json::Value>) -> GithubResult<T> {
    let value = answer.map_err(|error| classify_error(&error, Does::Reads))?;
    serde_json::from_value(value).map_err(|_| unexpected_response(Does::Reads))
}

/// The answer to a write.
fn parse_write_response<T: DeserializeOwned>(answer: octocrab::Result<serde_json::Value>) -> GithubResult<T> {
    let value = answer.map_err(|error| classify_error(&error, Does::Writes))?;
    serde_json::from_value(value).map_err(|_| unexpected_response(Does::Writes))
}

/// An answer that could not be read.
fn unexpected_response(does: Does) -> GithubError {
    GithubError { kind: GithubKind::Odd, status: None, effect_unknown: matches!(does, Does::Writes) }
}

/// The meaning of an error.
fn classify_error(error: &octocrab::Error, does: Does) -> GithubError {
    let writes = matches!(does, Does::Writes);
    let octocrab::Error::GitHub { source, .. } = error else {
        let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |cause| (**cause).source());
        let sent = causes.filter_map(|cause| cause.downcast_ref::<reqwest::Error>()).next();
        return match sent {
            Some(sent) if sent.is_connect() => {
                GithubError { kind: GithubKind::Down, status: None, effect_unknown: false }
            }
            Some(sent) if sent.is_timeout() => {
                GithubError { kind: GithubKind::Slow, status: None, effect_unknown: writes }
            }
            Some(_) => GithubError { kind: GithubKind::Down, status: None, effect_unknown: writes },
            None => unexpected_response(does),
        };
    };
    let status = source.status_code.as_u16();
    let header = |name: &str| {
        let value = source.headers.as_ref()?.get(name)?.to_str().ok()?;
        value.trim().parse::<u64>().ok()
    };
    let after = header("retry-after").map(Duration::from_secs);
    let message = source.message.to_lowercase();
    let limited = status == 429
        || status == 403
            && (after.is_some()
                || header("x-ratelimit-remaining") == Some(0)
                || message.contains("rate limit"));
    let locked = message.contains("is locked") || message.contains("was archived");
    let kind = match status {
        _ if limited => GithubKind::Limited(after),
        401 => GithubKind::Unauthorized,
        403 if locked => GithubKind::Locked,
        403 => GithubKind::Forbidden,
        404 | 410 => GithubKind::NotFound,
        500.. => GithubKind::RunFailure,
        _ => GithubKind::Refused,
    };
    GithubError { kind, status: Some(status), effect_unknown: writes && status >= 500 }
}

/// A text as one part of a path.
pub(super) fn path_segment(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
