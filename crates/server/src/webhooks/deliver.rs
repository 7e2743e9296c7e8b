//! Sends what webhooks have to tell: in order for each webhook, a few webhooks at
//! a time, so that a slow receiver keeps nobody else waiting.

use std::collections::HashSet;
use std::time::Duration;

use tappet_model::{HookId, Timestamp};
use tappet_store::{
    Delivery, DeliveryOutcome, DeliveryState, DueDelivery, Hook, HookHealth, StoreError,
    StoreResult,
};
use tokio::task::JoinSet;

use super::payload::{self, Subject};
use super::policy::{Patience, after_failure};
use super::send::{Answer, Clients, Envelope};
use super::{HookSecrets, chain, uuid_of};
use crate::app::{App, SharedApp};
use crate::clock;

/// Webhooks that are sent to at once.
const AT_ONCE: usize = 8;

/// What could not be told for so long is not worth telling.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Deliveries are remembered for so long (GitLab: recent events of a webhook).
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// After an error of the database the next look waits this long.
const AFTER_ERROR: Duration = Duration::from_secs(30);

/// Runs as long as the server; wakes when something happened or a rest is over.
pub async fn watch(app: SharedApp) {
    match app.store.has_hooks().await {
        Ok(true) => app.webhooks.added(),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "cannot look for webhooks"),
    }
    let mut busy: HashSet<HookId> = HashSet::new();
    let mut sending: JoinSet<HookId> = JoinSet::new();
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
            () = app.webhooks.changed.notified() => {}
            () = due => {}
            Some(done) = sending.join_next() => match done {
                Ok(hook) => { busy.remove(&hook); }
                Err(error) => {
                    tracing::error!(%error, "a delivery broke off");
                    busy.clear();
                    sending.abort_all();
                }
            },
        }
        next = match start_due(&app, &mut busy, &mut sending).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "cannot look for deliveries of webhooks");
                Some(clock::now().plus(AFTER_ERROR))
            }
        };
    }
}

/// Starts what can be sent now; gives the time of what comes next.
async fn start_due(
    app: &SharedApp,
    busy: &mut HashSet<HookId>,
    sending: &mut JoinSet<HookId>,
) -> StoreResult<Option<Timestamp>> {
    let now = clock::now();
    let mut next: Option<Timestamp> = None;
    for due in app.store.due_deliveries().await? {
        if busy.contains(&due.hook.id) {
            continue;
        }
        if due.due_at > now {
            next = Some(next.map_or(due.due_at, |next| next.min(due.due_at)));
        } else if busy.len() < AT_ONCE {
            busy.insert(due.hook.id);
            let app = app.clone();
            sending.spawn(async move {
                let hook = due.hook.id;
                if let Err(error) = deliver(&app, due).await {
                    tracing::warn!(%hook, %error, "cannot note a delivery");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
                hook
            });
        }
    }
    Ok(next)
}

/// One try, and what follows from it.
async fn deliver(app: &App, due: DueDelivery) -> StoreResult<()> {
    let DueDelivery { delivery, hook, .. } = due;
    let outcome = match to_send(app, &delivery).await? {
        Ok(body) => {
            let answer = send(app, &hook, &envelope(app, &delivery), body.clone()).await;
            outcome(app, hook.health, answer, body)
        }
        Err(reason) => nothing_to_send(hook.health, reason),
    };
    let forget_before = clock::now().minus(REMEMBERED);
    let finished = app
        .store
        .finish_delivery(delivery.id, outcome, forget_before)
        .await;
    match finished {
        // The webhook was removed meanwhile.
        Err(StoreError::NotFound(_)) => Ok(()),
        other => other,
    }
}

/// The body to send, or why nothing is sent.
async fn to_send(app: &App, delivery: &Delivery) -> StoreResult<Result<Vec<u8>, &'static str>> {
    if clock::now().since(delivery.created_at) > MAX_AGE {
        return Ok(Err("given up after a day"));
    }
    if chain::goes_round(app, delivery).await? {
        return Ok(Err(
            "this webhook led to the pipeline that it would tell of",
        ));
    }
    let body = match delivery.body.clone() {
        Some(body) => Some(body),
        None => body(app, delivery).await?,
    };
    Ok(body.ok_or("there is nothing to tell, or too much"))
}

