//! `depot.ci.v3beta2.SecretService`: secrets with variants. Values are never told.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult};
use tappet_rpc::depot::ci::v3beta2::__buffa::oneof::{delete_secret_request, get_secret_request};
use tappet_rpc::depot::ci::v3beta2::{
    Attribute, AttributeLinkCount, CreateSecretVariantRequest, CreateSecretVariantResponse,
    DeleteSecretRequest, DeleteSecretResponse, DeleteSecretVariantRequest,
    DeleteSecretVariantResponse, GetSecretRequest, GetSecretResponse, GetSecretVariantRequest,
    GetSecretVariantResponse, ListSecretAttributesRequest, ListSecretAttributesResponse,
    ListSecretsRequest, ListSecretsResponse, Secret, SecretService, SecretVariant,
    SetSecretVariantRequest, SetSecretVariantResponse, UpdateSecretVariantMetadataRequest,
    UpdateSecretVariantMetadataResponse, UpdateSecretVariantValueRequest,
    UpdateSecretVariantValueResponse, VariantResolution,
};
use tappet_store::IfPresent;

use super::{
    Asked, Settings, ToKeep, attribute_messages, count, read_lookup, resolution_message,
    setting_id, variant_id,
};
use crate::api::depot::moment;
use crate::workflow_settings::{Given, ShownSetting, ShownVariant};

const KIND: tappet_store::SettingKind = tappet_store::SettingKind::Secret;

fn message(setting: ShownSetting) -> Secret {
    Secret {
        id: setting_id(KIND, setting.id),
        name: setting.name,
        variant_count: count(&setting.variants),
        variants: setting.variants.into_iter().map(variant_message).collect(),
        last_modified: moment::message(setting.updated_at).into(),
        resolution: VariantResolution::VARIANT_RESOLUTION_UNSPECIFIED.into(),
    }
}

fn variant_message(variant: ShownVariant) -> SecretVariant {
    SecretVariant {
        id: variant_id(KIND, variant.id),
        secret_id: setting_id(KIND, variant.setting_id),
        name: variant.name,
        description: variant.description,
        attributes: attribute_messages(variant.attributes),
        last_modified: moment::message(variant.updated_at).into(),
        value_group_index: None,
        resolution: resolution_message(variant.resolution).into(),
    }
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl SecretService for Settings {
    async fn list_secrets(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ListSecretsRequest>,
    ) -> ServiceResult<ListSecretsResponse> {
        let ListSecretsRequest {
            page,
            query,
            attributes,
            context,
        } = request.to_owned_message();
        let asked = Asked {
            page: page.into_option().unwrap_or_default(),
            query,
            attributes,
            context,
        };
        let (secrets, page) = self.list(&ctx, KIND, asked).await?;
        Response::ok(ListSecretsResponse {
            secrets: secrets.into_iter().map(message).collect(),
            page: page.into(),
        })
    }

    async fn list_secret_attributes(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ListSecretAttributesRequest>,
    ) -> ServiceResult<ListSecretAttributesResponse> {
        let counts = self.attributes(&ctx, KIND).await?;
        let attributes = counts.into_iter().map(|((key, value), link_count)| {
            let attribute = Attribute {
                key: key.to_owned(),
                value,
            };
            AttributeLinkCount {
                attribute: attribute.into(),
                link_count,
            }
        });
        Response::ok(ListSecretAttributesResponse {
            attributes: attributes.collect(),
        })
    }

    async fn get_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetSecretRequest>,
    ) -> ServiceResult<GetSecretResponse> {
        use get_secret_request::Lookup;
        let lookup = match request.to_owned_message().lookup {
            Some(Lookup::Id(id)) => read_lookup(KIND, Some(&id), None),
            Some(Lookup::Name(name)) => read_lookup(KIND, None, Some(&name)),
            None => read_lookup(KIND, None, None),
        };
        let secret = self.get(&ctx, KIND, lookup?).await?;
        Response::ok(GetSecretResponse {
            secret: message(secret).into(),
        })
    }

    async fn get_secret_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetSecretVariantRequest>,
    ) -> ServiceResult<GetSecretVariantResponse> {
        let variant = self.get_variant(&ctx, KIND, request.id).await?;
        Response::ok(GetSecretVariantResponse {
            variant: variant_message(variant).into(),
        })
    }

    async fn create_secret_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, CreateSecretVariantRequest>,
    ) -> ServiceResult<CreateSecretVariantResponse> {
        let request = request.to_owned_message();
        let to_keep = ToKeep {
            given: Given {
                name: request.secret_name,
                value: request.value,
                description: request.description,
            },
            variant: request.variant_name,
            attributes: request.attributes,
            if_present: IfPresent::Refuse,
        };
        let kept = self.keep(&ctx, KIND, to_keep).await?;
        Response::ok(CreateSecretVariantResponse {
            secret: message(kept.setting).into(),
            variant: variant_message(kept.variant).into(),
            created_secret: kept.created_setting,
            created_variant: kept.created_variant,
        })
    }

    async fn set_secret_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, SetSecretVariantRequest>,
    ) -> ServiceResult<SetSecretVariantResponse> {
        let request = request.to_owned_message();
        let to_keep = ToKeep {
            given: Given {
                name: request.secret_name,
                value: request.value,
                description: request.description,
            },
            variant: request.variant_name,
            attributes: request.attributes,
            if_present: IfPresent::Replace,
        };
        let kept = self.keep(&ctx, KIND, to_keep).await?;
        Response::ok(SetSecretVariantResponse {
            secret: message(kept.setting).into(),
            variant: variant_message(kept.variant).into(),
            created_secret: kept.created_setting,
            created_variant: kept.created_variant,
        })
    }

    async fn update_secret_variant_metadata(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateSecretVariantMetadataRequest>,
    ) -> ServiceResult<UpdateSecretVariantMetadataResponse> {
        let request = request.to_owned_message();
        let words = (request.name.as_str(), request.description.as_str());
        let variant = self
            .set_metadata(&ctx, KIND, &request.variant_id, words, request.attributes)
            .await?;
        Response::ok(UpdateSecretVariantMetadataResponse {
            variant: variant_message(variant).into(),
        })
    }

    async fn update_secret_variant_value(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateSecretVariantValueRequest>,
    ) -> ServiceResult<UpdateSecretVariantValueResponse> {
        let variant = self
            .set_value(&ctx, KIND, request.variant_id, request.value)
            .await?;
        Response::ok(UpdateSecretVariantValueResponse {
            variant: variant_message(variant).into(),
        })
    }

    async fn delete_secret_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, DeleteSecretVariantRequest>,
    ) -> ServiceResult<DeleteSecretVariantResponse> {
        let deleted_secret = self.remove_variant(&ctx, KIND, request.variant_id).await?;
        Response::ok(DeleteSecretVariantResponse { deleted_secret })
    }

    async fn delete_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, DeleteSecretRequest>,
    ) -> ServiceResult<DeleteSecretResponse> {
        use delete_secret_request::Lookup;
        let lookup = match request.to_owned_message().lookup {
            Some(Lookup::Id(id)) => read_lookup(KIND, Some(&id), None),
            Some(Lookup::Name(name)) => read_lookup(KIND, None, Some(&name)),
            None => read_lookup(KIND, None, None),
        };
        self.remove(&ctx, KIND, lookup?).await?;
        Response::ok(DeleteSecretResponse {})
    }
}
