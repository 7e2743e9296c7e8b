//! `runs-on`: which runners may take a job.
//!
//! Labels beside `self-hosted` are tags that a runner must have. Labels without
//! it name a vendor's machines (`ubuntu-latest`, `depot-ubuntu-24.04-8`), and
//! such a job runs anywhere. All runners are Linux, and `x64` unless a tag says more.

use tappet_model::{Diagnostic, Position};
use tappet_yaml::{Node, Value};

use crate::expression::scope;
use crate::source::entry::{Entry, Keys, filled_list};
use crate::source::report::Report;
use crate::source::tree::{Content, Tree, check_template};

const KEYS: Keys = Keys {
    now: &["group", "labels", "size"],
    later: &[(
        "image",
        "leave it out and install what the job needs in its steps",
    )],
    required: &[],
};

/// Reads `runs-on`.
pub(super) fn read(node: &Node, report: &mut Report) -> Option<Tree> {
    let place = &scope::JOB;
    match &node.value {
        Value::Mapping(_) => {
            let entry = Entry::with_keys(node, &KEYS, report)?;
            if let Some(group) = entry.get("group") {
                check_labels(group, report);
            }
            if let Some(labels) = entry.get("labels") {
                check_labels(labels, report);
            }
            if let Some(size) = entry.get("size") {
                report.warn(
                    size.position,
                    "`size` has no effect: a job has all of its runner's machine",
                );
            }
            if let Some(group) = entry.get("group") {
                report.warn(
                    group.position,
                    "`group` has no effect: runners are told apart by labels beside `self-hosted`",
                );
            }
        }
        _ => check_labels(node, report),
    }
    // Expressions that are not allowed were reported above.
    Some(Tree::read(node, place, &mut Report::default()))
}

fn check_labels(node: &Node, report: &mut Report) {
    let texts: Vec<&Node> = match node.as_sequence() {
        Some(items) => items.iter().collect(),
        None => vec![node],
    };
    for node in texts {
        match node.as_str().filter(|text| text.contains("${{")) {
            Some(text) => check_template(text, node.position, &scope::JOB, report),
            None => {
                filled_list(node, report);
            }
        }
    }
}

/// The tags that a runner must have, from an evaluated `runs-on`.
///
/// # Errors
///
/// What is no list of labels, and labels of systems that no runner has.
pub(super) fn tags(runs_on: &Tree) -> Result<Vec<String>, Diagnostic> {
    let labels = match &runs_on.content {
        Content::Map(entries) => match entries.iter().find(|(key, _)| key.text == "labels") {
            Some((_, labels)) => labels,
            None => return Ok(Vec::new()),
        },
        _ => runs_on,
    };
    let labels = match &labels.content {
        Content::List(items) => items.iter().map(label).collect::<Result<Vec<_>, _>>()?,
        _ => vec![label(labels)?],
    };
    for (label, position) in &labels {
        refuse_other_systems(label, *position)?;
    }
    let is = |label: &str, wanted: &str| label.eq_ignore_ascii_case(wanted);
    if !labels.iter().any(|(label, _)| is(label, "self-hosted")) {
        return Ok(Vec::new());
    }
    let mut tags: Vec<String> = Vec::new();
    for (label, _) in labels {
        let is_given = ["self-hosted", "linux", "x64"]
            .iter()
            .any(|given| is(&label, given));
        if !is_given && !tags.contains(&label) {
            tags.push(label);
        }
    }
    Ok(tags)
}

fn label(tree: &Tree) -> Result<(String, Position), Diagnostic> {
    let text = tree.as_text()?;
    if text.is_empty() {
        return Err(tree.unexpected());
    }
    Ok((text, tree.position))
}

fn refuse_other_systems(label: &str, position: Position) -> Result<(), Diagnostic> {
    let name = label.to_ascii_lowercase();
    let name = name.strip_prefix("depot-").unwrap_or(&name);
    if name.starts_with("macos") || name.starts_with("windows") {
        return Err(Diagnostic::at(
            position,
            format!(
                "No runner fits '{label}': Tappet's runners are Linux. Use a label like ubuntu-latest, or \
                 leave the job out"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Position;

    use super::*;
    use crate::Value;

    const HERE: Position = Position { line: 7, column: 5 };

    fn tags_of(json: serde_json::Value) -> Result<Vec<String>, String> {
        let tree = Tree::of_value(&Value::from(json), HERE);
        tags(&tree).map_err(|error| error.to_string())
    }

    #[rstest]
    #[case(serde_json::json!("ubuntu-latest"), &[])]
    #[case(serde_json::json!("depot-ubuntu-24.04-arm-8"), &[])]
    #[case(serde_json::json!(["ubuntu-latest", "gpu"]), &[])]
    #[case(serde_json::json!("self-hosted"), &[])]
    #[case(serde_json::json!(["self-hosted", "gpu", "X64", "ARM64", "gpu"]), &["gpu", "ARM64"])]
    #[case(serde_json::json!(["Self-Hosted", "Linux", "arm64"]), &["arm64"])]
    #[case(serde_json::json!({"group": "big", "labels": ["self-hosted", "gpu"]}), &["gpu"])]
    #[case(serde_json::json!({"group": "big"}), &[])]
    #[case(serde_json::json!({"size": "2x8"}), &[])]
    fn labels_beside_self_hosted_are_tags(
        #[case] runs_on: serde_json::Value,
        #[case] expected: &[&str],
    ) {
        assert_eq!(
            tags_of(runs_on),
            Ok(expected.iter().map(ToString::to_string).collect())
        );
    }

    #[rstest]
    #[case(serde_json::json!("macos-latest"))]
    #[case(serde_json::json!("depot-windows-2025"))]
    #[case(serde_json::json!(["self-hosted", "Windows"]))]
    fn other_systems_are_refused_with_their_place(#[case] runs_on: serde_json::Value) {
        let error = tags_of(runs_on).unwrap_err();
        assert!(error.contains("Tappet's runners are Linux"), "{error}");
        assert!(error.ends_with("at line 7 column 5"), "{error}");
    }

    #[rstest]
    #[case(serde_json::json!(null), "Unexpected value ''")]
    #[case(serde_json::json!(["self-hosted", ""]), "Unexpected value ''")]
    #[case(serde_json::json!([["a"]]), "A sequence was not expected")]
    fn what_is_no_label_is_refused(#[case] runs_on: serde_json::Value, #[case] expected: &str) {
        assert_eq!(
            tags_of(runs_on),
            Err(format!("{expected} at line 7 column 5"))
        );
    }
}
