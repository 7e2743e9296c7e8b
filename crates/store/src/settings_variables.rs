//! Variables kept in the settings of a project, a group or the instance.
//!
//! Groups have no rows: a group is a path under which projects live.

use tappet_model::{ProjectId, Timestamp, UserId, VariableId, VariableKind};

use crate::{Listing, PageRequest, Project, Verb};

/// Where a variable is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VariableLevel {
    /// For every project.
    Instance,
    /// For the projects under a path such as `acme/tools`; ASCII case ignored.
    Group(String),
    /// For one project.
    Project(ProjectId),
}

/// What a variable says about itself, besides its name and value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariableTraits {
    /// Environment or file.
    pub kind: VariableKind,
    /// Only runs on protected refs get it.
    pub is_protected: bool,
    /// The value is replaced in logs.
    pub is_masked: bool,
    /// `$NAME` inside the value stays as it is.
    pub is_raw: bool,
    /// Which environments get it: `*`, a name, or a name with stars.
    pub environment_scope: String,
    /// For people.
    pub description: Option<String>,
}

/// A variable as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsVariable {
    /// Id.
    pub id: VariableId,
    /// Where it is set.
    pub level: VariableLevel,
    /// Name; unique together with level and environment scope.
    pub key: String,
    /// The value, encrypted by the caller.
    pub sealed_value: Vec<u8>,
    /// Nobody is shown the value any more; decided once.
    pub is_hidden: bool,
    /// All else.
    pub traits: VariableTraits,
    /// Rises with every change.
    pub revision: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A variable to add.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSettingsVariable {
    /// Where.
    pub level: VariableLevel,
    /// Name.
    pub key: String,
    /// The encrypted value.
    pub sealed_value: Vec<u8>,
    /// Its value is never shown again.
    pub is_hidden: bool,
    /// All else.
    pub traits: VariableTraits,
    /// Now.
    pub now: Timestamp,
}

/// A change of one variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariableChange {
    /// Which.
    pub id: VariableId,
    /// As the caller has read it; it must not have changed since.
    pub revision: i64,
    /// The new encrypted value; `None` leaves the stored one alone.
    pub sealed_value: Option<Vec<u8>>,
    /// As they are from now on.
    pub traits: VariableTraits,
    /// Now.
    pub now: Timestamp,
}

/// How a change of a variable went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VariableChanged {
    /// As it is now.
    Changed(Box<SettingsVariable>),
    /// Somebody else changed or removed it meanwhile.
    Stale,
}

/// Projects of a group that have the same visibility and in which a user has the
/// same level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupProjects {
    /// `private`, `internal` or `public`.
    pub visibility: String,
    /// The user's access level, if a member.
    pub level: Option<u32>,
}

/// Verbs about variables kept in settings.
pub trait SettingsVariables {
    /// Adds a variable. [`StoreError::Taken`](crate::StoreError::Taken) when the
    /// level has its name with the same environment scope.
    fn create_settings_variable(&self, new: NewSettingsVariable) -> Verb<'_, SettingsVariable>;
    /// How many variables a level has.
    fn count_settings_variables(&self, level: &VariableLevel) -> Verb<'_, u64>;
    /// Variables of a level, oldest first.
    fn settings_variables(
        &self,
        level: &VariableLevel,
        page: PageRequest,
    ) -> Verb<'_, Listing<SettingsVariable>>;
    /// Variables of a level with this name, one per environment scope, oldest first.
    fn settings_variables_named(
        &self,
        level: &VariableLevel,
        key: &str,
    ) -> Verb<'_, Vec<SettingsVariable>>;
    /// Changes a variable. `Taken` as for adding one.
    fn change_settings_variable(&self, change: VariableChange) -> Verb<'_, VariableChanged>;
    /// Removes a variable; `false` when it is gone already.
    fn delete_settings_variable(&self, id: VariableId) -> Verb<'_, bool>;
    /// All that apply to a project: of the instance, of its groups (the outermost
    /// first) and its own; inside a level oldest first. One read.
    fn settings_variables_for(&self, project: &Project) -> Verb<'_, Vec<SettingsVariable>>;
    /// The kinds of projects under a group path, as a user stands in them. None:
    /// there is no such group.
    fn projects_under(
        &self,
        group: &str,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, Vec<GroupProjects>>;
}
