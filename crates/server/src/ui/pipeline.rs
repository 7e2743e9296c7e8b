//! A pipeline: its jobs by stage, what started it, with which variables.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use tappet_model::plan::LeftOut;
use tappet_model::{PullRequest, RefKind, RunId, Status, Timestamp};
use tappet_store::{Attempt, Hold, Project, Run};

use super::moment::Moment;
use super::problem::{PageResult, Problem};
use super::source_badge::SourceBadge;
use super::status_mark::{self, StatusMark};
use super::variables::{self, GivenVariables, ShownValue};
use super::visit::{Frame, Visit, html};
use crate::durations::duration_text;
use crate::failure_text::failure_text;

#[derive(Template)]
#[template(path = "pipeline.html")]
struct PipelinePage {
    frame: Frame,
    project: String,
    id: i64,
    name: Option<String>,
    title: String,
    mark: StatusMark,
    facts: RunFacts,
    stages: Vec<Stage>,
    failed: Vec<FailedJob>,
    yaml_errors: Option<String>,
    variables: GivenVariables,
    left_out: Vec<LeftOut>,
    warnings: Vec<String>,
    hold: Option<HoldText>,
    superseded_by: Option<i64>,
    can_approve: bool,
    can_cancel: bool,
    can_retry: bool,
    /// Address of the run's events while it moves.
    events: Option<String>,
}

/// What started a run, and where; pages of its jobs show it too.
pub struct RunFacts {
    /// Branch or tag.
    pub ref_name: String,
    /// The pull request that it is of.
    pub pull_request: Option<PullRequestFacts>,
    /// It is a tag.
    pub is_tag: bool,
    /// First digits of the commit.
    pub sha: String,
    /// Why.
    pub source: SourceBadge,
    /// Description of the trigger.
    pub trigger: Option<String>,
    /// As whom.
    pub who: String,
    /// When.
    pub created: Moment,
    /// How long jobs ran so far.
    pub duration: Option<String>,
}

/// The pull request of a run.
pub struct PullRequestFacts {
    /// Its number.
    pub number: String,
    /// Its title, where a forge told.
    pub title: String,
    /// Its page at the forge.
    pub url: String,
    /// The branch that it comes from, with the fork before it.
    pub head: String,
    /// The branch that it goes to.
    pub base: String,
}

impl PullRequestFacts {
    fn of(pull_request: PullRequest) -> Self {
        let details = pull_request.details;
        let is_address = details.url.starts_with("https://") || details.url.starts_with("http://");
        Self {
            number: pull_request.number,
            title: details.title,
            url: if is_address {
                details.url
            } else {
                String::new()
            },
            head: match details.fork {
                Some(fork) => format!("{fork}:{}", pull_request.head_branch),
                None => pull_request.head_branch,
            },
            base: pull_request.base_branch,
        }
    }
}

impl RunFacts {
    /// Reads what is not in the run itself.
    pub async fn read(visit: &Visit, run: &Run) -> PageResult<Self> {
        let trigger = match run.trigger_id {
            Some(_) => visit.app.store.trigger_of_run(run.id).await?,
            None => None,
        };
        let user = visit.app.user_of(run).await?;
        let pull_request = match run.ref_kind {
            RefKind::PullRequest => visit.app.store.pull_request_run(run.id).await?,
            _ => None,
        };
        Ok(Self {
            ref_name: run.ref_name.clone(),
            pull_request: pull_request.map(|one| PullRequestFacts::of(one.pull_request)),
            is_tag: run.ref_kind == RefKind::Tag,
            sha: run.sha.short().to_owned(),
            source: SourceBadge::of(run),
            trigger: trigger
                .map(|trigger| trigger.description)
                .filter(|description| !description.is_empty()),
            who: user.map_or_else(String::new, |user| user.username),
            created: Moment::new(run.created_at, visit.now),
            duration: run_duration(run, visit.now),
        })
    }
}

struct Stage {
    name: String,
    mark: StatusMark,
    jobs: Vec<JobCard>,
}

struct JobCard {
    id: i64,
    name: String,
    mark: StatusMark,
    duration: Option<String>,
    number: u32,
    needs: String,
}

struct FailedJob {
    id: i64,
    name: String,
    mark: StatusMark,
    why: String,
}

