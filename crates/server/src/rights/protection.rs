//! Protected branches and tags: which rules are about a ref, and to whom they
//! leave it open.

use tappet_model::{PullRequest, RefKind};
use tappet_store::{Project, ProtectedRef, StoreResult};

use super::Standing;
use crate::app::App;
use crate::dispatch::PullRequestFacts;

/// Whether a name is what a protection means: `*` stands for any characters
/// (GitLab: `RefMatcher`).
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Whether a ref that these rules protect is open to somebody; `None` is a legacy
/// trigger, which keeps out of protected refs.
pub fn is_open(standing: Option<&Standing>, protections: &[ProtectedRef]) -> bool {
    match standing {
        Some(standing) => standing.may_use(protections),
        None => protections.is_empty(),
    }
}

impl App {
    /// Whether a branch or tag is protected.
    pub async fn is_protected(
        &self,
        project: &Project,
        kind: RefKind,
        name: &str,
    ) -> StoreResult<bool> {
        Ok(!self.protections(project, kind, name).await?.is_empty())
    }

    /// What runs of a pull request are told of it.
    pub async fn pull_request_facts<'a>(
        &self,
        project: &Project,
        pull_request: &'a PullRequest,
    ) -> StoreResult<PullRequestFacts<'a>> {
        let is_protected = |name| self.is_protected(project, RefKind::Branch, name);
        Ok(PullRequestFacts {
            pull_request,
            is_source_protected: is_protected(pull_request.head_branch.as_str()).await?,
            is_target_protected: is_protected(pull_request.base_branch.as_str()).await?,
        })
    }

    /// The rules that protect a branch or tag.
    pub async fn protections(
        &self,
        project: &Project,
        kind: RefKind,
        name: &str,
    ) -> StoreResult<Vec<ProtectedRef>> {
        // A pull request is nobody's ref: what its branch is called was up to anyone.
        if kind == RefKind::PullRequest {
            return Ok(Vec::new());
        }
        let mut rules = self.store.protected_refs(project.id, kind).await?;
        rules.retain(|rule| matches_pattern(&rule.name, name));
        Ok(rules)
    }

    /// Whether somebody may start and steer runs on a branch or tag; `None` is a
    /// legacy trigger, which keeps out of protected refs.
    pub async fn may_run_on(
        &self,
        standing: Option<&Standing>,
        project: &Project,
        kind: RefKind,
        name: &str,
    ) -> StoreResult<bool> {
        Ok(is_open(
            standing,
            &self.protections(project, kind, name).await?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("main", "main", true)]
    #[case("main", "main2", false)]
    #[case("release/*", "release/1.0", true)]
    #[case("release/*", "release", false)]
    #[case("*-stable", "1-stable", true)]
    #[case("*", "anything", true)]
    #[case("a*b*c", "a-b-c", true)]
    #[case("a*b*c", "a-c-b", false)]
    #[case("ab*bc", "abc", false)]
    #[case("*a*", "ba", true)]
    fn a_star_stands_for_anything(
        #[case] pattern: &str,
        #[case] name: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(matches_pattern(pattern, name), expected);
    }
}
