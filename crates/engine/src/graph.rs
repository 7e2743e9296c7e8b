//! What the engine has to know of a plan: stages, needs and conditions.

use serde::{Deserialize, Serialize};
use tappet_model::plan::{AllowFailure, JobGroup, Plan, RetryPolicy, When};

/// The fixed part of a run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Graph {
    /// Jobs in stage order.
    pub jobs: Vec<GraphJob>,
    /// `workflow:auto_cancel:on_job_failure: all`.
    #[serde(default)]
    pub cancel_on_job_failure: bool,
    /// Jobs that came of one matrix, by [`GraphJob::group`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<JobGroup>,
    /// A workflow of the run has no jobs because its file is wrong: unless it is
    /// canceled, the run fails once its jobs are over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_broken: bool,
}

/// The fixed part of a job.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GraphJob {
    /// Position of its stage.
    pub stage: usize,
    /// On which outcome it starts.
    pub when: When,
    /// Which failures are warnings.
    pub allow_failure: AllowFailure,
    /// Indexes of the jobs it waits for; `None`: all earlier stages. They are of
    /// the same or an earlier stage and form no cycle; the compilers see to it.
    pub needs: Option<Vec<usize>>,
    /// When it is repeated by itself.
    pub retry: RetryPolicy,
    /// Index into [`Graph::groups`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<usize>,
}

impl Graph {
    /// The graph of a plan.
    pub fn of(plan: &Plan) -> Self {
        let jobs = plan
            .jobs
            .iter()
            .map(|job| GraphJob {
                stage: job.stage,
                when: job.when,
                allow_failure: job.allow_failure.clone(),
                needs: job
                    .needs
                    .as_ref()
                    .map(|needs| needs.iter().map(|need| need.job).collect()),
                retry: job.retry.clone(),
                group: job.group,
            })
            .collect();
        Self {
            jobs,
            cancel_on_job_failure: false,
            groups: plan.groups.clone(),
            is_broken: plan
                .workflows
                .iter()
                .any(|workflow| workflow.error.is_some()),
        }
    }

    /// The graph with a job replaced by what it turned out to be: the first leg
    /// stands in its place, the others at the end, and whoever needs it needs them
    /// all. Each leg is told by which of its failures are warnings; all else is the
    /// waiting job's, so that the legs are decided about when they are repeated.
    pub fn expanded(&self, job: usize, legs: Vec<AllowFailure>, group: Option<JobGroup>) -> Self {
        let mut graph = self.clone();
        let group = group.map(|group| {
            graph.groups.push(group);
            graph.groups.len() - 1
        });
        let waiting = graph.jobs[job].clone();
        let first_new = graph.jobs.len();
        let last_new = first_new + legs.len().saturating_sub(1);
        for other in &mut graph.jobs {
            if let Some(needs) = &mut other.needs
                && needs.contains(&job)
            {
                needs.extend(first_new..last_new);
            }
        }
        let mut legs = legs.into_iter().map(|allow_failure| GraphJob {
            allow_failure,
            group,
            ..waiting.clone()
        });
        if let Some(first) = legs.next() {
            graph.jobs[job] = first;
        }
        graph.jobs.extend(legs);
        graph
    }
}
