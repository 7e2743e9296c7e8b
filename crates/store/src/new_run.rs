//! A run to be: what [`Store::create_run`](crate::Store::create_run) takes, and
//! what it did.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tappet_engine::Graph;
use tappet_model::plan::{JobSpec, Need, PlannedWorkflow};
use tappet_model::{
    CommitSha, Environment, FailureReason, HookId, ProjectId, RefKind, Source, Timestamp,
    TriggerId, UserId,
};

use crate::{Advance, IdempotencyKey, NewPullRequestRun, Run, RunNotes, RunOrigin, ScheduleSlot};

/// A run to be.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Of which project.
    pub project_id: ProjectId,
    /// Why.
    pub source: Source,
    /// Short ref name.
    pub ref_name: String,
    /// Branch or tag.
    pub ref_kind: RefKind,
    /// Commit.
    pub sha: CommitSha,
    /// First line of the commit message, for lists.
    pub commit_title: String,
    /// With which trigger.
    pub trigger_id: Option<TriggerId>,
    /// What else brought it about.
    pub origin: RunOrigin,
    /// The webhooks that led to it.
    pub hooks: Vec<HookId>,
    /// As whom; nobody with a legacy trigger.
    pub user_id: Option<UserId>,
    /// Given variables, encrypted by the server.
    pub sealed_variables: Option<Vec<u8>>,
    /// The event that the contexts of workflows tell of, encrypted by the server.
    pub sealed_event: Option<Vec<u8>>,
    /// Pipeline file, jobs, or why there are none.
    pub content: NewRunContent,
    /// The credential in use, for the audit log: `trigger:7`.
    pub credential: String,
    /// The client's key with the digest of the request.
    pub idempotency: Option<(IdempotencyKey, [u8; 32])>,
    /// Of a pull request, when `ref_kind` says that it is.
    pub pull_request: Option<NewPullRequestRun>,
    /// The due time of a schedule that this run answers. Taken together with the
    /// creation; [`StoreError::Taken`](crate::StoreError::Taken) when it was taken before.
    pub slot: Option<ScheduleSlot>,
    /// Now.
    pub now: Timestamp,
}

/// What a run is made of.
#[derive(Clone, Debug)]
pub enum NewRunContent {
    /// A compiled workflow.
    Planned(Box<NewWorkflow>),
    /// A run kept although its file is wrong: status failed, no jobs.
    Invalid {
        /// Shown as `yaml_errors`.
        errors: String,
        /// Always [`FailureReason::ConfigError`] today.
        reason: FailureReason,
    },
}

/// A compiled workflow with its jobs.
#[derive(Clone, Debug)]
pub struct NewWorkflow {
    /// Path of the pipeline file; empty when there are `workflows`.
    pub path: String,
    /// `workflow:name`.
    pub name: Option<String>,
    /// Stage names in order.
    pub stages: Vec<String>,
    /// The workflows, one for each stage; empty for a `.gitlab-ci.yml`.
    pub workflows: Vec<PlannedWorkflow>,
    /// Jobs in stage order, parallel to `graph.jobs`.
    pub jobs: Vec<NewJob>,
    /// For the engine.
    pub graph: Arc<Graph>,
    /// Jobs left out and warnings.
    pub notes: RunNotes,
}

/// A job to be.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Unique in the workflow.
    pub name: String,
    /// Runner tags.
    pub tags: Vec<String>,
    /// Needs with their artifact flags, for display and restore.
    pub needs: Option<Vec<Need>>,
    /// What it works on, the name expanded.
    pub environment: Option<Environment>,
    /// Which job of its workflow it is; such jobs have steps.
    pub key: Option<NewJobKey>,
    /// Content shared by all runs of the same file.
    pub spec: SharedSpec,
}

/// Which job of a workflow in GitHub Actions syntax it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewJobKey {
    /// Its id in the file.
    pub job: String,
    /// Which leg of its matrix, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<usize>,
}

impl NewJobKey {
    /// The key of a job with steps.
    pub fn of(spec: &JobSpec) -> Option<Self> {
        spec.workflow_job.as_ref().map(|job| Self {
            job: job.key.clone(),
            leg: job.leg,
        })
    }
}

/// A job specification as stored once per content: JSON text and its SHA-256.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedSpec {
    /// SHA-256 of `json`.
    pub digest: [u8; 32],
    /// [`JobSpec`] as JSON.
    pub json: Arc<str>,
}

impl SharedSpec {
    /// The specification as it is stored.
    pub fn of(spec: &JobSpec) -> Self {
        let json = serde_json::to_string(spec).expect("specifications have no odd map keys");
        Self {
            digest: Sha256::digest(json.as_bytes()).into(),
            json: json.into(),
        }
    }
}

/// What [`Store::create_run`](crate::Store::create_run) did.
#[derive(Clone, PartialEq, Debug)]
pub enum Creation {
    /// A new run, with the first transitions already applied to it.
    Created {
        /// Its first change.
        advance: Box<Advance>,
        /// Runs of older commits of the same pull request that were canceled with it.
        superseded: Vec<Advance>,
    },
    /// The run that the key started, or that is active for the same commits of the
    /// pull request.
    Replayed(Box<Run>),
}
