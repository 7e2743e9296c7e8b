//! What Tappet remembers: the [`Store`] trait in domain verbs, the records it
//! takes and gives, and its SQLite adapter.
//!
//! The store knows no HTTP. Every status change goes through [`Store::act`],
//! which computes transitions with the engine and writes them with their event
//! row in one transaction; every call that writes returns only after its commit
//! reached the disk.

mod advance;
mod artifact;
mod assignment;
mod attempt;
mod audit;
mod busy_time;
mod cache_entries;
mod ci_configs;
mod commit_statuses;
mod coverage;
mod dbt_uploads;
mod decisions;
mod delays;
mod error;
mod event;
mod forges;
mod idempotency;
mod job_token_scope;
mod jobs;
mod members;
mod named_artifacts;
mod new_run;
mod page;
mod people;
mod project_settings;
mod projects;
mod protected_refs;
mod pull_requests;
mod push_hooks;
mod reports;
mod retention;
mod run;
mod run_filter;
mod run_upkeep;
mod runner;
mod schedules;
mod sealed_values;
mod search;
mod settings_variables;
mod sqlite;
mod steps_reports;
mod token_hash;
mod triggers;
mod user;
mod webhooks;
mod workflow_settings;
mod workflows;

pub use advance::*;
pub use artifact::*;
pub use assignment::*;
pub use attempt::*;
pub use audit::*;
pub use cache_entries::*;
pub use ci_configs::*;
pub use commit_statuses::*;
pub use coverage::Coverage;
pub use dbt_uploads::*;
pub use decisions::*;
pub use delays::Delays;
pub use error::{StoreError, StoreResult};
pub use event::*;
pub use forges::*;
pub use idempotency::*;
pub use job_token_scope::*;
pub use jobs::{Jobs, ProjectAttempts};
pub use members::*;
pub use named_artifacts::*;
pub use new_run::*;
pub use page::{COUNT_LIMIT, Listing, PageRequest};
pub use people::*;
pub use project_settings::*;
pub use projects::*;
pub use protected_refs::*;
pub use pull_requests::*;
pub use push_hooks::*;
pub use reports::*;
pub use retention::*;
pub use run::*;
pub use run_filter::*;
pub use run_upkeep::{Removed, RunUpkeep};
pub use runner::*;
pub use schedules::*;
pub use sealed_values::*;
pub use search::*;
pub use settings_variables::*;
pub use sqlite::{Snapshot, SqliteOptions, SqliteStore};
pub use steps_reports::*;
pub use token_hash::*;
pub use triggers::*;
pub use user::*;
pub use webhooks::*;
pub use workflow_settings::*;
pub use workflows::*;

use futures_util::future::BoxFuture;
use tappet_model::{AttemptId, ProjectId, RunId, RunnerId, Timestamp, TokenId, UserId};

/// Shorthand for what every verb returns.
pub type Verb<'a, T> = BoxFuture<'a, StoreResult<T>>;

