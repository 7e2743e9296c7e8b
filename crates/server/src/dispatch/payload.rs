//! Turns an assignment into the job object of the runner protocol.

use std::path::Path;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS};
use tappet_git::{Commit, Repository, ResolveError};
use tappet_gitlab_ci::expansion::expand_collection;
use tappet_model::runner_protocol::{
    Dependency, DependencyFile, GitInfo, JobInfo, JobPayload, PayloadFeatures, PayloadVariable,
    RunnerLimits, Step,
};
use tappet_model::{
    DIFFS_VARIABLE, Environment, FailureReason, RefKind, RefName, Variable, VariableKind,
};
use tappet_store::{Assignment, Run, Runner, Schedule};

use super::build_names;
use super::environment;
use super::predefined::{self, JobFacts, RunFacts};
use super::pull_request_variables::PullRequestFacts;
use super::steps::{self, StepsFacts};
use super::uploads;
use super::variables::{AssembledVariables, JobVariableLayers};
use crate::app::App;
use crate::intake::unseal;
use crate::reports;

/// Why an attempt cannot be handed out although it is its turn.
#[derive(Debug, thiserror::Error)]
pub enum NotDeliverable {
    /// Its commit cannot be read any more.
    #[error("cannot read the project's repository: {0}")]
    Repository(String),
    /// Its variables contradict themselves.
    #[error("{0}")]
    Variables(String),
    /// Its environment cannot be called so.
    #[error(
        "the name of the job's environment comes out as `{0}`, which is empty, longer than 255 characters or not made of letters, digits, spaces and -_/${{}}. alone: check `environment:name` and the variables in it"
    )]
    Environment(String),
}

impl NotDeliverable {
    /// How the attempt fails.
    pub fn reason(&self) -> FailureReason {
        match self {
            NotDeliverable::Repository(_) => FailureReason::RunnerSystemFailure,
            NotDeliverable::Variables(_) => FailureReason::DataIntegrityFailure,
            NotDeliverable::Environment(_) => FailureReason::EnvironmentCreationFailure,
        }
    }
}

/// What the runner is sent, and what it must never print.
pub struct Delivery {
    /// Answer of `POST /jobs/request`.
    pub payload: JobPayload,
    /// What must not appear in the log of the job.
    pub secrets: Vec<String>,
    /// Variables that were left out since their names are reserved.
    pub ignored: Vec<String>,
}

/// The job object for one assignment.
pub async fn payload(
    app: &App,
    assignment: &Assignment,
    runner: &Runner,
) -> Result<Delivery, NotDeliverable> {
    check_environment(assignment)?;
    let repository = app
        .repositories
        .of(&assignment.project)
        .await
        .map_err(|error| NotDeliverable::Repository(error.to_string()))?;
    let commit = repository
        .commit(&assignment.run.sha)
        .await
        .map_err(|error| NotDeliverable::Repository(error.to_string()))?;
    let default_branch = app
        .repositories
        .default_branch(&assignment.project, &repository)
        .await
        .unwrap_or_default();
    let run = &assignment.run;
    let tag_message = tag_message(run, &repository).await?;
    let is_protected = app
        .is_protected(&assignment.project, run.ref_kind, &run.ref_name)
        .await
        .map_err(|error| NotDeliverable::Variables(error.to_string()))?;
    let set = set_variables(app, assignment, is_protected).await?;
    let schedule = match assignment.run.origin.schedule_id {
        Some(id) => app
            .store
            .schedule(assignment.project.id, id)
            .await
            .map_err(|error| NotDeliverable::Variables(error.to_string()))?,
        None => None,
    };

    let pull_request = match &assignment.pull_request {
        Some(of) => Some(
            app.pull_request_facts(&assignment.project, &of.pull_request)
                .await
                .map_err(|error| NotDeliverable::Variables(error.to_string()))?,
        ),
        None => None,
    };
    let token = app.secrets.job_token(assignment.attempt.id);
    let repository_url = file_url(repository.git_dir());
    let timeout_s = timeout_s(assignment);
    let assembled = variables(
        app,
        assignment,
        runner,
        set,
        Job {
            commit: &commit,
            default_branch: &default_branch,
            tag_message: tag_message.as_deref(),
            is_protected,
            token: &token,
            repository_url: &repository_url,
            timeout_s,
            schedule: schedule.as_ref(),
            pull_request,
        },
    )?;
    let variables = &assembled.variables;
    let mut secrets = secrets(app, assignment, variables);
    let tappet = match &assignment.spec.workflow_job {
        Some(job) => {
            let facts = StepsFacts {
                default_branch: &default_branch,
                is_protected,
                token: &token,
            };
            let (payload, masks) = steps::payload(app, assignment, job, facts).await?;
            secrets.extend(masks);
            Some(Box::new(payload))
        }
        None => None,
    };
    let depth = lookup(variables, "GIT_DEPTH").and_then(|text| text.trim().parse().ok());
    let payload = build(
        assignment,
        &assembled,
        &token,
        repository_url,
        timeout_s,
        depth,
        is_protected,
    );
    Ok(Delivery {
        payload: JobPayload { tappet, ..payload },
        secrets,
        ignored: assembled.ignored,
    })
}

