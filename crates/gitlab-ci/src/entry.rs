//! A mapping of the file that is being validated, with readers for its keys.
//!
//! A key whose value is null counts as absent everywhere, as in GitLab. The
//! readers put what is wrong into the report and then answer `None`.

use tappet_model::Position;
use tappet_yaml::{Mapping, Node};

use crate::keywords::Keys;
use crate::validation::{Location, Report};

/// A mapping and its place.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) location: &'a Location<'a>,
    pub(crate) mapping: &'a Mapping,
    /// Where errors about the whole entry point.
    pub(crate) position: Position,
}

/// One key of an [`Entry`].
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// Where the key stands.
    pub(crate) position: Position,
    /// Its value, never null.
    pub(crate) node: &'a Node,
}

/// The key of a mapping, if it is there and not null.
pub(crate) fn field<'a>(mapping: &'a Mapping, name: &str) -> Option<Field<'a>> {
    let node = mapping.get(name).filter(|node| !node.is_null())?;
    let position = mapping.key(name).map_or(node.position, |key| key.position);
    Some(Field { position, node })
}

/// The texts of a list that holds nothing else.
pub(crate) fn strings(node: &Node) -> Option<Vec<String>> {
    node.as_sequence()?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// A list of integers, or one.
pub(crate) fn integers(node: &Node) -> Option<Vec<i32>> {
    let integer = |node: &Node| node.as_int().and_then(|value| i32::try_from(value).ok());
    match node.as_sequence() {
        Some(items) => items.iter().map(integer).collect(),
        None => integer(node).map(|value| vec![value]),
    }
}

impl<'a> Entry<'a> {
    /// The value of a key that is present and not null.
    pub(crate) fn get(&self, name: &str) -> Option<Field<'a>> {
        field(self.mapping, name)
    }

    /// Reports `text` about the whole entry.
    pub(crate) fn invalid(&self, report: &mut Report, text: impl std::fmt::Display) {
        report.invalid(self.position, self.location, text);
    }

    /// Reports `text` about one key, whose name is written in words.
    pub(crate) fn invalid_key(
        &self,
        report: &mut Report,
        position: Position,
        name: &str,
        text: &str,
    ) {
        let words = name.replace('_', " ");
        report.invalid(position, self.location, format_args!("{words} {text}"));
    }

    /// Reports keys that nobody knows and keys that are not supported yet.
    /// False when GitLab would refuse the entry.
    pub(crate) fn check_keys(&self, keys: &Keys, report: &mut Report) -> bool {
        let mut unknown: Vec<&str> = Vec::new();
        let mut first_unknown = self.position;
        for (key, node) in self.mapping.iter() {
            let name = key.text.as_str();
            if keys.now.contains(&name) {
                continue;
            }
            if keys.later.contains(&name) {
                if !node.is_null() {
                    report.unsupported(key.position, Some(self.location), name);
                }
                continue;
            }
            if unknown.is_empty() {
                first_unknown = key.position;
            }
            unknown.push(name);
        }
        if unknown.is_empty() {
            return true;
        }
        let text = format!("config contains unknown keys: {}", unknown.join(", "));
        report.invalid(first_unknown, self.location, text);
        false
    }

    /// A text.
    pub(crate) fn string(&self, name: &str, report: &mut Report) -> Option<String> {
        self.read(name, "should be a string", report, |node| {
            node.as_str().map(str::to_owned)
        })
    }

    /// A truth value.
    pub(crate) fn boolean(&self, name: &str, report: &mut Report) -> Option<bool> {
        self.read(name, "should be a boolean value", report, Node::as_bool)
    }

    /// A list of texts.
    pub(crate) fn strings(&self, name: &str, report: &mut Report) -> Option<Vec<String>> {
        self.read(name, "should be an array of strings", report, strings)
    }

    /// A list of integers or one integer.
    pub(crate) fn integers(&self, name: &str, report: &mut Report) -> Option<Vec<i32>> {
        let expected = "should be an array of integers or an integer";
        self.read(name, expected, report, integers)
    }

    /// One of the `words`.
    pub(crate) fn one_of(
        &self,
        name: &str,
        words: &[&str],
        report: &mut Report,
    ) -> Option<&'a str> {
        let field = self.get(name)?;
        let word = field.node.as_str().filter(|word| words.contains(word));
        if word.is_none() {
            let text = format!("should be one of: {}", words.join(", "));
            self.invalid_key(report, field.position, name, &text);
        }
        word
    }

    /// A value of the kind that `convert` knows; `expected` says which.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        expected: &str,
        report: &mut Report,
        convert: impl Fn(&Node) -> Option<T>,
    ) -> Option<T> {
        let field = self.get(name)?;
        let value = convert(field.node);
        if value.is_none() {
            self.invalid_key(report, field.position, name, expected);
        }
        value
    }
}
