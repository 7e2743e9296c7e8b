//! `start_in`: how long a job with `when: delayed` waits (GitLab: `entry/job.rb`,
//! `entry/rules/rule.rb`).

use std::time::Duration;

use tappet_model::Position;

use crate::duration;
use crate::entry::Entry;
use crate::validation::Report;

/// The longest delay: one week.
const LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The delay of an entry that says `when: delayed`, in seconds. `position` is that
/// of its `when`, for an error about a delay that is missing.
pub(crate) fn read(entry: &Entry<'_>, position: Position, report: &mut Report) -> Option<u64> {
    let field = entry.get("start_in");
    let position = field.map_or(position, |field| field.position);
    let delay = field
        .and_then(|field| field.node.as_str())
        .and_then(duration::parse);
    let wrong = match delay {
        None => "should be a duration",
        Some(delay) if delay > LIMIT => "should not exceed the limit",
        Some(delay) => return Some(delay.as_secs()),
    };
    entry.invalid_key(report, position, "start_in", wrong);
    None
}
