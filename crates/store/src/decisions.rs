//! Jobs that wait until somebody decides about them: whether they start, and as
//! which jobs. All that a decision looks at is in the store, so that a server which
//! starts again decides about whatever waits.

use std::sync::Arc;

use tappet_model::plan::{AllowFailure, JobGroup, JobSpec};
use tappet_model::{AttemptId, Status, Timestamp};

use crate::{Advance, Attempt, Project, Run, User, Verb};

/// What has to be known to decide about a job.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The attempt that waits.
    pub attempt: Attempt,
    /// Its run.
    pub run: Run,
    /// Its project.
    pub project: Project,
    /// Who the run impersonates.
    pub user: Option<User>,
    /// The job as compiled.
    pub spec: Arc<JobSpec>,
    /// The event that brought the run about, encrypted by the server.
    pub sealed_event: Option<Vec<u8>>,
    /// All jobs that had to be over before it.
    pub needs: Vec<NeededJob>,
}

/// A job that had to be over before another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NeededJob {
    /// Its id in the file.
    pub key: String,
    /// It is needed by itself; the others are needed by such jobs.
    pub is_direct: bool,
    /// Itself, or the legs of its matrix in order.
    pub legs: Vec<NeededLeg>,
}

/// A leg of a [`NeededJob`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NeededLeg {
    /// How it ended.
    pub status: Status,
    /// Its failure is a warning.
    pub allow_failure: bool,
    /// What it put out, encrypted by the server.
    pub sealed_outputs: Option<Vec<u8>>,
}

/// A job that takes the place of one that waited.
#[derive(Clone, PartialEq, Debug)]
pub struct NewLeg {
    /// For people.
    pub name: String,
    /// Runner tags.
    pub tags: Vec<String>,
    /// Which failures are warnings.
    pub allow_failure: AllowFailure,
    /// What the runner does.
    pub spec: Arc<JobSpec>,
}

/// Verbs about decisions. The answers yes and no are the engine's events
/// [`Enqueue`](tappet_engine::JobEvent::Enqueue) and
/// [`Skip`](tappet_engine::JobEvent::Skip).
pub trait Decisions {
    /// Attempts about which somebody has to decide, the oldest first.
    fn attempts_to_decide(&self) -> Verb<'_, Vec<AttemptId>>;
    /// What has to be known to decide about an attempt; nothing when it does not
    /// wait for that any more.
    fn decision(&self, id: AttemptId) -> Verb<'_, Option<Decision>>;
    /// The job turned out to be these, which start: the first takes its attempt, the
    /// others get attempts of their own, and whoever needs the job needs them all.
    /// Without any it is skipped.
    /// [`StoreError::Refused`](crate::StoreError::Refused) when it does not wait.
    fn expand_job(
        &self,
        id: AttemptId,
        legs: Vec<NewLeg>,
        group: Option<JobGroup>,
        now: Timestamp,
    ) -> Verb<'_, Advance>;
}
