//! What GitLab's linter tells of a file (GitLab: `lib/gitlab/ci/lint.rb`).

use tappet_model::Diagnostic;
use tappet_model::plan::{AllowFailure, When};
use tappet_yaml::{Mapping, Node, Value};

use crate::config::{Choice, Config, Job};
use crate::{document, extends, yaml_text};

/// A file, checked.
pub struct Linted {
    /// The file with anchors, merges and `extends` resolved; `None` when it is no
    /// YAML, what it extends is missing, or it would be very long.
    pub merged_yaml: Option<String>,
    /// Names and values of `only` and `except` by job, as written.
    policies: Vec<(String, [Option<PolicyOutline>; 2])>,
    /// What it is, or what is wrong with it.
    pub config: Result<Config, Vec<Diagnostic>>,
}

/// One job as the linter shows it.
pub struct JobOutline<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its stage.
    pub stage: &'a str,
    /// Before the script, in the same shell.
    pub before_script: &'a [String],
    /// The script.
    pub script: &'a [String],
    /// In a shell of its own.
    pub after_script: &'a [String],
    /// As written.
    pub tags: &'a [String],
    /// Name of its environment, as written.
    pub environment: Option<&'a str>,
    /// `None` where rules decide.
    pub only: Option<PolicyOutline>,
    /// `None` without.
    pub except: Option<PolicyOutline>,
    /// When no rule says otherwise.
    pub when: When,
    /// When no rule says otherwise.
    pub allow_failure: bool,
    /// `None`: all jobs of earlier stages.
    pub needs: Option<Vec<NeedOutline<'a>>>,
}

/// `only` or `except`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicyOutline {
    /// Refs and sources.
    pub refs: Option<Vec<String>>,
    /// Expressions.
    pub variables: Option<Vec<String>>,
    /// Patterns of changed files.
    pub changes: Option<Vec<String>>,
}

/// One of `needs`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NeedOutline<'a> {
    /// The job.
    pub name: &'a str,
    /// Its artifacts are taken.
    pub artifacts: bool,
    /// It may be missing.
    pub optional: bool,
}

/// Checks a file like [`parse`](crate::parse) and keeps what the linter shows.
pub fn lint(text: &str) -> Linted {
    let failed = |errors| Linted {
        merged_yaml: None,
        policies: Vec::new(),
        config: Err(errors),
    };
    let document = match document::load(text) {
        Ok(document) => document,
        Err(errors) => return failed(errors),
    };
    let root = match extends::resolve(document.root) {
        Ok(root) => root,
        Err(errors) => return failed(errors),
    };
    Linted {
        merged_yaml: yaml_text::write(&root),
        policies: policies(&root),
        config: crate::config::of_root(&root, document.warnings),
    }
}

fn policies(root: &Mapping) -> Vec<(String, [Option<PolicyOutline>; 2])> {
    let of = |job: &Mapping, name: &str| job.get(name).and_then(outline);
    root.iter()
        .filter_map(|(key, node)| {
            let job = node.as_mapping()?;
            Some((key.text.clone(), [of(job, "only"), of(job, "except")]))
        })
        .collect()
}

/// A word, a list of words, or a map of lists.
fn outline(node: &Node) -> Option<PolicyOutline> {
    match &node.value {
        Value::Null => None,
        Value::Mapping(map) => Some(PolicyOutline {
            refs: map.get("refs").map(words),
            variables: map.get("variables").map(words),
            changes: map.get("changes").map(words),
        }),
        _ => Some(PolicyOutline {
            refs: Some(words(node)),
            ..PolicyOutline::default()
        }),
    }
}

fn words(node: &Node) -> Vec<String> {
    match node.as_sequence() {
        Some(items) => items.iter().filter_map(Node::to_text).collect(),
        None => node.to_text().into_iter().collect(),
    }
}

impl Linted {
    /// The jobs of a valid file in stage order.
    pub fn jobs(&self) -> Vec<JobOutline<'_>> {
        let Ok(config) = &self.config else {
            return Vec::new();
        };
        let jobs = config.jobs.iter();
        jobs.map(|job| self.job(config, job)).collect()
    }

    fn job<'a>(&'a self, config: &'a Config, job: &'a Job) -> JobOutline<'a> {
        let form = &job.form;
        let (before_script, script) = form.spec.script.split_at(job.before_lines);
        let written = self.policies.iter().find(|(name, _)| *name == job.name);
        let [only, except] = written.map(|(_, both)| both.clone()).unwrap_or_default();
        let only = match &job.choice {
            Choice::Policies { only: Some(_), .. } => only.or_else(|| Some(default_only())),
            _ => only,
        };
        JobOutline {
            name: &job.name,
            stage: &config.stages[job.stage],
            before_script,
            script,
            after_script: &form.spec.after_script,
            tags: &job.tags,
            environment: job.environment.as_ref().map(|one| one.name.as_str()),
            only,
            except,
            when: form.when,
            allow_failure: form.allow_failure == AllowFailure::Yes,
            needs: form.needs.as_ref().map(|needs| {
                let outlines = needs.iter().map(|need| NeedOutline {
                    name: &need.name,
                    artifacts: need.artifacts,
                    optional: need.optional,
                });
                outlines.collect()
            }),
        }
    }
}

/// What a job without any rule is told to have.
fn default_only() -> PolicyOutline {
    PolicyOutline {
        refs: Some(vec!["branches".to_owned(), "tags".to_owned()]),
        ..PolicyOutline::default()
    }
}
