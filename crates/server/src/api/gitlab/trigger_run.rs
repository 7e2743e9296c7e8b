//! The main call: `POST /projects/:id/trigger/pipeline`
//! (GitLab: `lib/api/ci/triggers.rb`, `app/services/ci/pipeline_trigger_service.rb`).
//!
//! No user signs in here: the token is the credential. A project that does not
//! exist, an unknown, revoked or expired token and a token of another project
//! all get the same answer after the same work.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use tappet_model::Variable;
use tappet_store::{Project, User};

use super::BASE;
use super::call::{self, Call, is_credential};
use super::entities::pipeline::{Pipeline, as_created};
use super::errors::{ApiError, ApiResult};
use super::field_errors::FieldErrors;
use super::idempotency;
use super::params::Params;
use super::trigger_authority::{self, Tokens};
use crate::api::operation::{self, Audience, Operation, object, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::intake::{self, RunRequest, Started};
use crate::webhooks;

/// GitLab's limit of inputs of one pipeline.
const MAX_INPUTS: usize = 20;

/// Starting runs with a token.
pub fn routes() -> Routes {
    let described = |operation: Operation| {
        operation
            .audience(Audience::Anybody)
            .body(
                text("token")
                    .required()
                    .about("Of a trigger, or of a running job."),
            )
            .body(object("variables").about("Names and values for the jobs."))
            .header(text("Idempotency-Key").about("The same key and body start one run only."))
            .header(text("X-Gitlab-Event").about("`Pipeline Hook` is refused: it would go round."))
            .replies::<Pipeline<'_>>(StatusCode::CREATED)
    };
    Routes::under(BASE)
        .add(
            described(operation::post("/projects/{id}/trigger/pipeline"))
                .id("triggerPipeline")
                .about("Starts a run with a trigger token.")
                .body(text("ref").required().about("A branch or a tag.")),
            trigger,
        )
        .add(
            described(operation::post("/projects/{id}/ref/{*rest}"))
                .shown_as("/projects/{id}/ref/{ref}/trigger/pipeline")
                .id("triggerPipelineOfRef")
                .about("Starts a run on the ref of the address, for webhooks."),
            trigger_ref,
        )
}

/// `POST /projects/:id/trigger/pipeline`.
pub async fn trigger(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    start(&app, call).await
}

/// `POST /projects/:id/ref/:ref/trigger/pipeline`, where the ref may hold
/// slashes, encoded or not, and beats the one of the body.
pub async fn trigger_ref(State(app): State<SharedApp>, mut call: Call) -> ApiResult<Response> {
    let Some(ref_name) = ref_of_path(call.uri.path(), "/trigger/pipeline") else {
        return Err(ApiError::unknown_route());
    };
    call.path_wins("ref", ref_name);
    start(&app, call).await
}

/// What stands between `/ref/` and `end`, decoded once.
pub fn ref_of_path(path: &str, end: &str) -> Option<String> {
    let (_, rest) = path.split_once("/projects/")?;
    let (_, rest) = rest.split_once("/ref/")?;
    let ref_name = rest.strip_suffix(end)?;
    Some(call::decode(ref_name))
}

/// `X-Gitlab-Event` of the hook that reports pipelines: a pipeline that it starts
/// would report itself for ever.
pub fn refuse_pipeline_hook(call: &Call) -> ApiResult<()> {
    if call.header("x-gitlab-event") == Some("Pipeline Hook") {
        return Err(ApiError::forbidden());
    }
    Ok(())
}

async fn start(app: &SharedApp, mut call: Call) -> ApiResult<Response> {
    let (ref_name, token, input_names) = validated(&call)?;
    refuse_pipeline_hook(&call)?;
    let mut variables = given_variables(&call.params)?;
    let key = idempotency::header(&call.headers)?;
    let id = call.path("id").to_owned();
    let authority = trigger_authority::find(app, &id, &token, Tokens::OfTriggersAndJobs).await?;
    refuse_inputs(&input_names)?;
    let project = authority.project;
    let user = authority.user;
    let idempotency =
        idempotency::scoped(key, project.id, authority.credential.clone(), &call.params);
    variables.push(payload(std::mem::take(&mut call.params), id));
    let request = RunRequest {
        hooks: webhooks::chain::behind(app, &call.headers).await?,
        trigger: authority.trigger,
        source_job: authority.source_job,
        variables,
        credential: authority.credential,
        idempotency,
        ..RunRequest::new(project.clone(), user.clone(), authority.source, ref_name)
    };
    let started = intake::start_run(app, request).await?;
    Ok(answer(app, &project, user.as_ref(), started))
}

/// Ref, token and names of inputs.
fn validated(call: &Call) -> ApiResult<(String, String, Vec<String>)> {
    let mut checks = call.checks();
    let ref_name = checks.required_filled_text("ref");
    let header = call
        .header("job-token")
        .filter(|_| !call.params.contains_key("token"));
    let token = match header {
        Some(token) => token.into(),
        None => checks.required_text("token"),
    };
    checks.object("variables");
    let inputs = checks.object("inputs");
    checks.finish()?;
    let names = inputs.map_or_else(Vec::new, |inputs| inputs.keys().cloned().collect());
    Ok((ref_name.into_owned(), token.into_owned(), names))
}

/// `variables` as a map of texts.
pub fn given_variables(params: &Params) -> ApiResult<Vec<Variable>> {
    let Some(Value::Object(variables)) = params.get("variables") else {
        return Ok(Vec::with_capacity(1));
    };
    let mut given = Vec::with_capacity(variables.len() + 1);
    for (key, value) in variables {
        let Value::String(value) = value else {
            return Err(ApiError::message(
                StatusCode::BAD_REQUEST,
                "variables needs to be a map of key-valued strings",
            ));
        };
        given.push(Variable::new(key, value));
    }
    Ok(given)
}

/// Inputs would change what runs, so they are not dropped silently.
pub fn refuse_inputs(names: &[String]) -> ApiResult<()> {
    if names.len() > MAX_INPUTS {
        return Err(ApiError::invalid(
            "base",
            "There cannot be more than 20 inputs",
        ));
    }
    if names.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid(
        "base",
        format!(
            "inputs are not supported yet (got {}); pass them as variables instead",
            names.join(", ")
        ),
    ))
}

