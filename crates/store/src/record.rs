//! What the store takes and gives: plain records without behaviour.

use std::sync::Arc;

use tappet_engine::{Graph, JobEvent, RunEvent, Transition};
use tappet_model::plan::{JobSpec, Need, When};
use tappet_model::{
    ArtifactId, AttemptId, CommitSha, FailureReason, JobId, ProjectId, RefKind, RunId, RunnerId,
    ScheduleId, Source, Status, Timestamp, TriggerId, UserId, WorkflowId,
};

use crate::{ProjectSettings, ScheduleSlot};

/// A keyed or plain SHA-256 of a secret. Secrets themselves never reach the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenHash(pub [u8; 32]);

/// A person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Login name.
    pub username: String,
    /// Shown name.
    pub name: String,
    /// Address, may be empty.
    pub email: String,
    /// Instance administrator.
    pub is_admin: bool,
    /// Sees no internal projects.
    pub is_external: bool,
    /// Blocked users start nothing.
    pub is_blocked: bool,
    /// When.
    pub created_at: Timestamp,
}

/// Where a project's commits come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RepositorySource {
    /// A repository on this machine, read in place.
    Local(String),
    /// Any address that git can fetch, mirrored.
    Remote(String),
}

/// A git repository with settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Id.
    pub id: ProjectId,
    /// Full path, `acme/web`.
    pub path: String,
    /// Shown name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where its commits come from.
    pub source: RepositorySource,
    /// As set; else read from the repository.
    pub default_branch: Option<String>,
    /// `private`, `internal` or `public`.
    pub visibility: String,
    /// Who made it.
    pub creator_id: UserId,
    /// Pipeline file.
    pub ci_config_path: String,
    /// Job time limit in seconds.
    pub timeout_s: u64,
    /// Its CI config for pull-request runs.
    pub ci_config_id: i64,
    /// Everything else that can be set.
    pub settings: ProjectSettings,
    /// When.
    pub created_at: Timestamp,
    /// Last change of anything above.
    pub updated_at: Timestamp,
}

impl Project {
    /// A private project for tests and examples: everything is as GitLab has it
    /// by default.
    pub fn example(path: &str) -> Self {
        Self {
            id: ProjectId(1),
            path: path.to_owned(),
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            description: String::new(),
            source: RepositorySource::Local("/srv/example".to_owned()),
            default_branch: None,
            visibility: "private".to_owned(),
            creator_id: UserId(1),
            ci_config_path: ".gitlab-ci.yml".to_owned(),
            timeout_s: 3600,
            ci_config_id: 1,
            settings: ProjectSettings::default(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// A project to be.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Full path, checked.
    pub path: String,
    /// Shown name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where its commits come from.
    pub source: RepositorySource,
    /// As given.
    pub default_branch: Option<String>,
    /// `private`, `internal` or `public`.
    pub visibility: String,
    /// Who makes it.
    pub creator_id: UserId,
    /// Now.
    pub now: Timestamp,
}

/// A client's name for one request (architecture: idempotency).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey {
    /// Project.
    pub project_id: ProjectId,
    /// Kind and id of the credential, e.g. `trigger:7`.
    pub credential: String,
    /// As sent: 1 to 255 printable characters.
    pub key: String,
}

/// The run that a key started.
#[derive(Clone, PartialEq, Debug)]
pub struct RememberedRun {
    /// Digest of the request that started it.
    pub fingerprint: [u8; 32],
    /// The run.
    pub run: Run,
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
    /// As whom; nobody with a legacy trigger.
    pub user_id: Option<UserId>,
    /// Given variables, encrypted by the server.
    pub sealed_variables: Option<Vec<u8>>,
    /// Pipeline file, jobs, or why there are none.
    pub content: NewRunContent,
    /// The credential in use, for the audit log: `trigger:7`.
    pub credential: String,
    /// The client's key with the digest of the request.
    pub idempotency: Option<(IdempotencyKey, [u8; 32])>,
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
    /// Path of the pipeline file.
    pub path: String,
    /// `workflow:name`.
    pub name: Option<String>,
    /// Stage names in order.
    pub stages: Vec<String>,
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
    /// Content shared by all runs of the same file.
    pub spec: SharedSpec,
}

/// A job specification as stored once per content: JSON text and its SHA-256.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedSpec {
    /// SHA-256 of `json`.
    pub digest: [u8; 32],
    /// [`JobSpec`] as JSON.
    pub json: Arc<str>,
}

/// What the compiler wants people to know about a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct RunNotes {
    /// Jobs that rules left out, with the reason.
    pub left_out: Vec<tappet_model::plan::LeftOut>,
    /// Warnings, as text with the place.
    pub warnings: Vec<String>,
}

