//! `strategy`: the matrix of a job and how its legs run.

use tappet_model::Diagnostic;
use tappet_model::plan::JobGroup;
use tappet_yaml::Node;

use crate::expression::scope;
use crate::source::entry::{Entry, Keys, unexpected};
use crate::source::report::Report;
use crate::source::tree::{Content, Tree};
use crate::workflow::matrix::{Combination, combinations};

const KEYS: Keys = Keys {
    now: &["matrix", "fail-fast", "max-parallel"],
    later: &[],
    required: &[],
};

/// Reads `strategy`, and expands a matrix without expressions to see what is
/// wrong with it.
pub(super) fn read(node: &Node, report: &mut Report) -> Option<Tree> {
    let place = &scope::STRATEGY;
    let tree = Tree::read(node, place, report);
    if tree.is_expression() {
        return Some(tree);
    }
    let entry = Entry::with_keys(node, &KEYS, report)?;
    check(entry.get("fail-fast"), report, |node| {
        node.as_bool().is_some()
    });
    check(entry.get("max-parallel"), report, |node| {
        matches!(
            node.value,
            tappet_yaml::Value::Int(_) | tappet_yaml::Value::Float(_)
        )
    });
    if let Some(matrix) = entry.get("matrix").filter(|node| !is_expression(node)) {
        check_matrix(matrix, report)?;
    }
    if !tree.has_expressions()
        && let Err(error) = resolve(&tree)
    {
        report.add(error);
    }
    Some(tree)
}

fn is_expression(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.contains("${{"))
}

fn check(node: Option<&Node>, report: &mut Report, fits: impl Fn(&Node) -> bool) {
    if let Some(node) = node
        && !fits(node)
        && !is_expression(node)
    {
        unexpected(node, report);
    }
}

/// A mapping of lists; those of `include` and `exclude` hold mappings.
fn check_matrix(node: &Node, report: &mut Report) -> Option<()> {
    let matrix = Entry::of(node, report)?;
    let mut has_vector = false;
    for (key, value) in matrix.mapping.iter() {
        let is_filter = matches!(key.text.as_str(), "include" | "exclude");
        let is_empty = value.as_sequence().is_some_and(<[Node]>::is_empty);
        has_vector |= !is_filter || (key.text == "include" && !is_empty);
        if is_expression(value) {
            continue;
        }
        let Some(items) = value.as_sequence() else {
            unexpected(value, report);
            continue;
        };
        for item in items.iter().filter(|_| is_filter) {
            check(Some(item), report, |item| item.as_mapping().is_some());
        }
        if is_empty && !is_filter {
            report.error(
                value.position,
                format!("Matrix vector '{}' does not contain any values", key.text),
            );
        }
    }
    if !has_vector {
        report.error(node.position, "Matrix must define at least one vector");
    }
    has_vector.then_some(())
}

/// An evaluated strategy.
pub(super) struct Strategy {
    pub(super) group: JobGroup,
    /// The legs; none without a matrix.
    pub(super) legs: Option<Vec<Combination>>,
}

impl Default for Strategy {
    fn default() -> Self {
        Self {
            group: JobGroup {
                fail_fast: true,
                max_parallel: None,
            },
            legs: None,
        }
    }
}

/// Expands an evaluated strategy. A `max-parallel` below 1 is none, as at
/// GitHub.
///
/// # Errors
///
/// What GitHub would refuse, with its place.
pub(super) fn resolve(tree: &Tree) -> Result<Strategy, Diagnostic> {
    let mut strategy = Strategy::default();
    let Content::Map(entries) = &tree.content else {
        return Err(tree.unexpected());
    };
    for (label, value) in entries {
        match label.text.as_str() {
            "fail-fast" => strategy.group.fail_fast = value.as_bool()?,
            "max-parallel" => {
                let number = value.as_number()?;
                strategy.group.max_parallel = (number >= 1.0).then_some(number as u32);
            }
            "matrix" => strategy.legs = Some(combinations(value)?),
            name => {
                return Err(Diagnostic::at(
                    label.position,
                    format!("Unexpected value '{name}'"),
                ));
            }
        }
    }
    Ok(strategy)
}
