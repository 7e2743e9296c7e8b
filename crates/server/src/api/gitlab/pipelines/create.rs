//! `POST /projects/:id/pipeline`: a run with an access token.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use tappet_model::{Source, Variable, VariableKind};

use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::pipeline::{Pipeline, as_created};
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::idempotency;
use crate::api::gitlab::params::Checks;
use crate::api::gitlab::trigger_run::refuse_inputs;
use crate::app::SharedApp;
use crate::intake::{self, RunRequest};
use crate::rights::Right;
use crate::webhooks;

/// `POST /projects/:id/pipeline`. Variables are an array here, unlike those of
/// the trigger.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let ref_name = checks.required_filled_text("ref").into_owned();
    let variables = given_variables(&mut checks);
    let inputs = checks.object("inputs");
    let checked = checks.finish();
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    access.require(Right::RunPipelines)?;
    let input_names: Vec<String> =
        inputs.map_or_else(Vec::new, |map| map.keys().cloned().collect());
    refuse_inputs(&input_names)?;
    let user = access.caller.require_user()?.clone();
    let key = idempotency::header(&call.headers)?;
    let credential = access.caller.credential();
    let request = RunRequest {
        hooks: webhooks::chain::behind(&app, &call.headers).await?,
        variables,
        keeps_invalid: false,
        credential: credential.clone(),
        idempotency: idempotency::scoped(key, access.project.id, credential.clone(), &call.params),
        ..RunRequest::new(
            access.project.clone(),
            Some(user.clone()),
            Source::Api,
            ref_name,
        )
    };
    let started = intake::start_run(&app, request).await?;
    let run = as_created(started.run);
    let shown = Pipeline::of(&app.config, &access.project, &run, Some(&user));
    let mut response = (StatusCode::CREATED, axum::Json(shown)).into_response();
    if started.replayed {
        idempotency::mark_replayed(response.headers_mut());
    }
    Ok(response)
}

/// `[{"key":…,"value":…,"variable_type":"env_var"|"file"}]`.
fn given_variables(checks: &mut Checks<'_>) -> Vec<Variable> {
    let mut given = Vec::new();
    for item in checks.objects("variables") {
        let key = checks.item_text(&item, "key");
        let value = checks.item_text(&item, "value");
        let kind = match item.object.get("variable_type") {
            None | Some(Value::Null) => VariableKind::EnvVar,
            Some(word) if word == "env_var" => VariableKind::EnvVar,
            Some(word) if word == "file" => VariableKind::File,
            Some(_) => {
                let name = format!("{}[variable_type]", item.place);
                checks.refuse(format!("{name} does not have a valid value"));
                VariableKind::EnvVar
            }
        };
        given.push(Variable {
            kind,
            ..Variable::new(key, value)
        });
    }
    given
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"A":"1"}))]
    #[case(json!(["A"]))]
    #[case(json!([{"key":"A"}]))]
    #[case(json!([{"value":"1"}]))]
    #[case(json!([{"key":"A","value":["1"]}]))]
    #[case(json!([{"key":"A","value":"1","variable_type":"secret"}]))]
    fn anything_but_an_array_of_pairs_is_refused(#[case] variables: Value) {
        let params = json!({ "variables": variables })
            .as_object()
            .unwrap()
            .clone();
        let mut checks = Checks::new(&params);
        given_variables(&mut checks);
        assert!(checks.finish().is_err());
    }

    #[test]
    fn a_variable_can_be_a_file() {
        let variables =
            json!([{"key":"A","value":1}, {"key":"B","value":"x","variable_type":"file"}]);
        let params = json!({ "variables": variables })
            .as_object()
            .unwrap()
            .clone();
        let mut checks = Checks::new(&params);
        let given = given_variables(&mut checks);
        assert!(checks.finish().is_ok());
        assert_eq!(
            (given[0].value.as_str(), given[0].kind),
            ("1", VariableKind::EnvVar)
        );
        assert_eq!(given[1].kind, VariableKind::File);
    }
}
