//! The list of the attempts of a project.
//!
//! It walks an index by project, or one by project and status for what has
//! settled. The few that wait or run are found in the tables of the queue, so
//! that nobody has to move an index entry at each change of status. Several
//! statuses are merged in order of id without sorting.
//!
//! Attempts of one ref are found along its runs. First attempts have ids that
//! rise with those of their runs; later ones do not, but they are few, and
//! merged.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};
use tappet_model::{AttemptId, ProjectId, Status};

use crate::sqlite::attempts;
use crate::sqlite::content::Db;
use crate::sqlite::value::integer;
use crate::{Attempt, ProjectAttempts, StoreError, StoreResult};

/// How far apart attempts lie shows at this one; fewer are sorted.
const PROBE: u64 = 200;

/// Attempts of a project, newest first.
pub(super) fn list(
    db: &Db<'_>,
    project: ProjectId,
    wanted: &ProjectAttempts,
) -> StoreResult<Vec<Attempt>> {
    let ids = match &wanted.ref_name {
        Some(name) => of_ref(db, project, name, wanted)?,
        None => page(db, select(project, wanted), wanted)?,
    };
    ids.into_iter()
        .map(|id| attempts::attempt(db, id)?.ok_or(StoreError::NotFound("attempt")))
        .collect()
}

/// One page of a ref: along its runs or along the statuses, whichever has its
/// attempts farther apart.
fn of_ref(
    db: &Db<'_>,
    project: ProjectId,
    name: &str,
    wanted: &ProjectAttempts,
) -> StoreResult<Vec<AttemptId>> {
    let last_run = last_run(db, project, wanted.before)?;
    let probe = |select| Ok::<_, StoreError>(ids(db, select, 1, PROBE - 1)?.first().copied());
    let of_any_status = ProjectAttempts {
        statuses: Vec::new(),
        ..wanted.clone()
    };
    let along = Along::First { last_run };
    let Some(of_ref) = probe(select_by_run(project, name, &of_any_status, along))? else {
        return page(db, select_by_run(project, name, wanted, Along::All), wanted);
    };
    if !wanted.statuses.is_empty() {
        let of_any_ref = ProjectAttempts {
            ref_name: None,
            ..wanted.clone()
        };
        let of_status = probe(select(project, &of_any_ref))?;
        if of_status.is_none_or(|of_status| of_status < of_ref) {
            return page(db, select(project, wanted), wanted);
        }
    }
    along_runs(db, (project, name), wanted, last_run)
}

/// The newest run whose first attempts come before the cursor.
fn last_run(db: &Db<'_>, project: ProjectId, before: Option<AttemptId>) -> StoreResult<i64> {
    let Some(before) = before else {
        return Ok(i64::MAX);
    };
    let mut find = db.conn.prepare_cached(super::LAST_RUN_BEFORE)?;
    let found = find.query_row((project.0, before.0), |row| row.get(0));
    Ok(found.optional()?.unwrap_or(0))
}

type Select = (String, Vec<Value>);

fn page(db: &Db<'_>, select: Select, wanted: &ProjectAttempts) -> StoreResult<Vec<AttemptId>> {
    ids(db, select, u64::from(wanted.limit), wanted.offset)
}

