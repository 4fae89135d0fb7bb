//! Deployments and their statuses.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller, number};
use super::model::{Repository, User, date};
use super::page::page;
use super::route::Args;
use super::{shapes, statuses as commit_statuses};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The states of a deployment.
const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];

/// A status of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// A unique id.
    pub id: u64,
    /// One of GitHub's seven states.
    pub state: String,
    /// At most 140 characters.
    pub description: String,
    /// The environment of the status.
    pub environment: String,
    /// The address of the deployed service.
    pub environment_url: String,
    /// The address of the log.
    pub log_url: String,
    /// The author.
    pub user: User,
    /// True if an Actions token set the status.
    pub by_app: bool,
    /// Time of the status.
    pub at: SystemTime,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// A unique id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The ref as requested.
    pub reference: String,
    /// By default `deploy`.
    pub task: String,
    /// A text or an object.
    pub payload: Value,
    /// The environment's name.
    pub environment: String,
    /// A short text.
    pub description: Option<String>,
    /// True for a temporary environment.
    pub transient: bool,
    /// True if users see the environment.
    pub production: bool,
    /// The author.
    pub user: User,
    /// True if an Actions token created the deployment.
    pub by_app: bool,
    /// Time of creation.
    pub created_at: SystemTime,
    /// Time of the last change.
    pub updated_at: SystemTime,
    /// The statuses, oldest first.
    pub statuses: Vec<DeploymentStatus>,
}

impl Deployment {
    /// The state of the newest status; empty before the first.
    pub fn state(&self) -> &str {
        self.statuses.last().map_or("", |status| status.state.as_str())
    }

    /// True if GitHub refuses to delete the deployment: any status except a success makes a deployment inactive.
    fn is_active(&self) -> bool {
        matches!(self.state(), "" | "success")
    }
}

/// `GET …/deployments`, newest first: by `sha`, `ref`, `task`, `environment`.
pub(super) fn list(of: &mut Repository, ask: &Ask, _: &Caller, _: Args) -> Outcome {
    let is =
        |name: &str, value: &str| ask.param(name).is_none_or(|wanted| wanted == "none" || wanted == value);
    let deployments = of.deployments.iter().rev().filter(|deployment| {
        is("sha", &deployment.sha)
            && is("ref", &deployment.reference)
            && is("task", &deployment.task)
            && is("environment", &deployment.environment)
    });
    Ok(page(ask, deployments.map(|deployment| deployment_json(of, ask, deployment)).collect()))
}

/// `POST …/deployments`: by default, merges the default branch into a ref that is behind, and checks the commit's
/// statuses.
pub(super) fn create(of: &mut Repository, ask: &Ask, caller: &Caller, _: Args) -> Outcome {
    let reference =
        ask.text("ref").ok_or_else(|| Refusal::invalid("Deployment", "ref", "missing_field", ""))?;
    let sha = of.resolve(reference).map(|commit| commit.sha.clone());
    let sha = sha.ok_or_else(|| Refusal::new(422, format!("No ref found for: {reference}")))?;
    if ask.flag("auto_merge").unwrap_or(true)
        && let Some(at) = of.behind.iter().position(|(branch, _)| branch == reference)
    {
        return merge(of, at);
    }
    check_contexts(of, ask, &sha)?;
    let environment = ask.text("environment").unwrap_or("production").to_owned();
    let now = crate::clock::wall();
    let deployment = Deployment {
        id: of.new_id(),
        sha,
        reference: reference.to_owned(),
        task: ask.text("task").unwrap_or("deploy").to_owned(),
        payload: ask.body.get("payload").cloned().unwrap_or_else(|| json!({})),
        production: ask.flag("production_environment").unwrap_or(environment == "production"),
        environment,
        description: ask.text("description").map(str::to_owned),
        transient: ask.flag("transient_environment").unwrap_or(false),
        user: caller.user(),
        by_app: caller.app(),
        created_at: now,
        updated_at: now,
        statuses: Vec::new(),
    };
    of.deployments.push(deployment.clone());
    Ok(Answer::created(deployment_json(of, ask, &deployment)))
}

/// Merges the default branch into a branch that is behind, or finds a conflict.
fn merge(of: &mut Repository, at: usize) -> Outcome {
    let (branch, conflicts) = of.behind[at].clone();
    let default = of.default_branch.clone();
    if conflicts {
        return Err(Refusal::new(409, format!("Conflict merging {default} into {branch}.")));
    }
    of.behind.remove(at);
    let body = json!({ "message": format!("Auto-merged {default} into {branch} on deployment.") });
    Ok(Answer { status: 202, ..Answer::ok(body) })
}

