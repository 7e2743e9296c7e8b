//! Checking pipeline files (GitLab: `lib/api/lint.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_git::FileError;
use tappet_gitlab_ci::Linted;
use tappet_model::{Diagnostic, RefName, Source};

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::lint_result::{LintJob, LintResult};
use super::errors::{ApiError, ApiResult};
use super::params::Checks;
use crate::api::operation::{self, Audience, boolean, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::intake::{self, PIPELINE_FILE_LIMIT, Refusal, RunRequest};
use crate::rights::Right;

const PATH: &str = "/projects/{id}/ci/lint";

/// The linter.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get(PATH)
                .id("lintProject")
                .about("Checks the pipeline file of a commit.")
                .audience(Audience::Visitor)
                .query(text("content_ref").about("Commit, branch or tag of the file."))
                .query(text("sha").about("The same, deprecated."))
                .query(boolean("dry_run").about("Decides rules as for a push."))
                .query(text("dry_run_ref").about("Branch or tag of the dry run."))
                .query(text("ref").about("The same, deprecated."))
                .query(boolean("include_jobs"))
                .replies::<LintResult>(StatusCode::OK),
            of_commit,
        )
        .add(
            operation::post(PATH)
                .id("lintContent")
                .about("Checks a given pipeline file as one of a project.")
                .audience(Audience::Visitor)
                .body(text("content").required())
                .body(boolean("dry_run").about("Decides rules as for a push."))
                .body(text("ref").about("Branch or tag of the dry run."))
                .body(boolean("include_jobs"))
                .replies::<LintResult>(StatusCode::OK),
            of_content,
        )
}

/// What both calls are asked beside the file.
struct Asked {
    dry_run: bool,
    include_jobs: bool,
    ref_name: Option<String>,
}

impl Asked {
    fn read(checks: &mut Checks<'_>, ref_name: Option<String>) -> Self {
        Self {
            dry_run: checks.boolean("dry_run").unwrap_or(false),
            include_jobs: checks.boolean("include_jobs").unwrap_or(false),
            ref_name,
        }
    }
}

async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Access> {
    let (login, jobs) = (Login::Optional, JobTokens::Ignored);
    access::open_checked(app, call, login, jobs, checked).await
}

/// `POST /projects/:id/ci/lint`: 200 for valid and invalid files alike.
pub async fn of_content(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let content = checks.required_text("content").into_owned();
    let ref_name = filled(&mut checks, "ref");
    let asked = Asked::read(&mut checks, ref_name);
    let access = open(&app, &call, checks.finish()).await?;
    access.require(Right::LintPipelines)?;
    lint(&app, &access, content, asked).await
}

/// `GET /projects/:id/ci/lint`.
pub async fn of_commit(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    for [old, new] in [["sha", "content_ref"], ["ref", "dry_run_ref"]] {
        if call.params.contains_key(old) && call.params.contains_key(new) {
            checks.refuse(format!("{old}, {new} are mutually exclusive"));
        }
    }
    let content_ref = filled(&mut checks, "content_ref").or(filled(&mut checks, "sha"));
    let ref_name = filled(&mut checks, "dry_run_ref").or(filled(&mut checks, "ref"));
    let asked = Asked::read(&mut checks, ref_name);
    let access = open(&app, &call, checks.finish()).await?;
    access.require(Right::ReadRepository)?;
    let content = content_at(&app, &access, content_ref.as_deref()).await?;
    lint(&app, &access, content, asked).await
}

fn filled(checks: &mut Checks<'_>, name: &str) -> Option<String> {
    checks.filled_text(name).map(std::borrow::Cow::into_owned)
}

/// The pipeline file of a commit; empty when it has none.
async fn content_at(app: &App, access: &Access, name: Option<&str>) -> ApiResult<String> {
    let project = &access.project;
    let unreachable = |error: String| ApiError::unreachable(&error);
    let repository = app
        .repositories
        .of(project)
        .await
        .map_err(|error| unreachable(error.message))?;
    if repository.is_empty().await? {
        return Err(ApiError::missing("Repository"));
    }
    let name = match name {
        Some(name) => Some(name.to_owned()),
        None => app.repositories.default_branch(project, &repository).await,
    };
    let name = name.ok_or_else(|| ApiError::missing("Commit"))?;
    if let Ok(ref_name) = RefName::new(name.as_str()) {
        app.repositories
            .refresh(project, &ref_name)
            .await
            .map_err(|error| unreachable(error.message))?;
    }
    let sha = repository.find_commit(&name).await?;
    let sha = sha.ok_or_else(|| ApiError::missing("Commit"))?;
    let path = &project.ci_config_path;
    match repository.file_at(&sha, path, PIPELINE_FILE_LIMIT).await {
        Ok(file) => Ok(String::from_utf8_lossy(&file.bytes).into_owned()),
        Err(FileError::Read(error)) => Err(error.into()),
        Err(FileError::TooLarge { .. }) => Ok(" ".repeat(1 + LIMIT)),
        Err(_) => Ok(String::new()),
    }
}

