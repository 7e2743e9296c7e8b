//! Secrets and variables in the three generations of Depot's services: the newest
//! knows variants; the two before it know one value for all repositories and one
//! for each, which are variants with no or one attribute here.
//!
//! This file does what all of them share; those below it translate messages.

mod secrets_v1;
mod secrets_v2;
mod secrets_v3;
mod variables_v1;
mod variables_v2;
mod variables_v3;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectrpc::{RequestContext, Router};
use tappet_model::{WorkflowSettingId, WorkflowVariantId};
use tappet_rpc::depot::ci::v3beta2::{Attribute, PageRequest, PageResponse, VariantResolution};
use tappet_rpc::depot::ci::{v1, v2, v3beta2};
use tappet_store::{IfPresent, KeptVariant, SettingKind, SettingLookup};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use crate::app::SharedApp;
use crate::workflow_settings::{
    Actor, Given, Place, Refusal, Resolution, ShownSetting, ShownVariant, kind_word,
};

/// Settings of a page when nothing else is asked for.
const PAGE_SIZE: u32 = 50;
/// Settings of a page at most.
const PAGE_SIZE_LIMIT: u32 = 500;

/// All of the services.
pub struct Settings {
    app: SharedApp,
}

/// Mounts them.
pub fn register(app: &SharedApp, services: Router) -> Router {
    let settings = Arc::new(Settings { app: app.clone() });
    let services = v1::SecretServiceExt::register(settings.clone(), services);
    let services = v1::VariableServiceExt::register(settings.clone(), services);
    let services = v2::SecretServiceExt::register(settings.clone(), services);
    let services = v2::VariableServiceExt::register(settings.clone(), services);
    let services = v3beta2::SecretServiceExt::register(settings.clone(), services);
    v3beta2::VariableServiceExt::register(settings, services)
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(message) => Self::invalid(message),
            Refusal::NotFound(message) => Self::not_found(message),
            Refusal::Taken(message) => Self::already_exists(message),
            Refusal::MayNot(message) => Self::denied(message),
            Refusal::Broken(error) => Self::internal("use secrets and variables", &error),
        }
    }
}

/// What a list is narrowed to.
struct Asked {
    page: PageRequest,
    query: String,
    attributes: Vec<Attribute>,
    context: Vec<Attribute>,
}

/// A variant to keep.
struct ToKeep {
    given: Given,
    variant: String,
    attributes: Vec<Attribute>,
    if_present: IfPresent,
}

/// What was kept.
struct Kept {
    setting: ShownSetting,
    variant: ShownVariant,
    created_setting: bool,
    created_variant: bool,
}

/// Methods of the newest generation.
impl Settings {
    async fn list(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        asked: Asked,
    ) -> RpcResult<(Vec<ShownSetting>, PageResponse)> {
        let caller = Caller::reading(ctx)?;
        let filter = self
            .app
            .read_workflow_filter(
                &caller.user,
                &asked.query,
                &pairs(asked.attributes),
                &pairs(asked.context),
            )
            .await?;
        let all = self
            .app
            .shown_workflow_settings(&caller.user, kind, &filter)
            .await?;
        Ok(page_of(all, &asked.page))
    }

    /// How many variants each condition is on.
    async fn attributes(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
    ) -> RpcResult<BTreeMap<(&'static str, String), u32>> {
        let caller = Caller::reading(ctx)?;
        let filter = Default::default();
        let all = self
            .app
            .shown_workflow_settings(&caller.user, kind, &filter)
            .await?;
        let variants = all.into_iter().flat_map(|setting| setting.variants);
        let mut counts = BTreeMap::new();
        for attribute in variants.flat_map(|variant| variant.attributes) {
            *counts.entry(attribute).or_insert(0) += 1;
        }
        Ok(counts)
    }

    async fn get(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        lookup: SettingLookup,
    ) -> RpcResult<ShownSetting> {
        let caller = Caller::reading(ctx)?;
        Ok(self
            .app
            .shown_workflow_setting(&caller.user, kind, lookup)
            .await?)
    }

    async fn get_variant(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        id: &str,
    ) -> RpcResult<ShownVariant> {
        let caller = Caller::reading(ctx)?;
        let id = read_variant_id(kind, id)?;
        Ok(self
            .app
            .shown_workflow_variant(&caller.user, kind, id)
            .await?)
    }

    async fn keep(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        to_keep: ToKeep,
    ) -> RpcResult<Kept> {
        let caller = Caller::writing(ctx)?;
        let (setting, kept) = self
            .app
            .keep_workflow_variant(
                actor(&caller, &caller.credential()),
                kind,
                to_keep.given,
                &to_keep.variant,
                &pairs(to_keep.attributes),
                to_keep.if_present,
            )
            .await?;
        let KeptVariant {
            variant,
            created_setting,
            created_variant,
            ..
        } = kept;
        Ok(Kept {
            variant: variant_of(kind, &setting, variant)?,
            setting,
            created_setting,
            created_variant,
        })
    }