/// `GET /:project/-/pipelines/:id`.
pub async fn page(visit: &Visit, project: Project, id: RunId) -> PageResult<Response> {
    let store = &visit.app.store;
    let run = store
        .run(id)
        .await?
        .filter(|run| run.project_id == project.id);
    let run = run.ok_or(Problem::NotFound)?;
    let attempts = store.run_attempts(run.id).await?;
    let notes = store.run_notes(run.id).await?.unwrap_or_default();
    let variables = variables::given(visit, &project, &run).await?;
    let facts = RunFacts::read(visit, &run).await?;
    let pull_request = match run.ref_kind {
        RefKind::PullRequest => store.pull_request_run(run.id).await?,
        _ => None,
    };
    let hold = pull_request.as_ref().and_then(|one| one.hold);
    let may_develop = visit.may_steer(&project).await?;
    let is_over = run.status.is_completed();
    let page = PipelinePage {
        frame: visit.frame(format!("Pipeline #{id} · {}", project.path)),
        id: run.id.0,
        name: run.name.clone(),
        title: run.commit_title.clone(),
        mark: StatusMark::of_run(&run),
        facts,
        stages: stages(&run, &attempts, visit.now),
        failed: failed(&attempts),
        yaml_errors: run.yaml_errors.clone(),
        variables,
        left_out: notes.left_out,
        warnings: notes.warnings,
        can_approve: may_develop && matches!(hold, Some(Hold::Approval { .. })) && !is_over,
        hold: hold
            .filter(|_| !is_over)
            .map(|hold| HoldText::of(hold, visit.now)),
        superseded_by: pull_request
            .and_then(|one| one.superseded_by)
            .map(|newer| newer.0),
        can_cancel: may_develop
            && !is_over
            && attempts.iter().any(|one| one.status.is_cancelable()),
        can_retry: may_develop && attempts.iter().any(is_worth_retrying),
        events: (!is_over).then(|| {
            visit.path(&format!(
                "/api/v4/projects/{}/pipelines/{id}/events",
                project.id
            ))
        }),
        project: project.path,
    };
    html(&page)
}

/// Whom a run waits for.
enum HoldText {
    /// A client that submits pairs of tables.
    Diffs { until: Moment },
    /// A member of the project.
    Approval,
}

impl HoldText {
    fn of(hold: Hold, now: Timestamp) -> Self {
        match hold {
            Hold::Diffs { until } => Self::Diffs {
                until: Moment::new(until, now),
            },
            Hold::Approval { .. } => Self::Approval,
        }
    }
}

fn is_worth_retrying(attempt: &Attempt) -> bool {
    matches!(attempt.status, Status::Failed | Status::Canceled)
}

fn stages(run: &Run, attempts: &[Attempt], now: Timestamp) -> Vec<Stage> {
    status_mark::stages(run, attempts)
        .into_iter()
        .enumerate()
        .map(|(index, stage)| Stage {
            name: stage.name,
            mark: stage.mark,
            jobs: attempts
                .iter()
                .filter(|attempt| attempt.stage_index == index)
                .map(|attempt| card(attempt, now))
                .collect(),
        })
        .collect()
}

fn card(attempt: &Attempt, now: Timestamp) -> JobCard {
    JobCard {
        id: attempt.id.0,
        name: attempt.name.clone(),
        mark: StatusMark::of_attempt(attempt),
        duration: attempt_duration(attempt, now),
        number: attempt.number,
        needs: attempt
            .needs
            .as_ref()
            .map_or_else(String::new, |needs| needs.join(", ")),
    }
}

/// Failed jobs, those first that stopped the run.
fn failed(attempts: &[Attempt]) -> Vec<FailedJob> {
    let mut failed: Vec<&Attempt> = attempts
        .iter()
        .filter(|attempt| attempt.status == Status::Failed)
        .collect();
    failed.sort_by_key(|attempt| attempt.allow_failure);
    failed
        .into_iter()
        .map(|attempt| FailedJob {
            id: attempt.id.0,
            name: attempt.name.clone(),
            mark: StatusMark::of_attempt(attempt),
            why: attempt.failure_reason.map_or_else(String::new, |reason| {
                failure_text(reason, attempt.exit_code)
            }),
        })
        .collect()
}

/// How long an attempt ran, or runs by now.
pub fn attempt_duration(attempt: &Attempt, now: Timestamp) -> Option<String> {
    let started = attempt.started_at?;
    Some(duration_text(
        attempt.finished_at.unwrap_or(now).since(started),
    ))
}

/// How long jobs of a run ran; for one that is under way, how long ago it began.
pub fn run_duration(run: &Run, now: Timestamp) -> Option<String> {
    let started = run.started_at?;
    if let Some(micros) = run.busy_micros {
        let micros = u64::try_from(micros).unwrap_or(0);
        return Some(duration_text(Duration::from_micros(micros)));
    }
    Some(duration_text(run.finished_at.unwrap_or(now).since(started)))
}
