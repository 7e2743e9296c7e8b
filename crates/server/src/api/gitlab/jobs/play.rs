//! `POST /projects/:id/jobs/:job_id/play`: starts a manual or delayed job.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_model::Variable;
use tappet_store::StoreError;

use super::{Opened, Steered, open_to_steer, refuse_values};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::Checks;
use crate::app::SharedApp;
use crate::clock;
use crate::intake;
use crate::rights::Right;

/// Answers 200. The variables are given to this attempt alone and win over those
/// of the pipeline.
pub async fn play(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let unplayable = || ApiError::bad_request("Unplayable Job");
    let steered = played(&app, &call, unplayable).await?;
    steered.reply(&app, StatusCode::OK).await
}

/// Starts the attempt of a call, or refuses it with the error given.
pub async fn played(
    app: &SharedApp,
    call: &Call,
    unplayable: impl Fn() -> ApiError,
) -> ApiResult<Steered> {
    let mut checks = call.checks();
    let variables = given_variables(&mut checks);
    let checked = checks.finish();
    let (Opened { access, attempt }, _) = open_to_steer(app, call, checked).await?;
    refuse_values(call, "job_inputs")?;
    if !variables.is_empty() {
        access.require(Right::SetPipelineVariables)?;
    }
    if variables
        .iter()
        .any(|one| !Variable::is_valid_key(&one.key))
    {
        return Err(ApiError::invalid(
            "job_variables.key",
            "can contain only letters, digits and '_'.",
        ));
    }
    let sealed = (!variables.is_empty()).then(|| intake::seal(&app.secrets, &variables));
    let played = app.store.play_attempt(attempt.id, sealed, clock::now());
    match played.await {
        Ok(advance) => app.announce(&advance).await,
        Err(StoreError::Refused(_)) => return Err(unplayable()),
        Err(error) => return Err(error.into()),
    }
    Ok(Steered {
        project: access.project,
        id: attempt.id,
    })
}

/// `[{"key":…,"value":…}]`.
fn given_variables(checks: &mut Checks<'_>) -> Vec<Variable> {
    let items = checks.objects("job_variables_attributes");
    items
        .iter()
        .map(|item| {
            let key = checks.item_text(item, "key");
            let value = checks.item_text(item, "value");
            Variable::new(key, value)
        })
        .collect()
}
