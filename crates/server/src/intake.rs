//! The only way a run comes to be, for every API, webhook, schedule and form.
//!
//! A request names a project, a ref and variables; out comes a committed run,
//! or the reason why there is none. The steps are GitLab's creation chain
//! (`lib/gitlab/ci/pipeline/chain`): rights, ref, variables, file, rules.

mod content;
mod hidden;
mod in_flight;
mod lineage;
mod parsed_files;
mod parsed_workflows;
mod permission;
mod plain_text;
mod pull_request;
mod pull_request_changes;
mod pull_request_commits;
mod rates;
mod refusal;
mod repository_questions;
mod request;
mod simulation;
mod skip_words;
mod variables;
mod workflow_commit;
mod workflow_files;
mod workflow_triggers;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use tappet_git::{Commit, ReadError, Repository, ResolveError, ResolvedRef};
use tappet_model::{CommitSha, Diagnostic, RefName, Source, Variable};
use tappet_store::{
    Creation, IdempotencyKey, NewPullRequestRun, NewRun, NewRunContent, Project, RememberedRun,
    RunOrigin, StoreError,
};

use crate::app::App;
use crate::clock;
use crate::dispatch::Wish;
use content::{Known, content, has_file, invalid, missing_file};
pub use in_flight::InFlight;
use parsed_files::ParsedFiles;
use parsed_workflows::ParsedWorkflows;
pub use pull_request::{PullRequestRunRequest, start_pull_request_run};
pub use pull_request_changes::{changed_paths, head_of_branch};
use rates::Rates;
pub use refusal::Refusal;
use refusal::{not_started, unavailable};
pub use request::{
    PullRequestEvent, RunRequest, Started, WorkflowChoice, WorkflowEvent, WorkflowRequest,
};
pub use simulation::simulate;
use skip_words::{Dialect, asks_to_skip};
pub use variables::{CONTEXT as VARIABLES_CONTEXT, UnsealError, seal, unseal};
pub use workflow_files::{FILE_LIMIT as WORKFLOW_FILE_LIMIT, FOLDERS as WORKFLOW_FOLDERS};

/// Pipeline files beyond this are refused (GitLab: 2 MB of YAML).
pub const PIPELINE_FILE_LIMIT: u64 = 2 * 1024 * 1024;

/// For what the event of a run of workflows is sealed.
pub const EVENT_CONTEXT: &str = "run-event";

/// For what the outputs of a job with steps are sealed.
pub const OUTPUTS_CONTEXT: &str = "job-outputs";

/// What intake keeps between requests; all of it can be lost.
#[derive(Default)]
pub struct Intake {
    files: ParsedFiles,
    workflows: ParsedWorkflows,
    in_flight: InFlight,
    rates: Rates,
}

impl Intake {
    /// What keeps a workflow from running; nothing when it is good.
    pub fn workflow_problems(&self, text: &[u8]) -> Vec<Diagnostic> {
        self.workflows.get(text).err().unwrap_or_default()
    }
}

/// Starts a run, or says why not. When it returns a run, that run is on disk.
pub async fn start_run(app: &App, request: RunRequest) -> Result<Started, Refusal> {
    // The same key at the same time: the second waits and then finds the first's run.
    let _turn = match &request.idempotency {
        Some((key, _)) => Some(app.intake.in_flight.wait_for(key).await),
        None => None,
    };
    match remembered(app, request.idempotency.as_ref()).await? {
        Some(started) => Ok(started),
        None => create(app, request).await,
    }
}

/// The run that an earlier request with the same key started.
async fn remembered(
    app: &App,
    idempotency: Option<&(IdempotencyKey, [u8; 32])>,
) -> Result<Option<Started>, Refusal> {
    let Some((key, fingerprint)) = idempotency else {
        return Ok(None);
    };
    let found = app
        .store
        .run_by_idempotency_key(key.clone(), clock::now())
        .await?;
    match found {
        Some(RememberedRun {
            fingerprint: known,
            run,
        }) if known == *fingerprint => Ok(Some(Started {
            run,
            replayed: true,
        })),
        Some(_) => Err(Refusal::KeyReused),
        None => Ok(None),
    }
}

/// Refuses when too much waits already.
fn queue_has_room(app: &App) -> Result<(), Refusal> {
    if app.dispatch.pending() < app.config.queue_limit {
        return Ok(());
    }
    Err(Refusal::QueueFull {
        retry_after: Duration::from_secs(30),
    })
}

