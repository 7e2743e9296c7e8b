//! A foreign system says how a commit fares.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_engine::Graph;
use tappet_model::{CommitSha, RefKind, RefName, RunId, Source, Status};
use tappet_store::{
    NewCommitStatus, NewRun, NewRunContent, NewWorkflow, Run, RunNotes, RunOrigin, StatusChange,
};

use super::{STAGE, open, runs_of};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::commits;
use crate::api::gitlab::entities::commit_status::CommitStatus;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::Checks;
use crate::api::gitlab::repository::Opened;
use crate::api::operation::{self, Operation, integer, one_of, text};
use crate::app::{App, SharedApp};
use crate::clock;
use crate::rights::Right;

const STATES: &[&str] = &[
    "pending", "running", "success", "failed", "canceled", "skipped",
];

/// Texts of a status are not longer.
const MAX_TEXT: usize = 255;

/// How the call is described.
pub fn operation() -> Operation {
    operation::post("/projects/{id}/statuses/{sha}")
        .id("setCommitStatus")
        .about("Sets a status of a commit; without a pipeline it brings one about.")
        .body(one_of("state", STATES).required())
        .body(text("ref"))
        .body(text("name").about("Or context; `default` unless given."))
        .body(text("context"))
        .body(text("target_url"))
        .body(text("description"))
        .body(text("coverage").about("A number."))
        .body(integer("pipeline_id"))
        .replies::<CommitStatus<'_>>(StatusCode::CREATED)
}

/// What a caller says of a commit.
struct Given {
    state: Status,
    ref_name: Option<String>,
    name: String,
    target_url: Option<String>,
    description: Option<String>,
    coverage: Option<f64>,
    pipeline_id: Option<i64>,
}

impl Given {
    fn read(checks: &mut Checks<'_>) -> Self {
        let text = |checks: &mut Checks<'_>, name: &str| {
            checks.filled_text(name).map(std::borrow::Cow::into_owned)
        };
        let state = checks.required_text("state");
        let known = STATES.contains(&&*state).then(|| state.parse().ok());
        let state = known.flatten().unwrap_or_else(|| {
            if checks.is_clean() {
                checks.refuse("state does not have a valid value");
            }
            Status::Pending
        });
        let coverage = text(checks, "coverage").and_then(|coverage| {
            let number: Option<f64> = coverage.parse().ok().filter(|n: &f64| n.is_finite());
            if number.is_none() {
                checks.refuse("coverage is invalid");
            }
            number
        });
        Self {
            state,
            ref_name: text(checks, "ref"),
            name: text(checks, "name")
                .or_else(|| text(checks, "context"))
                .unwrap_or_else(|| "default".to_owned()),
            target_url: text(checks, "target_url"),
            description: text(checks, "description"),
            coverage,
            pipeline_id: checks.integer("pipeline_id"),
        }
    }

    /// GitLab's checks of the model.
    fn check(&self) -> ApiResult<()> {
        let texts = [
            ("name", Some(&self.name)),
            ("description", self.description.as_ref()),
            ("target_url", self.target_url.as_ref()),
        ];
        for (field, text) in texts {
            if text.is_some_and(|text| text.chars().count() > MAX_TEXT) {
                let text = "is too long (maximum is 255 characters)";
                return Err(ApiError::invalid(field, text));
            }
        }
        let is_web = |url: &String| {
            url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        if !self.target_url.as_ref().is_none_or(is_web) {
            let text = "is blocked: Only allowed schemes are http, https";
            return Err(ApiError::invalid("target_url", text));
        }
        Ok(())
    }
}

