//! Signing in with a password, an access token or a one-time link, and out again.

use std::time::{Duration, Instant};

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use tappet_store::User;

use super::problem::{PageResult, Problem};
use super::session;
use super::visit::{Frame, Visit, html};
use crate::client_address;
use crate::clock;
use crate::passwords::{self, Verdict};
use crate::secrets::hash;

/// Bytes of a form that are read.
const FORM_LIMIT: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    to: String,
    login: String,
    complaint: Option<&'static str>,
}

fn show(visit: &Visit, form: &Form, complaint: Option<&'static str>) -> PageResult<Response> {
    html(&SignInPage {
        frame: visit.frame("Sign in"),
        to: form.to.clone(),
        login: form.login.clone(),
        complaint,
    })
}

/// What somebody filled in.
#[derive(Default)]
struct Form {
    /// Where to go on.
    to: String,
    /// Login name or address.
    login: String,
    password: String,
    /// In place of both.
    token: String,
}

impl Form {
    async fn read(body: Body) -> PageResult<Self> {
        let body = axum::body::to_bytes(body, FORM_LIMIT)
            .await
            .map_err(|_| Problem::BadForm {
                reason: "it is too long or was cut off",
            })?;
        Ok(Self {
            to: field(&body, "to"),
            login: field(&body, "login").trim().to_owned(),
            password: field(&body, "password"),
            token: field(&body, "token").trim().to_owned(),
        })
    }
}

/// `GET /-/sign_in?to=/acme/web`.
pub fn page(visit: &Visit, uri: &Uri) -> PageResult<Response> {
    let query = uri.query().unwrap_or_default();
    let form = Form {
        to: field(query.as_bytes(), "to"),
        ..Form::default()
    };
    if visit.user.is_some() {
        return Ok(Redirect::to(&visit.path(own_path(&form.to))).into_response());
    }
    show(visit, &form, None)
}

/// `POST /-/sign_in` with `login` and `password`, or with `token`. An address that
/// failed too often has to wait, whatever it tries: 429.
pub async fn with_form(visit: &Visit, parts: &Parts, body: Body) -> PageResult<Response> {
    let form = Form::read(body).await?;
    let app = &visit.app;
    let address = client_address::of(&app.config, &parts.extensions, &parts.headers);
    let most = app.config.limits.failed_sign_ins_per_minute;
    // Counted beforehand, so that many tries at once are many.
    if let Err(wait) = app.failed_sign_ins.count(address, most, Instant::now()) {
        let complaint = "Too many failed attempts from your address. Wait a minute.";
        return rest(visit, &form, complaint, wait);
    }
    let response = if form.token.is_empty() {
        with_password(visit, form).await?
    } else {
        with_token(visit, &form).await?
    };
    if response.status().is_redirection() {
        app.failed_sign_ins.uncount(&address);
    }
    Ok(response)
}

/// Asks to come back later.
fn rest(
    visit: &Visit,
    form: &Form,
    complaint: &'static str,
    wait: Duration,
) -> PageResult<Response> {
    let mut response = show(visit, form, Some(complaint))?;
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(wait.as_secs().max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    Ok(response)
}

/// The same answer whether there is nobody of this name, somebody without a
/// password, or somebody with another one.
async fn with_password(visit: &Visit, form: Form) -> PageResult<Response> {
    let found = visit.app.store.user_to_sign_in(&form.login).await?;
    let (user, stored) = match found {
        Some((user, stored)) => (Some(user), stored),
        None => (None, None),
    };
    let typed = form.password.clone();
    let passwords = &visit.app.passwords;
    match passwords
        .verify(&form.login, typed, stored, visit.now)
        .await
    {
        Verdict::Right => {}
        Verdict::Wrong => return refuse(visit, &form, "Wrong name or password."),
        Verdict::Resting => {
            let complaint = "Too many failed attempts with this name. \
                             Wait ten minutes, or sign in with an access token.";
            return rest(visit, &form, complaint, passwords::REST);
        }
    }
    match user {
        Some(user) if !user.is_blocked => enter(visit, &user, &form.to).await,
        _ => refuse(visit, &form, "This account is blocked."),
    }
}

async fn with_token(visit: &Visit, form: &Form) -> PageResult<Response> {
    let found = visit
        .app
        .store
        .user_by_access_token(hash(&form.token), visit.now)
        .await?;
    match found {
        Some((user, _)) if user.is_blocked => refuse(visit, form, "This account is blocked."),
        // The token of a machine that only reads must not become a session that does all.
        Some((_, token)) if !token.scopes.iter().any(|scope| scope == "api") => refuse(
            visit,
            form,
            "Signing in takes a token with the scope “api”.",
        ),
        Some((user, token)) => {
            visit
                .app
                .store
                .touch_access_token(token.id, visit.now)
                .await?;
            enter(visit, &user, &form.to).await
        }
        None => refuse(
            visit,
            form,
            "No such token, or it has expired or was revoked.",
        ),
    }
}

fn refuse(visit: &Visit, form: &Form, complaint: &'static str) -> PageResult<Response> {
    let mut response = show(visit, form, Some(complaint))?;
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    Ok(response)
}

/// `GET /-/sign_in/:token`: the link works with one click. It is the only GET
/// that changes something, so a look ahead (`HEAD`, prefetch) does not use it up.
pub async fn with_link(visit: &Visit, token: &str, parts: &Parts) -> PageResult<Response> {
    if looks_ahead(parts) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if visit.user.is_some() {
        return Ok(Redirect::to(&visit.path("/")).into_response());
    }
    match visit
        .app
        .store
        .redeem_sign_in(hash(token), clock::now())
        .await?
    {
        Some(user) if !user.is_blocked => enter(visit, &user, "/").await,
        _ => refuse(
            visit,
            &Form::default(),
            "This link was used already or is older than 15 minutes. Sign in with an access token.",
        ),
    }
}

fn looks_ahead(parts: &Parts) -> bool {
    let purpose = ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .filter_map(|name| parts.headers.get(*name)?.to_str().ok())
        .any(|value| value.contains("prefetch") || value.contains("preview"));
    parts.method == Method::HEAD || purpose
}

async fn enter(visit: &Visit, user: &User, to: &str) -> PageResult<Response> {
    let cookie = session::open(&visit.app, user).await?;
    let mut response = Redirect::to(&visit.path(own_path(to))).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /-/sign_out`.
pub async fn out(visit: &Visit, headers: &HeaderMap) -> PageResult<Response> {
    let cookie = session::close(&visit.app, headers).await?;
    let mut response = Redirect::to(&visit.path("/-/sign_in")).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

fn field(form: &[u8], name: &str) -> String {
    url::form_urlencoded::parse(form)
        .find(|(key, _)| key == name)
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// A path on this server, or `/`. Browsers take `//host` and `/\host` for other
/// servers.
fn own_path(to: &str) -> &str {
    let is_own = to.starts_with('/')
        && !to.starts_with("//")
        && !to.contains('\\')
        && to.bytes().all(|byte| byte.is_ascii_graphic());
    if is_own { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/acme/web/-/pipelines?page=2", "/acme/web/-/pipelines?page=2")]
    #[case("", "/")]
    #[case("//evil.example", "/")]
    #[case("/\\evil.example", "/")]
    #[case("https://evil.example", "/")]
    #[case("/a\r\nSet-Cookie: x", "/")]
    fn signing_in_leads_to_our_own_pages_only(#[case] to: &str, #[case] expected: &str) {
        assert_eq!(own_path(to), expected);
    }
}
