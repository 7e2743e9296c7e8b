//! Lists of runs: which index to walk for which filter and order.
//!
//! Every filter has an index that also gives the order by id, and so has every
//! common pair of filters. When one index covers all that is asked there is
//! nothing to choose. Otherwise the candidates are counted, up to
//! [`COUNT_LIMIT`]: a rare one leads and its rows are sorted; when all are
//! common, the index of the order leads and fitting rows turn up soon.
//!
//! Bounds on times of creation become bounds on ids, because both rise together
//! ([`creation_time`]).

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};
use tappet_model::{CommitSha, ProjectId, RunId, Status, Timestamp};

use super::content::Db;
use super::creation_time;
use super::page;
use super::runs;
use super::statement::statements;
use super::users;
use super::value::{Col, RowExt, integer, list_text, sha_bytes};
use crate::{
    COUNT_LIMIT, Listing, PageRequest, Run, RunFilter, RunOrder, RunScope, StoreError, StoreResult,
};

statements! {
    FIRST_AFTER = "SELECT id, iid FROM runs INDEXED BY runs_by_creation
                   WHERE project_id = ?1 AND created_at > ?2 ORDER BY created_at, id LIMIT 1";
    LAST_BEFORE = "SELECT id, iid FROM runs INDEXED BY runs_by_creation
                   WHERE project_id = ?1 AND created_at < ?2
                   ORDER BY created_at DESC, id DESC LIMIT 1";
    HAS_CHILDREN = "SELECT EXISTS (SELECT 1 FROM runs INDEXED BY runs_by_source_status
                    WHERE project_id = ?1 AND source = 'parent_pipeline')";
}

/// What a condition is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Ref,
    Status,
    Source,
    Sha,
    Name,
    User,
    /// The file was refused.
    Invalid,
    /// The newest runs of refs.
    Newest,
    Updated,
    Schedule,
    /// It only sifts rows that an index found.
    Other,
}

/// An index of runs whose columns, after the project, are these.
struct Index {
    name: &'static str,
    columns: &'static [Column],
    /// With all its columns fixed it gives its rows in order of id.
    by_id: bool,
}

const fn index(name: &'static str, columns: &'static [Column]) -> Index {
    Index {
        name,
        columns,
        by_id: true,
    }
}

/// Holds all runs of a project in order.
const ALL_RUNS: &str = "runs_by_iid";

/// Walks the newest runs of refs, which are found elsewhere.
const NEWEST_RUNS: &str = "PRIMARY KEY";

/// The longer ones first: they leave less to sift.
const INDEXES: [Index; 12] = [
    index("runs_by_ref_status", &[Column::Ref, Column::Status]),
    index("runs_by_source_status", &[Column::Source, Column::Status]),
    index("runs_by_ref_source", &[Column::Ref, Column::Source]),
    index("runs_by_schedule", &[Column::Schedule]),
    index("runs_by_sha", &[Column::Sha]),
    index("runs_by_name", &[Column::Name]),
    index("invalid_runs", &[Column::Invalid]),
    index(NEWEST_RUNS, &[Column::Newest]),
    index("runs_by_ref", &[Column::Ref]),
    index("runs_by_status", &[Column::Status]),
    index("runs_by_user", &[Column::User]),
    Index {
        name: "runs_by_update",
        columns: &[Column::Updated],
        by_id: false,
    },
];

/// All runs of one source, status by status.
const BY_SOURCE: Index = index("runs_by_source_status", &[Column::Source]);

/// One part of a WHERE clause.
struct Condition {
    column: Column,
    /// `?` stands for the next value.
    sql: &'static str,
    values: Vec<Value>,
}

/// Everything a list asks for, apart from its order.
struct Query {
    project: ProjectId,
    conditions: Vec<Condition>,
    /// One of these; empty: any.
    statuses: Vec<Status>,
    bounds: Bounds,
}

/// The first and the last run that can match, both as (id, iid).
#[derive(Clone, Copy, Default)]
struct Bounds {
    first: Option<(i64, i64)>,
    last: Option<(i64, i64)>,
}

