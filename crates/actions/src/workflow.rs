//! Workflow files: text → [`Workflow`], and with the contexts of a run → jobs.

mod compile;
pub(crate) mod condition;
mod decide;
pub(crate) mod defaults;
mod environment;
mod inputs;
mod job;
mod jobs;
mod known_later;
mod local_changes;
mod matrix;
mod patch_step;
mod pattern;
mod permissions;
mod resolve;
mod runs_on;
pub(crate) mod steps;
mod strategy;
mod triggers;
mod used_action;

use tappet_model::Diagnostic;

pub use compile::{UnknownJob, WorkflowFile, compile};
pub use decide::{Decision, DecisionContexts, NeededJob, decide, needs_context, overall};
pub use environment::RunContexts;
pub use inputs::{InputError, default_inputs, dispatch_inputs};
pub use local_changes::with_local_changes;
pub use resolve::{ResolvedJob, ResolvedJobs};
pub use triggers::{Input, InputKind, Occurrence, Schedule, Triggers};

use crate::expression::scope;
use crate::source::document;
use crate::source::entry::{Entry, Keys};
use crate::source::report::Report;
use crate::source::tree::Tree;
use crate::workflow::defaults::Defaults;
use crate::workflow::job::{Inherited, Job};

/// A workflow that was read without errors. It depends on the text alone, so it
/// may be kept for as long as the text stays the same.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// `name`.
    pub name: Option<String>,
    /// `on`.
    pub triggers: Triggers,
    /// What the author should know although the file is valid.
    pub warnings: Vec<Diagnostic>,
    run_name: Option<Tree>,
    jobs: Vec<Job>,
}

impl Workflow {
    /// The ids of its jobs, in file order.
    pub fn job_keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.jobs.iter().map(|job| job.key.as_str())
    }
}

const KEYS: Keys = Keys {
    now: &[
        "on",
        "jobs",
        "name",
        "description",
        "run-name",
        "defaults",
        "env",
        "permissions",
    ],
    later: &[(
        "concurrency",
        "leave it out; runs of one branch then go on side by side",
    )],
    required: &["on", "jobs"],
};

/// Reads a workflow file.
///
/// # Errors
///
/// At most ten problems in file order, in GitHub's words where GitHub has some.
pub fn parse(text: &str) -> Result<Workflow, Vec<Diagnostic>> {
    let mut report = Report::default();
    let workflow = document::read(text, &mut report)
        .and_then(|root| read(&Entry::with_keys(&root, &KEYS, &mut report)?, &mut report));
    let warnings = report.into_result()?;
    let mut workflow = workflow.expect("a file without errors has a workflow in it");
    workflow.warnings = warnings;
    Ok(workflow)
}

fn read(root: &Entry<'_>, report: &mut Report) -> Option<Workflow> {
    let name = root.plain("name", report).filter(|name| !name.is_empty());
    root.plain("description", report);
    let run_name = root.text_tree("run-name", &scope::WORKFLOW, report);
    if let Some(name) = run_name
        .as_ref()
        .filter(|name| known_later::run_name_is(name))
    {
        report.warn(
            name.position,
            "`run-name` has no effect: it asks for the number of a run, which has its name before",
        );
    }
    let triggers = root
        .get("on")
        .map_or_else(Triggers::default, |node| triggers::read(node, report));
    if let Some(node) = root.get("permissions") {
        permissions::check(node, report);
    }
    let inherited = Inherited {
        env: root.settings("env", &scope::WORKFLOW_ENV, report),
        defaults: match root.get("defaults") {
            Some(node) => defaults::of_workflow(node, report),
            None => Defaults::default(),
        },
    };
    let jobs = jobs::read(root.get("jobs")?, &inherited, report);
    Some(Workflow {
        name,
        triggers,
        warnings: Vec::new(),
        run_name,
        jobs,
    })
}
