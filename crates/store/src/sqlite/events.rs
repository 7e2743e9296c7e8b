//! The event log: one row per transaction and run, read as one event per change.

use rusqlite::OptionalExtension;
use serde_json::json;
use tappet_model::{RunId, Status, Timestamp};

use super::attempts;
use super::content::Db;
use super::forge_reports;
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use super::webhooks;
use crate::{EventRecord, Run, StoreError, StoreResult};

statements! {
    ADD = "INSERT INTO events (id, run_id, created_at, changes) VALUES (?1, ?2, ?3, ?4)";
    AFTER = "SELECT id, created_at, changes FROM events
             WHERE run_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    NEWEST = "SELECT coalesce(max(id), 0) FROM events WHERE run_id = ?1";
}

/// Writes changes as (attempt id, status), with id 0 for the run, and what
/// webhooks and forges have to be told of them. Returns the id of the last one.
pub(super) fn add(
    session: &mut Session,
    run: &Run,
    changes: &[(i64, Status)],
    now: Timestamp,
) -> StoreResult<i64> {
    if changes.is_empty() {
        return Ok(session.last_event);
    }
    let pairs: Vec<i64> = changes
        .iter()
        .flat_map(|&(id, status)| [id, code(status)])
        .collect();
    let text = serde_json::to_string(&pairs).expect("numbers are valid JSON");
    session.last_event += i64::try_from(changes.len()).expect("a step changes few things");
    session
        .conn
        .prepare_cached(ADD)?
        .execute((session.last_event, run.id.0, Col(now), text))?;
    webhooks::note(session, run, changes, now)?;
    forge_reports::note(session, run, now)?;
    Ok(session.last_event)
}

/// The number that stands for a status: its place in GitLab's order.
fn code(status: Status) -> i64 {
    let place = Status::ALL.iter().position(|&other| other == status);
    i64::try_from(place.expect("every status is listed")).expect("there are thirteen")
}

fn changes(text: &str) -> Option<Vec<(i64, Status)>> {
    let pairs: Vec<i64> = serde_json::from_str(text).ok()?;
    let status = |code: i64| Status::ALL.get(usize::try_from(code).ok()?).copied();
    pairs
        .chunks(2)
        .map(|pair| Some((pair[0], status(*pair.get(1)?)?)))
        .collect()
}

/// Events of a run after `after`, oldest first.
pub(super) fn after(
    db: &Db<'_>,
    run: RunId,
    after: i64,
    limit: u32,
) -> StoreResult<Vec<EventRecord>> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let rows: Vec<(i64, Timestamp, String)> = db
        .conn
        .prepare_cached(AFTER)?
        .query_map((run.0, after, limit), |row| {
            Ok((row.get(0)?, row.col(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let positions = attempts::positions(db, run)?;
    let plan = runs::place_and_plan(db, run)?.map(|(_, _, plan)| plan);
    let mut events = Vec::new();
    for (last, created_at, text) in rows {
        let changes = changes(&text)
            .ok_or_else(|| StoreError::Database(format!("event {last} is damaged: {text}")))?;
        for (id, &(attempt, status)) in (last + 1 - changes.len() as i64..).zip(&changes) {
            if id <= after || events.len() == wanted {
                continue;
            }
            let job = positions.get(&attempt).zip(plan.as_deref());
            events.push(match job {
                Some((&position, plan)) => {
                    let place = (plan.jobs[position].name.as_str(), plan.stage_of(position));
                    of_job(id, attempt, place, (status, created_at))
                }
                None => of_run(id, run, (status, created_at)),
            });
        }
    }
    Ok(events)
}

fn of_job(
    id: i64,
    attempt: i64,
    (name, stage): (&str, &str),
    (status, created_at): (Status, Timestamp),
) -> EventRecord {
    let body = json!({ "id": attempt, "name": name, "stage": stage, "status": status });
    EventRecord {
        id,
        kind: "job".to_owned(),
        body: body.to_string(),
        created_at,
    }
}

fn of_run(id: i64, run: RunId, (status, created_at): (Status, Timestamp)) -> EventRecord {
    EventRecord {
        id,
        kind: "run".to_owned(),
        body: json!({ "id": run, "status": status }).to_string(),
        created_at,
    }
}

/// How jobs and run stand, for a reader that has read up to `after` when events
/// that follow are gone; else nothing.
///
/// Only the last one stands for all that was told: who leaves before it has still
/// read no further than `after`.
pub(super) fn instead_of_lost(db: &Db<'_>, id: RunId, after: i64) -> StoreResult<Vec<EventRecord>> {
    if !is_lost(db, id, after)? {
        return Ok(Vec::new());
    }
    let Some(run) = runs::run(db, id)? else {
        return Ok(Vec::new());
    };
    let newest: i64 = db
        .conn
        .prepare_cached(NEWEST)?
        .query_row([id.0], |row| row.get(0))?;
    let now = run.updated_at;
    let jobs = attempts::newest_of_run(db, id)?;
    let mut events: Vec<EventRecord> = jobs
        .iter()
        .map(|job| {
            let place = (job.name.as_str(), job.stage.as_str());
            of_job(after, job.id.0, place, (job.status, now))
        })
        .collect();
    events.push(of_run(newest.max(after), id, (run.status, now)));
    Ok(events)
}

/// Whether there were events between `after` and the oldest that is left.
fn is_lost(db: &Db<'_>, run: RunId, after: i64) -> StoreResult<bool> {
    let oldest: Option<(i64, String)> = db
        .conn
        .prepare_cached(AFTER)?
        .query_row((run.0, 0, 1), |row| Ok((row.get(0)?, row.get(2)?)))
        .optional()?;
    let Some((last, text)) = oldest else {
        return Ok(true);
    };
    let changes = changes(&text).unwrap_or_default();
    // Runs begin so; what comes later names a job first.
    let is_first = matches!(changes[..], [(0, Status::Created | Status::Failed), ..]);
    Ok(!is_first && after < last - changes.len() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_keep_their_meaning() {
        let words: Vec<_> = changes("[0,0,1,4,1,5,1,6,1,7,1,9,1,12]")
            .unwrap()
            .into_iter()
            .map(|(_, status)| status.as_str())
            .collect();
        assert_eq!(
            words,
            [
                "created",
                "pending",
                "running",
                "success",
                "failed",
                "canceled",
                "scheduled"
            ]
        );
        assert!(Status::ALL.iter().all(|&status| {
            changes(&format!("[7,{}]", code(status))) == Some(vec![(7, status)])
        }));
        assert_eq!(changes("[7,13]"), None);
        assert_eq!(changes("[7]"), None);
    }
}
