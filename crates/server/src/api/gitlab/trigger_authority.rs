//! What a token in the parameter `token` may start: runs of which project, as
//! whom (GitLab: `app/services/ci/pipeline_trigger_service.rb`).
//!
//! An unknown project, an unknown, revoked or expired token, a token of another
//! project and an owner who cannot see the project get the same answer after the
//! same look-ups, so that neither text nor time tells them apart.

use std::time::Instant;

use serde_json::json;
use tappet_model::{AttemptId, ProjectId, Source, UserId};
use tappet_store::{Attempt, Project, Trigger, User};

use super::access;
use super::auth;
use super::errors::{ApiError, ApiResult};
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::clock;
use crate::rights::{Right, Standing};

/// Looked up in place of a project or user that there is not.
const NO_PROJECT: ProjectId = ProjectId(0);
const NOBODY: UserId = UserId(0);

/// Who starts runs of a project.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Of which project.
    pub project: Project,
    /// As whom; nobody with a legacy trigger.
    pub user: Option<User>,
    /// With which trigger.
    pub trigger: Option<Trigger>,
    /// Which job asks.
    pub source_job: Option<AttemptId>,
    /// Why there will be a run.
    pub source: Source,
    /// Kind and id of the token, the scope of idempotency keys.
    pub credential: String,
}

/// Which tokens a route takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tokens {
    /// Trigger tokens alone.
    OfTriggers,
    /// Those of running jobs too.
    OfTriggersAndJobs,
}

/// The project of `id` (a number or a full path) for the holder of a token.
///
/// # Errors
/// 404 for everything that must look like an unknown project; 401 for a good job
/// token whose job has ended.
pub async fn find(app: &SharedApp, id: &str, token: &str, tokens: Tokens) -> ApiResult<Authority> {
    let project = access::find_project(app, id).await?;
    let holder = holder(app, token, tokens).await?;
    let user = app.store.user(holder.user_id().unwrap_or(NOBODY)).await?;
    let user = user.filter(|user| Some(user.id) == holder.user_id());
    let standing = match (&user, &project) {
        (Some(user), Some(project)) => app.standing(Some(user), project).await?,
        _ => {
            let now = clock::now();
            app.store.membership(NO_PROJECT, NOBODY, now).await?;
            Standing::default()
        }
    };
    let lets_in = match (&holder, &project) {
        (Holder::Job { attempt, .. }, Some(project)) => {
            app.lets_jobs_in(project, attempt.project_id).await?
        }
        (Holder::Job { attempt, .. }, None) => {
            app.store
                .lets_jobs_in(NO_PROJECT, attempt.project_id)
                .await?
        }
        (Holder::Trigger(_) | Holder::Nobody, _) => false,
    };
    let project = project.ok_or_else(ApiError::not_found)?;
    decide(project, holder, user, &standing, lets_in)
}

/// Whom a token was made for.
enum Holder {
    Trigger(Box<Trigger>),
    Job {
        attempt: Box<Attempt>,
        user_id: Option<UserId>,
    },
    Nobody,
}

impl Holder {
    fn user_id(&self) -> Option<UserId> {
        match self {
            Holder::Trigger(trigger) => trigger.owner_id,
            Holder::Job { user_id, .. } => *user_id,
            Holder::Nobody => None,
        }
    }
}

async fn holder(app: &SharedApp, token: &str, tokens: Tokens) -> ApiResult<Holder> {
    // The hash of a token that is too long is not worth its time, and nobody's.
    let token = if token.len() > auth::MAX_TOKEN_BYTES {
        ""
    } else {
        token
    };
    let hash = app.secrets.keyed_hash(token);
    let now = clock::now();
    match app.store.trigger_by_hash(hash).await? {
        Some(trigger) if trigger.is_live(now) => return Ok(Holder::Trigger(Box::new(trigger))),
        Some(ended) => note_use(app, &ended),
        None => {}
    }
    if tokens == Tokens::OfTriggers {
        return Ok(Holder::Nobody);
    }
    let Some(attempt) = auth::attempt_of_token(app, token).await? else {
        return Ok(Holder::Nobody);
    };
    let run = app.store.run(attempt.run_id).await?;
    Ok(Holder::Job {
        attempt: Box::new(attempt),
        user_id: run.and_then(|run| run.user_id),
    })
}

/// Writes the use of a revoked or expired trigger into the audit log, off the way
/// of the answer, and once a minute for each trigger: whoever holds its token must
/// not fill the log.
fn note_use(app: &SharedApp, ended: &Trigger) {
    let now = Instant::now();
    if app.refused_triggers.count(ended.id, 1, now).is_err() {
        return;
    }
    let reason = match ended.revoked_at {
        Some(_) => "revoked",
        None => "expired",
    };
    let entry = Entry::new("trigger_refused", None)
        .credential(format!("trigger:{}", ended.id))
        .project(ended.project_id)
        .details(json!({
            "trigger_id": ended.id.0,
            "description": ended.description,
            "owner_id": ended.owner_id.map(|id| id.0),
            "reason": reason,
        }));
    let app = app.clone();
    tokio::spawn(async move { app.audit(entry).await });
}

/// `user` is the holder's, when there still is one; `lets_in` tells whether the
/// project takes job tokens of the holder's project.
fn decide(
    project: Project,
    holder: Holder,
    user: Option<User>,
    standing: &Standing,
    lets_in: bool,
) -> ApiResult<Authority> {
    // Those who are blocked get further, to be told that they start nothing.
    let sees = standing.is_blocked || standing.may(Right::ReadProject, &project);
    let has_user = user.is_some() && sees;
    match holder {
        Holder::Trigger(trigger)
            if trigger.project_id == project.id && (trigger.is_legacy() || has_user) =>
        {
            Ok(Authority {
                project,
                user,
                credential: format!("trigger:{}", trigger.id),
                trigger: Some(*trigger),
                source_job: None,
                source: Source::Trigger,
            })
        }
        Holder::Job { attempt, .. } if lets_in && has_user => {
            if !attempt.status.is_executing() {
                return Err(auth::job_is_not_running());
            }
            Ok(Authority {
                project,
                user,
                trigger: None,
                source_job: Some(attempt.id),
                source: Source::Pipeline,
                credential: format!("job:{}", attempt.id),
            })
        }
        Holder::Trigger(_) | Holder::Job { .. } | Holder::Nobody => Err(ApiError::not_found()),
    }
}
