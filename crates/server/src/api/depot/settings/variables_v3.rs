//! `depot.ci.v3beta2.VariableService`: variables with variants, values included.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult};
use tappet_rpc::depot::ci::v3beta2::__buffa::oneof::{
    delete_variable_request, get_variable_request,
};
use tappet_rpc::depot::ci::v3beta2::{
    CreateVariableVariantRequest, CreateVariableVariantResponse, DeleteVariableRequest,
    DeleteVariableResponse, DeleteVariableVariantRequest, DeleteVariableVariantResponse,
    GetVariableRequest, GetVariableResponse, GetVariableVariantRequest, GetVariableVariantResponse,
    ListVariablesRequest, ListVariablesResponse, SetVariableVariantRequest,
    SetVariableVariantResponse, UpdateVariableVariantMetadataRequest,
    UpdateVariableVariantMetadataResponse, UpdateVariableVariantValueRequest,
    UpdateVariableVariantValueResponse, Variable, VariableService, VariableVariant,
};
use tappet_store::IfPresent;

use super::{
    Asked, Settings, ToKeep, attribute_messages, count, read_lookup, setting_id, variant_id,
};
use crate::api::depot::moment;
use crate::workflow_settings::{Given, ShownSetting, ShownVariant};

const KIND: tappet_store::SettingKind = tappet_store::SettingKind::Variable;

fn message(setting: ShownSetting) -> Variable {
    Variable {
        id: setting_id(KIND, setting.id),
        name: setting.name,
        variant_count: count(&setting.variants),
        variants: setting.variants.into_iter().map(variant_message).collect(),
        last_modified: moment::message(setting.updated_at).into(),
    }
}

fn variant_message(variant: ShownVariant) -> VariableVariant {
    VariableVariant {
        id: variant_id(KIND, variant.id),
        variable_id: setting_id(KIND, variant.setting_id),
        name: variant.name,
        value: variant.value.unwrap_or_default(),
        description: variant.description,
        attributes: attribute_messages(variant.attributes),
        last_modified: moment::message(variant.updated_at).into(),
    }
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl VariableService for Settings {
    async fn list_variables(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ListVariablesRequest>,
    ) -> ServiceResult<ListVariablesResponse> {
        let ListVariablesRequest {
            page,
            query,
            attributes,
        } = request.to_owned_message();
        let asked = Asked {
            page: page.into_option().unwrap_or_default(),
            query,
            attributes,
            context: Vec::new(),
        };
        let (variables, page) = self.list(&ctx, KIND, asked).await?;
        Response::ok(ListVariablesResponse {
            variables: variables.into_iter().map(message).collect(),
            page: page.into(),
        })
    }

    async fn get_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetVariableRequest>,
    ) -> ServiceResult<GetVariableResponse> {
        use get_variable_request::Lookup;
        let lookup = match request.to_owned_message().lookup {
            Some(Lookup::Id(id)) => read_lookup(KIND, Some(&id), None),
            Some(Lookup::Name(name)) => read_lookup(KIND, None, Some(&name)),
            None => read_lookup(KIND, None, None),
        };
        let variable = self.get(&ctx, KIND, lookup?).await?;
        Response::ok(GetVariableResponse {
            variable: message(variable).into(),
        })
    }

    async fn get_variable_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetVariableVariantRequest>,
    ) -> ServiceResult<GetVariableVariantResponse> {
        let variant = self.get_variant(&ctx, KIND, request.id).await?;
        Response::ok(GetVariableVariantResponse {
            variant: variant_message(variant).into(),
        })
    }

    async fn create_variable_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, CreateVariableVariantRequest>,
    ) -> ServiceResult<CreateVariableVariantResponse> {
        let request = request.to_owned_message();
        let to_keep = ToKeep {
            given: Given {
                name: request.variable_name,
                value: request.value,
                description: request.description,
            },
            variant: request.variant_name,
            attributes: request.attributes,
            if_present: IfPresent::Refuse,
        };
        let kept = self.keep(&ctx, KIND, to_keep).await?;
        Response::ok(CreateVariableVariantResponse {
            variable: message(kept.setting).into(),
            variant: variant_message(kept.variant).into(),
            created_variable: kept.created_setting,
            created_variant: kept.created_variant,
        })
    }

    async fn set_variable_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, SetVariableVariantRequest>,
    ) -> ServiceResult<SetVariableVariantResponse> {
        let request = request.to_owned_message();
        let to_keep = ToKeep {
            given: Given {
                name: request.variable_name,
                value: request.value,
                description: request.description,
            },
            variant: request.variant_name,
            attributes: request.attributes,
            if_present: IfPresent::Replace,
        };
        let kept = self.keep(&ctx, KIND, to_keep).await?;
        Response::ok(SetVariableVariantResponse {
            variable: message(kept.setting).into(),
            variant: variant_message(kept.variant).into(),
            created_variable: kept.created_setting,
            created_variant: kept.created_variant,
        })
    }

    async fn update_variable_variant_metadata(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateVariableVariantMetadataRequest>,
    ) -> ServiceResult<UpdateVariableVariantMetadataResponse> {
        let request = request.to_owned_message();
        let words = (request.name.as_str(), request.description.as_str());
        let variant = self
            .set_metadata(&ctx, KIND, &request.variant_id, words, request.attributes)
            .await?;
        Response::ok(UpdateVariableVariantMetadataResponse {
            variant: variant_message(variant).into(),
        })
    }

    async fn update_variable_variant_value(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateVariableVariantValueRequest>,
    ) -> ServiceResult<UpdateVariableVariantValueResponse> {
        let variant = self
            .set_value(&ctx, KIND, request.variant_id, request.value)
            .await?;
        Response::ok(UpdateVariableVariantValueResponse {
            variant: variant_message(variant).into(),
        })
    }

    async fn delete_variable_variant(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, DeleteVariableVariantRequest>,
    ) -> ServiceResult<DeleteVariableVariantResponse> {
        let deleted_variable = self.remove_variant(&ctx, KIND, request.variant_id).await?;
        Response::ok(DeleteVariableVariantResponse { deleted_variable })
    }

    async fn delete_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, DeleteVariableRequest>,
    ) -> ServiceResult<DeleteVariableResponse> {
        use delete_variable_request::Lookup;
        let lookup = match request.to_owned_message().lookup {
            Some(Lookup::Id(id)) => read_lookup(KIND, Some(&id), None),
            Some(Lookup::Name(name)) => read_lookup(KIND, None, Some(&name)),
            None => read_lookup(KIND, None, None),
        };
        self.remove(&ctx, KIND, lookup?).await?;
        Response::ok(DeleteVariableResponse {})
    }
}
