//! Tells forges what became of runs: one run of a project at a time, a few projects at
//! once, so that a slow forge keeps nobody else waiting. Nothing is remembered of what
//! is to be said: it follows from the run as it is, and what was said before is
//! compared with it.

use std::collections::HashSet;
use std::time::Duration;

use tappet_forge::answer::{Api, CommitStatus, Reply};
use tappet_model::{ProjectId, Timestamp};
use tappet_store::{
    CiConfigSettings, CiRunFilter, DueForgeReport, ForgeBinding, ForgeReportOutcome, ForgeTold,
    HookHealth, PageRequest, Project, PullRequestRun, Run, RunFilter, StoreResult,
};
use tokio::task::JoinSet;

use super::statuses::Facts;
use super::{binding, comments};
use crate::app::{App, SharedApp};
use crate::clock;
use crate::webhooks::policy::{Patience, after_failure};

/// Projects whose forges are told at once.
const AT_ONCE: usize = 8;

/// What could not be told for so long after the end of a run is not worth telling.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// After an error of the database the next look waits this long.
const AFTER_ERROR: Duration = Duration::from_secs(30);

/// Runs as long as the server; wakes when something happened or a rest is over.
pub async fn watch(app: SharedApp) {
    match app.store.has_forges().await {
        Ok(true) => app.forge.bound(),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "cannot look for forges"),
    }
    let mut busy: HashSet<ProjectId> = HashSet::new();
    let mut telling: JoinSet<ProjectId> = JoinSet::new();
    let mut next: Option<Timestamp> = None;
    loop {
        let due = async {
            match next {
                Some(at) => tokio::time::sleep(at.since(clock::now())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = app.forge.changed() => {}
            () = due => {}
            Some(done) = telling.join_next() => match done {
                Ok(project) => { busy.remove(&project); }
                Err(error) => {
                    tracing::error!(%error, "a report to a forge broke off");
                    busy.clear();
                    telling.abort_all();
                }
            },
        }
        next = match start_due(&app, &mut busy, &mut telling).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "cannot look for what forges are to be told");
                Some(clock::now().plus(AFTER_ERROR))
            }
        };
    }
}

/// Starts what can be told now; gives the time of what comes next.
async fn start_due(
    app: &SharedApp,
    busy: &mut HashSet<ProjectId>,
    telling: &mut JoinSet<ProjectId>,
) -> StoreResult<Option<Timestamp>> {
    let now = clock::now();
    let mut next: Option<Timestamp> = None;
    for due in app.store.due_forge_reports().await? {
        if busy.contains(&due.project_id) {
            continue;
        }
        if due.due_at > now {
            next = Some(next.map_or(due.due_at, |next| next.min(due.due_at)));
        } else if busy.len() < AT_ONCE {
            busy.insert(due.project_id);
            let app = app.clone();
            telling.spawn(async move {
                let project = due.project_id;
                if let Err(error) = report(&app, due).await {
                    tracing::warn!(%project, %error, "cannot note what a forge was told");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
                project
            });
        }
    }
    Ok(next)
}

/// One try, and what follows from it.
async fn report(app: &App, due: DueForgeReport) -> StoreResult<()> {
    let mut told = due.told.clone();
    let result = tell(app, &due, &mut told).await?;
    let outcome = outcome(app, &due, told, result).await?;
    app.store.finish_forge_report(due.run_id, outcome).await
}

/// Why not everything was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Untold {
    /// The forge wants no more calls before that time has passed.
    Quiet(Duration),
    /// It may work later.
    Later(String),
    /// It will not work before somebody changes something.
    Never(String),
}

impl Untold {
    /// What a reply means that is not the one hoped for.
    pub fn of(reply: Reply) -> Self {
        match reply {
            Reply::RateLimited { retry_after } => Untold::Quiet(retry_after),
            Reply::Retry { why } => Untold::Later(why),
            Reply::Refused { why } => Untold::Never(why),
            Reply::Done
            | Reply::Comment { .. }
            | Reply::NextPage(_)
            | Reply::NoComment
            | Reply::Gone => Untold::Later("the forge gave an answer to another call".to_owned()),
        }
    }
}

/// The run that a report is about, with everything that it is told by.
struct Subject {
    project: Project,
    binding: ForgeBinding,
    run: Run,
    pull_request: Option<(PullRequestRun, CiConfigSettings)>,
}

impl Subject {
    /// `None` when there is nobody to tell any more, or nothing.
    async fn find(app: &App, due: &DueForgeReport) -> StoreResult<Option<Self>> {
        let Some(binding) = app.store.forge_binding(due.project_id).await? else {
            return Ok(None);
        };
        let Some(project) = app.store.project(due.project_id).await? else {
            return Ok(None);
        };
        let Some(run) = app.store.run(due.run_id).await? else {
            return Ok(None);
        };
        let pull_request = match app.store.pull_request_run(run.id).await? {
            Some(of) => match app.store.ci_config(of.config_id).await? {
                Some(config) => Some((of, config.settings)),
                // Its name at the forge is not known any more.
                None => return Ok(None),
            },
            None => None,
        };
        Ok(Some(Self {
            project,
            binding,
            run,
            pull_request,
        }))
    }

