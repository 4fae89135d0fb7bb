//! The inputs about GitHub, with the matching parts of the event and the config file.

use super::env::Environment;
use super::input_reader::InputReader;
use super::inputs::CommandName;
use super::place::File;
use crate::config::kinds::{self, quote_value};
use crate::feedback::LabelStyle;
use crate::plan::wanted::{AppPlace, Text};

/// The content for GitHub, and its style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GithubSettings {
    /// The token; none if not given.
    pub(crate) token: Option<Text>,
    /// True if the action keeps a comment.
    pub(crate) comment: bool,
    /// True if the action keeps labels.
    pub(crate) labels: bool,
    /// True if the action keeps a GitHub deployment and a commit status.
    pub(crate) deployments: bool,
    /// The pull request, if named.
    pub(crate) pull_request: Option<u64>,
    /// The app's name on GitHub.
    pub(crate) app: String,
    /// The style of labels. The prefix is empty if the config file sets none.
    pub(crate) style: LabelStyle,
    /// The prefix of labels in the config file.
    pub(crate) prefix: Option<String>,
    /// The workflow that users start manually, if the config file names one.
    pub(crate) workflow: Option<String>,
}

impl GithubSettings {
    /// True if the action posts anything.
    pub(crate) fn wants_anything(&self) -> bool {
        self.comment || self.labels || self.deployments
    }
}

/// Reads the inputs. None if an input is wrong, which is noted.
pub(crate) fn read_github_inputs(
    edge: &mut InputReader<'_>,
    file: &File,
    place: Option<&AppPlace>,
) -> Option<GithubSettings> {
    let posts = edge.command != CommandName::Doctor;
    let comment = edge.parsed("comment", kinds::parse_boolean);
    let labels = edge.parsed("labels", kinds::parse_boolean);
    let deployments = edge.parsed("deployments", kinds::parse_boolean);
    let before = edge.problems.len();
    let pull_request = edge.parsed("pull-request", parse_pull_number);
    let token = edge.env.input("token").map(parse_token).transpose();
    let token = token.map_err(|what| edge.problem("token", what)).ok().flatten();
    if edge.problems.len() > before {
        return None;
    }
    let app = file.app.as_ref().map(|(name, _)| name.clone());
    let style = file.app.as_ref().and_then(|(_, app)| app.labels.clone()).unwrap_or_default();
    let blue = place.map(|place| place.blue.as_str()).unwrap_or_default();
    Some(GithubSettings {
        token,
        comment: comment? && posts,
        labels: labels? && posts,
        deployments: deployments? && posts,
        pull_request,
        app: app.unwrap_or_else(|| service_stem(blue)),
        style: style.style,
        prefix: style.prefix,
        workflow: file.config.workflow.clone(),
    })
}

/// A token, never shown. A text that is invalid in an HTTP header is no token.
fn parse_token(value: &str) -> Result<Text, String> {
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Text::new(value));
    }
    Err("is not a token: it holds spaces, line breaks or letters outside of ASCII".to_owned())
}

/// The number of a pull request.
fn parse_pull_number(value: &str) -> Result<u64, String> {
    match value.trim_start_matches('#').parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => Err(format!("{} is not the number of a pull request", quote_value(value))),
    }
}

/// The services' name without the color: `web` of `web-blue`.
fn service_stem(blue: &str) -> String {
    let name = blue.rsplit('/').next().unwrap_or(blue);
    let end = ["-blue", "_blue"].iter().find_map(|end| name.strip_suffix(end));
    let start = || ["blue-", "blue_"].iter().find_map(|start| name.strip_prefix(start));
    end.or_else(start).filter(|stem| !stem.is_empty()).unwrap_or(name).to_owned()
}

/// The event that started the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunEvent {
    /// The number of the event's pull request.
    pub(crate) pull_request: Option<u64>,
    /// The newest commit of that pull request, or the commit of the workflow run that started this run. The run's own
    /// commit would be GitHub's test merge, or the newest commit of the default branch.
    pub(crate) head: Option<String>,
    /// The branch of that commit, if named by the event and different from the run's.
    pub(crate) branch: Option<String>,
    /// True if that pull request comes from another repository.
    pub(crate) fork: bool,
    /// The file of the workflow and the names of its inputs, if a user started the workflow manually.
    pub(crate) dispatched: Option<(String, Vec<String>)>,
}

