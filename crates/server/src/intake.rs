//! The only way a run comes to be, for every API, webhook, schedule and form.
//!
//! A request names a project, a ref and variables; out comes a committed run,
//! or the reason why there is none. The steps are GitLab's creation chain
//! (`lib/gitlab/ci/pipeline/chain`): rights, ref, variables, file, rules.

mod hidden;
mod in_flight;
mod lineage;
mod parsed_files;
mod permission;
mod plain_text;
mod rates;
mod simulation;
mod variables;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tappet_git::{Commit, FileError, ReadError, Repository, ResolveError, ResolvedRef};
use tappet_gitlab_ci::{AskingJob, Config, Context, PlanError};
use tappet_model::plan::Plan;
use tappet_model::{
    AttemptId, CommitSha, Diagnostic, FailureReason, HookId, RefName, Source, Variable,
};
use tappet_store::{
    Creation, IdempotencyKey, NewJob, NewRun, NewRunContent, NewWorkflow, Project, RememberedRun,
    Run, RunNotes, RunOrigin, Schedule, ScheduleSlot, StoreError, Trigger, User,
};

use crate::app::App;
use crate::clock;
use crate::dispatch::JobVariableLayers;
use crate::dispatch::build_names;
use crate::dispatch::predefined::{self, RunFacts};
use crate::settings_variables::{Settings, SettingsError};
use in_flight::InFlight;
use parsed_files::{ParsedFile, ParsedFiles};
use plain_text::without_tags;
use rates::Rates;
pub use simulation::simulate;
pub use variables::{CONTEXT as VARIABLES_CONTEXT, UnsealError, seal, unseal};

/// Pipeline files beyond this are refused (GitLab: 2 MB of YAML).
pub const PIPELINE_FILE_LIMIT: u64 = 2 * 1024 * 1024;

/// What intake keeps between requests; all of it can be lost.
#[derive(Default)]
pub struct Intake {
    files: ParsedFiles,
    in_flight: InFlight,
    rates: Rates,
}

/// Somebody wants a run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Of this project.
    pub project: Project,
    /// With whose rights; a legacy trigger has nobody's.
    pub user: Option<User>,
    /// Why.
    pub source: Source,
    /// With which trigger.
    pub trigger: Option<Trigger>,
    /// Ref as the caller wrote it.
    pub ref_name: String,
    /// A commit id will do for the ref.
    pub accepts_sha: bool,
    /// Given variables in order.
    pub variables: Vec<Variable>,
    /// The job whose token asks.
    pub source_job: Option<AttemptId>,
    /// The webhooks that led to the request.
    pub hooks: Vec<HookId>,
    /// The schedule that was due.
    pub schedule: Option<Schedule>,
    /// The due time of that schedule, taken together with the creation of the run.
    pub slot: Option<ScheduleSlot>,
    /// Where the ref stood before a push.
    pub before_sha: Option<CommitSha>,
    /// Where a push left the ref, which may have gone on since: an object of the
    /// ref's history, or the annotated tag itself.
    pub pushed: Option<CommitSha>,
    /// Jobs also get the variable names of GitLab before 9.0.
    pub has_build_names: bool,
    /// `[ci skip]` in the commit message counts.
    pub skips_on_demand: bool,
    /// A run whose file is wrong is kept, to show what is wrong with it.
    pub keeps_invalid: bool,
    /// The credential in use, for the audit log: `trigger:7`.
    pub credential: String,
    /// The client's key and the digest of its request.
    pub idempotency: Option<(IdempotencyKey, [u8; 32])>,
}

impl RunRequest {
    /// A request for a branch or tag, without anything special.
    pub fn new(
        project: Project,
        user: Option<User>,
        source: Source,
        ref_name: impl Into<String>,
    ) -> Self {
        Self {
            project,
            user,
            source,
            trigger: None,
            ref_name: ref_name.into(),
            accepts_sha: false,
            variables: Vec::new(),
            source_job: None,
            hooks: Vec::new(),
            schedule: None,
            slot: None,
            before_sha: None,
            pushed: None,
            has_build_names: false,
            skips_on_demand: false,
            keeps_invalid: true,
            credential: String::new(),
            idempotency: None,
        }
    }
}

