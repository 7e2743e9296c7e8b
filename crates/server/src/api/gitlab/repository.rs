//! What the calls about branches, tags and commits share: the repository of a
//! project, as it stands now.

use std::sync::Arc;

use http::StatusCode;
use tappet_git::{ReadError, Ref, Repository};
use tappet_model::{RefKind, RefName};
use tappet_store::ProtectedRef;

use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use crate::app::SharedApp;
use crate::repositories::{RETRY_AFTER, RepositoryUnavailable};
use crate::rights::{Right, matches_pattern};

/// Branches or tags, in git's words and GitLab's.
pub struct Refs {
    kind: RefKind,
    folder: &'static str,
    invalid: &'static str,
    thing: &'static str,
}

/// Branches.
pub const BRANCHES: Refs = Refs {
    kind: RefKind::Branch,
    folder: "refs/heads/",
    invalid: "The branch refname is invalid",
    thing: "Branch",
};

/// Tags.
pub const TAGS: Refs = Refs {
    kind: RefKind::Tag,
    folder: "refs/tags/",
    invalid: "The tag refname is invalid",
    thing: "Tag",
};

/// A caller in front of a repository that they may read.
pub struct Opened {
    /// Who, and which project.
    pub access: Access,
    /// Its repository.
    pub repository: Arc<Repository>,
}

/// The repository of `:id`; public ones are open to anybody.
pub async fn open(app: &SharedApp, call: &Call, jobs: JobTokens) -> ApiResult<Opened> {
    let access = access::open_project(app, call, Login::Optional, jobs).await?;
    access.require(Right::ReadRepository)?;
    let repository = app.repositories.of(&access.project).await?;
    Ok(Opened { access, repository })
}

impl Opened {
    /// Brings every branch and tag of a remote repository up to date.
    pub async fn refresh(&self, app: &SharedApp) -> ApiResult<()> {
        Ok(app
            .repositories
            .refresh_everything(&self.access.project)
            .await?)
    }

    /// Brings one branch or tag of a remote repository up to date. Names that no
    /// ref can have are left to whoever looks them up.
    pub async fn refresh_ref(&self, app: &SharedApp, name: &str) -> ApiResult<()> {
        if let Ok(name) = RefName::new(name) {
            let project = &self.access.project;
            app.repositories.refresh(project, &name).await?;
        }
        Ok(())
    }

    /// One branch or tag as it stands now; 400 for a name that none can have, 404
    /// when there is none.
    pub async fn find_ref(&self, app: &SharedApp, refs: &Refs, name: &str) -> ApiResult<Ref> {
        let full_name = format!("{}{name}", refs.folder);
        if RefName::new(full_name.as_str()).is_err() {
            return Err(ApiError::message(StatusCode::BAD_REQUEST, refs.invalid));
        }
        self.refresh_ref(app, &full_name).await?;
        let found = self.repository.find_ref(refs.kind, name).await?;
        found.ok_or_else(|| ApiError::missing(refs.thing))
    }

    /// The rules that protect branches or tags of the project.
    pub async fn protections(&self, app: &SharedApp, kind: RefKind) -> ApiResult<Protections> {
        let rules = app
            .store
            .protected_refs(self.access.project.id, kind)
            .await?;
        Ok(Protections(rules))
    }
}

/// Rules that protect branches, or tags.
pub struct Protections(Vec<ProtectedRef>);

impl Protections {
    /// Those that a name falls under.
    pub fn of(&self, name: &str) -> Vec<&ProtectedRef> {
        let matching = |rule: &&ProtectedRef| matches_pattern(&rule.name, name);
        self.0.iter().filter(matching).collect()
    }
}

/// GitLab's search: `^` binds to the beginning, `$` to the end, `*` stands for
/// anything, and case does not matter.
pub fn found_by(search: &str, name: &str) -> bool {
    let (search, name) = (search.to_lowercase(), name.to_lowercase());
    let (start, search) = match search.strip_prefix('^') {
        Some(rest) => ("", rest),
        None => ("*", search.as_str()),
    };
    let (end, search) = match search.strip_suffix('$') {
        Some(rest) => ("", rest),
        None => ("*", search),
    };
    matches_pattern(&format!("{start}{search}{end}"), &name)
}

impl From<RepositoryUnavailable> for ApiError {
    fn from(error: RepositoryUnavailable) -> Self {
        unavailable(&error.message)
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        unavailable(&error.to_string())
    }
}

fn unavailable(text: &str) -> ApiError {
    let text = format!("503 Service Unavailable - {text}");
    ApiError::message(StatusCode::SERVICE_UNAVAILABLE, text).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("fix", "Bugfix/1", true)]
    #[case("^fix", "bugfix", false)]
    #[case("^bug", "bugfix", true)]
    #[case("fix$", "bugfix", true)]
    #[case("bug$", "bugfix", false)]
    #[case("^bugfix$", "bugfix", true)]
    #[case("b*x", "a/bugfix/1", true)]
    #[case("^b*x$", "bugfix/1", false)]
    fn a_search_can_be_bound_to_an_end(
        #[case] search: &str,
        #[case] name: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(found_by(search, name), expected);
    }
}
