//! `action.yml` of a composite action.
//!
//! GitHub: `action-v1.0.json`. Actions in JavaScript and Docker are refused by
//! name.

use tappet_model::Diagnostic;
use tappet_model::workflow_job::{Setting, WorkflowStep};
use tappet_yaml::{Node, Value};

use crate::expression::scope;
use crate::source::document;
use crate::source::entry::{Entry, Keys};
use crate::source::report::Report;
use crate::workflow::defaults::Defaults;
use crate::workflow::steps::{self, StepPlace};

/// A composite action.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Action {
    /// For people.
    pub name: String,
    /// What its steps may ask for.
    pub inputs: Vec<ActionInput>,
    /// What its caller may read, evaluated after its last step.
    pub outputs: Vec<Setting>,
    /// In order; each `run` names its shell.
    pub steps: Vec<WorkflowStep>,
    /// What the author should know although the file is valid.
    pub warnings: Vec<Diagnostic>,
}

/// An input of an action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionInput {
    /// As written.
    pub name: String,
    /// Said by the author; GitHub runs the action without it all the same.
    pub required: bool,
    /// Its value when it is not given; it may hold `${{ }}`.
    pub default: Option<String>,
    /// What whoever gives it is to be told.
    pub deprecation_message: Option<String>,
}

const IN_ACTION: StepPlace = StepPlace {
    condition: &scope::ACTION_STEP_IF,
    scope: &scope::ACTION_STEP,
    is_composite: true,
};

const KEYS: Keys = Keys {
    now: &[
        "name",
        "author",
        "description",
        "inputs",
        "outputs",
        "runs",
        "branding",
    ],
    later: &[],
    required: &["runs"],
};

const OUTPUT: Keys = Keys {
    now: &["description", "value"],
    later: &[],
    required: &["value"],
};

const RUNS: Keys = Keys {
    now: &["using", "steps"],
    later: &[],
    required: &["using", "steps"],
};

const INSTEAD: &str =
    "write the action as a composite one (`using: composite`), or call its program in a `run` step";

/// Reads an `action.yml`.
///
/// # Errors
///
/// At most ten problems in file order, in GitHub's words where GitHub has some.
pub fn parse(text: &str) -> Result<Action, Vec<Diagnostic>> {
    let mut report = Report::default();
    let action = document::read(text, &mut report)
        .and_then(|root| Some(read(&Entry::of(&root, &mut report)?, &mut report)));
    let warnings = report.into_result()?;
    let mut action = action.expect("a file without errors has an action in it");
    action.warnings = warnings;
    Ok(action)
}

fn read(root: &Entry<'_>, report: &mut Report) -> Action {
    root.check_keys(&KEYS, report);
    root.plain("author", report);
    root.plain("description", report);
    let name = root.plain("name", report).unwrap_or_default();
    let below = |name: &str, report: &mut Report| {
        let node = root.get(name).filter(|node| !node.is_null())?;
        Entry::of(node, report)
    };
    let inputs = below("inputs", report).map_or_else(Vec::new, |inputs| {
        let inputs = inputs.mapping.iter();
        inputs
            .filter_map(|(key, node)| input(&key.text, node, report))
            .collect()
    });
    let outputs = below("outputs", report).map_or_else(Vec::new, |outputs| {
        let outputs = outputs.mapping.iter();
        outputs
            .filter_map(|(key, node)| output(&key.text, node, report))
            .collect()
    });
    let steps = root
        .get("runs")
        .and_then(|node| runs(node, report))
        .unwrap_or_default();
    Action {
        name,
        inputs,
        outputs,
        steps,
        warnings: Vec::new(),
    }
}

/// GitHub allows other keys in an input, and they do nothing.
fn input(name: &str, node: &Node, report: &mut Report) -> Option<ActionInput> {
    let mut input = ActionInput {
        name: name.to_owned(),
        required: false,
        default: None,
        deprecation_message: None,
    };
    if node.is_null() {
        return Some(input);
    }
    let entry = Entry::of(node, report)?;
    const KNOWN: &[&str] = &["description", "required", "default", "deprecationMessage"];
    for key in entry.mapping.keys() {
        if !KNOWN.contains(&key.text.as_str()) {
            report.warn(
                key.position,
                format!("`{}` of an action's input has no effect", key.text),
            );
        }
    }
    entry.plain("description", report);
    input.required = match entry.get("required").map(|node| &node.value) {
        Some(Value::String(word)) if word == "true" => true,
        Some(Value::String(word)) if word == "false" => false,
        _ => entry.flag("required", report),
    };
    input.default = entry.text("default", &scope::ACTION_INPUT, report);
    input.deprecation_message = entry.plain("deprecationMessage", report);
    Some(input)
}

fn output(name: &str, node: &Node, report: &mut Report) -> Option<Setting> {
    let entry = Entry::with_keys(node, &OUTPUT, report)?;
    entry.plain("description", report);
    Some(Setting {
        name: name.to_owned(),
        value: entry.text("value", &scope::ACTION_OUTPUT, report)?,
    })
}

fn runs(node: &Node, report: &mut Report) -> Option<Vec<WorkflowStep>> {
    let entry = Entry::of(node, report)?;
    if let Some(using) = entry.get("using") {
        let word = entry.filled("using", report)?;
        match word.as_str() {
            "composite" => {}
            "docker" | "node12" | "node16" | "node20" | "node24" => {
                report.unsupported(using.position, &format!("using: {word}"), INSTEAD);
                return None;
            }
            _ => {
                report.error(using.position, format!("Unexpected value '{word}'"));
                return None;
            }
        }
    }
    entry.check_keys(&RUNS, report);
    let steps = entry.get("steps")?;
    Some(steps::read(steps, &IN_ACTION, &Defaults::default(), report))
}
