//! What starts a workflow: a push, a pull request, a person, the clock.

use serde_json::{Value, json};
use testbed::Testbed;

/// The repository.
pub(crate) const REPOSITORY: &str = "shop/web";
/// The number of the pull request.
const PULL: u64 = 7;
/// The branch that it comes from.
const BRANCH: &str = "feature/cart";

/// An event, as the runner tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Such as `push`.
    pub(crate) name: &'static str,
    /// The commit of the run.
    pub(crate) sha: String,
    /// Such as `refs/heads/main`.
    pub(crate) reference: String,
    /// The branch of the pull request.
    pub(crate) head: &'static str,
    /// The event's JSON.
    pub(crate) payload: Value,
    /// The inputs that somebody gave.
    pub(crate) inputs: Value,
}

/// A commit made of one digit.
pub(crate) fn commit(digit: u8) -> String {
    digit.to_string().repeat(40)
}

impl Event {
    /// A push of this commit to a branch. Pull request 7 is merged as it.
    pub(crate) fn push(bed: &Testbed, branch: &str, digit: u8) -> Self {
        Self::on(bed, "push", branch, digit)
    }

    /// A person, on `main`, with these inputs.
    pub(crate) fn by_hand(bed: &Testbed, inputs: Value) -> Self {
        let event = Self::on(bed, "workflow_dispatch", "main", 1);
        Self { payload: json!({ "inputs": inputs }), inputs, ..event }
    }

    /// The clock, on `main`.
    pub(crate) fn schedule(bed: &Testbed) -> Self {
        Self::on(bed, "schedule", "main", 1)
    }

    /// Something on a branch of a private repository; a merge of pull request 7 brought its commit there.
    fn on(bed: &Testbed, name: &'static str, branch: &str, digit: u8) -> Self {
        let sha = commit(digit);
        bed.world(|world| {
            let of = world.github.repository("shop", "web").private();
            of.branch(branch, &sha);
            of.pull(PULL, &commit(9), BRANCH, branch).merge(&sha);
        });
        let reference = format!("refs/heads/{branch}");
        Self { name, sha, reference, head: "", payload: json!({}), inputs: json!({}) }
    }

    /// Pull request 7 with these labels, from this repository.
    pub(crate) fn pull_request(bed: &Testbed, digit: u8, labels: &[&str]) -> Self {
        let (head, merge) = (commit(digit), commit(digit + 1));
        bed.world(|world| {
            let of = world.github.repository("shop", "web").private();
            of.branch(BRANCH, &head);
            of.commit(&merge);
            of.pull(PULL, &head, BRANCH, "main");
        });
        let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
        let payload = json!({ "number": PULL, "pull_request": {
            "number": PULL,
            "labels": labels,
            "head": { "sha": head, "ref": BRANCH, "repo": { "full_name": REPOSITORY } },
            "base": { "ref": "main", "repo": { "full_name": REPOSITORY } },
        } });
        let reference = format!("refs/pull/{PULL}/merge");
        Self { name: "pull_request", sha: merge, reference, head: BRANCH, payload, inputs: json!({}) }
    }

    /// The same pull request, from a fork.
    pub(crate) fn of_a_fork(&self) -> Self {
        let mut event = self.clone();
        event.payload["pull_request"]["head"]["repo"]["full_name"] = json!("mallory/web");
        event
    }

    /// Such as `main` or `7/merge`.
    fn ref_name(&self) -> &str {
        let name = self.reference.strip_prefix("refs/heads/").or(self.reference.strip_prefix("refs/pull/"));
        name.expect("a branch or a pull request")
    }

    /// The end of an id token's subject for a job; an environment comes before the rest.
    pub(crate) fn subject(&self, environment: Option<&str>) -> String {
        match environment {
            Some(name) => format!("environment:{name}"),
            None if self.name == "pull_request" => "pull_request".to_owned(),
            None => format!("ref:{}", self.reference),
        }
    }

    /// The context `github` of a job with this token.
    pub(crate) fn github(&self, token: &str) -> Value {
        json!({
            "sha": self.sha, "ref": self.reference, "ref_name": self.ref_name(), "head_ref": self.head,
            "event_name": self.name, "event": self.payload, "repository": REPOSITORY, "actor": "octocat",
            "run_id": "42", "run_attempt": "1", "token": token,
        })
    }

    /// The variables that the runner gives to a container of a job in a workflow file.
    pub(crate) fn env(&self, bed: &Testbed, file: &str) -> Vec<(String, String)> {
        let file = file.rsplit('/').next().unwrap_or(file);
        let workflow = format!("{REPOSITORY}/.github/workflows/{file}@{}", self.reference);
        let mut env = bed.github_env();
        let more = [
            ("GITHUB_SHA", self.sha.as_str()),
            ("GITHUB_REF", &self.reference),
            ("GITHUB_REF_NAME", self.ref_name()),
            ("GITHUB_REF_TYPE", "branch"),
            ("GITHUB_HEAD_REF", self.head),
            ("GITHUB_EVENT_NAME", self.name),
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_ACTOR", "octocat"),
            ("GITHUB_WORKFLOW_REF", &workflow),
        ];
        env.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        env
    }
}
