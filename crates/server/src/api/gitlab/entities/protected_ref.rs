//! Protected branches and tags.

use serde::Serialize;
use tappet_store::ProtectedRef;
use utoipa::ToSchema;

/// GitLab: `API::Entities::ProtectedBranch`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProtectedBranch<'a> {
    id: i64,
    name: &'a str,
    push_access_levels: Vec<RefAccessLevel>,
    merge_access_levels: Vec<RefAccessLevel>,
    allow_force_push: bool,
}

/// GitLab: `API::Entities::ProtectedTag`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProtectedTag<'a> {
    name: &'a str,
    create_access_levels: Vec<RefAccessLevel>,
}

/// GitLab: `API::Entities::ProtectedRefAccess`. Each kind of level counts for
/// itself, so the rule's id tells them apart.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct RefAccessLevel {
    id: i64,
    access_level: u32,
    access_level_description: &'static str,
    user_id: Option<i64>,
    group_id: Option<i64>,
}

impl RefAccessLevel {
    fn of(rule: &ProtectedRef, level: u32) -> Vec<Self> {
        vec![Self {
            id: rule.id.0,
            access_level: level,
            access_level_description: match level {
                0 => "No one",
                30 => "Developers + Maintainers",
                40 => "Maintainers",
                _ => "Administrators",
            },
            user_id: None,
            group_id: None,
        }]
    }
}

impl<'a> ProtectedBranch<'a> {
    /// Shows a rule about branches.
    pub fn of(rule: &'a ProtectedRef) -> Self {
        Self {
            id: rule.id.0,
            name: &rule.name,
            push_access_levels: RefAccessLevel::of(rule, rule.push_level),
            merge_access_levels: RefAccessLevel::of(rule, rule.merge_level),
            allow_force_push: rule.allow_force_push,
        }
    }
}

impl<'a> ProtectedTag<'a> {
    /// Shows a rule about tags.
    pub fn of(rule: &'a ProtectedRef) -> Self {
        Self {
            name: &rule.name,
            create_access_levels: RefAccessLevel::of(rule, rule.push_level),
        }
    }
}
