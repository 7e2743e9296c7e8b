//! A parsed file: all that depends on its text alone, ready to be planned many
//! times.

use std::sync::Arc;

use tappet_model::plan::{AllowFailure, JobSpec, RetryPolicy, When};
use tappet_model::{Diagnostic, Environment, Position, Variable};
use tappet_yaml::Mapping;

use crate::circle::Circles;
use crate::clauses::Clauses;
use crate::inherit::Inherited;
use crate::only::Policy;
use crate::validation::Report;
use crate::workflow::Workflow;
use crate::{compile, document, draft, extends, graph, merge_requests};

/// A valid `.gitlab-ci.yml`. Immutable; share it in an `Arc`.
pub struct Config {
    /// `.pre` and `.post` included.
    pub(crate) stages: Vec<String>,
    /// Those of the root.
    pub(crate) variables: Vec<Variable>,
    pub(crate) workflow: Workflow,
    /// In stage order, inside a stage in file order.
    pub(crate) jobs: Vec<Job>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// `workflow` or some job says something about merge requests.
    pub(crate) speaks_of_merge_requests: bool,
}

/// A job with everything that a plan may make of it.
pub(crate) struct Job {
    pub(crate) name: String,
    /// Index into [`Config::stages`].
    pub(crate) stage: usize,
    pub(crate) retry: RetryPolicy,
    /// As written.
    pub(crate) tags: Vec<String>,
    /// Some tag names a variable.
    pub(crate) tags_vary: bool,
    /// The name as written.
    pub(crate) environment: Option<Environment>,
    /// Which root variables it takes.
    pub(crate) inherits: Inherited,
    /// Its own variables, without those of the root.
    pub(crate) variables: Vec<Variable>,
    /// Lines of the script that come from `before_script`.
    pub(crate) before_lines: usize,
    /// What it is when no rule says otherwise.
    pub(crate) form: Form,
    pub(crate) choice: Choice,
    pub(crate) position: Position,
}

/// How a job looks in a plan.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) when: When,
    pub(crate) allow_failure: AllowFailure,
    pub(crate) needs: Option<Vec<Need>>,
    /// The jobs behind the names in `spec.artifact_sources`.
    pub(crate) artifact_jobs: Vec<usize>,
    pub(crate) spec: Arc<JobSpec>,
    /// Circles among the spec's variables.
    pub(crate) circles: Circles,
}

/// A needed job.
#[derive(Clone)]
pub(crate) struct Need {
    pub(crate) name: String,
    /// Index into [`Config::jobs`]; none when the file has no such job, which
    /// only an optional need may say.
    pub(crate) job: Option<usize>,
    pub(crate) artifacts: bool,
    pub(crate) optional: bool,
    pub(crate) position: Position,
}

/// How it is decided whether a job is part of a plan.
pub(crate) enum Choice {
    Rules(Vec<Rule>),
    Policies {
        only: Option<Policy>,
        except: Option<Policy>,
    },
}

/// A rule and what a job looks like when it decides.
pub(crate) struct Rule {
    pub(crate) clauses: Clauses,
    /// None: the job is left out.
    pub(crate) form: Option<Form>,
    pub(crate) variables: Vec<Variable>,
    /// The form's needs are the rule's own.
    pub(crate) has_needs: bool,
}

impl Config {
    /// What the author should know although the file is valid.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Whether the file says anything about pipelines of merge requests. One that
    /// does not has none in GitLab.
    pub fn speaks_of_merge_requests(&self) -> bool {
        self.speaks_of_merge_requests
    }
}

/// Reads and checks a file.
///
/// # Errors
///
/// Everything that is wrong, in file order: what YAML refuses, then `extends`,
/// then what single entries say, then what jobs say about each other. A later
/// step is only taken when the earlier ones found nothing. Messages are GitLab's
/// where GitLab has one.
pub fn parse(text: &str) -> Result<Config, Vec<Diagnostic>> {
    let document = document::load(text)?;
    let root = extends::resolve(document.root)?;
    of_root(&root, document.warnings)
}

/// Checks a file whose `extends` are merged.
pub(crate) fn of_root(
    root: &Mapping,
    mut warnings: Vec<Diagnostic>,
) -> Result<Config, Vec<Diagnostic>> {
    let mut report = Report::default();
    let draft = draft::read(root, &mut report);
    warnings.extend(report.into_result()?);
    graph::check(&draft)?;
    let speaks_of_merge_requests = merge_requests::are_spoken_of(root);
    compile::compile(draft, warnings, speaks_of_merge_requests)
}
