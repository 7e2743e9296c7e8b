//! One pipeline from a [`Config`]: which jobs it has and what they look like,
//! given why and for which ref it is made.

use std::borrow::Cow;
use std::sync::Arc;

use tappet_model::plan::{self, ArtifactSources, JobSpec, LeftOut, Plan, PlannedJob};
use tappet_model::{Diagnostic, Environment, Position, RefKind, Source, Variable};

use crate::changes::{Changed, InvalidCompareTo};
use crate::circle::{self, Circles};
use crate::compile::variables_of_job;
use crate::config::{Choice, Config, Form, Job, Rule};
use crate::expansion;
use crate::graph;
use crate::needs::MAX_NEEDS;
use crate::rules::RuleWhen;
use crate::stages;
use crate::variables::{find, merge};

/// Why a pipeline is made and what is known before its jobs are.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What started it.
    pub source: Source,
    /// Short name of the branch or tag.
    pub ref_name: &'a str,
    /// What `ref_name` is.
    pub ref_kind: RefKind,
    /// Full path of the project, `group/name`.
    pub project_path: &'a str,
    /// An instance, group, project or pipeline variable. They win over those of
    /// the file. A job of an environment gives the environment's name first.
    pub variables: &'a dyn Fn(Option<&str>, &str) -> Option<Variable>,
    /// A predefined variable, which those of the file win over. Rules of a job may
    /// ask for what is predefined of that job, too.
    pub predefined: &'a dyn Fn(Option<&AskingJob<'_>>, &str) -> Option<Variable>,
    /// What the pipeline changes: against where it began, or against the merge base
    /// with the commit of this name. Asked only where a `changes` decides.
    pub changed: &'a dyn Fn(Option<&str>) -> Changed,
    /// All files of the commit; none when there are too many to tell, so that every
    /// `exists` holds. Asked only where an `exists` decides.
    pub files: &'a dyn Fn() -> Option<Arc<[String]>>,
    /// Jobs without `rules`, `only` and `except` are part of the pipeline whatever its
    /// source. GitLab makes them for branches and tags alone.
    pub unspoken_jobs_join: bool,
}

/// The job whose rules ask for a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskingJob<'a> {
    /// Its name.
    pub name: &'a str,
    /// Name of its stage.
    pub stage: &'a str,
    /// What `workflow:name` came to.
    pub pipeline_name: Option<&'a str>,
    /// What it works on, the name expanded.
    pub environment: Option<&'a Environment>,
}

/// Why there is no pipeline, in GitLab's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// `workflow:rules` said no.
    #[error("The pipeline did not run. Review the workflow:rules configuration for the pipeline.")]
    WorkflowRefused,
    /// No job is left, or only jobs of `.pre` and `.post`.
    #[error(
        "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs."
    )]
    Empty,
    /// What rules left does not fit together.
    #[error("{}", texts(.0))]
    Invalid(Vec<Diagnostic>),
}

fn texts(errors: &[Diagnostic]) -> String {
    let texts: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    texts.join("\n")
}

/// Decides what the pipeline is. The plan's warnings are those that only this
/// pipeline has; [`Config::warnings`] has those of the file.
///
/// # Errors
///
/// [`PlanError`], when there is no pipeline to run.
pub fn plan(config: &Config, context: &Context<'_>) -> Result<Plan, PlanError> {
    let workflow = evaluate_workflow(config, context)?;
    let mut left_out = Vec::new();
    let mut picked: Vec<Picked<'_>> = Vec::with_capacity(config.jobs.len());
    let mut places: Vec<Option<usize>> = vec![None; config.jobs.len()];
    for (index, job) in config.jobs.iter().enumerate() {
        let asking = AskingJob {
            name: &job.name,
            stage: &config.stages[job.stage],
            pipeline_name: workflow.name.as_deref(),
            environment: None,
        };
        match pick(job, asking, &workflow, context) {
            Ok(job) => {
                places[index] = Some(picked.len());
                picked.push(job);
            }
            Err(NotPicked::LeftOut(reason)) => left_out.push(LeftOut {
                name: job.name.clone(),
                reason,
            }),
            Err(NotPicked::Invalid(error)) => {
                return Err(unreadable_rule(&job.name, error, Some(job.position)));
            }
        }
    }
    check_jobs(&picked, &places, context)?;
    let is_edge = |picked: &Picked<'_>| {
        [stages::FIRST, stages::LAST].contains(&config.stages[picked.job.stage].as_str())
    };
    if picked.iter().all(is_edge) {
        return Err(PlanError::Empty);
    }
    let (stages, stage_places) = used_stages(config, &picked);
    let jobs: Vec<PlannedJob> = picked
        .into_iter()
        .map(|picked| planned(picked, &stage_places, &places))
        .collect();
    check_cycles(&jobs, config)?;
    Ok(Plan {
        name: workflow.name,
        stages,
        jobs,
        left_out,
        warnings: Vec::new(),
        workflows: Vec::new(),
        groups: Vec::new(),
    })
}

