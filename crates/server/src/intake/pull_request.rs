//! Runs of pull requests, whoever asks for them: Datafold's API, a forge, a person.
//!
//! Whoever asked has to get a run to look at. So what is wrong with the commits or the
//! files makes a failed run that says it, and is no refusal. A forge that asks gets no
//! run where there is nothing to do.

use std::time::Duration;

use tappet_git::{Repository, ResolvedRef};
use tappet_model::{CommitSha, HookId, PullRequest, RefKind, Source};
use tappet_store::{
    CiConfig, Hold, IdempotencyKey, NewPullRequestRun, NewRunContent, Project, PullRequestRun, User,
};

use super::content::{Known, content, has_file, invalid};
use super::pull_request_commits::{Commits, find_commits};
use super::refusal::unavailable;
use super::skip_words::{Dialect, asks_to_skip, asks_to_skip_datafold};
use super::{
    Born, PullRequestEvent, Refusal, RunRequest, Started, WorkflowChoice, WorkflowEvent,
    WorkflowRequest, hidden, permission, queue_has_room, remembered, repository, store, workflows,
};
use crate::app::App;
use crate::ci_configs::is_workflow;

/// Somebody wants a run of a pull request.
#[derive(Clone, Debug)]
pub struct PullRequestRunRequest {
    /// Of this project.
    pub project: Project,
    /// Under this CI config of it.
    pub config: CiConfig,
    /// With whose rights.
    pub user: Option<User>,
    /// Of this pull request; its merge base is found here.
    pub pull_request: PullRequest,
    /// What the forge told, if it speaks as GitHub does; workflows see it.
    pub payload: Option<serde_json::Value>,
    /// A forge told of it; otherwise the API.
    pub is_from_forge: bool,
    /// It waits until a member of the project has approved it.
    pub needs_approval: bool,
    /// The credential in use, for the audit log.
    pub credential: String,
    /// The webhooks that led to the request.
    pub hooks: Vec<HookId>,
    /// The client's key and the digest of its request.
    pub idempotency: Option<(IdempotencyKey, [u8; 32])>,
}

/// Starts a run of a pull request, or says why not. While a run for the same commits
/// is active, that one is the answer.
///
/// # Errors
/// Refusals as of every run; from a forge also [`Refusal::NothingToRun`],
/// [`Refusal::Skipped`] and [`Refusal::Superseded`], which ask for nothing.
pub async fn start_pull_request_run(
    app: &App,
    request: PullRequestRunRequest,
) -> Result<Started, Refusal> {
    let _turn = match &request.idempotency {
        Some((key, _)) => Some(app.intake.in_flight.wait_for(key).await),
        None => None,
    };
    if let Some(started) = remembered(app, request.idempotency.as_ref()).await? {
        return Ok(started);
    }
    // One after another for each pull request: what is active decides about the next.
    let _turn_of_request = app.intake.in_flight.wait_for(&turn(&request)).await;
    create(app, request).await
}

fn turn(request: &PullRequestRunRequest) -> IdempotencyKey {
    IdempotencyKey {
        project_id: request.project.id,
        // No client's credential is called so.
        credential: format!("pull request of {}", request.config.id),
        key: request.pull_request.number.clone(),
    }
}

async fn create(app: &App, request: PullRequestRunRequest) -> Result<Started, Refusal> {
    let PullRequestRunRequest {
        project,
        config,
        pull_request,
        ..
    } = &request;
    let standing = permission::standing(app, request.user.as_ref(), project).await?;
    permission::may_start(project, standing.as_ref())?;
    let active = app
        .store
        .active_pull_request_runs(config.id, pull_request.number.clone())
        .await?;
    // With a key the store answers, so that the key stands for the run from then on.
    if request.idempotency.is_none()
        && let Some(same) = active.iter().find(|run| is_same(run, pull_request))
        && let Some(run) = app.store.run(same.run_id).await?
    {
        return Ok(Started {
            run,
            replayed: true,
        });
    }
    queue_has_room(app)?;
    let repository = repository(app, project).await?;
    match find_commits(app, project, &repository, pull_request).await? {
        Ok(commits) => start(app, &request, &repository, commits, &active).await,
        Err(problem) => keep_failed(app, &request, &repository, problem).await,
    }
}

