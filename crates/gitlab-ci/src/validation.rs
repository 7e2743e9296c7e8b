//! Where an error is and how GitLab words it.
//!
//! GitLab builds the message of an invalid entry as `<location> <attribute>
//! <text>` and lower-cases all of it, job names included (GitLab:
//! `lib/gitlab/config/entry/validator.rb`). Messages of later checks keep their
//! case.

use std::fmt;

use tappet_model::{Diagnostic, Position};

use crate::condition::Conditions;

/// A path of keys from the root, `jobs:rspec:artifacts`.
#[derive(Clone, Copy)]
pub(crate) struct Location<'a> {
    parent: Option<&'a Location<'a>>,
    name: &'a str,
}

impl<'a> Location<'a> {
    /// A key of the root.
    pub(crate) const fn root(name: &'a str) -> Self {
        Self { parent: None, name }
    }

    /// A key below this place.
    pub(crate) const fn child(&'a self, name: &'a str) -> Self {
        Self {
            parent: Some(self),
            name,
        }
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}:")?;
        }
        f.write_str(self.name)
    }
}

/// Everything found while a file is read.
#[derive(Default)]
pub(crate) struct Report {
    /// Its conditions.
    pub(crate) conditions: Conditions,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Report {
    /// An invalid entry, in GitLab's words and lower case.
    pub(crate) fn invalid(
        &mut self,
        position: Position,
        location: &Location<'_>,
        text: impl fmt::Display,
    ) {
        let message = format!("{location} {text}").to_lowercase();
        self.errors.push(Diagnostic::at(position, message));
    }

    /// A keyword that GitLab knows and this version does not.
    pub(crate) fn unsupported(
        &mut self,
        position: Position,
        location: Option<&Location<'_>>,
        keyword: &str,
    ) {
        let text =
            format!("`{keyword}` is not supported yet; remove it or wait for a later version");
        let message = match location {
            Some(location) => format!("{location} {text}"),
            None => text,
        };
        self.errors.push(Diagnostic::at(position, message));
    }

    /// An error whose words are complete.
    pub(crate) fn error(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Something the author should know although the file is valid.
    pub(crate) fn warn(&mut self, position: Position, message: impl Into<String>) {
        self.warnings.push(Diagnostic::at(position, message));
    }

    /// The warnings, or all errors in file order; those about the whole file
    /// come last.
    pub(crate) fn into_result(mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        if self.errors.is_empty() {
            return Ok(self.warnings);
        }
        self.errors
            .sort_by_key(|error| (error.position.is_none(), error.position));
        self.errors.dedup();
        Err(self.errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize) -> Position {
        Position { line, column: 1 }
    }

    #[test]
    fn entry_errors_are_lower_cased_with_their_location() {
        let jobs = Location::root("jobs");
        let mut report = Report::default();
        report.invalid(
            at(2),
            &jobs.child("MyJob"),
            "config contains unknown keys: BAD",
        );
        let errors = report.into_result().unwrap_err();
        assert_eq!(
            errors[0].message,
            "jobs:myjob config contains unknown keys: bad"
        );
    }

    #[test]
    fn errors_come_in_file_order() {
        let mut report = Report::default();
        report.unsupported(at(9), None, "include");
        report.unsupported(at(3), Some(&Location::root("default")), "cache");
        let errors = report.into_result().unwrap_err();
        assert_eq!(
            errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "default `cache` is not supported yet; remove it or wait for a later version at line 3 column 1",
                "`include` is not supported yet; remove it or wait for a later version at line 9 column 1",
            ]
        );
    }
}
