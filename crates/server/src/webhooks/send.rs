//! One request to a receiver: within its time, without following redirects, and
//! without reading more of the answer than its status.

use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::Client;
use tappet_store::Hook;

use super::HookSecrets;
use crate::config::Config;
use crate::outgoing::{self, reason};
use crate::version::GITLAB_VERSION;

/// HTTP clients, made when the first webhook has something to tell.
pub struct Clients {
    strict: Client,
    lenient: Client,
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status of the answer, or why there was none.
    pub result: Result<u16, String>,
    /// How long it took.
    pub duration: Duration,
}

impl Answer {
    /// The receiver has it.
    pub fn is_success(&self) -> bool {
        matches!(self.result, Ok(200..=299))
    }
}

/// What is said in headers, beside the secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// `Pipeline Hook` or `Job Hook`.
    pub event: &'static str,
    /// The event's name, which leads this server back to the delivery.
    pub event_uuid: String,
    /// The delivery's name, the same for all tries.
    pub key: String,
}

impl Clients {
    /// Makes them; this reads the certificates that the machine trusts.
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        Ok(Self {
            strict: outgoing::client(config).build()?,
            lenient: outgoing::client(config)
                .tls_danger_accept_invalid_certs(true)
                .build()?,
        })
    }

    /// Sends a body to a webhook.
    pub async fn send(
        &self,
        config: &Config,
        hook: &Hook,
        secrets: &HookSecrets,
        envelope: &Envelope,
        body: Vec<u8>,
    ) -> Answer {
        let started = Instant::now();
        let result = match outgoing::address(config, &hook.settings.url) {
            Ok(url) => {
                let client = if hook.settings.skips_tls_checks {
                    &self.lenient
                } else {
                    &self.strict
                };
                let request = client
                    .post(url)
                    .headers(headers(config, hook, secrets, envelope))
                    .body(body);
                match request.send().await {
                    Ok(response) => Ok(response.status().as_u16()),
                    Err(error) => Err(reason(&error)),
                }
            }
            Err(reason) => Err(reason),
        };
        Answer {
            result,
            duration: started.elapsed(),
        }
    }
}

/// GitLab's headers, then the webhook's own, which cannot replace them.
fn headers(config: &Config, hook: &Hook, secrets: &HookSecrets, envelope: &Envelope) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let names = hook.settings.header_names.iter();
    for (name, value) in names.zip(&secrets.header_values) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            headers.insert(name, value);
        }
    }
    let agent = format!("GitLab/{GITLAB_VERSION}");
    let instance = config.url("");
    let ours = [
        (CONTENT_TYPE, "application/json"),
        (USER_AGENT, &agent),
        (HeaderName::from_static("x-gitlab-event"), envelope.event),
        (HeaderName::from_static("x-gitlab-webhook-uuid"), &hook.uuid),
        (HeaderName::from_static("x-gitlab-instance"), &instance),
        (
            HeaderName::from_static("x-gitlab-event-uuid"),
            &envelope.event_uuid,
        ),
        (HeaderName::from_static("idempotency-key"), &envelope.key),
        (
            HeaderName::from_static("x-gitlab-token"),
            secrets.token.as_deref().unwrap_or_default(),
        ),
    ];
    for (name, value) in ours {
        if let Ok(value) = HeaderValue::try_from(value)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
    headers
}
