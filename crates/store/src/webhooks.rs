//! Outgoing webhooks and their deliveries. A delivery is written in the same
//! transaction as the change that it tells of.

use serde::{Deserialize, Serialize};
use tappet_model::{AttemptId, HookId, ProjectId, RunId, Status, Timestamp};

use crate::{Listing, PageRequest, Verb};

/// An address that is told about runs and jobs of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// Id.
    pub id: HookId,
    /// Of which project.
    pub project_id: ProjectId,
    /// Its name to receivers.
    pub uuid: String,
    /// As set.
    pub settings: HookSettings,
    /// Token and values of headers, encrypted by the server.
    pub sealed_secrets: Vec<u8>,
    /// How it fares.
    pub health: HookHealth,
    /// When.
    pub created_at: Timestamp,
}

/// What people set on a webhook, without secrets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HookSettings {
    /// Where.
    pub url: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Tells of runs.
    pub sends_runs: bool,
    /// Tells of jobs.
    pub sends_jobs: bool,
    /// The receiver's certificate may be wrong.
    pub skips_tls_checks: bool,
    /// Names of additional headers.
    pub header_names: Vec<String>,
}

/// How a webhook fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HookHealth {
    /// Failures since the last success.
    pub failures: u32,
    /// Nothing is sent until somebody sets it up anew.
    pub is_disabled: bool,
    /// Nothing is sent until then.
    pub disabled_until: Option<Timestamp>,
}

/// A webhook to be.
#[derive(Clone, Debug)]
pub struct NewHook {
    /// Of which project.
    pub project_id: ProjectId,
    /// Its name to receivers.
    pub uuid: String,
    /// As set.
    pub settings: HookSettings,
    /// Token and values of headers, encrypted by the server.
    pub sealed_secrets: Vec<u8>,
    /// The most of one project.
    pub limit: u64,
    /// Now.
    pub now: Timestamp,
}

/// Something that a webhook has to tell, or has told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Id, rising, never used again.
    pub id: i64,
    /// Which webhook.
    pub hook_id: HookId,
    /// About which run.
    pub run_id: RunId,
    /// About which of its attempts; `None`: about the run itself.
    pub attempt_id: Option<AttemptId>,
    /// What it became.
    pub status: Status,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was sent.
    pub tries: u32,
    /// As sent before, when it must be sent again.
    pub body: Option<Vec<u8>>,
    /// The receiver's last answer.
    pub response_status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// How long the last try took.
    pub duration_ms: Option<u64>,
    /// When it happened.
    pub created_at: Timestamp,
}

/// How far a delivery is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// It is to be sent.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// It was given up.
    GivenUp,
}

/// A delivery whose turn it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueDelivery {
    /// The oldest of its webhook.
    pub delivery: Delivery,
    /// The webhook.
    pub hook: Hook,
    /// Not before then.
    pub due_at: Timestamp,
}

/// What became of a try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryOutcome {
    /// Waiting: to be sent again.
    pub state: DeliveryState,
    /// The receiver's answer.
    pub response_status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// To send again, the same bytes.
    pub body: Option<Vec<u8>>,
    /// How the webhook fares from now on.
    pub health: HookHealth,
}

/// Verbs about webhooks.
pub trait Webhooks {
    /// Adds a webhook. [`StoreError::Taken`](crate::StoreError::Taken) when the
    /// project has as many as it may.
    fn add_hook(&self, new: NewHook) -> Verb<'_, Hook>;
    /// One webhook of a project.
    fn hook(&self, project: ProjectId, id: HookId) -> Verb<'_, Option<Hook>>;
    /// Webhooks of a project, oldest first.
    fn hooks(&self, project: ProjectId, page: PageRequest) -> Verb<'_, Listing<Hook>>;
    /// Writes settings and secrets; the webhook starts afresh.
    fn update_hook(
        &self,
        id: HookId,
        settings: HookSettings,
        sealed_secrets: Vec<u8>,
    ) -> Verb<'_, ()>;
    /// Removes a webhook with all its deliveries; `false` when there was none.
    fn delete_hook(&self, project: ProjectId, id: HookId) -> Verb<'_, bool>;
    /// Whether any project has a webhook.
    fn has_hooks(&self) -> Verb<'_, bool>;
    /// The oldest waiting delivery of each webhook that is not disabled.
    fn due_deliveries(&self) -> Verb<'_, Vec<DueDelivery>>;
    /// Writes what became of a try, and how the webhook fares. What a disabled
    /// webhook had to tell is given up. Deliveries of before `forget_before` go.
    fn finish_delivery(
        &self,
        delivery: i64,
        outcome: DeliveryOutcome,
        forget_before: Timestamp,
    ) -> Verb<'_, ()>;
    /// The webhooks that led to a run.
    fn hooks_behind_run(&self, run: RunId) -> Verb<'_, Vec<HookId>>;
    /// The webhook of a delivery and those that led to the run it tells of; none
    /// for a delivery that is not known any more.
    fn hooks_behind_delivery(&self, delivery: i64) -> Verb<'_, Vec<HookId>>;
    /// Deliveries of a webhook, newest first; with bounds, only those with an answer
    /// whose status lies between them.
    fn deliveries(
        &self,
        hook: HookId,
        answers: Option<(u16, u16)>,
        page: PageRequest,
    ) -> Verb<'_, Listing<Delivery>>;
}
