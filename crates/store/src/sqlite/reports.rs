//! Results that jobs report: tests and variables.

use super::SqliteStore;

impl crate::Reports for SqliteStore {}
