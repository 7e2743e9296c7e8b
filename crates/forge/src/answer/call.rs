//! A call that somebody else makes.

use http::{HeaderMap, Method};
use tappet_model::ForgeKind;

/// A request to a forge. Redirects must not be followed: they would take the token along.
#[derive(Clone, Debug)]
pub struct ApiCall {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// All headers but host and length. The one with the token is marked as sensitive,
    /// so that it is not printed.
    pub headers: HeaderMap,
    /// JSON.
    pub body: Option<Vec<u8>>,
    pub(super) kind: ForgeKind,
    pub(super) purpose: Purpose,
}

/// What a call is for, so that its reply can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Sets a commit status to this word.
    Status(&'static str),
    /// Writes a new comment.
    NewComment,
    /// Changes a comment.
    EditComment,
    /// Looks for the comment that holds this text.
    FindComment { marker: String, page: u32 },
}
