//! Secrets and variables of workflows: named settings, each with one value or
//! several, its variants, that differ in where they apply.

use serde::{Deserialize, Serialize};
use tappet_model::{ProjectId, Timestamp, WorkflowSettingId, WorkflowVariantId};

use crate::Verb;

/// Which of the two contexts of a workflow a setting fills.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SettingKind {
    /// `secrets`: masked, and never shown again.
    Secret,
    /// `vars`.
    Variable,
}

/// One condition on where a variant applies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariantAttribute {
    /// Jobs of this project.
    Repository(ProjectId),
    /// Jobs of this environment.
    Environment(String),
    /// Runs on a branch of this name or pattern.
    Branch(String),
    /// Jobs of a workflow file of this name or pattern.
    Workflow(String),
}

/// Where a variant applies, each condition once and in one order, so that equal
/// places are equal values. Without conditions: everywhere.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VariantAttributes(Vec<VariantAttribute>);

impl FromIterator<VariantAttribute> for VariantAttributes {
    fn from_iter<T: IntoIterator<Item = VariantAttribute>>(attributes: T) -> Self {
        let mut all: Vec<_> = attributes.into_iter().collect();
        all.sort();
        all.dedup();
        Self(all)
    }
}

impl VariantAttributes {
    /// All of them: repositories, environments, branches, workflows.
    pub fn iter(&self) -> impl Iterator<Item = &VariantAttribute> {
        self.0.iter()
    }

    /// The projects that are named.
    pub fn repositories(&self) -> impl Iterator<Item = ProjectId> {
        self.0.iter().filter_map(|attribute| match attribute {
            VariantAttribute::Repository(id) => Some(*id),
            _ => None,
        })
    }

    /// Whether there is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A name with its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowSetting {
    /// Id.
    pub id: WorkflowSettingId,
    /// Secret or variable.
    pub kind: SettingKind,
    /// Unique in its kind, ASCII case ignored.
    pub name: String,
    /// Of any variant.
    pub updated_at: Timestamp,
    /// At least one, oldest first.
    pub variants: Vec<WorkflowVariant>,
}

/// One value of a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowVariant {
    /// Id.
    pub id: WorkflowVariantId,
    /// For people; variants of one name have different attributes.
    pub name: String,
    /// Encrypted by the caller.
    pub sealed_value: Vec<u8>,
    /// For people.
    pub description: Option<String>,
    /// Where it applies.
    pub attributes: VariantAttributes,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What happens to a variant that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IfPresent {
    /// [`StoreError::Taken`](crate::StoreError::Taken), and nothing changes.
    Refuse,
    /// It gets the value, and the description if one is given.
    Replace,
}

/// A value to keep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewWorkflowVariant {
    /// Secret or variable.
    pub kind: SettingKind,
    /// Of the setting, which is made when missing.
    pub setting: String,
    /// Of the variant; together with the attributes it says which one is meant.
    pub name: String,
    /// Where it applies.
    pub attributes: VariantAttributes,
    /// The encrypted value.
    pub sealed_value: Vec<u8>,
    /// For people.
    pub description: Option<String>,
}

/// How keeping a value went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptVariant {
    /// The setting as it is now.
    pub setting: WorkflowSetting,
    /// Which of its variants it is.
    pub variant: WorkflowVariantId,
    /// The setting is new.
    pub created_setting: bool,
    /// The variant is new.
    pub created_variant: bool,
}

/// A change of one variant; `None` stays as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowVariantChange {
    /// Which.
    pub id: WorkflowVariantId,
    /// The new encrypted value.
    pub sealed_value: Option<Vec<u8>>,
    /// The new name.
    pub name: Option<String>,
    /// The new description, or none from now on.
    pub description: Option<Option<String>>,
    /// Where it applies from now on.
    pub attributes: Option<VariantAttributes>,
    /// Now.
    pub now: Timestamp,
}

/// By what a setting is looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingLookup {
    /// Its id.
    Id(WorkflowSettingId),
    /// Its name, ASCII case ignored.
    Name(String),
    /// The id of one of its variants.
    Variant(WorkflowVariantId),
}

/// Verbs about secrets and variables of workflows.
pub trait WorkflowSettings {
    /// Keeps values, all or none of them, in order.
    fn keep_workflow_variants(
        &self,
        new: Vec<NewWorkflowVariant>,
        if_present: IfPresent,
        now: Timestamp,
    ) -> Verb<'_, Vec<KeptVariant>>;
    /// Settings of one kind or of both, by kind and name. One read.
    fn workflow_settings(&self, kind: Option<SettingKind>) -> Verb<'_, Vec<WorkflowSetting>>;
    /// One setting of a kind.
    fn workflow_setting(
        &self,
        kind: SettingKind,
        lookup: SettingLookup,
    ) -> Verb<'_, Option<WorkflowSetting>>;
    /// Changes a variant; the setting as it is then, or `None` when the variant is
    /// gone. [`StoreError::Taken`](crate::StoreError::Taken) when the setting has
    /// another one of this name with these attributes.
    fn change_workflow_variant(
        &self,
        change: WorkflowVariantChange,
    ) -> Verb<'_, Option<WorkflowSetting>>;
    /// Removes a variant, and with the last one its setting. Whether the setting
    /// went, or `None` when the variant is gone already.
    fn delete_workflow_variant(
        &self,
        id: WorkflowVariantId,
        now: Timestamp,
    ) -> Verb<'_, Option<bool>>;
    /// Removes a setting with all variants; `false` when it is gone already.
    fn delete_workflow_setting(&self, id: WorkflowSettingId) -> Verb<'_, bool>;
}
