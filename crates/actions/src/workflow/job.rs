//! One job as written, checked on its own.
//!
//! It can be stored as JSON, because a job whose matrix waits for other jobs is
//! resolved long after its file was read.

use serde::{Deserialize, Serialize};
use tappet_model::Position;
use tappet_model::workflow_job::{Setting, WorkflowStep};
use tappet_yaml::{Key, Node};

use crate::expression::scope;
use crate::source::entry::{Entry, Keys, filled_list};
use crate::source::report::Report;
use crate::source::tree::{Label, Tree};
use crate::workflow::defaults::{self, Defaults};
use crate::workflow::{condition, permissions, runs_on, steps, strategy};

/// A job of a workflow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Its id.
    pub(crate) key: String,
    /// Where its id stands.
    pub(crate) position: Position,
    pub(crate) name: Option<Tree>,
    /// Ids of other jobs, as those are written.
    pub(crate) needs: Vec<Label>,
    pub(crate) condition: Option<Label>,
    pub(crate) runs_on: Tree,
    pub(crate) strategy: Option<Tree>,
    pub(crate) timeout_minutes: Option<Tree>,
    pub(crate) continue_on_error: Option<Tree>,
    /// Of the workflow, then of the job.
    pub(crate) env: Vec<Setting>,
    pub(crate) outputs: Vec<Setting>,
    pub(crate) steps: Vec<WorkflowStep>,
}

impl Job {
    /// As it is stored.
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("a job is made of texts, numbers and lists")
    }
}

/// What jobs take from their workflow.
#[derive(Default)]
pub(super) struct Inherited {
    pub(super) env: Vec<Setting>,
    pub(super) defaults: Defaults,
}

const ENVIRONMENT: &str = "leave it out; secrets and variables of the project are there without it";

const KEYS: Keys = Keys {
    now: &[
        "runs-on",
        "steps",
        "name",
        "needs",
        "if",
        "strategy",
        "timeout-minutes",
        "continue-on-error",
        "env",
        "permissions",
        "outputs",
        "defaults",
    ],
    later: &[
        (
            "cancel-timeout-minutes",
            "leave it out; a canceled job gets 5 minutes for its last steps",
        ),
        (
            "container",
            "leave it out and run the steps on the runner itself, or call `docker run` in a step",
        ),
        (
            "services",
            "start what the job needs in a `run` step, in the background",
        ),
        ("environment", ENVIRONMENT),
        (
            "concurrency",
            "leave it out; runs of one branch then go on side by side",
        ),
        ("snapshot", "leave it out; runners keep no images"),
    ],
    required: &["runs-on"],
};

/// Keys of jobs that call a workflow, and of both kinds of jobs.
const CALLING: &[&str] = &["uses", "with", "secrets"];
const COMMON: &[&str] = &[
    "name",
    "needs",
    "if",
    "permissions",
    "concurrency",
    "strategy",
];

const REUSABLE: &str = "copy the jobs of the called workflow into this one, or share steps with a composite action of \
     this repository (`uses: ./path` in a step)";

/// Reads one job. `None` when it has no shape to be looked into.
pub(super) fn read(
    key: &Key,
    node: &Node,
    inherited: &Inherited,
    report: &mut Report,
) -> Option<Job> {
    let entry = Entry::of(node, report)?;
    if calls_a_workflow(&entry) {
        refuse_call(&entry, report);
        return None;
    }
    entry.check_keys(&KEYS, report);
    let place = &scope::JOB;
    let defaults = match entry.get("defaults") {
        Some(node) => defaults::of_job(node, &inherited.defaults, report),
        None => inherited.defaults.clone(),
    };
    if let Some(node) = entry.get("permissions") {
        permissions::check(node, report);
    }
    let mut env = inherited.env.clone();
    env.extend(entry.settings("env", &scope::JOB_ENV, report));
    let name = entry.text_tree("name", place, report);
    let needs = needs(&entry, report);
    let condition = condition::read(&entry, &scope::JOB_IF, report);
    let strategy = entry
        .get("strategy")
        .and_then(|node| strategy::read(node, report));
    let timeout_minutes = entry.number("timeout-minutes", place, report);
    let continue_on_error = entry.boolean("continue-on-error", place, report);
    let outputs = entry.settings("outputs", &scope::JOB_OUTPUTS, report);
    let steps = match entry.get("steps") {
        Some(node) => steps::read(node, &steps::IN_JOB, &defaults, report),
        None => Vec::new(),
    };
    let runs_on = runs_on::read(entry.get("runs-on")?, report)?;
    Some(Job {
        key: key.text.clone(),
        position: key.position,
        name,
        needs,
        condition,
        runs_on,
        strategy,
        timeout_minutes,
        continue_on_error,
        env,
        outputs,
        steps,
    })
}

/// The first key that only one kind of jobs has decides.
fn calls_a_workflow(entry: &Entry<'_>) -> bool {
    let mut keys = entry.mapping.keys().map(|key| key.text.as_str());
    keys.find(|name| !COMMON.contains(name) && (KEYS.knows(name) || CALLING.contains(name)))
        .is_some_and(|name| CALLING.contains(&name))
}

fn refuse_call(entry: &Entry<'_>, report: &mut Report) {
    for key in entry.mapping.keys() {
        let name = key.text.as_str();
        if name == "uses" {
            report.unsupported(key.position, "uses", REUSABLE);
        } else if !CALLING.contains(&name) && !COMMON.contains(&name) {
            report.error(key.position, format!("Unexpected value '{name}'"));
        }
    }
    if !entry.mapping.contains_key("uses") {
        report.error(entry.position, "Required property is missing: uses");
    }
}

fn needs(entry: &Entry<'_>, report: &mut Report) -> Vec<Label> {
    let Some(node) = entry.get("needs") else {
        return Vec::new();
    };
    let mut needs: Vec<Label> = Vec::new();
    for (text, position) in filled_list(node, report) {
        if !needs
            .iter()
            .any(|need| need.text.eq_ignore_ascii_case(&text))
        {
            needs.push(Label { text, position });
        }
    }
    needs
}
