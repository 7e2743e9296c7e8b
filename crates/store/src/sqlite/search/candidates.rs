//! Runs that may match a search, the newest first.
//!
//! Every part of what is asked for, such as one status in one project, is a stream
//! along an index that gives its runs in order; the streams are merged. When there
//! are very many streams, the newest runs are looked at before any is opened,
//! because those mostly suffice then.

use std::collections::BinaryHeap;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};
use tappet_model::Status;

use super::Wanted;
use crate::StoreResult;
use crate::sqlite::content::Db;
use crate::sqlite::filter::anywhere;
use crate::sqlite::statement::statements;
use crate::sqlite::value::RowExt;

statements! {
    OF_STATUS = "SELECT id, id FROM runs INDEXED BY runs_by_status
                 WHERE project_id = ?1 AND status = ?2 AND id < ?3 ORDER BY id DESC LIMIT 1";
    OF_SOURCE = "SELECT id, id FROM runs INDEXED BY runs_by_source_status
                 WHERE project_id = ?1 AND source = ?2 AND status = ?3 AND id < ?4
                 ORDER BY id DESC LIMIT 1";
    OF_WORKFLOW_STATUS = "SELECT run_id, id FROM workflows INDEXED BY workflows_by_status
                          WHERE status = ?1 AND id < ?2 ORDER BY id DESC LIMIT 1";
    OF_PIPELINE_NAME = "SELECT id, id FROM runs INDEXED BY runs_by_name
                        WHERE project_id = ?1 AND name = ?2 AND id < ?3
                        ORDER BY id DESC LIMIT 1";
    OF_NAME = "SELECT run_id, id FROM workflows INDEXED BY workflows_by_name
               WHERE name = ?1 AND id < ?2 ORDER BY id DESC LIMIT 1";
    PIPELINE_NAMES = "SELECT DISTINCT name FROM runs INDEXED BY runs_by_name
                      WHERE project_id = ?1 AND name IS NOT NULL AND name LIKE ?2 ESCAPE '\\'";
    NAMES = "WITH RECURSIVE found (name) AS (
               SELECT min(name) FROM workflows WHERE name IS NOT NULL
               UNION ALL
               SELECT (SELECT min(name) FROM workflows WHERE name > found.name)
               FROM found WHERE found.name IS NOT NULL)
             SELECT name FROM found WHERE name LIKE ?1 ESCAPE '\\'";
    OF_SHA = "SELECT id FROM runs INDEXED BY runs_by_sha
              WHERE project_id = ?1 AND sha BETWEEN ?2 AND ?3 AND id < ?4";
    NEWEST = "SELECT id, project_id, status, source FROM runs
              WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
}

/// Opening more streams takes longer than looking at [`FIRST_LOOK`] runs.
const MANY_STREAMS: usize = 1000;

/// So many of the newest runs are looked at before many streams are opened.
const FIRST_LOOK: u32 = 2000;

/// Prefixes of so many digits are looked for in the index of commits; shorter ones
/// fit so many runs that the newest of them lie close together.
const LONG_PREFIX: usize = 4;

/// Commits that begin with the same digits.
pub(super) struct ShaRange {
    first: Vec<u8>,
    last: Vec<u8>,
    digits: usize,
}

impl ShaRange {
    /// `None` when the prefix is none of a commit.
    pub fn of(prefix: &str) -> Option<Self> {
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if prefix.len() > 40 || !prefix.bytes().all(is_digit) {
            return None;
        }
        let padded = |with: char| {
            let digits: String = prefix
                .chars()
                .chain(std::iter::repeat(with))
                .take(40)
                .collect();
            let bytes = (0..20).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16));
            bytes.collect::<Result<Vec<u8>, _>>().ok()
        };
        Some(Self {
            first: padded('0')?,
            last: padded('f')?,
            digits: prefix.len(),
        })
    }

    /// Whether a commit, as stored, begins so.
    pub fn holds(&self, sha: &[u8]) -> bool {
        *self.first <= *sha && *sha <= *self.last
    }
}

/// Runs along an index, from the newest to the oldest.
struct Stream {
    /// Gives the next run and the value from which the one after it is looked for.
    sql: &'static str,
    /// The parameters before that value.
    values: Vec<Value>,
}

