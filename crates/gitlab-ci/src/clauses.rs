//! What a rule asks before it decides. All of its clauses have to hold.

use crate::changes::{self, Changes, InvalidCompareTo};
use crate::entry::Entry;
use crate::exists::{self, Exists};
use crate::expression::Expression;
use crate::plan::Context;
use crate::validation::Report;

/// `if`, `changes` and `exists`; a rule without any always holds.
#[derive(Default)]
pub(crate) struct Clauses {
    condition: Option<Expression>,
    changes: Option<Changes>,
    exists: Option<Exists>,
}

/// Reads the clauses of a rule.
pub(crate) fn read(entry: &Entry<'_>, report: &mut Report) -> Clauses {
    Clauses {
        condition: condition(entry, report),
        changes: entry
            .get("changes")
            .and_then(|field| changes::read(field, &entry.location.child("changes"), report)),
        exists: entry
            .get("exists")
            .and_then(|field| exists::read(field, &entry.location.child("exists"), report)),
    }
}

fn condition(entry: &Entry<'_>, report: &mut Report) -> Option<Expression> {
    let field = entry.get("if")?;
    let parsed = report.conditions.read(field.node);
    if parsed.is_none() {
        entry.invalid_key(report, field.position, "if", "invalid expression syntax");
    }
    parsed
}

impl Clauses {
    /// Whether all hold. What a repository has to tell is asked for last.
    pub(crate) fn hold(
        &self,
        context: &Context<'_>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, InvalidCompareTo> {
        let condition = self.condition.as_ref();
        if !condition.is_none_or(|condition| condition.is_true(lookup)) {
            return Ok(false);
        }
        if let Some(changes) = &self.changes
            && !changes.hold(context, lookup)?
        {
            return Ok(false);
        }
        let exists = self.exists.as_ref();
        Ok(exists.is_none_or(|exists| exists.holds(context, lookup)))
    }
}