/// What [`Store::create_run`](crate::Store::create_run) did.
#[derive(Clone, PartialEq, Debug)]
pub enum Creation {
    /// A new run, with the first transitions already applied to it.
    Created(Box<Advance>),
    /// The key was known: the run it started.
    Replayed(Box<Run>),
}

/// One reaction to one event at one commit.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Id, instance-wide.
    pub id: RunId,
    /// Id inside the project, from 1.
    pub iid: i64,
    /// Of which project.
    pub project_id: ProjectId,
    /// Its only workflow for now.
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

/// Which runs of a project.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RunFilter {
    /// One status.
    pub status: Option<Status>,
    /// `running`, `pending`, `finished`, `branches` or `tags`.
    pub scope: Option<RunScope>,
    /// With scope branches or tags: only of these refs.
    pub refs: Option<Vec<String>>,
    /// Exact ref name.
    pub ref_name: Option<String>,
    /// Exact commit.
    pub sha: Option<String>,
    /// One source.
    pub source: Option<Source>,
    /// Exact name.
    pub name: Option<String>,
    /// Login name of who started it.
    pub username: Option<String>,
    /// With or without an invalid file.
    pub yaml_errors: Option<bool>,
    /// Started by one schedule.
    pub schedule_id: Option<ScheduleId>,
    /// Bounds on `updated_at`.
    pub updated_after: Option<Timestamp>,
    /// Bounds on `updated_at`.
    pub updated_before: Option<Timestamp>,
    /// Bounds on `created_at`.
    pub created_after: Option<Timestamp>,
    /// Bounds on `created_at`.
    pub created_before: Option<Timestamp>,
    /// Order.
    pub order_by: RunOrder,
    /// Smallest first.
    pub ascending: bool,
}

/// A group of runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunScope {
    /// Status running.
    Running,
    /// Status pending.
    Pending,
    /// Success, failed or canceled.
    Finished,
    /// The newest run of each branch.
    Branches,
    /// The newest run of each tag.
    Tags,
}

/// Order of a list of runs; the id breaks ties.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RunOrder {
    /// By id.
    #[default]
    Id,
    /// By status word.
    Status,
    /// By ref name.
    Ref,
    /// By last change.
    UpdatedAt,
    /// By who started it.
    UserId,
}

/// One try of a job, with the job's own facts.
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// Id (GitLab: job id).
    pub id: AttemptId,
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// The project.
    pub project_id: ProjectId,
    /// Job name.
    pub name: String,
    /// Stage name.
    pub stage: String,
    /// Position of the stage.
    pub stage_index: usize,
    /// Position of the job in the run.
    pub position: usize,
    /// From 1.
    pub number: u32,
    /// A newer attempt of the job exists.
    pub is_retried: bool,
    /// Where it stands.
    pub status: Status,
    /// Its failure is a warning (exit codes considered).
    pub allow_failure: bool,
    /// The job waits for a person.
    pub is_manual: bool,
    /// On which outcome it starts.
    pub when: When,
    /// Names of the jobs it needs; `None`: stage order.
    pub needs: Option<Vec<String>>,
    /// Runner tags.
    pub tags: Vec<String>,
    /// Why it failed.
    pub failure_reason: Option<FailureReason>,
    /// Code of the failing command.
    pub exit_code: Option<i32>,
    /// Which runner.
    pub runner_id: Option<RunnerId>,
    /// When.
    pub created_at: Timestamp,
    /// Became pending.
    pub queued_at: Option<Timestamp>,
    /// A runner took it.
    pub started_at: Option<Timestamp>,
    /// Ended.
    pub finished_at: Option<Timestamp>,
    /// Log and files were erased.
    pub erased_at: Option<Timestamp>,
    /// Its log shows every variable.
    pub is_debugged: bool,
    /// Test coverage in percent, as its log says.
    pub coverage: Option<f64>,
    /// Archive, when there is one.
    pub archive: Option<Artifact>,
    /// All uploaded files.
    pub artifacts: Vec<Artifact>,
}

impl Attempt {
    /// A first attempt that was just created, for tests.
    pub fn example() -> Self {
        Self {
            id: AttemptId(15),
            job_id: JobId(15),
            run_id: RunId(7),
            project_id: ProjectId(1),
            name: "test".to_owned(),
            stage: "test".to_owned(),
            stage_index: 0,
            position: 0,
            number: 1,
            is_retried: false,
            status: Status::Created,
            allow_failure: false,
            is_manual: false,
            when: When::OnSuccess,
            needs: None,
            tags: Vec::new(),
            failure_reason: None,
            exit_code: None,
            runner_id: None,
            created_at: Timestamp(0),
            queued_at: None,
            started_at: None,
            finished_at: None,
            coverage: None,
            erased_at: None,
            is_debugged: false,
            archive: None,
            artifacts: Vec::new(),
        }
    }
}