/// The body of a delivery; `None` when there is nothing to tell any more, nobody
/// who may tell it, or too much.
async fn body(app: &App, delivery: &Delivery) -> StoreResult<Option<Vec<u8>>> {
    let subject = Subject::find(app, delivery.run_id, delivery.attempt_id).await?;
    // As in GitLab, runs of blocked people send nothing.
    let Some(subject) = subject.filter(|subject| !subject.is_of_blocked_user()) else {
        return Ok(None);
    };
    let value = payload::of(app, &subject, Some(delivery.status)).await?;
    let body = value.to_string().into_bytes();
    if body.len() as u64 > app.config.limits.hook_body_bytes {
        tracing::warn!(run = %delivery.run_id, "a webhook's body is too large to be sent");
        return Ok(None);
    }
    Ok(Some(body))
}

fn envelope(app: &App, delivery: &Delivery) -> Envelope {
    Envelope {
        event: match delivery.attempt_id {
            Some(_) => "Job Hook",
            None => "Pipeline Hook",
        },
        event_uuid: chain::event_uuid(&app.secrets, delivery.id),
        key: uuid_of(&app.secrets, &format!("hook delivery {}", delivery.id)),
    }
}

async fn send(app: &App, hook: &Hook, envelope: &Envelope, body: Vec<u8>) -> Answer {
    let failed = |reason: String| Answer {
        result: Err(reason),
        duration: Duration::ZERO,
    };
    let Some(secrets) = HookSecrets::unseal(&app.secrets, hook) else {
        return failed("its secrets cannot be decrypted: was secret.key replaced?".to_owned());
    };
    let clients = match app.webhooks.clients.get() {
        Some(clients) => clients,
        None => match Clients::new(&app.config) {
            Ok(clients) => app.webhooks.clients.get_or_init(|| clients),
            Err(error) => return failed(format!("cannot start an HTTP client: {error}")),
        },
    };
    clients
        .send(&app.config, hook, &secrets, envelope, body)
        .await
}

/// What a try means for its delivery and its webhook.
fn outcome(app: &App, health: HookHealth, answer: Answer, body: Vec<u8>) -> DeliveryOutcome {
    let success = answer.is_success();
    let health = if success {
        HookHealth::default()
    } else {
        let patience = Patience {
            rests_after: app.config.limits.hook_rest_failures,
            ends_after: app.config.limits.hook_end_failures,
            first_rest: app.config.hook_rest,
        };
        after_failure(health, patience, clock::now())
    };
    DeliveryOutcome {
        state: match success {
            true => DeliveryState::Delivered,
            false => DeliveryState::Waiting,
        },
        response_status: answer.result.as_ref().ok().copied(),
        error: answer.result.err(),
        duration_ms: u64::try_from(answer.duration.as_millis()).unwrap_or(u64::MAX),
        body: (!success).then_some(body),
        health,
    }
}

fn nothing_to_send(health: HookHealth, reason: &str) -> DeliveryOutcome {
    DeliveryOutcome {
        state: DeliveryState::GivenUp,
        response_status: None,
        error: Some(reason.to_owned()),
        duration_ms: 0,
        body: None,
        health,
    }
}

/// Why a test did not reach the receiver.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The receiver's answer was no success.
    #[error("Hook executed successfully but returned HTTP {0}")]
    Status(u16),
    /// There was none.
    #[error("Hook execution failed: {0}")]
    Failed(String),
    /// The database broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends one body now, apart from the deliveries that wait.
pub async fn send_test(app: &App, hook: &Hook, subject: &Subject) -> Result<(), TestError> {
    let body = payload::of(app, subject, None).await?.to_string();
    let name = crate::secrets::new_token("");
    let envelope = Envelope {
        event: subject.event(),
        event_uuid: uuid_of(&app.secrets, &format!("hook test event {name}")),
        key: uuid_of(&app.secrets, &format!("hook test {name}")),
    };
    let answer = send(app, hook, &envelope, body.into_bytes()).await;
    match answer.result {
        Ok(200..=299) => Ok(()),
        Ok(status) => Err(TestError::Status(status)),
        Err(reason) => Err(TestError::Failed(reason)),
    }
}
