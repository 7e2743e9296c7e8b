//! `depot.ci.v1.VariableService`: variables of all repositories, for older CLIs.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult};
use tappet_rpc::depot::ci::v1::{
    AddVariableRequest, AddVariableResponse, BatchAddVariablesRequest, BatchAddVariablesResponse,
    GetAllVariablesRequest, GetAllVariablesResponse, ListVariablesRequest, ListVariablesResponse,
    RemoveVariableRequest, RemoveVariableResponse, UpdateVariableDescriptionRequest,
    UpdateVariableDescriptionResponse, Variable, VariableService,
};

use super::{Settings, values};
use crate::api::depot::moment;
use crate::workflow_settings::{Given, Place, ShownSetting};

const KIND: tappet_store::SettingKind = tappet_store::SettingKind::Variable;
const PLACE: Place<'static> = Place::Everywhere;

fn message(setting: ShownSetting) -> Variable {
    let variant = setting.variants.into_iter().next();
    Variable {
        name: setting.name,
        description: variant.and_then(|variant| variant.description),
        last_modified: moment::message(setting.updated_at).into(),
    }
}

fn given(request: AddVariableRequest) -> Given {
    Given {
        name: request.name,
        value: request.value,
        description: request.description,
    }
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl VariableService for Settings {
    async fn add_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, AddVariableRequest>,
    ) -> ServiceResult<AddVariableResponse> {
        let given = vec![given(request.to_owned_message())];
        self.keep_in(&ctx, KIND, given, PLACE).await?;
        Response::ok(AddVariableResponse {})
    }

    async fn remove_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, RemoveVariableRequest>,
    ) -> ServiceResult<RemoveVariableResponse> {
        self.remove_in(&ctx, KIND, request.name, PLACE).await?;
        Response::ok(RemoveVariableResponse {})
    }

    async fn list_variables(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ListVariablesRequest>,
    ) -> ServiceResult<ListVariablesResponse> {
        let all = self.list_in(&ctx, KIND, PLACE).await?;
        Response::ok(ListVariablesResponse {
            variables: all.into_iter().map(message).collect(),
        })
    }

    async fn update_variable_description(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateVariableDescriptionRequest>,
    ) -> ServiceResult<UpdateVariableDescriptionResponse> {
        let words = (request.name, request.description);
        self.describe_in(&ctx, KIND, words, PLACE).await?;
        Response::ok(UpdateVariableDescriptionResponse {})
    }

    async fn batch_add_variables(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, BatchAddVariablesRequest>,
    ) -> ServiceResult<BatchAddVariablesResponse> {
        let request = request.to_owned_message();
        let given = request.variables.into_iter().map(given).collect();
        self.keep_in(&ctx, KIND, given, PLACE).await?;
        Response::ok(BatchAddVariablesResponse {})
    }

    async fn get_all_variables(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, GetAllVariablesRequest>,
    ) -> ServiceResult<GetAllVariablesResponse> {
        let all = self.list_in(&ctx, KIND, PLACE).await?;
        Response::ok(GetAllVariablesResponse {
            variables: values(all),
        })
    }
}