/// The variables in its name are known since the run was made, so GitLab fails
/// the job right then; here it fails when its turn has come.
fn check_environment(assignment: &Assignment) -> Result<(), NotDeliverable> {
    match &assignment.attempt.environment {
        Some(environment) if !Environment::is_valid_name(&environment.name) => {
            Err(NotDeliverable::Environment(environment.name.clone()))
        }
        _ => Ok(()),
    }
}

/// The message of the run's annotated tag; none once the tag is gone.
async fn tag_message(
    run: &Run,
    repository: &Repository,
) -> Result<Option<Arc<str>>, NotDeliverable> {
    let name = RefName::new(format!("refs/tags/{}", run.ref_name));
    let (RefKind::Tag, Ok(name)) = (run.ref_kind, name) else {
        return Ok(None);
    };
    match repository.resolve(&name).await {
        Ok(resolved) => Ok(resolved.tag_message),
        Err(ResolveError::NotFound | ResolveError::Ambiguous) => Ok(None),
        Err(ResolveError::Read(error)) => Err(NotDeliverable::Repository(error.to_string())),
    }
}

fn unsealed(app: &App, sealed: Option<&[u8]>) -> Result<Vec<Variable>, NotDeliverable> {
    match sealed {
        Some(sealed) => unseal(&app.secrets, sealed)
            .map_err(|error| NotDeliverable::Variables(error.to_string())),
        None => Ok(Vec::new()),
    }
}

/// The time limit of an assignment in seconds.
pub fn timeout_s(assignment: &Assignment) -> u64 {
    assignment
        .spec
        .timeout_s
        .unwrap_or(assignment.project.timeout_s)
}

/// Every variable of the job that the server does not set itself.
async fn set_variables(
    app: &App,
    assignment: &Assignment,
    is_protected: bool,
) -> Result<JobVariableLayers, NotDeliverable> {
    let environment = assignment.attempt.environment.as_ref();
    let settings = app
        .settings_variables(&assignment.project, is_protected)
        .await
        .map_err(|error| NotDeliverable::Variables(error.to_string()))?
        .layers(environment.map(|one| one.name.as_str()));
    Ok(JobVariableLayers {
        yaml: assignment.spec.variables.clone(),
        dotenv: reports::handed_on(&app.secrets, &assignment.sealed_reports)
            .map_err(|error| NotDeliverable::Variables(error.to_string()))?,
        instance: settings.instance,
        groups: settings.groups,
        project: settings.project,
        pipeline: unsealed(app, assignment.sealed_variables.as_deref())?,
        play: unsealed(app, assignment.sealed_job_variables.as_deref())?,
        environment: environment.map(environment::of_job).unwrap_or_default(),
        ..JobVariableLayers::default()
    })
}

struct Job<'a> {
    commit: &'a Commit,
    default_branch: &'a str,
    tag_message: Option<&'a str>,
    is_protected: bool,
    token: &'a str,
    repository_url: &'a str,
    timeout_s: u64,
    schedule: Option<&'a Schedule>,
    pull_request: Option<PullRequestFacts<'a>>,
}

