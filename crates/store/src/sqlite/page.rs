//! Arithmetic of offset pages.

use super::value::integer;
use crate::{COUNT_LIMIT, Listing, PageRequest};

/// Rows to fetch: one more than wanted, to see whether another page follows.
pub(super) fn limit(request: PageRequest) -> i64 {
    i64::from(request.per_page) + 1
}

/// Rows to pass over.
pub(super) fn offset(request: PageRequest) -> i64 {
    integer(u64::from(request.page.max(1) - 1) * u64::from(request.per_page))
}

/// The total from a count that stopped behind [`COUNT_LIMIT`].
pub(super) fn total(count: u64) -> Option<u64> {
    (count <= COUNT_LIMIT).then_some(count)
}

/// The total where the page itself shows it: its rows, one more than wanted
/// included, are the last ones.
pub(super) fn seen_total(rows: usize, request: PageRequest) -> Option<u64> {
    let rows = rows as u64;
    let is_last = rows <= u64::from(request.per_page) && (rows > 0 || request.page <= 1);
    let before = u64::from(request.page.max(1) - 1) * u64::from(request.per_page);
    is_last.then_some(before + rows)
}

/// A page out of at most [`limit`] rows.
pub(super) fn listing<T>(mut rows: Vec<T>, request: PageRequest, total: Option<u64>) -> Listing<T> {
    let wanted = usize::try_from(request.per_page).unwrap_or(usize::MAX);
    let has_next = rows.len() > wanted;
    rows.truncate(wanted);
    Listing {
        items: rows,
        total,
        has_next,
    }
}
