//! Files that jobs left: lists, and addresses that anybody may fetch for a while.

mod download;

use std::time::Duration;

use tappet_rpc::depot::ci::v1::__buffa::view::ListArtifactsRequestView;
use tappet_rpc::depot::ci::v1::{
    Artifact as Message, GetArtifactDownloadURLResponse, ListArtifactsResponse,
};
use tappet_store::{Artifact, Attempt, NAMED, Workflow};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::runs::number;
use super::tree::{self, job_key};
use super::{opening, page_token, words};
use crate::app::App;
use crate::clock;
use crate::rights::Right;

pub use download::routes;

const USUAL_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 500;

/// An address is good for this long (Depot: about 5 minutes).
const ADDRESS_LIFE: Duration = Duration::from_secs(5 * 60);

/// The kinds of uploads that are for people: the archive of `artifacts:paths`, and
/// what `actions/upload-artifact` kept.
fn is_listed(artifact: &Artifact) -> bool {
    matches!(artifact.kind.as_str(), "archive" | NAMED)
}

/// `ListArtifacts`.
pub async fn list(
    app: &App,
    caller: &Caller,
    request: &ListArtifactsRequestView<'_>,
) -> RpcResult<ListArtifactsResponse> {
    let size = page_token::size(request.page_size, USUAL_PAGE, LARGEST_PAGE)? as usize;
    let after = page_token::read(Kind::Artifact, request.page_token)?;
    let opened = opening::run(app, caller, request.run_id).await?;
    opened.require(Right::ReadJobs)?;
    let wanted = |id: Option<&str>, own: String| id.is_none_or(|id| id.is_empty() || id == own);
    let mut rows = Vec::new();
    for branch in tree::of_run(app, opened.run.id).await? {
        let workflow = &branch.workflow;
        if !wanted(request.workflow_id, Kind::Workflow.write(workflow.id)) {
            continue;
        }
        for attempt in branch.jobs.iter().flat_map(tree::Job::attempts) {
            let is_wanted = wanted(request.job_id, Kind::Job.write(attempt.job_id))
                && wanted(request.attempt_id, Kind::Attempt.write(attempt.id));
            let files = attempt.artifacts.iter().filter(|file| is_listed(file));
            for file in files.filter(|_| is_wanted) {
                rows.push((file.id.0, message(workflow, attempt, file)));
            }
        }
    }
    rows.sort_unstable_by_key(|(id, _)| *id);
    let mut rows = rows
        .into_iter()
        .filter(|(id, _)| after.is_none_or(|after| *id > after));
    let page: Vec<(i64, Message)> = rows.by_ref().take(size).collect();
    let last = page.last().map(|(id, _)| *id);
    let has_more = rows.next().is_some();
    Ok(ListArtifactsResponse {
        artifacts: page.into_iter().map(|(_, message)| message).collect(),
        next_page_token: last
            .filter(|_| has_more)
            .map(|last| page_token::write(Kind::Artifact, last)),
    })
}

/// `GetArtifactDownloadURL`.
pub async fn download_url(
    app: &App,
    caller: &Caller,
    id: &str,
) -> RpcResult<GetArtifactDownloadURLResponse> {
    let (_, attempt, artifact) = opening::artifact(app, caller, id).await?;
    let workflow = app.store.workflow(attempt.workflow_id).await?;
    let workflow = workflow.ok_or_else(|| opening::missing(Kind::Artifact, id))?;
    if !is_listed(&artifact) {
        return Err(opening::missing(Kind::Artifact, id));
    }
    if artifact.expires_at.is_some_and(|end| end <= clock::now()) {
        return Err(RpcError::not_found(format!("artifact `{id}` has expired")));
    }
    let expires_at = clock::now().plus(ADDRESS_LIFE);
    Ok(GetArtifactDownloadURLResponse {
        url: download::address(app, artifact.id, expires_at),
        expires_at: words::time(Some(expires_at)),
        artifact: message(&workflow, &attempt, &artifact).into(),
    })
}

fn message(workflow: &Workflow, attempt: &Attempt, artifact: &Artifact) -> Message {
    Message {
        artifact_id: Kind::Artifact.write(artifact.id),
        run_id: Kind::Run.write(attempt.run_id),
        workflow_id: Kind::Workflow.write(workflow.id),
        workflow_path: workflow.path.clone().unwrap_or_default(),
        job_id: Kind::Job.write(attempt.job_id),
        job_key: job_key(workflow, attempt),
        attempt_id: Kind::Attempt.write(attempt.id),
        attempt: number(attempt),
        name: name(artifact).to_owned(),
        size_bytes: i64::try_from(artifact.size_bytes).unwrap_or(i64::MAX),
        created_at: artifact.created_at.to_string(),
    }
}

/// A file without a name of its own is called after the file.
fn name(artifact: &Artifact) -> &str {
    let filename = artifact.filename.as_str();
    let stem = || filename.strip_suffix(".zip").unwrap_or(filename);
    artifact.name.as_deref().unwrap_or_else(stem)
}
