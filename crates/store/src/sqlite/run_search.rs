//! Searches over the runs of many projects.
//!
//! In one project each status is walked by itself along its index. Over several
//! projects what has not ended is few, and an index leads to it; anything else is
//! met soon on the way from the newest run down.

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tappet_model::{RunId, Status, Timestamp, WorkflowId};

use super::SqliteStore;
use super::content::Db;
use super::filter::{Filter, anywhere};
use super::project_changes::seen_by;
use super::runs;
use super::value::list_text;
use crate::{Run, RunSearch, StoreError, StoreResult, Verb, WorkflowSearch};

/// Bytes of the longest commit id.
const LONGEST_SHA: usize = 32;

impl crate::RunSearches for SqliteStore {
    fn search_runs(&self, wanted: RunSearch, now: Timestamp) -> Verb<'_, Vec<Run>> {
        Box::pin(async move { self.readers.read(|db| search_runs(db, &wanted, now)) })
    }

    fn search_workflows(
        &self,
        wanted: WorkflowSearch,
        now: Timestamp,
    ) -> Verb<'_, Vec<WorkflowId>> {
        Box::pin(async move { self.readers.read(|db| search_workflows(db, &wanted, now)) })
    }
}

fn search_runs(db: &Db<'_>, wanted: &RunSearch, now: Timestamp) -> StoreResult<Vec<Run>> {
    let mut ids = if wanted.project.is_some() {
        let statuses = match wanted.statuses.as_slice() {
            [] => Status::ALL.as_slice(),
            some => some,
        };
        let mut ids = Vec::new();
        for status in statuses {
            ids.extend(walk(
                db,
                wanted,
                &[*status],
                "INDEXED BY runs_by_status",
                now,
            )?);
        }
        ids
    } else {
        let has_ended = |status: &Status| status.is_completed();
        let is_few = !wanted.statuses.is_empty() && !wanted.statuses.iter().any(has_ended);
        let index = if is_few {
            "INDEXED BY runs_by_status"
        } else {
            "NOT INDEXED"
        };
        walk(db, wanted, &wanted.statuses, index, now)?
    };
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids.truncate(wanted.limit as usize);
    ids.into_iter()
        .map(|id| runs::run(db, RunId(id))?.ok_or(StoreError::NotFound("run")))
        .collect()
}

fn walk(
    db: &Db<'_>,
    wanted: &RunSearch,
    statuses: &[Status],
    index: &str,
    now: Timestamp,
) -> StoreResult<Vec<i64>> {
    let mut filter = of_runs(wanted, now);
    filter.maybe("r.id < ?", wanted.before.map(|id| id.0));
    match statuses {
        [] => {}
        [one] => {
            filter.and("r.status = ?", [word(*one)]);
        }
        several => {
            filter.and(
                "r.status IN (SELECT value FROM json_each(?))",
                [words(several)],
            );
        }
    }
    let from = format!("runs r {index}");
    newest_ids(db, &filter, ("r.id", &from), wanted.limit)
}

/// What the runs have to be, apart from their statuses and ids.
fn of_runs(wanted: &RunSearch, now: Timestamp) -> Filter {
    let mut filter = Filter::default();
    match wanted.project {
        Some(project) => {
            filter.and("r.project_id = ?", [Value::Integer(project.0)]);
        }
        None => {
            let mut projects = Filter::default();
            projects.and("p.deleted_at IS NULL", []);
            seen_by(&mut projects, wanted.viewer, now);
            let (clause, values) = projects.into_parts();
            filter.and(
                format!("r.project_id IN (SELECT p.id FROM projects p WHERE {clause})"),
                values,
            );
        }
    }
    if let Some(sources) = &wanted.sources {
        let sources: Vec<&str> = sources.iter().map(|source| source.as_str()).collect();
        filter.and(
            "r.source IN (SELECT value FROM json_each(?))",
            [Value::Text(list_text(&sources))],
        );
    }
    if let Some(refs) = &wanted.refs {
        filter.and(
            "r.ref_name IN (SELECT value FROM json_each(?))",
            [Value::Text(list_text(refs))],
        );
    }
    if let Some(prefix) = &wanted.sha_prefix {
        match bounds(prefix) {
            Some(bounds) => filter.and("r.sha >= ? AND r.sha <= ?", bounds.map(Value::Blob)),
            None => filter.and("0", []),
        };
    }
    filter
}

fn search_workflows(
    db: &Db<'_>,
    wanted: &WorkflowSearch,
    now: Timestamp,
) -> StoreResult<Vec<WorkflowId>> {
    let mut filter = of_runs(&wanted.runs, now);
    filter.maybe("w.id < ?", wanted.before.map(|id| id.0));
    if !wanted.runs.statuses.is_empty() {
        filter.and(
            "coalesce(w.status, r.status) IN (SELECT value FROM json_each(?))",
            [words(&wanted.runs.statuses)],
        );
    }
    if let Some(name) = &wanted.name {
        filter.and(
            "coalesce(w.name, r.name, '') LIKE ? ESCAPE '\\'",
            [Value::Text(anywhere(name))],
        );
    }
    let from = "workflows w NOT INDEXED CROSS JOIN runs r ON r.id = w.run_id";
    let ids = newest_ids(db, &filter, ("w.id", from), wanted.runs.limit)?;
    Ok(ids.into_iter().map(WorkflowId).collect())
}

fn newest_ids(
    db: &Db<'_>,
    filter: &Filter,
    (id, from): (&str, &str),
    limit: u32,
) -> StoreResult<Vec<i64>> {
    let (clause, values) = filter.parts();
    let limit = Value::Integer(i64::from(limit));
    let mut statement = db.conn.prepare_cached(&format!(
        "SELECT {id} FROM {from} WHERE {clause} ORDER BY {id} DESC LIMIT ?"
    ))?;
    let values = values.iter().cloned().chain([limit]);
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn word(status: Status) -> Value {
    Value::Text(status.as_str().to_owned())
}

fn words(statuses: &[Status]) -> Value {
    let words: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    Value::Text(list_text(&words))
}

/// The first and the last commit id that begins so; `None` for what no id begins with.
fn bounds(prefix: &str) -> Option<[Vec<u8>; 2]> {
    if prefix.len() > 2 * LONGEST_SHA {
        return None;
    }
    let filled = |digit: char| -> Option<Vec<u8>> {
        let mut text = prefix.to_owned();
        if text.len() % 2 == 1 {
            text.push(digit);
        }
        let pairs = text.as_bytes().chunks(2);
        pairs
            .map(|pair| {
                let text = std::str::from_utf8(pair).ok()?;
                let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
                u8::from_str_radix(text, 16).ok().filter(|_| is_hex)
            })
            .collect()
    };
    let first = filled('0')?;
    let mut last = filled('f')?;
    last.resize(LONGEST_SHA, 0xff);
    Some([first, last])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ab", Some(("ab", "abff")))]
    #[case("abc", Some(("abc0", "abcf")))]
    #[case("", Some(("", "ffff")))]
    #[case("xy", None)]
    #[case("+1", None)]
    fn a_prefix_bounds_the_ids_that_begin_with_it(
        #[case] prefix: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let hex = |bytes: &[u8]| -> String {
            bytes
                .iter()
                .take(2)
                .map(|byte| format!("{byte:02x}"))
                .collect()
        };
        let found = bounds(prefix).map(|[first, last]| (hex(&first), hex(&last)));
        let expected = expected.map(|(first, last)| (first.to_owned(), last.to_owned()));
        assert_eq!(found, expected);
    }
}
