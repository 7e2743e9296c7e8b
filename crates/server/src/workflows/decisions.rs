//! Decides about jobs that wait for the outcome of others: whether they start, and
//! as which jobs. The store remembers who waits; a single task is woken when
//! somebody begins to, so a server that starts again goes on where it was.

use tappet_actions::workflow::{
    self as language, DecisionContexts, NeededJob, ResolvedJobs, RunContexts,
};
use tappet_engine::JobEvent;
use tappet_model::steps_payload::StepOutcome;
use tappet_model::{AttemptId, FailureReason, RefKind, Status};
use tappet_store::{
    Action, Decision, KeptStepsReport, NeededLeg, NewLeg, StoreError, StoreResult, Target,
};
use tokio::sync::Notify;

use super::{GithubFacts, RunIdentity, WorkflowFacts, WorkflowIdentity, github, named_values};
use crate::app::{App, SharedApp};
use crate::{clock, job_outputs};

/// After an error of the database the next look waits this long.
const AFTER_ERROR: std::time::Duration = std::time::Duration::from_secs(10);

/// Tells the task that a job waits.
#[derive(Default)]
pub struct Decisions(Notify);

impl Decisions {
    /// Somebody waits for a decision.
    pub fn wanted(&self) {
        self.0.notify_one();
    }
}

