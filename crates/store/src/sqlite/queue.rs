//! Who waits for a runner and who has one: two small tables that hold nothing
//! else, so that a claim never meets the history.
//!
//! Attempts wait under a text of what they want, so that a claim compares itself
//! with each different text once: their tags, and before them whether they have
//! steps.

use tappet_engine::{Event, JobEvent};
use tappet_model::{AttemptId, RunId, RunnerId, Status, tags};

use super::attempts::{self, AttemptPlace};
use super::content::{Db, StoredJob, StoredPlan};
use super::projects;
use super::runners;
use super::session::Session;
use super::statement::statements;
use super::transition::{self, LiveAttempt};
use super::value::{RowExt, list_text};
use crate::{Claim, HeldAttempt, PendingAttempt, Run, StoreError, StoreResult};

statements! {
    ENQUEUE = "INSERT INTO queue (attempt_id, project_id, run_id, tags) VALUES (?1, ?2, ?3, ?4)";
    DEQUEUE = "DELETE FROM queue WHERE attempt_id = ?1";
    TAG_LISTS = "WITH RECURSIVE found (tags) AS (
                   SELECT min(tags) FROM queue
                   UNION ALL
                   SELECT (SELECT min(tags) FROM queue WHERE tags > found.tags)
                   FROM found WHERE found.tags IS NOT NULL)
                 SELECT tags FROM found WHERE tags IS NOT NULL";
    OLDEST = "SELECT min(attempt_id) FROM queue WHERE tags = ?1";
    WAITING = "SELECT attempt_id, tags FROM queue ORDER BY attempt_id";
    HOLD = "INSERT INTO held_attempts (attempt_id, runner_id, system_id)
            VALUES (?1, ?2, ?3)";
    RELEASE = "DELETE FROM held_attempts WHERE attempt_id = ?1";
    HELD = "SELECT h.attempt_id, a.run_id, a.position, a.status, h.runner_id, h.system_id,
            a.started_at
            FROM held_attempts h CROSS JOIN attempts a ON a.id = h.attempt_id
            ORDER BY h.attempt_id";
}

/// Brings both tables in line with an attempt's change of status. A claim adds
/// the row of the holder itself.
pub(super) fn follow(
    session: &Session,
    run: &Run,
    plan: &StoredPlan,
    attempt: &LiveAttempt,
) -> StoreResult<()> {
    let (before, after) = (attempt.stored, attempt.status);
    if before == Status::Pending && after != Status::Pending {
        dequeue(session, attempt.id)?;
    }
    if before != Status::Pending && after == Status::Pending {
        enqueue(session, run, plan, attempt)?;
    }
    if before.is_executing() && !after.is_executing() {
        session
            .conn
            .prepare_cached(RELEASE)?
            .execute([attempt.id.0])?;
    }
    Ok(())
}

/// Lets an attempt wait for a runner.
pub(super) fn enqueue(
    session: &Session,
    run: &Run,
    plan: &StoredPlan,
    attempt: &LiveAttempt,
) -> StoreResult<()> {
    session.conn.prepare_cached(ENQUEUE)?.execute((
        attempt.id.0,
        run.project_id.0,
        run.id.0,
        wish_text(&plan.jobs[attempt.position]),
    ))?;
    Ok(())
}

fn dequeue(session: &Session, id: AttemptId) -> StoreResult<()> {
    session.conn.prepare_cached(DEQUEUE)?.execute([id.0])?;
    Ok(())
}

/// The oldest waiting attempt that the runner may take.
pub(super) fn next_for(db: &Db<'_>, claim: &Claim) -> StoreResult<Option<AttemptId>> {
    let lists: Vec<String> = db
        .conn
        .prepare_cached(TAG_LISTS)?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut oldest = None;
    for list in lists {
        let wish = wish(&list)?;
        if (claim.runs_steps || !wish.has_steps)
            && tags::fit(&claim.tags, claim.run_untagged, &wish.tags)
        {
            let id: Option<i64> = db
                .conn
                .prepare_cached(OLDEST)?
                .query_row([&list], |row| row.get(0))?;
            oldest = match (oldest, id) {
                (Some(known), Some(id)) => Some(i64::min(known, id)),
                (known, id) => known.or(id),
            };
        }
    }
    if oldest.is_some() && runners::is_paused(db, claim.runner_id)? {
        return Ok(None);
    }
    Ok(oldest.map(AttemptId))
}

