//! `inherit`: what a job takes from `default:` and from the root variables
//! (GitLab: `entry/inherit/*.rb`).

use tappet_yaml::Node;

use crate::entry::{Entry, Field, strings};
use crate::keywords;
use crate::validation::{Location, Report};

/// Which names of one kind are taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Inherited {
    /// Every one.
    #[default]
    All,
    /// Not one.
    Nothing,
    /// These.
    Only(Vec<String>),
}

impl Inherited {
    /// Whether the name is taken.
    pub(crate) fn includes(&self, name: &str) -> bool {
        match self {
            Inherited::All => true,
            Inherited::Nothing => false,
            Inherited::Only(names) => names.iter().any(|only| only == name),
        }
    }
}

/// What a job takes over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Inherit {
    /// Keys of `default:`.
    pub(crate) default: Inherited,
    /// Root variables.
    pub(crate) variables: Inherited,
}

/// The whole keyword; `location` is that of `inherit`.
pub(crate) fn read(field: Field<'_>, location: &Location<'_>, report: &mut Report) -> Inherit {
    let Some(mapping) = field.node.as_mapping() else {
        report.invalid(field.position, location, "config should be a hash");
        return Inherit::default();
    };
    let entry = Entry {
        location,
        mapping,
        position: field.position,
    };
    entry.check_keys(&keywords::INHERIT, report);
    Inherit {
        default: inherited(&entry, "default", report, |name| {
            let keys = &keywords::DEFAULT;
            keys.now.contains(&name) || keys.later.contains(&name)
        }),
        variables: inherited(&entry, "variables", report, |_| true),
    }
}

fn inherited(
    entry: &Entry<'_>,
    name: &str,
    report: &mut Report,
    is_known: impl Fn(&str) -> bool,
) -> Inherited {
    let Some(field) = entry.get(name) else {
        return Inherited::All;
    };
    let location = entry.location.child(name);
    if let Some(all) = field.node.as_bool() {
        return if all {
            Inherited::All
        } else {
            Inherited::Nothing
        };
    }
    let wrong = match strings(field.node) {
        None if field.node.as_sequence().is_some() => {
            "config should be an array of strings".to_owned()
        }
        None => "should be a bool or array of strings".to_owned(),
        Some(names) => {
            let unknown = unknown(field.node, is_known);
            if unknown.is_empty() {
                return Inherited::Only(names);
            }
            format!("config contains unknown values: {}", unknown.join(", "))
        }
    };
    report.invalid(field.position, &location, wrong);
    Inherited::All
}

fn unknown(names: &Node, is_known: impl Fn(&str) -> bool) -> Vec<&str> {
    names
        .as_sequence()
        .unwrap_or_default()
        .iter()
        .filter_map(Node::as_str)
        .filter(|name| !is_known(name))
        .collect()
}
