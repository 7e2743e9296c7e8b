//! `allow_failure` of a job: a truth value or exit codes (GitLab:
//! `entry/allow_failure.rb`).

use tappet_model::plan::AllowFailure;

use crate::entry::{Entry, Field};
use crate::keywords;
use crate::validation::{Location, Report};

/// What the job says; `location` is that of the keyword. The job has already
/// checked that it is a map or a truth value.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<AllowFailure> {
    if let Some(allowed) = field.node.as_bool() {
        return Some(of(allowed));
    }
    let entry = Entry {
        location,
        mapping: field.node.as_mapping()?,
        position: field.position,
    };
    entry.check_keys(&keywords::ALLOW_FAILURE, report);
    match entry.integers("exit_codes", report) {
        Some(codes) => Some(AllowFailure::ExitCodes(codes)),
        None => Some(AllowFailure::No),
    }
}

/// All failures or none.
pub(crate) fn of(allowed: bool) -> AllowFailure {
    if allowed {
        AllowFailure::Yes
    } else {
        AllowFailure::No
    }
}
