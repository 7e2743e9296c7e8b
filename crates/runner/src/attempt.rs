//! One attempt from its hand-out to its final state.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tappet_executor::{AttemptIo, Control, Executor, NamedUpload, Outcome, TransferError};
use tappet_model::FailureReason;
use tappet_model::runner_protocol::{ArtifactUpload, Dependency, JobPayload};
use tappet_model::steps_payload::NamedArtifact;
use tokio::sync::watch;

use crate::client::Client;
use crate::report::{Report, raise};
use crate::trace::Trace;
use crate::transfer;

/// What is still sent after the runner was told to end, when the server does not listen.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The executor's way to the server.
struct Link {
    client: Arc<Client>,
    trace: Arc<Trace>,
    job: i64,
    token: String,
}

impl AttemptIo for Link {
    async fn log(&self, bytes: &[u8]) {
        self.trace.append(bytes).await;
    }

    async fn note(&self, text: String) {
        self.trace.note(&text).await;
    }

    async fn fetch(&self, dependency: &Dependency, to: &Path) -> Result<(), TransferError> {
        transfer::fetch(&self.client, dependency, to).await
    }

    async fn upload(
        &self,
        artifact: &ArtifactUpload,
        name: &str,
        file: &Path,
    ) -> Result<(), TransferError> {
        transfer::upload(&self.client, self.job, &self.token, artifact, name, file).await
    }

    async fn upload_named(
        &self,
        artifact: &NamedUpload,
        file: &Path,
    ) -> Result<NamedArtifact, TransferError> {
        transfer::upload_named(&self.client, self.job, &self.token, artifact, file).await
    }

    async fn list_named(&self) -> Result<Vec<NamedArtifact>, TransferError> {
        transfer::list_named(&self.client, self.job, &self.token).await
    }

    async fn fetch_named(&self, id: i64, to: &Path) -> Result<(), TransferError> {
        transfer::fetch_named(&self.client, self.job, &self.token, id, to).await
    }

    async fn fetch_patch(&self, key: &str, to: &Path) -> Result<(), TransferError> {
        transfer::fetch_patch(&self.client, self.job, &self.token, key, to).await
    }
}

/// Runs `payload` and reports its end. When `stopping` turns true it is aborted and reported briefly.
pub(crate) async fn run(
    executor: Arc<Executor>,
    client: Arc<Client>,
    payload: JobPayload,
    slot: usize,
    stopping: watch::Receiver<bool>,
) {
    let (wishes, control) = watch::channel(Control::Run);
    let trace = Arc::new(Trace::default());
    let payload = Arc::new(payload);
    let link = Link {
        client: client.clone(),
        trace: trace.clone(),
        job: payload.id,
        token: payload.token.clone(),
    };
    let grace = executor.grace();
    let job = payload.clone();
    // A task of its own, so that a bug in one attempt fails that attempt alone.
    let mut executing =
        tokio::spawn(async move { executor.execute(&job, slot, &link, control).await });
    let report = Report::new(
        &client,
        &trace,
        &wishes,
        payload.id,
        &payload.token,
        &payload.features.failure_reasons,
    );
    let ended = OnceLock::new();
    let execute = async {
        let outcome = (&mut executing).await.unwrap_or_else(|error| {
            tracing::error!(%error, job = payload.id, "the executor broke");
            Outcome::failed(FailureReason::RunnerSystemFailure)
        });
        trace.close();
        ended.get_or_init(|| outcome);
    };
    let overdue = async {
        stopped(stopping.clone()).await;
        raise(&wishes, Control::Abort);
        tokio::time::sleep(grace + LAST_WORDS).await;
    };
    tokio::select! {
        _ = async { tokio::join!(execute, report.send_log()) } => {}
        never = report.show_life() => match never {},
        () = overdue => tracing::warn!(job = payload.id, "the server did not take the log in time"),
    }
    let outcome = match ended.into_inner() {
        Some(outcome) => outcome,
        None => {
            // Whatever still waits to be logged must not hold up the end.
            trace.discard();
            executing
                .await
                .unwrap_or(Outcome::failed(FailureReason::RunnerSystemFailure))
        }
    };
    let interrupted = *stopping.borrow() && outcome.failure == Some(FailureReason::JobCanceled);
    let failure = if interrupted {
        Some(FailureReason::RunnerInterrupted)
    } else {
        outcome.failure
    };
    let overdue = async {
        stopped(stopping).await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    let outcome = Outcome { failure, ..outcome };
    tokio::select! {
        () = report.finish(&outcome) => {}
        () = overdue => {
            tracing::warn!(job = payload.id, "the server did not take the final state in time");
        }
    }
}

/// Waits until the runner shall end.
pub(crate) async fn stopped(mut stopping: watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}
