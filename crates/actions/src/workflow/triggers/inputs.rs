//! Inputs of `workflow_dispatch` and `workflow_call`.

use tappet_model::Position;
use tappet_yaml::{Node, Value as Scalar};

use crate::Value;
use crate::expression::scope;
use crate::source::entry::{Entry, Keys, items, plain, unexpected};
use crate::source::report::Report;
use crate::source::tree::{Tree, check_template};

/// An input that a workflow asks for.
#[derive(Clone, Debug)]
pub struct Input {
    /// As written.
    pub name: String,
    /// For people.
    pub description: String,
    /// What its value is.
    pub kind: InputKind,
    /// Whether it has to be given.
    pub required: bool,
    /// Its value when it is not given; of a `workflow_call` it may hold `${{ }}`.
    pub default: Option<Value>,
    /// What a choice may be.
    pub options: Vec<String>,
}

/// What the value of an [`Input`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputKind {
    /// Any text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// One of the options.
    Choice,
    /// The name of an environment.
    Environment,
}

impl InputKind {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Choice => "choice",
            Self::Environment => "environment",
        }
    }
}

/// Whose inputs are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Dispatch,
    Call,
}

impl Owner {
    fn kinds(self) -> &'static [InputKind] {
        use InputKind::{Boolean, Choice, Environment, Number, String};
        match self {
            Self::Dispatch => &[String, Boolean, Number, Choice, Environment],
            Self::Call => &[String, Boolean, Number],
        }
    }

    fn keys(self) -> Keys {
        match self {
            Self::Dispatch => Keys {
                now: &["description", "type", "required", "default", "options"],
                later: &[],
                required: &[],
            },
            Self::Call => Keys {
                now: &["description", "type", "required", "default"],
                later: &[],
                required: &["type"],
            },
        }
    }
}

/// Reads `inputs`.
pub(super) fn read(node: &Node, owner: Owner, report: &mut Report) -> Vec<Input> {
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
            // `@actions/workflow-parser` refuses an input without anything below
            // it; GitHub itself takes it as a text.
            if value.is_null() && owner == Owner::Dispatch {
                return Some(text_input(&key.text));
            }
            read_one(&key.text, value, owner, report)
        })
        .collect()
}

fn text_input(name: &str) -> Input {
    Input {
        name: name.to_owned(),
        description: String::new(),
        kind: InputKind::String,
        required: false,
        default: None,
        options: Vec::new(),
    }
}

fn read_one(name: &str, node: &Node, owner: Owner, report: &mut Report) -> Option<Input> {
    let entry = Entry::with_keys(node, &owner.keys(), report)?;
    let mut input = text_input(name);
    input.description = entry.plain("description", report).unwrap_or_default();
    input.required = entry.flag("required", report);
    if let Some(word) = entry.plain("type", report) {
        match owner.kinds().iter().find(|kind| kind.as_str() == word) {
            Some(kind) => input.kind = *kind,
            None => report.error(
                value_position(&entry, "type"),
                format!("Unexpected value '{word}'"),
            ),
        }
    }
    if let Some(options) = entry.get("options") {
        input.options = items(options, report)
            .iter()
            .filter_map(|item| plain(item, report))
            .collect();
        if input.kind != InputKind::Choice {
            report.error(
                entry.key_position("options"),
                "Input type is not 'choice', but 'options' is defined",
            );
        }
    }
    if input.kind == InputKind::Choice && input.options.is_empty() {
        report.error(node.position, "Missing 'options' for choice input");
    }
    input.default = entry
        .get("default")
        .and_then(|node| default(&input, node, owner, report));
    Some(input)
}

fn default(input: &Input, node: &Node, owner: Owner, report: &mut Report) -> Option<Value> {
    if let Some(text) = node.as_str().filter(|text| text.contains("${{")) {
        match owner {
            Owner::Call => {
                check_template(text, node.position, &scope::WORKFLOW, report);
                return Some(Value::from(text));
            }
            Owner::Dispatch => {
                plain(node, report);
                return None;
            }
        }
    }
    let fits = match (input.kind, &node.value) {
        (_, Scalar::Sequence(_) | Scalar::Mapping(_)) => false,
        // An empty default says that there is none.
        (_, Scalar::Null) => return None,
        (InputKind::Boolean, Scalar::Bool(_))
        | (InputKind::Number, Scalar::Int(_) | Scalar::Float(_)) => true,
        (InputKind::Boolean, Scalar::String(text)) => matches!(text.as_str(), "true" | "false"),
        (InputKind::Number, Scalar::String(text)) => text.parse::<f64>().is_ok(),
        (InputKind::Boolean | InputKind::Number, _) => false,
        (InputKind::String | InputKind::Choice | InputKind::Environment, _) => true,
    };
    if !fits {
        unexpected(node, report);
        return None;
    }
    let value = Tree::read(node, &scope::WORKFLOW, report).to_value();
    let value = typed(input.kind, &value.to_text())?;
    let is_option = |text: &str| input.options.iter().any(|option| option == text);
    if input.kind == InputKind::Choice && !is_option(&value.to_text()) {
        report.error(
            node.position,
            format!(
                "The default '{}' is not one of the options: {}",
                value.to_text(),
                input.options.join(", ")
            ),
        );
    }
    Some(value)
}

/// A text as the value of an input; none when it is not of that kind.
pub(in crate::workflow) fn typed(kind: InputKind, text: &str) -> Option<Value> {
    match kind {
        InputKind::Boolean => match text {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        InputKind::Number => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Value::Number),
        InputKind::String | InputKind::Choice | InputKind::Environment => Some(Value::from(text)),
    }
}

fn value_position(entry: &Entry<'_>, name: &str) -> Position {
    entry.get(name).map_or(entry.position, |node| node.position)
}
