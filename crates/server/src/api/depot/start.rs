//! Starting runs: `Run` and `DispatchWorkflow`.

mod request;

use connectrpc::{RequestContext, Response, ServiceResult};
use http::HeaderMap;
use tappet_rpc::depot::ci::v1::__buffa::view::{DispatchWorkflowRequestView, RunRequestView};
use tappet_rpc::depot::ci::v1::{DispatchWorkflowResponse, RunResponse};
use tappet_store::{IdempotencyKey, Project};

use super::ORGANISATION;
use super::caller::{Caller, check_organisation};
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::opening;
use crate::app::App;
use crate::idempotency_key;
use crate::intake::{self, Refusal, RunRequest, Started};
use crate::rights::Right;
use request::Wanted;

/// Marks an answer that was given before.
const REPLAYED: &str = "idempotent-replayed";

/// `Run`.
pub async fn run(
    app: &App,
    ctx: &RequestContext,
    request: &RunRequestView<'_>,
) -> ServiceResult<RunResponse> {
    let caller = Caller::writing(ctx)?;
    let wanted = Wanted::of_run(request)?;
    let started = start(app, &caller, ctx.headers(), wanted).await?;
    let reply = RunResponse {
        org_id: ORGANISATION.to_owned(),
        run_id: Kind::Run.write(started.run.id),
    };
    Ok(marked(Response::new(reply), started.replayed))
}

/// `DispatchWorkflow`.
pub async fn dispatch(
    app: &App,
    ctx: &RequestContext,
    request: &DispatchWorkflowRequestView<'_>,
) -> ServiceResult<DispatchWorkflowResponse> {
    let caller = Caller::writing(ctx)?;
    check_organisation(request.org_id)?;
    let wanted = Wanted::of_dispatch(request)?;
    let started = start(app, &caller, ctx.headers(), wanted).await?;
    let reply = DispatchWorkflowResponse {
        org_id: ORGANISATION.to_owned(),
        run_id: Kind::Run.write(started.run.id),
    };
    Ok(marked(Response::new(reply), started.replayed))
}

fn marked<T>(response: Response<T>, replayed: bool) -> Response<T> {
    if replayed {
        response.with_header(REPLAYED, "true")
    } else {
        response
    }
}

async fn start(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    wanted: Wanted,
) -> RpcResult<Started> {
    let key =
        idempotency_key::read(headers).map_err(|error| RpcError::invalid(error.to_string()))?;
    let (project, standing) = opening::project(app, caller, &wanted.repo).await?;
    if !standing.may(Right::RunPipelines, &project) {
        return Err(RpcError::denied(format!(
            "your role in `{}` does not allow you to start runs",
            project.path
        )));
    }
    let ref_name = match wanted.ref_name {
        Some(name) => name,
        None => default_branch(app, &project).await?,
    };
    let credential = caller.credential();
    let idempotency = key.map(|key| {
        let key = IdempotencyKey {
            project_id: project.id,
            credential: credential.clone(),
            key,
        };
        (key, wanted.fingerprint)
    });
    let user = Some(caller.user.clone());
    let request = RunRequest {
        workflows: Some(wanted.workflows),
        credential,
        idempotency,
        ..RunRequest::new(project, user, wanted.source, ref_name)
    };
    Ok(intake::start_run(app, request).await?)
}

async fn default_branch(app: &App, project: &Project) -> RpcResult<String> {
    let repositories = &app.repositories;
    let repository = repositories.of(project).await;
    let repository = repository.map_err(|error| RpcError::unavailable(error.message))?;
    let branch = repositories.default_branch(project, &repository).await;
    branch.ok_or_else(|| {
        RpcError::failed_precondition(format!(
            "repository `{}` has no commits yet; push some first",
            project.path
        ))
    })
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WorkflowNotFound(message) => Self::not_found(message),
            Refusal::WorkflowMismatch(message) => Self::invalid(message),
            Refusal::NotStarted { message } if message == "Reference not found" => {
                Self::not_found("the repository has no such branch or tag")
            }
            Refusal::NotStarted { message } | Refusal::NothingToRun { message } => {
                Self::failed_precondition(message)
            }
            Refusal::InvalidVariableKey | Refusal::KeyReused => Self::invalid(refusal.to_string()),
            Refusal::Superseded | Refusal::Skipped => {
                Self::failed_precondition(refusal.to_string())
            }
            Refusal::Unavailable { message, .. } => Self::unavailable(message),
            Refusal::QueueFull { .. } => Self::exhausted(refusal.to_string()),
            Refusal::Settings(_) => Self::internal("start a run", &refusal),
            Refusal::Store(error) => error.into(),
        }
    }
}
