//! Pull requests: runs of the CI configs whose gates are open, and the end of runs whose
//! pull request is over.

use tappet_engine::RunEvent;
use tappet_forge::webhook::{PullRequestAction, PullRequestEvent, wish};
use tappet_model::PullRequest;
use tappet_store::{Action, CiConfig, CiRunFilter, StoreError, Target};

use super::{CREDENTIAL, Delivery, HookError, Outcome, refused};
use crate::app::App;
use crate::audit::Entry;
use crate::forge::gates::{self, Asked, Closed};
use crate::intake::{self, PullRequestRunRequest, Refusal};
use crate::webhooks::chain;

/// Runs of one commit that are looked at for one with the same base.
const KNOWN_RUNS: u32 = 50;

/// Does what an event asks for.
pub async fn handle(
    app: &App,
    delivery: &Delivery<'_>,
    event: PullRequestEvent,
) -> Result<Outcome, HookError> {
    if let PullRequestAction::Closed { merged } = event.action {
        return close(app, delivery, &event.pull_request.number, merged).await;
    }
    let wish = wish(&event.action);
    let mut outcome = Outcome::default();
    let mut pull_request = event.pull_request;
    let mut is_complete = false;
    for config in app.store.ci_configs(delivery.project.id).await? {
        let asked = gates::of_event(&config.settings, &wish, &pull_request);
        if asked.is_ok() && !is_complete {
            pull_request = completed(app, delivery, pull_request).await?;
            is_complete = true;
        }
        let name = config.settings.name.clone();
        let payload = event.payload.clone();
        let started = match asked {
            Ok(asked) => start(app, delivery, config, &pull_request, asked, payload).await?,
            Err(closed) => Err(closed.to_string()),
        };
        match started {
            Ok(started) => {
                let held = match gates::needs_approval(&pull_request) && !started.replayed {
                    true => ", which waits for approval: it comes from a fork",
                    false => "",
                };
                outcome.say(format!("{name}: run {}{held}", started.run.id));
                outcome.runs.push(started);
            }
            Err(why) => outcome.say(format!("{name}: {why}")),
        }
    }
    Ok(outcome)
}

/// GitLab does not tell where the base branch stands, so it is looked up.
async fn completed(
    app: &App,
    delivery: &Delivery<'_>,
    mut pull_request: PullRequest,
) -> Result<PullRequest, HookError> {
    if pull_request.base_sha.is_empty() {
        let head = intake::head_of_branch(app, &delivery.project, &pull_request.base_branch);
        if let Some(sha) = head.await.map_err(HookError::Refused)? {
            pull_request.base_sha = sha.to_string();
        }
    }
    Ok(pull_request)
}

/// Starts a run under one CI config; the inner error says why there is none.
async fn start(
    app: &App,
    delivery: &Delivery<'_>,
    config: CiConfig,
    pull_request: &PullRequest,
    asked: Asked,
    payload: Option<serde_json::Value>,
) -> Result<Result<intake::Started, String>, HookError> {
    if asked == Asked::RunIfNew && had_run(app, &config, pull_request).await? {
        return Ok(Err(Closed::HadRun.to_string()));
    }
    if !config.settings.ignored_files.is_empty() {
        let changed = intake::changed_paths(app, &delivery.project, pull_request).await;
        let changed = changed.map_err(HookError::Refused)?;
        if let Err(closed) = gates::of_changes(&config.settings, changed.as_deref()) {
            return Ok(Err(closed.to_string()));
        }
    }
    let request = PullRequestRunRequest {
        project: delivery.project.clone(),
        user: delivery.owner.clone(),
        pull_request: pull_request.clone(),
        payload,
        is_from_forge: true,
        needs_approval: gates::needs_approval(pull_request),
        credential: CREDENTIAL.to_owned(),
        hooks: chain::behind(app, delivery.headers).await?,
        idempotency: Some(delivery.idempotency(&format!("config {}", config.id))),
        config,
    };
    match intake::start_pull_request_run(app, request).await {
        Ok(started) => Ok(Ok(started)),
        Err(Refusal::Superseded) => Ok(Err(
            "no run: a newer commit of the pull request is under way".to_owned(),
        )),
        Err(refusal) => Ok(Err(refused(refusal)?)),
    }
}

/// The newest commit had a run already that compares with the same branch.
async fn had_run(
    app: &App,
    config: &CiConfig,
    pull_request: &PullRequest,
) -> Result<bool, HookError> {
    let filter = CiRunFilter {
        head_sha: Some(pull_request.head_sha.clone()),
        number: Some(pull_request.number.clone()),
    };
    let runs = app.store.ci_runs(config.id, filter, KNOWN_RUNS, 0).await?;
    Ok(runs
        .iter()
        .any(|run| run.pull_request.base_branch == pull_request.base_branch))
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
