//! Typed ids: 64-bit integers, one sequence per kind.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A project: a git repository with settings.
    ProjectId,
    /// A person or the built-in `root`.
    UserId,
    /// A personal access token.
    TokenId,
    /// A trigger token of one project.
    TriggerId,
    /// One reaction to one event at one commit (GitLab: pipeline id).
    RunId,
    /// One pipeline file inside a run.
    WorkflowId,
    /// A node of the graph, by name.
    JobId,
    /// One try of a job (GitLab: job id).
    AttemptId,
    /// What executes attempts.
    RunnerId,
    /// An uploaded file of an attempt.
    ArtifactId,
    /// A row of the event log, rising by one per event.
    EventId,
    /// A pipeline schedule.
    ScheduleId,
    /// A variable kept in settings.
    VariableId,
    /// An outgoing webhook.
    HookId,
    /// A protected branch or tag, or a pattern of them.
    ProtectedRefId,
    /// A commit status set from outside.
    CommitStatusId,
    /// What a project does about pull requests (Datafold: CI config id).
    CiConfigId,
    /// A row of the audit log.
    AuditEntryId,
    /// A secret or variable of workflows.
    WorkflowSettingId,
    /// One value of a secret or variable of workflows.
    WorkflowVariantId,
}
