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
use tappet_model::{AttemptId, Source, Variable};
use tappet_store::{Attempt, Project, Trigger, User};

use super::access;
use super::auth;
use super::call::{self, Call, is_credential};
use super::entities::pipeline::{Pipeline, as_created};
use super::errors::{ApiError, ApiResult};
use super::idempotency;
use super::params::Params;
use crate::app::{App, SharedApp};
use crate::clock;
use crate::intake::{self, RunRequest, Started};
use crate::rights::Right;

/// GitLab's limit of inputs of one pipeline.
const MAX_INPUTS: usize = 20;

/// `POST /projects/:id/trigger/pipeline`.
pub async fn trigger(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    start(&app, call).await
}

/// `POST /projects/:id/ref/:ref/trigger/pipeline`, where the ref may hold
/// slashes, encoded or not, and beats the one of the body.
pub async fn trigger_ref(State(app): State<SharedApp>, mut call: Call) -> ApiResult<Response> {
    let Some(ref_name) = ref_of_path(call.uri.path()) else {
        return Err(ApiError::unknown_route());
    };
    call.path_wins("ref", ref_name);
    start(&app, call).await
}

/// What stands between `/ref/` and `/trigger/pipeline`, decoded once.
fn ref_of_path(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/projects/")?;
    let (_, rest) = rest.split_once("/ref/")?;
    let ref_name = rest.strip_suffix("/trigger/pipeline")?;
    Some(call::decode(ref_name))
}

/// Who starts the run, as the token says.
struct Authority {
    user: Option<User>,
    trigger: Option<Trigger>,
    source_job: Option<AttemptId>,
    credential: String,
    source: Source,
}

async fn start(app: &App, mut call: Call) -> ApiResult<Response> {
    let (ref_name, token, input_names) = validated(&call)?;
    if call.header("x-gitlab-event") == Some("Pipeline Hook") {
        return Err(ApiError::forbidden());
    }
    let mut variables = given_variables(&call.params)?;
    let key = idempotency::header(&call.headers)?;

    // All look-ups always happen, so an unknown project costs what an unknown token costs.
    let project = access::find_project(app, call.path("id")).await?;
    let token = look_up(app, &token).await?;
    let project = project.ok_or_else(ApiError::not_found)?;
    let authority = authority(app, &project, token)
        .await?
        .ok_or_else(ApiError::not_found)?;

    refuse_inputs(&input_names)?;
    let id = call.path("id").to_owned();
    let idempotency =
        idempotency::scoped(key, project.id, authority.credential.clone(), &call.params);
    variables.push(payload(std::mem::take(&mut call.params), id));
    let request = RunRequest {
        trigger: authority.trigger,
        source_job: authority.source_job,
        variables,
        credential: authority.credential,
        idempotency,
        ..RunRequest::new(
            project.clone(),
            authority.user.clone(),
            authority.source,
            ref_name,
        )
    };
    let started = intake::start_run(app, request).await?;
    Ok(answer(app, &project, authority.user.as_ref(), started))
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

fn given_variables(params: &Params) -> ApiResult<Vec<Variable>> {
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

/// What a token turned out to be.
enum Token {
    Trigger(Box<Trigger>),
    Job(Box<Attempt>),
    Unknown,
}

async fn look_up(app: &App, token: &str) -> ApiResult<Token> {
    if token.len() > auth::MAX_TOKEN_BYTES {
        return Ok(Token::Unknown);
    }
    let hash = app.secrets.keyed_hash(token);
    if let Some(trigger) = app.store.trigger_by_hash(hash, clock::now()).await? {
        return Ok(Token::Trigger(Box::new(trigger)));
    }
    Ok(match auth::attempt_of_token(app, token).await? {
        Some(attempt) => Token::Job(Box::new(attempt)),
        None => Token::Unknown,
    })
}

/// `None` for everything that must look like a project that does not exist.
async fn authority(app: &App, project: &Project, token: Token) -> ApiResult<Option<Authority>> {
    let (owner, credential, source, trigger, source_job) = match token {
        Token::Trigger(trigger) if trigger.project_id == project.id => {
            let credential = format!("trigger:{}", trigger.id);
            (
                trigger.owner_id,
                credential,
                Source::Trigger,
                Some(*trigger),
                None,
            )
        }
        Token::Job(attempt) if attempt.project_id == project.id => {
            if !attempt.status.is_executing() {
                return Err(auth::job_is_not_running());
            }
            let Some(run) = app.store.run(attempt.run_id).await? else {
                return Ok(None);
            };
            let credential = format!("job:{}", attempt.id);
            (
                run.user_id,
                credential,
                Source::Pipeline,
                None,
                Some(attempt.id),
            )
        }
        _ => return Ok(None),
    };
    let user = match owner {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    if let Some(user) = &user {
        let standing = app.standing(Some(user), project).await?;
        if !standing.is_blocked && !standing.may(Right::ReadProject, project) {
            return Ok(None);
        }
    }
    Ok(Some(Authority {
        user,
        trigger,
        source_job,
        credential,
        source,
    }))
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
            ApiError::fields(StatusCode::UNPROCESSABLE_ENTITY, "base", first).into_response()
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
        assert_eq!(ref_of_path(path).as_deref(), expected);
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
