//! `github.event` of pushes and pull requests that no forge of GitHub's shape told of
//! (GitHub: "Webhook events and payloads").

use serde_json::{Value, json};
use tappet_git::Commit;
use tappet_model::{CommitSha, PullRequest};
use tappet_store::Project;

use crate::config::Config;

/// Of a pull request, without what every event has.
pub fn of_pull_request(
    config: &Config,
    project: &Project,
    head: &CommitSha,
    pull_request: &PullRequest,
) -> Value {
    let details = &pull_request.details;
    let own = project.path.as_str();
    let head_repository = details.fork.as_deref().unwrap_or(own);
    let number: Value = match pull_request.number.parse::<i64>() {
        Ok(number) => number.into(),
        Err(_) => pull_request.number.clone().into(),
    };
    let url = match details.url.as_str() {
        "" => config.url(&format!("/{own}/-/merge_requests/{}", pull_request.number)),
        url => url.to_owned(),
    };
    let logins = |logins: &[String]| -> Value {
        let people = logins.iter().map(|login| json!({ "login": login }));
        people.collect()
    };
    let labels: Value = details
        .labels
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let action = match details.action.as_str() {
        "" => "synchronize",
        action => action,
    };
    json!({
        "action": action,
        "number": number,
        "pull_request": {
            "id": details.id,
            "number": number,
            "state": if action == "closed" { "closed" } else { "open" },
            "title": details.title,
            "body": details.description,
            "html_url": url,
            "draft": details.is_draft,
            "user": { "login": details.author },
            "labels": labels,
            "assignees": logins(&details.assignees),
            "milestone": details.milestone.as_ref().map(|title| json!({ "title": title })),
            "head": side(&pull_request.head_branch, head.as_str(), head_repository),
            "base": side(&pull_request.base_branch, &pull_request.base_sha, own),
        },
    })
}

fn side(branch: &str, sha: &str, repository: &str) -> Value {
    let (owner, name) = repository.rsplit_once('/').unwrap_or(("", repository));
    json!({
        "label": format!("{owner}:{branch}"),
        "ref": branch,
        "sha": sha,
        "repo": {
            "name": name,
            "full_name": repository,
            "owner": { "login": owner },
            "fork": false,
        },
    })
}

/// Of a push, without what every event has.
pub fn of_push(git_ref: &str, before: Option<&CommitSha>, head: &Commit, pusher: &str) -> Value {
    let before_sha = before.map_or(CommitSha::ZERO, CommitSha::as_str);
    let person = |name: &str, email: &str| json!({ "name": name, "email": email });
    let commit = json!({
        "id": head.sha.as_str(),
        "message": head.message,
        "timestamp": head.committed_at.to_seconds_text(),
        "author": person(&head.author_name, &head.author_email),
        "committer": person(&head.committer_name, &head.committer_email),
    });
    json!({
        "ref": git_ref,
        "before": before_sha,
        "after": head.sha.as_str(),
        "base_ref": null,
        "created": before.is_none(),
        "deleted": false,
        "forced": false,
        "head_commit": commit,
        "commits": [commit],
        "pusher": { "name": pusher },
    })
}