/// Which attempts of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AttemptFilter {
    /// Only these statuses; empty: all.
    pub statuses: Vec<Status>,
    /// Older attempts too.
    pub include_retried: bool,
}

/// An attempt with everything its runner must be told.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The attempt.
    pub attempt: Attempt,
    /// Its run.
    pub run: Run,
    /// Its project.
    pub project: Project,
    /// Who the run impersonates.
    pub user: Option<User>,
    /// What to do.
    pub spec: Arc<JobSpec>,
    /// Given variables, encrypted by the server.
    pub sealed_variables: Option<Vec<u8>>,
    /// Variables given when this attempt was played, encrypted by the server.
    pub sealed_job_variables: Option<Vec<u8>>,
    /// Newest attempts whose artifacts are restored first, in order, that have an archive.
    pub artifact_sources: Vec<Attempt>,
    /// Variables that such attempts reported, in the same order, encrypted by the server.
    pub sealed_reports: Vec<Vec<u8>>,
}

/// A runner that wants work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Which runner.
    pub runner_id: RunnerId,
    /// Which machine or process of it.
    pub system_id: String,
    /// What it can take.
    pub tags: Vec<String>,
    /// It takes jobs without tags.
    pub run_untagged: bool,
    /// It understands `canceling`.
    pub cancels_gracefully: bool,
    /// A run is being created right now: the claim may share its commit, so it
    /// looks where that run is first seen.
    pub is_expected: bool,
    /// Now.
    pub now: Timestamp,
}

/// What an action is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// An attempt; it must be its job's newest.
    Attempt(AttemptId),
    /// A run.
    Run(RunId),
}

/// What is to happen to the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// With [`Target::Attempt`].
    Job(JobEvent),
    /// With [`Target::Run`].
    Run(RunEvent),
}

/// What changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Advance {
    /// The run after the change.
    pub run: Run,
    /// Attempts that changed or were made, after the change, in order.
    pub changed: Vec<ChangedAttempt>,
    /// As the engine said it.
    pub transitions: Vec<Transition>,
    /// Rising id of the newest event row written.
    pub last_event: i64,
}

/// One attempt of an [`Advance`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangedAttempt {
    /// Which.
    pub id: AttemptId,
    /// Job name.
    pub name: String,
    /// Where it stands now.
    pub status: Status,
    /// Runner tags, for the dispatcher.
    pub tags: Vec<String>,
    /// Made by this change.
    pub is_new: bool,
}

/// An attempt that a runner holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldAttempt {
    /// Which.
    pub id: AttemptId,
    /// Its run.
    pub run_id: RunId,
    /// Running or canceling.
    pub status: Status,
    /// Holder.
    pub runner_id: RunnerId,
    /// Machine or process of the holder.
    pub system_id: String,
    /// Time limit in seconds.
    pub timeout_s: u64,
    /// Handed out.
    pub started_at: Timestamp,
}

/// An uploaded file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Artifact {
    /// Id.
    pub id: ArtifactId,
    /// Of which attempt.
    pub attempt_id: AttemptId,
    /// `archive`, `trace`, report kinds.
    pub kind: String,
    /// `zip`, `gzip`, `raw`.
    pub format: String,
    /// Base name as uploaded.
    pub filename: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Of the content.
    pub sha256: [u8; 32],
    /// When it goes.
    pub expires_at: Option<Timestamp>,
    /// When it came.
    pub created_at: Timestamp,
}

/// A file to remember.
#[derive(Clone, Debug)]
pub struct NewArtifact {
    /// Of which attempt.
    pub attempt_id: AttemptId,
    /// `archive` and others.
    pub kind: String,
    /// `zip` and others.
    pub format: String,
    /// Base name.
    pub filename: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Of the content.
    pub sha256: [u8; 32],
    /// When it goes.
    pub expires_at: Option<Timestamp>,
    /// What the server read in it.
    pub report: Option<crate::NewReport>,
    /// Now.
    pub now: Timestamp,
}

/// What executes attempts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Runner {
    /// Id.
    pub id: RunnerId,
    /// For people.
    pub description: String,
    /// Child of the server.
    pub is_embedded: bool,
    /// What it can take.
    pub tags: Vec<String>,
    /// It takes jobs without tags.
    pub run_untagged: bool,
    /// It gets nothing for now.
    pub is_paused: bool,
    /// When.
    pub created_at: Timestamp,
}

/// A row of the event log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// Rising.
    pub id: i64,
    /// `run` or `job`.
    pub kind: String,
    /// JSON object.
    pub body: String,
    /// When.
    pub created_at: Timestamp,
}
