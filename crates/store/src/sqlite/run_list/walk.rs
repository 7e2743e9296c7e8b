//! One walk along an index of runs, or several that are merged.

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tappet_model::{RunId, Status};

use super::query::{Column, Query};
use crate::sqlite::content::Db;
use crate::sqlite::value::{RowExt, integer};
use crate::{RunOrder, StoreResult};

/// Order of a list.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) by: RunOrder,
    pub(super) ascending: bool,
}

/// An index of runs whose columns, after the project, are these.
pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    /// With all its columns fixed it gives its rows in order of id.
    pub(super) by_id: bool,
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
pub(super) const NEWEST_RUNS: &str = "PRIMARY KEY";

/// The longer ones first: they leave less to sift.
pub(super) const INDEXES: [Index; 13] = [
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
    // Status by status.
    index(BY_SOURCE, &[Column::Source]),
];

const BY_SOURCE: &str = "runs_by_source_status";

/// How a list is read.
pub(super) struct Walk {
    pub(super) index: &'static str,
    /// One walk for each of these, merged; a single `None` when the status does
    /// not lead.
    pub(super) branches: Vec<Option<Status>>,
    /// The index finds few rows: they can all be looked at.
    pub(super) is_short: bool,
    /// The index is read in its order, and the status, which is part of it, is
    /// compared in each entry.
    pub(super) sifts_status: bool,
}

impl Walk {
    pub(super) fn of(query: &Query, index: &Index, order: RunOrder) -> Self {
        let leads = |status: &Status| Some(*status);
        let branches = if order != RunOrder::Id {
            // What is sorted needs no merging.
            vec![None]
        } else if index.name == BY_SOURCE && query.statuses.is_empty() {
            Status::ALL.iter().map(leads).collect()
        } else if index.columns.contains(&Column::Status) {
            query.statuses.iter().map(leads).collect()
        } else {
            vec![None]
        };
        Self {
            branches,
            ..Self::all(index.name)
        }
    }

    /// In order of status, where bounds on ids hold within each.
    pub(super) fn by_status(query: &Query) -> Self {
        let statuses = match query.statuses.as_slice() {
            [] => &Status::ALL,
            some => some,
        };
        Self {
            branches: statuses.iter().copied().map(Some).collect(),
            ..Self::all("runs_by_status")
        }
    }

    /// In order of ref, for one status, which is the same in all rows and so does not
    /// disturb the order.
    pub(super) fn by_ref_of_status() -> Self {
        Self {
            sifts_status: true,
            ..Self::all("runs_by_ref_status")
        }
    }

    pub(super) fn all(index: &'static str) -> Self {
        Self {
            index,
            branches: vec![None],
            is_short: false,
            sifts_status: false,
        }
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
                // The unary plus hides from SQLite that the order by status is idle.
                let column = if self.sifts_status {
                    "+status"
                } else {
                    "status"
                };
                sql.push_str(&format!(" AND {column} = ?"));
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

    /// How many rows match, counted no further than `limit`. Whether there are so
    /// many shows in a third of the time that counting them takes.
    pub(super) fn count_to(&self, db: &Db<'_>, query: &Query, limit: u64) -> StoreResult<u64> {
        let mut count = 0;
        for branch in &self.branches {
            let (matching, mut values) = self.matching(query, *branch);
            values.push(Value::Integer(integer(limit - count - 1)));
            let is_reached = db
                .conn
                .prepare_cached(&format!("SELECT 1{matching} LIMIT 1 OFFSET ?"))?
                .exists(params_from_iter(values))?;
            if is_reached {
                return Ok(limit);
            }
            count += self.count_branch(db, query, *branch)?;
        }
        Ok(count)
    }

    /// How many rows match.
    pub(super) fn count(&self, db: &Db<'_>, query: &Query) -> StoreResult<u64> {
        let branches = self.branches.iter();
        branches
            .map(|branch| self.count_branch(db, query, *branch))
            .sum()
    }

    fn count_branch(&self, db: &Db<'_>, query: &Query, branch: Option<Status>) -> StoreResult<u64> {
        let (matching, values) = self.matching(query, branch);
        Ok(db
            .conn
            .prepare_cached(&format!("SELECT count(*){matching}"))?
            .query_row(params_from_iter(values), |row| row.count(0))?)
    }

    /// Ids of the rows that match, in order.
    pub(super) fn ids(
        &self,
        db: &Db<'_>,
        query: &Query,
        order: Order,
        (limit, offset): (i64, i64),
    ) -> StoreResult<Vec<RunId>> {
        let (sql, mut values) = self.select(query, order);
        values.push(Value::Integer(limit));
        values.push(Value::Integer(offset));
        let mut statement = db.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| Ok(RunId(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ids in order; the values of limit and offset are left to add. SQLite
    /// merges several branches without sorting.
    pub(super) fn select(&self, query: &Query, order: Order) -> (String, Vec<Value>) {
        let direction = if order.ascending { "ASC" } else { "DESC" };
        let keys = match order.by {
            // The same order; each index holds one of the two.
            RunOrder::Id if self.index == ALL_RUNS => "iid",
            RunOrder::Id => "id",
            RunOrder::Status => "status",
            RunOrder::Ref => "ref_name",
            RunOrder::UpdatedAt => "updated_at",
            RunOrder::UserId => "user_id",
        };
        // What several branches are merged by has to be selected.
        let (columns, order) = match order.by {
            RunOrder::Id => ("id".to_owned(), format!("{keys} {direction}")),
            RunOrder::Ref if self.sifts_status => (
                "id".to_owned(),
                format!("{keys} {direction}, status {direction}, id {direction}"),
            ),
            _ => (
                format!("id, {keys}"),
                format!("{keys} {direction}, id {direction}"),
            ),
        };
        let mut values = Vec::new();
        let selects: Vec<String> = self
            .branches
            .iter()
            .map(|branch| {
                let (matching, more) = self.matching(query, *branch);
                values.extend(more);
                format!("SELECT {columns}{matching}")
            })
            .collect();
        let selects = selects.join(" UNION ALL ");
        (
            format!("{selects} ORDER BY {order} LIMIT ? OFFSET ?"),
            values,
        )
    }
}
