//! Which index a list of runs walks.
//!
//! Every filter has an index that also gives the order by id, and so has every
//! common pair of filters. When one index covers all that is asked there is
//! nothing to choose. Otherwise an index that finds few rows leads, and these
//! are sifted and sorted. When all find many, the walk follows the order that is
//! asked for, along the index whose rows lie farthest apart, and fitting rows
//! turn up soon.

use super::query::{Column, Query};
use super::walk::{ALL_RUNS, INDEXES, Index, NEWEST_RUNS, Order, Walk};
use crate::sqlite::content::Db;
use crate::{RunOrder, StoreResult};

/// So many rows are looked at one by one, also only to count those that fit.
pub(super) const FEW: u64 = 2000;

/// How far apart the rows of an index lie shows at this one.
const PROBE: i64 = 100;

/// Rows that fit lie close together when there are [`PROBE`] among so many.
const NEAR: i64 = 2000;

/// How to read a list.
pub(super) fn choose(db: &Db<'_>, query: &Query, order: Order) -> StoreResult<Walk> {
    if let Some(index) = covering(query).find(|index| gives(index, order.by)) {
        return Ok(Walk::of(query, index, order.by));
    }
    let candidates = candidates(query);
    let mut rarest: Option<(&Index, u64)> = None;
    for index in candidates.iter().copied() {
        let alone = alone(query, index);
        let rows = Walk::of(&alone, index, order.by).count_to(db, &alone, FEW + 1)?;
        if rows <= FEW && rarest.is_none_or(|(_, least)| rows < least) {
            rarest = Some((index, rows));
        }
    }
    if let Some((index, _)) = rarest {
        return Ok(Walk {
            is_short: true,
            ..Walk::of(query, index, order.by)
        });
    }
    if order.by == RunOrder::Status && query.bounds.are_set() {
        return Ok(Walk::by_status(query));
    }
    if order.by == RunOrder::Ref && query.statuses.len() == 1 {
        return Ok(Walk::by_ref_of_status());
    }
    if order.by != RunOrder::Id {
        return Ok(Walk::all(index_of(order.by)));
    }
    if let Some(index) = sparsest(db, query, &candidates, order)? {
        return Ok(Walk::of(query, index, order.by));
    }
    match candidates[..] {
        // All that it knows is in the index, which is read far sooner than rows.
        [index] if query.bounds.are_asked && !is_near(db, query, order)? => {
            Ok(Walk::of(query, index, order.by))
        }
        _ => Ok(Walk::all(ALL_RUNS)),
    }
}

/// Whether runs that fit lie close together where the list begins.
fn is_near(db: &Db<'_>, query: &Query, order: Order) -> StoreResult<bool> {
    let mut near = query.clone();
    if !near.bounds.keep_first(NEAR, order.ascending) {
        return Ok(true);
    }
    let wanted = PROBE.unsigned_abs();
    Ok(Walk::all(ALL_RUNS).count_to(db, &near, wanted)? == wanted)
}

/// A walk along an index that knows all that is asked, in whatever order: it
/// counts without looking at the rows themselves.
pub(super) fn counting(query: &Query) -> Option<Walk> {
    if query.len() == 0 {
        return Some(Walk::all(ALL_RUNS));
    }
    let index = covering(query).next()?;
    Some(Walk::of(query, index, RunOrder::Id))
}

/// Indexes that need no sifting.
fn covering(query: &Query) -> impl Iterator<Item = &'static Index> {
    let covers = |index: &&Index| {
        index.columns.len() == query.len()
            && index.columns.iter().all(|column| query.has(*column))
            && (index.by_id || !query.bounds.are_asked)
    };
    INDEXES.iter().filter(covers)
}

fn gives(index: &Index, order: RunOrder) -> bool {
    match order {
        RunOrder::Id => index.by_id,
        RunOrder::UpdatedAt => index.columns == [Column::Updated],
        RunOrder::Status | RunOrder::Ref | RunOrder::UserId => false,
    }
}

/// Indexes for parts of what is asked, without those that another one extends.
fn candidates(query: &Query) -> Vec<&'static Index> {
    let mut found: Vec<&Index> = Vec::new();
    for index in &INDEXES {
        let is_part = |longer: &&Index| {
            let mut columns = index.columns.iter();
            columns.all(|column| longer.columns.contains(column))
        };
        let is_asked = index.columns.iter().all(|column| query.has(*column));
        if is_asked && !found.iter().any(is_part) {
            found.push(index);
        }
    }
    found
}

/// What an index knows of a query.
fn alone(query: &Query, index: &Index) -> Query {
    let mut alone = query.only(index.columns);
    if !index.by_id {
        // Bounds on ids would be looked for among all its rows.
        alone.bounds = Default::default();
    }
    alone
}

/// The index that leaves the least to sift where the list begins.
fn sparsest(
    db: &Db<'_>,
    query: &Query,
    candidates: &[&'static Index],
    order: Order,
) -> StoreResult<Option<&'static Index>> {
    let ordered = candidates.iter().copied().filter(|index| index.by_id);
    let ordered: Vec<&Index> = ordered.collect();
    if let Some(newest) = ordered.iter().find(|index| index.name == NEWEST_RUNS) {
        return Ok(Some(newest));
    }
    if let [only] = ordered[..] {
        return Ok(Some(only));
    }
    let mut best = None;
    for index in ordered {
        let alone = alone(query, index);
        let walk = Walk::of(&alone, index, RunOrder::Id);
        let reached = walk.ids(db, &alone, order, (1, PROBE - 1))?;
        let Some(reached) = reached.first().copied() else {
            return Ok(Some(index));
        };
        let is_farther = |(_, other)| (reached > other) == order.ascending;
        if best.is_none_or(is_farther) {
            best = Some((index, reached));
        }
    }
    Ok(best.map(|(index, _)| index))
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
