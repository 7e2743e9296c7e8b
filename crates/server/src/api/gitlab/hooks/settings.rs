//! What a caller sets on a webhook.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use serde_json::Value;
use tappet_store::HookSettings;

use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::{Checks, as_text};
use crate::config::Config;
use crate::outgoing::check_url;
use crate::webhooks::HookSecrets;

/// GitLab's events that Tappet has nothing to tell of.
pub const EVENTS_NEVER_SENT: &[&str] = &[
    "push_events",
    "tag_push_events",
    "issues_events",
    "confidential_issues_events",
    "merge_requests_events",
    "note_events",
    "confidential_note_events",
    "wiki_page_events",
    "deployment_events",
    "feature_flag_events",
    "releases_events",
    "milestone_events",
    "emoji_events",
    "resource_access_token_events",
    "resource_deploy_token_events",
    "vulnerability_events",
];

/// Settings of GitLab's that Tappet has no use for.
const NOT_SUPPORTED: &[&str] = &[
    "url_variables",
    "custom_webhook_template",
    "push_events_branch_filter",
    "signing_token",
];

/// The most headers of one webhook, as in GitLab.
const MAX_HEADERS: usize = 20;

/// The longest token and value of a header.
const MAX_SECRET_BYTES: usize = 2048;

/// What was given; what was not stays as it is.
#[derive(Default)]
pub struct Given {
    url: Option<String>,
    name: Option<String>,
    description: Option<String>,
    sends_runs: Option<bool>,
    sends_jobs: Option<bool>,
    checks_tls: Option<bool>,
    token: Option<String>,
    headers: Option<Vec<(String, String)>>,
    /// Something that changes nothing, such as an event that stays off.
    anything_else: bool,
    refused: Option<&'static str>,
}

impl Given {
    /// Reads the parameters of a call.
    pub fn read(checks: &mut Checks<'_>) -> Self {
        let mut given = Self {
            url: checks.text("url").map(Into::into),
            name: checks.text("name").map(Into::into),
            description: checks.text("description").map(Into::into),
            sends_runs: checks.boolean("pipeline_events"),
            sends_jobs: checks.boolean("job_events"),
            checks_tls: checks.boolean("enable_ssl_verification"),
            token: checks.text("token").map(Into::into),
            headers: headers(checks),
            ..Self::default()
        };
        for name in EVENTS_NEVER_SENT {
            match checks.boolean(name) {
                Some(true) => given.refused = Some(name),
                Some(false) => given.anything_else = true,
                None => {}
            }
        }
        for name in NOT_SUPPORTED {
            if checks.is_given(name) {
                given.refused = Some(name);
            }
        }
        given
    }

    /// Nothing was given.
    pub fn is_empty(&self) -> bool {
        let texts = [&self.url, &self.name, &self.description, &self.token];
        let flags = [self.sends_runs, self.sends_jobs, self.checks_tls];
        let nothing = texts.iter().all(|text| text.is_none())
            && flags.iter().all(Option::is_none)
            && self.headers.is_none();
        nothing && !self.anything_else && self.refused.is_none()
    }

    /// Refuses what cannot be: an address that may not be reached, an event that is
    /// never sent, a header that cannot be.
    pub fn check(self, config: &Config) -> ApiResult<Self> {
        if let Some(name) = self.refused {
            return Err(ApiError::bad_request(format!(
                "{name} is not supported: Tappet tells of pipelines and jobs; leave it out"
            )));
        }
        let unprocessable = |text: String| ApiError::error(StatusCode::UNPROCESSABLE_ENTITY, text);
        if let Some(url) = &self.url {
            check_url(url, config.allow_local_requests)
                .map_err(|error| unprocessable(error.to_string()))?;
        }
        let fits =
            |value: &str| value.len() <= MAX_SECRET_BYTES && HeaderValue::try_from(value).is_ok();
        if !self.token.as_deref().is_none_or(fits) {
            return Err(unprocessable("Invalid token given".to_owned()));
        }
        for (name, value) in self.headers.iter().flatten() {
            if HeaderName::try_from(name.as_str()).is_err() || !fits(value) {
                return Err(unprocessable(format!(
                    "Invalid custom header given: {name}"
                )));
            }
        }
        Ok(self)
    }

    /// Changes settings and secrets. A new address drops the token, so that it
    /// cannot be read by pointing the webhook elsewhere; headers likewise.
    pub fn apply(self, settings: &mut HookSettings, secrets: &mut HookSecrets) {
        if let Some(url) = self.url
            && url != settings.url
        {
            settings.url = url;
            settings.header_names.clear();
            *secrets = HookSecrets::default();
        }
        let text = |text: Option<String>, old: Option<String>| match text {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => old,
        };
        settings.name = text(self.name, settings.name.take());
        settings.description = text(self.description, settings.description.take());
        secrets.token = text(self.token, secrets.token.take());
        settings.sends_runs = self.sends_runs.unwrap_or(settings.sends_runs);
        settings.sends_jobs = self.sends_jobs.unwrap_or(settings.sends_jobs);
        let checks_tls = self.checks_tls.unwrap_or(!settings.skips_tls_checks);
        settings.skips_tls_checks = !checks_tls;
        for (name, value) in self.headers.into_iter().flatten() {
            let known = settings.header_names.iter();
            match known.clone().position(|known| *known == name) {
                Some(at) => secrets.header_values[at] = value,
                None => {
                    settings.header_names.push(name);
                    secrets.header_values.push(value);
                }
            }
        }
    }
}

/// `[{"key":…,"value":…}]`.
fn headers(checks: &mut Checks<'_>) -> Option<Vec<(String, String)>> {
    let items = checks.array("custom_headers")?;
    let mut headers = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let field = |name: &str| match item {
            Value::Object(item) => item.get(name).and_then(as_text),
            _ => None,
        };
        match (field("key"), field("value")) {
            (Some(key), Some(value)) => headers.push((key.into_owned(), value.into_owned())),
            (key, _) => {
                let missing = if key.is_none() { "key" } else { "value" };
                checks.refuse(format!("custom_headers[{at}][{missing}] is missing"));
            }
        }
    }
    if headers.len() > MAX_HEADERS {
        checks.refuse("custom_headers does not have a valid value");
    }
    Some(headers)
}