/// `POST /projects/:id/statuses/:sha`.
pub async fn set(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let given = Given::read(&mut checks);
    let opened = open(&app, &call, checks.finish()).await?;
    let access = &opened.access;
    access.require(Right::SetCommitStatus)?;
    let user = access.caller.require_user()?;
    let sha = commits::find(&app, &opened, call.path("sha")).await?;
    let place = Place::find(&app, &opened, &sha, &given).await?;
    let standing = Some(&access.standing);
    let may = app
        .may_run_on(standing, &access.project, place.ref_kind, &place.ref_name)
        .await?;
    if !may {
        return Err(ApiError::forbidden());
    }
    given.check()?;
    let commit = opened.repository.commit(&sha).await?;
    let now = clock::now();
    let new = NewCommitStatus {
        run_id: place.run_id,
        new_run: NewRun {
            project_id: access.project.id,
            source: Source::External,
            ref_name: place.ref_name,
            ref_kind: place.ref_kind,
            sha,
            commit_title: commit.title().to_owned(),
            trigger_id: None,
            origin: RunOrigin::default(),
            hooks: Vec::new(),
            user_id: Some(user.id),
            sealed_variables: None,
            sealed_event: None,
            content: nothing_to_run(),
            credential: access.caller.credential(),
            idempotency: None,
            pull_request: None,
            slot: None,
            now,
        },
        name: given.name,
        status: given.state,
        user_id: user.id,
        target_url: given.target_url,
        description: given.description,
        coverage: given.coverage,
        limit: app.config.limits.statuses_per_run,
        now,
    };
    let (status, advance) = match app.store.set_commit_status(new).await? {
        StatusChange::Done(status, advance) => (status, advance),
        StatusChange::NotPossible { from } => return Err(not_possible(given.state, from)),
        StatusChange::TooMany => {
            let text = "The number of jobs has exceeded the limit";
            return Err(ApiError::message(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
    };
    app.announce(&advance).await;
    let shown = CommitStatus::of(&app.config, &advance.run, &status, Some(user));
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// GitLab's words for a change of status that makes no sense.
fn not_possible(to: Status, from: Status) -> ApiError {
    let event = match to {
        Status::Pending => "enqueue",
        Status::Running => "run",
        Status::Skipped => "skip",
        Status::Success => "success",
        Status::Canceled => "cancel",
        _ => "drop",
    };
    let text = format!(
        "Cannot transition status via :{event} from :{from} (Reason(s): Status cannot \
         transition via \"{event}\")"
    );
    ApiError::message(StatusCode::BAD_REQUEST, text)
}

/// A run that has foreign statuses only.
fn nothing_to_run() -> NewRunContent {
    NewRunContent::Planned(Box::new(NewWorkflow {
        path: String::new(),
        name: None,
        stages: vec![STAGE.to_owned()],
        workflows: Vec::new(),
        jobs: Vec::new(),
        graph: Arc::new(Graph::default()),
        notes: RunNotes::default(),
    }))
}

/// Where a status belongs.
struct Place {
    /// The run, when there is one.
    run_id: Option<RunId>,
    ref_name: String,
    ref_kind: RefKind,
}

impl Place {
    async fn find(app: &App, opened: &Opened, sha: &CommitSha, given: &Given) -> ApiResult<Self> {
        let runs = runs_of(app, opened, sha, given.ref_name.as_deref()).await?;
        let fits = |run: &&Run| {
            run.yaml_errors.is_none() && given.pipeline_id.is_none_or(|id| id == run.id.0)
        };
        if let Some(run) = runs.iter().find(fits) {
            return Ok(Self {
                run_id: Some(run.id),
                ref_name: given
                    .ref_name
                    .clone()
                    .unwrap_or_else(|| run.ref_name.clone()),
                ref_kind: run.ref_kind,
            });
        }
        let (ref_name, ref_kind) = match &given.ref_name {
            Some(name) => (name.clone(), kind_of(opened, name).await?),
            None => match opened.repository.ref_holding(sha).await? {
                Some(found) => (found.name, found.kind),
                None => return Err(ApiError::missing("References for commit")),
            },
        };
        if given.pipeline_id.is_some() {
            return Err(ApiError::missing("Pipeline for pipeline_id, sha and ref"));
        }
        Ok(Self {
            run_id: None,
            ref_name,
            ref_kind,
        })
    }
}

/// A name that is a tag and no branch is a tag.
async fn kind_of(opened: &Opened, name: &str) -> ApiResult<RefKind> {
    if RefName::new(name).is_err() {
        return Err(ApiError::invalid("ref", "is invalid"));
    }
    let repository = &opened.repository;
    if repository.find_ref(RefKind::Branch, name).await?.is_none()
        && repository.find_ref(RefKind::Tag, name).await?.is_some()
    {
        return Ok(RefKind::Tag);
    }
    Ok(RefKind::Branch)
}