/// `TRIGGER_PAYLOAD`: all parameters as JSON, a webhook's own fields included.
/// GitLab takes out only `token`; no other credential belongs in a variable
/// that jobs can read either.
fn payload(mut params: Params, id: String) -> Variable {
    params.retain(|name, _| !is_credential(name));
    params.insert("id".to_owned(), Value::String(id));
    let variables = params
        .entry("variables")
        .or_insert_with(|| Value::Object(Params::new()));
    if !variables.is_object() {
        *variables = Value::Object(Params::new());
    }
    Variable::file("TRIGGER_PAYLOAD", Value::Object(params).to_string())
}

/// 201 with the run as it was created, or 422 for one that was kept only to
/// show what is wrong with its file.
fn answer(app: &App, project: &Project, user: Option<&User>, started: Started) -> Response {
    let replayed = started.replayed;
    let run = as_created(started.run);
    let mut response = match &run.yaml_errors {
        Some(errors) => {
            let first = errors.lines().next().unwrap_or_default();
            FieldErrors::one("base", first)
                .with_status(StatusCode::UNPROCESSABLE_ENTITY)
                .into_response()
        }
        None => {
            let pipeline = Pipeline::of(&app.config, project, &run, user);
            (StatusCode::CREATED, axum::Json(pipeline)).into_response()
        }
    };
    if replayed {
        idempotency::mark_replayed(response.headers_mut());
    }
    response
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("/api/v4/projects/9/ref/main/trigger/pipeline", Some("main"))]
    #[case(
        "/api/v4/projects/a%2Fb/ref/feature%2Fx.y/trigger/pipeline",
        Some("feature/x.y")
    )]
    #[case("/api/v4/projects/9/ref/feature/x/trigger/pipeline", Some("feature/x"))]
    #[case("/api/v4/projects/9/ref/a/ref/b/trigger/pipeline", Some("a/ref/b"))]
    #[case(
        "/api/v4/projects/9/ref/x/trigger/pipeline/trigger/pipeline",
        Some("x/trigger/pipeline")
    )]
    #[case("/api/v4/projects/9/ref/100%2525/trigger/pipeline", Some("100%25"))]
    #[case("/api/v4/projects/9/ref/main/trigger", None)]
    fn the_ref_of_the_path_is_decoded_once(#[case] path: &str, #[case] expected: Option<&str>) {
        assert_eq!(ref_of_path(path, "/trigger/pipeline").as_deref(), expected);
    }

    #[rstest]
    #[case(
        json!({"ref":"master","token":"t"}),
        r#"{"ref":"master","id":"42","variables":{}}"#
    )]
    #[case(
        json!({"variables":{"A":"1"},"id":7,"ref":"m","private_token":"p","access_token":"a","job_token":"j"}),
        r#"{"variables":{"A":"1"},"id":"42","ref":"m"}"#
    )]
    #[case(
        json!({"ref":"m","variables":null,"object_kind":"push","commits":[{"token":"theirs"}]}),
        r#"{"ref":"m","variables":{},"object_kind":"push","commits":[{"token":"theirs"}],"id":"42"}"#
    )]
    fn the_payload_holds_everything_but_credentials(#[case] params: Value, #[case] expected: &str) {
        let variable = payload(params.as_object().unwrap().clone(), "42".into());
        let value: Value = serde_json::from_str(&variable.value).unwrap();
        assert_eq!(value.to_string(), expected);
        assert!(variable.raw);
    }
}
