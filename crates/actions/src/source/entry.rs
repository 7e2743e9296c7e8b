//! A mapping of the file that is being read, with readers for its values.
//!
//! The readers put what is wrong into the report, in GitHub's words, and then
//! answer `None`. A null counts as the empty text, as at GitHub.

use tappet_model::Position;
use tappet_model::workflow_job::Setting;
use tappet_yaml::{Mapping, Node, Value};

use crate::Scope;
use crate::source::report::Report;
use crate::source::tree::{Tree, check_template, refuse_template, scalar_text};

/// The keys of one place.
pub(crate) struct Keys {
    /// Done.
    pub(crate) now: &'static [&'static str],
    /// GitHub's, refused until a later version, and what works instead.
    pub(crate) later: &'static [(&'static str, &'static str)],
    /// What may not be missing.
    pub(crate) required: &'static [&'static str],
}

impl Keys {
    /// Whether GitHub has the key at this place.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.now.contains(&name) || self.later.iter().any(|(later, _)| *later == name)
    }
}

/// A mapping and its place.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) mapping: &'a Mapping,
    pub(crate) position: Position,
}

impl<'a> Entry<'a> {
    /// The mapping that a node has to be.
    pub(crate) fn of(node: &'a Node, report: &mut Report) -> Option<Self> {
        match node.as_mapping() {
            Some(mapping) => Some(Self {
                mapping,
                position: node.position,
            }),
            None => {
                unexpected(node, report);
                None
            }
        }
    }

    /// The mapping that a node has to be, with no other keys than these.
    pub(crate) fn with_keys(node: &'a Node, keys: &Keys, report: &mut Report) -> Option<Self> {
        let entry = Self::of(node, report)?;
        entry.check_keys(keys, report);
        Some(entry)
    }

