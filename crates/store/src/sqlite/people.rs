//! People, their passwords and access tokens.

use super::SqliteStore;

impl crate::People for SqliteStore {}
