//! The web pages: server-rendered, readable without JavaScript, with small ES
//! modules for what moves. Nothing is loaded from outside.
//!
//! Project paths hold slashes, so one handler takes every address that no API
//! has, and [`address`] says what it means. Pages only read; whatever changes
//! something is a POST from the same origin.

mod actions;
mod address;
mod assets;
mod ci_settings;
mod device_login;
mod docs;
mod headers;
mod job;
mod log_view;
mod moment;
mod origin;
mod paging;
mod pipeline;
mod pipelines;
mod problem;
mod projects;
mod session;
mod sign_in;
mod source_badge;
mod status_mark;
mod variables;
mod visit;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::Method;
use http::request::Parts;

use crate::app::SharedApp;
use address::{Address, ProjectPage};
use problem::{PageResult, Problem};
pub use session::session_user;
use visit::Visit;

/// Routes of the pages below the path prefix.
pub fn router() -> Router<SharedApp> {
    Router::new()
        .route("/-/assets/{digest}/{name}", get(assets::serve))
        .fallback(serve)
        .layer(axum::middleware::from_fn(crate::to_the_end::run))
}

/// `/-/docs`.
pub async fn docs(State(app): State<SharedApp>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let response = match Visit::begin(app, &parts).await {
        Ok(visit) => docs::page(&visit).unwrap_or_else(|problem| problem.page(&visit)),
        Err((visit, error)) => Problem::from(error).page(&visit),
    };
    headers::add(response)
}

/// Answers any address with a page.
async fn serve(State(app): State<SharedApp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = match Visit::begin(app, &parts).await {
        Ok(visit) => visit,
        Err((visit, error)) => return headers::add(Problem::from(error).page(&visit)),
    };
    let response = match answer(&visit, &parts, body).await {
        Ok(response) => response,
        Err(problem) => problem.page(&visit),
    };
    headers::add(response)
}

async fn answer(visit: &Visit, parts: &Parts, body: Body) -> PageResult<Response> {
    let address = Address::parse(parts.uri.path()).ok_or(Problem::NotFound)?;
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    match (&address, reads, parts.method == Method::POST) {
        (Address::SignIn, _, true) => {
            origin::check(&visit.app.config, &parts.headers)?;
            sign_in::with_form(visit, parts, body).await
        }
        (Address::SignOut, _, true) => {
            origin::check(&visit.app.config, &parts.headers)?;
            sign_in::out(visit, &parts.headers).await
        }
        (Address::DeviceLogin { id }, _, true) => {
            origin::check(&visit.app.config, &parts.headers)?;
            device_login::answer(visit, id, body).await
        }
        (Address::Action { project, action }, _, true) => {
            origin::check(&visit.app.config, &parts.headers)?;
            actions::act(visit, project, *action).await
        }
        (Address::CiConfigs { project, change }, _, true) => {
            origin::check(&visit.app.config, &parts.headers)?;
            ci_settings::change(visit, project, *change, body).await
        }
        (Address::SignOut | Address::Action { .. } | Address::CiConfigs { .. }, _, false) => {
            Err(Problem::WrongMethod { allow: "POST" })
        }
        (_, false, _) => Err(Problem::WrongMethod { allow: "GET, HEAD" }),
        (Address::Home | Address::Projects, ..) => projects::page(visit, &parts.uri).await,
        (Address::SignIn, ..) => sign_in::page(visit, &parts.uri),
        (Address::DeviceLogin { id }, ..) => device_login::page(visit, id),
        (Address::SignInLink { token }, ..) => sign_in::with_link(visit, token, parts).await,
        (Address::Project { path }, ..) => {
            let project = visit.project(path).await?;
            let to = visit.path(&format!("/{}/-/pipelines", project.path));
            Ok(Redirect::to(&to).into_response())
        }
        (Address::InProject { project, page }, ..) => {
            let project = visit.project(project).await?;
            match page {
                ProjectPage::Pipelines => pipelines::page(visit, project, &parts.uri).await,
                ProjectPage::Pipeline(id) => pipeline::page(visit, project, *id).await,
                ProjectPage::Job(id) => job::page(visit, project, *id).await,
                ProjectPage::CiSettings => ci_settings::page(visit, project).await,
            }
        }
    }
}
