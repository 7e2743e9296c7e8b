//! A run in a list, and beside its jobs.

use serde::Serialize;
use tappet_store::{Project, Run};
use utoipa::ToSchema;

use super::Time;
use crate::config::Config;

/// GitLab: `API::Entities::Ci::PipelineBasic`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PipelineBasic<'a> {
    id: i64,
    iid: i64,
    project_id: i64,
    sha: &'a str,
    #[serde(rename = "ref")]
    ref_name: &'a str,
    status: &'static str,
    source: &'static str,
    created_at: Time,
    updated_at: Time,
    web_url: String,
}

impl<'a> PipelineBasic<'a> {
    /// Shows a run.
    pub fn of(config: &Config, project: &Project, run: &'a Run) -> Self {
        Self {
            id: run.id.0,
            iid: run.iid,
            project_id: run.project_id.0,
            sha: run.sha.as_str(),
            ref_name: &run.ref_name,
            status: run.status.as_str(),
            source: run.source.as_str(),
            created_at: Time(run.created_at),
            updated_at: Time(run.updated_at),
            web_url: config.url(&page(project, run)),
        }
    }
}

/// The path of a run's page, without the server's prefix.
pub fn page(project: &Project, run: &Run) -> String {
    format!("/{}/-/pipelines/{}", project.path, run.id)
}

/// An item of the list of pipelines: the same with the run's name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListedPipeline<'a> {
    #[serde(flatten)]
    basic: PipelineBasic<'a>,
    name: Option<&'a str>,
}

impl<'a> ListedPipeline<'a> {
    /// Shows a run.
    pub fn of(config: &Config, project: &Project, run: &'a Run) -> Self {
        Self {
            basic: PipelineBasic::of(config, project, run),
            name: run.name.as_deref(),
        }
    }
}
