//! The part of GitHub's REST API that a deploy action needs, imitated from GitHub's documentation.
//!
//! One listener accepts both forms of the address: bare, like `api.github.com`, and below `/api/v3`, like an Enterprise
//! Server.

mod access;
mod answer;
mod ask;
mod body;
mod comments;
mod compare;
mod deployments;
mod faults;
mod labels;
mod limits;
mod model;
mod page;
mod pulls;
mod record;
mod repos;
mod route;
pub mod sample;
mod shapes;
mod site;
mod statuses;

pub use access::{Level, Permissions, Token};
pub use answer::Refusal;
pub use deployments::{Deployment, DeploymentStatus};
pub(crate) use faults::glob;
pub use faults::{GitHubEffect, GitHubFault};
pub use model::{Branches, Comment, Commit, Issue, Label, Repository, User};
pub use record::GitHubCall;
pub(crate) use site::serve;
pub use statuses::Status;

use answer::{Answer, Outcome};
pub(crate) use ask::Ask;
use ask::Caller;
use limits::Limit;
use record::Record;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Notify;

/// A host of GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// The REST API.
    Api = 0,
    /// The source of a workflow run's OpenID Connect tokens.
    Oidc = 1,
}

/// The state of a host.
#[derive(Debug)]
pub(crate) struct Host {
    /// True if the host should be down.
    pub(crate) down: bool,
    /// True if a listener has the port.
    pub(crate) listening: bool,
    /// Notifies the listener of a changed `down`.
    pub(crate) changed: Arc<Notify>,
}

impl Host {
    /// A host that is up.
    fn up() -> Self {
        Self { down: false, listening: true, changed: Arc::default() }
    }
}

/// An answer to send.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// All headers except the date and the length.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Reply {
    /// JSON in GitHub's form.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Answer { status, ..Answer::ok(body.clone()) }.into()
    }

    /// A page of HTML, like a proxy in front of GitHub.
    pub(crate) fn html(status: u16) -> Self {
        let body = "<html>\r\n<head><title>Unicorn!</title></head>\r\n<body>\r\n\
                    <p>We had issues producing the response to your request.</p>\r\n</body>\r\n</html>\r\n";
        Self { status, headers: vec![("content-type", "text/html".to_owned())], body: body.to_owned() }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let mut headers = answer.headers;
        if answer.body.is_some() {
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
        }
        Self {
            status: answer.status,
            headers,
            body: answer.body.map(|body| body.to_string()).unwrap_or_default(),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        refusal.into_answer().into()
    }
}

/// The simulated GitHub.
pub struct GitHub {
    /// Repositories.
    pub repositories: Vec<Repository>,
    /// Tokens.
    pub tokens: Vec<Token>,
    /// Most new content that a token may create in a minute; 80 on GitHub.
    pub writes_a_minute: usize,
    /// The hosts, by `Site`.
    pub(crate) hosts: [Host; 2],
    /// Every request so far.
    record: Record,
    /// Deliberate faults.
    faults: Vec<GitHubFault>,
}

impl Default for GitHub {
    /// No repositories and no tokens.
    fn default() -> Self {
        Self {
            repositories: Vec::new(),
            tokens: Vec::new(),
            writes_a_minute: 80,
            hosts: [Host::up(), Host::up()],
            record: Record::default(),
            faults: Vec::new(),
        }
    }
}

impl GitHub {
    /// The repository of this name, created public and empty if missing.
    pub fn repository(&mut self, owner: &str, name: &str) -> &mut Repository {
        let at = self.position(owner, name).unwrap_or_else(|| {
            let id = 700_000_000 + self.repositories.len() as u64;
            self.repositories.push(Repository::new(owner, name, id));
            self.repositories.len() - 1
        });
        &mut self.repositories[at]
    }

    /// Creates a token of a workflow run; `of_user` on the result turns the token into a person's. The name is for the
    /// record.
    pub fn token(&mut self, name: &str, secret: &str, permissions: Permissions) -> &mut Token {
        self.tokens.retain(|token| token.secret != secret && token.name != name);
        self.tokens.push(Token::of_actions(name, secret, permissions));
        let last = self.tokens.len() - 1;
        &mut self.tokens[last]
    }

    /// The requests to one host, in order of arrival.
    pub(crate) fn calls(&self, site: Site) -> Vec<GitHubCall> {
        self.record.calls.iter().filter(|call| call.site == site).cloned().collect()
    }

