//! `POST /projects/:id/jobs/:job_id/cancel` and `…/retry`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_engine::JobEvent;
use tappet_store::{Action, StoreError, Target};

use super::{Opened, Steered, open_to_steer, refuse_values};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::SharedApp;
use crate::rights::Right;

/// 201 even for what has ended. `force` is for maintainers, and only ends what
/// is canceling already.
pub async fn cancel(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let steered = canceled(&app, &call).await?;
    steered.reply(&app, StatusCode::CREATED).await
}

/// Cancels the attempt of a call.
pub async fn canceled(app: &SharedApp, call: &Call) -> ApiResult<Steered> {
    let mut checks = call.checks();
    let force = checks.boolean("force").unwrap_or(false);
    let checked = checks.finish();
    let (Opened { access, attempt }, _) = open_to_steer(app, call, checked).await?;
    let event = if force {
        access.require(Right::EraseJobs)?;
        JobEvent::ForceCancel
    } else {
        JobEvent::Cancel
    };
    match app
        .act(Target::Attempt(attempt.id), Action::Job(event))
        .await
    {
        Ok(_) | Err(StoreError::Refused(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Steered {
        project: access.project,
        id: attempt.id,
    })
}

/// 201 with the new attempt.
pub async fn retry(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let steered = retried(&app, &call, "Job").await?;
    steered.reply(&app, StatusCode::CREATED).await
}

/// Repeats the attempt of a call, which a refusal calls `thing`.
pub async fn retried(app: &SharedApp, call: &Call, thing: &str) -> ApiResult<Steered> {
    let (Opened { access, attempt }, _) = open_to_steer(app, call, Ok(())).await?;
    refuse_values(call, "inputs")?;
    let refused = || ApiError::forbidden_because(format!("{thing} is not retryable"));
    if attempt.is_retried {
        return Err(refused());
    }
    let advance = match app
        .act(Target::Attempt(attempt.id), Action::Job(JobEvent::Retry))
        .await
    {
        Err(StoreError::Refused(_)) => return Err(refused()),
        other => other?,
    };
    let new = advance
        .changed
        .iter()
        .find(|changed| changed.is_new && changed.name == attempt.name)
        .ok_or_else(refused)?;
    Ok(Steered {
        project: access.project,
        id: new.id,
    })
}
