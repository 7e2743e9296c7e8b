//! What people do with secrets and variables: each change checks what was sent,
//! then who asks, and is written to the audit log.

use serde_json::json;
use tappet_model::{Timestamp, WorkflowVariantId};
use tappet_store::{
    IfPresent, KeptVariant, NewWorkflowVariant, SettingKind, SettingLookup, StoreError, User,
    VariantAttributes, WorkflowSetting, WorkflowVariant, WorkflowVariantChange,
};

use super::name::{check_name, check_text, check_value};
use super::read::Place;
use super::rights::Projects;
use super::show::{Filter, ShownSetting, not_found, words};
use super::{Refusal, kind_word, seal};
use crate::app::App;
use crate::audit;
use crate::clock;

/// The name of a variant that was given none.
const DEFAULT_VARIANT: &str = "default";

/// Who changes something, with which credential.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// The person.
    pub user: &'a User,
    /// For the audit log, e.g. `token:7`.
    pub credential: &'a str,
}

/// A value as it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// Of the setting.
    pub name: String,
    /// In the clear.
    pub value: String,
    /// For people.
    pub description: Option<String>,
}

impl App {
    /// Keeps the value of one variant; an empty variant name is `default`.
    ///
    /// # Errors
    /// See [`Refusal`]; `Taken` only with [`IfPresent::Refuse`].
    pub async fn keep_workflow_variant(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        given: Given,
        variant: &str,
        attributes: &[(String, String)],
        if_present: IfPresent,
    ) -> Result<(ShownSetting, KeptVariant), Refusal> {
        let attributes = self.read_attributes(actor.user, attributes).await?;
        let mut kept = self
            .keep(actor, kind, vec![given], variant, &attributes, if_present)
            .await?;
        let kept = kept.pop().ok_or_else(|| {
            Refusal::Broken(StoreError::NotFound("variant that was just kept").into())
        })?;
        Ok((self.shown_to(actor, kept.setting.clone()).await?, kept))
    }

