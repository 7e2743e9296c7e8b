//! Why a run exists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! sources {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What started a run (GitLab: `app/models/concerns/enums/ci/pipeline.rb`).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Source {
            $($(#[$doc])* $name,)+
        }

        impl Source {
            /// All sources.
            pub const ALL: &[Source] = &[$(Source::$name),+];

            /// The wire word, the value of `CI_PIPELINE_SOURCE`.
            pub fn as_str(self) -> &'static str {
                match self { $(Source::$name => $word,)+ }
            }
        }
    };
}

sources! {
    /// A push to a branch or a new tag.
    Push = "push",
    /// The form of the web UI.
    Web = "web",
    /// A trigger token.
    Trigger = "trigger",
    /// A schedule.
    Schedule = "schedule",
    /// An access token on the API.
    Api = "api",
    /// A foreign CI reported a status.
    External = "external",
    /// A job of another run, with its job token.
    Pipeline = "pipeline",
    /// A chat command.
    Chat = "chat",
    /// The web IDE.
    Webide = "webide",
    /// A merge or pull request.
    MergeRequestEvent = "merge_request_event",
    /// A pull request of a mirrored forge.
    ExternalPullRequestEvent = "external_pull_request_event",
    /// A parent pipeline's bridge job.
    ParentPipeline = "parent_pipeline",
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no source.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a source")]
pub struct UnknownSource(pub String);

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Source::ALL
            .iter()
            .copied()
            .find(|source| source.as_str() == text)
            .ok_or_else(|| UnknownSource(text.to_owned()))
    }
}