/// One page of a project's runs.
pub(super) fn list(
    db: &Db<'_>,
    project: ProjectId,
    filter: &RunFilter,
    request: PageRequest,
) -> StoreResult<Listing<Run>> {
    let Some(query) = Query::of(db, project, filter)? else {
        return Ok(page::listing(Vec::new(), request, Some(0)));
    };
    let order = query.order(filter.order_by);
    let walk = Walk::choose(db, &query, order)?;
    let ids = ids(
        db,
        &query,
        &walk,
        Order {
            by: order,
            ascending: filter.ascending,
        },
        (page::limit(request), page::offset(request)),
    )?;
    let total = match page::seen_total(ids.len(), request) {
        Some(seen) => page::total(seen),
        None => total(db, &query, &walk)?,
    };
    let ids = page::listing(ids, request, total);
    Ok(Listing {
        items: load(db, ids.items)?,
        total: ids.total,
        has_next: ids.has_next,
    })
}

/// The newest runs that match, at most `limit`, without counting the others.
pub(super) fn newest(
    db: &Db<'_>,
    project: ProjectId,
    filter: &RunFilter,
    limit: u32,
) -> StoreResult<Vec<Run>> {
    let Some(query) = Query::of(db, project, filter)? else {
        return Ok(Vec::new());
    };
    let walk = Walk::choose(db, &query, RunOrder::Id)?;
    let order = Order {
        by: RunOrder::Id,
        ascending: false,
    };
    let ids = ids(db, &query, &walk, order, (i64::from(limit), 0))?;
    load(db, ids)
}

fn load(db: &Db<'_>, ids: Vec<RunId>) -> StoreResult<Vec<Run>> {
    ids.into_iter()
        .map(|id| runs::run(db, id)?.ok_or(StoreError::NotFound("run")))
        .collect()
}

impl Query {
    /// `None` when nothing can match.
    fn of(db: &Db<'_>, project: ProjectId, filter: &RunFilter) -> StoreResult<Option<Self>> {
        let Some(statuses) = statuses(filter) else {
            return Ok(None);
        };
        let mut query = Self {
            project,
            conditions: Vec::new(),
            statuses,
            bounds: Bounds::default(),
        };
        let text = |text: &str| Value::Text(text.to_owned());
        if let Some(sha) = &filter.sha {
            let Ok(sha) = sha.parse::<CommitSha>() else {
                return Ok(None);
            };
            query.add(Column::Sha, "sha = ?", [Value::Blob(sha_bytes(&sha))]);
        }
        if let Some(name) = &filter.ref_name {
            query.add(Column::Ref, "ref_name = ?", [text(name)]);
        }
        match filter.source {
            Some(source) => query.add(Column::Source, "source = ?", [text(source.as_str())]),
            None if has_children(db, project)? => {
                query.add(Column::Other, "source <> 'parent_pipeline'", []);
            }
            None => {}
        }
        if let Some(name) = &filter.name {
            query.add(Column::Name, "name = ?", [text(name)]);
        }
        if let Some(username) = &filter.username {
            let Some(user) = users::id_by_name(db, username)? else {
                return Ok(None);
            };
            query.add(Column::User, "user_id = ?", [Value::Integer(user)]);
        }
        match filter.yaml_errors {
            Some(true) => query.add(Column::Invalid, "yaml_errors IS NOT NULL", []),
            Some(false) => query.add(Column::Other, "yaml_errors IS NULL", []),
            None => {}
        }
        if let Some(schedule) = filter.schedule_id {
            let id = Value::Integer(schedule.0);
            query.add(Column::Schedule, "schedule_id = ?", [id]);
        }
        if let Some(kind) = filter.scope.and_then(kind_of_newest) {
            query.add_newest(kind, filter.refs.as_deref());
        }
        query.add_between(
            Column::Updated,
            [
                "updated_at > ?",
                "updated_at < ?",
                "updated_at > ? AND updated_at < ?",
            ],
            filter.updated_after,
            filter.updated_before,
        );
        let can_match = query.bound_creation(db, filter)?;
        Ok(can_match.then_some(query))
    }

    fn add<const N: usize>(&mut self, column: Column, sql: &'static str, values: [Value; N]) {
        self.conditions.push(Condition {
            column,
            sql,
            values: values.into(),
        });
    }

