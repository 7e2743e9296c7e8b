//! `stages`: the order of the pipeline (GitLab: `entry/stages.rb`,
//! `config/edge_stages_injector.rb`).

use tappet_yaml::Node;

use crate::entry::Field;
use crate::script::flatten_strings;
use crate::validation::{Location, Report};

/// Runs before everything else, wherever the file lists it.
pub(crate) const FIRST: &str = ".pre";
/// Runs after everything else.
pub(crate) const LAST: &str = ".post";
/// The stage of a job that names none.
pub(crate) const OF_JOBS: &str = "test";

const EXPECTED: &str =
    "config should be an array of strings or a nested array of strings up to 10 levels deep";

/// The stages when the file names none.
pub(crate) fn default_stages() -> Vec<String> {
    with_edges(["build", "test", "deploy"].map(str::to_owned))
}

/// All stages in order, `.pre` and `.post` included, each once.
pub(crate) fn read(field: Field<'_>, report: &mut Report) -> Option<Vec<String>> {
    let stages = stage_names(field.node);
    if stages.is_none() {
        report.invalid(field.position, &Location::root("stages"), EXPECTED);
    }
    stages
}

fn stage_names(node: &Node) -> Option<Vec<String>> {
    flatten_strings(node).map(with_edges)
}

fn with_edges(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::from([FIRST.to_owned(), LAST.to_owned()]);
    let mut stages = vec![FIRST.to_owned()];
    stages.extend(names.into_iter().filter(|name| seen.insert(name.clone())));
    stages.push(LAST.to_owned());
    stages
}
