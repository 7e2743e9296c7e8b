//! Whose job tokens a project lets in: its own, and those of the projects on its
//! list (GitLab: `app/models/ci/job_token/scope.rb`).

use tappet_model::ProjectId;
use tappet_store::{Project, StoreResult};

use crate::app::App;

impl App {
    /// Whether a job token of `source` counts in `project`; what it may do there
    /// is up to the rights of its job's user.
    pub async fn lets_jobs_in(&self, project: &Project, source: ProjectId) -> StoreResult<bool> {
        let lets_in = self.store.lets_jobs_in(project.id, source).await?;
        Ok(lets_in || project.id == source)
    }
}
