//! A webhook that a forge sends: who sent it, whether it came before, and what it asks
//! for. Nothing in a body is looked at before its signature fits, and what it says of
//! people allows nothing: runs have the rights of whoever bound the project.

mod payload;
mod pull_request;
mod push;

use http::HeaderMap;
use sha2::{Digest, Sha256};
use tappet_forge::webhook::{self, BadPayload, ForgeEvent, Repository, delivery_id, event_name};
use tappet_model::{ForgeKind, ProjectId, RunId};
use tappet_store::{ForgeBinding, IdempotencyKey, NewForgeDelivery, Project, StoreError, User};

use super::binding;
use crate::app::App;
use crate::clock;
use crate::intake::{Refusal, Started};

pub use payload::Encoding;

/// Deliveries are remembered for so long: forges offer to send those of the last days
/// again (GitHub: 3 days; GitLab: 7 days).
const REMEMBERED: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);

/// Stands for the credential in audit log and idempotency keys.
const CREDENTIAL: &str = "forge";

/// What came of a delivery that was accepted.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In words, for the forge's list of deliveries.
    pub lines: Vec<String>,
    /// The runs that it started.
    pub runs: Vec<Started>,
    /// The runs that it canceled.
    pub canceled: Vec<RunId>,
}

impl Outcome {
    fn nothing(why: impl Into<String>) -> Self {
        let mut outcome = Self::default();
        outcome.say(why);
        outcome
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// All of it in one text.
    pub fn text(&self) -> String {
        self.lines.join("; ")
    }
}

/// Why a delivery was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// No such project, none that is bound, no or a wrong signature: one answer.
    #[error("the signature does not fit")]
    NotSigned,
    /// It came before.
    #[error(
        "the delivery {0} was taken before; what came of it stands in the project's list of deliveries"
    )]
    Replayed(String),
    /// The forge sends no such thing.
    #[error("{0} sends its webhooks as application/json: set that as the content type")]
    NoForm(ForgeKind),
    /// The form holds no payload.
    #[error("the form has no field `payload`: set the webhook's content type to application/json")]
    NoPayload,
    /// The payload.
    #[error(transparent)]
    Payload(#[from] BadPayload),
    /// It tells of another repository.
    #[error(
        "the event is about `{found}`, but the project is bound to `{bound}`: bind it to that one, or remove the webhook there"
    )]
    OtherRepository {
        /// In the event.
        found: String,
        /// In the binding.
        bound: String,
    },
    /// A run could not be started for now.
    #[error(transparent)]
    Refused(Refusal),
    /// The database broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was sent, with all that it is handled by.
struct Delivery<'a> {
    project: Project,
    binding: ForgeBinding,
    owner: Option<User>,
    headers: &'a HeaderMap,
    /// The forge's name for it, or a digest of what it sent.
    name: String,
    /// Of the whole body.
    digest: [u8; 32],
}

impl Delivery<'_> {
    /// So that a delivery of which only the note was lost starts nothing twice.
    fn idempotency(&self, what: &str) -> (IdempotencyKey, [u8; 32]) {
        let key = IdempotencyKey {
            project_id: self.project.id,
            credential: CREDENTIAL.to_owned(),
            key: format!("{} {what}", self.name),
        };
        (key, self.digest)
    }

    /// The event is about the repository that the project is bound to.
    fn check(&self, found: &Repository) -> Result<(), HookError> {
        let bound = &self.binding.repository;
        if found.full_name.eq_ignore_ascii_case(bound) || found.id == *bound {
            return Ok(());
        }
        Err(HookError::OtherRepository {
            found: found.full_name.clone(),
            bound: bound.clone(),
        })
    }
}

