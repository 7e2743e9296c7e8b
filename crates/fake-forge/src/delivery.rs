//! Webhooks as the forges send them: the recorded payloads of `tappet-forge`, with all
//! headers and signed.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use sha2::Sha256;
use tappet_model::ForgeKind;

/// A call of a webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its headers, the signature too.
    pub headers: HeaderMap,
    /// JSON.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The payload `name` of `crates/forge/tests/payloads/<kind>/`, after `change`, sent
    /// as delivery `id` and signed with `secret`.
    pub fn recorded(
        kind: ForgeKind,
        name: &str,
        id: &str,
        secret: &str,
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../forge/tests/payloads")
            .join(kind.as_str())
            .join(format!("{name}.json"));
        let text = std::fs::read(&path).expect("the payload is there");
        let mut payload = serde_json::from_slice(&text).expect("payloads are JSON");
        change(&mut payload);
        Self::new(kind, &event(kind, name), id, secret, &payload)
    }

    /// Any payload as the event `event`.
    pub fn new(kind: ForgeKind, event: &str, id: &str, secret: &str, payload: &Value) -> Self {
        Self::signed(kind, event, id, secret, payload.to_string().into_bytes())
    }

    /// Any body as the event `event`.
    pub fn signed(kind: ForgeKind, event: &str, id: &str, secret: &str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in headers_of(kind, event, id, secret, &body) {
            let value = HeaderValue::from_str(&value).expect("values are plain");
            headers.insert(HeaderName::from_static(name), value);
        }
        Self { headers, body }
    }
}

/// The event that a recorded payload belongs to, from its name.
fn event(kind: ForgeKind, name: &str) -> String {
    let word = match (kind, name.split('_').next().unwrap_or(name)) {
        (ForgeKind::Github, "ping") => "ping",
        (ForgeKind::Gitlab, "push") => "Push Hook",
        (ForgeKind::Gitlab, "tag") => "Tag Push Hook",
        (ForgeKind::Gitlab, _) => "Merge Request Hook",
        (ForgeKind::Bitbucket, "push") => "repo:push",
        (ForgeKind::Bitbucket, _) => {
            return name.trim_end_matches("_fork").replacen('_', ":", 1);
        }
        (_, "push") => "push",
        (_, _) => "pull_request",
    };
    word.to_owned()
}

fn headers_of(
    kind: ForgeKind,
    event: &str,
    id: &str,
    secret: &str,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let (event, id) = (event.to_owned(), id.to_owned());
    let digits: String = mac(secret, &[body])
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(match kind {
        ForgeKind::Github => vec![
            ("user-agent", "GitHub-Hookshot/94b2ac5".to_owned()),
            ("x-github-delivery", id),
            ("x-github-event", event),
            ("x-github-hook-id", "480312077".to_owned()),
            ("x-github-hook-installation-target-id", "551204".to_owned()),
            (
                "x-github-hook-installation-target-type",
                "repository".to_owned(),
            ),
            // Of SHA-1, which nobody should look at any more.
            ("x-hub-signature", format!("sha1={}", "0".repeat(40))),
            ("x-hub-signature-256", format!("sha256={digits}")),
        ],
        ForgeKind::Gitlab => vec![
            ("user-agent", "GitLab/18.5.0".to_owned()),
            ("idempotency-key", id),
            ("x-gitlab-event", event),
            (
                "x-gitlab-event-uuid",
                "4be1bd0c-5a91-4c8e-8e1f-0d2f3a7c6b95".to_owned(),
            ),
            ("x-gitlab-instance", "https://gitlab.example.com".to_owned()),
            ("x-gitlab-token", secret.to_owned()),
            (
                "x-gitlab-webhook-uuid",
                "c02a7f1e-93d4-4b06-a5be-71f8d6e0c342".to_owned(),
            ),
        ],
        ForgeKind::Gitea => vec![
            ("user-agent", "Go-http-client/1.1".to_owned()),
            ("x-gitea-delivery", id.clone()),
            ("x-gitea-event", event.clone()),
            ("x-gitea-event-type", event.clone()),
            ("x-gitea-signature", digits.clone()),
            ("x-github-delivery", id.clone()),
            ("x-github-event", event.clone()),
            ("x-gogs-delivery", id),
            ("x-gogs-event", event),
            ("x-gogs-signature", digits.clone()),
            ("x-hub-signature-256", format!("sha256={digits}")),
        ],
        ForgeKind::Bitbucket => vec![
            ("user-agent", "Bitbucket-Webhooks/2.0".to_owned()),
            ("x-attempt-number", "1".to_owned()),
            ("x-event-key", event),
            (
                "x-hook-uuid",
                "2d0c6f4e-8a17-4b95-9c3e-6f1d2a5b7c80".to_owned(),
            ),
            ("x-hub-signature", format!("sha256={digits}")),
            ("x-request-uuid", id),
        ],
    });
    headers
}

impl Delivery {
    /// The same from a GitLab whose webhook has a signing token instead of a secret one.
    pub fn signed_by_gitlab(mut self, secret: &str) -> Self {
        let id = self.headers["idempotency-key"].clone();
        let sent_at = "1780391551";
        let parts = [id.as_bytes(), b".", sent_at.as_bytes(), b".", &self.body];
        let signature = format!("v1,{}", STANDARD.encode(mac(secret, &parts)));
        let signature = HeaderValue::from_str(&signature).expect("base64 is plain");
        self.headers.remove("x-gitlab-token");
        self.headers.insert("webhook-id", id);
        self.headers
            .insert("webhook-timestamp", HeaderValue::from_static(sent_at));
        self.headers.insert("webhook-signature", signature);
        self
    }
}

fn mac(secret: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
