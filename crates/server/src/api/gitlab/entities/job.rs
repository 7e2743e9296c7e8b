//! An attempt, which GitLab calls a job.

use serde::Serialize;
use tappet_git::Commit as GitCommit;
use tappet_model::{RefKind, Status, Timestamp};
use tappet_store::{Artifact, Attempt, Project, Run, Runner as RunnerRecord, User};
use utoipa::ToSchema;

use super::Time;
use super::commit::Commit;
use super::pipeline_basic::PipelineBasic;
use super::runner::Runner;
use super::user_basic::UserOfJob;
use crate::config::Config;

/// GitLab: `API::Entities::Ci::Job`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Job<'a> {
    id: i64,
    status: &'static str,
    stage: &'a str,
    name: &'a str,
    #[serde(rename = "ref")]
    ref_name: &'a str,
    tag: bool,
    coverage: Option<f64>,
    allow_failure: bool,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    erased_at: Option<Time>,
    duration: Option<f64>,
    queued_duration: Option<f64>,
    user: Option<UserOfJob<'a>>,
    commit: Commit<'a>,
    pipeline: PipelineBasic<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    web_url: String,
    project: ProjectOfJob,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifacts_file: Option<ArtifactsFile<'a>>,
    artifacts: Vec<JobArtifact<'a>>,
    runner: Option<Runner<'a>>,
    runner_manager: Option<()>,
    artifacts_expire_at: Option<Time>,
    archived: bool,
    tag_list: &'a [String],
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct ProjectOfJob {
    ci_job_token_scope_enabled: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct ArtifactsFile<'a> {
    filename: &'a str,
    size: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct JobArtifact<'a> {
    file_type: &'a str,
    size: u64,
    filename: &'a str,
    file_format: &'a str,
}

impl<'a> JobArtifact<'a> {
    fn of(artifact: &'a Artifact) -> Self {
        Self {
            file_type: &artifact.kind,
            size: artifact.size_bytes,
            filename: &artifact.filename,
            file_format: &artifact.format,
        }
    }

    /// A log of this many bytes.
    fn trace(size: u64) -> Self {
        Self {
            file_type: "trace",
            size,
            filename: "job.log",
            file_format: "raw",
        }
    }
}

/// What the jobs of one run have in common.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// For links.
    pub config: &'a Config,
    /// Their project.
    pub project: &'a Project,
    /// Their run.
    pub run: &'a Run,
    /// Who started it.
    pub user: Option<&'a User>,
    /// Its commit, when the repository can be read.
    pub commit: Option<&'a GitCommit>,
    /// For durations of what still runs.
    pub now: Timestamp,
}

impl<'a> Job<'a> {
    /// Shows an attempt; `trace` is the size of its log, once that has ended.
    pub fn of(
        around: Surroundings<'a>,
        attempt: &'a Attempt,
        runner: Option<&'a RunnerRecord>,
        trace: Option<u64>,
    ) -> Self {
        let Surroundings {
            config,
            project,
            run,
            user,
            commit,
            now,
        } = around;
        let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
            from.map(|from| to.unwrap_or(now).since(from).as_secs_f64())
        };
        let ended = attempt.status.is_completed();
        // Files with names are nothing that GitLab knows.
        let files = attempt.artifacts.iter().filter(|file| file.name.is_none());
        let files = files.map(JobArtifact::of);
        let waiting_ended = attempt.started_at.or(attempt.finished_at);
        Self {
            id: attempt.id.0,
            status: attempt.status.as_str(),
            stage: &attempt.stage,
            name: &attempt.name,
            ref_name: &run.ref_name,
            tag: run.ref_kind == RefKind::Tag,
            coverage: attempt.coverage,
            allow_failure: attempt.allow_failure,
            created_at: Time(attempt.created_at),
            started_at: attempt.started_at.map(Time),
            finished_at: attempt.finished_at.map(Time),
            erased_at: attempt.erased_at.map(Time),
            duration: seconds(attempt.started_at, attempt.finished_at),
            queued_duration: seconds(
                attempt.queued_at,
                if ended {
                    waiting_ended.or(Some(now))
                } else {
                    attempt.started_at
                },
            ),
            user: user.map(|user| UserOfJob::of(config, user)),
            commit: Commit::of(config, project, run, commit),
            pipeline: PipelineBasic::of(config, project, run),
            failure_reason: (attempt.status == Status::Failed).then(|| {
                attempt
                    .failure_reason
                    .map_or("unknown_failure", |reason| reason.as_str())
            }),
            web_url: config.url(&format!("/{}/-/jobs/{}", project.path, attempt.id)),
            project: ProjectOfJob {
                ci_job_token_scope_enabled: false,
            },
            artifacts_file: attempt.archive.as_ref().map(|archive| ArtifactsFile {
                filename: &archive.filename,
                size: archive.size_bytes,
            }),
            artifacts: files.chain(trace.map(JobArtifact::trace)).collect(),
            runner: runner.map(|runner| Runner::of(runner, attempt.status.is_executing())),
            runner_manager: None,
            artifacts_expire_at: attempt
                .archive
                .as_ref()
                .and_then(|archive| archive.expires_at)
                .map(Time),
            archived: false,
            tag_list: &attempt.tags,
        }
    }
}