    async fn set_value(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        id: &str,
        value: &str,
    ) -> RpcResult<ShownVariant> {
        let caller = Caller::writing(ctx)?;
        let id = read_variant_id(kind, id)?;
        let setting = self
            .app
            .set_workflow_variant_value(actor(&caller, &caller.credential()), kind, id, value)
            .await?;
        variant_of(kind, &setting, id)
    }

    async fn set_metadata(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        id: &str,
        words: (&str, &str),
        attributes: Vec<Attribute>,
    ) -> RpcResult<ShownVariant> {
        let caller = Caller::writing(ctx)?;
        let id = read_variant_id(kind, id)?;
        let setting = self
            .app
            .set_workflow_variant_metadata(
                actor(&caller, &caller.credential()),
                kind,
                id,
                words,
                &pairs(attributes),
            )
            .await?;
        variant_of(kind, &setting, id)
    }

    async fn remove_variant(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        id: &str,
    ) -> RpcResult<bool> {
        let caller = Caller::writing(ctx)?;
        let id = read_variant_id(kind, id)?;
        Ok(self
            .app
            .remove_workflow_variant(actor(&caller, &caller.credential()), kind, id)
            .await?)
    }

    async fn remove(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        lookup: SettingLookup,
    ) -> RpcResult<()> {
        let caller = Caller::writing(ctx)?;
        Ok(self
            .app
            .remove_workflow_setting(actor(&caller, &caller.credential()), kind, lookup)
            .await?)
    }
}

/// Methods of the generations that know places only.
impl Settings {
    async fn keep_in(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        given: Vec<Given>,
        place: Place<'_>,
    ) -> RpcResult<()> {
        let caller = Caller::writing(ctx)?;
        Ok(self
            .app
            .keep_workflow_settings(actor(&caller, &caller.credential()), kind, given, place)
            .await?)
    }

    async fn list_in(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        place: Place<'_>,
    ) -> RpcResult<Vec<ShownSetting>> {
        let caller = Caller::reading(ctx)?;
        Ok(self
            .app
            .shown_workflow_settings_in(&caller.user, kind, place)
            .await?)
    }

    async fn remove_in(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        name: &str,
        place: Place<'_>,
    ) -> RpcResult<()> {
        let caller = Caller::writing(ctx)?;
        Ok(self
            .app
            .remove_workflow_setting_in(actor(&caller, &caller.credential()), kind, name, place)
            .await?)
    }

    async fn describe_in(
        &self,
        ctx: &RequestContext,
        kind: SettingKind,
        words: (&str, &str),
        place: Place<'_>,
    ) -> RpcResult<()> {
        let caller = Caller::writing(ctx)?;
        Ok(self
            .app
            .describe_workflow_setting_in(actor(&caller, &caller.credential()), kind, words, place)
            .await?)
    }
}

fn actor<'a>(caller: &'a Caller, credential: &'a str) -> Actor<'a> {
    Actor {
        user: &caller.user,
        credential,
    }
}

/// A project, which has to be named.
fn in_repo(path: &str) -> RpcResult<Place<'_>> {
    if path.is_empty() {
        return Err(RpcError::invalid("repo is required: the path of a project"));
    }
    Ok(Place::Project(path))
}

fn pairs(attributes: Vec<Attribute>) -> Vec<(String, String)> {
    attributes
        .into_iter()
        .map(|attribute| (attribute.key, attribute.value))
        .collect()
}

fn attribute_messages(attributes: Vec<(&'static str, String)>) -> Vec<Attribute> {
    attributes
        .into_iter()
        .map(|(key, value)| Attribute {
            key: key.to_owned(),
            value,
        })
        .collect()
}

fn resolution_message(resolution: Option<Resolution>) -> VariantResolution {
    match resolution {
        None => VariantResolution::VARIANT_RESOLUTION_UNSPECIFIED,
        Some(Resolution::Resolved) => VariantResolution::VARIANT_RESOLUTION_RESOLVED,
        Some(Resolution::Indeterminate) => VariantResolution::VARIANT_RESOLUTION_INDETERMINATE,
        Some(Resolution::LowerPriority) => VariantResolution::VARIANT_RESOLUTION_LOWER_PRIORITY,
    }
}

fn page_of(all: Vec<ShownSetting>, asked: &PageRequest) -> (Vec<ShownSetting>, PageResponse) {
    let page = asked.page.max(1);
    let page_size = match asked.page_size {
        0 => PAGE_SIZE,
        size => size.min(PAGE_SIZE_LIMIT),
    };
    let before = u64::from(page - 1) * u64::from(page_size);
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    let wanted = usize::try_from(page_size).unwrap_or(usize::MAX);
    let has_more = all.len().saturating_sub(before) > wanted;
    let rows = all.into_iter().skip(before).take(wanted).collect();
    let response = PageResponse {
        page,
        page_size,
        has_more,
    };
    (rows, response)
}

fn setting_letter(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Secret => "s",
        SettingKind::Variable => "v",
    }
}

