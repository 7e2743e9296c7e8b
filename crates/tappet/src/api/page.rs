//! Lists that come in pages.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// The beginning of a list, or all of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// In the server's order.
    pub items: Vec<Value>,
    /// The list goes on.
    pub has_more: bool,
}

/// Whether another page follows; blank or absent says no.
pub fn has_next(headers: &HeaderMap) -> bool {
    headers
        .get("x-next-page")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| !value.is_empty())
}
