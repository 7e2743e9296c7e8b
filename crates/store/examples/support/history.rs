//! A long history in little time: a sample of runs made by the store's verbs,
//! and copies of all its rows with later ids, times and commits.
//!
//! The copies are written without a journal and without indexes, which are made
//! again at the end: a crash leaves a damaged database.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;
use tappet_model::{ProjectId, Timestamp, UserId};
use tappet_store::{SqliteOptions, SqliteStore, Store};

use crate::runs::{Failure, now};
use crate::sample::{SPACING, Sample};

/// Every table that a run leaves rows in.
const TABLES: [&str; 6] = [
    "runs",
    "pull_request_runs",
    "workflows",
    "attempts",
    "events",
    "audit_entries",
];

/// Gives the only project of a database without runs so many, of which the
/// first `sample` are the pattern of all others. The newest is
/// an hour old.
pub async fn fill(database: &Path, runs: i64, sample: i64) -> Result<(), Failure> {
    let begun = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} s  {what}", begun.elapsed().as_secs_f64());
    let sample = sample.min(runs);
    let store = SqliteStore::open(database, SqliteOptions::default())?;
    // The last ones end some minutes after their creation.
    let start = Timestamp(now().0 - (runs + 60) * SPACING);
    let of = Sample::of(&store, (ProjectId(1), UserId(1)), start).await?;
    of.make(1..=sample).await?;
    store.close().await?;
    drop(store);
    say(&format!("{sample} runs made"));

    let conn = Connection::open(database)?;
    conn.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -400000;",
    )?;
    let indexes = drop_indexes(&conn)?;
    let copies = Copies::of(&conn, runs, sample)?;
    conn.execute_batch("BEGIN")?;
    for table in TABLES {
        copies.write(table)?;
        say(&format!("{table} copied"));
    }
    conn.execute_batch("COMMIT")?;
    for (name, sql) in indexes {
        conn.execute_batch(&sql)?;
        say(&format!("{name} made"));
    }
    conn.execute_batch(
        "INSERT OR REPLACE INTO newest_runs (project_id, ref_kind, ref_name, run_id)
         SELECT project_id, ref_kind, ref_name, max(id) FROM runs GROUP BY 1, 2, 3;
         UPDATE run_counters SET last_iid = (SELECT max(iid) FROM runs);
         UPDATE triggers SET last_used_at =
         (SELECT max(created_at) FROM runs WHERE trigger_id = triggers.id);
         PRAGMA journal_mode = WAL;",
    )?;
    say(&format!("{runs} runs stored"));
    Ok(())
}

/// Name and definition of each index that was there.
fn drop_indexes(conn: &Connection) -> Result<Vec<(String, String)>, Failure> {
    let mut find = conn.prepare(
        "SELECT name, sql FROM sqlite_schema
         WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL ORDER BY rowid",
    )?;
    let mut indexes: Vec<(String, String)> = Vec::new();
    for table in TABLES {
        for index in find.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))? {
            indexes.push(index?);
        }
    }
    drop(find);
    for (name, _) in &indexes {
        conn.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(indexes)
}

/// Copies 1, 2, 3 … of the sample. All ids of a table go on by the same number
/// from one copy to the next.
struct Copies<'a> {
    conn: &'a Connection,
    count: i64,
    /// The last run that is wanted.
    last: i64,
    sample: i64,
    attempts: i64,
}

impl<'a> Copies<'a> {
    fn of(conn: &'a Connection, runs: i64, sample: i64) -> Result<Self, Failure> {
        for table in TABLES {
            conn.execute_batch(&format!(
                "CREATE TEMP TABLE sample_{table} AS SELECT * FROM main.{table}"
            ))?;
        }
        Ok(Self {
            conn,
            count: (runs - 1) / sample,
            last: runs,
            sample,
            attempts: last_id(conn, "attempts")?,
        })
    }

