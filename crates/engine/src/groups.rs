//! What the legs of one matrix mean to each other: so many at a time, and all
//! are given up with the first that fails.
//!
//! Source of the rules: GitHub `strategy.max-parallel` and `strategy.fail-fast`.

use tappet_model::Status;

use crate::{Graph, GraphJob, JobState};

/// How many more jobs of each group may be on their way; `None`: any number.
pub(crate) struct Places(Vec<Option<u32>>);

impl Places {
    /// What the jobs leave free as they stand.
    pub(crate) fn free(graph: &Graph, jobs: &[JobState]) -> Self {
        // A limit of none at all would never let the run end.
        let limits = graph.groups.iter();
        let mut places = Self(
            limits
                .map(|group| group.max_parallel.map(|limit| limit.max(1)))
                .collect(),
        );
        if !places.0.is_empty() {
            for (job, state) in graph.jobs.iter().zip(jobs) {
                if holds_a_place(state.status) {
                    places.take(job);
                }
            }
        }
        places
    }

    /// Takes a place for a job, if there is one.
    pub(crate) fn take(&mut self, job: &GraphJob) -> bool {
        match job.group.and_then(|group| self.0.get_mut(group)) {
            Some(Some(0)) => false,
            Some(Some(left)) => {
                *left -= 1;
                true
            }
            Some(None) | None => true,
        }
    }
}

fn holds_a_place(status: Status) -> bool {
    matches!(
        status,
        Status::Pending | Status::Running | Status::Canceling
    )
}

/// The other legs that a failed one takes with it.
pub(crate) fn given_up_with(graph: &Graph, job: usize) -> impl Iterator<Item = usize> + use<> {
    let group = graph.jobs[job]
        .group
        .filter(|&group| graph.groups.get(group).is_some_and(|group| group.fail_fast));
    let others: Vec<usize> = match group {
        Some(_) => (0..graph.jobs.len())
            .filter(|&other| other != job && graph.jobs[other].group == group)
            .collect(),
        None => Vec::new(),
    };
    others.into_iter()
}
