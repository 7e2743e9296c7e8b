//! One slot: asks for an attempt, runs it, asks again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use serde::Serialize;
use tappet_executor::Executor;
use tappet_model::runner_protocol::{JobPayload, JobRequest, RunnerFeatures, RunnerInfo};
use tokio::sync::watch;

use crate::attempt::{self, stopped};
use crate::backoff::Backoff;
use crate::body;
use crate::client::{Answer, Call, CallError, Client};

/// The server holds the question open; longer than any server holds it.
const ASK_LIMIT: Duration = Duration::from_secs(300);
/// "Nothing to do" faster than this was not held.
const UNHELD: Duration = Duration::from_millis(10);
/// So many of them in a row are no accident.
const MAX_UNHELD: u32 = 10;

/// What all slots share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub client: Arc<Client>,
    pub executor: Arc<Executor>,
    pub token_path: PathBuf,
    pub system_id: String,
    pub name: String,
    pub started: Instant,
    /// Milliseconds after `started` when the server answered last.
    pub heard: AtomicU64,
    pub stopping: watch::Receiver<bool>,
    /// Attempts in the hands of all slots.
    pub holding: Mutex<BTreeSet<i64>>,
}

/// What a slot asks: GitLab's question, and under a key of our own what this
/// runner holds, so that a server that was killed between committing a hand-out
/// and answering knows that it never arrived.
#[derive(Serialize)]
struct Question<'a> {
    #[serde(flatten)]
    standard: &'a JobRequest,
    tappet: Holding,
}

#[derive(Serialize)]
struct Holding {
    holding: BTreeSet<i64>,
}

impl Shared {
    fn held(&self) -> std::sync::MutexGuard<'_, BTreeSet<i64>> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The question as it stands now.
    fn question(&self, credentials: &JobRequest) -> Vec<u8> {
        let question = Question {
            standard: credentials,
            tappet: Holding {
                holding: self.held().clone(),
            },
        };
        serde_json::to_vec(&question).unwrap_or_default()
    }

    fn hear(&self) {
        self.heard
            .store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// How long the server has been away.
    pub fn silence(&self) -> Duration {
        self.started
            .elapsed()
            .saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }

    async fn post(&self, path: &str, body: Vec<u8>, limit: Duration) -> Result<Answer, CallError> {
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        let answer = self
            .client
            .call(Call {
                method: Method::POST,
                path,
                headers: &headers,
                body: body::full(body),
                limit,
            })
            .await?;
        self.hear();
        Ok(answer)
    }

    /// The body of calls made with the runner's token; read anew each time it was refused.
    fn credentials(&self) -> Option<JobRequest> {
        let token = match std::fs::read_to_string(&self.token_path) {
            Ok(token) => token.trim().to_owned(),
            Err(error) => {
                tracing::debug!(%error, path = %self.token_path.display(), "no runner token yet");
                return None;
            }
        };
        Some(JobRequest {
            token,
            system_id: Some(self.system_id.clone()),
            last_update: None,
            info: RunnerInfo {
                name: self.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                platform: std::env::consts::OS.to_owned(),
                architecture: std::env::consts::ARCH.to_owned(),
                executor: "shell".to_owned(),
                features: RunnerFeatures {
                    cancel_gracefully: true,
                    two_phase_job_commit: false,
                    tappet_steps: true,
                },
            },
        })
    }

    /// Introduces this process, so that the server gives up the attempts of the one before it.
    pub async fn introduce(&self) {
        let mut backoff = Backoff::new();
        loop {
            if let Some(credentials) = self.credentials() {
                let body = serde_json::json!({
                    "token": credentials.token,
                    "system_id": credentials.system_id,
                });
                match self
                    .post(
                        "/api/v4/runners/verify",
                        body.to_string().into_bytes(),
                        ASK_LIMIT,
                    )
                    .await
                {
                    Ok(answer) if answer.status.is_success() => return,
                    Ok(answer) => {
                        tracing::warn!(status = %answer.status, "the server does not know this runner")
                    }
                    Err(error) => tracing::debug!(%error, "cannot introduce this runner"),
                }
            }
            backoff.wait().await;
        }
    }
}

/// Works until the runner shall end.
pub(crate) async fn work(shared: Arc<Shared>, slot: usize) {
    let mut backoff = Backoff::new();
    let mut unheld = 0;
    let mut credentials = None;
    loop {
        let Some(known) = &credentials else {
            credentials = shared.credentials();
            if credentials.is_none() {
                tokio::select! {
                    () = stopped(shared.stopping.clone()) => return,
                    () = backoff.wait() => {}
                }
            }
            continue;
        };
        let question = shared.question(known);
        let asked = Instant::now();
        let answer = tokio::select! {
            biased;
            () = stopped(shared.stopping.clone()) => return,
            answer = shared.post("/api/v4/jobs/request", question, ASK_LIMIT) => answer,
        };
        let pause = match answer {
            Ok(answer) if answer.status == StatusCode::CREATED => {
                backoff.reset();
                unheld = 0;
                match serde_json::from_slice::<JobPayload>(&answer.body) {
                    Ok(payload) => {
                        let (executor, client) = (shared.executor.clone(), shared.client.clone());
                        let id = payload.id;
                        shared.held().insert(id);
                        attempt::run(executor, client, payload, slot, shared.stopping.clone())
                            .await;
                        shared.held().remove(&id);
                        shared.hear();
                        continue;
                    }
                    Err(error) => {
                        tracing::error!(%error, "the server sent a job that cannot be read");
                        None
                    }
                }
            }
            Ok(answer) if answer.status == StatusCode::NO_CONTENT => {
                backoff.reset();
                unheld = if asked.elapsed() < UNHELD {
                    unheld + 1
                } else {
                    0
                };
                if unheld < MAX_UNHELD {
                    continue;
                }
                Some(Duration::from_millis(100))
            }
            Ok(answer) => {
                if answer.status == StatusCode::FORBIDDEN {
                    credentials = None;
                }
                tracing::debug!(status = %answer.status, "no job");
                answer.retry_after()
            }
            Err(error) => {
                tracing::debug!(%error, "cannot ask for a job");
                None
            }
        };
        let wait = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => backoff.wait().await,
            }
        };
        tokio::select! {
            () = stopped(shared.stopping.clone()) => return,
            () = wait => {}
        }
    }
}
