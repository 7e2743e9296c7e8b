//! Who calls: the holder of an access token, or a running job with its token, as
//! `Authorization: Bearer …`.
//!
//! A credential is looked at once, before a handler runs, and must be good. The
//! method is looked for first, so that a wrong address or verb tells what is wrong
//! with it to anybody.

use std::sync::Arc;

use connectrpc::interceptor::{
    Interceptor, Next, NextStream, PayloadStream, StreamRequest, StreamResponse, UnaryRequest,
    UnaryResponse,
};
use connectrpc::{ConnectError, RequestContext};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use tappet_store::{AccessToken, Attempt, User};

use super::ORGANISATION;
use super::errors::{RpcError, RpcResult};
use crate::app::SharedApp;
use crate::secrets::hash;
use crate::{client_address, clock, token_use};

/// Longer credentials are refused before anything looks at them.
const MAX_TOKEN_BYTES: usize = 8192;

/// Signing in begins without a credential.
const WITHOUT_CREDENTIAL: &str = "/depot.cli.v1beta1.LoginService/";

/// Header with the organisation that the caller means.
const ORGANISATION_HEADER: &str = "x-depot-org";

/// Who calls.
#[derive(Debug)]
pub struct Caller {
    /// Whose rights count: the holder of the token, or whoever the job's run is of.
    pub user: User,
    credential: Credential,
}

#[derive(Debug)]
enum Credential {
    Token(AccessToken),
    Job(Box<Attempt>),
}

impl Caller {
    /// Who makes this call, with a token that reads.
    pub fn reading(ctx: &RequestContext) -> RpcResult<Arc<Self>> {
        Self::with_scope(ctx, &["api", "read_api"])
    }

    /// Who makes this call, with a token that changes something.
    pub fn writing(ctx: &RequestContext) -> RpcResult<Arc<Self>> {
        Self::with_scope(ctx, &["api"])
    }

    /// Who makes this call, a running job included.
    pub fn any(ctx: &RequestContext) -> RpcResult<Arc<Self>> {
        let caller = ctx.extensions().get::<Arc<Self>>().cloned();
        caller.ok_or_else(no_credential)
    }

    /// The job that calls with its own token.
    pub fn job(&self) -> Option<&Attempt> {
        match &self.credential {
            Credential::Job(attempt) => Some(attempt),
            Credential::Token(_) => None,
        }
    }

    /// Kind and id of the credential: the scope of idempotency keys, and what the
    /// audit log names.
    pub fn credential(&self) -> String {
        match &self.credential {
            Credential::Token(token) => format!("token:{}", token.id),
            Credential::Job(attempt) => format!("job:{}", attempt.id),
        }
    }

    /// Refuses jobs, and access tokens with none of these scopes.
    fn with_scope(ctx: &RequestContext, scopes: &[&str]) -> RpcResult<Arc<Self>> {
        let caller = Self::any(ctx)?;
        match &caller.credential {
            Credential::Token(token)
                if !token
                    .scopes
                    .iter()
                    .any(|own| scopes.contains(&own.as_str())) =>
            {
                Err(RpcError::denied(format!(
                    "the access token needs the scope `{}` for this call",
                    scopes.join("` or `")
                )))
            }
            Credential::Token(_) => Ok(caller),
            Credential::Job(_) => Err(RpcError::denied(
                "the token of a job does not reach this call; use an access token",
            )),
        }
    }
}

fn no_credential() -> RpcError {
    RpcError::unauthenticated(
        "no token: send an access token as `Authorization: Bearer …` (DEPOT_TOKEN of the CLI)",
    )
}

fn invalid_token() -> RpcError {
    RpcError::unauthenticated("Invalid token")
}

/// Refuses organisations that there are none of; none at all means the one there is.
pub fn check_organisation(id: &str) -> RpcResult<()> {
    if id.is_empty() || id == ORGANISATION {
        return Ok(());
    }
    Err(RpcError::denied(format!(
        "you are not a member of organisation `{id}`; this server has one, `{ORGANISATION}`"
    )))
}

/// Tells handlers who calls; refuses calls by nobody, and by too many.
pub struct Identification {
    app: SharedApp,
}

impl Identification {
    /// For the services of this server.
    pub fn new(app: SharedApp) -> Self {
        Self { app }
    }

    /// Finds out who makes a call, and remembers it in the context.
    pub async fn identify(&self, ctx: &mut RequestContext) -> Result<(), ConnectError> {
        let is_open = ctx
            .path()
            .is_some_and(|path| path.starts_with(WITHOUT_CREDENTIAL));
        let address = client_address::of(&self.app.config, ctx.extensions(), ctx.headers());
        let token = bearer(ctx.headers()).map(str::to_owned);
        if let Err(wait) = self.app.admit_call(token.as_deref(), address) {
            let seconds = wait.as_secs().max(1);
            let message = format!("too many calls in this minute; call again in {seconds} s");
            let error = ConnectError::resource_exhausted(message);
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from(seconds))]);
            return Err(error.with_headers(headers));
        }
        if let Some(organisation) = ctx.header(ORGANISATION_HEADER) {
            check_organisation(&String::from_utf8_lossy(organisation.as_bytes()))?;
        }
        match token {
            Some(token) => {
                let caller = self.caller(&token).await.inspect_err(|_| {
                    self.app.note_refused_call(address);
                })?;
                ctx.extensions_mut().insert(Arc::new(caller));
            }
            None if is_open => {}
            None => return Err(no_credential().into()),
        }
        Ok(())
    }

    async fn caller(&self, token: &str) -> RpcResult<Caller> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid_token());
        }
        let app = &self.app;
        if let Some(id) = app.secrets.verify_job_token(token) {
            let attempt = app.store.attempt(id).await?.ok_or_else(invalid_token)?;
            if !attempt.status.is_executing() {
                return Err(RpcError::unauthenticated("the job of this token is over"));
            }
            let run = app.store.run(attempt.run_id).await?;
            let user = match run {
                Some(run) => app.user_of(&run).await?,
                None => None,
            };
            return Ok(Caller {
                user: user.ok_or_else(invalid_token)?,
                credential: Credential::Job(Box::new(attempt)),
            });
        }
        let now = clock::now();
        let found = app.store.user_by_access_token(hash(token), now).await?;
        let (user, token) = found.ok_or_else(invalid_token)?;
        if user.is_blocked {
            return Err(RpcError::denied("your account has been blocked"));
        }
        token_use::note(app, &token, now);
        Ok(Caller {
            user,
            credential: Credential::Token(token),
        })
    }
}

/// An empty token is none: `depot org list` sends one when it has no other.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[connectrpc::async_trait]
impl Interceptor for Identification {
    async fn intercept_unary(
        &self,
        mut request: UnaryRequest,
        next: Next<'_>,
    ) -> Result<UnaryResponse, ConnectError> {
        self.identify(&mut request.ctx).await?;
        next.run(request).await
    }

    async fn intercept_streaming(
        &self,
        mut request: StreamRequest,
        inbound: PayloadStream,
        next: NextStream<'_>,
    ) -> Result<StreamResponse, ConnectError> {
        self.identify(&mut request.ctx).await?;
        next.run(request, inbound).await
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Bearer glpat-x", Some("glpat-x"))]
    #[case("bearer  glpat-x ", Some("glpat-x"))]
    #[case("Bearer ", None)]
    #[case("Bearer", None)]
    #[case("Basic cm9vdDp4", None)]
    fn the_token_stands_behind_bearer(#[case] value: &str, #[case] expected: Option<&str>) {
        let value = HeaderValue::from_str(value).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        assert_eq!(bearer(&headers), expected);
    }
}
