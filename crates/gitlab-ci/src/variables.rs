//! `variables` at the root, in a job and in a rule (GitLab:
//! `entry/variables.rb`, `entry/variable.rb`).

use std::collections::HashMap;

use tappet_model::{Position, Variable};
use tappet_yaml::{Mapping, Node};

use crate::entry::{Entry, Field};
use crate::validation::{Location, Report};

/// Where a `variables:` stands; decides what a variable may say beside its
/// value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Root,
    Job,
    Rule,
}

impl Place {
    fn data_keys(self) -> &'static [&'static str] {
        match self {
            Place::Root => &["value", "description", "expand", "options"],
            Place::Job => &["value", "expand"],
            Place::Rule => &[],
        }
    }
}

/// The variables in file order, values as text and unexpanded.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    place: Place,
    report: &mut Report,
) -> Vec<Variable> {
    let Some(mapping) = field.node.as_mapping() else {
        report.invalid(field.position, location, "config should be a hash");
        return Vec::new();
    };
    mapping
        .iter()
        .filter_map(|(key, node)| {
            let location = location.child(&key.text);
            variable(&key.text, key.position, node, &location, place, report)
        })
        .collect()
}

fn variable(
    name: &str,
    position: Position,
    node: &Node,
    location: &Location<'_>,
    place: Place,
    report: &mut Report,
) -> Option<Variable> {
    if let Some(value) = node.to_text() {
        return Some(Variable::new(name, value));
    }
    let Some(mapping) = node.as_mapping() else {
        let text = "variable definition must be either a string or a hash";
        report.error(tappet_model::Diagnostic::at(position, text));
        return None;
    };
    let entry = Entry {
        location,
        mapping,
        position,
    };
    check_data_keys(&entry, place, report);
    check_options(&entry, report);
    for name in ["value", "description"] {
        if let Some(field) = entry.get(name)
            && field.node.to_text().is_none()
        {
            let text = format_args!("config {name} must be a scalar");
            report.invalid(field.position, location, text);
        }
    }
    let expand = entry.get("expand").map(|field| {
        let expand = field.node.as_bool();
        if expand.is_none() {
            let text = "config expand should be a boolean value";
            report.invalid(field.position, location, text);
        }
        expand.unwrap_or(true)
    });
    Some(Variable {
        raw: expand == Some(false),
        ..Variable::new(name, value_of(mapping).unwrap_or_default())
    })
}

fn value_of(mapping: &Mapping) -> Option<String> {
    mapping.get("value").and_then(Node::to_text)
}

fn check_data_keys(entry: &Entry<'_>, place: Place, report: &mut Report) {
    let allowed = place.data_keys();
    if allowed.is_empty() {
        entry.invalid(report, "config must be a string");
        return;
    }
    let extra: Vec<_> = entry
        .mapping
        .keys()
        .filter(|key| !allowed.contains(&key.text.as_str()))
        .collect();
    if let Some(first) = extra.first() {
        let names: Vec<&str> = extra.iter().map(|key| key.text.as_str()).collect();
        let text = format!("config uses invalid data keys: {}", names.join(", "));
        report.invalid(first.position, entry.location, text);
    }
}

fn check_options(entry: &Entry<'_>, report: &mut Report) {
    let Some(field) = entry.get("options") else {
        return;
    };
    let wrong = match crate::entry::strings(field.node) {
        None => "config options should be an array of strings",
        Some(options) => {
            let value = entry.mapping.get("value").and_then(Node::as_str);
            if options.is_empty() || value.is_some_and(|value| options.iter().any(|o| o == value)) {
                return;
            }
            "config value must be present in options"
        }
    };
    report.invalid(field.position, entry.location, wrong);
}

/// `base` with the variables of `over` put over it, each key once.
pub(crate) fn merge(base: &[Variable], over: &[Variable]) -> Vec<Variable> {
    let mut merged = base.to_vec();
    if over.is_empty() {
        return merged;
    }
    let mut places: HashMap<&str, usize> = base
        .iter()
        .enumerate()
        .map(|(place, variable)| (variable.key.as_str(), place))
        .collect();
    for variable in over {
        match places.get(variable.key.as_str()) {
            Some(&place) => merged[place] = variable.clone(),
            None => {
                places.insert(&variable.key, merged.len());
                merged.push(variable.clone());
            }
        }
    }
    merged
}

/// The variable of a name among those that hold each key once.
pub(crate) fn find<'a>(variables: &'a [Variable], name: &str) -> Option<&'a Variable> {
    variables.iter().find(|variable| variable.key == name)
}