/// What `workflow:` comes to.
struct Workflow {
    name: Option<String>,
    /// The root variables with those of the rule over them, when it has any.
    variables: Option<Vec<Variable>>,
}

fn evaluate_workflow(config: &Config, context: &Context<'_>) -> Result<Workflow, PlanError> {
    let mut variables = None;
    if let Some(rules) = &config.workflow.rules {
        let lookup = |name: &str| text_of(context, None, &config.variables, name);
        let rule = first_that_holds(rules, |rule| rule.clauses.hold(context, &lookup))
            .map_err(|error| unreadable_rule("workflow", error, None))?
            .map(|(_, rule)| rule)
            .filter(|rule| rule.when != Some(RuleWhen::Never))
            .ok_or(PlanError::WorkflowRefused)?;
        if !rule.variables.is_empty() {
            variables = Some(merge(&config.variables, &rule.variables));
        }
    }
    let name = config.workflow.name.as_ref().and_then(|name| {
        let variables = variables.as_ref().unwrap_or(&config.variables);
        let lookup = |name: &str| text_of(context, None, variables, name);
        let name = expansion::expand_existing(name, &lookup);
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    });
    Ok(Workflow { name, variables })
}

/// GitLab's order: what was set outside the file, the file, what is predefined.
fn look_up(
    context: &Context<'_>,
    asking: Option<&AskingJob<'_>>,
    variables: &[Variable],
    name: &str,
) -> Option<Variable> {
    let environment = asking.and_then(|job| job.environment);
    (context.variables)(environment.map(|one| one.name.as_str()), name)
        .or_else(|| find(variables, name).cloned())
        .or_else(|| (context.predefined)(asking, name))
}

fn text_of(
    context: &Context<'_>,
    asking: Option<&AskingJob<'_>>,
    variables: &[Variable],
    name: &str,
) -> Option<String> {
    look_up(context, asking, variables, name).map(|variable| variable.value)
}

/// The environment of a job, its name expanded with these variables of the file
/// and what the settings give to every environment (GitLab:
/// `Ci::Deployable#expanded_environment_name`).
fn environment_of(
    job: &Job,
    asking: &AskingJob<'_>,
    variables: &[Variable],
    context: &Context<'_>,
) -> Option<Environment> {
    let written = job.environment.as_ref()?;
    let lookup = |name: &str| look_up(context, Some(asking), variables, name);
    Some(Environment {
        name: expansion::expand_nested(&written.name, &lookup),
        ..written.clone()
    })
}

/// A job that is part of the pipeline.
struct Picked<'a> {
    job: &'a Job,
    form: &'a Form,
    spec: Arc<JobSpec>,
    circles: Cow<'a, [Vec<String>]>,
    tags: Vec<String>,
    environment: Option<Environment>,
}

/// Why a job is not part of the pipeline.
enum NotPicked {
    LeftOut(String),
    /// Its rules cannot be decided.
    Invalid(InvalidCompareTo),
}

impl From<InvalidCompareTo> for NotPicked {
    fn from(error: InvalidCompareTo) -> Self {
        Self::Invalid(error)
    }
}

