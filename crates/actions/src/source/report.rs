//! What is wrong with a file, collected while it is read.

use tappet_model::{Diagnostic, Position};

/// GitHub tells no more errors of one file.
const MAX_ERRORS: usize = 10;
/// Nor more of one error, in characters.
const MAX_LENGTH: usize = 500;
/// Where a hostile file stops to cost memory.
const MAX_KEPT: usize = 1000;

/// Everything found in a file.
#[derive(Default)]
pub(crate) struct Report {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Report {
    /// Something wrong at a place.
    pub(crate) fn error(&mut self, position: Position, message: impl Into<String>) {
        self.add(Diagnostic::at(position, message));
    }

    /// Something wrong, with or without a place.
    pub(crate) fn add(&mut self, mut error: Diagnostic) {
        if self.errors.len() == MAX_KEPT {
            return;
        }
        if let Some((end, _)) = error.message.char_indices().nth(MAX_LENGTH) {
            error.message.truncate(end);
            error.message.push('…');
        }
        self.errors.push(error);
    }

    /// A keyword that GitHub knows and Tappet does not do yet; `instead` says
    /// what works.
    pub(crate) fn unsupported(&mut self, position: Position, keyword: &str, instead: &str) {
        self.error(
            position,
            format!("`{keyword}` is not supported yet: {instead}"),
        );
    }

    /// Something the author should know although the file is valid.
    pub(crate) fn warn(&mut self, position: Position, message: impl Into<String>) {
        self.warnings.push(Diagnostic::at(position, message));
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The warnings, or the first ten errors in file order.
    pub(crate) fn into_result(mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        if self.errors.is_empty() {
            return Ok(self.warnings);
        }
        self.errors
            .sort_by_key(|error| (error.position.is_none(), error.position));
        self.errors.dedup();
        self.errors.truncate(MAX_ERRORS);
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
    fn errors_come_in_file_order_once_each_and_ten_at_most() {
        let mut report = Report::default();
        for line in (1..=20).rev() {
            report.error(at(line), "wrong");
            report.error(at(line), "wrong");
        }
        let errors = report.into_result().unwrap_err();
        let lines: Vec<_> = errors
            .iter()
            .filter_map(|error| error.position.map(|position| position.line))
            .collect();
        assert_eq!(lines, (1..=10).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let mut report = Report::default();
        report.error(at(1), "é".repeat(600));
        let errors = report.into_result().unwrap_err();
        assert_eq!(errors[0].message.chars().count(), 501);
    }
}
