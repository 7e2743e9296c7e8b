//! Pushes: a run for each branch and tag that moved, as the push hook starts them.

use tappet_forge::webhook::{PushEvent, RefChange, Revision};
use tappet_model::Source;

use super::{CREDENTIAL, Delivery, HookError, Outcome, refused};
use crate::app::App;
use crate::intake::{self, RunRequest};
use crate::webhooks::chain;

/// Starts what a push asks for. When one of its refs cannot be looked at now, all of it
/// is refused, to be sent again; what was started then is found again.
pub async fn handle(
    app: &App,
    delivery: &Delivery<'_>,
    event: &PushEvent,
) -> Result<Outcome, HookError> {
    let mut outcome = Outcome::default();
    for change in &event.changes {
        let name = change.full_ref.as_str();
        let request = match request(app, delivery, change).await? {
            Ok(request) => request,
            Err(why) => {
                outcome.say(format!("{name}: {why}"));
                continue;
            }
        };
        match intake::start_run(app, request).await {
            Ok(started) => {
                outcome.say(format!("{name}: run {}", started.run.id));
                outcome.runs.push(started);
            }
            Err(refusal) => {
                let why = refused(refusal)?;
                outcome.say(format!("{name}: {why}"));
            }
        }
    }
    if event.is_cut {
        outcome.say("the forge told of more refs than these; their next push starts runs again");
    }
    Ok(outcome)
}

/// What to start for a ref, or why nothing.
async fn request(
    app: &App,
    delivery: &Delivery<'_>,
    change: &RefChange,
) -> Result<Result<RunRequest, &'static str>, HookError> {
    let Some(after) = &change.after else {
        return Ok(Err("it was deleted"));
    };
    if change.asks_for_no_run {
        return Ok(Err("the push asked for no run"));
    }
    let name = change.full_ref.as_str();
    let owner = delivery.owner.clone();
    let before = change.before.as_ref().and_then(Revision::full);
    Ok(Ok(RunRequest {
        hooks: chain::behind(app, delivery.headers).await?,
        before_sha: before.cloned(),
        pushed: after.full().cloned(),
        skips_on_demand: true,
        credential: CREDENTIAL.to_owned(),
        idempotency: Some(delivery.idempotency(name)),
        ..RunRequest::new(delivery.project.clone(), owner, Source::Push, name)
    }))
}