/// Every required context of the commit must be a success; by default, all submitted contexts are required.
fn check_contexts(of: &Repository, ask: &Ask, sha: &str) -> Result<(), Refusal> {
    let newest = commit_statuses::newest(of, sha);
    let named = ask.body.get("required_contexts").and_then(Value::as_array);
    let required: Vec<String> = match named {
        Some(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => newest.iter().map(|status| status.context.clone()).collect(),
    };
    let state = |context: &String| {
        let status = newest.iter().find(|status| status.context.eq_ignore_ascii_case(context));
        status.map_or("pending", |status| status.state.as_str())
    };
    let contexts: Vec<Value> =
        required.iter().map(|context| json!({ "context": context, "state": state(context) })).collect();
    if required.iter().all(|context| state(context) == "success") {
        return Ok(());
    }
    let text = format!("Conflict: Commit status checks failed for {}.", ask.text("ref").unwrap_or_default());
    let mut refusal = Refusal::new(409, text);
    refusal.errors = vec![json!({
        "contexts": contexts, "resource": "Deployment", "field": "required_contexts", "code": "invalid",
    })];
    Err(refusal)
}

/// `GET …/deployments/{id}`.
pub(super) fn get(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let deployment = &of.deployments[position(of, args.first())?];
    Ok(Answer::ok(deployment_json(of, ask, deployment)))
}

/// `DELETE …/deployments/{id}`: only an inactive deployment, unless the repository has no other.
pub(super) fn delete(of: &mut Repository, _: &Ask, _: &Caller, args: Args) -> Outcome {
    let at = position(of, args.first())?;
    if of.deployments.len() > 1 && of.deployments[at].is_active() {
        let text =
            "We cannot delete an active deployment unless it is the only deployment in a given environment.";
        return Err(Refusal::new(422, text));
    }
    of.deployments.remove(at);
    Ok(Answer::none())
}

/// `GET …/deployments/{id}/statuses`, newest first.
pub(super) fn statuses(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let deployment = &of.deployments[position(of, args.first())?];
    let statuses = deployment.statuses.iter().rev();
    Ok(page(ask, statuses.map(|status| status_json(of, ask, deployment, status)).collect()))
}

/// `GET …/deployments/{id}/statuses/{status}`.
pub(super) fn get_status(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let deployment = &of.deployments[position(of, args.first())?];
    let wanted = number(args.second())?;
    let status = deployment.statuses.iter().find(|status| status.id == wanted);
    Ok(Answer::ok(status_json(of, ask, deployment, status.ok_or_else(Refusal::not_found)?)))
}

/// `POST …/deployments/{id}/statuses`.
pub(super) fn create_status(of: &mut Repository, ask: &Ask, caller: &Caller, args: Args) -> Outcome {
    let at = position(of, args.first())?;
    let state = ask.text("state").filter(|state| STATES.contains(state));
    let state = state.ok_or_else(|| Refusal::invalid("DeploymentStatus", "state", "inclusion", ""))?;
    let text = |field: &str| ask.text(field).unwrap_or_default().to_owned();
    let description = text("description");
    if description.chars().count() > 140 {
        let text = "description is too long (maximum is 140 characters)";
        return Err(Refusal::invalid("DeploymentStatus", "description", "custom", text));
    }
    let (environment_url, log_url, target_url) =
        (text("environment_url"), text("log_url"), text("target_url"));
    for (field, url) in
        [("environment_url", &environment_url), ("log_url", &log_url), ("target_url", &target_url)]
    {
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            let text = format!("{field} must use http(s) scheme");
            return Err(Refusal::invalid("DeploymentStatus", field, "custom", &text));
        }
    }
    let id = of.new_id();
    let deployment = &mut of.deployments[at];
    let before = deployment.statuses.last().map_or(&deployment.environment, |status| &status.environment);
    let environment = ask.text("environment").unwrap_or(before).to_owned();
    let status = DeploymentStatus {
        id,
        state: state.to_owned(),
        description,
        environment: environment.clone(),
        environment_url,
        log_url: if log_url.is_empty() { target_url } else { log_url },
        user: caller.user(),
        by_app: caller.app(),
        at: crate::clock::wall(),
    };
    deployment.statuses.push(status.clone());
    deployment.environment = environment;
    deployment.updated_at = status.at;
    if state == "success" && ask.flag("auto_inactive").unwrap_or(true) {
        retire(of, at, &status);
    }
    Ok(Answer::created(status_json(of, ask, &of.deployments[at], &status)))
}

/// Makes earlier deployments inactive if these were a success in the same environment, and are neither transient nor
/// production.
fn retire(of: &mut Repository, at: usize, by: &DeploymentStatus) {
    let ids: Vec<u64> = (0..at).map(|_| of.new_id()).collect();
    let earlier = of.deployments.iter_mut().take(at).zip(ids);
    for (deployment, id) in earlier {
        let same = deployment.environment == by.environment && deployment.state() == "success";
        if same && !deployment.transient && !deployment.production {
            let state = "inactive".to_owned();
            let description = String::new();
            deployment.statuses.push(DeploymentStatus { id, state, description, ..by.clone() });
        }
    }
}

/// The position of the deployment with this id.
fn position(of: &Repository, text: &str) -> Result<usize, Refusal> {
    let id = number(text)?;
    of.deployments.iter().position(|deployment| deployment.id == id).ok_or_else(Refusal::not_found)
}

/// A deployment.
fn deployment_json(of: &Repository, ask: &Ask, deployment: &Deployment) -> Value {
    let url = format!("{}/deployments/{}", shapes::base(ask, of), deployment.id);
    json!({
        "url": url,
        "id": deployment.id,
        "node_id": format!("DE_{}", deployment.id),
        "task": deployment.task,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "created_at": date(deployment.created_at),
        "updated_at": date(deployment.updated_at),
        "statuses_url": format!("{url}/statuses"),
        "repository_url": shapes::base(ask, of),
        "creator": shapes::user(ask, &deployment.user),
        "sha": deployment.sha,
        "ref": deployment.reference,
        "payload": deployment.payload,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
        "performed_via_github_app": shapes::app(ask, deployment.by_app),
    })
}

/// A status of a deployment.
fn status_json(of: &Repository, ask: &Ask, deployment: &Deployment, status: &DeploymentStatus) -> Value {
    let base = shapes::base(ask, of);
    let url = format!("{base}/deployments/{}", deployment.id);
    json!({
        "url": format!("{url}/statuses/{}", status.id),
        "id": status.id,
        "node_id": format!("DES_{}", status.id),
        "state": status.state,
        "creator": shapes::user(ask, &status.user),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "created_at": date(status.at),
        "updated_at": date(status.at),
        "deployment_url": url,
        "repository_url": base,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
        "performed_via_github_app": shapes::app(ask, status.by_app),
    })
}
