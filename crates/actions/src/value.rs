//! Values of the expression language and their coercions.
//!
//! Cloning shares. Arrays and objects are equal only to themselves, so a
//! context has to be built once and then cloned, not built per question.

mod fold;
mod number;
mod object;

use std::sync::Arc;

pub(crate) use fold::{compare_ignoring_case, equal_ignoring_case, folded};
pub use object::Object;

/// A value. GitHub runner: `EvaluationResult`, `ValueKind`.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Also what a missing property is.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// All numbers are floating point, integers too.
    Number(f64),
    /// Text.
    String(Arc<str>),
    /// A list.
    Array(Arc<Array>),
    /// Names to values, in order.
    Object(Arc<Object>),
}

/// The items of a [`Value::Array`].
#[derive(Debug, Default)]
pub struct Array {
    /// The items in order.
    pub items: Vec<Value>,
    /// Whether `.*` made it: then an index is applied to each item.
    pub(crate) filtered: bool,
}

impl Value {
    /// An array of these items.
    pub fn array(items: Vec<Value>) -> Self {
        Self::Array(Arc::new(Array {
            items,
            filtered: false,
        }))
    }

    /// What `.*` makes: an array whose items are indexed one by one.
    pub(crate) fn filtered(items: Vec<Value>) -> Self {
        Self::Array(Arc::new(Array {
            items,
            filtered: true,
        }))
    }

    /// `Null`, `Boolean`, `Number`, `String`, `Array` or `Object`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Bool(_) => "Boolean",
            Self::Number(_) => "Number",
            Self::String(_) => "String",
            Self::Array(_) => "Array",
            Self::Object(_) => "Object",
        }
    }

    /// False for null, false, 0, NaN and empty text; true for all else, also
    /// for `'false'` and for empty arrays and objects.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::String(value) => !value.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// The text that a value becomes inside text: numbers with fifteen digits,
    /// null as nothing, arrays and objects as their kind.
    pub fn to_text(&self) -> Arc<str> {
        match self {
            Self::Null => Arc::from(""),
            Self::Bool(true) => Arc::from("true"),
            Self::Bool(false) => Arc::from("false"),
            Self::Number(value) => number::to_text(*value).into(),
            Self::String(value) => Arc::clone(value),
            Self::Array(_) | Self::Object(_) => Arc::from(self.kind()),
        }
    }

    /// The number that a value becomes where one is needed. Text follows
    /// JavaScript: trimmed, empty is 0, what is no number is NaN.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null | Self::Bool(false) => 0.0,
            Self::Bool(true) => 1.0,
            Self::Number(value) => *value,
            Self::String(value) => number::parse(value),
            Self::Array(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// Whether it is neither array nor object.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// A property of an object; null when there is none or this is no object.
    pub fn get(&self, key: &str) -> Value {
        match self {
            Self::Object(object) => object.get(key).cloned().unwrap_or_default(),
            _ => Self::Null,
        }
    }

    /// The text, when this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// As JSON. Numbers that JSON has no form for become text (`NaN`,
    /// `Infinity`, `-Infinity`), whole ones have no fraction.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(value) => number::to_json(*value),
            Self::String(value) => serde_json::Value::String(value.to_string()),
            Self::Array(array) => array.items.iter().map(Self::to_json).collect(),
            Self::Object(object) => object
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_json()))
                .collect(),
        }
    }
}

/// Reads a number literal or a text where a number is needed.
pub(crate) fn parse_number(text: &str) -> f64 {
    number::parse(text)
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::String(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(Arc::new(value))
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(value) => Self::Number(value.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(value) => value.into(),
            serde_json::Value::Array(items) => {
                Self::array(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(entries) => entries
                .into_iter()
                .map(|(key, value)| (key, Self::from(value)))
                .collect::<Object>()
                .into(),
        }
    }
}
