//! Why the store said no.

/// What every verb returns.
pub type StoreResult<T> = Result<T, StoreError>;

/// A refusal or a breakdown of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something with this unique value exists already.
    #[error("{field} is already taken")]
    Taken {
        /// Which value.
        field: &'static str,
    },
    /// No such row.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The engine refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] tappet_engine::Refused),
    /// The idempotency key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The store is closing or its writer is gone.
    #[error("the database is closed")]
    Closed,
    /// The disk is full.
    #[error("the disk is full: free space under the data directory, then try again")]
    Full,
    /// The database broke or holds nonsense.
    #[error("database error: {0}")]
    Database(String),
}
