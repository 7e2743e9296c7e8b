//! Outgoing webhooks and their deliveries.

use super::SqliteStore;

impl crate::Webhooks for SqliteStore {}
