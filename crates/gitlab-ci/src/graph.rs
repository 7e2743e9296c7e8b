//! What jobs say about stages and about each other (GitLab:
//! `lib/gitlab/ci/yaml_processor.rb`, `lib/gitlab/ci/yaml_processor/dag.rb`).
//!
//! These messages keep the case of names.

use std::collections::HashMap;

use tappet_model::{Diagnostic, EnvironmentAction, Position};

use crate::draft::Draft;
use crate::job::{Inclusion, Job};
use crate::needs::Need;

/// Checks stages, dependencies, needs, `on_stop` and cycles; all errors in file order.
pub(crate) fn check(draft: &Draft) -> Result<(), Vec<Diagnostic>> {
    let checker = Checker::new(draft);
    let mut errors = Vec::new();
    for job in &draft.jobs {
        checker.check_job(job, &mut errors);
    }
    if errors.is_empty()
        && let Some(message) = checker.cycle()
    {
        errors.push(Diagnostic::whole_file(message));
    }
    errors.sort_by_key(|error| (error.position.is_none(), error.position));
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Which kind of relation an error speaks of.
#[derive(Clone, Copy)]
enum Relation {
    Need,
    Dependency,
}

impl Relation {
    fn word(self) -> &'static str {
        match self {
            Relation::Need => "need",
            Relation::Dependency => "dependency",
        }
    }
}

struct Checker<'a> {
    draft: &'a Draft,
    stages: HashMap<&'a str, usize>,
    jobs: HashMap<&'a str, usize>,
}

impl<'a> Checker<'a> {
    fn new(draft: &'a Draft) -> Self {
        let stages = draft.stages.iter().map(String::as_str);
        let jobs = draft.jobs.iter().map(|job| job.name.as_str());
        Self {
            draft,
            stages: stages.enumerate().map(|(at, name)| (name, at)).collect(),
            jobs: jobs.enumerate().map(|(at, name)| (name, at)).collect(),
        }
    }

    fn check_job(&self, job: &Job, errors: &mut Vec<Diagnostic>) {
        if !self.stages.contains_key(job.stage.as_str()) {
            let message = format!(
                "{} job: chosen stage {} does not exist; available stages are {}",
                job.name,
                job.stage,
                self.draft.stages.join(", ")
            );
            errors.push(Diagnostic::at(job.stage_position, message));
        }
        if let Some(dependencies) = &job.dependencies {
            for name in &dependencies.names {
                let place = dependencies.position;
                self.check_relation(job, name, Relation::Dependency, place, errors);
            }
        }
        for needs in all_needs(job) {
            self.check_needs(job, needs, errors);
        }
        if let Some(declared) = &job.environment
            && let Some((stopper, position)) = &declared.on_stop
            && let Some(problem) = self.problem_of_stopper(&declared.environment.name, stopper)
        {
            let message = format!("{} job: on_stop job {stopper} {problem}", job.name);
            errors.push(Diagnostic::at(*position, message));
        }
    }

    /// Why a job cannot be the one that stops an environment.
    fn problem_of_stopper(&self, environment: &str, stopper: &str) -> Option<&'static str> {
        let Some(&index) = self.jobs.get(stopper) else {
            return Some("is not defined");
        };
        let Some(declared) = &self.draft.jobs[index].environment else {
            return Some("does not have environment defined");
        };
        if declared.environment.name != environment {
            return Some("have different environment name");
        }
        (declared.environment.action != EnvironmentAction::Stop)
            .then_some("needs to have action stop defined")
    }

    fn check_needs(&self, job: &Job, needs: &[Need], errors: &mut Vec<Diagnostic>) {
        for need in needs {
            if !need.optional || self.jobs.contains_key(need.job.as_str()) {
                self.check_relation(job, &need.job, Relation::Need, need.position, errors);
            }
        }
        let mut times: HashMap<&str, usize> = HashMap::new();
        let mut repeated: Vec<&Need> = Vec::new();
        for need in needs {
            let times = times.entry(&need.job).or_default();
            *times += 1;
            if *times == 2 {
                repeated.push(need);
            }
        }
        if let Some(first) = repeated.first() {
            let names: Vec<&str> = repeated.iter().map(|need| need.job.as_str()).collect();
            let names = names.join(", ");
            let message = format!("{} has the following needs duplicated: {names}.", job.name);
            errors.push(Diagnostic::at(first.position, message));
        }
    }

    fn check_relation(
        &self,
        job: &Job,
        other: &str,
        relation: Relation,
        position: Position,
        errors: &mut Vec<Diagnostic>,
    ) {
        let (name, word) = (&job.name, relation.word());
        let stage_of = |job: &Job| self.stages.get(job.stage.as_str()).copied();
        let message = match self.jobs.get(other) {
            None => format!("{name} job: undefined {word}: {other}"),
            Some(&index) => {
                let (Some(own), other_stage) = (stage_of(job), stage_of(&self.draft.jobs[index]))
                else {
                    return;
                };
                if other_stage.is_some_and(|stage| stage <= own) {
                    return;
                }
                format!("{name} job: {word} {other} is not defined in current or prior stages")
            }
        };
        errors.push(Diagnostic::at(position, message));
    }

    fn cycle(&self) -> Option<String> {
        let jobs = &self.draft.jobs;
        let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
        let needs: Vec<Vec<usize>> = jobs
            .iter()
            .map(|job| {
                let needs = job.needs.iter().flatten();
                needs
                    .filter_map(|need| self.jobs.get(need.job.as_str()).copied())
                    .collect()
            })
            .collect();
        cycle(&names, &needs)
    }
}

