//! A tag.

use serde::Serialize;
use tappet_git::{Commit as GitCommit, Ref};
use tappet_store::Project;
use utoipa::ToSchema;

use super::Time;
use super::commit::Commit;
use crate::config::Config;

/// GitLab: `API::Entities::Tag`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tag<'a> {
    name: &'a str,
    message: &'a str,
    target: &'a str,
    commit: Commit<'a>,
    /// Tappet has no releases.
    #[schema(value_type = Option<String>)]
    release: Option<()>,
    protected: bool,
    created_at: Option<Time>,
}

impl<'a> Tag<'a> {
    /// Shows a tag; `message` is that of an annotated one.
    pub fn of(
        config: &Config,
        project: &Project,
        tag: &'a Ref,
        commit: &'a GitCommit,
        message: Option<&'a str>,
        is_protected: bool,
    ) -> Self {
        Self {
            name: &tag.name,
            message: message.unwrap_or_default(),
            target: &tag.target,
            commit: Commit::in_project(config, project, commit),
            release: None,
            protected: is_protected,
            created_at: tag.is_annotated.then_some(Time(tag.dated)),
        }
    }
}
