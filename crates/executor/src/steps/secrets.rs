//! What a job must not show, as far as it is known before its first step.

use serde_json::Value;
use tappet_model::runner_protocol::JobPayload;
use tappet_model::steps_payload::StepsPayload;

/// The values of `secrets`, the tokens, and masked variables.
pub(super) fn of(payload: &JobPayload, steps: &StepsPayload) -> Vec<String> {
    let mut secrets = vec![payload.token.clone()];
    if let Some(Value::Object(given)) = steps.contexts.get("secrets") {
        secrets.extend(given.values().filter_map(text));
    }
    let token = steps.contexts.get("github").and_then(|it| it.get("token"));
    secrets.extend(token.and_then(text));
    let masked = payload.variables.iter().filter(|variable| variable.masked);
    secrets.extend(masked.map(|variable| variable.value.clone()));
    secrets.retain(|secret| !secret.trim().is_empty());
    secrets
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
