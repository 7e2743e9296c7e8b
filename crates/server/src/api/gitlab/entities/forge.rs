//! The forge of a project and what came from it.

use serde::Serialize;
use tappet_store::{ForgeBinding, ForgeDelivery, User};
use utoipa::ToSchema;

use super::Time;
use super::user_basic::UserBasic;
use crate::config::Config;
use crate::forge::binding::webhook_url;

/// Tappet's own: where the pull requests of a project are discussed. Neither the token
/// nor the webhook's secret is shown, but for a secret that was made just now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Forge<'a> {
    kind: &'static str,
    api_url: &'a str,
    repository: &'a str,
    /// The address to enter at the forge.
    webhook_url: String,
    /// Once, when it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<String>,
    /// Whose rights the runs have that it starts.
    owner: Option<UserBasic<'a>>,
    /// Why it could not be told of the newest run, with the id of that.
    last_error: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl<'a> Forge<'a> {
    /// Shows a binding.
    pub fn of(config: &Config, binding: &'a ForgeBinding, owner: Option<&'a User>) -> Self {
        Self {
            kind: binding.kind.as_str(),
            api_url: &binding.api_url,
            repository: &binding.repository,
            webhook_url: webhook_url(config, binding.project_id),
            webhook_secret: None,
            owner: owner.map(|owner| UserBasic::of(config, owner)),
            last_error: None,
            created_at: Time(binding.created_at),
            updated_at: Time(binding.updated_at),
        }
    }

    /// With a secret that was made just now.
    #[must_use]
    pub fn webhook_secret(mut self, secret: Option<String>) -> Self {
        self.webhook_secret = secret;
        self
    }

    /// With what went wrong last.
    #[must_use]
    pub fn last_error(mut self, error: Option<String>) -> Self {
        self.last_error = error;
        self
    }
}

/// Tappet's own: a webhook call that a forge made and that was accepted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delivery<'a> {
    id: i64,
    /// The forge's name for it.
    delivery: &'a str,
    /// The event, in the forge's word.
    event: &'a str,
    /// What came of it, in words.
    outcome: &'a str,
    /// The runs that it started.
    runs: Vec<i64>,
    received_at: Time,
}

impl<'a> Delivery<'a> {
    /// Shows a delivery.
    pub fn of(delivery: &'a ForgeDelivery) -> Self {
        Self {
            id: delivery.id,
            delivery: &delivery.delivery,
            event: &delivery.event,
            outcome: &delivery.outcome,
            runs: delivery.runs.iter().map(|run| run.0).collect(),
            received_at: Time(delivery.received_at),
        }
    }
}

/// Tappet's own: what came of a webhook call, for the forge's list of deliveries.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Received<'a> {
    /// In words.
    pub message: String,
    /// The runs that it started.
    pub runs: Vec<ReceivedRun<'a>>,
    /// The runs that it canceled.
    pub canceled: Vec<i64>,
}

/// A run that a webhook call started.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceivedRun<'a> {
    /// Its id.
    pub id: i64,
    /// Where it stands.
    pub status: &'static str,
    /// Its ref.
    #[serde(rename = "ref")]
    pub ref_name: &'a str,
    /// Its commit.
    pub sha: &'a str,
    /// Its page.
    pub web_url: String,
}
