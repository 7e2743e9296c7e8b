//! The vocabulary of Tappet as types: ids, statuses, refs, variables, the
//! compiled [`Plan`](plan::Plan) and the words of the runner protocol.
//!
//! Nothing here does I/O, knows a clock or speaks a dialect. Every other crate
//! imports this one; it imports none of them.

pub mod diagnostic;
pub mod environment;
pub mod failure;
pub mod forge;
pub mod git_ref;
pub mod id;
pub mod plan;
pub mod pull_request;
pub mod runner_protocol;
pub mod source;
pub mod status;
pub mod steps_payload;
pub mod tags;
pub mod time;
pub mod variable;
pub mod workflow_job;

pub use diagnostic::{Diagnostic, Position};
pub use environment::{DeploymentTier, Environment, EnvironmentAction};
pub use failure::FailureReason;
pub use forge::ForgeKind;
pub use git_ref::{CommitSha, RefKind, RefName};
pub use id::{
    ArtifactId, AttemptId, AuditEntryId, CiConfigId, CommitStatusId, EventId, HookId, JobId,
    ProjectId, ProtectedRefId, RunId, RunnerId, ScheduleId, TokenId, TriggerId, UserId, VariableId,
    WorkflowId, WorkflowSettingId, WorkflowVariantId,
};
pub use pull_request::{DIFFS_VARIABLE, PullRequest, PullRequestDetails};
pub use source::Source;
pub use status::Status;
pub use time::Timestamp;
pub use variable::{Variable, VariableKind};
