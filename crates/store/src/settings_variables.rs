//! Variables kept in the settings of a project, a group or the instance.

/// Verbs about variables kept in settings.
pub trait SettingsVariables {}
