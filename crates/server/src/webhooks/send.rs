//! One request to a receiver: within its time, without following redirects, and
//! without reading more of the answer than its status.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::Client;
use tappet_store::Hook;
use url::{Host, Url};

use super::HookSecrets;
use super::address::{GuardedResolver, is_local};
use crate::config::Config;
use crate::version::GITLAB_VERSION;

/// HTTP clients, made when the first webhook has something to tell.
pub struct Clients {
    strict: Client,
    lenient: Client,
    allow_local: bool,
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
        let allow_local = config.allow_local_requests;
        let builder = || {
            Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .timeout(config.hook_timeout)
                .pool_max_idle_per_host(1)
                .pool_idle_timeout(Duration::from_secs(30))
                .dns_resolver(GuardedResolver { allow_local })
        };
        Ok(Self {
            strict: builder().build()?,
            lenient: builder().tls_danger_accept_invalid_certs(true).build()?,
            allow_local,
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
        let result = match self.address(&hook.settings.url) {
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

    /// A literal address does not pass the resolver, so it is checked here.
    fn address(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let literal: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if !self.allow_local && literal.is_some_and(is_local) {
            return Err("it leads to this machine or a private network".to_owned());
        }
        Ok(url)
    }
}

/// The innermost cause says most. Addresses may hold secrets in their query.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let kind = if error.is_connect() {
        "cannot connect"
    } else {
        "cannot send"
    };
    format!("{kind}: {cause}")
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
