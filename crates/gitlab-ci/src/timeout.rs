//! `timeout` of a job (GitLab: `entry/timeout.rb`).

use crate::duration;
use crate::entry::Field;
use crate::validation::{Location, Report};

/// A timeout must be shorter than one month as Rails counts it.
const LIMIT_S: u64 = 2_629_746;

/// The time limit in seconds.
pub(crate) fn read(field: Field<'_>, location: &Location<'_>, report: &mut Report) -> Option<u64> {
    let Some(time) = field.node.as_str().and_then(duration::parse) else {
        report.invalid(field.position, location, "config should be a duration");
        return None;
    };
    if time.as_secs() >= LIMIT_S {
        report.invalid(
            field.position,
            location,
            "config should not exceed the limit",
        );
        return None;
    }
    Some(time.as_secs())
}