/// A run that exists and is on disk. `run.yaml_errors` is set when it was kept
/// only to show why it failed.
#[derive(Clone, Debug)]
pub struct Started {
    /// The run.
    pub run: Run,
    /// An earlier request with the same key made it.
    pub replayed: bool,
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The chain stopped; GitLab's text.
    #[error("{message}")]
    NotStarted {
        /// GitLab's wording.
        message: String,
    },
    /// A variable's name cannot be an environment variable.
    #[error("can contain only letters, digits and '_'.")]
    InvalidVariableKey,
    /// The commit has no pipeline file, or its rules leave no job.
    #[error("{message}")]
    NothingToRun {
        /// GitLab's wording.
        message: String,
    },
    /// What was pushed is not on the ref any more.
    #[error("the ref was rewritten after this push; the later push starts its own pipeline")]
    Superseded,
    /// The commit asks for no pipeline.
    #[error("the commit message asks to skip CI")]
    Skipped,
    /// The idempotency key belongs to another request.
    #[error("the Idempotency-Key was used with another request; use a new key")]
    KeyReused,
    /// The repository cannot be reached now.
    #[error("{message}")]
    Unavailable {
        /// What was tried.
        message: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// Too much waits already.
    #[error("too many jobs are waiting for a runner; try again later")]
    QueueFull {
        /// When to try again.
        retry_after: Duration,
    },
    /// A variable of the settings cannot be read.
    #[error("{0}")]
    Settings(String),
    /// The database broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn unavailable(message: String) -> Refusal {
    Refusal::Unavailable {
        message,
        retry_after: crate::repositories::RETRY_AFTER,
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Store(error) => Self::Store(error),
            sealed @ SettingsError::Sealed { .. } => Self::Settings(sealed.to_string()),
        }
    }
}

fn not_started(message: impl Into<String>) -> Refusal {
    Refusal::NotStarted {
        message: without_tags(message.into()),
    }
}

/// Starts a run, or says why not. When it returns a run, that run is on disk.
pub async fn start_run(app: &App, request: RunRequest) -> Result<Started, Refusal> {
    let Some((key, fingerprint)) = request.idempotency.clone() else {
        return create(app, request).await;
    };
    // The same key at the same time: the second waits and then finds the first's run.
    let _turn = app.intake.in_flight.wait_for(&key).await;
    match app.store.run_by_idempotency_key(key, clock::now()).await? {
        Some(RememberedRun {
            fingerprint: known,
            run,
        }) if known == fingerprint => Ok(Started {
            run,
            replayed: true,
        }),
        Some(_) => Err(Refusal::KeyReused),
        None => create(app, request).await,
    }
}

