//! What goes when its time is over.

use super::SqliteStore;

impl crate::Retention for SqliteStore {}
