//! How many runs one person may start in a minute, where limits are set
//! (GitLab: `chain/limit/rate_limit.rb`).

use std::time::Instant;

use tappet_git::ResolvedRef;
use tappet_model::{CommitSha, ProjectId, UserId};

use super::{Refusal, RunRequest, not_started};
use crate::app::App;
use crate::rate::Rate;

/// Runs of this minute.
#[derive(Default)]
pub struct Rates {
    of_commit: Rate<(ProjectId, Option<UserId>, CommitSha)>,
    of_user: Rate<Option<UserId>>,
}

impl Rates {
    /// Counts a run to be, or refuses it in GitLab's words.
    pub fn count(
        &self,
        app: &App,
        request: &RunRequest,
        resolved: &ResolvedRef,
    ) -> Result<(), Refusal> {
        let limits = app.config.limits;
        let user = request.user.as_ref().map(|user| user.id);
        let now = Instant::now();
        let key = (request.project.id, user, resolved.sha.clone());
        self.of_commit
            .count(key, limits.runs_per_minute, now)
            .and_then(|()| {
                self.of_user
                    .count(user, limits.runs_per_user_per_minute, now)
            })
            .map_err(|_| {
                not_started("Too many pipelines created in the last minute. Try again later.")
            })
    }
}