async fn create(app: &App, request: RunRequest) -> Result<Started, Refusal> {
    let standing = permission::standing(app, &request).await?;
    permission::may_start(&request.project, standing.as_ref())?;
    if app.dispatch.pending() >= app.config.queue_limit {
        return Err(Refusal::QueueFull {
            retry_after: Duration::from_secs(30),
        });
    }
    let repository = repository(app, &request.project).await?;
    let resolved = resolve(app, &request, &repository).await?;
    let resolved = as_pushed(&request, &repository, resolved).await?;
    lineage::check(app, &request, &resolved).await?;
    let is_protected = permission::may_use_ref(app, &request, standing.as_ref(), &resolved).await?;
    permission::may_set_variables(&request, standing.as_ref())?;
    app.intake.rates.count(app, &request, &resolved)?;
    if request.skips_on_demand && asks_to_skip(&repository, &resolved).await? {
        return Err(Refusal::Skipped);
    }
    if !request
        .variables
        .iter()
        .all(|variable| Variable::is_valid_key(&variable.key))
    {
        return Err(Refusal::InvalidVariableKey);
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
    store(app, request, &repository, resolved, content).await
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
    let name =
        RefName::new(request.ref_name.as_str()).map_err(|_| not_started("Reference not found"))?;
    app.repositories
        .refresh(&request.project, &name)
        .await
        .map_err(|error| unavailable(error.message))?;
    match repository.resolve(&name).await {
        Ok(resolved) => Ok(resolved),
        Err(ResolveError::NotFound) if request.accepts_sha => {
            commit_named(app, &request.project, repository, &request.ref_name)
                .await?
                .ok_or_else(|| not_started("Reference not found"))
        }
        Err(ResolveError::NotFound) => Err(not_started("Reference not found")),
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

/// Whether the commit message holds `[ci skip]` or `[skip ci]`, in any case.
async fn asks_to_skip(repository: &Repository, resolved: &ResolvedRef) -> Result<bool, Refusal> {
    let commit = commit(repository, &resolved.sha).await?;
    let message = commit.message.to_ascii_lowercase();
    Ok(message.contains("[ci skip]") || message.contains("[skip ci]"))
}

async fn commit(repository: &Repository, sha: &CommitSha) -> Result<Arc<Commit>, Refusal> {
    repository
        .commit(sha)
        .await
        .map_err(|error| unavailable(error.to_string()))
}

fn invalid(errors: impl Into<String>) -> NewRunContent {
    NewRunContent::Invalid {
        errors: without_tags(errors.into()),
        reason: FailureReason::ConfigError,
    }
}

/// What is known of a run, beside its request, when its file is compiled.
struct Known<'a> {
    resolved: &'a ResolvedRef,
    is_protected: bool,
    settings: Settings,
}

/// The compiled file, or the text of what is wrong with it.
async fn content(
    app: &App,
    request: &RunRequest,
    repository: &Repository,
    known: Known<'_>,
) -> Result<NewRunContent, Refusal> {
    let path = request.project.ci_config_path.as_str();
    let file = match repository
        .file_at(&known.resolved.sha, path, PIPELINE_FILE_LIMIT)
        .await
    {
        Ok(file) => file,
        Err(FileError::Missing | FileError::NotAFile | FileError::BadPath) => {
            return Err(Refusal::NothingToRun {
                message: "Missing CI config file".to_owned(),
            });
        }
        Err(FileError::Symlink) => {
            return Ok(invalid(format!(
                "`{path}` is a symbolic link; commit the pipeline file itself"
            )));
        }
        Err(FileError::TooLarge { .. }) => return Ok(invalid("The parsed YAML is too big")),
        Err(FileError::Read(error)) => return Err(unavailable(error.to_string())),
    };
    let parsed = match app.intake.files.get(&file) {
        Ok(parsed) => parsed,
        Err(errors) => return Ok(invalid(lines(&errors))),
    };
    match plan(app, request, repository, known, &parsed.config).await? {
        Ok(plan) => Ok(NewRunContent::Planned(Box::new(workflow(
            path, &parsed, plan,
        )))),
        Err(PlanError::Invalid(errors)) => Ok(invalid(lines(&errors))),
        Err(refused) => Err(Refusal::NothingToRun {
            message: refused.to_string(),
        }),
    }
}

/// One error a line; the first one is what the API shows.
fn lines(errors: &[Diagnostic]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

async fn plan(
    app: &App,
    request: &RunRequest,
    repository: &Repository,
    known: Known<'_>,
    config: &Config,
) -> Result<Result<Plan, PlanError>, Refusal> {
    let Known {
        resolved,
        is_protected,
        settings,
    } = known;
    let commit = commit(repository, &resolved.sha).await?;
    let default_branch = app
        .repositories
        .default_branch(&request.project, repository)
        .await
        .unwrap_or_default();
    // Most files have no rule that looks, so the maps are made on first look.
    let set: RefCell<HashMap<Option<String>, HashMap<String, Variable>>> = RefCell::default();
    let set_value = |environment: Option<&str>, name: &str| {
        let mut set = set.borrow_mut();
        let here = set
            .entry(environment.map(str::to_owned))
            .or_insert_with(|| by_name(set_outside(&settings, environment, &request.variables)));
        here.get(name).cloned()
    };
    let predefined: OnceCell<HashMap<String, Variable>> = OnceCell::new();
    let predefined_value = |job: Option<&AskingJob<'_>>, name: &str| {
        if let Some(variable) = job.and_then(|job| predefined::of_planned_job(job, name)) {
            return Some(variable);
        }
        predefined
            .get_or_init(|| {
                let facts = RunFacts {
                    project: &request.project,
                    default_branch: &default_branch,
                    source: request.source,
                    ref_name: &resolved.name,
                    ref_kind: resolved.kind,
                    tag_message: resolved.tag_message.as_deref(),
                    is_protected,
                    commit: &commit,
                    before_sha: request.before_sha.as_ref(),
                    trigger_short_token: predefined::short_token(request.trigger.as_ref()),
                    schedule_description: request
                        .schedule
                        .as_ref()
                        .map(|schedule| schedule.description.as_str()),
                    user: request.user.as_ref(),
                };
                let mut predefined = predefined::of_run(&app.config, &facts);
                if request.has_build_names {
                    build_names::add(&mut predefined);
                }
                by_name(predefined)
            })
            .get(name)
            .cloned()
    };
    let context = Context {
        source: request.source,
        ref_name: &resolved.name,
        ref_kind: resolved.kind,
        project_path: &request.project.path,
        variables: &set_value,
        predefined: &predefined_value,
    };
    Ok(tappet_gitlab_ci::plan(config, &context))
}

/// What jobs of an environment find set outside the pipeline file.
fn set_outside(
    settings: &Settings,
    environment: Option<&str>,
    given: &[Variable],
) -> Vec<Variable> {
    let settings = settings.layers(environment);
    let layers = JobVariableLayers {
        instance: settings.instance,
        groups: settings.groups,
        project: settings.project,
        pipeline: given.to_vec(),
        ..JobVariableLayers::default()
    };
    layers.assemble().variables
}

/// The last variable of each name.
fn by_name(variables: Vec<Variable>) -> HashMap<String, Variable> {
    let pairs = variables.into_iter();
    pairs
        .map(|variable| (variable.key.clone(), variable))
        .collect()
}

fn workflow(path: &str, parsed: &ParsedFile, plan: Plan) -> NewWorkflow {
    let graph = parsed.graph(&plan);
    let warnings = parsed.config.warnings().iter().chain(&plan.warnings);
    NewWorkflow {
        path: path.to_owned(),
        name: plan.name,
        stages: plan.stages,
        graph,
        notes: RunNotes {
            left_out: plan.left_out,
            warnings: warnings.map(ToString::to_string).collect(),
        },
        jobs: plan
            .jobs
            .into_iter()
            .map(|job| NewJob {
                name: job.name,
                tags: job.tags,
                needs: job.needs,
                environment: job.environment,
                spec: parsed.shared_spec(&job.spec),
            })
            .collect(),
    }
}

async fn store(
    app: &App,
    request: RunRequest,
    repository: &Repository,
    resolved: ResolvedRef,
    content: NewRunContent,
) -> Result<Started, Refusal> {
    let commit = commit(repository, &resolved.sha).await?;
    app.repositories.keep(&request.project, &resolved.sha).await;
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
        commit_title: commit.title().to_owned(),
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
        content,
        credential: request.credential,
        idempotency: request.idempotency,
        slot: request.slot,
        now: clock::now(),
    };
    if let NewRunContent::Planned(workflow) = &new.content
        && let Some(first) = workflow.jobs.first()
    {
        app.dispatch.expect(&first.tags);
    }
    match app.store.create_run(new).await {
        Ok(Creation::Created(advance)) => {
            app.metrics.run_started(advance.run.source);
            app.announce(&advance).await;
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
