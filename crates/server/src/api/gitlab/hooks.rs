//! Webhooks of a project (GitLab: `lib/api/project_hooks.rb`).

mod settings;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::HookId;
use tappet_store::{
    AttemptFilter, Hook as HookRecord, NewHook, PageRequest, RunFilter, StoreError, StoreResult,
};

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::hook::{Hook, HookEvent};
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::api::operation::{self, Operation, Shape, boolean, objects, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;
use crate::webhooks::{self, HookSecrets, Subject, TestError};
use settings::Given;

/// Webhooks.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/hooks")
                .id("listHooks")
                .about("Lists the webhooks of a project.")
                .paged()
                .replies_list::<Hook<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/hooks/{hook_id}")
                .id("getHook")
                .about("Shows one webhook.")
                .replies::<Hook<'_>>(StatusCode::OK),
            get,
        )
        .add(
            with_settings(
                operation::post("/projects/{id}/hooks")
                    .id("createHook")
                    .about("Adds a webhook.")
                    .body(text("url").required()),
            )
            .replies::<Hook<'_>>(StatusCode::CREATED),
            create,
        )
        .add(
            with_settings(
                operation::put("/projects/{id}/hooks/{hook_id}")
                    .id("updateHook")
                    .about("Changes a webhook; one that was disabled starts afresh.")
                    .body(text("url").about("A new one drops the token.")),
            )
            .replies::<Hook<'_>>(StatusCode::OK),
            update,
        )
        .add(
            operation::delete("/projects/{id}/hooks/{hook_id}")
                .id("deleteHook")
                .about("Removes a webhook.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
        .add(
            operation::post("/projects/{id}/hooks/{hook_id}/test/{trigger}")
                .id("testHook")
                .about("Tells the newest pipeline or job now: pipeline_events, job_events.")
                .reply(StatusCode::CREATED, Shape::Bytes("application/json")),
            test,
        )
        .add(
            operation::get("/projects/{id}/hooks/{hook_id}/events")
                .id("listHookEvents")
                .about("Lists what a webhook told in the last week, newest first.")
                .query(
                    text("status")
                        .about("A status, or successful, client_failure, server_failure."),
                )
                .paged()
                .replies_list::<HookEvent<'_>>(StatusCode::OK),
            events,
        )
}

fn with_settings(operation: Operation) -> Operation {
    settings::EVENTS_NEVER_SENT
        .iter()
        .fold(operation, |operation, name| {
            operation.body(boolean(name).about("Only false."))
        })
        .body(boolean("pipeline_events"))
        .body(boolean("job_events"))
        .body(boolean("enable_ssl_verification"))
        .body(text("token").about("Sent as X-Gitlab-Token, never shown."))
        .body(text("name"))
        .body(text("description"))
        .body(objects("custom_headers").about("Objects of key and value."))
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Access> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::ManageHooks)?;
    Ok(access)
}

async fn open_hook(app: &SharedApp, call: &Call) -> ApiResult<(Access, HookRecord)> {
    let access = open(app, call).await?;
    let id = HookId(call.number("hook_id")?);
    let hook = app.store.hook(access.project.id, id).await?;
    Ok((access, hook.ok_or_else(ApiError::record_not_found)?))
}

fn shown(hook: &HookRecord) -> Hook<'_> {
    Hook::of(hook, false, clock::now())
}

async fn audit(app: &App, action: &str, access: &Access, hook: &HookRecord) {
    let entry = Entry::new(action, access.standing.user_id)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(json!({ "hook_id": hook.id }));
    app.audit(entry).await;
}

/// `GET /projects/:id/hooks`.
async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    checks.finish()?;
    let listing = app.store.hooks(access.project.id, page).await?;
    let now = clock::now();
    let items: Vec<Hook<'_>> = listing
        .items
        .iter()
        .map(|hook| Hook::of(hook, true, now))
        .collect();
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}

/// `GET /projects/:id/hooks/:hook_id`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, hook) = open_hook(&app, &call).await?;
    Ok(axum::Json(shown(&hook)).into_response())
}

