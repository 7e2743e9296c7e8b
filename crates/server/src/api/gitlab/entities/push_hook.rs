//! The push hook of a project.

use serde::Serialize;
use tappet_store::{PushHook as PushHookRecord, User};
use utoipa::ToSchema;

use super::Time;
use super::user_basic::UserBasic;
use crate::config::Config;

/// Tappet's own: where and with which secret a git server reports pushes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PushHook<'a> {
    url: String,
    secret: Option<String>,
    owner: Option<UserBasic<'a>>,
    created_at: Time,
    last_used_at: Option<Time>,
}

impl<'a> PushHook<'a> {
    /// Shows a push hook; `secret` only to its owner and administrators.
    pub fn of(
        config: &Config,
        hook: &PushHookRecord,
        secret: Option<String>,
        owner: Option<&'a User>,
    ) -> Self {
        Self {
            url: config.url("/-/hooks/push"),
            secret,
            owner: owner.map(|owner| UserBasic::of(config, owner)),
            created_at: Time(hook.created_at),
            last_used_at: hook.last_used_at.map(Time),
        }
    }
}
