//! Lists of runs: one page of those that match a filter, in order, and how many
//! there are.
//!
//! A filter becomes a [`Query`], and the query is read along a [`Walk`] of one
//! index, chosen so that the time does not grow with the number of runs.

mod choice;
mod query;
mod walk;

use tappet_model::{ProjectId, RunId};

use self::query::{Column, Query};
use self::walk::{Order, Walk};
use super::content::Db;
use super::page;
use super::runs;
use crate::{COUNT_LIMIT, Listing, PageRequest, Run, RunFilter, RunOrder, StoreError, StoreResult};

const NEWEST_FIRST: Order = Order {
    by: RunOrder::Id,
    ascending: false,
};

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
    let order = Order {
        by: query.order(filter.order_by),
        ascending: filter.ascending,
    };
    let walk = choice::choose(db, &query, order)?;
    let part = (page::limit(request), page::offset(request));
    let ids = walk.ids(db, &query, order, part)?;
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
    let walk = choice::choose(db, &query, NEWEST_FIRST)?;
    let ids = walk.ids(db, &query, NEWEST_FIRST, (i64::from(limit), 0))?;
    load(db, ids)
}

fn load(db: &Db<'_>, ids: Vec<RunId>) -> StoreResult<Vec<Run>> {
    ids.into_iter()
        .map(|id| runs::run(db, id)?.ok_or(StoreError::NotFound("run")))
        .collect()
}

/// How many rows there are in all; `None` beyond [`COUNT_LIMIT`], and when more
/// than a [few](choice::FEW) rows would have to be looked at to know.
fn total(db: &Db<'_>, query: &Query, walk: &Walk) -> StoreResult<Option<u64>> {
    if let Some(walk) = choice::counting(query) {
        return Ok(page::total(walk.count_to(db, query, COUNT_LIMIT + 1)?));
    }
    if walk.is_short {
        return Ok(page::total(walk.count(db, query)?));
    }
    // Few files are refused: the others are counted by counting those.
    if let Some(every) = query.without(Column::Valid)
        && let Some(walk) = choice::counting(&every)
    {
        let mut refused = every.clone();
        refused.add(Column::Invalid, "yaml_errors IS NOT NULL", []);
        let rare = choice::choose(db, &refused, NEWEST_FIRST)?;
        if let Some(refused) = total(db, &refused, &rare)? {
            let every = walk.count_to(db, &every, COUNT_LIMIT + 1 + refused)?;
            return Ok(page::total(every - refused));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
