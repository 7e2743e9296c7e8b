//! Whether a file says anything about merge requests. GitLab leaves jobs without
//! rules out of their pipelines, so a file that says nothing has none.

use tappet_yaml::{Mapping, Node, Value};

/// Where jobs say when they are made.
const DECIDING: [&str; 3] = ["rules", "only", "except"];

/// Whether `workflow`, or the rules of any job, name merge requests: their source,
/// their variables, their word in `only`.
pub(crate) fn are_spoken_of(root: &Mapping) -> bool {
    root.iter().any(|(key, node)| match node.as_mapping() {
        Some(workflow) if key.text == "workflow" => workflow.values().any(speaks),
        Some(job) if !key.text.starts_with('.') => DECIDING
            .iter()
            .any(|name| job.get(name).is_some_and(speaks)),
        _ => false,
    })
}

fn speaks(node: &Node) -> bool {
    match &node.value {
        Value::Mapping(map) => map.values().any(speaks),
        _ => match node.as_sequence() {
            Some(items) => items.iter().any(speaks),
            None => node
                .as_str()
                .is_some_and(|text| text.to_ascii_lowercase().contains("merge_request")),
        },
    }
}
