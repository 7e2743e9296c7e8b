//! The whole file as written: every entry of the root, checked on its own
//! (GitLab: `entry/root.rb`, `entry/jobs.rb`).

use std::collections::HashSet;

use tappet_model::{Diagnostic, Variable};
use tappet_yaml::{Key, Mapping, Node};

use crate::default::{self, Defaults};
use crate::entry::{Field, field};
use crate::job::{self, Job, Kind};
use crate::keywords::ROOT_LATER;
use crate::reference;
use crate::stages;
use crate::validation::{Location, Report};
use crate::variables::{self, Place};
use crate::workflow::{self, Workflow};

const JOBS: Location<'_> = Location::root("jobs");

/// Keywords of the root that can never be a job.
const RESERVED: &[&str] = &["before_script", "after_script", "variables", "stages"];

/// Keywords of the root, unless they look like a job.
const OPEN: &[&str] = &["default", "workflow"];

/// Everything that the file says.
pub(crate) struct Draft {
    /// `.pre` and `.post` included.
    pub(crate) stages: Vec<String>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) defaults: Defaults,
    pub(crate) workflow: Workflow,
    /// Visible jobs in file order.
    pub(crate) jobs: Vec<Job>,
}

/// Reads the merged root.
pub(crate) fn read(root: &Mapping, report: &mut Report) -> Draft {
    let unreadable = refuse_references(root, report);
    let keyword = |name: &str| -> Option<Field<'_>> {
        let field = field(root, name).filter(|_| !unreadable.contains(name))?;
        (!is_job(name, field.node)).then_some(field)
    };
    let workflow_has_rules = root
        .get("workflow")
        .and_then(Node::as_mapping)
        .is_some_and(|workflow| workflow.contains_key("rules"));
    let defaults = default::read(root, keyword("default"), report);
    let stages = keyword("stages").and_then(|field| stages::read(field, report));
    let variables = keyword("variables").map(|field| {
        let location = Location::root("variables");
        variables::read(field, &location, Place::Root, report)
    });
    let workflow = keyword("workflow").map(|field| workflow::read(field, report));
    let mut jobs = Vec::new();
    let mut has_visible_job = false;
    for (key, node) in root.iter() {
        let name = key.text.as_str();
        if ROOT_LATER.contains(&name) {
            if !node.is_null() {
                report.unsupported(key.position, None, name);
            }
            continue;
        }
        if RESERVED.contains(&name) || (OPEN.contains(&name) && !is_job(name, node)) {
            continue;
        }
        has_visible_job |= is_job(name, node);
        if unreadable.contains(name) {
            continue;
        }
        jobs.extend(read_job(key, node, workflow_has_rules, report));
    }
    if !has_visible_job {
        let message = "jobs config should contain at least one visible job";
        report.error(Diagnostic::whole_file(message));
    }
    Draft {
        stages: stages.unwrap_or_else(stages::default_stages),
        variables: variables.unwrap_or_default(),
        defaults,
        workflow: workflow.unwrap_or_default(),
        jobs,
    }
}

/// Names of entries that hold a `!reference`, which are not looked at further.
fn refuse_references<'a>(root: &'a Mapping, report: &mut Report) -> HashSet<&'a str> {
    let mut found = HashSet::new();
    for (key, node) in root.iter() {
        let name = key.text.as_str();
        let location = if RESERVED.contains(&name) || OPEN.contains(&name) {
            Location::root(name)
        } else {
            JOBS.child(name)
        };
        if !name.starts_with('.') && reference::refuse(node, &location, report) {
            found.insert(name);
        }
    }
    found
}

fn is_job(name: &str, node: &Node) -> bool {
    matches!(job::kind(name, node), Kind::Job | Kind::Bridge)
        && !RESERVED.contains(&name)
        && !ROOT_LATER.contains(&name)
}

fn read_job(key: &Key, node: &Node, workflow_has_rules: bool, report: &mut Report) -> Option<Job> {
    match (job::kind(&key.text, node), node.as_mapping()) {
        (Kind::Job, Some(mapping)) => {
            return job::read(key, mapping, workflow_has_rules, report);
        }
        (Kind::Bridge, Some(mapping)) => job::refuse_bridge(key, mapping, report),
        (Kind::Hidden, _) => {
            if is_blank(node) {
                let location = JOBS.child(&key.text);
                report.invalid(key.position, &location, "config can't be blank");
            }
        }
        _ => {
            let name = key.text.replace(' ', "_");
            let text = format_args!(
                "{name} config should implement the script:, run:, or trigger: keyword"
            );
            report.invalid(key.position, &JOBS, text);
        }
    }
    None
}

fn is_blank(node: &Node) -> bool {
    node.is_null()
        || node.as_bool() == Some(false)
        || node.as_str().is_some_and(|text| text.trim().is_empty())
        || node.as_mapping().is_some_and(Mapping::is_empty)
        || node.as_sequence().is_some_and(<[Node]>::is_empty)
}
