//! A job: its log as far as it goes, and what led to it.

use std::io::SeekFrom;

use askama::Template;
use axum::response::Response;
use tappet_model::{AttemptId, Status};
use tappet_store::{Attempt, AttemptFilter, PageRequest, Project, Run};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::log_view::{self, LogView};
use super::moment::{Moment, size_text};
use super::pipeline::{RunFacts, attempt_duration};
use super::problem::{PageResult, Problem};
use super::status_mark::StatusMark;
use super::visit::{Frame, Visit, html};
use crate::failure_text::failure_text;
use crate::rights::reads_log;

/// Of a longer log only the end is on the page.
const SHOWN_LOG_BYTES: u64 = 512 * 1024;

/// In place of a log with debug output.
const FOR_DEVELOPERS: &[u8] = b"This log was made with debug output and shows every variable. \
    Only developers of the project may read it: ask a maintainer to make you one.\n";

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    project: String,
    api: String,
    id: i64,
    run_id: i64,
    name: String,
    stage: String,
    environment: Option<String>,
    /// In percent.
    coverage: Option<String>,
    mark: StatusMark,
    why: Option<String>,
    /// What a job without a log waits for.
    waits: Option<&'static str>,
    /// When its delay is over.
    starts: Option<Moment>,
    facts: RunFacts,
    duration: Option<String>,
    finished: Option<Moment>,
    runner: Option<String>,
    tags: Vec<String>,
    needs: Vec<String>,
    artifacts: Option<Artifacts>,
    attempts: Vec<OtherAttempt>,
    log: ShownLog,
    /// Address of the log's events while it grows.
    events: Option<String>,
    /// Raw logs are for people who are signed in.
    has_raw: bool,
    can_cancel: bool,
    can_retry: bool,
    can_play: bool,
}

struct Artifacts {
    filename: String,
    size: String,
    expires: Option<Moment>,
}

struct OtherAttempt {
    id: i64,
    number: u32,
    mark: StatusMark,
    is_this: bool,
}

struct ShownLog {
    view: LogView,
    /// Stored bytes that the page holds or leaves out before.
    offset: u64,
    /// How much is left out at the beginning.
    skipped: Option<String>,
}

/// `GET /:project/-/jobs/:id`.
pub async fn page(visit: &Visit, project: Project, id: AttemptId) -> PageResult<Response> {
    let store = &visit.app.store;
    let attempt = store
        .attempt(id)
        .await?
        .filter(|attempt| attempt.project_id == project.id);
    let attempt = attempt.ok_or(Problem::NotFound)?;
    let run = store.run(attempt.run_id).await?.ok_or(Problem::NotFound)?;
    let runner = match attempt.runner_id {
        Some(runner) => store.runner(runner).await?,
        None => None,
    };
    let standing = visit.app.standing(visit.user.as_ref(), &project).await?;
    let is_readable = reads_log(&standing, &project, &attempt);
    let log = if is_readable {
        read_log(visit, &attempt).await?
    } else {
        show_end(FOR_DEVELOPERS, 0, true)
    };
    let attempts = attempts_of_job(visit, &run, &attempt).await?;
    let api = visit.path(&format!("/api/v4/projects/{}/jobs/{id}", project.id));
    let may_develop = visit.may_steer(&project).await?;
    let is_newest = !attempt.is_retried;
    let ended = attempt.status.is_completed();
    let grows = !ended && visit.user.is_some() && is_readable;
    html(&JobPage {
        frame: visit.frame(format!("{} (#{id}) · {}", attempt.name, project.path)),
        facts: RunFacts::read(visit, &run).await?,
        events: grows.then(|| format!("{api}/trace/events?offset={}", log.offset)),
        has_raw: visit.user.is_some() && is_readable,
        api,
        id: attempt.id.0,
        run_id: run.id.0,
        mark: StatusMark::of_attempt(&attempt),
        why: (attempt.status == Status::Failed)
            .then_some(attempt.failure_reason)
            .flatten()
            .map(|reason| failure_text(reason, attempt.exit_code)),
        waits: waits_for(attempt.status),
        starts: attempt.starts_at.map(|at| Moment::new(at, visit.now)),
        duration: attempt_duration(&attempt, visit.now),
        finished: attempt.finished_at.map(|at| Moment::new(at, visit.now)),
        runner: runner.map(|runner| format!("#{} {}", runner.id, runner.description)),
        artifacts: attempt.archive.as_ref().map(|archive| Artifacts {
            filename: archive.filename.clone(),
            size: size_text(archive.size_bytes),
            expires: archive.expires_at.map(|at| Moment::new(at, visit.now)),
        }),
        attempts,
        log,
        can_cancel: may_develop
            && is_newest
            && attempt.status.is_cancelable()
            && !is_idle(&attempt),
        can_retry: may_develop && is_newest && is_retryable(attempt.status),
        can_play: may_develop && is_newest && is_playable(attempt.status),
        project: project.path,
        name: attempt.name,
        stage: attempt.stage,
        environment: attempt.environment.map(|environment| environment.name),
        coverage: attempt.coverage.map(|percent| format!("{percent} %")),
        tags: attempt.tags,
        needs: attempt.needs.unwrap_or_default(),
    })
}

