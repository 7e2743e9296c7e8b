//! From whatever a person calls a commit to its id.

use tappet_model::{CommitSha, RefName};

use super::Repository;
use super::resolve::{ResolveError, peel};
use crate::error::ReadError;

impl Repository {
    /// The commit that `name` stands for: `HEAD`, a branch, a tag, an id or its
    /// first 7 digits and more. `None` when it stands for none, or for several ids.
    /// A branch wins over a tag of the same name, as in git's own output.
    pub async fn find_commit(&self, name: &str) -> Result<Option<CommitSha>, ReadError> {
        if name == "HEAD" {
            return self.named("HEAD").await;
        }
        let Ok(ref_name) = RefName::new(name) else {
            return Ok(None);
        };
        match self.resolve(&ref_name).await {
            Ok(resolved) => Ok(Some(resolved.sha)),
            Err(ResolveError::Ambiguous) => self.named(&format!("refs/heads/{name}")).await,
            Err(ResolveError::NotFound) => {
                Ok(self.resolve_commit(name).await?.map(|found| found.sha))
            }
            Err(ResolveError::Read(error)) => Err(error),
        }
    }

    /// The commit behind an object's whole id: the commit itself, or what an
    /// annotated tag leads to.
    pub async fn commit_behind(&self, id: &CommitSha) -> Result<Option<CommitSha>, ReadError> {
        self.named(id.as_str()).await
    }

    async fn named(&self, revision: &str) -> Result<Option<CommitSha>, ReadError> {
        let [found] = self.names.ask([peel(revision)]).await?;
        Ok(found.and_then(|object| object.id.parse().ok()))
    }
}
