//! The push hook: a git server tells, signed, that a branch or tag was pushed.
//!
//! The signature covers the raw body, so everything that counts stands in there.
//! A delivery is known by its `delivery` name, or by its whole body when it has
//! none: sent again, it starts nothing new.

use std::sync::OnceLock;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tappet_model::{CommitSha, ProjectId, RefKind, RefName, Source, Timestamp};
use tappet_store::{IdempotencyKey, Project, PushHook, StoreError};

use crate::app::App;
use crate::clock;
use crate::intake::{self, Refusal, RunRequest, Started};
use crate::secrets::{self, Secrets};
use crate::webhooks;

/// Bodies beyond this are no push hook's.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Headers that may carry the signature, the first that is there counts. The
/// second is GitHub's.
const SIGNATURES: [&str; 2] = ["x-tappet-signature", "x-hub-signature-256"];

/// What a sealed secret is bound to.
pub const SEAL_CONTEXT: &str = "push-hook";

const PREFIX: &str = "tpph-";

/// A delivery that says when it was sent is refused when that is further away.
/// Deliveries are remembered for longer.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// What was pushed.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Push {
    /// Id or full path.
    pub project: ProjectName,
    /// Full name: `refs/heads/…` or `refs/tags/…`.
    #[serde(rename = "ref")]
    pub full_ref: String,
    /// Where it stood; forty zeros for a new one.
    pub before: String,
    /// Where it stands now; forty zeros when it was deleted.
    pub after: String,
    /// The sender's name for this delivery, 1 to 255 characters.
    pub delivery: Option<String>,
    /// Seconds since 1970 when it was sent.
    pub sent_at: Option<i64>,
}

/// A project by number or by path.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub enum ProjectName {
    /// Its id.
    Id(i64),
    /// The same as text, or its full path.
    Text(String),
}

/// What became of a delivery that was accepted.
#[derive(Debug)]
pub enum Outcome {
    /// A run, new or of the same delivery before.
    Started(Box<Project>, Box<Started>),
    /// Nothing had to be done, and why.
    Nothing(String),
}

