//! GitHub's deployments with their statuses, and commit statuses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::client::path_segment;
use super::{GitHub, GithubResult};
use crate::feedback::{GithubDeployment, Status};

/// The relevant fields of a deployment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Known {
    /// The id; a later deployment has a larger id.
    pub(crate) id: u64,
    /// The creator's payload.
    #[serde(default)]
    payload: Value,
}

impl Known {
    /// True if the deployment names the same account, region, cluster and app, or no place.
    pub(crate) fn is_of(&self, place: &str) -> bool {
        let own = self.payload.get("place").and_then(Value::as_str);
        own.is_none_or(|own| own.is_empty() || own == place)
    }

    /// The key of the run that created the deployment.
    pub(crate) fn key(&self) -> Option<&str> {
        self.payload.get("ecs-blue-green")?.as_str()
    }
}

/// The state of a deployment or a commit.
#[derive(Clone, Debug, Deserialize)]
struct StatusState {
    /// The word.
    state: String,
    /// The commit status's name.
    #[serde(default)]
    context: String,
    /// The page.
    target_url: Option<String>,
}

impl GitHub {
    /// The newest deployments of an environment, newest first, at most 20.
    pub(crate) async fn deployments(&self, environment: &str) -> GithubResult<Vec<Known>> {
        let mut found: Vec<Known> =
            self.get(&format!("/deployments?environment={}&per_page=20", path_segment(environment))).await?;
        found.sort_by_key(|deployment| std::cmp::Reverse(deployment.id));
        Ok(found)
    }

    /// Creates a deployment of a commit. Nothing is merged, and no check has to be green.
    pub(crate) async fn create_deployment(
        &self,
        commit: &str,
        wanted: &GithubDeployment,
    ) -> GithubResult<Known> {
        let body = json!({
            "ref": commit,
            "auto_merge": false,
            "required_contexts": [],
            "environment": wanted.environment,
            "description": wanted.description,
            "payload": { "ecs-blue-green": wanted.key, "place": wanted.place },
            "transient_environment": false,
            "production_environment": wanted.production,
        });
        self.post("/deployments", &body).await
    }

    /// The newest state of a deployment; none before the first.
    pub(crate) async fn deployment_state(&self, id: u64) -> GithubResult<Option<String>> {
        let found: Vec<StatusState> = self.get(&format!("/deployments/{id}/statuses?per_page=1")).await?;
        Ok(found.into_iter().next().map(|state| state.state))
    }

    /// Sets a deployment's state. Other deployments stay unchanged and are retired separately.
    pub(crate) async fn set_deployment(&self, id: u64, wanted: &GithubDeployment) -> GithubResult<()> {
        let mut body = json!({
            "state": wanted.state,
            "description": wanted.description,
            "environment": wanted.environment,
            "auto_inactive": false,
        });
        for (field, url) in [("environment_url", &wanted.url), ("log_url", &wanted.log_url)] {
            if let Some(url) = url {
                body[field] = json!(url);
            }
        }
        let made: GithubResult<Value> = self.post(&format!("/deployments/{id}/statuses"), &body).await;
        made.map(drop)
    }

    /// Retires a deployment.
    pub(crate) async fn retire_deployment(&self, id: u64) -> GithubResult<()> {
        let body = json!({ "state": "inactive", "auto_inactive": false });
        let made: GithubResult<Value> = self.post(&format!("/deployments/{id}/statuses"), &body).await;
        made.map(drop)
    }

    /// True if a commit's newest status of this context is this status already.
    pub(crate) async fn has_status(&self, commit: &str, wanted: &Status) -> GithubResult<bool> {
        let found: Vec<StatusState> = self.get(&format!("/commits/{commit}/statuses?per_page=100")).await?;
        let newest = found.iter().find(|status| status.context == wanted.context);
        Ok(newest.is_some_and(|status| status.state == wanted.state && status.target_url == wanted.url))
    }

    /// Sets a commit's status.
    pub(crate) async fn set_status(&self, commit: &str, wanted: &Status) -> GithubResult<()> {
        let mut body = json!({
            "state": wanted.state,
            "context": wanted.context,
            "description": wanted.description,
        });
        if let Some(url) = &wanted.url {
            body["target_url"] = json!(url);
        }
        let made: GithubResult<Value> = self.post(&format!("/statuses/{commit}"), &body).await;
        made.map(drop)
    }
}