fn ids(
    db: &Db<'_>,
    (sql, mut values): Select,
    limit: u64,
    offset: u64,
) -> StoreResult<Vec<AttemptId>> {
    values.push(Value::Integer(integer(limit)));
    values.push(Value::Integer(integer(offset)));
    let mut statement = db.conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| Ok(AttemptId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn along_runs(
    db: &Db<'_>,
    (project, name): (ProjectId, &str),
    wanted: &ProjectAttempts,
    last_run: i64,
) -> StoreResult<Vec<AttemptId>> {
    let rows = wanted.offset.saturating_add(u64::from(wanted.limit));
    let first = Along::First { last_run };
    let mut found = ids(db, select_by_run(project, name, wanted, first), rows, 0)?;
    // Older ones than the last of a full page would come after it.
    let is_full = found.len() as u64 == rows;
    let after = found.last().filter(|_| is_full).map_or(0, |id| id.0);
    found.extend(ids(
        db,
        select_later(project, name, wanted, after),
        rows,
        0,
    )?);
    found.sort_unstable_by(|one, other| other.cmp(one));
    let offset = usize::try_from(wanted.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    Ok(found.into_iter().skip(offset).take(limit).collect())
}

/// Which attempts of the runs of a ref.
enum Along {
    /// All, sorted.
    All,
    /// The first of each job, of runs up to this one, as the runs come.
    First { last_run: i64 },
}

/// Attempts of a ref, from its runs; limit and offset are left to add.
fn select_by_run(project: ProjectId, name: &str, wanted: &ProjectAttempts, along: Along) -> Select {
    let mut sql = "SELECT a.id AS id FROM runs r INDEXED BY runs_by_ref
         CROSS JOIN attempts a INDEXED BY attempts_by_run ON a.run_id = r.id
         WHERE r.project_id = ? AND r.ref_name = ?"
        .to_owned();
    let mut values = vec![Value::Integer(project.0), Value::Text(name.to_owned())];
    let order = match along {
        Along::All => "a.id DESC",
        Along::First { last_run } => {
            sql.push_str(" AND r.id <= ? AND a.job_id IS NULL");
            values.push(Value::Integer(last_run));
            "r.id DESC, a.id DESC"
        }
    };
    sift(&mut sql, &mut values, wanted);
    sql.push_str(&format!(" ORDER BY {order} LIMIT ? OFFSET ?"));
    (sql, values)
}

/// Attempts of a ref after the first of their jobs, with ids above `after`.
fn select_later(project: ProjectId, name: &str, wanted: &ProjectAttempts, after: i64) -> Select {
    let mut sql = "SELECT a.id AS id FROM attempts a INDEXED BY retried_attempts
         WHERE a.job_id IS NOT NULL AND a.id > ? AND a.project_id = ?
         AND (SELECT ref_name FROM runs r WHERE r.id = a.run_id) = ?"
        .to_owned();
    let mut values = vec![
        Value::Integer(after),
        Value::Integer(project.0),
        Value::Text(name.to_owned()),
    ];
    sift(&mut sql, &mut values, wanted);
    sql.push_str(" ORDER BY a.id DESC LIMIT ? OFFSET ?");
    (sql, values)
}

/// Adds statuses and the bound on ids.
fn sift(sql: &mut String, values: &mut Vec<Value>, wanted: &ProjectAttempts) {
    if !wanted.statuses.is_empty() {
        let places = vec!["?"; wanted.statuses.len()].join(", ");
        sql.push_str(&format!(" AND a.status IN ({places})"));
        let words = wanted.statuses.iter().map(|status| status.as_str());
        values.extend(words.map(|word| Value::Text(word.to_owned())));
    }
    if let Some(before) = wanted.before {
        sql.push_str(" AND a.id < ?");
        values.push(Value::Integer(before.0));
    }
}

/// Ids in order; limit and offset are left to add.
fn select(project: ProjectId, wanted: &ProjectAttempts) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut branch = |status: Option<Status>| {
        let (mut sql, id) = walk(status);
        values.push(Value::Integer(project.0));
        if let Some(status) = status
            && status != Status::Pending
        {
            values.push(Value::Text(status.as_str().to_owned()));
        }
        if let Some(name) = &wanted.ref_name {
            sql.push_str(" AND (SELECT ref_name FROM runs r WHERE r.id = a.run_id) = ?");
            values.push(Value::Text(name.clone()));
        }
        if let Some(before) = wanted.before {
            sql.push_str(&format!(" AND {id} < ?"));
            values.push(Value::Integer(before.0));
        }
        sql
    };
    let selects: Vec<String> = if wanted.statuses.is_empty() {
        vec![branch(None)]
    } else {
        let mut statuses = wanted.statuses.clone();
        statuses.sort_unstable();
        statuses.dedup();
        statuses.into_iter().map(Some).map(branch).collect()
    };
    let selects = selects.join(" UNION ALL ");
    (
        format!("{selects} ORDER BY id DESC LIMIT ? OFFSET ?"),
        values,
    )
}

/// Where attempts of a status are found in order of id, up to the project and
/// the status, and the column of the id.
fn walk(status: Option<Status>) -> (String, &'static str) {
    let (sql, id) = match status {
        None => (
            "SELECT a.id AS id FROM attempts a INDEXED BY attempts_by_project
             WHERE a.project_id = ?",
            "a.id",
        ),
        Some(Status::Pending) => (
            "SELECT a.attempt_id AS id FROM queue a WHERE a.project_id = ?",
            "a.attempt_id",
        ),
        Some(Status::Running | Status::Canceling) => (
            "SELECT h.attempt_id AS id FROM held_attempts h
             CROSS JOIN attempts a ON a.id = h.attempt_id
             WHERE a.project_id = ? AND a.status = ?",
            "h.attempt_id",
        ),
        Some(_) => (
            "SELECT a.id AS id FROM attempts a INDEXED BY settled_attempts
             WHERE a.status <> 'pending' AND a.status <> 'running' AND a.status <> 'canceling'
             AND a.project_id = ? AND a.status = ?",
            "a.id",
        ),
    };
    (sql.to_owned(), id)
}

#[cfg(test)]
mod tests;