fn is_same(run: &PullRequestRun, wanted: &PullRequest) -> bool {
    let run = &run.pull_request;
    run.head_sha == wanted.head_sha && run.base_sha == wanted.base_sha
}

async fn start(
    app: &App,
    request: &PullRequestRunRequest,
    repository: &Repository,
    commits: Commits,
    active: &[PullRequestRun],
) -> Result<Started, Refusal> {
    let is_late = is_late(repository, &commits, active).await?;
    if is_late && request.is_from_forge {
        return Err(Refusal::Superseded);
    }
    let pull_request = PullRequest {
        merge_base: Some(commits.merge_base),
        ..request.pull_request.clone()
    };
    let resolved = ResolvedRef {
        name: pull_request.ref_name(),
        kind: RefKind::PullRequest,
        sha: commits.head,
        tag_message: None,
    };
    let new = NewPullRequestRun {
        config_id: request.config.id,
        pull_request: pull_request.clone(),
        is_from_forge: request.is_from_forge,
        hold: hold(app, request),
        supersedes: request.config.settings.cancels_superseded && !is_late,
    };
    let mut run = run_request(request);
    run.pull_request = Some(pull_request);
    app.intake.rates.count(app, &run, &resolved)?;
    let message = super::commit(repository, &resolved.sha)
        .await?
        .message
        .clone();
    if request.is_from_forge && asks_to_skip_datafold(&message) {
        return Err(Refusal::Skipped);
    }
    let made = made_of(app, request, &mut run, repository, &resolved, &message).await;
    let (content, sealed_event) = match made {
        Ok(made) => made,
        Err(
            Refusal::NothingToRun { message }
            | Refusal::WorkflowNotFound(message)
            | Refusal::WorkflowMismatch(message),
        ) => match request.is_from_forge {
            true => return Err(Refusal::NothingToRun { message }),
            false => (invalid(message), None),
        },
        Err(refusal) => return Err(refusal),
    };
    let commit = super::commit(repository, &resolved.sha).await?;
    app.repositories.keep(&request.project, &resolved.sha).await;
    let born = Born {
        resolved,
        commit_title: commit.title().to_owned(),
        content,
        sealed_event,
        pull_request: Some(new),
    };
    store(app, run, born).await
}

