//! Which other projects' job tokens a project lets in.

use tappet_model::{ProjectId, Timestamp, UserId};

use crate::{Listing, PageRequest, Project, Verb};

/// A project that lets another one's job tokens in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobTokenGrant {
    /// Which project is opened.
    pub project_id: ProjectId,
    /// For the jobs of which project.
    pub source_id: ProjectId,
    /// By whom.
    pub added_by: Option<UserId>,
    /// The most projects that may be let in, this one included.
    pub limit: u64,
    /// Now.
    pub now: Timestamp,
}

/// What became of a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrantOutcome {
    /// It holds.
    Added,
    /// It held already.
    Known,
    /// No more projects may be let in.
    LimitReached,
}

/// Verbs about job tokens of other projects. A project's own jobs are always let
/// in and have no row.
pub trait JobTokenScope {
    /// Whether the job tokens of `source` are let into `project`, as are those of
    /// every project into an open one.
    fn lets_jobs_in(&self, project: ProjectId, source: ProjectId) -> Verb<'_, bool>;
    /// Lets the job tokens of another project in.
    fn let_jobs_in(&self, grant: JobTokenGrant) -> Verb<'_, GrantOutcome>;
    /// Keeps them out again; `false` when they were not let in.
    fn keep_jobs_out(&self, project: ProjectId, source: ProjectId) -> Verb<'_, bool>;
    /// Whether a project takes the job tokens of every project.
    fn has_open_job_token_scope(&self, project: ProjectId) -> Verb<'_, bool>;
    /// Sets whether it does.
    fn set_job_token_scope(&self, project: ProjectId, is_open: bool) -> Verb<'_, ()>;
    /// The project itself and those whose jobs are let in, by id.
    fn job_token_sources(
        &self,
        project: ProjectId,
        page: PageRequest,
    ) -> Verb<'_, Listing<Project>>;
}
