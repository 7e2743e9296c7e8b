//! `POST /projects/:id/trigger/builds`: a branch, a tag or any commit is built
//! (GitLab: `lib/api/v3/triggers.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};

use super::BASE;
use super::entities::TriggerRequest;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::idempotency;
use crate::api::gitlab::params::Params;
use crate::api::gitlab::trigger_authority::{self, Tokens};
use crate::api::gitlab::trigger_run::{given_variables, ref_of_path, refuse_pipeline_hook};
use crate::api::operation::{self, Audience, Operation, object, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::intake::{self, Refusal, RunRequest, Started};
use crate::webhooks;

/// Starting builds with a token.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            described(operation::post("/projects/{id}/trigger/builds"))
                .id("v3TriggerBuilds")
                .about("Builds a branch, a tag or a commit.")
                .body(
                    text("ref")
                        .required()
                        .about("A branch, a tag or a commit id."),
                ),
            trigger,
        )
        .add(
            described(operation::post("/projects/{id}/ref/{*rest}"))
                .shown_as("/projects/{id}/ref/{ref}/trigger/builds")
                .id("v3TriggerBuildsOfRef")
                .about("Builds the ref of the address, for webhooks."),
            trigger_ref,
        )
}

/// What all forms of the call have in common.
pub fn described(operation: Operation) -> Operation {
    operation
        .audience(Audience::Anybody)
        .body(text("token").required().about("Of a trigger."))
        .body(object("variables").about("Names and values for the jobs."))
        .header(text("Idempotency-Key").about("The same key and body start one run only."))
        .replies::<TriggerRequest>(StatusCode::CREATED)
}

async fn trigger(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    start(&app, &call).await
}

async fn trigger_ref(State(app): State<SharedApp>, mut call: Call) -> ApiResult<Response> {
    let Some(ref_name) = ref_of_path(call.uri.path(), "/trigger/builds") else {
        return Err(ApiError::unknown_route());
    };
    call.path_wins("ref", ref_name);
    start(&app, &call).await
}

async fn start(app: &SharedApp, call: &Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let ref_name = checks.required_text("ref").into_owned();
    let token = checks.required_text("token").into_owned();
    checks.object("variables");
    checks.finish()?;
    let request = request(app, call, ref_name, &token).await?;
    let request = RunRequest {
        accepts_sha: true,
        ..request
    };
    let started = intake::start_run(app, request)
        .await
        .map_err(in_old_words)?;
    Ok(accepted(started, given(&call.params)))
}

/// A run as scripts of that time want it, for whoever holds the token. There is
/// no `TRIGGER_PAYLOAD` among its variables yet.
pub async fn request(
    app: &SharedApp,
    call: &Call,
    ref_name: String,
    token: &str,
) -> ApiResult<RunRequest> {
    refuse_pipeline_hook(call)?;
    let variables = given_variables(&call.params)?;
    let key = idempotency::header(&call.headers)?;
    let authority =
        trigger_authority::find(app, call.path("id"), token, Tokens::OfTriggers).await?;
    let credential = authority.credential;
    let project = authority.project;
    Ok(RunRequest {
        hooks: webhooks::chain::behind(app, &call.headers).await?,
        trigger: authority.trigger,
        variables,
        has_build_names: true,
        idempotency: idempotency::scoped(key, project.id, credential.clone(), &call.params),
        credential,
        ..RunRequest::new(project, authority.user, authority.source, ref_name)
    })
}

/// The variables as they were given.
pub fn given(params: &Params) -> Map<String, Value> {
    match params.get("variables") {
        Some(Value::Object(variables)) => variables.clone(),
        _ => Map::new(),
    }
}

/// 201; also for a run that is kept only to show what is wrong with its file,
/// which GitLab called a failure of the build, not of the request.
pub fn accepted(started: Started, variables: Map<String, Value>) -> Response {
    let shown = TriggerRequest {
        id: started.run.id.0,
        variables,
    };
    let mut response = (StatusCode::CREATED, axum::Json(shown)).into_response();
    if started.replayed {
        idempotency::mark_replayed(response.headers_mut());
    }
    response
}

/// Two refusals had other words in GitLab 9.5.
fn in_old_words(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NotStarted { message } | Refusal::NothingToRun { message } => {
            ApiError::invalid("base", old_words(message))
        }
        other => other.into(),
    }
}

fn old_words(message: String) -> String {
    if message == "Missing CI config file" {
        "Missing .gitlab-ci.yml file".to_owned()
    } else if message.starts_with("The resulting pipeline would have been empty") {
        "No stages / jobs for this pipeline.".to_owned()
    } else {
        message
    }
}
