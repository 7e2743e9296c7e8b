//! The system git behind typed calls.
//!
//! [`Git`] makes commands that see neither the user's configuration nor the
//! environment. [`Repository`] reads refs, commits and files of one repository
//! through a long-lived `git cat-file`, never from a work tree and without a
//! process per call. [`Repositories`] keeps the ones in use open, [`Mirrors`]
//! brings remote ones here, [`RepositoryAddress`] decides which addresses git
//! may ever see.
//!
//! Nothing here writes to a repository that it did not create, and nothing that
//! lies in a repository (hooks, configuration, promisor remotes) is executed.

mod address;
mod batch;
mod command;
mod commit;
mod config;
mod error;
mod lru;
mod mirrors;
mod repositories;
mod repository;
mod tree;

pub use address::{InvalidAddress, RemoteUrl, RepositoryAddress};
pub use commit::Commit;
pub use config::{Git, GitError};
pub use error::ReadError;
pub use mirrors::{FetchError, FetchLimits, Mirrors, Upkeep};
pub use repositories::Repositories;
pub use repository::{
    CommitStats, FileAt, FileError, HistoryFilter, MAX_PATHS, OpenError, PatchError, PatchedCommit,
    Paths, ReadLimits, Ref, Repository, ResolveError, ResolvedRef,
};
