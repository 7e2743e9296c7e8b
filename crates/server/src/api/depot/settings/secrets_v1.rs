//! `depot.ci.v1.SecretService`: secrets of all repositories, for older CLIs.

use connectrpc::{RequestContext, Response, ServiceRequest, ServiceResult};
use tappet_rpc::depot::ci::v1::{
    AddSecretRequest, AddSecretResponse, BatchAddSecretsRequest, BatchAddSecretsResponse,
    ListSecretsRequest, ListSecretsResponse, RemoveSecretRequest, RemoveSecretResponse, Secret,
    SecretService, UpdateSecretDescriptionRequest, UpdateSecretDescriptionResponse,
};

use super::Settings;
use crate::api::depot::moment;
use crate::workflow_settings::{Given, Place, ShownSetting};

const KIND: tappet_store::SettingKind = tappet_store::SettingKind::Secret;
const PLACE: Place<'static> = Place::Everywhere;

fn message(setting: ShownSetting) -> Secret {
    let variant = setting.variants.into_iter().next();
    Secret {
        name: setting.name,
        description: variant.and_then(|variant| variant.description),
        last_modified: moment::message(setting.updated_at).into(),
    }
}

fn given(request: AddSecretRequest) -> Given {
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
impl SecretService for Settings {
    async fn add_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, AddSecretRequest>,
    ) -> ServiceResult<AddSecretResponse> {
        let given = vec![given(request.to_owned_message())];
        self.keep_in(&ctx, KIND, given, PLACE).await?;
        Response::ok(AddSecretResponse {})
    }

    async fn remove_secret(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, RemoveSecretRequest>,
    ) -> ServiceResult<RemoveSecretResponse> {
        self.remove_in(&ctx, KIND, request.name, PLACE).await?;
        Response::ok(RemoveSecretResponse {})
    }

    async fn list_secrets(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ListSecretsRequest>,
    ) -> ServiceResult<ListSecretsResponse> {
        let all = self.list_in(&ctx, KIND, PLACE).await?;
        Response::ok(ListSecretsResponse {
            secrets: all.into_iter().map(message).collect(),
        })
    }

    async fn update_secret_description(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, UpdateSecretDescriptionRequest>,
    ) -> ServiceResult<UpdateSecretDescriptionResponse> {
        let words = (request.name, request.description);
        self.describe_in(&ctx, KIND, words, PLACE).await?;
        Response::ok(UpdateSecretDescriptionResponse {})
    }

    async fn batch_add_secrets(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, BatchAddSecretsRequest>,
    ) -> ServiceResult<BatchAddSecretsResponse> {
        let request = request.to_owned_message();
        let given = request.secrets.into_iter().map(given).collect();
        self.keep_in(&ctx, KIND, given, PLACE).await?;
        Response::ok(BatchAddSecretsResponse {})
    }
}
