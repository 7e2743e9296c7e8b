//! Lists of runs: which index to walk for which filter and order.
//!
//! Every filter has an index that also gives the order by id. With one filter
//! and that order there is nothing to choose. Otherwise the filters are counted
//! through their indexes, up to [`COUNT_LIMIT`]: a rare one leads and its rows
//! are sorted; when all are common, the index of the order leads and fitting
//! rows turn up soon.

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tappet_model::{CommitSha, ProjectId, RunId, Timestamp};

use super::content::Db;
use super::page;
use super::runs;
use super::users;
use super::value::{RowExt, integer, sha_bytes};
use crate::{
    COUNT_LIMIT, Listing, PageRequest, Run, RunFilter, RunOrder, RunScope, StoreError, StoreResult,
};

/// The index that holds all runs of a project in order.
const ALL_RUNS: &str = "runs_by_iid";

/// One part of a WHERE clause with the index that serves it.
struct Condition {
    /// `?` stands for the next value.
    sql: &'static str,
    values: Vec<Value>,
    /// `None`: it only sifts rows that another index found.
    index: Option<&'static str>,
    /// The index gives its rows in order of id.
    by_id: bool,
}

impl Condition {
    fn exact(sql: &'static str, value: Value, index: &'static str) -> Self {
        Self {
            sql,
            values: vec![value],
            index: Some(index),
            by_id: true,
        }
    }
}

/// One page of a project's runs.
pub(super) fn list(
    db: &Db<'_>,
    project: ProjectId,
    filter: &RunFilter,
    request: PageRequest,
) -> StoreResult<Listing<Run>> {
    let Some(conditions) = conditions(db, project, filter)? else {
        return Ok(page::listing(Vec::new(), request, Some(0)));
    };
    let walk = Walk::choose(db, project, &conditions, filter.order_by)?;
    let count = match walk.count {
        Some(count) => count,
        None => count(
            db,
            project,
            &conditions.iter().collect::<Vec<_>>(),
            walk.index,
        )?,
    };
    let ids = ids(db, project, &conditions, &walk, filter, request)?;
    let ids = page::listing(ids, request, page::total(count));
    let items = ids
        .items
        .into_iter()
        .map(|id| runs::run(db, id)?.ok_or(StoreError::NotFound("run")))
        .collect::<StoreResult<_>>()?;
    Ok(Listing {
        items,
        total: ids.total,
        has_next: ids.has_next,
    })
}

/// What the filter asks for; `None` when nothing can match.
fn conditions(
    db: &Db<'_>,
    project: ProjectId,
    filter: &RunFilter,
) -> StoreResult<Option<Vec<Condition>>> {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut list = Vec::new();
    if let Some(sha) = &filter.sha {
        let Ok(sha) = sha.parse::<CommitSha>() else {
            return Ok(None);
        };
        let bytes = Value::Blob(sha_bytes(&sha));
        list.push(Condition::exact("sha = ?", bytes, "runs_by_sha"));
    }
    if let Some(status) = filter.status {
        let word = text(status.as_str());
        list.push(Condition::exact("status = ?", word, "runs_by_status"));
    }
    if let Some(name) = &filter.ref_name {
        list.push(Condition::exact("ref_name = ?", text(name), "runs_by_ref"));
    }
    if let Some(source) = filter.source {
        let word = text(source.as_str());
        list.push(Condition::exact("source = ?", word, "runs_by_source"));
    }
    if let Some(name) = &filter.name {
        list.push(Condition::exact("name = ?", text(name), "runs_by_name"));
    }
    if let Some(username) = &filter.username {
        let Some(user) = users::id_by_name(db, username)? else {
            return Ok(None);
        };
        let user = Value::Integer(user);
        list.push(Condition::exact("user_id = ?", user, "runs_by_user"));
    }
    if let Some(invalid) = filter.yaml_errors {
        list.push(Condition {
            sql: if invalid {
                "yaml_errors IS NOT NULL"
            } else {
                "yaml_errors IS NULL"
            },
            values: Vec::new(),
            index: invalid.then_some("invalid_runs"),
            by_id: true,
        });
    }
    if let Some(scope) = filter.scope {
        list.push(in_scope(project, scope));
    }
    list.extend(between(
        [
            "updated_at > ?",
            "updated_at < ?",
            "updated_at > ? AND updated_at < ?",
        ],
        filter.updated_after,
        filter.updated_before,
        "runs_by_update",
    ));
    list.extend(between(
        [
            "created_at > ?",
            "created_at < ?",
            "created_at > ? AND created_at < ?",
        ],
        filter.created_after,
        filter.created_before,
        "runs_by_creation",
    ));
    Ok(Some(list))
}

