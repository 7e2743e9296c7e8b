//! A run as the store keeps it.

use serde::{Deserialize, Serialize};
use tappet_model::plan::LeftOut;
use tappet_model::{
    AttemptId, CommitSha, FailureReason, ProjectId, RefKind, RunId, ScheduleId, Source, Status,
    Timestamp, TriggerId, UserId, WorkflowId,
};

/// One reaction to one event at one commit.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Id, instance-wide.
    pub id: RunId,
    /// Id inside the project, from 1.
    pub iid: i64,
    /// Of which project.
    pub project_id: ProjectId,
    /// The first of its workflows, mostly the only one; the ids of the others follow.
    pub workflow_id: WorkflowId,
    /// Why.
    pub source: Source,
    /// Short ref name.
    pub ref_name: String,
    /// Branch or tag.
    pub ref_kind: RefKind,
    /// Commit.
    pub sha: CommitSha,
    /// First line of the commit message.
    pub commit_title: String,
    /// Where it stands.
    pub status: Status,
    /// Some allowed failure happened (shown as "passed with warnings").
    pub has_warnings: bool,
    /// `workflow:name`.
    pub name: Option<String>,
    /// With which trigger.
    pub trigger_id: Option<TriggerId>,
    /// First four characters of that trigger's token.
    pub trigger_short_token: Option<String>,
    /// What else brought it about.
    pub origin: RunOrigin,
    /// As whom; nobody with a legacy trigger.
    pub user_id: Option<UserId>,
    /// Why the file was refused.
    pub yaml_errors: Option<String>,
    /// With `yaml_errors`.
    pub failure_reason: Option<FailureReason>,
    /// Stage names in order.
    pub stages: Vec<String>,
    /// When.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// First job began.
    pub started_at: Option<Timestamp>,
    /// Ended (cleared by a retry).
    pub finished_at: Option<Timestamp>,
    /// Time in which at least one job ran, once finished, in microseconds.
    pub busy_micros: Option<i64>,
}

impl Run {
    /// A run that was just created, for tests.
    pub fn example() -> Self {
        Self {
            id: RunId(7),
            iid: 1,
            project_id: ProjectId(1),
            workflow_id: WorkflowId(7),
            source: Source::Trigger,
            ref_name: "main".to_owned(),
            ref_kind: RefKind::Branch,
            sha: CommitSha::ZERO.parse().expect("zeros are a commit id"),
            commit_title: "Initial commit".to_owned(),
            status: Status::Created,
            has_warnings: false,
            name: None,
            trigger_id: None,
            trigger_short_token: None,
            origin: RunOrigin::default(),
            user_id: Some(UserId(1)),
            yaml_errors: None,
            failure_reason: None,
            stages: vec!["test".to_owned()],
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            started_at: None,
            finished_at: None,
            busy_micros: None,
        }
    }
}

/// What brought a run about, beside its trigger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunOrigin {
    /// The commit that the ref pointed to before the push.
    pub before_sha: Option<CommitSha>,
    /// The job whose token started it.
    pub source_attempt_id: Option<AttemptId>,
    /// The schedule that was due.
    pub schedule_id: Option<ScheduleId>,
    /// Its jobs also get the variable names of GitLab before 9.0.
    pub has_build_names: bool,
}

impl RunOrigin {
    /// The commit before the push; forty zeros when there was none.
    pub fn before(&self) -> &str {
        self.before_sha
            .as_ref()
            .map_or(CommitSha::ZERO, CommitSha::as_str)
    }
}

/// What the compiler wants people to know about a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RunNotes {
    /// Jobs that rules left out, with the reason.
    pub left_out: Vec<LeftOut>,
    /// Warnings, as text with the place.
    pub warnings: Vec<String>,
}
