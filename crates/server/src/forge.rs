//! Forges: what they tell of pushes and pull requests, and what they are told of the
//! runs that come of it.
//!
//! In: [`receive`] takes a signed webhook, [`gates`] decides which CI configs start a
//! run, and `intake` starts it. Out: the store notes with every change of a run of a
//! bound project that its forge has something to learn; [`report`] compares what is
//! to be said ([`statuses`], [`comment`]) with what was, and says the difference.
//! Nothing that a forge does or fails to do holds up a run.

pub mod comment;
pub mod statuses;