    fn add_newest(&mut self, kind: &'static str, refs: Option<&[String]>) {
        let project = Value::Integer(self.project.0);
        let kind = Value::Text(kind.to_owned());
        match refs {
            None => self.add(
                Column::Newest,
                "id IN (SELECT run_id FROM newest_runs WHERE project_id = ? AND ref_kind = ?)",
                [project, kind],
            ),
            Some(names) => self.add(
                Column::Newest,
                "id IN (SELECT run_id FROM newest_runs WHERE project_id = ? AND ref_kind = ?
                 AND ref_name IN (SELECT value FROM json_each(?)))",
                [project, kind, Value::Text(list_text(names))],
            ),
        }
    }

    /// Both bounds as one condition, because one walk of the index serves both.
    fn add_between(
        &mut self,
        column: Column,
        [after_only, before_only, both]: [&'static str; 3],
        after: Option<Timestamp>,
        before: Option<Timestamp>,
    ) {
        let sql = match (after, before) {
            (None, None) => return,
            (Some(_), None) => after_only,
            (None, Some(_)) => before_only,
            (Some(_), Some(_)) => both,
        };
        let bounds = after.into_iter().chain(before);
        self.conditions.push(Condition {
            column,
            sql,
            values: bounds.map(|time| Value::Integer(time.0)).collect(),
        });
    }

    /// Turns bounds on the time of creation into bounds on ids; `false` when no
    /// run lies inside.
    fn bound_creation(&mut self, db: &Db<'_>, filter: &RunFilter) -> StoreResult<bool> {
        // Nothing is updated before it is created.
        let before = [filter.created_before, filter.updated_before];
        let before = before.into_iter().flatten().min();
        if filter.created_after.is_none() && before.is_none() {
            return Ok(true);
        }
        if creation_time::has_setbacks(db)? {
            self.add_between(
                Column::Other,
                [
                    "created_at > ?",
                    "created_at < ?",
                    "created_at > ? AND created_at < ?",
                ],
                filter.created_after,
                filter.created_before,
            );
            return Ok(true);
        }
        let find = |sql: &str, time: Timestamp| -> StoreResult<Option<(i64, i64)>> {
            Ok(db
                .conn
                .prepare_cached(sql)?
                .query_row((self.project.0, Col(time)), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?)
        };
        let bound = |sql: &str, time: Option<Timestamp>| match time {
            Some(time) => find(sql, time).map(|found| (found, found.is_some())),
            None => Ok((None, true)),
        };
        let (first, has_first) = bound(FIRST_AFTER, filter.created_after)?;
        let (last, has_last) = bound(LAST_BEFORE, before)?;
        self.bounds = Bounds { first, last };
        Ok(has_first && has_last)
    }

    fn has(&self, column: Column) -> bool {
        match column {
            Column::Status => !self.statuses.is_empty(),
            other => self.conditions.iter().any(|one| one.column == other),
        }
    }

    /// How many conditions there are.
    fn len(&self) -> usize {
        self.conditions.len() + usize::from(!self.statuses.is_empty())
    }

    /// An order by a column that is the same in all rows is the order by id.
    fn order(&self, order: RunOrder) -> RunOrder {
        let is_fixed = match order {
            RunOrder::Status => self.statuses.len() == 1,
            RunOrder::Ref => self.has(Column::Ref),
            RunOrder::UserId => self.has(Column::User),
            RunOrder::Id | RunOrder::UpdatedAt => false,
        };
        if is_fixed { RunOrder::Id } else { order }
    }
}

/// The statuses that status and scope leave; empty: any; `None`: there is none.
fn statuses(filter: &RunFilter) -> Option<Vec<Status>> {
    let of_scope: &[Status] = match filter.scope {
        Some(RunScope::Running) => &[Status::Running],
        Some(RunScope::Pending) => &[Status::Pending],
        Some(RunScope::Finished) => &[Status::Success, Status::Failed, Status::Canceled],
        Some(RunScope::Branches | RunScope::Tags) | None => &[],
    };
    match filter.status {
        None => Some(of_scope.to_vec()),
        Some(status) if of_scope.is_empty() || of_scope.contains(&status) => Some(vec![status]),
        Some(_) => None,
    }
}

fn kind_of_newest(scope: RunScope) -> Option<&'static str> {
    match scope {
        RunScope::Branches => Some("branch"),
        RunScope::Tags => Some("tag"),
        RunScope::Running | RunScope::Pending | RunScope::Finished => None,
    }
}

/// Children of other runs are only listed when they are asked for.
fn has_children(db: &Db<'_>, project: ProjectId) -> StoreResult<bool> {
    Ok(db
        .conn
        .prepare_cached(HAS_CHILDREN)?
        .query_row([project.0], |row| row.get(0))?)
}

