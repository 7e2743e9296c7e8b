//! The event log: one row per transaction and run, read as one event per change.

use serde_json::json;
use tappet_model::{RunId, Status, Timestamp};

use super::attempts;
use super::content::Db;
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
}

/// Writes changes as (attempt id, status), with id 0 for the run, and what
/// webhooks have to tell of them. Returns the id of the last one.
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
    let plan = runs::project_and_plan(db, run)?.map(|(_, plan)| plan);
    let mut events = Vec::new();
    for (last, created_at, text) in rows {
        let changes = changes(&text)
            .ok_or_else(|| StoreError::Database(format!("event {last} is damaged: {text}")))?;
        for (id, &(attempt, status)) in (last + 1 - changes.len() as i64..).zip(&changes) {
            if id <= after || events.len() == wanted {
                continue;
            }
            let job = positions.get(&attempt).zip(plan.as_deref());
            let (kind, body) = match job {
                Some((&position, plan)) => (
                    "job",
                    json!({
                        "id": attempt,
                        "name": plan.jobs[position].name,
                        "stage": plan.stage_of(position),
                        "status": status,
                    }),
                ),
                None => ("run", json!({ "id": run, "status": status })),
            };
            events.push(EventRecord {
                id,
                kind: kind.to_owned(),
                body: body.to_string(),
                created_at,
            });
        }
    }
    Ok(events)
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
