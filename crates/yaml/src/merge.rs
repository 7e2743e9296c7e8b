//! The merge key `<<`, by Psych's rule: it acts where it stands.
//!
//! `{<<: *base, a: 1}` keeps `a: 1`; in `{a: 1, <<: *base}` the `a` of `base`
//! overwrites it. A list merges so that its earlier items win. What cannot be
//! merged stays under the key `<<`.

use crate::error::YamlError;
use crate::mapping::{Key, Mapping};
use crate::node::{Node, Value};

/// The key that merges.
pub(crate) const MERGE_KEY: &str = "<<";

/// How the value of `<<` was written; what an alias leads to does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Written {
    /// A mapping or an alias.
    Whole,
    /// A list.
    List,
    /// A scalar.
    Scalar,
}

/// Merges the value of a `<<` into the mapping it stands in.
///
/// # Errors
///
/// A tagged list (`<<: !reference […]`) has no value yet.
pub(crate) fn merge(
    into: &mut Mapping,
    key: Key,
    value: Node,
    written: Written,
) -> Result<(), YamlError> {
    if let (Written::List, Some(tag)) = (written, &value.tag) {
        return Err(YamlError::at(
            value.position,
            format!("merge key `<<` takes mappings, not {tag}"),
        ));
    }
    match (written, value.value) {
        (Written::Whole, Value::Mapping(source)) => into.extend(source),
        (Written::List, Value::Sequence(items)) if items.iter().all(is_mapping) => {
            let mut merged = Mapping::new();
            for item in items.into_iter().rev() {
                if let Value::Mapping(source) = item.value {
                    merged.extend(source);
                }
            }
            into.extend(merged);
        }
        (_, other) => {
            let node = Node {
                value: other,
                position: value.position,
                tag: value.tag,
            };
            into.insert(key, node);
        }
    }
    Ok(())
}

fn is_mapping(node: &Node) -> bool {
    matches!(node.value, Value::Mapping(_))
}
