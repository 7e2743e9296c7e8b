//! The words of the GitLab Runner protocol that both sides share: the job a
//! runner receives and what it reports. Shapes as decoded by gitlab-runner 19
//! (`common/spec/spec.go`); keys that it may omit have defaults.

use serde::{Deserialize, Deserializer, Serialize};

use crate::steps_payload::{StepsPayload, StepsReport};

/// Body of `POST /api/v4/jobs/request`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobRequest {
    /// The runner token; newer runners repeat it in `RUNNER-TOKEN`.
    #[serde(default)]
    pub token: String,
    /// The machine behind the token.
    #[serde(default)]
    pub system_id: Option<String>,
    /// Echo of the last `X-GitLab-Last-Update`.
    #[serde(default)]
    pub last_update: Option<String>,
    /// What the runner is and can do.
    #[serde(default)]
    pub info: RunnerInfo,
}

/// What a runner says about itself. Unknown keys are ignored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunnerInfo {
    /// Product name.
    #[serde(default)]
    pub name: String,
    /// Version of the runner.
    #[serde(default)]
    pub version: String,
    /// Operating system.
    #[serde(default)]
    pub platform: String,
    /// Processor.
    #[serde(default)]
    pub architecture: String,
    /// Executor name.
    #[serde(default)]
    pub executor: String,
    /// Optional abilities.
    #[serde(default)]
    pub features: RunnerFeatures,
}

/// The abilities that change what the server does.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RunnerFeatures {
    /// Understands `Job-Status: canceling`.
    #[serde(default)]
    pub cancel_gracefully: bool,
    /// Confirms a job with `PUT state=running` before it starts.
    #[serde(default)]
    pub two_phase_job_commit: bool,
    /// Runs the jobs of workflows ([`JobPayload::tappet`]).
    #[serde(default)]
    pub tappet_steps: bool,
}

/// The answer 201 of `POST /api/v4/jobs/request`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobPayload {
    /// Attempt id.
    pub id: i64,
    /// Job token: the fence of every later call.
    pub token: String,
    /// `true`: the build directory may be reused.
    #[serde(default)]
    pub allow_git_fetch: bool,
    /// Names and ids for people and paths.
    #[serde(default)]
    pub job_info: JobInfo,
    /// What to check out.
    #[serde(default)]
    pub git_info: GitInfo,
    /// Limits.
    #[serde(default)]
    pub runner_info: RunnerLimits,
    /// In rising precedence.
    #[serde(default, deserialize_with = "null_as_default")]
    pub variables: Vec<PayloadVariable>,
    /// `script`, `after_script`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub steps: Vec<Step>,
    /// Always empty for now.
    #[serde(default, deserialize_with = "null_as_default")]
    pub hooks: Vec<serde_json::Value>,
    /// Container image.
    #[serde(default)]
    pub image: Option<serde_json::Value>,
    /// Service containers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub services: Vec<serde_json::Value>,
    /// What to upload.
    #[serde(default, deserialize_with = "null_as_default")]
    pub artifacts: Vec<ArtifactUpload>,
    /// What to keep between jobs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub cache: Vec<serde_json::Value>,
    /// Registry logins.
    #[serde(default, deserialize_with = "null_as_default")]
    pub credentials: Vec<serde_json::Value>,
    /// Whose artifacts to restore, in this order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub dependencies: Vec<Dependency>,
    /// Server abilities.
    #[serde(default)]
    pub features: PayloadFeatures,
    /// Steps instead of a script; only for runners with `tappet_steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tappet: Option<Box<StepsPayload>>,
}

/// Identity of the job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobInfo {
    /// Attempt id.
    #[serde(default)]
    pub id: i64,
    /// Job name.
    #[serde(default)]
    pub name: String,
    /// Stage name.
    #[serde(default)]
    pub stage: String,
    /// Run id.
    #[serde(default)]
    pub pipeline_id: i64,
    /// Project id.
    #[serde(default)]
    pub project_id: i64,
    /// Last segment of the project path.
    #[serde(default)]
    pub project_name: String,
    /// `acme/web`.
    #[serde(default)]
    pub project_full_path: String,
    /// Seconds from pending to this answer.
    #[serde(default)]
    pub time_in_queue_seconds: f64,
    /// A number as text (gitlab-runner refuses a JSON number).
    #[serde(default)]
    pub project_jobs_running_on_instance_runners_count: String,
}

/// What to check out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GitInfo {
    /// An address that git can fetch; `file://` for our own runner.
    #[serde(default)]
    pub repo_url: String,
    /// `sha1`.
    #[serde(default)]
    pub repo_object_format: String,
    /// Short ref name.
    #[serde(default, rename = "ref")]
    pub ref_name: String,
    /// The commit, 40 digits.
    #[serde(default)]
    pub sha: String,
    /// 40 zeros for triggered runs.
    #[serde(default)]
    pub before_sha: String,
    /// `branch` or `tag`.
    #[serde(default)]
    pub ref_type: String,
    /// What to fetch.
    #[serde(default, deserialize_with = "null_as_default")]
    pub refspecs: Vec<String>,
    /// 0: the whole history.
    #[serde(default)]
    pub depth: u32,
    /// The ref is protected.
    #[serde(default)]
    pub protected: Option<bool>,
}

