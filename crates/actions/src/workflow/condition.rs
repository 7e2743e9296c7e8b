//! `if` of a job or step.

use crate::source::entry::{Entry, text};
use crate::source::report::Report;
use crate::source::tree::Label;
use crate::{Condition, Scope};

/// Reads `if`. An empty one is one that is not there.
pub(crate) fn read(entry: &Entry<'_>, scope: &dyn Scope, report: &mut Report) -> Option<Label> {
    let node = entry.get("if")?;
    let before = report.is_clean();
    let text = match node.as_str() {
        Some(text) => text.to_owned(),
        None => text(node, scope, report)?,
    };
    if text.trim().is_empty() {
        return None;
    }
    if let Err(error) = Condition::parse(&text, scope) {
        report.error(node.position, error.to_string());
    } else if before && has_text_around(&text) {
        report.warn(
            node.position,
            "this condition is always true: text stands outside of `${{ }}`; put the whole condition inside",
        );
    }
    Some(Label {
        text,
        position: node.position,
    })
}

/// Whether a condition is a text that is never empty, whatever its expressions
/// say: `${{ a }} && b`, or `${{ a }}` with a line break behind it.
fn has_text_around(text: &str) -> bool {
    let expressions = text.matches("${{").count();
    expressions > 0 && !(expressions == 1 && text.starts_with("${{") && text.ends_with("}}"))
}
