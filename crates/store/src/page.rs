//! Paging: offset pages outside (GitLab's headers), index walks inside.

/// Which part of a list is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// From 1.
    pub page: u32,
    /// 1 to 100.
    pub per_page: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            page: 1,
            per_page: 20,
        }
    }
}

/// Beyond this many rows no total is counted, as in GitLab.
pub const COUNT_LIMIT: u64 = 10_000;

/// One page of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Listing<T> {
    /// The rows of the page.
    pub items: Vec<T>,
    /// How many rows there are in all; `None` beyond [`COUNT_LIMIT`].
    pub total: Option<u64>,
    /// Another page follows.
    pub has_next: bool,
}
