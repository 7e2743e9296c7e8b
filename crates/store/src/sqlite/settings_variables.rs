//! Variables kept in the settings of a project, a group or the instance.

use super::SqliteStore;

impl crate::SettingsVariables for SqliteStore {}
