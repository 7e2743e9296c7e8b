//! `needs`: which jobs a job waits for (GitLab: `entry/needs.rb`,
//! `entry/need.rb`).

use tappet_model::Position;
use tappet_yaml::{Mapping, Node};

use crate::entry::{Entry, Field};
use crate::keywords;
use crate::validation::{Location, Report};

/// How many jobs one job may need (GitLab: `ci_needs_size_limit`).
pub(crate) const MAX_NEEDS: usize = 50;

/// One needed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Its name.
    pub(crate) job: String,
    /// Its artifacts are downloaded.
    pub(crate) artifacts: bool,
    /// It may be missing.
    pub(crate) optional: bool,
    /// Where it is written.
    pub(crate) position: Position,
}

/// The list in file order; `location` is that of `needs`.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Vec<Need>> {
    let mut items = Vec::new();
    match field.node.as_mapping() {
        Some(mapping) if mapping.is_empty() => {
            report.invalid(field.position, location, "config can not be an empty hash");
            return None;
        }
        Some(_) => items.push(field.node),
        None if field.node.as_sequence().is_some() => flatten(field.node, &mut items),
        None => {
            report.invalid(
                field.position,
                location,
                "config can only be a hash or an array",
            );
            return None;
        }
    }
    let location = location.child("need");
    Some(
        items
            .into_iter()
            .filter_map(|item| need(item, &location, report))
            .collect(),
    )
}

/// Lists may stand inside each other as deep as the file may nest.
fn flatten<'a>(node: &'a Node, items: &mut Vec<&'a Node>) {
    match node.as_sequence() {
        Some(nodes) => nodes.iter().for_each(|node| flatten(node, items)),
        None => items.push(node),
    }
}

fn need(node: &Node, location: &Location<'_>, report: &mut Report) -> Option<Need> {
    if let Some(job) = node.as_str() {
        if job.trim().is_empty() {
            report.invalid(node.position, location, "config can't be blank");
            return None;
        }
        return Some(Need {
            job: job.to_owned(),
            artifacts: true,
            optional: false,
            position: node.position,
        });
    }
    match node.as_mapping() {
        Some(mapping) => need_of_mapping(mapping, node.position, location, report),
        None => {
            report.invalid(node.position, location, "has an unsupported type");
            None
        }
    }
}

fn need_of_mapping(
    mapping: &Mapping,
    position: Position,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Need> {
    let entry = Entry {
        location,
        mapping,
        position,
    };
    let is_of_another_pipeline = ["pipeline", "project", "ref"]
        .iter()
        .any(|key| mapping.contains_key(key));
    if !mapping.contains_key("job") && !is_of_another_pipeline {
        entry.invalid(report, "has an unsupported type");
        return None;
    }
    entry.check_keys(&keywords::NEED, report);
    if is_of_another_pipeline {
        return None;
    }
    let job = entry.string("job", report);
    if mapping.get("job").is_some_and(is_blank) {
        entry.invalid(report, "job can't be blank");
    }
    Some(Need {
        job: job?,
        artifacts: entry.boolean("artifacts", report).unwrap_or(true),
        optional: entry.boolean("optional", report).unwrap_or(false),
        position,
    })
}

fn is_blank(node: &Node) -> bool {
    node.is_null() || node.as_str().is_some_and(|text| text.trim().is_empty())
}
