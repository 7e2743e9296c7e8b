//! Pipeline schedules: runs that start by the clock.

use super::SqliteStore;

impl crate::Schedules for SqliteStore {}
