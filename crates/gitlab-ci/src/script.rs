//! `script`, `before_script` and `after_script`: a text, or a list of texts
//! that may hold lists (GitLab: `entry/commands.rb`, `entry/script.rb`).

use tappet_yaml::Node;

use crate::entry::Field;
use crate::validation::{Location, Report};

/// How many lists may stand inside each other.
pub(crate) const MAX_NESTING: usize = 10;

const EXPECTED: &str =
    "config should be a string or a nested array of strings up to 10 levels deep";

/// The commands in order, lists flattened.
pub(crate) fn read(
    field: Field<'_>,
    location: &Location<'_>,
    report: &mut Report,
) -> Option<Vec<String>> {
    let commands = match field.node.as_str() {
        Some(command) => Some(vec![command.to_owned()]),
        None => flatten_strings(field.node),
    };
    if commands.is_none() {
        report.invalid(field.position, location, EXPECTED);
    }
    commands
}

/// The texts of a list of texts and lists; none when something else is in it or
/// it is nested too deep.
pub(crate) fn flatten_strings(node: &Node) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    node.as_sequence()?;
    flatten(node, MAX_NESTING, &mut |leaf| {
        texts.push(leaf.as_str()?.to_owned());
        Some(())
    })?;
    Some(texts)
}

/// Walks lists inside lists, at most `levels` deep, and visits what is no list.
/// None as soon as a visit says so or the nesting is too deep.
pub(crate) fn flatten<'a>(
    node: &'a Node,
    levels: usize,
    visit: &mut impl FnMut(&'a Node) -> Option<()>,
) -> Option<()> {
    match node.as_sequence() {
        None => visit(node),
        Some(_) if levels == 0 => None,
        Some(items) => items
            .iter()
            .try_for_each(|item| flatten(item, levels - 1, visit).ok_or(()))
            .ok(),
    }
}
