//! A job with steps, in place of a script: the way of a workflow's job in
//! GitHub Actions syntax through its steps.
//!
//! What a step means is told by `tappet_actions::step`; here it is done.
//! [`job`] holds what steps share, [`step`] walks through one of them, [`log`]
//! is where everything that is written passes.

use tappet_model::runner_protocol::JobPayload;
use tappet_model::steps_payload::StepsPayload;
use tokio::sync::watch;

use crate::attempt::Attempt;
use crate::control::Control;
use crate::executor::Executor;
use crate::io::AttemptIo;
use crate::outcome::Outcome;

mod apply_patch;
mod artifact_zip;
mod checkout;
mod composite;
mod download_artifact;
mod environment;
mod files;
mod hash_files;
mod job;
mod lines;
mod log;
mod native;
mod output;
mod script;
mod search;
mod secrets;
mod step;
mod upload_artifact;

use job::JobRun;
use log::StepLog;

/// Runs the steps of `payload` to their end.
pub(crate) async fn run<I: AttemptIo>(
    executor: &Executor,
    payload: &JobPayload,
    steps: &StepsPayload,
    slot: usize,
    io: &I,
    control: watch::Receiver<Control>,
) -> Outcome {
    let log = StepLog::new(io, secrets::of(payload, steps));
    let mut attempt = match Attempt::begin(executor, payload, slot, &log, control).await {
        Ok(attempt) => attempt,
        Err(outcome) => return outcome,
    };
    let ended = attempt.prepare().await;
    let mut run = JobRun::new(attempt, &log, steps);
    let ended = match ended {
        Ok(()) => run.steps().await,
        Err(stop) => Err(stop),
    };
    let (attempt, report) = run.into_report(&ended);
    Outcome {
        steps: Some(Box::new(report)),
        ..attempt.finish(ended).await
    }
}