impl Stream {
    fn after(&self, db: &Db<'_>, cursor: i64) -> StoreResult<Option<(i64, i64)>> {
        let values = self.values.iter().cloned();
        let values = values.chain([Value::Integer(cursor)]);
        Ok(db
            .conn
            .prepare_cached(self.sql)?
            .query_row(params_from_iter(values), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?)
    }
}

/// Runs that may match, the newest first, each once.
pub(super) struct Candidates {
    /// Known already, the newest at the end.
    first: Vec<i64>,
    /// What comes after them.
    streams: Vec<Stream>,
    /// Where the streams begin, before they are opened.
    begin: Option<i64>,
    /// The next run of each stream, its cursor and its number.
    heads: BinaryHeap<(i64, i64, usize)>,
    last: Option<i64>,
}

impl Candidates {
    /// By project, status, source and commit.
    pub fn of(db: &Db<'_>, wanted: &Wanted, before: i64) -> StoreResult<Self> {
        if let Some(range) = wanted.sha.as_ref().filter(|sha| sha.digits >= LONG_PREFIX) {
            return Ok(Self::new(of_sha(db, wanted, range, before)?, Vec::new(), 0));
        }
        let streams = streams_of(wanted);
        if streams.len() <= MANY_STREAMS {
            return Ok(Self::new(Vec::new(), streams, before));
        }
        let (first, reached) = newest(db, wanted, before)?;
        let streams = if reached.is_some() {
            streams
        } else {
            Vec::new()
        };
        Ok(Self::new(first, streams, reached.unwrap_or_default()))
    }

    /// By project, source and commit of the run and status of the workflow, which is
    /// that of the run or its own.
    pub fn of_workflows(db: &Db<'_>, wanted: &Wanted) -> StoreResult<Self> {
        let leads_by_sha = |sha: &ShaRange| sha.digits >= LONG_PREFIX;
        if wanted.statuses.is_empty() || wanted.sha.as_ref().is_some_and(leads_by_sha) {
            return Self::of(db, wanted, i64::MAX);
        }
        let mut streams = streams_of(wanted);
        streams.extend(wanted.statuses.iter().map(|status| Stream {
            sql: OF_WORKFLOW_STATUS,
            values: vec![Value::Text(status.as_str().to_owned())],
        }));
        Ok(Self::new(Vec::new(), streams, i64::MAX))
    }

    /// By part of the name of a workflow, in lower case.
    pub fn of_name(db: &Db<'_>, wanted: &Wanted, name: &str) -> StoreResult<Self> {
        let pattern = anywhere(name);
        let mut streams = Vec::new();
        for name in names(db, NAMES, [&pattern])? {
            streams.push(Stream {
                sql: OF_NAME,
                values: vec![Value::Text(name)],
            });
        }
        for &project in &wanted.projects {
            for name in names(db, PIPELINE_NAMES, (project, &pattern))? {
                streams.push(Stream {
                    sql: OF_PIPELINE_NAME,
                    values: vec![Value::Integer(project), Value::Text(name)],
                });
            }
        }
        Ok(Self::new(Vec::new(), streams, i64::MAX))
    }

    fn new(first: Vec<i64>, streams: Vec<Stream>, begin: i64) -> Self {
        Self {
            first,
            streams,
            begin: Some(begin),
            heads: BinaryHeap::new(),
            last: None,
        }
    }

