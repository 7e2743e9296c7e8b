//! A webhook and what it has told.

use serde::Serialize;
use tappet_model::Timestamp;
use tappet_store::{Delivery, DeliveryState, Hook as HookRecord};
use utoipa::ToSchema;

use super::Time;

/// GitLab: `API::Entities::ProjectHook`. Events that Tappet never sends are
/// always off; token and values of headers are never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Hook<'a> {
    id: i64,
    url: &'a str,
    name: Option<&'a str>,
    description: Option<&'a str>,
    created_at: Time,
    push_events: bool,
    tag_push_events: bool,
    merge_requests_events: bool,
    repository_update_events: bool,
    enable_ssl_verification: bool,
    alert_status: &'static str,
    disabled_until: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_variables: Option<Vec<HeaderName<'a>>>,
    push_events_branch_filter: Option<&'a str>,
    branch_filter_strategy: &'static str,
    custom_webhook_template: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_headers: Option<Vec<HeaderName<'a>>>,
    project_id: i64,
    issues_events: bool,
    confidential_issues_events: bool,
    note_events: bool,
    confidential_note_events: bool,
    pipeline_events: bool,
    wiki_page_events: bool,
    deployment_events: bool,
    feature_flag_events: bool,
    job_events: bool,
    releases_events: bool,
    milestone_events: bool,
    emoji_events: bool,
    resource_access_token_events: bool,
}

/// A header whose value stays secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct HeaderName<'a> {
    key: &'a str,
}

impl<'a> Hook<'a> {
    /// Shows a webhook; lists leave names of headers out.
    pub fn of(hook: &'a HookRecord, in_list: bool, now: Timestamp) -> Self {
        let settings = &hook.settings;
        let rests_until = hook.health.disabled_until.filter(|until| *until > now);
        let headers = settings.header_names.iter();
        Self {
            id: hook.id.0,
            url: &settings.url,
            name: settings.name.as_deref(),
            description: settings.description.as_deref(),
            created_at: Time(hook.created_at),
            push_events: false,
            tag_push_events: false,
            merge_requests_events: false,
            repository_update_events: false,
            enable_ssl_verification: !settings.skips_tls_checks,
            alert_status: match rests_until {
                _ if hook.health.is_disabled => "disabled",
                Some(_) => "temporarily_disabled",
                None => "executable",
            },
            disabled_until: rests_until.map(Time),
            url_variables: (!in_list).then(Vec::new),
            push_events_branch_filter: None,
            branch_filter_strategy: "wildcard",
            custom_webhook_template: None,
            custom_headers: (!in_list).then(|| headers.map(|key| HeaderName { key }).collect()),
            project_id: hook.project_id.0,
            issues_events: false,
            confidential_issues_events: false,
            note_events: false,
            confidential_note_events: false,
            pipeline_events: settings.sends_runs,
            wiki_page_events: false,
            deployment_events: false,
            feature_flag_events: false,
            job_events: settings.sends_jobs,
            releases_events: false,
            milestone_events: false,
            emoji_events: false,
            resource_access_token_events: false,
        }
    }
}

/// GitLab: `API::Entities::Hooks::Event`, without what was sent and answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HookEvent<'a> {
    id: i64,
    url: &'a str,
    trigger: &'static str,
    execution_duration: Option<f64>,
    response_status: String,
    state: &'static str,
    tries: u32,
    pipeline_id: i64,
    job_id: Option<i64>,
    status: &'static str,
    created_at: Time,
}

impl<'a> HookEvent<'a> {
    /// Shows a delivery.
    pub fn of(hook: &'a HookRecord, delivery: &'a Delivery) -> Self {
        let answer = delivery.response_status.map(|status| status.to_string());
        Self {
            id: delivery.id,
            url: &hook.settings.url,
            trigger: match delivery.attempt_id {
                Some(_) => "job_hooks",
                None => "pipeline_hooks",
            },
            execution_duration: delivery.duration_ms.map(|time| time as f64 / 1000.0),
            response_status: answer
                .or_else(|| delivery.error.clone())
                .unwrap_or_default(),
            state: match delivery.state {
                DeliveryState::Waiting => "waiting",
                DeliveryState::Delivered => "delivered",
                DeliveryState::GivenUp => "given_up",
            },
            tries: delivery.tries,
            pipeline_id: delivery.run_id.0,
            job_id: delivery.attempt_id.map(|id| id.0),
            status: delivery.status.as_str(),
            created_at: Time(delivery.created_at),
        }
    }
}
