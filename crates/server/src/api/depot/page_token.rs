//! Where a list goes on: the id behind which it does, bound to the kind of list.

use super::errors::{RpcError, RpcResult};
use super::ids::Kind;

/// The token of the page behind this row.
pub fn write(kind: Kind, last: i64) -> String {
    format!("after-{}", kind.write(last))
}

/// The row that a page begins behind; `None` for the first page.
pub fn read(kind: Kind, token: &str) -> RpcResult<Option<i64>> {
    if token.is_empty() {
        return Ok(None);
    }
    let last = token.strip_prefix("after-").and_then(|id| kind.read(id));
    match last {
        Some(last) => Ok(Some(last)),
        None => Err(RpcError::invalid(
            "page_token is none that this list gave out; leave it out to begin again",
        )),
    }
}

/// Rows of a page: `usual` unless asked for others, and never more than `most`.
pub fn size(asked: i32, usual: u32, most: u32) -> RpcResult<u32> {
    match u32::try_from(asked) {
        Ok(0) => Ok(usual),
        Ok(asked) => Ok(asked.min(most)),
        Err(_) => Err(RpcError::invalid("page_size must not be negative")),
    }
}
