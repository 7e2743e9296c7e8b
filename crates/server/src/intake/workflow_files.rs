//! Where the workflows of a request come from: the commit, the commit with the
//! caller's local changes on top, or the request itself.

use std::sync::Arc;

use tappet_git::{FileError, PatchError, PatchedCommit, ReadError, Repository};
use tappet_model::CommitSha;

use super::refusal::unavailable;
use super::{Refusal, WorkflowChoice};

/// Folders in which workflows lie; the first that has some is taken.
pub const FOLDERS: [&str; 2] = [".depot/workflows", ".github/workflows"];

/// Workflow files beyond this are refused (GitHub: 1 MiB).
pub const FILE_LIMIT: u64 = 1024 * 1024;

/// One workflow as text.
#[derive(Clone, Debug)]
pub(super) struct WorkflowText {
    /// From the root of the repository; `None` when it came with the call.
    pub path: Option<String>,
    /// The first part of its job keys.
    pub file: String,
    /// Its bytes, or why they cannot be had.
    pub bytes: Result<Arc<[u8]>, String>,
}

/// A commit as the caller sees it.
pub(super) struct Sources<'a> {
    repository: &'a Repository,
    sha: &'a CommitSha,
    patched: Option<PatchedCommit>,
}

impl<'a> Sources<'a> {
    /// The commit, with a patch if there is one. The inner error is the caller's to
    /// read: the patch does not fit.
    pub async fn new(
        repository: &'a Repository,
        sha: &'a CommitSha,
        patch: Option<&[u8]>,
    ) -> Result<Result<Self, String>, Refusal> {
        let patched = match patch {
            None => None,
            Some(patch) => match repository.patched(sha, patch).await {
                Ok(patched) => Some(patched),
                Err(error @ PatchError::DoesNotApply(_)) => {
                    return Ok(Err(format!(
                        "cannot apply the local changes to commit {sha}: {error}"
                    )));
                }
                Err(error) => return Err(unavailable(error.to_string())),
            },
        };
        Ok(Ok(Self {
            repository,
            sha,
            patched,
        }))
    }

    /// The commit as it is.
    pub fn unchanged(repository: &'a Repository, sha: &'a CommitSha) -> Self {
        Self {
            repository,
            sha,
            patched: None,
        }
    }

    /// The workflows that a request names.
    pub async fn workflows(&self, choice: &WorkflowChoice) -> Result<Vec<WorkflowText>, Refusal> {
        match choice {
            WorkflowChoice::Inline(texts) => Ok(inline(texts)),
            WorkflowChoice::Path(path) => Ok(vec![self.workflow(path).await?]),
            WorkflowChoice::Paths(paths) => {
                let mut workflows = Vec::with_capacity(paths.len());
                for path in paths {
                    workflows.push(self.workflow(path).await?);
                }
                Ok(workflows)
            }
            WorkflowChoice::Named(name) => self.named(name).await,
            WorkflowChoice::All => self.all().await,
        }
    }

    async fn all(&self) -> Result<Vec<WorkflowText>, Refusal> {
        for folder in FOLDERS {
            let names = self.workflow_names(folder).await?;
            if names.is_empty() {
                continue;
            }
            let mut workflows = Vec::with_capacity(names.len());
            for name in names {
                workflows.push(self.workflow(&format!("{folder}/{name}")).await?);
            }
            return Ok(workflows);
        }
        Err(Refusal::WorkflowNotFound(format!(
            "commit {} has no workflows: put some into {} or {}, or send their text along",
            self.sha, FOLDERS[0], FOLDERS[1]
        )))
    }

    async fn named(&self, name: &str) -> Result<Vec<WorkflowText>, Refusal> {
        for folder in FOLDERS {
            if self
                .workflow_names(folder)
                .await?
                .iter()
                .any(|one| one == name)
            {
                return Ok(vec![self.workflow(&format!("{folder}/{name}")).await?]);
            }
        }
        Err(Refusal::WorkflowNotFound(format!(
            "commit {} has no workflow `{name}` in {} or {}: name the file alone, such as \
             `deploy.yml`",
            self.sha, FOLDERS[0], FOLDERS[1]
        )))
    }

    /// Names of the YAML files of a folder, in order.
    async fn workflow_names(&self, folder: &str) -> Result<Vec<String>, Refusal> {
        let listed = match &self.patched {
            Some(patched) => self
                .repository
                .patched_files_in(patched, folder)
                .await
                .map_err(unreadable)?,
            None => match self.repository.files_in(self.sha, folder).await {
                Ok(names) => names,
                Err(FileError::Read(error)) => return Err(unreadable(error)),
                Err(_) => Vec::new(),
            },
        };
        let is_yaml = |name: &String| name.ends_with(".yml") || name.ends_with(".yaml");
        Ok(listed.into_iter().filter(is_yaml).collect())
    }

    async fn workflow(&self, path: &str) -> Result<WorkflowText, Refusal> {
        let found = match &self.patched {
            Some(patched) => self.patched_file(patched, path).await?,
            None => {
                let file = self.repository.file_at(self.sha, path, FILE_LIMIT).await;
                file.map(|file| file.bytes)
            }
        };
        let bytes = match found {
            Ok(bytes) => Ok(bytes),
            Err(FileError::Missing | FileError::NotAFile | FileError::BadPath) => {
                return Err(Refusal::WorkflowNotFound(format!(
                    "commit {} has no file `{path}`: give the path of a workflow from the root of \
                     the repository, such as `.depot/workflows/ci.yml`",
                    self.sha
                )));
            }
            Err(error @ (FileError::Symlink | FileError::TooLarge { .. })) => {
                Err(error.to_string())
            }
            Err(FileError::Read(error)) => return Err(unreadable(error)),
        };
        Ok(WorkflowText {
            file: path.rsplit('/').next().unwrap_or(path).to_owned(),
            path: Some(path.to_owned()),
            bytes,
        })
    }

    async fn patched_file(
        &self,
        patched: &PatchedCommit,
        path: &str,
    ) -> Result<Result<Arc<[u8]>, FileError>, Refusal> {
        let content = self.repository.patched_file(patched, path).await;
        Ok(match content.map_err(unreadable)? {
            None => Err(FileError::Missing),
            Some(bytes) if bytes.len() as u64 > FILE_LIMIT => Err(FileError::TooLarge {
                size: bytes.len() as u64,
                limit: FILE_LIMIT,
            }),
            Some(bytes) => Ok(bytes.into()),
        })
    }
}

fn inline(texts: &[String]) -> Vec<WorkflowText> {
    let texts = texts.iter().enumerate();
    texts
        .map(|(at, text)| WorkflowText {
            path: None,
            // Depot: `_inline_<n>.yaml`, which clients match job keys with.
            file: format!("_inline_{at}.yaml"),
            bytes: Ok(text.as_bytes().into()),
        })
        .collect()
}

fn unreadable(error: ReadError) -> Refusal {
    unavailable(error.to_string())
}
