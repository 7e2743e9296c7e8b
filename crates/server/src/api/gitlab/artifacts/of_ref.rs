//! Artifacts by the names of a ref and a job: of the newest successful run.

use axum::extract::State;
use axum::response::Response;
use tappet_model::{ProjectId, Status};
use tappet_store::{Attempt, RunFilter};

use super::{send_archive, send_file};
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::{self, Call};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// So many successful runs are looked through on request.
const RECENT_RUNS: u32 = 100;

/// `GET /projects/:id/jobs/artifacts/:ref/download?job=NAME` and
/// `…/:ref/raw/*path?job=NAME`; in version 3 below `builds` instead of `jobs`.
pub async fn of_ref(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let wanted = wanted_of_ref(call.uri.path()).ok_or_else(ApiError::unknown_route)?;
    let mut checks = call.checks();
    let job = checks.required_text("job").into_owned();
    let search_recent = checks.boolean("search_recent_successful_pipelines");
    let checked = checks.finish();
    let (login, jobs) = (Login::Optional, JobTokens::Accepted);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    access.require(Right::ReadJobs)?;
    let runs = if search_recent.unwrap_or(false) {
        RECENT_RUNS
    } else {
        1
    };
    let attempt = find(&app, access.project.id, &wanted.ref_name, &job, runs).await?;
    let attempt = attempt.ok_or_else(ApiError::record_not_found)?;
    match wanted.path {
        Some(path) => send_file(&app, &attempt, &path).await,
        None => send_archive(&app, &call, &attempt).await,
    }
}

/// The job with an archive in the newest successful runs of a ref.
async fn find(
    app: &App,
    project: ProjectId,
    ref_name: &str,
    job: &str,
    runs: u32,
) -> ApiResult<Option<Attempt>> {
    let filter = RunFilter {
        ref_name: Some(ref_name.to_owned()),
        status: Some(Status::Success),
        ..RunFilter::default()
    };
    for run in app.store.newest_runs(project, filter, runs).await? {
        let attempts = app.store.run_attempts(run.id).await?;
        let found = attempts
            .into_iter()
            .find(|attempt| attempt.name == job && attempt.archive.is_some());
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[derive(PartialEq, Eq, Debug)]
struct WantedOfRef {
    ref_name: String,
    path: Option<String>,
}

/// Refs may hold slashes, so `download` is looked for at the end and the first
/// `/raw/` parts ref and path.
fn wanted_of_ref(path: &str) -> Option<WantedOfRef> {
    let (_, rest) = path
        .split_once("/jobs/artifacts/")
        .or_else(|| path.split_once("/builds/artifacts/"))?;
    if let Some(ref_name) = rest.strip_suffix("/download") {
        return Some(WantedOfRef {
            ref_name: call::decode(ref_name),
            path: None,
        });
    }
    let (ref_name, path) = rest.split_once("/raw/")?;
    Some(WantedOfRef {
        ref_name: call::decode(ref_name),
        path: Some(call::decode(path)),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("main/download", Some(("main", None)))]
    #[case("feature%2Fx/download", Some(("feature/x", None)))]
    #[case("feature/x/raw/a/b%20c.txt", Some(("feature/x", Some("a/b c.txt"))))]
    #[case("main/raw/dir/download", Some(("main/raw/dir", None)))]
    #[case("main", None)]
    fn refs_may_hold_slashes(#[case] rest: &str, #[case] expected: Option<(&str, Option<&str>)>) {
        let path = format!("/api/v4/projects/1/jobs/artifacts/{rest}");
        let expected = expected.map(|(ref_name, path)| WantedOfRef {
            ref_name: ref_name.into(),
            path: path.map(str::to_owned),
        });
        assert_eq!(wanted_of_ref(&path), expected);
    }
}
