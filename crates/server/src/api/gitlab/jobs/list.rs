//! `GET /projects/:id/jobs`: the jobs of all pipelines of a project.

use axum::extract::State;
use axum::response::Response;
use tappet_model::{AttemptId, Status};
use tappet_store::ProjectAttempts;

use super::context::JobContext;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::pagination::keyset::{self, Part};
use crate::api::gitlab::pagination::{self, Pages};
use crate::app::SharedApp;
use crate::rights::Right;

/// The newest first, older attempts included. Pages have no totals; with
/// `pagination=keyset` each leads only to the next one.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let statuses = checks.some_of::<Status>("scope");
    let ref_name = checks.filled_text("ref").map(std::borrow::Cow::into_owned);
    let part = keyset::part(&mut checks);
    let checked = checks.finish();
    let (login, jobs) = (Login::Required, JobTokens::Accepted);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    let part = part?;
    access.require(Right::ReadJobs)?;

    let per_page = part.per_page();
    let wanted = ProjectAttempts {
        statuses,
        ref_name,
        before: match part {
            Part::After { cursor, .. } => cursor.map(AttemptId),
            Part::Page(_) => None,
        },
        offset: match part {
            Part::Page(page) => u64::from(page.page - 1) * u64::from(page.per_page),
            Part::After { .. } => 0,
        },
        // One more shows whether another page follows.
        limit: per_page + 1,
    };
    let mut attempts = app
        .store
        .project_attempts(access.project.id, wanted)
        .await?;
    let has_next = attempts.len() > per_page as usize;
    attempts.truncate(per_page as usize);
    let context = JobContext::read(&app, &access.project, &attempts).await?;
    let shown = context.jobs(&attempts);
    let address = app.config.url(call.uri.path());
    Ok(match part {
        Part::Page(page) => {
            let pages = Pages {
                shown: page,
                total: None,
                has_next,
            };
            pagination::reply(&address, &call, pages, &shown)
        }
        Part::After { .. } => {
            let last = attempts.last().filter(|_| has_next);
            keyset::reply(&address, &call, part, last.map(|last| last.id.0), &shown)
        }
    })
}