/// Runs as long as the server; wakes only when a job waits.
pub async fn watch(app: SharedApp) {
    loop {
        let looked = tick(&app).await;
        let again = async {
            match looked {
                Ok(()) => std::future::pending().await,
                Err(error) => {
                    tracing::warn!(%error, "cannot decide about waiting jobs");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        };
        tokio::select! {
            () = again => {}
            () = app.decisions.0.notified() => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

/// Decides about every job that waits.
///
/// # Errors
/// The store cannot serve; what was not decided still waits.
pub async fn tick(app: &App) -> StoreResult<()> {
    for id in app.store.attempts_to_decide().await? {
        decide(app, id).await?;
    }
    Ok(())
}

async fn decide(app: &App, id: AttemptId) -> StoreResult<()> {
    let Some(waiting) = app.store.decision(id).await? else {
        return Ok(());
    };
    let verdict = match judge(app, &waiting).await {
        Ok(verdict) => verdict,
        Err(Trouble::Store(error)) => return Err(error),
        Err(Trouble::Job(message)) => return fail(app, id, &message).await,
    };
    let done = match verdict {
        language::Decision::Run => act(app, id, JobEvent::Enqueue).await,
        language::Decision::Skip => act(app, id, JobEvent::Skip).await,
        language::Decision::Legs(legs) => expand(app, id, legs).await,
    };
    ignore_lost_race(done)
}

/// Somebody has canceled or removed the job meanwhile.
fn ignore_lost_race(done: StoreResult<()>) -> StoreResult<()> {
    match done {
        Err(StoreError::Refused(_) | StoreError::NotFound(_)) => Ok(()),
        done => done,
    }
}

async fn act(app: &App, id: AttemptId, event: JobEvent) -> StoreResult<()> {
    app.act(Target::Attempt(id), Action::Job(event))
        .await
        .map(|_| ())
}

async fn expand(app: &App, id: AttemptId, resolved: ResolvedJobs) -> StoreResult<()> {
    let legs = resolved.jobs.into_iter().map(|job| NewLeg {
        name: job.name,
        tags: job.tags,
        allow_failure: job.allow_failure,
        spec: job.spec,
    });
    let advance = app
        .store
        .expand_job(id, legs.collect(), resolved.group, clock::now())
        .await?;
    app.announce(&advance).await;
    Ok(())
}

/// A job whose condition or shape has no value fails, and its log says why.
async fn fail(app: &App, id: AttemptId, message: &str) -> StoreResult<()> {
    let note = format!("\x1b[31;1mERROR: {message}\x1b[0;m\n");
    if let Err(error) = app.logs.note(id, &note).await {
        tracing::warn!(attempt = %id, %error, "cannot write to a log");
    }
    let report = KeptStepsReport {
        error_message: Some(message.to_owned()),
        ..KeptStepsReport::default()
    };
    app.store.record_steps_report(id, report).await?;
    let event = JobEvent::Drop {
        reason: FailureReason::ConfigError,
        exit_code: None,
    };
    ignore_lost_race(act(app, id, event).await)
}

/// Why there is no decision.
enum Trouble {
    Store(StoreError),
    /// Something about the job itself.
    Job(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn judge(app: &App, waiting: &Decision) -> Result<language::Decision, Trouble> {
    let broken = |error: &dyn std::fmt::Display| Trouble::Job(error.to_string());
    let Some(job) = &waiting.spec.workflow_job else {
        return Ok(language::Decision::Run);
    };
    let Decision {
        attempt,
        run,
        project,
        ..
    } = waiting;
    let facts = WorkflowFacts::unseal(&app.secrets, waiting.sealed_event.as_deref())
        .map_err(|error| broken(&error))?;
    let workflow = app.store.workflow(attempt.workflow_id).await?;
    let workflow = workflow.ok_or(StoreError::NotFound("workflow"))?;
    let settings = app
        .workflow_settings(project.id, facts.branch(), workflow.path.as_deref(), None)
        .await
        .map_err(|error| broken(&error))?;
    let is_protected = !matches!(run.ref_kind, RefKind::Commit | RefKind::PullRequest)
        && app
            .is_protected(project, run.ref_kind, &run.ref_name)
            .await?;
    let default_branch = app.repositories.default_branch_at_hand(project).await;
    let known = GithubFacts {
        config: &app.config,
        project,
        default_branch: default_branch.as_deref().unwrap_or_default(),
        facts: &facts,
        position: attempt.stage_index,
        workflow: WorkflowIdentity {
            path: workflow.path.as_deref(),
            file: &workflow.file,
            name: workflow.name.as_deref(),
        },
        sha: run.sha.as_str(),
        user: waiting.user.as_ref(),
        is_protected,
        run: Some(RunIdentity {
            run,
            attempt: attempt.number,
            job: &job.key,
            token: "",
        }),
    };
    let contexts = DecisionContexts {
        run: RunContexts {
            github: github(&known).into(),
            inputs: facts.inputs_of(attempt.stage_index).into(),
            vars: named_values(settings.vars).into(),
        },
        needs: needed(app, &waiting.needs).map_err(|error| broken(&error))?,
        ancestors: waiting
            .needs
            .iter()
            .map(|job| (job.key.clone(), result(&job.legs)))
            .collect(),
        is_cancelled: matches!(run.status, Status::Canceled | Status::Canceling),
    };
    language::decide(job, &contexts).map_err(Trouble::Job)
}

/// The jobs that one needs by itself, with what they put out.
pub fn needed(
    app: &App,
    needs: &[tappet_store::NeededJob],
) -> Result<Vec<NeededJob>, job_outputs::OutputsError> {
    let direct = needs.iter().filter(|job| job.is_direct);
    direct
        .map(|job| {
            let mut outputs = Vec::new();
            for leg in &job.legs {
                let sealed = leg.sealed_outputs.as_deref();
                outputs.extend(job_outputs::unseal(&app.secrets, sealed)?);
            }
            Ok(NeededJob {
                key: job.key.clone(),
                result: result(&job.legs),
                outputs,
            })
        })
        .collect()
}

/// How the legs of a job ended together.
fn result(legs: &[NeededLeg]) -> StepOutcome {
    language::overall(legs.iter().map(|leg| match leg.status {
        Status::Success => StepOutcome::Success,
        // Whoever looks from outside sees an absorbed failure as success.
        Status::Failed if leg.allow_failure => StepOutcome::Success,
        Status::Canceled | Status::Canceling => StepOutcome::Cancelled,
        Status::Skipped => StepOutcome::Skipped,
        _ => StepOutcome::Failure,
    }))
}