/// GitLab's words: `seed/build.rb`.
fn unreadable_rule(name: &str, error: InvalidCompareTo, position: Option<Position>) -> PlanError {
    let message = format!("Failed to parse rule for {name}: {error}");
    PlanError::Invalid(vec![match position {
        Some(position) => Diagnostic::at(position, message),
        None => Diagnostic::whole_file(message),
    }])
}

/// The first rule that holds, with its place; later ones are not asked.
fn first_that_holds<R>(
    rules: &[R],
    holds: impl Fn(&R) -> Result<bool, InvalidCompareTo>,
) -> Result<Option<(usize, &R)>, InvalidCompareTo> {
    for (index, rule) in rules.iter().enumerate() {
        if holds(rule)? {
            return Ok(Some((index, rule)));
        }
    }
    Ok(None)
}

/// The job as its rules or policies want it, or why it is left out.
fn pick<'a>(
    job: &'a Job,
    asking: AskingJob<'_>,
    workflow: &Workflow,
    context: &Context<'_>,
) -> Result<Picked<'a>, NotPicked> {
    let with_workflow = workflow
        .variables
        .as_ref()
        .map(|root| variables_of_job(root, &job.inherits, &job.variables));
    let variables = with_workflow.as_ref().unwrap_or(&job.form.spec.variables);
    let environment = environment_of(job, &asking, variables, context);
    let asking_there = AskingJob {
        environment: environment.as_ref(),
        ..asking
    };
    let lookup = |name: &str| text_of(context, Some(&asking_there), variables, name);
    let (form, rule_variables) = choose(job, context, &lookup)?;
    let tags = if job.tags_vary {
        job.tags
            .iter()
            .map(|tag| expansion::expand_existing(tag, &lookup))
            .collect()
    } else {
        job.tags.clone()
    };
    let (spec, circles) = match with_workflow {
        None => (
            Arc::clone(&form.spec),
            Cow::Borrowed(form.circles.as_slice()),
        ),
        Some(variables) => {
            let variables = merge(&variables, rule_variables);
            let circles: Circles = circle::find(&variables);
            let spec = JobSpec {
                variables,
                ..JobSpec::clone(&form.spec)
            };
            (Arc::new(spec), Cow::Owned(circles))
        }
    };
    // The deciding rule may set what the name is made of.
    let environment = match rule_variables {
        [] => environment,
        _ => environment_of(job, &asking, &spec.variables, context),
    };
    Ok(Picked {
        job,
        form,
        spec,
        circles,
        tags,
        environment,
    })
}

/// The form and the variables that the deciding rule adds.
fn choose<'a>(
    job: &'a Job,
    context: &Context<'_>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(&'a Form, &'a [Variable]), NotPicked> {
    match &job.choice {
        Choice::Rules(rules) => {
            let no_match = || NotPicked::LeftOut("no rule matched".to_owned());
            let (index, rule) =
                first_that_holds(rules, |rule: &Rule| rule.clauses.hold(context, lookup))?
                    .ok_or_else(no_match)?;
            let never = || NotPicked::LeftOut(format!("rules[{index}] says `when: never`"));
            let form = rule.form.as_ref().ok_or_else(never)?;
            Ok((form, &rule.variables))
        }
        Choice::Policies { only, except } => {
            let reason = only
                .as_ref()
                .and_then(|only| only.unmet(context, lookup))
                .or_else(|| except.as_ref()?.met(context, lookup));
            match reason {
                Some(reason) => Err(NotPicked::LeftOut(reason)),
                None => Ok((&job.form, &[])),
            }
        }
    }
}