    /// Reports keys that nobody knows, that are not supported yet, and that are
    /// missing.
    pub(crate) fn check_keys(&self, keys: &Keys, report: &mut Report) {
        for key in self.mapping.keys() {
            let name = key.text.as_str();
            if keys.now.contains(&name) {
                continue;
            }
            match keys.later.iter().find(|(later, _)| *later == name) {
                Some((_, instead)) => report.unsupported(key.position, name, instead),
                None => report.error(key.position, format!("Unexpected value '{name}'")),
            }
        }
        for name in keys.required {
            if !self.mapping.contains_key(name) {
                report.error(
                    self.position,
                    format!("Required property is missing: {name}"),
                );
            }
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Node> {
        self.mapping.get(name)
    }

    /// Where a key stands.
    pub(crate) fn key_position(&self, name: &str) -> Position {
        self.mapping
            .key(name)
            .map_or(self.position, |key| key.position)
    }

    /// A text without expressions.
    pub(crate) fn plain(&self, name: &str, report: &mut Report) -> Option<String> {
        plain(self.get(name)?, report)
    }

    /// A text without expressions that is not empty.
    pub(crate) fn filled(&self, name: &str, report: &mut Report) -> Option<String> {
        filled(self.get(name)?, report)
    }

    /// A text that may hold the expressions that `scope` allows.
    pub(crate) fn text(
        &self,
        name: &str,
        scope: &dyn Scope,
        report: &mut Report,
    ) -> Option<String> {
        text(self.get(name)?, scope, report)
    }

    /// A text to be evaluated later.
    pub(crate) fn text_tree(
        &self,
        name: &str,
        scope: &dyn Scope,
        report: &mut Report,
    ) -> Option<Tree> {
        let node = self.get(name)?;
        text(node, scope, report)?;
        Some(Tree::read(node, scope, &mut Report::default()))
    }

    /// A truth value or an expression.
    pub(crate) fn boolean(
        &self,
        name: &str,
        scope: &dyn Scope,
        report: &mut Report,
    ) -> Option<Tree> {
        let is_literal = |node: &Node| node.as_bool().is_some();
        self.typed(name, scope, report, is_literal)
    }

    /// A number or an expression.
    pub(crate) fn number(
        &self,
        name: &str,
        scope: &dyn Scope,
        report: &mut Report,
    ) -> Option<Tree> {
        let is_literal = |node: &Node| matches!(node.value, Value::Int(_) | Value::Float(_));
        self.typed(name, scope, report, is_literal)
    }

    fn typed(
        &self,
        name: &str,
        scope: &dyn Scope,
        report: &mut Report,
        is_literal: impl Fn(&Node) -> bool,
    ) -> Option<Tree> {
        let node = self.get(name)?;
        if is_literal(node) || node.as_str().is_some_and(|text| text.contains("${{")) {
            return Some(Tree::read(node, scope, report));
        }
        unexpected(node, report);
        None
    }

    /// A truth value and nothing else; absent is false.
    pub(crate) fn flag(&self, name: &str, report: &mut Report) -> bool {
        let Some(node) = self.get(name) else {
            return false;
        };
        node.as_bool().unwrap_or_else(|| {
            unexpected(node, report);
            false
        })
    }

    /// Names with texts: `env`, `with`, `outputs`.
    pub(crate) fn settings(
        &self,
        name: &str,
        scope: &dyn Scope,
        report: &mut Report,
    ) -> Vec<Setting> {
        let Some(node) = self.get(name) else {
            return Vec::new();
        };
        if let Some(whole) = node.as_str()
            && whole.contains("${{")
        {
            report.unsupported(
                node.position,
                &format!("{name}: {whole}"),
                "write its names and values one by one",
            );
            return Vec::new();
        }
        let Some(entry) = Entry::of(node, report) else {
            return Vec::new();
        };
        entry
            .mapping
            .iter()
            .filter_map(|(key, value)| {
                if key.text.is_empty() {
                    report.error(key.position, "Unexpected value ''");
                }
                refuse_template(&key.text, key.position, report);
                Some(Setting {
                    name: key.text.clone(),
                    value: text(value, scope, report)?,
                })
            })
            .collect()
    }
}

/// That another kind of value is wanted here.
pub(crate) fn unexpected(node: &Node, report: &mut Report) {
    let message = match &node.value {
        Value::Sequence(_) => "A sequence was not expected".to_owned(),
        Value::Mapping(_) => "A mapping was not expected".to_owned(),
        _ => format!("Unexpected value '{}'", scalar_text(node)),
    };
    report.error(node.position, message);
}

/// A scalar as text.
fn scalar(node: &Node, report: &mut Report) -> Option<String> {
    if matches!(node.value, Value::Sequence(_) | Value::Mapping(_)) {
        unexpected(node, report);
        return None;
    }
    Some(scalar_text(node))
}

/// A text that may hold the expressions that `scope` allows.
pub(crate) fn text(node: &Node, scope: &dyn Scope, report: &mut Report) -> Option<String> {
    let text = scalar(node, report)?;
    check_template(&text, node.position, scope, report);
    Some(text)
}

/// A text without expressions.
pub(crate) fn plain(node: &Node, report: &mut Report) -> Option<String> {
    let text = scalar(node, report)?;
    (!refuse_template(&text, node.position, report)).then_some(text)
}

/// A text without expressions that is not empty.
pub(crate) fn filled(node: &Node, report: &mut Report) -> Option<String> {
    let text = plain(node, report)?;
    if text.is_empty() {
        unexpected(node, report);
        return None;
    }
    Some(text)
}

/// One text or a list of them, none empty, each with its place.
pub(crate) fn filled_list(node: &Node, report: &mut Report) -> Vec<(String, Position)> {
    match node.as_sequence() {
        Some(items) => items
            .iter()
            .filter_map(|item| Some((filled(item, report)?, item.position)))
            .collect(),
        None => filled(node, report)
            .map(|text| (text, node.position))
            .into_iter()
            .collect(),
    }
}

/// The items of a list.
pub(crate) fn items<'a>(node: &'a Node, report: &mut Report) -> &'a [Node] {
    node.as_sequence().unwrap_or_else(|| {
        unexpected(node, report);
        &[]
    })
}
