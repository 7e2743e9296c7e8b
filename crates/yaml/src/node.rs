//! A node of the tree: a value, its place and its tag.

use tappet_model::Position;

use crate::mapping::Mapping;
use crate::text::float_text;

/// A value with its place in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it starts; for a tagged node, where its tag starts. An alias puts
    /// the place of what it stands for.
    pub position: Position,
    /// A tag that is not YAML's own, as written: `!reference`.
    pub tag: Option<String>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `~`, `null`, or nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of 64 bits. A larger one is kept as the string of its digits.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A text; a Psych symbol is one too, without its colon.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values.
    Mapping(Mapping),
}

impl Node {
    /// An untagged node.
    pub fn new(value: Value, position: Position) -> Self {
        Self {
            value,
            position,
            tag: None,
        }
    }

    /// A null.
    pub fn null(position: Position) -> Self {
        Self::new(Value::Null, position)
    }

    /// A truth value.
    pub fn bool(value: bool, position: Position) -> Self {
        Self::new(Value::Bool(value), position)
    }

    /// An integer.
    pub fn int(value: i64, position: Position) -> Self {
        Self::new(Value::Int(value), position)
    }

    /// A text.
    pub fn string(text: impl Into<String>, position: Position) -> Self {
        Self::new(Value::String(text.into()), position)
    }

    /// A list.
    pub fn sequence(items: Vec<Node>, position: Position) -> Self {
        Self::new(Value::Sequence(items), position)
    }

    /// Keys and values.
    pub fn mapping(mapping: Mapping, position: Position) -> Self {
        Self::new(Value::Mapping(mapping), position)
    }

    /// What GitLab's messages call this kind of value.
    pub fn kind_name(&self) -> &'static str {
        match self.value {
            Value::Null => "nil",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Float(_) => "float",
            Value::String(_) => "string",
            Value::Sequence(_) => "array",
            Value::Mapping(_) => "hash",
        }
    }

    /// Whether this is a null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The mapping.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The mapping, to change it.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer.
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Ruby's `to_s` of a scalar (`true` → `true`, `0755` → `493`, `1.10` →
    /// `1.1`, null → empty); none for a list or mapping.
    pub fn to_text(&self) -> Option<String> {
        match &self.value {
            Value::Null => Some(String::new()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::Float(value) => Some(float_text(*value)),
            Value::String(text) => Some(text.clone()),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }
}

/// The same value under the same tag, at any place.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag && self.value == other.value
    }
}
