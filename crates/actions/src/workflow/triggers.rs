//! `on`: which events start a workflow.

mod inputs;
mod known_events;
mod matches;
mod schedule;

use tappet_model::Position;
use tappet_yaml::{Mapping, Node};

use crate::expression::scope;
use crate::source::entry::{Entry, Keys, filled, filled_list, unexpected};
use crate::source::report::Report;
use crate::workflow::pattern::Patterns;

pub(in crate::workflow) use inputs::typed;
pub use inputs::{Input, InputKind};
use known_events::{KnownEvent, known_event};
pub use matches::Occurrence;
pub use schedule::Schedule;

/// The events that start a workflow.
#[derive(Clone, Debug, Default)]
pub struct Triggers {
    events: Vec<Trigger>,
    /// When it starts by itself.
    pub schedules: Vec<Schedule>,
    /// Inputs of `workflow_dispatch`; none: nobody may dispatch it.
    pub dispatch: Option<Vec<Input>>,
    /// Inputs of `workflow_call`; none: no workflow may call it.
    pub call: Option<Vec<Input>>,
}

/// One event with its filters.
#[derive(Clone, Debug)]
struct Trigger {
    event: &'static KnownEvent,
    /// None: the event's defaults.
    types: Option<Vec<String>>,
    branches: Option<Filter>,
    tags: Option<Filter>,
    paths: Option<Filter>,
    /// Of `workflow_run`: names of workflows.
    workflows: Option<Patterns>,
}

/// A filter or its opposite; a file may give only one of the two.
#[derive(Clone, Debug)]
enum Filter {
    Only(Patterns),
    Ignore(Patterns),
}

/// Reads `on`.
pub(super) fn read(node: &Node, report: &mut Report) -> Triggers {
    let mut triggers = Triggers::default();
    if let Some(mapping) = node.as_mapping() {
        for (key, value) in mapping.iter() {
            if let Some(event) = event(&key.text, key.position, report) {
                triggers.add(event, Some(value), report);
            }
        }
        if mapping.is_empty() {
            report.error(node.position, "No event triggers defined in `on`");
        }
        return triggers;
    }
    let names = match node.as_sequence() {
        Some(items) => items,
        None => std::slice::from_ref(node),
    };
    for item in names {
        if let Some(name) = filled(item, report)
            && let Some(event) = event(&name, item.position, report)
        {
            triggers.add(event, None, report);
        }
    }
    if names.is_empty() {
        report.error(node.position, "No event triggers defined in `on`");
    }
    triggers
}

fn event(name: &str, position: Position, report: &mut Report) -> Option<&'static KnownEvent> {
    let event = known_event(name);
    if event.is_none() {
        report.error(position, format!("Unexpected value '{name}'"));
    }
    event
}

impl Triggers {
    fn add(&mut self, event: &'static KnownEvent, node: Option<&Node>, report: &mut Report) {
        match (event.name, node) {
            ("schedule", Some(node)) => self.schedules = schedule::read(node, report),
            ("workflow_dispatch", node) => self.dispatch = Some(dispatch(node, report)),
            ("workflow_call", node) => self.call = Some(call(node, report)),
            _ => {}
        }
        let has_filters = event.types.is_some() || !event.filters.is_empty();
        let filters = node.filter(|_| has_filters && !is_special(event));
        if let Some(node) = node
            && !has_filters
            && !is_special(event)
            && !node.is_null()
        {
            unexpected(node, report);
        }
        let mut trigger = Trigger {
            event,
            types: None,
            branches: None,
            tags: None,
            paths: None,
            workflows: None,
        };
        if let Some(node) = filters.filter(|node| !node.is_null())
            && let Some(entry) = Entry::of(node, report)
        {
            trigger.read_filters(&entry, report);
        }
        self.events.push(trigger);
    }
}

fn is_special(event: &KnownEvent) -> bool {
    matches!(
        event.name,
        "schedule" | "workflow_dispatch" | "workflow_call"
    )
}

