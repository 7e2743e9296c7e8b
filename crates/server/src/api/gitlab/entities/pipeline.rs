//! A run in full.

use std::time::Duration;

use serde::Serialize;
use tappet_model::{RefKind, Status};
use tappet_store::{Project, Run, User};
use utoipa::ToSchema;

use super::Time;
use super::detailed_status::DetailedStatus;
use super::pipeline_basic::{PipelineBasic, page};
use super::user_basic::UserBasic;
use crate::config::Config;

/// GitLab: `API::Entities::Ci::Pipeline`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Pipeline<'a> {
    #[serde(flatten)]
    basic: PipelineBasic<'a>,
    before_sha: &'a str,
    tag: bool,
    yaml_errors: Option<&'a str>,
    user: Option<UserBasic<'a>>,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    committed_at: Option<Time>,
    duration: Option<u64>,
    queued_duration: Option<u64>,
    /// In percent, with two decimals.
    coverage: Option<String>,
    detailed_status: DetailedStatus,
    archived: bool,
}

impl<'a> Pipeline<'a> {
    /// Shows a run as it is now.
    pub fn of(config: &Config, project: &Project, run: &'a Run, user: Option<&'a User>) -> Self {
        let details = format!("{}{}", config.path_prefix(), page(project, run));
        let status =
            DetailedStatus::of_run(config.path_prefix(), details, run.status, run.has_warnings);
        Self {
            basic: PipelineBasic::of(config, project, run),
            before_sha: run.origin.before(),
            tag: run.ref_kind == RefKind::Tag,
            yaml_errors: run.yaml_errors.as_deref(),
            user: user.map(|user| UserBasic::of(config, user)),
            started_at: run.started_at.map(Time),
            finished_at: run.finished_at.map(Time),
            committed_at: None,
            duration: run
                .busy_micros
                .and_then(|micros| u64::try_from(micros).ok())
                .map(|micros| Duration::from_micros(micros).as_secs()),
            queued_duration: run
                .started_at
                .map(|started| started.since(run.created_at).as_secs()),
            coverage: None,
            detailed_status: status,
            archived: false,
        }
    }

    /// The same with the mean coverage of its jobs (GitLab: `PipelinePresenter`).
    pub fn covered(mut self, percent: Option<f64>) -> Self {
        self.coverage = percent.map(|percent| format!("{percent:.2}"));
        self
    }
}

/// A run as it was when it was created, whatever became of it since: the same
/// request gets the same bytes again.
pub fn as_created(run: Run) -> Run {
    Run {
        status: Status::Created,
        has_warnings: false,
        updated_at: run.created_at,
        started_at: None,
        finished_at: None,
        busy_micros: None,
        ..run
    }
}

/// A run in full, with its name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedPipeline<'a> {
    #[serde(flatten)]
    pipeline: Pipeline<'a>,
    name: Option<&'a str>,
}

impl<'a> NamedPipeline<'a> {
    /// A pipeline with the name of its run.
    pub fn of(pipeline: Pipeline<'a>, run: &'a Run) -> Self {
        Self {
            pipeline,
            name: run.name.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tappet_model::{ProjectId, RunId, Source, Timestamp, UserId, WorkflowId};

    use super::*;

    fn project() -> Project {
        Project {
            id: ProjectId(3),
            ..Project::example("acme/web")
        }
    }

    fn run() -> Run {
        let at = |seconds: i64| Timestamp(1_769_941_230_123_000 + seconds * 1_000_000);
        Run {
            id: RunId(7),
            iid: 2,
            project_id: ProjectId(3),
            workflow_id: WorkflowId(7),
            source: Source::Trigger,
            ref_name: "v1".into(),
            ref_kind: RefKind::Tag,
            sha: "a".repeat(40).parse().unwrap(),
            commit_title: "First".into(),
            status: Status::Success,
            has_warnings: true,
            name: Some("Nightly".into()),
            trigger_id: None,
            trigger_short_token: None,
            user_id: Some(UserId(1)),
            origin: tappet_store::RunOrigin::default(),
            yaml_errors: None,
            failure_reason: None,
            stages: vec!["test".into()],
            created_at: at(0),
            updated_at: at(9),
            started_at: Some(at(2)),
            finished_at: Some(at(9)),
            busy_micros: Some(6_900_000),
        }
    }

    fn config() -> Config {
        let mut config = Config::new("127.0.0.1:8080".parse().unwrap(), "/tmp/x".into());
        config.external_url = Some("https://ci.example.com/tools".parse().unwrap());
        config
    }

    #[test]
    fn a_finished_run_shows_whole_seconds_and_its_warnings() {
        let (config, project, run) = (config(), project(), run());
        let pipeline = Pipeline::of(&config, &project, &run, None).covered(Some(93.456));
        let shown = serde_json::to_value(NamedPipeline::of(pipeline, &run)).unwrap();
        assert_eq!(
            shown,
            json!({
                "id": 7, "iid": 2, "project_id": 3, "sha": "a".repeat(40), "ref": "v1",
                "status": "success", "source": "trigger",
                "created_at": "2026-02-01T10:20:30.123Z", "updated_at": "2026-02-01T10:20:39.123Z",
                "web_url": "https://ci.example.com/tools/acme/web/-/pipelines/7",
                "before_sha": "0".repeat(40), "tag": true, "yaml_errors": null, "user": null,
                "started_at": "2026-02-01T10:20:32.123Z", "finished_at": "2026-02-01T10:20:39.123Z",
                "committed_at": null, "duration": 6, "queued_duration": 2, "coverage": "93.46",
                "detailed_status": {
                    "icon": "status_warning", "text": "Warning", "label": "passed with warnings",
                    "group": "success-with-warnings", "tooltip": "passed with warnings",
                    "has_details": true, "details_path": "/tools/acme/web/-/pipelines/7",
                    "illustration": null,
                    "favicon": "/tools/assets/ci_favicons/favicon_status_warning.png",
                },
                "archived": false, "name": "Nightly",
            })
        );
    }

    #[test]
    fn a_run_as_created_forgets_what_became_of_it() {
        let (config, project) = (config(), project());
        let later = as_created(run());
        let at_once = as_created(Run {
            status: Status::Pending,
            has_warnings: false,
            updated_at: run().created_at,
            started_at: None,
            finished_at: None,
            busy_micros: None,
            ..run()
        });
        let json =
            |run| serde_json::to_string(&Pipeline::of(&config, &project, run, None)).unwrap();
        assert_eq!(json(&later), json(&at_once));
        assert!(json(&later).contains(r#""status":"created""#));
        assert!(!json(&later).contains(r#""name""#));
    }
}
