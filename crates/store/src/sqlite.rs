//! The SQLite adapter.
/// SQLite.
pub struct SqliteStore;
