//! A branch.

use std::sync::Arc;

use serde::Serialize;
use tappet_git::{Commit as GitCommit, Ref};
use tappet_store::{Project, ProtectedRef};
use utoipa::ToSchema;

use super::commit::Commit;
use crate::config::Config;
use crate::rights::Role;

/// GitLab: `API::Entities::Branch`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Branch<'a> {
    name: &'a str,
    commit: Commit<'a>,
    merged: bool,
    protected: bool,
    developers_can_push: bool,
    developers_can_merge: bool,
    can_push: bool,
    default: bool,
    web_url: String,
}

/// What is known of a branch.
pub struct BranchFacts<'a> {
    /// The branch.
    pub branch: &'a Ref,
    /// Its commit.
    pub commit: Arc<GitCommit>,
    /// It is the project's default branch.
    pub is_default: bool,
    /// The default branch holds it and has gone on since.
    pub is_merged: bool,
    /// What protects it.
    pub rules: Vec<ProtectedRef>,
    /// The caller may push to it.
    pub can_push: bool,
}

impl<'a> Branch<'a> {
    /// Shows a branch.
    pub fn of(config: &Config, project: &Project, facts: &'a BranchFacts<'_>) -> Self {
        let developers = |level: fn(&ProtectedRef) -> u32| {
            let opens = |rule| (1..=Role::Developer.level()).contains(&level(rule));
            facts.rules.iter().any(opens)
        };
        Self {
            name: &facts.branch.name,
            commit: Commit::in_project(config, project, &facts.commit),
            merged: facts.is_merged,
            protected: !facts.rules.is_empty(),
            developers_can_push: developers(|rule| rule.push_level),
            developers_can_merge: developers(|rule| rule.merge_level),
            can_push: facts.can_push,
            default: facts.is_default,
            web_url: config.url(&format!("/{}/-/tree/{}", project.path, facts.branch.name)),
        }
    }
}
