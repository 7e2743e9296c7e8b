//! What a run consists of: its file, compiled for this ref and these variables.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use tappet_git::{FileError, Repository, ResolvedRef};
use tappet_gitlab_ci::{AskingJob, Config, Context, PlanError};
use tappet_model::plan::Plan;
use tappet_model::{CommitSha, Diagnostic, FailureReason, RefKind, Variable};
use tappet_store::{NewJob, NewJobKey, NewRunContent, NewWorkflow, RunNotes};

use super::parsed_files::ParsedFile;
use super::plain_text::without_tags;
use super::refusal::unavailable;
use super::repository_questions::{Answers, Asked, Question, Questions};
use super::{PIPELINE_FILE_LIMIT, Refusal, RunRequest, commit};
use crate::app::App;
use crate::dispatch::JobVariableLayers;
use crate::dispatch::build_names;
use crate::dispatch::predefined::{self, RunFacts};
use crate::settings_variables::Settings;

/// A file or variables with something wrong in them.
pub(super) fn invalid(errors: impl Into<String>) -> NewRunContent {
    NewRunContent::Invalid {
        errors: without_tags(errors.into()),
        reason: FailureReason::ConfigError,
    }
}

/// What is known of a run, beside its request, when its file is compiled.
pub(super) struct Known<'a> {
    pub resolved: &'a ResolvedRef,
    pub is_protected: bool,
    pub settings: Settings,
}

/// The commit has no pipeline file, in GitLab's words.
pub(super) fn missing_file() -> Refusal {
    Refusal::NothingToRun {
        message: "Missing CI config file".to_owned(),
    }
}

/// Whether the commit has something in the place of the pipeline file.
pub(super) async fn has_file(
    repository: &Repository,
    sha: &CommitSha,
    path: &str,
) -> Result<bool, Refusal> {
    match repository.file_at(sha, path, PIPELINE_FILE_LIMIT).await {
        Ok(_) | Err(FileError::Symlink | FileError::TooLarge { .. }) => Ok(true),
        Err(FileError::Missing | FileError::NotAFile | FileError::BadPath) => Ok(false),
        Err(FileError::Read(error)) => Err(unavailable(error.to_string())),
    }
}

/// The compiled file, or the text of what is wrong with it.
pub(super) async fn content(
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
            return Err(missing_file());
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

/// The jobs of a parsed file, or why there are none.
pub(super) async fn plan(
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
    let pull_request = match &request.pull_request {
        Some(pull_request) => Some(
            app.pull_request_facts(&request.project, pull_request)
                .await?,
        ),
        None => None,
    };
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
        pull_request,
    };
    let asked = Asked {
        app,
        project: &request.project,
        repository,
        sha: &resolved.sha,
        compared_with: compared_with(request, resolved),
    };
    let mut answers = Answers::default();
    loop {
        let (planned, questions) = plan_once(app, request, config, &settings, &facts, &answers);
        if questions.is_empty() {
            return Ok(planned);
        }
        for question in questions {
            asked.answer(question, &mut answers).await?;
        }
    }
}

/// Against what a run tells its changes, when a rule names nothing else: where a
/// pull request began, or where a branch stood before a push (GitLab:
/// `Ci::Pipeline#changed_paths`).
fn compared_with<'a>(request: &'a RunRequest, resolved: &ResolvedRef) -> Option<&'a CommitSha> {
    match &request.pull_request {
        Some(pull_request) => pull_request.merge_base.as_ref(),
        None if resolved.kind == RefKind::Branch => request.before_sha.as_ref(),
        None => None,
    }
}

/// A plan with what is known so far, and what is not known yet. A file that says
/// nothing about merge requests would leave a pull request without jobs, so then those
/// that say nothing are part of it.
fn plan_once(
    app: &App,
    request: &RunRequest,
    config: &Config,
    settings: &Settings,
    facts: &RunFacts<'_>,
    answers: &Answers,
) -> (Result<Plan, PlanError>, Vec<Question>) {
    // Most files have no rule that looks, so the maps are made on first look.
    let set: RefCell<HashMap<Option<String>, HashMap<String, Variable>>> = RefCell::default();
    let set_value = |environment: Option<&str>, name: &str| {
        let mut set = set.borrow_mut();
        let here = set
            .entry(environment.map(str::to_owned))
            .or_insert_with(|| by_name(set_outside(settings, environment, &request.variables)));
        here.get(name).cloned()
    };
    let predefined: OnceCell<HashMap<String, Variable>> = OnceCell::new();
    let predefined_value = |job: Option<&AskingJob<'_>>, name: &str| {
        if let Some(variable) = job.and_then(|job| predefined::of_planned_job(job, name)) {
            return Some(variable);
        }
        predefined
            .get_or_init(|| {
                let mut predefined = predefined::of_run(&app.config, facts);
                if request.has_build_names {
                    build_names::add(&mut predefined);
                }
                by_name(predefined)
            })
            .get(name)
            .cloned()
    };
    let questions = Questions::default();
    let context = Context {
        source: facts.source,
        ref_name: facts.ref_name,
        ref_kind: facts.ref_kind,
        project_path: &request.project.path,
        variables: &set_value,
        predefined: &predefined_value,
        changed: &|compare_to| questions.changed(answers, compare_to),
        files: &|| questions.files(answers),
        unspoken_jobs_join: false,
    };
    let mut planned = tappet_gitlab_ci::plan(config, &context);
    let is_silent = facts.pull_request.is_some() && !config.speaks_of_merge_requests();
    if is_silent && matches!(planned, Err(PlanError::Empty)) {
        let lenient = Context {
            unspoken_jobs_join: true,
            ..context
        };
        planned = tappet_gitlab_ci::plan(config, &lenient);
    }
    (planned, questions.into_inner())
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
        workflows: plan.workflows,
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
                key: NewJobKey::of(&job.spec),
                spec: parsed.shared_spec(&job.spec),
            })
            .collect(),
    }
}
