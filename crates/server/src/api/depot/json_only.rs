//! `GetJob` and `GetAttempt`, which Depot's reference lists but no protobuf file: the
//! numbers of their fields are unknown, so they speak JSON only.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use connectrpc::{ConnectError, RequestContext};
use http::Method as Verb;
use http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use tappet_store::Attempt;

use super::ORGANISATION;
use super::caller::{Caller, Identification};
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::opening::{self, Opened};
use super::runs::number;
use super::tree::{self, Branch, Job, is_shown, job_key};
use super::words;
use crate::app::{App, SharedApp};
use crate::failure_text::failure_text;
use crate::rights::Right;

/// One of the two.
#[derive(Clone, Copy)]
enum Method {
    GetJob,
    GetAttempt,
}

/// Where they are.
pub fn router(app: &SharedApp, identification: &Arc<Identification>) -> Router<SharedApp> {
    let service = |method: Method| {
        let (app, identification) = (app.clone(), identification.clone());
        any(async move |request: Request| {
            match answer(&app, &identification, method, request).await {
                Ok(response) => response,
                Err(refused) => refused,
            }
        })
    };
    Router::new()
        .route_service("/depot.ci.v1.CIService/GetJob", service(Method::GetJob))
        .route_service(
            "/depot.ci.v1.CIService/GetAttempt",
            service(Method::GetAttempt),
        )
}

async fn answer(
    app: &App,
    identification: &Identification,
    method: Method,
    request: Request,
) -> Result<Response, Response> {
    let headers = request.headers().clone();
    let refuse = |error: ConnectError| error.into_http_response(&headers).into_response();
    check_head(request.method(), &headers).map_err(&refuse)?;
    let mut ctx = RequestContext::new(headers.clone())
        .with_extensions(request.extensions().clone())
        .with_path(request.uri().path());
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|error| refuse(ConnectError::resource_exhausted(error.body_text())))?;
    identification.identify(&mut ctx).await.map_err(&refuse)?;
    let reply = async {
        let caller = Caller::reading(&ctx)?;
        match method {
            Method::GetJob => job(app, &caller, &text(&body, "jobId", "job_id")?).await,
            Method::GetAttempt => {
                attempt(app, &caller, &text(&body, "attemptId", "attempt_id")?).await
            }
        }
    };
    let reply = reply
        .await
        .map_err(|error: RpcError| refuse(error.into()))?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], reply.to_string()).into_response())
}

/// What Connect asks of a unary call before its body is looked at.
fn check_head(verb: &Verb, headers: &HeaderMap) -> Result<(), ConnectError> {
    if verb != Verb::POST {
        let allow = HeaderMap::from_iter([(ALLOW, HeaderValue::from_static("POST"))]);
        let error = ConnectError::method_not_allowed("only POST is supported");
        return Err(error.with_headers(allow));
    }
    if headers
        .get("connect-protocol-version")
        .is_some_and(|version| version != "1")
    {
        return Err(ConnectError::invalid_argument(
            "unsupported protocol version",
        ));
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind {
        "application/json" => Ok(()),
        "application/proto" => Err(no_numbers()),
        kind if kind.starts_with("application/grpc") => Err(no_numbers()),
        kind => {
            let accepted = HeaderMap::from_iter([(
                http::HeaderName::from_static("accept-post"),
                HeaderValue::from_static("application/json"),
            )]);
            let error = ConnectError::unsupported_media_type(format!(
                "`{kind}` is not understood; send application/json"
            ));
            Err(error.with_headers(accepted))
        }
    }
}

fn no_numbers() -> ConnectError {
    ConnectError::unimplemented(
        "this method speaks JSON only: Depot publishes no field numbers of its messages; \
         send application/json, or call GetWorkflow",
    )
}

/// The one field of a request, in either spelling.
fn text(body: &[u8], name: &str, snake_case: &str) -> RpcResult<String> {
    let request: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| RpcError::invalid(format!("the body is no JSON object: {error}")))?;
    let value = request.get(name).or_else(|| request.get(snake_case));
    match value {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        None | Some(Value::Null | Value::String(_)) => {
            Err(RpcError::invalid(format!("{name} is required")))
        }
        Some(_) => Err(RpcError::invalid(format!("{name} must be a text"))),
    }
}

/// `GetJob`.
async fn job(app: &App, caller: &Caller, id: &str) -> RpcResult<Value> {
    let (opened, newest) = opening::job(app, caller, id).await?;
    opened.require(Right::ReadJobs)?;
    let branch = branch_of(app, &newest, id).await?;
    let mut reply = context(&opened, &branch);
    let job = add_job(app, &mut reply, &branch, &newest).await?;
    let job = job.ok_or_else(|| opening::missing(Kind::Job, id))?;
    let mut attempts = Vec::new();
    for attempt in job.attempts() {
        attempts.push(described(app, attempt, &newest).await?);
    }
    reply.insert("attempts".to_owned(), Value::Array(attempts));
    Ok(Value::Object(reply))
}

