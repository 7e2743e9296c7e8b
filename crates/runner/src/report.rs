//! What the runner tells the server about one attempt, and what it learns from
//! the answers: log, sign of life, final state.

use std::convert::Infallible;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tappet_executor::{Control, Outcome};
use tappet_model::FailureReason;
use tappet_model::runner_protocol::{JobOutput, JobUpdate};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::body;
use crate::client::{Answer, Call, CallError, Client};
use crate::trace::{Position, Trace};

/// A short call that takes longer is made again.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// A job shorter than this costs no sign of life.
const FIRST_SIGN: Duration = Duration::from_secs(1);
/// A silent job shows a sign of life this often.
const SIGN_EVERY: Duration = Duration::from_secs(10);
/// Refusals that make no sense are believed after this many.
const MAX_REFUSALS: u32 = 10;

/// One attempt, as the server sees it.
pub(crate) struct Report<'a> {
    client: &'a Client,
    trace: &'a Trace,
    wishes: &'a watch::Sender<Control>,
    token: &'a str,
    trace_path: String,
    job_path: String,
    known_reasons: &'a [String],
}

impl<'a> Report<'a> {
    pub fn new(
        client: &'a Client,
        trace: &'a Trace,
        wishes: &'a watch::Sender<Control>,
        job: i64,
        token: &'a str,
        known_reasons: &'a [String],
    ) -> Self {
        Self {
            client,
            trace,
            wishes,
            token,
            trace_path: format!("/api/v4/jobs/{job}/trace"),
            job_path: format!("/api/v4/jobs/{job}"),
            known_reasons,
        }
    }

    /// Sends the log until it is closed and all of it is acknowledged, or the server wants no more.
    pub async fn send_log(&self) {
        let mut backoff = Backoff::new();
        let mut refusals = 0;
        while let Some(piece) = self.trace.next().await {
            let start = piece.start;
            let length = piece.length;
            let range = format!("{start}-{}", start + length - 1);
            let headers = [
                ("job-token", self.token),
                ("content-type", "text/plain"),
                ("content-range", &range),
            ];
            let call = Call {
                method: Method::PATCH,
                path: &self.trace_path,
                headers: &headers,
                body: body::pieces(piece.bytes),
                limit: CALL_LIMIT,
            };
            let answer = match self.client.call(call).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::debug!(%error, "log piece not sent");
                    backoff.wait().await;
                    continue;
                }
            };
            self.heed(&answer);
            match answer.status {
                StatusCode::ACCEPTED => {
                    backoff.reset();
                    self.go_on_at(stored(&answer).unwrap_or(start + length));
                }
                StatusCode::RANGE_NOT_SATISFIABLE => {
                    self.go_on_at(stored(&answer).unwrap_or(0));
                    backoff.wait().await;
                }
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => self.give_up(),
                status
                    if status.is_server_error()
                        || matches!(
                            status,
                            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
                        ) =>
                {
                    backoff.wait().await;
                }
                status => {
                    refusals += 1;
                    if refusals > MAX_REFUSALS {
                        tracing::error!(%status, "the server refuses the log; it is discarded");
                        self.trace.discard();
                    }
                    backoff.wait().await;
                }
            }
        }
    }

    fn go_on_at(&self, length: u64) {
        if self.trace.acknowledge(length) == Position::Impossible {
            tracing::error!(
                length,
                "the server lost a part of the log that it had; the attempt is given up"
            );
            self.give_up();
        }
    }

    /// The attempt is over for the server.
    fn give_up(&self) {
        self.trace.discard();
        raise(self.wishes, Control::Abort);
    }

    fn heed(&self, answer: &Answer) {
        match answer.job_status() {
            Some("canceling") if answer.status.is_success() => {
                raise(self.wishes, Control::CancelGracefully)
            }
            Some("canceled" | "failed") => self.give_up(),
            _ => {}
        }
    }

    /// Tells the server that the job lives, and hears from it whether the job shall go on. Never returns.
    ///
    /// The call asks the server to hold its answer until it has something to say (`Prefer: wait`);
    /// one that does not is asked again after ten seconds.
    pub async fn show_life(&self) -> Infallible {
        let mut pause = FIRST_SIGN;
        let mut backoff = Backoff::new();
        let wait = format!("wait={}", SIGN_EVERY.as_secs());
        loop {
            tokio::time::sleep(pause).await;
            let update = JobUpdate {
                token: self.token.to_owned(),
                state: "running".to_owned(),
                ..JobUpdate::default()
            };
            let asked = Instant::now();
            match self.put(&update, Some(&wait)).await {
                Ok(answer) => {
                    backoff.reset();
                    self.heed(&answer);
                    if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
                        self.give_up();
                    }
                    let held = answer
                        .header("preference-applied")
                        .is_some_and(|text| text.contains("wait"));
                    let canceling = answer.job_status() == Some("canceling");
                    pause = if held && !canceling {
                        // A server that says it waits but answers at once is not asked in a circle.
                        Duration::from_millis(100).saturating_sub(asked.elapsed())
                    } else {
                        SIGN_EVERY
                    };
                }
                Err(error) => {
                    tracing::debug!(%error, "no sign of life sent");
                    backoff.wait().await;
                    pause = Duration::ZERO;
                }
            }
        }
    }

    /// Reports the end until the server has it, or has no use for it.
    pub async fn finish(&self, outcome: &Outcome) {
        let (bytesize, checksum) = self.trace.summary();
        let update = JobUpdate {
            token: self.token.to_owned(),
            state: outcome.state().to_owned(),
            failure_reason: outcome.failure.map(|reason| self.word(reason).to_owned()),
            exit_code: outcome.exit_code.filter(|code| *code != 0),
            checksum: Some(checksum.clone()),
            output: Some(JobOutput {
                checksum: Some(checksum),
                bytesize: Some(bytesize),
            }),
            tappet: outcome.steps.as_deref().cloned(),
        };
        let mut backoff = Backoff::new();
        let mut refusals = 0;
        loop {
            match self.put(&update, None).await.map(|answer| answer.status) {
                Ok(StatusCode::OK | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => return,
                Ok(status) if status.is_client_error() && status != StatusCode::CONFLICT => {
                    refusals += 1;
                    if refusals > MAX_REFUSALS {
                        tracing::error!(%status, path = self.job_path, "the server refuses the final state");
                        return;
                    }
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "final state not sent"),
            }
            backoff.wait().await;
        }
    }

    async fn put(&self, update: &JobUpdate, prefer: Option<&str>) -> Result<Answer, CallError> {
        let text =
            serde_json::to_vec(update).map_err(|error| CallError::Answer(error.to_string()))?;
        let mut headers = vec![
            ("job-token", self.token),
            ("content-type", "application/json"),
        ];
        headers.extend(prefer.map(|prefer| ("prefer", prefer)));
        let call = Call {
            method: Method::PUT,
            path: &self.job_path,
            headers: &headers,
            body: body::full(text),
            limit: CALL_LIMIT,
        };
        self.client.call(call).await
    }

    /// The word for `reason` that the server knows (GitLab Runner: `common/failure_reason_mapper.go`).
    fn word(&self, reason: FailureReason) -> &'static str {
        use FailureReason::{
            ImagePullFailure, JobExecutionTimeout, RunnerConfigurationError,
            RunnerExternalDependencyFailure, RunnerSystemFailure, ScriptFailure, UnknownFailure,
        };
        let always = [ScriptFailure, RunnerSystemFailure, JobExecutionTimeout];
        let known = self
            .known_reasons
            .iter()
            .any(|known| known == reason.as_str());
        match reason {
            reason if known || always.contains(&reason) => reason,
            ImagePullFailure | RunnerExternalDependencyFailure => RunnerSystemFailure,
            RunnerConfigurationError => ScriptFailure,
            _ => UnknownFailure,
        }
        .as_str()
    }
}

