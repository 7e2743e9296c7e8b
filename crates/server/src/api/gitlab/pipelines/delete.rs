//! `DELETE /projects/:id/pipelines/:pipeline_id`.

use axum::extract::State;
use http::StatusCode;
use serde_json::json;

use super::open;
use crate::api::gitlab::access::Login;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::ApiResult;
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::rights::Right;

/// 204 when the run is gone with its jobs, logs, artifacts and events.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<StatusCode> {
    let (access, run) = open(&app, &call, Login::Required, Right::DeletePipelines).await?;
    call.require_unmodified(run.updated_at)?;
    app.delete_run(run.id).await?;
    app.audit(
        Entry::new("pipeline_deleted", access.standing.user_id)
            .credential(access.caller.credential())
            .project(access.project.id)
            .details(json!({ "pipeline_id": run.id, "ref": run.ref_name })),
    )
    .await;
    Ok(StatusCode::NO_CONTENT)
}
