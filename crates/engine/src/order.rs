//! In which order jobs are looked at, and which jobs come after one.

use tappet_model::plan::When;

use crate::Graph;

/// All jobs, stage by stage, and inside a stage each after what it needs.
pub(crate) fn processing_order(graph: &Graph) -> Vec<usize> {
    let mut by_stage: Vec<usize> = (0..graph.jobs.len()).collect();
    by_stage.sort_by_key(|&job| graph.jobs[job].stage);

    let mut order = Vec::with_capacity(by_stage.len());
    let mut seen = vec![false; by_stage.len()];
    // Depth first without recursion: a chain of needs may be as long as the run.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for first in by_stage {
        if !std::mem::replace(&mut seen[first], true) {
            path.push((first, 0));
        }
        while let Some((job, next)) = path.last_mut() {
            let needs = graph.jobs[*job].needs.as_deref().unwrap_or_default();
            if let Some(&need) = needs.get(*next) {
                *next += 1;
                if !std::mem::replace(&mut seen[need], true) {
                    path.push((need, 0));
                }
            } else {
                order.push(*job);
                path.pop();
            }
        }
    }
    order
}

/// Which jobs come after any of `jobs`: all of later stages, and those that
/// need one of them, directly or through others. Stages mean nothing to jobs
/// that are decided.
pub(crate) fn dependants(graph: &Graph, order: &[usize], jobs: &[usize]) -> Vec<bool> {
    let mut after = vec![false; graph.jobs.len()];
    let Some(first_stage) = jobs.iter().map(|&job| graph.jobs[job].stage).min() else {
        return after;
    };
    let mut reached = vec![false; graph.jobs.len()];
    for &job in jobs {
        reached[job] = true;
    }
    for &job in order {
        let needs = graph.jobs[job].needs.as_deref().unwrap_or_default();
        let needs_one = needs.iter().any(|&need| reached[need]);
        let fixed = &graph.jobs[job];
        let is_later = fixed.stage > first_stage && fixed.when != When::Decided;
        after[job] = needs_one || is_later;
        reached[job] |= needs_one || (is_later && fixed.needs.is_none());
    }
    after
}

#[cfg(test)]
mod tests {
    use tappet_model::plan::{AllowFailure, RetryPolicy};

    use super::*;
    use crate::GraphJob;

    fn graph(jobs: &[(usize, &[usize])]) -> Graph {
        let jobs = jobs
            .iter()
            .map(|&(stage, needs)| GraphJob {
                stage,
                when: When::OnSuccess,
                allow_failure: AllowFailure::No,
                needs: (!needs.is_empty()).then(|| needs.to_vec()),
                retry: RetryPolicy::default(),
                group: None,
            })
            .collect();
        Graph {
            jobs,
            ..Graph::default()
        }
    }

    #[test]
    fn needs_come_first_inside_a_stage() {
        let graph = graph(&[(0, &[]), (1, &[2]), (1, &[3]), (1, &[]), (2, &[])]);
        assert_eq!(processing_order(&graph), [0, 3, 2, 1, 4]);
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let last = 200_000;
        let needs: Vec<[usize; 1]> = (1..=last).map(|need| [need]).collect();
        let mut jobs: Vec<(usize, &[usize])> = needs.iter().map(|need| (0, &need[..])).collect();
        jobs.push((0, &[]));
        assert!(
            processing_order(&graph(&jobs))
                .into_iter()
                .eq((0..=last).rev())
        );
    }

    #[test]
    fn dependants_are_later_stages_and_transitive_needs() {
        let graph = graph(&[(0, &[]), (0, &[0]), (0, &[1]), (0, &[]), (1, &[])]);
        let order = processing_order(&graph);
        assert_eq!(
            dependants(&graph, &order, &[0]),
            [false, true, true, false, true]
        );
    }

    #[test]
    fn a_decided_job_comes_only_after_what_it_needs() {
        let mut graph = graph(&[(0, &[]), (1, &[0]), (1, &[]), (2, &[1])]);
        for job in &mut graph.jobs {
            job.when = When::Decided;
        }
        let order = processing_order(&graph);
        assert_eq!(dependants(&graph, &order, &[0]), [false, true, false, true]);
    }
}
