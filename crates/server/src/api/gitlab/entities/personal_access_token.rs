//! A personal access token.

use serde::Serialize;
use tappet_model::Timestamp;
use tappet_store::AccessToken;
use utoipa::ToSchema;

use super::{Day, Time};

/// GitLab: `API::Entities::PersonalAccessToken`, once with the token itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonalAccessToken<'a> {
    id: i64,
    name: &'a str,
    revoked: bool,
    created_at: Time,
    description: Option<&'a str>,
    scopes: &'a [String],
    user_id: i64,
    last_used_at: Option<Time>,
    active: bool,
    expires_at: Option<Day>,
    /// Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl<'a> PersonalAccessToken<'a> {
    /// Shows what is remembered of a token.
    pub fn of(token: &'a AccessToken, now: Timestamp) -> Self {
        Self {
            id: token.id.0,
            name: &token.name,
            revoked: token.revoked_at.is_some(),
            created_at: Time(token.created_at),
            description: Some(&*token.description).filter(|text| !text.is_empty()),
            scopes: &token.scopes,
            user_id: token.user_id.0,
            last_used_at: token.last_used_at.map(Time),
            active: token.is_active(now),
            expires_at: token.expires_at.map(Day),
            token: None,
        }
    }

    /// The same with the token, which nobody can show again.
    pub fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }
}
