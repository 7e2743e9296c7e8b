//! A trigger token.

use serde::Serialize;
use tappet_store::{Trigger as TriggerRecord, User};
use utoipa::ToSchema;

use super::Time;
use super::user_basic::UserBasic;
use crate::config::Config;

/// GitLab: `API::Entities::Trigger`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trigger<'a> {
    id: i64,
    token: String,
    description: &'a str,
    created_at: Time,
    updated_at: Time,
    last_used: Option<Time>,
    expires_at: Option<Time>,
    owner: Option<UserBasic<'a>>,
}

impl<'a> Trigger<'a> {
    /// Shows a trigger. `token` is whole only for its owner and administrators.
    pub fn of(
        config: &Config,
        trigger: &'a TriggerRecord,
        token: String,
        owner: Option<&'a User>,
    ) -> Self {
        Self {
            id: trigger.id.0,
            token,
            description: &trigger.description,
            created_at: Time(trigger.created_at),
            updated_at: Time(trigger.updated_at),
            last_used: trigger.last_used_at.map(Time),
            expires_at: trigger.expires_at.map(Time),
            owner: owner.map(|owner| UserBasic::of(config, owner)),
        }
    }
}