    fn write(&self, table: &str) -> Result<(), Failure> {
        let Self {
            sample, attempts, ..
        } = self;
        let time = sample * SPACING;
        let run = format!("s.run_id + n * {sample}");
        let times = |columns: &[&'static str]| {
            let later = |name: &&'static str| (*name, format!("s.{name} + n * {time}"));
            columns.iter().map(later).collect::<Vec<_>>()
        };
        let run_times = times(&["created_at", "updated_at", "started_at", "finished_at"]);
        match table {
            "runs" => {
                let id = format!("s.id + n * {sample}");
                let mut changed = run_times;
                changed.push(("sha", format!("unhex(printf('%040x', ({id}) / 2))")));
                changed.push(("iid", id.clone()));
                changed.push((
                    "ref_name",
                    format!(
                        "CASE WHEN s.ref_name IN ('v' || s.id, 'topic/' || s.id)
                         THEN replace(s.ref_name, s.id, {id}) ELSE s.ref_name END"
                    ),
                ));
                self.insert(table, &id, "", changed)
            }
            "pull_request_runs" => {
                let head = format!("printf('%040x', ({run}) / 2)");
                let changed = vec![("run_id", run.clone()), ("head_sha", head)];
                self.insert_as_it_is(table, &run, "", changed)
            }
            "workflows" => self.insert(table, &run, "", vec![("run_id", run.clone())]),
            "attempts" => {
                let mut changed = times(&["created_at", "queued_at", "started_at", "finished_at"]);
                changed.push(("run_id", run.clone()));
                changed.push(("job_id", format!("s.job_id + n * {attempts}")));
                self.insert(table, &run, "", changed)
            }
            "audit_entries" => {
                let run = format!("json_extract(s.details, '$.run_id') + n * {sample}");
                let mut changed = times(&["created_at"]);
                let details = "json_set(s.details, '$.run_id', r.id, '$.ref', r.ref_name)";
                changed.push(("details", details.to_owned()));
                let join = format!(" JOIN main.runs r ON r.id = {run}");
                self.insert(table, &run, &join, changed)
            }
            _ => self.write_events(),
        }
    }

    /// The rows of a table with an id of their own.
    fn insert(
        &self,
        table: &str,
        run: &str,
        join: &str,
        mut changed: Vec<(&'static str, String)>,
    ) -> Result<(), Failure> {
        let span = last_id(self.conn, table)?;
        changed.push(("id", format!("s.id + n * {span}")));
        self.insert_as_it_is(table, run, join, changed)
    }

    /// One statement for all copies; `run` is the run that a row belongs to.
    fn insert_as_it_is(
        &self,
        table: &str,
        run: &str,
        join: &str,
        changed: Vec<(&'static str, String)>,
    ) -> Result<(), Failure> {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        let mut find = self
            .conn
            .prepare("SELECT name FROM pragma_table_info(?1)")?;
        for name in find.query_map([table], |row| row.get::<_, String>(0))? {
            let name = name?;
            let value = changed.iter().find(|(column, _)| *column == name);
            values.push(value.map_or_else(|| format!("s.{name}"), |(_, sql)| sql.clone()));
            columns.push(name);
        }
        self.conn.execute_batch(&format!(
            "WITH RECURSIVE copies (n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < {count})
             INSERT INTO main.{table} ({columns})
             SELECT {values} FROM copies CROSS JOIN temp.sample_{table} s{join}
             WHERE {count} > 0 AND {run} <= {last}",
            count = self.count,
            last = self.last,
            columns = columns.join(", "),
            values = values.join(", "),
        ))?;
        Ok(())
    }

    /// Events name attempts inside a text, which would take SQL long to write.
    fn write_events(&self) -> Result<(), Failure> {
        let span = last_id(self.conn, "events")?;
        let mut find = self
            .conn
            .prepare("SELECT id, run_id, created_at, changes FROM temp.sample_events")?;
        let rows = find.query_map([], |row| {
            let fixed: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok((fixed, row.get::<_, String>(3)?))
        })?;
        let mut events: Vec<([i64; 3], Vec<i64>)> = Vec::new();
        for row in rows {
            let (fixed, changes) = row?;
            events.push((fixed, serde_json::from_str(&changes)?));
        }
        let mut add = self.conn.prepare(
            "INSERT INTO main.events (id, run_id, created_at, changes) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut text = String::new();
        for n in 1..=self.count {
            for ([id, run, time], changes) in &events {
                let run = run + n * self.sample;
                if run > self.last {
                    continue;
                }
                text.clear();
                for pair in changes.chunks(2) {
                    let sign = if text.is_empty() { '[' } else { ',' };
                    // 0 is the run itself.
                    let subject = match pair[0] {
                        0 => 0,
                        attempt => attempt + n * self.attempts,
                    };
                    write!(text, "{sign}{subject},{}", pair[1])?;
                }
                text.push(']');
                let time = time + n * self.sample * SPACING;
                add.execute((id + n * span, run, time, &text))?;
            }
        }
        Ok(())
    }
}

fn last_id(conn: &Connection, table: &str) -> Result<i64, Failure> {
    let sql = format!("SELECT coalesce(max(id), 0) FROM temp.sample_{table}");
    Ok(conn.query_row(&sql, [], |row| row.get(0))?)
}
