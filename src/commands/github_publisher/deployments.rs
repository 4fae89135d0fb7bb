//! GitHub's deployment and the commit status.

use super::GithubPublisher;
use crate::feedback::{GithubDeployment, Status};
use crate::github::GithubResult;

impl GithubPublisher {
    /// Finds or creates the deployment, sets its state, and retires older ones after a success.
    pub(super) async fn deployment(&mut self, commit: &str, wanted: &GithubDeployment) -> GithubResult<()> {
        let Some(id) = self.own_deployment(commit, wanted).await? else { return Ok(()) };
        self.deployment = Some(id);
        match self.github.set_deployment(id, wanted).await {
            Err(trouble) if trouble.effect_unknown => {
                if self.github.deployment_state(id).await?.as_deref() != Some(wanted.state.as_str()) {
                    return Err(trouble);
                }
            }
            answer => answer?,
        }
        if wanted.state == "success" { self.retire(id, wanted).await } else { Ok(()) }
    }

    /// GitHub's deployment of this run; none if missing and none may be created.
    async fn own_deployment(&mut self, commit: &str, wanted: &GithubDeployment) -> GithubResult<Option<u64>> {
        if self.deployment.is_some() {
            return Ok(self.deployment);
        }
        if let Some(id) = self.known_deployment(wanted).await? {
            return Ok(Some(id));
        }
        if !wanted.create {
            return Ok(None);
        }
        match self.github.create_deployment(commit, wanted).await {
            Ok(made) => Ok(Some(made.id)),
            Err(trouble) if trouble.effect_unknown => match self.known_deployment(wanted).await? {
                Some(id) => Ok(Some(id)),
                None => Err(trouble),
            },
            Err(trouble) => Err(trouble),
        }
    }

    /// The deployment that this run created earlier.
    async fn known_deployment(&self, wanted: &GithubDeployment) -> GithubResult<Option<u64>> {
        let known = self.github.deployments(&wanted.environment).await?;
        Ok(known.iter().find(|one| one.key() == Some(wanted.key.as_str())).map(|one| one.id))
    }

    /// Retires the deployments before this one, the oldest first: a retired deployment means that all earlier ones are
    /// retired, too.
    async fn retire(&self, id: u64, wanted: &GithubDeployment) -> GithubResult<()> {
        let known = self.github.deployments(&wanted.environment).await?;
        let mut alive = Vec::new();
        for older in known.iter().filter(|one| one.id < id && one.is_of(&wanted.place)) {
            match self.github.deployment_state(older.id).await?.as_deref() {
                Some("inactive") => break,
                Some("failure" | "error") => {}
                Some(_) | None => alive.push(older.id),
            }
        }
        for older in alive.into_iter().rev() {
            self.github.retire_deployment(older).await?;
        }
        Ok(())
    }

    /// Sets the commit status.
    pub(super) async fn status(&mut self, commit: &str, wanted: &Status) -> GithubResult<()> {
        match self.github.set_status(commit, wanted).await {
            Err(trouble) if trouble.effect_unknown => {
                if self.github.has_status(commit, wanted).await? {
                    Ok(())
                } else {
                    Err(trouble)
                }
            }
            answer => answer,
        }
    }
}
