//! Pull requests: runs of the CI configs whose gates are open, and the end of runs whose
//! pull request is over.

use tappet_engine::RunEvent;
use tappet_forge::webhook::{PullRequestAction, PullRequestEvent};
use tappet_store::{Action, StoreError, Target};

use super::{CREDENTIAL, Delivery, HookError, Outcome};
use crate::app::App;
use crate::audit::Entry;

/// Does what an event asks for.
pub async fn handle(
    app: &App,
    delivery: &Delivery<'_>,
    event: PullRequestEvent,
) -> Result<Outcome, HookError> {
    if let PullRequestAction::Closed { merged } = event.action {
        return close(app, delivery, &event.pull_request.number, merged).await;
    }
    Ok(Outcome::nothing("pull requests start no runs yet"))
}

/// Cancels what still runs for a pull request that is over.
async fn close(
    app: &App,
    delivery: &Delivery<'_>,
    number: &str,
    merged: bool,
) -> Result<Outcome, HookError> {
    let what = if merged { "merged" } else { "closed" };
    let mut outcome = Outcome::default();
    for config in app.store.ci_configs(delivery.project.id).await? {
        let active = app
            .store
            .active_pull_request_runs(config.id, number.to_owned());
        for run in active.await? {
            let cancel = Action::Run(RunEvent::Cancel);
            match app.act(Target::Run(run.run_id), cancel).await {
                Ok(_) => outcome.canceled.push(run.run_id),
                // It ended meanwhile.
                Err(StoreError::Refused(_) | StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    if outcome.canceled.is_empty() {
        return Ok(Outcome::nothing(format!(
            "the pull request was {what}; none of its runs was under way"
        )));
    }
    let runs: Vec<String> = outcome.canceled.iter().map(ToString::to_string).collect();
    outcome.say(format!(
        "the pull request was {what}: canceled {}",
        runs.join(", ")
    ));
    let entry = Entry::new("pull_request_runs_canceled", None)
        .credential(CREDENTIAL)
        .project(delivery.project.id)
        .details(serde_json::json!({
            "pull_request": number, "reason": what, "runs": outcome.canceled,
        }));
    app.audit(entry).await;
    Ok(outcome)
}
