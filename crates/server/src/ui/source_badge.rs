//! What started a run, as a badge. Runs of a trigger are marked "triggered" with
//! the beginning of its token, as GitLab's users expect.

use tappet_model::Source;
use tappet_store::Run;

/// Shown beside a run and its jobs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceBadge {
    /// One word.
    pub word: &'static str,
    /// First characters of the trigger's token.
    pub short_token: Option<String>,
    /// A trigger or another pipeline started it.
    pub is_triggered: bool,
}

impl SourceBadge {
    /// Of a run.
    pub fn of(run: &Run) -> Self {
        let word = match run.source {
            Source::Push => "push",
            Source::Web => "web",
            Source::Trigger | Source::Pipeline => "triggered",
            Source::Schedule => "scheduled",
            Source::Api => "api",
            Source::External => "external",
            Source::Chat => "chat",
            Source::Webide => "web ide",
            Source::MergeRequestEvent => "merge request",
            Source::ExternalPullRequestEvent => "pull request",
            Source::ParentPipeline => "child",
        };
        Self {
            word,
            short_token: run.trigger_short_token.clone(),
            is_triggered: matches!(run.source, Source::Trigger | Source::Pipeline),
        }
    }
}
