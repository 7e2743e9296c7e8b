//! From the checked file to a [`Config`]: defaults are filled in, names become
//! indexes, and each job's [`JobSpec`] is built once for the job and once for
//! every rule that changes it, so that a plan only clones pointers.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use tappet_model::plan::{ArtifactSources, ArtifactSpec, JobSpec, When};
use tappet_model::{Diagnostic, Variable};

use crate::allow_failure;
use crate::circle::{self, Circles};
use crate::config::{Choice, Config, Form, Job, Need, Rule};
use crate::default::Defaults;
use crate::draft::Draft;
use crate::inherit::Inherited;
use crate::job::{self, Inclusion};
use crate::needs;
use crate::rules::{self, RuleWhen};
use crate::variables::merge;

/// Bytes that the specs of all jobs and rules may hold together. Root variables
/// and default scripts are copied into every job, so a small file could ask for
/// a lot.
const MAX_SPEC_BYTES: usize = 256 * 1024 * 1024;

/// Builds the config; the file has passed every check but this one on its size.
pub(crate) fn compile(
    draft: Draft,
    warnings: Vec<Diagnostic>,
    speaks_of_merge_requests: bool,
) -> Result<Config, Vec<Diagnostic>> {
    let stages: HashMap<&str, usize> = draft
        .stages
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at))
        .collect();
    let stage_of = |job: &job::Job| stages.get(job.stage.as_str()).copied().unwrap_or_default();
    let mut jobs = draft.jobs;
    jobs.sort_by_key(stage_of);
    let places: HashMap<String, usize> = jobs
        .iter()
        .enumerate()
        .map(|(at, job)| (job.name.clone(), at))
        .collect();
    let mut compiler = Compiler {
        defaults: &draft.defaults,
        variables: &draft.variables,
        root_circles: circle::find(&draft.variables),
        places: &places,
        bytes: 0,
    };
    let mut compiled = Vec::with_capacity(jobs.len());
    for job in jobs {
        let stage = stage_of(&job);
        let position = job.position;
        compiled.push(compiler.job(job, stage));
        if compiler.bytes > MAX_SPEC_BYTES {
            let message = "The parsed YAML is too big";
            return Err(vec![Diagnostic::at(position, message)]);
        }
    }
    Ok(Config {
        stages: draft.stages,
        variables: draft.variables,
        workflow: draft.workflow,
        jobs: compiled,
        warnings,
        speaks_of_merge_requests,
    })
}

/// The variables of a job: root ones that it inherits, then its own over them.
pub(crate) fn variables_of_job(
    root: &[Variable],
    inherits: &Inherited,
    own: &[Variable],
) -> Vec<Variable> {
    if *inherits == Inherited::All {
        return merge(root, own);
    }
    let inherited: Vec<Variable> = root
        .iter()
        .filter(|variable| inherits.includes(&variable.key))
        .cloned()
        .collect();
    merge(&inherited, own)
}

struct Compiler<'a> {
    defaults: &'a Defaults,
    variables: &'a [Variable],
    root_circles: Circles,
    places: &'a HashMap<String, usize>,
    bytes: usize,
}