/// Makes the wish at least as strong as `wish`.
pub(crate) fn raise(wishes: &watch::Sender<Control>, wish: Control) {
    wishes.send_if_modified(|current| {
        let stronger = wish > *current;
        *current = wish.max(*current);
        stronger
    });
}

/// The server's length of the log: the end of `Range: 0-<length>`.
fn stored(answer: &Answer) -> Option<u64> {
    answer
        .header("range")?
        .rsplit('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_the_server_does_not_list_is_told_in_a_word_it_knows() {
        let client = Client::new("/nowhere".into());
        let trace = Trace::default();
        let (wishes, _control) = watch::channel(Control::Run);
        let known = ["job_canceled".to_owned()];
        let report = Report::new(&client, &trace, &wishes, 1, "t", &known);
        assert_eq!(report.word(FailureReason::JobCanceled), "job_canceled");
        assert_eq!(
            report.word(FailureReason::RunnerInterrupted),
            "unknown_failure"
        );
        assert_eq!(
            report.word(FailureReason::ImagePullFailure),
            "runner_system_failure"
        );
        assert_eq!(
            report.word(FailureReason::RunnerConfigurationError),
            "script_failure"
        );
        assert_eq!(
            report.word(FailureReason::JobExecutionTimeout),
            "job_execution_timeout"
        );
    }

    #[test]
    fn a_wish_never_grows_weaker() {
        let (wishes, control) = watch::channel(Control::Run);
        raise(&wishes, Control::Abort);
        raise(&wishes, Control::CancelGracefully);
        assert_eq!(*control.borrow(), Control::Abort);
    }
}