/// Checks a delivery and does what it asks for. Deliveries of the same name go one
/// after another.
pub async fn receive(
    app: &App,
    project: ProjectId,
    headers: &HeaderMap,
    encoding: Encoding,
    body: &[u8],
) -> Result<Outcome, HookError> {
    let (project, binding) = signed_by(app, project, headers, body).await?;
    let kind = binding.kind;
    let json = payload::of(kind, encoding, body)?;
    let digest: [u8; 32] = Sha256::digest(body).into();
    let name = delivery_id(kind, headers).unwrap_or_else(|| format!("sha256:{}", hex(&digest)));
    let key = IdempotencyKey {
        project_id: project.id,
        credential: CREDENTIAL.to_owned(),
        key: name.clone(),
    };
    let _turn = app.forge.in_flight.wait_for(&key).await;
    let known = app.store.knows_forge_delivery(project.id, name.clone());
    if known.await? {
        return Err(HookError::Replayed(name));
    }
    let event = webhook::parse(kind, headers, &json)?;
    let delivery = Delivery {
        owner: app.store.user(binding.owner_id).await?,
        project,
        binding,
        headers,
        name,
        digest,
    };
    let outcome = match event {
        ForgeEvent::Ping => Outcome::nothing("the webhook is set up"),
        ForgeEvent::Other(word) => Outcome::nothing(format!(
            "nothing to do: {word} starts no run; pushes and pull requests do"
        )),
        ForgeEvent::Push(event) => {
            delivery.check(&event.repository)?;
            push::handle(app, &delivery, &event).await?
        }
        ForgeEvent::PullRequest(event) => {
            delivery.check(&event.repository)?;
            pull_request::handle(app, &delivery, *event).await?
        }
    };
    remember(app, &delivery, &outcome).await?;
    Ok(outcome)
}

/// The project and its forge, if the body is signed with the secret of that. Every way
/// out takes the same steps: what stands in for a project that is not there is checked
/// in the ways of all forges, too.
async fn signed_by(
    app: &App,
    id: ProjectId,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Project, ForgeBinding), HookError> {
    let project = app.store.project(id).await?;
    let binding = app.store.forge_binding(id).await?;
    let sealed = match &binding {
        Some(binding) => binding.sealed_webhook_secret.clone(),
        None => app.forge.decoy(&app.secrets),
    };
    let secret = binding::webhook_secret(&app.secrets, &sealed).ok_or(HookError::NotSigned)?;
    let fitting = ForgeKind::ALL.map(|kind| {
        let verified = webhook::verify(kind, headers, body, &secret);
        verified.is_ok().then_some(kind)
    });
    match (project, binding) {
        (Some(project), Some(binding)) if fitting.contains(&Some(binding.kind)) => {
            Ok((project, binding))
        }
        _ => Err(HookError::NotSigned),
    }
}

async fn remember(app: &App, delivery: &Delivery<'_>, outcome: &Outcome) -> Result<(), HookError> {
    let now = clock::now();
    let new = NewForgeDelivery {
        project_id: delivery.project.id,
        delivery: delivery.name.clone(),
        event: event_name(delivery.binding.kind, delivery.headers).unwrap_or_default(),
        outcome: outcome.text(),
        runs: outcome.runs.iter().map(|started| started.run.id).collect(),
        forget_before: now.minus(REMEMBERED),
        now,
    };
    match app.store.add_forge_delivery(new).await {
        Err(StoreError::Taken { .. }) => Err(HookError::Replayed(delivery.name.clone())),
        other => Ok(other?),
    }
}

/// What a refusal means for a delivery: a sentence when there is nothing to start, an
/// error when the forge should send it again.
fn refused(refusal: Refusal) -> Result<String, HookError> {
    match refusal {
        Refusal::NotStarted { .. }
        | Refusal::NothingToRun { .. }
        | Refusal::Superseded
        | Refusal::Skipped
        | Refusal::InvalidVariableKey
        | Refusal::WorkflowNotFound(_)
        | Refusal::WorkflowMismatch(_) => Ok(format!("no run: {refusal}")),
        Refusal::KeyReused
        | Refusal::Unavailable { .. }
        | Refusal::QueueFull { .. }
        | Refusal::Settings(_)
        | Refusal::Store(_) => Err(HookError::Refused(refusal)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