/// Limits of the job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunnerLimits {
    /// Whole job, seconds.
    #[serde(default)]
    pub timeout: u64,
}

/// A variable as the runner receives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PayloadVariable {
    /// Name.
    pub key: String,
    /// Value; `null` counts as empty.
    #[serde(default, deserialize_with = "null_as_default")]
    pub value: String,
    /// May be shown to services.
    #[serde(default)]
    pub public: bool,
    /// Hidden in the log.
    #[serde(default)]
    pub masked: bool,
    /// Value goes into a file.
    #[serde(default)]
    pub file: bool,
    /// Value is not expanded.
    #[serde(default)]
    pub raw: bool,
}

/// One shell of the job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// `script` or `after_script`.
    pub name: String,
    /// Commands.
    #[serde(default, deserialize_with = "null_as_default")]
    pub script: Vec<String>,
    /// Seconds; informative.
    #[serde(default)]
    pub timeout: u64,
    /// `on_success` or `always`.
    #[serde(default)]
    pub when: String,
    /// Its failure does not fail the job.
    #[serde(default)]
    pub allow_failure: bool,
}

/// One archive or report to upload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ArtifactUpload {
    /// Archive name without extension.
    #[serde(default)]
    pub name: Option<String>,
    /// Files unknown to git too.
    #[serde(default)]
    pub untracked: bool,
    /// Globs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub paths: Vec<String>,
    /// Globs taken out.
    #[serde(default, deserialize_with = "null_as_default")]
    pub exclude: Vec<String>,
    /// `on_success`, `on_failure`, `always`; empty: `on_success`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub when: String,
    /// Free text.
    #[serde(default)]
    pub expire_in: Option<String>,
    /// `archive`, later report kinds.
    #[serde(default)]
    pub artifact_type: String,
    /// `zip`, `gzip`, `raw`.
    #[serde(default)]
    pub artifact_format: String,
}

/// A job whose archive is restored before the script.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dependency {
    /// Attempt id to download from.
    pub id: i64,
    /// Token to download with: the consuming job's own.
    pub token: String,
    /// Job name.
    pub name: String,
    /// Absent when there is no archive.
    #[serde(default)]
    pub artifacts_file: Option<DependencyFile>,
}

/// The archive of a dependency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DependencyFile {
    /// Plain base name.
    pub filename: String,
    /// Bytes.
    pub size: i64,
}

/// What the server understands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PayloadFeatures {
    /// Section markers wanted in the log.
    #[serde(default)]
    pub trace_sections: bool,
    /// Token prefixes that the runner masks by itself.
    #[serde(default, deserialize_with = "null_as_default")]
    pub token_mask_prefixes: Vec<String>,
    /// Failure reasons that the server tells apart.
    #[serde(default, deserialize_with = "null_as_default")]
    pub failure_reasons: Vec<String>,
}

/// Body of `PUT /api/v4/jobs/:id`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobUpdate {
    /// Job token; newer runners repeat it in `JOB-TOKEN`.
    #[serde(default)]
    pub token: String,
    /// `pending`, `running`, `success` or `failed`.
    #[serde(default)]
    pub state: String,
    /// Why it failed.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// Code of the failing command; omitted when 0.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// `crc32:` and 8 hex digits over all raw log bytes.
    #[serde(default)]
    pub checksum: Option<String>,
    /// The newer place of checksum and size.
    #[serde(default)]
    pub output: Option<JobOutput>,
    /// What the steps of a workflow's job led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tappet: Option<StepsReport>,
}

/// What the runner knows of the log it sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobOutput {
    /// `crc32:` and 8 hex digits.
    #[serde(default)]
    pub checksum: Option<String>,
    /// Raw bytes sent.
    #[serde(default)]
    pub bytesize: Option<u64>,
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_payload_of_other_servers_decodes() {
        let payload: JobPayload = serde_json::from_str(
            r#"{"id":1,"token":"t","steps":[{"name":"script","script":["true"]}],
                "variables":[{"key":"GIT_STRATEGY","value":null}],"services":null,
                "unknown":{"x":1}}"#,
        )
        .unwrap();
        assert_eq!(payload.steps[0].script, ["true"]);
        assert_eq!(payload.variables[0].value, "");
    }

    #[test]
    fn the_running_count_is_written_as_text() {
        let info = JobInfo {
            project_jobs_running_on_instance_runners_count: "0".into(),
            ..JobInfo::default()
        };
        let json = serde_json::to_value(info).unwrap();
        assert!(json["project_jobs_running_on_instance_runners_count"].is_string());
    }
}