/// All variables of the job in rising precedence, expanded.
fn variables(
    app: &App,
    assignment: &Assignment,
    runner: &Runner,
    set: JobVariableLayers,
    job: Job<'_>,
) -> Result<AssembledVariables, NotDeliverable> {
    let run = &assignment.run;
    let mut predefined = predefined::of_run(
        &app.config,
        &RunFacts {
            project: &assignment.project,
            default_branch: job.default_branch,
            source: run.source,
            ref_name: &run.ref_name,
            ref_kind: run.ref_kind,
            tag_message: job.tag_message,
            is_protected: job.is_protected,
            commit: job.commit,
            before_sha: run.origin.before_sha.as_ref(),
            trigger_short_token: run.trigger_short_token.as_deref(),
            schedule_description: job.schedule.map(|schedule| schedule.description.as_str()),
            user: assignment.user.as_ref(),
            pull_request: job.pull_request,
        },
    );
    predefined.extend(predefined::of_job(
        &app.config,
        &JobFacts {
            run,
            attempt: &assignment.attempt,
            project: &assignment.project,
            token: job.token,
            repository_url: job.repository_url,
            timeout_s: job.timeout_s,
            runner,
            manual: assignment.spec.manual,
        },
    ));
    if let Some(diffs) = diffs_of(assignment) {
        predefined.push(Variable {
            kind: VariableKind::File,
            raw: true,
            ..Variable::new(DIFFS_VARIABLE, diffs)
        });
    }
    if run.origin.has_build_names {
        build_names::add(&mut predefined);
    }
    let layers = JobVariableLayers { predefined, ..set };
    let assembled = layers.assemble();
    let variables = expand_collection(assembled.variables).map_err(|circular| {
        NotDeliverable::Variables(format!("{}: {circular}", assignment.attempt.name))
    })?;
    Ok(AssembledVariables {
        variables,
        ..assembled
    })
}

/// The pairs of tables that were submitted to the run so far.
fn diffs_of(assignment: &Assignment) -> Option<&str> {
    assignment.pull_request.as_ref()?.diffs.as_deref()
}

/// The values of masked variables, and every token that the runner may have.
fn secrets(app: &App, assignment: &Assignment, variables: &[Variable]) -> Vec<String> {
    let masked = variables.iter().filter(|variable| variable.masked);
    let mut secrets = app.secrets.job_tokens(assignment.attempt.id);
    secrets.extend(masked.map(|variable| variable.value.clone()));
    secrets
}

/// Whether the log of a job will show every variable.
pub fn shows_variables(payload: &JobPayload) -> bool {
    let last = |key: &str| {
        let mut found = payload.variables.iter().rev();
        found.find(|variable| variable.key == key)
    };
    ["CI_DEBUG_TRACE", "CI_DEBUG_SERVICES"]
        .into_iter()
        .filter_map(last)
        .any(|variable| variable.value.trim().eq_ignore_ascii_case("true"))
}

fn lookup<'a>(variables: &'a [Variable], key: &str) -> Option<&'a str> {
    variables
        .iter()
        .rev()
        .find(|variable| variable.key == key)
        .map(|found| found.value.as_str())
}

