//! `depot.core.v1.OrganizationService`: the one organisation of this server.

use std::sync::Arc;

use connectrpc::{RequestContext, Response, Router, ServiceRequest, ServiceResult};
use tappet_rpc::depot::core::v1::list_organization_response::Organization as Message;
use tappet_rpc::depot::core::v1::{
    ListOrganizationResponse, ListOrganizationsRequest, OrganizationService, OrganizationServiceExt,
};
use tappet_store::{PageRequest, PeopleFilter};

use super::caller::Caller;
use super::errors::RpcError;
use super::{ORGANISATION, moment};
use crate::app::SharedApp;
use crate::config::Config;

/// The service.
pub struct Organization {
    app: SharedApp,
}

/// Mounts it.
pub fn register(app: &SharedApp, services: Router) -> Router {
    Arc::new(Organization { app: app.clone() }).register(services)
}

/// The host that people know the server by.
fn name(config: &Config) -> String {
    let url = config.external_url.as_ref();
    let host = url.and_then(|url| url.host_str());
    host.map_or_else(|| config.listen.ip().to_string(), str::to_owned)
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl OrganizationService for Organization {
    async fn list_organizations(
        &self,
        ctx: RequestContext,
        _: ServiceRequest<'_, ListOrganizationsRequest>,
    ) -> ServiceResult<ListOrganizationResponse> {
        Caller::reading(&ctx)?;
        let first = PeopleFilter {
            ascending: true,
            ..PeopleFilter::default()
        };
        let page = PageRequest {
            page: 1,
            per_page: 1,
        };
        let people = self.app.store.accounts(first, page).await;
        let people = people.map_err(RpcError::from)?.items;
        let created_at = people
            .first()
            .map(|one| moment::message(one.user.created_at));
        Response::ok(ListOrganizationResponse {
            organizations: vec![Message {
                org_id: ORGANISATION.to_owned(),
                name: name(&self.app.config),
                created_at: created_at.into(),
            }],
        })
    }
}