impl Trigger {
    fn read_filters(&mut self, entry: &Entry<'_>, report: &mut Report) {
        for key in entry.mapping.keys() {
            let name = key.text.as_str();
            let is_known = self.event.filters.contains(&name)
                || (name == "types" && self.event.types.is_some());
            if !is_known {
                report.error(key.position, format!("Unexpected value '{name}'"));
            }
        }
        self.types = self.read_types(entry.mapping, report);
        self.branches = self.filter(entry, "branches", "branches-ignore", report);
        self.tags = self.filter(entry, "tags", "tags-ignore", report);
        self.paths = self.filter(entry, "paths", "paths-ignore", report);
        self.workflows = self.patterns(entry, "workflows", report);
    }

    fn read_types(&self, mapping: &Mapping, report: &mut Report) -> Option<Vec<String>> {
        let known = self.event.types?;
        let types = filled_list(mapping.get("types")?, report);
        // Those of a `repository_dispatch` are the sender's own words.
        for (name, position) in &types {
            if !known.is_empty() && !known.contains(&name.as_str()) {
                report.error(*position, format!("Unexpected value '{name}'"));
            }
        }
        Some(types.into_iter().map(|(name, _)| name).collect())
    }

    fn filter(
        &self,
        entry: &Entry<'_>,
        only: &str,
        ignore: &str,
        report: &mut Report,
    ) -> Option<Filter> {
        let filter = self.patterns(entry, only, report).map(Filter::Only);
        let ignored = self.patterns(entry, ignore, report).map(Filter::Ignore);
        if filter.is_some() && ignored.is_some() {
            report.error(
                entry.key_position(ignore),
                format!(
                    "you may only define one of `{only}` and `{ignore}` for a single event: write what to \
                     leave out as a pattern with `!` in `{only}`"
                ),
            );
        }
        filter.or(ignored)
    }

    fn patterns(&self, entry: &Entry<'_>, name: &str, report: &mut Report) -> Option<Patterns> {
        if !self.event.filters.contains(&name) {
            return None;
        }
        let texts = filled_list(entry.get(name)?, report);
        let mut patterns = Patterns::default();
        for (text, position) in texts {
            if let Err(reason) = patterns.push(&text) {
                report.error(position, format!("Invalid pattern '{text}': {reason}"));
            }
        }
        Some(patterns)
    }
}

const DISPATCH: Keys = Keys {
    now: &["inputs"],
    later: &[],
    required: &[],
};

fn dispatch(node: Option<&Node>, report: &mut Report) -> Vec<Input> {
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return Vec::new();
    };
    let inputs = Entry::with_keys(node, &DISPATCH, report)
        .and_then(|entry| entry.get("inputs"))
        .filter(|inputs| !inputs.is_null());
    inputs.map_or_else(Vec::new, |inputs| {
        inputs::read(inputs, inputs::Owner::Dispatch, report)
    })
}

const CALL: Keys = Keys {
    now: &["inputs", "outputs", "secrets"],
    later: &[],
    required: &[],
};

const CALL_OUTPUT: Keys = Keys {
    now: &["description", "value"],
    later: &[],
    required: &["value"],
};

const CALL_SECRET: Keys = Keys {
    now: &["description", "required"],
    later: &[],
    required: &[],
};

/// What callers see. Nothing calls a workflow yet, so outputs and secrets are
/// only checked.
fn call(node: Option<&Node>, report: &mut Report) -> Vec<Input> {
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return Vec::new();
    };
    let Some(entry) = Entry::with_keys(node, &CALL, report) else {
        return Vec::new();
    };
    let below = |name: &str, report: &mut Report| {
        let node = entry.get(name).filter(|node| !node.is_null())?;
        Entry::of(node, report)
    };
    if let Some(outputs) = below("outputs", report) {
        for output in outputs.mapping.values() {
            if let Some(entry) = Entry::with_keys(output, &CALL_OUTPUT, report) {
                entry.plain("description", report);
                entry.text("value", &scope::WORKFLOW_OUTPUTS, report);
            }
        }
    }
    if let Some(secrets) = below("secrets", report) {
        for secret in secrets.mapping.values().filter(|secret| !secret.is_null()) {
            if let Some(entry) = Entry::with_keys(secret, &CALL_SECRET, report) {
                entry.plain("description", report);
                entry.flag("required", report);
            }
        }
    }
    match entry.get("inputs").filter(|inputs| !inputs.is_null()) {
        Some(inputs) => inputs::read(inputs, inputs::Owner::Call, report),
        None => Vec::new(),
    }
}