fn build(
    assignment: &Assignment,
    assembled: &AssembledVariables,
    token: &str,
    repository_url: String,
    timeout_s: u64,
    depth: Option<u32>,
    is_protected: bool,
) -> JobPayload {
    let Assignment {
        attempt,
        run,
        project,
        spec,
        ..
    } = assignment;
    let queued = attempt.queued_at.zip(attempt.started_at);
    JobPayload {
        id: attempt.id.0,
        token: token.to_owned(),
        allow_git_fetch: true,
        job_info: JobInfo {
            id: attempt.id.0,
            name: attempt.name.clone(),
            stage: attempt.stage.clone(),
            pipeline_id: run.id.0,
            project_id: project.id.0,
            project_name: project
                .path
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned(),
            project_full_path: project.path.clone(),
            time_in_queue_seconds: queued
                .map_or(0.0, |(queued, started)| started.since(queued).as_secs_f64()),
            project_jobs_running_on_instance_runners_count: "0".to_owned(),
        },
        git_info: GitInfo {
            repo_url: repository_url,
            repo_object_format: "sha1".to_owned(),
            ref_name: run.ref_name.clone(),
            sha: run.sha.as_str().to_owned(),
            before_sha: run.origin.before().to_owned(),
            ref_type: ref_type(run.ref_kind).to_owned(),
            refspecs: refspecs(assignment),
            depth: depth.unwrap_or(0),
            protected: Some(is_protected),
        },
        runner_info: RunnerLimits { timeout: timeout_s },
        variables: payload_variables(assembled),
        steps: script_steps(assignment, timeout_s),
        hooks: Vec::new(),
        image: None,
        services: Vec::new(),
        artifacts: uploads::of(spec.artifacts.as_ref()),
        cache: Vec::new(),
        credentials: Vec::new(),
        dependencies: dependencies(assignment, token),
        tappet: None,
        features: PayloadFeatures {
            trace_sections: true,
            token_mask_prefixes: Vec::new(),
            failure_reasons: FailureReason::ALL
                .iter()
                .map(|reason| reason.as_str().to_owned())
                .collect(),
        },
    }
}

/// Runners know two words only.
fn ref_type(kind: RefKind) -> &'static str {
    match kind {
        RefKind::Branch | RefKind::Commit | RefKind::PullRequest => "branch",
        RefKind::Tag => "tag",
    }
}

/// The pinned commit first, so that a force-push cannot take it away, then its ref.
fn refspecs(assignment: &Assignment) -> Vec<String> {
    let run = &assignment.run;
    let pinned = format!("+{}:refs/pipelines/{}", run.sha, run.id);
    let name = &run.ref_name;
    match run.ref_kind {
        RefKind::Branch => {
            let named = format!("+refs/heads/{name}:refs/remotes/origin/{name}");
            vec![pinned, named]
        }
        RefKind::Tag => vec![pinned, format!("+refs/tags/{name}:refs/tags/{name}")],
        RefKind::Commit | RefKind::PullRequest => vec![pinned],
    }
}

fn script_steps(assignment: &Assignment, timeout_s: u64) -> Vec<Step> {
    let spec = &assignment.spec;
    let mut steps = vec![Step {
        name: "script".to_owned(),
        script: spec.script.clone(),
        timeout: timeout_s,
        when: "on_success".to_owned(),
        allow_failure: false,
    }];
    if !spec.after_script.is_empty() {
        steps.push(Step {
            name: "after_script".to_owned(),
            script: spec.after_script.clone(),
            timeout: timeout_s,
            when: "always".to_owned(),
            allow_failure: true,
        });
    }
    steps
}

fn payload_variables(assembled: &AssembledVariables) -> Vec<PayloadVariable> {
    let variables = assembled.variables.iter();
    variables
        .map(|variable| PayloadVariable {
            key: variable.key.clone(),
            value: variable.value.clone(),
            public: !variable.masked && !assembled.private.contains(&variable.key),
            masked: variable.masked,
            file: variable.kind == VariableKind::File,
            raw: variable.raw,
        })
        .collect()
}

fn dependencies(assignment: &Assignment, token: &str) -> Vec<Dependency> {
    assignment
        .artifact_sources
        .iter()
        .map(|source| Dependency {
            id: source.id.0,
            token: token.to_owned(),
            name: source.name.clone(),
            artifacts_file: source.archive.as_ref().map(|archive| DependencyFile {
                filename: archive.filename.clone(),
                size: i64::try_from(archive.size_bytes).unwrap_or(i64::MAX),
            }),
        })
        .collect()
}

/// What a path may hold in a `file://` address as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'?')
    .add(b'<')
    .add(b'>')
    .add(b'`');

fn file_url(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let encoded = percent_encoding::percent_encode(path.as_os_str().as_bytes(), PATH);
    format!("file://{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_addresses_keep_odd_paths_readable() {
        assert_eq!(
            file_url(Path::new("/srv/a b#c%d.git")),
            "file:///srv/a%20b%23c%25d.git"
        );
    }
}
