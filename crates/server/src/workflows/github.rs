//! The `github` context, as far as the server knows it; what changes from step to
//! step is the runner's to add (GitHub runner: `GitHubContext.cs`).

use serde_json::{Map, Value, json};
use tappet_store::{Project, Run, User};

use super::WorkflowFacts;
use crate::config::Config;

/// What is known where an expression is evaluated.
pub struct GithubFacts<'a> {
    /// For addresses.
    pub config: &'a Config,
    /// The project.
    pub project: &'a Project,
    /// Its default branch.
    pub default_branch: &'a str,
    /// What happened.
    pub facts: &'a WorkflowFacts,
    /// Position of the workflow in the run.
    pub position: usize,
    /// The workflow.
    pub workflow: WorkflowIdentity<'a>,
    /// The commit.
    pub sha: &'a str,
    /// Whom the run impersonates.
    pub user: Option<&'a User>,
    /// The ref is protected.
    pub is_protected: bool,
    /// Once the run exists.
    pub run: Option<RunIdentity<'a>>,
}

/// A workflow by its file.
#[derive(Clone, Copy, Debug)]
pub struct WorkflowIdentity<'a> {
    /// From the root of the repository; `None` when its text came with the call.
    pub path: Option<&'a str>,
    /// Base name of the file.
    pub file: &'a str,
    /// `name` of the file.
    pub name: Option<&'a str>,
}

/// What a run, and a job in it, add to the context.
pub struct RunIdentity<'a> {
    /// The run.
    pub run: &'a Run,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Key of the job in its file.
    pub job: &'a str,
    /// The job's own token.
    pub token: &'a str,
}

/// The context as JSON.
pub fn github(known: &GithubFacts<'_>) -> Value {
    let GithubFacts {
        config,
        project,
        facts,
        workflow,
        ..
    } = known;
    let (owner, _) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
    let (ref_type, ref_name) = ref_parts(&facts.git_ref);
    let actor = known.user.map_or("", |user| user.username.as_str());
    let path = workflow.path.unwrap_or(workflow.file);
    let name = workflow.name.unwrap_or(path);
    let mut context = json!({
        "actor": actor,
        "actor_id": known.user.map_or_else(String::new, |user| user.id.to_string()),
        "api_url": config.url("/api/v4"),
        "base_ref": facts.base_ref,
        "event": event(known, actor, path),
        "event_name": facts.event_name,
        "graphql_url": config.url("/api/graphql"),
        "head_ref": facts.head_ref,
        "ref": facts.git_ref,
        "ref_name": ref_name,
        "ref_protected": known.is_protected,
        "ref_type": ref_type,
        "repository": project.path,
        "repository_id": project.id.to_string(),
        "repository_owner": owner,
        "repository_owner_id": "",
        "repositoryUrl": config.url(&format!("/{}.git", project.path)),
        "retention_days": "30",
        "server_url": config.url(""),
        "sha": known.sha,
        "triggering_actor": actor,
        "workflow": name,
        "workflow_ref": format!("{}/{path}@{}", project.path, facts.git_ref),
        "workflow_sha": known.sha,
    });
    if let (Some(identity), Some(context)) = (&known.run, context.as_object_mut()) {
        add_identity(context, identity);
    }
    context
}

fn add_identity(context: &mut Map<String, Value>, identity: &RunIdentity<'_>) {
    let own = [
        ("run_id", identity.run.id.to_string()),
        ("run_number", identity.run.iid.to_string()),
        ("run_attempt", identity.attempt.to_string()),
        ("job", identity.job.to_owned()),
        ("token", identity.token.to_owned()),
    ];
    context.extend(own.map(|(key, value)| (key.to_owned(), Value::String(value))));
}

/// `github.event`: the repository and the caller always, and what a
/// `workflow_dispatch` was told.
fn event(known: &GithubFacts<'_>, actor: &str, path: &str) -> Value {
    let project = known.project;
    let (owner, name) = project.path.rsplit_once('/').unwrap_or(("", &project.path));
    let address = known.config.url(&format!("/{}", project.path));
    let mut event = json!({
        "repository": {
            "id": project.id.0,
            "name": name,
            "full_name": project.path,
            "owner": { "login": owner, "name": owner },
            "private": project.visibility != "public",
            "default_branch": known.default_branch,
            "html_url": address,
            "clone_url": format!("{address}.git"),
        },
        "sender": { "login": actor },
    });
    if known.facts.event_name == "workflow_dispatch" {
        event["inputs"] = as_texts(known.facts.inputs_of(known.position));
        event["ref"] = known.facts.git_ref.clone().into();
        event["workflow"] = path.into();
    }
    if let (Some(Value::Object(payload)), Some(event)) =
        (&known.facts.payload, event.as_object_mut())
    {
        event.extend(payload.clone());
    }
    event
}

/// The inputs as the payload of a dispatch has them: texts, whatever their type, so that
/// `github.event.inputs.dry_run == 'true'` holds. (GitHub: only the context `inputs`
/// keeps types.)
fn as_texts(inputs: Value) -> Value {
    let Value::Object(inputs) = inputs else {
        return inputs;
    };
    let texts = inputs.into_iter().map(|(name, value)| {
        let text = tappet_actions::Value::from(value).to_text().to_string();
        (name, Value::String(text))
    });
    Value::Object(texts.collect())
}

/// `("branch", "main")` of `refs/heads/main`; a pull request counts as a branch.
fn ref_parts(git_ref: &str) -> (&'static str, &str) {
    if let Some(branch) = git_ref.strip_prefix("refs/heads/") {
        ("branch", branch)
    } else if let Some(tag) = git_ref.strip_prefix("refs/tags/") {
        ("tag", tag)
    } else if let Some(pull_request) = git_ref.strip_prefix("refs/pull/") {
        ("branch", pull_request)
    } else {
        ("", git_ref)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn inputs_in_the_payload_of_a_dispatch_are_texts() {
        let typed = json!({"dry": true, "n": 7, "ratio": 0.5, "s": "x", "none": null});
        let texts = json!({"dry": "true", "n": "7", "ratio": "0.5", "s": "x", "none": ""});
        assert_eq!(as_texts(typed), texts);
    }

    #[rstest]
    #[case("refs/heads/feature/x", ("branch", "feature/x"))]
    #[case("refs/tags/v1", ("tag", "v1"))]
    #[case("refs/pull/6/merge", ("branch", "6/merge"))]
    #[case("", ("", ""))]
    fn refs_are_told_apart(#[case] git_ref: &str, #[case] expected: (&str, &str)) {
        assert_eq!(ref_parts(git_ref), expected);
    }
}