fn is_retryable(status: Status) -> bool {
    matches!(status, Status::Success | Status::Failed | Status::Canceled)
}

fn is_playable(status: Status) -> bool {
    matches!(status, Status::Manual | Status::Scheduled)
}

/// A manual job waits for a person, who has nothing to stop yet.
fn is_idle(attempt: &Attempt) -> bool {
    attempt.status == Status::Manual
}

fn waits_for(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::Created => "It starts when the jobs before it are done.",
        Status::Pending | Status::Preparing => "It waits for a runner.",
        Status::WaitingForResource => "It waits until another job of its matrix is over.",
        Status::WaitingForCallback => "It is being decided whether it starts.",
        Status::Manual => "It starts when somebody presses Run.",
        Status::Skipped => "It was skipped, so it has no log.",
        _ => return None,
    })
}

/// All attempts of the job, when there is more than this one.
async fn attempts_of_job(
    visit: &Visit,
    run: &Run,
    shown: &Attempt,
) -> PageResult<Vec<OtherAttempt>> {
    if shown.number == 1 && !shown.is_retried {
        return Ok(Vec::new());
    }
    let filter = AttemptFilter {
        statuses: Vec::new(),
        include_retried: true,
    };
    let mut page = PageRequest {
        page: 1,
        per_page: 100,
    };
    let mut found = Vec::new();
    loop {
        let listing = visit
            .app
            .store
            .attempts(run.id, filter.clone(), page)
            .await?;
        let same = listing
            .items
            .iter()
            .filter(|attempt| attempt.job_id == shown.job_id);
        found.extend(same.map(|attempt| OtherAttempt {
            id: attempt.id.0,
            number: attempt.number,
            mark: StatusMark::of_attempt(attempt),
            is_this: attempt.id == shown.id,
        }));
        if !listing.has_next {
            found.sort_by_key(|attempt| attempt.number);
            return Ok(found);
        }
        page.page += 1;
    }
}

async fn read_log(visit: &Visit, attempt: &Attempt) -> PageResult<ShownLog> {
    match read_end(visit, attempt).await {
        Ok((bytes, start)) => {
            // An ended attempt may still have a last line without its end.
            let is_complete = attempt.status.is_completed();
            let rendered =
                tokio::task::spawn_blocking(move || show_end(&bytes, start, is_complete));
            rendered.await.map_err(|error| {
                tracing::error!(%error, "cannot render a log");
                Problem::Broken
            })
        }
        Err(error) => {
            tracing::error!(attempt = %attempt.id, %error, "cannot read a log");
            Err(Problem::Broken)
        }
    }
}

/// The last bytes of the log, and where they begin.
async fn read_end(visit: &Visit, attempt: &Attempt) -> std::io::Result<(Vec<u8>, u64)> {
    let Some((mut file, length)) = visit.app.logs.open(attempt.id).await? else {
        return Ok((Vec::new(), 0));
    };
    let start = length.saturating_sub(SHOWN_LOG_BYTES);
    file.seek(SeekFrom::Start(start)).await?;
    let mut bytes = Vec::new();
    file.take(length - start).read_to_end(&mut bytes).await?;
    Ok((bytes, start))
}

/// Renders the end of a log from the first whole line on.
fn show_end(bytes: &[u8], start: u64, is_complete: bool) -> ShownLog {
    let partial = if start == 0 {
        0
    } else {
        bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1)
    };
    let skipped = start + partial as u64;
    let first_line = (skipped == 0).then_some(1);
    let view = log_view::render(&bytes[partial..], first_line, is_complete);
    ShownLog {
        offset: skipped + view.consumed as u64,
        skipped: (skipped > 0).then(|| size_text(skipped)),
        view,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_begins_with_a_whole_line_without_a_number() {
        let shown = show_end(b"tail of a line\nwhole\nunfinis", 1_000_000, false);
        assert_eq!(shown.view.html, "<div>whole</div>");
        assert_eq!(shown.skipped.as_deref(), Some("1.0 MB"));
        assert_eq!(shown.offset, 1_000_021);
    }

    #[test]
    fn a_short_log_is_whole_and_numbered() {
        let shown = show_end(b"a\nb", 0, true);
        assert_eq!(
            shown.view.html,
            "<div id=\"L1\" data-n=\"1\">a</div><div id=\"L2\" data-n=\"2\">b</div>"
        );
        assert_eq!((shown.offset, shown.skipped), (3, None));
    }
}