    /// The next one.
    pub fn next(&mut self, db: &Db<'_>) -> StoreResult<Option<i64>> {
        if let Some(run) = self.first.pop() {
            return Ok(Some(run));
        }
        if let Some(begin) = self.begin.take() {
            for number in 0..self.streams.len() {
                self.advance(db, number, begin)?;
            }
        }
        while let Some((run, cursor, number)) = self.heads.pop() {
            self.advance(db, number, cursor)?;
            if self.last.replace(run) != Some(run) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    fn advance(&mut self, db: &Db<'_>, number: usize, cursor: i64) -> StoreResult<()> {
        if let Some((run, cursor)) = self.streams[number].after(db, cursor)? {
            self.heads.push((run, cursor, number));
        }
        Ok(())
    }
}

fn streams_of(wanted: &Wanted) -> Vec<Stream> {
    let statuses: &[Status] = match wanted.statuses.as_slice() {
        [] => &Status::ALL,
        statuses => statuses,
    };
    let word = |word: &str| Value::Text(word.to_owned());
    let mut streams = Vec::new();
    for &project in &wanted.projects {
        for status in statuses {
            let project = Value::Integer(project);
            if wanted.sources.is_empty() {
                streams.push(Stream {
                    sql: OF_STATUS,
                    values: vec![project.clone(), word(status.as_str())],
                });
            }
            for source in &wanted.sources {
                let source = word(source.as_str());
                streams.push(Stream {
                    sql: OF_SOURCE,
                    values: vec![project.clone(), source, word(status.as_str())],
                });
            }
        }
    }
    streams
}

/// All runs of these commits, the newest at the end.
fn of_sha(db: &Db<'_>, wanted: &Wanted, range: &ShaRange, before: i64) -> StoreResult<Vec<i64>> {
    let mut found: Vec<i64> = Vec::new();
    let mut statement = db.conn.prepare_cached(OF_SHA)?;
    for project in &wanted.projects {
        let rows = statement.query_map((project, &range.first, &range.last, before), |row| {
            row.get(0)
        })?;
        for run in rows {
            found.push(run?);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Those of the newest runs that fit, the newest at the end, and how far the look
/// went; `None`: to the end.
fn newest(db: &Db<'_>, wanted: &Wanted, before: i64) -> StoreResult<(Vec<i64>, Option<i64>)> {
    let mut statement = db.conn.prepare_cached(NEWEST)?;
    let mut rows = statement.query((before, FIRST_LOOK))?;
    let mut found = Vec::new();
    let (mut seen, mut reached) = (0, before);
    while let Some(row) = rows.next()? {
        seen += 1;
        reached = row.get(0)?;
        if wanted.fit(row.get(1)?, row.col(2)?, row.col(3)?) {
            found.push(reached);
        }
    }
    found.reverse();
    Ok((found, (seen == FIRST_LOOK).then_some(reached)))
}

fn names(db: &Db<'_>, sql: &str, parameters: impl rusqlite::Params) -> StoreResult<Vec<String>> {
    let mut statement = db.conn.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sqlite::connection;

    #[rstest]
    #[case::even("ab", 0xab, 0x00, true)]
    #[case::odd("abc", 0xab, 0xc7, true)]
    #[case::odd_beyond("abc", 0xab, 0xd0, false)]
    #[case::other("ab", 0xac, 0x00, false)]
    #[case::nothing("", 0xff, 0xff, true)]
    fn a_prefix_holds_the_commits_that_begin_so(
        #[case] prefix: &str,
        #[case] first: u8,
        #[case] second: u8,
        #[case] expected: bool,
    ) {
        let mut sha = vec![0x55; 20];
        (sha[0], sha[1]) = (first, second);
        let range = ShaRange::of(prefix).unwrap();
        assert_eq!(range.holds(&sha), expected);
    }

    #[rstest]
    #[case::upper_case("AB")]
    #[case::no_digit("xyz")]
    #[case::not_ascii("ä")]
    fn what_is_no_prefix_finds_nothing(#[case] prefix: &str) {
        assert!(ShaRange::of(prefix).is_none());
        assert!(ShaRange::of(&"a".repeat(41)).is_none());
    }

    #[test]
    fn every_statement_prepares() {
        let directory = tempfile::tempdir().unwrap();
        let database = connection::open_writer(&directory.path().join("tappet.db")).unwrap();
        for (name, sql) in ALL {
            let prepared = database.conn.prepare(sql);
            assert!(prepared.is_ok(), "{name}: {prepared:?}");
        }
    }

    #[rstest]
    #[case(OF_STATUS)]
    #[case(OF_SOURCE)]
    #[case(OF_WORKFLOW_STATUS)]
    #[case(OF_PIPELINE_NAME)]
    #[case(OF_NAME)]
    fn a_stream_finds_its_next_run_without_sorting(#[case] sql: &str) {
        let directory = tempfile::tempdir().unwrap();
        let database = connection::open_writer(&directory.path().join("tappet.db")).unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = database.conn.prepare(&explain).unwrap();
        let steps: Vec<String> = statement
            .query_map(
                params_from_iter(vec![0; statement.parameter_count()]),
                |row| row.get("detail"),
            )
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let [step] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        assert!(step.contains("rowid<?"), "{step}");
    }
}