/// How a list is read.
struct Walk {
    index: &'static str,
    /// One walk for each of these, merged; a single `None` when the status does
    /// not lead.
    branches: Vec<Option<Status>>,
    /// How many rows match, when choosing has shown it; capped.
    count: Option<u64>,
}

impl Walk {
    fn of(query: &Query, index: &Index) -> Self {
        let leads = |status: &Status| Some(*status);
        let branches = if index.name == BY_SOURCE.name && query.statuses.is_empty() {
            Status::ALL.iter().map(leads).collect()
        } else if index.columns.contains(&Column::Status) {
            query.statuses.iter().map(leads).collect()
        } else {
            vec![None]
        };
        Self {
            index: index.name,
            branches,
            count: None,
        }
    }

    fn all(index: &'static str) -> Self {
        Self {
            index,
            branches: vec![None],
            count: None,
        }
    }

    fn choose(db: &Db<'_>, query: &Query, order: RunOrder) -> StoreResult<Self> {
        let candidates: Vec<&Index> = INDEXES
            .iter()
            .chain([&BY_SOURCE])
            .filter(|index| index.columns.iter().all(|column| query.has(*column)))
            .collect();
        let complete = candidates.iter().find(|index| {
            let ordered = match order {
                RunOrder::Id => index.by_id,
                RunOrder::UpdatedAt => index.columns == [Column::Updated],
                _ => false,
            };
            ordered && index.columns.len() == query.len()
        });
        if let Some(index) = complete {
            return Ok(Self::of(query, index));
        }
        let mut rarest: Option<(&Index, u64)> = None;
        for (at, index) in candidates.iter().enumerate() {
            let is_part = |longer: &&Index| {
                let has = |column| longer.columns.contains(column);
                index.columns.iter().all(has)
            };
            if candidates[..at].iter().any(is_part) {
                continue;
            }
            let alone = query.only(index.columns);
            let count = count(db, &alone, &Self::of(&alone, index))?;
            if rarest.is_none_or(|(_, least)| count < least) {
                rarest = Some((index, count));
            }
        }
        let count = |index: &Index, rows| (index.columns.len() == query.len()).then_some(rows);
        Ok(match rarest {
            Some((index, rows))
                if rows <= COUNT_LIMIT || (index.by_id && order == RunOrder::Id) =>
            {
                Self {
                    count: count(index, rows),
                    ..Self::of(query, index)
                }
            }
            other => Self {
                count: other.and_then(|(index, rows)| count(index, rows)),
                ..Self::all(index_of(order))
            },
        })
    }
}

impl Query {
    /// The same with nothing but the conditions on these columns.
    fn only(&self, columns: &[Column]) -> Query {
        let conditions = self.conditions.iter();
        Query {
            project: self.project,
            conditions: conditions
                .filter(|one| columns.contains(&one.column))
                .map(|one| Condition {
                    column: one.column,
                    sql: one.sql,
                    values: one.values.clone(),
                })
                .collect(),
            statuses: if columns.contains(&Column::Status) {
                self.statuses.clone()
            } else {
                Vec::new()
            },
            bounds: self.bounds,
        }
    }

    /// FROM and WHERE of one branch with the values.
    fn matching(&self, index: &str, status: Option<Status>) -> (String, Vec<Value>) {
        let mut values = vec![Value::Integer(self.project.0)];
        let mut sql = if index == NEWEST_RUNS {
            // The unary plus keeps SQLite from walking an index by project instead.
            " FROM runs WHERE +project_id = ?".to_owned()
        } else {
            format!(" FROM runs INDEXED BY {index} WHERE project_id = ?")
        };
        for condition in &self.conditions {
            sql.push_str(" AND ");
            sql.push_str(condition.sql);
            values.extend(condition.values.iter().cloned());
        }
        let word = |status: Status| Value::Text(status.as_str().to_owned());
        match (status, self.statuses.as_slice()) {
            (Some(status), _) | (None, &[status]) => {
                sql.push_str(" AND status = ?");
                values.push(word(status));
            }
            (None, []) => {}
            (None, statuses) => {
                let places = vec!["?"; statuses.len()].join(", ");
                sql.push_str(&format!(" AND status IN ({places})"));
                values.extend(statuses.iter().copied().map(word));
            }
        }
        let by_iid = index == ALL_RUNS;
        let column = if by_iid { "iid" } else { "id" };
        for (bound, (id, iid)) in [(">=", self.bounds.first), ("<=", self.bounds.last)]
            .into_iter()
            .filter_map(|(sign, run)| Some((sign, run?)))
        {
            sql.push_str(&format!(" AND {column} {bound} ?"));
            values.push(Value::Integer(if by_iid { iid } else { id }));
        }
        (sql, values)
    }
}

