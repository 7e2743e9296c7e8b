//! `depot.ci.v2.SecretService`: secrets of all repositories and of one.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult};
use tappet_rpc::depot::ci::v2::{
    AddOrgSecretRequest, AddOrgSecretResponse, AddRepoSecretRequest, AddRepoSecretResponse,
    BatchAddOrgSecretsRequest, BatchAddOrgSecretsResponse, BatchAddRepoSecretsRequest,
    BatchAddRepoSecretsResponse, ListOrgSecretsRequest, ListOrgSecretsResponse,
    ListRepoSecretsRequest, ListRepoSecretsResponse, RemoveOrgSecretRequest,
    RemoveOrgSecretResponse, RemoveRepoSecretRequest, RemoveRepoSecretResponse, Secret,
    SecretInput, SecretService, UpdateOrgSecretDescriptionRequest,
    UpdateOrgSecretDescriptionResponse, UpdateRepoSecretDescriptionRequest,
    UpdateRepoSecretDescriptionResponse,
};

use super::{Settings, in_repo};
use crate::api::depot::moment;
use crate::workflow_settings::{Given, Place, ShownSetting};

const KIND: tappet_store::SettingKind = tappet_store::SettingKind::Secret;

fn message(setting: ShownSetting) -> Secret {
    let variant = setting.variants.into_iter().next();
    Secret {
        name: setting.name,
        description: variant.and_then(|variant| variant.description),
        last_modified: moment::message(setting.updated_at).into(),
    }
}

fn given(inputs: Vec<SecretInput>) -> Vec<Given> {
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
impl SecretService for Settings {
    async fn add_org_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, AddOrgSecretRequest>,
    ) -> ServiceResult<AddOrgSecretResponse> {
        let request = request.to_owned_message();
        let given = vec![Given {
            name: request.name,
            value: request.value,
            description: request.description,
        }];
        self.keep_in(&ctx, KIND, given, Place::Everywhere).await?;
        Response::ok(AddOrgSecretResponse {})
    }

    async fn remove_org_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, RemoveOrgSecretRequest>,
    ) -> ServiceResult<RemoveOrgSecretResponse> {
        self.remove_in(&ctx, KIND, request.name, Place::Everywhere)
            .await?;
        Response::ok(RemoveOrgSecretResponse {})
    }

    async fn list_org_secrets(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ListOrgSecretsRequest>,
    ) -> ServiceResult<ListOrgSecretsResponse> {
        let all = self.list_in(&ctx, KIND, Place::Everywhere).await?;
        Response::ok(ListOrgSecretsResponse {
            secrets: all.into_iter().map(message).collect(),
        })
    }

    async fn update_org_secret_description(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateOrgSecretDescriptionRequest>,
    ) -> ServiceResult<UpdateOrgSecretDescriptionResponse> {
        let words = (request.name, request.description);
        self.describe_in(&ctx, KIND, words, Place::Everywhere)
            .await?;
        Response::ok(UpdateOrgSecretDescriptionResponse {})
    }

    async fn batch_add_org_secrets(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, BatchAddOrgSecretsRequest>,
    ) -> ServiceResult<BatchAddOrgSecretsResponse> {
        let request = request.to_owned_message();
        let given = given(request.secrets);
        self.keep_in(&ctx, KIND, given, Place::Everywhere).await?;
        Response::ok(BatchAddOrgSecretsResponse {})
    }

    async fn add_repo_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, AddRepoSecretRequest>,
    ) -> ServiceResult<AddRepoSecretResponse> {
        let request = request.to_owned_message();
        let given = vec![Given {
            name: request.name,
            value: request.value,
            description: request.description,
        }];
        self.keep_in(&ctx, KIND, given, in_repo(&request.repo)?)
            .await?;
        Response::ok(AddRepoSecretResponse {})
    }

    async fn remove_repo_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, RemoveRepoSecretRequest>,
    ) -> ServiceResult<RemoveRepoSecretResponse> {
        self.remove_in(&ctx, KIND, request.name, in_repo(request.repo)?)
            .await?;
        Response::ok(RemoveRepoSecretResponse {})
    }

    async fn list_repo_secrets(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, ListRepoSecretsRequest>,
    ) -> ServiceResult<ListRepoSecretsResponse> {
        let all = self.list_in(&ctx, KIND, in_repo(request.repo)?).await?;
        Response::ok(ListRepoSecretsResponse {
            secrets: all.into_iter().map(message).collect(),
        })
    }

    async fn update_repo_secret_description(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateRepoSecretDescriptionRequest>,
    ) -> ServiceResult<UpdateRepoSecretDescriptionResponse> {
        let words = (request.name, request.description);
        self.describe_in(&ctx, KIND, words, in_repo(request.repo)?)
            .await?;
        Response::ok(UpdateRepoSecretDescriptionResponse {})
    }

    async fn batch_add_repo_secrets(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, BatchAddRepoSecretsRequest>,
    ) -> ServiceResult<BatchAddRepoSecretsResponse> {
        let request = request.to_owned_message();
        let given = given(request.secrets);
        self.keep_in(&ctx, KIND, given, in_repo(&request.repo)?)
            .await?;
        Response::ok(BatchAddRepoSecretsResponse {})
    }
}
