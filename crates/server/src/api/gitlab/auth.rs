//! Who calls (GitLab: `lib/gitlab/auth/auth_finders.rb`, `lib/api/api_guard.rb`).
//!
//! A credential that is presented must be good: a bad one is refused even where
//! none is needed.

use std::borrow::Cow;

use http::Method;
use tappet_model::Timestamp;
use tappet_store::{AccessToken, Attempt, User};

use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::params::as_text;
use crate::app::{App, SharedApp};
use crate::clock;

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

    /// Kind and id of the credential, the scope of idempotency keys.
    pub fn credential(&self) -> String {
        match (&self.token, &self.user) {
            (Some(token), _) => format!("token:{}", token.id),
            (None, Some(user)) => format!("user:{}", user.id),
            (None, None) => String::new(),
        }
    }
}

/// Finds the caller of a call to the API proper: scope `api`, or `read_api` for
/// reading.
pub async fn authenticate(app: &SharedApp, call: &Call, jobs: JobTokens) -> ApiResult<Caller> {
    let caller = identify(app, call, jobs).await?;
    if let Some(token) = &caller.token {
        let reads = matches!(call.method, Method::GET | Method::HEAD);
        let has = |scope: &str| token.scopes.iter().any(|own| own == scope);
        let reaches = has("api") || (reads && has("read_api"));
        if !reaches {
            return Err(ApiError::insufficient_scope(if reads {
                "api read_api"
            } else {
                "api"
            }));
        }
    }
    Ok(caller)
}

/// Finds the caller of a call about the caller or the instance: the scope
/// `read_user` is enough.
pub async fn authenticate_reader(app: &SharedApp, call: &Call) -> ApiResult<User> {
    let caller = identify(app, call, JobTokens::Ignored).await?;
    if let Some(token) = &caller.token
        && !token
            .scopes
            .iter()
            .any(|scope| matches!(scope.as_str(), "api" | "read_api" | "read_user"))
    {
        return Err(ApiError::insufficient_scope("api read_api read_user"));
    }
    caller.user.ok_or_else(ApiError::unauthorized)
}

async fn identify(app: &SharedApp, call: &Call, jobs: JobTokens) -> ApiResult<Caller> {
    if let Some(token) = job_token(call) {
        return match jobs {
            JobTokens::Accepted => by_job_token(app, &token).await,
            JobTokens::Ignored => Ok(Caller::default()),
        };
    }
    let Some(token) = access_token(call) else {
        return by_session(app, call).await;
    };
    if token.len() > MAX_TOKEN_BYTES {
        return Err(ApiError::unauthorized());
    }
    let now = clock::now();
    let hash = crate::secrets::hash(&token);
    let Some((user, token)) = app.store.user_by_access_token(hash, now).await? else {
        return Err(ApiError::unauthorized());
    };
    if user.is_blocked {
        return Err(ApiError::forbidden_because(
            "Your account has been blocked.",
        ));
    }
    note_use(app, &token, now);
    Ok(Caller {
        user: Some(user),
        token: Some(token),
        job: None,
    })
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

fn job_token(call: &Call) -> Option<Cow<'_, str>> {
    if let Some(token) = call.header("job-token").filter(|token| !token.is_empty()) {
        return Some(Cow::Borrowed(token));
    }
    if let Some(token) = param(call, "job_token") {
        return Some(token);
    }
    bearer(call)
        .filter(|token| token.starts_with(JOB_TOKEN_PREFIX))
        .map(Cow::Borrowed)
}

/// The parameter beats the header, as in GitLab.
fn access_token(call: &Call) -> Option<Cow<'_, str>> {
    param(call, "private_token")
        .or_else(|| {
            call.header("private-token")
                .filter(|token| !token.is_empty())
                .map(Cow::Borrowed)
        })
        .or_else(|| bearer(call).map(Cow::Borrowed))
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

/// Off the way of the answer: nobody waits for this write.
fn note_use(app: &SharedApp, token: &AccessToken, now: Timestamp) {
    let minute = std::time::Duration::from_secs(60);
    if token
        .last_used_at
        .is_some_and(|last| now.since(last) < minute)
    {
        return;
    }
    let (app, id) = (app.clone(), token.id);
    tokio::spawn(async move {
        if let Err(error) = app.store.touch_access_token(id, now).await {
            tracing::debug!(%error, "cannot note the use of an access token");
        }
    });
}
