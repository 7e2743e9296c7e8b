//! Settings as people see them: with paths in place of numbers, and without what
//! is not theirs.

use tappet_model::{Timestamp, WorkflowSettingId, WorkflowVariantId};
use tappet_store::{
    SettingKind, SettingLookup, User, VariantAttribute, VariantAttributes, WorkflowSetting,
    WorkflowVariant,
};

use super::rank::{self, Context, Resolution};
use super::rights::Projects;
use super::{Refusal, kind_word, open};
use crate::app::App;
use crate::settings_variables::SettingsError;

/// A setting, with those of its variants that somebody may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownSetting {
    /// Id.
    pub id: WorkflowSettingId,
    /// Name.
    pub name: String,
    /// The least specific first.
    pub variants: Vec<ShownVariant>,
    /// Of any variant.
    pub updated_at: Timestamp,
}

/// A variant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownVariant {
    /// Id.
    pub id: WorkflowVariantId,
    /// Of which setting.
    pub setting_id: WorkflowSettingId,
    /// Name.
    pub name: String,
    /// The value of a variable; secrets are never shown.
    pub value: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Key and value of each condition.
    pub attributes: Vec<(&'static str, String)>,
    /// Last change.
    pub updated_at: Timestamp,
    /// How it stands in the context that was asked for.
    pub resolution: Option<Resolution>,
}

/// Which settings and variants are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// A part of the name, case ignored.
    pub name_part: String,
    /// Variants that have these conditions: one of each key that is named.
    pub attributes: VariantAttributes,
    /// Variants that could apply there.
    pub context: Context,
}

impl App {
    /// Settings of a kind that somebody may see, by name.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn shown_workflow_settings(
        &self,
        user: &User,
        kind: SettingKind,
        filter: &Filter,
    ) -> Result<Vec<ShownSetting>, Refusal> {
        let settings = self.store.workflow_settings(Some(kind)).await?;
        let part = filter.name_part.to_lowercase();
        let settings: Vec<_> = settings
            .into_iter()
            .filter(|setting| setting.name.to_lowercase().contains(&part))
            .collect();
        let projects = self.projects_named(user, &settings).await?;
        let mut shown = Vec::new();
        for setting in settings {
            let setting = self.shown(&projects, setting, filter)?;
            shown.extend(Some(setting).filter(|setting| !setting.variants.is_empty()));
        }
        Ok(shown)
    }

    /// One setting that somebody may see.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn shown_workflow_setting(
        &self,
        user: &User,
        kind: SettingKind,
        lookup: SettingLookup,
    ) -> Result<ShownSetting, Refusal> {
        let missing = || not_found(kind, &lookup);
        let found = self.store.workflow_setting(kind, lookup.clone()).await?;
        let setting = found.ok_or_else(missing)?;
        let projects = self
            .projects_named(user, std::slice::from_ref(&setting))
            .await?;
        let shown = self.shown(&projects, setting, &Filter::default())?;
        if shown.variants.is_empty() {
            return Err(missing());
        }
        Ok(shown)
    }

    /// One variant that somebody may see.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn shown_workflow_variant(
        &self,
        user: &User,
        kind: SettingKind,
        id: WorkflowVariantId,
    ) -> Result<ShownVariant, Refusal> {
        let lookup = SettingLookup::Variant(id);
        let setting = self
            .shown_workflow_setting(user, kind, lookup.clone())
            .await?;
        let variant = setting.variants.into_iter().find(|one| one.id == id);
        variant.ok_or_else(|| not_found(kind, &lookup))
    }

    pub(super) async fn projects_named(
        &self,
        user: &User,
        settings: &[WorkflowSetting],
    ) -> Result<Projects, Refusal> {
        let variants = settings.iter().flat_map(|setting| &setting.variants);
        let ids = variants
            .flat_map(|variant| variant.attributes.repositories())
            .collect();
        Ok(Projects::known_to(self, user, ids).await?)
    }

    pub(super) fn shown(
        &self,
        projects: &Projects,
        mut setting: WorkflowSetting,
        filter: &Filter,
    ) -> Result<ShownSetting, SettingsError> {
        let mut variants = std::mem::take(&mut setting.variants);
        variants.sort_by_key(rank::order);
        let resolutions = rank::resolutions(&variants, &filter.context);
        let shown = variants
            .iter()
            .zip(resolutions)
            .filter(|(variant, _)| projects.may_see(&variant.attributes))
            .filter(|(variant, _)| has_attributes(&variant.attributes, &filter.attributes))
            .filter_map(|(variant, resolution)| Some((variant, resolution?)))
            .map(|(variant, resolution)| {
                let resolution = (!filter.context.is_empty()).then_some(resolution);
                self.shown_variant(projects, &setting, variant, resolution)
            })
            .collect::<Result<_, _>>()?;
        Ok(ShownSetting {
            id: setting.id,
            name: setting.name,
            variants: shown,
            updated_at: setting.updated_at,
        })
    }

    fn shown_variant(
        &self,
        projects: &Projects,
        setting: &WorkflowSetting,
        variant: &WorkflowVariant,
        resolution: Option<Resolution>,
    ) -> Result<ShownVariant, SettingsError> {
        let value = match setting.kind {
            SettingKind::Secret => None,
            SettingKind::Variable => Some(open(&self.secrets, setting, variant)?),
        };
        Ok(ShownVariant {
            id: variant.id,
            setting_id: setting.id,
            name: variant.name.clone(),
            value,
            description: variant.description.clone(),
            attributes: words(projects, &variant.attributes),
            updated_at: variant.updated_at,
            resolution,
        })
    }
}

/// Conditions as people write them.
pub(super) fn words(
    projects: &Projects,
    attributes: &VariantAttributes,
) -> Vec<(&'static str, String)> {
    let word = |attribute: &VariantAttribute| match attribute {
        VariantAttribute::Repository(id) => ("repository", projects.path(*id)),
        VariantAttribute::Environment(name) => ("environment", name.clone()),
        VariantAttribute::Branch(pattern) => ("branch", pattern.clone()),
        VariantAttribute::Workflow(pattern) => ("workflow", pattern.clone()),
    };
    attributes.iter().map(word).collect()
}

/// Whether a variant has one of the wanted conditions of each kind that is wanted.
fn has_attributes(own: &VariantAttributes, wanted: &VariantAttributes) -> bool {
    wanted.iter().all(|one| {
        let same_kind = |other: &&VariantAttribute| {
            std::mem::discriminant(*other) == std::mem::discriminant(one)
        };
        wanted
            .iter()
            .filter(same_kind)
            .any(|other| own.iter().any(|own| own == other))
    })
}

pub(super) fn not_found(kind: SettingKind, lookup: &SettingLookup) -> Refusal {
    let word = kind_word(kind);
    Refusal::NotFound(match lookup {
        SettingLookup::Name(name) => format!("there is no {word} named {name}"),
        SettingLookup::Id(_) => format!("there is no {word} with this id"),
        SettingLookup::Variant(_) => format!("there is no variant of a {word} with this id"),
    })
}
