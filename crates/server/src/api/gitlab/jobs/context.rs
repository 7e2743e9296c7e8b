//! What is shown beside jobs: their runs, people, commits and runners.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tappet_git::Commit;
use tappet_model::{AttemptId, RunId, RunnerId, UserId};
use tappet_store::{Attempt, Project, Run, Runner, User};

use crate::api::gitlab::entities::job::{Job, Surroundings};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::App;
use crate::clock;

/// Everything that some jobs of a project are shown with, read once.
pub struct JobContext<'a> {
    app: &'a App,
    project: &'a Project,
    runs: HashMap<RunId, OfRun>,
    users: HashMap<UserId, User>,
    runners: HashMap<RunnerId, Runner>,
    /// Bytes of the logs of those that have ended.
    traces: HashMap<AttemptId, u64>,
}

struct OfRun {
    run: Run,
    commit: Option<Arc<Commit>>,
}

impl<'a> JobContext<'a> {
    /// Reads it for these attempts. A repository that cannot be read now costs
    /// only the details of commits.
    pub async fn read(
        app: &'a App,
        project: &'a Project,
        attempts: &[Attempt],
    ) -> ApiResult<JobContext<'a>> {
        let mut context = Self {
            app,
            project,
            runs: HashMap::new(),
            users: HashMap::new(),
            runners: HashMap::new(),
            traces: traces(app, attempts).await?,
        };
        let repository = app.repositories.of(project).await.ok();
        for attempt in attempts {
            if let Entry::Vacant(entry) = context.runs.entry(attempt.run_id) {
                let run = app.store.run(attempt.run_id).await?;
                let run = run.ok_or_else(ApiError::record_not_found)?;
                let commit = match &repository {
                    Some(repository) => repository.commit(&run.sha).await.ok(),
                    None => None,
                };
                if let Some(id) = run.user_id
                    && let Entry::Vacant(user) = context.users.entry(id)
                    && let Some(found) = app.store.user(id).await?
                {
                    user.insert(found);
                }
                entry.insert(OfRun { run, commit });
            }
            if let Some(id) = attempt.runner_id
                && let Entry::Vacant(entry) = context.runners.entry(id)
                && let Some(runner) = app.store.runner(id).await?
            {
                entry.insert(runner);
            }
        }
        Ok(context)
    }

    /// Shows the attempts, in their order.
    pub fn jobs(&'a self, attempts: &'a [Attempt]) -> Vec<Job<'a>> {
        attempts.iter().filter_map(|one| self.job(one)).collect()
    }

    /// Shows one of the attempts; `None` for any other.
    pub fn job(&'a self, attempt: &'a Attempt) -> Option<Job<'a>> {
        let OfRun { run, commit } = self.runs.get(&attempt.run_id)?;
        let around = Surroundings {
            config: &self.app.config,
            project: self.project,
            run,
            user: run.user_id.and_then(|id| self.users.get(&id)),
            commit: commit.as_deref(),
            now: clock::now(),
        };
        let runner = attempt.runner_id.and_then(|id| self.runners.get(&id));
        let trace = self.traces.get(&attempt.id).copied();
        Some(Job::of(around, attempt, runner, trace))
    }
}

/// As in GitLab a log counts among the artifacts once its job has ended.
async fn traces(app: &App, attempts: &[Attempt]) -> ApiResult<HashMap<AttemptId, u64>> {
    let ended = attempts.iter().filter(|one| one.status.is_completed());
    let logs = app
        .logs
        .of_attempts(ended.map(|one| one.id).collect())
        .await;
    let logs = logs.map_err(|error| ApiError::broken("looking for logs", error))?;
    Ok(logs.into_iter().map(|log| (log.id, log.bytes)).collect())
}