async fn create(app: &App, request: RunRequest) -> Result<Started, Refusal> {
    let standing = permission::standing(app, request.user.as_ref(), &request.project).await?;
    permission::may_start(&request.project, standing.as_ref())?;
    queue_has_room(app)?;
    let repository = repository(app, &request.project).await?;
    let resolved = match &request.workflows {
        Some(wanted) => {
            workflow_commit::resolve_commit(app, &request, wanted.commit.as_ref(), &repository)
                .await?
        }
        None => resolve(app, &request, &repository).await?,
    };
    let resolved = as_pushed(&request, &repository, resolved).await?;
    lineage::check(app, &request, &resolved).await?;
    let is_protected = permission::may_use_ref(app, &request, standing.as_ref(), &resolved).await?;
    permission::may_set_variables(&request, standing.as_ref())?;
    app.intake.rates.count(app, &request, &resolved)?;
    let pushed = pushed_workflows(&request, &repository, &resolved).await?;
    if request.skips_on_demand {
        let dialect = match pushed {
            Some(_) => Dialect::Github,
            None => Dialect::Gitlab,
        };
        let commit = commit(&repository, &resolved.sha).await?;
        if asks_to_skip(&commit.message, dialect) {
            return Err(Refusal::Skipped);
        }
    }
    if !request
        .variables
        .iter()
        .all(|variable| Variable::is_valid_key(&variable.key))
    {
        return Err(Refusal::InvalidVariableKey);
    }
    if let Some(wanted) = request.workflows.as_ref().or(pushed.as_ref()) {
        let place = (&*repository, &resolved);
        let made = workflows::content(app, &request, wanted, place, is_protected).await;
        let (content, facts) = match made {
            // The pipeline file is what people look for first.
            Err(Refusal::WorkflowNotFound(_)) if pushed.is_some() => return Err(missing_file()),
            made => made?,
        };
        let sealed_event = Some(facts.seal(&app.secrets));
        let born = born(app, &request, &repository, resolved, content, sealed_event).await?;
        return store(app, request, born).await;
    }
    let content = match variables::duplicates(&request.variables) {
        Some(message) => invalid(message),
        None => {
            let settings = app
                .settings_variables(&request.project, is_protected)
                .await?;
            let secrets = settings.masked_values();
            let known = Known {
                resolved: &resolved,
                is_protected,
                settings,
            };
            let content = content(app, &request, &repository, known).await?;
            hidden::hide(content, &secrets)
        }
    };
    if let NewRunContent::Invalid { errors, .. } = &content
        && !request.keeps_invalid
    {
        return Err(not_started(errors.lines().next().unwrap_or_default()));
    }
    let born = born(app, &request, &repository, resolved, content, None).await?;
    store(app, request, born).await
}

/// The workflows that a push starts: those of a commit without a pipeline file.
async fn pushed_workflows(
    request: &RunRequest,
    repository: &Repository,
    resolved: &ResolvedRef,
) -> Result<Option<WorkflowRequest>, Refusal> {
    let is_push = request.source == Source::Push && request.workflows.is_none();
    if !is_push || has_file(repository, &resolved.sha, &request.project.ci_config_path).await? {
        return Ok(None);
    }
    Ok(Some(WorkflowRequest {
        choice: WorkflowChoice::All,
        job: None,
        commit: None,
        event: WorkflowEvent::Push,
        patch_key: None,
    }))
}

async fn repository(app: &App, project: &Project) -> Result<Arc<Repository>, Refusal> {
    app.repositories
        .of(project)
        .await
        .map_err(|error| unavailable(error.message))
}

async fn resolve(
    app: &App,
    request: &RunRequest,
    repository: &Repository,
) -> Result<ResolvedRef, Refusal> {
    let name = request.ref_name.as_str();
    let mut found = resolve_ref(app, &request.project, name, repository).await?;
    if found.is_none() && request.accepts_sha {
        found = commit_named(app, &request.project, repository, name).await?;
    }
    found.ok_or_else(|| not_started("Reference not found"))
}

/// Where a branch or tag stands now; `None` when there is none of this name.
async fn resolve_ref(
    app: &App,
    project: &Project,
    name: &str,
    repository: &Repository,
) -> Result<Option<ResolvedRef>, Refusal> {
    let name = RefName::new(name).map_err(|_| not_started("Reference not found"))?;
    app.repositories
        .refresh(project, &name)
        .await
        .map_err(|error| unavailable(error.message))?;
    match repository.resolve(&name).await {
        Ok(resolved) => Ok(Some(resolved)),
        Err(ResolveError::NotFound) => Ok(None),
        Err(ResolveError::Ambiguous) => Err(not_started("Ref is ambiguous")),
        Err(ResolveError::Read(error)) => Err(unavailable(error.to_string())),
    }
}

