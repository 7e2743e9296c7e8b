//! What the processes of a step find in their environment of the contexts
//! `github` and `runner`.
//!
//! GitHub runner: `GitHubContext`, `RunnerContext`.

use crate::value::Value;

/// Properties of `github` that become `GITHUB_…`.
const GITHUB: &[&str] = &[
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "actor",
    "actor_id",
    "api_url",
    "artifacts",
    "artifacts_list",
    "base_ref",
    "env",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "output",
    "path",
    "ref",
    "ref_name",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "server_url",
    "sha",
    "state",
    "step_summary",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
];

/// `GITHUB_…` of the context `github`; what is missing or null is left out.
pub fn of_github(github: &Value) -> impl Iterator<Item = (String, String)> {
    GITHUB.iter().filter_map(move |name| {
        let value = github.get(name);
        let shown = !matches!(value, Value::Null) && value.is_primitive();
        shown.then(|| {
            (
                format!("GITHUB_{}", name.to_ascii_uppercase()),
                value.to_text().to_string(),
            )
        })
    })
}

/// `RUNNER_…` of the context `runner`.
pub fn of_runner(runner: &Value) -> Vec<(String, String)> {
    let Value::Object(properties) = runner else {
        return Vec::new();
    };
    let texts = properties.iter().filter_map(|(name, value)| {
        Some((
            format!("RUNNER_{}", name.to_ascii_uppercase()),
            value.as_str()?.to_owned(),
        ))
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_properties_are_shown() {
        let github = Value::from(serde_json::json!({
            "token": "secret", "event": {"a": 1}, "sha": "abc", "ref_protected": true,
            "head_ref": null, "run_number": "7",
        }));
        let shown: Vec<_> = of_github(&github).collect();
        let expected = [
            ("GITHUB_REF_PROTECTED", "true"),
            ("GITHUB_RUN_NUMBER", "7"),
            ("GITHUB_SHA", "abc"),
        ];
        assert_eq!(
            shown,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn texts_of_the_runner_are_shown() {
        let runner = Value::from(serde_json::json!({"os": "Linux", "tool_cache": "/t", "n": 1}));
        let expected = [("RUNNER_OS", "Linux"), ("RUNNER_TOOL_CACHE", "/t")];
        assert_eq!(
            of_runner(&runner),
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
