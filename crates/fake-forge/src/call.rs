//! One call: checked, recorded, answered.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State as Shares;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tappet_model::ForgeKind;
use tokio::sync::watch;

use crate::route::{Route, route};
use crate::state::State;
use crate::trouble::Trouble;
use crate::{base_path, comments, paging, shape, statuses};

/// A call as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedCall {
    /// Its method.
    pub method: String,
    /// Path and query below the base address.
    pub path: String,
    /// Its JSON; null when there was none.
    pub body: Value,
    /// How it was answered.
    pub status: u16,
}

#[derive(Clone)]
pub(crate) struct Shared {
    pub state: Arc<Mutex<State>>,
    pub changed: Arc<watch::Sender<u64>>,
}

pub(crate) async fn receive(
    Shares(shared): Shares<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let reply = {
        let mut state = shared.state.lock().expect("no call panicked");
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let reply = answer(&mut state, &method, &uri, &headers, &json);
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let base = base_path(state.kind);
        state.calls.push(RecordedCall {
            method: method.to_string(),
            path: path.strip_prefix(base).unwrap_or(path).to_owned(),
            body: json,
            status: reply.status().as_u16(),
        });
        reply
    };
    shared.changed.send_modify(|count| *count += 1);
    reply
}

fn answer(
    state: &mut State,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Value,
) -> Response {
    let kind = state.kind;
    let trouble = state.trouble.pop_front().unwrap_or(Trouble::None);
    if let Some(reply) = trouble.reply() {
        return reply;
    }
    if !is_authorized(state, headers) {
        return told(kind, 401, "401 Unauthorized");
    }
    let route = uri
        .path()
        .strip_prefix(base_path(kind))
        .and_then(|path| route(kind, method, path));
    let Some(route) = route else {
        state
            .violations
            .push(format!("{method} {uri} is no call of this API"));
        return not_found(kind);
    };
    let broken = broken_header(kind, &route, headers)
        .or_else(|| broken_name(&route))
        .or_else(|| shape::broken_rule(kind, &route, body));
    if let Some(rule) = broken {
        state.violations.push(format!("{method} {uri}: {rule}"));
        return told(kind, 422, &rule);
    }
    let reply = act(state, &route, uri, body);
    match trouble {
        Trouble::LostReply => told(kind, 502, "the reply was lost"),
        _ => reply,
    }
}

fn act(state: &mut State, route: &Route, uri: &Uri, body: &Value) -> Response {
    match route {
        Route::SetStatus { sha } => statuses::set(state, sha, body),
        Route::NewComment { number } => comments::write(state, number, body),
        Route::EditComment { id } => comments::edit(state, id, body),
        Route::ListComments { number } => {
            let listed = comments::listed(state, number);
            let origin = state.url.trim_end_matches(base_path(state.kind));
            let url = format!("{origin}{}", uri.path());
            match paging::page(state.kind, &url, uri.query().unwrap_or(""), &listed) {
                Ok(page) => page,
                Err(rule) => {
                    state.violations.push(format!("GET {uri}: {rule}"));
                    told(state.kind, 422, &rule)
                }
            }
        }
    }
}

/// The token where this forge looks for it.
fn is_authorized(state: &State, headers: &HeaderMap) -> bool {
    let token = &state.token;
    let (name, accepted) = match state.kind {
        ForgeKind::Github => ("authorization", vec![format!("Bearer {token}")]),
        ForgeKind::Gitlab => ("private-token", vec![token.clone()]),
        ForgeKind::Gitea => ("authorization", vec![format!("token {token}")]),
        ForgeKind::Bitbucket => {
            let basic = STANDARD.encode(format!("ci:{token}"));
            (
                "authorization",
                vec![format!("Bearer {token}"), format!("Basic {basic}")],
            )
        }
    };
    let given = headers.get(name).and_then(|value| value.to_str().ok());
    given.is_some_and(|given| accepted.iter().any(|one| one == given))
}

fn broken_header(kind: ForgeKind, route: &Route, headers: &HeaderMap) -> Option<String> {
    let is = |name: &str, expected: &str| {
        headers
            .get(name)
            .is_some_and(|value| value.as_bytes() == expected.as_bytes())
    };
    if !headers.contains_key("user-agent") {
        return Some("`User-Agent` is missing".to_owned());
    }
    if kind == ForgeKind::Github && !is("accept", "application/vnd.github+json") {
        return Some("`Accept` must be application/vnd.github+json".to_owned());
    }
    if kind == ForgeKind::Github && !is("x-github-api-version", "2022-11-28") {
        return Some("`X-GitHub-Api-Version` must be 2022-11-28".to_owned());
    }
    let has_body = !matches!(route, Route::ListComments { .. });
    if has_body && !is("content-type", "application/json") {
        return Some("`Content-Type` must be application/json".to_owned());
    }
    None
}

/// Commits have forty digits; numbers and ids have digits alone.
fn broken_name(route: &Route) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match route {
        Route::SetStatus { sha } => {
            let is_sha = sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
            (!is_sha).then(|| format!("`{sha}` is no commit"))
        }
        Route::NewComment { number } | Route::ListComments { number } => {
            (!digits(number)).then(|| format!("`{number}` is no pull request"))
        }
        Route::EditComment { id } => (!digits(id)).then(|| format!("`{id}` is no comment")),
    }
}

/// An error in the forge's shape.
pub(crate) fn told(kind: ForgeKind, status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("these statuses exist");
    let body = match kind {
        ForgeKind::Bitbucket => json!({"type": "error", "error": {"message": message}}),
        _ => json!({"message": message}),
    };
    (status, axum::Json(body)).into_response()
}

pub(crate) fn not_found(kind: ForgeKind) -> Response {
    let message = match kind {
        ForgeKind::Gitlab => "404 Not found",
        _ => "Not Found",
    };
    told(kind, 404, message)
}