    /// A newer run of the same commit speaks under the same name.
    async fn is_replaced(&self, app: &App) -> StoreResult<bool> {
        let newest = match &self.pull_request {
            Some((of, _)) => {
                let filter = CiRunFilter {
                    head_sha: Some(of.pull_request.head_sha.clone()),
                    number: Some(of.pull_request.number.clone()),
                };
                let runs = app.store.ci_runs(of.config_id, filter, 1, 0).await?;
                runs.first().map(|run| run.id)
            }
            None => {
                let filter = RunFilter {
                    sha: Some(self.run.sha.to_string()),
                    source: Some(self.run.source),
                    ref_name: Some(self.run.ref_name.clone()),
                    ..RunFilter::default()
                };
                let one = PageRequest {
                    page: 1,
                    per_page: 1,
                };
                let runs = app.store.runs(self.project.id, filter, one).await?;
                runs.items.first().map(|run| run.id)
            }
        };
        Ok(newest.is_some_and(|newest| newest > self.run.id))
    }
}

/// Says what is to be said and was not, and notes each thing in `told`.
async fn tell(
    app: &App,
    due: &DueForgeReport,
    told: &mut ForgeTold,
) -> StoreResult<Result<(), Untold>> {
    let Some(of) = Subject::find(app, due).await? else {
        return Ok(Ok(()));
    };
    let api = match binding::api(&app.secrets, &of.binding) {
        Ok(api) => api,
        Err(error) => return Ok(Err(Untold::Never(error.to_string()))),
    };
    let statuses = if of.is_replaced(app).await? {
        Ok(())
    } else {
        tell_statuses(app, &api, &of, told).await?
    };
    // A comment is worth something where statuses are refused, too.
    let commented = match (&of.pull_request, &statuses) {
        (Some((run, _)), Ok(()) | Err(Untold::Never(_))) => {
            comments::tell(app, &api, &of.project, run, &of.run).await?
        }
        _ => Ok(()),
    };
    Ok(match commented {
        Err(untold @ (Untold::Quiet(_) | Untold::Later(_))) => Err(untold),
        commented => statuses.and(commented),
    })
}

async fn tell_statuses(
    app: &App,
    api: &Api,
    of: &Subject,
    told: &mut ForgeTold,
) -> StoreResult<Result<(), Untold>> {
    let jobs = app.store.run_attempts(of.run.id).await?;
    let facts = Facts {
        run: &of.run,
        jobs: &jobs,
        pull_request: of.pull_request.as_ref().map(|(run, config)| (run, config)),
    };
    let Some(sha) = facts.commit() else {
        let why = "the run is of no commit that the forge could know".to_owned();
        return Ok(Err(Untold::Never(why)));
    };
    let page = |what: &str, id: i64| {
        let path = &of.project.path;
        app.config.url(&format!("/{path}/-/{what}/{id}"))
    };
    let run_page = page("pipelines", of.run.id.0);
    let ref_name = match &of.pull_request {
        Some((run, _)) => run.pull_request.head_branch.as_str(),
        None => of.run.ref_name.as_str(),
    };
    for said in facts.wanted(&run_page, |job| page("jobs", job.id.0)) {
        let digest = said.digest();
        if told.statuses.get(&said.name) == Some(&digest) {
            continue;
        }
        let call = api.set_status(&CommitStatus {
            sha: sha.as_str(),
            name: &said.name,
            status: said.status,
            description: &said.description,
            target_url: &said.url,
            ref_name: Some(ref_name).filter(|name| !name.is_empty()),
        });
        match app.forge.call(&app.config, &call).await {
            Reply::Done => told.statuses.insert(said.name, digest),
            other => return Ok(Err(Untold::of(other))),
        };
    }
    Ok(Ok(()))
}

/// What a try means for what is due.
async fn outcome(
    app: &App,
    due: &DueForgeReport,
    told: ForgeTold,
    result: Result<(), Untold>,
) -> StoreResult<ForgeReportOutcome> {
    let done = ForgeReportOutcome {
        version: due.version,
        told,
        retry_at: None,
        tries: 0,
        error: None,
        quiet_until: None,
    };
    let now = clock::now();
    let why = match result {
        Ok(()) => return Ok(done),
        Err(Untold::Quiet(rest)) => {
            let until = now.plus(rest);
            return Ok(ForgeReportOutcome {
                retry_at: Some(until),
                quiet_until: Some(until),
                tries: due.tries,
                error: Some("the forge asks to be called less often".to_owned()),
                ..done
            });
        }
        Err(Untold::Never(why)) => {
            tracing::warn!(run = %due.run_id, why, "a forge does not take what it is told");
            return Ok(ForgeReportOutcome {
                error: Some(why),
                ..done
            });
        }
        Err(Untold::Later(why)) => why,
    };
    let health = after_failure(
        HookHealth {
            failures: due.tries,
            ..HookHealth::default()
        },
        Patience {
            rests_after: app.config.limits.hook_rest_failures,
            ends_after: app.config.limits.hook_end_failures,
            first_rest: app.config.hook_rest,
        },
        now,
    );
    let ended = app
        .store
        .run(due.run_id)
        .await?
        .and_then(|run| run.finished_at);
    let is_stale = ended.is_some_and(|ended| now.since(ended) > MAX_AGE);
    let retry_at = health.disabled_until.filter(|_| !is_stale);
    let given_up = if retry_at.is_none() { ", given up" } else { "" };
    Ok(ForgeReportOutcome {
        retry_at,
        tries: health.failures,
        error: Some(format!("{why}{given_up}")),
        ..done
    })
}