/// The needs of a job and those that its rules put in their place.
fn all_needs(job: &Job) -> impl Iterator<Item = &[Need]> {
    let rules = match &job.inclusion {
        Inclusion::Rules(rules) => rules.as_slice(),
        Inclusion::Policies { .. } => &[],
    };
    let of_rules = rules.iter().filter_map(|rule| rule.needs.as_deref());
    job.needs.as_deref().into_iter().chain(of_rules)
}

/// GitLab's message about the first cycle, if jobs with these needs have one.
///
/// Ruby's `TSort` finds strongly connected components depth first; a component
/// lists its jobs in the order of the visit. The stack is our own, so that a
/// long chain of needs costs no thread stack.
pub(crate) fn cycle(names: &[&str], needs: &[Vec<usize>]) -> Option<String> {
    const PREFIX: &str = "The pipeline has circular dependencies";
    let mut ids: Vec<Option<usize>> = vec![None; names.len()];
    let mut is_done = vec![false; names.len()];
    let mut next_id = 0;
    let mut open: Vec<usize> = Vec::new();
    for root in 0..names.len() {
        let mut frames: Vec<Frame> = Vec::new();
        let mut enter = ids[root].is_none().then_some(root);
        loop {
            if let Some(job) = enter.take() {
                if needs[job].contains(&job) {
                    return Some(format!("{PREFIX}: self-dependency: {}", names[job]));
                }
                ids[job] = Some(next_id);
                frames.push(Frame {
                    job,
                    id: next_id,
                    lowest: next_id,
                    next_need: 0,
                    open_below: open.len(),
                });
                next_id += 1;
                open.push(job);
            }
            let Some(frame) = frames.last_mut() else {
                break;
            };
            if let Some(&need) = needs[frame.job].get(frame.next_need) {
                frame.next_need += 1;
                match ids[need] {
                    None => enter = Some(need),
                    Some(id) if !is_done[need] => frame.lowest = frame.lowest.min(id),
                    Some(_) => {}
                }
                continue;
            }
            if frame.lowest == frame.id {
                let component = open.split_off(frame.open_below);
                if component.len() > 1 {
                    let jobs: Vec<&str> = component.iter().map(|&job| names[job]).collect();
                    return Some(format!("{PREFIX}: topological sort failed: {jobs:?}"));
                }
                component.iter().for_each(|&job| is_done[job] = true);
            }
            let lowest = frame.lowest;
            frames.pop();
            if let Some(parent) = frames.last_mut() {
                parent.lowest = parent.lowest.min(lowest);
            }
        }
    }
    None
}

/// One job on the way down.
struct Frame {
    job: usize,
    id: usize,
    lowest: usize,
    next_need: usize,
    open_below: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_lists_its_jobs_in_the_order_of_the_visit() {
        let names = ["job_a", "job_b", "job_c"];
        let needs = [vec![2], vec![0], vec![1]];
        assert_eq!(
            cycle(&names, &needs).unwrap(),
            "The pipeline has circular dependencies: topological sort failed: [\"job_a\", \"job_c\", \"job_b\"]"
        );
    }

    #[test]
    fn a_job_that_needs_itself_is_named() {
        assert_eq!(
            cycle(&["a", "job"], &[vec![], vec![1]]).unwrap(),
            "The pipeline has circular dependencies: self-dependency: job"
        );
    }

    #[test]
    fn a_diamond_is_no_cycle() {
        let needs = [vec![], vec![0], vec![0], vec![1, 2]];
        assert_eq!(cycle(&["a", "b", "c", "d"], &needs), None);
    }

    #[test]
    fn a_cycle_behind_a_finished_branch_is_found() {
        let names = ["a", "b", "c", "d"];
        let needs = [vec![1], vec![], vec![1, 3], vec![2]];
        assert_eq!(
            cycle(&names, &needs).unwrap(),
            "The pipeline has circular dependencies: topological sort failed: [\"c\", \"d\"]"
        );
    }

    #[test]
    fn a_chain_of_many_jobs_needs_no_deep_stack() {
        let names = vec!["job"; 100_000];
        let mut needs: Vec<Vec<usize>> = (1..100_000).map(|next| vec![next]).collect();
        needs.push(Vec::new());
        assert_eq!(cycle(&names, &needs), None);
    }
}