/// Everything the server remembers, in domain verbs.
///
/// Adapters are cheap to share behind `Arc<dyn Store>`. Verbs about one subject
/// alone stand in a trait of their own, with their records.
pub trait Store:
    Audit
    + CacheEntries
    + CiConfigs
    + CommitStatuses
    + Coverage
    + DbtUploads
    + Decisions
    + Delays
    + Forges
    + JobTokenScope
    + Jobs
    + Members
    + NamedArtifacts
    + People
    + Projects
    + ProtectedRefs
    + PullRequests
    + PushHooks
    + Reports
    + Retention
    + RunUpkeep
    + Schedules
    + SealedValues
    + Search
    + SettingsVariables
    + StepsReports
    + Triggers
    + Webhooks
    + WorkflowSettings
    + Workflows
    + Send
    + Sync
    + 'static
{
    /// A cheap read that fails when the database cannot serve.
    fn check(&self) -> Verb<'_, ()>;
    /// How many reads there were so far.
    fn reads(&self) -> usize;

    // People and their tokens.

    /// The built-in administrator, created on first use together with an access
    /// token of this hash. Later calls with another hash add that token and
    /// revoke the earlier root token.
    fn ensure_root(&self, token_hash: TokenHash, now: Timestamp) -> Verb<'_, User>;
    /// The user of a valid access token, with the token.
    fn user_by_access_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Verb<'_, Option<(User, AccessToken)>>;
    /// One user.
    fn user(&self, id: UserId) -> Verb<'_, Option<User>>;
    /// Notes that a token was used; at most one write a minute per token.
    fn touch_access_token(&self, id: TokenId, now: Timestamp) -> Verb<'_, ()>;

    // One-time sign-in and browser sessions.

    /// Remembers a hash that can be redeemed once.
    fn create_sign_in(&self, hash: TokenHash, user: UserId, expires_at: Timestamp) -> Verb<'_, ()>;
    /// Redeems it: the user, once, before it expires.
    fn redeem_sign_in(&self, hash: TokenHash, now: Timestamp) -> Verb<'_, Option<User>>;
    /// Opens a browser session.
    fn create_session(&self, hash: TokenHash, user: UserId, expires_at: Timestamp) -> Verb<'_, ()>;
    /// The user of a session that has not expired.
    fn user_by_session(&self, hash: TokenHash, now: Timestamp) -> Verb<'_, Option<User>>;
    /// Ends a session.
    fn end_session(&self, hash: TokenHash) -> Verb<'_, ()>;

    // Projects.

    /// Fails with [`StoreError::Taken`] when the path exists.
    fn create_project(&self, new: NewProject) -> Verb<'_, Project>;
    /// One project.
    fn project(&self, id: ProjectId) -> Verb<'_, Option<Project>>;
    /// By full path, ASCII case ignored.
    fn project_by_path(&self, path: &str) -> Verb<'_, Option<Project>>;

    // Runs.

    /// Creates run, workflow, jobs, first attempts and events, and remembers the
    /// idempotency key, in one transaction. With a known key and the same
    /// fingerprint the earlier run is returned and nothing is written. With an active
    /// run of the same CI config for the same commits of a pull request that one is
    /// returned, and the key stands for it.
    fn create_run(&self, new: NewRun) -> Verb<'_, Creation>;
    /// The run that a key started, when the key is younger than 24 hours.
    fn run_by_idempotency_key(
        &self,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Verb<'_, Option<RememberedRun>>;
    /// One run.
    fn run(&self, id: RunId) -> Verb<'_, Option<Run>>;
    /// Runs of a project.
    fn runs(
        &self,
        project: ProjectId,
        filter: RunFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<Run>>;
    /// The variables that were given when the run was started (encrypted blob, as stored).
    fn run_variables(&self, id: RunId) -> Verb<'_, Option<Vec<u8>>>;
    /// Jobs that rules left out, and warnings, as JSON text.
    fn run_notes(&self, id: RunId) -> Verb<'_, Option<RunNotes>>;

    // Attempts.

    /// One attempt with its job.
    fn attempt(&self, id: AttemptId) -> Verb<'_, Option<Attempt>>;
    /// Attempts of a run, newest id first. Without `retried`, only the newest of each job.
    fn attempts(
        &self,
        run: RunId,
        filter: AttemptFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<Attempt>>;
    /// All newest attempts of a run in stage order, then file order.
    fn run_attempts(&self, run: RunId) -> Verb<'_, Vec<Attempt>>;
    /// What an attempt's runner is asked to do, with all it depends on.
    fn assignment(&self, id: AttemptId) -> Verb<'_, Option<Assignment>>;
    /// Hands the oldest fitting pending attempt to a runner: pending → running.
    fn claim(&self, claim: Claim) -> Verb<'_, Option<Assignment>>;
    /// Attempts that wait for a runner, oldest first.
    fn pending_attempts(&self) -> Verb<'_, Vec<PendingAttempt>>;
    /// The engine's event on one attempt or run, with all that follows from it.
    /// [`StoreError::Refused`] leaves everything as it was.
    fn act(&self, target: Target, action: Action, now: Timestamp) -> Verb<'_, Advance>;
    /// Attempts that runners hold now.
    fn executing_attempts(&self) -> Verb<'_, Vec<HeldAttempt>>;

    // Artifacts.

    /// Remembers an uploaded file. Same type and digest again: the old row.
    /// Another digest: [`StoreError::Taken`].
    fn add_artifact(&self, new: NewArtifact) -> Verb<'_, Artifact>;
    /// Files of an attempt.
    fn artifacts(&self, attempt: AttemptId) -> Verb<'_, Vec<Artifact>>;

    // Runners.

    /// The embedded runner's row, created on first use; its token hash is replaced.
    fn ensure_embedded_runner(&self, token_hash: TokenHash, now: Timestamp) -> Verb<'_, Runner>;
    /// The runner of a token.
    fn runner_by_token(&self, hash: TokenHash) -> Verb<'_, Option<Runner>>;
    /// One runner.
    fn runner(&self, id: RunnerId) -> Verb<'_, Option<Runner>>;
    /// All runners, the oldest first.
    fn runners(&self) -> Verb<'_, Vec<Runner>>;

    // Events.

    /// Events of a run after `after`, oldest first, at most `limit`.
    fn events(&self, run: RunId, after: i64, limit: u32) -> Verb<'_, Vec<EventRecord>>;
    /// What a reader that has read up to `after` gets before [`Store::events`] when
    /// events that follow are gone: how jobs and run stand. The last one is as new as
    /// all that is left of the log; the others leave the reader where it is.
    fn events_instead_of_lost(&self, run: RunId, after: i64) -> Verb<'_, Vec<EventRecord>>;

    /// Closes the store after the last commit; later calls fail.
    fn close(&self) -> Verb<'_, ()>;
}
