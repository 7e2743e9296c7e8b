//! New trigger tokens, and old ones that come along from elsewhere.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use tappet_model::Timestamp;
use tappet_store::{StoreError, Trigger, TriggerCreation};

use super::{audit, open, shown};
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::trigger_tokens::{PREFIX, TriggerDraft};
use crate::{clock, secrets};

/// The instance's longest life of a token (GitLab: personal access tokens).
const MAX_LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Descriptions beyond this help nobody.
pub const MAX_DESCRIPTION_BYTES: usize = 10_000;

/// Prefixes of tokens that are something else.
const OTHER_KINDS: [&str; 4] = ["glpat-", "glrt-", "glcbt-", "gldt-"];

/// `POST /projects/:id/triggers`; the caller becomes the owner.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let description = checks.required_text("description").into_owned();
    let expires_at = checks.time("expires_at");
    let access = open(&app, &call, checks.finish()).await?;
    check_description(&description)?;
    check_expiry(expires_at, clock::now())?;
    let draft = TriggerDraft {
        project_id: access.project.id,
        owner_id: Some(access.caller.require_user()?.id),
        description,
        token: secrets::new_token(PREFIX),
        expires_at,
    };
    let trigger = add(&app, &access, "trigger_created", draft).await?;
    shown(&app, &access, StatusCode::CREATED, &trigger).await
}

/// `POST /projects/:id/triggers/import`, an addition of ours: a token that
/// scripts already know becomes a legacy trigger, which has no owner.
pub async fn import(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let token = checks.required_text("token").into_owned();
    let description = checks.text("description").unwrap_or_default().into_owned();
    let access = open(&app, &call, checks.finish()).await?;
    check_description(&description)?;
    if let Some(problem) = problem_of(&token) {
        return Err(refused("token", problem));
    }
    let draft = TriggerDraft {
        project_id: access.project.id,
        owner_id: None,
        description,
        token,
        expires_at: None,
    };
    let trigger = add(&app, &access, "trigger_imported", draft).await?;
    shown(&app, &access, StatusCode::CREATED, &trigger).await
}

/// Remembers a trigger and who made it.
pub async fn add(
    app: &App,
    access: &Access,
    action: &str,
    draft: TriggerDraft,
) -> ApiResult<Trigger> {
    let limit = app.config.limits.triggers_per_project;
    match app.add_trigger(draft).await {
        Ok(TriggerCreation::Created(trigger)) => {
            audit(app, access, action, &trigger).await;
            Ok(*trigger)
        }
        Ok(TriggerCreation::LimitReached) => Err(refused(
            "base",
            format!("Maximum number of pipeline triggers ({limit}) exceeded"),
        )),
        Err(StoreError::Taken { .. }) => Err(refused("token", "has already been taken")),
        Err(error) => Err(error.into()),
    }
}

/// GitLab's 400 of a trigger that is not valid: a model's errors as JSON inside
/// the text.
pub fn refused(field: &str, text: impl Into<Value>) -> ApiError {
    ApiError::bad_request(json!({ field: [text.into()] }))
}

/// A description that fits.
pub fn check_description(description: &str) -> ApiResult<()> {
    if description.len() > MAX_DESCRIPTION_BYTES {
        return Err(refused(
            "description",
            "is too long (maximum is 10000 bytes)",
        ));
    }
    Ok(())
}

fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> ApiResult<()> {
    let last_day = now.plus(MAX_LIFE);
    if expires_at.is_none_or(|expires_at| expires_at <= last_day) {
        return Ok(());
    }
    let text = last_day.to_string();
    let day = text.get(..10).unwrap_or_default();
    Err(refused("expires_at", format!("must be before {day}")))
}

/// Why a text cannot be a trigger token.
fn problem_of(token: &str) -> Option<&'static str> {
    let printable = token.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    if !(20..=255).contains(&token.len()) || !printable {
        return Some("must have 20 to 255 printable characters without spaces");
    }
    if OTHER_KINDS.iter().any(|kind| token.starts_with(kind)) {
        return Some("is another kind of token; give the token of a pipeline trigger");
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0123456789abcdef0123456789abcd".to_owned(), true)]
    #[case("glptt-0123456789abcdefghij".to_owned(), true)]
    #[case("x".repeat(20), true)]
    #[case("x".repeat(255), true)]
    #[case("x".repeat(19), false)]
    #[case("x".repeat(256), false)]
    #[case(format!("{} ", "x".repeat(20)), false)]
    #[case(format!("{}\n", "x".repeat(20)), false)]
    #[case("ä".repeat(20), false)]
    #[case("glpat-0123456789abcdefghij".to_owned(), false)]
    #[case("glcbt-0123456789abcdefghij".to_owned(), false)]
    fn only_what_was_a_trigger_token_may_come_along(#[case] token: String, #[case] fits: bool) {
        assert_eq!(problem_of(&token).is_none(), fits);
    }
}
