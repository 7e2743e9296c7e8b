//! `tags`: which runners may take a job (GitLab: `entry/tags.rb`).

use crate::entry::{Field, strings};
use crate::validation::{Location, Report};

/// A job must have fewer tags than this.
const LIMIT: usize = 50;

/// The tags as written; variables in them are expanded when a run is planned.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Vec<String>> {
    let tags = strings(field.node);
    match &tags {
        None => report.invalid(
            field.position,
            location,
            "config should be an array of strings",
        ),
        Some(tags) if tags.len() >= LIMIT => report.invalid(
            field.position,
            location,
            format_args!("config must be less than the limit of {LIMIT} tags"),
        ),
        Some(_) => {}
    }
    tags
}