/// `s7` is a secret, `v7` a variable.
fn setting_id(kind: SettingKind, id: WorkflowSettingId) -> String {
    format!("{}{id}", setting_letter(kind))
}

/// `sv7` is a variant of a secret, `vv7` of a variable.
fn variant_id(kind: SettingKind, id: WorkflowVariantId) -> String {
    format!("{}v{id}", setting_letter(kind))
}

fn read_id(prefix: &str, id: &str) -> Option<i64> {
    let digits = id.strip_prefix(prefix)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

fn read_setting_id(kind: SettingKind, id: &str) -> RpcResult<SettingLookup> {
    match read_id(setting_letter(kind), id) {
        Some(number) => Ok(SettingLookup::Id(WorkflowSettingId(number))),
        None => Err(unknown_id(kind, "", id)),
    }
}

fn read_variant_id(kind: SettingKind, id: &str) -> RpcResult<WorkflowVariantId> {
    match read_id(&format!("{}v", setting_letter(kind)), id) {
        Some(number) => Ok(WorkflowVariantId(number)),
        None => Err(unknown_id(kind, "variant of a ", id)),
    }
}

fn unknown_id(kind: SettingKind, what: &str, id: &str) -> RpcError {
    let word = kind_word(kind);
    if id.is_empty() {
        return RpcError::invalid(format!("the id of the {what}{word} is required"));
    }
    RpcError::not_found(format!("there is no {what}{word} with this id"))
}

/// An id or a name, of which one has to be given.
fn read_lookup(
    kind: SettingKind,
    id: Option<&str>,
    name: Option<&str>,
) -> RpcResult<SettingLookup> {
    match (id, name) {
        (Some(id), _) => read_setting_id(kind, id),
        (None, Some(name)) if !name.is_empty() => Ok(SettingLookup::Name(name.to_owned())),
        (None, _) => Err(RpcError::invalid(format!(
            "the id or the name of the {} is required",
            kind_word(kind)
        ))),
    }
}

fn variant_of(
    kind: SettingKind,
    setting: &ShownSetting,
    id: WorkflowVariantId,
) -> RpcResult<ShownVariant> {
    let found = setting.variants.iter().find(|variant| variant.id == id);
    found
        .cloned()
        .ok_or_else(|| unknown_id(kind, "variant of a ", "gone"))
}

fn count(variants: &[ShownVariant]) -> u32 {
    u32::try_from(variants.len()).unwrap_or(u32::MAX)
}

/// Names and values of variables.
fn values<C: FromIterator<(String, String)>>(all: Vec<ShownSetting>) -> C {
    let value = |setting: ShownSetting| {
        let variant = setting.variants.into_iter().next()?;
        Some((setting.name, variant.value?))
    };
    all.into_iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Timestamp;

    use super::*;

    fn settings(count: i64) -> Vec<ShownSetting> {
        (1..=count)
            .map(|id| ShownSetting {
                id: WorkflowSettingId(id),
                name: format!("A{id}"),
                variants: Vec::new(),
                updated_at: Timestamp(0),
            })
            .collect()
    }

    #[rstest]
    #[case::defaults(0, 0, 50, true)]
    #[case::next(2, 50, 50, false)]
    #[case::last(3, 40, 20, false)]
    #[case::beyond(9, 50, 0, false)]
    #[case::far_beyond(u32::MAX, u32::MAX, 0, false)]
    #[case::too_many(1, 1_000, 100, false)]
    fn pages_count_from_one(
        #[case] page: u32,
        #[case] page_size: u32,
        #[case] rows: usize,
        #[case] has_more: bool,
    ) {
        let (found, response) = page_of(settings(100), &PageRequest { page, page_size });
        assert_eq!((found.len(), response.has_more), (rows, has_more));
    }

    #[rstest]
    #[case("s7", Some(7))]
    #[case("v7", None)]
    #[case("sv7", None)]
    #[case("s-7", None)]
    #[case("s", None)]
    #[case("", None)]
    fn an_id_tells_its_kind(#[case] id: &str, #[case] number: Option<i64>) {
        let found = read_setting_id(SettingKind::Secret, id).ok();
        let expected = number.map(|number| SettingLookup::Id(WorkflowSettingId(number)));
        assert_eq!(found, expected);
    }
}
