//! `steps` of a job or of a composite action.

use tappet_model::workflow_job::{StepAction, WorkflowStep};
use tappet_yaml::Node;

use crate::Scope;
use crate::expression::scope;
use crate::source::entry::{Entry, Keys, items};
use crate::source::identifier::Identifiers;
use crate::source::report::Report;
use crate::source::tree::Tree;
use crate::workflow::defaults::Defaults;
use crate::workflow::{condition, patch_step, used_action};

/// Where steps stand.
pub(crate) struct StepPlace {
    /// What `if` may use.
    pub(crate) condition: &'static dyn Scope,
    /// What every other key may use.
    pub(crate) scope: &'static dyn Scope,
    /// `run` has to name its shell, which may be an expression, and no step has
    /// a time limit of its own.
    pub(crate) is_composite: bool,
}

/// A job's steps.
pub(crate) const IN_JOB: StepPlace = StepPlace {
    condition: &scope::STEP_IF,
    scope: &scope::STEP,
    is_composite: false,
};

const LATER: &[(&str, &str)] = &[
    (
        "background",
        "start the command with `&` and wait for it in the same script",
    ),
    (
        "wait",
        "steps run one after another, so there is nothing to wait for",
    ),
    (
        "wait-all",
        "steps run one after another, so there is nothing to wait for",
    ),
    ("cancel", "stop the process in the script that started it"),
    (
        "parallel",
        "put the steps into jobs of their own, which run side by side",
    ),
];

const RUN: Keys = Keys {
    now: &[
        "run",
        "name",
        "id",
        "if",
        "env",
        "shell",
        "working-directory",
        "continue-on-error",
        "timeout-minutes",
    ],
    later: LATER,
    required: &["run"],
};

const RUN_IN_COMPOSITE: Keys = Keys {
    now: &[
        "run",
        "name",
        "id",
        "if",
        "env",
        "shell",
        "working-directory",
        "continue-on-error",
    ],
    later: LATER,
    required: &["run", "shell"],
};

const USES: Keys = Keys {
    now: &[
        "uses",
        "with",
        "name",
        "id",
        "if",
        "env",
        "continue-on-error",
        "timeout-minutes",
    ],
    later: LATER,
    required: &["uses"],
};

const USES_IN_COMPOSITE: Keys = Keys {
    now: &[
        "uses",
        "with",
        "name",
        "id",
        "if",
        "env",
        "continue-on-error",
    ],
    later: LATER,
    required: &["uses"],
};

/// What tells the two kinds of steps apart: the first of these keys decides.
const OF_RUN: &[&str] = &["run", "shell", "working-directory"];
const OF_USES: &[&str] = &["uses", "with"];

/// Reads the list. Steps that are wrong are left out; the report says why.
pub(crate) fn read(
    node: &Node,
    place: &StepPlace,
    defaults: &Defaults,
    report: &mut Report,
) -> Vec<WorkflowStep> {
    let mut ids = Identifiers::default();
    let mut steps: Vec<WorkflowStep> = items(node, report)
        .iter()
        .filter_map(|item| read_one(item, place, defaults, &mut ids, report))
        .collect();
    for step in &mut steps {
        if step.key.is_empty() {
            step.key = ids.make(&format!("__{}", used_action::id_part(&step.action)));
        }
    }
    steps
}

fn read_one(
    node: &Node,
    place: &StepPlace,
    defaults: &Defaults,
    ids: &mut Identifiers,
    report: &mut Report,
) -> Option<WorkflowStep> {
    let entry = Entry::of(node, report)?;
    let is_run = entry.mapping.keys().find_map(|key| {
        let name = key.text.as_str();
        if OF_RUN.contains(&name) {
            Some(true)
        } else if OF_USES.contains(&name) {
            Some(false)
        } else {
            None
        }
    });
    let Some(is_run) = is_run else {
        refuse_other_kind(&entry, report);
        return None;
    };
    entry.check_keys(
        match (is_run, place.is_composite) {
            (true, false) => &RUN,
            (true, true) => &RUN_IN_COMPOSITE,
            (false, false) => &USES,
            (false, true) => &USES_IN_COMPOSITE,
        },
        report,
    );
    let id = entry.filled("id", report);
    if let Some(id) = &id
        && let Err(reason) = ids.take(id)
    {
        let position = entry.get("id").map_or(node.position, |node| node.position);
        report.error(position, reason);
    }
    let scope = place.scope;
    let name = entry
        .text("name", scope, report)
        .or_else(|| used_action::name_of_unnamed(&entry));
    let condition = condition::read(&entry, place.condition, report).map(|text| text.text);
    let env = entry.settings("env", scope, report);
    let continue_on_error = entry.boolean("continue-on-error", scope, report);
    let timeout_minutes = entry.number("timeout-minutes", scope, report);
    let action = if is_run {
        read_run(&entry, place, defaults, name.as_deref(), report)?
    } else {
        StepAction::Uses {
            action: used_action::read(&entry, report)?,
            with: entry.settings("with", scope, report),
        }
    };
    Some(WorkflowStep {
        key: id.clone().unwrap_or_default(),
        id,
        name,
        condition,
        env,
        continue_on_error: continue_on_error.as_ref().map(as_written),
        timeout_minutes: timeout_minutes.as_ref().map(as_written),
        line: node.position.line,
        action,
    })
}

/// A step that neither runs nor uses anything.
fn refuse_other_kind(entry: &Entry<'_>, report: &mut Report) {
    let later = entry.mapping.keys().find_map(|key| {
        let (name, instead) = LATER.iter().find(|(name, _)| *name == key.text)?;
        Some((key.position, *name, *instead))
    });
    match later {
        Some((position, name, instead)) => report.unsupported(position, name, instead),
        None => report.error(
            entry.position,
            "There's not enough info to determine what you meant. Add one of these properties: run, \
             shell, uses, with, working-directory",
        ),
    }
}

fn read_run(
    entry: &Entry<'_>,
    place: &StepPlace,
    defaults: &Defaults,
    name: Option<&str>,
    report: &mut Report,
) -> Option<StepAction> {
    let script = entry.text("run", place.scope, report)?;
    let shell = if place.is_composite {
        entry.text("shell", place.scope, report)
    } else {
        entry.filled("shell", report)
    };
    let working_directory = entry.text("working-directory", place.scope, report);
    if let Some(cache_key) = patch_step::cache_key(name, &script) {
        return Some(StepAction::ApplyPatch { cache_key });
    }
    Some(StepAction::Run {
        script,
        shell: shell.or_else(|| defaults.shell.clone()),
        working_directory: working_directory.or_else(|| defaults.working_directory.clone()),
    })
}

fn as_written(tree: &Tree) -> String {
    tree.to_value().to_text().to_string()
}
