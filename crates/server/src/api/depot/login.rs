//! `depot.cli.v1beta1.LoginService`: `depot login` from a terminal.

use std::sync::Arc;
use std::time::Instant;

use connectrpc::{
    ConnectError, RequestContext, Response, Router, ServiceRequest, ServiceResult, ServiceStream,
};
use tappet_rpc::depot::cli::v1beta1::{
    FinishLoginRequest, FinishLoginResponse, LoginService, LoginServiceExt, StartLoginRequest,
    StartLoginResponse,
};

use super::errors::{RpcError, RpcResult};
use crate::app::SharedApp;
use crate::device_logins::{Answer, Outcome};

/// The service; nobody needs a credential for it.
pub struct Login {
    app: SharedApp,
}

/// Mounts it.
pub fn register(app: &SharedApp, services: Router) -> Router {
    Arc::new(Login { app: app.clone() }).register(services)
}

#[expect(
    refining_impl_trait_reachable,
    reason = "nobody calls these but the generated dispatcher"
)]
impl LoginService for Login {
    async fn start_login(
        &self,
        _: RequestContext,
        _: ServiceRequest<'_, StartLoginRequest>,
    ) -> ServiceResult<StartLoginResponse> {
        let begun = self.app.device_logins.begin(Instant::now());
        let id = begun.ok_or_else(|| {
            RpcError::exhausted("too many logins wait for an answer: try again in some minutes")
        })?;
        let approve_url = self.app.config.url(&format!("/-/depot/login/{id}"));
        Response::ok(StartLoginResponse { id, approve_url })
    }

    async fn finish_login(
        &self,
        _: RequestContext,
        request: ServiceRequest<'_, FinishLoginRequest>,
    ) -> ServiceResult<ServiceStream<FinishLoginResponse>> {
        let (app, id) = (self.app.clone(), request.id.to_owned());
        let answer = async move {
            let token = tokio::select! {
                token = token(&app, &id) => token,
                () = app.shutdown.cancelled() => Err(RpcError::unavailable(
                    "the server is stopping: run `depot login` again",
                )),
            };
            let token = token.map_err(ConnectError::from)?;
            Ok(FinishLoginResponse { token })
        };
        Response::stream_ok(futures_util::stream::once(answer))
    }
}

/// Waits until somebody agrees. The token is made only now that somebody is there
/// to take it.
async fn token(app: &SharedApp, id: &str) -> RpcResult<String> {
    let unknown = || RpcError::not_found("there is no such login: run `depot login` again");
    let outcome = app.device_logins.outcome(id, Instant::now()).await;
    let user = match outcome.ok_or_else(unknown)? {
        Outcome::Answered(Answer::Approve(user)) => app.store.user(user).await?,
        Outcome::Answered(Answer::Deny) => {
            return Err(RpcError::denied("the login was denied"));
        }
        Outcome::Expired => {
            return Err(RpcError::failed_precondition(
                "nobody approved the login within 15 minutes: run `depot login` again",
            ));
        }
    };
    match user {
        Some(user) if !user.is_blocked => Ok(app.token_for_login(&user).await?),
        _ => Err(RpcError::denied("your account has been blocked")),
    }
}
