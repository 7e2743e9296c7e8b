//! Who wants a run of what, and the run that came of it.

use tappet_model::{AttemptId, CommitSha, HookId, PullRequest, Source, Variable};
use tappet_store::{IdempotencyKey, Project, Run, Schedule, ScheduleSlot, Trigger, User};

/// Somebody wants a run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// Of this project.
    pub project: Project,
    /// With whose rights; a legacy trigger has nobody's.
    pub user: Option<User>,
    /// Why.
    pub source: Source,
    /// With which trigger.
    pub trigger: Option<Trigger>,
    /// Ref as the caller wrote it.
    pub ref_name: String,
    /// A commit id will do for the ref.
    pub accepts_sha: bool,
    /// Given variables in order.
    pub variables: Vec<Variable>,
    /// The job whose token asks.
    pub source_job: Option<AttemptId>,
    /// The webhooks that led to the request.
    pub hooks: Vec<HookId>,
    /// The schedule that was due.
    pub schedule: Option<Schedule>,
    /// The due time of that schedule, taken together with the creation of the run.
    pub slot: Option<ScheduleSlot>,
    /// Where the ref stood before a push.
    pub before_sha: Option<CommitSha>,
    /// Where a push left the ref, which may have gone on since: an object of the
    /// ref's history, or the annotated tag itself.
    pub pushed: Option<CommitSha>,
    /// Jobs also get the variable names of GitLab before 9.0.
    pub has_build_names: bool,
    /// `[ci skip]` in the commit message counts.
    pub skips_on_demand: bool,
    /// A run whose file is wrong is kept, to show what is wrong with it.
    pub keeps_invalid: bool,
    /// Workflows in GitHub Actions syntax instead of the pipeline file.
    pub workflows: Option<WorkflowRequest>,
    /// The pull request that the run is of, its merge base known.
    pub pull_request: Option<PullRequest>,
    /// What a forge told of the event, if it speaks as GitHub does; workflows see it.
    pub payload: Option<serde_json::Value>,
    /// The credential in use, for the audit log: `trigger:7`.
    pub credential: String,
    /// The client's key and the digest of its request.
    pub idempotency: Option<(IdempotencyKey, [u8; 32])>,
}

impl RunRequest {
    /// A request for a branch or tag, without anything special.
    pub fn new(
        project: Project,
        user: Option<User>,
        source: Source,
        ref_name: impl Into<String>,
    ) -> Self {
        Self {
            project,
            user,
            source,
            trigger: None,
            ref_name: ref_name.into(),
            accepts_sha: false,
            variables: Vec::new(),
            source_job: None,
            hooks: Vec::new(),
            schedule: None,
            slot: None,
            before_sha: None,
            pushed: None,
            has_build_names: false,
            skips_on_demand: false,
            keeps_invalid: true,
            workflows: None,
            pull_request: None,
            payload: None,
            credential: String::new(),
            idempotency: None,
        }
    }
}

/// Which workflows, and what they are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowRequest {
    /// Which.
    pub choice: WorkflowChoice,
    /// The only job that runs, by its id in the file.
    pub job: Option<String>,
    /// The commit; `None`: where the ref stands.
    pub commit: Option<CommitSha>,
    /// What happened, as the workflows see it.
    pub event: WorkflowEvent,
    /// The cache entry with the caller's local changes: `patch/<base>/<digest>`.
    pub patch_key: Option<String>,
}

/// Where the workflows are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorkflowChoice {
    /// All of `.depot/workflows`, or of `.github/workflows` when there are none.
    All,
    /// One file, from the root of the repository.
    Path(String),
    /// Several of them.
    Paths(Vec<String>),
    /// One file of those folders, by its base name.
    Named(String),
    /// Their whole texts.
    Inline(Vec<String>),
}

/// Why workflows run, as `github.event_name` says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorkflowEvent {
    /// A call that names no event; inputs have their defaults.
    Api,
    /// `workflow_dispatch` with the inputs given, all as text.
    Dispatch(Vec<(String, String)>),
    /// `push`: what was pushed stands in the request.
    Push,
    /// `pull_request`: which one stands in the request.
    PullRequest(PullRequestEvent),
}

/// What decides, beside the pull request, which workflows it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PullRequestEvent {
    /// Runs wait for a label, so that the label is what starts them.
    pub waits_for_label: bool,
}

/// A run that exists and is on disk. `run.yaml_errors` is set when it was kept
/// only to show why it failed.
#[derive(Clone, Debug)]
pub struct Started {
    /// The run.
    pub run: Run,
    /// An earlier request with the same key made it.
    pub replayed: bool,
}