/// The index that gives an order.
fn index_of(order: RunOrder) -> &'static str {
    match order {
        RunOrder::Id => ALL_RUNS,
        RunOrder::Status => "runs_by_status",
        RunOrder::Ref => "runs_by_ref",
        RunOrder::UpdatedAt => "runs_by_update",
        RunOrder::UserId => "runs_by_user",
    }
}

/// How many rows there are in all.
fn total(db: &Db<'_>, query: &Query, walk: &Walk) -> StoreResult<Option<u64>> {
    if let Some(count) = walk.count {
        return Ok(page::total(count));
    }
    // Few files are refused: the others are counted by counting those.
    if let [only] = query.conditions.as_slice()
        && only.sql == "yaml_errors IS NULL"
        && query.statuses.is_empty()
    {
        let mut all = query.only(&[]);
        let every = count_to(db, &all, &Walk::all(ALL_RUNS), 2 * COUNT_LIMIT + 2)?;
        all.add(Column::Invalid, "yaml_errors IS NOT NULL", []);
        let refused = count(db, &all, &Walk::all("invalid_runs"))?;
        if refused <= COUNT_LIMIT {
            return Ok(page::total(every - refused));
        }
    }
    Ok(page::total(count(db, query, walk)?))
}

/// How many rows match, counted no further than one behind [`COUNT_LIMIT`].
fn count(db: &Db<'_>, query: &Query, walk: &Walk) -> StoreResult<u64> {
    count_to(db, query, walk, COUNT_LIMIT + 1)
}

fn count_to(db: &Db<'_>, query: &Query, walk: &Walk, limit: u64) -> StoreResult<u64> {
    let mut count = 0;
    for branch in &walk.branches {
        let (matching, mut values) = query.matching(walk.index, *branch);
        values.push(Value::Integer(integer(limit - count)));
        let sql = format!("SELECT count(*) FROM (SELECT 1{matching} LIMIT ?)");
        let rows: u64 = db
            .conn
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| row.count(0))?;
        count += rows;
        if count >= limit {
            break;
        }
    }
    Ok(count)
}

/// Order of a list.
#[derive(Clone, Copy)]
struct Order {
    by: RunOrder,
    ascending: bool,
}

fn ids(
    db: &Db<'_>,
    query: &Query,
    walk: &Walk,
    order: Order,
    (limit, offset): (i64, i64),
) -> StoreResult<Vec<RunId>> {
    let (sql, mut values) = select_ids(query, walk, order);
    values.push(Value::Integer(limit));
    values.push(Value::Integer(offset));
    let mut statement = db.conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| Ok(RunId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ids in order; the values of limit and offset are left to add. SQLite merges
/// several branches without sorting.
fn select_ids(query: &Query, walk: &Walk, order: Order) -> (String, Vec<Value>) {
    let direction = if order.ascending { "ASC" } else { "DESC" };
    let keys = match order.by {
        // The same order; each index holds one of the two.
        RunOrder::Id if walk.index == ALL_RUNS => "iid",
        RunOrder::Id => "id",
        RunOrder::Status => "status",
        RunOrder::Ref => "ref_name",
        RunOrder::UpdatedAt => "updated_at",
        RunOrder::UserId => "user_id",
    };
    let order = match order.by {
        RunOrder::Id => format!("{keys} {direction}"),
        _ => format!("{keys} {direction}, id {direction}"),
    };
    let mut values = Vec::new();
    let selects: Vec<String> = walk
        .branches
        .iter()
        .map(|branch| {
            let (matching, more) = query.matching(walk.index, *branch);
            values.extend(more);
            format!("SELECT id{matching}")
        })
        .collect();
    let selects = selects.join(" UNION ALL ");
    (
        format!("{selects} ORDER BY {order} LIMIT ? OFFSET ?"),
        values,
    )
}

#[cfg(test)]
mod tests;
