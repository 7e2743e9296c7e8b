//! What the buttons of a page do. All of them are POSTs from our own origin.

use axum::response::{IntoResponse, Redirect, Response};
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{AttemptId, RunId};
use tappet_store::{self as store, Project, Target};

use super::address::Action;
use super::problem::{PageResult, Problem};
use super::visit::Visit;
use crate::approval;
use crate::ci_configs::Actor;

/// Does it, then leads back to the page of what changed.
pub async fn act(visit: &Visit, project: &str, action: Action) -> PageResult<Response> {
    let project = visit.project(project).await?;
    if visit.user.is_none() {
        return Err(Problem::SignInFirst);
    }
    if !visit.may_steer(&project).await? {
        return Err(Problem::MayNot);
    }
    let page = match action {
        Action::CancelPipeline(id) => on_run(visit, &project, id, RunEvent::Cancel).await?,
        Action::RetryPipeline(id) => on_run(visit, &project, id, RunEvent::Retry).await?,
        Action::CancelJob(id) => on_attempt(visit, &project, id, JobEvent::Cancel).await?,
        Action::RetryJob(id) => on_attempt(visit, &project, id, JobEvent::Retry).await?,
        Action::PlayJob(id) => on_attempt(visit, &project, id, JobEvent::Play).await?,
        Action::ApprovePipeline(id) => approve(visit, &project, id).await?,
    };
    let to = visit.path(&format!("/{}/-/{page}", project.path));
    Ok(Redirect::to(&to).into_response())
}

async fn on_run(
    visit: &Visit,
    project: &Project,
    id: RunId,
    event: RunEvent,
) -> PageResult<String> {
    let run = visit
        .app
        .store
        .run(id)
        .await?
        .filter(|run| run.project_id == project.id);
    let run = run.ok_or(Problem::NotFound)?;
    visit
        .app
        .act(Target::Run(run.id), store::Action::Run(event))
        .await?;
    Ok(format!("pipelines/{id}"))
}

/// Lets a run go that waits for somebody to say that it may.
async fn approve(visit: &Visit, project: &Project, id: RunId) -> PageResult<String> {
    let run = visit.app.store.run(id).await?;
    let run = run.filter(|run| run.project_id == project.id);
    let run = run.ok_or(Problem::NotFound)?;
    let user = visit.user.as_ref().ok_or(Problem::SignInFirst)?;
    let actor = Actor {
        user: user.id,
        credential: format!("user:{}", user.id),
    };
    approval::approve(&visit.app, &actor, &run).await?;
    Ok(format!("pipelines/{id}"))
}

/// A retry leads to the new attempt.
async fn on_attempt(
    visit: &Visit,
    project: &Project,
    id: AttemptId,
    event: JobEvent,
) -> PageResult<String> {
    let attempt = visit.app.store.attempt(id).await?;
    let attempt = attempt.filter(|attempt| attempt.project_id == project.id);
    let attempt = attempt.ok_or(Problem::NotFound)?;
    let target = Target::Attempt(attempt.id);
    let advance = visit.app.act(target, store::Action::Job(event)).await?;
    let new = advance
        .changed
        .iter()
        .find(|one| one.is_new && one.name == attempt.name);
    Ok(format!("jobs/{}", new.map_or(id, |new| new.id)))
}
