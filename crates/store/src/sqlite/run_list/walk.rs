//! Which index a list of runs walks.
//!
//! Every filter has an index that also gives the order by id, and so has every
//! common pair of filters. When one index covers all that is asked there is
//! nothing to choose. Otherwise the candidates are counted, up to
//! [`COUNT_LIMIT`]: a rare one leads and its rows are sorted; when all are
//! common, the index of the order leads and fitting rows turn up soon.

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tappet_model::Status;

use super::query::{Column, Query};
use crate::sqlite::content::Db;
use crate::sqlite::value::{RowExt, integer};
use crate::{COUNT_LIMIT, RunOrder, StoreResult};

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
pub(super) const ALL_RUNS: &str = "runs_by_iid";

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

/// How a list is read.
pub(super) struct Walk {
    pub(super) index: &'static str,
    /// One walk for each of these, merged; a single `None` when the status does
    /// not lead.
    pub(super) branches: Vec<Option<Status>>,
    /// How many rows match, when choosing has shown it; capped.
    pub(super) known_count: Option<u64>,
}

impl Walk {
    fn of(query: &Query, index: &Index, order: RunOrder) -> Self {
        let leads = |status: &Status| Some(*status);
        let branches = if order != RunOrder::Id {
            // What is sorted needs no merging.
            vec![None]
        } else if index.name == BY_SOURCE.name && query.statuses.is_empty() {
            Status::ALL.iter().map(leads).collect()
        } else if index.columns.contains(&Column::Status) {
            query.statuses.iter().map(leads).collect()
        } else {
            vec![None]
        };
        Self {
            index: index.name,
            branches,
            known_count: None,
        }
    }

    pub(super) fn all(index: &'static str) -> Self {
        Self {
            index,
            branches: vec![None],
            known_count: None,
        }
    }

    pub(super) fn choose(db: &Db<'_>, query: &Query, order: RunOrder) -> StoreResult<Self> {
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
            return Ok(Self::of(query, index, order));
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
            let count = Self::of(&alone, index, order).count(db, &alone)?;
            if rarest.is_none_or(|(_, least)| count < least) {
                rarest = Some((index, count));
            }
        }
        let known = |index: &Index, rows| (index.columns.len() == query.len()).then_some(rows);
        Ok(match rarest {
            Some((index, rows))
                if rows <= COUNT_LIMIT || (index.by_id && order == RunOrder::Id) =>
            {
                Self {
                    known_count: known(index, rows),
                    ..Self::of(query, index, order)
                }
            }
            other => Self {
                known_count: other.and_then(|(index, rows)| known(index, rows)),
                ..Self::all(index_of(order))
            },
        })
    }

    /// FROM and WHERE of one branch with the values.
    pub(super) fn matching(&self, query: &Query, branch: Option<Status>) -> (String, Vec<Value>) {
        let index = self.index;
        let mut values = vec![Value::Integer(query.project.0)];
        let mut sql = if index == NEWEST_RUNS {
            // The unary plus keeps SQLite from walking an index by project instead.
            " FROM runs WHERE +project_id = ?".to_owned()
        } else {
            format!(" FROM runs INDEXED BY {index} WHERE project_id = ?")
        };
        for condition in &query.conditions {
            sql.push_str(" AND ");
            sql.push_str(condition.sql);
            values.extend(condition.values.iter().cloned());
        }
        let word = |status: Status| Value::Text(status.as_str().to_owned());
        match (branch, query.statuses.as_slice()) {
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
        for (bound, place) in [(">=", query.bounds.first), ("<=", query.bounds.last)]
            .into_iter()
            .filter_map(|(sign, run)| Some((sign, run?)))
        {
            sql.push_str(&format!(" AND {column} {bound} ?"));
            values.push(Value::Integer(if by_iid { place.iid } else { place.id }));
        }
        (sql, values)
    }

    /// How many rows match, counted no further than one behind [`COUNT_LIMIT`].
    pub(super) fn count(&self, db: &Db<'_>, query: &Query) -> StoreResult<u64> {
        self.count_to(db, query, COUNT_LIMIT + 1)
    }

    /// How many rows match, counted no further than `limit`.
    pub(super) fn count_to(&self, db: &Db<'_>, query: &Query, limit: u64) -> StoreResult<u64> {
        let mut count = 0;
        for branch in &self.branches {
            let (matching, mut values) = self.matching(query, *branch);
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