    /// Forgets the requests so far; numbers continue.
    pub(crate) fn clear_calls(&mut self) {
        self.record.calls.clear();
    }

    /// Adds a fault.
    pub(crate) fn fault(&mut self, fault: GitHubFault) {
        self.faults.push(fault);
    }

    /// Removes all faults.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Carries out one request.
    fn handle(&mut self, ask: &Ask) -> Reply {
        if ask.agent.is_empty() {
            let body = "\r\nRequest forbidden by administrative rules. Please make sure your request has a \
                        User-Agent header.\r\n";
            let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
            return Reply { status: 403, headers, body: body.to_owned() };
        }
        let reply = self.carry_out(ask).map_or_else(Reply::from, Reply::from);
        self.with_limits(ask, reply)
    }

    /// The headers of every answer of the API.
    fn with_limits(&self, ask: &Ask, mut reply: Reply) -> Reply {
        let limit = self.token_of(ask).map_or_else(Limit::anonymous, Limit::of);
        reply.headers.extend(limit.headers());
        reply.headers.push(("x-github-media-type", "github.v3; format=json".to_owned()));
        reply.headers.push(("x-github-request-id", format!("C0DE:1A2B:{:06X}", self.record.last())));
        reply
    }

    /// The checks in GitHub's order: the caller, the rate, the visibility of the repository, the token's permission;
    /// then the operation.
    fn carry_out(&mut self, ask: &Ask) -> Outcome {
        let token = self.token_of(ask).cloned();
        if ask.secret.is_some() && token.is_none() {
            return Err(Refusal::new(401, "Bad credentials"));
        }
        let parts: Vec<&str> = ask.parts.iter().map(String::as_str).collect();
        if parts == ["rate_limit"] {
            return Ok(Answer::ok(token.as_ref().map_or_else(Limit::anonymous, Limit::of).json()));
        }
        if let Some(token) = &token {
            self.count(&token.secret, ask)?;
        }
        if parts == ["graphql"] {
            return viewer(token.as_ref(), ask);
        }
        if parts == ["user"] {
            // An app's token has no user that this could name.
            return match &token {
                Some(token) if !token.app => Ok(Answer::ok(shapes::user(ask, &token.user))),
                Some(_) => Err(Refusal::new(403, "Resource not accessible by integration")),
                None => Err(Refusal::new(401, "Requires authentication")),
            };
        }
        let ["repos", owner, name, rest @ ..] = parts.as_slice() else { return Err(Refusal::not_found()) };
        let at = self.position(owner, name).ok_or_else(Refusal::not_found)?;
        let of = &mut self.repositories[at];
        if of.private && !token.as_ref().is_some_and(|token| token.sees(&of.full_name())) {
            return Err(Refusal::not_found());
        }
        let route = route::route(&ask.method, rest).ok_or_else(Refusal::not_found)?;
        route.check(of, token.as_ref())?;
        if ask.malformed {
            return Err(Refusal::new(400, "Problems parsing JSON"));
        }
        (route.operation)(of, ask, &Caller { token }, route.args)
    }

    /// The position of a repository.
    fn position(&self, owner: &str, name: &str) -> Option<usize> {
        let full_name = format!("{owner}/{name}");
        self.repositories.iter().position(|of| of.full_name().eq_ignore_ascii_case(&full_name))
    }

    /// The token of a request, unless it is unknown or revoked.
    fn token_of(&self, ask: &Ask) -> Option<&Token> {
        let secret = ask.secret.as_ref()?;
        self.tokens.iter().find(|token| token.secret == *secret && !token.revoked)
    }

    /// The name of a request's token, even if revoked.
    fn name_of(&self, ask: &Ask) -> Option<String> {
        let secret = ask.secret.as_ref()?;
        self.tokens.iter().find(|token| token.secret == *secret).map(|token| token.name.clone())
    }
}

/// The only known query of GraphQL: the token's account.
fn viewer(token: Option<&Token>, ask: &Ask) -> Outcome {
    let Some(token) = token else { return Err(Refusal::new(401, "Requires authentication")) };
    let query = ask.text("query").unwrap_or_default().split_whitespace().collect::<String>();
    if query != "query{viewer{login}}" {
        let error = serde_json::json!({ "type": "undefinedField", "message": "Field doesn't exist" });
        return Ok(Answer::ok(serde_json::json!({ "errors": [error] })));
    }
    Ok(Answer::ok(serde_json::json!({ "data": { "viewer": { "login": token.user.login } } })))
}
