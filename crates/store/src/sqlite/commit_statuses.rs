//! Statuses of commits that come from outside.

use super::SqliteStore;

impl crate::CommitStatuses for SqliteStore {}
