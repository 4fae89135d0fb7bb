//! GitHub's data about the run. Used for display, and for the branch; for no other decision.

use super::commands::strip_control_chars;
use super::env::Environment;

/// The known data about the run. All texts are one line without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// `owner/name`.
    pub(crate) repository: Option<String>,
    /// The commit, hexadecimal.
    pub(crate) sha: Option<String>,
    /// In a run for a pull request, the pull request's newest commit, hexadecimal. `sha` is then GitHub's test merge,
    /// which belongs to no pull request.
    pub(crate) head: Option<String>,
    /// The short name of the branch or tag, or `12/merge` for a pull request.
    pub(crate) ref_name: Option<String>,
    /// `branch` or `tag`.
    pub(crate) ref_type: Option<String>,
    /// The branch of the pull request; only in runs for a pull request.
    pub(crate) head_ref: Option<String>,
    /// The number of the run, in digits.
    pub(crate) run_id: Option<String>,
    /// The attempt of the run, in digits, from 1.
    pub(crate) attempt: Option<String>,
    /// The user who started the run.
    pub(crate) actor: Option<String>,
    /// GitHub's address, such as `https://github.com`.
    pub(crate) server_url: Option<String>,
    /// True if the run is for a pull request from a fork, or may be.
    pub(crate) is_fork: bool,
    /// The name of the event.
    pub(crate) event_name: Option<String>,
    /// The name of the workflow.
    pub(crate) workflow: Option<String>,
    /// True if the job was started with debug logging.
    pub(crate) debug: bool,
    /// True if the log must have no colors (<https://no-color.org>).
    pub(crate) no_color: bool,
}

impl Context {
    /// Sets the commit of the run, and the branch if named.
    pub(crate) fn is_about(&mut self, head: Option<String>, branch: Option<String>) {
        self.head = head;
        self.head_ref = branch.map(|branch| first_line(&branch)).or(self.head_ref.take());
    }

    /// Reads the variables that the runner sets.
    pub(crate) fn new(env: &Environment) -> Self {
        let text = |name: &str| env.var(name).map(first_line).filter(|value| !value.is_empty());
        let digits = |name: &str| text(name).filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
        Context {
            repository: text("GITHUB_REPOSITORY").filter(|name| is_repository(name)),
            sha: text("GITHUB_SHA").filter(|sha| sha.bytes().all(|b| b.is_ascii_hexdigit())),
            head: None,
            ref_name: text("GITHUB_REF_NAME"),
            ref_type: text("GITHUB_REF_TYPE"),
            head_ref: text("GITHUB_HEAD_REF"),
            run_id: digits("GITHUB_RUN_ID"),
            attempt: digits("GITHUB_RUN_ATTEMPT"),
            actor: text("GITHUB_ACTOR"),
            server_url: text("GITHUB_SERVER_URL").filter(|url| is_server(url)),
            is_fork: false,
            event_name: text("GITHUB_EVENT_NAME"),
            workflow: text("GITHUB_WORKFLOW"),
            debug: env.var("RUNNER_DEBUG") == Some("1"),
            no_color: env.var("NO_COLOR").is_some(),
        }
    }

    /// The commit of the run.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.head.as_deref().or(self.sha.as_deref())
    }

    /// The branch or tag of the run; for a pull request, its source branch.
    pub(crate) fn branch(&self) -> Option<&str> {
        self.head_ref.as_deref().or(self.ref_name.as_deref())
    }

    /// The page of this attempt of the run.
    pub(crate) fn run_url(&self) -> Option<String> {
        let (server, repository, run) =
            (self.server_url.as_ref()?, self.repository.as_ref()?, self.run_id.as_ref()?);
        let attempt = self.attempt.as_ref().map_or(String::new(), |attempt| format!("/attempts/{attempt}"));
        Some(format!("{server}/{repository}/actions/runs/{run}{attempt}"))
    }
}

/// The first 255 characters of the first line.
pub(crate) fn first_line(value: &str) -> String {
    strip_control_chars(value).lines().next().unwrap_or_default().chars().take(255).collect()
}

/// `owner/name` in GitHub's letters.
fn is_repository(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    name.split_once('/').is_some_and(|(owner, name)| plain(owner) && plain(name))
}

/// A web address without characters that could end a Markdown link.
fn is_server(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::env::Entry;

    #[test]
    fn the_run_and_its_pages_are_known() {
        let env = Environment::new(
            Entry::Main,
            &[
                ("GITHUB_REPOSITORY", "octo/shop"),
                ("GITHUB_SHA", "0a1b2c"),
                ("GITHUB_SERVER_URL", "https://ghe.example.com:8443"),
                ("GITHUB_RUN_ID", "42"),
                ("GITHUB_RUN_ATTEMPT", "2"),
                ("RUNNER_DEBUG", "1"),
                ("NO_COLOR", "1"),
            ],
        );
        let context = Context::new(&env);
        let run = "https://ghe.example.com:8443/octo/shop/actions/runs/42/attempts/2";
        assert_eq!(context.run_url().as_deref(), Some(run));
        assert!(context.debug && context.no_color);
    }

    #[test]
    fn nothing_is_needed_and_nothing_is_believed() {
        assert_eq!(Context::new(&Environment::new(Entry::Main, &[])), Context::default());
        let env = Environment::new(
            Entry::Main,
            &[
                ("GITHUB_REPOSITORY", "octo/shop](x)"),
                ("GITHUB_SHA", "main"),
                ("GITHUB_RUN_ID", "4 2"),
                ("GITHUB_SERVER_URL", "javascript:alert(1)"),
                ("GITHUB_WORKFLOW", "De\u{1b}[1mploy\n::error::x"),
            ],
        );
        let wanted = Context { workflow: Some("De[1mploy".to_owned()), ..Context::default() };
        assert_eq!(Context::new(&env), wanted);
    }
}
