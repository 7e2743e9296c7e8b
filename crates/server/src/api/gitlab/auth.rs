//! Who calls (GitLab: `lib/gitlab/auth/auth_finders.rb`, `lib/api/api_guard.rb`).
//!
//! A credential that is presented must be good: a bad one is refused even where
//! none is needed.

use std::borrow::Cow;

use http::Method;
use tappet_model::{Timestamp, UserId};
use tappet_store::{AccessToken, Attempt, User};

use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::params::as_text;
use crate::app::{App, SharedApp};
use crate::{clock, token_use};

/// Longer credentials are refused before anything looks at them.
pub const MAX_TOKEN_BYTES: usize = 8192;

const JOB_TOKEN_PREFIX: &str = "glcbt-";

/// Whether a route also takes the token of a running job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobTokens {
    /// It identifies the caller.
    Accepted,
    /// It counts as no credential.
    Ignored,
}

/// Who calls; without a user: anybody.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Whose rights count.
    pub user: Option<User>,
    /// By which access token.
    pub token: Option<AccessToken>,
    /// By which running job.
    pub job: Option<Attempt>,
}

impl Caller {
    /// The user, or 401.
    pub fn require_user(&self) -> ApiResult<&User> {
        self.user.as_ref().ok_or_else(ApiError::unauthorized)
    }

