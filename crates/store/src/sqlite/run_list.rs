//! Lists of runs: one page of those that match a filter, in order, and how many
//! there are.
//!
//! A filter becomes a [`Query`], and the query is read along a [`Walk`] of one
//! index, chosen so that the time does not grow with the number of runs.

mod query;
mod walk;

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tappet_model::{ProjectId, RunId};

use self::query::{Column, Query};
use self::walk::{ALL_RUNS, Walk};
use super::content::Db;
use super::page;
use super::runs;
use crate::{COUNT_LIMIT, Listing, PageRequest, Run, RunFilter, RunOrder, StoreError, StoreResult};

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

/// How many rows there are in all.
fn total(db: &Db<'_>, query: &Query, walk: &Walk) -> StoreResult<Option<u64>> {
    if let Some(count) = walk.known_count {
        return Ok(page::total(count));
    }
    // Few files are refused: the others are counted by counting those.
    if let [only] = query.conditions.as_slice()
        && only.sql == "yaml_errors IS NULL"
        && query.statuses.is_empty()
    {
        let mut all = query.only(&[]);
        let every = Walk::all(ALL_RUNS).count_to(db, &all, 2 * COUNT_LIMIT + 2)?;
        all.add(Column::Invalid, "yaml_errors IS NOT NULL", []);
        let refused = Walk::all("invalid_runs").count(db, &all)?;
        if refused <= COUNT_LIMIT {
            return Ok(page::total(every - refused));
        }
    }
    Ok(page::total(walk.count(db, query)?))
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
            let (matching, more) = walk.matching(query, *branch);
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
