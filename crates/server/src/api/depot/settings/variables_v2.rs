//! `depot.ci.v2.VariableService`: variables of all repositories and of one.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult};
use tappet_rpc::depot::ci::v2::{
    AddOrgVariableRequest, AddOrgVariableResponse, AddRepoVariableRequest, AddRepoVariableResponse,
    BatchAddOrgVariablesRequest, BatchAddOrgVariablesResponse, BatchAddRepoVariablesRequest,
    BatchAddRepoVariablesResponse, GetOrgVariableValuesRequest, GetOrgVariableValuesResponse,
    GetRepoVariableValuesRequest, GetRepoVariableValuesResponse, ListOrgVariablesRequest,
    ListOrgVariablesResponse, ListRepoVariablesRequest, ListRepoVariablesResponse,
    RemoveOrgVariableRequest, RemoveOrgVariableResponse, RemoveRepoVariableRequest,
    RemoveRepoVariableResponse, UpdateOrgVariableDescriptionRequest,
    UpdateOrgVariableDescriptionResponse, UpdateRepoVariableDescriptionRequest,
    UpdateRepoVariableDescriptionResponse, Variable, VariableInput, VariableService,
};

use super::{Settings, in_repo, values};
use crate::api::depot::moment;
use crate::workflow_settings::{Given, Place, ShownSetting};

const KIND: tappet_store::SettingKind = tappet_store::SettingKind::Variable;

fn message(setting: ShownSetting) -> Variable {
    let variant = setting.variants.into_iter().next();
    Variable {
        name: setting.name,
        description: variant.and_then(|variant| variant.description),
        last_modified: moment::message(setting.updated_at).into(),
    }
}

fn given(inputs: Vec<VariableInput>) -> Vec<Given> {
    inputs
        .into_iter()
        .map(|input| Given {
            name: input.name,
            value: input.value,
            description: input.description,
        })
        .collect()
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl VariableService for Settings {
    async fn add_org_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, AddOrgVariableRequest>,
    ) -> ServiceResult<AddOrgVariableResponse> {
        let request = request.to_owned_message();
        let given = vec![Given {
            name: request.name,
            value: request.value,
            description: request.description,
        }];
        self.keep_in(&ctx, KIND, given, Place::Everywhere).await?;
        Response::ok(AddOrgVariableResponse {})
    }

    async fn remove_org_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, RemoveOrgVariableRequest>,
    ) -> ServiceResult<RemoveOrgVariableResponse> {
        self.remove_in(&ctx, KIND, request.name, Place::Everywhere)
            .await?;
        Response::ok(RemoveOrgVariableResponse {})
    }

    async fn list_org_variables(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ListOrgVariablesRequest>,
    ) -> ServiceResult<ListOrgVariablesResponse> {
        let all = self.list_in(&ctx, KIND, Place::Everywhere).await?;
        Response::ok(ListOrgVariablesResponse {
            variables: all.into_iter().map(message).collect(),
        })
    }

    async fn update_org_variable_description(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateOrgVariableDescriptionRequest>,
    ) -> ServiceResult<UpdateOrgVariableDescriptionResponse> {
        let words = (request.name, request.description);
        self.describe_in(&ctx, KIND, words, Place::Everywhere)
            .await?;
        Response::ok(UpdateOrgVariableDescriptionResponse {})
    }

    async fn batch_add_org_variables(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, BatchAddOrgVariablesRequest>,
    ) -> ServiceResult<BatchAddOrgVariablesResponse> {
        let request = request.to_owned_message();
        let given = given(request.variables);
        self.keep_in(&ctx, KIND, given, Place::Everywhere).await?;
        Response::ok(BatchAddOrgVariablesResponse {})
    }

    async fn get_org_variable_values(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, GetOrgVariableValuesRequest>,
    ) -> ServiceResult<GetOrgVariableValuesResponse> {
        let all = self.list_in(&ctx, KIND, Place::Everywhere).await?;
        Response::ok(GetOrgVariableValuesResponse {
            variables: values(all),
        })
    }

    async fn add_repo_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, AddRepoVariableRequest>,
    ) -> ServiceResult<AddRepoVariableResponse> {
        let request = request.to_owned_message();
        let given = vec![Given {
            name: request.name,
            value: request.value,
            description: request.description,
        }];
        self.keep_in(&ctx, KIND, given, in_repo(&request.repo)?)
            .await?;
        Response::ok(AddRepoVariableResponse {})
    }

    async fn remove_repo_variable(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, RemoveRepoVariableRequest>,
    ) -> ServiceResult<RemoveRepoVariableResponse> {
        self.remove_in(&ctx, KIND, request.name, in_repo(request.repo)?)
            .await?;
        Response::ok(RemoveRepoVariableResponse {})
    }

    async fn list_repo_variables(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ListRepoVariablesRequest>,
    ) -> ServiceResult<ListRepoVariablesResponse> {
        let all = self.list_in(&ctx, KIND, in_repo(request.repo)?).await?;
        Response::ok(ListRepoVariablesResponse {
            variables: all.into_iter().map(message).collect(),
        })
    }

    async fn update_repo_variable_description(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateRepoVariableDescriptionRequest>,
    ) -> ServiceResult<UpdateRepoVariableDescriptionResponse> {
        let words = (request.name, request.description);
        self.describe_in(&ctx, KIND, words, in_repo(request.repo)?)
            .await?;
        Response::ok(UpdateRepoVariableDescriptionResponse {})
    }

    async fn batch_add_repo_variables(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, BatchAddRepoVariablesRequest>,
    ) -> ServiceResult<BatchAddRepoVariablesResponse> {
        let request = request.to_owned_message();
        let given = given(request.variables);
        self.keep_in(&ctx, KIND, given, in_repo(&request.repo)?)
            .await?;
        Response::ok(BatchAddRepoVariablesResponse {})
    }

    async fn get_repo_variable_values(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, GetRepoVariableValuesRequest>,
    ) -> ServiceResult<GetRepoVariableValuesResponse> {
        let all = self.list_in(&ctx, KIND, in_repo(request.repo)?).await?;
        Response::ok(GetRepoVariableValuesResponse {
            variables: values(all),
        })
    }
}