/// `POST /projects/:id/hooks`.
async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let mut checks = call.checks();
    checks.required_text("url");
    let given = Given::read(&mut checks);
    checks.finish()?;
    let given = given.check(&app.config)?;
    let (mut settings, mut secrets) = Default::default();
    given.apply(&mut settings, &mut secrets);
    let limit = app.config.limits.hooks_per_project;
    let name = crate::secrets::new_token("");
    let new = NewHook {
        project_id: access.project.id,
        uuid: webhooks::uuid_of(&app.secrets, &format!("hook {name}")),
        settings,
        sealed_secrets: secrets.seal(&app.secrets),
        limit,
        now: clock::now(),
    };
    let hook = match app.store.add_hook(new).await {
        Err(StoreError::Taken { .. }) => {
            let text = format!("Maximum number of project hooks ({limit}) exceeded");
            return Err(ApiError::error(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
        other => other?,
    };
    app.webhooks.added();
    audit(&app, "hook_created", &access, &hook).await;
    Ok((StatusCode::CREATED, axum::Json(shown(&hook))).into_response())
}

/// `PUT /projects/:id/hooks/:hook_id`.
async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, hook) = open_hook(&app, &call).await?;
    let mut checks = call.checks();
    let given = Given::read(&mut checks);
    checks.finish()?;
    if given.is_empty() {
        let text = "No parameters provided";
        return Err(ApiError::error(StatusCode::BAD_REQUEST, text));
    }
    let given = given.check(&app.config)?;
    let mut settings = hook.settings.clone();
    let mut secrets = HookSecrets::unseal(&app.secrets, &hook).unwrap_or_default();
    given.apply(&mut settings, &mut secrets);
    let sealed = secrets.seal(&app.secrets);
    app.store.update_hook(hook.id, settings, sealed).await?;
    app.webhooks.added();
    audit(&app, "hook_updated", &access, &hook).await;
    let hook = app.store.hook(access.project.id, hook.id).await?;
    let hook = hook.ok_or_else(ApiError::record_not_found)?;
    Ok(axum::Json(shown(&hook)).into_response())
}

/// `DELETE /projects/:id/hooks/:hook_id`.
async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, hook) = open_hook(&app, &call).await?;
    app.store.delete_hook(access.project.id, hook.id).await?;
    audit(&app, "hook_removed", &access, &hook).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /projects/:id/hooks/:hook_id/test/:trigger`.
async fn test(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, hook) = open_hook(&app, &call).await?;
    let of_job = match call.path("trigger") {
        "pipeline_events" => false,
        "job_events" => true,
        _ => return Err(ApiError::param("trigger does not have a valid value")),
    };
    let unprocessable = |text: String| ApiError::message(StatusCode::UNPROCESSABLE_ENTITY, text);
    let subject = newest(&app, &access, of_job).await?;
    let subject = subject.ok_or_else(|| {
        let what = if of_job { "jobs" } else { "pipelines" };
        unprocessable(format!("Ensure the project has CI {what}."))
    })?;
    match webhooks::send_test(&app, &hook, &subject).await {
        Ok(()) => {
            let body = json!({ "message": "201 Created" });
            Ok((StatusCode::CREATED, axum::Json(body)).into_response())
        }
        Err(TestError::Store(error)) => Err(error.into()),
        Err(error) => Err(unprocessable(error.to_string())),
    }
}

async fn newest(app: &App, access: &Access, of_job: bool) -> StoreResult<Option<Subject>> {
    let one = PageRequest {
        page: 1,
        per_page: 1,
    };
    let runs = app
        .store
        .runs(access.project.id, RunFilter::default(), one)
        .await?;
    let Some(run) = runs.items.first() else {
        return Ok(None);
    };
    let attempt = if of_job {
        let filter = AttemptFilter::default();
        let attempts = app.store.attempts(run.id, filter, one).await?;
        match attempts.items.first() {
            Some(attempt) => Some(attempt.id),
            None => return Ok(None),
        }
    } else {
        None
    };
    Subject::find(app, run.id, attempt).await
}

/// `GET /projects/:id/hooks/:hook_id/events`.
async fn events(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, hook) = open_hook(&app, &call).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let answers = match checks.filled_text("status").as_deref() {
        None => None,
        Some("successful") => Some((200, 299)),
        Some("client_failure") => Some((400, 499)),
        Some("server_failure") => Some((500, 599)),
        Some(number) => match number.parse() {
            Ok(status @ 100..=599) => Some((status, status)),
            _ => {
                checks.refuse("status does not have a valid value");
                None
            }
        },
    };
    checks.finish()?;
    let listing = app.store.deliveries(hook.id, answers, page).await?;
    let items: Vec<HookEvent<'_>> = listing
        .items
        .iter()
        .map(|delivery| HookEvent::of(&hook, delivery))
        .collect();
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}