/// Why a delivery was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No such project, no push hook, no or a wrong signature: one answer.
    #[error("the signature does not fit")]
    NotSigned,
    /// A field of the body.
    #[error("{0}")]
    Invalid(&'static str),
    /// The run could not be started.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the push hook keeps in memory.
#[derive(Default)]
pub struct PushHooks {
    /// Stands in for the secret of a project that has none, so that the answer
    /// takes as long.
    decoy: OnceLock<Vec<u8>>,
}

/// A new secret, and its sealed form.
pub fn new_secret(secrets: &Secrets) -> (String, Vec<u8>) {
    let secret = secrets::new_token(PREFIX);
    let sealed = secrets.seal(secret.as_bytes(), SEAL_CONTEXT);
    (secret, sealed)
}

/// The secret of a push hook, to show it; `None` when `secret.key` was replaced.
pub fn secret(secrets: &Secrets, hook: &PushHook) -> Option<String> {
    let plain = secrets.unseal(&hook.sealed_secret, SEAL_CONTEXT).ok()?;
    String::from_utf8(plain).ok()
}

/// Checks a delivery and does what it asks for.
pub async fn receive(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Outcome, PushError> {
    let push: Push = serde_json::from_slice(body).map_err(|_| {
        PushError::Invalid("the body must be JSON with project, ref, before and after")
    })?;
    let (project, hook) = signed_by(app, &push.project, headers, body).await?;
    let order = match read(&push, clock::now())? {
        Reading::Nothing(why) => return Ok(Outcome::Nothing(why.to_owned())),
        Reading::Pushed(order) => order,
    };
    let user = app.store.user(hook.owner_id).await?;
    let now = clock::now();
    app.store.touch_push_hook(project.id, now).await?;
    let request = RunRequest {
        hooks: webhooks::chain::behind(app, headers).await?,
        before_sha: order.before,
        pushed: Some(order.after),
        skips_on_demand: true,
        idempotency: Some((delivery_key(project.id, &push, body), digest(body))),
        ..RunRequest::new(project.clone(), user, Source::Push, order.ref_name)
    };
    match intake::start_run(app, request).await {
        Ok(started) => Ok(Outcome::Started(Box::new(project), Box::new(started))),
        Err(quiet @ (Refusal::NothingToRun { .. } | Refusal::Skipped | Refusal::Superseded)) => {
            Ok(Outcome::Nothing(quiet.to_string()))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// The project and its push hook, if the body is signed with its secret. Every
/// way out takes the same steps.
async fn signed_by(
    app: &App,
    name: &ProjectName,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Project, PushHook), PushError> {
    let project = find_project(app, name).await?;
    let id = project.as_ref().map_or(ProjectId(0), |project| project.id);
    let hook = app.store.push_hook(id).await?;
    let decoy = || {
        let new = || new_secret(&app.secrets).1;
        app.push_hooks.decoy.get_or_init(new).clone()
    };
    let sealed = hook
        .as_ref()
        .map_or_else(decoy, |hook| hook.sealed_secret.clone());
    let secret = app
        .secrets
        .unseal(&sealed, SEAL_CONTEXT)
        .map_err(|_| PushError::NotSigned)?;
    let fits = signature(headers).is_some_and(|given| is_signature(&secret, body, &given));
    match (project, hook) {
        (Some(project), Some(hook)) if fits => Ok((project, hook)),
        _ => Err(PushError::NotSigned),
    }
}

async fn find_project(app: &App, name: &ProjectName) -> Result<Option<Project>, StoreError> {
    match name {
        ProjectName::Id(id) => app.store.project(ProjectId(*id)).await,
        ProjectName::Text(text) => match text.parse() {
            Ok(id) => app.store.project(id).await,
            Err(_) => app.store.project_by_path(text).await,
        },
    }
}

/// The digest that `sha256=<64 hex digits>` tells of.
fn signature(headers: &HeaderMap) -> Option<[u8; 32]> {
    let value = SIGNATURES.iter().find_map(|name| headers.get(*name))?;
    let digits = value.to_str().ok()?.strip_prefix("sha256=")?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut digest = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(digest)
}

fn is_signature(secret: &[u8], body: &[u8], given: &[u8; 32]) -> bool {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let expected = mac.chain_update(body).finalize().into_bytes();
    bool::from(expected.as_slice().ct_eq(given))
}

fn digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

fn delivery_key(project: ProjectId, push: &Push, body: &[u8]) -> IdempotencyKey {
    let key = match &push.delivery {
        Some(delivery) => delivery.clone(),
        None => digest(body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    };
    IdempotencyKey {
        project_id: project,
        credential: "push_hook".to_owned(),
        key,
    }
}

/// What a push asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Order {
    ref_name: String,
    before: Option<CommitSha>,
    after: CommitSha,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Reading {
    Pushed(Order),
    Nothing(&'static str),
}

/// Reads the fields of a signed push.
fn read(push: &Push, now: Timestamp) -> Result<Reading, PushError> {
    let sha = |text: &str| text.parse::<CommitSha>().ok();
    let before = sha(&push.before).ok_or(PushError::Invalid("before is invalid"))?;
    let after = sha(&push.after).ok_or(PushError::Invalid("after is invalid"))?;
    let fits = |delivery: &String| (1..=255).contains(&delivery.len());
    if !push.delivery.as_ref().is_none_or(fits) {
        return Err(PushError::Invalid("delivery is invalid"));
    }
    if let Some(sent_at) = push.sent_at {
        let sent_at = Timestamp(sent_at.saturating_mul(1_000_000));
        if now.since(sent_at).max(sent_at.since(now)) > MAX_AGE {
            return Err(PushError::Invalid(
                "sent_at is more than an hour away: set the sender's clock, or send it again",
            ));
        }
    }
    let name =
        RefName::new(push.full_ref.as_str()).map_err(|_| PushError::Invalid("ref is invalid"))?;
    match name.split() {
        (Some(RefKind::Branch | RefKind::Tag), _) => {}
        _ if push.full_ref.starts_with("refs/") => {
            return Ok(Reading::Nothing("only branches and tags start pipelines"));
        }
        _ => {
            return Err(PushError::Invalid(
                "ref is invalid: write refs/heads/… or refs/tags/… in full",
            ));
        }
    }
    if after.as_str() == CommitSha::ZERO {
        return Ok(Reading::Nothing("the ref was deleted"));
    }
    Ok(Reading::Pushed(Order {
        ref_name: push.full_ref.clone(),
        before: (before.as_str() != CommitSha::ZERO).then_some(before),
        after,
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn push(change: serde_json::Value) -> Push {
        let mut body = json!({
            "project": 1, "ref": "refs/heads/main",
            "before": "a".repeat(40), "after": "b".repeat(40),
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_push_is_read_in_full() {
        let order = Order {
            ref_name: "refs/heads/main".into(),
            before: Some("a".repeat(40).parse().unwrap()),
            after: "b".repeat(40).parse().unwrap(),
        };
        let read = |change| read(&push(change), NOW).unwrap();
        assert_eq!(read(json!({})), Reading::Pushed(order.clone()));
        let new = Order {
            before: None,
            ..order
        };
        assert_eq!(
            read(json!({ "before": "0".repeat(40) })),
            Reading::Pushed(new)
        );
    }

    #[rstest]
    #[case::deleted(json!({ "after": "0".repeat(40) }))]
    #[case::a_note(json!({ "ref": "refs/notes/commits" }))]
    fn some_pushes_ask_for_nothing(#[case] change: serde_json::Value) {
        assert!(matches!(read(&push(change), NOW), Ok(Reading::Nothing(_))));
    }

    #[rstest]
    #[case::short_ref(json!({ "ref": "main" }))]
    #[case::no_ref(json!({ "ref": "refs/heads/a..b" }))]
    #[case::short_sha(json!({ "after": "abc" }))]
    #[case::no_sha(json!({ "before": "" }))]
    #[case::empty_delivery(json!({ "delivery": "" }))]
    #[case::old(json!({ "sent_at": 1_799_990_000 }))]
    #[case::from_the_future(json!({ "sent_at": 1_800_010_000 }))]
    fn some_pushes_are_refused(#[case] change: serde_json::Value) {
        assert!(matches!(
            read(&push(change), NOW),
            Err(PushError::Invalid(_))
        ));
    }

    #[test]
    fn a_signature_fits_one_secret_and_one_body() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let mut headers = HeaderMap::new();
        let value = format!("sha256={expected}");
        headers.insert("x-hub-signature-256", value.parse().unwrap());
        let given = signature(&headers).unwrap();
        let body = b"what do ya want for nothing?";
        assert!(is_signature(b"Jefe", body, &given));
        assert!(!is_signature(b"jefe", body, &given));
        assert!(!is_signature(
            b"Jefe",
            b"what do ya want for nothing",
            &given
        ));
        headers.insert("x-tappet-signature", "sha256=00".parse().unwrap());
        assert_eq!(signature(&headers), None);
    }

    #[rstest]
    #[case("sha1=5bdcc146bf60754e6a042426089575c75a003f08")]
    #[case("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    #[case("sha256=zzdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    #[case("sha256=")]
    fn other_texts_are_no_signature(#[case] value: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("x-tappet-signature", value.parse().unwrap());
        assert_eq!(signature(&headers), None);
    }
}