/// What an attempt wants of its runner.
struct Wish {
    tags: Vec<String>,
    has_steps: bool,
}

/// Stands before the tags of a job with steps.
const STEPS: &str = "steps ";

/// The same text for the same wishes.
fn wish_text(job: &StoredJob) -> String {
    let mut sorted = job.tags.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let tags = list_text(&sorted);
    match job.key {
        Some(_) => format!("{STEPS}{tags}"),
        None => tags,
    }
}

fn wish(text: &str) -> StoreResult<Wish> {
    let tags = text.strip_prefix(STEPS);
    Ok(Wish {
        has_steps: tags.is_some(),
        tags: tag_list(tags.unwrap_or(text))?,
    })
}

/// All waiting attempts, oldest first.
pub(super) fn waiting(db: &Db<'_>) -> StoreResult<Vec<PendingAttempt>> {
    let mut statement = db.conn.prepare_cached(WAITING)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (id, list) = row?;
        let Wish { tags, has_steps } = wish(&list)?;
        Ok(PendingAttempt {
            id: AttemptId(id),
            tags,
            has_steps,
        })
    })
    .collect()
}

fn tag_list(text: &str) -> StoreResult<Vec<String>> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::Database(format!("the queue holds damaged tags `{text}`: {error}"))
    })
}

/// Hands the oldest fitting attempt to a runner.
pub(super) fn claim(session: &mut Session, claim: &Claim) -> StoreResult<Option<AttemptId>> {
    while let Some(id) = next_for(&session.db(), claim)? {
        if take(session, claim, id)? {
            return Ok(Some(id));
        }
        tracing::error!(
            attempt = id.0,
            "an attempt waited for a runner without being pending"
        );
        dequeue(session, id)?;
    }
    Ok(None)
}

/// Whether the engine let the runner have it.
fn take(session: &mut Session, claim: &Claim, id: AttemptId) -> StoreResult<bool> {
    let Some(AttemptPlace { run_id, position }) = attempts::place(&session.db(), id)? else {
        return Ok(false);
    };
    let Some(live) = transition::take_live(session, run_id)? else {
        return Ok(false);
    };
    if live.attempts[position].id != id {
        return Ok(false);
    }
    let event = Event::Job {
        job: position,
        event: JobEvent::Run {
            cancels_gracefully: claim.cancels_gracefully,
        },
    };
    match transition::step(session, live, event, claim.now) {
        Err(StoreError::Refused(_)) => return Ok(false),
        other => other?,
    };
    attempts::set_holder(session, id, claim.runner_id, claim.cancels_gracefully)?;
    session
        .conn
        .prepare_cached(HOLD)?
        .execute((id.0, claim.runner_id.0, &claim.system_id))?;
    Ok(true)
}

/// Attempts that runners hold, oldest first.
pub(super) fn held(db: &Db<'_>) -> StoreResult<Vec<HeldAttempt>> {
    struct Holding {
        attempt: HeldAttempt,
        position: usize,
    }
    let mut statement = db.conn.prepare_cached(HELD)?;
    let rows = statement.query_map([], |row| {
        Ok(Holding {
            position: row.count(2)?,
            attempt: HeldAttempt {
                id: AttemptId(row.get(0)?),
                run_id: RunId(row.get(1)?),
                status: row.col(3)?,
                runner_id: RunnerId(row.get(4)?),
                system_id: row.get(5)?,
                timeout_s: 0,
                started_at: row.col(6)?,
            },
        })
    })?;
    let mut held = Vec::new();
    for row in rows {
        let Holding {
            mut attempt,
            position,
        } = row?;
        attempt.timeout_s = projects::time_limit(db, attempt.run_id, position)?;
        held.push(attempt);
    }
    Ok(held)
}
