//! Letting a program in that asked for it from a terminal (`depot login`).

use std::time::Instant;

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::problem::{PageResult, Problem};
use super::visit::{Frame, Visit, html};
use crate::device_logins::Answer;

/// Bytes of a form that are read.
const FORM_LIMIT: usize = 1024;

#[derive(Template)]
#[template(path = "device_login.html")]
struct DeviceLoginPage {
    frame: Frame,
    username: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The buttons are there.
    Asking,
    /// The program was let in.
    Approved,
    /// It was not.
    Denied,
    /// There is nothing to answer any more.
    Over,
}

/// `GET /-/depot/login/:id`.
pub fn page(visit: &Visit, id: &str) -> PageResult<Response> {
    let is_open = visit.app.device_logins.is_open(id, Instant::now());
    show(visit, if is_open { State::Asking } else { State::Over })
}

/// `POST /-/depot/login/:id` with `answer`, which is `approve` or `deny`.
pub async fn answer(visit: &Visit, id: &str, body: Body) -> PageResult<Response> {
    let user = visit.user.as_ref().ok_or(Problem::SignInFirst)?;
    let form = axum::body::to_bytes(body, FORM_LIMIT)
        .await
        .map_err(|_| Problem::BadForm {
            reason: "it is too long or was cut off",
        })?;
    let mut fields = url::form_urlencoded::parse(&form);
    let word = fields.find(|(name, _)| name == "answer");
    let (answer, state) = match word.as_ref().map(|(_, word)| word.as_ref()) {
        Some("approve") => (Answer::Approve(user.id), State::Approved),
        Some("deny") => (Answer::Deny, State::Denied),
        _ => {
            return Err(Problem::BadForm {
                reason: "it says neither yes nor no",
            });
        }
    };
    let is_taken = visit.app.device_logins.answer(id, answer, Instant::now());
    show(visit, if is_taken { state } else { State::Over })
}

fn show(visit: &Visit, state: State) -> PageResult<Response> {
    let user = visit.user.as_ref().ok_or(Problem::SignInFirst)?;
    let page = html(&DeviceLoginPage {
        frame: visit.frame("Sign in from a terminal"),
        username: user.username.clone(),
        state,
    })?;
    match state {
        State::Over => Ok((StatusCode::NOT_FOUND, page).into_response()),
        _ => Ok(page),
    }
}
