//! How projects are bound to their forges, what came from there and what is to be
//! told there. That a run has something to tell is written in the same transaction
//! as the change that it tells of.

use serde::{Deserialize, Serialize};
use tappet_model::{ForgeKind, ProjectId, RunId, Timestamp, UserId};

use crate::{Listing, PageRequest, Verb};

/// The forge of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForgeBinding {
    /// Of which project; each has one at most.
    pub project_id: ProjectId,
    /// Which API it speaks.
    pub kind: ForgeKind,
    /// Base address of its API, without a slash at the end.
    pub api_url: String,
    /// What it calls the repository: `acme/web`.
    pub repository: String,
    /// The token with which it is called, encrypted by the server.
    pub sealed_token: Vec<u8>,
    /// What its webhooks are signed with, encrypted by the server.
    pub sealed_webhook_secret: Vec<u8>,
    /// Whose rights the runs have that it starts.
    pub owner_id: UserId,
    /// When it was set first.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// A webhook call that a forge made and that was good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForgeDelivery {
    /// Rising.
    pub id: i64,
    /// To which project.
    pub project_id: ProjectId,
    /// The forge's name for it.
    pub delivery: String,
    /// The event, in the forge's word.
    pub event: String,
    /// What came of it, for people.
    pub outcome: String,
    /// The runs it started.
    pub runs: Vec<RunId>,
    /// When.
    pub received_at: Timestamp,
}

/// A delivery to be remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewForgeDelivery {
    /// To which project.
    pub project_id: ProjectId,
    /// The forge's name for it.
    pub delivery: String,
    /// The event, in the forge's word.
    pub event: String,
    /// What came of it, for people.
    pub outcome: String,
    /// The runs it started.
    pub runs: Vec<RunId>,
    /// Deliveries of before then are forgotten.
    pub forget_before: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// A run that has something to tell its forge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueForgeReport {
    /// Which run.
    pub run_id: RunId,
    /// Of which project.
    pub project_id: ProjectId,
    /// Rises with every change of the run.
    pub version: i64,
    /// What the forge was told already.
    pub told: ForgeTold,
    /// Failures since the last success.
    pub tries: u32,
    /// Not before then.
    pub due_at: Timestamp,
}

/// What a forge was told of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ForgeTold {
    /// By name of the status: a digest of what was said last.
    pub statuses: std::collections::BTreeMap<String, String>,
}

/// What became of a try to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForgeReportOutcome {
    /// The version that was told.
    pub version: i64,
    /// What the forge knows from now on.
    pub told: ForgeTold,
    /// When to try again; `None`: all is told, or it was given up.
    pub retry_at: Option<Timestamp>,
    /// Failures since the last success.
    pub tries: u32,
    /// Why it failed, for people.
    pub error: Option<String>,
    /// The forge wants no calls for this project before then.
    pub quiet_until: Option<Timestamp>,
}

/// The comment that a pull request has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForgeComment {
    /// In which project.
    pub project_id: ProjectId,
    /// On which pull request.
    pub number: String,
    /// The forge's id of the comment.
    pub comment_id: String,
    /// A digest of its text.
    pub digest: String,
}

/// Verbs about forges.
pub trait Forges {
    /// The forge of a project.
    fn forge_binding(&self, project: ProjectId) -> Verb<'_, Option<ForgeBinding>>;
    /// Sets it; the time when it was set first stays. With another forge or repository,
    /// what was told and which comments there are is forgotten. Runs are told of from
    /// their next change on.
    fn set_forge_binding(&self, binding: ForgeBinding) -> Verb<'_, ()>;
    /// Removes it with all that belongs to it; `false` when there was none.
    fn delete_forge_binding(&self, project: ProjectId) -> Verb<'_, bool>;
    /// Whether any project has a forge.
    fn has_forges(&self) -> Verb<'_, bool>;

    /// Whether a delivery was taken before.
    fn knows_forge_delivery(&self, project: ProjectId, delivery: String) -> Verb<'_, bool>;
    /// Remembers one. [`StoreError::Taken`](crate::StoreError::Taken) when it was taken before.
    fn add_forge_delivery(&self, new: NewForgeDelivery) -> Verb<'_, ()>;
    /// What a project got, newest first.
    fn forge_deliveries(
        &self,
        project: ProjectId,
        page: PageRequest,
    ) -> Verb<'_, Listing<ForgeDelivery>>;

    /// For each project with something to tell, its run that is due first. What failed
    /// keeps its time when the run changes, and nothing is due while the forge of the
    /// project wants quiet.
    fn due_forge_reports(&self) -> Verb<'_, Vec<DueForgeReport>>;
    /// Writes what became of a try. A change of the run in the meantime keeps it due.
    fn finish_forge_report(&self, run: RunId, outcome: ForgeReportOutcome) -> Verb<'_, ()>;
    /// Why the newest try of a run failed; none when it did not.
    fn forge_report_error(&self, run: RunId) -> Verb<'_, Option<String>>;
    /// Why the forge of a project could not be told of the newest run that there was
    /// something to tell of; none when it could.
    fn newest_forge_failure(&self, project: ProjectId) -> Verb<'_, Option<(RunId, String)>>;
    /// The comment on a pull request.
    fn forge_comment(&self, project: ProjectId, number: String) -> Verb<'_, Option<ForgeComment>>;
    /// Remembers it.
    fn set_forge_comment(&self, comment: ForgeComment) -> Verb<'_, ()>;
}