/// An older push that arrives late: a run of a commit that holds this one is active.
async fn is_late(
    repository: &Repository,
    commits: &Commits,
    active: &[PullRequestRun],
) -> Result<bool, Refusal> {
    let unreadable = |error: tappet_git::ReadError| unavailable(error.to_string());
    for run in active {
        let theirs = repository
            .resolve_commit(&run.pull_request.head_sha)
            .await
            .map_err(unreadable)?;
        let Some(theirs) = theirs.filter(|theirs| theirs.sha != commits.head) else {
            continue;
        };
        let is_ancestor = repository.is_ancestor(&commits.head, &theirs.sha).await;
        if is_ancestor.map_err(unreadable)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whom the run waits for.
fn hold(app: &App, request: &PullRequestRunRequest) -> Option<Hold> {
    let seconds = app.config.limits.diffs_wait_s;
    let expects_diffs = request.config.settings.expects_diffs;
    if request.needs_approval {
        let then_diffs_s = expects_diffs.then_some(seconds);
        return Some(Hold::Approval { then_diffs_s });
    }
    let until = app
        .config
        .clock
        .now()
        .plus(Duration::from_secs(u64::from(seconds)));
    expects_diffs.then_some(Hold::Diffs { until })
}

fn run_request(request: &PullRequestRunRequest) -> RunRequest {
    RunRequest {
        credential: request.credential.clone(),
        hooks: request.hooks.clone(),
        idempotency: request.idempotency.clone(),
        payload: request.payload.clone(),
        ..RunRequest::new(
            request.project.clone(),
            request.user.clone(),
            Source::MergeRequestEvent,
            request.pull_request.ref_name(),
        )
    }
}

/// Jobs of the files that the CI config names, and for workflows what they remember.
async fn made_of(
    app: &App,
    request: &PullRequestRunRequest,
    run: &mut RunRequest,
    repository: &Repository,
    resolved: &ResolvedRef,
    message: &str,
) -> Result<(NewRunContent, Option<Vec<u8>>), Refusal> {
    let files = &request.config.settings.pipeline_files;
    let choice = match files.as_slice() {
        [] => {
            let path = &request.project.ci_config_path;
            match has_file(repository, &resolved.sha, path).await? {
                true => None,
                false => Some(WorkflowChoice::All),
            }
        }
        [path, ..] if !is_workflow(path) => {
            run.project.ci_config_path.clone_from(path);
            None
        }
        paths => Some(WorkflowChoice::Paths(paths.to_vec())),
    };
    let dialect = match choice {
        None => Dialect::Gitlab,
        Some(_) => Dialect::Github,
    };
    if request.is_from_forge && asks_to_skip(message, dialect) {
        return Err(Refusal::Skipped);
    }
    let Some(choice) = choice else {
        if !has_file(repository, &resolved.sha, &run.project.ci_config_path).await? {
            return Err(Refusal::NothingToRun {
                message: format!(
                    "commit {} has no file `{}`: commit it, or name another one in the CI config \
                     `{}`",
                    resolved.sha, run.project.ci_config_path, request.config.settings.name
                ),
            });
        }
        return Ok((
            of_pipeline_file(app, run, repository, resolved).await?,
            None,
        ));
    };
    let is_default = choice == WorkflowChoice::All;
    let wanted = WorkflowRequest {
        choice,
        job: None,
        commit: None,
        event: WorkflowEvent::PullRequest(PullRequestEvent {
            waits_for_label: request.config.settings.label.is_some(),
        }),
        patch_key: None,
    };
    let place = (repository, resolved);
    match workflows::content(app, run, &wanted, place, false).await {
        Ok((content, facts)) => Ok((content, Some(facts.seal(&app.secrets)))),
        Err(Refusal::WorkflowNotFound(_)) if is_default => Err(Refusal::NothingToRun {
            message: format!(
                "commit {} has neither the file `{}` nor workflows in {}: commit one of them, or \
                 name other files in the CI config `{}`",
                resolved.sha,
                request.project.ci_config_path,
                super::WORKFLOW_FOLDERS.join(" or "),
                request.config.settings.name
            ),
        }),
        Err(refusal) => Err(refusal),
    }
}

async fn of_pipeline_file(
    app: &App,
    run: &RunRequest,
    repository: &Repository,
    resolved: &ResolvedRef,
) -> Result<NewRunContent, Refusal> {
    // A pull request is nobody's ref, so what only protected ones get is not for it.
    let is_protected = false;
    let settings = app.settings_variables(&run.project, is_protected).await?;
    let secrets = settings.masked_values();
    let known = Known {
        resolved,
        is_protected,
        settings,
    };
    let content = content(app, run, repository, known).await?;
    Ok(hidden::hide(content, &secrets))
}

/// A run of commits that cannot be found, which says so.
async fn keep_failed(
    app: &App,
    request: &PullRequestRunRequest,
    repository: &Repository,
    problem: String,
) -> Result<Started, Refusal> {
    let sha = match repository
        .resolve_commit(&request.pull_request.head_sha)
        .await
    {
        Ok(Some(found)) => found.sha,
        Ok(None) => CommitSha::ZERO.parse().expect("zeros are a commit id"),
        Err(error) => return Err(unavailable(error.to_string())),
    };
    let born = Born {
        resolved: ResolvedRef {
            name: request.pull_request.ref_name(),
            kind: RefKind::PullRequest,
            sha,
            tag_message: None,
        },
        commit_title: request.pull_request.details.title.clone(),
        content: invalid(problem),
        sealed_event: None,
        pull_request: Some(NewPullRequestRun {
            config_id: request.config.id,
            pull_request: request.pull_request.clone(),
            is_from_forge: request.is_from_forge,
            hold: None,
            supersedes: false,
        }),
    };
    store(app, run_request(request), born).await
}
