//! A person, as shown beside what they did.

use serde::Serialize;
use tappet_store::User;
use utoipa::ToSchema;

use super::Time;
use crate::config::Config;

/// GitLab: `API::Entities::UserBasic`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserBasic<'a> {
    id: i64,
    username: &'a str,
    public_email: &'a str,
    name: &'a str,
    state: &'static str,
    locked: bool,
    avatar_url: Option<&'a str>,
    web_url: String,
}

impl<'a> UserBasic<'a> {
    /// Shows a user.
    pub fn of(config: &Config, user: &'a User) -> Self {
        Self {
            id: user.id.0,
            username: &user.username,
            public_email: "",
            name: &user.name,
            state: if user.is_blocked { "blocked" } else { "active" },
            locked: false,
            avatar_url: None,
            web_url: config.url(&format!("/{}", user.username)),
        }
    }
}

/// The same beside a job, with what GitLab's larger shape adds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserOfJob<'a> {
    #[serde(flatten)]
    basic: UserBasic<'a>,
    created_at: Time,
}

impl<'a> UserOfJob<'a> {
    /// Shows a user.
    pub fn of(config: &Config, user: &'a User) -> Self {
        Self {
            basic: UserBasic::of(config, user),
            created_at: Time(user.created_at),
        }
    }
}
