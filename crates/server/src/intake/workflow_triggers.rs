//! Which workflows an event starts: those whose `on` it fits.

use tappet_actions::workflow::Occurrence;
use tappet_git::{Paths, Repository, ResolvedRef};
use tappet_model::PullRequest;

use super::repository_questions::changed_since;
use super::workflow_commit::full_ref;
use super::workflows::File;
use super::{PullRequestEvent, Refusal, RunRequest, WorkflowEvent};

/// What a call to the API is to workflows: the commits of the pull request are new.
const NEW_COMMITS: &str = "synchronize";

/// Something that happened, as far as `on` asks for it.
struct Event<'a> {
    name: &'static str,
    /// What about it; any of these will do.
    activities: Vec<&'a str>,
    git_ref: String,
    branch: Option<&'a str>,
}

/// The files that the event starts. Calls that name no event start what they name, and
/// a file with something wrong in it is kept, to show what is wrong.
///
/// # Errors
/// [`Refusal::NothingToRun`] when none is left.
pub(super) async fn started(
    request: &RunRequest,
    event: &WorkflowEvent,
    (repository, resolved): (&Repository, &ResolvedRef),
    mut files: Vec<File>,
) -> Result<Vec<File>, Refusal> {
    let Some(event) = event_of(request, event, resolved) else {
        return Ok(files);
    };
    let changed = if files.iter().any(|file| file.looks_at_paths(event.name)) {
        changed_paths(request, repository, resolved).await?
    } else {
        None
    };
    let looked_at: Vec<String> = files
        .iter()
        .map(|file| format!("`{}`", file.name()))
        .collect();
    files.retain(|file| event.starts(file, &changed));
    if files.is_empty() {
        return Err(Refusal::NothingToRun {
            message: event.starts_nothing(&looked_at.join(", ")),
        });
    }
    Ok(files)
}

fn event_of<'a>(
    request: &'a RunRequest,
    event: &WorkflowEvent,
    resolved: &ResolvedRef,
) -> Option<Event<'a>> {
    match (event, &request.pull_request) {
        (WorkflowEvent::Api | WorkflowEvent::Dispatch(_), _)
        | (WorkflowEvent::PullRequest(_), None) => None,
        (WorkflowEvent::Push, _) => Some(Event {
            name: "push",
            activities: Vec::new(),
            git_ref: full_ref(resolved),
            branch: None,
        }),
        (WorkflowEvent::PullRequest(event), Some(pull_request)) => Some(Event {
            name: "pull_request",
            activities: activities(pull_request, *event),
            git_ref: merge_ref(pull_request),
            branch: Some(&pull_request.base_branch),
        }),
    }
}

/// `refs/pull/6/merge`, which is what GitHub calls a pull request.
pub(super) fn merge_ref(pull_request: &PullRequest) -> String {
    format!("refs/pull/{}/merge", pull_request.number)
}

/// What `types` may ask for. Where runs wait for a label, the label is what tells of
/// the commits.
fn activities(pull_request: &PullRequest, event: PullRequestEvent) -> Vec<&str> {
    match pull_request.details.action.as_str() {
        "" => vec![NEW_COMMITS],
        "labeled" if event.waits_for_label => vec!["labeled", NEW_COMMITS],
        action => vec![action],
    }
}

async fn changed_paths(
    request: &RunRequest,
    repository: &Repository,
    resolved: &ResolvedRef,
) -> Result<Paths, Refusal> {
    let from = match &request.pull_request {
        Some(pull_request) => pull_request.merge_base.as_ref(),
        None => request.before_sha.as_ref(),
    };
    changed_since(repository, from, &resolved.sha).await
}

impl Event<'_> {
    fn starts(&self, file: &File, changed: &Paths) -> bool {
        let Ok(workflow) = &file.workflow else {
            return true;
        };
        let changed: Option<Vec<&str>> = changed
            .as_ref()
            .map(|paths| paths.iter().map(String::as_str).collect());
        let fits = |activity| {
            workflow.triggers.matches(&Occurrence {
                event: self.name,
                activity,
                git_ref: Some(&self.git_ref),
                branch: self.branch,
                changed_paths: changed.as_deref(),
                workflow: None,
            })
        };
        if self.activities.is_empty() {
            return fits(None);
        }
        self.activities.iter().any(|activity| fits(Some(*activity)))
    }

    fn starts_nothing(&self, looked_at: &str) -> String {
        let name = self.name;
        let what = match (self.activities.first(), self.branch) {
            (Some(activity), Some(branch)) => format!("`{name}` ({activity}) into `{branch}`"),
            _ => format!("`{name}` of `{}`", self.git_ref),
        };
        format!(
            "none of {looked_at} starts on {what}: name the event in `on`, or widen its filters"
        )
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", false, &["synchronize"])]
    #[case("opened", false, &["opened"])]
    #[case("labeled", false, &["labeled"])]
    #[case("labeled", true, &["labeled", "synchronize"])]
    #[case("opened", true, &["opened"])]
    fn new_commits_are_what_the_api_tells_of(
        #[case] action: &str,
        #[case] waits_for_label: bool,
        #[case] expected: &[&str],
    ) {
        let mut pull_request = PullRequest::default();
        pull_request.details.action = action.to_owned();
        let event = PullRequestEvent { waits_for_label };
        assert_eq!(activities(&pull_request, event), expected);
    }
}