    /// The user, when an administrator; or 401, or 403.
    pub fn require_admin(&self) -> ApiResult<&User> {
        let user = self.require_user()?;
        if user.is_admin {
            Ok(user)
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// Kind and id of the credential, the scope of idempotency keys.
    pub fn credential(&self) -> String {
        match (&self.token, &self.user) {
            (Some(token), Some(user)) if user.id != token.user_id => {
                format!("token:{}:as:{}", token.id, user.id)
            }
            (Some(token), _) => format!("token:{}", token.id),
            (None, Some(user)) => format!("user:{}", user.id),
            (None, None) => String::new(),
        }
    }
}

/// Scopes of a token that reads.
const READING: &[&str] = &["api", "read_api"];
/// Scopes of a token that changes something.
const WRITING: &[&str] = &["api"];
/// Scopes of a token that reads about people.
const READING_PEOPLE: &[&str] = &["api", "read_api", "read_user"];
/// Scopes of a token that reads about the instance.
const READING_INSTANCE: &[&str] = &["api", "read_api", "read_user", "ai_features"];
/// Scopes of a token that replaces itself.
const ROTATING: &[&str] = &["api", "self_rotate"];

/// Finds the caller of a call to the API proper: scope `api`, or `read_api` for
/// reading.
pub async fn authenticate(app: &SharedApp, call: &Call, jobs: JobTokens) -> ApiResult<Caller> {
    let scopes = if reads(call) { READING } else { WRITING };
    with_scope(identify(app, call, jobs).await?, scopes)
}

/// Finds the caller of a call about people: `read_user` is enough for reading.
pub async fn authenticate_for_people(app: &SharedApp, call: &Call) -> ApiResult<Caller> {
    let scopes = if reads(call) { READING_PEOPLE } else { WRITING };
    with_scope(identify(app, call, JobTokens::Ignored).await?, scopes)
}

/// Finds the caller of a call about the instance, which must be somebody.
pub async fn authenticate_for_instance(app: &SharedApp, call: &Call) -> ApiResult<()> {
    let caller = identify(app, call, JobTokens::Ignored).await?;
    with_scope(caller, READING_INSTANCE)?.require_user()?;
    Ok(())
}

/// The access token of the call itself, whatever its scopes.
pub async fn own_token(app: &SharedApp, call: &Call) -> ApiResult<(Caller, AccessToken)> {
    let caller = identify(app, call, JobTokens::Ignored).await?;
    let token = caller.token.clone();
    let token = token.ok_or_else(ApiError::unauthorized)?;
    Ok((caller, token))
}

/// The access token of the call itself, when it may replace itself.
pub async fn own_rotating_token(app: &SharedApp, call: &Call) -> ApiResult<(Caller, AccessToken)> {
    let (caller, token) = own_token(app, call).await?;
    Ok((with_scope(caller, ROTATING)?, token))
}

fn reads(call: &Call) -> bool {
    matches!(call.method, Method::GET | Method::HEAD)
}

/// 403 when the caller's token has none of these scopes. The wire shows them
/// with blanks between.
fn with_scope(caller: Caller, scopes: &[&str]) -> ApiResult<Caller> {
    match &caller.token {
        Some(token) if !scopes.iter().any(|scope| has_scope(token, scope)) => {
            Err(ApiError::insufficient_scope(&scopes.join(" ")))
        }
        _ => Ok(caller),
    }
}

fn has_scope(token: &AccessToken, scope: &str) -> bool {
    token.scopes.iter().any(|own| own == scope)
}

async fn identify(app: &SharedApp, call: &Call, jobs: JobTokens) -> ApiResult<Caller> {
    let Some(token) = access_token(call) else {
        if jobs == JobTokens::Accepted
            && let Some(token) = job_token(call)
        {
            return by_job_token(app, &token).await;
        }
        return sudo(app, call, by_session(app, call).await?).await;
    };
    if token.len() > MAX_TOKEN_BYTES {
        return Err(ApiError::unauthorized());
    }
    let now = clock::now();
    let hash = crate::secrets::hash(&token);
    let Some((user, token)) = app.store.user_by_access_token(hash, now).await? else {
        let known = app.store.access_token_by_hash(hash).await?;
        return Err(refused(known, now));
    };
    if user.is_blocked {
        return Err(ApiError::forbidden_because(
            "Your account has been blocked.",
        ));
    }
    token_use::note(app, &token, now);
    let caller = Caller {
        user: Some(user),
        token: Some(token),
        job: None,
    };
    sudo(app, call, caller).await
}

/// The 401 of a token that opens nothing (any more).
fn refused(known: Option<AccessToken>, now: Timestamp) -> ApiError {
    match known {
        None => ApiError::unauthorized(),
        Some(token) if token.expires_at.is_some_and(|end| end <= now) => ApiError::invalid_token(
            "Token is expired. You can either do re-authorization or token refresh.",
        ),
        Some(_) => {
            ApiError::invalid_token("Token was revoked. You have to re-authorize from the user.")
        }
    }
}

/// The person whom an administrator wants to be for this call (GitLab: header
/// `Sudo` or parameter `sudo`, and a token with that scope).
async fn sudo(app: &App, call: &Call, caller: Caller) -> ApiResult<Caller> {
    let wanted = param(call, "sudo").or_else(|| {
        call.header("sudo")
            .filter(|wanted| !wanted.is_empty())
            .map(Cow::Borrowed)
    });
    let Some(wanted) = wanted else {
        return Ok(caller);
    };
    if !caller.require_user()?.is_admin {
        return Err(ApiError::forbidden_because("Must be admin to use sudo"));
    }
    let Some(token) = &caller.token else {
        return Err(ApiError::forbidden_because(
            "Must be authenticated using an OAuth or personal access token to use sudo",
        ));
    };
    if !has_scope(token, "sudo") {
        return Err(ApiError::insufficient_scope("sudo"));
    }
    let found = match wanted.parse() {
        Ok(id) => app
            .store
            .account(UserId(id))
            .await?
            .map(|account| account.user),
        Err(_) => app.store.user_by_username(&wanted).await?,
    };
    match found {
        Some(user) if user.is_blocked => Err(ApiError::forbidden_because(
            "Your account has been blocked.",
        )),
        Some(user) => Ok(Caller {
            user: Some(user),
            ..caller
        }),
        None => Err(ApiError::missing(&format!(
            "User with ID or username '{wanted}'"
        ))),
    }
}

/// The session of a browser only reads here; what it changes goes through the
/// pages, which check where a request comes from.
async fn by_session(app: &App, call: &Call) -> ApiResult<Caller> {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Ok(Caller::default());
    }
    let user = crate::ui::session_user(app, &call.headers).await?;
    Ok(Caller {
        user,
        ..Caller::default()
    })
}

async fn by_job_token(app: &App, token: &str) -> ApiResult<Caller> {
    let attempt = attempt_of_token(app, token).await?;
    let attempt = attempt.ok_or_else(ApiError::unauthorized)?;
    if !attempt.status.is_executing() {
        return Err(job_is_not_running());
    }
    let run = app.store.run(attempt.run_id).await?;
    let user = match run {
        Some(run) => app.user_of(&run).await?,
        None => None,
    };
    Ok(Caller {
        user: Some(user.ok_or_else(ApiError::unauthorized)?),
        token: None,
        job: Some(attempt),
    })
}

/// The attempt of a genuine job token, whatever became of it.
pub async fn attempt_of_token(app: &App, token: &str) -> ApiResult<Option<Attempt>> {
    if token.len() > MAX_TOKEN_BYTES {
        return Ok(None);
    }
    match app.secrets.verify_job_token(token) {
        Some(id) => Ok(app.store.attempt(id).await?),
        None => Ok(None),
    }
}

/// 401 of a job token whose job has ended.
pub fn job_is_not_running() -> ApiError {
    ApiError::message(http::StatusCode::UNAUTHORIZED, "Job is not running")
}

/// The parameters beat the header, as in GitLab. `token` means a job only on
/// routes that take job tokens.
fn job_token(call: &Call) -> Option<Cow<'_, str>> {
    param(call, "job_token")
        .or_else(|| param(call, "token"))
        .or_else(|| {
            call.header("job-token")
                .filter(|token| !token.is_empty())
                .map(Cow::Borrowed)
        })
        .or_else(|| {
            bearer(call)
                .filter(|token| token.starts_with(JOB_TOKEN_PREFIX))
                .map(Cow::Borrowed)
        })
}

/// The parameter beats the header, as in GitLab, and either beats a job token.
fn access_token(call: &Call) -> Option<Cow<'_, str>> {
    param(call, "private_token")
        .or_else(|| {
            call.header("private-token")
                .filter(|token| !token.is_empty())
                .map(Cow::Borrowed)
        })
        .or_else(|| {
            bearer(call)
                .filter(|token| !token.starts_with(JOB_TOKEN_PREFIX))
                .map(Cow::Borrowed)
        })
        .or_else(|| param(call, "access_token"))
}

fn param<'a>(call: &'a Call, name: &str) -> Option<Cow<'a, str>> {
    as_text(call.params.get(name)?).filter(|token| !token.is_empty())
}

fn bearer(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header("authorization")?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("key");
    known
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}
