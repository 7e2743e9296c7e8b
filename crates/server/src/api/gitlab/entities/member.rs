//! A member of a project.

use serde::Serialize;
use tappet_store::{Member as MemberRecord, User};
use utoipa::ToSchema;

use super::user_basic::UserBasic;
use super::{Day, Time};
use crate::config::Config;

/// GitLab: `API::Entities::Member`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Member<'a> {
    #[serde(flatten)]
    user: UserBasic<'a>,
    access_level: u32,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<UserBasic<'a>>,
    expires_at: Option<Day>,
    membership_state: &'static str,
}

impl<'a> Member<'a> {
    /// Shows a membership with the person and who added them.
    pub fn of(
        config: &Config,
        member: &MemberRecord,
        user: &'a User,
        created_by: Option<&'a User>,
    ) -> Self {
        Self {
            user: UserBasic::of(config, user),
            access_level: member.level,
            created_at: Time(member.created_at),
            created_by: created_by.map(|user| UserBasic::of(config, user)),
            expires_at: member.expires_at.map(Day),
            membership_state: "active",
        }
    }
}
