//! `!reference`: refused wherever it stands in a used entry, because what it
//! stands for is not looked up yet.

use tappet_yaml::Node;

use crate::validation::{Location, Report};

const TAG: &str = "!reference";

/// Reports every `!reference` at or below a node; true if there was one.
pub(crate) fn refuse(node: &Node, location: &Location<'_>, report: &mut Report) -> bool {
    if node.tag.as_deref() == Some(TAG) {
        report.unsupported(node.position, Some(location), TAG);
        return true;
    }
    let mut found = false;
    if let Some(mapping) = node.as_mapping() {
        for (key, node) in mapping.iter() {
            found |= refuse(node, &location.child(&key.text), report);
        }
    }
    for item in node.as_sequence().unwrap_or_default() {
        found |= refuse(item, location, report);
    }
    found
}
