//! `defaults.run` of a workflow or job.

use tappet_yaml::Node;

use crate::expression::scope;
use crate::source::entry::{Entry, Keys};
use crate::source::report::Report;

/// What `run` steps take that say nothing else, as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) shell: Option<String>,
    pub(crate) working_directory: Option<String>,
}

const DEFAULTS: Keys = Keys {
    now: &["run"],
    later: &[],
    required: &[],
};

const RUN: Keys = Keys {
    now: &["shell", "working-directory"],
    later: &[],
    required: &[],
};

/// The workflow's, in which no expression may stand.
pub(super) fn of_workflow(node: &Node, report: &mut Report) -> Defaults {
    let Some(run) = run(node, report) else {
        return Defaults::default();
    };
    Defaults {
        shell: run.filled("shell", report),
        working_directory: run.filled("working-directory", report),
    }
}

/// A job's, on top of the workflow's.
pub(super) fn of_job(node: &Node, workflow: &Defaults, report: &mut Report) -> Defaults {
    let Some(run) = run(node, report) else {
        return workflow.clone();
    };
    let place = &scope::JOB_DEFAULTS;
    Defaults {
        shell: run
            .text("shell", place, report)
            .or_else(|| workflow.shell.clone()),
        working_directory: run
            .text("working-directory", place, report)
            .or_else(|| workflow.working_directory.clone()),
    }
}

fn run<'a>(node: &'a Node, report: &mut Report) -> Option<Entry<'a>> {
    let run = Entry::with_keys(node, &DEFAULTS, report)?.get("run")?;
    Entry::with_keys(run, &RUN, report)
}
