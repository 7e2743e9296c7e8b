//! Predefined variables of runs of pull requests, which GitLab calls merge requests
//! (GitLab 18.9: `variables/builder/pipeline.rb`, `MergeRequest#predefined_variables`).

use tappet_model::{CommitSha, PullRequest, Variable};
use tappet_store::Project;

use super::predefined::List;
use crate::config::Config;

/// Characters of a description that a variable holds.
const DESCRIPTION_LIMIT: usize = 2700;

/// What is known of a pull request when its run begins.
#[derive(Clone, Copy)]
pub struct PullRequestFacts<'a> {
    /// The pull request.
    pub pull_request: &'a PullRequest,
    /// Its branch is a protected one of this project.
    pub is_source_protected: bool,
    /// The branch that it goes to is protected.
    pub is_target_protected: bool,
}

/// `CI_MERGE_REQUEST_…`. Those that tell of approvals are absent, as on a GitLab
/// without approvals.
pub fn of_pull_request(
    config: &Config,
    project: &Project,
    head: &CommitSha,
    facts: PullRequestFacts<'_>,
) -> Vec<Variable> {
    let mut list = List::default();
    let request = facts.pull_request;
    let details = &request.details;
    let truth = |is_so: bool| if is_so { "true" } else { "false" };
    let id = details.id.map(|id| id.to_string());
    list.add("CI_MERGE_REQUEST_EVENT_TYPE", "detached");
    // Both are told only where the two branches are merged first.
    list.add("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "");
    list.add("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "");
    list.add("CI_MERGE_REQUEST_DIFF_ID", &diff_id(head).to_string());
    if let Some(base) = &request.merge_base {
        list.add("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.as_str());
    }
    list.add(
        "CI_MERGE_REQUEST_ID",
        id.as_ref().unwrap_or(&request.number),
    );
    list.add("CI_MERGE_REQUEST_IID", &request.number);
    list.add("CI_MERGE_REQUEST_REF_PATH", &request.ref_name());
    let address = config.url(&format!("/{}", project.path));
    let project_id = project.id.to_string();
    list.add("CI_MERGE_REQUEST_PROJECT_ID", &project_id);
    list.raw("CI_MERGE_REQUEST_PROJECT_PATH", &project.path);
    list.add("CI_MERGE_REQUEST_PROJECT_URL", &address);
    list.raw("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", &request.base_branch);
    list.add(
        "CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED",
        truth(facts.is_target_protected),
    );
    list.raw("CI_MERGE_REQUEST_TITLE", &details.title);
    list.add("CI_MERGE_REQUEST_DRAFT", truth(details.is_draft));
    let description: String = details
        .description
        .chars()
        .take(DESCRIPTION_LIMIT)
        .collect();
    list.raw("CI_MERGE_REQUEST_DESCRIPTION", &description);
    list.add(
        "CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED",
        truth(description.len() < details.description.len()),
    );
    if !details.assignees.is_empty() {
        list.raw("CI_MERGE_REQUEST_ASSIGNEES", &details.assignees.join(","));
    }
    if let Some(milestone) = &details.milestone {
        list.raw("CI_MERGE_REQUEST_MILESTONE", milestone);
    }
    if !details.labels.is_empty() {
        list.raw("CI_MERGE_REQUEST_LABELS", &details.labels.join(","));
    }
    list.add("CI_MERGE_REQUEST_SQUASH_ON_MERGE", "false");
    match &details.fork {
        // Its number here and its page are not known.
        Some(fork) => list.raw("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", fork),
        None => {
            list.add("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", &project_id);
            list.raw("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", &project.path);
            list.add("CI_MERGE_REQUEST_SOURCE_PROJECT_URL", &address);
        }
    }
    list.raw("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", &request.head_branch);
    list.add(
        "CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED",
        truth(facts.is_source_protected && !request.is_from_fork()),
    );
    let open = format!("{}!{}", project.path, request.number);
    list.raw("CI_OPEN_MERGE_REQUESTS", &open);
    list.0
}

/// A number that is another one for each version of a pull request. GitLab counts
/// them; here nobody does, so it is made of the commit.
fn diff_id(head: &CommitSha) -> u32 {
    u32::from_str_radix(head.short(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tappet_model::PullRequestDetails;

    use super::*;

    fn request() -> PullRequest {
        PullRequest {
            number: "6".into(),
            head_branch: "feature/a".into(),
            head_sha: "a".repeat(40),
            base_branch: "main".into(),
            base_sha: "b".repeat(40),
            merge_base: "c".repeat(40).parse().ok(),
            details: PullRequestDetails::default(),
        }
    }

    fn text(request: &PullRequest) -> String {
        let config = Config::new("127.0.0.1:8080".parse().unwrap(), "/tmp/x".into());
        let facts = PullRequestFacts {
            pull_request: request,
            is_source_protected: true,
            is_target_protected: true,
        };
        let head = "0000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
        let project = Project::example("acme/web");
        let variables = of_pull_request(&config, &project, &head, facts);
        let lines = variables.into_iter().map(|variable| {
            let key = variable.key.replace("CI_MERGE_REQUEST_", "");
            format!("{key}={}\n", variable.value)
        });
        lines.collect()
    }

    #[test]
    fn the_api_tells_little_of_a_pull_request() {
        insta::assert_snapshot!(text(&request()), @r"
        EVENT_TYPE=detached
        SOURCE_BRANCH_SHA=
        TARGET_BRANCH_SHA=
        DIFF_ID=10
        DIFF_BASE_SHA=cccccccccccccccccccccccccccccccccccccccc
        ID=6
        IID=6
        REF_PATH=refs/merge-requests/6/head
        PROJECT_ID=1
        PROJECT_PATH=acme/web
        PROJECT_URL=http://127.0.0.1:8080/acme/web
        TARGET_BRANCH_NAME=main
        TARGET_BRANCH_PROTECTED=true
        TITLE=
        DRAFT=false
        DESCRIPTION=
        DESCRIPTION_IS_TRUNCATED=false
        SQUASH_ON_MERGE=false
        SOURCE_PROJECT_ID=1
        SOURCE_PROJECT_PATH=acme/web
        SOURCE_PROJECT_URL=http://127.0.0.1:8080/acme/web
        SOURCE_BRANCH_NAME=feature/a
        SOURCE_BRANCH_PROTECTED=true
        CI_OPEN_MERGE_REQUESTS=acme/web!6
        ");
    }

    #[test]
    fn a_forge_tells_more_and_a_fork_is_never_protected() {
        let mut request = request();
        request.details = PullRequestDetails {
            id: Some(9001),
            title: "Pay $5".into(),
            description: "ä".repeat(2701),
            labels: vec!["bug".into(), "ci".into()],
            assignees: vec!["ada".into(), "bob".into()],
            milestone: Some("1.0".into()),
            is_draft: true,
            fork: Some("bob/web".into()),
            ..PullRequestDetails::default()
        };
        let text = text(&request).replace(&"ä".repeat(2700), "ä × 2700");
        insta::assert_snapshot!(text, @r"
        EVENT_TYPE=detached
        SOURCE_BRANCH_SHA=
        TARGET_BRANCH_SHA=
        DIFF_ID=10
        DIFF_BASE_SHA=cccccccccccccccccccccccccccccccccccccccc
        ID=9001
        IID=6
        REF_PATH=refs/merge-requests/6/head
        PROJECT_ID=1
        PROJECT_PATH=acme/web
        PROJECT_URL=http://127.0.0.1:8080/acme/web
        TARGET_BRANCH_NAME=main
        TARGET_BRANCH_PROTECTED=true
        TITLE=Pay $5
        DRAFT=true
        DESCRIPTION=ä × 2700
        DESCRIPTION_IS_TRUNCATED=true
        ASSIGNEES=ada,bob
        MILESTONE=1.0
        LABELS=bug,ci
        SQUASH_ON_MERGE=false
        SOURCE_PROJECT_PATH=bob/web
        SOURCE_BRANCH_NAME=feature/a
        SOURCE_BRANCH_PROTECTED=false
        CI_OPEN_MERGE_REQUESTS=acme/web!6
        ");
    }
}