impl Compiler<'_> {
    fn job(&mut self, mut job: job::Job, stage: usize) -> Job {
        self.fill_in_defaults(&mut job);
        let before_lines = job.before_script.as_ref().map_or(0, Vec::len);
        let form = self.form(&mut job);
        let inclusion = mem::replace(
            &mut job.inclusion,
            Inclusion::Policies {
                only: None,
                except: None,
            },
        );
        let choice = match inclusion {
            Inclusion::Policies { only, except } => Choice::Policies { only, except },
            Inclusion::Rules(rules) => Choice::Rules(
                rules
                    .into_iter()
                    .map(|rule| self.rule(rule, &job, &form))
                    .collect(),
            ),
        };
        let tags = job.tags.unwrap_or_default();
        Job {
            name: job.name,
            stage,
            retry: job.retry.unwrap_or_default(),
            tags_vary: tags.iter().any(|tag| tag.contains(['$', '%'])),
            tags,
            environment: job.environment.map(|declared| declared.environment),
            inherits: job.inherit.variables,
            variables: job.variables,
            before_lines,
            form,
            choice,
            position: job.position,
        }
    }

    /// A job takes a default when it does not define the key itself.
    fn fill_in_defaults(&self, job: &mut job::Job) {
        fn fill_in<T: Clone>(own: &mut Option<T>, default: &Option<T>, is_inherited: bool) {
            if own.is_none() && is_inherited {
                own.clone_from(default);
            }
        }
        let defaults = self.defaults;
        let inherits = |name: &str| job.inherit.default.includes(name);
        let (before, after) = (inherits("before_script"), inherits("after_script"));
        let (artifacts, tags) = (inherits("artifacts"), inherits("tags"));
        let (retry, timeout) = (inherits("retry"), inherits("timeout"));
        fill_in(&mut job.before_script, &defaults.before_script, before);
        fill_in(&mut job.after_script, &defaults.after_script, after);
        fill_in(&mut job.artifacts, &defaults.artifacts, artifacts);
        fill_in(&mut job.tags, &defaults.tags, tags);
        fill_in(&mut job.retry, &defaults.retry, retry);
        fill_in(&mut job.timeout_s, &defaults.timeout_s, timeout);
    }

    /// The job without any rule; its scripts and artifacts move into the spec.
    fn form(&mut self, job: &mut job::Job) -> Form {
        let mut script = job.before_script.take().unwrap_or_default();
        script.append(&mut job.script);
        let (artifact_sources, artifact_jobs) = self.artifact_sources(job, job.needs.as_deref());
        let spec = JobSpec {
            script,
            after_script: job.after_script.take().unwrap_or_default(),
            variables: variables_of_job(self.variables, &job.inherit.variables, &job.variables),
            artifacts: job.artifacts.take().filter(keeps_something),
            artifact_sources,
            timeout_s: job.timeout_s,
            manual: job.when.is_action(),
            coverage: job.coverage.take(),
            workflow_job: None,
        };
        Form {
            when: job.when,
            allow_failure: job.allow_failure.clone(),
            needs: self.needs(job.needs.as_deref()),
            artifact_jobs,
            circles: self.circles(&spec.variables, job),
            spec: self.keep(spec),
        }
    }

    fn rule(&mut self, rule: rules::Rule, job: &job::Job, base: &Form) -> Rule {
        let when = match rule.when {
            Some(RuleWhen::Never) => None,
            Some(RuleWhen::Run(when)) => Some(when),
            None => Some(base.when),
        };
        let has_needs = rule.needs.is_some();
        Rule {
            form: when.map(|when| self.form_of_rule(&rule, when, job, base)),
            clauses: rule.clauses,
            variables: rule.variables,
            has_needs,
        }
    }

    fn form_of_rule(
        &mut self,
        rule: &rules::Rule,
        when: When,
        job: &job::Job,
        base: &Form,
    ) -> Form {
        let mut form = Form {
            when,
            ..base.clone()
        };
        if let Some(allowed) = rule.allow_failure {
            form.allow_failure = allow_failure::of(allowed);
        }
        let manual = when.is_action();
        let is_new = manual != base.spec.manual;
        if !is_new && rule.variables.is_empty() && rule.needs.is_none() {
            return form;
        }
        let mut spec = JobSpec::clone(&base.spec);
        spec.manual = manual;
        if !rule.variables.is_empty() {
            spec.variables = merge(&spec.variables, &rule.variables);
            form.circles = circle::find(&spec.variables);
        }
        if let Some(needs) = &rule.needs {
            form.needs = self.needs(Some(needs));
            (spec.artifact_sources, form.artifact_jobs) = self.artifact_sources(job, Some(needs));
        }
        form.spec = self.keep(spec);
        form
    }

    fn needs(&self, needs: Option<&[needs::Need]>) -> Option<Vec<Need>> {
        let needs = needs?.iter().map(|need| Need {
            name: need.job.clone(),
            job: self.places.get(&need.job).copied(),
            artifacts: need.artifacts,
            optional: need.optional,
            position: need.position,
        });
        Some(needs.collect())
    }

    /// `needs` with artifacts, of these only the `dependencies` when both are
    /// said (GitLab: `app/models/ci/build_dependencies.rb`).
    fn artifact_sources(
        &self,
        job: &job::Job,
        needs: Option<&[needs::Need]>,
    ) -> (ArtifactSources, Vec<usize>) {
        let dependencies = job.dependencies.as_ref().map(|list| list.names.as_slice());
        let names: Vec<&String> = match (needs, dependencies) {
            (None, None) => return (ArtifactSources::EarlierStages, Vec::new()),
            (None, Some(dependencies)) => dependencies.iter().collect(),
            (Some(needs), dependencies) => needs
                .iter()
                .filter(|need| need.artifacts)
                .map(|need| &need.job)
                .filter(|name| dependencies.is_none_or(|listed| listed.contains(name)))
                .collect(),
        };
        let known = names
            .into_iter()
            .filter_map(|name| Some((name.clone(), *self.places.get(name)?)));
        let (names, jobs) = known.unzip();
        (ArtifactSources::Jobs(names), jobs)
    }

    /// Most jobs have the variables of the root and few others. When those of
    /// the root have no circle, one must go through a variable of the job that
    /// refers to another.
    fn circles(&self, variables: &[Variable], job: &job::Job) -> Circles {
        let own = &job.variables;
        if self.root_circles.is_empty() && !own.iter().any(circle::may_refer) {
            return Circles::new();
        }
        circle::find(variables)
    }

    fn keep(&mut self, spec: JobSpec) -> Arc<JobSpec> {
        let scripts = spec.script.iter().chain(&spec.after_script);
        let scripts: usize = scripts.map(|line| size_of::<String>() + line.len()).sum();
        let variables = spec.variables.iter();
        let variables: usize = variables
            .map(|variable| size_of::<Variable>() + variable.key.len() + variable.value.len())
            .sum();
        self.bytes += scripts + variables;
        Arc::new(spec)
    }
}

/// Whether artifacts can hold any file.
fn keeps_something(artifacts: &ArtifactSpec) -> bool {
    artifacts.untracked || !artifacts.paths.is_empty() || !artifacts.reports.is_empty()
}
