//! `workflow`: whether there is a pipeline at all, its name and the variables
//! that its rules add (GitLab: `entry/workflow.rb`,
//! `pipeline/chain/evaluate_workflow_rules.rb`).

use crate::entry::{Entry, Field};
use crate::keywords;
use crate::rules::{self, Owner, Rule};
use crate::validation::{Location, Report};

/// The longest name, in characters.
const MAX_NAME: usize = 255;

/// The whole keyword.
#[derive(Default)]
pub(crate) struct Workflow {
    /// As written, with variables.
    pub(crate) name: Option<String>,
    /// None: there always is a pipeline.
    pub(crate) rules: Option<Vec<Rule>>,
}

/// Reads `workflow:`.
pub(crate) fn read(field: Field<'_>, report: &mut Report) -> Workflow {
    let location = Location::root("workflow");
    let Some(mapping) = field.node.as_mapping() else {
        report.invalid(field.position, &location, "config should be a hash");
        return Workflow::default();
    };
    let entry = Entry {
        location: &location,
        mapping,
        position: field.position,
    };
    if !entry.check_keys(&keywords::WORKFLOW, report) {
        return Workflow::default();
    }
    let name = entry.string("name", report);
    if name
        .as_ref()
        .is_some_and(|name| name.chars().count() > MAX_NAME)
    {
        let text = format!("is too long (maximum is {MAX_NAME} characters)");
        entry.invalid_key(report, field.position, "name", &text);
    }
    let rules = entry
        .get("rules")
        .map(|field| rules::read(field, &location.child("rules"), Owner::Workflow, report));
    Workflow { name, rules }
}