/// `GetAttempt`.
async fn attempt(app: &App, caller: &Caller, id: &str) -> RpcResult<Value> {
    let (opened, attempt) = opening::attempt(app, caller, id).await?;
    opened.require(Right::ReadJobs)?;
    if !is_shown(&attempt) {
        return Err(opening::missing(Kind::Attempt, id));
    }
    let branch = branch_of(app, &attempt, id).await?;
    let job = branch
        .jobs
        .iter()
        .find(|job| job.newest().job_id == attempt.job_id);
    let newest = job.map_or(&attempt, Job::newest);
    let mut reply = context(&opened, &branch);
    add_job(app, &mut reply, &branch, newest).await?;
    let described = described(app, &attempt, newest).await?;
    reply.insert("attempt".to_owned(), described);
    Ok(Value::Object(reply))
}

async fn branch_of(app: &App, attempt: &Attempt, id: &str) -> RpcResult<Branch> {
    let workflow = app.store.workflow(attempt.workflow_id).await?;
    let workflow = workflow.ok_or_else(|| opening::missing(Kind::Job, id))?;
    Ok(tree::of_workflow(app, workflow).await?)
}

fn context(opened: &Opened, branch: &Branch) -> Map<String, Value> {
    let (run, workflow) = (&opened.run, &branch.workflow);
    let context = json!({
        "orgId": ORGANISATION,
        "runId": Kind::Run.write(run.id),
        "repo": opened.project.path,
        "ref": words::full_ref(run),
        "sha": run.sha.as_str(),
        "headSha": run.sha.as_str(),
        "trigger": words::trigger(run.source),
        "runStatus": words::run_status(run.status),
        "runCreatedAt": run.created_at.to_string(),
        "runStartedAt": words::time(run.started_at),
        "runFinishedAt": words::time(run.finished_at),
        "workflowId": Kind::Workflow.write(workflow.id),
        "workflowName": workflow.name,
        "workflowPath": workflow.path,
        "workflowStatus": words::run_status(workflow.status),
        "workflowCreatedAt": workflow.created_at.to_string(),
        "workflowStartedAt": words::time(workflow.started_at),
        "workflowFinishedAt": words::time(workflow.finished_at),
    });
    match context {
        Value::Object(context) => context,
        _ => unreachable!("it is written as an object"),
    }
}

async fn add_job<'a>(
    app: &App,
    reply: &mut Map<String, Value>,
    branch: &'a Branch,
    newest: &Attempt,
) -> RpcResult<Option<&'a Job>> {
    let mut jobs = branch.jobs.iter();
    let Some(job) = jobs.find(|job| job.newest().job_id == newest.job_id) else {
        return Ok(None);
    };
    let shown = is_shown(newest).then_some(newest);
    let legs = |job: &&Job| key_without_leg(job.newest()) == key_without_leg(newest);
    let fields = [
        ("jobId", json!(job.id())),
        ("jobKey", json!(job_key(&branch.workflow, newest))),
        ("jobDisplayName", json!(newest.name)),
        ("jobStatus", json!(words::job_status(newest))),
        ("jobConclusion", json!(conclusion(newest))),
        ("jobErrorMessage", json!(error_message(app, newest).await?)),
        ("jobCreatedAt", json!(job.first().created_at.to_string())),
        ("jobDispatchedAt", json!(words::time(newest.queued_at))),
        ("jobStartedAt", json!(words::time(newest.started_at))),
        ("jobFinishedAt", json!(words::time(newest.finished_at))),
        (
            "currentAttemptId",
            json!(shown.map(|attempt| Kind::Attempt.write(attempt.id))),
        ),
        ("currentAttempt", json!(shown.map(number))),
        (
            "strategy",
            json!({ "jobTotal": branch.jobs.iter().filter(legs).count() }),
        ),
        ("runsOn", json!({ "labels": newest.tags })),
    ];
    reply.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Ok(Some(job))
}

/// The same for all legs of one matrix, and for no other job.
fn key_without_leg(attempt: &Attempt) -> (Option<&str>, &str) {
    match &attempt.key {
        Some(key) => (Some(&key.job), ""),
        None => (None, &attempt.name),
    }
}

async fn described(app: &App, attempt: &Attempt, newest: &Attempt) -> RpcResult<Value> {
    Ok(json!({
        "attemptId": Kind::Attempt.write(attempt.id),
        "attempt": number(attempt),
        "status": words::run_status(attempt.status),
        "conclusion": conclusion(attempt),
        "errorMessage": error_message(app, attempt).await?,
        "sandboxId": "",
        "sessionId": "",
        "createdAt": attempt.created_at.to_string(),
        "dispatchedAt": words::time(attempt.queued_at),
        "startedAt": words::time(attempt.started_at),
        "finishedAt": words::time(attempt.finished_at),
        "isCurrent": attempt.id == newest.id,
    }))
}

fn conclusion(attempt: &Attempt) -> &'static str {
    words::conclusion(attempt.status, attempt.failure_reason).unwrap_or_default()
}

/// Why an attempt failed: the step, when its runner told which.
async fn error_message(app: &App, attempt: &Attempt) -> RpcResult<String> {
    let Some(reason) = attempt.failure_reason else {
        return Ok(String::new());
    };
    let report = app.store.steps_report(attempt.id).await?;
    let of_step = report.and_then(|report| report.error_message);
    Ok(of_step.unwrap_or_else(|| failure_text(reason, attempt.exit_code)))
}
