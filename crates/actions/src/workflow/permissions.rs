//! `permissions`: checked, and then of no further effect.
//!
//! They say what GitHub's token of a job may do at most. The token of a Tappet
//! job may read its repository and handle the artifacts of its run whatever
//! stands here, and may never write to the repository: nothing that
//! `permissions` takes away is there, and nothing they ask for is added.

use tappet_yaml::Node;

use crate::source::entry::{Entry, plain};
use crate::source::report::Report;

/// Permissions of every level, and those that have only some.
const LEVELS: &[(&str, &[&str])] = &[
    ("actions", ANY),
    ("artifact-metadata", ANY),
    ("attestations", ANY),
    ("checks", ANY),
    ("code-quality", ANY),
    ("contents", ANY),
    ("copilot-requests", WRITE),
    ("deployments", ANY),
    ("discussions", ANY),
    ("drives", ANY),
    ("id-token", WRITE),
    ("issues", ANY),
    ("models", READ),
    ("packages", ANY),
    ("pages", ANY),
    ("pull-requests", ANY),
    ("repository-projects", ANY),
    ("security-events", ANY),
    ("statuses", ANY),
    ("vulnerability-alerts", READ),
];

const ANY: &[&str] = &["read", "write", "none"];
const READ: &[&str] = &["read", "none"];
const WRITE: &[&str] = &["write", "none"];

/// Checks `permissions` of a workflow or job.
pub(super) fn check(node: &Node, report: &mut Report) {
    let Some(mapping) = node.as_mapping() else {
        if let Some(word) = plain(node, report)
            && !matches!(word.as_str(), "read-all" | "write-all")
        {
            report.error(node.position, format!("Unexpected value '{word}'"));
        }
        return;
    };
    let entry = Entry {
        mapping,
        position: node.position,
    };
    for (key, value) in entry.mapping.iter() {
        let known = LEVELS.iter().find(|(name, _)| *name == key.text);
        let Some((_, levels)) = known else {
            report.error(key.position, format!("Unexpected value '{}'", key.text));
            continue;
        };
        if let Some(level) = plain(value, report)
            && !levels.contains(&level.as_str())
        {
            report.error(value.position, format!("Unexpected value '{level}'"));
        }
    }
}