impl RunEvent {
    /// Reads the event's file; a missing or unexpected file yields no data.
    pub(crate) fn read(env: &Environment, read_file: super::input_reader::ReadFile<'_>) -> RunEvent {
        let path = env.var("GITHUB_EVENT_PATH").map(std::path::Path::new);
        let text = path.and_then(|path| read_file(path).ok()).unwrap_or_default();
        let by_hand = env.var("GITHUB_EVENT_NAME") == Some("workflow_dispatch");
        let file = env.var("GITHUB_WORKFLOW_REF").filter(|_| by_hand).and_then(file_of);
        RunEvent::parse(&text, file)
    }

    /// Reads the event's JSON.
    fn parse(text: &str, file: Option<String>) -> RunEvent {
        let event: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let pull = &event["pull_request"];
        let issue = &event["issue"];
        let of_issue = issue["number"].as_u64().filter(|_| issue["pull_request"].is_object());
        let started = &event["workflow_run"];
        let sha = pull["head"]["sha"].as_str().or(started["head_sha"].as_str());
        let of_run = started["pull_requests"][0]["number"].as_u64();
        let (head, base) = match started.is_object() {
            true => (&started["head_repository"]["full_name"], &started["repository"]["full_name"]),
            false => (&pull["head"]["repo"]["full_name"], &pull["base"]["repo"]["full_name"]),
        };
        let inputs = event["inputs"].as_object().map(|all| all.keys().cloned().collect());
        RunEvent {
            pull_request: pull["number"].as_u64().or(of_issue).or(of_run),
            head: sha
                .filter(|sha| !sha.is_empty() && sha.bytes().all(|b| b.is_ascii_hexdigit()))
                .map(str::to_owned),
            branch: started["head_branch"].as_str().map(str::to_owned),
            fork: base.is_string() && head != base,
            dispatched: file.map(|file| (file, inputs.unwrap_or_default())),
        }
    }
}

/// The name of the file in `owner/name/.github/workflows/FILE@REF`.
fn file_of(reference: &str) -> Option<String> {
    let (_, rest) = reference.split_once("/.github/workflows/")?;
    let file = rest.split('@').next().unwrap_or_default();
    kinds::workflow_file(file).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_app_without_a_name_is_called_after_its_services() {
        let table = [
            ("web-blue", "web"),
            ("blue_api", "api"),
            ("arn:aws:ecs:eu-west-1:123456789012:service/shop/web-blue", "web"),
            ("first", "first"),
            ("-blue", "-blue"),
        ];
        for (service, app) in table {
            assert_eq!(service_stem(service), app);
        }
    }

    #[test]
    fn an_event_is_believed_as_far_as_it_goes() {
        let pull = |head: &str| {
            json!({ "pull_request": { "number": 7, "head": { "sha": "0a1b", "repo": { "full_name": head } },
                "base": { "repo": { "full_name": "octo/shop" } } } })
            .to_string()
        };
        let own = RunEvent { pull_request: Some(7), head: Some("0a1b".to_owned()), ..RunEvent::default() };
        assert_eq!(RunEvent::parse(&pull("octo/shop"), None), own);
        assert_eq!(RunEvent::parse(&pull("fork/shop"), None), RunEvent { fork: true, ..own });
        let comment = json!({ "issue": { "number": 8, "pull_request": {} } }).to_string();
        assert_eq!(RunEvent::parse(&comment, None).pull_request, Some(8));
        let issue = json!({ "issue": { "number": 8 } }).to_string();
        assert_eq!(RunEvent::parse(&issue, None), RunEvent::default());
        assert_eq!(RunEvent::parse("no JSON", None), RunEvent::default());
        let button = json!({ "inputs": { "color": "green", "command": "deploy" } }).to_string();
        let dispatched = RunEvent::parse(&button, Some("x.yml".to_owned())).dispatched;
        assert_eq!(dispatched, Some(("x.yml".to_owned(), vec!["color".to_owned(), "command".to_owned()])));
    }

    #[test]
    fn the_workflow_is_known_by_its_file() {
        let file = file_of("octo/shop/.github/workflows/redirect.yml@refs/heads/main");
        assert_eq!(file.as_deref(), Some("redirect.yml"));
        assert_eq!(file_of("octo/shop/.github/workflows/a;b.yml@x"), None);
        assert_eq!(file_of("nonsense"), None);
    }

    #[test]
    fn a_pull_request_has_a_number() {
        assert_eq!(parse_pull_number("12"), Ok(12));
        assert_eq!(parse_pull_number("#12"), Ok(12));
        assert!(
            parse_pull_number("0").is_err()
                && parse_pull_number("x").is_err()
                && parse_pull_number("-1").is_err()
        );
    }
}
