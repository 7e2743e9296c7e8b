//! From a ref's name to its commit, as it stands now.

use std::sync::Arc;

use tappet_model::{CommitSha, RefKind, RefName};

use super::exact_ref::Look;
use super::{MAX_MESSAGE, Repository, locked};
use crate::batch::{Object, ObjectKind, Query};
use crate::commit;
use crate::error::ReadError;

/// What a name stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResolvedRef {
    /// The short name; of a commit the id as it was written.
    pub name: String,
    /// Branch, tag or commit.
    pub kind: RefKind,
    /// The commit; annotated tags are followed.
    pub sha: CommitSha,
    /// The message of an annotated tag, without signature.
    pub tag_message: Option<Arc<str>>,
}

/// A name that stands for no single commit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ResolveError {
    /// Neither a branch nor a tag, or a tag that leads to no commit.
    #[error("there is no branch or tag of that name")]
    NotFound,
    /// Both a branch and a tag.
    #[error("the name is both a branch and a tag: write `refs/heads/…` or `refs/tags/…` in full")]
    Ambiguous,
    /// The repository could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Repository {
    /// Finds the branch or tag `name`, short or full, among the refs as they stand
    /// now. Commit ids are not refs: they are `NotFound`.
    pub async fn resolve(&self, name: &RefName) -> Result<ResolvedRef, ResolveError> {
        let (kind, short) = name.split();
        let branch = format!("refs/heads/{short}");
        let tag = format!("refs/tags/{short}");
        let (on_branch, on_tag) = match kind {
            None => self.on_either(&branch, &tag).await?,
            Some(RefKind::Branch) => (self.on_one(&branch).await?, None),
            Some(RefKind::Tag) => (None, self.on_one(&tag).await?),
            Some(RefKind::Commit | RefKind::PullRequest) => (None, None),
        };
        let on_branch = self.confirmed(&branch, on_branch).await?;
        let on_tag = self.confirmed(&tag, on_tag).await?;
        match (on_branch, on_tag) {
            (Some(_), Some(_)) => Err(ResolveError::Ambiguous),
            (Some(sha), None) => Ok(ResolvedRef {
                name: short.to_owned(),
                kind: RefKind::Branch,
                sha,
                tag_message: None,
            }),
            (None, Some(sha)) => Ok(ResolvedRef {
                name: short.to_owned(),
                kind: RefKind::Tag,
                sha,
                tag_message: self.tag_message(&tag).await?,
            }),
            (None, None) => {
                if kind != Some(RefKind::Tag) {
                    self.check_absent(&branch).await?;
                }
                if kind != Some(RefKind::Branch) {
                    self.check_absent(&tag).await?;
                }
                Err(ResolveError::NotFound)
            }
        }
    }

    /// The commit whose id is, or begins with, `text`: 7 to 40 hex digits. `None`
    /// when there is none, or more than one.
    pub async fn resolve_commit(&self, text: &str) -> Result<Option<ResolvedRef>, ReadError> {
        if !is_commit_id(text) {
            return Ok(None);
        }
        let found = self.on_one(text).await?;
        // Git also takes the text for a ref under `refs/` or `refs/remotes/`.
        let digits = text.to_ascii_lowercase();
        let Some(id) = found
            .map(|object| object.id)
            .filter(|id| id.starts_with(&digits))
        else {
            return Ok(None);
        };
        let sha = id
            .parse()
            .map_err(|_| ReadError::corrupt(format!("commit {text} has the id {id}")))?;
        Ok(Some(ResolvedRef {
            name: text.to_owned(),
            kind: RefKind::Commit,
            sha,
            tag_message: None,
        }))
    }

    async fn on_one(&self, full_name: &str) -> Result<Option<Object>, ReadError> {
        let [found] = self.names.ask([peel(full_name)]).await?;
        Ok(found)
    }

    /// Asks for both, or for the branch alone while the tag is known to be absent.
    async fn on_either(
        &self,
        branch: &str,
        tag: &str,
    ) -> Result<(Option<Object>, Option<Object>), ReadError> {
        let look = self.refs.look(tag);
        if look == Look::LeadsNowhere {
            let found = self.on_one(branch).await?;
            if found.is_some() {
                return Ok((found, None));
            }
        }
        let [on_branch, on_tag] = self.names.ask([peel(branch), peel(tag)]).await?;
        if let (Look::AskAndLearn(stamp), None) = (look, &on_tag) {
            self.refs.learn(stamp, tag);
        }
        Ok((on_branch, on_tag))
    }

    async fn confirmed(
        &self,
        full_name: &str,
        found: Option<Object>,
    ) -> Result<Option<CommitSha>, ReadError> {
        match found {
            Some(object) if self.has_ref(full_name).await? => {
                Ok(Some(object.id.parse().map_err(|_| {
                    ReadError::corrupt(format!("{full_name} leads to {}", object.id))
                })?))
            }
            _ => Ok(None),
        }
    }

    /// A ref that exists but leads nowhere is damage; a tag of a file or a folder is not.
    async fn check_absent(&self, full_name: &str) -> Result<(), ReadError> {
        if !self.has_ref(full_name).await? {
            return Ok(());
        }
        let end = Query::Info(format!("{full_name}^{{}}"));
        match self.objects.ask([end]).await? {
            [Some(object)] if object.kind != ObjectKind::Commit => Ok(()),
            // It came into being between the two questions; the caller asked before.
            [Some(_)] => Ok(()),
            [None] => Err(ReadError::corrupt(format!(
                "{full_name} leads to an object that is missing or damaged"
            ))),
        }
    }

    async fn tag_message(&self, full_name: &str) -> Result<Option<Arc<str>>, ReadError> {
        let [found] = self
            .objects
            .ask([Query::Info(full_name.to_owned())])
            .await?;
        let Some(tag) = found.filter(|object| object.kind == ObjectKind::Tag) else {
            return Ok(None);
        };
        if let Some(message) = locked(&self.tag_messages).get(&tag.id) {
            return Ok(Some(message));
        }
        let content = self.contents(&tag.id, tag.size, MAX_MESSAGE).await?;
        let message: Arc<str> = commit::tag_message(&content).into();
        locked(&self.tag_messages).put(tag.id, Arc::clone(&message), 1);
        Ok(Some(message))
    }
}

/// Whether a text can be a commit id or the beginning of one. Shorter ones are
/// rather the name of something.
fn is_commit_id(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn peel(full_name: &str) -> Query {
    Query::Info(format!("{full_name}^{{commit}}"))
}
