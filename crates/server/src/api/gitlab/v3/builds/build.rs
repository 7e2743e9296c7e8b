//! What version 3 shows of a job.

use serde_json::{Map, Value};

use crate::api::gitlab::entities::job::Job;
use crate::api::gitlab::errors::{ApiError, ApiResult};

/// GitLab: `API::V3::Entities::Build`; all of it is part of today's job.
const FIELDS: [&str; 15] = [
    "id",
    "status",
    "stage",
    "name",
    "ref",
    "tag",
    "coverage",
    "created_at",
    "started_at",
    "finished_at",
    "user",
    "artifacts_file",
    "commit",
    "runner",
    "pipeline",
];

/// GitLab 9.5: `API::Entities::PipelineBasic`.
const PIPELINE_FIELDS: [&str; 4] = ["id", "sha", "ref", "status"];

/// A job as a build; `artifacts_file` is there only when there is an archive.
pub fn of(job: &Job<'_>) -> ApiResult<Value> {
    let job =
        serde_json::to_value(job).map_err(|error| ApiError::broken("showing a job", error))?;
    let mut build = picked(&job, &FIELDS);
    if let Some(pipeline) = build.get_mut("pipeline") {
        *pipeline = Value::Object(picked(pipeline, &PIPELINE_FIELDS));
    }
    Ok(Value::Object(build))
}

fn picked(value: &Value, fields: &[&str]) -> Map<String, Value> {
    fields
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), value.get(field)?.clone())))
        .collect()
}
