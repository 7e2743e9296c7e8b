//! The way in: text → composed nodes → typed tree.

use tappet_model::Position;

use crate::compose::{Composed, Failure, NodeIndex, RawKind, RawNode, compose};
use crate::error::{YamlError, YamlWarning};
use crate::limits::Limits;
use crate::mapping::{Key, KeyKind, Mapping};
use crate::merge::{MERGE_KEY, Written, merge};
use crate::node::{Node, Value};
use crate::quoted_lines::PaddedLines;
use crate::scalar::Scalar;
use crate::tag::{self, TagRule};
use crate::text::float_text;
use crate::{core, psych};

/// More warnings than anyone reads, so that a hostile file cannot collect them.
const MAX_WARNINGS: usize = 100;

/// Which words have types, and whether `<<` merges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schema {
    /// Ruby's Psych, for GitLab's files: a YAML 1.1 flavour (`yes` is true,
    /// `0755` is 493, `12:30` is 45000) with merge keys.
    Psych,
    /// YAML 1.2's core schema, for workflow files: `on` is a text, `<<` an
    /// ordinary key.
    Core,
}

/// A text as a tree.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// One root for each document; none for a text without content.
    pub documents: Vec<Node>,
    /// Repeated keys, at most 100.
    pub warnings: Vec<YamlWarning>,
}

/// Reads a YAML text. A byte order mark at its start is ignored.
///
/// # Errors
///
/// Malformed YAML, unknown aliases, values of forbidden classes, keys that are
/// collections, and every limit; see [`YamlError`].
pub fn load(text: &str, schema: Schema, limits: &Limits) -> Result<Loaded, YamlError> {
    limits.check_source(text)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut padded = PaddedLines::default();
    let mut padded_text = None;
    loop {
        let text = padded_text.as_deref().unwrap_or(text);
        match compose(text, limits, &padded) {
            Ok(composed) => return build(&composed, schema),
            Err(Failure::Syntax(error)) => match padded.pad(text, &error) {
                Some(text) => padded_text = Some(text),
                None => return Err(Failure::Syntax(error).into_error(&padded)),
            },
            Err(failure) => return Err(failure.into_error(&padded)),
        }
    }
}

fn build(composed: &Composed<'_>, schema: Schema) -> Result<Loaded, YamlError> {
    let mut loader = Loader {
        nodes: &composed.nodes,
        schema,
        warnings: Vec::new(),
        aliases_followed: 0,
    };
    let documents = composed
        .roots
        .iter()
        .map(|&root| loader.node(root))
        .collect::<Result<_, _>>()?;
    Ok(Loaded {
        documents,
        warnings: loader.warnings,
    })
}

struct Loader<'composed, 'text> {
    nodes: &'composed [RawNode<'text>],
    schema: Schema,
    warnings: Vec<YamlWarning>,
    /// Greater than 0 below an alias, where warnings were given before.
    aliases_followed: usize,
}

impl Loader<'_, '_> {
    fn node(&mut self, index: NodeIndex) -> Result<Node, YamlError> {
        let raw = &self.nodes[index];
        if let RawKind::Alias(target) = raw.kind {
            self.aliases_followed += 1;
            let node = self.node(target);
            self.aliases_followed -= 1;
            return node;
        }
        let rule = self.tag_rule(raw)?;
        let value = match &raw.kind {
            RawKind::Scalar { text, plain } => {
                let scalar = self.scalar(text, *plain, rule.as_ref(), raw.position)?;
                scalar_value(scalar, text)
            }
            RawKind::Sequence(items) => Value::Sequence(
                items
                    .iter()
                    .map(|&item| self.node(item))
                    .collect::<Result<_, _>>()?,
            ),
            RawKind::Mapping(children) => Value::Mapping(self.mapping(children)?),
            RawKind::Alias(_) => unreachable!("aliases were followed above"),
        };
        let tag = match rule {
            Some(TagRule::Custom(tag)) => Some(tag),
            _ => None,
        };
        Ok(Node {
            value,
            position: raw.position,
            tag,
        })
    }

