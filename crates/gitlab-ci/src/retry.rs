//! `retry`: how often and after which failures a job is repeated by itself
//! (GitLab: `entry/retry.rb`, `build/auto_retry.rb`).

use tappet_model::FailureReason;
use tappet_model::plan::RetryPolicy;
use tappet_yaml::{Node, Value};

use crate::entry::{Entry, Field, strings};
use crate::keywords;
use crate::validation::{Location, Report};

/// GitLab names this entry `retry` wherever it stands.
const LOCATION: Location<'_> = Location::root("retry");

/// The most attempts after the first one.
const MAX_ATTEMPTS: i64 = 2;

/// Every failure counts.
const ALWAYS: &str = "always";

/// Reasons of GitLab's that no attempt here can fail with.
const NEVER_HERE: &[&str] = &[
    "bridge_pipeline_is_child_pipeline",
    "builds_disabled",
    "ci_quota_exceeded",
    "deployment_rejected",
    "downstream_bridge_project_not_found",
    "downstream_pipeline_creation_failed",
    "failed_outdated_deployment_job",
    "forward_deployment_failure",
    "insufficient_bridge_permissions",
    "insufficient_upstream_permissions",
    "invalid_bridge_trigger",
    "ip_restriction_failure",
    "job_router_failure",
    "job_token_expired",
    "pipeline_loop_detected",
    "project_deleted",
    "protected_environment_failure",
    "reached_downstream_pipeline_trigger_rate_limit",
    "reached_max_descendant_pipelines_depth",
    "reached_max_pipeline_hierarchy_size",
    "runner_provisioning_timeout",
    "secrets_provider_not_found",
    "server_timeout_canceling",
    "server_timeout_running",
    "upstream_bridge_project_not_found",
    "user_blocked",
];

/// The policy that the keyword states.
pub(crate) fn read(field: Field<'_>, report: &mut Report) -> Option<RetryPolicy> {
    if field.node.as_int().is_some() {
        let max = attempts(field, "config", report)?;
        return Some(RetryPolicy {
            max,
            ..RetryPolicy::default()
        });
    }
    let Some(mapping) = field.node.as_mapping() else {
        let text = "config has to be either an integer or a hash";
        report.invalid(field.position, &LOCATION, text);
        return None;
    };
    let entry = Entry {
        location: &LOCATION,
        mapping,
        position: field.position,
    };
    entry.check_keys(&keywords::RETRY, report);
    let max = entry.get("max").map(|field| attempts(field, "max", report));
    let exit_codes = entry.integers("exit_codes", report).unwrap_or_default();
    let when = match entry.get("when") {
        Some(field) => reasons(field, report),
        None if exit_codes.is_empty() => None,
        None => Some(Vec::new()),
    };
    Some(RetryPolicy {
        max: max.flatten().unwrap_or_default(),
        when,
        exit_codes,
    })
}

fn attempts(field: Field<'_>, attribute: &str, report: &mut Report) -> Option<u32> {
    let wrong = match field.node.value {
        Value::Int(max @ 0..=MAX_ATTEMPTS) => return u32::try_from(max).ok(),
        Value::Int(..0) => "must be greater than or equal to 0",
        Value::Int(_) => "must be less than or equal to 2",
        Value::Float(_) => "must be an integer",
        _ => "is not a number",
    };
    let text = format_args!("{attribute} {wrong}");
    report.invalid(field.position, &LOCATION, text);
    None
}

/// `None`: every failure counts.
fn reasons(field: Field<'_>, report: &mut Report) -> Option<Vec<FailureReason>> {
    let words = words(field.node);
    let unknown: Vec<&str> = words
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|word| !is_known(word))
        .collect();
    let wrong = match &words {
        None => "when should be an array of strings or a string".to_owned(),
        Some(words) if unknown.is_empty() => {
            let is_any = words.iter().any(|word| word == ALWAYS);
            let known = || words.iter().filter_map(|word| word.parse().ok()).collect();
            return (!is_any).then(known);
        }
        Some(_) if field.node.as_str().is_some() => "when is not included in the list".to_owned(),
        Some(_) => format!("when contains unknown values: {}", unknown.join(", ")),
    };
    report.invalid(field.position, &LOCATION, wrong);
    None
}

fn words(node: &Node) -> Option<Vec<String>> {
    match node.as_str() {
        Some(word) => Some(vec![word.to_owned()]),
        None => strings(node),
    }
}

fn is_known(word: &str) -> bool {
    word == ALWAYS || word.parse::<FailureReason>().is_ok() || NEVER_HERE.contains(&word)
}