    /// Keeps values in a place, all or none of them.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn keep_workflow_settings(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        given: Vec<Given>,
        place: Place<'_>,
    ) -> Result<(), Refusal> {
        let attributes = self.read_place(actor.user, place).await?;
        self.keep(
            actor,
            kind,
            given,
            DEFAULT_VARIANT,
            &attributes,
            IfPresent::Replace,
        )
        .await?;
        Ok(())
    }

    async fn keep(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        given: Vec<Given>,
        variant: &str,
        attributes: &VariantAttributes,
        if_present: IfPresent,
    ) -> Result<Vec<KeptVariant>, Refusal> {
        let variant = Some(variant).filter(|name| !name.is_empty());
        let variant = variant.unwrap_or(DEFAULT_VARIANT);
        check_text("variant name", variant)?;
        for Given {
            name,
            value,
            description,
        } in &given
        {
            check_name(kind, name)?;
            check_value(kind, name, value)?;
            check_text("description", description.as_deref().unwrap_or_default())?;
        }
        let projects =
            Projects::known_to(self, actor.user, attributes.repositories().collect()).await?;
        require_change(&projects, kind, attributes)?;
        let names: Vec<String> = given.iter().map(|one| one.name.clone()).collect();
        let new = given
            .into_iter()
            .map(|given| NewWorkflowVariant {
                kind,
                setting: given.name,
                name: variant.to_owned(),
                attributes: attributes.clone(),
                sealed_value: seal(&self.secrets, &given.value),
                description: given.description.filter(|text| !text.is_empty()),
            })
            .collect();
        let kept = self
            .store
            .keep_workflow_variants(new, if_present, clock::now())
            .await;
        let kept = match kept {
            Err(StoreError::Taken { .. }) => {
                return Err(Refusal::Taken(format!(
                    "the {} {} has a variant {variant} with these attributes already: set it \
                     instead, or give other attributes",
                    kind_word(kind),
                    names.join(", ")
                )));
            }
            other => other?,
        };
        for one in &kept {
            let change = if one.created_variant {
                "created"
            } else {
                "updated"
            };
            let about = (one.setting.name.as_str(), variant, attributes);
            self.note(actor, kind, change, about, &projects).await;
        }
        Ok(kept)
    }

    /// Gives a variant another value.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn set_workflow_variant_value(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        id: WorkflowVariantId,
        value: &str,
    ) -> Result<ShownSetting, Refusal> {
        let setting = self.own_variant(actor, kind, id).await?;
        check_value(kind, &setting.name, value)?;
        let change = WorkflowVariantChange {
            sealed_value: Some(seal(&self.secrets, value)),
            ..no_change(id, clock::now())
        };
        self.change(actor, kind, change).await
    }

    /// Changes everything of a variant but its value. An empty name leaves the name.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn set_workflow_variant_metadata(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        id: WorkflowVariantId,
        (name, description): (&str, &str),
        attributes: &[(String, String)],
    ) -> Result<ShownSetting, Refusal> {
        check_text("variant name", name)?;
        check_text("description", description)?;
        self.own_variant(actor, kind, id).await?;
        let attributes = self.read_attributes(actor.user, attributes).await?;
        let projects =
            Projects::known_to(self, actor.user, attributes.repositories().collect()).await?;
        require_change(&projects, kind, &attributes)?;
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let change = WorkflowVariantChange {
            name: text(name),
            description: Some(text(description)),
            attributes: Some(attributes),
            ..no_change(id, clock::now())
        };
        self.change(actor, kind, change).await
    }

    async fn change(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        change: WorkflowVariantChange,
    ) -> Result<ShownSetting, Refusal> {
        let id = change.id;
        let missing = || not_found(kind, &SettingLookup::Variant(id));
        let setting = match self.store.change_workflow_variant(change).await {
            Err(StoreError::Taken { .. }) => {
                return Err(Refusal::Taken(format!(
                    "the {} has another variant of this name with these attributes: change or \
                     remove that one",
                    kind_word(kind)
                )));
            }
            other => other?.ok_or_else(missing)?,
        };
        self.note_variants(actor, "updated", &setting, |variant| variant == id)
            .await?;
        self.shown_to(actor, setting).await
    }

    /// Removes a variant; whether its setting went with it.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn remove_workflow_variant(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        id: WorkflowVariantId,
    ) -> Result<bool, Refusal> {
        let setting = self.own_variant(actor, kind, id).await?;
        let gone = self.store.delete_workflow_variant(id, clock::now()).await?;
        let gone = gone.ok_or_else(|| not_found(kind, &SettingLookup::Variant(id)))?;
        self.note_variants(actor, "deleted", &setting, |variant| variant == id)
            .await?;
        Ok(gone)
    }

    /// Removes a setting with all its variants, which takes the right to change
    /// each of them.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn remove_workflow_setting(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        lookup: SettingLookup,
    ) -> Result<(), Refusal> {
        let missing = || not_found(kind, &lookup);
        let found = self.store.workflow_setting(kind, lookup.clone()).await?;
        let setting = found.ok_or_else(missing)?;
        let projects = self
            .projects_named(actor.user, std::slice::from_ref(&setting))
            .await?;
        let sees = |one: &WorkflowVariant| projects.may_see(&one.attributes);
        if !setting.variants.iter().any(sees) {
            return Err(missing());
        }
        for variant in &setting.variants {
            require_change(&projects, kind, &variant.attributes)?;
        }
        if !self.store.delete_workflow_setting(setting.id).await? {
            return Err(missing());
        }
        self.note_variants(actor, "deleted", &setting, |_| true)
            .await
    }

    /// Removes the value of a name in a place.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn remove_workflow_setting_in(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        name: &str,
        place: Place<'_>,
    ) -> Result<(), Refusal> {
        for id in self.variants_in(actor, kind, name, place).await? {
            self.remove_workflow_variant(actor, kind, id).await?;
        }
        Ok(())
    }

    /// Describes the value of a name in a place anew.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn describe_workflow_setting_in(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        (name, description): (&str, &str),
        place: Place<'_>,
    ) -> Result<(), Refusal> {
        check_text("description", description)?;
        let text = Some(description.to_owned()).filter(|text| !text.is_empty());
        for id in self.variants_in(actor, kind, name, place).await? {
            let change = WorkflowVariantChange {
                description: Some(text.clone()),
                ..no_change(id, clock::now())
            };
            self.change(actor, kind, change).await?;
        }
        Ok(())
    }

    /// Settings that have a value for exactly this place, each with that alone.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn shown_workflow_settings_in(
        &self,
        user: &User,
        kind: SettingKind,
        place: Place<'_>,
    ) -> Result<Vec<ShownSetting>, Refusal> {
        let attributes = self.read_place(user, place).await?;
        let projects = Projects::known_to(self, user, attributes.repositories().collect()).await?;
        if !projects.may_see(&attributes) {
            return Err(may_not_see(kind));
        }
        let mut shown = Vec::new();
        for mut setting in self.store.workflow_settings(Some(kind)).await? {
            setting
                .variants
                .retain(|variant| variant.attributes == attributes);
            let newest = setting.variants.iter().max_by_key(|one| one.updated_at);
            if let Some(newest) = newest.cloned() {
                setting.updated_at = newest.updated_at;
                setting.variants = vec![newest];
                shown.push(self.shown(&projects, setting, &Filter::default())?);
            }
        }
        Ok(shown)
    }

    /// The variants that a name has for exactly this place and that the caller may
    /// change; at least one.
    async fn variants_in(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        name: &str,
        place: Place<'_>,
    ) -> Result<Vec<WorkflowVariantId>, Refusal> {
        let attributes = self.read_place(actor.user, place).await?;
        let projects =
            Projects::known_to(self, actor.user, attributes.repositories().collect()).await?;
        require_change(&projects, kind, &attributes)?;
        let lookup = SettingLookup::Name(name.to_owned());
        let setting = self.store.workflow_setting(kind, lookup.clone()).await?;
        let variants = setting.into_iter().flat_map(|setting| setting.variants);
        let ids: Vec<_> = variants
            .filter(|variant| variant.attributes == attributes)
            .map(|variant| variant.id)
            .collect();
        if ids.is_empty() {
            return Err(match place {
                Place::Everywhere => not_found(kind, &lookup),
                Place::Project(path) => Refusal::NotFound(format!(
                    "there is no {} named {name} for {path}",
                    kind_word(kind)
                )),
            });
        }
        Ok(ids)
    }

    /// The setting of a variant that the caller may change.
    async fn own_variant(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        id: WorkflowVariantId,
    ) -> Result<WorkflowSetting, Refusal> {
        let lookup = SettingLookup::Variant(id);
        let missing = || not_found(kind, &lookup);
        let found = self.store.workflow_setting(kind, lookup.clone()).await?;
        let setting = found.ok_or_else(missing)?;
        let variant = setting.variants.iter().find(|variant| variant.id == id);
        let attributes = &variant.ok_or_else(missing)?.attributes;
        let projects =
            Projects::known_to(self, actor.user, attributes.repositories().collect()).await?;
        if !projects.may_see(attributes) {
            return Err(missing());
        }
        require_change(&projects, kind, attributes)?;
        Ok(setting)
    }

    async fn shown_to(
        &self,
        actor: Actor<'_>,
        setting: WorkflowSetting,
    ) -> Result<ShownSetting, Refusal> {
        let projects = self
            .projects_named(actor.user, std::slice::from_ref(&setting))
            .await?;
        Ok(self.shown(&projects, setting, &Filter::default())?)
    }

    async fn note_variants(
        &self,
        actor: Actor<'_>,
        change: &str,
        setting: &WorkflowSetting,
        which: impl Fn(WorkflowVariantId) -> bool,
    ) -> Result<(), Refusal> {
        let projects = self
            .projects_named(actor.user, std::slice::from_ref(setting))
            .await?;
        for variant in setting.variants.iter().filter(|one| which(one.id)) {
            let about = (
                setting.name.as_str(),
                variant.name.as_str(),
                &variant.attributes,
            );
            self.note(actor, setting.kind, change, about, &projects)
                .await;
        }
        Ok(())
    }

    async fn note(
        &self,
        actor: Actor<'_>,
        kind: SettingKind,
        change: &str,
        (name, variant, attributes): (&str, &str, &VariantAttributes),
        projects: &Projects,
    ) {
        let action = format!("workflow_{}_{change}", kind_word(kind));
        let words = words(projects, attributes).into_iter();
        let words: Vec<String> = words.map(|(key, value)| format!("{key}={value}")).collect();
        let mut entry = audit::Entry::new(&action, Some(actor.user.id))
            .credential(actor.credential)
            .details(json!({ "name": name, "variant": variant, "attributes": words }));
        let mut repositories = attributes.repositories();
        if let (Some(id), None) = (repositories.next(), repositories.next()) {
            entry = entry.project(id);
        }
        self.audit(entry).await;
    }
}

fn no_change(id: WorkflowVariantId, now: Timestamp) -> WorkflowVariantChange {
    WorkflowVariantChange {
        id,
        sealed_value: None,
        name: None,
        description: None,
        attributes: None,
        now,
    }
}

fn may_not_see(kind: SettingKind) -> Refusal {
    Refusal::MayNot(format!(
        "these {}s are for maintainers of the repository: ask one of them",
        kind_word(kind)
    ))
}

fn require_change(
    projects: &Projects,
    kind: SettingKind,
    attributes: &VariantAttributes,
) -> Result<(), Refusal> {
    if projects.may_change(attributes) {
        return Ok(());
    }
    let word = kind_word(kind);
    Err(Refusal::MayNot(match attributes.repositories().next() {
        None => format!(
            "only administrators change {word}s of all repositories: name a repository that you \
             maintain, or ask an administrator"
        ),
        Some(_) => format!(
            "only maintainers of each repository that is named change its {word}s: ask one of them"
        ),
    }))
}