    fn mapping(&mut self, children: &[NodeIndex]) -> Result<Mapping, YamlError> {
        let mut mapping = Mapping::new();
        // By entry: where its key was written in this mapping itself.
        let mut written: Vec<Option<Position>> = Vec::new();
        for pair in children.chunks_exact(2) {
            let (raw_key, raw_value) = (pair[0], pair[1]);
            let (key, merges) = self.key(raw_key)?;
            let value = self.node(raw_value)?;
            if merges {
                let form = match self.nodes[raw_value].kind {
                    RawKind::Alias(_) | RawKind::Mapping(_) => Written::Whole,
                    RawKind::Sequence(_) => Written::List,
                    RawKind::Scalar { .. } => Written::Scalar,
                };
                merge(&mut mapping, key, value, form)?;
                written.resize(mapping.len(), None);
                continue;
            }
            let position = key.position;
            let (at, before) = mapping.insert(key, value);
            written.resize(mapping.len(), None);
            if let (Some((dropped, _)), Some(first)) = (before, written[at]) {
                self.warn_repeated(&dropped.text, first, position);
            }
            written[at] = Some(position);
        }
        Ok(mapping)
    }

    /// A key, and whether it is the merge key.
    fn key(&mut self, index: NodeIndex) -> Result<(Key, bool), YamlError> {
        let position = self.nodes[index].position;
        let raw = match self.nodes[index].kind {
            RawKind::Alias(target) => &self.nodes[target],
            _ => &self.nodes[index],
        };
        let RawKind::Scalar { text, plain } = &raw.kind else {
            return Err(YamlError::at(
                position,
                "a mapping or list cannot be a key: put quotes around it if it is text",
            ));
        };
        let rule = self.tag_rule(raw)?;
        let (text, kind) = match self.scalar(text, *plain, rule.as_ref(), position)? {
            Scalar::Null => (String::new(), KeyKind::Null),
            Scalar::Bool(value) => (value.to_string(), KeyKind::Bool),
            Scalar::Int(value) => (value.to_string(), KeyKind::Int),
            Scalar::BigInt(digits) => (digits, KeyKind::Int),
            Scalar::Float(value) => (float_text(value), KeyKind::Float),
            Scalar::Symbol(name) => (name, KeyKind::Symbol),
            Scalar::Text | Scalar::Forbidden(_) => (text.to_string(), KeyKind::String),
        };
        let merges = self.schema == Schema::Psych
            && text == MERGE_KEY
            && kind == KeyKind::String
            && rule != Some(TagRule::Text);
        let key = Key {
            text,
            position,
            kind,
        };
        Ok((key, merges))
    }

    fn tag_rule(&self, raw: &RawNode<'_>) -> Result<Option<TagRule>, YamlError> {
        match raw.tag.as_deref().map(tag::rule) {
            Some(TagRule::Forbidden(class)) => Err(forbidden(&class, raw.position)),
            Some(TagRule::Binary) => Err(YamlError::at(
                raw.position,
                "`!!binary` values are not supported: write the text itself",
            )),
            rule => Ok(rule),
        }
    }

    fn scalar(
        &self,
        text: &str,
        plain: bool,
        rule: Option<&TagRule>,
        position: Position,
    ) -> Result<Scalar, YamlError> {
        let scalar = match rule {
            Some(TagRule::Text) => Scalar::Text,
            Some(TagRule::Symbol) => Scalar::Symbol(text.to_owned()),
            None if !plain => Scalar::Text,
            _ => match self.schema {
                Schema::Psych => psych::resolve(text),
                Schema::Core => core::resolve(text),
            },
        };
        match (scalar, rule) {
            (Scalar::Forbidden(class), _) => Err(forbidden(class, position)),
            (Scalar::Int(value), Some(TagRule::Float)) => Ok(Scalar::Float(value as f64)),
            (scalar, _) => Ok(scalar),
        }
    }

    fn warn_repeated(&mut self, key: &str, first: Position, last: Position) {
        if self.aliases_followed > 0 || self.warnings.len() == MAX_WARNINGS {
            return;
        }
        self.warnings.push(YamlWarning {
            message: format!(
                "key `{key}` is given at line {} column {} and again at line {} column {}: \
                 only the last one counts",
                first.line, first.column, last.line, last.column
            ),
            key: key.to_owned(),
            position: last,
        });
    }
}

fn scalar_value(scalar: Scalar, text: &str) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Int(value) => Value::Int(value),
        Scalar::Float(value) => Value::Float(value),
        Scalar::BigInt(text) | Scalar::Symbol(text) => Value::String(text),
        Scalar::Text | Scalar::Forbidden(_) => Value::String(text.to_owned()),
    }
}

fn forbidden(class: &str, position: Position) -> YamlError {
    YamlError::at(
        position,
        format!("Tried to load unspecified class: {class}"),
    )
}
