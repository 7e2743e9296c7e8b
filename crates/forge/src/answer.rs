//! What forges are told of a run: commit statuses and one comment on the pull request.
//! [`Api`] writes the calls; whoever makes them gives the reply to [`ApiCall::read`].

mod api;
mod call;
mod comment;
mod cut;
mod problem;
mod reply;
mod status;
mod words;

pub use api::{Api, BadBinding, api_url};
pub use call::ApiCall;
pub use comment::{MAX_PAGES, marker, max_comment_chars};
pub use reply::Reply;
pub use status::CommitStatus;
pub use words::state_word;