/// Both bounds as one condition, because one walk of the index serves both.
fn between(
    [after_only, before_only, both]: [&'static str; 3],
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    index: &'static str,
) -> Option<Condition> {
    let sql = match (after, before) {
        (None, None) => return None,
        (Some(_), None) => after_only,
        (None, Some(_)) => before_only,
        (Some(_), Some(_)) => both,
    };
    let bounds = after.into_iter().chain(before);
    Some(Condition {
        sql,
        values: bounds.map(|time| Value::Integer(time.0)).collect(),
        index: Some(index),
        by_id: false,
    })
}

fn in_scope(project: ProjectId, scope: RunScope) -> Condition {
    let newest = |kind: &str| Condition {
        sql: "id IN (SELECT run_id FROM newest_runs WHERE project_id = ? AND ref_kind = ?)",
        values: vec![Value::Integer(project.0), Value::Text(kind.to_owned())],
        index: Some("PRIMARY KEY"),
        by_id: true,
    };
    let status =
        |word: &str| Condition::exact("status = ?", Value::Text(word.to_owned()), "runs_by_status");
    match scope {
        RunScope::Running => status("running"),
        RunScope::Pending => status("pending"),
        RunScope::Finished => Condition {
            sql: "status IN ('success', 'failed', 'canceled')",
            values: Vec::new(),
            index: Some("runs_by_status"),
            by_id: false,
        },
        RunScope::Branches => newest("branch"),
        RunScope::Tags => newest("tag"),
    }
}

/// How a list is read.
struct Walk {
    index: &'static str,
    /// How many rows match, when choosing has shown it; capped.
    count: Option<u64>,
}

impl Walk {
    fn choose(
        db: &Db<'_>,
        project: ProjectId,
        conditions: &[Condition],
        order: RunOrder,
    ) -> StoreResult<Self> {
        if conditions.is_empty() {
            let count = count(db, project, &[], ALL_RUNS)?;
            return Ok(Self {
                index: index_of(order),
                count: Some(count),
            });
        }
        if let [
            Condition {
                index: Some(index),
                by_id: true,
                ..
            },
        ] = conditions
            && order == RunOrder::Id
        {
            return Ok(Self { index, count: None });
        }
        let mut rarest: Option<(&Condition, &'static str, u64)> = None;
        for condition in conditions {
            if let Some(index) = condition.index {
                let count = count(db, project, &[condition], index)?;
                if rarest.as_ref().is_none_or(|&(_, _, least)| count < least) {
                    rarest = Some((condition, index, count));
                }
            }
        }
        let only = conditions.len() == 1;
        Ok(match rarest {
            Some((condition, index, rows))
                if rows <= COUNT_LIMIT || (condition.by_id && order == RunOrder::Id) =>
            {
                Self {
                    index,
                    count: only.then_some(rows),
                }
            }
            other => Self {
                index: index_of(order),
                count: other.filter(|_| only).map(|(_, _, rows)| rows),
            },
        })
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

/// FROM and WHERE with the values, up to the conditions.
fn matching(project: ProjectId, conditions: &[&Condition], index: &str) -> (String, Vec<Value>) {
    let mut values = vec![Value::Integer(project.0)];
    let mut sql = if index == "PRIMARY KEY" {
        // The unary plus keeps SQLite from walking an index by project instead.
        " FROM runs WHERE +project_id = ?".to_owned()
    } else {
        format!(" FROM runs INDEXED BY {index} WHERE project_id = ?")
    };
    for condition in conditions {
        sql.push_str(" AND ");
        sql.push_str(condition.sql);
        values.extend(condition.values.iter().cloned());
    }
    (sql, values)
}

/// How many rows match, counted no further than one behind [`COUNT_LIMIT`].
fn count(
    db: &Db<'_>,
    project: ProjectId,
    conditions: &[&Condition],
    index: &str,
) -> StoreResult<u64> {
    let (matching, mut values) = matching(project, conditions, index);
    values.push(Value::Integer(integer(COUNT_LIMIT + 1)));
    let sql = format!("SELECT count(*) FROM (SELECT 1{matching} LIMIT ?)");
    Ok(db
        .conn
        .prepare_cached(&sql)?
        .query_row(params_from_iter(values), |row| row.count(0))?)
}

fn ids(
    db: &Db<'_>,
    project: ProjectId,
    conditions: &[Condition],
    walk: &Walk,
    filter: &RunFilter,
    request: PageRequest,
) -> StoreResult<Vec<RunId>> {
    let conditions: Vec<&Condition> = conditions.iter().collect();
    let (matching, mut values) = matching(project, &conditions, walk.index);
    values.push(Value::Integer(page::limit(request)));
    values.push(Value::Integer(page::offset(request)));
    let direction = if filter.ascending { "ASC" } else { "DESC" };
    let order = match filter.order_by {
        // The same order; each index holds one of the two.
        RunOrder::Id if walk.index == ALL_RUNS => format!("iid {direction}"),
        RunOrder::Id => format!("id {direction}"),
        RunOrder::Status => format!("status {direction}, id {direction}"),
        RunOrder::Ref => format!("ref_name {direction}, id {direction}"),
        RunOrder::UpdatedAt => format!("updated_at {direction}, id {direction}"),
        RunOrder::UserId => format!("user_id {direction}, id {direction}"),
    };
    let sql = format!("SELECT id{matching} ORDER BY {order} LIMIT ? OFFSET ?");
    let mut statement = db.conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| Ok(RunId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