/// What can be wrong with a job only now that the others are known.
fn check_jobs(
    picked: &[Picked<'_>],
    places: &[Option<usize>],
    context: &Context<'_>,
) -> Result<(), PlanError> {
    let mut errors = Vec::new();
    for picked in picked {
        check_needs(picked, places, &mut errors);
        let environment = picked.environment.as_ref().map(|one| one.name.as_str());
        let is_replaced = |name: &str| (context.variables)(environment, name).is_some();
        let job = picked.job;
        if let Some(message) = circle::message(&job.name, &picked.circles, is_replaced) {
            errors.push(Diagnostic::at(job.position, message));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(PlanError::Invalid(errors))
    }
}

fn check_needs(picked: &Picked<'_>, places: &[Option<usize>], errors: &mut Vec<Diagnostic>) {
    let needs = picked.form.needs.as_deref().unwrap_or_default();
    let name = &picked.job.name;
    if needs.len() > MAX_NEEDS {
        let message = format!(
            "{name}: one job can only need {MAX_NEEDS} others, but you have listed {}. \
             See needs keyword documentation for more details",
            needs.len()
        );
        errors.push(Diagnostic::at(picked.job.position, message));
        return;
    }
    for need in needs {
        if need.optional || need.job.is_some_and(|job| places[job].is_some()) {
            continue;
        }
        let other = &need.name;
        let message = format!(
            "'{name}' job needs '{other}' job, but '{other}' does not exist in the pipeline. \
             This might be because of the only, except, or rules keywords. \
             To need a job that sometimes does not exist in the pipeline, use needs:optional."
        );
        errors.push(Diagnostic::at(need.position, message));
    }
}

/// Names of stages that have jobs, and the new index of each stage.
fn used_stages(config: &Config, picked: &[Picked<'_>]) -> (Vec<String>, Vec<usize>) {
    let mut stages = Vec::new();
    let mut places = vec![0; config.stages.len()];
    let mut last = None;
    for Picked { job, .. } in picked {
        if last != Some(job.stage) {
            last = Some(job.stage);
            places[job.stage] = stages.len();
            stages.push(config.stages[job.stage].clone());
        }
    }
    (stages, places)
}

fn planned(picked: Picked<'_>, stage_places: &[usize], places: &[Option<usize>]) -> PlannedJob {
    let Picked {
        job,
        form,
        spec,
        tags,
        environment,
        ..
    } = picked;
    let needs = form.needs.as_ref().map(|needs| {
        let present = needs.iter().filter_map(|need| {
            Some(plan::Need {
                job: places[need.job?]?,
                artifacts: need.artifacts,
            })
        });
        present.collect()
    });
    PlannedJob {
        name: job.name.clone(),
        stage: stage_places[job.stage],
        when: form.when,
        allow_failure: form.allow_failure.clone(),
        needs,
        group: None,
        retry: job.retry.clone(),
        tags,
        environment,
        spec: without_missing_sources(spec, form, places),
    }
}

/// Jobs that are not part of the pipeline have no artifacts to give.
fn without_missing_sources(
    spec: Arc<JobSpec>,
    form: &Form,
    places: &[Option<usize>],
) -> Arc<JobSpec> {
    let is_present = |job: &usize| places[*job].is_some();
    if form.artifact_jobs.iter().all(is_present) {
        return spec;
    }
    let ArtifactSources::Jobs(names) = &spec.artifact_sources else {
        return spec;
    };
    let present = names
        .iter()
        .zip(&form.artifact_jobs)
        .filter(|(_, job)| is_present(job))
        .map(|(name, _)| name.clone());
    Arc::new(JobSpec {
        artifact_sources: ArtifactSources::Jobs(present.collect()),
        ..JobSpec::clone(&spec)
    })
}

/// Needs of jobs were checked when the file was read; those of rules can close
/// a circle that only this pipeline has.
fn check_cycles(jobs: &[PlannedJob], config: &Config) -> Result<(), PlanError> {
    let rules_have_needs = config.jobs.iter().any(|job| match &job.choice {
        Choice::Rules(rules) => rules.iter().any(|rule| rule.has_needs),
        Choice::Policies { .. } => false,
    });
    if !rules_have_needs {
        return Ok(());
    }
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    let needs: Vec<Vec<usize>> = jobs
        .iter()
        .map(|job| job.needs.iter().flatten().map(|need| need.job).collect())
        .collect();
    match graph::cycle(&names, &needs) {
        Some(message) => Err(PlanError::Invalid(vec![Diagnostic::whole_file(message)])),
        None => Ok(()),
    }
}