/// The same limit for texts.
const LIMIT: usize = PIPELINE_FILE_LIMIT as usize;

async fn lint(app: &App, access: &Access, content: String, asked: Asked) -> ApiResult<Response> {
    if content.len() > LIMIT {
        return Ok(shown(refused("The parsed YAML is too big"), &asked));
    }
    let linted = tokio::task::spawn_blocking(move || tappet_gitlab_ci::lint(&content))
        .await
        .map_err(|error| ApiError::broken("checking a pipeline file", error))?;
    let result = if asked.dry_run {
        simulated(app, access, &linted, asked.ref_name.clone()).await?
    } else {
        checked(&linted)
    };
    Ok(shown(result, &asked))
}

fn shown(mut result: LintResult, asked: &Asked) -> Response {
    let jobs = result.jobs.take().unwrap_or_default();
    result.jobs = asked.include_jobs.then_some(jobs);
    result.valid = result.errors.is_empty();
    axum::Json(result).into_response()
}

fn refused(error: impl Into<String>) -> LintResult {
    LintResult {
        errors: vec![error.into()],
        ..LintResult::default()
    }
}

/// GitLab's words alone: its clients compare them.
fn messages(diagnostics: &[Diagnostic]) -> Vec<String> {
    let messages = diagnostics.iter().map(|one| one.message.clone());
    messages.collect()
}

fn checked(linted: &Linted) -> LintResult {
    let includes = linted.merged_yaml.is_some().then(Vec::new);
    let (errors, warnings) = match &linted.config {
        Ok(config) => (Vec::new(), messages(config.warnings())),
        Err(errors) => (messages(errors), Vec::new()),
    };
    LintResult {
        errors,
        warnings,
        merged_yaml: linted.merged_yaml.clone(),
        includes,
        jobs: Some(linted.jobs().iter().map(LintJob::of_file).collect()),
        ..LintResult::default()
    }
}

/// As a push to this ref, or the default branch, would come out.
async fn simulated(
    app: &App,
    access: &Access,
    linted: &Linted,
    ref_name: Option<String>,
) -> ApiResult<LintResult> {
    let project = &access.project;
    let Some(user) = access.caller.user.clone() else {
        return Ok(refused("Insufficient permissions to create a new pipeline"));
    };
    if !access.may(Right::RunPipelines) {
        return Ok(refused("Insufficient permissions to create a new pipeline"));
    }
    let Ok(config) = &linted.config else {
        return Ok(checked(linted));
    };
    let ref_name = match ref_name {
        Some(ref_name) => ref_name,
        None => default_branch(app, access).await,
    };
    let request = RunRequest::new(project.clone(), Some(user), Source::Push, ref_name);
    let plan = match intake::simulate(app, &request, config).await {
        Ok(Ok(plan)) => plan,
        Ok(Err(error)) => {
            return Ok(LintResult {
                errors: vec![error.to_string()],
                jobs: None,
                ..checked(linted)
            });
        }
        Err(Refusal::NotStarted { message }) => return Ok(refused(message)),
        Err(refused) => return Err(refused.into()),
    };
    let outlines = linted.jobs();
    let written = |name: &str| outlines.iter().find(|outline| outline.name == name);
    let jobs = plan.jobs.iter();
    let jobs = jobs.map(|job| LintJob::of_plan(&plan, job, written(&job.name)));
    Ok(LintResult {
        jobs: Some(jobs.collect()),
        ..checked(linted)
    })
}

async fn default_branch(app: &App, access: &Access) -> String {
    match app.repositories.of(&access.project).await {
        Ok(repository) => app
            .repositories
            .default_branch(&access.project, &repository)
            .await
            .unwrap_or_default(),
        Err(_) => String::new(),
    }
}