/// A commit by its id, or by the first digits of it, as the repository stands now.
async fn commit_named(
    app: &App,
    project: &Project,
    repository: &Repository,
    text: &str,
) -> Result<Option<ResolvedRef>, Refusal> {
    let find = async || {
        repository
            .resolve_commit(text)
            .await
            .map_err(|error| unavailable(error.to_string()))
    };
    if let Some(found) = find().await? {
        return Ok(Some(found));
    }
    // A remote's commit may have come to a branch that was never asked for.
    app.repositories
        .refresh_everything(project)
        .await
        .map_err(|error| unavailable(error.message))?;
    find().await
}

/// The ref as a push left it, when the request tells of one.
async fn as_pushed(
    request: &RunRequest,
    repository: &Repository,
    resolved: ResolvedRef,
) -> Result<ResolvedRef, Refusal> {
    let Some(pushed) = &request.pushed else {
        return Ok(resolved);
    };
    let unavailable = |error: ReadError| Refusal::Unavailable {
        message: error.to_string(),
        retry_after: crate::repositories::RETRY_AFTER,
    };
    let sha = repository
        .commit_behind(pushed)
        .await
        .map_err(unavailable)?
        .ok_or_else(|| not_started("Commit not found"))?;
    let is_there = sha == resolved.sha
        || repository
            .is_ancestor(&sha, &resolved.sha)
            .await
            .map_err(unavailable)?;
    if is_there {
        Ok(ResolvedRef { sha, ..resolved })
    } else {
        Err(Refusal::Superseded)
    }
}

async fn commit(repository: &Repository, sha: &CommitSha) -> Result<Arc<Commit>, Refusal> {
    repository
        .commit(sha)
        .await
        .map_err(|error| unavailable(error.to_string()))
}

/// All that was found out about a run that is to be stored.
struct Born {
    resolved: ResolvedRef,
    commit_title: String,
    content: NewRunContent,
    sealed_event: Option<Vec<u8>>,
    pull_request: Option<NewPullRequestRun>,
}

async fn born(
    app: &App,
    request: &RunRequest,
    repository: &Repository,
    resolved: ResolvedRef,
    content: NewRunContent,
    sealed_event: Option<Vec<u8>>,
) -> Result<Born, Refusal> {
    let commit = commit(repository, &resolved.sha).await?;
    app.repositories.keep(&request.project, &resolved.sha).await;
    Ok(Born {
        resolved,
        commit_title: commit.title().to_owned(),
        content,
        sealed_event,
        pull_request: None,
    })
}

async fn store(app: &App, request: RunRequest, born: Born) -> Result<Started, Refusal> {
    let Born {
        resolved, content, ..
    } = born;
    // As in GitLab, a run with contradicting variables is kept without them.
    let sealed_variables = match &content {
        NewRunContent::Planned(_) if !request.variables.is_empty() => {
            Some(variables::seal(&app.secrets, &request.variables))
        }
        _ => None,
    };
    let new = NewRun {
        project_id: request.project.id,
        source: request.source,
        ref_name: resolved.name,
        ref_kind: resolved.kind,
        sha: resolved.sha,
        commit_title: born.commit_title,
        trigger_id: request.trigger.map(|trigger| trigger.id),
        origin: RunOrigin {
            before_sha: request.before_sha,
            source_attempt_id: request.source_job,
            schedule_id: request.schedule.map(|schedule| schedule.id),
            has_build_names: request.has_build_names,
        },
        hooks: request.hooks,
        user_id: request.user.map(|user| user.id),
        sealed_variables,
        sealed_event: born.sealed_event,
        content,
        credential: request.credential,
        idempotency: request.idempotency,
        pull_request: born.pull_request,
        slot: request.slot,
        now: clock::now(),
    };
    let waits = new
        .pull_request
        .as_ref()
        .is_some_and(|new| new.hold.is_some());
    if let NewRunContent::Planned(workflow) = &new.content
        && !waits
        && let Some(first) = workflow.jobs.first()
    {
        app.dispatch.expect(Wish {
            tags: &first.tags,
            has_steps: first.key.is_some(),
        });
    }
    match app.store.create_run(new).await {
        Ok(Creation::Created {
            advance,
            superseded,
        }) => {
            app.metrics.run_started(advance.run.source);
            app.announce(&advance).await;
            if waits {
                app.holds.changed();
            }
            for canceled in &superseded {
                app.announce(canceled).await;
            }
            Ok(Started {
                run: advance.run,
                replayed: false,
            })
        }
        Ok(Creation::Replayed(run)) => Ok(Started {
            run: *run,
            replayed: true,
        }),
        Err(StoreError::KeyReused) => Err(Refusal::KeyReused),
        Err(error) => Err(error.into()),
    }
}
